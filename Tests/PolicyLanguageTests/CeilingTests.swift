// The rules of DESIGN §2.1 about defaults, ceilings and what each layer may claim.

import PolicyImage
import PolicyLanguage
import Testing

@Suite struct CeilingTests {
  private static let head = "licet: 1\nlayer: platform\nname: acme\n"

  private static func behaviors(_ lines: String, unknown: String = "ask") throws -> [String: Behavior] {
    let set = load([file("platform.yaml", "\(head)unknown: \(unknown)\nbehaviors:\n\(lines)")])
    #expect(set.summary == [])
    return try #require(set.platform?.behaviors)
  }

  private static func codes(_ behavior: String) -> [DiagnosticCode] {
    load([file("platform.yaml", "\(head)behaviors:\n  tool: {\(behavior)}\n")]).codes
  }

  // MARK: the platform's own

  @Test func ceilingsThatAreOmittedEqualTheDefault() throws {
    for effect in [Effect.deny, .ask, .allow] {
      let tool = try Self.behaviors("  tool: {default: \(effect)}\n")["tool"]
      #expect(tool?.choice == Choice(default: effect, operatorsMay: effect, usersMay: effect))
    }
    let other = try Self.behaviors("  tool: {default: deny, operators-may: allow}\n")["tool"]
    #expect(other?.choice == Choice(default: .deny, operatorsMay: .allow, usersMay: .deny))
    let one = try Self.behaviors("  tool: {default: deny, users-may: allow}\n")["tool"]
    #expect(one?.choice == Choice(default: .deny, operatorsMay: .deny, usersMay: .allow))
  }

  @Test func whoStatesADefaultStartsAfresh() throws {
    let all = try Self.behaviors(
      "  tool: {default: ask, operators-may: allow, users-may: allow}\n  tool.shell: {default: deny}\n")
    #expect(all["tool.shell"]?.choice == Choice(default: .deny, operatorsMay: .deny, usersMay: .deny))
    #expect(all["tool.shell"]?.governedBy == "tool.shell")
  }

  @Test func whoStatesNoneInheritsAllThreeFromTheNearestDeclaredAncestor() throws {
    let all = try Self.behaviors(
      "  a: {default: deny, operators-may: ask, users-may: allow}\n  a.b: {default: ask}\n  a.b.c.d: {stakes: 0.5}\n  a.x.y: {}\n  a.z:\n"
    )
    #expect(all["a.b.c.d"]?.choice == Choice(default: .ask, operatorsMay: .ask, usersMay: .ask))
    #expect(all["a.b.c.d"]?.governedBy == "a.b" && all["a.b.c.d"]?.stated == nil)
    for name in ["a.x.y", "a.z"] {
      #expect(all[name]?.choice == Choice(default: .deny, operatorsMay: .ask, usersMay: .allow))
      #expect(all[name]?.governedBy == "a")
    }
  }

  @Test(arguments: [Effect.deny, .ask, .allow]) func withNoAncestorItIsUnknownForAllThree(_ unknown: Effect) throws {
    let tool = try Self.behaviors("  tool: {title: T}\n", unknown: "\(unknown)")["tool"]
    #expect(tool?.choice == Choice(default: unknown, operatorsMay: unknown, usersMay: unknown))
    #expect(tool?.governedBy == nil)
  }

  @Test func unknownIsDenyWhenNobodyStatesIt() throws {
    let set = load([file("platform.yaml", Self.head + "behaviors: {tool: {}}\n")])
    #expect(set.platform?.unknown == .deny && set.platform?.behaviors["tool"]?.choice.default == .deny)
  }

  @Test func stakesAndAuditAreInheritedSingly() throws {
    let all = try Self.behaviors(
      "  a: {default: allow, stakes: 0.25, audit: full}\n  a.b: {default: deny, stakes: 0.5}\n  a.b.c: {audit: durable}\n  d: {}\n"
    )
    #expect(all["a.b"]?.stakes.value == 0.5 && all["a.b"]?.audit == .full)
    #expect(all["a.b.c"]?.stakes.value == 0.5 && all["a.b.c"]?.audit == .durable)
    #expect(all["d"]?.stakes == .one && all["d"]?.audit == .counts)
  }

  @Test func aCeilingNeedsADefaultAndIsNeverBelowIt() {
    for ceiling in ["operators-may", "users-may"] {
      for effect in ["deny", "ask", "allow"] {
        #expect(Self.codes("\(ceiling): \(effect)") == [.ceilingWithoutDefault])
      }
      for (low, high) in [("deny", "ask"), ("deny", "allow"), ("ask", "allow")] {
        #expect(Self.codes("default: \(high), \(ceiling): \(low)") == [.ceilingBelowDefault])
        #expect(Self.codes("default: \(low), \(ceiling): \(high)") == [])
        #expect(Self.codes("default: \(low), \(ceiling): \(low)") == [])
      }
    }
  }

  // MARK: what an operator may claim

  @Test(arguments: [Effect.deny, .ask, .allow]) func settingsAndGrantsGoUpToTheCeiling(_ ceiling: Effect) throws {
    let platform = file(
      "platform.yaml",
      "\(Self.head)behaviors:\n  tool:\n    default: deny\n    operators-may: \(ceiling)\n    users-may: allow\n")
    for effect in [Effect.deny, .ask, .allow] {
      for lines in ["rules:\n  - \(effect): tool.x\n", "grants:\n  - users-may: \(effect)\n    behavior: tool.x\n"] {
        let set = load([platform, operatorFile("shop", lines)])
        #expect((set.operators["shop"] != nil) == (effect <= ceiling))
        guard effect > ceiling else { continue }
        #expect(set.codes == [.aboveCeiling] && set.broken == ["shop"])
        let diagnostic = try #require(set.diagnostics.first)
        #expect(diagnostic.location.file == "operators.d/shop.yaml" && diagnostic.location.line >= 5)
        #expect(diagnostic.message.contains("`\(ceiling)`"))
        #expect(diagnostic.related?.location == Location(file: "platform.yaml", line: 7, column: 20))
      }
    }
  }

