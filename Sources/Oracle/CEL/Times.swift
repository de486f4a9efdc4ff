// Timestamps and durations: reading, writing, adding, and their parts in a zone. The calendar is the proleptic
// Gregorian one; days are counted one year and one month at a time.

enum Times {
  static let second: Int64 = 1_000_000_000
  /// 0001-01-01T00:00:00Z and 9999-12-31T23:59:59Z.
  static let earliest: Int64 = -62_135_596_800
  static let latest: Int64 = 253_402_300_799

  static func checked(seconds: Int64, nanoseconds: Int64) throws(OracleFailure) -> OracleValue {
    guard seconds >= earliest, seconds <= latest else { throw .outOfRange }
    return .timestamp(seconds: seconds, nanoseconds: nanoseconds)
  }

  // MARK: Arithmetic

  static func arithmetic(
    _ name: String, _ left: OracleValue, _ right: OracleValue
  ) throws(OracleFailure) -> OracleValue? {
    switch (name, left, right) {
    case ("_+_", .timestamp(let s, let n), .duration(let d)), ("_+_", .duration(let d), .timestamp(let s, let n)):
      return try moment(total(s, n) + Int128(d))
    case ("_-_", .timestamp(let s, let n), .duration(let d)): return try moment(total(s, n) - Int128(d))
    case ("_-_", .timestamp(let s, let n), .timestamp(let t, let m)):
      return try span(total(s, n) - total(t, m))
    case ("_+_", .duration(let a), .duration(let b)): return try span(Int128(a) + Int128(b))
    case ("_-_", .duration(let a), .duration(let b)): return try span(Int128(a) - Int128(b))
    default: return nil
    }
  }

  private static func total(_ seconds: Int64, _ nanoseconds: Int64) -> Int128 {
    Int128(seconds) * Int128(second) + Int128(nanoseconds)
  }

  private static func moment(_ total: Int128) throws(OracleFailure) -> OracleValue {
    var nanoseconds = total % Int128(second)
    if nanoseconds < 0 { nanoseconds += Int128(second) }
    guard let seconds = Int64(exactly: (total - nanoseconds) / Int128(second)) else { throw .outOfRange }
    return try checked(seconds: seconds, nanoseconds: Int64(nanoseconds))
  }

  private static func span(_ total: Int128) throws(OracleFailure) -> OracleValue {
    guard let nanoseconds = Int64(exactly: total) else { throw .outOfRange }
    return .duration(nanoseconds)
  }

  // MARK: Calendar

  static func isLeap(_ year: Int64) -> Bool { year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) }

  static func days(inMonth month: Int64, of year: Int64) -> Int64 {
    switch month {
    case 2: isLeap(year) ? 29 : 28
    case 4, 6, 9, 11: 30
    default: 31
    }
  }

  /// Days from 1970-01-01 to the first day of `year`.
  static func days(to year: Int64) -> Int64 {
    let before = year - 1
    return before * 365 + before / 4 - before / 100 + before / 400 - 719_162
  }

  struct Parts {
    var year: Int64, month: Int64, day: Int64, dayOfYear: Int64, weekday: Int64
    var hour: Int64, minute: Int64, second: Int64
  }

  /// The calendar fields of a local time in seconds; month, day and dayOfYear count from 1, Sunday is 0.
  static func parts(_ local: Int64) -> Parts {
    var secondOfDay = local % 86_400
    if secondOfDay < 0 { secondOfDay += 86_400 }
    let day = (local - secondOfDay) / 86_400
    var year: Int64 = 1970 + day / 366
    if day < 0 { year -= 1 }
    while days(to: year + 1) <= day { year += 1 }
    while days(to: year) > day { year -= 1 }
    let dayOfYear = day - days(to: year)
    var month: Int64 = 1
    var rest = dayOfYear
    while rest >= days(inMonth: month, of: year) {
      rest -= days(inMonth: month, of: year)
      month += 1
    }
    // 1970-01-01 was a Thursday.
    var weekday = (day + 4) % 7
    if weekday < 0 { weekday += 7 }
    return Parts(
      year: year, month: month, day: rest + 1, dayOfYear: dayOfYear + 1, weekday: weekday,
      hour: secondOfDay / 3600, minute: secondOfDay / 60 % 60, second: secondOfDay % 60)
  }

  // MARK: Functions

  static func apply(_ name: String, _ values: [OracleValue]) throws(OracleFailure) -> OracleValue? {
    guard name.hasPrefix("get"), let first = values.first else { return nil }
    switch (first, values.count) {
    case (.duration(let nanoseconds), 1): return try part(name, ofDuration: nanoseconds)
    case (.timestamp(let seconds, let nanoseconds), 1):
      return try part(name, parts(seconds), nanoseconds)
    case (.timestamp(let seconds, let nanoseconds), 2):
      guard case .string(let zone) = values[1] else { throw .noSuchOverload(name) }
      let offset = try Zone.offset(of: Conversions.plain(zone), at: seconds)
      return try part(name, parts(seconds + offset), nanoseconds)
    default: throw .noSuchOverload(name)
    }
  }

  private static func part(_ name: String, _ parts: Parts, _ nanoseconds: Int64) throws(OracleFailure) -> OracleValue {
    switch name {
    case "getFullYear": .int(parts.year)
    case "getMonth": .int(parts.month - 1)
    case "getDayOfYear": .int(parts.dayOfYear - 1)
    case "getDayOfMonth": .int(parts.day - 1)
    case "getDate": .int(parts.day)
    case "getDayOfWeek": .int(parts.weekday)
    case "getHours": .int(parts.hour)
    case "getMinutes": .int(parts.minute)
    case "getSeconds": .int(parts.second)
    case "getMilliseconds": .int(nanoseconds / 1_000_000)
    default: throw .noSuchOverload(name)
    }
  }

  private static func part(_ name: String, ofDuration nanoseconds: Int64) throws(OracleFailure) -> OracleValue {
    switch name {
    case "getHours": .int(nanoseconds / second / 3600)
    case "getMinutes": .int(nanoseconds / second / 60)
    case "getSeconds": .int(nanoseconds / second)
    // The millisecond part only, as cel-spec's conformance rows ask.
    case "getMilliseconds": .int(nanoseconds / 1_000_000 % 1000)
    default: throw .noSuchOverload(name)
    }
  }

  // MARK: Text

  static func text(seconds: Int64, nanoseconds: Int64) -> String {
    let it = parts(seconds)
    return "\(padded(it.year, 4))-\(padded(it.month, 2))-\(padded(it.day, 2))"
      + "T\(padded(it.hour, 2)):\(padded(it.minute, 2)):\(padded(it.second, 2))\(fraction(nanoseconds))Z"
  }

  static func text(duration nanoseconds: Int64) -> String {
    let magnitude = nanoseconds.magnitude
    let whole = magnitude / UInt64(second)
    return "\(nanoseconds < 0 ? "-" : "")\(whole)\(fraction(Int64(magnitude % UInt64(second))))s"
  }

  private static func padded(_ number: Int64, _ width: Int) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(0, width - digits.count)) + digits
  }

  /// ".5" for half a second; no trailing zeros; nothing for zero.
  private static func fraction(_ nanoseconds: Int64) -> String {
    if nanoseconds == 0 { return "" }
    var digits = padded(nanoseconds, 9)
    while digits.last == "0" { digits.removeLast() }
    return "." + digits
  }
}
