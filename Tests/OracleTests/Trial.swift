// Runs generated cases: how many, from which seed, and what is said about a case that fails.

import Foundation
import Oracle
import Synchronization
import TestKit
import Testing

/// One property, as a check of generated cases. It returns what is wrong, or nil.
struct Trial {
  /// About as many decisions as an ordinary run makes in all; LICET_DECISIONS asks for more or fewer.
  static let decisions = ProcessInfo.processInfo.environment["LICET_DECISIONS"].flatMap { Int($0) } ?? 120_000
  /// LICET_SEED repeats a run.
  static let seed: UInt64 = ProcessInfo.processInfo.environment["LICET_SEED"].flatMap { UInt64($0) } ?? 20_270_101
  static let requestsPerPolicy = 25

  /// Counts what an evaluator is asked.
  final class Count: Sendable {
    private let total = Mutex(0)
    var decisions: Int { total.withLock { $0 } }
    func add() { total.withLock { $0 += 1 } }
  }

  /// What a property looks at: a policy set and one request, plus randomness for its own choices.
  struct Case {
    var policy: GeneratedPolicy
    var loaded: LoadedPolicy
    var request: OracleRequest
    var random: SeededRandom
  }

  struct Counterexample: CustomStringConvertible {
    var problem: String
    var at: Case
    var number: Int
    var description: String {
      """
      \(problem)
      LICET_SEED=\(Trial.seed), case \(number)
      \(at.policy.text)
      request: \(at.request)
      """
    }
  }

  /// The case, the evaluator, and its answers on the case's own policy.
  typealias Check = (Case, Evaluator, Evaluator.Answer) throws -> String?

  /// Tries the property until enough decisions are made; nil: it held. The counterexample is cut down first.
  static func run(_ evaluator: Evaluator, upTo limit: Int, _ check: Check) -> Counterexample? {
    let count = Count()
    let counting = Evaluator(evaluator.name) { policy in
      let answer = try evaluator.prepare(policy)
      return { request in
        count.add()
        return try answer(request)
      }
    }
    var number = 0
    while count.decisions < limit, number < limit * 4 {
      let policySeed = seed &+ UInt64(number) &* 7919
      var random = SeededRandom(seed: policySeed)
      let policy = GeneratedPolicy.generate(&random)
      let loaded: LoadedPolicy
      let answer: Evaluator.Answer
      do {
        loaded = try policy.loaded()
        answer = try counting.prepare(loaded)
      } catch {
        Issue.record("seed \(policySeed): \(error)\n\(policy.text)")
        return nil
      }
      for _ in 0..<requestsPerPolicy {
        number += 1
        let one = Case(policy: policy, loaded: loaded, request: policy.request(&random), random: random)
        if let problem = failure(one, counting, answer, check) {
          return shrink(Counterexample(problem: problem, at: one, number: number), counting, check)
        }
      }
    }
    return nil
  }

  private static func failure(
    _ one: Case, _ evaluator: Evaluator, _ answer: @escaping Evaluator.Answer, _ check: Check
  ) -> String? {
    do { return try check(one, evaluator, answer) } catch { return "\(error)" }
  }

  /// Leaves out parts as long as the property still fails.
  private static func shrink(_ found: Counterexample, _ evaluator: Evaluator, _ check: Check) -> Counterexample {
    var best = found
    var improved = true
    while improved {
      improved = false
      for var candidate in smaller(best.at) {
        guard let loaded = try? candidate.policy.loaded(), let answer = try? evaluator.prepare(loaded) else { continue }
        candidate.loaded = loaded
        guard let problem = failure(candidate, evaluator, answer, check) else { continue }
        best.at = candidate
        best.problem = problem
        improved = true
        break
      }
    }
    return best
  }

  private static func smaller(_ one: Case) -> [Case] {
    var result: [Case] = []
    for policy in one.policy.smaller {
      var copy = one
      copy.policy = policy
      result.append(copy)
    }
    func variant(_ change: (inout OracleRequest) -> Void) {
      var copy = one
      change(&copy.request)
      result.append(copy)
    }
    if one.request.preference != nil { variant { $0.preference = nil } }
    if one.request.dial != nil { variant { $0.dial = nil } }
    if one.request.suspicion != 0 { variant { $0.suspicion = 0 } }
    for index in one.request.session.indices {
      variant { $0.session.remove(at: index) }
      if one.request.session[index] != OracleSessionLevel() { variant { $0.session[index] = OracleSessionLevel() } }
    }
    if one.request.isHalted { variant { $0.isHalted = false } }
    if one.request.argument != nil { variant { $0.argument = nil } }
    if one.request.resource != nil { variant { $0.resource = nil } }
    for name in one.request.attributes.keys.sorted() { variant { $0.attributes[name] = nil } }
    for index in one.request.behaviors.indices where one.request.behaviors.count > 1 {
      variant { $0.behaviors.remove(at: index) }
    }
    return result
  }
}
