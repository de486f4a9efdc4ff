// Suspicion's levels, with a clock that goes where it is told and a state folder of the test's own.

import Foundation
import System
import TestKit
import Testing

@testable import Authority

private final class Bench {
  static let second: UInt64 = 1_000_000_000
  let root: URL
  let loop: EventLoop
  var now: UInt64 = 1_000 * second
  var said: [String] = []
  var sessions: [SessionID] = []
  var operators: [String?] = []
  private(set) var suspicions: Suspicions!

  /// As the example in the design: asks at two attempts, denies at six; half is forgotten in 100 seconds.
  static let terms = Suspicions.Terms(askAt: 2000, denyAt: 6000, halfLife: 100)

  init() throws {
    root = FileManager.default.temporaryDirectory.appendingPathComponent("licet-suspicion-\(UUID().uuidString)")
    loop = try EventLoop()
    try start()
  }

  deinit {
    suspicions.finish()
    try? FileManager.default.removeItem(at: root)
  }

  /// As after a restart.
  func start(_ terms: Suspicions.Terms? = Bench.terms, maximum: Int = Suspicions.maximum) throws {
    suspicions?.finish()
    suspicions = try Suspicions(
      StateFolder(root: root.path), loop: loop, maximum: maximum, clock: { [unowned self] in now },
      log: { [unowned self] in said.append($0) })
    suspicions.follow(terms)
    suspicions.sessionChanged = { [unowned self] in sessions.append($0) }
    suspicions.operatorChanged = { [unowned self] in operators.append($0) }
  }

  func pass(_ seconds: Double) {
    now += UInt64(seconds * 1e9)
    suspicions.fall()
  }

  func user(_ id: String, of name: String = "acme") -> Suspicions.Subject {
    Array(id.utf8).withUnsafeBytes { .user(.init($0, of: name)) }
  }

  var file: URL { root.appendingPathComponent("suspicion") }
}

@Suite struct SuspicionTests {
  @Test func itIsChargedByOneAndByTwo() throws {
    let bench = try Bench()
    let (u1, session) = (bench.user("u1"), Suspicions.Subject.session(.random()))
    #expect(bench.suspicions.isEmpty && bench.suspicions.level(u1) == 0)
    bench.suspicions.charge(u1, hasArgument: false)
    #expect(bench.suspicions.level(u1) == 1000)
    bench.suspicions.charge(u1, hasArgument: true)
    #expect(bench.suspicions.level(u1) == 3000)
    // Each by itself: another user, the same name at another operator, the operator, a session.
    for other in [bench.user("u2"), bench.user("u1", of: "other"), .operator("acme"), session] {
      #expect(bench.suspicions.level(other) == 0)
    }
    bench.suspicions.charge(session, hasArgument: false)
    #expect(bench.suspicions.level(session) == 1000 && bench.sessions.count == 1)
    if case .session(let id) = session { bench.suspicions.forget(id) }
    #expect(bench.suspicions.level(session) == 0)
  }

  @Test func itDecays() throws {
    let bench = try Bench()
    let u1 = bench.user("u1")
    for _ in 0..<4 { bench.suspicions.charge(u1, hasArgument: true) }
    #expect(bench.suspicions.level(u1) == 8000)
    // What is published stays until a threshold is left, half an attempt below it: 5.5 is 54 s below 8.
    bench.pass(54)
    #expect(bench.suspicions.level(u1) == 8000)
    bench.pass(1)
    #expect((5400..<5500).contains(bench.suspicions.level(u1)))
    bench.pass(186)
    #expect(bench.suspicions.level(u1) >= 2000)
    bench.pass(1)
    #expect((1450..<1500).contains(bench.suspicions.level(u1)))
    // Below both it counts on, unseen, until it is charged again.
    let seen = bench.suspicions.level(u1)
    bench.pass(170)
    #expect(bench.suspicions.level(u1) == seen)
    bench.suspicions.charge(u1, hasArgument: false)
    #expect((1455..<1470).contains(bench.suspicions.level(u1)))
  }

