// Patterns: what each form matches (as RE2 says), what is refused and where the error points.

import Testing

@testable import CEL

private func failure(_ text: String) -> (at: String, hint: String?)? {
  do throws(PatternError) {
    _ = try parsePattern(text)
    return nil
  } catch {
    let bytes = Array(text.utf8)
    return (String(decoding: bytes[error.span.lower..<error.span.upper], as: UTF8.self), error.hint)
  }
}

@Suite struct PatternTests {
  @Test(arguments: [
    ("", ["", "a"], []),
    ("abc", ["abc", "xabcx"], ["ab", "aBc"]),
    ("^abc$", ["abc"], ["xabc", "abc\n", "\nabc"]),
    ("(?m)^abc$", ["abc", "x\nabc\ny"], ["xabc"]),
    (#"\Aabc\z"#, ["abc"], ["abc\n"]),
    (#"(?m)\Aabc\z"#, ["abc"], ["x\nabc"]),
    ("a.c", ["abc", "aéc", "a🐱c"], ["a\nc", "ac"]),
    ("(?s)a.c", ["a\nc"], ["ac"]),
    ("a(b|cd)?e", ["ae", "abe", "acde"], ["ace"]),
    ("a||b", ["", "x"], []),
    ("^(a|)$", ["", "a"], ["b"]),
    ("^a{2,3}$", ["aa", "aaa"], ["a", "aaaa"]),
    ("^a{2,}?$", ["aa", "aaaaa"], ["a"]),
    ("^a{0}b{1}$", ["b"], ["ab", ""]),
    ("^(?:a*)*$", ["", "aaa"], ["b"]),
    ("^a{,2}$", ["a{,2}"], ["a", "aa"]),
    ("^a{01}{$", ["a{01}{"], ["a"]),
    (#"^\d+\s\w+$"#, ["12 ab_9"], ["１ a", "12 é"]),
    (#"^[^\d\s]$"#, ["x", "é"], ["1", " "]),
    (#"^\D\S\W$"#, ["aa-"], ["1a-", "a -", "aaa"]),
    ("^[]a]$", ["]", "a"], ["b"]),
    ("^[^]a]$", ["b", "\n"], ["]", "a"]),
    ("^[a-c-e]$", ["b", "-", "e"], ["d"]),
    ("^[-a]$", ["-", "a"], ["b"]),
    (#"^[a\-z\]\\]$"#, ["-", "]", "\\", "z"], ["b"]),
    ("^[[:alpha:][:^ascii:]_]$", ["a", "é", "_"], ["1"]),
    ("^[[:word:]]$", ["_", "9"], ["-"]),
    ("^[[:a]$", ["[", ":", "a"], ["b"]),
    (#"^\pL\p{Lu}\p{Greek}\P{Lu}$"#, ["äÄωa", "xAΩ1"], ["1AΩ1", "xaΩ1", "xAa1", "xAΩA"]),
    (#"^\p{^Greek}[\pN]$"#, ["a1", "a½"], ["ω1", "aa"]),
    (#"^\p{Any}$"#, ["a", "\n", "🐱"], [""]),
    ("(?i)straße", ["STRAßE", "straẞe"], ["strasse"]),
    ("(?i)^k$", ["k", "K", "\u{212A}"], ["x"]),
    ("(?i)^[σ]$", ["Σ", "ς", "σ"], ["s"]),
    ("(?i)^[^k]$", ["x"], ["K", "\u{212A}"]),
    (#"(?i)^\w$"#, ["\u{17F}"], ["é"]),
    ("^a(?i)b(?-i)c$", ["abc", "aBc"], ["Abc", "abC"]),
    ("^(?i:a)b$", ["Ab", "ab"], ["aB"]),
    ("^((?i)a)b$", ["Ab"], ["aB"]),
    ("(?im-s:^a.b$)", ["x\nAcB"], ["a\nb"]),
    ("^(?P<first>a)(?<second>b)$", ["ab"], ["a"]),
    ("^(?U)a+$", ["aa"], [""]),
    (#"^\Qa.*\E+$"#, ["a.*", "a.***"], ["ab"]),
    (#"^\Qa\b"#, ["a\\b"], ["ab"]),
    (#"^\x41\x{1F431}\101\0$"#, ["A🐱A\0"], ["AA"]),
    (#"^\a\f\t\n\r\v$"#, ["\u{7}\u{c}\t\n\r\u{b}"], [""]),
    (#"\bab\b"#, ["ab", "x ab.", "éab"], ["abx", "_ab"]),
    (#"a\Bb"#, ["ab"], ["a b"]),
    (#"^\.\-\_\$\/\"$"#, [".-_$/\""], [""]),
    ("^$*a$", ["a"], ["b"]),
    ("a(?i)*", ["", "b"], []),
  ])
  func matching(_ pattern: String, _ matching: [String], _ other: [String]) throws {
    let parsed = try parsePattern(pattern)
    for text in matching { #expect(matches(parsed, text), "\(pattern) should match \(text.debugDescription)") }
    for text in other { #expect(!matches(parsed, text), "\(pattern) shouldn't match \(text.debugDescription)") }
  }

  @Test(arguments: [
    ("a(b", "("), ("a)b", ")"), ("a[b", "["), ("[a", "["), ("[]", "["), ("[z-a]", "z-a"), ("[[:foo:]]", "[:foo:]"),
    (#"[a-\d]"#, #"\d"#), (#"[\b]"#, #"\b"#), ("*a", "*"), ("a|+", "+"), ("(?:?)", "?"), ("{2}", "{2}"), ("a**", "**"),
    ("a*??", "*??"), ("a++", "++"), ("a{2}{3}", "{2}{3}"), ("a{1001}", "{1001}"), ("a{2,1}", "{2,1}"),
    ("((a{100}){100}){2}", "{100}"), (#"é\1"#, #"\1"#), (#"\8"#, #"\8"#), (#"\y"#, #"\y"#), (#"\Z"#, #"\Z"#),
    (#"\C"#, #"\C"#), (#"\"#, #"\"#), (#"\x4"#, #"\x4"#), (#"\x{110000}"#, #"\x{110000}"#),
    (#"\x{D800}"#, #"\x{D800}"#),
    (#"\p{Foo}"#, #"\p{Foo}"#), (#"\pX"#, #"\pX"#), (#"\p{Lu"#, #"\p{Lu"#), (#"\p"#, #"\p"#), ("é(?=a)", "(?="),
    ("(?!a)", "(?!"), ("(?<=a)", "(?<="), ("(?<!a)", "(?<!"), ("(?P=n)", "(?P"), ("(?P<n-x>a)", "(?P<n"),
    ("(?x)a", "(?x"),
    ("(?i", "(?i"), ("(?-)", "(?-)"), ("(?#c)", "(?#"), (#"\é"#, #"\é"#), (#"a\E"#, #"\E"#),
  ])
  func errorsPointAtTheirCause(_ pattern: String, _ culprit: String) throws {
    let found = try #require(failure(pattern), "\(pattern) parses")
    #expect(found.at == culprit, "\(pattern)")
  }

  @Test func refusedFeaturesHaveAHint() {
    for pattern in ["(?=a)", "(?<!a)", #"(a)\1"#, "a++", #"\p{Grek}"#, #"\Z"#, #"\C"#, "[[:alhpa:]]"] {
      #expect(failure(pattern)?.hint != nil, "\(pattern)")
    }
    #expect(failure(#"\p{Grek}"#)?.hint == "did you mean 'Greek'?")
  }

  @Test func trees() throws {
    #expect(try parsePattern("") == .empty)
    #expect(try parsePattern("a") == .scalars([97...97]))
    #expect(try parsePattern("(?i)a") == .scalars([65...65, 97...97]))
    #expect(try parsePattern("[c-da-bb]") == .scalars([97...100]))
    #expect(try parsePattern("a+") == .repetition(.scalars([97...97]), minimum: 1, maximum: nil))
    #expect(try parsePattern("^a") == .concatenation([.assertion(.textStart), .scalars([97...97])]))
    #expect(try parsePattern("a|") == .alternation([.scalars([97...97]), .empty]))
    #expect(try parsePattern("(?s).") == .scalars([0...0xD7FF, 0xE000...0x10FFFF]))
    #expect(try parsePattern(#"[^\x00-\x{10FFFF}]"#) == .scalars([]))
  }

  // MARK: Limits

  @Test func limits() async {
    let inner = String(repeating: "a", count: Limits.patternLength)
    #expect(failure(inner) == nil)
    #expect(failure(inner + "a") != nil)
    #expect(failure("a{1000}") == nil && failure("(?:a{10}){100}") == nil)
    #expect(failure("(?:a{10}){101}") != nil)
    func nested(_ depth: Int) -> String {
      String(repeating: "(?:", count: depth) + "a" + String(repeating: ")*", count: depth)
    }
    let (atLimit, beyond) = (nested(Limits.patternDepth), nested(Limits.patternDepth + 1))
    let deep = String(repeating: "(", count: Limits.patternLength)
    let found = await onSmallStack { [atLimit, beyond, deep].map { failure($0) == nil } }
    #expect(found == [true, false, false])
  }

  // MARK: Unicode's tables, against the standard library's

  @Test func categoriesAgreeWithTheStandardLibrary() throws {
    let names: [(String, Unicode.GeneralCategory)] = [
      ("Lu", .uppercaseLetter), ("Ll", .lowercaseLetter), ("Lt", .titlecaseLetter), ("Lo", .otherLetter),
      ("Lm", .modifierLetter), ("Nd", .decimalNumber), ("Nl", .letterNumber), ("No", .otherNumber),
      ("Mn", .nonspacingMark),
      ("Mc", .spacingMark), ("Me", .enclosingMark), ("Sm", .mathSymbol), ("Sc", .currencySymbol),
      ("Sk", .modifierSymbol),
      ("So", .otherSymbol), ("Pc", .connectorPunctuation), ("Pd", .dashPunctuation), ("Zs", .spaceSeparator),
      ("Cc", .control), ("Cf", .format), ("Co", .privateUse),
    ]
    for (name, category) in names {
      let set = try #require(UnicodeData.property(name))
      let values = set.ranges.joined().filter { $0 < 0x2FA20 }
      let others = values.filter { Unicode.Scalar($0)?.properties.generalCategory != category }
      #expect(!values.isEmpty || name == "Co")
      // The library's Unicode is newer; from one version to the next a letter or two move.
      #expect(others.count <= 2, "\(name) \(others)")
    }
  }

  @Test func foldingHoldsForEveryCasePair() throws {
    let assigned = ScalarSet(UnicodeTables.categories.keys.flatMap { UnicodeData.property($0)?.ranges ?? [] })
    var count = 0
    for value in UInt32(0)...0x1FFFF where assigned.contains(value) {
      guard let scalar = Unicode.Scalar(value) else { continue }
      let lower = scalar.properties.lowercaseMapping.unicodeScalars
      guard lower.count == 1, let first = lower.first, first != scalar else { continue }
      #expect(UnicodeData.folds(of: value).contains(first.value), "\(value)")
      count += 1
    }
    #expect(count > 1000)
    #expect(UnicodeData.folds(of: 0x73).ranges == [0x53...0x53, 0x73...0x73, 0x17F...0x17F])
  }
}
