// The conversion functions: int(), uint(), double(), bool(), string(), bytes(), timestamp(), duration() (cel-spec,
// "Standard Definitions"). What does not fit is a failure, never a wrapped or clamped number.

import PolicyImage

extension Evaluator {
  mutating func converted(_ function: CELFunction, _ a: Value) -> Value {
    switch function {
    case .toInt: toInt(a)
    case .toUint: toUint(a)
    case .toDouble: toDouble(a)
    case .toBool: toBool(a)
    case .toString: toString(a)
    case .toBytes: toBytes(a)
    case .toTimestamp: toTimestamp(a)
    default: toDuration(a)
    }
  }

  private mutating func toInt(_ a: Value) -> Value {
    switch a.kind {
    case .int: return a
    case .uint: return a.payload <= UInt64(Int64.max) ? .int(Int64(a.payload)) : .failure(.outOfRange)
    case .double:
      // Both bounds are excluded: cel-spec's cases take 2^63 and -2^63 as doubles for out of range.
      let d = a.asDouble
      return d > -9_223_372_036_854_775_808 && d < 9_223_372_036_854_775_808 ? .int(Int64(d)) : .failure(.outOfRange)
    case .timestamp: return .int(a.asInt)
    case .string:
      guard pay(bytes: a.count) else { return .failure(.costLimit) }
      let isNegative = a.count > 0 && a.byte(0) == 45
      let start = isNegative || a.count > 0 && a.byte(0) == 43 ? 1 : 0
      guard let magnitude = Self.decimal(a, from: start) else { return .failure(.badConversion) }
      if isNegative {
        return magnitude <= 1 << 63 ? .int(Int64(truncatingIfNeeded: 0 &- magnitude)) : .failure(.outOfRange)
      }
      return magnitude <= UInt64(Int64.max) ? .int(Int64(magnitude)) : .failure(.outOfRange)
    default: return .failure(.noSuchOverload)
    }
  }

  private mutating func toUint(_ a: Value) -> Value {
    switch a.kind {
    case .uint: return a
    case .int: return a.asInt >= 0 ? .uint(a.payload) : .failure(.outOfRange)
    case .double:
      let d = a.asDouble
      return d >= 0 && d < 18_446_744_073_709_551_616 ? .uint(UInt64(d)) : .failure(.outOfRange)
    case .string:
      guard pay(bytes: a.count) else { return .failure(.costLimit) }
      return Self.decimal(a, from: 0).map { .uint($0) } ?? .failure(.badConversion)
    default: return .failure(.noSuchOverload)
    }
  }

  /// One or more digits up to the end; nil for anything else or more than 64 bits.
  static func decimal(_ s: Value, from start: Int) -> UInt64? {
    guard start < s.count else { return nil }
    var n: UInt64 = 0
    var i = start
    while i < s.count {
      let c = s.byte(i)
      guard c >= 48, c <= 57 else { return nil }
      let product = n.multipliedReportingOverflow(by: 10)
      let sum = product.partialValue.addingReportingOverflow(UInt64(c &- 48))
      if product.overflow || sum.overflow { return nil }
      n = sum.partialValue
      i &+= 1
    }
    return n
  }

  private mutating func toDouble(_ a: Value) -> Value {
    switch a.kind {
    case .double: return a
    case .int, .uint: return .double(a.rounded)
    case .string:
      let mark = used
      let value = parseDouble(a)
      used = mark
      return value.map { .double($0) } ?? .failure(budget < 0 ? .costLimit : .badConversion)
    default: return .failure(.noSuchOverload)
    }
  }

  private func toBool(_ a: Value) -> Value {
    if a.kind == .bool { return a }
    guard a.kind == .string else { return .failure(.noSuchOverload) }
    if a == "1" || a == "t" || a == "true" || a == "TRUE" || a == "True" { return .bool(true) }
    if a == "0" || a == "f" || a == "false" || a == "FALSE" || a == "False" { return .bool(false) }
    return .failure(.badConversion)
  }

