// Policy folders -> entries, in systemd's order: a file of a higher folder masks the file of the same relative name in a
// lower one; a link to /dev/null masks it too and says nothing itself. Nothing that could block is opened.

internal import Glibc
internal import System

/// Reads `platform.yaml`, `platform.d/*.yaml`, `operators.d/*.yaml` and `operators.d/NAME.d/*.yaml` of `folders`, lowest
/// first. Names that begin with a dot, `*_test.yaml` and everything else are ignored. A folder that doesn't exist is
/// skipped, unless none does. Thread-safe. Source: open(2), openat(2), fstat(2), readdir(3).
public func scan(_ folders: [String], trust: Trust, since: Since = .nothing) -> Snapshot {
  scan(folders, trust: trust, since: since, maximumFiles: TreeBounds.files)
}

/// `willRead` is called between listing a file and opening it; tests let files vanish there.
package func scan(
  _ folders: [String], trust: Trust, since: Since, maximumFiles: Int,
  willRead: @escaping (String) -> Void = { _ in }
) -> Snapshot {
  // A mask is nil. Masks hold by bytes, as names do in the kernel: two spellings of an accent are two files, and one String.
  var found: [(path: String, entry: Entry?)] = []
  var failures: [Entry] = []
  var missing: [Entry] = []
  var directories: Set<String> = []
  var misnamed: Set<String> = []
  for (rank, folder) in folders.enumerated() {
    var reader = Reader(
      folder: folder, rank: rank, trust: trust, maximumFiles: maximumFiles, since: since, willRead: willRead)
    if let failure = reader.read() {
      if reader.isMissing { missing.append(failure) } else { failures.append(failure) }
    }
    if !found.isEmpty, !reader.found.isEmpty {
      let higher = Set(reader.found.map { Array($0.path.utf8) })
      found.removeAll { higher.contains(Array($0.path.utf8)) }
    }
    found += reader.found
    failures += reader.failures
    misnamed.formUnion(reader.misnamed)
    directories.formUnion(reader.resolver.directories)
  }
  if missing.count == folders.count { failures += missing.suffix(1) }
  let entries = (failures + found.compactMap(\.entry)).sorted { $0.precedes($1) }
  let places = Dictionary(entries.enumerated().lazy.map { (Array($1.path.utf8), $0) }) { first, _ in first }
  return Snapshot(entries: entries, directories: directories, misnamed: misnamed.sorted(), places: places)
}

private struct Reader {
  let folder: String
  let rank: Int
  let maximumFiles: Int
  let last: Snapshot?
  let touched: Set<String>?
  let willRead: (String) -> Void
  var resolver: Resolver
  /// A mask is nil.
  var found: [(path: String, entry: Entry?)] = []
  var failures: [Entry] = []
  var misnamed: [String] = []
  var isMissing = false

  init(
    folder: String, rank: Int, trust: Trust, maximumFiles: Int, since: Since,
    willRead: @escaping (String) -> Void
  ) {
    self.folder = folder
    self.rank = rank
    self.maximumFiles = maximumFiles
    last = since.snapshot
    touched = since.touched
    self.willRead = willRead
    resolver = Resolver(trust: trust, root: folder)
  }

  /// nil, or why there is nothing.
  mutating func read() -> Entry? {
    let root: Folder
    do throws(ReadFailure) {
      root = try openRoot()
    } catch {
      isMissing = error.kind == .vanished
      return Entry(path: "", rank: rank, content: .failure(asFolder(error)))
    }
    addFile("platform.yaml", "platform.yaml", in: root, isOptional: true)
    if exists("platform.yml", in: root) { misnamed.append("platform.yml") }
    readFolder("platform.d", in: root, "platform.d")
    readFolder("operators.d", in: root, "operators.d")
    resolver.directories.insert(root.path)
    return nil
  }

