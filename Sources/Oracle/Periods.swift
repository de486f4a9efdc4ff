// What holds of a policy while some periods run and others have ended (DESIGN §2.8): what depends on one is taken out or
// replaced before anything is decided.

internal import PolicyImage
internal import PolicyLanguage

enum OraclePeriods {
  /// What the fields become: of what the ended periods say of one the strictest, and no ceiling is below the default.
  static func choice(_ own: Choice, _ after: [String: Alternative<Effect>], _ ended: Set<String>) -> Choice {
    let now = after.filter { ended.contains($0.key) }.map(\.value)
    let `default` = now.compactMap(\.default).min() ?? own.default
    return Choice(
      default: `default`, operatorsMay: max(`default`, now.compactMap(\.operatorsMay).min() ?? own.operatorsMay),
      usersMay: max(`default`, now.compactMap(\.usersMay).min() ?? own.usersMay),
      obligations: own.obligations)
  }

  /// Likewise of the dial.
  static func dial(_ own: Dial, _ ended: Set<String>) -> Dial {
    let now = own.after.filter { ended.contains($0.key) }.map(\.value)
    var dial = own
    if let least = now.compactMap(\.default).min() { dial.default.value = least }
    if let least = now.compactMap(\.operatorsMay).min() { dial.operatorsMay.value = least }
    if let least = now.compactMap(\.usersMay).min() { dial.usersMay.value = least }
    dial.operatorsMay.value = max(dial.operatorsMay.value, dial.default.value)
    dial.usersMay.value = max(dial.usersMay.value, dial.default.value)
    return dial
  }

  /// Whether a statement is there: a limit while its period runs, others once it has ended.
  static func isInForce(_ statement: Statement, _ ended: Set<String>) -> Bool {
    guard let period = statement.period else { return true }
    return ended.contains(period) == (statement.kind != .limit)
  }

  /// The one of several that is named: the first that has ended, else the first.
  static func named(_ after: some Collection<String>, _ ended: Set<String>) -> OraclePeriod? {
    let sorted = after.sorted()
    guard let name = sorted.first(where: ended.contains) ?? sorted.first else { return nil }
    return OraclePeriod(name: name, hasEnded: ended.contains(name))
  }
}
