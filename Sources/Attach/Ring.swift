// The ring: memory that licetd makes for one attached process and both map to write. The process counts what it allows in
// lanes, and records the rest one by one behind each other; licetd copies before it looks, keeps its own indices, and says
// what is on disk (docs/attach-protocol.md). Nothing in it is believed.

public import Decision
public import PolicyImage

/// Where things lie. Words have 64 bits and are each stored at once; who writes each is said.
public enum Ring {
  /// "LICETRNG", little-endian.
  public static let magic: UInt64 = 0x474E_5254_4543_494C
  public static let version: UInt64 = 1
  public static let size = records &+ recordBytes

  // MARK: words, three groups of cache lines of their own

  public static let magicWord = 0
  public static let versionWord = 1
  /// licetd's number for the ring, which no other one has.
  public static let identity = 2
  /// licetd: records up to this byte, counted from the beginning of time, are on disk.
  public static let taken = 16
  /// licetd: 1, it wants to be told of the next record; the process: 0, it tells.
  public static let isArmed = 17
  /// licetd: how many of the lost are on disk.
  public static let takenLost = 18
  /// The process: records up to this byte are whole.
  public static let written = 32
  /// The process: decisions that it made while the authority was lost; nobody can record those.
  public static let lost = 33

  // MARK: lanes

  /// Counters of one request at a time, so that threads share no cache line. The last one is for all that found none free.
  public static let lanes = 64
  public static let sharedLane = 63
  /// Counters in a lane.
  public static let entries = 16_384

  /// Words of a lane's head: its state, which the process moves on from free to closed and licetd back to free; a number
  /// that grows with each use; the generation whose numbers its keys are; how many entries it has.
  public enum Lane {
    public static let state = 0
    public static let serial = 1
    public static let generation = 2
    public static let used = 3

    public static let free: UInt64 = 0
    public static let claimed: UInt64 = 1
    public static let open: UInt64 = 2
    public static let closed: UInt64 = 3
  }

  /// The first word of a lane's head.
  @inline(__always)
  public static func head(_ lane: Int) -> Int { 512 &+ lane &* 8 }
  /// The first word of a lane's entries: a key and a count each.
  @inline(__always)
  public static func entry(_ lane: Int, _ index: Int) -> Int { 1024 &+ (lane &* entries &+ index) &* 2 }

  // MARK: records

  /// licetd: how much of an entry's count is on disk. The process begins it with 0.
  @inline(__always)
  public static func takenCount(_ lane: Int, _ index: Int) -> Int {
    1024 &+ lanes &* entries &* 2 &+ lane &* entries &+ index
  }

  /// The first byte of the records' memory.
  public static let records = 8192 &+ lanes &* entries &* 24
  /// A power of two.
  public static let recordBytes = 256 << 10
  /// A record in the ring, its head included; a larger one goes as a message.
  public static let largestRecord = 64 << 10
  /// A record's head: its length (32 bits, a multiple of 8, head included) and its kind (32 bits).
  public static let recordHead = 8

  public static let decision: UInt32 = 1
  /// A key that no lane had room for, decided once.
  public static let count: UInt32 = 2
}

/// What is counted: allowed by which statement, for which behaviour, in numbers of one generation's images.
public struct CountKey: BitwiseCopyable, Hashable, Sendable {
  public var raw: UInt64
  public init(raw: UInt64) { self.raw = raw }

  /// `node`: of the overlay if `isOverlay`, else of the platform, or none: not declared, and nothing above it is.
  @inline(__always)
  public init(_ rank: DeciderRank, statement: UInt32, node: UInt32, isOverlay: Bool) {
    raw =
      1 << 63 | UInt64(rank.rawValue) << 58 | (isOverlay ? 1 << 57 : 0)
      | UInt64((statement &+ 1) & 0xFFF_FFFF) << 29 | UInt64((node &+ 1) & 0x1FFF_FFFF)
  }

