// Texts for points and lengths of time -> numbers: RFC 3339 timestamps and CEL's durations ("1h30m", "1.5s").

/// Seconds and nanoseconds since 1970 (0..<10^9 of them), or for a length of time both with its sign.
public struct Instant: Hashable, Sendable {
  public var seconds: Int64
  public var nanoseconds: Int32

  /// 0001-01-01T00:00:00Z and the last second of 9999: what a timestamp of CEL's can hold.
  static let range: ClosedRange<Int64> = -62_135_596_800...253_402_300_799
  /// A duration of protobuf's: about 10,000 years.
  static let durationRange: ClosedRange<Int64> = -315_576_000_000...315_576_000_000

  public init(seconds: Int64, nanoseconds: Int32 = 0) {
    self.seconds = seconds
    self.nanoseconds = nanoseconds
  }

  /// RFC 3339 with `Z` or an offset; a fraction of up to nine digits.
  public init?(timestamp text: String) {
    let pattern =
      /(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?:[Zz]|([+-])(\d\d):(\d\d))/
    guard text.utf8.count <= 40, let match = text.wholeMatch(of: pattern.asciiOnlyDigits()),
      let year = Int64(match.1), let month = Int64(match.2), let day = Int64(match.3), let hour = Int64(match.4),
      let minute = Int64(match.5), let second = Int64(match.6), (1...12).contains(month), day >= 1,
      day <= Instant.days(in: month, of: year), hour < 24, minute < 60, second < 60
    else { return nil }
    var offset: Int64 = 0
    if let sign = match.8, let hours = match.9.flatMap({ Int64($0) }), let minutes = match.10.flatMap({ Int64($0) }) {
      guard hours < 24, minutes < 60 else { return nil }
      offset = (hours * 60 + minutes) * (sign == "-" ? -60 : 60)
    }
    seconds = Instant.daysSince1970(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second - offset
    nanoseconds = match.7.map { Instant.nanoseconds(ofFraction: $0) } ?? 0
    guard Instant.range.contains(seconds) else { return nil }
  }

  /// Decimal numbers, each with h, m, s, ms, us or ns, the whole with an optional sign: "-1.5h", "1m30s"; or "0".
  public init?(duration text: String) {
    var rest = text[...]
    let isNegative = rest.first == "-"
    if isNegative || rest.first == "+" { rest = rest.dropFirst() }
    guard !rest.isEmpty, text.utf8.count <= 64 else { return nil }
    var total: Int128 = 0
    if rest == "0" { rest = "" }
    while !rest.isEmpty {
      guard let part = rest.prefixMatch(of: /(\d+)(?:\.(\d{1,9}))?(h|ms|m|s|us|µs|ns)/.asciiOnlyDigits()),
        let whole = Int64(part.1)
      else { return nil }
      let unit: Int128 =
        switch part.3 {
        case "h": 3_600_000_000_000
        case "m": 60_000_000_000
        case "s": 1_000_000_000
        case "ms": 1_000_000
        case "ns": 1
        default: 1000
        }
      let fraction = Int128(part.2.map { Instant.nanoseconds(ofFraction: $0) } ?? 0)
      total += Int128(whole) * unit + fraction * unit / 1_000_000_000
      rest = rest[part.range.upperBound...]
    }
    if isNegative { total = -total }
    guard let seconds = Int64(exactly: total / 1_000_000_000), Instant.durationRange.contains(seconds) else {
      return nil
    }
    self.seconds = seconds
    nanoseconds = Int32(truncatingIfNeeded: total % 1_000_000_000)
  }

  private static func nanoseconds(ofFraction digits: Substring) -> Int32 {
    Int32(digits + String(repeating: "0", count: 9 - digits.count)) ?? 0
  }

  private static func days(in month: Int64, of year: Int64) -> Int64 {
    switch month {
    case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
    case 4, 6, 9, 11: 30
    default: 31
    }
  }

  /// Days from 1970-01-01, counting years from March so that the leap day comes last.
  private static func daysSince1970(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
    let shifted = month > 2 ? year : year - 1
    let era = (shifted >= 0 ? shifted : shifted - 399) / 400
    let yearOfEra = shifted - era * 400
    let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
    return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
  }
}
