// `dial` and `session.dial` in policy files (DESIGN §2.5).

import PolicyImage
import Testing

@testable import PolicyLanguage

@Suite struct DialTests {
  private static let head = "licet: 1\nlayer: platform\nname: p\nbehaviors: {a: {default: ask, operators-may: allow}}\n"

  private static func platform(_ dial: String, rank: Int = 0, path: String = "platform.yaml") -> SourceFile {
    file(path, (path == "platform.yaml" ? head : "licet: 1\nlayer: platform\n") + dial, rank: rank)
  }

  private static func values(_ files: SourceFile...) throws -> [Double] {
    let set = load(files)
    #expect(set.summary == [])
    let dial = try #require(set.platform?.dial)
    return [dial.default, dial.operatorsMay, dial.usersMay].map(\.value.value)
  }

  @Test func whatIsOmittedEqualsTheDefault() throws {
    #expect(try Self.values(Self.platform("")) == [0.1, 0.1, 0.1])
    #expect(try Self.values(Self.platform("dial: {default: 0.3}\n")) == [0.3, 0.3, 0.3])
    #expect(try Self.values(Self.platform("dial: {default: 0.3, users-may: 0.5}\n")) == [0.3, 0.3, 0.5])
    #expect(load([Self.platform("")]).platform?.dial.default.location == nil)
  }

  @Test func eachFieldIsMerged() throws {
    let base = Self.platform("dial: {default: 0.2, operators-may: 0.4}\n")
    let more = Self.platform("dial: {users-may: 0.3}\n", path: "platform.d/a.yaml")
    #expect(try Self.values(base, more) == [0.2, 0.4, 0.3])
    #expect(
      try Self.values(base, Self.platform("dial: {default: 0.3}\n", rank: 1, path: "platform.d/a.yaml")) == [
        0.3, 0.4, 0.3,
      ])
    #expect(load([base, Self.platform("dial: {default: 0.3}\n", path: "platform.d/a.yaml")]).codes == [.conflict])
  }

  @Test(arguments: [
    ("{default: 0}", DiagnosticCode.outOfRange), ("{default: 1}", .outOfRange), ("{default: -0.1}", .outOfRange),
    ("{default: 0.0000001}", .outOfRange), ("{default: 2}", .outOfRange), ("{default: .nan}", .outOfRange),
    ("{default: 0.51}", .dialAboveHalf), ("{default: 0.2, users-may: 0.9}", .dialAboveHalf),
    ("{operators-may: 0.2}", .ceilingWithoutDefault), ("{default: 0.2, operators-may: 0.1}", .ceilingBelowDefault),
    ("{default: high}", .wrongType), ("0.2", .wrongType),
    ("{default: 0.2, after: {x: {default: 0.7}}}", .unknownPeriod),
    ("{default: 0.2, user-may: 0.3}", .unknownKey),
  ]) func mistakesAreNamed(_ dial: String, _ code: DiagnosticCode) {
    let set = load([Self.platform("dial: \(dial)\n")])
    #expect(set.codes == [code] && set.platform == nil)
  }

  @Test func anOperatorsDialStandsUnderTheCeiling() throws {
    let platform = Self.platform("dial:\n  default: 0.2\n  operators-may: 0.4\n")
    func own(_ dial: String) -> PolicySet { load([platform, operatorFile("shop", "dial: \(dial)\n")]) }
    #expect(own("0.4").operators["shop"]?.dial?.value.value == 0.4)
    #expect(own("0.05").operators["shop"]?.dial?.value.value == 0.05)
    let refused = own("0.45")
    #expect(refused.codes == [.aboveCeiling] && refused.operators["shop"] == nil && refused.platform != nil)
    #expect(refused.diagnostics.first?.location.line == 4 && refused.diagnostics.first?.related?.location.line == 7)
    #expect(refused.diagnostics.first?.message.contains("0.4") == true)
    #expect(own("0.7").codes == [.dialAboveHalf])
    #expect(load([Self.platform(""), operatorFile("shop", "dial: 0.2\n")]).codes == [.aboveCeiling])
    // What a higher folder overrides isn't judged.
    let higher = operatorFile("shop", "dial: 0.3\n", rank: 1)
    #expect(load([platform, operatorFile("shop", "dial: 0.45\n"), higher]).summary == [])
  }

  @Test func whatWasInForceIsClampedUnderALowerCeiling() throws {
    let checked = try #require(loadPlatform([Self.platform("dial: {default: 0.1}\n")]).checked)
    let loaded = checked.loadOperator("shop", [operatorFile("shop", "dial: 0.4\n")], clamping: true)
    #expect(loaded.operator?.dial?.value.value == 0.4)
    #expect(loaded.diagnostics.map(\.code) == [.aboveCeiling] && loaded.diagnostics.first?.severity == .warning)
  }

  @Test func moreDecimalsAreRoundedTheCautiousWay() {
    #expect(Degree(0.3, up: true)?.millionths == 300_000 && Degree(0.3, up: false)?.millionths == 300_000)
    #expect(Degree(0.300_000_1, up: true)?.millionths == 300_001)
    #expect(Degree(0.300_000_9, up: false)?.millionths == 300_000)
    for millionths in UInt32(0)...2000 {
      let degree = Degree(millionths: millionths * 500)
      #expect(Degree(degree.value, up: true) == degree && Degree(degree.value, up: false) == degree)
    }
    #expect(Degree(1.000_000_1, up: false) == nil && Degree(.nan, up: true) == nil && Degree(-0.1, up: true) == nil)
  }

  // MARK: session.dial

  @Test(arguments: [
    "session.dial < 0.3", "0.3 >= session.dial", "!(session.dial > 0.3)",
    "!(0.3 < session.dial) || request.amount > 1.0",
    "request.amount > session.dial && user.age > 3", "user.age > 3 ? session.dial <= 0.2 : true",
    "!(session.dial >= 0.3 && user.age > 3)", "!!(session.dial < 0.3)",
  ]) func limitsMayAskWhetherItIsLow(_ condition: String) {
    let set = loadOperator("rules: [{limit: tool, to: deny, when: \"\(condition)\"}]\n")
    #expect(set.summary == [])
  }

  @Test(arguments: [
    "session.dial > 0.3", "session.dial == 0.3", "session.dial != 0.3", "!(session.dial < 0.3)", "0.3 <= session.dial",
    "session.dial < session.dial", "session.dial < 0.3 ? true : session.dial > 0.2", "session.dial + 0.1 < 0.3",
    "(session.dial < 0.3) == (user.age > 3)", "[0.1, 0.2].exists(x, session.dial < x)",
    "session.dial < 0.3 ? false : true",
    "string(session.dial) < '0.3'", "has(session.dial)", "user.age > 3 || session.dial >= 0.2",
  ]) func whatLoweringItCouldLiftIsRefused(_ condition: String) {
    let set = loadOperator("rules: [{limit: tool, to: deny, when: \"\(condition)\"}]\n")
    #expect(set.codes == [.dialLoosens])
  }

  @Test func onlyLimitsMayReadIt() {
    #expect(loadOperator("rules: [{allow: tool, when: session.dial < 0.3}]\n").codes == [.dialOutsideLimit])
    #expect(
      load([Self.platform("attributes: {session: {dial: double}}\n")]).codes == [.builtInAttribute])
  }
}
