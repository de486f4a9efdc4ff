// Generated pairs of policies: what generated requests find, decided by the Oracle, the comparison has found too; and what it
// shows is so, by the Oracle.

import Consultation
import Foundation
import Offline
import Oracle
import PolicyImage
import PolicyLanguage
import Synchronization
import TestKit
import Testing

@testable import PolicyDiff

@Suite struct GeneratedTests {
  /// Pairs of each mutation, and requests for each pair. LICET_DIFF_PAIRS asks for more or fewer, LICET_SEED repeats.
  static let pairs = ProcessInfo.processInfo.environment["LICET_DIFF_PAIRS"].flatMap { Int($0) } ?? 2
  static let requests = 200
  static let seed: UInt64 = ProcessInfo.processInfo.environment["LICET_SEED"].flatMap { UInt64($0) } ?? 20_270_101

  @Test(arguments: Mutation.allCases)
  func everyDifferenceThatRequestsFindIsFound(_ mutation: Mutation) throws {
    var tally = Tally()
    let start = ContinuousClock.now
    for pair in Pair.showing(mutation, seed: Self.seed &+ mutation.number).prefix(Self.pairs) {
      let found = try pair.compare()
      let problems = try pair.missed(found, requests: Self.requests, &tally)
      for problem in problems.prefix(1) { Issue.record("\(mutation) LICET_SEED=\(Self.seed)\n\(problem)") }
      for problem in try pair.untrue(found).prefix(1) { Issue.record("\(mutation)\n\(problem)") }
      if mutation == .orderOnly { #expect(found.isEmpty && found.isProved, "\(pair.text)") }
      tally.pairs += 1
      tally.found += found.operators.first?.differences.count ?? 0
      tally.searched += found.requests
      if !found.isProved { tally.unproved += 1 }
    }
    FileHandle.standardError.write(
      Data("diff, \(mutation): \(tally), \((ContinuousClock.now - start).components.seconds) s\n".utf8))
    #expect(tally.pairs > 0)
    #expect(tally.shown > 0 || mutation == .orderOnly, "no request shows what \(mutation) changes")
  }

  /// A comparison that looks less closely misses something, and it is noticed. (The others, which seldom show: DifferenceTests.)
  @Test(
    arguments: [
      (.preferences, [.ceiling, .default, .dropRule]), (.namesBelow, [.dropRule, .ruleEffect, .default]),
      (.undeclared, [.unknown, .dropBehavior]), (.arguments, [.condition, .dropRule, .addRule]),
      (.neighbours, [.constant, .condition]), (.dials, [.dial, .operatorDial, .stakes]), (.periods, [.period, .after]),
      (.suspicion, [.suspicion]),
    ] as [(Breadth.Fault, [Mutation])])
  func bites(_ fault: Breadth.Fault, _ mutations: [Mutation]) throws {
    var tally = Tally()
    var missed = 0
    for round in 0..<16 {
      for mutation in mutations where missed == 0 {
        let seed = Self.seed &+ UInt64(round) &* 104_729
        guard let pair = Pair.showing(mutation, seed: seed).first(where: { _ in true }) else {
          continue
        }
        tally.pairs += 1
        missed += try pair.missed(
          try pair.compare(Breadth(without: fault, states: 300, samples: 50)), requests: Self.requests, &tally
        ).count
      }
    }
    FileHandle.standardError.write(Data("diff, without \(fault): \(tally)\n".utf8))
    #expect(missed > 0, "nobody notices \(fault)")
  }
}

struct Tally: CustomStringConvertible {
  var pairs = 0
  var unproved = 0
  var found = 0
  var searched = 0
  /// Requests by which the two policies differ.
  var shown = 0
  var description: String {
    "\(pairs) pairs, \(unproved) not proved; \(found) differences found in \(searched) decisions; \(shown) generated requests differ"
  }
}

extension Mutation {
  var number: UInt64 { UInt64(Mutation.allCases.firstIndex(of: self) ?? 0) &* 1_000_003 }
}

struct NoPolicy: Error {}

/// Two policies of which one came of the other.
struct Pair {
  let old: GeneratedPolicy
  let new: GeneratedPolicy
  private let loaded: [TestKit.LoadedPolicy]
  private var random: SeededRandom

  var text: String { "OLD\n\(old.text)NEW\n\(new.text)" }

  static func make(_ mutation: Mutation, seed: UInt64) -> Pair? {
    var random = SeededRandom(seed: seed)
    for _ in 0..<40 {
      let old = GeneratedPolicy.generate(&random)
      guard let new = old.mutated(mutation, &random), let a = try? old.loaded(), let b = try? new.loaded() else {
        continue
      }
      // In either direction.
      return random.chance(50)
        ? Pair(old: old, new: new, loaded: [a, b], random: random)
        : Pair(old: new, new: old, loaded: [b, a], random: random)
    }
    return nil
  }

  /// Pairs that a few generated requests tell apart (of a change of order any), one by one; of 200 tried at most.
  static func showing(_ mutation: Mutation, seed: UInt64) -> some Sequence<Pair> {
    (0..<200).lazy.compactMap { make(mutation, seed: seed &+ UInt64($0) &* 7919) }
      .filter { mutation == .orderOnly || $0.isShown(by: 40) }
  }

  private func isShown(by requests: Int) -> Bool {
    var random = random
    return (0..<requests).contains { number in
      let request = (number % 2 == 0 ? old : new).request(&random)
      guard let answers = try? decide(request) else { return false }
      return answers[0].effect != answers[1].effect || answers[0].obligations != answers[1].obligations
    }
  }

