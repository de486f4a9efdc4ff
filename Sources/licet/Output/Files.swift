// Reading and writing whole files, with errors that say which one and why.

import Foundation

enum Files {
  /// No request, scenario or document is anywhere near as long.
  static let maximumSize = 64 << 20

  /// The bytes of `path`; `-` is standard input.
  static func read(_ path: String) throws(CommandError) -> [UInt8] {
    let descriptor = path == "-" ? 0 : open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw failure(path) }
    defer { if descriptor != 0 { close(descriptor) } }
    var info = stat()
    guard fstat(descriptor, &info) == 0 else { throw failure(path) }
    guard info.st_mode & S_IFMT != S_IFDIR else {
      throw CommandError(.noInput, "is a directory, not a file", at: path)
    }
    var content: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = Foundation.read(descriptor, &chunk, chunk.count)
      if count < 0 && errno == EINTR { continue }
      guard count >= 0 else { throw failure(path) }
      if count == 0 { return content }
      content += chunk[..<count]
      guard content.count <= maximumSize else {
        throw CommandError(.noInput, "is longer than \(maximumSize >> 20) MiB", at: path)
      }
    }
  }

  /// Text, which must be UTF-8.
  static func text(_ path: String) throws(CommandError) -> String {
    guard let text = String(validating: try read(path), as: UTF8.self) else {
      throw CommandError(.badDocument, "is not UTF-8", at: path)
    }
    return text
  }

  /// Puts `content` at `path` in one step: a reader sees the old file or the new one, never half of one.
  static func write(_ content: [UInt8], to path: String) throws(CommandError) {
    let temporary = path + ".new-\(getpid())"
    let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw failure(path, .cantWrite) }
    var rest = content[...]
    var isWhole = true
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Foundation.write(descriptor, $0.baseAddress, $0.count) }
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else {
        isWhole = false
        break
      }
      rest = rest.dropFirst(count)
    }
    let saved = errno
    guard close(descriptor) == 0, isWhole, rename(temporary, path) == 0 else {
      let reason = isWhole ? errno : saved
      unlink(temporary)
      errno = reason
      throw failure(path, .cantWrite)
    }
  }

  static func isDirectory(_ path: String) -> Bool {
    var info = stat()
    return stat(path, &info) == 0 && info.st_mode & S_IFMT == S_IFDIR
  }

  static func failure(_ path: String, _ code: CommandError.Code = .noInput) -> CommandError {
    CommandError(code, String(cString: strerror(errno)).lowercased(), at: path)
  }
}
