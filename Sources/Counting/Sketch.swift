// How many different hashes there were, in little memory (HyperLogLog: Flajolet and others 2007; the estimate is Ertl's of
// 2017, which needs no tables and no switch between ranges).

/// 4,096 registers: a standard error of 1.04 / √4096 = 1.6 %. Up to 256 of them are kept as a list, 4 bytes each.
struct Sketch: Equatable {
  static let precision: UInt64 = 12
  static let registers = 1 << 12
  /// Ranks run from 1 to this; 0: nothing fell here.
  static let highestRank = 53
  static let longestList = 256

  /// `index << 8 | rank`, while there are few; unused once there are all registers.
  private(set) var list: [UInt32] = []
  /// A rank each, or empty.
  private(set) var dense: [UInt8] = []

  static func place(_ hash: UInt64) -> (index: Int, rank: UInt8) {
    let index = Int(truncatingIfNeeded: hash >> (64 - precision))
    // A bit behind the hash's last stops the count.
    let rest = hash << precision | 1 << (precision - 1)
    return (index, UInt8(truncatingIfNeeded: rest.leadingZeroBitCount + 1))
  }

  /// Bytes on the heap; a list may have twice the room that it needs.
  var bytes: Int { list.count * 8 + dense.count }

  func rank(_ index: Int) -> UInt8 {
    if !dense.isEmpty { return dense[index] }
    for entry in list where Int(entry >> 8) == index { return UInt8(truncatingIfNeeded: entry) }
    return 0
  }

  /// The rank that stood there before, if this one is higher; nil: nothing changes.
  @discardableResult
  mutating func raise(_ index: Int, to rank: UInt8) -> UInt8? {
    if !dense.isEmpty {
      let old = dense[index]
      guard rank > old else { return nil }
      dense[index] = rank
      return old
    }
    for i in list.indices where Int(list[i] >> 8) == index {
      let old = UInt8(truncatingIfNeeded: list[i])
      guard rank > old else { return nil }
      list[i] = UInt32(index) << 8 | UInt32(rank)
      return old
    }
    list.append(UInt32(index) << 8 | UInt32(rank))
    if list.count > Sketch.longestList {
      dense = [UInt8](repeating: 0, count: Sketch.registers)
      for entry in list { dense[Int(entry >> 8)] = UInt8(truncatingIfNeeded: entry) }
      list = []
    }
    return 0
  }

  /// Every register that something fell into.
  func forEach(_ body: (Int, UInt8) -> Void) {
    for (index, rank) in dense.enumerated() where rank > 0 { body(index, rank) }
    for entry in list { body(Int(entry >> 8), UInt8(truncatingIfNeeded: entry)) }
  }

  /// Read back from where it was kept; nil: no sketch has these.
  init?(list: [UInt32]) {
    guard list.count <= Sketch.longestList else { return nil }
    var seen: Set<UInt32> = []
    for entry in list {
      guard entry >> 8 < Sketch.registers, (1...UInt32(Sketch.highestRank)).contains(entry & 0xFF),
        seen.insert(entry >> 8).inserted
      else { return nil }
    }
    self.list = list
  }

  init?(dense: [UInt8]) {
    guard dense.count == Sketch.registers, dense.allSatisfy({ $0 <= Sketch.highestRank }) else { return nil }
    self.dense = dense
  }

  init() {}
}

/// How many registers have each rank: all that an estimate needs.
struct RankCounts: Equatable {
  private var counts: [Int]

  init() {
    counts = [Int](repeating: 0, count: Sketch.highestRank + 1)
    counts[0] = Sketch.registers
  }

  init(_ sketch: Sketch) {
    self.init()
    var all = counts
    sketch.forEach { _, rank in
      all[0] -= 1
      all[Int(rank)] += 1
    }
    counts = all
  }

  mutating func move(from old: UInt8, to new: UInt8) {
    counts[Int(old)] -= 1
    counts[Int(new)] += 1
  }

  /// Ertl, "New cardinality estimation algorithms for HyperLogLog sketches", algorithm 6.
  var estimate: Int64 {
    let m = Double(Sketch.registers)
    if counts[0] == Sketch.registers { return 0 }
    var z = m * Self.tau(1 - Double(counts[Sketch.highestRank]) / m)
    var rank = Sketch.highestRank - 1
    while rank >= 1 {
      z = 0.5 * (z + Double(counts[rank]))
      rank -= 1
    }
    z += m * Self.sigma(Double(counts[0]) / m)
    let value = (m * m / (2 * 0.693_147_180_559_945_3 * z)).rounded()
    return value < 9e18 ? Int64(value) : .max
  }

  private static func sigma(_ value: Double) -> Double {
    var (x, y, z) = (value, 1.0, value)
    while true {
      x *= x
      let before = z
      z += x * y
      y += y
      if z == before { return z }
    }
  }

  private static func tau(_ value: Double) -> Double {
    if value == 0 || value == 1 { return 0 }
    var (x, y, z) = (value, 1.0, 1 - value)
    while true {
      x = x.squareRoot()
      let before = z
      y *= 0.5
      z -= (1 - x) * (1 - x) * y
      if z == before { return z / 3 }
    }
  }
}
