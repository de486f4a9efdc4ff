// UTF-8 bytes -> tokens. Literals stay as spans here; Literals.swift gives them their values.

/// What a token is. Operators and brackets are `.symbol` with their spelling.
enum TokenKind: Equatable {
  case identifier
  /// `a-b` in back quotes; the span includes the quotes.
  case quotedIdentifier
  case int, uint, double
  case string(StringForm)
  case symbol(Symbol)
  case end
}

/// How a string literal is written: what Literals.swift needs to decode it.
struct StringForm: Equatable {
  var isBytes: Bool
  var isRaw: Bool
  /// Bytes before the first content byte, and after the last.
  var prefixLength: Int
  var quoteLength: Int
}

enum Symbol: String, CaseIterable {
  case equal = "=="
  case notEqual = "!="
  case lessOrEqual = "<="
  case greaterOrEqual = ">="
  case and = "&&"
  case or = "||"
  case less = "<"
  case greater = ">"
  case plus = "+"
  case minus = "-"
  case star = "*"
  case slash = "/"
  case percent = "%"
  case not = "!"
  case question = "?"
  case colon = ":"
  case comma = ","
  case dot = "."
  case openParenthesis = "("
  case closeParenthesis = ")"
  case openBracket = "["
  case closeBracket = "]"
  case openBrace = "{"
  case closeBrace = "}"
}

struct Token {
  var kind: TokenKind
  var span: Span
}

/// Splits a whole source into tokens, ending with one `.end`.
struct Lexer {
  private let bytes: [UInt8]
  private var position = 0

  init(_ bytes: [UInt8]) {
    self.bytes = bytes
  }

  static func tokens(of bytes: [UInt8]) throws(ParseFailure) -> [Token] {
    var lexer = Lexer(bytes)
    var result: [Token] = []
    while true {
      let token = try lexer.next()
      result.append(token)
      if token.kind == .end { return result }
    }
  }

  private func peek(_ offset: Int = 0) -> UInt8? {
    let index = position &+ offset
    return index < bytes.count ? bytes[index] : nil
  }

  private mutating func next() throws(ParseFailure) -> Token {
    skipSpaceAndComments()
    let start = position
    guard let first = peek() else { return Token(kind: .end, span: Span(start, start)) }
    if let form = stringStart() { return try string(form) }
    if isLetter(first) {
      while let byte = peek(), isLetter(byte) || isDigit(byte) { position += 1 }
      return Token(kind: .identifier, span: Span(start, position))
    }
    if isDigit(first) || (first == UInt8(ascii: ".") && peek(1).map(isDigit) == true) { return try number() }
    if first == UInt8(ascii: "`") { return try quotedIdentifier() }
    return try symbol()
  }

  private mutating func skipSpaceAndComments() {
    while let byte = peek() {
      switch byte {
      case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\n"), UInt8(ascii: "\r"), 0x0C:
        position += 1
      case UInt8(ascii: "/") where peek(1) == UInt8(ascii: "/"):
        while let byte = peek(), byte != UInt8(ascii: "\n") { position += 1 }
      default:
        return
      }
    }
  }

  // MARK: Symbols and names

  private mutating func symbol() throws(ParseFailure) -> Token {
    let start = position
    let longest = min(2, bytes.count - start)
    for length in stride(from: longest, to: 0, by: -1) {
      let text = String(decoding: bytes[start..<start + length], as: UTF8.self)
      if let symbol = Symbol(rawValue: text) {
        position += length
        return Token(kind: .symbol(symbol), span: Span(start, position))
      }
    }
    throw unexpectedCharacter(at: start)
  }

  private func unexpectedCharacter(at start: Int) -> ParseFailure {
    let scalar = String(decoding: bytes[start...].prefix(4), as: UTF8.self).unicodeScalars.first
    let text = scalar.map { String(Character($0)) } ?? ""
    let span = Span(start, start + max(1, text.utf8.count))
    let hints = [
      "=": "equality is written ==", "&": "logical and is written &&", "|": "logical or is written ||",
      "#": "comments start with //", "$": nil, "“": "use plain quotes: \"…\"", "”": "use plain quotes: \"…\"",
    ]
    return ParseFailure(.syntax, span, "unexpected character '\(text)'", hint: hints[text] ?? nil)
  }

