// Doubles -> decimal digits (Steele and White's free-format algorithm for the shortest, long division for a given
// number) and decimal text -> double (long division, rounding half to even). All exact, all in the arena.

/// 0.d1d2d3… × 10^exponent; no digits for zero.
struct Digits {
  var text: UnsafeMutablePointer<UInt8>
  var count = 0
  var exponent = 0

  /// Rounds the last digit up.
  mutating func increment() {
    var i = count &- 1
    while i >= 0 {
      if text[i] < 57 {
        text[i] &+= 1
        return
      }
      text[i] = 48
      i &-= 1
    }
    // All nines, or no digit at all: 1 followed by what were nines.
    if count == 0 { count = 1 }
    text[0] = 49
    exponent &+= 1
  }
}

enum DigitMode {
  /// The fewest digits that read back as the same double.
  case shortest
  case significant(Int)
  case fraction(Int)
}

private struct Parts {
  var mantissa: UInt64
  var exponent: Int
  var isLowerGapHalf: Bool

  init(_ value: Double) {
    let bits = value.bitPattern
    let field = Int(truncatingIfNeeded: bits >> 52 & 0x7FF)
    let fraction = bits & 0xF_FFFF_FFFF_FFFF
    mantissa = field == 0 ? fraction : fraction | 1 << 52
    exponent = (field == 0 ? 1 : field) &- 1075
    isLowerGapHalf = fraction == 0 && field > 1
  }

  /// A power of ten that is this number's, or one less.
  var decimalExponent: Int {
    let bits = exponent &+ 63 &- mantissa.leadingZeroBitCount
    // log10(2) = 0.30103 - 4 × 10^-9, rounded down by more than its error for 1,100 bits.
    let scaled = bits &* 1_233
    return (scaled >> 12) &- (bits < 0 ? 1 : 0)
  }
}

extension Evaluator {
  /// The digits of a finite double's absolute value; nil when the arena is full.
  mutating func digits(_ value: Double, _ mode: DigitMode) -> Digits? {
    var most = 20
    switch mode {
    case .shortest: break
    case .significant(let n): most = n &+ 2
    case .fraction(let n): most = n &+ 312
    }
    guard let text = allocate(most) else { return nil }
    let digits = Digits(text: text.bindMemory(to: UInt8.self, capacity: most))
    let magnitude = value.magnitude
    guard magnitude > 0 else { return digits }
    let mark = used
    defer { used = mark }
    guard let memory = allocate(BigNumber.size &* 4) else { return nil }
    if case .shortest = mode { return Self.shortest(Parts(magnitude), digits, memory) }
    return Self.exact(Parts(magnitude), mode, digits, memory)
  }

  private static func shortest(_ parts: Parts, _ start: Digits, _ memory: UnsafeMutableRawPointer) -> Digits {
    var digits = start
    let isEven = parts.mantissa & 1 == 0
    let up = parts.exponent > 0 ? parts.exponent : 0
    let down = parts.exponent < 0 ? 0 &- parts.exponent : 0
    let extra = parts.isLowerGapHalf ? 2 : 1
    // value = r / s; half the gaps to the neighbours are high / s and low / s.
    var r = BigNumber(memory, parts.mantissa)
    r.shiftLeft(up &+ extra)
    var s = BigNumber(memory + BigNumber.size, 1)
    s.shiftLeft(down &+ extra)
    var high = BigNumber(memory + BigNumber.size &* 2, 1)
    high.shiftLeft(up &+ extra &- 1)
    var low = BigNumber(memory + BigNumber.size &* 3, 1)
    low.shiftLeft(up)
    func reachesNext(_ r: BigNumber) -> Bool { BigNumber.compare(r, plus: high, s) >= (isEven ? 0 : 1) }
    var exponent = parts.decimalExponent
    if exponent >= 0 {
      s.multiply(byPowerOfTen: exponent)
    } else {
      r.multiply(byPowerOfTen: 0 &- exponent)
      high.multiply(byPowerOfTen: 0 &- exponent)
      low.multiply(byPowerOfTen: 0 &- exponent)
    }
    while reachesNext(r) {
      s.multiply(by: 10)
      exponent &+= 1
    }
    digits.exponent = exponent
    while digits.count < 18 {
      r.multiply(by: 10)
      high.multiply(by: 10)
      low.multiply(by: 10)
      let digit = r.digit(dividingBy: s)
      digits.text[digits.count] = 48 &+ digit
      digits.count &+= 1
      let isLow = BigNumber.compare(r, low) <= (isEven ? 0 : -1)
      let isHigh = reachesNext(r)
      if isLow || isHigh {
        let half = BigNumber.compare(r, plus: r, s)
        if isHigh && (!isLow || half > 0 || half == 0 && digit & 1 == 1) { digits.increment() }
        break
      }
    }
    return trimmed(digits)
  }

