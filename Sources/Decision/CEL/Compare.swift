// Equality and order of values (cel-spec, "Equality" and "Ordering"): numbers of different kinds compare by value
// (an int or uint against a double as doubles), anything else of different kinds is unequal and not ordered.

import PolicyImage

/// How two values compare.
enum Order: UInt8 { case less, equal, greater, unordered, mismatch }

extension Evaluator {
  @inline(__always)
  mutating func equality(_ a: Value, _ b: Value, negated: Bool) -> Value {
    if a.kind == .error || b.kind == .error { return .failure(a, b) }
    let isEqual: Bool
    if a.kind == b.kind && (a.kind == .int || a.kind == .bool || a.kind == .uint) {
      isEqual = a.payload == b.payload
    } else {
      isEqual = areEqual(a, b, depth: 0)
      if budget < 0 { return .failure(.costLimit) }
    }
    return .bool(isEqual != negated)
  }

  /// Whether two values, neither a failure, are equal. Runs the budget out when they nest too deep.
  mutating func areEqual(_ a: Value, _ b: Value, depth: Int) -> Bool {
    guard pay(1) else { return false }
    if a.kind != b.kind {
      return a.isNumber && b.isNumber && compareNumbers(a, b) == .equal
    }
    switch a.kind {
    case .absent, .error: return false
    case .null: return true
    case .bool, .int, .uint: return a.payload == b.payload
    case .type: return a.payload == b.payload
    case .double: return a.asDouble == b.asDouble
    case .string, .bytes:
      guard a.length == b.length else { return false }
      guard let p = a.address, let q = b.address else { return a.length == 0 }
      return pay(bytes: a.count) && equalBytes(p, q, a.count)
    case .timestamp, .duration: return a.payload == b.payload && a.length == b.length
    case .list: return areEqualLists(a, b, depth: depth)
    case .map: return areEqualMaps(a, b, depth: depth)
    case .optional:
      guard let x = a.elements, let y = b.elements else { return a.payload == b.payload }
      return descend(depth) && areEqual(x.pointee, y.pointee, depth: depth &+ 1)
    }
  }

  private mutating func descend(_ depth: Int) -> Bool {
    if depth >= EvaluationLimits.depth { budget = -1 }
    return budget >= 0
  }

  private mutating func areEqualLists(_ a: Value, _ b: Value, depth: Int) -> Bool {
    guard a.length == b.length else { return false }
    guard let p = a.elements, let q = b.elements else { return a.length == 0 }
    guard descend(depth) else { return false }
    var i = 0
    while i < a.count {
      if !areEqual(p[i], q[i], depth: depth &+ 1) { return false }
      i &+= 1
    }
    return true
  }

  private mutating func areEqualMaps(_ a: Value, _ b: Value, depth: Int) -> Bool {
    guard a.length == b.length else { return false }
    guard let p = a.elements, b.elements != nil else { return a.length == 0 }
    guard descend(depth) else { return false }
    var i = 0
    while i < a.count {
      guard let other = find(p[i &* 2], in: b), areEqual(p[i &* 2 &+ 1], other, depth: depth &+ 1) else {
        return false
      }
      i &+= 1
    }
    return true
  }

  /// The value of `key` in a map; nil when it is not there or the budget ran out.
  mutating func find(_ key: Value, in map: Value) -> Value? {
    guard let base = map.elements else { return nil }
    var i = 0
    while i < map.count {
      if key.kind == .string && base[i &* 2].kind == .string && key.length != base[i &* 2].length {
        guard pay(1) else { return nil }
      } else if areEqual(key, base[i &* 2], depth: 0) {
        return base[i &* 2 &+ 1]
      } else if budget < 0 {
        return nil
      }
      i &+= 1
    }
    return nil
  }

  @inline(__always)
  mutating func ordering(_ operation: Operation, _ a: Value, _ b: Value) -> Value {
    let order: Order
    if a.kind == .int && b.kind == .int {
      order = a.asInt < b.asInt ? .less : a.asInt == b.asInt ? .equal : .greater
    } else {
      order = compare(a, b)
      if order == .mismatch { return .failure(a, b) }
      if budget < 0 { return .failure(.costLimit) }
    }
    switch operation {
    case .less: return .bool(order == .less)
    case .lessOrEqual: return .bool(order == .less || order == .equal)
    case .greater: return .bool(order == .greater)
    default: return .bool(order == .greater || order == .equal)
    }
  }

  mutating func compare(_ a: Value, _ b: Value) -> Order {
    if a.isNumber && b.isNumber { return compareNumbers(a, b) }
    guard a.kind == b.kind else { return .mismatch }
    switch a.kind {
    case .bool: return order(a.payload, b.payload)
    case .string, .bytes: return compareBytes(a, b)
    case .timestamp, .duration:
      let seconds = order(a.asInt, b.asInt)
      return seconds == .equal ? order(a.nanoseconds, b.nanoseconds) : seconds
    default: return .mismatch
    }
  }

  private mutating func compareBytes(_ a: Value, _ b: Value) -> Order {
    let common = a.count < b.count ? a.count : b.count
    guard let p = a.address, let q = b.address else { return order(a.length, b.length) }
    guard pay(bytes: common) else { return .equal }
    var i = 0
    while i < common {
      // SAFETY: i is below both counts.
      let x = p.load(fromByteOffset: i, as: UInt8.self)
      let y = q.load(fromByteOffset: i, as: UInt8.self)
      if x != y { return x < y ? .less : .greater }
      i &+= 1
    }
    return order(a.length, b.length)
  }
}

extension Value {
  @inline(__always) var isNumber: Bool { kind == .int || kind == .uint || kind == .double }
  /// The value of a number as a double, rounded.
  @inline(__always) var rounded: Double {
    kind == .int ? Double(asInt) : kind == .uint ? Double(payload) : asDouble
  }
}

@inline(__always)
func order<T: Comparable>(_ a: T, _ b: T) -> Order { a < b ? .less : a == b ? .equal : .greater }

/// Two numbers of any kinds. Against a double both are doubles, as cel-spec's cases have it.
func compareNumbers(_ a: Value, _ b: Value) -> Order {
  if a.kind == .double || b.kind == .double {
    let x = a.rounded
    let y = b.rounded
    return x < y ? .less : x == y ? .equal : x > y ? .greater : .unordered
  }
  if a.kind == b.kind { return a.kind == .int ? order(a.asInt, b.asInt) : order(a.payload, b.payload) }
  if a.kind == .int { return a.asInt < 0 ? .less : order(a.payload, b.payload) }
  return b.asInt < 0 ? .greater : order(a.payload, b.payload)
}
