// Working memory of one decision: the request's attributes by slot, and room for lists that conditions build. Lies
// entirely in memory that the caller lends.

public import PolicyImage

/// One request's attributes and an arena, over lent memory. One thread at a time; reused from request to request.
public struct Frame {
  /// Attribute values by slot; absent where not given.
  public let slots: UnsafeMutablePointer<Value>
  /// The string ids of slots in the platform's image, then in the overlay's, as far as known: 0 not looked up yet,
  /// else id + 1 (none is `none + 1`, that is 0, so an unknown text is `unknownSymbol`).
  let symbols: UnsafeMutablePointer<UInt32>
  public let slotCount: Int
  /// Scratch for stacks, lists, maps and strings that conditions build.
  let arena: UnsafeMutableRawPointer
  let arenaSize: Int
  var arenaUsed: Int
  /// On whose instruction (DESIGN §1); the agent's own until `setSource`.
  public private(set) var source = Source.agent
  /// The session's own dial, below 1; zero: it has none. What delegates lower it to; one: they don't.
  public var sessionDial = Degree.zero
  public var dialCap = Degree.one
  /// How suspect whoever asks is (DESIGN §2.4): thousandths of an attempt.
  public var suspicion: UInt32 = 0
  /// The session's terms, or none. Lent until `reset`; `setSession` gives the dials as well.
  public private(set) var session: UnsafePointer<SessionTerms>?
  /// The policy's, for conditions; set at the beginning of a decision.
  var ended: UInt64 = 0

  static let unknownSymbol: UInt32 = 0xFFFF_FFFF

  /// Bytes that a frame for `slots` attributes needs with an arena of `arena` bytes.
  public static func size(slots: Int, arena: Int) -> Int { slots &* 24 &+ arena }

  /// Lays a frame into `memory` (16-byte aligned). nil when it is too small for `slots`.
  public init?(memory: UnsafeMutableRawBufferPointer, slots count: Int) {
    guard let base = memory.baseAddress, count >= 0, count <= ImageFormat.maximumSlots,
      memory.count >= Frame.size(slots: count, arena: 0)
    else { return nil }
    // SAFETY: both arrays and the arena lie inside `memory`, as just checked; each is bound once, here.
    slots = base.bindMemory(to: Value.self, capacity: count)
    symbols = (base + count &* 16).bindMemory(to: UInt32.self, capacity: count &* 2)
    slotCount = count
    arena = base + Frame.size(slots: count, arena: 0)
    arenaSize = memory.count &- Frame.size(slots: count, arena: 0)
    arenaUsed = 0
    reset()
  }

  /// Forgets every attribute.
  public mutating func reset() {
    var i = 0
    while i < slotCount {
      slots[i] = .absent
      symbols[i] = 0
      symbols[i &+ slotCount] = 0
      i &+= 1
    }
    arenaUsed = 0
    source = .agent
    sessionDial = .zero
    dialCap = .one
    suspicion = 0
    session = nil
  }

  /// Asks in this session, or in none.
  public mutating func setSession(_ terms: UnsafePointer<SessionTerms>?) {
    session = terms
    sessionDial = terms?.pointee.dial ?? .zero
    dialCap = terms?.pointee.dialCap ?? .one
  }

  /// A delegate has nobody's instruction but its own.
  @inline(__always)
  mutating func clampSource() {
    if let session, session.pointee.isDelegate, source.rawValue < Source.agent.rawValue { setSource(.agent) }
  }

  /// Says on whose instruction, to the dial and to conditions.
  public mutating func setSource(_ source: Source) {
    self.source = source
    let text: StaticString =
      switch source {
      case .platform: "platform"
      case .operator: "operator"
      case .user: "user"
      case .agent: "agent"
      case .untrusted: "untrusted"
      }
    set(
      Int(BuiltInSlot.source),
      .string(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)))
  }

  /// Room for values in the arena until the next reset; nil: it is full.
  mutating func lend(_ count: Int) -> UnsafeMutablePointer<Value>? {
    let start = BlobLayout.padded(arenaUsed)
    guard start <= arenaSize, count <= (arenaSize &- start) / 16 else { return nil }
    arenaUsed = start &+ count &* 16
    // SAFETY: inside the arena, whose used part nothing else writes.
    return (arena + start).bindMemory(to: Value.self, capacity: count)
  }

  /// Gives the attribute at `slot` a value; the caller has validated it.
  @inline(__always)
  public mutating func set(_ slot: Int, _ value: Value) {
    slots[slot] = value
    symbols[slot] = 0
    symbols[slot &+ slotCount] = 0
  }
}
