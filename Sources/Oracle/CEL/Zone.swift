// A time zone's offset from UTC. Fixed offsets ("+02:00", "02:00", "-09:30") and UTC.

enum Zone {
  /// Seconds that local time in `zone` is ahead of UTC at `seconds` since 1970.
  static func offset(of zone: String, at seconds: Int64) throws(OracleFailure) -> Int64 {
    if zone == "UTC" || zone == "Z" || zone.isEmpty { return 0 }
    if let fixed = fixed(zone) { return fixed }
    throw .zone(zone)
  }

  private static func fixed(_ zone: String) -> Int64? {
    let isNegative = zone.hasPrefix("-")
    let parts = zone.drop { $0 == "-" || $0 == "+" }.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count == 2, parts.allSatisfy({ $0.utf8.count == 2 }), let hours = Int64(parts[0]),
      let minutes = Int64(parts[1]), hours >= 0, hours < 24, minutes >= 0, minutes < 60
    else { return nil }
    return (hours * 60 + minutes) * (isNegative ? -60 : 60)
  }
}
