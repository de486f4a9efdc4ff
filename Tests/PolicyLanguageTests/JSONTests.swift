// Diagnostics as JSON: any text survives, and nothing in it can end a string or reach a terminal as it is.

import Foundation
import Testing

@testable import PolicyLanguage

@Suite struct JSONTests {
  static let texts = [
    "", "plain", "\"quoted\"", "back\\slash", "a\nb\r\nc\td", "\u{0}\u{1}\u{1F}\u{7F}\u{80}\u{9F}", "\u{1B}[31mred\u{1B}[0m",
    "\u{2028}\u{2029}\u{202E}abc\u{2066}", "日本語 🎈 é e\u{301}", "</script>", "'", "\u{FFFF}\u{10FFFF}", "\\u0041", "/",
  ]

  @Test(arguments: texts) func textSurvives(_ text: String) throws {
    let place = Location(file: text, line: 3, column: 9)
    let diagnostic = Diagnostic(
      code: .wrongType, severity: .warning, location: place, length: 2, message: text, hint: text,
      related: .init(location: place, message: text))
    let line = json(diagnostic)
    #expect(!line.unicodeScalars.contains { $0.value < 0x20 || (0x7F..<0xA0).contains($0.value) })
    #expect(!line.unicodeScalars.contains { "\u{2028}\u{2029}\u{202E}\u{2066}".unicodeScalars.contains($0) })
    let read = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
    let related = try #require(read["related"] as? [String: Any])
    for value in [read["file"], read["message"], read["hint"], related["file"], related["message"]] {
      #expect((value as? String)?.unicodeScalars.elementsEqual(text.unicodeScalars) == true)
    }
    #expect(read["code"] as? String == "wrong-type" && read["severity"] as? String == "warning")
    #expect(read["line"] as? Int == 3 && read["column"] as? Int == 9 && read["length"] as? Int == 2)
  }

  @Test func hintAndRelatedAreLeftOutWhenThereAreNone() throws {
    let place = Location(file: "x.yaml", line: 1, column: 1)
    let one = Diagnostic(code: .noPlatform, severity: .error, location: place, length: 1, message: "m")
    #expect(
      json(one)
        == #"{"code": "no-platform", "severity": "error", "file": "x.yaml", "line": 1, "column": 1, "length": 1, "message": "m"}"#)
  }

  @Test func listsAreArrays() throws {
    #expect(json([]) == "[]")
    let set = load([])
    let read = try JSONSerialization.jsonObject(with: Data(json(set.diagnostics + set.diagnostics).utf8)) as? [Any]
    #expect(read?.count == 2)
  }

  @Test func theSchemaIsJSON() throws {
    #expect(try JSONSerialization.jsonObject(with: Data(schema().utf8)) is [String: Any])
  }
}
