// DESIGN §2.7: populations and audiences as files state them.

import PolicyImage
import Testing

@testable import PolicyLanguage

@Suite struct PopulationTests {
  private static let who = "{caregiver: 420, clinician: 310, patient: 240, at-risk: 30}"
  private static let design = """
    population:
          who: \(who)
          responses:
            allow: {caregiver: +3, clinician: +3, patient: +2, at-risk: -40}
            allow with safe-messaging: {caregiver: +2.8, clinician: +2.5, patient: +2, at-risk: -4}
            ask: {caregiver: +0.5, at-risk: -1}
            deny: {caregiver: -2, clinician: -3, patient: -2, at-risk: -1}
          never-worse-than: {at-risk: -5}
    """

  private static func platform(_ fields: String, more: String = "") -> SourceFile {
    file(
      "platform.yaml", "licet: 1\nlayer: platform\nname: p\nbehaviors:\n  dose:\n    \(fields)\n\(more)")
  }
  private static func shop(_ text: String) -> SourceFile {
    file("operators.d/shop.yaml", "licet: 1\nlayer: operator\nname: shop\n\(text)\n")
  }
  private static func population(_ responses: String, who: String = "{a: 1, b: 2}", more: String = "") -> String {
    "population: {who: \(who), responses: \(responses)\(more)}"
  }
  private static func chosen(_ fields: String) throws -> Choice {
    let set = load([platform(fields)])
    return try #require(set.platform?.behaviors["dose"]?.choice, "\(set.diagnostics)")
  }

