// `"…%s…".format([…])`, and numbers as decimal text, rounded exactly (half to even).

enum Format {
  static func format(_ text: [Unicode.Scalar], _ arguments: [OracleValue]) throws(OracleFailure) -> String {
    var result = String.UnicodeScalarView()
    var rest = text[...]
    var used = 0
    while let scalar = rest.popFirst() {
      guard scalar == "%" else {
        result.append(scalar)
        continue
      }
      if rest.first == "%" {
        rest.removeFirst()
        result.append("%")
        continue
      }
      let precision = try precision(&rest)
      guard let clause = rest.popFirst() else { throw .badFormat }
      guard used < arguments.count else { throw .outOfRange }
      let piece = try substitute(clause, precision, arguments[used])
      result.append(contentsOf: piece.unicodeScalars)
      used += 1
    }
    return String(result)
  }

  private static func precision(_ rest: inout ArraySlice<Unicode.Scalar>) throws(OracleFailure) -> Int? {
    guard rest.first == "." else { return nil }
    rest.removeFirst()
    var digits = ""
    while let first = rest.first, ("0"..."9").contains(first) {
      digits.unicodeScalars.append(first)
      rest.removeFirst()
    }
    guard let precision = Int(digits), precision <= 1000 else { throw .badFormat }
    return precision
  }

  private static func substitute(
    _ clause: Unicode.Scalar, _ precision: Int?, _ value: OracleValue
  ) throws(OracleFailure) -> String {
    switch clause {
    case "s": return try string(value)
    case "d": return try decimal(value)
    case "b":
      if case .bool(let bit) = value { return bit ? "1" : "0" }
      return try radix(value, 2)
    case "o": return try radix(value, 8)
    case "x": return try hexadecimal(value)
    case "X": return try hexadecimal(value).uppercased()
    case "f": return try real(value) { Decimal.fixed($0, precision ?? 6) }
    case "e": return try real(value) { Decimal.scientific($0, precision ?? 6) }
    default: throw .badFormat
    }
  }

  private static func decimal(_ value: OracleValue) throws(OracleFailure) -> String {
    if case .double(let number) = value { return number.isFinite ? Decimal.plain(number) : special(number) }
    return try radix(value, 10)
  }

  private static func radix(_ value: OracleValue, _ radix: Int) throws(OracleFailure) -> String {
    switch value {
    case .int(let number): String(number, radix: radix)
    case .uint(let number): String(number, radix: radix)
    default: throw .badFormat
    }
  }

  private static func hexadecimal(_ value: OracleValue) throws(OracleFailure) -> String {
    switch value {
    case .string(let text): return hexadecimal(Array(Conversions.plain(text).utf8))
    case .bytes(let bytes): return hexadecimal(bytes)
    default: return try radix(value, 16)
    }
  }

  private static func hexadecimal(_ bytes: [UInt8]) -> String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }

  private static func real(_ value: OracleValue, _ form: (Double) -> String) throws(OracleFailure) -> String {
    let number: Double
    switch value {
    case .double(let it): number = it
    case .int(let it): number = Double(it)
    case .uint(let it): number = Double(it)
    default: throw .badFormat
    }
    return number.isFinite ? form(number) : special(number)
  }

  private static func special(_ number: Double) -> String {
    number.isNaN ? "NaN" : number < 0 ? "-Infinity" : "Infinity"
  }

  private static func string(_ value: OracleValue) throws(OracleFailure) -> String {
    switch value {
    case .null: return "null"
    case .type(let name): return name
    case .double(let number): return number.isFinite ? Decimal.plain(number) : special(number)
    case .list(let elements):
      var parts: [String] = []
      for element in elements { parts.append(try string(element)) }
      return "[\(parts.joined(separator: ", "))]"
    case .map(let pairs):
      var parts: [(String, String)] = []
      for pair in pairs { parts.append((try string(pair.key), try string(pair.value))) }
      parts.sort { $0.0.unicodeScalars.lexicographicallyPrecedes($1.0.unicodeScalars) }
      return "{\(parts.map { "\($0.0): \($0.1)" }.joined(separator: ", "))}"
    case .optional: throw .badFormat
    default: return try Conversions.string(value)
    }
  }
}

/// Decimal text of doubles.
enum Decimal {
  /// The shortest digits that read back as the same number, as Go's `%g` lays them out.
  static func shortest(_ value: Double) -> String {
    guard value.isFinite else { return value.isNaN ? "NaN" : value < 0 ? "-Inf" : "+Inf" }
    let (digits, point) = shortestDigits(value)
    let sign = value.sign == .minus ? "-" : ""
    if digits == [0] { return sign + "0" }
    let exponent = point - 1
    if exponent < -4 || exponent >= 21 { return sign + scientific(digits, exponent) }
    return sign + layout(digits, point, fraction: max(0, digits.count - point))
  }

