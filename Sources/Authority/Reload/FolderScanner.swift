// Policy folders -> policy files, on a worker: what was read before and has not changed is neither read nor digested again.

internal import CompilerProtocol
internal import PolicyTree
internal import System

/// How much of the policy folders is looked at.
enum ScanExtent: Hashable, Sendable {
  /// What was touched, as absolute paths.
  case touched(Set<String>)
  /// Every file's stamp.
  case stamps
  /// Every file's bytes: nothing is taken for unchanged because it looks so.
  case bytes

  /// Both.
  func union(_ other: ScanExtent) -> ScanExtent {
    switch (self, other) {
    case (.bytes, _), (_, .bytes): .bytes
    case (.stamps, _), (_, .stamps): .stamps
    case (.touched(let a), .touched(let b)): .touched(a.union(b))
    }
  }

  fileprivate func since(_ last: Snapshot?) -> Since {
    guard let last else { return .nothing }
    return switch self {
    case .touched(let paths): .touched(last, paths)
    case .stamps: .snapshot(last)
    case .bytes: .nothing
    }
  }
}

/// Loop-owned.
final class FolderScanner {
  private let worker: Worker
  private let folders: [String]
  private let trust: Trust
  private var last: Scanned?

  init(_ configuration: Authority.Configuration, loop: EventLoop) throws(SystemError) {
    worker = try Worker(name: "licet-scan", loop: loop)
    (folders, trust) = (configuration.folders, configuration.trust)
  }

  func scan(_ extent: ScanExtent, then: @escaping (Scanned) -> Void) {
    let (folders, trust, last) = (self.folders, self.trust, self.last)
    worker.run({
      let snapshot = PolicyTree.scan(folders, trust: trust, since: extent.since(last?.snapshot))
      return Scanned(snapshot: snapshot, files: FolderScanner.files(snapshot, last))
    }) { [self] scanned in
      self.last = scanned
      then(scanned)
    }
  }

  func finish() { worker.finish() }

  /// What is the same as before is not sorted, joined and digested again.
  private static func files(_ snapshot: Snapshot, _ last: Scanned?) -> PolicyFiles {
    last?.files.replacing(changes(last?.snapshot.entries ?? [], snapshot.entries))
      ?? PolicyFiles(snapshot.entries.map(PolicySource.init))
  }

  /// Both are sorted.
  private static func changes(_ old: [Entry], _ new: [Entry]) -> [PolicyFiles.Change] {
    var changes: [PolicyFiles.Change] = []
    var (a, b) = (0, 0)
    while a < old.count || b < new.count {
      let (was, now) = (a < old.count ? old[a] : nil, b < new.count ? new[b] : nil)
      if let was, let now, was.isOfSamePlace(as: now) {
        if !was.isSame(as: now) { changes.append((PolicySource(was), PolicySource(now))) }
        (a, b) = (a + 1, b + 1)
      } else if let was, now.map(was.precedes) ?? true {
        changes.append((PolicySource(was), nil))
        a += 1
      } else if let now {
        changes.append((nil, PolicySource(now)))
        b += 1
      }
    }
    return changes
  }

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
