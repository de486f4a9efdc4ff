// Reading zone blobs (PolicyImage/Blobs.swift). The verifier has proved that the tables lie inside the image; what
// stands in them is believed only as numbers.

import PolicyImage

struct ZoneTable {
  private let base: UnsafeRawPointer
  private let transitions: Int
  private let kindCount: Int
  private let hasRule: Bool
  private let initial: Int

  init(_ base: UnsafeRawPointer) {
    self.base = base
    func word(_ i: Int) -> Int { Int(base.load(fromByteOffset: i &* 4, as: UInt32.self)) }
    transitions = word(0)
    kindCount = word(1)
    hasRule = word(2) == 1
    initial = word(3)
  }

  /// Seconds east of UTC at a moment.
  func offset(at seconds: Int64) -> Int64 {
    var low = 0
    var high = transitions
    // The first transition after the moment.
    while low < high {
      let middle = (low &+ high) / 2
      if transition(middle) <= seconds { low = middle &+ 1 } else { high = middle }
    }
    if hasRule, low == transitions { return ruleOffset(seconds) }
    let kinds = BlobLayout.zoneHeader &+ transitions &* 8 &+ BlobLayout.padded(kindCount &* 4)
    let kind = low == 0 ? initial : Int(base.load(fromByteOffset: kinds &+ low &- 1, as: UInt8.self))
    guard kind < kindCount else { return 0 }
    let at = BlobLayout.zoneHeader &+ transitions &* 8 &+ kind &* 4
    return Int64(base.load(fromByteOffset: at, as: Int32.self))
  }

  private func transition(_ i: Int) -> Int64 {
    base.load(fromByteOffset: BlobLayout.zoneHeader &+ i &* 8, as: Int64.self)
  }

  private func rule(_ i: Int) -> Int64 {
    let start =
      BlobLayout.zoneHeader &+ transitions &* 8 &+ BlobLayout.padded(kindCount &* 4) &+ BlobLayout.padded(transitions)
    return Int64(base.load(fromByteOffset: start &+ i &* 4, as: Int32.self))
  }

  private func ruleOffset(_ seconds: Int64) -> Int64 {
    let standard = rule(0)
    let daylight = rule(1)
    if standard == daylight { return standard }
    let year = CivilDate(days: floorDivide(seconds &+ standard, 86_400)).year
    let start = change(at: 2, year) &- standard
    let end = change(at: 7, year) &- daylight
    let isDaylight = start < end ? start <= seconds && seconds < end : start <= seconds || seconds < end
    return isDaylight ? daylight : standard
  }

  /// The local time of a change, as if it were UTC.
  private func change(at i: Int, _ year: Int64) -> Int64 {
    let day = rule(i &+ 3)
    let first = CivilDate.days(year, 1, 1)
    let date: Int64
    switch rule(i) {
    case 0: date = weekday(day, week: rule(i &+ 2), month: rule(i &+ 1), year)
    case 1: date = first &+ day &- (CivilDate.isLeap(year) && day >= 60 ? 0 : 1)
    default: date = first &+ day
    }
    return date &* 86_400 &+ rule(i &+ 4)
  }

  /// The day of the n-th such weekday of a month (the fifth: the last).
  private func weekday(_ day: Int64, week: Int64, month: Int64, _ year: Int64) -> Int64 {
    guard month >= 1, month <= 12 else { return 0 }
    let first = CivilDate.days(year, month, 1)
    let firstWeekday = (first % 7 &+ 11) % 7
    var offset = (day &- firstWeekday &+ 7) % 7 &+ (week &- 1) &* 7
    let length = CivilDate.length(year, month)
    if offset >= length { offset = offset &- 7 }
    return first &+ offset
  }
}
