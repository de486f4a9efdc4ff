// Files that are no policies: each is an error that says what and where, never a crash, never a looser policy.

import PolicyImage
import TestKit
import Testing

@testable import PolicyLanguage

@Suite struct BadInputTests {
  static let head = Sample.head + "name: shop\n"

  private static func codes(_ bytes: [UInt8]) -> [DiagnosticCode] {
    let set = loadOnSample(SourceFile(path: "operators.d/shop.yaml", bytes: bytes))
    #expect(set.platform != nil && set.broken == ["shop"] && set.operators.isEmpty, "\(set.summary)")
    #expect(set.errors.allSatisfy { $0.location.file == "operators.d/shop.yaml" && $0.location.line > 0 && $0.location.column > 0 })
    return set.codes
  }

  private static func codes(_ lines: String) -> [DiagnosticCode] { codes(Array((head + lines).utf8)) }

  // MARK: cut off

  /// At whatever byte an operator's file is cut off, it is in error, or what is left is a valid file by itself, and is in
  /// force as just that.
  @Test func anOperatorsFileCutOffAnywhere() throws {
    let bytes = Array(LoadTests.nightowl.utf8)
    let platform = LoadTests.file("platform.yaml", LoadTests.platform)
    let whole = try #require(load([platform, SourceFile(path: "operators.d/nightowl.yaml", bytes: bytes)]).operators["nightowl"])
    var broken = 0
    for count in 0..<bytes.count {
      let set = load([platform, SourceFile(path: "operators.d/nightowl.yaml", bytes: Array(bytes[..<count]))])
      #expect(set.platform != nil)
      guard let cut = set.operators["nightowl"] else {
        #expect(set.broken == ["nightowl"] && !set.errors.isEmpty, "cut at \(count)")
        broken += 1
        continue
      }
      #expect(set.broken.isEmpty && set.errors.isEmpty, "cut at \(count)")
      // Only the last statement that is left can be another; none before it can be missing.
      let last = cut.statements.map(\.location.line).max() ?? 0
      let (said, says) = (Set(whole.statements.map(\.content)), Set(cut.statements.map(\.content)))
      #expect(cut.statements.allSatisfy { $0.location.line == last || said.contains($0.content) }, "cut at \(count)")
      #expect(whole.statements.allSatisfy { $0.location.line >= last || says.contains($0.content) }, "cut at \(count)")
    }
    #expect(broken > bytes.count / 2)
  }

  @Test func aPlatformsFileCutOffAnywhere() throws {
    let bytes = Array(LoadTests.platform.utf8)
    let nightowl = LoadTests.file("operators.d/nightowl.yaml", LoadTests.nightowl)
    let whole = try #require(load([SourceFile(path: "platform.yaml", bytes: bytes)]).platform)
    var broken = 0
    for count in 0..<bytes.count {
      let set = load([SourceFile(path: "platform.yaml", bytes: Array(bytes[..<count])), nightowl])
      guard let cut = set.platform else {
        #expect(set.operators.isEmpty && !set.errors.isEmpty, "cut at \(count)")
        broken += 1
        continue
      }
      #expect(!set.errors.contains { $0.location.file == "platform.yaml" }, "cut at \(count)")
      // What is left out is undeclared, so denied; only what the cut goes through can differ, in the last line.
      let changed = cut.behaviors.filter { name, behavior in
        behavior.location != nil && whole.behaviors[name]?.choice != behavior.choice
      }
      let last = bytes[..<count].count { $0 == 0x0A } + 1
      #expect(changed.count <= 1 && changed.values.allSatisfy { $0.location?.line == last }, "cut at \(count)")
      #expect(Set(cut.statements.map(\.kind)).isSubset(of: [.limit, .duty]))
    }
    #expect(broken > bytes.count / 2)
  }

