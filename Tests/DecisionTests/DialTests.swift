// The dial (DESIGN §2.5): what is settled, what is capped, what is told of it, and the way.

import Consultation
import Decision
import PolicyImage
import Testing

@Suite struct DialTests {
  static let behaviors = [
    "low: {default: allow, stakes: 0.1}", "high: {default: allow, stakes: 0.7}", "bare: {default: allow}",
  ]

  private func answer(
    _ asked: Asked, _ name: String = "low", from source: Source = .agent, dial: Double? = nil
  ) throws -> Answer {
    try asked.policy.decide(
      asked.request([name], source: source, dial: dial.flatMap { Degree($0, up: false) }), operator: "op",
      explaining: true)
  }

  @Test func anAgentMayDoOnItsOwnWhatTheDialCovers() throws {
    let asked = try Asked(behaviors: Self.behaviors)
    #expect(try answer(asked, "low").effect == .allow)
    for name in ["high", "bare", "high.below"] { #expect(try answer(asked, name).effect == .ask) }
    for source in [Source.user, .operator, .platform] {
      #expect(try answer(asked, "bare", from: source).effect == .allow)
    }
    #expect(try answer(asked, "low", from: .untrusted).effect == .ask)
  }

  @Test func aCapCapsAndNeverRaises() throws {
    #expect(try answer(try Asked(behaviors: ["low: {default: deny}"])).effect == .deny)
    #expect(try answer(try Asked(behaviors: ["low: {default: deny}"]), from: .untrusted).effect == .deny)
  }

  @Test func noDutyOutranksItAndAnAbsoluteDoes() throws {
    let asked = try Asked(
      behaviors: ["low: {default: deny}", "exit: {hardcoded: on, stakes: 0}"],
      rules: ["{duty: low, to: allow, tier: safety}"])
    #expect(try answer(asked, from: .user).effect == .allow)
    #expect(try answer(asked).effect == .ask)
    #expect(try answer(asked, from: .untrusted).effect == .ask)
    #expect(try answer(asked, "exit", from: .untrusted).effect == .allow)
    #expect(try answer(asked, "harm.csam").decidedBy.rank == .absolute)
  }

  /// The platform's dial, the operator's, the session's; what is settled, and where.
  static let settled: [(String?, Double?, Double?, Double, String?)] = [
    (nil, nil, nil, 0.1, "built-in"), (nil, nil, 0.05, 0.05, nil), (nil, nil, 0.9, 0.1, "built-in"),
    ("default: 0.2", nil, nil, 0.2, "platform.yaml"), ("default: 0.2", nil, 0.4, 0.2, "platform.yaml"),
    ("default: 0.2, operators-may: 0.4, users-may: 0.3", nil, nil, 0.2, "platform.yaml"),
    ("default: 0.2, operators-may: 0.4, users-may: 0.3", nil, 0.25, 0.25, nil),
    ("default: 0.2, operators-may: 0.4, users-may: 0.3", nil, 0.35, 0.3, "platform.yaml"),
    ("default: 0.2, operators-may: 0.4, users-may: 0.3", nil, 0.2, 0.2, "platform.yaml"),
    ("default: 0.2, operators-may: 0.4, users-may: 0.3", 0.35, nil, 0.35, "operators.d/op.yaml"),
    ("default: 0.2, operators-may: 0.4, users-may: 0.3", 0.05, 0.3, 0.05, "operators.d/op.yaml"),
    ("default: 0.2, operators-may: 0.4, users-may: 0.3", 0.35, 0.9, 0.35, "operators.d/op.yaml"),
    ("default: 0.2, operators-may: 0.4, users-may: 0.3", 0.35, 0.1, 0.1, nil),
  ]

  @Test(arguments: settled)
  func itIsSettledLikeABehaviour(
    _ platform: String?, _ own: Double?, _ session: Double?, _ value: Double, _ place: String?
  ) throws {
    let asked = try Asked(behaviors: Self.behaviors, dial: platform, ownDial: own)
    let step = try #require(try answer(asked, dial: session).trace.first { $0.step == .dial })
    #expect(step.dial?.dial.value == value)
    #expect(place == nil ? step.statement == nil : step.statement?.place.hasPrefix(place ?? "") == true)
  }

  @Test func itsStepTellsTheNumbersAndWhoSetThem() throws {
    let asked = try Asked(behaviors: Self.behaviors, dial: "default: 0.2, operators-may: 0.5", ownDial: 0.3)
    let answer = try answer(asked, "high.below")
    let step = try #require(answer.trace.last)
    #expect(step.step == .dial && step.truth == .yes && step.says == .ask && step.effect == .ask)
    #expect(
      step.dial
        == DialLine(
          stakes: Degree(millionths: 700_000), statedAt: step.dial?.statedAt, dial: Degree(millionths: 300_000),
          isUntrusted: false))
    #expect(step.dial?.statedAt?.place == "platform.yaml:9" && step.statement?.place == "operators.d/op.yaml:4")
    #expect(answer.decidedBy.rank == .oversight && answer.decidedBy.statement == step.statement)
    let bare = try self.answer(asked, "bare").trace.last
    #expect(bare?.dial?.stakes == .one && bare?.dial?.statedAt == nil)
    let low = try self.answer(asked).trace.last
    #expect(low?.truth == .no && low?.effect == .allow)
    let untrusted = try self.answer(asked, from: .untrusted)
    #expect(untrusted.trace.last?.dial?.isUntrusted == true && untrusted.decidedBy.statement == nil)
    #expect(try self.answer(asked, from: .user).trace.last?.step != .dial)
  }

