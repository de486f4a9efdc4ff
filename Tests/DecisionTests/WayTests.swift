// DESIGN §1: the way out of a refusal, by the lowest layer that has one.

import Consultation
import Offline
import PolicyImage
import Testing

@testable import Decision

@Suite struct WayTests {
  private func way(_ asked: Asked, _ name: String = "a", preference: Effect? = nil) throws -> WayBy? {
    try asked.answer(name, preference: preference).way?.by
  }

  @Test func noneIsNeededForWhatIsAllowed() throws {
    #expect(try way(Asked(behaviors: ["a: {default: allow}"])) == nil)
  }

  @Test func theUserWhoMayLift() throws {
    let asked = try Asked(behaviors: ["a: {default: deny, operators-may: allow, users-may: allow}"])
    let answer = try asked.answer("a")
    #expect(answer.way?.by == .user && answer.way?.steps.map(\.kind) == [.preference])
  }

  @Test func theUserWhoseOwnWishItWas() throws {
    #expect(try way(Asked(behaviors: ["a: {default: allow}"]), preference: .deny) == .user)
  }

  @Test func theOperatorBySettingOrByDroppingItsLimit() throws {
    let closed = try Asked(behaviors: ["a: {default: ask, operators-may: allow}"]).answer("a")
    #expect(closed.way?.by == .operator && closed.way?.steps.map(\.kind) == [.setting])
    let limited = try Asked(behaviors: ["a: {default: allow}"], own: ["{limit: a, to: ask}"]).answer("a")
    #expect(limited.way?.by == .operator && limited.way?.steps.map(\.kind) == [.operatorLimit])
    #expect(limited.way?.steps.first?.instead.statement?.behavior == "a")
  }

  @Test func oneChangeALayerThatIsNeeded() throws {
    let asked = try Asked(
      behaviors: ["a: {default: ask, operators-may: allow}"], own: ["{deny: a}", "{limit: a, to: ask}"])
    let way = try asked.answer("a").way
    #expect(way?.by == .operator && way?.steps.map(\.kind) == [.setting, .operatorLimit])
  }

  @Test func thePlatform() throws {
    let closed = try Asked(behaviors: ["a: {default: deny}"]).answer("a")
    #expect(closed.way?.by == .platform && closed.way?.steps.map(\.kind) == [.choice])
    let limited = try Asked(behaviors: ["a: {default: allow}"], rules: ["{limit: a, to: deny, tier: safety}"]).answer(
      "a")
    #expect(limited.way?.by == .platform && limited.way?.steps.map(\.kind) == [.platformLimit])
  }

  @Test func nobody() throws {
    let asked = try Asked(behaviors: ["a: {hardcoded: off}"])
    let answer = try asked.answer("a.b", preference: .allow)
    #expect(answer.way?.by == .nobody && answer.way?.steps.isEmpty == true)
  }

  @Test func anAskHasAWayToo() throws {
    #expect(try way(Asked(behaviors: ["a: {default: ask, users-may: allow}"])) == .user)
  }

  @Test func withoutAPolicyEverythingButAbsolutesOnIsDenied() {
    func decided(_ name: String) -> Decision {
      Array(name.utf8).withUnsafeBytes { decideWithoutPolicy(behavior: $0) }
    }
    #expect(decided("a").effect == .deny && decided("a").decider.rank == .oversight)
    #expect(decided("transparency.admit-ai.x").effect == .allow && decided("transparency.admit-aix").effect == .deny)
    #expect(decided("harm.csam").effect == .deny && decided("harm.csam").decider.rank != .default)
  }
}
