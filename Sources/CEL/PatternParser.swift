// Text of a regular expression -> Pattern. The syntax, and what of it is refused, is RE2's as RE2 has it by default:
// UTF-8, Perl's classes, `^` and `$` at the ends of the text, `.` without newline, negated classes with it. Stricter in
// two places: `\C` (one byte) is refused, and so are counts of nine digits, which RE2 takes for literal text.

/// Why a pattern was refused. `span` counts UTF-8 bytes of the pattern.
public struct PatternError: Error, Hashable, Sendable {
  public var span: Span
  public var message: String
  /// What to write instead, if anything.
  public var hint: String?
  public init(_ span: Span, _ message: String, hint: String? = nil) {
    self.span = span
    self.message = message
    self.hint = hint
  }
}

/// Parses a pattern in RE2's syntax. Pure and thread-safe; bounded by `Limits`.
public func parsePattern(_ text: String) throws(PatternError) -> Pattern {
  let length = text.utf8.count
  guard length <= Limits.patternLength else {
    throw PatternError(
      Span(0, length), "a pattern of \(length) bytes; at most \(Limits.patternLength) are allowed")
  }
  let parser = PatternParser(text)
  return try parser.whole()
}

/// A parsed part, and the product of its nested repeat counts.
struct PatternPart {
  var pattern: Pattern
  var repeats = 1
}

struct PatternFlags {
  var ignoresCase = false
  var isMultiline = false
  var dotMatchesNewline = false
}

final class PatternParser {
  private let scalars: [UInt32]
  /// Where each scalar starts in UTF-8, and the end of the text.
  private let offsets: [Int]
  var position = 0
  var flags = PatternFlags()
  private var level = 0

  init(_ text: String) {
    scalars = text.unicodeScalars.map(\.value)
    var offset = 0
    var offsets: [Int] = []
    for scalar in text.unicodeScalars {
      offsets.append(offset)
      offset += UTF8.width(scalar)
    }
    self.offsets = offsets + [offset]
  }

  // MARK: Reading

  func peek(_ ahead: Int = 0) -> UInt32? {
    let index = position + ahead
    return index < scalars.count ? scalars[index] : nil
  }

  func at(_ text: String) -> Bool {
    var index = position
    for scalar in text.unicodeScalars {
      guard index < scalars.count, scalars[index] == scalar.value else { return false }
      index += 1
    }
    return true
  }

  func take(_ text: String) -> Bool {
    guard at(text) else { return false }
    position += text.unicodeScalars.count
    return true
  }

  func text(from start: Int) -> String {
    var result = ""
    for scalar in scalars[min(start, position)..<position] {
      if let scalar = Unicode.Scalar(scalar) { result.unicodeScalars.append(scalar) }
    }
    return result
  }

  /// An error about what stands from `start` up to the current position (at least one character).
  func error(from start: Int, _ message: String, hint: String? = nil) -> PatternError {
    let upper = min(max(position, start + 1), scalars.count)
    return PatternError(Span(offsets[min(start, scalars.count)], offsets[upper]), message, hint: hint)
  }

  // MARK: Structure

  func whole() throws(PatternError) -> Pattern {
    let result = try alternation()
    if position < scalars.count {
      throw error(from: position, "a ')' without its '('", hint: "write \\) for the character itself")
    }
    return result.pattern
  }

  private func alternation() throws(PatternError) -> PatternPart {
    var branches: [PatternPart] = [try concatenation()]
    while take("|") { branches.append(try concatenation()) }
    guard branches.count > 1 else { return branches[0] }
    return PatternPart(pattern: .alternation(branches.map(\.pattern)), repeats: branches.map(\.repeats).max() ?? 1)
  }

  private func concatenation() throws(PatternError) -> PatternPart {
    var parts: [PatternPart] = []
    while let next = peek(), next != scalar("|"), next != scalar(")") {
      if take("\\Q") {
        parts += quoted()
      } else if let part = try atom() {
        parts.append(part)
      }
      // Flags and an empty \Q\E stand for nothing: a repetition after them is one of what was before them.
      if let last = parts.popLast() { parts.append(try repeated(last)) }
    }
    switch parts.count {
    case 0: return PatternPart(pattern: .empty)
    case 1: return parts[0]
    default:
      return PatternPart(pattern: .concatenation(parts.map(\.pattern)), repeats: parts.map(\.repeats).max() ?? 1)
    }
  }

