// Sets of Unicode scalars as sorted ranges, and the Unicode data that patterns need, decoded from UnicodeTables.swift.

/// Sorted, disjoint, non-adjacent ranges of Unicode scalars; never a surrogate.
struct ScalarSet: Equatable {
  private(set) var ranges: [ClosedRange<UInt32>]

  private static let last: UInt32 = 0x10FFFF
  private static let surrogates: ClosedRange<UInt32> = 0xD800...0xDFFF

  static let empty = ScalarSet([])
  static let all = ScalarSet([0...last])

  /// Any ranges, in any order.
  init(_ ranges: [ClosedRange<UInt32>]) {
    var pieces: [ClosedRange<UInt32>] = []
    for range in ranges {
      if range.lowerBound < Self.surrogates.lowerBound {
        pieces.append(range.lowerBound...min(range.upperBound, Self.surrogates.lowerBound - 1))
      }
      if range.upperBound > Self.surrogates.upperBound {
        pieces.append(max(range.lowerBound, Self.surrogates.upperBound + 1)...min(range.upperBound, Self.last))
      }
    }
    pieces.sort { $0.lowerBound < $1.lowerBound }
    var result: [ClosedRange<UInt32>] = []
    for piece in pieces {
      if let before = result.last, piece.lowerBound <= before.upperBound + 1 {
        result[result.count - 1] = before.lowerBound...max(before.upperBound, piece.upperBound)
      } else {
        result.append(piece)
      }
    }
    self.ranges = result
  }

  init(_ scalar: UInt32) { self.init([scalar...scalar]) }

  func union(_ other: ScalarSet) -> ScalarSet { ScalarSet(ranges + other.ranges) }

  var complement: ScalarSet {
    var result: [ClosedRange<UInt32>] = []
    var next: UInt32 = 0
    for range in ranges {
      if range.lowerBound > next { result.append(next...range.lowerBound - 1) }
      next = range.upperBound + 1
    }
    if next <= Self.last { result.append(next...Self.last) }
    return ScalarSet(result)
  }

  func contains(_ scalar: UInt32) -> Bool {
    var low = 0
    var high = ranges.count
    while low < high {
      let middle = (low + high) / 2
      if ranges[middle].upperBound < scalar { low = middle + 1 } else { high = middle }
    }
    return low < ranges.count && ranges[low].contains(scalar)
  }

  /// With everything added that simple case folding makes equal to a member.
  var folded: ScalarSet {
    var added: [ClosedRange<UInt32>] = []
    for group in UnicodeData.foldGroups where group.contains(where: contains) {
      added += group.map { $0...$0 }
    }
    return ScalarSet(ranges + added)
  }
}

enum UnicodeData {
  /// The set of a general category ("Lu", "L") or script ("Greek"), or of "Any".
  static func property(_ name: String) -> ScalarSet? {
    if name == "Any" { return .all }
    if let packed = UnicodeTables.categories[name] ?? UnicodeTables.scripts[name] { return unpacked(packed) }
    guard name.utf8.count == 1 else { return nil }
    let parts = UnicodeTables.categories.filter { $0.key.hasPrefix(name) }.values
    return parts.isEmpty ? nil : ScalarSet(parts.flatMap { unpacked($0).ranges })
  }

  static var propertyNames: [String] { Array(UnicodeTables.categories.keys) + Array(UnicodeTables.scripts.keys) }

  /// Scalars that differ only in case; each group in ascending order.
  static let foldGroups: [[UInt32]] = {
    var reader = PackedNumbers(UnicodeTables.folds)
    var result: [[UInt32]] = []
    var first: UInt32 = 0
    while let extra = reader.next(), let distance = reader.next() {
      first += distance
      var group = [first]
      var member = first
      for _ in 0...extra {
        member += reader.next() ?? 0
        group.append(member)
      }
      result.append(group)
    }
    return result
  }()

  private static let foldGroupIndex: [UInt32: Int] = {
    var result: [UInt32: Int] = [:]
    for (index, group) in foldGroups.enumerated() {
      for member in group { result[member] = index }
    }
    return result
  }()

  /// The scalar and all that differ from it only in case.
  static func folds(of scalar: UInt32) -> ScalarSet {
    guard let index = foldGroupIndex[scalar] else { return ScalarSet(scalar) }
    return ScalarSet(foldGroups[index].map { $0...$0 })
  }

  private static func unpacked(_ text: String) -> ScalarSet {
    var reader = PackedNumbers(text)
    var ranges: [ClosedRange<UInt32>] = []
    var next: UInt32 = 0
    while let gap = reader.next(), let extra = reader.next() {
      ranges.append(next + gap...next + gap + extra)
      next += gap + extra + 1
    }
    return ScalarSet(ranges)
  }
}

/// Reads the numbers that tools/generate-unicode-tables.py packs.
private struct PackedNumbers {
  private var digits: String.UTF8View.Iterator

  init(_ text: String) { digits = text.utf8.makeIterator() }

  mutating func next() -> UInt32? {
    var value: UInt32 = 0
    var shift: UInt32 = 0
    while let character = digits.next() {
      let digit = Self.value(character)
      value |= (digit & 31) << shift
      shift += 5
      if digit < 32 { return value }
    }
    return nil
  }

  private static func value(_ character: UInt8) -> UInt32 {
    switch character {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(character - UInt8(ascii: "0"))
    case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(character - UInt8(ascii: "a")) + 10
    case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(character - UInt8(ascii: "A")) + 36
    case UInt8(ascii: "+"): 62
    default: 63
    }
  }
}
