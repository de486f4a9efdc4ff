// DESIGN §6, P17: an operator's last good files under a platform that has changed since. Nothing that the platform
// changed refuses them, nothing exceeds the ceilings in force, and Decision and Oracle agree about what is left.

import Consultation
import Decision
import Offline
import Oracle
import PolicyImage
import PolicyLanguage
import TestKit
import Testing

@Suite struct ClampingTests {
  private static func platform(_ text: String) -> SourceFile {
    SourceFile(path: "platform.yaml", bytes: Array(("licet: 1\nlayer: platform\nname: p\n" + text).utf8))
  }
  private static func shop(_ text: String) -> SourceFile {
    SourceFile(path: "operators.d/shop.yaml", bytes: Array(("licet: 1\nlayer: operator\nname: shop\n" + text).utf8))
  }

  private static let old = platform(
    """
    attributes: {request: {amount: double, tenant: string}}
    behaviors:
      tool: {default: ask, operators-may: allow, users-may: allow}
      tool.pay: {default: ask, operators-may: allow}
      extra: {default: ask, operators-may: allow}
    """)

  /// What the operator may still do under `new`, through the engine.
  private static func effects(_ rules: String, _ new: SourceFile, _ behaviors: [String]) throws -> [Effect] {
    let before = try #require(compilePlatform([old]).compiled)
    let files = [shop(rules)]
    #expect(before.compileOperator("shop", files, clamping: false).image != nil, "valid once")
    let after = try #require(compilePlatform([new]).compiled)
    let compiled = after.compileOperator("shop", files, clamping: true)
    #expect(!compiled.diagnostics.contains { $0.severity == .error })
    let overlay = ImageMemory(copying: try #require(compiled.image))
    let policy = try OfflinePolicy(platform: ImageMemory(copying: after.image), overlays: ["shop": overlay])
    return try behaviors.map {
      try policy.decide(
        Request(behaviors: [$0], attributes: ["request.amount": .double(1)], now: (0, 0)), operator: "shop"
      ).effect
    }
  }

  @Test func whatIsAboveALoweredCeilingIsCutDown() throws {
    let new = Self.platform(
      "attributes: {request: {amount: double}}\nbehaviors: {tool: {default: deny, operators-may: ask}}\n")
    #expect(try Self.effects("rules: [{allow: tool}]\n", new, ["tool", "tool.pay"]) == [.ask, .ask])
    let strict = compilePlatform([new]).compiled?.compileOperator(
      "shop", [Self.shop("rules: [{allow: tool}]\n")], clamping: false)
    #expect(strict?.image == nil, "as a new file it is refused")
  }

  @Test func aConditionThatNoLongerFitsFails() throws {
    let new = Self.platform(
      "attributes: {request: {amount: double}}\nbehaviors: {tool: {default: allow}, tool.pay: {default: ask, operators-may: allow}}\n"
    )
    // The failed limit applies; the failed setting gives nothing.
    let rules = """
      rules:
        - limit: tool
          to: ask
          when: request.tenant == "acme"
        - allow: tool.pay
          when: request.tenant == "acme"
      """
    #expect(try Self.effects(rules + "\n", new, ["tool", "tool.pay"]) == [.ask, .ask])
  }

  /// The examples name an attribute that is gone, and one of another type.
  @Test func examplesOfThenRefuseNothing() throws {
    let new = Self.platform(
      "attributes: {request: {amount: string}}\nbehaviors: {tool: {default: ask, operators-may: allow}}\n")
    let rules = """
      rules:
        - deny: tool
          when: request.amount > 5.0 || request.tenant == "x"
          examples: {match: [{request: {amount: 9.5, tenant: x}}]}
      """
    let before = try #require(compilePlatform([Self.old]).compiled)
    #expect(before.compileOperator("shop", [Self.shop(rules + "\n")], clamping: false).image != nil)
    let after = try #require(compilePlatform([new]).compiled)
    #expect(after.compileOperator("shop", [Self.shop(rules + "\n")], clamping: true).image != nil)
  }

  @Test func whatFallsUnderAnAbsoluteIsDropped() throws {
    let new = Self.platform(
      "attributes: {request: {amount: double}}\nbehaviors: {tool: {default: ask}, tool.pay: {hardcoded: off}}\n")
    #expect(try Self.effects("rules: [{allow: tool.pay}]\n", new, ["tool.pay"]) == [.deny])
  }

  @Test func aNameThatNobodyDeclaresAnyMoreIsKept() throws {
    let new = Self.platform(
      "attributes: {request: {amount: double}}\nunknown: ask\nbehaviors: {tool: {default: ask}}\n")
    #expect(try Self.effects("rules: [{deny: extra}]\n", new, ["extra", "other"]) == [.deny, .ask])
  }

  @Test func aFileThatIsNoPolicyIsRefusedAllTheSame() throws {
    let after = try #require(compilePlatform([Self.old]).compiled)
    for text in ["rules: [{allow: tool, whne: true}]\n", "rules: [{allow: tool, when: \"1 +\"}]\n", "rules: [\n"] {
      #expect(after.compileOperator("shop", [Self.shop(text)], clamping: true).image == nil)
    }
  }

  /// What was valid under one generated platform compiles clamped under another, the engine and the Oracle agree about
  /// it, and no setting lifts a behaviour above what the new platform lets operators (P2, P17).
  @Test func generatedPairsOfPlatforms() throws {
    var random = SeededRandom(seed: 17)
    var compared = 0
    for _ in 0..<60 {
      let (first, second) = (GeneratedPolicy.generate(&random), GeneratedPolicy.generate(&random))
      let under = try #require(loadPlatform(second.files).checked)
      let loaded = under.loadOperator("op", first.files, clamping: true)
      let one = try #require(loaded.operator, "\(loaded.diagnostics.filter { $0.severity == .error })\n\(first.text)")
      let policy = TestKit.LoadedPolicy(platform: under.platform, operator: one)
      let (engine, oracle) = (try Evaluator.engine.prepare(policy), try Evaluator.oracle.prepare(policy))
      var highest = under.platform
      for name in highest.behaviors.keys {
        let choice = highest.behaviors[name]?.choice
        let most = max(choice?.default ?? .deny, choice?.operatorsMay ?? .deny, choice?.usersMay ?? .deny)
        highest.behaviors[name]?.population = nil
        highest.behaviors[name]?.choice = Choice(default: most, operatorsMay: most, usersMay: most)
      }
      // The operator's name is known to conditions all the same.
      var silent = one
      silent.statements = []
      silent.audiences = []
      let best = try Evaluator.oracle.prepare(TestKit.LoadedPolicy(platform: highest, operator: silent))
      for _ in 0..<10 {
        var request = second.request(&random)
        request.preference = nil
        let (a, b) = (try engine(request), try oracle(request))
        #expect(a == b, "\(first.text)\n\(second.text)")
        // Without the operator's rules, with every ceiling as the default, nothing is stricter than with it.
        #expect(a.effect <= (try best(request)).effect, "\(first.text)\n\(second.text)")
        compared += 1
      }
    }
    #expect(compared == 600)
  }
}
