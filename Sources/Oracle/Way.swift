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
    if let way = try choices(request, platform, `operator`, own) { return way }
    // Nobody's choice helps, as long as every period is as it is.
    var later = request
    later.ended = Set(platform.periods.map(\.name)).union(request.ended)
    if later.ended != request.ended, try choices(later, platform, `operator`, own) != nil { return .authorities }
    // The platform can state stakes of 0; the source is nobody's choice.
    let isHopeless = own.contains { one in
      one.absolute?.absolute == .off || (one.source == .untrusted && one.absolute == nil)
    }
    return isHopeless ? .nobody : .platform
  }

  /// What the user, or the user and the operator, can bring about; nil: nothing.
  private static func choices(
    _ request: OracleRequest, _ platform: Platform, _ operator: Operator?, _ own: [Case]
  ) throws(OracleError) -> OracleWay? {
    let platformDial = OraclePeriods.dial(platform.dial, request.ended)
    let ceilings = [platformDial.default, platformDial.operatorsMay, platformDial.usersMay].map(\.value)
    let sessions: [Degree?] = [request.dial] + ceilings
    let stated = `operator`?.dial?.value
    func cases(_ operatorDials: [Degree?]) -> [[Case]] {
      var seen: Set<Degree> = []
      let dials = operatorDials.flatMap { dial in
        sessions.map { OracleDial(platformDial, operator: dial, session: $0) }
      }
      return dials.filter { seen.insert($0.value).inserted }.map { dial in
        own.map { Case(name: $0.name, request, platform, `operator`, dial) }
      }
    }
    for cases in cases([stated]) {
      for preference in preferences {
        if try all(cases, { one throws(OracleError) in try one.allows(preference) }) { return .user }
      }
    }
    for cases in cases([stated, nil, platformDial.operatorsMay.value]) {
      for preference in preferences {
        if try all(cases, { one throws(OracleError) in try one.allowsWithBestOperator(preference) }) {
          return .operator
        }
      }
    }
    return nil
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