  /// Two attempts that follow each other reach 2, and keep it for a while; two that are far apart don't.
  @Test func twoAttemptsAreTwo() throws {
    let bench = try Bench()
    let u1 = bench.user("u1")
    bench.suspicions.charge(u1, hasArgument: false)
    bench.pass(90)
    bench.suspicions.charge(u1, hasArgument: false)
    #expect(bench.suspicions.level(u1) == 2000)
    bench.pass(41)
    #expect(bench.suspicions.level(u1) == 2000 && bench.suspicions.asksRemotely("acme"))
    bench.pass(1)
    #expect(bench.suspicions.level(u1) < 1500 && !bench.suspicions.asksRemotely("acme"))
    let u2 = bench.user("u2")
    bench.suspicions.charge(u2, hasArgument: false)
    bench.pass(110)
    bench.suspicions.charge(u2, hasArgument: false)
    #expect((1400..<1500).contains(bench.suspicions.level(u2)))
  }

  /// Between two thresholds that are close the lower one is kept until it is left itself.
  @Test func thresholdsAreLeftOneByOne() throws {
    let bench = try Bench()
    try bench.start(.init(askAt: 5800, denyAt: 6000, halfLife: 100))
    let u1 = bench.user("u1")
    for _ in 0..<3 { bench.suspicions.charge(u1, hasArgument: true) }
    bench.pass(13)
    #expect(bench.suspicions.level(u1) == 5800)
    bench.pass(6)
    #expect(bench.suspicions.level(u1) < 5300)
  }

  @Test func aClockThatJumpsForgivesNothing() throws {
    let bench = try Bench()
    let u1 = bench.user("u1")
    for _ in 0..<4 { bench.suspicions.charge(u1, hasArgument: true) }
    bench.now -= 500 * Bench.second
    bench.suspicions.fall()
    #expect(bench.suspicions.level(u1) == 8000)
    bench.suspicions.charge(u1, hasArgument: false)
    #expect(bench.suspicions.level(u1) == 9000)
    // Time that was before doesn't count again.
    bench.pass(500)
    #expect(bench.suspicions.level(u1) == 9000)
    bench.now = .max
    bench.suspicions.fall()
    #expect(bench.suspicions.level(u1) < 2000)
  }

  @Test func thresholdsMayStandTheOtherWayRound() throws {
    for terms in [
      Suspicions.Terms(askAt: 6000, denyAt: 2000, halfLife: 100), .init(askAt: 2000, denyAt: .max, halfLife: 100),
      .init(askAt: .max, denyAt: 2000, halfLife: 100),
    ] {
      let bench = try Bench()
      try bench.start(terms)
      let u1 = bench.user("u1")
      for _ in 0..<4 { bench.suspicions.charge(u1, hasArgument: true) }
      bench.pass(240)
      #expect(bench.suspicions.level(u1) >= 2000 && bench.suspicions.asksRemotely("acme"))
      bench.pass(2)
      #expect(bench.suspicions.level(u1) < 2000 && !bench.suspicions.asksRemotely("acme"))
    }
  }

  @Test func anOperatorIsToldOnce() throws {
    let bench = try Bench()
    bench.suspicions.charge(bench.user("u1"), hasArgument: false)
    #expect(!bench.suspicions.asksRemotely("acme") && bench.operators == [])
    bench.suspicions.charge(bench.user("u1"), hasArgument: false)
    #expect(bench.suspicions.asksRemotely("acme") && bench.operators == ["acme"])
    bench.suspicions.charge(bench.user("u2"), hasArgument: true)
    bench.suspicions.charge(.operator("acme"), hasArgument: true)
    #expect(bench.operators == ["acme"] && !bench.suspicions.asksRemotely("other"))
    bench.pass(300)
    #expect(!bench.suspicions.asksRemotely("acme") && bench.operators == ["acme", "acme"])
    // What is suspect in a session is no business of those outside.
    bench.suspicions.charge(.session(.random()), hasArgument: true)
    #expect(!bench.suspicions.asksRemotely("acme"))
  }

