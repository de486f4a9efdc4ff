// The strings extension (cel-go's ext/strings), with positions in code points.

import PolicyImage

extension Evaluator {
  mutating func strings(_ function: CELFunction, _ a: UnsafeMutablePointer<Value>) -> Value {
    guard a[0].kind == .string else { return .failure(.noSuchOverload) }
    guard pay(a[0].count &+ 1) else { return .failure(.costLimit) }
    let s = a[0]
    switch function {
    case .lowerAscii, .upperAscii: return changedCase(s, isUpper: function == .upperAscii)
    case .trim: return trimmed(s)
    case .reverse: return reversed(s)
    case .quote: return quoted(s)
    case .charAt: return character(s, a[1])
    case .substring: return substring(s, a[1], nil)
    case .substringRange: return substring(s, a[1], a[2])
    case .indexOf: return position(s, a[1], nil, isLast: false)
    case .indexOfFrom: return position(s, a[1], a[2], isLast: false)
    case .lastIndexOf: return position(s, a[1], nil, isLast: true)
    case .lastIndexOfFrom: return position(s, a[1], a[2], isLast: true)
    case .replace: return replaced(s, a[1], a[2], .int(-1))
    case .replaceFirst: return replaced(s, a[1], a[2], a[3])
    case .split: return split(s, a[1], .int(-1))
    default: return split(s, a[1], a[2])
    }
  }

  /// The byte offset of a position in code points, which may be the end; nil outside.
  private func offset(_ s: Value, _ position: Int64) -> Int? {
    guard position >= 0 else { return nil }
    var left = position
    var i = 0
    while i < s.count {
      if s.byte(i) & 0xC0 != 0x80 {
        if left == 0 { return i }
        left &-= 1
      }
      i &+= 1
    }
    return left == 0 ? s.count : nil
  }

  /// The bytes that the code point at a byte offset takes.
  private func width(_ s: Value, _ at: Int) -> Int {
    var i = at &+ 1
    while i < s.count, s.byte(i) & 0xC0 == 0x80 { i &+= 1 }
    return i &- at
  }

  private func character(_ s: Value, _ position: Value) -> Value {
    guard position.kind == .int else { return .failure(.noSuchOverload) }
    guard let at = offset(s, position.asInt) else { return .failure(.outOfRange) }
    return at == s.count ? s.slice(at, at) : s.slice(at, at &+ width(s, at))
  }

  private func substring(_ s: Value, _ from: Value, _ to: Value?) -> Value {
    guard from.kind == .int, to == nil || to?.kind == .int else { return .failure(.noSuchOverload) }
    guard let start = offset(s, from.asInt) else { return .failure(.outOfRange) }
    guard let to else { return s.slice(start, s.count) }
    guard let end = offset(s, to.asInt), start <= end else { return .failure(.outOfRange) }
    return s.slice(start, end)
  }

  private mutating func position(_ s: Value, _ part: Value, _ from: Value?, isLast: Bool) -> Value {
    guard part.kind == .string, from == nil || from?.kind == .int else { return .failure(.noSuchOverload) }
    var start = isLast ? s.count : 0
    if let from {
      guard let at = offset(s, from.asInt) else { return .failure(.outOfRange) }
      start = at
    }
    let found = isLast ? findLast(part, in: s, from: start) : find(part, in: s, from: start)
    if budget < 0 { return .failure(.costLimit) }
    return .int(found < 0 ? -1 : Int64(scalarCount(s.slice(0, found))))
  }

  private mutating func findLast(_ part: Value, in s: Value, from: Int) -> Int {
    let last = s.count &- part.count
    var i = from < last ? from : last
    while i >= 0 {
      guard pay(bytes: part.count) else { return -1 }
      if hasPart(s, part, at: i) { return i }
      i &-= 1
    }
    return -1
  }

  // MARK: Making strings

