// The files that records are kept in until something takes them up: `records/NUMBER`, appended to, each beginning with all
// that came before in numbers. A file that ends in the middle of a batch, because its writer was killed, is read up to there.

internal import Attach
internal import Glibc
internal import PolicyImage
internal import System

/// What the files came to.
struct OpenedRecords: Sendable {
  var totals = Totals()
  var progress: [UInt64: RingProgress] = [:]
  /// The newest file was not whole, and nobody can have been told that the rest of it is kept.
  var isTorn = false
  var unwritable: StateError?
}

/// Used on one thread, the worker's. Source: open(2), write(2), fdatasync(2).
final class RecordFiles: @unchecked Sendable {
  static let folder = "records"
  /// "LICETREC", little-endian, and the version of what follows.
  static let magic: UInt64 = 0x4345_5254_4543_494C
  static let version: UInt32 = 1
  /// A file is closed when it is larger, and the oldest go when there are more.
  static let fileBytes = 16 << 20
  static let files = 16
  /// A batch that is larger is damage.
  static let batchBytes = 64 << 20

  private let state: StateFolder
  private var descriptor: Int32 = -1
  private var number: UInt64 = 0
  private var written = 0
  private var syncedAt: UInt64 = 0

  init(_ state: StateFolder) { self.state = state }

  deinit { if descriptor >= 0 { close(descriptor) } }

  /// Reads the newest file that makes sense.
  func open() -> OpenedRecords {
    var opened = OpenedRecords()
    do throws(StateError) {
      let all = try numbers()
      number = all.last ?? 0
      for one in all.reversed() {
        guard let bytes = try state.read(path(one), maximum: RecordFiles.fileBytes + RecordFiles.batchBytes * 2)
        else { continue }
        if read(bytes, &opened) { return opened }
        opened = OpenedRecords()
        opened.isTorn = true
      }
    } catch {
      opened.unwritable = error
    }
    return opened
  }

  /// false: not even its beginning makes sense.
  private func read(_ bytes: [UInt8], _ opened: inout OpenedRecords) -> Bool {
    bytes.withUnsafeBytes { all in
      var reader = WireReader(all)
      guard reader.take(UInt64.self) == RecordFiles.magic, reader.take(UInt32.self) == RecordFiles.version,
        let first = RecordFiles.next(&reader, all)
      else { return false }
      opened.totals = first.totals
      opened.progress = first.rings
      while reader.left > 0 {
        guard let batch = RecordFiles.next(&reader, all) else {
          opened.isTorn = true
          break
        }
        apply(batch, &opened)
      }
      return true
    }
  }

  private static func next(_ reader: inout WireReader, _ all: UnsafeRawBufferPointer) -> RecordBatch? {
    let length = Int(reader.take(UInt32.self))
    let check: UInt64 = reader.take()
    guard length > 0, length <= batchBytes, length <= reader.left, let base = all.baseAddress else { return nil }
    let start = reader.offset
    guard hash64(base + start, length) == check else { return nil }
    var body = WireReader(UnsafeRawBufferPointer(start: base + start, count: length))
    guard let batch = RecordBatch.read(&body) else { return nil }
    reader = WireReader(UnsafeRawBufferPointer(rebasing: all[...]))
    reader.skip(start + length)
    return batch
  }

  /// Appends a batch. `before`: everything up to it, which a new file begins with. When it throws, nothing of the batch counts.
  func append(_ batch: [UInt8], before: [UInt8]) throws(StateError) {
    if descriptor < 0 || written > RecordFiles.fileBytes { try begin(before) }
    do throws(StateError) {
      try put(RecordFiles.framed(batch))
      try synchronize()
    } catch {
      // The next file begins without the batch, whether or not it is in this one.
      close(descriptor)
      descriptor = -1
      throw error
    }
  }

  /// Each second at most: a batch is safe from this process' end at once, from the machine's after that.
  private func synchronize() throws(StateError) {
    let now = monotonicNow()
    guard now &- syncedAt >= 1_000_000_000 else { return }
    guard fdatasync(descriptor) == 0 else { throw failure("syncing") }
    syncedAt = now
  }

  private func begin(_ before: [UInt8]) throws(StateError) {
    if descriptor >= 0 { close(descriptor) }
    descriptor = -1
    try state.makeFolder(RecordFiles.folder)
    number += 1
    descriptor = Glibc.open(
      "\(state.root)/\(path(number))", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard descriptor >= 0 else { throw failure("making") }
    written = 0
    var head = RecordBytes()
    head.put(RecordFiles.magic)
    head.put(RecordFiles.version)
    do throws(StateError) {
      try put(head.all + RecordFiles.framed(before))
      // The ones before may go once this one is sure to be there.
      guard fsync(descriptor) == 0 else { throw failure("syncing") }
    } catch {
      close(descriptor)
      descriptor = -1
      try? state.remove(path(number))
      throw error
    }
    let old = try numbers().dropLast(RecordFiles.files)
    if !old.isEmpty { try state.remove(all: old.map(path)) }
  }

  private static func framed(_ batch: [UInt8]) -> [UInt8] {
    var bytes = RecordBytes()
    bytes.put(UInt32(clamping: batch.count))
    bytes.put(batch.withUnsafeBytes { $0.baseAddress.map { hash64($0, batch.count) } ?? 0 })
    return bytes.all + batch
  }

  private func put(_ bytes: [UInt8]) throws(StateError) {
    var done = 0
    while done < bytes.count {
      let count = bytes.withUnsafeBytes {
        Glibc.write(descriptor, $0.baseAddress?.advanced(by: done), bytes.count - done)
      }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw failure("writing") }
      done += count
    }
    written += bytes.count
  }

  private func numbers() throws(StateError) -> [UInt64] {
    try state.list(RecordFiles.folder, maximum: 10_000).compactMap { UInt64($0) }.sorted()
  }

  private func path(_ number: UInt64) -> String { "\(RecordFiles.folder)/\(number)" }

  private func failure(_ verb: String) -> StateError {
    StateError(code: errno, doing: "\(verb) \(state.root)/\(path(number))")
  }
}

/// Adds what a batch says.
func apply(_ batch: RecordBatch, _ opened: inout OpenedRecords) {
  for (name, more) in batch.totals.operators { opened.totals.add(name, more) }
  for (identity, progress) in batch.rings { opened.progress[identity] = progress }
  for identity in batch.ended { opened.progress[identity] = nil }
}