  @Test func theLoopLetsItFall() throws {
    let loop = try EventLoop()
    let root = FileManager.default.temporaryDirectory.appendingPathComponent("licet-suspicion-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: root) }
    let suspicions = try Suspicions(StateFolder(root: root.path), loop: loop) { _ in }
    defer { suspicions.finish() }
    suspicions.follow(.init(askAt: 2000, denyAt: .max, halfLife: 1))
    suspicions.charge(.operator("acme"), hasArgument: true)
    #expect(suspicions.asksRemotely("acme"))
    let end = loop.now + 5_000_000_000
    while suspicions.asksRemotely("acme"), loop.now < end { loop.turn(maximumWait: 20_000_000) }
    #expect(!suspicions.asksRemotely("acme"))
  }

  @Test func aPlatformWithoutItKnowsNone() throws {
    let bench = try Bench()
    let u1 = bench.user("u1")
    bench.suspicions.charge(u1, hasArgument: true)
    bench.suspicions.follow(nil as Suspicions.Terms?)
    #expect(bench.suspicions.level(u1) == 0 && !bench.suspicions.asksRemotely("acme") && bench.suspicions.isEmpty)
    bench.suspicions.charge(u1, hasArgument: true)
    bench.pass(1000)
    // Meanwhile nothing said how it decays.
    bench.suspicions.follow(Bench.terms)
    #expect(bench.suspicions.level(u1) == 2000 && bench.suspicions.asksRemotely("acme"))
    // Another half-life counts from when it is in force.
    bench.now += 100 * Bench.second
    bench.suspicions.follow(.init(askAt: 1000, denyAt: 6000, halfLife: 1_000_000))
    #expect(bench.suspicions.level(u1) == 1000 && bench.suspicions.asksRemotely("acme"))
    bench.pass(900_000)
    #expect(bench.suspicions.level(u1) == 1000)
    bench.pass(110_000)
    #expect(bench.suspicions.level(u1) < 500)
  }

  @Test func whenThereIsNoRoomTheOperatorIsCharged() throws {
    let bench = try Bench()
    try bench.start(maximum: 3)
    for id in ["a", "b", "c"] { bench.suspicions.charge(bench.user(id), hasArgument: false) }
    bench.suspicions.charge(bench.user("d"), hasArgument: true)
    #expect(bench.suspicions.level(.operator("acme")) == 2000)
    // So that nobody escapes by being one of many: all of the operator's are as suspect.
    #expect(bench.suspicions.level(bench.user("d")) == 2000 && bench.suspicions.level(bench.user("a")) == 2000)
    #expect(bench.suspicions.level(bench.user("d", of: "other")) == 0)
    bench.suspicions.charge(bench.user("a"), hasArgument: true)
    #expect(bench.suspicions.level(bench.user("a")) == 3000)
    // What has decayed to nothing makes room.
    bench.pass(2_000)
    bench.suspicions.charge(bench.user("e"), hasArgument: false)
    #expect(bench.suspicions.levels[bench.user("e")]?.published == 1000)
  }

  @Test func itIsAsHighAsItGets() throws {
    let bench = try Bench()
    for _ in 0..<600_000 { bench.suspicions.charge(.operator("acme"), hasArgument: true) }
    #expect(bench.suspicions.level(.operator("acme")) == Suspicions.highest)
  }

  // MARK: over restarts

  @Test func aRestartForgivesNobody() throws {
    let bench = try Bench()
    let u1 = bench.user("u1")
    bench.suspicions.charge(u1, hasArgument: true)
    bench.suspicions.charge(.operator("beta"), hasArgument: true)
    bench.suspicions.charge(.session(.random()), hasArgument: true)
    bench.now += 50 * Bench.second
    try bench.start()
    #expect(bench.suspicions.level(u1) == 1415 && bench.suspicions.level(.operator("beta")) == 1415)
    #expect(bench.suspicions.levels.count == 2 && bench.said == [])
    // Who it is isn't on disk.
    #expect(try !String(contentsOf: bench.file, encoding: .utf8).contains("u1"))
    // As it stands there, time counts on.
    bench.now += 50 * Bench.second
    bench.suspicions.charge(u1, hasArgument: false)
    #expect((2000...2001).contains(bench.suspicions.level(u1)))
    // What it had reached and not left, it has reached.
    bench.now += 30 * Bench.second
    try bench.start()
    #expect(bench.suspicions.level(u1) == 2000)
  }

  @Test func theLoopWritesIt() throws {
    let bench = try Bench()
    bench.suspicions.charge(bench.user("u1"), hasArgument: true)
    let end = bench.loop.now + 10_000_000_000
    while !FileManager.default.fileExists(atPath: bench.file.path), bench.loop.now < end {
      bench.loop.turn(maximumWait: 20_000_000)
    }
    #expect(try String(contentsOf: bench.file, encoding: .utf8).hasSuffix("end 1\n"))
  }

  /// Of another boot nobody can say how long it was.
  @Test func anotherBootCountsFromItsStart() throws {
    let bench = try Bench()
    bench.suspicions.charge(.operator("acme"), hasArgument: true)
    bench.suspicions.finish()
    var text = try String(contentsOf: bench.file, encoding: .utf8)
    text.replace(#/1 [0-9a-f-]{36}/#, with: "1 another")
    try Data(text.utf8).write(to: bench.file)
    bench.now += 1000 * Bench.second
    try bench.start()
    #expect(bench.suspicions.level(.operator("acme")) == 2000)
    bench.pass(101)
    #expect(bench.suspicions.level(.operator("acme")) < 1001)
  }

  @Test(arguments: [
    "", "licet-suspicion 2 x\nend 0\n", "licet-suspicion 1 x\noperator acme own 2000 7\n",
    "licet-suspicion 1 x\noperator acme own 2000 7\nend 2\n", "licet-suspicion 1 x\noperator acme own 2000 7\nend 1",
    "licet-suspicion 1 x\noperator acme own 4294967295 7\nend 1\n",
    "licet-suspicion 1 x\noperator ../x own 1 7\nend 1\n",
    "licet-suspicion 1 x\nuser acme 12 1 7\nend 1\n", "licet-suspicion 1 x\nuser acme own -1 7\nend 1\n",
    "licet-suspicion 1 x\nanother 1 7\nend 1\n", "\0\0\0\0", "licet-suspicion 1 x\n\nend 1\n",
  ])
  func whatCantBeReadCountsAsSuspect(text: String) throws {
    let bench = try Bench()
    try FileManager.default.createDirectory(at: bench.root, withIntermediateDirectories: true)
    try Data(text.utf8).write(to: bench.file)
    try bench.start()
    #expect(bench.said.count == 1)
    for who in [bench.user("anybody"), .operator("any")] { #expect(bench.suspicions.level(who) == 12_000) }
    #expect(bench.suspicions.level(.session(.random())) == 0 && bench.suspicions.asksRemotely("any"))
    // For a half-life it denies; then it asks; then it is over. A restart shortens none of it.
    bench.pass(98)
    #expect(bench.suspicions.level(.operator("any")) >= 6000)
    try bench.start()
    #expect(bench.said.count == 1 && bench.suspicions.level(.operator("any")) >= 6000)
    bench.pass(16)
    #expect((2000..<6000).contains(bench.suspicions.level(.operator("any"))))
    bench.pass(190)
    #expect(bench.suspicions.level(.operator("any")) == 0 && !bench.suspicions.asksRemotely("any"))
  }

  @Test func aFolderThatCantBeWrittenIsSaidOnce() throws {
    let bench = try Bench()
    try Data().write(to: bench.root)
    bench.suspicions.charge(.operator("acme"), hasArgument: true)
    let end = bench.loop.now + 10_000_000_000
    while bench.said.isEmpty, bench.loop.now < end { bench.loop.turn(maximumWait: 20_000_000) }
    #expect(bench.said.count == 1 && bench.suspicions.level(.operator("acme")) == 2000)
  }
}
