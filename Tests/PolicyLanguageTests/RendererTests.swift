// Diagnostics for people: the caret stands under what is meant, whatever the line is made of.

import Testing

@testable import PolicyLanguage

@Suite struct RendererTests {
  private static func render(
    _ line: String, column: Int, length: Int = 1, isColored: Bool = false, message: String = "m", related: Int? = nil
  ) -> [String] {
    let place = Location(file: "x.yaml", line: 1, column: column)
    let diagnostic = Diagnostic(
      code: .wrongType, severity: .error, location: place, length: length, message: message,
      related: related.map { .init(location: Location(file: "x.yaml", line: 1, column: $0), message: "there") })
    let renderer = Renderer(isColored: isColored) { $0 == "x.yaml" ? Array(line.utf8) : nil }
    return renderer.render(diagnostic).split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
  }

  /// Column in terminal cells at which the carets begin, and how many there are.
  private static func caret(_ lines: [String]) -> [Int] {
    let line = lines[4].dropFirst("  | ".count)
    return [line.prefix { $0 == " " }.count, line.filter { $0 == "^" }.count]
  }

  @Test func aPlainLine() {
    #expect(
      Self.render("rules: [x]", column: 8, length: 3) == [
        "error[wrong-type]: m", " --> x.yaml:1:8", "  |", "1 | rules: [x]", "  |        ^^^", "",
      ])
  }

  @Test func wideCharactersTakeTwoCells() {
    #expect(Self.caret(Self.render("日本: x", column: 5)) == [6, 1])
    #expect(Self.caret(Self.render("日本: x", column: 1, length: 2)) == [0, 4])
    #expect(Self.caret(Self.render("🎈 x", column: 3)) == [3, 1])
    #expect(Self.caret(Self.render("ｗ x", column: 3)) == [3, 1])
    #expect(Self.caret(Self.render("한글 x", column: 4)) == [5, 1])
  }

  @Test func combiningMarksTakeNone() {
    #expect(Self.caret(Self.render("e\u{301}a: x", column: 5)) == [3, 1])
    #expect(Self.caret(Self.render("e\u{301}", column: 1, length: 2)) == [0, 1])
  }

  @Test func tabsGoToTheNextStop() {
    #expect(Self.render("a:\tb", column: 4)[3] == "1 | a:  b")
    #expect(Self.caret(Self.render("a:\tb", column: 4)) == [4, 1])
    #expect(Self.caret(Self.render("\t\tb", column: 3)) == [8, 1])
    #expect(Self.caret(Self.render("日\tb", column: 3)) == [4, 1])
  }

  @Test func placesBehindTheLine() {
    #expect(Self.caret(Self.render("abc", column: 4)) == [3, 1])
    #expect(Self.caret(Self.render("abc", column: 900, length: 900))[1] == 1)
    #expect(Self.caret(Self.render("abc", column: 2, length: 900)) == [1, 2])
  }

  @Test func longLinesAreCutAroundTheCaret() {
    let long = String(repeating: "a", count: 5_000) + "X" + String(repeating: "b", count: 5_000)
    let lines = Self.render(long, column: 5_001)
    #expect(lines[3].count < 200)
    let column = Self.caret(lines)[0]
    #expect(Array(lines[3].dropFirst("1 | ".count))[column] == "X")
  }

  @Test func colorIsOnlyThereWhenAskedFor() {
    let plain = Self.render("rules: [x]", column: 8, related: 1)
    let colored = Self.render("rules: [x]", column: 8, isColored: true, related: 1)
    #expect(!plain.joined().contains("\u{1B}"))
    #expect(colored[0].hasPrefix("\u{1B}[31merror[wrong-type]\u{1B}[0m"))
    let stripped = colored.map { $0.replacing(#/\u{1B}\[[0-9]+m/#, with: "") }
    #expect(stripped == plain)
  }

  @Test func whatAFileHoldsCannotSteerTheTerminal() {
    let lines = Self.render("a: \u{1B}[2J\u{9B}x\u{202E}", column: 1, message: "\u{1B}]0;title\u{7}").joined(separator: "\n")
    #expect(!lines.unicodeScalars.contains { $0 != "\n" && Renderer.isControl($0) })
    #expect(lines.contains("\u{FFFD}"))
  }

  @Test func aFileThatIsNotAtHandHasNoExcerpt() {
    let place = Location(file: "gone.yaml", line: 7, column: 2)
    let one = Diagnostic(code: .fileVanished, severity: .error, location: place, length: 1, message: "m", hint: "h")
    #expect(Renderer { _ in nil }.render(one) == "error[file-vanished]: m\n --> gone.yaml:7:2\n  = hint: h\n")
    #expect(Renderer { _ in [] }.render([one, one]).split(separator: "\n", omittingEmptySubsequences: false).count == 8)
  }

  @Test func notUTF8IsShownAsItCanBe() {
    let place = Location(file: "x.yaml", line: 1, column: 4)
    let one = Diagnostic(code: .yamlNotUTF8, severity: .error, location: place, length: 1, message: "m")
    #expect(Renderer { _ in [0x61, 0x3A, 0x20, 0xFF, 0xFE, 0x62] }.render(one).contains("1 | a: \u{FFFD}"))
  }
}
