// P12: the same question has the same answer whichever way it is asked: over the bus, at the attach socket, by a snapshot in
// this process, by an image file without a daemon; and the Oracle, which shares no code with them, agrees.

import Bus
import Foundation
import LicetHeader
import Oracle
import PolicyImage
import PolicyLanguage
import TestKit
import Testing

@Suite struct DifferentialTests {
  /// Requests that go all five ways; LICET_DECISIONS asks for more or fewer, LICET_SEED for others.
  static let wanted = ProcessInfo.processInfo.environment["LICET_DECISIONS"].flatMap { Int($0) } ?? 100_000
  static let seed = ProcessInfo.processInfo.environment["LICET_SEED"].flatMap { UInt64($0) } ?? 20_270_301
  /// Of each half, which has a licetd of its own.
  static let policies = 20

  @Test(arguments: 0..<2) func fiveWaysAgree(half: UInt64) throws {
    let library = try LibraryHandle.shared.get()
    var random = SeededRandom(seed: Self.seed &+ half)
    var ways = try Ways(library, Self.policy(&random))
    var tally = Tally()
    let each = max(1, (Self.wanted / 2 + Self.policies - 1) / Self.policies)
    for number in 0..<Self.policies {
      let next = Self.policy(&random)
      // Handles go on over most of the generations; some are opened anew.
      try tally.timed("reload and compile") { _ in try ways.follow(next, isOpenedAnew: number % 8 == 7) }
      try ways.ask(each, &random, &tally)
      if tally.failures > 3 { break }
    }
    #expect(tally.five >= each * Self.policies, "LICET_SEED=\(Self.seed): \(tally)")
    #expect(tally.explained * 5 >= tally.five && tally.halted > 0 && tally.inSession > 0 && tally.off > 0, "\(tally)")
    #expect(tally.effects.count == 3 && tally.deciders.count >= 9, "\(tally)")
    print("five ways, half \(half): \(tally)")
  }

  private static func policy(_ random: inout SeededRandom) -> GeneratedPolicy {
    // What a daemon has counted is not told with a request: CounterTests have it count.
    var policy = GeneratedPolicy.generate(&random).uncounted
    // Next to nothing to decide by teaches next to nothing; and the Oracle tries every combination of failures.
    while !(4...8).contains(policy.platformRules.count + policy.operatorRules.count) {
      policy = GeneratedPolicy.generate(&random).uncounted
    }
    // Each question would be answered by what those before it raised: Tests/Library/sessions.py has that.
    policy.suspicion = nil
    return policy
  }
}

struct Tally: CustomStringConvertible {
  /// Asked all five ways; of these, explained; halted ones, which an image file has none of; with what the bus can't carry.
  var five = 0
  var explained = 0
  var halted = 0
  var inSession = 0
  var off = 0
  var failures = 0
  var effects: Set<Int32> = []
  var deciders: Set<UInt8> = []
  var seconds: [String: Double] = [:]

  var description: String {
    let times = seconds.sorted { $0.key < $1.key }.map { "\($0.key) \(($0.value * 10).rounded() / 10)" }
    return
      "\(five) requests, \(explained) of them explained; \(halted) halted, \(inSession) in sessions, \(off) not on the bus; "
      + "decided by \(deciders.count) ranks; seconds: \(times.joined(separator: ", "))"
  }

  mutating func timed<Result>(_ what: String, _ body: (inout Tally) throws -> Result) rethrows -> Result {
    let begin = ContinuousClock.now
    defer { seconds[what, default: 0] += begin.duration(to: .now) / .seconds(1) }
    return try body(&self)
  }
}

/// One policy in force, and everybody who may be asked about it.
struct Ways {
  private let library: LibraryHandle
  private let daemon: Daemon
  private var policy: GeneratedPolicy
  private var platform: Platform
  private var op: PolicyLanguage.Operator
  private var places: Places
  private var generation: UInt64
  private var snapshot: OpenedAuthority
  private var remote: OpenedAuthority
  private var embedded: OpenedAuthority

  init(_ library: LibraryHandle, _ policy: GeneratedPolicy) throws {
    (self.library, self.policy) = (library, policy)
    daemon = try Daemon(policy)
    (platform, op, places) = try Ways.loaded(policy)
    generation = try daemon.reload()
    snapshot = try OpenedAuthority(library, mode: LICET_SNAPSHOT, path: daemon.socket)
    remote = try OpenedAuthority(library, mode: LICET_REMOTE, path: daemon.socket)
    embedded = try OpenedAuthority(library, mode: LICET_EMBEDDED, path: daemon.image())
  }

