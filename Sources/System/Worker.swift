// A thread for what may block: reading folders, writing state, asking name services. It gets values and gives values;
// what is done with a result runs on the loop's thread.

internal import CSystem
internal import Glibc

/// One thread, first in first out. Made and used on its loop's thread.
public final class Worker {
  private let shared: Shared
  private let watch: EventLoop.Watch
  private let pending: Pending
  private var thread: pthread_t

  /// `niceness`: 0 to 19; with more, the thread waits for everybody who has less. pthread_create(3), eventfd(2),
  /// setpriority(2)
  public init(name: String, niceness: Int32 = 0, loop: EventLoop) throws(SystemError) {
    let shared = Shared(
      String(name.prefix(15)), niceness, Descriptor(owning: try checked("eventfd", licet_eventfd())))
    let pending = Pending()
    self.shared = shared
    self.pending = pending
    watch = try loop.watch(shared.wake.raw, .readable) { _ in
      for (id, value) in shared.takeResults() { pending.then.removeValue(forKey: id)?(value) }
    }
    thread = pthread_t()
    let failed = pthread_create(
      &thread, nil,
      { context in
        guard let context else { return nil }
        Unmanaged<Shared>.fromOpaque(context).takeRetainedValue().serve()
        return nil
      }, Unmanaged.passRetained(shared).toOpaque())
    guard failed == 0 else {
      watch.cancel()
      Unmanaged.passUnretained(shared).release()
      throw SystemError(call: "pthread_create", code: failed)
    }
  }

  /// Runs `work` on the thread, then `then` with its result on the loop's.
  public func run<T: Sendable>(_ work: @escaping @Sendable () -> T, then: @escaping (T) -> Void) {
    let id = pending.next
    pending.next &+= 1
    pending.then[id] = { if let value = $0 as? T { then(value) } }
    shared.submit(Job(id: id, work: { work() }))
  }

  /// Waits for what is running and queued to end, and for the thread; results that were not taken yet are dropped.
  public func finish() {
    guard shared.close() else { return }
    watch.cancel()
    pthread_join(thread, nil)
  }

  deinit { finish() }

  private final class Pending {
    var next: UInt64 = 0
    var then: [UInt64: (any Sendable) -> Void] = [:]
  }

  fileprivate struct Job: Sendable {
    let id: UInt64
    let work: @Sendable () -> any Sendable
  }

  /// What the two threads share, under one lock.
  fileprivate final class Shared: @unchecked Sendable {
    private let name: String
    private let niceness: Int32
    let wake: Descriptor
    private let lock: UnsafeMutablePointer<pthread_mutex_t>
    private let condition: UnsafeMutablePointer<pthread_cond_t>
    private var jobs: [Job] = []
    private var results: [(UInt64, any Sendable)] = []
    private var isClosed = false

    init(_ name: String, _ niceness: Int32, _ wake: Descriptor) {
      self.name = name
      self.niceness = niceness
      self.wake = wake
      lock = .allocate(capacity: 1)
      condition = .allocate(capacity: 1)
      pthread_mutex_init(lock, nil)
      pthread_cond_init(condition, nil)
    }

    deinit {
      pthread_cond_destroy(condition)
      pthread_mutex_destroy(lock)
      lock.deallocate()
      condition.deallocate()
    }

    private func locked<T>(_ body: () -> T) -> T {
      pthread_mutex_lock(lock)
      defer { pthread_mutex_unlock(lock) }
      return body()
    }

    func submit(_ job: Job) {
      locked {
        jobs.append(job)
        pthread_cond_signal(condition)
      }
    }

    /// false: it was closed already.
    func close() -> Bool {
      locked {
        if isClosed { return false }
        isClosed = true
        pthread_cond_signal(condition)
        return true
      }
    }

    func takeResults() -> [(UInt64, any Sendable)] {
      var count: UInt64 = 0
      read(wake.raw, &count, 8)
      return locked {
        defer { results = [] }
        return results
      }
    }

    func serve() {
      // Of this thread alone, on Linux; whoever may not is served as before.
      if niceness > 0 { setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, niceness) }
      licet_name_thread(name)
      while let job = next() {
        let value = job.work()
        locked { results.append((job.id, value)) }
        var one: UInt64 = 1
        write(wake.raw, &one, 8)
      }
    }

    private func next() -> Job? {
      locked {
        while jobs.isEmpty, !isClosed { pthread_cond_wait(condition, lock) }
        return jobs.isEmpty ? nil : jobs.removeFirst()
      }
    }
  }
}
