// DESIGN §2.3 and §2.4: conditions that fail, and arguments. One example a rule.

import Decision
import Consultation
import Offline
import PolicyImage
import Testing

@Suite struct ConditionTests {
  static let behaviors = ["a: {default: ask, operators-may: allow, users-may: allow}"]

  @Test func aFailedLimitApplies() throws {
    let asked = try Asked(behaviors: Self.behaviors, rules: ["{limit: a, to: deny, when: user.adult}"])
    #expect(try asked.effect("a", given: ["user.adult": .bool(false)]) == .ask && asked.effect("a") == .deny)
    let line = try asked.answer("a").trace.first { $0.step == .limit }
    #expect(line?.truth == .failed && line?.failure == .missingAttribute && line?.attribute == "user.adult")
  }

  @Test func aFailedDutyDoesNot() throws {
    let asked = try Asked(behaviors: Self.behaviors, rules: ["{duty: a, to: allow, when: user.adult}"])
    #expect(try asked.effect("a", given: ["user.adult": .bool(true)]) == .allow && asked.effect("a") == .ask)
  }

  @Test(arguments: [
    "request.n + 9223372036854775807 > 0", "1 / request.n > 0", "request.tags[3] == 'x'", "int(request.tags[0]) > 0",
  ])
  func whatCantBeEvaluatedFailsEitherWay(_ condition: String) throws {
    let given: [String: RequestValue] = [
      "request.n": .int(condition.hasPrefix("1") ? 0 : 5), "request.tags": .list([.string("z")]),
    ]
    let limited = try Asked(behaviors: ["a: {default: allow}"], rules: ["{limit: a, to: deny, when: \"\(condition)\"}"])
    #expect(try limited.effect("a", given: given) == .deny)
    let owed = try Asked(behaviors: ["a: {default: deny}"], rules: ["{duty: a, to: allow, when: \"\(condition)\"}"])
    #expect(try owed.effect("a", given: given) == .deny)
    let negated = try Asked(
      behaviors: ["a: {default: allow}"], rules: ["{limit: a, to: deny, when: \"!(\(condition))\"}"])
    #expect(try negated.effect("a", given: given) == .deny, "not a failure's negation either")
  }

  @Test func anErrorIsAbsorbedWhereTheOtherSideDecides() throws {
    let asked = try Asked(
      behaviors: ["a: {default: allow}"], rules: ["{limit: a, to: deny, when: \"user.adult && request.n > 3\"}"])
    #expect(try asked.effect("a", given: ["request.n": .int(1)]) == .allow)
    #expect(try asked.effect("a", given: ["request.n": .int(4)]) == .deny)
  }

  // Settings: the strictest of the usual winner, each failed one at least as specific, and silence without a winner.

  @Test func aFailedSettingThatIsStricterThanTheWinnerCounts() throws {
    let own = ["allow: a", "{deny: a.b, when: user.adult}"]
    #expect(try Asked(behaviors: Self.behaviors, own: own).effect("a.b") == .deny)
  }

  @Test func aFailedSettingThatIsLooserDoesNot() throws {
    let own = ["deny: a", "{allow: a.b, when: user.adult}"]
    #expect(try Asked(behaviors: Self.behaviors, own: own).effect("a.b") == .deny)
  }

  @Test func aFailedSettingThatIsLessSpecificThanTheWinnerHasNoSay() throws {
    let own = ["{deny: a, when: user.adult}", "allow: a.b"]
    #expect(try Asked(behaviors: Self.behaviors, own: own).effect("a.b") == .allow)
  }

  @Test func withoutASureWinnerSilenceCounts() throws {
    let own = ["{allow: a, when: user.adult}"]
    let asked = try Asked(behaviors: Self.behaviors, own: own)
    #expect(try asked.effect("a") == .ask && asked.answer("a").decidedBy.rank == .default)
    #expect(try Asked(behaviors: Self.behaviors, own: ["{deny: a, when: user.adult}"]).effect("a") == .deny)
  }

  @Test func afterAFailedSettingTheUserCantLiftMoreThanInEitherCase() throws {
    let asked = try Asked(behaviors: Self.behaviors, own: ["{deny: a, when: user.adult}"])
    #expect(try asked.effect("a", preference: .allow) == .deny)
    #expect(try asked.effect("a", given: ["user.adult": .bool(false)], preference: .allow) == .allow)
  }

  // MARK: Arguments

  @Test func aLimitThatReadsTheArgumentIsJudgedWithAnEmptyOneToo() throws {
    let asked = try Asked(
      behaviors: ["a: {default: allow}"],
      rules: [
        "{limit: a, to: deny, when: \"!argument.contains('please')\"}",
        "{limit: a, to: ask, when: \"argument.contains('urgent')\"}",
      ])
    #expect(try asked.effect("a") == .deny && asked.effect("a", argument: "please") == .deny, "no argument loosens")
    #expect(try asked.effect("a", argument: "urgent") == .deny)
  }

  @Test func anArgumentTightens() throws {
    let asked = try Asked(
      behaviors: ["a: {default: allow}"], rules: ["{limit: a, to: ask, when: \"argument.contains('urgent')\"}"])
    #expect(try asked.effect("a") == .allow && asked.effect("a", argument: "calm") == .allow)
    #expect(try asked.effect("a", argument: "it is urgent") == .ask)
  }
}