  /// The same digits, never with an exponent.
  static func plain(_ value: Double) -> String {
    let (digits, point) = shortestDigits(value)
    return (value.sign == .minus ? "-" : "") + layout(digits, point, fraction: max(0, digits.count - point))
  }

  static func fixed(_ value: Double, _ precision: Int) -> String {
    let (digits, point) = exactDigits(value)
    let (rounded, newPoint) = round(digits, point, keep: point + precision)
    return (value.sign == .minus ? "-" : "") + layout(rounded, newPoint, fraction: precision)
  }

  static func scientific(_ value: Double, _ precision: Int) -> String {
    let (digits, point) = exactDigits(value)
    var (rounded, newPoint) = round(digits, point, keep: precision + 1)
    rounded = Array(rounded.prefix(precision + 1))
    rounded += [Int](repeating: 0, count: max(0, precision + 1 - rounded.count))
    if value == 0 { newPoint = 1 }
    return (value.sign == .minus ? "-" : "") + scientific(rounded, newPoint - 1)
  }

  private static func scientific(_ digits: [Int], _ exponent: Int) -> String {
    let tail = digits.dropFirst().map(String.init).joined()
    let magnitude = String(exponent.magnitude)
    return "\(digits[0])\(tail.isEmpty ? "" : "." + tail)e\(exponent < 0 ? "-" : "+")"
      + (magnitude.count < 2 ? "0" : "") + magnitude
  }

  /// Digits with the point after the first `point` of them (which may lie outside), `fraction` places after it.
  private static func layout(_ digits: [Int], _ point: Int, fraction: Int) -> String {
    func digit(_ index: Int) -> String { digits.indices.contains(index) ? String(digits[index]) : "0" }
    let whole = point <= 0 ? "0" : (0..<point).map(digit).joined()
    guard fraction > 0 else { return whole }
    return whole + "." + (point..<point + fraction).map(digit).joined()
  }

  /// Digits and the place of the point, out of Swift's own shortest form ("1.5e-07", "120.0").
  private static func shortestDigits(_ value: Double) -> (digits: [Int], point: Int) {
    var digits: [Int] = []
    var point: Int?
    var exponent = 0
    let text = value.magnitude.description
    let mantissa = text.prefix { $0 != "e" }
    if mantissa.count < text.count { exponent = Int(text.dropFirst(mantissa.count + 1)) ?? 0 }
    for character in mantissa {
      if let digit = character.wholeNumberValue { digits.append(digit) } else { point = digits.count }
    }
    var place = (point ?? digits.count) + exponent
    while digits.count > 1, digits.last == 0 { digits.removeLast() }
    while digits.count > 1, digits.first == 0 {
      digits.removeFirst()
      place -= 1
    }
    return (digits, place)
  }

  /// All digits of the number, exactly: significand · 2^exponent, multiplied out one factor at a time.
  private static func exactDigits(_ value: Double) -> (digits: [Int], point: Int) {
    guard value != 0 else { return ([0], 1) }
    let exponent = (value.exponentBitPattern == 0 ? 1 : Int(value.exponentBitPattern)) - 1075
    let hidden: UInt64 = value.exponentBitPattern == 0 ? 0 : 1 << 52
    // Least significant first while multiplying. A factor of 1/2 is one of 5 and one more place.
    var reversed = String(value.significandBitPattern | hidden).reversed().compactMap(\.wholeNumberValue)
    for _ in 0..<exponent.magnitude {
      var carry = 0
      for index in reversed.indices {
        let product = reversed[index] * (exponent < 0 ? 5 : 2) + carry
        reversed[index] = product % 10
        carry = product / 10
      }
      if carry > 0 { reversed.append(carry) }
    }
    return (reversed.reversed(), reversed.count + min(0, exponent))
  }

  /// The first `keep` digits, rounded half to even; `keep` may be negative.
  private static func round(_ digits: [Int], _ point: Int, keep: Int) -> (digits: [Int], point: Int) {
    guard keep < digits.count else { return (digits, point) }
    if keep < 0 { return ([0], point) }
    var kept = Array(digits[..<keep])
    let dropped = digits[keep...]
    let isHalf = dropped.first == 5 && dropped.dropFirst().allSatisfy { $0 == 0 }
    let up = isHalf ? (kept.last ?? 0) % 2 == 1 : (dropped.first ?? 0) >= 5
    guard up else { return (kept.isEmpty ? [0] : kept, kept.isEmpty ? 1 : point) }
    var index = keep - 1
    while index >= 0, kept[index] == 9 {
      kept[index] = 0
      index -= 1
    }
    if index >= 0 {
      kept[index] += 1
      return (kept, point)
    }
    return ([1] + kept, point + 1)
  }
}
