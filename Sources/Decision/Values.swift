// Values that come from outside: are they what their kinds say, and can they be taken for the type that is declared?

public import PolicyImage

extension Value {
  /// Lists and maps within each other, at most.
  public static let maximumDepth = 16

  /// The bytes of a string or bytes. Borrowed.
  public var borrowedBytes: Name { Name(start: address, count: Int(length)) }
  /// The elements of a list, or a map's keys and values in turn; nil for other kinds. Borrowed.
  public var borrowedElements: UnsafeBufferPointer<Value>? {
    guard kind == .list || kind == .map, let elements else { return nil }
    return UnsafeBufferPointer(start: elements, count: Int(length) &* (kind == .map ? 2 : 1))
  }

  /// Whether a value that somebody else laid out is one: a kind that a request can have, texts in UTF-8, times in the
  /// years 1 to 9999 and durations as long (CEL spec, timestamps), no deeper than `maximumDepth`. What it points to must
  /// be readable. `limit`: bytes of a text.
  public func isWellFormed(limit: Int = .max, depth: Int = 0) -> Bool {
    switch kind {
    case .null, .int, .uint, .double: return true
    case .bool: return payload <= 1
    case .string: return Int(length) <= limit && (length == 0 || address != nil) && isUTF8(borrowedBytes)
    case .bytes: return Int(length) <= limit && (length == 0 || address != nil)
    case .timestamp: return Value.seconds.contains(asInt) && nanoseconds >= 0 && nanoseconds < 1_000_000_000
    case .duration:
      let part = Int64(nanoseconds)
      return Value.durations.contains(asInt) && part > -1_000_000_000 && part < 1_000_000_000
        && (asInt == 0 || part == 0 || (asInt > 0) == (part > 0))
    case .list, .map:
      guard depth < Value.maximumDepth, length == 0 || address != nil else { return false }
      guard let base = address, length > 0 else { return true }
      let count = Int(length) &* (kind == .map ? 2 : 1)
      var i = 0
      while i < count {
        // SAFETY: the caller vouches for the elements; a kind is looked at as a number before it is taken for one.
        let element = base + i &* 16
        guard ValueKind.isRequestKind(element.load(fromByteOffset: 12, as: UInt8.self)) else { return false }
        guard element.load(as: Value.self).isWellFormed(limit: limit, depth: depth &+ 1) else { return false }
        i &+= 1
      }
      return true
    default: return false
    }
  }

  private static var seconds: ClosedRange<Int64> { -62_135_596_800...253_402_300_799 }
  private static var durations: ClosedRange<Int64> { -315_576_000_000...315_576_000_000 }

  /// This value as the type that the platform declares for `slot` wants it: whole numbers become signed, unsigned or, if
  /// that is exact, double; texts and numbers of seconds become times. Any other value is left as it is, for `accepts` to
  /// judge.
  public func converted(for slot: Int, in platform: Image) -> Value {
    let wanted = TypeKind(rawValue: platform.types[Int(platform.attributes[slot].type)] & 0xFF)
    switch (kind, wanted) {
    case (.int, .uint): return asInt < 0 ? self : .uint(payload)
    case (.uint, .int): return asInt < 0 ? self : .int(asInt)
    case (.int, .double): return Double(exactly: asInt).map { .double($0) } ?? self
    case (.uint, .double): return Double(exactly: payload).map { .double($0) } ?? self
    case (.uint, .timestamp) where asInt < 0, (.uint, .duration) where asInt < 0: return self
    case (.int, .timestamp), (.uint, .timestamp):
      return Value.seconds.contains(asInt) ? .timestamp(seconds: asInt, nanoseconds: 0) : self
    case (.int, .duration), (.uint, .duration):
      return Value.seconds.contains(asInt) ? .duration(seconds: asInt, nanoseconds: 0) : self
    case (.string, .timestamp):
      return parseTimestamp(borrowedBytes).map { .timestamp(seconds: $0.seconds, nanoseconds: $0.nanoseconds) } ?? self
    case (.string, .duration):
      return parseDuration(borrowedBytes).map { .duration(seconds: $0.seconds, nanoseconds: $0.nanoseconds) } ?? self
    default: return self
    }
  }
}

extension ValueKind {
  /// Whether this number is the kind of a value that a request can have.
  @inline(__always)
  public static func isRequestKind(_ raw: UInt8) -> Bool { raw >= null.rawValue && raw <= duration.rawValue }
}