  /// The way to the policy folder itself is the administrator's word; only from there on owners are checked.
  private mutating func openRoot() throws(ReadFailure) -> Folder {
    var way = Resolver(trust: .anyone, root: folder)
    defer { resolver.directories.formUnion(way.directories) }
    let path = folder.utf8.first == UInt8(ascii: "/") ? folder : "\(workingFolder())/\(folder)"
    guard case .folder(let root) = try way.resolve(path, from: nil) else {
      throw resolver.failure(.folderUnreadable(ENOTDIR))
    }
    var status = stat()
    guard fstat(root.descriptor.raw, &status) == 0 else { throw resolver.failure(.folderUnreadable(errno)) }
    try resolver.check(root.descriptor.raw, status)
    return root
  }

  private func workingFolder() -> String {
    guard let path = getcwd(nil, 0) else { return "/" }
    defer { free(path) }
    return String(cString: path)
  }

  private func asFolder(_ failure: ReadFailure) -> ReadFailure {
    switch failure.kind {
    case .unreadable(let error): resolver.failure(.folderUnreadable(error))
    case .vanished: resolver.failure(.folderUnreadable(ENOENT))
    case .loop: resolver.failure(.folderUnreadable(ELOOP))
    default: failure
    }
  }

  private mutating func readFolder(_ name: String, in parent: Folder, _ path: String) {
    let folder: Folder
    do throws(ReadFailure) {
      guard exists(name, in: parent) else { return }
      guard case .folder(let opened) = try resolver.resolve(name, from: parent) else {
        throw resolver.failure(.folderUnreadable(ENOTDIR))
      }
      folder = opened
    } catch {
      failures.append(Entry(path: path, rank: rank, content: .failure(asFolder(error))))
      return
    }
    resolver.directories.insert(folder.path)
    guard let names = list(folder.descriptor) else {
      failures.append(Entry(path: path, rank: rank, content: .failure(resolver.failure(.folderUnreadable(errno)))))
      return
    }
    guard found.count + names.count <= maximumFiles else {
      failures.append(
        Entry(path: path, rank: rank, content: .failure(resolver.failure(.tooManyFiles(maximumFiles)))))
      return
    }
    for name in names.sorted() {
      let child = "\(path)/\(name)"
      if nameEnds(name, with: ".yaml"), !nameEnds(name, with: "_test.yaml") {
        addFile(name, child, in: folder, isOptional: false)
      } else if path == "operators.d", nameEnds(name, with: ".d"), name.utf8.count > 2 {
        readFolder(name, in: folder, child)
      } else if nameEnds(name, with: ".yml") {
        misnamed.append(child)
      }
    }
  }

  private func exists(_ name: String, in folder: Folder) -> Bool {
    var status = stat()
    return fstatat(folder.descriptor.raw, name, &status, AT_SYMLINK_NOFOLLOW) == 0 || errno != ENOENT
  }

