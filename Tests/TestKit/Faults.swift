// Deliberate faults, each put around a sound evaluator: what a property must notice. A fault changes what the
// evaluator is given, or what it says.

internal import CEL
internal import Oracle
internal import PolicyImage
internal import PolicyLanguage

public enum Fault: String, CaseIterable, Sendable {
  case absolutesForgotten
  case ceilingsForgotten
  /// A limit that reads the argument is judged with the given argument alone.
  case argumentLoosens
  /// A limit whose condition fails doesn't apply.
  case failedLimitsIgnored
  /// A duty whose condition fails applies.
  case failedDutiesApply
  /// What failed carries no obligations.
  case failedObligationsLost
  /// Limits are judged like settings: the most specific one counts.
  case onlyDeepestLimits
  /// Without grants users may lift as far as the operator could.
  case missingGrantsLift
  case dutiesCap
  /// Of several settings the one that is written first wins.
  case firstSettingWins
  /// A request stands for the names that it names and none below.
  case namesBelowForgotten
  /// A halt counts as a limit of the lowest tier: the platform's duties raise again.
  case dutiesOutrankHalts
  /// No single person's bound is looked at.
  case boundsForgotten
  /// Payoffs count as whole numbers.
  case payoffsRounded
  /// An operator's audience changes nothing.
  case audiencesForgotten
  /// An operator's audience chooses among all responses.
  case audiencesUnbounded
  /// The dial counts as a limit of the lowest tier: the platform's duties raise again.
  case dutiesOutrankDial
  /// A dial below 0.1 counts as none.
  case smallDialsForgotten
  /// A period that has ended counts as one that runs, and the other way round.
  case periodsInverted
  /// A counter that isn't known counts as none.
  case unknownCountersAreZero
  /// A delegate's terms stand in place of its parents'.
  case parentsForgotten
  /// A delegate's preferences count as the user's.
  case delegatesLift
  /// The dial is settled without delegates' lower ones.
  case delegatesDialsForgotten
  /// A delegate's source is what it says.
  case delegatesSpeakForUsers
  /// Names that only a session's terms know are decided when they are asked for, and not with wider ones.
  case termNamesForgotten
  /// Suspicion of 3 and more counts as none.
  case highSuspicionForgotten
}

extension Evaluator {
  /// This evaluator, broken.
  public func with(_ fault: Fault) -> Evaluator {
    let prepare = prepare
    return Evaluator("\(name) with \(fault)") { policy in
      let sound = try prepare(policy)
      switch fault {
      case .failedLimitsIgnored:
        return { request in
          let told = try sound(request)
          var decision = try prepare(policy.without(told.failed, kind: .limit))(request)
          decision.trace = told.trace
          return decision
        }
      case .failedDutiesApply:
        return { request in
          let told = try sound(request)
          var decision = try prepare(policy.unconditional(told.failed, kind: .duty))(request)
          decision.trace = told.trace
          return decision
        }
      case .failedObligationsLost:
        return { request in
          var decision = try sound(request)
          decision.obligations = try prepare(policy.without(decision.failed, kind: nil))(request).obligations
          return decision
        }
      case .namesBelowForgotten:
        return { request in try prepare(policy.withoutNames(below: request.behaviors))(request) }
      case .dutiesOutrankHalts:
        let duties = try prepare(policy.mapping { $0.filter { $0.kind != .setting && $0.kind != .grant } })
        return { request in
          var decision = try sound(request)
          var going = request
          going.isHalted = false
          let hasDuty = try duties(going).trace.contains { $0.step == .duty && $0.truth == .yes && !$0.isShadow }
          if request.isHalted, hasDuty { decision.effect = try duties(going).effect }
          return decision
        }
      case .dutiesOutrankDial:
        let harmless = try prepare(policy.withoutStakes())
        return { request in
          var decision = try sound(request)
          let isCapped = decision.trace.contains { $0.step == .dial && $0.truth == .yes }
          let hasDuty = decision.trace.contains { $0.step == .duty && $0.truth == .yes && !$0.isShadow }
          if isCapped, hasDuty { decision.effect = try harmless(request).effect }
          return decision
        }
      case .smallDialsForgotten:
        var forgetful = policy
        if let dial = policy.operator?.dial?.value, dial < .unstatedDial { forgetful.operator?.dial = nil }
        let forgotten = try prepare(forgetful)
        return { request in
          var request = request
          if let dial = request.dial, dial < .unstatedDial { request.dial = nil }
          return try forgotten(request)
        }
      case .unknownCountersAreZero:
        let variables = (policy.platform?.counters ?? []).map(\.variable)
        return { request in
          var request = request
          for name in variables where request.attributes[name] == nil { request.attributes[name] = .int(0) }
          return try sound(request)
        }
      case .periodsInverted:
        let all = Set((policy.platform?.periods ?? []).map(\.name))
        return { request in
          var request = request
          request.ended = all.subtracting(request.ended)
          return try sound(request)
        }
      case .parentsForgotten, .delegatesLift, .delegatesDialsForgotten, .delegatesSpeakForUsers, .termNamesForgotten,
        .highSuspicionForgotten:
        return { try sound($0.distorted(by: fault)) }
      default:
        return try prepare(policy.distorted(by: fault))
      }
    }
  }
}

