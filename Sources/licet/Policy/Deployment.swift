// A folder's policy files -> a policy folder that the daemon reads: file by file, each whole, and back again.

import Foundation

/// The files of a policy folder by relative path; a mask is a link to /dev/null.
struct PolicyFiles: Equatable {
  enum File: Equatable {
    case bytes([UInt8])
    case mask
  }

  var files: [String: File] = [:]

  init() {}

  /// `platform.yaml`, `platform.d/`, `operators.d/` and `operators.d/NAME.d/`; scenarios and hidden files are none.
  init(folder: String) throws(CommandError) {
    try take(folder, "platform.yaml")
    for part in ["platform.d", "operators.d"] {
      for name in Self.names(folder + "/" + part) {
        let path = part + "/" + name
        if Self.isPolicy(name) {
          try take(folder, path)
        } else if part == "operators.d", name.hasSuffix(".d"), Files.isDirectory(folder + "/" + path) {
          for inner in Self.names(folder + "/" + path) where Self.isPolicy(inner) {
            try take(folder, path + "/" + inner)
          }
        }
      }
    }
  }

  private mutating func take(_ folder: String, _ path: String) throws(CommandError) {
    let whole = folder + "/" + path
    if (try? FileManager.default.destinationOfSymbolicLink(atPath: whole)) == "/dev/null" {
      files[path] = .mask
    } else if access(whole, F_OK) == 0 {
      files[path] = .bytes(try Files.read(whole))
    }
  }

  private static func names(_ folder: String) -> [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()
  }

  private static func isPolicy(_ name: String) -> Bool {
    name.hasSuffix(".yaml") && !name.hasSuffix("_test.yaml") && !name.hasPrefix(".")
  }

  /// The operator of a file; "": the platform.
  static func owner(of path: String) -> String {
    guard path.hasPrefix("operators.d/") else { return "" }
    let name = path.dropFirst("operators.d/".count).prefix { $0 != "/" }
    return String(name.hasSuffix(".yaml") ? name.dropLast(5) : name.hasSuffix(".d") ? name.dropLast(2) : name)
  }
}

/// What is to change in a policy folder, and what was there.
struct Deployment {
  enum Step: Equatable {
    case write(String, PolicyFiles.File)
    case remove(String)

    var path: String {
      switch self {
      case .write(let path, _), .remove(let path): path
      }
    }
  }

  let folder: String
  let before: PolicyFiles
  let steps: [Step]

  init(_ new: PolicyFiles, over old: PolicyFiles, in folder: String, pruning: Bool) {
    self.folder = folder
    before = old
    let written = new.files.sorted { $0.key < $1.key }.filter { old.files[$0.key] != $0.value }
    let removed = pruning ? old.files.keys.sorted().filter { new.files[$0] == nil } : []
    steps = written.map { .write($0.key, $0.value) } + removed.map { .remove($0) }
  }

  /// The folder's files once it is done.
  var after: PolicyFiles {
    var files = before
    for step in steps {
      switch step {
      case .write(let path, let file): files.files[path] = file
      case .remove(let path): files.files[path] = nil
      }
    }
    return files
  }

  /// Whose files change; "": the platform's.
  var owners: Set<String> { Set(steps.map { PolicyFiles.owner(of: $0.path) }) }

  /// Does it; what was done before an error is undone.
  func run() throws(CommandError) {
    for (index, step) in steps.enumerated() {
      do throws(CommandError) {
        try perform(step)
      } catch {
        try? undo(steps[..<index])
        throw error
      }
    }
  }

  /// Puts back what was there.
  func undo() throws(CommandError) { try undo(steps[...]) }

  private func undo(_ done: ArraySlice<Step>) throws(CommandError) {
    for step in done.reversed() {
      try perform(before.files[step.path].map { .write(step.path, $0) } ?? .remove(step.path))
    }
  }

  private func perform(_ step: Step) throws(CommandError) {
    let path = folder + "/" + step.path
    switch step {
    case .remove:
      guard unlink(path) == 0 || errno == ENOENT else { throw Files.failure(path, .cantWrite) }
    case .write(_, let file):
      try makeFolder(of: path)
      try Files.replace(path, by: file)
    }
  }

  private func makeFolder(of path: String) throws(CommandError) {
    let parent = (path as NSString).deletingLastPathComponent
    guard !Files.isDirectory(parent) else { return }
    do {
      try FileManager.default.createDirectory(atPath: parent, withIntermediateDirectories: true)
    } catch {
      throw CommandError(.cantWrite, "the folder can't be made: \(error.localizedDescription)", at: parent)
    }
  }
}

extension Files {
  /// Puts a file (or a mask) at `path` in one step and on the disk; it gets the folder's group, and is no more readable
  /// than the folder is.
  static func replace(_ path: String, by file: PolicyFiles.File) throws(CommandError) {
    let parent = (path as NSString).deletingLastPathComponent
    let temporary = parent + "/.licet-\(getpid())-" + (path as NSString).lastPathComponent
    unlink(temporary)
    switch file {
    case .mask:
      guard symlink("/dev/null", temporary) == 0 else { throw failure(temporary, .cantWrite) }
    case .bytes(let bytes):
      var info = stat()
      guard stat(parent, &info) == 0 else { throw failure(parent, .cantWrite) }
      try writeNew(temporary, bytes, mode: info.st_mode & 0o004 != 0 ? 0o644 : 0o640, group: info.st_gid)
    }
    guard rename(temporary, path) == 0 else {
      let reason = errno
      unlink(temporary)
      errno = reason
      throw failure(path, .cantWrite)
    }
    let folder = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard folder >= 0 else { return }
    fsync(folder)
    close(folder)
  }

  private static func writeNew(_ path: String, _ content: [UInt8], mode: mode_t, group: gid_t) throws(CommandError) {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode)
    guard descriptor >= 0 else { throw failure(path, .cantWrite) }
    // Best effort: only root may give files to any group.
    _ = fchown(descriptor, uid_t.max, group)
    guard fchmod(descriptor, mode) == 0, writeAll(descriptor, content), fsync(descriptor) == 0 else {
      let reason = errno
      close(descriptor)
      unlink(path)
      errno = reason
      throw failure(path, .cantWrite)
    }
    close(descriptor)
  }

  private static func writeAll(_ descriptor: Int32, _ content: [UInt8]) -> Bool {
    var rest = content[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Foundation.write(descriptor, $0.baseAddress, $0.count) }
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { return false }
      rest = rest.dropFirst(count)
    }
    return true
  }
}