  mutating func toString(_ a: Value) -> Value {
    switch a.kind {
    case .string: return a
    case .bytes:
      guard pay(a.count) else { return .failure(.costLimit) }
      return isUTF8(a) ? Value(kind: .string, payload: a.payload, length: a.length) : .failure(.badConversion)
    case .bool, .int, .uint, .double, .timestamp, .duration:
      var w = TextWriter()
      put(scalar: a, .general, &w)
      return finished(w)
    default: return .failure(.noSuchOverload)
    }
  }

  /// A bool, number, timestamp or duration.
  mutating func put(scalar a: Value, _ style: DoubleStyle, _ w: inout TextWriter) {
    switch a.kind {
    case .bool: put(a.payload != 0 ? "true" : "false", &w)
    case .int: put(a.asInt, &w)
    case .uint: put(a.payload, &w)
    case .double: put(a.asDouble, style, &w)
    case .timestamp: put(timestamp: a, &w)
    default: put(duration: a, &w)
    }
  }

  private func toBytes(_ a: Value) -> Value {
    if a.kind == .bytes { return a }
    guard a.kind == .string else { return .failure(.noSuchOverload) }
    return Value(kind: .bytes, payload: a.payload, length: a.length)
  }

  private mutating func toTimestamp(_ a: Value) -> Value {
    switch a.kind {
    case .timestamp: return a
    case .int: return Self.timestamp(a.asInt, 0)
    case .string: return pay(bytes: a.count) ? Self.parseTimestamp(a) : .failure(.costLimit)
    default: return .failure(.noSuchOverload)
    }
  }

  private mutating func toDuration(_ a: Value) -> Value {
    switch a.kind {
    case .duration: return a
    case .string: return pay(a.count) ? Self.parseDuration(a) : .failure(.costLimit)
    default: return .failure(.noSuchOverload)
    }
  }
}

extension Value {
  /// Whether a string has exactly these bytes.
  static func == (a: Value, b: StaticString) -> Bool {
    guard a.count == b.utf8CodeUnitCount else { return false }
    guard let p = a.address else { return true }
    return equalBytes(p, UnsafeRawPointer(b.utf8Start), a.count)
  }
}

func isUTF8(_ s: Value) -> Bool { isUTF8(UnsafeRawBufferPointer(start: s.address, count: s.count)) }

/// Whether bytes are well-formed UTF-8 (Unicode, table 3-7): what a text from outside has to be.
public func isUTF8(_ text: UnsafeRawBufferPointer) -> Bool {
  guard let base = text.baseAddress else { return true }
  let count = text.count
  var i = 0
  while i < count {
    // SAFETY: i + 8 <= count; ASCII in strides of eight bytes.
    if i &+ 8 <= count, base.loadUnaligned(fromByteOffset: i, as: UInt64.self) & 0x8080_8080_8080_8080 == 0 {
      i &+= 8
      continue
    }
    let length = sequenceLength(base + i, count &- i)
    guard length > 0 else { return false }
    i &+= length
  }
  return true
}

/// Bytes of the well-formed sequence at `p`, of which `left` may be read (at least one); 0: it is not.
private func sequenceLength(_ p: UnsafeRawPointer, _ left: Int) -> Int {
  func byte(_ i: Int) -> UInt8 { p.load(fromByteOffset: i, as: UInt8.self) }
  let c = byte(0)
  if c < 0x80 { return 1 }
  let length = c >= 0xC2 && c < 0xE0 ? 2 : c >= 0xE0 && c < 0xF0 ? 3 : c >= 0xF0 && c < 0xF5 ? 4 : 0
  guard length > 0, length <= left else { return 0 }
  let low: UInt8 = c == 0xE0 ? 0xA0 : c == 0xF0 ? 0x90 : 0x80
  let high: UInt8 = c == 0xED ? 0x9F : c == 0xF4 ? 0x8F : 0xBF
  guard byte(1) >= low, byte(1) <= high else { return 0 }
  var j = 2
  while j < length {
    guard byte(j) & 0xC0 == 0x80 else { return 0 }
    j &+= 1
  }
  return length
}
