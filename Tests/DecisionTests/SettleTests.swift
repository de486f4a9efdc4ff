// DESIGN §2.1: what the principals chose. One example a rule.

import Decision
import Consultation
import Offline
import PolicyImage
import Testing

@Suite struct SettleTests {
  @Test func theDefaultHoldsWhereNobodySaysMore() throws {
    let asked = try Asked(behaviors: ["a: {default: ask, operators-may: allow}"])
    let answer = try asked.answer("a")
    #expect(answer.effect == .ask && answer.decidedBy.rank == .default && answer.decidedBy.statement?.behavior == "a")
    #expect(try asked.effect("a", by: nil) == .ask)
  }

  @Test func anOperatorMayRestrictAndExpandToItsCeiling() throws {
    let behaviors = ["a: {default: ask, operators-may: allow}", "b: {default: allow}"]
    let asked = try Asked(behaviors: behaviors, own: ["allow: a", "deny: b"])
    #expect(try asked.effect("a") == .allow && asked.effect("b") == .deny)
    #expect(try asked.answer("a").decidedBy.rank == .setting)
  }

  /// `a` may be allowed, what is stricter below it is not: the setting is cut down there.
  @Test func aSettingOnStricterNamesBelowIsClamped() throws {
    let asked = try Asked(
      behaviors: ["a: {default: deny, operators-may: allow}", "a.b: {default: deny, operators-may: ask}"],
      own: ["allow: a"])
    let answer = try asked.answer("a.b")
    #expect(answer.effect == .ask && answer.decidedBy.rank == .ceiling)
    #expect(answer.trace.contains { $0.isClamped })
  }

  @Test func theMostSpecificSettingWinsAndBetweenEqualsTheStrictest() throws {
    let behaviors = ["a: {default: deny, operators-may: allow}"]
    #expect(try Asked(behaviors: behaviors, own: ["deny: a", "allow: a.b"]).effect("a.b.c") == .allow)
    #expect(try Asked(behaviors: behaviors, own: ["allow: a", "ask: a.b"]).effect("a.b.c") == .ask)
    #expect(try Asked(behaviors: behaviors, own: ["allow: a", "ask: a"]).effect("a") == .ask)
    #expect(
      try Asked(behaviors: behaviors, own: ["allow: a", "{deny: a.b, when: user.adult}"])
        .effect("a.b", given: ["user.adult": .bool(false)]) == .allow, "a setting that doesn't match has no say")
  }

  @Test func aUserMayRestrict() throws {
    let asked = try Asked(behaviors: ["a: {default: allow}"])
    #expect(try asked.effect("a", preference: .deny) == .deny && asked.effect("a", preference: .ask) == .ask)
    #expect(try asked.answer("a", preference: .deny).decidedBy.rank == .preference)
  }

  @Test func aUserMayLiftToTheCeilingWhereTheOperatorIsSilent() throws {
    let behaviors = ["a: {default: deny, operators-may: allow, users-may: ask}"]
    #expect(try Asked(behaviors: behaviors).effect("a", preference: .allow) == .ask)
  }

  @Test func aUserCantLiftWhatAnOperatorSet() throws {
    let behaviors = ["a: {default: deny, operators-may: allow, users-may: allow}"]
    #expect(try Asked(behaviors: behaviors, own: ["deny: a"]).effect("a", preference: .allow) == .deny)
  }

  @Test func unlessTheOperatorGrantsIt() throws {
    let behaviors = ["a: {default: deny, operators-may: ask, users-may: deny}"]
    let own = ["deny: a"]
    let grant = ["{users-may: ask, behavior: a, when: user.adult}"]
    let asked = try Asked(behaviors: behaviors, own: own, grants: grant)
    #expect(try asked.effect("a", given: ["user.adult": .bool(true)], preference: .allow) == .ask)
    #expect(try asked.effect("a", given: ["user.adult": .bool(false)], preference: .allow) == .deny)
    #expect(try asked.effect("a", given: ["user.adult": .bool(true)]) == .deny, "a grant without a wish lifts nothing")
    #expect(try asked.effect("a", preference: .allow) == .deny, "a failed grant doesn't count")
  }

  @Test func theBestOfSeveralGrantsCountsUpToTheOperatorsCeiling() throws {
    let grants = ["{users-may: ask, behavior: a}", "{users-may: allow, behavior: a}"]
    #expect(
      try Asked(behaviors: ["a: {default: deny, operators-may: allow}"], grants: grants).effect("a", preference: .allow)
        == .allow)
    let clamped = try Asked(
      behaviors: ["a: {default: deny, operators-may: allow}", "a.b: {default: deny, operators-may: ask}"],
      grants: ["{users-may: allow, behavior: a}"])
    #expect(try clamped.effect("a.b", preference: .allow) == .ask)
  }

  @Test func anUndeclaredNameIsGovernedByItsNearestDeclaredAncestor() throws {
    let asked = try Asked(unknown: "ask", behaviors: ["a: {default: allow}", "a.b: {default: deny}"])
    #expect(try asked.effect("a.x.y") == .allow && asked.effect("a.b.x.y") == .deny)
    #expect(try asked.effect("ab") == .ask, "a name is cut at dots alone")
    #expect(
      try asked.effect("nobody.knows") == .ask && asked.answer("nobody.knows").decidedBy.statement?.form == .unknown)
  }

  @Test func aDeclarationWithoutADefaultInheritsAllThree() throws {
    let asked = try Asked(
      behaviors: [
        "a: {default: ask, operators-may: allow, users-may: allow}", "a.b: {stakes: 0}", "a.c: {default: deny}",
      ])
    #expect(try asked.effect("a.b") == .ask && asked.effect("a.b", preference: .allow) == .allow)
    #expect(try asked.effect("a.c", preference: .allow) == .deny, "one that states a default starts afresh")
  }
}
