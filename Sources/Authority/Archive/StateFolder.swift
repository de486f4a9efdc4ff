// Files of the state folder: read with a bound, written so that a crash leaves the old content or the new one.

internal import Glibc

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

  /// On disk when it returns: written beside, synced, renamed, and the folder synced.
  func write(_ path: String, _ bytes: [UInt8]) throws(StateError) {
    let temporary = "\(path).new"
    let descriptor = open(full(temporary), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard descriptor >= 0 else { throw failure("writing", path) }
    do {
      defer { close(descriptor) }
      var offset = 0
      while offset < bytes.count {
        let count = bytes.withUnsafeBytes { buffer in
          Glibc.write(descriptor, buffer.baseAddress?.advanced(by: offset), buffer.count - offset)
        }
        if count < 0, errno == EINTR { continue }
        guard count > 0 else { throw failure("writing", path, removing: temporary) }
        offset += count
      }
      guard fsync(descriptor) == 0 else { throw failure("writing", path, removing: temporary) }
    }
    guard rename(full(temporary), full(path)) == 0 else { throw failure("writing", path, removing: temporary) }
    try synchronize(parent(path))
  }

  /// On disk when it returns; nothing to remove is no error.
  func remove(_ path: String) throws(StateError) {
    guard unlink(full(path)) == 0 else {
      if errno == ENOENT { return }
      throw failure("removing", path)
    }
    try synchronize(parent(path))
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

  private func synchronize(_ folder: String) throws(StateError) {
    let descriptor = open(full(folder), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw failure("syncing", folder) }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 else { throw failure("syncing", folder) }
  }

  private func failure(_ verb: String, _ path: String, removing temporary: String? = nil) -> StateError {
    let error = StateError(code: errno, doing: "\(verb) \(full(path))")
    if let temporary { unlink(full(temporary)) }
    return error
  }
}

/// Seconds and microseconds since 1970. Source: clock_gettime(2).
func wallClock() -> (seconds: Int64, microseconds: UInt64) {
  var time = timespec()
  clock_gettime(CLOCK_REALTIME, &time)
  let seconds = Int64(time.tv_sec)
  return (seconds, UInt64(clamping: seconds) &* 1_000_000 &+ UInt64(clamping: time.tv_nsec / 1000))
}