  /// At most one name more than there may be. nil: errno says why.
  private func list(_ descriptor: Descriptor) -> [String]? {
    let copy = openat(descriptor.raw, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard copy >= 0 else { return nil }
    guard let stream = fdopendir(copy) else {
      close(copy)
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
      if name.utf8.first != UInt8(ascii: ".") { names.append(name) }
      errno = 0
    }
    return errno == 0 ? names : nil
  }

  // MARK: one file

  private mutating func addFile(_ name: String, _ path: String, in folder: Folder, isOptional: Bool) {
    willRead(path)
    if isOptional, !exists(name, in: folder) { return }
    if let entry = unchanged(name, path, in: folder) { return found.append((path, entry)) }
    do throws(ReadFailure) {
      switch try resolver.resolve(name, from: folder) {
      case .file(let parent, let found, let status):
        let isPlain = parent.path == folder.path && found == name
        self.found.append((path, try file(found, path, in: parent, isPlain: isPlain, status)))
      case .device(let number) where number == nullDevice: found.append((path, nil))
      case .device, .special: throw resolver.failure(.isSpecial)
      case .folder: throw resolver.failure(.isDirectory)
      }
    } catch {
      found.append((path, Entry(path: path, rank: rank, content: .failure(error))))
    }
  }

  private var nullDevice: UInt64 {
    var null = stat()
    return stat("/dev/null", &null) == 0 ? UInt64(null.st_rdev) : .max
  }

  private func before(_ path: String) -> Entry? {
    guard let entry = last?.entry(path, rank: rank), entry.digest != nil else { return nil }
    return entry
  }

  /// What was read before, of a file in a listed folder itself: most files of most scans.
  private func unchanged(_ name: String, _ path: String, in folder: Folder) -> Entry? {
    guard let before = before(path), before.isPlain else { return nil }
    if let touched { return touched.contains(folder.child(name)) ? nil : before }
    var status = stat()
    guard fstatat(folder.descriptor.raw, name, &status, AT_SYMLINK_NOFOLLOW) == 0,
      status.st_mode & S_IFMT == S_IFREG, before.stamp == Stamp(status)
    else { return nil }
    return before
  }

  private func file(
    _ name: String, _ path: String, in folder: Folder, isPlain: Bool, _ status: stat
  ) throws(ReadFailure) -> Entry {
    if let before = before(path), before.stamp == Stamp(status), touched?.contains(folder.child(name)) != true {
      return before
    }
    // A file that is written while it is read is read once more.
    for _ in 0..<2 {
      let raw = openat(folder.descriptor.raw, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW)
      guard raw >= 0 else {
        throw resolver.failure(errno == ENOENT || errno == ELOOP ? .vanished : .unreadable(errno))
      }
      let descriptor = Descriptor(owning: raw)
      var before = stat()
      guard fstat(raw, &before) == 0 else { throw resolver.failure(.unreadable(errno)) }
      guard before.st_mode & S_IFMT == S_IFREG else { throw resolver.failure(.isSpecial) }
      try resolver.check(raw, before)
      let bytes = try readBytes(descriptor, size: Int(before.st_size))
      var after = stat()
      guard fstat(raw, &after) == 0 else { throw resolver.failure(.unreadable(errno)) }
      guard Stamp(before) == Stamp(after) else { continue }
      var entry = Entry(path: path, rank: rank, content: .bytes(bytes))
      entry.stamp = Stamp(after)
      entry.isPlain = isPlain
      return entry
    }
    throw resolver.failure(.vanished)
  }

  private func readBytes(_ descriptor: Descriptor, size: Int) throws(ReadFailure) -> [UInt8] {
    guard size <= TreeBounds.fileBytes else { throw resolver.failure(.tooLarge(size)) }
    var bytes: [UInt8] = []
    // One byte more than the size that was seen, so that a single read also sees the end.
    var chunk = max(1, size + 1)
    while bytes.count <= TreeBounds.fileBytes {
      var failed: Int32 = 0
      let part = [UInt8](unsafeUninitializedCapacity: chunk) { buffer, count in
        let result = Glibc.read(descriptor.raw, buffer.baseAddress, buffer.count)
        if result < 0 { failed = errno }
        count = max(0, result)
      }
      if failed == EINTR { continue }
      guard failed == 0 else { throw resolver.failure(.unreadable(failed)) }
      if part.isEmpty { return bytes }
      if bytes.isEmpty { bytes = part } else { bytes += part }
      chunk = 64 << 10
    }
    throw resolver.failure(.tooLarge(bytes.count))
  }
}

extension Stamp {
  init(_ status: stat) {
    self.init(
      device: UInt64(status.st_dev), inode: UInt64(status.st_ino), size: Int64(status.st_size),
      modified: Moment(status.st_mtim), changed: Moment(status.st_ctim))
  }
}

extension Moment {
  init(_ time: timespec) { self.init(seconds: Int64(time.tv_sec), nanoseconds: Int64(time.tv_nsec)) }
}
