// The properties of DESIGN §2.12 that speak of one decision, each as a check of a generated case.

import Oracle
import PolicyImage
import PolicyLanguage
import TestKit

enum Property: String, CaseIterable, Sendable {
  case absolutesStand = "P1"
  case ceilingsBound = "P2"
  case argumentsNeverLoosen = "P3"
  case delegatesNeverHaveMore = "P4"
  case failuresNeverLoosen = "P5"
  case restrictionsNeverLoosen = "P8"
  case orderDoesNotMatter = "P9"
  case lowerDialsNeverLoosen = "P11"
  case runningPeriodsNeverLooser = "P12"
  case unknownCountersNeverLoosen = "P5 of counters"
  case widerNeverLooser = "P13"
  case haltsDeny = "P14"
  case agentsAskAboveTheDial = "P15"
  case failuresKeepObligations = "P16"
  /// DESIGN §2.7.
  case populationsAreServed = "population"
  /// DESIGN §2.4.
  case suspicionNeverLoosens = "suspicion"

  var check: Trial.Check {
    switch self {
    case .absolutesStand: Checks.absolutesStand
    case .ceilingsBound: Checks.ceilingsBound
    case .argumentsNeverLoosen: Checks.argumentsNeverLoosen
    case .delegatesNeverHaveMore: Checks.delegatesNeverHaveMore
    case .suspicionNeverLoosens: Checks.suspicionNeverLoosens
    case .failuresNeverLoosen: Checks.failuresNeverLoosen
    case .restrictionsNeverLoosen: Checks.restrictionsNeverLoosen
    case .orderDoesNotMatter: Checks.orderDoesNotMatter
    case .lowerDialsNeverLoosen: Checks.lowerDialsNeverLoosen
    case .runningPeriodsNeverLooser: Checks.runningPeriodsNeverLooser
    case .unknownCountersNeverLoosen: Checks.unknownCountersNeverLoosen
    case .widerNeverLooser: Checks.widerNeverLooser
    case .haltsDeny: Checks.haltsDeny
    case .agentsAskAboveTheDial: Checks.agentsAskAboveTheDial
    case .failuresKeepObligations: Checks.failuresKeepObligations
    case .populationsAreServed: Checks.populationsAreServed
    }
  }
}

extension OracleDecision {
  /// DESIGN §1: a higher effect, or the same effect with an obligation missing.
  func isLooser(than other: OracleDecision) -> Bool {
    effect > other.effect || (effect == other.effect && !Set(obligations).isSuperset(of: other.obligations))
  }

  var summary: String { "\(effect) with \(obligations)" }
}

enum Checks {
  // MARK: P1

  /// The absolute in force for a name, worked out from the generated policy itself.
  static func absolute(of name: String, _ policy: GeneratedPolicy) -> Absolute {
    let builtIn: [(String, Absolute)] = [
      ("harm.mass-casualty", .off), ("harm.csam", .off), ("oversight.undermine", .off),
      ("transparency.say-cannot-help", .on), ("transparency.admit-ai", .on),
    ]
    let all = builtIn + policy.behaviors.map { ($0.name, $0.hardcoded) }
    let above = all.filter { name == $0.0 || name.hasPrefix($0.0 + ".") }.map(\.1)
    return above.contains(.off) ? .off : above.contains(.on) ? .on : .none
  }

  static func absolutesStand(_ one: Trial.Case, _: Evaluator, _ answer: Evaluator.Answer) throws -> String? {
    var random = one.random
    var request = one.request
    let absolutes =
      one.policy.behaviors.filter { $0.hardcoded != .none }.map(\.name) + ["harm.csam", "transparency.admit-ai"]
    let name = random.pick(absolutes)
    request.behaviors = [random.chance(70) ? name : name + ".x"]
    let decision = try answer(request)
    let expected: Effect = absolute(of: request.behaviors[0], one.policy) == .off ? .deny : .allow
    return decision.effect == expected ? nil : "\(request.behaviors[0]) is absolute, yet \(decision.summary)"
  }

