// Policy folders -> source files, in systemd's order: a file of a higher folder masks the file of the same relative
// name in a lower one; a link to /dev/null masks it too and says nothing itself (an empty file doesn't: it may be what
// is left of one that was being written). Files are opened relative to their folder's descriptor and without blocking, so that no FIFO, loop or exchanged link can hold it up.
// What can't be read becomes a `SourceFile` with a `failure`, so that its owner is not in force without it.

internal import Glibc

/// Reads policy trees. Not thread-safe only in that the file system isn't; holds no state.
public enum PolicyFolder {
  /// Where the system's policy is, lowest first.
  public static let systemFolders = ["/usr/lib/licet", "/run/licet", "/etc/licet"]

  /// Reads `platform.yaml`, `platform.d/*.yaml`, `operators.d/*.yaml` and `operators.d/NAME.d/*.yaml` of `folders`,
  /// lowest first; a file's `rank` is its folder's index. A higher folder's file replaces the lower one of the same name;
  /// a link to /dev/null replaces it by nothing; an empty file is a file like any other. Names that begin with a dot, `*_test.yaml` and everything
  /// else are ignored. A folder that doesn't exist is skipped, unless none does.
  /// Source: open(2), openat(2), fstat(2), readdir(3).
  public static func read(_ folders: [String]) -> [SourceFile] {
    read(folders, maximumFiles: Bounds.files)
  }

  /// `willRead` is called between listing a file and opening it; tests let files vanish there.
  static func read(
    _ folders: [String], maximumFiles: Int, willRead: @escaping (String) -> Void = { _ in }
  ) -> [SourceFile] {
    // A mask is nil.
    var found: [String: SourceFile?] = [:]
    var failures: [SourceFile] = []
    var missing: [SourceFile] = []
    for (rank, folder) in folders.enumerated() {
      let reader = FolderReader(folder: folder, rank: rank, maximumFiles: maximumFiles, willRead: willRead)
      switch reader.read() {
      case .missing(let failure): missing.append(failure)
      case .files(let files, let failed):
        for (path, file) in files { found[path] = .some(file) }
        failures += failed
      }
    }
    if missing.count == folders.count { failures += missing.suffix(1) }
    let all = failures + found.values.compactMap { $0 }
    return all.sorted { ($0.rank, $0.path) < ($1.rank, $1.path) }
  }
}

private struct FolderReader {
  /// By path; nil: a mask.
  typealias Found = [(path: String, file: SourceFile?)]
  enum Outcome {
    case missing(SourceFile)
    case files(Found, failed: [SourceFile])
  }
  enum Read {
    case file(SourceFile)
    case mask
    case nothing
  }

  let folder: String
  let rank: Int
  let maximumFiles: Int
  let willRead: (String) -> Void

