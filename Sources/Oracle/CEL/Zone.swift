// A time zone's offset from UTC: fixed ones ("+02:00", "02:00", "-09:30"), UTC, and names of the host's time zone
// database, read afresh each time (RFC 8536).

internal import Glibc

enum Zone {
  private static let folder = "/usr/share/zoneinfo/"
  private static let largestFile = 1 << 20

  /// Seconds that local time in `zone` is ahead of UTC at `seconds` since 1970.
  static func offset(of zone: String, at seconds: Int64) throws(OracleFailure) -> Int64 {
    if zone == "UTC" || zone.isEmpty { return 0 }
    if let fixed = fixed(zone) { return fixed }
    let isName = zone.unicodeScalars.allSatisfy {
      $0.properties.isAlphabetic || "0123456789_+-/".unicodeScalars.contains($0)
    }
    guard isName, !zone.hasPrefix("/"), var data = read(folder + zone), let offset = data.offset(at: seconds) else {
      throw .zone(zone)
    }
    return offset
  }

  private static func fixed(_ zone: String) -> Int64? {
    let isNegative = zone.hasPrefix("-")
    let parts = zone.drop { $0 == "-" || $0 == "+" }.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count == 2, parts.allSatisfy({ $0.utf8.count == 2 }), let hours = Int64(parts[0]),
      let minutes = Int64(parts[1]), hours >= 0, hours < 24, minutes >= 0, minutes < 60
    else { return nil }
    return (hours * 60 + minutes) * (isNegative ? -60 : 60)
  }

  private static func read(_ path: String) -> ZoneFile? {
    guard let file = fopen(path, "rb") else { return nil }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 4096)
    while bytes.count < largestFile {
      let count = fread(&buffer, 1, buffer.count, file)
      if count == 0 { break }
      bytes += buffer[..<count]
    }
    return ZoneFile(rest: bytes[...])
  }
}

/// The bytes of a TZif file not read yet. Every read is nil at the end.
private struct ZoneFile {
  var rest: ArraySlice<UInt8>

  mutating func skip(_ count: Int) -> Bool {
    guard rest.count >= count else { return false }
    rest = rest.dropFirst(count)
    return true
  }

  mutating func number(_ width: Int) -> Int64? {
    guard rest.count >= width else { return nil }
    var result: Int64 = (rest.first ?? 0) & 0x80 == 0 ? 0 : -1
    for byte in rest.prefix(width) { result = result << 8 | Int64(byte) }
    rest = rest.dropFirst(width)
    return result
  }

  private struct Header {
    var version: UInt8
    /// isutcnt, isstdcnt, leapcnt, timecnt, typecnt, charcnt.
    var counts: [Int]
    func size(of time: Int) -> Int {
      counts[3] * (time + 1) + counts[4] * 6 + counts[5] + counts[2] * (time + 4) + counts[1] + counts[0]
    }
  }

  private mutating func header() -> Header? {
    guard rest.starts(with: "TZif".utf8), let version = rest.dropFirst(4).first, skip(20) else { return nil }
    var counts: [Int] = []
    for _ in 0..<6 {
      guard let count = number(4), count >= 0, count <= 1 << 20 else { return nil }
      counts.append(Int(count))
    }
    return Header(version: version, counts: counts)
  }

  /// The second, 64-bit block of versions 2 and above.
  mutating func offset(at seconds: Int64) -> Int64? {
    guard let first = header(), first.version >= UInt8(ascii: "2"), skip(first.size(of: 4)), let header = header()
    else {
      return nil
    }
    var times: [Int64] = []
    var kinds: [Int] = []
    var offsets: [Int64] = []
    for _ in 0..<header.counts[3] { times.append(number(8) ?? 0) }
    for _ in 0..<header.counts[3] { kinds.append(Int(number(1) ?? -1) & 0xFF) }
    for _ in 0..<header.counts[4] {
      offsets.append(number(4) ?? 0)
      guard skip(2) else { return nil }
    }
    let rest = header.counts[5] + header.counts[2] * 12 + header.counts[1] + header.counts[0]
    guard skip(rest) else { return nil }
    if seconds >= times.last ?? .min, let text = footer {
      return ZoneFooter(text)?.offset(at: seconds)
    }
    let kind = times.lastIndex { $0 <= seconds }.map { kinds[$0] } ?? 0
    return offsets.indices.contains(kind) ? offsets[kind] : nil
  }

  /// The text between the last two line ends; nil when there is none.
  private var footer: Substring? {
    let lines = String(decoding: rest, as: UTF8.self).split(separator: "\n")
    return lines.first
  }
}
