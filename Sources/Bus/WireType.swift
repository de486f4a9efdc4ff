// The type codes of the D-Bus wire format, for readers, writers and their errors.

/// A type code: one character of a signature, or what stands for a container.
public struct WireType: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
  public let rawValue: UInt8
  @inlinable public init(rawValue: UInt8) { self.rawValue = rawValue }

  /// Nothing more in this container.
  @inlinable public static var end: WireType { WireType(rawValue: 0) }
  @inlinable public static var byte: WireType { WireType(rawValue: UInt8(ascii: "y")) }
  @inlinable public static var bool: WireType { WireType(rawValue: UInt8(ascii: "b")) }
  @inlinable public static var int16: WireType { WireType(rawValue: UInt8(ascii: "n")) }
  @inlinable public static var uint16: WireType { WireType(rawValue: UInt8(ascii: "q")) }
  @inlinable public static var int32: WireType { WireType(rawValue: UInt8(ascii: "i")) }
  @inlinable public static var uint32: WireType { WireType(rawValue: UInt8(ascii: "u")) }
  @inlinable public static var int64: WireType { WireType(rawValue: UInt8(ascii: "x")) }
  @inlinable public static var uint64: WireType { WireType(rawValue: UInt8(ascii: "t")) }
  @inlinable public static var double: WireType { WireType(rawValue: UInt8(ascii: "d")) }
  @inlinable public static var string: WireType { WireType(rawValue: UInt8(ascii: "s")) }
  @inlinable public static var objectPath: WireType { WireType(rawValue: UInt8(ascii: "o")) }
  @inlinable public static var signature: WireType { WireType(rawValue: UInt8(ascii: "g")) }
  @inlinable public static var descriptor: WireType { WireType(rawValue: UInt8(ascii: "h")) }
  @inlinable public static var array: WireType { WireType(rawValue: UInt8(ascii: "a")) }
  @inlinable public static var variant: WireType { WireType(rawValue: UInt8(ascii: "v")) }
  @inlinable public static var structure: WireType { WireType(rawValue: UInt8(ascii: "r")) }
  @inlinable public static var entry: WireType { WireType(rawValue: UInt8(ascii: "e")) }

  public var description: String {
    switch self {
    case .end: "nothing"
    case .array: "an array"
    case .structure: "a struct"
    case .entry: "a dictionary entry"
    case .variant: "a variant"
    default: "type \(Character(Unicode.Scalar(rawValue)))"
    }
  }
}

/// Signatures as bytes: D-Bus specification, "Type System".
enum Signature {
  typealias Types = UnsafePointer<UInt8>

  /// Whether these are complete types, one after the other.
  static func isValid(_ start: Types, _ end: Types) -> Bool {
    var at = start
    while at < end {
      guard let next = completeType(at, end) else { return false }
      at = next
    }
    return true
  }

  /// Behind the complete type at `start`; nil if there is none before `end`.
  static func completeType(_ start: Types, _ end: Types) -> Types? {
    var at = start
    var isElement = false
    while at < end, at.pointee == UInt8(ascii: "a") {
      at += 1
      isElement = true
    }
    guard at < end else { return nil }
    switch at.pointee {
    case UInt8(ascii: "("): return fields(at + 1, end, UInt8(ascii: ")"))
    case UInt8(ascii: "{"): return isElement ? fields(at + 1, end, UInt8(ascii: "}")) : nil
    case UInt8(ascii: "v"), UInt8(ascii: "s"), UInt8(ascii: "o"), UInt8(ascii: "g"): return at + 1
    default: return size(WireType(rawValue: at.pointee)) == nil ? nil : at + 1
    }
  }

  /// Behind the bracket that closes one field at least, or an entry's two.
  private static func fields(_ start: Types, _ end: Types, _ bracket: UInt8) -> Types? {
    var at = start
    var count = 0
    while at < end, at.pointee != bracket {
      guard let next = completeType(at, end) else { return nil }
      at = next
      count += 1
    }
    guard at < end, bracket == UInt8(ascii: "}") ? count == 2 : count > 0 else { return nil }
    return at + 1
  }

  /// Behind the complete type at `start` of a valid signature.
  @inline(__always)
  static func next(_ start: Types) -> Types {
    var at = start
    while at.pointee == UInt8(ascii: "a") { at += 1 }
    var open = 0
    repeat {
      switch at.pointee {
      case UInt8(ascii: "("), UInt8(ascii: "{"): open += 1
      case UInt8(ascii: ")"), UInt8(ascii: "}"): open -= 1
      default: break
      }
      at += 1
    } while open > 0
    return at
  }

  @inline(__always)
  static func type(_ at: Types) -> WireType {
    switch at.pointee {
    case UInt8(ascii: "("): .structure
    case UInt8(ascii: "{"): .entry
    case let code: WireType(rawValue: code)
    }
  }

  /// Bytes of a value of a type whose values all have as many; they are its alignment, too.
  @inline(__always)
  static func size(_ type: WireType) -> Int? {
    switch type {
    case .byte: 1
    case .int16, .uint16: 2
    case .bool, .int32, .uint32, .descriptor: 4
    case .int64, .uint64, .double: 8
    default: nil
    }
  }

  @inline(__always)
  static func alignment(_ type: WireType) -> Int {
    switch type {
    case .structure, .entry: 8
    case .string, .objectPath, .array: 4
    case .signature, .variant: 1
    default: size(type) ?? 1
    }
  }
}
