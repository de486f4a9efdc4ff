// What a decision is made of: the policy it is made on, and what comes out.

public import PolicyImage

/// A platform's image with one operator's overlay on it, or with none. The overlay was verified on this platform.
public struct Policy {
  public let platform: Image
  /// The platform's image again where there is no operator; `hasOverlay` says.
  let overlay: Image
  /// Bit 0: there is an overlay; bit 1: a condition reads `session.dial`; bit 31: there are counters; from bit 2 on the dial. One word, so that passing a
  /// policy on costs no more for it.
  private let word: UInt32
  @inline(__always) public var hasOverlay: Bool { word & 1 != 0 }
  @inline(__always) var readsDial: Bool { word & 2 != 0 }
  /// The dial as it is settled where the request has none of its own.
  @inline(__always) var dial: Degree { Degree(millionths: word >> 2 & 0xF_FFFF) }
  @inline(__always) public var hasCounters: Bool { word & 1 << 31 != 0 }
  /// The platform's periods that have ended, by their numbers; all others run (DESIGN §2.8).
  public let ended: UInt64

  public init(platform: Image, overlay: Image? = nil, ended: UInt64 = 0) {
    self.ended = ended
    self.platform = platform
    self.overlay = overlay ?? platform
    let flags = platform.header.pointee.flags | self.overlay.header.pointee.flags
    let dial = DialSettings(platform, overlay, ended: ended).settled(session: .zero).value.millionths
    let counters: UInt32 = platform.counterCount == 0 ? 0 : 1 << 31
    word = counters | (overlay == nil ? 0 : 1) | (flags & ImageHeader.readsDial == 0 ? 0 : 2) | dial << 2
  }

  /// With these periods ended as well.
  func ending(_ periods: UInt64) -> Policy {
    Policy(platform: platform, overlay: hasOverlay ? overlay : nil, ended: ended | periods)
  }

  @inline(__always)
  public func image(_ layer: Layer) -> Image { layer == .overlay ? overlay : platform }
}

/// Which image a statement stands in.
public enum Layer: UInt8, BitwiseCopyable, Sendable { case none = 0, platform = 1, overlay = 2 }

/// What decided, lowest authority first: of equals, the higher one is named (P9).
public enum DeciderRank: UInt8, BitwiseCopyable, Sendable {
  /// The platform's default, `unknown`, or what an operator's audience chose instead.
  case `default` = 0
  /// The operator's setting.
  case setting = 1
  /// The ceiling that the operator's setting was cut down to.
  case ceiling = 2
  /// The user's preference, as far as it was granted; no statement.
  case preference = 3
  case operatorTier = 4, guideline = 5, ethics = 6, safety = 7
  /// A halt, the session, suspicion or the dial: `Decider.cause`.
  case oversight = 8
  case absolute = 9
}

/// What of oversight decided, in the order in which it has its word (DESIGN §2.2 step 5).
public enum OversightCause: UInt8, BitwiseCopyable, Sendable {
  /// It was not oversight.
  case none = 0
  /// A session's cap, scope or constraint.
  case session = 1
  case suspicion = 2
  case dial = 3
  /// A stop; a session that is stopped, expired or spent; no policy in force.
  case halt = 4
}

/// What decided: a statement of one of the two images, and for which name.
public struct Decider: BitwiseCopyable, Sendable {
  public var rank: DeciderRank
  public var layer: Layer
  /// Segments of the behaviour that the statement names; deeper is more specific.
  public var depth: UInt8
  public private(set) var cause = OversightCause.none
  /// Index into the layer's statements, or none.
  public var statement: UInt32

  init(_ rank: DeciderRank, _ layer: Layer, _ statement: UInt32, depth: UInt8) {
    self.rank = rank
    self.layer = layer
    self.statement = statement
    self.depth = depth
  }

  /// Oversight, by what of it.
  init(oversight cause: OversightCause, _ layer: Layer = .none, _ statement: UInt32 = ImageFormat.none) {
    self.init(.oversight, layer, statement, depth: 0)
    self.cause = cause
  }

  /// Whether this one is named rather than `other` for the same effect.
  func precedes(_ other: Decider) -> Bool {
    if rank != other.rank { return rank.rawValue > other.rank.rawValue }
    if cause != other.cause { return cause.rawValue > other.cause.rawValue }
    if depth != other.depth { return depth > other.depth }
    // Defaults alone can be of two layers.
    if layer != other.layer { return layer.rawValue < other.layer.rawValue }
    return statement < other.statement
  }
}

/// The answer (DESIGN §1). Obligations are bits of each image's obligation names; their union counts.
public struct Decision {
  public var effect: Effect
  /// The name that decided: one that was asked about or a known one below; borrowed from the request or the image.
  public var behavior: Name
  public var decider: Decider
  public var platformObligations: UInt64
  public var overlayObligations: UInt64
}

/// A behaviour's name: borrowed bytes.
public typealias Name = UnsafeRawBufferPointer

/// What is supposed to be otherwise, for the way: one bit a kind of change, lowest layer first.
/// (Not an OptionSet: that one's array literals allocate.)
public struct Changes: BitwiseCopyable, Sendable {
  public var rawValue: UInt16
  public init(rawValue: UInt16) { self.rawValue = rawValue }
  @inline(__always) public func contains(_ other: Changes) -> Bool { rawValue & other.rawValue == other.rawValue }
  /// The user prefers `allow`.
  public static var preference: Changes { Changes(rawValue: 1) }
  /// The session's dial is as high as it may be.
  public static var sessionDial: Changes { Changes(rawValue: 2) }
  /// The operator's settings and grants are at their best.
  public static var settings: Changes { Changes(rawValue: 4) }
  /// The operator's limits are gone.
  public static var operatorLimits: Changes { Changes(rawValue: 8) }
  /// The operator's dial is at its best.
  public static var operatorDial: Changes { Changes(rawValue: 16) }
  /// The platform's default and ceilings are `allow`.
  public static var choice: Changes { Changes(rawValue: 32) }
  /// The platform's limits are gone.
  public static var platformLimits: Changes { Changes(rawValue: 64) }
  /// The platform states stakes that the dial covers.
  public static var stakes: Changes { Changes(rawValue: 128) }
  /// The halt is over.
  public static var halt: Changes { Changes(rawValue: 256) }
  /// Periods have ended, of which the way says which.
  public static var periods: Changes { Changes(rawValue: 512) }
  /// The counters have fallen to what this request alone makes them.
  public static var counters: Changes { Changes(rawValue: 1024) }
  /// The session's caps, scope and constraints are gone.
  public static var session: Changes { Changes(rawValue: 2048) }
  /// Suspicion has decayed.
  public static var suspicion: Changes { Changes(rawValue: 4096) }
}
