// A generated policy set, changed in one place as its author might: for what compares two policies.

internal import PolicyImage

public enum Mutation: String, CaseIterable, Sendable {
  case dropRule, addRule, ruleEffect, ruleTier, ruleBehavior, condition, constant, obligations, shadow
  case `default`, ceiling, absolute, unknown, dropBehavior
  case stakes, dial, operatorDial, population, audience, period, after, suspicion
  /// Says the same in another order, some of it twice.
  case orderOnly
}

extension GeneratedPolicy {
  /// nil: this policy has nothing to change in that way, or the loader refuses what comes of it.
  public func mutated(_ mutation: Mutation, _ random: inout SeededRandom) -> GeneratedPolicy? {
    var copy = self
    guard copy.change(mutation, &random), (try? copy.loaded()) != nil else { return nil }
    return copy
  }

  private mutating func change(_ mutation: Mutation, _ random: inout SeededRandom) -> Bool {
    switch mutation {
    case .dropRule, .ruleEffect, .ruleTier, .ruleBehavior, .condition, .constant, .obligations, .shadow, .period:
      let isOperator = platformRules.isEmpty || (!operatorRules.isEmpty && random.chance(50))
      return isOperator
        ? change(mutation, \.operatorRules, &random) : change(mutation, \.platformRules, &random)
    case .addRule:
      let names = ruleNames(&random)
      if random.chance(50) {
        platformRules.append(platformRule(names, &random))
      } else if let rule = operatorRule(names, &random) {
        operatorRules.append(rule)
      } else {
        return false
      }
    case .default, .ceiling, .absolute, .stakes, .population:
      guard !behaviors.isEmpty else { return false }
      return change(mutation, behavior: random.below(behaviors.count), &random)
    case .dropBehavior:
      guard !behaviors.isEmpty else { return false }
      behaviors.remove(at: random.below(behaviors.count))
    case .dial:
      let value = random.pick(Self.dials)
      dial =
        dial != nil && random.chance(20)
        ? nil
        : GeneratedDial(
          default: value, operatorsMay: max(value, random.pick(Self.dials)),
          usersMay: max(value, random.pick(Self.dials)))
    case .operatorDial: operatorDial = operatorDial != nil && random.chance(40) ? nil : random.pick(Self.dials)
    case .audience:
      guard !audiences.isEmpty else { return false }
      let index = random.below(audiences.count)
      guard let population = behaviors.first(where: { $0.name == audiences[index].behavior })?.population else {
        return false
      }
      audiences[index].who = PopulationGenerator.audience(population, &random)
    case .after: return changeAfter(&random)
    case .suspicion:
      suspicion =
        suspicion != nil && random.chance(30)
        ? nil
        : GeneratedSuspicion(
          askAt: random.pick(Self.thresholds), denyAt: nil,
          behaviors: random.chance(50) ? [] : random.some(of: behaviors.map(\.name), atMost: 2))
    case .unknown: unknown = random.pick(Effect.allCases.filter { $0 != unknown })
    case .orderOnly:
      behaviors.shuffle(using: &random)
      platformRules.shuffle(using: &random)
      operatorRules.shuffle(using: &random)
      if let rule = platformRules.first { platformRules.append(rule) }
    }
    return true
  }

  private mutating func change(
    _ mutation: Mutation, _ rules: WritableKeyPath<GeneratedPolicy, [GeneratedRule]>, _ random: inout SeededRandom
  ) -> Bool {
    guard !self[keyPath: rules].isEmpty else { return false }
    let names = ruleNames(&random)
    let index = random.below(self[keyPath: rules].count)
    if mutation == .dropRule {
      self[keyPath: rules].remove(at: index)
      return true
    }
    var rule = self[keyPath: rules][index]
    switch mutation {
    case .ruleEffect: rule.effect = random.pick(Effect.allCases.filter { $0 != rule.effect })
    case .ruleTier:
      guard rule.tier != .operator else { return false }
      rule.tier = random.pick([.guideline, .ethics, .safety])
    case .ruleBehavior: rule.behavior = random.pick(names)
    case .condition:
      let generator = ConditionGenerator(
        names: names, mayReadArgument: rule.kind == .limit,
        counters: rule.kind == .limit ? counters.map(\.name) : [])
      rule.condition = rule.condition != nil && random.chance(30) ? nil : generator.condition(&random)
    case .constant:
      guard let changed = rule.condition.flatMap(Self.otherConstant) else { return false }
      rule.condition = changed
    case .obligations:
      guard rule.kind != .grant else { return false }
      rule.obligations = random.some(of: Self.obligationNames, atMost: 2)
    case .shadow:
      guard rule.kind != .grant else { return false }
      rule.isShadow.toggle()
    case .period:
      guard rule.kind != .setting, rule.period != nil || rule.kind != .duty || rule.obligations.isEmpty else {
        return false
      }
      rule.period = random.pick([nil] + periods)
    default: return false
    }
    guard rule != self[keyPath: rules][index] else { return false }
    self[keyPath: rules][index] = rule
    return true
  }

  /// What a period's end replaces, of a behaviour or of the dial, is replaced by another's, or no more.
  private mutating func changeAfter(_ random: inout SeededRandom) -> Bool {
    let all = behaviors.indices.filter { !behaviors[$0].after.isEmpty }
    func changed<Value>(_ after: inout [GeneratedAlternative<Value>], _ random: inout SeededRandom) -> Bool {
      guard !after.isEmpty else { return false }
      let index = random.below(after.count)
      let others = periods.filter { name in !after.contains { $0.period == name } }
      if others.isEmpty || random.chance(50) {
        after.remove(at: index)
      } else {
        after[index].period = random.pick(others)
      }
      return true
    }
    if var own = dial, all.isEmpty || random.chance(30) {
      guard changed(&own.after, &random) else { return false }
      dial = own
      return true
    }
    return !all.isEmpty && changed(&behaviors[random.pick(all)].after, &random)
  }

  /// The last single digit becomes another one.
  private static func otherConstant(_ condition: String) -> String? {
    guard let at = condition.lastIndex(where: { "123456".contains($0) }),
      let digit = condition[at].wholeNumberValue
    else { return nil }
    var changed = condition
    changed.replaceSubrange(at...at, with: "\(digit + 1)")
    return changed
  }

  private mutating func change(_ mutation: Mutation, behavior index: Int, _ random: inout SeededRandom) -> Bool {
    let before = behaviors[index]
    switch mutation {
    case .default:
      behaviors[index].default = before.default == nil ? random.pick(Effect.allCases) : nil
      behaviors[index].population = nil
    case .stakes: behaviors[index].stakes = random.pick(Self.stakes.filter { $0 != before.stakes })
    case .population:
      behaviors[index].default = nil
      behaviors[index].population = PopulationGenerator.population(&random)
    case .ceiling:
      guard let value = before.value else { return false }
      behaviors[index].operatorsMay = max(value, random.pick(Effect.allCases))
      behaviors[index].usersMay = max(value, random.pick(Effect.allCases))
    default: behaviors[index].hardcoded = before.hardcoded == .none ? random.pick([.off, .on]) : .none
    }
    if behaviors[index].hardcoded != .none {
      (behaviors[index].default, behaviors[index].operatorsMay, behaviors[index].usersMay) = (nil, nil, nil)
      behaviors[index].population = nil
    } else if behaviors[index].value == nil {
      (behaviors[index].operatorsMay, behaviors[index].usersMay) = (nil, nil)
    }
    return behaviors[index] != before
  }
}