  private static func trimmed(_ digits: Digits) -> Digits {
    var result = digits
    while result.count > 1, result.text[result.count &- 1] == 48 { result.count &-= 1 }
    return result
  }

  private static func exact(
    _ parts: Parts, _ mode: DigitMode, _ start: Digits, _ memory: UnsafeMutableRawPointer
  ) -> Digits {
    var digits = start
    var r = BigNumber(memory, parts.mantissa)
    if parts.exponent > 0 { r.shiftLeft(parts.exponent) }
    var s = BigNumber(memory + BigNumber.size, 1)
    if parts.exponent < 0 { s.shiftLeft(0 &- parts.exponent) }
    var exponent = parts.decimalExponent
    if exponent >= 0 { s.multiply(byPowerOfTen: exponent) } else { r.multiply(byPowerOfTen: 0 &- exponent) }
    while BigNumber.compare(r, s) >= 0 {
      s.multiply(by: 10)
      exponent &+= 1
    }
    digits.exponent = exponent
    var wanted = 0
    switch mode {
    case .significant(let n): wanted = n
    case .fraction(let n): wanted = exponent &+ n
    case .shortest: break
    }
    // Not even the first place behind what is asked for.
    if wanted < 0 { return digits }
    while digits.count < wanted {
      r.multiply(by: 10)
      digits.text[digits.count] = 48 &+ r.digit(dividingBy: s)
      digits.count &+= 1
    }
    let half = BigNumber.compare(r, plus: r, s)
    let isOdd = digits.count > 0 && digits.text[digits.count &- 1] & 1 == 1
    if half > 0 || half == 0 && isOdd {
      let before = digits.exponent
      digits.increment()
      // A carry into a new place: with a fixed fraction there is one digit more to show.
      if case .fraction = mode, digits.exponent > before, wanted > 0 {
        digits.text[digits.count] = 48
        digits.count &+= 1
      }
    }
    return digits
  }

  // MARK: Reading

  /// The double nearest to a decimal number (digits, optional fraction and exponent, optional sign) or the words that
  /// Go's strconv knows. nil when it is none, or finite but out of range, or the arena is full.
  mutating func parseDouble(_ s: Value) -> Double? {
    var i = 0
    var isNegative = false
    if s.count > 0, s.byte(0) == 43 || s.byte(0) == 45 {
      isNegative = s.byte(0) == 45
      i = 1
    }
    if let special = Self.special(s, from: i) { return isNegative && special == special ? 0 - special : special }
    guard let (number, exponent) = scan(s, from: i) else { return nil }
    guard let magnitude = compose(number, exponent) else { return nil }
    return isNegative ? -magnitude : magnitude
  }

  private static func special(_ s: Value, from: Int) -> Double? {
    if isWord(s, from, "inf") || isWord(s, from, "infinity") { return .infinity }
    return isWord(s, 0, "nan") ? .nan : nil
  }

  private static func isWord(_ s: Value, _ from: Int, _ word: StaticString) -> Bool {
    guard s.count &- from == word.utf8CodeUnitCount else { return false }
    var i = from
    while i < s.count {
      if s.byte(i) | 0x20 != word.utf8Start[i &- from] { return false }
      i &+= 1
    }
    return true
  }