  // MARK: P14

  /// A halt denies whatever isn't absolutely on, keeps what the caller is obliged to, and only a platform ends it.
  static func haltsDeny(_ one: Trial.Case, _: Evaluator, _ answer: Evaluator.Answer) throws -> String? {
    var request = one.request
    request.isHalted = false
    let going = try answer(request)
    request.isHalted = true
    let halted = try answer(request)
    guard halted.obligations == going.obligations else {
      return "halted: \(halted.summary), going: \(going.summary)"
    }
    if request.behaviors.allSatisfy({ absolute(of: $0, one.policy) == .on }) {
      return halted.effect == .allow ? nil : "absolutely on, yet halted: \(halted.summary)"
    }
    guard halted.effect == .deny else { return "halted, yet \(halted.summary)" }
    let isOff = halted.decidedBy.kind == .absolute
    guard isOff || halted.decidedBy.kind == .oversight else { return "decided by \(halted.decidedBy)" }
    // An end of the halt doesn't give untrusted text authority.
    let isHopeless = isOff || request.source == .untrusted
    return halted.way == (isHopeless ? .nobody : .platform) ? nil : "the way is by \(String(describing: halted.way))"
  }

  // MARK: P2

  static func ceilingsBound(_ one: Trial.Case, _ evaluator: Evaluator, _ answer: Evaluator.Answer) throws -> String? {
    var request = one.request
    var random = one.random
    // An operator's audience is bounded as its settings are.
    let audiences = one.policy.audiences.map(\.behavior)
    let name = !audiences.isEmpty && random.chance(70) ? random.pick(audiences) : one.request.behaviors[0]
    request.behaviors = [name]
    // What a halt denies is P14's.
    request.isHalted = false
    // A session and suspicion only take away.
    let asked = request
    (request.session, request.suspicion) = ([], 0)
    guard let platform = one.loaded.platform, isAlone(request.behaviors[0], one.loaded),
      absolute(of: request.behaviors[0], one.policy) == .none
    else { return nil }
    let declared = BehaviorName.path(of: request.behaviors[0]).lazy.compactMap { platform.behaviors[$0] }.first
    let choice =
      declared?.choice
      ?? Choice(default: platform.unknown, operatorsMay: platform.unknown, usersMay: platform.unknown)
    // What several periods replace, they replace by the same, and by something looser.
    let later = (declared?.after ?? [:]).filter { request.ended.contains($0.key) }.values
      .flatMap { [$0.default, $0.operatorsMay, $0.usersMay] }.compactMap(\.self)
    var bare = platform
    bare.statements = []
    // What is settled the dial caps later: P15.
    var instructed = request
    instructed.source = .user
    let settled = try best(instructed, bare, one, evaluator)
    let expected = later.reduce(max(choice.default, choice.operatorsMay, choice.usersMay)) { max($0, $1) }
    guard settled == expected else { return "the best settled value is \(settled), not \(expected)" }
    let bound = try best(request, platform, one, evaluator)
    let decision = try answer(asked)
    return decision.effect <= bound ? nil : "\(decision.summary) is more than \(bound), the most that can be"
  }

  /// No known name lies below.
  private static func isAlone(_ name: String, _ loaded: LoadedPolicy) -> Bool {
    let statements = (loaded.platform?.statements ?? []) + (loaded.operator?.statements ?? [])
    let known =
      (loaded.platform?.behaviors.keys.map { $0 } ?? []) + statements.map(\.behavior)
      + statements.flatMap(\.comparedNames)
    return !known.contains { $0 != name && BehaviorName.covers(name, $0) }
  }

