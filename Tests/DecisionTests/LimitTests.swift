// DESIGN §2.2 and §2.10: tiers of duties and limits, absolutes, obligations, shadow. One example a rule.

import Decision
import Consultation
import Offline
import PolicyImage
import Testing

@Suite struct LimitTests {
  static let open = ["a: {default: allow}"]
  static let closed = ["a: {default: deny, operators-may: allow}"]

  @Test func aLimitCapsAndADutyRaises() throws {
    let capped = try Asked(behaviors: Self.open, rules: ["{limit: a, to: ask}"])
    #expect(try capped.effect("a.b") == .ask && capped.answer("a").decidedBy.rank == .guideline)
    #expect(try Asked(behaviors: Self.closed, rules: ["{duty: a, to: allow}"]).effect("a") == .allow)
  }

  @Test func insideATierTheStricterHasTheLastWord() throws {
    let rules = ["{duty: a, to: allow, tier: ethics}", "{limit: a, to: ask, tier: ethics}"]
    #expect(try Asked(behaviors: Self.closed, rules: rules).effect("a") == .ask)
  }

  @Test(arguments: [
    ("guideline", "ethics", Effect.allow), ("guideline", "safety", .allow), ("ethics", "safety", .allow),
    ("ethics", "guideline", .deny), ("safety", "guideline", .deny), ("safety", "ethics", .deny),
  ]) func theHigherTierHasTheLastWord(_ limit: String, _ duty: String, _ expected: Effect) throws {
    let rules = ["{limit: a, to: deny, tier: \(limit)}", "{duty: a, to: allow, tier: \(duty)}"]
    #expect(try Asked(behaviors: Self.open, rules: rules).effect("a") == expected)
  }

  @Test func anOperatorsLimitStandsBelowEveryDutyOfThePlatforms() throws {
    let own = ["{limit: a, to: deny}"]
    #expect(try Asked(behaviors: Self.open, own: own).answer("a").decidedBy.rank == .operatorTier)
    let owed = try Asked(behaviors: Self.open, rules: ["{duty: a, to: ask}"], own: own)
    #expect(try owed.effect("a") == .ask && owed.answer("a").decidedBy.rank == .guideline)
  }

  @Test func limitsOfWiderNamesHoldBelow() throws {
    let asked = try Asked(
      behaviors: Self.open + ["a.b: {default: allow}"], rules: ["{limit: a, to: deny}", "{limit: a.b, to: ask}"])
    #expect(try asked.effect("a.b.c") == .deny, "not the most specific one but each")
  }

  @Test func nothingMovesAnAbsolute() throws {
    let asked = try Asked(
      behaviors: [
        "a: {default: allow}", "a.off: {hardcoded: off}", "b: {default: deny}", "b.on: {hardcoded: on, stakes: 0}",
      ],
      rules: ["{duty: a, to: allow, tier: safety}", "{limit: b, to: deny, tier: safety}"], own: ["{limit: b, to: deny}"]
    )
    #expect(try asked.effect("a.off.x", preference: .allow) == .deny)
    #expect(try asked.answer("a.off").decidedBy.rank == .absolute && asked.answer("a.off").way?.by == .nobody)
    #expect(try asked.effect("b.on.x", preference: .deny) == .allow)
    #expect(try asked.effect("harm.csam") == .deny && asked.effect("oversight.undermine.x") == .deny)
    #expect(try asked.effect("transparency.admit-ai", by: nil) == .allow)
  }

  @Test func aWiderNameStandsForEveryKnownNameBelow() throws {
    let asked = try Asked(
      behaviors: ["a: {default: allow}", "a.b: {default: ask}"], rules: ["{limit: a.c.d, to: deny, with: [x]}"])
    #expect(try asked.effect("a") == .deny && asked.answer("a").decidedBy.behavior == "a.c.d")
    #expect(try asked.effect("a.b") == .ask && asked.effect("a.c") == .deny && asked.effect("a.e") == .allow)
    #expect(try asked.answer("a").obligations == ["x"])
    #expect(try asked.effect("harm") == .deny, "built-in names count too")
  }

