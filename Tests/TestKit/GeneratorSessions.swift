// Generated sessions: some levels, each with a few terms on names that the policy knows, on others, and on patterns that
// resources match or just miss.

public import Oracle
internal import PolicyImage
internal import PolicyLanguage

extension GeneratedPolicy {
  /// From no level to four.
  func session(_ random: inout SeededRandom) -> [OracleSessionLevel] {
    guard random.chance(55) else { return [] }
    return (0..<1 + random.below(4)).map { _ in sessionLevel(&random) }
  }

  /// What somebody delegates: any terms.
  public func sessionLevel(_ random: inout SeededRandom) -> OracleSessionLevel {
    var level = OracleSessionLevel()
    while random.chance(40) { level.preferences[termName(&random)] = random.pick(Effect.allCases) }
    while random.chance(40) { level.caps[termName(&random)] = random.pick(Effect.allCases) }
    if random.chance(25) {
      let known = behaviors.map(\.name) + Self.roots
      level.behaviors = Array(Set(Self.roots.filter { _ in random.chance(60) } + random.some(of: known, atMost: 3)))
    }
    if random.chance(15) { level.resources = random.some(of: Self.patterns, atMost: 3) }
    if random.chance(25) { level.dial = Degree(random.pick(Self.dials + [0.8]), up: false) }
    return level
  }

  private func termName(_ random: inout SeededRandom) -> String {
    let known = behaviors.map(\.name) + (platformRules + operatorRules).map(\.behavior) + Self.roots
    switch random.below(8) {
    case 0: return random.pick(["harm.csam", "harm", "transparency.admit-ai", "nobody.knows"])
    case 1: return random.pick(known) + "." + random.pick(Self.children)
    case 2: return random.pick(known) + ".unheard-of"
    case 3: return random.pick(BehaviorName.path(of: random.pick(known)))
    default: return random.pick(known)
    }
  }

  static let patterns = [
    "**", "*", "mailto:*", "mailto:*@b.c", "mailto:a@b.*c", "https://**", "https://example.org", "https:/*/*",
    "file:///etc/*", "file:///**", "file:///*/passwd", "file:///etc/p*w*", "*é*", "file:///etc/passwd/**", "/", "é.org",
  ]
}
