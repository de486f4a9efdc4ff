// Timestamps and durations as text (RFC 3339; Go's durations), and the parts of a timestamp in a zone.

import PolicyImage

/// A date of the proleptic Gregorian calendar.
struct CivilDate {
  var year: Int64
  var month: Int64
  var day: Int64

  /// Of a day counted from 1970-01-01. (Years start in March inside, so that the leap day is a year's last.)
  init(days: Int64) {
    let shifted = days &+ 719_468
    let era = (shifted >= 0 ? shifted : shifted &- 146_096) / 146_097
    let dayOfEra = shifted &- era &* 146_097
    let yearOfEra = (dayOfEra &- dayOfEra / 1460 &+ dayOfEra / 36_524 &- dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra &- (365 &* yearOfEra &+ yearOfEra / 4 &- yearOfEra / 100)
    let shiftedMonth = (5 &* dayOfYear &+ 2) / 153
    day = dayOfYear &- (153 &* shiftedMonth &+ 2) / 5 &+ 1
    month = shiftedMonth < 10 ? shiftedMonth &+ 3 : shiftedMonth &- 9
    year = yearOfEra &+ era &* 400 &+ (month <= 2 ? 1 : 0)
  }

  static func days(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
    let y = month <= 2 ? year &- 1 : year
    let era = (y >= 0 ? y : y &- 399) / 400
    let yearOfEra = y &- era &* 400
    let dayOfYear = (153 &* (month > 2 ? month &- 3 : month &+ 9) &+ 2) / 5 &+ day &- 1
    let dayOfEra = yearOfEra &* 365 &+ yearOfEra / 4 &- yearOfEra / 100 &+ dayOfYear
    return era &* 146_097 &+ dayOfEra &- 719_468
  }

  static func isLeap(_ year: Int64) -> Bool { year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) }

  static func length(_ year: Int64, _ month: Int64) -> Int64 {
    switch month {
    case 2: isLeap(year) ? 29 : 28
    case 4, 6, 9, 11: 30
    default: 31
    }
  }
}

/// Division that rounds down.
@inline(__always)
func floorDivide(_ a: Int64, _ b: Int64) -> Int64 {
  let q = a / b
  return a % b < 0 ? q &- 1 : q
}

/// A reader of ASCII text.
private struct TextReader {
  let text: Value
  var position = 0

  init(_ text: Value) { self.text = text }
  var isAtEnd: Bool { position >= text.count }
  var next: UInt8 { position < text.count ? text.byte(position) : 0 }

  mutating func take(_ c: UInt8) -> Bool {
    guard next == c, !isAtEnd else { return false }
    position &+= 1
    return true
  }

  /// Exactly `count` digits.
  mutating func digits(_ count: Int) -> Int64? {
    var n: Int64 = 0
    var i = 0
    while i < count {
      guard next >= 48, next <= 57 else { return nil }
      n = n &* 10 &+ Int64(next &- 48)
      position &+= 1
      i &+= 1
    }
    return n
  }

  /// A fraction's digits as billionths; further digits are cut off. nil for no digit.
  mutating func billionths() -> Int64? {
    var n: Int64 = 0
    var scale: Int64 = 100_000_000
    let start = position
    while next >= 48, next <= 57 {
      n = n &+ Int64(next &- 48) &* scale
      scale /= 10
      position &+= 1
    }
    return position > start ? n : nil
  }
}

/// An RFC 3339 text as the evaluator's `timestamp()` reads it; nil when it is none, or out of years 1 to 9999.
public func parseTimestamp(_ text: UnsafeRawBufferPointer) -> (seconds: Int64, nanoseconds: Int32)? {
  let value = Evaluator.parseTimestamp(.string(text))
  return value.kind == .timestamp ? (value.asInt, value.nanoseconds) : nil
}

/// A text such as "1h30m" or "-1.5s" as the evaluator's `duration()` reads it; nil when it is none, or too long.
public func parseDuration(_ text: UnsafeRawBufferPointer) -> (seconds: Int64, nanoseconds: Int32)? {
  let value = Evaluator.parseDuration(.string(text))
  return value.kind == .duration ? (value.asInt, value.nanoseconds) : nil
}

extension Evaluator {
  // MARK: Text