  @Test func theDesignsExample() throws {
    let set = load([Self.platform(Self.design)])
    let behavior = try #require(set.platform?.behaviors["dose"], "\(set.diagnostics)")
    #expect(
      behavior.choice
        == Choice(default: .allow, operatorsMay: .allow, usersMay: .allow, obligations: ["safe-messaging"]))
    #expect(
      behavior.chosen?.reason
        == "of 1000: allow with safe-messaging 2311; ask 180; deny -2280; allow 1470 (-40 for each at-risk is below -5)"
    )
  }

  @Test func ceilingsStartAfreshFromTheChoice() throws {
    let deny = Self.population("{deny: {a: 1}, allow: {a: -1}}")
    #expect(try Self.chosen(deny) == Choice(default: .deny, operatorsMay: .deny, usersMay: .deny))
    #expect(
      try Self.chosen("operators-may: ask\n    " + deny) == Choice(default: .deny, operatorsMay: .ask, usersMay: .deny))
    let below = load([Self.platform("operators-may: deny\n    " + Self.population("{allow: {a: 1}}"))])
    #expect(below.codes == [.ceilingBelowDefault] && below.platform == nil)
  }

  /// 0.1 + 0.2 is 0.3, and three times 0.1 is, too: ties, which go to the strictest.
  @Test func sumsAreExact() throws {
    #expect(try Self.chosen(Self.population("{allow: {a: 0.1, b: 0.1}, deny: {a: 0.3}}")).default == .deny)
    #expect(
      try Self.chosen(Self.population("{allow: {a: 0.1, b: 0.2}, deny: {c: 0.3}}", who: "{a: 1, b: 1, c: 1}")).default
        == .deny)
    let huge = "{a: 1000000000000, b: 1}"
    #expect(
      try Self.chosen(
        Self.population("{deny: {a: 999999999.999999}, allow: {a: 999999999.999999, b: 0.000001}}", who: huge)
      )
      .default == .allow)
  }

  @Test func tiesGoToTheStrictest() throws {
    #expect(try Self.chosen(Self.population("{allow: {a: 2}, ask: {b: 1}, deny: {b: 0.5, a: 1}}")).default == .deny)
    #expect(
      try Self.chosen(Self.population("{allow: {a: 1}, allow with y: {a: 1}, \"allow with x, z\": {a: 1}}")).obligations
        == ["x", "z"])
    #expect(try Self.chosen(Self.population("{allow with y: {a: 1}, allow with x: {a: 1}}")).obligations == ["x"])
  }

  @Test func boundsAreForEachPersonAndHoldForWhoIsNotStated() throws {
    let bound = ", never-worse-than: {a: -1}"
    #expect(try Self.chosen(Self.population("{allow: {a: -1, b: 9}, deny: {}}", more: bound)).default == .allow)
    #expect(try Self.chosen(Self.population("{allow: {a: -1.000001, b: 9}, deny: {}}", more: bound)).default == .deny)
    // A payoff that isn't stated is 0, and that may be below a bound.
    #expect(
      try Self.chosen(Self.population("{allow: {b: 9}, ask: {a: 1}}", more: ", never-worse-than: {a: 1}")).default
        == .ask)
  }

  @Test func withinNoBoundsItIsDeny() throws {
    let none = Self.population("{allow with x: {a: -2}, ask: {a: -3}}", more: ", never-worse-than: {a: -1}")
    #expect(try Self.chosen(none) == Choice(default: .deny, operatorsMay: .deny, usersMay: .deny))
  }

  @Test(
    arguments: [
      ("{allow: {c: 1}}", "{a: 1}", DiagnosticCode.populationGroup), ("{alow: {a: 1}}", "{a: 1}", .populationResponse),
      ("{allow with: {a: 1}}", "{a: 1}", .populationResponse), ("{allow x: {a: 1}}", "{a: 1}", .populationResponse),
      ("{\"allow with x,\": {a: 1}}", "{a: 1}", .populationResponse), ("{}", "{a: 1}", .populationResponse),
      ("{\"allow with x, y\": {a: 1}, \"allow with y,x\": {}}", "{a: 1}", .populationResponse),
      ("{deny: {a: 1}}", "{a: 0}", .populationCount), ("{deny: {a: 1}}", "{a: -1}", .populationCount),
      ("{deny: {a: 1}}", "{a: 1.5}", .populationCount), ("{deny: {a: 1}}", "{a: \"1\"}", .populationCount),
      ("{deny: {a: 1}}", "{a: 1000000000001}", .populationCount), ("{deny: {}}", "{}", .populationCount),
      ("{deny: {a: 1e3}}", "{a: 1}", .populationPayoff), ("{deny: {a: \"1\"}}", "{a: 1}", .populationPayoff),
      ("{deny: {a: .inf}}", "{a: 1}", .populationPayoff), ("{deny: {a: 0x10}}", "{a: 1}", .populationPayoff),
      ("{deny: {a: 1.1234567}}", "{a: 1}", .populationPayoff), ("{deny: {a: 1234567890}}", "{a: 1}", .populationPayoff),
      ("{deny: {a: [1]}}", "{a: 1}", .populationPayoff), ("{deny: 1}", "{a: 1}", .wrongType),
      ("{deny: {a: 1}}", "{a b: 1}", .badName),
    ])
  func mistakes(_ responses: String, _ who: String, _ code: DiagnosticCode) {
    let set = load([Self.platform(Self.population(responses, who: who))])
    #expect(set.platform == nil)
    #expect(set.codes.contains(code) && set.diagnostics.allSatisfy { $0.hint != nil }, "\(set.diagnostics)")
    #expect(set.diagnostics.allSatisfy { $0.location.line == 6 && $0.location.column > 1 })
  }

  @Test func aDefaultOrAnAbsoluteBesideItIsAnError() {
    let both = load([Self.platform("default: ask\n    " + Self.population("{deny: {a: 1}}"))])
    #expect(both.codes == [.populationAndDefault])
    let absolute = load([Self.platform("hardcoded: off\n    " + Self.population("{deny: {a: 1}}"))])
    #expect(absolute.codes.contains(.hardcodedContradiction) && absolute.platform == nil)
    let operators = load([Self.platform("default: ask"), Self.shop("population: {}")])
    #expect(operators.platform != nil && operators.broken == ["shop"])
  }

  @Test func aHigherFolderReplacesOneByTheOther() {
    func set(_ low: String, _ high: String) -> PolicySet {
      var files = [Self.platform(low), Self.platform(high)]
      files[1].path = "platform.d/x.yaml"
      files[1].rank = 1
      return load(files)
    }
    let population = Self.population("{allow: {a: 1}}")
    #expect(set("default: ask", population).platform?.behaviors["dose"]?.choice.default == .allow)
    let stated = set(population, "default: ask").platform?.behaviors["dose"]
    #expect(stated?.choice.default == .ask && stated?.population == nil)
    let twice = set(population, Self.population("{ask: {a: 1}}"))
    #expect(twice.platform?.behaviors["dose"]?.choice.default == .ask)
  }

  @Test func limitsOnGroupsAndResponses() {
    func set(groups: Int, responses: Int) -> PolicySet {
      let who = "{" + (0..<groups).map { "g\($0): 1" }.joined(separator: ", ") + "}"
      let all = "{" + (0..<responses).map { "allow with x\($0): {g0: 1}" }.joined(separator: ", ") + "}"
      return load([Self.platform(Self.population(all, who: who))])
    }
    #expect(set(groups: Population.maximumGroups, responses: Population.maximumResponses).platform != nil)
    #expect(set(groups: Population.maximumGroups + 1, responses: 1).codes == [.populationSize])
    #expect(set(groups: 1, responses: Population.maximumResponses + 1).codes == [.populationSize])
  }

  // MARK: audiences

  private static func audience(_ fields: String, _ audience: String) throws -> PopulationChoice {
    let set = load([platform(fields), shop("audience: {dose: \(audience)}")])
    return try #require(set.operators["shop"]?.audiences.first?.choice, "\(set.diagnostics)")
  }

  @Test func anAudienceChoosesAgainWithinCeilingAndBounds() throws {
    #expect(try Self.audience(Self.design, "{patient: 500, at-risk: 450, caregiver: 50}").effect == .ask)
    // Counted away is not gone: the bound for who isn't here holds.
    #expect(try Self.audience(Self.design, "{clinician: 1}").obligations == ["safe-messaging"])
    let closed = Self.population("{deny: {a: 3}, ask: {b: 2}, allow: {b: 9, a: -20}}", who: "{a: 10, b: 1}")
    #expect(try Self.audience("operators-may: ask\n    " + closed, "{b: 1}").effect == .ask)
    #expect(try Self.audience("operators-may: allow\n    " + closed, "{b: 1}").effect == .allow)
    #expect(try Self.audience(closed, "{b: 1}").effect == .deny)
  }

  @Test func mistakesInAudiences() {
    let good = Self.platform(Self.design, more: "  tool: {default: ask}\n")
    for (text, code) in [
      ("tool: {clinician: 1}", DiagnosticCode.audienceWithoutPopulation), ("dose: {clinican: 1}", .populationGroup),
      ("dose: {clinician: 0}", .populationCount), ("dose: {}", .populationCount), ("Dose: {clinician: 1}", .badName),
      ("dose: 3", .wrongType), ("doze: {clinician: 1}", .audienceWithoutPopulation),
    ] {
      let set = load([good, Self.shop("audience: {\(text)}")])
      #expect(set.codes == [code] && set.broken == ["shop"] && set.platform != nil, "\(text): \(set.diagnostics)")
    }
    #expect(
      load([file("platform.yaml", "licet: 1\nlayer: platform\nname: p\naudience: {}\n")]).codes == [.keyOfOtherLayer])
  }

  /// DESIGN §6, P17: what the platform has changed refuses nobody, and loosens nothing.
  @Test func anAudienceThatNoLongerFitsDenies() throws {
    let shop = Self.shop("audience: {dose: {clinician: 5, patient: 2}}")
    for new in [
      Self.platform("default: allow"), Self.platform(Self.population("{allow: {a: 1}}")),
      file("platform.yaml", "licet: 1\nlayer: platform\nname: p\nunknown: allow\n"),
    ] {
      let checked = try #require(loadPlatform([new]).checked)
      #expect(checked.loadOperator("shop", [shop], clamping: false).operator == nil, "as a new file it is refused")
      let loaded = checked.loadOperator("shop", [shop], clamping: true)
      let audience = try #require(loaded.operator?.audiences.first)
      #expect(
        audience.isOutdated && audience.choice.effect == .deny
          && loaded.diagnostics.allSatisfy { $0.severity == .warning })
    }
  }
}
