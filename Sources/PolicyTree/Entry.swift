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
  /// A regular file in the folder that was listed: no link led to it.
  var isPlain = false

  public init(path: String, rank: Int, content: Content) {
    self.path = path
    self.rank = rank
    self.content = content
    if case .bytes(let bytes) = content { digest = sha256(bytes) }
  }

  /// Whether both are of one path of one policy folder. By bytes: two spellings of an accent are two files.
  public func isOfSamePlace(as other: Entry) -> Bool { rank == other.rank && path.utf8.elementsEqual(other.path.utf8) }

  /// The order of a snapshot's entries: by rank and path, of what is one text to a reader by its bytes.
  public func precedes(_ other: Entry) -> Bool {
    if rank != other.rank { return rank < other.rank }
    return path == other.path ? path.utf8.lexicographicallyPrecedes(other.path.utf8) : path < other.path
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
  /// Places in `entries`, by path as the kernel has it. A failure's may be any of those that a path has.
  var places: [[UInt8]: Int] = [:]

  func entry(_ path: String, rank: Int) -> Entry? {
    guard let place = places[Array(path.utf8)], entries.indices.contains(place), entries[place].rank == rank else {
      return nil
    }
    return entries[place]
  }
}

/// What is known of the time since an earlier scan.
public enum Since: Sendable {
  /// Nothing: every file is read.
  case nothing
  /// What it saw; a file whose stamp (device, inode, size, times) is the same is not read again.
  case snapshot(Snapshot)
  /// What it saw, and everything that was touched since in its `directories`, as absolute paths: that is read again,
  /// whatever its stamp says, and of the rest nothing that lies in a listed folder itself is even looked at.
  case touched(Snapshot, Set<String>)

  var snapshot: Snapshot? {
    switch self {
    case .nothing: nil
    case .snapshot(let snapshot), .touched(let snapshot, _): snapshot
    }
  }
  var touched: Set<String>? { if case .touched(_, let paths) = self { paths } else { nil } }
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