  @Test func whatAgreesIsNamedForIt() throws {
    let asked = try Asked(behaviors: ["low: {default: ask}"])
    #expect(try answer(asked).decidedBy.rank == .oversight)
    #expect(try answer(asked, from: .user).decidedBy.rank == .default)
  }

  @Test func limitsMayAskWhetherItIsLow() throws {
    let asked = try Asked(
      behaviors: Self.behaviors, rules: ["{limit: low, to: deny, when: session.dial <= 0.2}"],
      own: ["{limit: low, to: ask, when: '!(session.dial >= 0.25)'}"], dial: "default: 0.3, users-may: 0.4")
    for (dial, effect) in [(nil, Effect.allow), (0.25, .allow), (0.249_999, .ask), (0.2, .deny), (0.9, .allow)] {
      #expect(try answer(asked, from: .user, dial: dial).effect == effect, "\(String(describing: dial))")
    }
  }

  // MARK: the way

  private func way(_ asked: Asked, _ name: String = "low", dial: Double? = nil) throws -> WayOut? {
    try answer(asked, name, dial: dial).way
  }

  @Test func theLowestLayerThatMayRaiseItEnough() throws {
    let behaviors = ["low: {default: allow, stakes: 0.3}"]
    let users = try way(Asked(behaviors: behaviors, dial: "default: 0.2, users-may: 0.4"))
    #expect(users?.by == .user && users?.steps.map(\.kind) == [.sessionDial])
    #expect(users?.steps.first?.dial?.needed.value == 0.3 && users?.steps.first?.dial?.highest.value == 0.4)
    let lowered = try way(Asked(behaviors: behaviors, dial: "default: 0.3"), dial: 0.1)
    #expect(lowered?.by == .user && lowered?.steps.map(\.kind) == [.sessionDial])
    let operators = try way(Asked(behaviors: behaviors, dial: "default: 0.2, operators-may: 0.35"))
    #expect(operators?.by == .operator && operators?.steps.map(\.kind) == [.operatorDial])
    #expect(operators?.steps.first?.instead.statement?.place == "platform.yaml:6")
    let stated = try way(Asked(behaviors: behaviors, dial: "default: 0.2, operators-may: 0.35", ownDial: 0.1))
    #expect(stated?.by == .operator && stated?.steps.first?.instead.statement?.place == "operators.d/op.yaml:4")
    let platform = try way(Asked(behaviors: behaviors, dial: "default: 0.2"))
    #expect(platform?.by == .platform && platform?.steps.map(\.kind) == [.stakes])
    #expect(platform?.steps.first?.instead.statement?.place == "platform.yaml:8")
    #expect(platform?.steps.first?.dial?.highest.value == 0.2)
    #expect(try way(Asked(behaviors: ["low: {default: allow}"]))?.steps.first?.instead.statement == nil)
  }

  /// An operator that states none leaves the session what users may.
  @Test func itMayTakeTwoLayers() throws {
    let asked = try Asked(
      behaviors: ["low: {default: allow, stakes: 0.4}"], dial: "default: 0.1, operators-may: 0.2, users-may: 0.4",
      ownDial: 0.1)
    let found = try way(asked)
    #expect(found?.by == .operator && found?.steps.map(\.kind) == [.sessionDial, .operatorDial])
  }

  @Test func itStandsBesideWhatElseIsInTheWay() throws {
    let asked = try Asked(
      behaviors: ["low: {default: deny, operators-may: allow, stakes: 0.3}"], dial: "default: 0.1, operators-may: 0.5")
    let found = try way(asked)
    #expect(found?.by == .operator && found?.steps.map(\.kind) == [.setting, .operatorDial])
    let cheaper = try Asked(
      behaviors: ["low: {default: allow, stakes: 0.3}"], rules: ["{limit: low, to: ask, when: session.dial < 0.35}"],
      dial: "default: 0.1, users-may: 0.5")
    #expect(try way(cheaper)?.steps.map(\.kind) == [.sessionDial])
  }

  @Test func nobodyMakesUntrustedTextAnInstruction() throws {
    let asked = try Asked(behaviors: Self.behaviors)
    let answer = try answer(asked, from: .untrusted)
    #expect(answer.way?.by == .nobody && answer.way?.isUntrusted == true && answer.way?.steps.isEmpty == true)
    #expect(try self.answer(try Asked(behaviors: ["low: {hardcoded: off}"])).way?.isUntrusted == false)
  }
}
