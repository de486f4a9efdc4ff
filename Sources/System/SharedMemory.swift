// Memory of 64-bit words that one process writes and others, given a descriptor that only reads, see as it changes:
// memfd_create(2), of mode 0600, so that nobody else can open it to write.

internal import CSystem
internal import Glibc

/// Mapped to write as long as it lives, which others may do too. Each word is stored and loaded atomically. Any thread.
public final class SharedMemory: Sendable {
  /// Of the memory itself, to be kept over a restart (`Service.keep`).
  public let descriptor: Descriptor
  public let size: Int
  /// SAFETY: mapped until `deinit`; written by atomic stores alone.
  private nonisolated(unsafe) let words: UnsafeMutablePointer<UInt64>

  /// New memory of zeros.
  public convenience init(name: String, size: Int) throws(SystemError) {
    let memory = Descriptor(owning: try checked("memfd_create", licet_shared_memory(name, size)))
    try self.init(continuing: memory, size: size)
  }

  /// Memory that another process made; EINVAL: it is none of this size.
  public init(continuing descriptor: Descriptor, size: Int) throws(SystemError) {
    try checked("fcntl", licet_is_shared_memory(descriptor.raw, size))
    guard let base = licet_map_shared(descriptor.raw, size) else { throw SystemError(call: "mmap", code: errno) }
    words = base.bindMemory(to: UInt64.self, capacity: size / 8)
    self.descriptor = descriptor
    self.size = size
  }

  deinit { munmap(words, size) }

  /// A descriptor that only reads, to hand out. open(2)
  public func reader() throws(SystemError) -> Descriptor {
    Descriptor(owning: try checked("open", licet_reopen_to_read(descriptor.raw)))
  }

  /// A copy of bytes that others may be changing: what is looked at must not be what they write.
  public func copy(from offset: Int, _ count: Int, into target: UnsafeMutableRawPointer) {
    precondition(offset >= 0 && count >= 0 && offset <= size - count)
    memcpy(target, UnsafeRawPointer(words) + offset, count)
  }

  /// A word; release and acquire. `index` is inside.
  public subscript(index: Int) -> UInt64 {
    get {
      precondition(index >= 0 && index < size / 8)
      return licet_load_acquire(words + index)
    }
    set {
      precondition(index >= 0 && index < size / 8)
      licet_store_release(words + index, newValue)
    }
  }
}