extension OracleRequest {
  func distorted(by fault: Fault) -> OracleRequest {
    var copy = self
    switch fault {
    case .parentsForgotten:
      if let last = session.last, session.count > 1 { copy.session = [OracleSessionLevel(), last] }
    case .delegatesLift:
      for level in session.dropFirst() { copy.session[0].preferences.merge(level.preferences) { $1 } }
      for depth in session.indices.dropFirst() { copy.session[depth].preferences = [:] }
    case .delegatesDialsForgotten:
      for depth in session.indices.dropFirst() { copy.session[depth].dial = nil }
    case .delegatesSpeakForUsers:
      if session.count > 1, source != .agent { copy.session = [] }
    case .termNamesForgotten:
      func isBelow(_ name: String) -> Bool {
        !behaviors.contains(name) && behaviors.contains { BehaviorName.covers($0, name) }
      }
      for depth in session.indices {
        copy.session[depth].caps = session[depth].caps.filter { !isBelow($0.key) }
        copy.session[depth].preferences = session[depth].preferences.filter { !isBelow($0.key) }
      }
    case .highSuspicionForgotten: if suspicion >= 3000 { copy.suspicion = 0 }
    default: break
    }
    return copy
  }
}

extension OracleDecision {
  /// Contents of the statements whose conditions failed.
  var failed: Set<String> {
    Set(
      trace.compactMap { entry in
        guard entry.truth == .failed, case .statement(let content, _)? = entry.statement else { return nil }
        return content
      })
  }
}

extension LoadedPolicy {
  func mapping(_ change: ([Statement]) -> [Statement]) -> LoadedPolicy {
    var copy = self
    copy.platform?.statements = change(platform?.statements ?? []).sorted { $0.content < $1.content }
    copy.operator?.statements = change(`operator`?.statements ?? []).sorted { $0.content < $1.content }
    return copy
  }

  func without(_ contents: Set<String>, kind: StatementKind?) -> LoadedPolicy {
    mapping { $0.filter { (kind != nil && $0.kind != kind) || !contents.contains($0.content) } }
  }

  func unconditional(_ contents: Set<String>, kind: StatementKind) -> LoadedPolicy {
    mapping { statements in
      statements.map { statement in
        guard statement.kind == kind, contents.contains(statement.content) else { return statement }
        var copy = statement
        copy.condition = nil
        return copy
      }
    }
  }

  func withoutNames(below wide: [String]) -> LoadedPolicy {
    func isBelow(_ name: String) -> Bool {
      !wide.contains(name) && wide.contains { BehaviorName.covers($0, name) }
    }
    var copy = mapping { $0.filter { !isBelow($0.behavior) } }
    copy.operator?.audiences.removeAll { isBelow($0.behavior) }
    // The built-in absolutes stay: no image is valid without them.
    copy.platform?.behaviors = (platform?.behaviors ?? [:]).filter { !isBelow($0.key) || $0.value.location == nil }
    return copy
  }

