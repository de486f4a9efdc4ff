// The properties of DESIGN §2.12 that speak of the dial.

import Oracle
import PolicyImage
import PolicyLanguage
import TestKit

extension Checks {
  // MARK: P11

  /// Each dial that is stated, by file or session, is lowered in turn. In the model: a file whose dial is above a ceiling
  /// that was lowered is no longer loaded, but what was in force stays so, clamped.
  static func lowerDialsNeverLoosen(
    _ one: Trial.Case, _ evaluator: Evaluator, _ answer: Evaluator.Answer
  ) throws -> String? {
    var random = one.random
    let before = try answer(one.request)
    let lowered = lowered(one, &random)
    for (what, loaded, request) in lowered {
      let after = try evaluator.prepare(loaded)(request)
      if after.isLooser(than: before) { return "\(before.summary), and with a lower \(what): \(after.summary)" }
    }
    return nil
  }

  private static func lowered(
    _ one: Trial.Case, _ random: inout SeededRandom
  ) -> [(String, LoadedPolicy, OracleRequest)] {
    func lower(_ value: Degree, to least: Degree = Degree(millionths: 1), _ random: inout SeededRandom) -> Degree {
      let span = value.millionths - min(value.millionths, least.millionths)
      return Degree(millionths: value.millionths - UInt32(random.below(Int(span) + 1)))
    }
    var result: [(String, LoadedPolicy, OracleRequest)] = []
    if let dial = one.request.dial {
      var request = one.request
      request.dial = lower(dial, &random)
      result.append(("session's dial", one.loaded, request))
    }
    for (depth, level) in one.request.session.enumerated() {
      guard let dial = level.dial else { continue }
      var request = one.request
      request.session[depth].dial = lower(dial, &random)
      result.append(("dial of the session at depth \(depth)", one.loaded, request))
    }
    if let dial = one.loaded.operator?.dial {
      var loaded = one.loaded
      loaded.operator?.dial?.value = lower(dial.value, &random)
      result.append(("operator's dial", loaded, one.request))
    }
    guard let stated = one.policy.dial, let dial = one.loaded.platform?.dial else { return result }
    var loaded = one.loaded
    let value = lower(dial.default.value, &random)
    loaded.platform?.dial.default.value = value
    if stated.operatorsMay == nil { loaded.platform?.dial.operatorsMay.value = value }
    if stated.usersMay == nil { loaded.platform?.dial.usersMay.value = value }
    result.append(("default", loaded, one.request))
    loaded = one.loaded
    loaded.platform?.dial.operatorsMay.value = lower(dial.operatorsMay.value, to: dial.default.value, &random)
    result.append(("`operators-may`", loaded, one.request))
    loaded = one.loaded
    loaded.platform?.dial.usersMay.value = lower(dial.usersMay.value, to: dial.default.value, &random)
    result.append(("`users-may`", loaded, one.request))
    return result
  }

  // MARK: P15

  /// An agent's own initiative with more at stake than the dial, or untrusted text, with every duty for it: `ask` at most.
  static func agentsAskAboveTheDial(
    _ one: Trial.Case, _ evaluator: Evaluator, _: Evaluator.Answer
  ) throws -> String? {
    var random = one.random
    var request = one.request
    request.source = random.chance(75) ? .agent : .untrusted
    // A delegate has nobody's instruction, whatever it says.
    if request.session.count > 1, request.source == .agent { request.source = one.request.source }
    let held = request.behaviors.filter {
      absolute(of: $0, one.policy) == .none
        && (request.source == .untrusted || stakes(of: $0, one.policy) > dial(one.policy, request))
    }
    guard !held.isEmpty else { return nil }
    var policy = one.policy
    for name in held where one.loaded.platform?.behaviors[name] != nil {
      policy.platformRules.append(.duty(name))
    }
    let decision = try evaluator.prepare(try policy.loaded())(request)
    return decision.effect <= .ask ? nil : "\(held) from \(request.source), and yet \(decision.summary)\n\(policy.text)"
  }

  /// Worked out from the generated policy itself.
  private static func stakes(of name: String, _ policy: GeneratedPolicy) -> Double {
    let stated = policy.behaviors.filter { name == $0.name || name.hasPrefix($0.name + ".") }
      .compactMap { behavior in behavior.stakes.map { (behavior.name.count, $0) } }
    return stated.max { $0.0 < $1.0 }?.1 ?? 1
  }

  private static func dial(_ policy: GeneratedPolicy, _ request: OracleRequest) -> Double {
    let own = request.session.first?.dial ?? request.dial
    let lowered = request.session.dropFirst().compactMap(\.dial?.value).min() ?? 1
    return min(lowered, dial(policy, own?.value, request.ended))
  }

  private static func dial(_ policy: GeneratedPolicy, _ session: Double?, _ ended: Set<String>) -> Double {
    var dial = policy.dial ?? GeneratedDial(default: 0.1, operatorsMay: nil, usersMay: nil)
    for one in dial.after where ended.contains(one.period) {
      let own = dial.default
      dial.operatorsMay = max(one.operatorsMay ?? dial.operatorsMay ?? own, one.default ?? own)
      dial.usersMay = max(one.usersMay ?? dial.usersMay ?? own, one.default ?? own)
      dial.default = one.default ?? own
    }
    if let stated = policy.operatorDial {
      return min(session ?? 1, stated, dial.operatorsMay ?? dial.default)
    }
    return session.map { min($0, dial.usersMay ?? dial.default) } ?? dial.default
  }
}
