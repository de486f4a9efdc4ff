// Policy folders -> policy files, on a worker: what was read before and has not changed is neither read nor digested again.

internal import CompilerProtocol
internal import PolicyTree
internal import System

/// Loop-owned.
final class Scanner {
  private let worker: Worker
  private let folders: [String]
  private let trust: Trust
  private var last: Snapshot?

  init(_ configuration: Authority.Configuration, loop: EventLoop) throws(SystemError) {
    worker = try Worker(name: "licet-scan", loop: loop)
    (folders, trust) = (configuration.folders, configuration.trust)
  }

  /// `byDigest`: nothing is taken for unchanged because it looks so.
  func scan(byDigest: Bool, then: @escaping (Scanned) -> Void) {
    let (folders, trust, last) = (self.folders, self.trust, self.last)
    worker.run({
      let snapshot = PolicyTree.scan(folders, trust: trust, since: last, byDigest: byDigest)
      return Scanned(snapshot: snapshot, files: PolicyFiles(snapshot.entries.map(PolicySource.init)))
    }) { [self] scanned in
      self.last = scanned.snapshot
      then(scanned)
    }
  }

  func finish() { worker.finish() }

  struct Scanned: Sendable {
    fileprivate let snapshot: Snapshot
    let files: PolicyFiles
    var directories: Set<String> { snapshot.directories }
    /// Files that are not read because of how they are called.
    var misnamed: [String] { snapshot.misnamed }
  }
}

extension PolicySource {
  init(_ entry: Entry) {
    let content: SourceEntry.Content =
      switch entry.content {
      case .bytes(let bytes): .bytes(bytes)
      case .failure(let failure): .failure(SourceEntry.Failure(failure))
      }
    // A policy folder itself has no path within a policy folder.
    var path = entry.path
    if case .failure(let failure) = entry.content, failure.folder == path { path = "" }
    self.init(SourceEntry(path: path, rank: entry.rank, content: content), digest: entry.digest?.hex)
  }
}

extension SourceEntry.Failure {
  init(_ failure: ReadFailure) {
    func make(_ kind: Kind, _ number: UInt64 = 0) -> SourceEntry.Failure {
      SourceEntry.Failure(kind, number: number, folder: failure.folder)
    }
    self =
      switch failure.kind {
      case .unreadable(let error): make(.unreadable, UInt64(clamping: error))
      case .folderUnreadable(let error): make(.folderUnreadable, UInt64(clamping: error))
      case .loop: make(.loop)
      case .vanished: make(.vanished)
      case .tooLarge(let size): make(.tooLarge, UInt64(clamping: size))
      case .isDirectory: make(.isDirectory)
      case .isSpecial: make(.isSpecial)
      case .tooManyFiles(let maximum): make(.tooManyFiles, UInt64(clamping: maximum))
      case .untrustedOwner(let user): make(.untrustedOwner, UInt64(user))
      case .untrustedMode(let mode): make(.untrustedMode, UInt64(mode))
      }
  }
}
