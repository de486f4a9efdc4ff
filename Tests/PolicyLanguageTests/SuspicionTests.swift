// `suspicion` in a platform's files (DESIGN §2.4).

import PolicyImage
import Testing

@testable import PolicyLanguage

@Suite struct SuspicionTests {
  private static let head =
    "licet: 1\nlayer: platform\nname: p\nbehaviors: {tool.shell: {default: ask}, data: {default: ask}}\n"

  private static func platform(_ text: String, rank: Int = 0, path: String = "platform.yaml") -> SourceFile {
    file(path, (path == "platform.yaml" ? head : "licet: 1\nlayer: platform\n") + text, rank: rank)
  }

  private static func suspicion(_ files: SourceFile...) throws -> Suspicion? {
    let set = load(files)
    #expect(set.summary == [])
    return try #require(set.platform).suspicion
  }

  @Test func whatIsStatedIsRead() throws {
    #expect(try Self.suspicion(Self.platform("")) == nil)
    let one = try #require(
      try Self.suspicion(
        Self.platform("suspicion: {half-life: 90m, ask-at: 2, deny-at: 6.125, for: [tool, data, tool]}\n")))
    #expect(one.halfLife == 5400 && one.askAt == 2000 && one.denyAt == 6125 && one.behaviors == ["data", "tool"])
    #expect(one.location.line == 5)
    let all = try #require(try Self.suspicion(Self.platform("suspicion: {half-life: 365d, deny-at: 1000000}\n")))
    #expect(all.halfLife == 31_536_000 && all.askAt == nil && all.denyAt == 1_000_000_000 && all.behaviors == [])
  }

  @Test func eachFieldIsMerged() throws {
    let base = Self.platform("suspicion: {half-life: 1h, ask-at: 2}\n")
    let more = Self.platform("suspicion: {deny-at: 6, for: [data.x]}\n", path: "platform.d/a.yaml")
    let merged = try #require(try Self.suspicion(base, more))
    #expect(merged.askAt == 2000 && merged.denyAt == 6000 && merged.behaviors == ["data.x"])
    let higher = Self.platform("suspicion: {ask-at: 3}\n", rank: 1, path: "platform.d/a.yaml")
    #expect(try Self.suspicion(base, higher)?.askAt == 3000)
    #expect(load([base, Self.platform("suspicion: {ask-at: 3}\n", path: "platform.d/a.yaml")]).codes == [.conflict])
  }

  @Test(arguments: [
    ("{half-life: 1h, ask-at: 0}", DiagnosticCode.outOfRange), ("{half-life: 1h, ask-at: -1}", .outOfRange),
    ("{half-life: 1h, ask-at: 1.0005}", .outOfRange), ("{half-life: 1h, ask-at: 1000001}", .outOfRange),
    ("{half-life: 1h, ask-at: .nan}", .outOfRange), ("{half-life: 1h, ask-at: .inf}", .outOfRange),
    ("{half-life: 1h, ask-at: soon}", .wrongType), ("{half-life: 1, ask-at: 1}", .badDuration),
    ("{half-life: 1w, ask-at: 1}", .badDuration), ("{half-life: h, ask-at: 1}", .badDuration),
    ("{half-life: 1.5h, ask-at: 1}", .badDuration), ("{half-life: 0s, ask-at: 1}", .outOfRange),
    ("{half-life: 366d, ask-at: 1}", .outOfRange), ("{half-life: 99999999999999999999s, ask-at: 1}", .outOfRange),
    ("{ask-at: 1}", .suspicionIncomplete), ("{half-life: 1h}", .suspicionIncomplete),
    ("{half-life: 1h, ask-at: 1, for: []}", .suspicionIncomplete),
    ("{half-life: 1h, ask-at: 2, deny-at: 1.999}", .suspicionOrder),
    ("{half-life: 1h, ask-at: 1, for: [toll]}", .undeclaredBehavior),
    ("{half-life: 1h, ask-at: 1, for: [Tool]}", .badName),
    ("{half-life: 1h, ask-at: 1, fur: [tool]}", .unknownKey), ("2", .wrongType),
  ]) func mistakesAreNamed(_ text: String, _ code: DiagnosticCode) {
    let set = load([Self.platform("suspicion: \(text)\n")])
    #expect(set.codes == [code] && set.platform == nil, "\(set.summary)")
  }

  @Test func aMisspeltNameIsSuggested() {
    let set = load([Self.platform("suspicion: {half-life: 1h, ask-at: 1, for: [tool.shel]}\n")])
    #expect(set.diagnostics.first?.hint?.contains("tool.shell") == true && set.diagnostics.first?.length == 9)
  }

  @Test func whatIsHardCodedIsNotForSuspicion() {
    let set = load([Self.platform("suspicion: {half-life: 1h, ask-at: 1, for: [harm.csam]}\n")])
    #expect(set.summary == [] && lint(set).contains { $0.code == .lintUnderAbsolute })
  }

  @Test func operatorsHaveNone() {
    #expect(loadOperator("suspicion: {half-life: 1h, ask-at: 1}\n").codes.contains(.keyOfOtherLayer))
  }
}
