// The math extension. Rounding is done on the bits, so that no maths library is needed.

import PolicyImage

extension Evaluator {
  mutating func math(_ function: CELFunction, _ a: UnsafeMutablePointer<Value>) -> Value {
    switch function {
    case .greatest, .least: extremum(a[0], isGreatest: function == .greatest)
    case .greater, .lesser: Self.extremum(a[0], a[1], isGreatest: function == .greater)
    case .abs, .sign, .sqrt: Self.number(function, a[0])
    case .bitAnd, .bitOr, .bitXor, .bitNot, .shiftLeft, .shiftRight: Self.bits(function, a)
    default: a[0].kind == .double ? Self.double(function, a[0].asDouble) : .failure(.noSuchOverload)
    }
  }

  private mutating func extremum(_ a: Value, isGreatest: Bool) -> Value {
    if a.isNumber { return a }
    guard a.kind == .list, a.count > 0, let elements = a.elements else { return .failure(.noSuchOverload) }
    guard pay(a.count) else { return .failure(.costLimit) }
    var result = elements[0].isNumber ? elements[0] : .failure(.noSuchOverload)
    var i = 1
    while i < a.count, result.kind != .error {
      result = Self.extremum(result, elements[i], isGreatest: isGreatest)
      i &+= 1
    }
    return result
  }

  private static func extremum(_ a: Value, _ b: Value, isGreatest: Bool) -> Value {
    guard a.isNumber, b.isNumber else { return .failure(.noSuchOverload) }
    let order = compareNumbers(a, b)
    return order == (isGreatest ? .less : .greater) ? b : a
  }

  private static func double(_ function: CELFunction, _ d: Double) -> Value {
    switch function {
    case .isNaN: return .bool(d.isNaN)
    case .isInf: return .bool(d.isInfinite)
    case .isFinite: return .bool(d.isFinite)
    default: break
    }
    let whole = truncated(d)
    switch function {
    case .ceil: return .double(whole < d ? whole + 1 : whole)
    case .floor: return .double(whole > d ? whole - 1 : whole)
    case .round:
      // Halves away from zero; `d - whole` is exact.
      let rest = (d - whole).magnitude
      return .double(rest >= 0.5 ? (d < 0 ? whole - 1 : whole + 1) : whole)
    default: return .double(whole)
    }
  }

  /// Towards zero; NaN and what has no fraction as it is.
  private static func truncated(_ d: Double) -> Double {
    guard d.magnitude < 4_503_599_627_370_496 else { return d }
    let whole = Double(Int64(d))
    return d.sign == .minus ? -whole.magnitude : whole
  }

  /// Correctly rounded, digit by digit: the processor's instruction comes with a call of the maths library.
  private static func squareRoot(_ d: Double) -> Double {
    guard d > 0, d.isFinite else { return d < 0 ? .nan : d }
    let field = Int(truncatingIfNeeded: d.bitPattern >> 52)
    var m = d.bitPattern & 0xF_FFFF_FFFF_FFFF
    var exponent = field == 0 ? -1074 : field &- 1075
    if field > 0 { m |= 1 << 52 }
    while m < 1 << 52 {
      m <<= 1
      exponent &-= 1
    }
    if exponent & 1 != 0 {
      m <<= 1
      exponent &-= 1
    }
    // The root of m × 2^54, which has 54 bits: the last decides the rounding together with the remainder.
    var root: UInt64 = 0
    var rest: UInt64 = 0
    var pair = 0
    while pair < 54 {
      let bits = pair < 27 ? m >> UInt64(truncatingIfNeeded: 52 &- pair &* 2) & 3 : 0
      rest = rest << 2 | bits
      let trial = root << 2 | 1
      root <<= 1
      if rest >= trial {
        rest &-= trial
        root |= 1
      }
      pair &+= 1
    }
    var mantissa = root >> 1
    if root & 1 == 1, rest != 0 || mantissa & 1 == 1 { mantissa &+= 1 }
    let biased = (exponent &- 54) / 2 &+ 1 &+ 52 &+ 1023
    return Double(bitPattern: UInt64(truncatingIfNeeded: biased &- 1) << 52 &+ mantissa)
  }

  private static func number(_ function: CELFunction, _ a: Value) -> Value {
    guard a.isNumber else { return .failure(.noSuchOverload) }
    if function == .sqrt { return .double(squareRoot(a.rounded)) }
    let isAbs = function == .abs
    switch a.kind {
    case .uint: return isAbs ? a : .uint(a.payload == 0 ? 0 : 1)
    case .int:
      if isAbs { return a.asInt == .min ? .failure(.overflow) : .int(a.asInt < 0 ? 0 &- a.asInt : a.asInt) }
      return .int(a.asInt.signum())
    default:
      let d = a.asDouble
      if isAbs { return .double(d.magnitude) }
      return .double(d > 0 ? 1 : d < 0 ? -1 : d)
    }
  }

  private static func bits(_ function: CELFunction, _ a: UnsafeMutablePointer<Value>) -> Value {
    guard a[0].kind == .int || a[0].kind == .uint else { return .failure(.noSuchOverload) }
    let kind = a[0].kind
    if function == .bitNot { return Value(kind: kind, payload: ~a[0].payload) }
    let other = a[1]
    if function == .shiftLeft || function == .shiftRight {
      guard other.kind == .int else { return .failure(.noSuchOverload) }
      guard other.asInt >= 0 else { return .failure(.outOfRange) }
      guard other.asInt < 64 else { return Value(kind: kind, payload: 0) }
      // Right shifts fill with zeros, of ints too.
      let shifted = function == .shiftLeft ? a[0].payload << other.payload : a[0].payload >> other.payload
      return Value(kind: kind, payload: shifted)
    }
    guard other.kind == kind else { return .failure(.noSuchOverload) }
    switch function {
    case .bitAnd: return Value(kind: kind, payload: a[0].payload & other.payload)
    case .bitOr: return Value(kind: kind, payload: a[0].payload | other.payload)
    default: return Value(kind: kind, payload: a[0].payload ^ other.payload)
    }
  }
}