  public var rank: DeciderRank? {
    raw >> 63 == 1 ? DeciderRank(rawValue: UInt8(truncatingIfNeeded: raw >> 58 & 15)) : nil
  }
  public var isOverlay: Bool { raw >> 57 & 1 == 1 }
  /// `ImageFormat.none`: none.
  public var statement: UInt32 { UInt32(truncatingIfNeeded: raw >> 29 & 0xFFF_FFFF) &- 1 }
  public var node: UInt32 { UInt32(truncatingIfNeeded: raw & 0x1FFF_FFFF) &- 1 }

  /// Where its statement stands.
  public var layer: Layer {
    switch rank {
    case .setting, .operatorTier: .overlay
    case .preference, .oversight, nil: .none
    default: .platform
    }
  }
}

/// The beginning of a recorded decision; the question follows as it would be asked remotely (Request.swift).
public struct RecordedDecision {
  public var generation: UInt64
  public var effect: Effect
  public var rank: DeciderRank
  public var layer: Layer
  /// Of oversight's decisions; else none.
  public var cause: OversightCause
  public var statement: UInt32
  public var platformObligations: UInt64
  public var overlayObligations: UInt64
  /// The time that `now` was, as a timestamp.
  public var seconds: Int64
  public var nanoseconds: Int32

  public init(_ decision: Decision, generation: UInt64, seconds: Int64, nanoseconds: Int32) {
    self.generation = generation
    (effect, rank, layer) = (decision.effect, decision.decider.rank, decision.decider.layer)
    (cause, statement) = (decision.decider.cause, decision.decider.statement)
    (platformObligations, overlayObligations) = (decision.platformObligations, decision.overlayObligations)
    (self.seconds, self.nanoseconds) = (seconds, nanoseconds)
  }

  public func write(_ writer: inout WireWriter) {
    writer.put(generation)
    writer.put(effect.rawValue)
    writer.put(rank.rawValue)
    writer.put(layer.rawValue)
    writer.put(cause.rawValue)
    writer.put(statement)
    writer.put(platformObligations)
    writer.put(overlayObligations)
    writer.put(seconds)
    writer.put(nanoseconds)
  }

  /// nil: it makes no sense.
  public static func read(_ reader: inout WireReader) -> RecordedDecision? {
    let generation: UInt64 = reader.take()
    let effect = Effect(rawValue: reader.take())
    let rank = DeciderRank(rawValue: reader.take())
    let layer = Layer(rawValue: reader.take())
    let cause = OversightCause(rawValue: reader.take())
    let statement: UInt32 = reader.take()
    let obligations: (UInt64, UInt64) = (reader.take(), reader.take())
    let (seconds, nanoseconds): (Int64, Int32) = (reader.take(), reader.take())
    guard let effect, let rank, let layer, let cause, !reader.isBroken,
      Value.timestamp(seconds: seconds, nanoseconds: nanoseconds).isWellFormed()
    else { return nil }
    return RecordedDecision(
      generation: generation, effect: effect, rank: rank, layer: layer, cause: cause, statement: statement,
      platformObligations: obligations.0, overlayObligations: obligations.1, seconds: seconds, nanoseconds: nanoseconds)
  }

  private init(
    generation: UInt64, effect: Effect, rank: DeciderRank, layer: Layer, cause: OversightCause, statement: UInt32,
    platformObligations: UInt64, overlayObligations: UInt64, seconds: Int64, nanoseconds: Int32
  ) {
    (self.generation, self.effect, self.rank, self.layer) = (generation, effect, rank, layer)
    (self.cause, self.statement, self.platformObligations) = (cause, statement, platformObligations)
    (self.overlayObligations, self.seconds, self.nanoseconds) = (overlayObligations, seconds, nanoseconds)
  }

  /// It was decided by a halt, and not by one of oversight's caps.
  public var isHalt: Bool { rank == .oversight && cause == .halt }

  /// Whether deciding again came to the same.
  public func agrees(with decision: Decision) -> Bool {
    effect == decision.effect && rank == decision.decider.rank && layer == decision.decider.layer
      && cause == decision.decider.cause && statement == decision.decider.statement
      && platformObligations == decision.platformObligations
      && overlayObligations == decision.overlayObligations
  }
}
