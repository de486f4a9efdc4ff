// Spans of literal tokens -> values. Escapes are cel-spec's ("String and Bytes Values").

/// A decoded string literal: its bytes and, for each, where in the source it comes from.
struct DecodedString {
  var bytes: [UInt8] = []
  var origins: [Int] = []
  fileprivate mutating func append(_ byte: UInt8, from origin: Int) {
    bytes.append(byte)
    origins.append(origin)
  }
}

enum LiteralDecoder {
  // MARK: Numbers

  /// `isNegative`: a minus sign stands before, so that the smallest int can be written.
  static func number(_ token: Token, in source: [UInt8], isNegative: Bool) throws(ParseFailure) -> Literal {
    let text = source[token.span.lower..<token.span.upper]
    if token.kind == .double {
      guard let value = Double(String(decoding: text, as: UTF8.self)), value.isFinite else {
        throw ParseFailure(.syntax, token.span, "a number out of a double's range")
      }
      return .double(isNegative ? -value : value)
    }
    let isUnsigned = token.kind == .uint
    guard let magnitude = magnitude(text.dropLast(isUnsigned ? 1 : 0)) else {
      throw outOfRange(token, isUnsigned: isUnsigned)
    }
    if isUnsigned { return .uint(magnitude) }
    if isNegative, magnitude <= Int64.min.magnitude { return .int(Int64(truncatingIfNeeded: 0 &- magnitude)) }
    guard !isNegative, let value = Int64(exactly: magnitude) else { throw outOfRange(token, isUnsigned: false) }
    return .int(value)
  }

  private static func outOfRange(_ token: Token, isUnsigned: Bool) -> ParseFailure {
    let range = isUnsigned ? "0…18446744073709551615" : "-9223372036854775808…9223372036854775807"
    return ParseFailure(.syntax, token.span, "a number out of \(isUnsigned ? "a uint" : "an int")'s range", hint: range)
  }

  private static func magnitude(_ digits: ArraySlice<UInt8>) -> UInt64? {
    let isHex = digits.count > 2 && digits.dropFirst().first.map { $0 | 0x20 } == UInt8(ascii: "x")
    return UInt64(String(decoding: isHex ? digits.dropFirst(2) : digits, as: UTF8.self), radix: isHex ? 16 : 10)
  }

  // MARK: Strings

  static func string(_ form: StringForm, _ span: Span, in source: [UInt8]) throws(ParseFailure) -> DecodedString {
    var decoder = StringDecoder(
      source: source, position: span.lower + form.prefixLength, end: span.upper - form.quoteLength,
      isBytes: form.isBytes)
    return form.isRaw ? decoder.raw() : try decoder.escaped()
  }
}

private struct StringDecoder {
  let source: [UInt8]
  var position: Int
  let end: Int
  let isBytes: Bool
  var result = DecodedString()

  mutating func raw() -> DecodedString {
    while position < end {
      result.append(source[position], from: position)
      position += 1
    }
    return result
  }

  mutating func escaped() throws(ParseFailure) -> DecodedString {
    while position < end {
      let byte = source[position]
      if byte == UInt8(ascii: "\\") {
        try escape()
      } else {
        result.append(byte, from: position)
        position += 1
      }
    }
    return result
  }

  private func error(_ message: String, length: Int = 2, hint: String? = nil) -> ParseFailure {
    ParseFailure(.syntax, Span(position, min(position + length, end)), message, hint: hint)
  }

  private mutating func escape() throws(ParseFailure) {
    guard position + 1 < end else { throw error("an escape that doesn't end") }
    let letter = source[position + 1]
    switch letter {
    case UInt8(ascii: "x"), UInt8(ascii: "X"):
      try numeric(skip: 2, digits: 2, radix: 16)
    case UInt8(ascii: "u") where !isBytes:
      try numeric(skip: 2, digits: 4, radix: 16)
    case UInt8(ascii: "U") where !isBytes:
      try numeric(skip: 2, digits: 8, radix: 16)
    case UInt8(ascii: "0")...UInt8(ascii: "3"):
      try numeric(skip: 1, digits: 3, radix: 8)
    default:
      guard let value = Self.simple[letter] else {
        throw error("an unknown escape", hint: "write \\\\ for a backslash, or use a raw string: r\"…\"")
      }
      result.append(value, from: position)
      position += 2
    }
  }

  private static let simple: [UInt8: UInt8] = [
    UInt8(ascii: "a"): 7, UInt8(ascii: "b"): 8, UInt8(ascii: "f"): 12, UInt8(ascii: "n"): 10,
    UInt8(ascii: "r"): 13, UInt8(ascii: "t"): 9, UInt8(ascii: "v"): 11, UInt8(ascii: "\\"): UInt8(ascii: "\\"),
    UInt8(ascii: "?"): UInt8(ascii: "?"), UInt8(ascii: "\""): UInt8(ascii: "\""),
    UInt8(ascii: "'"): UInt8(ascii: "'"), UInt8(ascii: "`"): UInt8(ascii: "`"),
  ]

  /// In bytes the number is a byte, in strings a code point.
  private mutating func numeric(skip: Int, digits: Int, radix: UInt32) throws(ParseFailure) {
    let stop = position + skip + digits
    guard stop <= end else { throw error("an escape that needs \(digits) digits", length: end - position) }
    var value: UInt32 = 0
    for byte in source[position + skip..<stop] {
      guard let digit = hexValue(byte), digit < radix else {
        throw error("an escape that needs \(digits) digits", length: skip + digits)
      }
      value = value &* radix &+ digit
    }
    if isBytes {
      result.append(UInt8(truncatingIfNeeded: value), from: position)
    } else {
      guard let scalar = Unicode.Scalar(value) else {
        throw error("an escape that is no Unicode character", length: skip + digits)
      }
      for byte in String(Character(scalar)).utf8 { result.append(byte, from: position) }
    }
    position = stop
  }
}
