/// PolicyImage: the flat, position-independent image of compiled policy: layout, builder, reader, verifier. May
/// import nothing. Everything but the builder also compiles as Embedded Swift without allocations.
///
/// This file: the words that the policy language, the engine and the Oracle share (DESIGN §1, §2.2).

/// `deny < ask < allow`; `ask`: a human overseer decides first.
public enum Effect: UInt8, Comparable, BitwiseCopyable, Sendable {
  case deny = 0
  case ask = 1
  case allow = 2

  @inline(__always)
  public static func < (a: Effect, b: Effect) -> Bool { a.rawValue < b.rawValue }
}

/// The tiers of limits and duties that files can write, lowest authority first. Oversight and absolutes stand above.
public enum Tier: UInt8, Comparable, Sendable {
  case `operator` = 0
  case guideline = 1
  case ethics = 2
  case safety = 3

  @inline(__always)
  public static func < (a: Tier, b: Tier) -> Bool { a.rawValue < b.rawValue }
}

/// What a statement does to the value that is being decided.
public enum StatementKind: UInt8, BitwiseCopyable, Sendable {
  /// An operator's choice for a behaviour.
  case setting = 0
  /// How far an operator lets its users lift.
  case grant = 1
  case duty = 2
  case limit = 3
}

/// On whose instruction something is asked.
public enum Source: UInt8, BitwiseCopyable, Sendable {
  case platform = 0
  case `operator` = 1
  case user = 2
  case agent = 3
  case untrusted = 4
}

/// A number of 0...1 in millionths: stakes, and the dial (DESIGN §2.5). Counted, so that what a file says, an image holds
/// and a condition compares is one number.
public struct Degree: Comparable, Hashable, BitwiseCopyable, Sendable {
  public var millionths: UInt32

  @inlinable @inline(__always) public init(millionths: UInt32) { self.millionths = millionths }

  /// The double that the number's decimals are read as.
  @inlinable @inline(__always) public var value: Double { Double(millionths) / 1_000_000 }

  @inlinable @inline(__always)
  public static func < (a: Degree, b: Degree) -> Bool { a.millionths < b.millionths }

  public static var zero: Degree { Degree(millionths: 0) }
  public static var one: Degree { Degree(millionths: 1_000_000) }
  /// The dial where a platform states none.
  public static var unstatedDial: Degree { Degree(millionths: 100_000) }
  /// The most that a dial may be while no period has ended.
  public static var highestDial: Degree { Degree(millionths: 500_000) }
}

/// A behaviour that no statement, argument or setting moves (DESIGN §2.2).
public enum Absolute: UInt8, BitwiseCopyable, Sendable {
  case none = 0
  case off = 1
  case on = 2
}

#if !hasFeature(Embedded)
  extension Degree {
    /// The nearest millionth that is no smaller (`up`) or no larger than the number; nil outside 0...1.
    public init?(_ number: Double, up: Bool) {
      guard number >= 0, number <= 1 else { return nil }
      let scaled = number * 1_000_000
      var nearest = scaled.rounded(.toNearestOrEven)
      // What is a decimal of six digits at most is that one, whatever the product was rounded to.
      if nearest / 1_000_000 != number { nearest = scaled.rounded(up ? .up : .down) }
      self.init(millionths: UInt32(nearest))
    }
  }

  extension Degree: CustomStringConvertible {
    public var description: String { "\(value)" }
  }

  // Lists of cases live on the heap, which the library has none of.
  extension Effect: CaseIterable {}
  extension Tier: CaseIterable {}
  extension StatementKind: CaseIterable {}
  extension Source: CaseIterable {}
#endif
