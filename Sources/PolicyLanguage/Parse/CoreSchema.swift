// What an unquoted scalar means: YAML 1.2's core schema and nothing more, so `on`, `off`, `yes` and `no` are words.

enum ScalarValue: Hashable {
  case null
  case bool(Bool)
  case int(Int64)
  case double(Double)
  case string
}

enum CoreSchema {
  static func resolve(_ node: YAMLNode, _ content: ArraySlice<UInt8>) -> ScalarValue {
    guard node.kind == .scalar, node.style == .plain else { return .string }
    guard let first = content.first else { return .null }
    switch first {
    case UInt8(ascii: "~"), UInt8(ascii: "n"), UInt8(ascii: "N"), UInt8(ascii: "t"), UInt8(ascii: "T"),
      UInt8(ascii: "f"), UInt8(ascii: "F"):
      return word(content)
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."):
      return number(content)
    default: return .string
    }
  }

  private static func word(_ content: ArraySlice<UInt8>) -> ScalarValue {
    guard content.count <= 5 else { return .string }
    switch String(decoding: content, as: UTF8.self) {
    case "~", "null", "Null", "NULL": return .null
    case "true", "True", "TRUE": return .bool(true)
    case "false", "False", "FALSE": return .bool(false)
    default: return .string
    }
  }

  private static func number(_ content: ArraySlice<UInt8>) -> ScalarValue {
    // A number longer than this is out of range for whatever it is meant for.
    guard content.count <= 64 else { return .string }
    if content.starts(with: Array("0x".utf8)) { return integer(content.dropFirst(2), radix: 16) }
    if content.starts(with: Array("0o".utf8)) { return integer(content.dropFirst(2), radix: 8) }
    if let special = special(content) { return .double(special) }
    guard isDecimal(content) else { return .string }
    let text = String(decoding: content, as: UTF8.self)
    if let value = Int64(text) { return .int(value) }
    return Double(text).map(ScalarValue.double) ?? .string
  }

  private static func integer(_ digits: ArraySlice<UInt8>, radix: Int) -> ScalarValue {
    guard let first = digits.first, first != UInt8(ascii: "+"), first != UInt8(ascii: "-") else { return .string }
    return Int64(String(decoding: digits, as: UTF8.self), radix: radix).map(ScalarValue.int) ?? .string
  }

  private static func special(_ content: ArraySlice<UInt8>) -> Double? {
    switch String(decoding: content, as: UTF8.self) {
    case ".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF": .infinity
    case "-.inf", "-.Inf", "-.INF": -.infinity
    case ".nan", ".NaN", ".NAN": .nan
    default: nil
    }
  }

  /// `[-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )?`
  private static func isDecimal(_ content: ArraySlice<UInt8>) -> Bool {
    var rest = content
    if let sign = rest.first, sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") { rest = rest.dropFirst() }
    let whole = rest.prefix(while: isDigit)
    rest = rest.dropFirst(whole.count)
    if rest.first == UInt8(ascii: ".") {
      rest = rest.dropFirst()
      let fraction = rest.prefix(while: isDigit)
      if whole.isEmpty && fraction.isEmpty { return false }
      rest = rest.dropFirst(fraction.count)
    } else if whole.isEmpty {
      return false
    }
    guard let e = rest.first else { return true }
    guard e | 0x20 == UInt8(ascii: "e") else { return false }
    rest = rest.dropFirst()
    if let sign = rest.first, sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") { rest = rest.dropFirst() }
    return !rest.isEmpty && rest.allSatisfy(isDigit)
  }

  private static func isDigit(_ byte: UInt8) -> Bool { byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") }
}
