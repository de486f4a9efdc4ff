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
