// What the daemon itself has to say; the codes are in docs/diagnostics.md beside those of policy files.

internal import CompilerProtocol

enum OwnDiagnostics {
  static func compilerFailed(_ name: String, _ why: String) -> DiagnosticRecord {
    make(
      name, .error, "compiler-failed", "the files could not be compiled: \(why)",
      "what was in force stays; it is tried again by itself")
  }

  static func lastGood(_ name: String) -> DiagnosticRecord {
    make(
      name, .warning, "running-on-last-good", "an earlier version of these files is in force",
      "mend what the errors say; the files are read as soon as they are saved")
  }

  static func unwritable(_ error: StateError) -> DiagnosticRecord {
    make(
      "", .error, "state-unwritable", "the state folder can't be written: \(error.text)",
      "decisions go on; new policy comes into force as long as reserved generation numbers last")
  }

  static func archive(_ problem: String) -> DiagnosticRecord {
    make(
      "", .warning, "archive-broken", "the archive in the state folder is damaged: \(problem)",
      "what is damaged is left out and written anew")
  }

  static func rolledBack(to set: UInt64) -> DiagnosticRecord {
    make(
      "", .warning, "rolled-back", "the set of generation \(set) is in force, not the files in the policy folders",
      "it stays until the files change; `licet reload` ends it now")
  }

  /// The folder of all operators can't be listed.
  static func unlisted(_ entry: SourceEntry) -> DiagnosticRecord {
    var why = "its operators keep what is in force"
    if case .failure(let failure) = entry.content { why = "\(failure.kind) (\(failure.number)); \(why)" }
    return make(
      "", .error, "folder-unreadable", "the folder `\(entry.path)` can't be read: \(why)",
      "check its owner and mode", file: entry.path)
  }

  /// So many are said, so that a folder of them doesn't drown the rest.
  static let mostMisnamed = 100

  static func misnamed(_ path: String) -> DiagnosticRecord {
    var name = ""
    if case .operator(let owner) = FileOwner(path) { name = owner }
    let wanted = "\(path.dropLast(4)).yaml"
    return make(
      name, .warning, "file-misnamed", "the file `\(path)` is not read: policy files end with `.yaml`",
      "rename it to `\(wanted)`", file: path)
  }

  private static func make(
    _ name: String, _ severity: DiagnosticRecord.Severity, _ code: String, _ message: String, _ hint: String,
    file: String? = nil
  ) -> DiagnosticRecord {
    let file = file ?? (name.isEmpty ? "platform.yaml" : "operators.d/\(name).yaml")
    return DiagnosticRecord(
      operator: name, severity: severity, code: code, place: .init(file: file, line: 1, column: 1), message: message,
      hint: hint)
  }
}
