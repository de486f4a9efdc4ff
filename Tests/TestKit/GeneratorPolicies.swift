// Generated policy sets: small trees of behaviours, a dozen rules, most of them about the same few names so that they
// meet.

import PolicyImage
import PolicyLanguage

extension GeneratedPolicy {
  static let roots = ["tool", "content", "data"]
  static let children = ["read", "write", "x", "y-z"]
  static let obligationNames = ["disclose-ai", "safe-messaging", "log-it", "two-people"]

  /// A valid policy set: the loader accepts it.
  public static func generate(_ random: inout SeededRandom) -> GeneratedPolicy {
    var policy = GeneratedPolicy(
      unknown: random.pick([.deny, .deny, .ask, .allow]), behaviors: behaviors(&random), platformRules: [],
      operatorRules: [])
    policy.addPeriods(&random)
    policy.addCounters(&random)
    policy.addDials(&random)
    for behavior in policy.behaviors {
      guard let population = behavior.population, random.chance(60) else { continue }
      policy.audiences.append(
        GeneratedAudience(behavior: behavior.name, who: PopulationGenerator.audience(population, &random)))
    }
    let names = policy.ruleNames(&random)
    policy.addSuspicion(names, &random)
    // At most 12 in all: the Oracle tries every combination of failures.
    for _ in 0..<random.below(7) { policy.platformRules.append(policy.platformRule(names, &random)) }
    for _ in 0..<random.below(7) {
      if let rule = policy.operatorRule(names, &random) { policy.operatorRules.append(rule) }
    }
    return policy
  }

  /// Stakes that dials meet exactly, and some between.
  static let stakes = [0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5, 0.7, 1]
  static let dials = [0.01, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5]

  static let periodNames = ["p-one", "p-two", "pilot"]

  /// Periods, and what their ends loosen of behaviours. What several replace, they replace by the same.
  private mutating func addPeriods(_ random: inout SeededRandom) {
    guard random.chance(60) else { return }
    periods = Array(Self.periodNames.prefix(1 + random.below(3)))
    for index in behaviors.indices where random.chance(50) {
      guard let own = behaviors[index].value else { continue }
      let later = Effect.allCases.filter { $0 > own }
      guard let value = later.isEmpty ? nil : random.pick(later) else { continue }
      let operatorsMay = Effect.allCases.filter { $0 >= value && $0 > behaviors[index].operatorsMay ?? own }
      let usersMay = Effect.allCases.filter { $0 >= value && $0 > behaviors[index].usersMay ?? own }
      let (operators, users) = (operatorsMay.randomElement(&random), usersMay.randomElement(&random))
      for period in periods where random.chance(60) {
        let one = GeneratedAlternative(
          period: period, default: random.chance(60) ? value : nil, operatorsMay: random.chance(60) ? operators : nil,
          usersMay: random.chance(60) ? users : nil)
        if one.default != nil || one.operatorsMay != nil || one.usersMay != nil { behaviors[index].after.append(one) }
      }
    }
  }

  static let counterNames = ["mails", "reach", "c-3"]

  /// Counters of what is declared, above and below.
  private mutating func addCounters(_ random: inout SeededRandom) {
    guard random.chance(60) else { return }
    let names = ruleNames(&random)
    for name in Self.counterNames.prefix(1 + random.below(3)) {
      let counted = random.some(of: names, atMost: 2)
      counters.append(GeneratedCounter(name: name, behaviors: counted.isEmpty ? [random.pick(names)] : counted))
    }
  }

  /// The period of a rule that may have one.
  private func period(_ kind: StatementKind, _ obligations: [String], _ random: inout SeededRandom) -> String? {
    guard !periods.isEmpty, kind != .setting, kind != .duty || obligations.isEmpty, random.chance(45) else {
      return nil
    }
    return random.pick(periods)
  }

  private mutating func addDials(_ random: inout SeededRandom) {
    if random.chance(75) {
      let value = random.pick(Self.dials)
      var dial = GeneratedDial(default: value)
      if random.chance(70) { dial.operatorsMay = max(value, random.pick(Self.dials)) }
      if random.chance(60) { dial.usersMay = max(value, random.pick(Self.dials)) }
      let later = value + 0.05 * Double(1 + random.below(8))
      let (operators, users) = (max(later, dial.operatorsMay ?? 0) + 0.03, max(later, dial.usersMay ?? 0) + 0.02)
      for period in periods where random.chance(50) {
        dial.after.append(
          GeneratedAlternative(
            period: period, default: later, operatorsMay: random.chance(50) ? operators : nil,
            usersMay: random.chance(50) ? users : nil))
      }
      self.dial = dial
    }
    let ceiling = dial.map { $0.operatorsMay ?? $0.default } ?? 0.1
    if random.chance(45) { operatorDial = min(ceiling, random.pick(Self.dials)) }
  }

  static let thresholds = [0.5, 1, 1.5, 2, 3, 6]

  private mutating func addSuspicion(_ names: [String], _ random: inout SeededRandom) {
    guard random.chance(50) else { return }
    var one = GeneratedSuspicion(behaviors: random.chance(40) ? [] : random.some(of: names, atMost: 2))
    if random.chance(75) { one.askAt = random.pick(Self.thresholds) }
    if random.chance(75) || one.askAt == nil { one.denyAt = max(one.askAt ?? 0, random.pick(Self.thresholds)) }
    suspicion = one
  }

