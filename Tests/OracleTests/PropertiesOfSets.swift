// The properties of DESIGN §2.12 that compare two policy sets, or two names.

import Oracle
import PolicyImage
import PolicyLanguage
import TestKit

extension Checks {
  // MARK: P8

  static func restrictionsNeverLoosen(
    _ one: Trial.Case, _ evaluator: Evaluator, _ answer: Evaluator.Answer
  ) throws -> String? {
    var random = one.random
    let before = try answer(one.request)
    let (policy, isAddition) = restricted(one.policy, &random)
    guard let policy else { return nil }
    let after = try evaluator.prepare(try policy.loaded())(one.request)
    // A duty that is gone takes its obligations with it, so only the effect is promised then.
    let isLooser = isAddition ? after.isLooser(than: before) : after.effect > before.effect
    return isLooser ? "\(before.summary), and restricted \(after.summary):\n\(policy.text)" : nil
  }

  /// The same with a limit more, or without one grant or duty; nil: it has none to take away.
  private static func restricted(
    _ policy: GeneratedPolicy, _ random: inout SeededRandom
  ) -> (GeneratedPolicy?, isAddition: Bool) {
    var copy = policy
    if random.chance(50) {
      copy.addLimit(&random)
      return (copy, true)
    }
    // A name known through nothing but this statement is not asked about any more; that matters only to conditions
    // that read the name.
    guard !policy.readsBehavior else { return (nil, false) }
    let duties = policy.platformRules.indices.filter { policy.platformRules[$0].kind == .duty }
    let grants = policy.operatorRules.indices.filter { policy.operatorRules[$0].kind == .grant }
    guard !duties.isEmpty || !grants.isEmpty else { return (nil, false) }
    if grants.isEmpty || (!duties.isEmpty && random.chance(50)) {
      copy.platformRules.remove(at: random.pick(duties))
    } else {
      copy.operatorRules.remove(at: random.pick(grants))
    }
    return (copy, false)
  }

  // MARK: P9

  static func orderDoesNotMatter(
    _ one: Trial.Case, _ evaluator: Evaluator, _ answer: Evaluator.Answer
  ) throws -> String? {
    var random = one.random
    var policy = one.policy
    policy.behaviors.shuffle(using: &random)
    policy.platformRules.shuffle(using: &random)
    policy.operatorRules.shuffle(using: &random)
    policy.audiences.shuffle(using: &random)
    for index in policy.behaviors.indices { policy.behaviors[index].population?.responses.shuffle(using: &random) }
    policy.platformRules += random.some(of: policy.platformRules, atMost: 2)
    policy.operatorRules += random.some(of: policy.operatorRules, atMost: 2)
    let decisions = (
      try answer(one.request), try evaluator.prepare(try policy.loaded(inSeveralFiles: true))(one.request)
    )
    return decisions.0 == decisions.1
      ? nil
      : "\(decisions.0.summary) and reordered:\n\(DifferentialTests.difference(decisions.1, decisions.0))\n\(policy.text)"
  }

  // MARK: P13

  static func widerNeverLooser(_ one: Trial.Case, _: Evaluator, _ answer: Evaluator.Answer) throws -> String? {
    var random = one.random
    var wide = one.request
    wide.behaviors = [BehaviorName.path(of: one.request.behaviors[0]).last ?? one.request.behaviors[0]]
    if random.chance(50) { wide.behaviors = [one.request.behaviors[0]] }
    let decision = try answer(wide)
    var below = Set(
      one.policy.behaviors.map(\.name) + (one.policy.platformRules + one.policy.operatorRules).map(\.behavior))
    // A name that nobody knows is like the nearest one that somebody does, unless a condition looks at the name.
    if !one.policy.readsBehavior { below.insert(wide.behaviors[0] + ".unheard-of") }
    for level in one.request.session { below.formUnion(Array(level.caps.keys) + Array(level.preferences.keys)) }
    for name in below.sorted() where name.hasPrefix(wide.behaviors[0] + ".") {
      var narrow = wide
      narrow.behaviors = [name]
      let other = try answer(narrow)
      if decision.isLooser(than: other) {
        return "\(wide.behaviors[0]): \(decision.summary), \(name): \(other.summary)"
      }
    }
    return nil
  }
}

extension GeneratedPolicy {
  /// Some condition looks at `request.behavior`.
  var readsBehavior: Bool {
    (platformRules + operatorRules).contains { $0.condition?.contains("request.behavior") ?? false }
  }
}