  func withoutStakes() -> LoadedPolicy {
    var copy = self
    copy.platform?.behaviors = (platform?.behaviors ?? [:]).mapValues { behavior in
      var changed = behavior
      changed.stakes = .zero
      return changed
    }
    return copy
  }

  func distorted(by fault: Fault) -> LoadedPolicy {
    var copy = self
    switch fault {
    case .absolutesForgotten:
      copy.platform?.behaviors = (platform?.behaviors ?? [:]).mapValues { behavior in
        var changed = behavior
        if behavior.location != nil { changed.hardcoded = .none }
        return changed
      }
    case .ceilingsForgotten:
      copy.platform?.behaviors = (platform?.behaviors ?? [:]).mapValues { behavior in
        var changed = behavior
        changed.choice.operatorsMay = .allow
        return changed
      }
    case .argumentLoosens:
      copy = mapping { statements in
        statements.map { statement in
          var changed = statement
          changed.readsArgument = false
          return changed
        }
      }
    case .onlyDeepestLimits:
      copy = mapping { statements in
        let deepest = statements.filter { $0.kind == .limit }.map { BehaviorName.path(of: $0.behavior).count }.max()
        return statements.filter { $0.kind != .limit || BehaviorName.path(of: $0.behavior).count == deepest }
      }
    case .missingGrantsLift:
      guard let it = `operator`, !it.statements.contains(where: { $0.kind == .grant }) else { return copy }
      let roots = Set((platform?.behaviors ?? [:]).values.filter { $0.hardcoded == .none }.map(\.name))
      copy.operator?.statements = (it.statements + roots.map { Statement(grant: $0, location: it.location) })
        .sorted { $0.content < $1.content }
    case .dutiesCap:
      copy = mapping { statements in
        statements.map { statement in
          guard statement.kind == .duty else { return statement }
          var changed = statement
          changed.kind = .limit
          return changed
        }
      }
    case .firstSettingWins:
      let settings = (`operator`?.statements ?? []).filter { $0.kind == .setting }
      let first = settings.map(\.location.line).min()
      copy = mapping { $0.filter { $0.kind != .setting || $0.location.line == first } }
    case .boundsForgotten:
      copy = mappingPopulations { Population(who: $0.who, responses: $0.responses, bounds: [:]) }
    case .payoffsRounded:
      copy = mappingPopulations { population in
        var rounded = population
        rounded.responses = population.responses.map { response in
          var response = response
          response.payoffs = response.payoffs.mapValues(\.whole)
          return response
        }
        return rounded
      }
    case .audiencesForgotten: copy.operator?.audiences = []
    case .audiencesUnbounded:
      guard let audiences = `operator`?.audiences, !audiences.isEmpty else { return copy }
      for audience in audiences { copy.platform?.behaviors[audience.behavior]?.choice.operatorsMay = .allow }
    case .failedLimitsIgnored, .failedDutiesApply, .failedObligationsLost, .namesBelowForgotten,
      .dutiesOutrankHalts, .dutiesOutrankDial, .smallDialsForgotten, .periodsInverted, .unknownCountersAreZero,
      .parentsForgotten, .delegatesLift, .delegatesDialsForgotten, .delegatesSpeakForUsers, .termNamesForgotten,
      .highSuspicionForgotten:
      break
    }
    return copy
  }
}

extension LoadedPolicy {
  fileprivate func mappingPopulations(_ change: (Population) -> Population) -> LoadedPolicy {
    var copy = self
    copy.platform?.behaviors = (platform?.behaviors ?? [:]).mapValues { behavior in
      var changed = behavior
      changed.population = behavior.population.map(change)
      return changed
    }
    return copy
  }
}

extension Payoff {
  fileprivate var whole: Payoff {
    let number = millionths / 1_000_000
    return Payoff(text: "\(number)", millionths: number * 1_000_000)
  }
}

extension Statement {
  /// A grant without a condition, up to `allow`.
  fileprivate init(grant behavior: String, location: Location) {
    self.init(
      kind: .grant, behavior: behavior, effect: .allow, tier: .operator, condition: nil, readsArgument: false,
      obligations: [], clause: nil, isShadow: false, location: location)
  }
}