  private mutating func quotedIdentifier() throws(ParseFailure) -> Token {
    let start = position
    position += 1
    while let byte = peek(), byte != UInt8(ascii: "`") {
      guard isLetter(byte) || isDigit(byte) || [0x20, 0x2D, 0x2E, 0x2F].contains(byte) else {
        throw ParseFailure(
          .syntax, Span(position, position + 1), "a name in back quotes has only letters, digits and _ . - / space")
      }
      position += 1
    }
    guard peek() != nil, position > start + 1 else {
      throw ParseFailure(.syntax, Span(start, position), "a name in back quotes that doesn't end or is empty")
    }
    position += 1
    return Token(kind: .quotedIdentifier, span: Span(start, position))
  }

  // MARK: Numbers

  private mutating func number() throws(ParseFailure) -> Token {
    let start = position
    var kind = TokenKind.int
    if peek() == UInt8(ascii: "0"), let x = peek(1), x | 0x20 == UInt8(ascii: "x"), peek(2).map(isHexDigit) == true {
      position += 2
      while let byte = peek(), isHexDigit(byte) { position += 1 }
    } else {
      skipDigits()
      if peek() == UInt8(ascii: "."), peek(1).map(isDigit) == true {
        kind = .double
        position += 1
        skipDigits()
      }
      if skipExponent() { kind = .double }
    }
    if kind == .int, let u = peek(), u | 0x20 == UInt8(ascii: "u") {
      kind = .uint
      position += 1
    }
    if let byte = peek(), isLetter(byte) || isDigit(byte) {
      throw ParseFailure(.syntax, Span(start, position + 1), "a number runs into a letter")
    }
    return Token(kind: kind, span: Span(start, position))
  }

  private mutating func skipDigits() {
    while let byte = peek(), isDigit(byte) { position += 1 }
  }

  private mutating func skipExponent() -> Bool {
    guard let e = peek(), e | 0x20 == UInt8(ascii: "e") else { return false }
    let sign = peek(1) == UInt8(ascii: "+") || peek(1) == UInt8(ascii: "-") ? 1 : 0
    guard peek(1 + sign).map(isDigit) == true else { return false }
    position += 1 + sign
    skipDigits()
    return true
  }

  // MARK: Strings

  /// The form of the string literal that starts here, if one does: any of r, b, rb, br, then quotes.
  private func stringStart() -> StringForm? {
    var isRaw = false
    var isBytes = false
    var length = 0
    while let byte = peek(length), length < 2 {
      if byte | 0x20 == UInt8(ascii: "r"), !isRaw {
        isRaw = true
      } else if byte | 0x20 == UInt8(ascii: "b"), !isBytes {
        isBytes = true
      } else {
        break
      }
      length += 1
    }
    guard let quote = peek(length), quote == UInt8(ascii: "'") || quote == UInt8(ascii: "\"") else { return nil }
    let isTriple = peek(length + 1) == quote && peek(length + 2) == quote
    let quoteLength = isTriple ? 3 : 1
    return StringForm(isBytes: isBytes, isRaw: isRaw, prefixLength: length + quoteLength, quoteLength: quoteLength)
  }

  private mutating func string(_ form: StringForm) throws(ParseFailure) -> Token {
    let start = position
    let quote = bytes[start + form.prefixLength - 1]
    position += form.prefixLength
    while let byte = peek() {
      if byte == quote, form.quoteLength == 1 || (peek(1) == quote && peek(2) == quote) {
        position += form.quoteLength
        return Token(kind: .string(form), span: Span(start, position))
      }
      if form.quoteLength == 1, byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r") { break }
      position += byte == UInt8(ascii: "\\") && !form.isRaw && peek(1) != nil ? 2 : 1
    }
    throw ParseFailure(
      .syntax, Span(start, min(position, bytes.count)), "a string that doesn't end",
      hint: form.quoteLength == 1
        ? "close the quotes on the same line, or use three of them" : "close it with three quotes")
  }
}

// ASCII only: CEL has no other letters outside of strings.
func isLetter(_ byte: UInt8) -> Bool {
  (byte | 0x20 >= UInt8(ascii: "a") && byte | 0x20 <= UInt8(ascii: "z")) || byte == UInt8(ascii: "_")
}
func isDigit(_ byte: UInt8) -> Bool { byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") }
func isHexDigit(_ byte: UInt8) -> Bool { hexValue(byte) != nil }

/// 0…15, or nil.
func hexValue(_ byte: UInt8) -> UInt32? {
  if isDigit(byte) { return UInt32(byte - UInt8(ascii: "0")) }
  let lower = byte | 0x20
  guard lower >= UInt8(ascii: "a"), lower <= UInt8(ascii: "f") else { return nil }
  return UInt32(lower - UInt8(ascii: "a") + 10)
}
