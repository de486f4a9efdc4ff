// What counters come to over time: windows, bounds, clocks, and what is read back.

@testable import Counting
import TestKit
import Testing

/// Nanoseconds.
private let second: Int64 = 1_000_000_000
private let hour = 3600 * second

private let mails = CounterDefinition(
  name: "mails", countsUsers: false, per: 1, window: 3600, behaviors: ["tool.mail"])
private let reach = CounterDefinition(
  name: "reach", countsUsers: true, per: 0, window: 86_400, behaviors: ["opinion"])

private func withText<T>(_ text: String, _ body: (UnsafeRawBufferPointer) -> T) -> T {
  var text = text
  return text.withUTF8 { body(UnsafeRawBufferPointer($0)) }
}

extension CounterStore {
  fileprivate func count(_ number: Int, _ name: String, _ user: String?, session: UInt64 = 0, at time: Int64) -> Int64?
  {
    withText(name) { name in
      guard let user else { return count(number, Subject(operatorName: name, session: session), at: time) }
      return withText(user) { count(number, Subject(operatorName: name, user: $0, session: session), at: time) }
    }
  }

  fileprivate func value(_ number: Int, _ name: String, _ user: String?, counting: Bool = false, at time: Int64)
    -> Int64?
  {
    withText(name) { name in
      guard let user else { return value(number, Subject(operatorName: name), counting: counting, at: time) }
      return withText(user) { value(number, Subject(operatorName: name, user: $0), counting: counting, at: time) }
    }
  }
}

private func store(_ definitions: [CounterDefinition] = [mails, reach], limit: Int = 64 << 20) -> CounterStore {
  let store = CounterStore(key: (1, 2), limit: limit)
  store.define(definitions, at: 0)
  return store
}

@Suite struct StoreTests {
  @Test func aRequestCountsForItsWindowAndAtMostASliceMore() {
    let slice = hour / 16
    for start in [Int64(0), 1, slice - 1, 7 * slice + 13] {
      let store = store()
      #expect(store.count(0, "shop", "ann", at: start) == 1)
      #expect(store.value(0, "shop", "ann", at: start + hour - 1) == 1)
      #expect(store.value(0, "shop", "ann", at: start + hour) == 1)
      #expect(store.value(0, "shop", "ann", at: start + hour + slice) == 0)
      #expect(store.count(0, "shop", "ann", at: start + hour + slice) == 1)
    }
  }

  /// Against a plain list of times, over generated ones.
  @Test func neverLessThanTheWindowHolds() {
    var random = SeededRandom(seed: 7)
    let store = store()
    var times: [Int64] = []
    var now: Int64 = 0
    for _ in 0..<20_000 {
      now += Int64(random.below(random.chance(1) ? Int(hour) : Int(20 * second)))
      times.append(now)
      times.removeAll { $0 <= now - hour - hour / 16 }
      let value = store.count(0, "shop", "ann", at: now) ?? -1
      #expect(value >= Int64(times.count { $0 > now - hour }))
      #expect(value <= Int64(times.count))
      #expect(store.value(0, "shop", "ann", at: now) == value)
      #expect(store.value(0, "shop", "ann", counting: true, at: now) == value + 1)
    }
  }

  @Test func whoIsCountedApart() {
    let per = [UInt8(0), 1, 2].map {
      CounterDefinition(name: "c\($0)", countsUsers: false, per: $0, window: 60, behaviors: ["a"])
    }
    let store = store(per)
    func count(_ name: String, _ user: String?, _ session: UInt64) -> [Int64?] {
      (0..<3).map { store.count($0, name, user, session: session, at: 0) }
    }
    #expect(count("shop", "ann", 5) == [1, 1, 1])
    #expect(count("shop", "bob", 5) == [2, 1, 2])
    #expect(count("shop", "ann", 6) == [3, 2, 1])
    // Another operator's user of the same name is another one.
    #expect(count("mill", "ann", 5) == [1, 1, 1])
    // Without a session the user, without a user the operator.
    #expect(count("shop", "ann", 0) == [4, 3, 1])
    #expect(count("shop", nil, 0) == [5, 1, 1])
    #expect(count("shop", nil, 0) == [6, 2, 2])
  }

  @Test func distinctUsers() {
    let store = store()
    #expect(store.count(1, "shop", "ann", at: 0) == 1)
    #expect(store.count(1, "shop", "ann", at: 1) == 1)
    #expect(store.value(1, "shop", "bob", counting: true, at: 1) == 2)
    #expect(store.value(1, "shop", "ann", counting: true, at: 1) == 1)
    #expect(store.count(1, "shop", "bob", at: 2) == 2)
    // Who can't be told apart is not known.
    #expect(store.count(1, "shop", nil, at: 2) == nil)
    #expect(store.value(1, "shop", nil, counting: true, at: 2) == nil)
    #expect(store.value(1, "shop", nil, at: 2) == 2)
    #expect(store.value(1, "shop", "eve", at: 26 * hour) == 0)
  }

  @Test func aClockThatGoesBackLetsGoOfNothing() {
    let store = store()
    #expect(store.count(0, "shop", "ann", at: 10 * hour) == 1)
    #expect(store.count(0, "shop", "ann", at: 2 * hour) == 2)
    #expect(store.count(0, "shop", "ann", at: -5) == 3)
    #expect(store.count(0, "shop", "ann", at: 10 * hour + 1) == 4)
  }

  // MARK: bounds