  @Test func ofSeveralBehavioursTheStrictestDecides() throws {
    let asked = try Asked(
      behaviors: ["a: {default: allow}", "b: {default: ask}", "c: {default: deny}"],
      rules: ["{limit: a, to: allow, with: [x]}", "{limit: b, to: allow, with: [y]}"])
    #expect(try asked.effect("a", "b") == .ask && asked.effect("b", "c", "a") == .deny)
    #expect(try asked.answer("a", "b").obligations == ["x", "y"], "obligations add up")
    #expect(try asked.answer("c", "a", "b").decidedBy.behavior == "c")
    #expect(try asked.answer("b", "b").effect == .ask, "repeats don't matter")
  }

  // MARK: Obligations

  @Test func obligationsAreThoseOfTheWinningSettingAndOfEachDutyAndLimit() throws {
    let asked = try Asked(
      behaviors: ["a: {default: ask, operators-may: allow}"],
      rules: [
        "{limit: a, to: allow, with: [one]}", "{duty: a, to: deny, with: [two]}",
        "{limit: a, to: ask, when: user.adult, with: [three]}",
      ],
      own: [
        "{allow: a, with: [lost]}", "{allow: a.b, with: [four]}", "{allow: a.b, with: [five]}",
        "{limit: a, to: allow, with: [six]}",
      ])
    let no: [String: RequestValue] = ["user.adult": .bool(false)]
    #expect(try asked.answer("a.b", given: no).obligations == ["five", "four", "one", "six", "two"])
    #expect(try asked.answer("a.b", given: no).effect == .allow)
    #expect(try asked.answer("a.b").obligations.contains("three"), "a failed limit still obliges")
    #expect(try asked.answer("a", given: no).obligations.contains("lost"))
  }

  @Test func underAnAbsoluteLimitsStillCarryTheirObligations() throws {
    let asked = try Asked(behaviors: ["a: {hardcoded: on, stakes: 0}"], rules: ["{limit: a, to: allow, with: [x]}"])
    #expect(try asked.answer("a").obligations == ["x"])
  }

  @Test func shadowRulesAreReportedAndNotEnforced() throws {
    let asked = try Asked(
      behaviors: Self.closed,
      rules: ["{limit: a, to: deny, mode: shadow, with: [x]}", "{duty: a, to: allow, mode: shadow}"],
      own: ["{ask: a}", "{deny: a.b, mode: shadow}"])
    let answer = try asked.answer("a.b")
    #expect(answer.effect == .ask && answer.obligations == [])
    #expect(answer.trace.filter(\.isShadow).map(\.says) == [.deny, .allow, .deny])
    #expect(answer.trace.filter(\.isShadow).allSatisfy { $0.truth == .yes })
  }

  // MARK: What decided, between equals

  @Test func ofEqualsTheHigherTierIsNamed() throws {
    let asked = try Asked(
      behaviors: Self.closed, rules: ["{limit: a, to: deny, tier: safety}", "{limit: a, to: deny, tier: ethics}"],
      own: ["{deny: a}", "{limit: a, to: deny}"])
    #expect(try asked.answer("a").decidedBy.rank == .safety)
  }

  @Test func thenTheDeeperBehaviour() throws {
    let asked = try Asked(behaviors: Self.open, rules: ["{limit: a, to: deny}", "{limit: a.b, to: deny}"])
    #expect(try asked.answer("a.b.c").decidedBy.statement?.behavior == "a.b")
  }

  @Test func thenTheContentWhateverTheOrderOfLines() throws {
    let rules = ["{limit: a, to: deny, clause: one}", "{limit: a, to: deny, clause: two}"]
    let first = try Asked(behaviors: Self.open, rules: rules).answer("a").decidedBy.statement
    let second = try Asked(behaviors: Self.open, rules: rules.reversed()).answer("a").decidedBy.statement
    #expect(first?.clause == second?.clause && first?.clause != nil)
  }
}
