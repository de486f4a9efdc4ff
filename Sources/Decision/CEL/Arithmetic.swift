// The arithmetic operators: every overflow is a failure (cel-spec, "Numeric Values"); timestamps and durations stay
// in their ranges.

import PolicyImage

extension Evaluator {
  @inline(__always)
  mutating func arithmetic(_ operation: Operation, _ a: Value, _ b: Value) -> Value {
    if a.kind == .int && b.kind == .int { return integers(operation, a.asInt, b.asInt) }
    return others(operation, a, b)
  }

  private func integers(_ operation: Operation, _ a: Int64, _ b: Int64) -> Value {
    let r: (partialValue: Int64, overflow: Bool)
    switch operation {
    case .add: r = a.addingReportingOverflow(b)
    case .subtract: r = a.subtractingReportingOverflow(b)
    case .multiply: r = a.multipliedReportingOverflow(by: b)
    default:
      if b == 0 { return .failure(.divisionByZero) }
      r = operation == .divide ? a.dividedReportingOverflow(by: b) : a.remainderReportingOverflow(dividingBy: b)
    }
    return r.overflow ? .failure(.overflow) : .int(r.partialValue)
  }

  private func integers(_ operation: Operation, _ a: UInt64, _ b: UInt64) -> Value {
    let r: (partialValue: UInt64, overflow: Bool)
    switch operation {
    case .add: r = a.addingReportingOverflow(b)
    case .subtract: r = a.subtractingReportingOverflow(b)
    case .multiply: r = a.multipliedReportingOverflow(by: b)
    default:
      if b == 0 { return .failure(.divisionByZero) }
      r = operation == .divide ? a.dividedReportingOverflow(by: b) : a.remainderReportingOverflow(dividingBy: b)
    }
    return r.overflow ? .failure(.overflow) : .uint(r.partialValue)
  }

  private mutating func others(_ operation: Operation, _ a: Value, _ b: Value) -> Value {
    guard a.kind == b.kind else { return times(operation, a, b) }
    switch a.kind {
    case .uint: return integers(operation, a.payload, b.payload)
    case .double: return doubles(operation, a.asDouble, b.asDouble)
    case .string, .bytes: return operation == .add ? concatenated(a, b) : .failure(.noSuchOverload)
    case .list: return operation == .add ? concatenatedLists(a, b) : .failure(.noSuchOverload)
    default: return times(operation, a, b)
    }
  }

  private func doubles(_ operation: Operation, _ a: Double, _ b: Double) -> Value {
    switch operation {
    case .add: .double(a + b)
    case .subtract: .double(a - b)
    case .multiply: .double(a * b)
    case .divide: .double(a / b)
    default: .failure(.noSuchOverload)
    }
  }

  func negated(_ a: Value) -> Value {
    switch a.kind {
    case .int: integers(.subtract, 0 as Int64, a.asInt)
    case .double: .double(-a.asDouble)
    default: .failure(a)
    }
  }

  private mutating func concatenated(_ a: Value, _ b: Value) -> Value {
    let total = a.count &+ b.count
    guard total <= Int(UInt32.max), pay(bytes: total) else { return .failure(.costLimit) }
    guard let p = allocate(total) else { return .failure(.arenaFull) }
    copyBytes(a, to: p)
    copyBytes(b, to: p + a.count)
    return Value(kind: a.kind, address: p, length: a.length &+ b.length)
  }

  // MARK: Times

  private func times(_ operation: Operation, _ a: Value, _ b: Value) -> Value {
    let isSubtraction = operation == .subtract
    guard operation == .add || isSubtraction else { return .failure(a, b) }
    switch (a.kind, b.kind) {
    case (.timestamp, .duration): return moved(a, by: b, backwards: isSubtraction)
    case (.duration, .timestamp): return isSubtraction ? .failure(.noSuchOverload) : moved(b, by: a, backwards: false)
    case (.timestamp, .timestamp):
      guard isSubtraction else { return .failure(.noSuchOverload) }
      let seconds = a.asInt.subtractingReportingOverflow(b.asInt)
      if seconds.overflow { return .failure(.overflow) }
      return Self.duration(seconds.partialValue, Int64(a.nanoseconds) &- Int64(b.nanoseconds))
    case (.duration, .duration):
      let seconds =
        isSubtraction ? a.asInt.subtractingReportingOverflow(b.asInt) : a.asInt.addingReportingOverflow(b.asInt)
      if seconds.overflow { return .failure(.overflow) }
      let nanoseconds = Int64(b.nanoseconds)
      return Self.duration(
        seconds.partialValue, Int64(a.nanoseconds) &+ (isSubtraction ? 0 &- nanoseconds : nanoseconds))
    default: return .failure(a, b)
    }
  }

  private func moved(_ t: Value, by d: Value, backwards: Bool) -> Value {
    let seconds = backwards ? t.asInt.subtractingReportingOverflow(d.asInt) : t.asInt.addingReportingOverflow(d.asInt)
    if seconds.overflow { return .failure(.overflow) }
    let nanoseconds = Int64(d.nanoseconds)
    return Self.timestamp(seconds.partialValue, Int64(t.nanoseconds) &+ (backwards ? 0 &- nanoseconds : nanoseconds))
  }

  /// A timestamp of the years 1 to 9999; `nanoseconds` may be outside one second by a few.
  static func timestamp(_ seconds: Int64, _ nanoseconds: Int64) -> Value {
    guard seconds > -100_000_000_000, seconds < 1_000_000_000_000 else { return .failure(.outOfRange) }
    var s = seconds
    var n = nanoseconds
    while n < 0 { (s, n) = (s &- 1, n &+ 1_000_000_000) }
    while n >= 1_000_000_000 { (s, n) = (s &+ 1, n &- 1_000_000_000) }
    guard s >= -62_135_596_800, s <= 253_402_300_799 else { return .failure(.outOfRange) }
    return .timestamp(seconds: s, nanoseconds: Int32(truncatingIfNeeded: n))
  }

  /// A duration, which must fit 64 bits of nanoseconds (about 292 years), as cel-spec's cases have it.
  static func duration(_ seconds: Int64, _ nanoseconds: Int64) -> Value {
    let scaled = seconds.multipliedReportingOverflow(by: 1_000_000_000)
    let sum = scaled.partialValue.addingReportingOverflow(nanoseconds)
    if scaled.overflow || sum.overflow { return .failure(.outOfRange) }
    let total = sum.partialValue
    return .duration(seconds: total / 1_000_000_000, nanoseconds: Int32(truncatingIfNeeded: total % 1_000_000_000))
  }
}

/// Copies a string's or bytes' content; the room behind `p` is the caller's duty.
@inline(__always)
func copyBytes(_ value: Value, to p: UnsafeMutableRawPointer) {
  if let source = value.address, value.count > 0 { p.copyMemory(from: source, byteCount: value.count) }
}
