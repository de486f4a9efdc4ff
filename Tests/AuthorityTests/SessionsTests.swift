// Sessions and their trees, with a clock that goes where it is told.

import Consultation
import Decision
import Foundation
import PolicyImage
import System
import TestKit
import Testing

@testable import Authority

/// A registry, what it told, and its clock.
private final class Bench {
  static let second: UInt64 = 1_000_000_000
  let loop: EventLoop
  var now: UInt64 = 1_000 * second
  private(set) var sessions: Sessions
  var changed: [SessionID] = []
  var ended: [SessionID] = []

  init(_ limits: Sessions.Limits = .init()) throws {
    loop = try EventLoop()
    var clock: () -> UInt64 = { 0 }
    sessions = Sessions(loop: loop, limits: limits, clock: { clock() })
    clock = { [unowned self] in now }
    sessions.changed = { [unowned self] in changed.append($0.id) }
    sessions.ended = { [unowned self] in ended.append($0.id) }
  }

  func open(
    _ name: String = "acme", user: UInt32 = 7, owner: SessionOwner = .bus(":1.1"),
    _ set: (inout OpeningTerms) -> Void = { _ in }
  ) throws -> Session {
    var terms = OpeningTerms()
    set(&terms)
    return try sessions.open(name, user: user, owner: owner, terms)
  }

  func delegate(
    _ parent: Session, owner: SessionOwner = .bus(":1.1"), _ set: (inout OpeningTerms) -> Void = { _ in }
  ) throws -> Session {
    var terms = OpeningTerms()
    set(&terms)
    return try sessions.delegate(parent, owner: owner, terms)
  }

  func chain(_ length: Int, from root: Session) throws -> [Session] {
    var all = [root]
    for _ in 0..<length { all.append(try delegate(all[all.count - 1])) }
    return all
  }

  func refusal(_ body: () throws -> Void) -> SessionError? {
    do { try body() } catch { return error as? SessionError }
    return nil
  }
}

@Suite(.serialized) struct SessionsTests {
  @Test func idsAreWordsAndBack() throws {
    let id = SessionID(high: 0x0123_4567_89ab_cdef, low: 0xf)
    #expect(id.description == "0123456789abcdef000000000000000f")
    #expect(SessionID(id.description.utf8) == id)
    for wrong in [
      "", "0123", "0123456789ABCDEF000000000000000f", "0123456789abcdef000000000000000g", id.description + "0",
    ] {
      #expect(SessionID(wrong.utf8) == nil)
    }
    #expect(SessionID.random() != SessionID.random())
  }

  @Test func whoFindsIt() throws {
    let bench = try Bench()
    let session = try bench.open()
    let sessions = bench.sessions
    #expect(try sessions.find(session.id, user: 7) { $0 == "acme" } === session)
    #expect(bench.refusal { _ = try sessions.find(session.id, user: 8) { $0 == "acme" } } == .foreignSession)
    #expect(bench.refusal { _ = try sessions.find(session.id, user: 7) { $0 == "other" } } == .unknownSession)
    #expect(bench.refusal { _ = try sessions.find(session.id, user: 8) { $0 == "other" } } == .unknownSession)
    #expect(bench.refusal { _ = try sessions.find(.random(), user: 7) { _ in true } } == .unknownSession)
    sessions.close(session)
    #expect(bench.refusal { _ = try sessions.find(session.id, user: 7) { _ in true } } == .unknownSession)
  }