  /// The significant digits as a number, and the power of ten that it is to be multiplied with. Behind 770 digits
  /// only whether there is anything matters.
  private mutating func scan(_ s: Value, from start: Int) -> (BigNumber, Int)? {
    guard pay(s.count), let memory = allocate(BigNumber.size &* 2) else { return nil }
    var number = BigNumber(memory, 0)
    var significant = 0
    var exponent = 0
    var isSticky = false
    var hasDigits = false
    var point = -1
    var i = start
    while i < s.count {
      let c = s.byte(i)
      if c == 46, point < 0 {
        point = i
      } else if c >= 48, c <= 57 {
        hasDigits = true
        if significant > 0 || c != 48 {
          if significant < 770 {
            if number.isZero {
              number = BigNumber(memory, UInt64(c &- 48))
            } else {
              number.multiply(by: 10, adding: UInt32(c &- 48))
            }
            significant &+= 1
          } else {
            exponent &+= 1
            if c != 48 { isSticky = true }
          }
        }
        if point >= 0 { exponent &-= 1 }
      } else {
        break
      }
      i &+= 1
    }
    guard hasDigits, let written = Self.exponent(s, from: i) else { return nil }
    if isSticky {
      number.multiply(by: 10, adding: 1)
      exponent &-= 1
    }
    return (number, exponent &+ written)
  }

  /// What stands behind the digits: nothing, or `e` and an exponent, cut to ±100,000,000.
  private static func exponent(_ s: Value, from start: Int) -> Int? {
    guard start < s.count else { return 0 }
    guard s.byte(start) | 0x20 == 101 else { return nil }
    var i = start &+ 1
    var isNegative = false
    if i < s.count, s.byte(i) == 43 || s.byte(i) == 45 {
      isNegative = s.byte(i) == 45
      i &+= 1
    }
    guard i < s.count else { return nil }
    var n = 0
    while i < s.count {
      guard s.byte(i) >= 48, s.byte(i) <= 57 else { return nil }
      if n < 100_000_000 { n = n &* 10 &+ Int(s.byte(i) &- 48) }
      i &+= 1
    }
    return isNegative ? 0 &- n : n
  }

  /// The double nearest to number × 10^exponent; nil when it is greater than any.
  private mutating func compose(_ number: BigNumber, _ exponent: Int) -> Double? {
    if number.isZero { return 0 }
    let magnitude = number.bitWidth &* 1_233 >> 12 &+ exponent
    if magnitude > 320 { return nil }
    if magnitude < -345 { return 0 }
    guard let memory = allocate(BigNumber.size) else { return nil }
    var r = number
    var s = BigNumber(memory, 1)
    if exponent >= 0 { r.multiply(byPowerOfTen: exponent) } else { s.multiply(byPowerOfTen: 0 &- exponent) }
    // Scales to 1 <= r / s < 2, so that the value is r / s × 2^power.
    var power = r.bitWidth &- s.bitWidth
    if power > 0 { s.shiftLeft(power) } else { r.shiftLeft(0 &- power) }
    if BigNumber.compare(r, s) < 0 {
      r.shiftLeft(1)
      power &-= 1
    }
    let bits = power >= -1022 ? 53 : 53 &- (-1022 &- power)
    if bits < 0 { return 0 }
    var mantissa: UInt64 = 0
    var i = 0
    while i < bits {
      mantissa <<= 1
      if BigNumber.compare(r, s) >= 0 {
        r.subtract(s)
        mantissa |= 1
      }
      r.shiftLeft(1)
      i &+= 1
    }
    // The next bit is r >= s, everything behind it is whether more is left.
    let next = BigNumber.compare(r, s)
    if next > 0 || next == 0 && mantissa & 1 == 1 { mantissa &+= 1 }
    let field = power >= -1022 ? UInt64(truncatingIfNeeded: power &+ 1022) : 0
    // Adding lets a carry of the mantissa move into the exponent; a normal number's hidden bit adds the missing 1.
    let pattern = field << 52 &+ mantissa
    return pattern < 0x7FF0_0000_0000_0000 ? Double(bitPattern: pattern) : nil
  }
}
