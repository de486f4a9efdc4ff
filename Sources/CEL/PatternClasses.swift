// Escapes and character classes of patterns: `\d`, `\pL`, `[[:alpha:]\x{41}-Z]`.

extension PatternParser {
  // MARK: Escapes outside of brackets

  /// What starts with a backslash; `\Q` has been dealt with.
  func escape() throws(PatternError) -> Pattern {
    let start = position
    if let assertion = takeAssertion() { return .assertion(assertion) }
    if at("\\C") {
      position += 2
      throw error(from: start, "\\C matches one byte, and texts here are characters", hint: "(?s:.) is any character")
    }
    if let set = try classEscape() { return set.pattern }
    return literal(try characterEscape())
  }

  private func takeAssertion() -> Pattern.Assertion? {
    if take("\\A") { return .textStart }
    if take("\\z") { return .textEnd }
    if take("\\b") { return .wordBoundary }
    if take("\\B") { return .notWordBoundary }
    return nil
  }

  /// `\d` and the like, `\pN`, `\p{Greek}`; nil, and nothing read, for any other escape.
  private func classEscape() throws(PatternError) -> ScalarSet? {
    guard let letter = peek(1) else { return nil }
    if letter == scalar("p") || letter == scalar("P") { return try property() }
    guard letter < 0x80, let named = Self.perlClasses[UInt8(letter)] else { return nil }
    position += 2
    let isNegated = letter & 0x20 == 0
    return oriented(named, isNegated: isNegated)
  }

  /// Case folding comes before negation.
  private func oriented(_ set: ScalarSet, isNegated: Bool) -> ScalarSet {
    let folded = flags.ignoresCase ? set.folded : set
    return isNegated ? folded.complement : folded
  }

  private static let digits = ScalarSet([0x30...0x39])
  private static let spaces = ScalarSet([0x09...0x0A, 0x0C...0x0D, 0x20...0x20])
  private static let wordCharacters = ScalarSet([0x30...0x39, 0x41...0x5A, 0x5F...0x5F, 0x61...0x7A])
  private static let perlClasses: [UInt8: ScalarSet] = [
    UInt8(ascii: "d"): digits, UInt8(ascii: "D"): digits, UInt8(ascii: "s"): spaces, UInt8(ascii: "S"): spaces,
    UInt8(ascii: "w"): wordCharacters, UInt8(ascii: "W"): wordCharacters,
  ]

  private func property() throws(PatternError) -> ScalarSet {
    let start = position
    var isNegated = peek(1) == scalar("P")
    position += 2
    var name: String
    let nameStart: Int
    if take("{") {
      if take("^") { isNegated.toggle() }
      nameStart = position
      while let next = peek(), next != scalar("}") { position += 1 }
      name = text(from: nameStart)
      guard take("}") else { throw error(from: start, "a class name without its '}'") }
    } else {
      guard peek() != nil else { throw error(from: start, "a class escape without a name") }
      nameStart = position
      position += 1
      name = text(from: nameStart)
    }
    guard let set = UnicodeData.property(name) else {
      let near = Names.nearest(to: name, among: UnicodeData.propertyNames)
      throw error(
        from: start, "'\(name)' is no general category or script",
        hint: near.map { "did you mean '\($0)'?" } ?? "such as \\pL, \\p{Lu}, \\p{Greek}")
    }
    return oriented(set, isNegated: isNegated)
  }

  // MARK: One character

  private static let controls: [UInt32: UInt32] = [
    scalar("a"): 7, scalar("f"): 12, scalar("n"): 10, scalar("r"): 13, scalar("t"): 9, scalar("v"): 11,
  ]

  /// An escape that stands for one character.
  private func characterEscape() throws(PatternError) -> UInt32 {
    let start = position
    position += 1
    guard let letter = peek() else {
      throw error(from: start, "a backslash at the end", hint: "write \\\\ for a backslash")
    }
    position += 1
    if let control = Self.controls[letter] { return control }
    if letter == scalar("x") { return try hexEscape(start) }
    if isOctalDigit(letter), letter == scalar("0") || peek().map(isOctalDigit) == true { return octal(letter) }
    if isDigit(letter) {
      throw error(from: start, "RE2's syntax has no backreferences", hint: "write \\x for characters by number")
    }
    guard letter < 0x80, !isWord(letter) || letter == scalar("_") else {
      throw error(
        from: start, "unknown escape '\(text(from: start))'",
        hint: letter == scalar("Z") ? "\\z is the end of the text" : nil)
    }
    return letter
  }