  /// As the daemon reads the files: with who is bound.
  private static func loaded(_ policy: GeneratedPolicy) throws -> (Platform, PolicyLanguage.Operator, Places) {
    let files = [
      SourceFile(path: "platform.yaml", bytes: Array(policy.platformText.utf8)),
      SourceFile(path: "operators.d/op.yaml", bytes: Array(Daemon.bound(policy).utf8)),
    ]
    let set = load(files)
    let platform = try #require(set.platform, "\(policy.text)")
    let op = try #require(set.operators["op"], "\(policy.text)")
    return (platform, op, Places(platform, op))
  }

  mutating func follow(_ next: GeneratedPolicy, isOpenedAnew: Bool) throws {
    policy = next
    (platform, op, places) = try Ways.loaded(next)
    try daemon.save(next)
    let number = try daemon.reload()
    try #require(number > generation, "a reload of another policy brought no generation")
    generation = number
    if isOpenedAnew {
      snapshot = try OpenedAuthority(library, mode: LICET_SNAPSHOT, path: daemon.socket)
      remote = try OpenedAuthority(library, mode: LICET_REMOTE, path: daemon.socket)
    }
    embedded = try OpenedAuthority(library, mode: LICET_EMBEDDED, path: daemon.image())
  }

  // MARK: asking

  private struct Case {
    var request: OracleRequest
    var isExplained: Bool
    var byName: Bool
    var answers: [(way: String, told: Told)] = []
    var bus: BusAnswer?
    /// The snapshot's own, and the remote one's, which joined it.
    var sessions: [OpenedSession] = []
  }

  /// Until `count` requests went all five ways.
  func ask(_ count: Int, _ random: inout SeededRandom, _ tally: inout Tally) throws {
    var left = count
    while left > 0 {
      let start = time(nil)
      var cases: [Case] = []
      for index in 0..<min(1250, left + left / 8 + 8) {
        var request = policy.request(&random)
        request.now = (Int64(start), 0)
        // A session's own is its root's.
        request.dial = nil
        request.suspicion = 0
        if index % 8 != 0 { request.session = [] }
        // What has ended a daemon is not told with a request: PeriodTests have it determined.
        request.ended = []
        request.argument = request.argument?.replacing("\u{0000}", with: "")
        // RefusalTests have what is too long.
        if (request.argument ?? "").utf8.count > 65_536 { request.argument = nil }
        cases.append(Case(request: request, isExplained: index % 9 < 2, byName: index % 2 == 0))
      }
      try askAll(&cases, &tally)
      // Clauses of the generated policies change with the quarter of an hour at most, somewhere on the world.
      if start / 900 != time(nil) / 900 { continue }
      tally.timed("comparing, the Oracle too") { compare(cases, &$0) }
      left -= cases.count { !$0.request.isHalted && $0.request.isOnBus && $0.request.session.isEmpty }
      if tally.failures > 3 { return }
    }
  }

  private func askAll(_ cases: inout [Case], _ tally: inout Tally) throws {
    for isHalted in [false, true] {
      if isHalted { _ = try daemon.call("Admin", "Stop") { $0.append("op") } }
      let chosen = cases.indices.filter { cases[$0].request.isHalted == isHalted }
      for index in chosen {
        if !cases[index].request.session.isEmpty {
          let own = try OpenedSession(snapshot, cases[index].request.session)
          cases[index].sessions = [own, try OpenedSession(remote, joining: own.id)]
        }
        askLibrary(&cases[index], &tally)
      }
      try tally.timed("bus") { _ in
        try askBus(chosen.filter { cases[$0].request.isOnBus && cases[$0].sessions.isEmpty }, &cases)
        for index in chosen where cases[index].request.isOnBus { try askBusInSession(&cases[index]) }
      }
      for index in chosen {
        cases[index].sessions.first?.close()
        cases[index].sessions = []
      }
      if isHalted { _ = try daemon.call("Admin", "Resume") { $0.append("op") } }
    }
  }

  private func askLibrary(_ one: inout Case, _ tally: inout Tally) {
    let lent = Lent()
    let values = one.request.attributes.map { (name: $0.key, value: lent.value($0.value)) }
    var ways = [("snapshot", snapshot), ("remote", remote)]
    if !one.request.isHalted, one.sessions.isEmpty { ways.append(("embedded", embedded)) }
    for (name, authority) in ways {
      let told = tally.timed(name) { _ in
        ask(authority, one, values, lent)
      }
      one.answers.append((name, told))
    }
  }