  @Test func badTermsAreNamed() throws {
    let cases: [(SessionError, (inout OpeningTerms) -> Void)] = [
      (.badDial, { $0.level.dial = .zero }), (.badDial, { $0.level.dial = .one }), (.badCost, { $0.cost = -1 }),
      (.badCost, { $0.cost = 0 }), (.badCost, { $0.cost = .nan }), (.badCost, { $0.cost = .infinity }),
      (.badCost, { $0.cost = 0.000_000_5 }), (.badTime, { $0.lifetime = 0 }),
      (.badName("Tool"), { $0.level.caps["Tool"] = .ask }), (.badName(""), { $0.level.behaviors = [""] }),
      (.badName("a..b"), { $0.level.preferences["a..b"] = .deny }), (.badResource(""), { $0.level.resources = [""] }),
      (.tooMany("resources"), { t in t.level.resources = Set((0..<65).map { "r\($0)" }) }),
      (.tooMany("behaviors"), { t in for i in 0..<1025 { t.level.caps["c\(i)"] = .ask } }),
      (
        .tooMany("bytes of one session"),
        { t in
          t.level.resources = Set((0..<64).map { "\($0)" + String(repeating: "x", count: 1000) })
          for i in 0..<1024 { t.level.caps["c\(i)." + String(repeating: "x", count: 200)] = .ask }
        }
      ),
    ]
    let bench = try Bench()
    let root = try bench.open()
    for (error, set) in cases {
      #expect(bench.refusal { _ = try bench.open { set(&$0) } } == error)
      #expect(bench.refusal { _ = try bench.delegate(root) { set(&$0) } } == error)
    }
    #expect(bench.sessions.count == 1)
  }

  @Test func aTreeEndsFromItsTop() throws {
    let bench = try Bench()
    let root = try bench.open()
    let (left, right) = (try bench.delegate(root), try bench.delegate(root))
    let leaf = try bench.delegate(left, owner: .bus(":1.9"))
    #expect(Set(bench.sessions.children(of: root).map(\.id)) == [left.id, right.id])
    #expect(leaf.root === root && leaf.depth == 2 && leaf.parent === left)
    bench.sessions.close(left)
    #expect(Set(bench.ended) == [left.id, leaf.id])
    #expect(bench.sessions.children(of: root).map(\.id) == [right.id])
    #expect(leaf.hasEnded && leaf.parent == nil && leaf.root === leaf)
    bench.sessions.close(left)
    bench.sessions.close(root)
    #expect(bench.sessions.count == 0)
    #expect(bench.ended.count == 4)
    // What has ended is changed by nobody.
    #expect(bench.refusal { try bench.sessions.setDial(root, .unstatedDial) } == .unknownSession)
    #expect(bench.refusal { try bench.sessions.setPreference(root, "tool", .deny) } == .unknownSession)
    #expect(bench.refusal { _ = try bench.sessions.spend(root, 1) } == .unknownSession)
    #expect(bench.refusal { _ = try bench.delegate(root) } == .unknownSession)
  }

  @Test func whatAConnectionOpenedEndsWithIt() throws {
    let bench = try Bench()
    let mine = try (0..<5).map { _ in try bench.open(owner: .bus(":1.1")) }
    let yours = try bench.open(owner: .attached(1))
    let below = try bench.delegate(mine[2], owner: .attached(1))
    let kept = try bench.delegate(yours, owner: .attached(2))
    bench.sessions.close(mine[4])
    bench.sessions.ownerGone(.bus(":1.1"))
    #expect(bench.sessions.count == 2 && below.hasEnded && !yours.hasEnded)
    bench.sessions.ownerGone(.attached(2))
    #expect(kept.hasEnded && !yours.hasEnded)
    bench.sessions.ownersGone { if case .attached = $0 { true } else { false } }
    #expect(bench.sessions.count == 0)
    bench.sessions.ownerGone(.bus(":1.1"))
  }