  @Test func bytesThatAreFlippedStayWhereTheyAre() {
    var random = SeededRandom(seed: 20_270_101)
    let bytes = Array(LoadTests.nightowl.utf8)
    let files = [LoadTests.file("platform.yaml", LoadTests.platform), operatorFile("good")]
    for round in 0..<600 {
      var spoilt = bytes
      for _ in 0...random.below(3) { spoilt[random.below(spoilt.count)] = UInt8(truncatingIfNeeded: random.next()) }
      let set = load(files + [SourceFile(path: "operators.d/nightowl.yaml", bytes: spoilt)])
      #expect(set.platform != nil && set.operators["good"] != nil, "round \(round)")
      #expect((set.operators["nightowl"] == nil) == set.broken.contains("nightowl"), "round \(round)")
      #expect(set.errors.isEmpty == set.broken.isEmpty, "round \(round)")
    }
  }

  // MARK: no text

  @Test(arguments: [
    [0xFF], [0xC3], [0xC3, 0x28], [0xE2, 0x82], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xC0, 0xAF], [0xF8, 0x88, 0x80, 0x80, 0x80],
  ] as [[UInt8]])
  func notUTF8(_ bytes: [UInt8]) {
    let set = loadOnSample(SourceFile(path: "operators.d/shop.yaml", bytes: Array((Self.head + "# é").utf8) + bytes + [0x0A]))
    #expect(set.summary == ["operators.d/shop.yaml:4 yaml-not-utf8"] && set.diagnostics.first?.location.column == 4)
    #expect(set.broken == ["shop"])
  }

  @Test func otherEncodings() {
    let text = Self.head + "rules: []\n"
    let utf16 = text.utf16.flatMap { [UInt8(truncatingIfNeeded: $0), UInt8(truncatingIfNeeded: $0 >> 8)] }
    #expect(Self.codes([0xFF, 0xFE] + utf16) == [.yamlNotUTF8])
    #expect(Self.codes(utf16) == [.yamlCharacter])
    #expect(loadOnSample(SourceFile(path: "operators.d/shop.yaml", bytes: [0xEF, 0xBB, 0xBF] + Array(text.utf8))).summary == [])
  }

  @Test(arguments: ["\u{0}", "\u{7}", "\u{1B}", "\u{7F}", "\u{85}", "\u{202E}", "\u{2028}", "\u{2066}", "\u{FEFF}", "\u{FFFF}"])
  func charactersThatHideSomething(_ character: String) {
    #expect(Self.codes("rules: [] # x\(character)y\n") == [.yamlCharacter])
  }

  @Test func controlsByEscape() {
    #expect(Self.codes("rules: [{deny: tool, clause: \"a\\x1Bb\"}]\n") == [.yamlCharacter])
    #expect(Self.codes("rules: [{deny: tool, when: \"1 < 2 \\0\"}]\n") == [.yamlCharacter])
  }

  // MARK: too much

  @Test func tooLarge() {
    #expect(Self.codes([UInt8](repeating: UInt8(ascii: "#"), count: 64 << 20)) == [.fileTooLarge])
    #expect(Self.codes([UInt8](repeating: 0x0A, count: Bounds.fileBytes + 1)) == [.fileTooLarge])
    let fits = Array(Self.head.utf8)
    let padding = [UInt8](repeating: UInt8(ascii: "#"), count: Bounds.fileBytes - fits.count)
    #expect(loadOnSample(SourceFile(path: "operators.d/shop.yaml", bytes: fits + padding)).summary == [])
  }

  @Test func tooDeep() {
    for (open, close) in [("[", "]"), ("{a: ", "}"), ("[{a: ", "}]")] {
      let many = String(repeating: open, count: 100_000)
      #expect(Self.codes("rules: \(many)") == [.yamlTooDeep])
      #expect(Self.codes("rules: \(many)\(String(repeating: close, count: 100_000))\n") == [.yamlTooDeep])
    }
    #expect(Self.codes("rules:\n  " + String(repeating: "- ", count: 50_000) + "a\n") == [.yamlTooDeep])
    let blocks = (0..<200).map { String(repeating: " ", count: $0) + "a:\n" }.joined()
    #expect(Self.codes(blocks).contains(.yamlTooDeep))
  }

  @Test func theDeepestThatIsRead() {
    func file(_ depth: Int) -> [UInt8] {
      Array((String(repeating: "[", count: depth) + String(repeating: "]", count: depth) + "\n").utf8)
    }
    #expect(Self.codes(file(Bounds.depth)) == [.wrongType])
    #expect(Self.codes(file(Bounds.depth + 1)) == [.yamlTooDeep])
  }

  @Test func aliasBombs() {
    var laughs = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
    for level in 1..<12 {
      laughs += "a\(level): &a\(level) [" + (0..<10).map { _ in "*a\(level - 1)" }.joined(separator: ", ") + "]\n"
    }
    #expect(Self.codes(laughs).contains(.yamlAliasBomb))
    // As deep as the bound, each level twice the one before.
    let doubled = (1..<60).map { "a\($0): &a\($0) [*a\($0 - 1), *a\($0 - 1)]\n" }.joined()
    #expect(Self.codes("a0: &a0 x\n" + doubled).contains(.yamlAliasBomb))
    let chain = (1..<200).map { "a\($0): &a\($0) [*a\($0 - 1)]\n" }.joined()
    #expect(Self.codes("a0: &a0 x\n" + chain).contains(.yamlTooDeep))
  }

  @Test func aliasesOfNothingAndOfThemselves() {
    #expect(Self.codes("rules: *nothing\n") == [.yamlAlias])
    #expect(Self.codes("rules: &r [*r]\n") == [.yamlAlias])
    #expect(Self.codes("rules: &r\n  - deny: tool\n    examples: {match: *r}\n") == [.yamlAlias])
  }

  @Test func anAliasIsWhatItStandsFor() {
    let set = loadOperator("rules:\n  - &r {deny: tool, with: [log]}\n  - *r\n  - {ask: content, with: &w [a, b]}\n  - {deny: content, with: *w}\n")
    #expect(set.summary == [])
    let says = set.operators["shop"]?.statements.map { "\($0.behavior) \($0.effect) \($0.obligations)" }
    #expect(says?.sorted() == ["content ask [\"a\", \"b\"]", "content deny [\"a\", \"b\"]", "tool deny [\"log\"]"])
  }

  @Test func tooManyValues() {
    let list = "[" + String(repeating: "a,", count: Bounds.nodes) + "]"
    #expect(Self.codes("rules: \(list)\n") == [.yamlTooLarge])
    let directives = String(repeating: "%TAG ! tag:x,2027:\n", count: 20_000) + "---\n"
    #expect(Self.codes(Array((directives + Self.head).utf8)) == [.yamlTooLarge])
  }

  @Test func tooManyErrors() {
    let rules = String(repeating: "- {deny: tool, whn: x}\n", count: 20_000)
    let codes = Self.codes("rules:\n\(rules)")
    #expect(codes.count == Bounds.diagnosticsPerFile + 1)
    #expect(codes.count { $0 == .tooManyErrors } == 1)
  }

  // MARK: YAML that isn't

  @Test func keysThatStandTwice() {
    #expect(Self.codes("rules: []\nrules: [{deny: tool}]\n") == [.yamlDuplicateKey])
    #expect(Self.codes("rules:\n  - {deny: tool, deny: content}\n") == [.yamlDuplicateKey])
    #expect(Self.codes("rules:\n  - {deny: tool, \"d\\x65ny\": content}\n") == [.yamlDuplicateKey])
    let many = (0..<40).map { "k\($0): 1, " }.joined()
    #expect(Self.codes("rules: [{deny: tool, examples: {match: [{request: {\(many)k7: 2}}]}}]\n").contains(.yamlDuplicateKey))
    let platform = load([file("platform.yaml", Sample.platform.replacing("  tool: {", with: "  content: {default: deny}\n  tool: {"))])
    #expect(platform.codes == [.yamlDuplicateKey] && platform.platform == nil)
  }

  @Test func tabs() {
    #expect(Self.codes("rules:\n\t- deny: tool\n") == [.yamlTab])
    #expect(Self.codes("rules:\n  - deny: tool\n \t  when: user.age > 1\n").contains(.yamlTab))
  }

  @Test func keysThatAreNoWords() {
    #expect(Self.codes("[a]: 1\n").contains(.yamlKey))
    #expect(Self.codes("? {a: b}\n: 1\n").contains(.yamlKey))
    #expect(Self.codes("<<: {rules: []}\n") == [.unknownKey])
  }

  @Test func severalDocumentsAndTags() {
    #expect(Self.codes("---\nrules: []\n") == [.yamlDocuments])
    #expect(Self.codes("rules: !!seq []\n") == [.yamlTag])
    #expect(Self.codes("rules: [{deny: !!str tool}]\n") == [.yamlTag])
  }

  // MARK: wrong types

  /// Every key of every form, with values of every kind: never a crash, and in force only without an error.
  @Test func anyValueAtAnyKey() {
    let values = [
      "", "~", "true", "0", "-1", "1e400", "0x7FFFFFFFFFFFFFFF", "99999999999999999999", "text", "''", "[]", "[[]]", "[~]", "[{}]",
      "{}", "{a: {b: [c]}}", "{[a]: b}", "'\u{1F388}'", "\"\\uD800\"", "a.b.c", "..", "allow", "[allow, allow]",
    ]
    var accepted = 0
    for key in KeyID.allCases.map(\.rawValue) {
      for value in values {
        let texts = [
          "\(key): \(value)\n", "rules:\n  - deny: tool\n    \(key): \(value)\n", "rules:\n  - \(key): \(value)\n",
          "grants:\n  - users-may: ask\n    \(key): \(value)\n", "bind:\n  - \(key): \(value)\n",
          "rules:\n  - deny: tool\n    examples:\n      \(key): \(value)\n",
          "rules:\n  - deny: tool\n    examples: {match: [{\(key): \(value)}]}\n",
        ]
        for text in texts {
          let set = loadOperator(text)
          #expect(set.platform != nil && set.errors.isEmpty == (set.operators["shop"] != nil), "\(text)")
          #expect(set.errors.isEmpty == set.broken.isEmpty, "\(text)")
          if set.errors.isEmpty { accepted += 1 }
        }
      }
    }
    #expect(accepted > 0 && accepted < 600)
  }

  @Test func anyValueAtAnyKeyOfAPlatform() {
    let head = "licet: 1\nlayer: platform\nname: acme\n"
    for key in KeyID.allCases.map(\.rawValue) {
      for value in ["", "~", "-1", ".nan", "text", "[]", "[{}]", "{}", "{a: {b: [c]}}", "{a: list<list<list<int>>>}", "on", "[allow]"] {
        for text in [
          "\(key): \(value)\n", "behaviors:\n  a.b:\n    \(key): \(value)\n", "attributes:\n  \(key): \(value)\n",
          "attributes:\n  user:\n    x: {\(key): \(value)}\n", "attributes:\n  user:\n    \(key): \(value)\n",
        ] {
          let set = load([file("platform.yaml", head + text)])
          #expect(set.errors.isEmpty == (set.platform != nil), "\(text)")
        }
      }
    }
  }

  @Test func whatIsWrongIsSaid() {
    for (lines, code) in [
      ("rules: deny\n", DiagnosticCode.wrongType), ("rules: {deny: tool}\n", .wrongType), ("rules: [deny]\n", .wrongType),
      ("rules: [{deny: [tool]}]\n", .wrongType), ("rules: [{deny: 7}]\n", .wrongType), ("rules: [{deny: Tool}]\n", .badName),
      ("rules: [{limit: tool, to: maybe}]\n", .unknownValue), ("rules: [{limit: tool, to: [ask]}]\n", .wrongType),
      ("rules: [{limit: tool}]\n", .missingKey), ("rules: [{deny: tool, to: ask}]\n", .ruleTo),
      ("rules: [{deny: tool, ask: tool}]\n", .ruleKind), ("rules: [{when: user.age > 1}]\n", .ruleKind),
      ("rules: [{deny: tool, with: log}]\n", .wrongType), ("rules: [{deny: tool, with: ['a b']}]\n", .badName),
      ("rules: [{deny: tool, when: }]\n", .wrongType), ("rules: [{deny: tool, when: [true]}]\n", .wrongType),
      ("rules: [{deny: tool, when: 1}]\n", .celNotBool), ("bind: [{}]\n", .badBinding), ("bind: [svc]\n", .wrongType),
    ] {
      #expect(Self.codes(lines).contains(code), "\(lines)")
    }
  }
}
