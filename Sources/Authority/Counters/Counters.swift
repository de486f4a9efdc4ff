// What counters have come to (DESIGN §2.9, docs/design/counters.md), for decisions, and over restarts: the store with a clock and
// a file. What can't be read, or is another host's, leaves every counter not known until its window has passed.

public import Counting
public import Decision
internal import Glibc
internal import PolicyImage
internal import System

/// Loop-owned. The file is written by a worker, as a whole, at most every so often.
public final class Counters {
  static let file = "counters"
  /// More than any store of today's limit takes.
  static let maximumFile = 1 << 30

  private let state: StateFolder
  private let host: String
  private let log: (String) -> Void
  private let loop: EventLoop
  private let worker: Worker
  private let limit: Int
  private var store: CounterStore
  private var clock = CounterClock()
  private var counters = 0
  private var timer: EventLoop.Timer?
  private var isWriting = false
  /// Of the loop's clock.
  private var nextWriting: UInt64 = 0
  private var isClosed = false
  /// Why the file can't be written; nil: it can.
  public private(set) var unwritable: StateError?

  /// Nanoseconds until what follows a quiet time is written; between two writings; and for each byte that there is to write.
  static let shortest: UInt64 = 50_000_000
  static let pace: UInt64 = 2_000_000_000
  static let paceOfByte: UInt64 = 250

  init(
    _ state: StateFolder, host: String, limit: Int, loop: EventLoop, log: @escaping (String) -> Void
  ) throws(SystemError) {
    (self.state, self.host, self.limit, self.loop, self.log) = (state, host, limit, loop, log)
    worker = try Worker(name: "licet-counters", niceness: 10, loop: loop)
    store = Counters.fresh(limit)
  }

  private static func fresh(_ limit: Int) -> CounterStore {
    var random = SystemRandomNumberGenerator()
    return CounterStore(key: (random.next(), random.next()), limit: limit)
  }

  // MARK: beginning and ending

  /// Reads what was kept; nothing is counted before it calls back.
  func open(_ then: @escaping () -> Void) {
    let (state, host, limit) = (self.state, self.host, self.limit)
    worker.run({ Kept.read(state, host: host, limit: limit) }) { [self] kept in
      switch kept {
      case .none: break
      case .store(let store, let time):
        self.store = store.value
        clock.start(at: time)
      case .lost(let why):
        log("counters: \(why); none is known until its window has passed")
        store.lose(at: clock.now)
      }
      then()
    }
  }

  /// Writes what isn't written yet, and ends.
  func finish() {
    isClosed = true
    timer?.cancel()
    if store.isChanged { write() }
    worker.finish()
  }

  /// Takes over this platform's counters.
  func follow(_ platform: Image?) {
    let count = platform?.counterCount ?? 0
    guard count > 0 || counters > 0 else { return }
    let definitions = (0..<count).compactMap { platform?.counter($0) }.map { CounterDefinition($0) }
    store.define(definitions, at: clock.now)
    counters = count
  }

  // MARK: counting

  /// Gives the frame what each counter of the policy has come to, this request included where it counts. With `counting` it
  /// is counted; without, it is only asked about.
  public func fill(
    _ frame: inout Frame, _ policy: Policy, _ behaviors: UnsafeBufferPointer<Name>, _ subject: Subject, counting: Bool
  ) {
    let time = clock.now
    for number in 0..<min(policy.platform.counterCount, counters) {
      let counter = policy.platform.counter(number)
      let counts = counter.counts(anyOf: behaviors)
      frame.set(
        counter,
        counts && counting
          ? store.count(number, subject, at: time) : store.value(number, subject, counting: counts, at: time))
    }
    if counting { keepLater() }
  }

  public var bytes: Int { store.bytes }
  public var overflows: UInt64 { store.overflows }
  public var largest: Int { limit }
  /// By counter, in the order of their names.
  public var fill: [CounterStore.Fill] { store.fill }

  // MARK: keeping

  private func keepLater() {
    guard timer == nil, !isWriting, store.isChanged else { return }
    let next = nextWriting > loop.now ? nextWriting - loop.now : 0
    timer = loop.after(nanoseconds: max(Counters.shortest, next)) { [weak self] in
      self?.timer = nil
      self?.write()
    }
  }

  private func write() {
    isWriting = true
    nextWriting = loop.now &+ Counters.pace &+ UInt64(store.bytes) * Counters.paceOfByte
    let kept = Kept(snapshot: store.snapshot(at: clock.now), host: host, boot: clock.bootID, time: clock.boot)
    let state = self.state
    worker.run({ () -> StateError? in
      do throws(StateError) {
        try state.write(Counters.file, kept.bytes())
        return nil
      } catch { return error }
    }) { [weak self] error in
      guard let self else { return }
      if let error, unwritable == nil { log("counters can't be kept over a restart: \(error.text)") }
      unwritable = error
      isWriting = false
      if !isClosed { keepLater() }
    }
  }
}

extension CounterDefinition {
  init(_ counter: Counter) {
    self.init(
      name: String(decoding: counter.name, as: UTF8.self), countsUsers: counter.counts == .users,
      per: counter.per.rawValue, window: counter.window, behaviors: counter.behaviorNames)
  }
}

extension Counter {
  fileprivate var behaviorNames: [String] {
    (0..<behaviors).map { String(decoding: behaviorName($0), as: UTF8.self) }
  }
}

/// Time that passes for counters, in nanoseconds: with suspends, and whatever is done to the wall clock.
/// Source: clock_gettime(2), CLOCK_BOOTTIME; proc(5), random/boot_id.
struct CounterClock {
  /// Which start of the host this is; empty: it isn't told.
  let bootID = CounterClock.readBootID()
  private var offset: Int64 = 0

  /// Since the host started.
  var boot: Int64 {
    var time = timespec()
    clock_gettime(CLOCK_BOOTTIME, &time)
    return Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec)
  }

  var now: Int64 { boot &+ offset }

  /// It is this time of a store's now.
  mutating func start(at time: Int64) { offset = time &- boot }

  private static func readBootID() -> String {
    guard let file = fopen("/proc/sys/kernel/random/boot_id", "re") else { return "" }
    defer { fclose(file) }
    var buffer = [CChar](repeating: 0, count: 64)
    guard fgets(&buffer, Int32(buffer.count), file) != nil else { return "" }
    return String(decoding: buffer.prefix { $0 != 0 && $0 != 10 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}
