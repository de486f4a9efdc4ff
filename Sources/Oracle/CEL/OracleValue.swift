// CEL values as the Oracle sees them, with CEL's equality and order. Plain copies, no sharing, no speed.

/// A value of the Common Expression Language. Immutable; safe to share.
public indirect enum OracleValue: Sendable {
  case null
  case bool(Bool)
  case int(Int64)
  case uint(UInt64)
  case double(Double)
  /// By code points: the unit in which CEL counts, indexes and orders strings.
  case string([Unicode.Scalar])
  case bytes([UInt8])
  case list([OracleValue])
  /// Pairs in the order in which they were written; no two keys are equal.
  case map([OraclePair])
  /// Seconds since 1970 (UTC) and nanoseconds 0..<10^9; from year 1 to year 9999.
  case timestamp(seconds: Int64, nanoseconds: Int64)
  /// In nanoseconds.
  case duration(Int64)
  /// A type, by the name that cel-spec gives it.
  case type(String)
  case optional(OracleValue?)

  /// A string value out of a Swift string.
  public static func text(_ string: String) -> OracleValue { .string(Array(string.unicodeScalars)) }

  /// The name of the value's type, as `type(x)` yields it.
  var typeName: String {
    switch self {
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
    }
  }
}

/// One entry of a map.
public struct OraclePair: Sendable {
  public var key: OracleValue
  public var value: OracleValue
  public init(_ key: OracleValue, _ value: OracleValue) {
    self.key = key
    self.value = value
  }
}

/// Why an evaluation failed. Conditions only ask whether it did; the reason is for people.
public enum OracleFailure: Error, Hashable, Sendable {
  /// An attribute that the request does not give.
  case missingAttribute(String)
  case noSuchOverload(String)
  case noSuchKey, overflow, divisionByZero, outOfRange, badConversion, badFormat
  case zone(String)
  case emptyOptional, duplicateKey, badKey, pattern, notBool
  case unknownName(String)
}

extension OracleValue {
  /// `==`: numbers by value across their types, other types never equal one another, NaN not even itself.
  func isEqual(to other: OracleValue) -> Bool {
    switch (self, other) {
    case (.null, .null): return true
    case (.bool(let a), .bool(let b)): return a == b
    case (.string(let a), .string(let b)): return a == b
    case (.bytes(let a), .bytes(let b)): return a == b
    case (.type(let a), .type(let b)): return a == b
    case (.duration(let a), .duration(let b)): return a == b
    case (.timestamp(let a, let m), .timestamp(let b, let n)): return a == b && m == n
    case (.optional(let a), .optional(let b)):
      guard let a, let b else { return a == nil && b == nil }
      return a.isEqual(to: b)
    case (.list(let a), .list(let b)):
      guard a.count == b.count else { return false }
      for (x, y) in zip(a, b) where !x.isEqual(to: y) { return false }
      return true
    case (.map(let a), .map(let b)):
      guard a.count == b.count else { return false }
      for pair in a {
        guard let value = OracleValue.find(pair.key, in: b), pair.value.isEqual(to: value) else { return false }
      }
      return true
    default:
      return OracleValue.compareNumbers(self, other) == 0
    }
  }

  /// The value of `key` in a map; keys compare as `==` does, so 1, 1u and 1.0 find the same entry.
  static func find(_ key: OracleValue, in pairs: [OraclePair]) -> OracleValue? {
    for pair in pairs where pair.key.isEqual(to: key) { return pair.value }
    return nil
  }

  /// -1, 0 or 1 for two numbers; nil when one is no number or NaN. Whole numbers compare exactly, a whole number and
  /// a double as doubles (cel-spec's conformance rows ask for the loss).
  static func compareNumbers(_ a: OracleValue, _ b: OracleValue) -> Int? {
    switch (a, b) {
    case (.int(let x), .int(let y)): return sign(x, y)
    case (.uint(let x), .uint(let y)): return sign(x, y)
    case (.int(let x), .uint(let y)): return sign(Int128(x), Int128(y))
    case (.uint(let x), .int(let y)): return sign(Int128(x), Int128(y))
    default:
      guard let x = a.asDouble, let y = b.asDouble, !x.isNaN, !y.isNaN else { return nil }
      return sign(x, y)
    }
  }

  private var asDouble: Double? {
    switch self {
    case .int(let x): Double(x)
    case .uint(let x): Double(x)
    case .double(let x): x
    default: nil
    }
  }

  private static func sign<T: Comparable>(_ a: T, _ b: T) -> Int { a < b ? -1 : a == b ? 0 : 1 }

  /// `<` and its kin: -1, 0, 1; nil for NaN; throws when the two have no order.
  static func order(_ a: OracleValue, _ b: OracleValue) throws(OracleFailure) -> Int? {
    switch (a, b) {
    case (.bool(let x), .bool(let y)): return sign(x ? 1 : 0, y ? 1 : 0)
    case (.string(let x), .string(let y)): return lexicographic(x.map(\.value), y.map(\.value))
    case (.bytes(let x), .bytes(let y)): return lexicographic(x, y)
    case (.duration(let x), .duration(let y)): return sign(x, y)
    case (.timestamp(let x, let m), .timestamp(let y, let n)): return x == y ? sign(m, n) : sign(x, y)
    default:
      guard a.isNumber, b.isNumber else { throw .noSuchOverload("order") }
      return compareNumbers(a, b)
    }
  }

  private static func lexicographic<T: Comparable>(_ a: [T], _ b: [T]) -> Int {
    for (x, y) in zip(a, b) where x != y { return sign(x, y) }
    return sign(a.count, b.count)
  }

  var isNumber: Bool {
    switch self {
    case .int, .uint, .double: true
    default: false
    }
  }

  /// May stand as a key in a map.
  var isKey: Bool {
    switch self {
    case .bool, .int, .uint, .string: true
    default: false
    }
  }
}
