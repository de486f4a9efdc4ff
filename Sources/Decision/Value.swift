/// Decision: a request against a verified image. May import PolicyImage; no Foundation, no locks, no heap, no trap
/// that its input can reach. Also compiles as Embedded Swift with -no-allocations (liblicet is made of it).
///
/// This file: values as the evaluator sees them.

public enum ValueKind: UInt8, BitwiseCopyable, Sendable {
  /// An attribute that was not given.
  case absent = 0
  case null, bool, int, uint, double, string, bytes, list, map, timestamp, duration, type, optional
  /// An evaluation that failed; `payload` holds a `Failure`.
  case error
}

/// A CEL value in 16 bytes. What it points to (bytes, elements) belongs to whoever made it and must outlive the
/// decision; it is never written to and nothing is freed.
///
/// | kind | payload | length |
/// | --- | --- | --- |
/// | bool, int, uint, double | the bits | 0 |
/// | string, bytes | address of the bytes; strings are valid UTF-8 | their count |
/// | list | address of that many `Value`s | elements |
/// | map | address of key, value, key, value … | pairs |
/// | timestamp, duration | seconds, signed | nanoseconds, signed, as a bit pattern; of the same sign for durations, 0..<10^9 for timestamps |
/// | type | a `ValueKind` (see CELTypeName) | 0 |
/// | optional | address of one `Value`, or 0 for none | 0 |
public struct Value {
  public var payload: UInt64
  public var length: UInt32
  public var kind: ValueKind
  var reserved0: UInt8
  var reserved1: UInt16

  @inline(__always)
  public init(kind: ValueKind, payload: UInt64, length: UInt32 = 0) {
    self.payload = payload
    self.length = length
    self.kind = kind
    reserved0 = 0
    reserved1 = 0
  }

  public static var absent: Value { Value(kind: .absent, payload: 0) }
  public static var null: Value { Value(kind: .null, payload: 0) }
  @inline(__always) public static func bool(_ b: Bool) -> Value { Value(kind: .bool, payload: b ? 1 : 0) }
  @inline(__always) public static func int(_ i: Int64) -> Value {
    Value(kind: .int, payload: UInt64(bitPattern: i))
  }
  @inline(__always) public static func uint(_ u: UInt64) -> Value { Value(kind: .uint, payload: u) }
  @inline(__always) public static func double(_ d: Double) -> Value {
    Value(kind: .double, payload: d.bitPattern)
  }
  /// Borrows the bytes, which must be valid UTF-8 (the edge that takes them checks it).
  @inline(__always) public static func string(_ bytes: UnsafeRawBufferPointer) -> Value {
    Value(kind: .string, address: bytes.baseAddress, length: UInt32(truncatingIfNeeded: bytes.count))
  }
  @inline(__always) public static func bytes(_ bytes: UnsafeRawBufferPointer) -> Value {
    Value(kind: .bytes, address: bytes.baseAddress, length: UInt32(truncatingIfNeeded: bytes.count))
  }
  @inline(__always) public static func list(_ elements: UnsafeBufferPointer<Value>) -> Value {
    Value(
      kind: .list, address: UnsafeRawPointer(elements.baseAddress), length: UInt32(truncatingIfNeeded: elements.count))
  }
  /// Keys and values in turn; `pairs.count` is even.
  @inline(__always) public static func map(_ pairs: UnsafeBufferPointer<Value>) -> Value {
    Value(
      kind: .map, address: UnsafeRawPointer(pairs.baseAddress), length: UInt32(truncatingIfNeeded: pairs.count / 2))
  }
  @inline(__always) public static func timestamp(seconds: Int64, nanoseconds: Int32) -> Value {
    Value(kind: .timestamp, payload: UInt64(bitPattern: seconds), length: UInt32(bitPattern: nanoseconds))
  }
  @inline(__always) public static func duration(seconds: Int64, nanoseconds: Int32) -> Value {
    Value(kind: .duration, payload: UInt64(bitPattern: seconds), length: UInt32(bitPattern: nanoseconds))
  }

  @inline(__always)
  init(kind: ValueKind, address: UnsafeRawPointer?, length: UInt32) {
    self.init(kind: kind, payload: UInt64(UInt(bitPattern: address)), length: length)
  }

  /// The address in a string, bytes, list, map or optional; nil when empty.
  @inline(__always) var address: UnsafeRawPointer? { UnsafeRawPointer(bitPattern: UInt(truncatingIfNeeded: payload)) }
  @inline(__always) var elements: UnsafePointer<Value>? { address?.assumingMemoryBound(to: Value.self) }
  @inline(__always) public var asInt: Int64 { Int64(bitPattern: payload) }
  @inline(__always) public var asDouble: Double { Double(bitPattern: payload) }
  @inline(__always) public var nanoseconds: Int32 { Int32(bitPattern: length) }
}

/// What a condition came to (DESIGN §2.3).
public enum Truth: UInt8, BitwiseCopyable, Sendable { case no = 0, yes = 1, failed = 2 }

/// Why an evaluation failed. Stable numbers; `docs/reference` names them.
public enum Failure: UInt8, BitwiseCopyable, Sendable {
  case none = 0
  /// An attribute that is not given.
  case missingAttribute
  case noSuchKey, noSuchOverload, overflow, divisionByZero, outOfRange, badConversion, badFormat
  case costLimit, arenaFull, unknownZone, emptyOptional, duplicateKey, unknownName
}

/// A condition's truth, and for a failed one why; `slot` is the attribute's for `missingAttribute`.
public struct Outcome {
  public var truth: Truth
  public var failure: Failure
  public var slot: UInt16
  @inline(__always) public init(_ truth: Truth, failure: Failure = .none, slot: UInt16 = 0xFFFF) {
    self.truth = truth
    self.failure = failure
    self.slot = slot
  }
}

#if !hasFeature(Embedded)
  extension Failure: CaseIterable {}
#endif
