// Closing what somebody else sent: close(2) of a file on a network or user's file system waits for that, perhaps for ever.

internal import CSystem
internal import Glibc

/// A thread that does nothing but close. Made and used on one thread; the other one is never waited for.
public final class Closer {
  /// That wait to be closed: more are not taken.
  static let maximum: UInt64 = 64
  private let pipe: Descriptor
  private var given: UInt64 = 0
  /// SAFETY: lives as long as the process, because the thread does; counts by atomic stores.
  private let closed: UnsafeMutablePointer<UInt64>

  private struct Job {
    let pipe: Int32
    let closed: UnsafeMutablePointer<UInt64>
  }

  /// pipe2(2), pthread_create(3)
  public init() throws(SystemError) {
    var ends: [Int32] = [-1, -1]
    try checked("pipe2", licet_pipe(&ends))
    pipe = Descriptor(owning: ends[1])
    closed = .allocate(capacity: 1)
    closed.initialize(to: 0)
    let job = UnsafeMutablePointer<Job>.allocate(capacity: 1)
    job.initialize(to: Job(pipe: ends[0], closed: closed))
    var thread = pthread_t()
    let failed = pthread_create(
      &thread, nil,
      { context in
        guard let job = context?.assumingMemoryBound(to: Job.self) else { return nil }
        licet_name_thread("licet-closer")
        var raw: Int32 = -1
        while read(job.pointee.pipe, &raw, 4) == 4 {
          Glibc.close(raw)
          licet_store_release(job.pointee.closed, job.pointee.closed.pointee &+ 1)
        }
        return nil
      }, job)
    guard failed == 0 else { throw SystemError(call: "pthread_create", code: failed) }
    pthread_detach(thread)
  }

  /// Whether something may still be given.
  public var hasRoom: Bool { given &- licet_load_acquire(closed) < Closer.maximum }

  /// The memory that `raw` is, which is the caller's now; nil: it is none, or -1, and is closed in time.
  public func memory(_ raw: Int32) -> Descriptor? {
    guard raw >= 0 else { return nil }
    if licet_is_memory(raw) != 0 { return Descriptor(owning: raw) }
    close(raw)
    return nil
  }

  /// Closes a descriptor in time.
  public func close(_ raw: Int32) {
    var raw = raw
    if write(pipe.raw, &raw, 4) == 4 { given &+= 1 }
  }
}
