// What is in force, and what became of the files on disk: the values that a compilation starts from and ends with.

internal import CompilerProtocol
internal import Glibc
internal import System

/// A platform in force, with the process that compiles operators on it.
final class PlatformStanding {
  let layer: Layer
  let held: HeldImage
  let facts: Facts
  var process: PlatformProcess?
  /// Whether it is not what the files on disk say.
  var isLastGood = false

  init(_ layer: Layer, _ held: HeldImage, _ facts: Facts, _ process: PlatformProcess) {
    (self.layer, self.held, self.facts, self.process) = (layer, held, facts, process)
  }
}

/// An operator in force.
struct OperatorStanding {
  let layer: Layer
  let held: HeldImage
  let bindings: [BindingRecord]
  var isLastGood: Bool
  /// nil: not published yet.
  var since: UInt64?
}

/// All that is in force.
struct Standing {
  var platform: PlatformStanding?
  var operators: [String: OperatorStanding] = [:]

  /// Over all layers; taken from `files` if these are what is in force.
  func digest(like files: PolicyFiles) -> String {
    let isSame =
      files.unlisted.isEmpty && platform?.layer.digest == files.platform.digest
      && operators.count == files.operators.count
      && operators.allSatisfy { name, one in files.operators[name]?.digest == one.layer.digest }
    return isSame ? files.digest : setDigest(platform: platform?.layer, operators: operators.mapValues(\.layer))
  }
}

/// What became of a layer's files on disk.
struct Verdict: Hashable {
  enum Outcome: Hashable {
    case inForce
    case refused
    /// No answer from the compiler: to be tried again.
    case failed(String)
  }
  /// The layer's digest.
  let files: String
  /// The digest of the platform that it was compiled on; empty for a platform itself.
  let platform: String
  var outcome: Outcome
  var diagnostics: [DiagnosticRecord]

  /// Whether these files, on this platform, need no compile.
  func settles(_ files: String, on platform: String) -> Bool {
    if case .failed = outcome { return false }
    return files == self.files && platform == self.platform
  }
}

extension CompilerFailure {
  /// Whether a layer that failed so for the `attempt`th time is sent once more within its batch: some times when the
  /// compiler was gone, once when the compile was killed, since whoever does that (an administrator, the kernel short
  /// of memory) seldom means these files.
  func mayBeTriedAgain(after attempt: Int) -> Bool {
    if isKilled { return attempt < Compilation.attemptsWhenKilled }
    return !isOwn && attempt < Compilation.attempts
  }

  /// Whether the signal is one that a process gets from others: none that a fault or a limit of its own raises.
  private var isKilled: Bool {
    guard case .failed(let failure) = self, failure.kind == .signal else { return false }
    return [SIGKILL, SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGALRM, SIGPIPE].contains {
      $0 == failure.detail
    }
  }

  /// Whether the files compiled are to be blamed: they took too long, too much, or made the compiler fail. Else the
  /// compiler was gone, and the same files may well compile.
  var isOwn: Bool {
    guard case .failed(let failure) = self else { return false }
    return switch failure.kind {
    case .deadline, .processorTime, .signal, .exit: true
    case .badRequest, .noProcess, .busy: false
    }
  }

  /// In words, for a diagnostic.
  var text: String {
    switch self {
    case .unavailable(let error): "it can't be reached: \(error.text)"
    case .died: "it ended without an answer"
    case .deadline: "it didn't answer in time"
    case .failed(let failure):
      switch failure.kind {
      case .badRequest: "it refused the request"
      case .deadline: "these files took it too long"
      case .processorTime: "these files took it too much processor time"
      case .signal: "it was ended by signal \(failure.detail) (too much memory, a defect, or killed)"
      case .exit: "it ended with status \(failure.detail)"
      case .noProcess: "no process could be made"
      case .busy: "it is busy"
      }
    case .malformed(let error): "its answer was malformed (\(error.code.rawValue) at byte \(error.offset))"
    case .system(let error): "nothing could be passed to it or taken from it: \(error.call): \(error.text)"
    case .closed: "it was closed"
    }
  }
}