  /// Up to three octal digits in all, of which one has been read.
  private func octal(_ first: UInt32) -> UInt32 {
    var value = first - scalar("0")
    for _ in 0..<2 {
      guard let digit = peek(), isOctalDigit(digit) else { break }
      value = value * 8 + digit - scalar("0")
      position += 1
    }
    return value
  }

  /// `\xFF` or `\x{10FFFF}`.
  private func hexEscape(_ start: Int) throws(PatternError) -> UInt32 {
    let isBraced = take("{")
    var value: UInt32 = 0
    var count = 0
    while let next = peek(), next < 0x80, let digit = hexValue(UInt8(next)), isBraced || count < 2 {
      value = min(value * 16 + digit, 0x110000)
      count += 1
      position += 1
    }
    let isComplete = isBraced ? count > 0 && take("}") : count == 2
    guard isComplete, Unicode.Scalar(value) != nil else {
      throw error(from: start, "'\(text(from: start))' is no character", hint: "write two hex digits, or \\x{…}")
    }
    return value
  }

  // MARK: Brackets

  /// `[…]`.
  func bracketClass() throws(PatternError) -> ScalarSet {
    let start = position
    position += 1
    let isNegated = take("^")
    var ranges: [ClosedRange<UInt32>] = []
    var isFirst = true
    while let next = peek(), isFirst || next != scalar("]") {
      isFirst = false
      if let set = try namedClass() {
        ranges += set.ranges
      } else {
        let set = try characterRange()
        ranges += (flags.ignoresCase ? set.folded : set).ranges
      }
    }
    guard take("]") else {
      position = start + 1
      throw error(from: start, "a '[' without its ']'", hint: "write \\[ for the character itself")
    }
    let set = ScalarSet(ranges)
    return isNegated ? set.complement : set
  }

  private func namedClass() throws(PatternError) -> ScalarSet? {
    if at("\\") { return try classEscape() }
    return at("[:") ? try posixClass() : nil
  }

  /// `a`, `a-z`, or a `-` on its own.
  private func characterRange() throws(PatternError) -> ScalarSet {
    let start = position
    let lower = try classCharacter(start)
    guard at("-"), let after = peek(1), after != scalar("]") else { return ScalarSet(lower) }
    position += 1
    let upper = try classCharacter(start)
    guard lower <= upper else { throw error(from: start, "the range '\(text(from: start))' is in the wrong order") }
    return ScalarSet([lower...upper])
  }

  private func classCharacter(_ start: Int) throws(PatternError) -> UInt32 {
    guard let next = peek() else { throw error(from: start, "a '[' without its ']'") }
    if next == scalar("\\") { return try characterEscape() }
    position += 1
    return next
  }

  private static let posixClasses: [String: [ClosedRange<UInt32>]] = [
    "alnum": [0x30...0x39, 0x41...0x5A, 0x61...0x7A], "alpha": [0x41...0x5A, 0x61...0x7A], "ascii": [0...0x7F],
    "blank": [0x09...0x09, 0x20...0x20], "cntrl": [0...0x1F, 0x7F...0x7F], "digit": [0x30...0x39],
    "graph": [0x21...0x7E], "lower": [0x61...0x7A], "print": [0x20...0x7E],
    "punct": [0x21...0x2F, 0x3A...0x40, 0x5B...0x60, 0x7B...0x7E], "space": [0x09...0x0D, 0x20...0x20],
    "upper": [0x41...0x5A], "word": [0x30...0x39, 0x41...0x5A, 0x5F...0x5F, 0x61...0x7A],
    "xdigit": [0x30...0x39, 0x41...0x46, 0x61...0x66],
  ]

  /// `[:alpha:]`, `[:^alpha:]`; nil, and nothing read, when no `:]` follows.
  private func posixClass() throws(PatternError) -> ScalarSet? {
    let start = position
    position += 2
    let isNegated = take("^")
    let nameStart = position
    while peek() != nil, !at(":]") { position += 1 }
    let name = text(from: nameStart)
    guard take(":]") else {
      position = start
      return nil
    }
    guard let ranges = Self.posixClasses[name] else {
      throw error(
        from: start, "'\(name)' is no class",
        hint: Names.nearest(to: name, among: Self.posixClasses.keys).map { "did you mean [:\($0):]?" })
    }
    return oriented(ScalarSet(ranges), isNegated: isNegated)
  }
}