  static func parseTimestamp(_ s: Value) -> Value {
    var r = TextReader(s)
    guard let year = r.digits(4), r.take(45), let month = r.digits(2), r.take(45), let day = r.digits(2), r.take(84),
      let hour = r.digits(2), r.take(58), let minute = r.digits(2), r.take(58), let second = r.digits(2)
    else { return .failure(.badConversion) }
    var nanoseconds: Int64 = 0
    if r.take(46) {
      guard let fraction = r.billionths() else { return .failure(.badConversion) }
      nanoseconds = fraction
    }
    guard month >= 1, month <= 12, day >= 1, day <= CivilDate.length(year, month), hour <= 23, minute <= 59,
      second <= 59, let offset = Self.offset(&r), r.isAtEnd
    else { return .failure(.badConversion) }
    let seconds = CivilDate.days(year, month, day) &* 86_400 &+ hour &* 3600 &+ minute &* 60 &+ second &- offset
    return Self.timestamp(seconds, nanoseconds)
  }

  /// `Z` or `±hh:mm`, in seconds.
  private static func offset(_ r: inout TextReader) -> Int64? {
    if r.take(90) { return 0 }
    let isNegative = r.next == 45
    guard r.take(43) || r.take(45), let hours = r.digits(2), r.take(58), let minutes = r.digits(2), hours <= 23,
      minutes <= 59
    else { return nil }
    let seconds = hours &* 3600 &+ minutes &* 60
    return isNegative ? 0 &- seconds : seconds
  }

  /// Signed numbers with units, such as -1h30m or 1.5ms.
  static func parseDuration(_ s: Value) -> Value {
    var r = TextReader(s)
    let isNegative = r.next == 45
    if !r.take(45) { _ = r.take(43) }
    if r.next == 48, r.position &+ 1 == s.count { return .duration(seconds: 0, nanoseconds: 0) }
    guard !r.isAtEnd else { return .failure(.badConversion) }
    var total: UInt64 = 0
    while !r.isAtEnd {
      guard let part = Self.durationPart(&r) else { return .failure(.badConversion) }
      let sum = total.addingReportingOverflow(part)
      if sum.overflow || sum.partialValue > 1 << 63 { return .failure(.outOfRange) }
      total = sum.partialValue
    }
    if !isNegative && total > UInt64(Int64.max) { return .failure(.outOfRange) }
    let nanoseconds = Int64(truncatingIfNeeded: isNegative ? 0 &- total : total)
    return Self.duration(nanoseconds / 1_000_000_000, nanoseconds % 1_000_000_000)
  }

  /// Nanoseconds of one number with its unit; the largest when it is more. nil when malformed.
  private static func durationPart(_ r: inout TextReader) -> UInt64? {
    let start = r.position
    var whole: UInt64 = 0
    var isHuge = false
    while r.next >= 48, r.next <= 57 {
      let product = whole.multipliedReportingOverflow(by: 10)
      let sum = product.partialValue.addingReportingOverflow(UInt64(r.next &- 48))
      isHuge = isHuge || product.overflow || sum.overflow
      whole = sum.partialValue
      r.position &+= 1
    }
    let wholeEnd = r.position
    var fractionEnd = wholeEnd
    if r.take(46) {
      while r.next >= 48, r.next <= 57 { r.position &+= 1 }
      fractionEnd = r.position
    }
    guard wholeEnd > start || fractionEnd > wholeEnd &+ 1, let unit = unit(&r) else { return nil }
    let product = whole.multipliedReportingOverflow(by: unit)
    // The fraction times the unit, rounded down: from the last digit, so that nothing is lost and nothing overflows.
    var part: UInt64 = 0
    var i = fractionEnd &- 1
    while i > wholeEnd {
      part = (UInt64(r.text.byte(i) &- 48) &* unit &+ part) / 10
      i &-= 1
    }
    let sum = product.partialValue.addingReportingOverflow(part)
    return isHuge || product.overflow || sum.overflow ? .max : sum.partialValue
  }

  /// Nanoseconds of a unit: ns, us, µs (two code points), ms, s, m, h.
  private static func unit(_ r: inout TextReader) -> UInt64? {
    if r.take(110) { return r.take(115) ? 1 : nil }
    if r.take(117) { return r.take(115) ? 1000 : nil }
    if r.take(0xC2) { return r.take(0xB5) && r.take(115) ? 1000 : nil }
    if r.take(0xCE) { return r.take(0xBC) && r.take(115) ? 1000 : nil }
    if r.take(109) { return r.take(115) ? 1_000_000 : 60_000_000_000 }
    if r.take(115) { return 1_000_000_000 }
    return r.take(104) ? 3_600_000_000_000 : nil
  }

