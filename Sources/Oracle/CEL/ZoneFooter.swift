// The rule behind a TZif file's last transition: POSIX's TZ text ("EST5EDT,M3.2.0,M11.1.0"; RFC 8536, section 3.3),
// worked out by listing the changes of the years around a moment.

/// Offsets are seconds that local time is ahead of UTC.
struct ZoneFooter {
  private var standard: Int64 = 0
  private var daylight: (offset: Int64, start: Change, end: Change)?

  private struct Change {
    var month: Int64
    /// 1...5; 5 is the month's last.
    var week: Int64
    /// 0 is Sunday.
    var day: Int64
    /// Seconds after local midnight; may lie outside the day.
    var time: Int64
  }

  /// nil when the text is none of the forms that the zone database uses.
  init?(_ text: Substring) {
    let parts = text.split(separator: ",", omittingEmptySubsequences: false)
    guard let zones = parts.first?.wholeMatch(of: Self.zones), let west = Self.seconds(zones.2) else { return nil }
    standard = -west
    guard zones.3 != nil else {
      if parts.count > 1 { return nil }
      return
    }
    var offset = standard + 3600
    if let stated = zones.4, !stated.isEmpty {
      guard let west = Self.seconds(stated) else { return nil }
      offset = -west
    }
    guard parts.count == 3, let start = Self.change(parts[1]), let end = Self.change(parts[2]) else { return nil }
    daylight = (offset, start, end)
  }

  nonisolated(unsafe) private static let zones =
    /(<[^>]+>|[A-Za-z]+)([+-]?\d+(?::\d+){0,2})(<[^>]+>|[A-Za-z]+)?([+-]?\d+(?::\d+){0,2})?/

  private static func seconds(_ text: Substring) -> Int64? {
    let isNegative = text.hasPrefix("-")
    let numbers = text.drop { $0 == "-" || $0 == "+" }.split(separator: ":").compactMap { Int64($0) }
    guard let hours = numbers.first, hours <= 167 else { return nil }
    let total = hours * 3600 + (numbers.count > 1 ? numbers[1] * 60 : 0) + (numbers.count > 2 ? numbers[2] : 0)
    return isNegative ? -total : total
  }

  private static func change(_ text: Substring) -> Change? {
    guard let match = text.wholeMatch(of: /M(\d+)\.(\d)\.(\d)(?:\/([+-]?\d+(?::\d+){0,2}))?/),
      let month = Int64(match.1),
      let week = Int64(match.2), let day = Int64(match.3), (1...12).contains(month), (1...5).contains(week), day <= 6
    else { return nil }
    guard let stated = match.4 else { return Change(month: month, week: week, day: day, time: 7200) }
    guard let time = seconds(stated) else { return nil }
    return Change(month: month, week: week, day: day, time: time)
  }

  /// Local seconds since 1970 at which `change` happens in `year`.
  private func moment(_ change: Change, _ year: Int64) -> Int64 {
    var first = Times.days(to: year)
    for month in 1..<change.month { first += Times.days(inMonth: month, of: year) }
    let length = Times.days(inMonth: change.month, of: year)
    // 1970-01-01 was a Thursday.
    let matching = (0..<length).filter { ((first + $0 + 4) % 7 + 7) % 7 == change.day }
    let chosen = change.week == 5 ? matching[matching.count - 1] : matching[Int(change.week) - 1]
    return (first + chosen) * 86_400 + change.time
  }

  func offset(at seconds: Int64) -> Int64 {
    guard let daylight else { return standard }
    let year = Times.parts(seconds + standard).year
    var latest: (moment: Int64, offset: Int64)?
    for year in year - 1...year + 1 {
      let changes = [
        (moment(daylight.start, year) - standard, daylight.offset),
        (moment(daylight.end, year) - daylight.offset, standard),
      ]
      for change in changes where change.0 <= seconds && change.0 > latest?.moment ?? .min { latest = change }
    }
    return latest?.offset ?? standard
  }
}
