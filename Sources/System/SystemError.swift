/// System: libc, epoll, sealed memory, processes, the sandbox: what the daemon, the compiler and the CLI need of the
/// operating system. Only here are descriptors opened and processes made. May import CSystem and Glibc; no Foundation.
///
/// This file: how a system call fails, and who owns a descriptor.

internal import CSystem
internal import Glibc

/// A system call that failed. Compared by `code`.
public struct SystemError: Error, Hashable, Sendable {
  /// The call's name, as its manual page has it.
  public var call: String
  /// An errno.
  public var code: Int32
  /// In words.
  public var text: String { String(cString: strerror(code)) }

  public init(call: String, code: Int32) {
    self.call = call
    self.code = code
  }
}

/// A call that answers -errno for an error.
@discardableResult
func checked(_ call: String, _ value: Int32) throws(SystemError) -> Int32 {
  guard value >= 0 else { throw SystemError(call: call, code: -value) }
  return value
}

/// Owns a descriptor: it is closed with the last reference. Thread-safe.
public final class Descriptor: Sendable {
  public let raw: Int32
  public init(owning raw: Int32) { self.raw = raw }
  deinit { close(raw) }

  /// A second descriptor of the same open file (fcntl(2), F_DUPFD_CLOEXEC).
  public func duplicate() throws(SystemError) -> Descriptor {
    let copy = fcntl(raw, F_DUPFD_CLOEXEC, 3)
    guard copy >= 0 else { throw SystemError(call: "fcntl", code: errno) }
    return Descriptor(owning: copy)
  }
}
