// Reading strings, which are valid UTF-8: code points are what CEL counts.

import PolicyImage

extension Value {
  /// The byte at an offset below `count`.
  @inline(__always) func byte(_ i: Int) -> UInt8 {
    // SAFETY: the caller keeps 0 <= i < count; a value with bytes has an address.
    UnsafeRawPointer(bitPattern: UInt(truncatingIfNeeded: payload))?.load(fromByteOffset: i, as: UInt8.self) ?? 0
  }
  /// The part from one byte offset up to another, of the same kind.
  @inline(__always) func slice(_ from: Int, _ to: Int) -> Value {
    Value(
      kind: kind, payload: payload &+ UInt64(truncatingIfNeeded: from), length: UInt32(truncatingIfNeeded: to &- from))
  }
}

/// How many code points a string has.
func scalarCount(_ s: Value) -> Int {
  var n = 0
  var i = 0
  while i < s.count {
    if s.byte(i) & 0xC0 != 0x80 { n &+= 1 }
    i &+= 1
  }
  return n
}

/// Whether `part` stands at byte offset `at` of `s`.
@inline(__always)
func hasPart(_ s: Value, _ part: Value, at: Int) -> Bool {
  guard at >= 0, at &+ part.count <= s.count else { return false }
  guard part.count > 0, let p = s.address, let q = part.address else { return part.count == 0 }
  return equalBytes(p + at, q, part.count)
}

extension Evaluator {
  mutating func search(_ function: CELFunction, _ s: Value, _ part: Value) -> Value {
    guard s.kind == .string, part.kind == .string else { return .failure(.noSuchOverload) }
    switch function {
    case .startsWith: return pay(bytes: part.count) ? .bool(hasPart(s, part, at: 0)) : .failure(.costLimit)
    case .endsWith:
      return pay(bytes: part.count) ? .bool(hasPart(s, part, at: s.count &- part.count)) : .failure(.costLimit)
    default:
      let found = find(part, in: s, from: 0)
      return budget < 0 ? .failure(.costLimit) : .bool(found >= 0)
    }
  }

  /// The byte offset of the first `part` in `s` at or after `from`, or -1.
  mutating func find(_ part: Value, in s: Value, from: Int) -> Int {
    guard part.count > 0 else { return from }
    let first = part.byte(0)
    let last = s.count &- part.count
    var i = from
    while i <= last {
      if s.byte(i) == first {
        guard pay(bytes: part.count) else { return -1 }
        if hasPart(s, part, at: i) { return i }
      }
      i &+= 1
      if i & 7 == 0, !pay(1) { return -1 }
    }
    return -1
  }
}
