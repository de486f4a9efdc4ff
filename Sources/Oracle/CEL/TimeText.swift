// Text -> timestamp (RFC 3339) and text -> duration (sequences such as "1h45m", "-1.5s").

extension Times {
  static func timestamp(_ text: [Unicode.Scalar]) throws(OracleFailure) -> OracleValue {
    var reader = TimeReader(rest: text[...])
    let year = try reader.number(4)
    try reader.expect("-")
    let month = try reader.number(2)
    try reader.expect("-")
    let day = try reader.number(2)
    guard reader.take("T") || reader.take("t") else { throw .badConversion }
    let hour = try reader.number(2)
    try reader.expect(":")
    let minute = try reader.number(2)
    try reader.expect(":")
    let seconds = try reader.number(2)
    let nanoseconds = reader.take(".") ? try reader.fraction() : 0
    let offset = try reader.offset()
    guard reader.rest.isEmpty, (1...12).contains(month), day >= 1, day <= days(inMonth: month, of: year),
      hour < 24, minute < 60, seconds < 60
    else { throw .badConversion }
    var elapsed = days(to: year) + day - 1
    for earlier in 1..<month { elapsed += days(inMonth: earlier, of: year) }
    let total = elapsed * 86_400 + hour * 3600 + minute * 60 + seconds - offset
    return try checked(seconds: total, nanoseconds: nanoseconds)
  }

  static func duration(_ text: [Unicode.Scalar]) throws(OracleFailure) -> Int64 {
    var reader = TimeReader(rest: text[...])
    let isNegative = reader.take("-")
    if !isNegative { _ = reader.take("+") }
    if reader.rest.elementsEqual(["0"]) { return 0 }
    guard !reader.rest.isEmpty else { throw .badConversion }
    var total: Int128 = 0
    while !reader.rest.isEmpty { total += try reader.quantity() }
    guard let result = Int64(exactly: isNegative ? -total : total) else { throw .outOfRange }
    return result
  }
}

private struct TimeReader {
  var rest: ArraySlice<Unicode.Scalar>

  mutating func take(_ scalar: Unicode.Scalar) -> Bool {
    guard rest.first == scalar else { return false }
    rest.removeFirst()
    return true
  }

  mutating func expect(_ scalar: Unicode.Scalar) throws(OracleFailure) {
    guard take(scalar) else { throw .badConversion }
  }

  mutating func digit() -> Int64? {
    guard let first = rest.first, ("0"..."9").contains(first) else { return nil }
    rest.removeFirst()
    return Int64(first.value) - 48
  }

  mutating func number(_ width: Int) throws(OracleFailure) -> Int64 {
    var result: Int64 = 0
    for _ in 0..<width {
      guard let digit = digit() else { throw .badConversion }
      result = result * 10 + digit
    }
    return result
  }

  /// Nanoseconds; digits beyond the ninth are dropped.
  mutating func fraction() throws(OracleFailure) -> Int64 {
    var result: Int64 = 0
    var weight: Int64 = 100_000_000
    guard let first = digit() else { throw .badConversion }
    result = first * weight
    while let next = digit() {
      weight /= 10
      result += next * weight
    }
    return result
  }

  mutating func offset() throws(OracleFailure) -> Int64 {
    if take("Z") || take("z") { return 0 }
    let isNegative = take("-")
    if !isNegative { try expect("+") }
    let hours = try number(2)
    try expect(":")
    let minutes = try number(2)
    guard hours < 24, minutes < 60 else { throw .badConversion }
    return (hours * 60 + minutes) * (isNegative ? -60 : 60)
  }

  /// "1.5h", in nanoseconds.
  mutating func quantity() throws(OracleFailure) -> Int128 {
    var whole: Int128 = 0
    var digits = 0
    while let next = digit() {
      whole = whole * 10 + Int128(next)
      digits += 1
      if whole > 1 << 64 { throw .outOfRange }
    }
    var numerator: Int128 = 0
    var denominator: Int128 = 1
    if take(".") {
      while let next = digit() {
        digits += 1
        guard denominator < 1_000_000_000_000_000_000 else { continue }
        numerator = numerator * 10 + Int128(next)
        denominator *= 10
      }
    }
    guard digits > 0 else { throw .badConversion }
    let unit = try unit()
    return whole * unit + numerator * unit / denominator
  }

  private mutating func unit() throws(OracleFailure) -> Int128 {
    if take("h") { return 3_600_000_000_000 }
    if take("s") { return 1_000_000_000 }
    if take("m") { return take("s") ? 1_000_000 : 60_000_000_000 }
    if take("n"), take("s") { return 1 }
    if take("u") || take("µ") || take("μ"), take("s") { return 1000 }
    throw .badConversion
  }
}