  mutating func put(timestamp t: Value, _ w: inout TextWriter) {
    let days = floorDivide(t.asInt, 86_400)
    let second = t.asInt &- days &* 86_400
    let date = CivilDate(days: days)
    put(UInt64(truncatingIfNeeded: date.year), width: 4, &w)
    put(UInt8(45), &w)
    put(UInt64(truncatingIfNeeded: date.month), width: 2, &w)
    put(UInt8(45), &w)
    put(UInt64(truncatingIfNeeded: date.day), width: 2, &w)
    put(UInt8(84), &w)
    put(UInt64(truncatingIfNeeded: second / 3600), width: 2, &w)
    put(UInt8(58), &w)
    put(UInt64(truncatingIfNeeded: second / 60 % 60), width: 2, &w)
    put(UInt8(58), &w)
    put(UInt64(truncatingIfNeeded: second % 60), width: 2, &w)
    put(nanoseconds: UInt64(truncatingIfNeeded: Int64(t.nanoseconds)), &w)
    put(UInt8(90), &w)
  }

  /// Seconds with a fraction, and `s`.
  mutating func put(duration d: Value, _ w: inout TextWriter) {
    if d.asInt < 0 || d.nanoseconds < 0 { put(UInt8(45), &w) }
    put(d.asInt.magnitude, &w)
    put(nanoseconds: UInt64(d.nanoseconds.magnitude), &w)
    put(UInt8(115), &w)
  }

  /// A fraction without its last zeros; nothing for 0.
  private mutating func put(nanoseconds: UInt64, _ w: inout TextWriter) {
    guard nanoseconds > 0 else { return }
    var rest = nanoseconds
    var width = 9
    while rest % 10 == 0 {
      rest /= 10
      width &-= 1
    }
    put(UInt8(46), &w)
    put(rest, width: width, &w)
  }

  // MARK: Parts

  /// An accessor of a timestamp or duration. `zone` is a zone blob's offset or none.
  mutating func part(_ function: CELFunction, _ a: Value, zone: UInt32) -> Value {
    if a.kind == .duration {
      return zone == ImageFormat.none ? Self.part(function, ofDuration: a) : .failure(.noSuchOverload)
    }
    guard a.kind == .timestamp else { return .failure(.noSuchOverload) }
    guard zone != ImageFormat.none else { return Self.part(function, a, offset: 0) }
    guard pay(32) else { return .failure(.costLimit) }
    let table = ZoneTable(image.blobs + Int(zone))
    return Self.part(function, a, offset: table.offset(at: a.asInt))
  }

  /// The same with a zone that is only known now: UTC or an offset.
  mutating func zonedPart(_ function: CELFunction, _ a: Value, _ zone: Value) -> Value {
    guard a.kind == .timestamp, zone.kind == .string else { return .failure(.noSuchOverload) }
    guard let offset = Self.fixedOffset(zone) else { return .failure(.unknownZone) }
    // The zoned forms stand in the order of the others.
    let plain = function.rawValue &- CELFunction.getFullYearZoned.rawValue &+ CELFunction.getFullYear.rawValue
    return Self.part(CELFunction(rawValue: plain) ?? .getFullYear, a, offset: offset)
  }

  /// Seconds of "UTC", "" or [+-]hh:mm.
  private static func fixedOffset(_ zone: Value) -> Int64? {
    if zone.count == 0 || zone == "UTC" { return 0 }
    var r = TextReader(zone)
    let isNegative = r.next == 45
    if !r.take(45) { _ = r.take(43) }
    guard let hours = r.digits(2), r.take(58), let minutes = r.digits(2), r.isAtEnd, hours <= 23, minutes <= 59 else {
      return nil
    }
    let seconds = hours &* 3600 &+ minutes &* 60
    return isNegative ? 0 &- seconds : seconds
  }

  private static func part(_ function: CELFunction, ofDuration d: Value) -> Value {
    switch function {
    case .getHours: .int(d.asInt / 3600)
    case .getMinutes: .int(d.asInt / 60)
    case .getSeconds: .int(d.asInt)
    case .getMilliseconds: .int(Int64(d.nanoseconds) / 1_000_000)
    default: .failure(.noSuchOverload)
    }
  }

  private static func part(_ function: CELFunction, _ t: Value, offset: Int64) -> Value {
    let local = t.asInt &+ offset
    let days = floorDivide(local, 86_400)
    let second = local &- days &* 86_400
    switch function {
    case .getHours: return .int(second / 3600)
    case .getMinutes: return .int(second / 60 % 60)
    case .getSeconds: return .int(second % 60)
    case .getMilliseconds: return .int(Int64(t.nanoseconds) / 1_000_000)
    case .getDayOfWeek: return .int((days % 7 &+ 11) % 7)
    default: break
    }
    let date = CivilDate(days: days)
    switch function {
    case .getFullYear: return .int(date.year)
    case .getMonth: return .int(date.month &- 1)
    case .getDayOfMonth: return .int(date.day &- 1)
    case .getDate: return .int(date.day)
    default: return .int(days &- CivilDate.days(date.year, 1, 1))
    }
  }
}
