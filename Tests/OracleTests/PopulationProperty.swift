// DESIGN §2.7 as a property: what a population's default is, worked out here a third time, with Foundation's decimals.

import Foundation
import Oracle
import PolicyImage
import PolicyLanguage
import TestKit

extension Checks {
  /// Where neither rules nor a wish have a say, a behaviour with a population is decided by its best response for the
  /// platform's own people, and for an operator's audience by the best of those that the operator may have.
  static func populationsAreServed(
    _ one: Trial.Case, _ evaluator: Evaluator, _ answer: Evaluator.Answer
  ) throws -> String? {
    var random = one.random
    let candidates = one.policy.behaviors.filter { $0.population != nil && isAlone($0.name, one.policy) }
    guard !candidates.isEmpty else { return nil }
    let behavior = random.pick(candidates)
    guard let population = behavior.population else { return nil }
    var policy = one.policy
    policy.platformRules = []
    policy.operatorRules = []
    var request = one.request
    (request.behaviors, request.preference, request.isHalted) = ([behavior.name], nil, false)
    // What a session and suspicion take away is P4's and theirs.
    (request.session, request.suspicion) = ([], 0)
    // What the dial makes of it is P15's.
    request.source = .user
    // What the end of a period replaces is none of the population's.
    request.ended = []
    let decision = try evaluator.prepare(try policy.loaded())(request)
    let audience = one.policy.audiences.first { $0.behavior == behavior.name }
    let platforms = best(population, population.who, .allow)
    let ceiling = max(platforms?.effect ?? .deny, behavior.operatorsMay ?? .deny)
    let chosen = audience == nil ? platforms : best(population, audience?.who ?? [:], ceiling)
    let expected = (chosen?.effect ?? .deny, chosen?.obligations ?? [])
    return (decision.effect, decision.obligations) == expected ? nil : "\(decision.summary), not \(expected)"
  }

  /// Nothing is declared below it, and no absolute above.
  private static func isAlone(_ name: String, _ policy: GeneratedPolicy) -> Bool {
    !policy.behaviors.contains {
      $0.name != name
        && (BehaviorName.covers(name, $0.name) || ($0.hardcoded != .none && BehaviorName.covers($0.name, name)))
    }
  }

  private static func best(
    _ population: Population, _ who: [String: Int64], _ ceiling: Effect
  ) -> PopulationResponse? {
    func number(_ payoff: Payoff?) -> Decimal {
      Decimal(string: payoff?.text ?? "0", locale: Locale(identifier: "en_US_POSIX")) ?? .nan
    }
    func total(_ response: PopulationResponse) -> Decimal {
      who.reduce(Decimal(0)) { $0 + Decimal($1.value) * number(response.payoffs[$1.key]) }
    }
    let possible = population.responses.filter { response in
      response.effect <= ceiling
        && population.bounds.allSatisfy { number(response.payoffs[$0.key]) >= number($0.value) }
    }
    return possible.min { a, b in
      if total(a) != total(b) { return total(a) > total(b) }
      if a.effect != b.effect { return a.effect < b.effect }
      if a.obligations.count != b.obligations.count { return a.obligations.count > b.obligations.count }
      return a.obligations.lexicographicallyPrecedes(b.obligations)
    }
  }
}