  func compare(_ breadth: Breadth = Breadth(states: 3_000, samples: 250)) throws -> PolicyDifferences {
    let policies = [old, new].compactMap { openPolicy($0.files).policy }
    guard policies.count == 2 else { throw NoPolicy() }
    return differences(from: policies[0], to: policies[1], operators: nil, breadth)
  }

  private func decide(_ request: OracleRequest) throws -> [OracleDecision] {
    try loaded.map { try Oracle.decide(request, platform: $0.platform, operator: $0.operator, findsWay: false) }
  }

  /// Requests that the two policies decide differently, and the comparison doesn't tell.
  func missed(_ found: PolicyDifferences, requests: Int, _ tally: inout Tally) throws -> [String] {
    var random = random
    var problems: [String] = []
    let told = found.operators.first?.differences ?? []
    for number in 0..<requests {
      let request = (number % 2 == 0 ? old : new).request(&random)
      let answers = try decide(request)
      guard answers[0].effect != answers[1].effect || answers[0].obligations != answers[1].obligations else { continue }
      tally.shown += 1
      // In a session each name may be wished for apart: a wider one shows what one below does.
      let about = told.filter { difference in
        request.behaviors.contains {
          covers(difference, $0) || (!request.session.isEmpty && BehaviorName.covers($0, difference.name))
        }
      }
      // One name, asked about as it stands: exactly this change has to be told. Stops, sessions and suspicion hide some of it, other names
      // mix it.
      let isSuspect = request.suspicion > 0 && (old.suspicion ?? new.suspicion) != nil
      let isPlain = request.behaviors.count == 1 && !request.isHalted && request.session.isEmpty && !isSuspect
      let isTold = isPlain ? about.contains { tells($0, answers) } : !about.isEmpty
      if !isTold {
        problems.append(
          """
          not told: \(answers[0].effect) \(answers[0].obligations) -> \(answers[1].effect) \(answers[1].obligations)
          for \(request)
          told about it: \(about.map { "\($0.name) \($0.old.effect) -> \($0.new.effect)" })
          not exhaustive: \(found.operators.first?.notExhaustive ?? [])
          \(text)
          """)
      }
    }
    return problems
  }

  private var known: Set<String> {
    Set(
      loaded.flatMap { one -> [String] in
        let behaviors = one.platform.map { Array($0.behaviors.keys) } ?? []
        let statements = (one.platform?.statements ?? []) + (one.operator?.statements ?? [])
        return (behaviors + statements.map(\.behavior) + statements.flatMap(\.comparedNames)).flatMap(BehaviorName.path)
      })
  }

  private func covers(_ difference: Difference, _ name: String) -> Bool {
    if difference.name == name || (difference.coversBelow && BehaviorName.covers(difference.name, name)) { return true }
    // Nobody has declared it, nor the one that stands for it: both below the same name.
    let known = known
    guard !known.contains(name), !known.contains(difference.name) else { return false }
    func above(_ name: String) -> String? { BehaviorName.path(of: name).first { known.contains($0) } }
    return above(name) == above(difference.name)
  }

  private func tells(_ difference: Difference, _ answers: [OracleDecision]) -> Bool {
    guard difference.old.effect == answers[0].effect, difference.new.effect == answers[1].effect else { return false }
    if answers[0].effect != answers[1].effect { return true }
    return difference.lost == answers[0].obligations.filter { !answers[1].obligations.contains($0) }
      && difference.gained == answers[1].obligations.filter { !answers[0].obligations.contains($0) }
  }

  /// Differences whose request the Oracle decides otherwise than it is told.
  func untrue(_ found: PolicyDifferences) throws -> [String] {
    try (found.operators.first?.differences ?? []).compactMap { difference in
      let answers = try decide(OracleRequest(difference))
      let isTrue = zip(answers, [difference.old, difference.new]).allSatisfy {
        $0.effect == $1.effect && $0.obligations == $1.obligations
      }
      return isTrue
        ? nil : "not so: \(difference)\nthe Oracle: \(answers.map(\.effect)) \(answers.map(\.obligations))\n\(text)"
    }
  }
}

extension OracleRequest {
  init(_ difference: Difference) {
    let request = difference.request
    self.init(
      behaviors: request.behaviors, resource: request.resource, source: request.source,
      attributes: request.attributes.mapValues { OracleValue($0) }.merging(
        request.counters.map { ("counter." + $0.key, .int($0.value)) }
      ) { $1 }, argument: request.argument,
      preference: request.preference, dial: request.dial, now: (request.now.seconds, Int64(request.now.nanoseconds)),
      isHalted: difference.isHalted, ended: Set(request.ended))
    suspicion = request.suspicion
  }
}

extension OracleValue {
  init(_ value: RequestValue) {
    switch value {
    case .null: self = .null
    case .bool(let it): self = .bool(it)
    case .int(let it): self = .int(it)
    case .uint(let it): self = .uint(it)
    case .double(let it): self = .double(it)
    case .string(let it): self = .text(it)
    case .bytes(let it): self = .bytes(it)
    case .timestamp(let seconds, let nanoseconds): self = .timestamp(seconds: seconds, nanoseconds: Int64(nanoseconds))
    case .duration(let seconds, let nanoseconds): self = .duration(seconds * 1_000_000_000 + Int64(nanoseconds))
    case .list(let elements): self = .list(elements.map { OracleValue($0) })
    case .map(let entries): self = .map(entries.map { OraclePair(OracleValue($0.key), OracleValue($0.value)) })
    }
  }
}