  private func ask(
    _ authority: OpenedAuthority, _ one: Case, _ values: [(name: String, value: licet_value)], _ lent: Lent
  ) -> Told {
    let code = authority.fill(one.request, values, lent, byName: one.byName)
    guard code == 0 else { return Told(code: code) }
    if let session = authority === snapshot ? one.sessions.first : one.sessions.last {
      let code = library.setSession(authority.request, session.handle)
      guard code == 0 else { return Told(code: code) }
    }
    var told = authority.decide(one.request.behaviors, lent, byName: one.byName)
    if one.isExplained {
      let explained = authority.explain(one.request.behaviors, lent)
      var short = explained
      (short.steps, short.way, short.changes) = (nil, 0, [])
      if short != told {
        Issue.record("licet_explain and licet_check differ:\n\(short.difference(told))\n\(one.request)\n\(policy.text)")
      }
      told = explained
    }
    if authority === embedded, told.generation == 1 { told.generation = generation }
    return told
  }

  private func askBusInSession(_ one: inout Case) throws {
    guard let session = one.sessions.first else { return }
    let (request, isExplaining) = (one.request, one.isExplained)
    let reply = try daemon.call("Session", "CheckMany", at: "/session/\(session.id)") { writer in
      writer.array("(asa{sv})") { list in list.structure { request.write(isExplaining: isExplaining, &$0) } }
    }
    var reader = reply.reader
    var answers = try reader.nextArray()
    var answer = try answers.nextStruct()
    one.bus = try BusAnswer(&answer)
  }

  private func askBus(_ chosen: [Int], _ cases: inout [Case]) throws {
    var rest = chosen[...]
    while !rest.isEmpty {
      let part = rest.prefix(400)
      rest = rest.dropFirst(400)
      let reply = try daemon.call("Authority", "CheckMany") { writer in
        writer.append("op")
        writer.array("(asa{sv})") { list in
          for index in part {
            list.structure { cases[index].request.write(isExplaining: cases[index].isExplained, &$0) }
          }
        }
      }
      var reader = reply.reader
      var answers = try reader.nextArray()
      for index in part {
        var answer = try answers.nextStruct()
        cases[index].bus = try BusAnswer(&answer)
      }
      try #require(answers.atEnd)
    }
  }

  // MARK: comparing

  private func compare(_ cases: [Case], _ tally: inout Tally) {
    for one in cases {
      let first = one.answers[0].told
      if let problem = difference(one, first, &tally) {
        tally.failures += 1
        Issue.record("LICET_SEED=\(DifferentialTests.seed)\n\(problem)\n\(one.request)\n\(policy.text)")
        if tally.failures > 3 { return }
      }
      tally.effects.insert(first.effect)
      tally.deciders.insert(first.decidedBy)
      if one.request.isHalted {
        tally.halted += 1
      } else if !one.request.session.isEmpty {
        tally.inSession += 1
      } else if !one.request.isOnBus {
        tally.off += 1
      } else {
        tally.five += 1
        if one.isExplained { tally.explained += 1 }
      }
    }
  }

  private func difference(_ one: Case, _ first: Told, _ tally: inout Tally) -> String? {
    guard first.code >= 0, !first.isLost, first.code == first.effect else {
      return "snapshot: \(first.code), \(snapshot.complaint)"
    }
    // P6: each answer is one generation's, and says which.
    guard first.generation == generation else { return "generation \(first.generation), not \(generation)" }
    for (way, told) in one.answers.dropFirst() where told != first {
      return "snapshot / \(way):\n\(first.difference(told))"
    }
    if let answer = one.bus {
      let bus = one.isExplained ? answer : answer.short(one.request.behaviors)
      let words = first.onBus(one.request.behaviors)
      if bus != words { return "bus / snapshot:\n\(bus)\n\(words)" }
    }
    return tally.timed("Oracle") { _ in oracle(one, first) }
  }

  private func oracle(_ one: Case, _ first: Told) -> String? {
    do {
      var answer = try Oracle.decide(one.request, platform: platform, operator: op)
      if !one.isExplained { (answer.trace, answer.way) = ([], nil) }
      answer.decidedBy.statement = places.canonical(answer.decidedBy.statement, platform.dial)
      for index in answer.trace.indices {
        answer.trace[index].statement = places.canonical(answer.trace[index].statement, platform.dial)
      }
      let words = first.inOracle(places)
      return answer == words ? nil : "Oracle / snapshot:\n\(answer)\n\(words)"
    } catch {
      return "Oracle: \(error)"
    }
  }
}
