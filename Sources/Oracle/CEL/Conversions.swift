// `int(x)`, `string(x)` and the other conversions; the text forms of numbers and times; base64.

enum Conversions {
  static func apply(_ name: String, _ values: [OracleValue]) throws(OracleFailure) -> OracleValue? {
    guard values.count == 1 else { return nil }
    let value = values[0]
    switch name {
    case "dyn": return value
    case "type": return .type(value.typeName)
    case "int": return .int(try int(value))
    case "uint": return .uint(try uint(value))
    case "double": return .double(try double(value))
    case "bool": return .bool(try bool(value))
    case "string": return .text(try string(value))
    case "bytes": return .bytes(try bytes(value))
    case "timestamp": return try timestamp(value)
    case "duration":
      switch value {
      case .duration: return value
      case .string(let text): return .duration(try Times.duration(text))
      default: throw .noSuchOverload(name)
      }
    case "base64.encode":
      guard case .bytes(let bytes) = value else { throw .noSuchOverload(name) }
      return .text(Base64.encode(bytes))
    case "base64.decode":
      guard case .string(let text) = value else { throw .noSuchOverload(name) }
      return .bytes(try Base64.decode(text))
    default: return nil
    }
  }

  private static func int(_ value: OracleValue) throws(OracleFailure) -> Int64 {
    switch value {
    case .int(let x): return x
    case .uint(let x):
      guard let result = Int64(exactly: x) else { throw .outOfRange }
      return result
    case .double(let x):
      // Both ends are refused: beyond 2^53 a double that rounds to an end may have come from outside.
      guard x > -0x1p63, x < 0x1p63 else { throw .outOfRange }
      return Int64(x)
    case .string(let text):
      guard let result = Int64(plain(text)) else { throw .badConversion }
      return result
    case .timestamp(let seconds, _): return seconds
    default: throw .noSuchOverload("int")
    }
  }

  private static func uint(_ value: OracleValue) throws(OracleFailure) -> UInt64 {
    switch value {
    case .uint(let x): return x
    case .int(let x):
      guard let result = UInt64(exactly: x) else { throw .outOfRange }
      return result
    case .double(let x):
      guard x >= 0, x < 0x1p64 else { throw .outOfRange }
      return UInt64(x)
    case .string(let text):
      guard text.first != "-", text.first != "+", let result = UInt64(plain(text)) else { throw .badConversion }
      return result
    default: throw .noSuchOverload("uint")
    }
  }

  private static func double(_ value: OracleValue) throws(OracleFailure) -> Double {
    switch value {
    case .double(let x): return x
    case .int(let x): return Double(x)
    case .uint(let x): return Double(x)
    case .string(let text):
      guard let result = Double(plain(text)) else { throw .badConversion }
      return result
    default: throw .noSuchOverload("double")
    }
  }

  private static func bool(_ value: OracleValue) throws(OracleFailure) -> Bool {
    switch value {
    case .bool(let x): return x
    case .string(let text):
      switch plain(text) {
      case "1", "t", "true", "TRUE", "True": return true
      case "0", "f", "false", "FALSE", "False": return false
      default: throw .badConversion
      }
    default: throw .noSuchOverload("bool")
    }
  }

  private static func bytes(_ value: OracleValue) throws(OracleFailure) -> [UInt8] {
    switch value {
    case .bytes(let x): return x
    case .string(let text): return Array(plain(text).utf8)
    default: throw .noSuchOverload("bytes")
    }
  }

  private static func timestamp(_ value: OracleValue) throws(OracleFailure) -> OracleValue {
    switch value {
    case .timestamp: return value
    case .string(let text): return try Times.timestamp(text)
    case .int(let seconds): return try Times.checked(seconds: seconds, nanoseconds: 0)
    default: throw .noSuchOverload("timestamp")
    }
  }

  static func string(_ value: OracleValue) throws(OracleFailure) -> String {
    switch value {
    case .string(let text): return plain(text)
    case .bool(let x): return x ? "true" : "false"
    case .int(let x): return String(x)
    case .uint(let x): return String(x)
    case .double(let x): return Decimal.shortest(x)
    case .bytes(let bytes):
      guard let text = String(validating: bytes, as: UTF8.self) else { throw .badConversion }
      return text
    case .timestamp(let seconds, let nanoseconds): return Times.text(seconds: seconds, nanoseconds: nanoseconds)
    case .duration(let nanoseconds): return Times.text(duration: nanoseconds)
    default: throw .noSuchOverload("string")
    }
  }

  static func plain(_ text: some Sequence<Unicode.Scalar>) -> String {
    var view = String.UnicodeScalarView()
    view.append(contentsOf: text)
    return String(view)
  }
}

enum Base64 {
  private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

  static func encode(_ bytes: [UInt8]) -> String {
    var result = ""
    for start in stride(from: 0, to: bytes.count, by: 3) {
      let group = bytes[start..<min(start + 3, bytes.count)]
      var word: UInt32 = 0
      for index in 0..<3 { word = word << 8 | UInt32(index < group.count ? group[start + index] : 0) }
      for index in 0..<4 {
        let sextet = Int(word >> UInt32(18 - 6 * index) & 63)
        result += index <= group.count ? String(Unicode.Scalar(alphabet[sextet])) : "="
      }
    }
    return result
  }

  /// Standard alphabet; padding may be left out, but is right where it stands. Bits left over must be zero only in
  /// so far as whole bytes come out.
  static func decode(_ text: [Unicode.Scalar]) throws(OracleFailure) -> [UInt8] {
    var digits = text
    var padding = 0
    while digits.last == "=" {
      digits.removeLast()
      padding += 1
    }
    guard digits.count % 4 != 1, padding == 0 || (padding < 3 && (digits.count + padding) % 4 == 0) else {
      throw .badFormat
    }
    var result: [UInt8] = []
    var word: UInt32 = 0
    var held = 0
    for digit in digits {
      guard digit.isASCII, let sextet = alphabet.firstIndex(of: UInt8(digit.value)) else { throw .badFormat }
      word = word << 6 | UInt32(sextet)
      held += 6
      if held >= 8 {
        held -= 8
        result.append(UInt8(truncatingIfNeeded: word >> UInt32(held)))
      }
    }
    return result
  }
}