  /// `\Q…\E`; a repetition after it applies to the last character.
  private func quoted() -> [PatternPart] {
    var parts: [PatternPart] = []
    while let next = peek() {
      if take("\\E") { break }
      position += 1
      parts.append(PatternPart(pattern: literal(next)))
    }
    return parts
  }

  /// One atom; nil for flags, which stand for nothing.
  private func atom() throws(PatternError) -> PatternPart? {
    guard let next = peek() else { return nil }
    let start = position
    switch next {
    case scalar("("):
      return try group()
    case scalar("["):
      return PatternPart(pattern: try bracketClass().pattern)
    case scalar("\\"):
      return PatternPart(pattern: try escape())
    case scalar("*"), scalar("+"), scalar("?"):
      position += 1
      throw error(
        from: start, "nothing before '\(text(from: start))' to repeat",
        hint: "write \\\(text(from: start)) for the character itself")
    case scalar("{"):
      if try repeatCounts() != nil {
        throw error(
          from: start, "nothing before '\(text(from: start))' to repeat", hint: "write \\{ for the character itself")
      }
      position += 1
      return PatternPart(pattern: literal(next))
    case scalar("."):
      position += 1
      let newline = ScalarSet(scalar("\n"))
      return PatternPart(pattern: (flags.dotMatchesNewline ? ScalarSet.all : newline.complement).pattern)
    case scalar("^"):
      position += 1
      return PatternPart(pattern: .assertion(flags.isMultiline ? .lineStart : .textStart))
    case scalar("$"):
      position += 1
      return PatternPart(pattern: .assertion(flags.isMultiline ? .lineEnd : .textEnd))
    default:
      position += 1
      return PatternPart(pattern: literal(next))
    }
  }

  func literal(_ scalar: UInt32) -> Pattern {
    (flags.ignoresCase ? UnicodeData.folds(of: scalar) : ScalarSet(scalar)).pattern
  }

  // MARK: Repetition

  private func repeated(_ part: PatternPart) throws(PatternError) -> PatternPart {
    let start = position
    guard let counts = try repetition() else { return part }
    // Greediness changes nothing about whether a text matches.
    _ = take("?")
    let second = position
    if try repetition() != nil {
      throw error(
        from: start, "'\(text(from: start))' repeats a repetition",
        hint: second > start + 1 || text(from: second) != "+"
          ? "put the inner one in (?:…)" : "possessive repetition isn't part of RE2's syntax")
    }
    let count = counts.maximum ?? counts.minimum
    let bounds = counts.minimum >= 2 || (counts.maximum ?? 0) >= 2
    let repeats = part.repeats * max(1, count)
    guard !bounds || repeats <= Limits.patternRepeat else {
      throw error(
        from: start, "nested counts repeat this \(repeats) times; at most \(Limits.patternRepeat) are allowed")
    }
    return PatternPart(
      pattern: .repetition(part.pattern, minimum: counts.minimum, maximum: counts.maximum),
      repeats: bounds ? repeats : part.repeats)
  }

  private struct Counts {
    var minimum: Int
    var maximum: Int?
  }

  private func repetition() throws(PatternError) -> Counts? {
    if take("*") { return Counts(minimum: 0, maximum: nil) }
    if take("+") { return Counts(minimum: 1, maximum: nil) }
    if take("?") { return Counts(minimum: 0, maximum: 1) }
    return at("{") ? try repeatCounts() : nil
  }

