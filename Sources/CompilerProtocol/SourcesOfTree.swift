// What a scan of the policy folders found, as sources of a compile.

public import PolicyTree

extension SourceEntry {
  /// What `entry` is, without what only licetd needs of it (stamp and digest).
  public init(_ entry: Entry) {
    let content: SourceEntry.Content
    switch entry.content {
    case .bytes(let bytes): content = .bytes(bytes)
    case .failure(let failure): content = .failure(Failure(failure))
    }
    self.init(path: entry.path, rank: entry.rank, content: content)
  }
}

extension SourceEntry.Failure {
  /// The wire's form of a failure.
  public init(_ failure: ReadFailure) {
    let (kind, number): (Kind, UInt64) =
      switch failure.kind {
      case .unreadable(let error): (.unreadable, UInt64(UInt32(bitPattern: error)))
      case .folderUnreadable(let error): (.folderUnreadable, UInt64(UInt32(bitPattern: error)))
      case .loop: (.loop, 0)
      case .vanished: (.vanished, 0)
      case .tooLarge(let size): (.tooLarge, UInt64(clamping: size))
      case .isDirectory: (.isDirectory, 0)
      case .isSpecial: (.isSpecial, 0)
      case .tooManyFiles(let most): (.tooManyFiles, UInt64(clamping: most))
      case .untrustedOwner(let user): (.untrustedOwner, UInt64(user))
      case .untrustedMode(let mode): (.untrustedMode, UInt64(mode))
      }
    self.init(kind, number: number, folder: failure.folder)
  }
}