  private static func name(_ random: inout SeededRandom) -> String {
    var name = random.pick(roots)
    while random.chance(55), BehaviorName.path(of: name).count < 4 { name += "." + random.pick(children) }
    return name
  }

  private static func behaviors(_ random: inout SeededRandom) -> [GeneratedBehavior] {
    var result: [GeneratedBehavior] = []
    for _ in 0..<1 + random.below(7) {
      let name = name(&random)
      if !result.contains(where: { $0.name == name }) { result.append(behavior(name, result, &random)) }
    }
    return result
  }

  private static func behavior(
    _ name: String, _ others: [GeneratedBehavior], _ random: inout SeededRandom
  ) -> GeneratedBehavior {
    var behavior = GeneratedBehavior(name: name, default: nil, operatorsMay: nil, usersMay: nil, hardcoded: .none)
    if random.chance(65) { behavior.stakes = random.pick(Self.stakes) }
    let absolute: Absolute = random.chance(60) ? .off : .on
    let contradicts = others.contains {
      $0.hardcoded != .none && $0.hardcoded != absolute
        && (BehaviorName.covers($0.name, name) || BehaviorName.covers(name, $0.name))
    }
    if random.chance(12), !contradicts {
      behavior.hardcoded = absolute
    } else if random.chance(70) {
      if random.chance(35) {
        behavior.population = PopulationGenerator.population(&random)
      } else {
        behavior.default = random.pick(Effect.allCases)
      }
      let value = behavior.value ?? .deny
      if random.chance(60) { behavior.operatorsMay = max(value, random.pick(Effect.allCases)) }
      if random.chance(60) { behavior.usersMay = max(value, random.pick(Effect.allCases)) }
    }
    return behavior
  }

  /// What rules name: declared behaviours, some above and some below.
  func ruleNames(_ random: inout SeededRandom) -> [String] {
    let declared = behaviors.map(\.name)
    let above = declared.flatMap { BehaviorName.path(of: $0).dropFirst() }
    return declared + above + declared.map { $0 + "." + random.pick(Self.children) }
  }

  private func condition(_ names: [String], isLimit: Bool, _ random: inout SeededRandom) -> String? {
    if random.chance(25) { return nil }
    let read = isLimit ? counters.map(\.name) : []
    return ConditionGenerator(names: names, mayReadArgument: isLimit, counters: read).condition(&random)
  }

  private func isUnderAbsolute(_ name: String) -> Bool {
    behaviors.contains { $0.hardcoded != .none && BehaviorName.covers($0.name, name) }
  }

  private func operatorsMay(_ name: String) -> Effect {
    for ancestor in BehaviorName.path(of: name) {
      if let it = behaviors.first(where: { $0.name == ancestor }), let value = it.value {
        // Up to what a period's end allows; until then it is cut down.
        return it.after.reduce(it.operatorsMay ?? value) { max($0, $1.operatorsMay ?? value, $1.default ?? value) }
      }
    }
    return unknown
  }

  func platformRule(_ names: [String], _ random: inout SeededRandom) -> GeneratedRule {
    let name = random.pick(names)
    let isLimit = isUnderAbsolute(name) || random.chance(60)
    var rule = GeneratedRule(
      kind: isLimit ? .limit : .duty, behavior: name, effect: random.pick(Effect.allCases),
      tier: random.pick([.guideline, .ethics, .safety]), condition: condition(names, isLimit: isLimit, &random),
      obligations: random.some(of: Self.obligationNames, atMost: 2), clause: random.chance(10) ? "MS/x" : nil,
      isShadow: random.chance(8))
    rule.period = period(rule.kind, rule.obligations, &random)
    return rule
  }

  /// nil: nothing that this operator may say about the name.
  func operatorRule(_ names: [String], _ random: inout SeededRandom) -> GeneratedRule? {
    let name = random.pick(names)
    let kind: StatementKind =
      isUnderAbsolute(name) ? .limit : random.pick([.setting, .setting, .setting, .grant, .limit])
    var effect = random.pick(Effect.allCases)
    if kind != .limit { effect = min(effect, operatorsMay(name)) }
    var rule = GeneratedRule(
      kind: kind, behavior: name, effect: effect, tier: .operator,
      condition: condition(names, isLimit: kind == .limit, &random),
      obligations: kind == .grant ? [] : random.some(of: Self.obligationNames, atMost: 2), clause: nil,
      isShadow: kind != .grant && random.chance(10))
    rule.period = period(kind, rule.obligations, &random)
    return rule
  }
}

extension GeneratedPolicy {
  /// One more limit of the platform's or the operator's.
  public mutating func addLimit(_ random: inout SeededRandom) {
    let names = ruleNames(&random)
    var limit = platformRule(names, &random)
    limit.kind = .limit
    if limit.period == nil { limit.period = period(.limit, [], &random) }
    limit.isShadow = false
    if random.chance(30) {
      limit.tier = .operator
      operatorRules.append(limit)
    } else {
      platformRules.append(limit)
    }
  }
}

extension Array {
  /// One of them, or nil.
  fileprivate func randomElement(_ random: inout SeededRandom) -> Element? { isEmpty ? nil : random.pick(self) }
}