  /// The loosest decision over an operator's settings and grants and a user's preferences, also those above ceilings.
  private static func best(
    _ request: OracleRequest, _ platform: Platform, _ one: Trial.Case, _ evaluator: Evaluator
  ) throws -> Effect {
    let choices: [Effect?] = [nil, .deny, .ask, .allow]
    guard let location = one.loaded.operator?.location else { return .deny }
    var best = Effect.deny
    for setting in choices {
      for grant in choices {
        let statements = [(StatementKind.setting, setting), (.grant, grant)].compactMap { kind, effect in
          effect.map {
            Statement(
              kind: kind, behavior: request.behaviors[0], effect: $0, tier: .operator, condition: nil,
              readsArgument: false, obligations: [], clause: nil, isShadow: false, location: location)
          }
        }
        // The dial at its best: the operator's highest, or none, and the session's highest.
        let dials: [(StatedDegree?, Degree?)] = [(platform.dial.operatorsMay, nil), (nil, Degree(millionths: 999_999))]
        for (dial, session) in dials {
          let made = Operator(name: "op", bindings: [], dial: dial, statements: statements, location: location)
          let answer = try evaluator.prepare(LoadedPolicy(platform: platform, operator: made))
          for preference in choices {
            var wish = request
            (wish.preference, wish.dial) = (preference, session)
            best = max(best, try answer(wish).effect)
          }
        }
      }
    }
    return best
  }

  // MARK: P3

  static func argumentsNeverLoosen(_ one: Trial.Case, _: Evaluator, _ answer: Evaluator.Answer) throws -> String? {
    var random = one.random
    var without = one.request
    without.argument = nil
    var with = one.request
    with.argument = one.request.argument ?? GeneratedPolicy.argument(&random)
    let decisions = (try answer(with), try answer(without))
    return decisions.0.isLooser(than: decisions.1)
      ? "with the argument \(decisions.0.summary), without \(decisions.1.summary)" : nil
  }

  // MARK: P5, P16

  static func failuresNeverLoosen(_ one: Trial.Case, _ evaluator: Evaluator, _ answer: Evaluator.Answer) throws
    -> String?
  {
    try failures(one, evaluator, answer) { failed, other in
      failed.isLooser(than: other) ? "failed: \(failed.summary), had it not: \(other.summary)" : nil
    }
  }

  static func failuresKeepObligations(
    _ one: Trial.Case, _ evaluator: Evaluator, _ answer: Evaluator.Answer
  ) throws -> String? {
    try failures(one, evaluator, answer) { failed, other in
      Set(failed.obligations).isSuperset(of: other.obligations)
        ? nil : "failed: \(failed.summary), had it not: \(other.summary)"
    }
  }

  /// Compares the decision with those in which one condition that failed comes out true, or false.
  private static func failures(
    _ one: Trial.Case, _ evaluator: Evaluator, _ answer: Evaluator.Answer,
    _ compare: (OracleDecision, OracleDecision) -> String?
  ) throws -> String? {
    let decision = try answer(one.request)
    for (isPlatform, rules) in [(true, one.policy.platformRules), (false, one.policy.operatorRules)] {
      for (index, rule) in rules.enumerated() {
        guard let condition = rule.condition, fails(everywhere: condition, rule, decision) else { continue }
        for outcome in ["(\(condition)) || true", "(\(condition)) && false"] {
          var policy = one.policy
          if isPlatform { policy.platformRules[index].condition = outcome }
          if !isPlatform { policy.operatorRules[index].condition = outcome }
          let other = try evaluator.prepare(try policy.loaded())(one.request)
          if let problem = compare(decision, other) { return "\(rule)\n\(problem)" }
        }
      }
    }
    return nil
  }

  /// The rule's condition failed for each name for which it was evaluated.
  private static func fails(everywhere condition: String, _ rule: GeneratedRule, _ decision: OracleDecision) -> Bool {
    let truths = decision.trace.filter { entry in
      guard case .statement(let content, rule.behavior)? = entry.statement, entry.truth != nil else { return false }
      return content.contains("\u{1F}\(condition)\u{1F}")
    }.map(\.truth)
    return !truths.isEmpty && truths.allSatisfy { $0 == .failed }
  }
}
