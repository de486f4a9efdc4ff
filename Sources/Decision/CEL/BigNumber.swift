// Natural numbers of up to 4,096 bits in the arena: what exact conversions between doubles and decimals need.

struct BigNumber {
  /// The longest operand: 780 digits over 10^1125.
  static let limbs = 128
  static let size = limbs &* 4

  private let words: UnsafeMutablePointer<UInt32>
  private(set) var count = 0

  /// `memory` has room for `size` bytes.
  init(_ memory: UnsafeMutableRawPointer, _ value: UInt64) {
    words = memory.bindMemory(to: UInt32.self, capacity: Self.limbs)
    append(UInt32(truncatingIfNeeded: value))
    append(UInt32(truncatingIfNeeded: value >> 32))
    trim()
  }

  var isZero: Bool { count == 0 }

  /// The callers' bounds keep numbers within `limbs`; a word beyond would be dropped, never written.
  private mutating func append(_ word: UInt32) {
    guard count < Self.limbs else { return }
    words[count] = word
    count &+= 1
  }

  private mutating func trim() {
    while count > 0, words[count &- 1] == 0 { count &-= 1 }
  }

  mutating func multiply(by factor: UInt32, adding addend: UInt32 = 0) {
    var carry = UInt64(addend)
    var i = 0
    while i < count {
      let product = UInt64(words[i]) &* UInt64(factor) &+ carry
      words[i] = UInt32(truncatingIfNeeded: product)
      carry = product >> 32
      i &+= 1
    }
    if carry != 0 { append(UInt32(truncatingIfNeeded: carry)) }
  }

  mutating func multiply(byPowerOfTen exponent: Int) {
    var n = exponent
    while n >= 9 {
      multiply(by: 1_000_000_000)
      n &-= 9
    }
    while n > 0 {
      multiply(by: 10)
      n &-= 1
    }
  }

  mutating func shiftLeft(_ bits: Int) {
    guard count > 0, bits > 0 else { return }
    let whole = bits >> 5
    let part = UInt32(truncatingIfNeeded: bits & 31)
    let old = count
    guard old &+ whole &+ 1 <= Self.limbs else { return }
    words[old &+ whole] = 0
    var i = old &- 1
    while i >= 0 {
      let word = words[i]
      if part > 0 { words[i &+ whole &+ 1] |= word >> (32 &- part) }
      words[i &+ whole] = word << part
      i &-= 1
    }
    i = 0
    while i < whole {
      words[i] = 0
      i &+= 1
    }
    count = old &+ whole &+ 1
    trim()
  }

  var bitWidth: Int { count == 0 ? 0 : count &* 32 &- words[count &- 1].leadingZeroBitCount }

  /// -1, 0 or 1.
  static func compare(_ a: BigNumber, _ b: BigNumber) -> Int {
    if a.count != b.count { return a.count < b.count ? -1 : 1 }
    var i = a.count &- 1
    while i >= 0 {
      if a.words[i] != b.words[i] { return a.words[i] < b.words[i] ? -1 : 1 }
      i &-= 1
    }
    return 0
  }

  /// The order of `a + b` and `c`, without a place for the sum.
  static func compare(_ a: BigNumber, plus b: BigNumber, _ c: BigNumber) -> Int {
    let longest = max3(a.count, b.count, c.count)
    // c - a - b from the top: once it is 2 or more ahead of what lower words can take, it is decided.
    var difference: Int64 = 0
    var i = longest &- 1
    while i >= 0 {
      let sum = Int64(a.word(i)) &+ Int64(b.word(i))
      difference = difference << 32 &+ Int64(c.word(i)) &- sum
      if difference >= 2 { return -1 }
      if difference < 0 { return 1 }
      i &-= 1
    }
    return difference == 0 ? 0 : -1
  }

  private static func max3(_ a: Int, _ b: Int, _ c: Int) -> Int {
    let ab = a > b ? a : b
    return ab > c ? ab : c
  }

  private func word(_ i: Int) -> UInt32 { i < count ? words[i] : 0 }

  /// Subtracts a number that is not greater.
  mutating func subtract(_ other: BigNumber) {
    var borrow: Int64 = 0
    var i = 0
    while i < count {
      let difference = Int64(words[i]) &- Int64(other.word(i)) &- borrow
      words[i] = UInt32(truncatingIfNeeded: difference)
      borrow = difference < 0 ? 1 : 0
      i &+= 1
    }
    trim()
  }

  /// The quotient by `divisor`, which must be below 10; leaves the remainder.
  mutating func digit(dividingBy divisor: BigNumber) -> UInt8 {
    var digit: UInt8 = 0
    while digit < 9, Self.compare(self, divisor) >= 0 {
      subtract(divisor)
      digit &+= 1
    }
    return digit
  }
}
