// Who could bring about an `allow` (DESIGN §1, "way"): each layer's choices are tried in turn, lowest layer first. A
// dial is a choice too, and conditions may read it, so each is tried by deciding anew.

internal import PolicyImage
internal import PolicyLanguage

extension Oracle {
  private static let preferences: [Effect?] = [nil, .deny, .ask, .allow]

  /// `own` are the request's cases as they are.
  static func way(
    _ request: OracleRequest, _ platform: Platform, _ operator: Operator?, _ own: [Case]
  ) throws(OracleError) -> OracleWay {
    let fallen = waited(request, platform)
    if try user(request, platform, `operator`, own) { return .user }
    if let fallen, try user(fallen, platform, `operator`, own) { return .wait }
    if try both(request, platform, `operator`, own) { return .operator }
    if let fallen, try both(fallen, platform, `operator`, own) { return .wait }
    // Nobody's choice helps, as long as every period is as it is.
    let all = Set(platform.periods.map(\.name)).union(request.ended)
    if all != request.ended {
      for var later in [request, fallen].compactMap(\.self) {
        later.ended = all
        if try both(later, platform, `operator`, own) { return .authorities }
      }
    }
    // The platform can state stakes of 0; the source is nobody's choice.
    let isHopeless = own.contains { one in
      one.absolute?.absolute == .off || (one.source == .untrusted && one.absolute == nil)
    }
    return isHopeless ? .nobody : .platform
  }

  /// The request with every known counter at what it alone makes of it, and nobody suspect; nil: neither changes anything.
  private static func waited(_ request: OracleRequest, _ platform: Platform) -> OracleRequest? {
    var later = request
    later.suspicion = 0
    for counter in platform.counters where request.attributes["counter." + counter.name] != nil {
      let isCounted = request.behaviors.contains { asked in
        counter.behaviors.contains { asked == $0 || asked.hasPrefix($0 + ".") || $0.hasPrefix(asked + ".") }
      }
      later.attributes["counter." + counter.name] = .int(isCounted ? 1 : 0)
    }
    let isCounted = platform.counters.contains { request.attributes["counter." + $0.name] != nil }
    return isCounted || request.suspicion > 0 ? later : nil
  }

  /// The request's cases under each dial that these choices can come to.
  private static func cases(
    _ request: OracleRequest, _ platform: Platform, _ operator: Operator?, _ own: [Case], _ operatorDials: [Degree?]
  ) -> [[Case]] {
    let platformDial = OraclePeriods.dial(platform.dial, request.ended)
    let ceilings = [platformDial.default, platformDial.operatorsMay, platformDial.usersMay].map(\.value)
    let sessions: [Degree?] = [request.session.first?.dial ?? request.dial] + ceilings
    // Who opened a session can open it with fewer terms, and whoever delegated it likewise; its source stays.
    var wider = request
    wider.session = request.session.map { _ in OracleSessionLevel() }
    wider.preference = nil
    var seen: Set<Degree> = []
    let dials = operatorDials.flatMap { dial in
      sessions.map { OracleDial(platformDial, operator: dial, session: $0) }
    }
    return dials.filter { seen.insert($0.value).inserted }.map { dial in
      own.map { Case(name: $0.name, wider, platform, `operator`, dial) }
    }
  }

  /// Whether the user's choices alone bring it about.
  private static func user(
    _ request: OracleRequest, _ platform: Platform, _ operator: Operator?, _ own: [Case]
  ) throws(OracleError) -> Bool {
    for cases in cases(request, platform, `operator`, own, [`operator`?.dial?.value]) {
      for preference in preferences {
        if try all(cases, { one throws(OracleError) in try one.allows(preference) }) { return true }
      }
    }
    return false
  }

  /// Whether the user's and the operator's choices do.
  private static func both(
    _ request: OracleRequest, _ platform: Platform, _ operator: Operator?, _ own: [Case]
  ) throws(OracleError) -> Bool {
    if try user(request, platform, `operator`, own) { return true }
    let best = OraclePeriods.dial(platform.dial, request.ended).operatorsMay.value
    for cases in cases(request, platform, `operator`, own, [`operator`?.dial?.value, nil, best]) {
      for preference in preferences {
        if try all(cases, { one throws(OracleError) in try one.allowsWithBestOperator(preference) }) { return true }
      }
    }
    return false
  }

  private static func all(
    _ cases: [Case], _ test: (Case) throws(OracleError) -> Bool
  ) throws(OracleError) -> Bool {
    for one in cases where try !test(one) { return false }
    return true
  }
}

extension Case {
  /// Allowed in every world if the user preferred this.
  func allows(_ preference: Effect?) throws(OracleError) -> Bool {
    for world in try worlds() where finish(Self.settle(world, choice, preference), world) != .allow { return false }
    return true
  }

  /// Likewise, if the operator could also choose its setting and grant, and had no limits.
  func allowsWithBestOperator(_ preference: Effect?) throws(OracleError) -> Bool {
    let choices: [Effect?] = [nil, .deny, .ask, .allow]
    let worlds = try Self.worlds(enforced.filter { $0.statement.tier != .operator })
    for setting in choices {
      for grant in choices {
        let grants = grant.map { [min($0, choice.operatorsMay)] } ?? []
        let settled = Self.settle(setting: setting, grants: grants, choice, preference)
        if worlds.allSatisfy({ finish(settled, $0) == .allow }) { return true }
      }
    }
    return false
  }
}