  @Test func aFullStoreIsNotKnownUntilAWindowHasPassed() {
    let store = store(limit: 10 * RequestTable.keyBytes)
    for i in 0..<10 { #expect(store.count(0, "shop", "user\(i)", at: 0) == 1) }
    #expect(store.count(0, "shop", "late", at: 1) == nil)
    #expect(store.value(0, "shop", "other", counting: true, at: 1) == nil)
    #expect(store.overflows == 1)
    #expect(store.fill[0].keys == 10)
    #expect(store.fill[0].isIncomplete)
    // Those that are counted go on.
    #expect(store.count(0, "shop", "user3", at: 2) == 2)
    // Room comes when what was counted has passed; one that came while there was none is not known for as long as it may be less.
    let later = 2 + hour + hour / 16
    for i in 0..<10 { _ = store.count(0, "shop", "user3", at: later + Int64(i)) }
    #expect(store.count(0, "shop", "late", at: later + 20) == 1)
    #expect(store.bytes <= store.limit)
  }

  @Test func oneThatWasNotKeptIsNotKnownLater() {
    let store = store(limit: RequestTable.keyBytes)
    #expect(store.count(0, "shop", "ann", at: 0) == 1)
    for _ in 0..<50 { #expect(store.count(0, "shop", "bob", at: hour) == nil) }
    // Ann's has passed, bob's fifty have not.
    for i in 0..<4 { _ = store.count(0, "shop", "carl", at: hour + hour / 8 + Int64(i)) }
    #expect(store.count(0, "shop", "bob", at: hour + hour / 7) == nil)
    #expect(store.value(0, "shop", "bob", counting: true, at: hour + hour / 6) == nil)
  }

  @Test func manyUsersStayInBounds() {
    let store = store([reach], limit: 300_000)
    var values: [Int64?] = []
    for i in 0..<50_000 { values.append(store.count(0, "op\(i % 7)", "user\(i)", at: Int64(i) * second)) }
    #expect(store.bytes <= store.limit)
    #expect(values.contains(nil))
  }

  // MARK: definitions

  @Test func anotherCounterStartsAfresh() {
    let store = store()
    #expect(store.count(0, "shop", "ann", at: 0) == 1)
    var longer = mails
    longer.window = 7200
    store.define([longer, reach], at: 1)
    #expect(store.count(0, "shop", "ann", at: 2) == 1)
    // The old one was away: what it would have come to nobody knows.
    store.define([mails, reach], at: 3)
    #expect(store.count(0, "shop", "ann", at: 4) == nil)
    #expect(store.count(0, "shop", "ann", at: 2 * hour) == 1)
    // The same ones, in another order.
    store.define([reach, mails], at: 2 * hour + 1)
    #expect(store.count(1, "shop", "ann", at: 2 * hour + 2) == 2)
  }

  @Test func aLossIsNotKnownUntilAWindowHasPassed() {
    let store = store()
    _ = store.count(0, "shop", "ann", at: 0)
    store.lose(at: 5)
    #expect(store.count(0, "shop", "ann", at: 6) == nil)
    #expect(store.value(1, "shop", "ann", at: 6) == nil)
    // A counter that comes later may have been one before.
    var other = mails
    other.name = "other"
    store.define([mails, reach, other], at: 8)
    #expect(store.count(2, "shop", "ann", at: 9 + hour / 2) == nil)
    #expect(store.count(0, "shop", "ann", at: 5 + hour + hour / 16) == 1)
    #expect(store.value(1, "shop", "ann", at: 7 + hour) == nil)
  }

  // MARK: keeping

  @Test func whatIsReadBackIsWhatWasKept() throws {
    let store = store()
    var random = SeededRandom(seed: 3)
    for i in 0..<3000 {
      _ = store.count(0, "shop", "user\(random.below(50))", at: Int64(i) * second)
      _ = store.count(1, "shop\(random.below(3))", "user\(i)", at: Int64(i) * second)
    }
    let time = 3000 * second
    let again = try #require(CounterStore(store.snapshot(at: time).bytes(), elapsed: 7 * second))
    again.define([mails, reach], at: again.now)
    #expect(again.now == time + 7 * second)
    #expect(again.bytes == store.bytes)
    for i in 0..<50 {
      #expect(
        again.value(0, "shop", "user\(i)", at: 0) == store.value(0, "shop", "user\(i)", at: time + 7 * second))
    }
    for i in 0..<3 {
      #expect(again.value(1, "shop\(i)", nil, at: 0) == store.value(1, "shop\(i)", nil, at: time + 7 * second))
      #expect(again.count(1, "shop\(i)", "new", at: 0) == store.count(1, "shop\(i)", "new", at: time + 7 * second))
    }
    // Neither a negative time nor one past the end of time loosens.
    let kept = store.snapshot(at: 0).bytes()
    #expect(CounterStore(kept, elapsed: -hour)?.now == store.now)
    #expect(CounterStore(kept, elapsed: .max) == nil)
  }

  @Test func noBytesAreTrusted() {
    let store = store()
    for i in 0..<400 { _ = store.count(1, "shop", "user\(i)", at: 0) }
    for i in 0..<4 { _ = store.count(0, "shop", "user\(i)", at: 0) }
    let kept = store.snapshot(at: second).bytes()
    for length in stride(from: 0, to: kept.count, by: 61) {
      #expect(CounterStore(Array(kept[..<length]), elapsed: 0) == nil)
    }
    #expect(CounterStore(kept + [0], elapsed: 0) == nil)
    var random = SeededRandom(seed: 11)
    for _ in 0..<4000 {
      var bytes = kept
      for _ in 0..<1 + random.below(3) { bytes[random.below(bytes.count)] = UInt8(random.below(256)) }
      // Whatever is made of it, it can be asked.
      guard let odd = CounterStore(bytes, elapsed: second) else { continue }
      odd.define([mails, reach], at: odd.now)
      _ = odd.count(0, "shop", "user1", at: odd.now)
      _ = odd.count(1, "shop", "user1", at: odd.now)
      odd.lose(at: odd.now)
    }
  }
}
