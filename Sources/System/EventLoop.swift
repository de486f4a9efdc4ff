// One thread's loop over epoll(7): descriptors, timers, work for later. Everything on it runs on the thread that turns
// it; other threads reach it through `Worker` alone.

internal import CSystem
internal import Glibc

/// Not thread-safe: made, used and turned on one thread.
public final class EventLoop {
  /// What a watch waits for. An error or a hang-up is reported as both.
  public struct Interest: OptionSet, Sendable {
    public let rawValue: Int32
    public init(rawValue: Int32) { self.rawValue = rawValue }
    public static let readable = Interest(rawValue: 1)
    public static let writable = Interest(rawValue: 2)
  }

  /// One reader of a descriptor; several may watch the same one. Cancelled, it is never called again.
  public final class Watch {
    let descriptor: Int32
    let body: (Interest) -> Void
    private weak var loop: EventLoop?
    /// nothing: it sleeps.
    public var interest: Interest { didSet { if interest != oldValue { loop?.update(descriptor) } } }

    init(_ loop: EventLoop, _ descriptor: Int32, _ interest: Interest, _ body: @escaping (Interest) -> Void) {
      self.loop = loop
      self.descriptor = descriptor
      self.interest = interest
      self.body = body
    }

    /// To be called before the descriptor is closed. Safe within callbacks, and more than once.
    public func cancel() {
      loop?.remove(self)
      loop = nil
    }
    var isCancelled: Bool { loop == nil }
  }

  /// A call later, once or again and again.
  public final class Timer {
    /// CLOCK_MONOTONIC, nanoseconds.
    var due: UInt64
    let every: UInt64?
    /// Breaks ties: of timers due at once, the older one first.
    let order: UInt64
    var body: (() -> Void)?

    init(due: UInt64, every: UInt64?, order: UInt64, body: @escaping () -> Void) {
      self.due = due
      self.every = every
      self.order = order
      self.body = body
    }

    /// Safe within callbacks, and more than once.
    public func cancel() { body = nil }
  }

  private let epoll: Descriptor
  private var watches: [Int32: [Watch]] = [:]
  /// What epoll was told, so that it is told only what changes.
  private var registered: [Int32: Interest] = [:]
  private var timers: [Timer] = []
  private var timerCount: UInt64 = 0
  private var later: [() -> Void] = []
  private var isStopped = false
  private var ready = [licet_ready](repeating: licet_ready(), count: 64)

  /// epoll_create1(2)
  public init() throws(SystemError) {
    epoll = Descriptor(owning: try checked("epoll_create1", licet_epoll_create()))
  }

  /// CLOCK_MONOTONIC, nanoseconds.
  public var now: UInt64 { monotonicNow() }

  /// Calls `body` whenever the descriptor is ready for what the watch waits for. epoll_ctl(2)
  public func watch(
    _ descriptor: Int32, _ interest: Interest, _ body: @escaping (Interest) -> Void
  ) throws(SystemError) -> Watch {
    let watch = Watch(self, descriptor, interest, body)
    watches[descriptor, default: []].append(watch)
    do {
      try register(descriptor)
    } catch {
      watch.cancel()
      throw error
    }
    return watch
  }

  /// Calls `body` after so many nanoseconds, then `every` so many.
  @discardableResult
  public func after(nanoseconds: UInt64, every: UInt64? = nil, _ body: @escaping () -> Void) -> Timer {
    let due = now.addingReportingOverflow(nanoseconds)
    let timer = Timer(due: due.overflow ? .max : due.partialValue, every: every, order: timerCount, body: body)
    timerCount &+= 1
    timers.append(timer)
    return timer
  }

  /// Calls `body` once, before the loop sleeps next.
  public func soon(_ body: @escaping () -> Void) { later.append(body) }

  /// Turns until `stop`.
  public func run() {
    isStopped = false
    while !isStopped { turn(maximumWait: nil) }
  }

