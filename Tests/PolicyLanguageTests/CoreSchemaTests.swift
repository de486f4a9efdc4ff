// Unquoted scalars mean what YAML 1.2's core schema says, and nothing that YAML 1.1 said.

import PolicyImage
import Testing

@testable import PolicyLanguage

@Suite struct CoreSchemaTests {
  private static func meaning(_ text: String) throws -> ScalarValue {
    let report = Report()
    let document = compose(SourceFile(path: "x.yaml", bytes: Array("k: \(text)\n".utf8)), report)
    let root = try #require(document.root, "\(report.diagnostics)")
    let value = try #require(document.pairs(root).first?.value)
    return CoreSchema.resolve(document.node(value), document.content(value))
  }

  @Test(arguments: [
    "yes", "no", "on", "off", "Yes", "NO", "On", "OFF", "y", "n", "Y", "N", "tRUE", "nULL", "nil", "none", "truee", "nullx",
  ])
  func wordsAreStrings(_ text: String) throws { #expect(try Self.meaning(text) == .string) }

  @Test(arguments: [
    "1_000", "0b101", "1:30", "190:20:30", "2027-01-01", "0xZZ", "0x", "0o9", "0o", "+0x1f", "-0o7", "1.2.3", "1e", "1e+", ".",
    "+", "-.", ".e3", "--1", "1-", "0x-1", ".infinity", "nan", "inf", "+.nan", "<<", "=", "1,000", "1 2",
  ])
  func whatOnlyLooksLikeANumberIsAString(_ text: String) throws { #expect(try Self.meaning(text) == .string) }

  @Test func integers() throws {
    for (text, value) in [
      ("0", 0), ("-0", 0), ("+7", 7), ("007", 7), ("-19", -19), ("0x1F", 31), ("0xff", 255), ("0o17", 15),
      ("9223372036854775807", Int64.max), ("-9223372036854775808", Int64.min),
    ] { #expect(try Self.meaning(text) == .int(value), "\(text)") }
  }

  @Test func floats() throws {
    for (text, value) in [
      ("1.", 1), (".5", 0.5), ("-.5", -0.5), ("+1.5", 1.5), ("1e3", 1000), ("1E-2", 0.01), ("6.02e+23", 6.02e23),
      ("9223372036854775808", 9_223_372_036_854_775_808), (".inf", .infinity), ("+.Inf", .infinity), ("-.INF", -.infinity),
      ("1e999", .infinity),
    ] as [(String, Double)] { #expect(try Self.meaning(text) == .double(value), "\(text)") }
    for text in [".nan", ".NaN", ".NAN"] {
      guard case .double(let value) = try Self.meaning(text) else {
        Issue.record("\(text) is no number")
        continue
      }
      #expect(value.isNaN)
    }
  }

  @Test func nullsAndBools() throws {
    for text in ["", "~", "null", "Null", "NULL"] { #expect(try Self.meaning(text) == .null, "\(text)") }
    for text in ["true", "True", "TRUE"] { #expect(try Self.meaning(text) == .bool(true)) }
    for text in ["false", "False", "FALSE"] { #expect(try Self.meaning(text) == .bool(false)) }
  }

  @Test(arguments: ["'1'", "\"true\"", "'~'", "\"null\"", "''", "|\n  1", ">-\n  true"])
  func whatIsQuotedOrABlockIsAString(_ text: String) throws { #expect(try Self.meaning(text) == .string) }

  @Test func onAndOffAreTheWordsOfHardcoded() throws {
    let head = "licet: 1\nlayer: platform\nname: acme\nbehaviors:\n"
    let set = load([file("platform.yaml", head + "  a: {hardcoded: off}\n  b: {hardcoded: on, stakes: 0}\n")])
    #expect(set.platform?.behaviors["a"]?.hardcoded == .off && set.platform?.behaviors["b"]?.hardcoded == .on)
    for wrong in ["no", "false", "true", "yes", "OFF"] {
      #expect(load([file("platform.yaml", head + "  a: {hardcoded: \(wrong)}\n")]).codes == [.unknownValue], "\(wrong)")
    }
  }

  @Test(arguments: [".nan", ".inf", "-1", "1.01", "-0.001", "2", "1e300"]) func stakesLieBetweenZeroAndOne(_ text: String) {
    let set = load([file("platform.yaml", "licet: 1\nlayer: platform\nname: acme\nbehaviors: {a: {stakes: \(text)}}\n")])
    #expect(set.codes == [.outOfRange] && set.platform == nil)
  }
}
