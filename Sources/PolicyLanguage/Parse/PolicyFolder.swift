// Policy folders -> source files: what PolicyTree read, with what it could not read as diagnostics, so that its owner is
// not in force without it.

internal import Glibc
public import PolicyTree

/// Reads policy trees. Not thread-safe only in that the file system isn't; holds no state.
public enum PolicyFolder {
  /// Where the system's policy is, lowest first.
  public static let systemFolders = ["/usr/lib/licet", "/run/licet", "/etc/licet"]

  /// Reads `folders`, lowest first, whoever owns them; `PolicyTree.scan` says which files. A file's `rank` is its
  /// folder's index.
  public static func read(_ folders: [String]) -> [SourceFile] {
    scan(folders, trust: .anyone).entries.map(SourceFile.init)
  }

  static func read(
    _ folders: [String], trust: Trust = .anyone, maximumFiles: Int,
    willRead: @escaping (String) -> Void = { _ in }
  ) -> [SourceFile] {
    scan(folders, trust: trust, since: .nothing, maximumFiles: maximumFiles, willRead: willRead).entries
      .map(SourceFile.init)
  }
}

extension SourceFile {
  /// What a scan saw.
  public init(_ entry: Entry) {
    switch entry.content {
    case .bytes(let bytes): self.init(path: entry.path, bytes: bytes, rank: entry.rank)
    case .failure(let failure): self.init(path: entry.path, rank: entry.rank, failure: failure)
    }
  }

  /// A file that could not be read.
  public init(path: String, rank: Int, failure: ReadFailure) {
    self.init(path: path, bytes: [], rank: rank, failure: failure.diagnostic(path))
  }
}

extension ReadFailure {
  fileprivate func diagnostic(_ path: String) -> Diagnostic {
    let (code, message, hint) = words(path)
    return Diagnostic(
      code: code, severity: .error, location: Location(file: path.isEmpty ? folder : path, line: 1, column: 1),
      length: 1, message: message, hint: hint)
  }

  private func words(_ path: String) -> (DiagnosticCode, String, String) {
    switch kind {
    case .unreadable(let error):
      (.fileUnreadable, "the file can't be read: \(String(cString: strerror(error)))", "check its owner and mode")
    case .folderUnreadable(let error):
      (
        .folderUnreadable,
        "the folder `\(path.isEmpty ? folder : path)` can't be read: \(String(cString: strerror(error)))",
        "a policy folder holds platform.yaml, platform.d/ and operators.d/"
      )
    case .loop: (.fileIsLoop, "this link leads to itself", "let it lead to a file")
    case .vanished:
      (.fileVanished, "the file was listed, but is not there", "a link may lead nowhere; or load once more")
    case .tooLarge(let size):
      (
        .fileTooLarge, "the file has \(size) bytes",
        "policy files have at most \(Bounds.fileBytes) bytes; split it into drop-ins"
      )
    case .isDirectory:
      (.fileIsDirectory, "this is a folder, where a policy file is expected", "rename or remove it")
    case .isSpecial:
      (.fileIsSpecial, "this is no regular file", "policy files are regular files or links to them")
    case .tooManyFiles(let most): (.tooManyFiles, "there are more than \(most) policy files", "merge some of them")
    case .untrustedOwner(let user):
      (
        .fileUntrustedOwner, "it belongs to user \(user), whose word this daemon doesn't take for policy",
        "let root own it: `chown root` on the file, or on the folder that it lies in"
      )
    case .untrustedMode(let mode):
      (
        .fileUntrustedMode, "others than its owner may write it (mode \(String(mode, radix: 8)))",
        "`chmod go-w` on the file, or on the folder that it lies in"
      )
    }
  }
}
