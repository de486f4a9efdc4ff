// Bytes that nobody can change any more, passed between processes as descriptors: memfd_create(2) with seals.

internal import CSystem
internal import Glibc

public enum SealedMemory {
  /// A sealed copy of `bytes`; `name` shows up in /proc. memfd_create(2), fcntl(2) F_ADD_SEALS.
  public static func make(name: String, _ bytes: UnsafeRawBufferPointer) throws(SystemError) -> Descriptor {
    let memory = Descriptor(owning: try checked("memfd_create", licet_memfd(name)))
    var done = 0
    while done < bytes.count {
      let count = write(memory.raw, bytes.baseAddress.map { $0 + done }, bytes.count - done)
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw SystemError(call: "write", code: count < 0 ? errno : ENOSPC) }
      done += count
    }
    try checked("fcntl", licet_seal(memory.raw))
    return memory
  }

  public static func make(name: String, _ bytes: [UInt8]) throws(SystemError) -> Descriptor {
    // A typed throw doesn't pass through withUnsafeBytes.
    let result = bytes.withUnsafeBytes { span -> Result<Descriptor, SystemError> in
      do throws(SystemError) { return .success(try make(name: name, span)) } catch { return .failure(error) }
    }
    return try result.get()
  }

  /// A sealed copy that other users can be given but can't open anew: mode 0600, and the descriptor only reads. fchmod(2)
  public static func makeToHandOut(
    name: String, _ bytes: UnsafeRawBufferPointer
  ) throws(SystemError) -> Descriptor {
    let memory = try make(name: name, bytes)
    guard fchmod(memory.raw, 0o600) == 0 else { throw SystemError(call: "fchmod", code: errno) }
    return Descriptor(owning: try checked("open", licet_reopen_to_read(memory.raw)))
  }

  /// Maps memory that somebody else sealed: EINVAL unless it can neither shrink, grow nor be written, EFBIG above
  /// `maximum` bytes. mmap(2), read only and private.
  public static func map(_ descriptor: Descriptor, maximum: Int) throws(SystemError) -> MappedMemory {
    guard try checked("fcntl", licet_is_sealed(descriptor.raw)) == 1 else {
      throw SystemError(call: "fcntl", code: EINVAL)
    }
    var status = stat()
    guard fstat(descriptor.raw, &status) == 0 else { throw SystemError(call: "fstat", code: errno) }
    guard status.st_mode & S_IFMT == S_IFREG, status.st_size > 0 else {
      throw SystemError(call: "fstat", code: EINVAL)
    }
    guard status.st_size <= maximum else { throw SystemError(call: "fstat", code: EFBIG) }
    guard let base = mmap(nil, status.st_size, PROT_READ, MAP_PRIVATE, descriptor.raw, 0), base != MAP_FAILED else {
      throw SystemError(call: "mmap", code: errno)
    }
    return MappedMemory(UnsafeRawBufferPointer(start: base, count: status.st_size))
  }
}

/// Memory that stays mapped, unchanged, as long as this lives. Thread-safe.
public final class MappedMemory: Sendable {
  /// SAFETY: sealed, so nobody changes it; unmapped in `deinit` alone.
  nonisolated(unsafe) public let bytes: UnsafeRawBufferPointer

  fileprivate init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

  deinit {
    if let base = bytes.baseAddress { munmap(UnsafeMutableRawPointer(mutating: base), bytes.count) }
  }
}