  private mutating func changedCase(_ s: Value, isUpper: Bool) -> Value {
    guard let p = allocate(s.count) else { return .failure(.arenaFull) }
    let first: UInt8 = isUpper ? 97 : 65
    var i = 0
    while i < s.count {
      let c = s.byte(i)
      p.storeBytes(of: c >= first && c < first &+ 26 ? c ^ 0x20 : c, toByteOffset: i, as: UInt8.self)
      i &+= 1
    }
    return Value(kind: .string, address: p, length: s.length)
  }

  private func trimmed(_ s: Value) -> Value {
    var start = 0
    while start < s.count {
      let n = width(s, start)
      guard isSpace(s, start, n) else { break }
      start &+= n
    }
    var end = s.count
    while end > start {
      var at = end &- 1
      while at > start, s.byte(at) & 0xC0 == 0x80 { at &-= 1 }
      guard isSpace(s, at, end &- at) else { break }
      end = at
    }
    return s.slice(start, end)
  }

  /// Unicode's White_Space.
  private func isSpace(_ s: Value, _ at: Int, _ width: Int) -> Bool {
    var scalar = UInt32(s.byte(at))
    if width == 2 { scalar = (scalar & 0x1F) << 6 | UInt32(s.byte(at &+ 1) & 0x3F) }
    if width == 3 {
      scalar = (scalar & 0x0F) << 12 | UInt32(s.byte(at &+ 1) & 0x3F) << 6 | UInt32(s.byte(at &+ 2) & 0x3F)
    }
    switch scalar {
    case 9...13, 32, 0x85, 0xA0, 0x1680, 0x2000...0x200A, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000: return width <= 3
    default: return false
    }
  }

  private mutating func reversed(_ s: Value) -> Value {
    guard let p = allocate(s.count) else { return .failure(.arenaFull) }
    var i = 0
    while i < s.count {
      let n = width(s, i)
      copyBytes(s.slice(i, i &+ n), to: p + (s.count &- i &- n))
      i &+= n
    }
    return Value(kind: .string, address: p, length: s.length)
  }

  private mutating func quoted(_ s: Value) -> Value {
    var w = TextWriter()
    put(UInt8(34), &w)
    var i = 0
    while i < s.count {
      let c = s.byte(i)
      switch c {
      case 7: put("\\a", &w)
      case 8: put("\\b", &w)
      case 9: put("\\t", &w)
      case 10: put("\\n", &w)
      case 11: put("\\v", &w)
      case 12: put("\\f", &w)
      case 13: put("\\r", &w)
      case 34: put("\\\"", &w)
      case 92: put("\\\\", &w)
      default: put(c, &w)
      }
      i &+= 1
    }
    put(UInt8(34), &w)
    return finished(w)
  }

  /// Replaces up to `limit` occurrences, all for a negative one. An empty `part` stands before every code point and
  /// at the end.
  private mutating func replaced(_ s: Value, _ part: Value, _ by: Value, _ limit: Value) -> Value {
    guard part.kind == .string, by.kind == .string, limit.kind == .int else { return .failure(.noSuchOverload) }
    var w = TextWriter()
    var left = limit.asInt
    var i = 0
    while left != 0 {
      let found = find(part, in: s, from: i)
      if found < 0 || found > s.count { break }
      put(s.slice(i, found), &w)
      put(by, &w)
      left &-= 1
      i = found &+ part.count
      if part.count == 0 {
        if i >= s.count { break }
        let n = width(s, i)
        put(s.slice(i, i &+ n), &w)
        i &+= n
      }
      if w.failure != .none { break }
    }
    put(s.slice(i, s.count), &w)
    return budget < 0 ? .failure(.costLimit) : finished(w)
  }

  /// Parts between separators, at most `limit` of them (all for a negative one), the last with what remains. An empty
  /// separator splits into code points.
  private mutating func split(_ s: Value, _ separator: Value, _ limit: Value) -> Value {
    guard separator.kind == .string, limit.kind == .int else { return .failure(.noSuchOverload) }
    var parts = newList(slots, count: 0, optionals: 0)
    var left = limit.asInt
    if left == 0 || separator.count == 0 && s.count == 0 { return parts }
    var i = 0
    while left != 1, parts.kind == .list {
      var end = find(separator, in: s, from: i)
      if separator.count == 0 { end = i &+ width(s, i) }
      if end < 0 || separator.count == 0 && end >= s.count { break }
      parts = appending(s.slice(i, end), to: parts)
      i = end &+ separator.count
      left &-= 1
    }
    return budget < 0 ? .failure(.costLimit) : appending(s.slice(i, s.count), to: parts)
  }