  /// `{n}`, `{n,}` or `{n,m}`; nil, and nothing read, for a brace that means itself.
  private func repeatCounts() throws(PatternError) -> Counts? {
    let start = position
    position += 1
    guard let minimum = count() else { return literalBrace(start) }
    var maximum: Int? = minimum
    if take(",") {
      maximum = nil
      if !at("}") {
        guard let upper = count() else { return literalBrace(start) }
        maximum = upper
      }
    }
    guard take("}") else { return literalBrace(start) }
    guard minimum <= Limits.patternRepeat, maximum ?? 0 <= Limits.patternRepeat else {
      throw error(from: start, "a count over \(Limits.patternRepeat)")
    }
    if let maximum, maximum < minimum { throw error(from: start, "the counts are in the wrong order") }
    return Counts(minimum: minimum, maximum: maximum)
  }

  private func literalBrace(_ start: Int) -> Counts? {
    position = start
    return nil
  }

  /// Digits without a leading zero; large values stop at 100,000.
  private func count() -> Int? {
    guard let first = peek(), isDigit(first) else { return nil }
    if first == scalar("0"), let second = peek(1), isDigit(second) { return nil }
    var value = 0
    while let digit = peek(), isDigit(digit) {
      value = min(value * 10 + Int(digit - scalar("0")), 100_000)
      position += 1
    }
    return value
  }

  // MARK: Groups and flags

  private func group() throws(PatternError) -> PatternPart? {
    let start = position
    position += 1
    let outer = flags
    if take("?") {
      guard try groupHead(start) else { return nil }
    }
    level += 1
    defer { level -= 1 }
    guard level <= Limits.patternDepth else {
      throw error(from: start, "groups nested more than \(Limits.patternDepth) deep")
    }
    let inner = try alternation()
    guard take(")") else {
      throw PatternError(
        Span(offsets[start], offsets[start] + 1), "a '(' without its ')'", hint: "write \\( for the character itself")
    }
    flags = outer
    return inner
  }

  /// What follows `(?`. False if it was flags alone, `(?i)`, which hold until the group around them ends.
  private func groupHead(_ start: Int) throws(PatternError) -> Bool {
    if at("=") || at("!") || at("<=") || at("<!") {
      position += at("<") ? 2 : 1
      throw error(
        from: start, "RE2's syntax has no look-around",
        hint: "use two matches() joined by && or !; each is checked in linear time")
    }
    if take("P<") || take("<") {
      try groupName(start)
      return true
    }
    return try groupFlags(start)
  }

  private func groupName(_ start: Int) throws(PatternError) {
    let nameStart = position
    while let next = peek(), isWord(next) { position += 1 }
    let name = text(from: nameStart)
    guard !name.isEmpty, take(">") else {
      throw error(from: start, "a group's name has letters, digits and _, and ends with >")
    }
  }

  private func groupFlags(_ start: Int) throws(PatternError) -> Bool {
    var isNegated = false
    var isFlagWanted = false
    var new = flags
    while let next = peek() {
      position += 1
      switch next {
      case scalar("i"): new.ignoresCase = !isNegated
      case scalar("m"): new.isMultiline = !isNegated
      case scalar("s"): new.dotMatchesNewline = !isNegated
      case scalar("U"): break
      case scalar("-") where !isNegated:
        isNegated = true
        isFlagWanted = true
        continue
      case scalar(":") where !isFlagWanted, scalar(")") where !isFlagWanted:
        flags = new
        return next == scalar(":")
      default:
        throw error(
          from: start, "unknown group syntax '\(text(from: start))'",
          hint: "groups are (…), (?:…), (?P<name>…), and flags (?i) (?m) (?s) (?U)")
      }
      isFlagWanted = false
    }
    throw error(from: start, "a group that doesn't end")
  }
}

func scalar(_ character: Unicode.Scalar) -> UInt32 { character.value }
func isDigit(_ scalar: UInt32) -> Bool { scalar >= 0x30 && scalar <= 0x39 }
func isOctalDigit(_ scalar: UInt32) -> Bool { scalar >= 0x30 && scalar <= 0x37 }
func isWord(_ scalar: UInt32) -> Bool { scalar < 0x80 && (isLetter(UInt8(scalar)) || isDigit(scalar)) }

extension ScalarSet {
  var pattern: Pattern { .scalars(ranges) }
}