  public func stop() { isStopped = true }

  /// One turn: what is due, what is ready, what was left for later. Waits at most so many nanoseconds; nil: as long as
  /// nothing happens.
  public func turn(maximumWait: UInt64?) {
    runLater()
    let count = Int(licet_epoll_wait(epoll.raw, &ready, Int32(ready.count), wait(maximumWait)))
    if count > 0 { for event in ready[..<min(count, ready.count)] { deliver(event) } }
    runTimers()
    runLater()
  }

  // MARK: descriptors

  private func deliver(_ event: licet_ready) {
    for watch in watches[event.fd] ?? [] where !watch.isCancelled {
      let happened = Interest(rawValue: event.interest).intersection(watch.interest)
      if !happened.isEmpty { watch.body(happened) }
    }
  }

  fileprivate func update(_ descriptor: Int32) {
    // A descriptor that was closed behind our back can't be told anything any more; its watches go with `cancel`.
    try? register(descriptor)
  }

  fileprivate func remove(_ watch: Watch) {
    guard var left = watches[watch.descriptor] else { return }
    left.removeAll { $0 === watch }
    watches[watch.descriptor] = left.isEmpty ? nil : left
    update(watch.descriptor)
  }

  private func register(_ descriptor: Int32) throws(SystemError) {
    let all = watches[descriptor]
    var wanted = Interest()
    for watch in all ?? [] { wanted.formUnion(watch.interest) }
    // epoll reports hang-ups without being asked: a descriptor that nobody waits for is taken out.
    if wanted.isEmpty {
      if registered.removeValue(forKey: descriptor) != nil {
        try checked("epoll_ctl", licet_epoll_control(epoll.raw, 2, descriptor, 0))
      }
      return
    }
    let before = registered[descriptor]
    guard before != wanted else { return }
    try checked("epoll_ctl", licet_epoll_control(epoll.raw, before == nil ? 1 : 3, descriptor, wanted.rawValue))
    registered[descriptor] = wanted
  }

  // MARK: time

  /// Milliseconds for epoll_wait(2), rounded up; -1: no end.
  private func wait(_ maximum: UInt64?) -> Int32 {
    if !later.isEmpty || isStopped { return 0 }
    timers.removeAll { $0.body == nil }
    let moment = now
    var wait = maximum ?? .max
    for timer in timers { wait = min(wait, timer.due > moment ? timer.due - moment : 0) }
    return wait == .max ? -1 : Int32(clamping: wait / 1_000_000 + (wait % 1_000_000 == 0 ? 0 : 1))
  }

  private func runTimers() {
    let moment = now
    let due = timers.filter { $0.due <= moment }
    guard !due.isEmpty else { return }
    for timer in due.sorted(by: { ($0.due, $0.order) < ($1.due, $1.order) }) {
      guard let body = timer.body else { continue }
      if let every = timer.every {
        // After a suspension missed beats are one.
        timer.due = max(timer.due &+ every, moment)
      } else {
        timer.body = nil
      }
      body()
    }
  }

  private func runLater() {
    let work = later
    later.removeAll(keepingCapacity: true)
    for body in work { body() }
  }
}

/// CLOCK_MONOTONIC in nanoseconds. clock_gettime(2)
public func monotonicNow() -> UInt64 {
  var time = timespec()
  clock_gettime(CLOCK_MONOTONIC, &time)
  return UInt64(time.tv_sec) &* 1_000_000_000 &+ UInt64(time.tv_nsec)
}

/// CLOCK_BOOTTIME in nanoseconds: as CLOCK_MONOTONIC, and goes on while the machine sleeps. clock_gettime(2)
public func bootNow() -> UInt64 {
  var time = timespec()
  clock_gettime(CLOCK_BOOTTIME, &time)
  return UInt64(time.tv_sec) &* 1_000_000_000 &+ UInt64(time.tv_nsec)
}
