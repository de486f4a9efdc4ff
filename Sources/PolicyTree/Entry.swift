/// PolicyTree: policy folders, read as files of people who may write them. It knows nothing of what is in them. Folders
/// are opened relative to each other, links are resolved here and not by the kernel, so that every folder on their way
/// is known (to be watched) and checked. May import System; no Foundation.
///
/// This file: what a scan yields.

public import System

/// One policy file, or why it could not be read. Masked ones are absent.
public struct Entry: Hashable, Sendable {
  /// Relative to the policy folder ("operators.d/nightowl.yaml"); a folder's for a folder's failure,
  /// empty for the policy folder itself.
  public var path: String
  /// Which of the policy folders it is from, lowest first.
  public var rank: Int
  public var content: Content
  /// nil: it could not be read.
  public var digest: Digest?
  var stamp: Stamp?

  public init(path: String, rank: Int, content: Content) {
    self.path = path
    self.rank = rank
    self.content = content
    if case .bytes(let bytes) = content { digest = sha256(bytes) }
  }

  /// Whether two scans saw the same, whatever the file's times.
  public func isSame(as other: Entry) -> Bool {
    guard path == other.path, rank == other.rank, digest == other.digest else { return false }
    if case .failure(let a) = content, case .failure(let b) = other.content { return a == b }
    return digest != nil
  }
}

public enum Content: Hashable, Sendable {
  case bytes([UInt8])
  case failure(ReadFailure)
}

/// Why a file or folder can't be read. Whoever it belongs to is not in force with it.
public struct ReadFailure: Error, Hashable, Sendable {
  public enum Kind: Hashable, Sendable {
    /// An errno.
    case unreadable(Int32), folderUnreadable(Int32)
    /// More than 40 links, as in the kernel.
    case loop
    /// It was listed, or linked to, and is not there; or it changes all the time.
    case vanished
    /// Its size in bytes.
    case tooLarge(Int)
    case isDirectory, isSpecial
    /// How many may be.
    case tooManyFiles(Int)
    /// Neither root's nor the daemon's own: the owner's user id.
    case untrustedOwner(UInt32)
    /// Others may write it: the mode.
    case untrustedMode(UInt32)
  }
  public var kind: Kind
  /// The policy folder.
  public var folder: String

  public init(kind: Kind, folder: String) {
    self.kind = kind
    self.folder = folder
  }
}

/// Who may have written policy.
public enum Trust: Hashable, Sendable {
  /// Whoever; for a user who checks files of their own.
  case anyone
  /// Files and folders belong to one of these users, and no group and no other may write them; a mount that everybody
  /// could write is fine while it is read only (DESIGN §4).
  case owners(Set<UInt32>)
}

/// Bounds of what is read.
public enum TreeBounds {
  /// Bytes of one file.
  public static let fileBytes = 8 << 20
  /// Files in all of one policy folder.
  public static let files = 100_000
  /// Links on one file's way, as in the kernel.
  public static let links = 40
}

/// What a scan saw.
public struct Snapshot: Sendable {
  /// Sorted by rank and path.
  public var entries: [Entry]
  /// Every folder that the scan went through and that, changed, would change what it saw: absolute paths.
  public var directories: Set<String>
  /// Files called `*.yml` where `*.yaml` is read: not read, and hardly meant so. Paths as entries have them, sorted.
  public var misnamed: [String] = []
}

/// When a file is taken to be as it was: fstat(2).
struct Stamp: Hashable, Sendable {
  var device: UInt64
  var inode: UInt64
  var size: Int64
  var modified: Moment
  var changed: Moment
}

struct Moment: Hashable, Sendable {
  var seconds: Int64
  var nanoseconds: Int64
}