  /// A parent is there before its child and is never given another: whatever is done, whoever goes up arrives.
  @Test func noChainCloses() throws {
    let bench = try Bench()
    var random = SeededRandom(seed: 11)
    var all: [Session] = [try bench.open()]
    for step in 0..<5000 {
      switch random.below(10) {
      case 0: all.append(try bench.open(owner: .bus(":1.\(random.below(20))")))
      case 1: bench.sessions.close(all[random.below(all.count)])
      case 2 where step % 50 == 0: bench.sessions.ownerGone(.bus(":1.\(random.below(20))"))
      default:
        let parent = all[random.below(all.count)]
        if !parent.hasEnded { all.append(try bench.delegate(parent, owner: .bus(":1.\(random.below(20))"))) }
      }
    }
    for session in all {
      var at = session
      for _ in 0..<session.depth {
        guard let parent = at.parent else { break }
        #expect(parent.depth + 1 == at.depth && !parent.hasEnded)
        at = parent
      }
      #expect(session.hasEnded ? at === session : at === session.root && at.depth == 0)
      #expect((bench.sessions[session.id] == nil) == session.hasEnded)
    }
    // Each is in exactly one parent's chain, and in its user's, and ends with its owner.
    let live = all.filter { !$0.hasEnded }
    #expect(
      Set(bench.sessions.sessions(of: 7).map(\.id)) == Set(live.map(\.id)) && bench.sessions.count(of: 7) == live.count)
    #expect(live.reduce(0) { $0 + bench.sessions.children(of: $1).count } == live.count { $0.isDelegate })
    for owner in 0..<20 { bench.sessions.ownerGone(.bus(":1.\(owner)")) }
    bench.sessions.ownerGone(.bus(":1.1"))
    #expect(bench.sessions.count == 0 && Set(bench.ended).count == all.count && bench.ended.count == all.count)
  }

  // MARK: terms

  @Test func aChildOnlyHasLess() throws {
    let bench = try Bench()
    let root = try bench.open {
      $0.level.preferences = ["tool": .allow]
      $0.level.dial = Degree(millionths: 300_000)
    }
    let child = try bench.delegate(root) {
      $0.level.caps = ["tool.shell": .ask]
      $0.level.preferences = ["mail": .deny]
    }
    let leaf = try bench.chain(3, from: child)[3]
    #expect(bench.sessions.levels(of: root).count == 1)
    #expect(bench.sessions.levels(of: leaf).map(\.caps) == [[:], ["tool.shell": .ask]])
    let terms = bench.sessions.memory(of: leaf).terms.pointee
    #expect(terms.isDelegate && terms.terms.count == 3 && terms.dial.millionths == 300_000)
    // Delegates that take nothing away share what they hold.
    #expect(bench.sessions.memory(of: leaf) === bench.sessions.memory(of: child))
    let plain = try bench.open()
    #expect(bench.sessions.memory(of: try bench.open()) === bench.sessions.memory(of: plain))
    #expect(bench.sessions.memory(of: try bench.delegate(plain)).terms.pointee.isDelegate)
  }

  @Test func aChangeReachesAllBelow() throws {
    let bench = try Bench()
    let root = try bench.open()
    let child = try bench.delegate(root)
    let leaf = try bench.delegate(child)
    let aside = try bench.delegate(root)
    _ = bench.sessions.memory(of: leaf)
    let before = [root, child, leaf, aside].map(\.version)
    try bench.sessions.setPreference(child, "tool", .ask)
    #expect(Set(bench.changed) == [child.id, leaf.id])
    #expect([root, child, leaf, aside].map(\.version) == [before[0], before[1] + 1, before[2] + 1, before[3]])
    #expect(bench.sessions.memory(of: leaf).terms.pointee.terms.count == 1)
    // The same again changes nothing.
    try bench.sessions.setPreference(child, "tool", .ask)
    #expect(child.version == before[1] + 1)
    try bench.sessions.setPreference(child, "tool", nil)
    #expect(bench.sessions.memory(of: leaf).terms.pointee.terms.count == 0)
    try bench.sessions.setDial(root, Degree(millionths: 400_000))
    try bench.sessions.setDial(leaf, Degree(millionths: 200_000))
    let terms = bench.sessions.memory(of: leaf).terms.pointee
    #expect(terms.dial.millionths == 400_000 && terms.dialCap.millionths == 200_000)
    #expect(bench.refusal { try bench.sessions.setDial(root, .one) } == .badDial)
    #expect(bench.refusal { try bench.sessions.setPreference(root, "Bad", .deny) } == .badName("Bad"))
  }

  /// Names count along the way down, so that deciding costs no more however deep it goes.
  @Test func namesAreBoundedAlongTheWay() throws {
    let bench = try Bench()
    var at = try bench.open { t in for i in 0..<1000 { t.level.caps["c\(i)"] = .ask } }
    let root = at
    for i in 0..<24 { at = try bench.delegate(at) { $0.level.caps = ["d\(i)": .deny] } }
    #expect(bench.refusal { _ = try bench.delegate(at) { $0.level.caps = ["e": .deny] } } == .tooMany("behaviors"))
    // What the root takes on, the leaf holds too.
    #expect(bench.refusal { try bench.sessions.setPreference(root, "tool", .deny) } == .tooMany("behaviors"))
    #expect(bench.sessions.memory(of: at).terms.pointee.terms.count == 1024)
    bench.sessions.close(at)
    at = try bench.open()
    try bench.sessions.setPreference(at, "tool", .deny)
  }

  @Test func numbersAreBounded() throws {
    var limits = Sessions.Limits()
    (limits.all, limits.perUser) = (5, 3)
    let bench = try Bench(limits)
    let mine = try (0..<3).map { _ in try bench.open(user: 1) }
    #expect(bench.refusal { _ = try bench.open(user: 1) } == .tooMany("sessions"))
    #expect(bench.refusal { _ = try bench.delegate(mine[0]) } == .tooMany("sessions"))
    _ = try bench.open(user: 2)
    _ = try bench.open(user: 2)
    #expect(bench.refusal { _ = try bench.open(user: 3) } == .tooMany("sessions"))
    bench.sessions.close(mine[1])
    _ = try bench.open(user: 1)
    // Bytes as well, and what is taken back is free again.
    limits.user = 2000
    let small = try Bench(limits)
    let one = try small.open(user: 1) { $0.level.caps = [String(repeating: "x", count: 200): .ask] }
    for i in 0..<6 { try small.sessions.setPreference(one, "\(i)" + String(repeating: "y", count: 200), .deny) }
    #expect(
      small.refusal { try small.sessions.setPreference(one, String(repeating: "z", count: 250), .deny) }
        == .tooMany("bytes of sessions"))
    try small.sessions.setPreference(one, "0" + String(repeating: "y", count: 200), nil)
    try small.sessions.setPreference(one, String(repeating: "z", count: 200), .deny)
    small.sessions.close(one)
    _ = try small.open(user: 1) { $0.level.caps = [String(repeating: "x", count: 200): .ask] }
  }

  // MARK: halts

  @Test func aStopReachesAllBelow() throws {
    let bench = try Bench()
    let root = try bench.open()
    let child = try bench.delegate(root)
    let leaf = try bench.delegate(child)
    let aside = try bench.delegate(root)
    bench.sessions.stop(child, by: 12)
    #expect(Set(bench.changed) == [child.id, leaf.id])
    #expect(bench.sessions.halts(of: root) == [] && bench.sessions.halts(of: aside) == [])
    let halts = bench.sessions.halts(of: leaf)
    #expect(halts.map(\.kind) == [.sessionStop] && halts[0].session == child.id.description && halts[0].by == 12)
    // Who is delegated to after that is halted too.
    #expect(bench.sessions.isHalted(try bench.delegate(leaf)))
    let version = child.version
    bench.sessions.stop(child, by: 13)
    #expect(child.version == version && bench.sessions.halts(of: child)[0].by == 12)
    bench.sessions.stop(root, by: nil)
    #expect(bench.sessions.halts(of: leaf).map(\.session) == [child.id.description, root.id.description])
    #expect(bench.sessions.isHalted(aside))
  }

  @Test func timeEndsIt() throws {
    let bench = try Bench()
    let root = try bench.open { $0.lifetime = 5_000 }
    let child = try bench.delegate(root) { $0.lifetime = 60_000 }
    let brief = try bench.delegate(root) { $0.lifetime = 1_000 }
    let endless = try bench.open { $0.lifetime = .max }
    #expect(child.deadline == root.deadline && endless.deadline == .max)
    bench.now += Bench.second - 1
    bench.sessions.expire()
    #expect(!bench.sessions.isHalted(brief) && bench.changed == [])
    bench.now += 1
    // A decision looks at the clock itself.
    #expect(bench.sessions.isHalted(brief) && bench.sessions.halts(of: brief).map(\.kind) == [.sessionExpired])
    bench.sessions.expire()
    #expect(bench.changed == [brief.id])
    #expect(bench.refusal { _ = try bench.delegate(brief) } == .expired)
    bench.now += 10 * Bench.second
    bench.sessions.expire()
    #expect(Set(bench.changed) == [brief.id, root.id, child.id])
    #expect(bench.sessions.halts(of: child).map(\.session) == [root.id.description])
    #expect(bench.sessions.halts(of: brief).map(\.session) == [root.id.description])
    #expect(!bench.sessions.isHalted(endless))
    // It is there, to be looked at and closed.
    #expect(bench.sessions[root.id] === root)
    bench.sessions.close(root)
    #expect(bench.sessions.count == 1)
  }

  @Test func theLoopLooksAtTheNextDeadline() throws {
    let loop = try EventLoop()
    let sessions = Sessions(loop: loop)
    var told: [SessionID] = []
    sessions.changed = { told.append($0.id) }
    var terms = OpeningTerms()
    terms.lifetime = 60_000
    _ = try sessions.open("a", user: 1, owner: .bus(":1"), terms)
    terms.lifetime = 30
    let brief = try sessions.open("a", user: 1, owner: .bus(":1"), terms)
    let end = loop.now + 5_000_000_000
    while told.isEmpty, loop.now < end { loop.turn(maximumWait: 20_000_000) }
    #expect(told == [brief.id])
  }

  @Test func deadlinesComeInOrder() throws {
    let bench = try Bench()
    var random = SeededRandom(seed: 5)
    var live: [Session] = []
    for _ in 0..<2000 {
      live.append(try bench.open { $0.lifetime = UInt64(1 + random.below(1000)) })
      if random.below(3) == 0 { bench.sessions.close(live.remove(at: random.below(live.count))) }
    }
    for moment in stride(from: 0, through: 1000, by: 50) as StrideThrough<UInt64> {
      bench.now = 1_000 * Bench.second + moment * 1_000_000
      bench.changed = []
      bench.sessions.expire()
      #expect(live.allSatisfy { $0.hasExpired == ($0.deadline <= bench.now) })
    }
  }

  // MARK: cost

  @Test func whatIsSpentIsSpentAbove() throws {
    let bench = try Bench()
    let root = try bench.open { $0.cost = 10 }
    let child = try bench.delegate(root) { $0.cost = 4 }
    let leaf = try bench.delegate(child)
    let aside = try bench.delegate(root)
    #expect(try bench.sessions.spend(leaf, 3) == 1)
    #expect(try bench.sessions.spend(aside, 2) == 5)
    #expect(
      root.spentMillionths == 5_000_000 && child.spentMillionths == 3_000_000 && aside.spentMillionths == 2_000_000)
    #expect(bench.sessions.left(leaf) == 1 && bench.changed == [])
    // A bound that is reached is spent: it halts what has it, and all below.
    #expect(try bench.sessions.spend(leaf, 1) == 0)
    #expect(Set(bench.changed) == [child.id, leaf.id])
    #expect(bench.sessions.halts(of: leaf).map(\.kind) == [.sessionSpent])
    #expect(bench.sessions.halts(of: leaf).map(\.session) == [child.id.description])
    #expect(bench.sessions.halts(of: root) == [])
    #expect(try bench.sessions.spend(leaf, 100) == 0)
    #expect(bench.sessions.isHalted(aside) && bench.sessions.halts(of: leaf).count == 2)
    for wrong in [-0.1, .nan, .infinity, -.infinity] {
      #expect(bench.refusal { _ = try bench.sessions.spend(root, wrong) } == .badCost)
    }
    let free = try bench.open()
    #expect(try bench.sessions.spend(free, 0) == .infinity)
    // Numbers have an end, and stay there; the smallest amount counts.
    _ = try bench.sessions.spend(free, 1e300)
    _ = try bench.sessions.spend(free, 1e300)
    #expect(free.spentMillionths == .max && !bench.sessions.isHalted(free))
    let tiny = try bench.open { $0.cost = 0.000_001 }
    #expect(try bench.sessions.spend(tiny, 0) == 0.000_001)
    #expect(try bench.sessions.spend(tiny, 1e-12) == 0)
    #expect(bench.sessions.isHalted(tiny))
    let rich = try bench.open { $0.cost = 1e300 }
    _ = try bench.sessions.spend(rich, 1e300)
    #expect(bench.sessions.isHalted(rich))
  }

  // MARK: attributes

  @Test func attributesAreCopied() throws {
    var values = [Value.int(7), .string(UnsafeRawBufferPointer(start: nil, count: 0))]
    let terms = Array("user.tagsabc".utf8)
    let attributes = terms.withUnsafeBytes { bytes in
      values[1] = .string(UnsafeRawBufferPointer(rebasing: bytes[9...]))
      return values.withUnsafeBufferPointer {
        SessionAttributes(copying: [(UnsafeRawBufferPointer(rebasing: bytes[..<9]), .list($0))])
      }
    }
    values = []
    let list = try #require(attributes["user.tags"]?.borrowedElements)
    #expect(list.count == 2 && list[0].asInt == 7 && list[1].borrowedBytes.elementsEqual("abc".utf8))
    #expect(attributes["user.tag"] == nil)
    let bench = try Bench()
    let root = try bench.open { $0.attributes = attributes }
    let child = try bench.delegate(root) { $0.attributes = attributes }
    #expect(child.attributes == nil && child.root.attributes === attributes)
  }

  // MARK: size

  /// 100,000 live sessions, each with a user of its own, a cap and an end, in 64 MiB. Other tests in this process may grow
  /// meanwhile: the least of three counts, none of which finds memory that another one left.
  @Test func manyAreSmall() throws {
    let bound = 64 << 20
    var (benches, least): ([Bench], Int) = ([], .max)
    while least > bound, benches.count < 3 {
      let before = try resident()
      benches.append(try crowd(100_000))
      least = min(least, try resident() - before)
    }
    print("100,000 sessions take \(least >> 20) MiB")
    #expect(least <= bound)
    let bench = benches[0]
    let time = ContinuousClock().measure { for i in 0..<1000 { bench.sessions.ownerGone(.bus(":1.\(i)")) } }
    print("ended in \(time)")
    #expect(bench.sessions.count == 0 && bench.ended.count == 100_000)
  }

  private func resident() throws -> Int {
    let text = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8)
    return (Int(text.split(separator: " ")[1]) ?? 0) * Int(sysconf(Int32(_SC_PAGESIZE)))
  }

  private func crowd(_ count: Int) throws -> Bench {
    var limits = Sessions.Limits()
    limits.perUser = count
    let bench = try Bench(limits)
    let name = Array("user.id".utf8)
    for i in 0..<count {
      _ = try bench.open(owner: .bus(":1.\(i % 1000)")) { terms in
        terms.lifetime = 3_600_000
        terms.level.caps = ["tool.shell": .ask]
        Array("user-\(i)".utf8).withUnsafeBytes { id in
          name.withUnsafeBytes { terms.attributes = SessionAttributes(copying: [($0, .string(id))]) }
        }
      }
    }
    return bench
  }

  /// However deep it goes: stopping, closing and deciding don't recurse.
  @Test func aChainMayBeLong() throws {
    let bench = try Bench()
    let all = try bench.chain(19_000, from: try bench.open { $0.cost = 5 })
    let leaf = all[19_000]
    #expect(bench.sessions.memory(of: leaf).terms.pointee.isDelegate)
    _ = try bench.sessions.spend(leaf, 5)
    #expect(bench.sessions.isHalted(leaf) && bench.changed.count == all.count)
    bench.sessions.stop(all[0], by: nil)
    #expect(bench.sessions.halts(of: leaf).count == 2)
    bench.sessions.close(all[0])
    #expect(bench.sessions.count == 0)
  }
}
