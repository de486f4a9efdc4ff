// string.format (cel-go's ext/strings): %s %d %f %e %b %o %x %X %% with a precision for %f and %e.

import PolicyImage

extension Evaluator {
  /// Digits behind the point, at most.
  private static let maximumPrecision = 1000

  mutating func formatted(_ pattern: Value, _ arguments: Value) -> Value {
    guard pattern.kind == .string, arguments.kind == .list else { return .failure(.noSuchOverload) }
    guard pay(pattern.count &+ 1) else { return .failure(.costLimit) }
    var w = TextWriter()
    var next = 0
    var i = 0
    while i < pattern.count, w.failure == .none {
      let c = pattern.byte(i)
      i &+= 1
      guard c == 37 else {
        put(c, &w)
        continue
      }
      if i < pattern.count, pattern.byte(i) == 37 {
        put(c, &w)
        i &+= 1
        continue
      }
      guard let precision = Self.precision(pattern, &i), i < pattern.count else { return .failure(.badFormat) }
      guard next < arguments.count, let elements = arguments.elements else { return .failure(.badFormat) }
      clause(pattern.byte(i), elements[next], precision, &w)
      i &+= 1
      next &+= 1
    }
    return finished(w)
  }

  /// `.N`; -1 for none written. nil when malformed or too great.
  private static func precision(_ pattern: Value, _ i: inout Int) -> Int? {
    guard i < pattern.count, pattern.byte(i) == 46 else { return -1 }
    i &+= 1
    var n = 0
    let start = i
    while i < pattern.count, pattern.byte(i) >= 48, pattern.byte(i) <= 57 {
      n = n &* 10 &+ Int(pattern.byte(i) &- 48)
      if n > maximumPrecision { return nil }
      i &+= 1
    }
    return i > start ? n : nil
  }

  private mutating func clause(_ c: UInt8, _ a: Value, _ precision: Int, _ w: inout TextWriter) {
    switch c {
    case 115: put(text: a, depth: 0, &w)  // s
    case 100:  // d
      switch a.kind {
      case .int, .uint: put(scalar: a, .plain, &w)
      case .double: put(a.asDouble, .plain, &w)
      default: w.failure = .badFormat
      }
    case 102, 101:  // f, e
      guard a.isNumber else { return w.failure = .badFormat }
      let places = precision < 0 ? 6 : precision
      put(a.rounded, c == 102 ? .fixed(places) : .scientific(places), &w)
    case 98: put(a, base: 2, allowsBool: true, &w)  // b
    case 111: put(a, base: 8, &w)  // o
    case 120, 88: put(hexadecimal: a, isUpper: c == 88, &w)  // x, X
    default: w.failure = .badFormat
    }
  }

  private mutating func put(_ a: Value, base: UInt64, allowsBool: Bool = false, _ w: inout TextWriter) {
    switch a.kind {
    case .int: put(a.asInt, base: base, &w)
    case .uint: put(a.payload, base: base, &w)
    case .bool where allowsBool: put(a.payload, &w)
    default: w.failure = .badFormat
    }
  }

  private mutating func put(hexadecimal a: Value, isUpper: Bool, _ w: inout TextWriter) {
    switch a.kind {
    case .int: put(a.asInt, base: 16, isUpper: isUpper, &w)
    case .uint: put(a.payload, base: 16, isUpper: isUpper, &w)
    case .string, .bytes:
      var i = 0
      while i < a.count, w.failure == .none {
        put(UInt64(a.byte(i)), base: 16, isUpper: isUpper, width: 2, &w)
        i &+= 1
      }
    default: w.failure = .badFormat
    }
  }

  // MARK: %s

  private mutating func put(text a: Value, depth: Int, _ w: inout TextWriter) {
    guard depth <= EvaluationLimits.depth, pay(1) else { return w.failure = .costLimit }
    switch a.kind {
    case .string: put(a, &w)
    case .bytes:
      guard pay(a.count) else { return w.failure = .costLimit }
      if isUTF8(a) { put(a, &w) } else { w.failure = .badConversion }
    case .null: put("null", &w)
    case .bool, .int, .uint, .double, .timestamp, .duration: put(scalar: a, .plain, &w)
    case .type: put(Self.name(ofType: a), &w)
    case .list:
      put(UInt8(91), &w)
      var i = 0
      while i < a.count, w.failure == .none, let elements = a.elements {
        if i > 0 { put(", ", &w) }
        put(text: elements[i], depth: depth &+ 1, &w)
        i &+= 1
      }
      put(UInt8(93), &w)
    case .map: put(map: a, depth: depth, &w)
    default: w.failure = .badFormat
    }
  }

  /// Entries in the order of their keys' texts.
  private mutating func put(map: Value, depth: Int, _ w: inout TextWriter) {
    put(UInt8(123), &w)
    if map.count > 0 {
      guard let elements = map.elements, let keys = sortedKeys(map, depth, &w) else { return }
      var i = 0
      while i < map.count, w.failure == .none {
        if i > 0 { put(", ", &w) }
        put(keys[i &* 2], &w)
        put(": ", &w)
        put(text: elements[Int(truncatingIfNeeded: keys[i &* 2 &+ 1].payload) &* 2 &+ 1], depth: depth &+ 1, &w)
        i &+= 1
      }
    }
    put(UInt8(125), &w)
  }

  /// Text of a key and position of its entry, in turn.
  private mutating func sortedKeys(_ map: Value, _ depth: Int, _ w: inout TextWriter) -> UnsafeMutablePointer<Value>? {
    guard let elements = map.elements, let keys = allocateValues(map.count &* 2) else {
      w.failure = .arenaFull
      return nil
    }
    var count = 0
    while count < map.count {
      var key = TextWriter()
      put(text: elements[count &* 2], depth: depth &+ 1, &key)
      let text = finished(key)
      guard text.kind == .string else {
        w.failure = key.failure
        return nil
      }
      var at = count
      while at > 0, compare(text, keys[(at &- 1) &* 2]) == .less {
        keys[at &* 2] = keys[(at &- 1) &* 2]
        keys[at &* 2 &+ 1] = keys[(at &- 1) &* 2 &+ 1]
        at &-= 1
      }
      keys[at &* 2] = text
      keys[at &* 2 &+ 1] = .int(Int64(truncatingIfNeeded: count))
      count &+= 1
      guard budget >= 0 else {
        w.failure = .costLimit
        return nil
      }
    }
    return keys
  }

  private static func name(ofType a: Value) -> StaticString {
    switch ValueKind(rawValue: UInt8(truncatingIfNeeded: a.payload)) {
    case .null: "null_type"
    case .bool: "bool"
    case .int: "int"
    case .uint: "uint"
    case .double: "double"
    case .string: "string"
    case .bytes: "bytes"
    case .list: "list"
    case .map: "map"
    case .timestamp: "google.protobuf.Timestamp"
    case .duration: "google.protobuf.Duration"
    case .type: "type"
    case .optional: "optional_type"
    case .absent, .error, nil: "dyn"
    }
  }
}