  func read() -> Outcome {
    let root = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NONBLOCK)
    guard root >= 0 else {
      let failure = folderFailure("", errno)
      return errno == ENOENT ? .missing(failure) : .files([], failed: [failure])
    }
    defer { close(root) }
    var files: Found = []
    var failed: [SourceFile] = []
    add(readFile(root, "platform.yaml", isOptional: true), "platform.yaml", to: &files)
    readFolder(root, "platform.d", &files, &failed)
    readFolder(root, "operators.d", &files, &failed)
    return .files(files, failed: failed)
  }

  /// `path` is relative to the root; drop-in folders are looked for in `operators.d` alone.
  private func readFolder(_ root: Int32, _ path: String, _ files: inout Found, _ failed: inout [SourceFile]) {
    let descriptor = openat(root, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else {
      if errno != ENOENT { failed.append(folderFailure(path, errno)) }
      return
    }
    guard let names = list(descriptor) else {
      failed.append(folderFailure(path, errno))
      return
    }
    guard files.count + names.count <= maximumFiles else {
      failed.append(
        failure(path, .tooManyFiles, "there are more than \(maximumFiles) policy files", "merge some of them"))
      return
    }
    for name in names.sorted() {
      let child = "\(path)/\(name)"
      if name.hasSuffix(".yaml"), !name.hasSuffix("_test.yaml") {
        add(readFile(root, child, isOptional: false), child, to: &files)
      } else if path == "operators.d", name.hasSuffix(".d"), name.utf8.count > 2 {
        readFolder(root, child, &files, &failed)
      }
    }
  }

  private func add(_ read: Read, _ path: String, to files: inout Found) {
    switch read {
    case .file(let file): files.append((path, file))
    case .mask: files.append((path, nil))
    case .nothing: break
    }
  }

  /// At most one name more than there may be. Takes the descriptor over. nil: errno says why.
  private func list(_ descriptor: Int32) -> [String]? {
    guard let stream = fdopendir(descriptor) else {
      close(descriptor)
      return nil
    }
    defer { closedir(stream) }
    var names: [String] = []
    errno = 0
    while names.count <= maximumFiles, let entry = readdir(stream) {
      // SAFETY: `d_name` ends with a zero byte within the record that readdir gave.
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if !name.hasPrefix(".") { names.append(name) }
      errno = 0
    }
    return errno == 0 ? names : nil
  }

  private func readFile(_ root: Int32, _ path: String, isOptional: Bool) -> Read {
    willRead(path)
    let descriptor = openat(root, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
    guard descriptor >= 0 else {
      let error = errno
      if error == ENOENT, isOptional, !isLink(root, path) { return .nothing }
      return .file(openFailure(path, error))
    }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { return .file(openFailure(path, errno)) }
    switch status.st_mode & S_IFMT {
    case S_IFREG: return .file(readBytes(descriptor, path, size: Int(status.st_size)))
    case S_IFDIR:
      return .file(
        failure(path, .fileIsDirectory, "this is a folder, where a policy file is expected", "rename or remove it"))
    case S_IFCHR where isNull(status): return .mask
    default:
      return .file(
        failure(path, .fileIsSpecial, "this is no regular file", "policy files are regular files or links to them"))
    }
  }

  private func isNull(_ status: stat) -> Bool {
    var null = stat()
    return stat("/dev/null", &null) == 0 && null.st_rdev == status.st_rdev
  }

  private func isLink(_ root: Int32, _ path: String) -> Bool {
    var status = stat()
    return fstatat(root, path, &status, AT_SYMLINK_NOFOLLOW) == 0 && status.st_mode & S_IFMT == S_IFLNK
  }

  private func readBytes(_ descriptor: Int32, _ path: String, size: Int) -> SourceFile {
    guard size <= Bounds.fileBytes else { return tooLarge(path, size) }
    var bytes: [UInt8] = []
    var failed: Int32 = 0
    // One byte more than the size that was seen: a file that grows meanwhile is read on, up to the bound.
    var chunk = max(1, size + 1)
    while bytes.count <= Bounds.fileBytes {
      let part = [UInt8](unsafeUninitializedCapacity: chunk) { buffer, count in
        let result = Glibc.read(descriptor, buffer.baseAddress, buffer.count)
        if result < 0 { failed = errno }
        count = max(0, result)
      }
      if failed == EINTR {
        failed = 0
        continue
      }
      if failed != 0 || part.isEmpty { break }
      if bytes.isEmpty { bytes = part } else { bytes += part }
      chunk = 64 << 10
    }
    if failed != 0 { return openFailure(path, failed) }
    if bytes.count > Bounds.fileBytes { return tooLarge(path, bytes.count) }
    return SourceFile(path: path, bytes: bytes, rank: rank)
  }

  // MARK: failures

  private func tooLarge(_ path: String, _ size: Int) -> SourceFile {
    failure(
      path, .fileTooLarge, "the file has \(size) bytes",
      "policy files have at most \(Bounds.fileBytes) bytes; split it into drop-ins")
  }

  private func openFailure(_ path: String, _ error: Int32) -> SourceFile {
    switch error {
    case ELOOP:
      failure(path, .fileIsLoop, "this link leads to itself", "let it lead to a file")
    case ENOENT:
      failure(
        path, .fileVanished, "the file was listed, but is not there", "a link may lead nowhere; or load once more")
    default:
      failure(path, .fileUnreadable, "the file can't be read: \(String(cString: strerror(error)))", "check its owner and mode")
    }
  }

  private func folderFailure(_ path: String, _ error: Int32) -> SourceFile {
    let name = path.isEmpty ? folder : path
    return failure(
      path, .folderUnreadable, "the folder `\(name)` can't be read: \(String(cString: strerror(error)))",
      "a policy folder holds platform.yaml, platform.d/ and operators.d/")
  }

  private func failure(_ path: String, _ code: DiagnosticCode, _ message: String, _ hint: String) -> SourceFile {
    let location = Location(file: path.isEmpty ? folder : path, line: 1, column: 1)
    return SourceFile(
      path: path, bytes: [], rank: rank,
      failure: Diagnostic(code: code, severity: .error, location: location, length: 1, message: message, hint: hint))
  }
}
