// Who could bring about an `allow` (DESIGN §1, "way"): each layer's choices are tried in turn, lowest layer first.

internal import PolicyImage
internal import PolicyLanguage

extension Oracle {
  private static let preferences: [Effect?] = [nil, .deny, .ask, .allow]

  static func way(_ cases: [Case]) throws(OracleError) -> OracleWay {
    for preference in preferences {
      if try all(cases, { one throws(OracleError) in try one.allows(preference) }) { return .user }
    }
    for preference in preferences {
      if try all(cases, { one throws(OracleError) in try one.allowsWithBestOperator(preference) }) { return .operator }
    }
    return cases.contains { $0.absolute?.absolute == .off } ? .nobody : .platform
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