  @Test func whereTheCeilingWasSetIsToldForEachOrigin() {
    func related(_ platform: String) -> Location? {
      load([file("platform.yaml", Self.head + platform), operatorFile("shop", "rules: [{allow: tool.a.b}]\n")])
        .diagnostics.first { $0.code == .aboveCeiling }?.related?.location
    }
    #expect(related("behaviors:\n  tool: {default: ask}\n") == Location(file: "platform.yaml", line: 5, column: 19))
    #expect(
      related("behaviors:\n  tool.a.b.c: {default: ask}\nunknown: ask\n")
        == Location(file: "platform.yaml", line: 6, column: 10))
    #expect(
      related("behaviors:\n  tool: {default: allow}\n  tool.a: {default: deny, operators-may: ask}\n  tool.a.b: {}\n")
        == Location(file: "platform.yaml", line: 6, column: 42))
  }

  @Test func aStatementIsJudgedByTheNameThatItNamesAndLintSaysWhereItIsClamped() {
    let set = loadOperator("rules: [{allow: tool}]\n")
    #expect(set.summary == [] && set.operators["shop"] != nil)
    let warnings = lint(set).filter { $0.code != .lintUnstatedStakes }
    #expect(warnings.map(\.code) == [.lintClamped])
    #expect(warnings.first?.message.contains("`tool.shell`") == true)
    #expect(warnings.first?.related?.location.line == 12)
    #expect(loadOperator("rules: [{allow: tool.shell}]\n").codes == [.aboveCeiling])
  }

  @Test func limitsAndDutiesHaveNoCeiling() {
    #expect(
      loadOperator("rules: [{limit: tool.shell, to: allow}, {limit: content.explicit, to: deny}]\n").summary == [])
    let platform = Sample.platform + "  - {duty: tool.shell, to: allow}\n  - {limit: tool, to: allow}\n"
    #expect(load([file("platform.yaml", platform)]).summary == [])
  }

  @Test func atOrUnderAnAbsoluteOnlyLimitsStand() {
    for name in ["politics.persuade", "politics.persuade.ads", "safety.exit", "safety.exit.now"] {
      for effect in ["allow", "ask", "deny"] {
        #expect(loadOperator("rules: [{\(effect): \(name)}]\n").codes == [.underAbsolute])
        #expect(loadOperator("grants: [{users-may: \(effect), behavior: \(name)}]\n").codes == [.underAbsolute])
        #expect(loadOperator("rules: [{limit: \(name), to: \(effect), with: [log]}]\n").summary == [])
      }
      #expect(
        load([file("platform.yaml", Sample.platform + "  - {duty: \(name), to: ask}\n")]).codes == [.underAbsolute])
    }
    #expect(loadOperator("rules: [{deny: politics}]\n").summary == [], "above one a setting stands")
  }

  @Test func aStatementNamesSomethingDeclaredOrAboveOrBelowIt() {
    for name in ["tool", "tool.shell.exec.git", "politics", "harm", "safety"] {
      #expect(loadOperator("rules: [{limit: \(name), to: deny}]\n").summary == [], "\(name)")
    }
    for (name, hint) in [("tol", "did you mean `tool`?"), ("polities.persuade", "did you mean `politics.persuade`?")] {
      for kind in ["deny: \(name)", "limit: \(name), to: deny"] {
        let set = loadOperator("rules: [{\(kind)}]\n")
        #expect(set.codes == [.undeclaredBehavior] && set.diagnostics.first?.hint == hint)
      }
    }
    #expect(
      loadOperator("rules: [{deny: too}]\n").codes == [.undeclaredBehavior], "a part of a segment is no name above")
    #expect(loadOperator("grants: [{users-may: ask, behavior: weather}]\n").codes == [.undeclaredBehavior])
    #expect(
      load([file("platform.yaml", Sample.platform + "  - {limit: weather, to: ask}\n")]).codes == [.undeclaredBehavior])
  }

  // MARK: whose words they are

  @Test func onlyOperatorsHaveSettingsAndGrants() {
    for rule in ["allow: content", "ask: content", "deny: content"] {
      let set = load([file("platform.yaml", Sample.platform + "  - {\(rule)}\n")])
      #expect(set.codes == [.keyOfOtherLayer] && set.platform == nil)
    }
    let grants = load([file("platform.yaml", Sample.platform + "grants: [{users-may: ask, behavior: tool}]\n")])
    #expect(grants.codes == [.keyOfOtherLayer] && grants.platform == nil)
  }

  @Test func onlyThePlatformDeclaresAndOwes() {
    for lines in [
      "rules: [{duty: tool, to: ask}]\n", "rules: [{limit: tool, to: ask, tier: safety}]\n",
      "behaviors: {x: {default: allow}}\n",
      "unknown: allow\n", "attributes: {user: {vip: bool}}\n",
    ] {
      let set = loadOperator(lines)
      #expect(set.codes == [.keyOfOtherLayer] && set.broken == ["shop"], "\(lines)")
    }
  }
}
