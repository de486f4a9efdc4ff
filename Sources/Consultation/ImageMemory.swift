// Aligned memory that holds images for as long as anything reads them.

#if canImport(Glibc)
  internal import Glibc
#endif

/// Bytes that don't move or change, 64-byte aligned; freed, or unmapped, with the object. Safe to share.
public final class ImageMemory: Sendable {
  /// SAFETY: written only before `init` returns, then read only.
  nonisolated(unsafe) public let bytes: UnsafeRawBufferPointer
  private let isMapped: Bool

  /// A copy of `content`.
  public init(copying content: [UInt8]) {
    let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: max(content.count, 1), alignment: 64)
    memory.copyBytes(from: content)
    bytes = UnsafeRawBufferPointer(rebasing: memory[..<content.count])
    isMapped = false
  }

  /// A file, mapped privately (mmap(2)). nil with errno in `error` when it can't be.
  public init?(mapping path: String, error: inout Int32) {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else {
      error = errno
      return nil
    }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_size > 0 else {
      error = status.st_mode & S_IFMT == S_IFDIR ? EISDIR : EINVAL
      return nil
    }
    guard let base = mmap(nil, status.st_size, PROT_READ, MAP_PRIVATE, descriptor, 0), base != MAP_FAILED else {
      error = errno
      return nil
    }
    bytes = UnsafeRawBufferPointer(start: base, count: status.st_size)
    isMapped = true
  }

  deinit {
    guard let base = bytes.baseAddress else { return }
    if isMapped {
      munmap(UnsafeMutableRawPointer(mutating: base), bytes.count)
    } else {
      base.deallocate()
    }
  }
}