  private mutating func appending(_ part: Value, to list: Value) -> Value {
    var element = part
    return withUnsafeMutablePointer(to: &element) { appending(to: list, $0, count: 1, optionals: 0) }
  }

  mutating func joined(_ list: Value, _ separator: Value) -> Value {
    guard list.kind == .list, separator.kind == .string else { return .failure(.noSuchOverload) }
    var w = TextWriter()
    var i = 0
    while i < list.count, let elements = list.elements {
      guard elements[i].kind == .string else { return .failure(.noSuchOverload) }
      if i > 0 { put(separator, &w) }
      put(elements[i], &w)
      guard w.failure == .none, pay(1) else { return .failure(w.failure == .none ? .costLimit : w.failure) }
      i &+= 1
    }
    return finished(w)
  }

  // MARK: Base64

  mutating func base64Encoded(_ a: Value) -> Value {
    guard a.kind == .bytes else { return .failure(.noSuchOverload) }
    let length = (a.count &+ 2) / 3 &* 4
    guard length <= Int(UInt32.max), pay(bytes: length) else { return .failure(.costLimit) }
    guard let p = allocate(length) else { return .failure(.arenaFull) }
    let alphabet = ("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/" as StaticString).utf8Start
    var i = 0
    var o = 0
    while i < a.count {
      let left = a.count &- i
      let group =
        UInt32(a.byte(i)) << 16 | (left > 1 ? UInt32(a.byte(i &+ 1)) << 8 : 0) | (left > 2 ? UInt32(a.byte(i &+ 2)) : 0)
      var j = 0
      while j < 4 {
        let bits = Int(group >> UInt32(truncatingIfNeeded: 18 &- j &* 6) & 63)
        p.storeBytes(of: j <= left ? alphabet[bits] : 61, toByteOffset: o &+ j, as: UInt8.self)
        j &+= 1
      }
      i &+= 3
      o &+= 4
    }
    return Value(kind: .string, address: p, length: UInt32(truncatingIfNeeded: length))
  }

  /// With padding or without.
  mutating func base64Decoded(_ a: Value) -> Value {
    guard a.kind == .string else { return .failure(.noSuchOverload) }
    guard pay(a.count &+ 1) else { return .failure(.costLimit) }
    var count = a.count
    if count > 0, count % 4 == 0, a.byte(count &- 1) == 61 { count &-= a.byte(count &- 2) == 61 ? 2 : 1 }
    guard count % 4 != 1 else { return .failure(.badConversion) }
    let length = count / 4 &* 3 &+ (count % 4 == 0 ? 0 : count % 4 &- 1)
    guard let p = allocate(length) else { return .failure(.arenaFull) }
    var bits: UInt32 = 0
    var i = 0
    var o = 0
    while i < count {
      guard let value = Self.base64Value(a.byte(i)) else { return .failure(.badConversion) }
      bits = bits << 6 | value
      i &+= 1
      if i % 4 == 1 { continue }
      let shift = UInt32(truncatingIfNeeded: 6 &- (i &- 1) % 4 &* 2)
      p.storeBytes(of: UInt8(truncatingIfNeeded: bits >> shift), toByteOffset: o, as: UInt8.self)
      o &+= 1
    }
    return Value(kind: .bytes, address: p, length: UInt32(truncatingIfNeeded: length))
  }

  private static func base64Value(_ c: UInt8) -> UInt32? {
    switch c {
    case 65...90: UInt32(c) &- 65
    case 97...122: UInt32(c) &- 71
    case 48...57: UInt32(c) &+ 4
    case 43: 62
    case 47: 63
    default: nil
    }
  }
}
