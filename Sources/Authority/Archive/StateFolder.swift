// Files of the state folder: read with a bound, written so that a crash leaves the old content or the new one.

internal import Glibc
internal import System

/// The state folder can't be written or read.
public struct StateError: Error, Hashable, Sendable {
  /// errno.
  public let code: Int32
  /// What was to be done.
  public let doing: String
  /// In words.
  public var text: String { "\(doing): \(String(cString: strerror(code)))" }
}

/// Paths are relative to the folder. Holds no descriptor, so that a folder that was removed and made anew is found
/// again. Source: open(2), fsync(2), rename(2), unlink(2), mkdir(2), readdir(3).
struct StateFolder: Sendable {
  let root: String

  /// nil: there is no such file. Throws for anything else that can't be read, and for more than `maximum` bytes.
  func read(_ path: String, maximum: Int) throws(StateError) -> [UInt8]? {
    let descriptor = open(full(path), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
    guard descriptor >= 0 else {
      if errno == ENOENT { return nil }
      throw failure("reading", path)
    }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw failure("reading", path) }
    guard status.st_mode & S_IFMT == S_IFREG, status.st_size <= maximum else {
      throw StateError(code: EINVAL, doing: "reading \(full(path))")
    }
    var bytes: [UInt8] = []
    while bytes.count <= maximum {
      var count = 0
      let part = [UInt8](unsafeUninitializedCapacity: 64 << 10) { buffer, filled in
        count = Glibc.read(descriptor, buffer.baseAddress, buffer.count)
        filled = max(0, count)
      }
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw failure("reading", path) }
      if count == 0 { return bytes }
      bytes += part
    }
    throw StateError(code: EFBIG, doing: "reading \(full(path))")
  }

  /// Files from which on one syncfs(2) is cheaper than an fsync(2) each.
  static let many = 32

  /// On disk when it returns: written beside, synced, renamed, and the folder synced.
  func write(_ path: String, _ bytes: [UInt8]) throws(StateError) { try write(all: [(path, bytes)]) }

  /// On disk when it returns, each whole: all are written beside and synced before the first is renamed, and their
  /// folders are synced last. When it throws, some may be there; none is half.
  func write(all files: [(path: String, bytes: [UInt8])]) throws(StateError) {
    var isDone = false
    defer { if !isDone { for file in files { unlink(full(temporary(file.path))) } } }
    let isMany = files.count >= StateFolder.many
    for file in files { try writeBeside(file.path, file.bytes, isSynced: !isMany) }
    if isMany { try synchronize("", wholeFileSystem: true) }
    for file in files {
      guard rename(full(temporary(file.path)), full(file.path)) == 0 else { throw failure("writing", file.path) }
    }
    isDone = true
    for folder in Set(files.map { parent($0.path) }) { try synchronize(folder) }
  }

  private func writeBeside(_ path: String, _ bytes: [UInt8], isSynced: Bool) throws(StateError) {
    let flags = O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW
    let descriptor = open(full(temporary(path)), flags, 0o600)
    guard descriptor >= 0 else { throw failure("writing", path) }
    defer { close(descriptor) }
    var offset = 0
    while offset < bytes.count {
      let count = bytes.withUnsafeBytes { buffer in
        Glibc.write(descriptor, buffer.baseAddress?.advanced(by: offset), buffer.count - offset)
      }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw failure("writing", path) }
      offset += count
    }
    guard !isSynced || fsync(descriptor) == 0 else { throw failure("writing", path) }
  }

  private func temporary(_ path: String) -> String { "\(path).new" }

  /// On disk when it returns; nothing to remove is no error.
  func remove(_ path: String) throws(StateError) { try remove(all: [path]) }

  /// As `remove`, of several.
  func remove(all paths: [String]) throws(StateError) {
    for path in paths where unlink(full(path)) != 0 && errno != ENOENT { throw failure("removing", path) }
    for folder in Set(paths.map(parent)) { try synchronize(folder) }
  }

  /// Makes a folder, 0700, with those above it.
  func makeFolder(_ path: String) throws(StateError) {
    var made = ""
    for part in full(path).split(separator: "/", omittingEmptySubsequences: true) {
      made += "/\(part)"
      if mkdir(made, 0o700) != 0, errno != EEXIST, access(made, F_OK) != 0 { throw failure("making", path) }
    }
  }

  /// Names in a folder, at most `maximum`, without hidden and unfinished ones; none when there is no such folder.
  func list(_ path: String, maximum: Int) throws(StateError) -> [String] {
    guard let stream = opendir(full(path)) else {
      if errno == ENOENT { return [] }
      throw failure("listing", path)
    }
    defer { closedir(stream) }
    var names: [String] = []
    while names.count < maximum, let entry = readdir(stream) {
      // SAFETY: `d_name` ends with a zero byte within the record that readdir gave.
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if !name.hasPrefix("."), !name.hasSuffix(".new") { names.append(name) }
    }
    return names
  }

  /// Whether there is anything at `path`; what can't be looked at counts as there.
  func exists(_ path: String) -> Bool { access(full(path), F_OK) == 0 || errno != ENOENT }

  private func full(_ path: String) -> String { path.isEmpty ? root : "\(root)/\(path)" }

  private func parent(_ path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "" }
    return String(path[..<slash])
  }

  private func synchronize(_ folder: String, wholeFileSystem: Bool = false) throws(StateError) {
    let descriptor = open(full(folder), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw failure("syncing", folder) }
    defer { close(descriptor) }
    if wholeFileSystem {
      do throws(SystemError) { try FileSystem.synchronize(of: descriptor) } catch {
        throw StateError(code: error.code, doing: "syncing \(full(folder))")
      }
    } else {
      guard fsync(descriptor) == 0 else { throw failure("syncing", folder) }
    }
  }

  private func failure(_ verb: String, _ path: String) -> StateError {
    StateError(code: errno, doing: "\(verb) \(full(path))")
  }
}

/// Seconds and microseconds since 1970. Source: clock_gettime(2).
func wallClock() -> (seconds: Int64, microseconds: UInt64) {
  var time = timespec()
  clock_gettime(CLOCK_REALTIME, &time)
  let seconds = Int64(time.tv_sec)
  return (seconds, UInt64(clamping: seconds) &* 1_000_000 &+ UInt64(clamping: time.tv_nsec / 1000))
}
