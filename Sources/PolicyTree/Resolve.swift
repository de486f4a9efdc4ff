// A path, component by component: openat(2) with O_NOFOLLOW, links read here. So each folder on the way is known, and
// none is entered that somebody else could exchange.

internal import Glibc
internal import System

/// An open folder and its absolute path.
struct Folder {
  let descriptor: Descriptor
  let path: String

  func child(_ name: String) -> String { path == "/" ? "/\(name)" : "\(path)/\(name)" }
}

/// What a path leads to; nothing that isn't a regular file or folder is opened.
enum Resolved {
  case file(Folder, name: String, stat)
  case folder(Folder)
  /// A device: /dev/null masks.
  case device(UInt64)
  case special
}

/// One resolution's state: where it went.
struct Resolver {
  let trust: Trust
  /// The policy folder, for failures.
  let root: String
  var directories: Set<String> = []
  private var links = 0

  init(trust: Trust, root: String) {
    self.trust = trust
    self.root = root
  }

  /// Follows `path` from `start`; an absolute one, or without a start, from the root folder.
  mutating func resolve(_ path: String, from start: Folder?) throws(ReadFailure) -> Resolved {
    links = 0
    var here: Folder
    if let start, path.utf8.first != UInt8(ascii: "/") { here = start } else { here = try open("/", nil) }
    var left = pathParts(path).reversed() as [String]
    while let name = left.popLast() {
      if name == "." { continue }
      if name == ".." {
        here = try open("..", here, path: parent(of: here.path))
        continue
      }
      directories.insert(here.path)
      var status = stat()
      guard fstatat(here.descriptor.raw, name, &status, AT_SYMLINK_NOFOLLOW) == 0 else {
        let error = errno
        throw error == ENOENT ? failure(.vanished) : failure(.unreadable(error))
      }
      switch status.st_mode & S_IFMT {
      case S_IFLNK:
        try follow(name, in: &here, &left)
      case S_IFDIR:
        here = try open(name, here)
      case S_IFREG where left.isEmpty:
        return .file(here, name: name, status)
      case S_IFCHR where left.isEmpty:
        return .device(UInt64(status.st_rdev))
      default:
        if left.isEmpty { return .special }
        throw failure(.unreadable(ENOTDIR))
      }
    }
    return .folder(here)
  }

  private mutating func follow(_ name: String, in here: inout Folder, _ left: inout [String]) throws(ReadFailure) {
    links += 1
    guard links <= TreeBounds.links else { throw failure(.loop) }
    var buffer = [UInt8](repeating: 0, count: Int(PATH_MAX))
    let folder = here.descriptor.raw
    let count = buffer.withUnsafeMutableBytes { space in
      space.baseAddress.map { readlinkat(folder, name, $0, space.count) } ?? -1
    }
    guard count > 0 else { throw failure(.vanished) }
    guard count < buffer.count else { throw failure(.unreadable(ENAMETOOLONG)) }
    let target = String(decoding: buffer[..<count], as: UTF8.self)
    left += pathParts(target).reversed()
    if target.utf8.first == UInt8(ascii: "/") { here = try open("/", nil) }
  }

  /// Opens a folder and checks who may change it; `name` is absolute without `parent`.
  private func open(_ name: String, _ parent: Folder?, path: String? = nil) throws(ReadFailure) -> Folder {
    let flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW
    let raw = parent.map { openat($0.descriptor.raw, name, flags) } ?? Glibc.open(name, flags)
    guard raw >= 0 else { throw failure(errno == ELOOP || errno == ENOENT ? .vanished : .unreadable(errno)) }
    let folder = Folder(descriptor: Descriptor(owning: raw), path: path ?? parent.map { $0.child(name) } ?? name)
    var status = stat()
    guard fstat(raw, &status) == 0 else { throw failure(.unreadable(errno)) }
    // In a sticky folder nobody else can exchange what a trusted user made, and what lies in it is checked itself.
    if status.st_mode & S_ISVTX == 0 { try check(raw, status) }
    return folder
  }

  private func parent(of path: String) -> String {
    "/" + pathParts(path).dropLast().joined(separator: "/")
  }

  /// Whether only those who may have written it can have: owner and mode of what was opened.
  func check(_ descriptor: Int32, _ status: stat) throws(ReadFailure) {
    guard case .owners(let owners) = trust else { return }
    guard owners.contains(status.st_uid) else { throw failure(.untrustedOwner(status.st_uid)) }
    guard status.st_mode & (S_IWGRP | S_IWOTH) != 0 else { return }
    var mount = statvfs()
    if fstatvfs(descriptor, &mount) == 0, mount.f_flag & UInt(ST_RDONLY) != 0 { return }
    throw failure(.untrustedMode(status.st_mode & 0o7777))
  }

  func failure(_ kind: ReadFailure.Kind) -> ReadFailure { ReadFailure(kind: kind, folder: root) }
}

/// A path's names, as the kernel takes it apart: by bytes. (For a String a slash and an accent after it are one
/// character, which is no slash.)
func pathParts(_ path: String) -> [String] {
  path.utf8.split(separator: UInt8(ascii: "/")).map { String(Substring($0)) }
}

/// Whether a file name ends so, by bytes.
func nameEnds(_ name: String, with suffix: String) -> Bool { name.utf8.reversed().starts(with: suffix.utf8.reversed()) }
