// The questions about sessions and their one answer, and the memory in which licetd says that a session has changed.

public import Decision
public import PolicyImage

/// 16 random bytes, as 32 hexadecimal digits. All zeros: none.
public struct SessionNumber: Hashable, BitwiseCopyable, Sendable {
  public var high: UInt64
  public var low: UInt64
  public static var none: SessionNumber { SessionNumber(high: 0, low: 0) }
  public static let digits = 32

  public init(high: UInt64, low: UInt64) { (self.high, self.low) = (high, low) }

  /// nil: not 32 digits, of which the letters are small.
  public init?(_ text: Name) {
    guard text.count == SessionNumber.digits else { return nil }
    self = .none
    for digit in text {
      let value: UInt8
      switch digit {
      case UInt8(ascii: "0")...UInt8(ascii: "9"): value = digit &- UInt8(ascii: "0")
      case UInt8(ascii: "a")...UInt8(ascii: "f"): value = digit &- UInt8(ascii: "a") &+ 10
      default: return nil
      }
      high = high &<< 4 | low &>> 60
      low = low &<< 4 | UInt64(value)
    }
  }

  /// Writes the digits; there is room for them.
  public func write(digits: UnsafeMutablePointer<UInt8>) {
    var i = 0
    while i < SessionNumber.digits {
      let word = i < 16 ? high : low
      let value = UInt8(truncatingIfNeeded: word &>> UInt64(60 &- (i & 15) &* 4)) & 15
      digits[i] = value < 10 ? UInt8(ascii: "0") &+ value : UInt8(ascii: "a") &+ value &- 10
      i &+= 1
    }
  }

  public func write(_ writer: inout WireWriter) {
    writer.put(high)
    writer.put(low)
  }

  public static func read(_ reader: inout WireReader) -> SessionNumber {
    SessionNumber(high: reader.take(), low: reader.take())
  }
}

/// A session, and what it held when something was decided in it.
public struct SessionMoment: Hashable, BitwiseCopyable, Sendable {
  public var id: SessionNumber
  /// 0: licetd decides, by what it holds now.
  public var version: UInt64
  public init(_ id: SessionNumber, version: UInt64) { (self.id, self.version) = (id, version) }
}

/// Words of 64 bits that licetd alone writes, for the sessions of one operator: each holds its session's version, which only
/// grows, also when the word is given to another one. Stored (release) after what it announces can be asked for.
public enum SessionRegion {
  public static let words = 131_072
  public static let size = words * 8
  /// "LICETSES", little-endian.
  public static let magic: UInt64 = 0x5345_5354_4543_494C
  public static let version: UInt64 = 1

  /// `magic`
  public static let magicWord = 0
  public static let versionWord = 1
  /// Which region it is; no other one has this number.
  public static let identity = 2
  /// The first one that a session has: a cache line further on.
  public static let first = 8
  /// No region's number: said by who lets licetd decide.
  public static let wantsNone = UInt64.max
}

/// The question of `openSession`: the beginning, which the lists follow: attributes (name, value), preferences and caps (name,
/// u8 effect), behaviours, resources.
public struct OpenQuestion {
  /// The region that the client has mapped; 0: none. `wantsNone`: it maps none.
  public var region: UInt64 = 0
  /// Who delegates.
  public var parent = SessionNumber.none
  public var isScoped = false
  /// Zero: it has none of its own.
  public var dial = Degree.zero
  /// The most that may be spent; 0: no bound.
  public var cost = 0.0
  /// Milliseconds; 0: no bound.
  public var lifetime: UInt64 = 0
  public var attributes = 0
  public var preferences = 0
  public var caps = 0
  public var behaviors = 0
  public var resources = 0
  public init() {}

  public func write(_ writer: inout WireWriter) {
    writer.put(region)
    parent.write(&writer)
    writer.put(UInt16(isScoped ? 1 : 0))
    writer.put(UInt16(truncatingIfNeeded: attributes))
    writer.put(UInt16(truncatingIfNeeded: preferences))
    writer.put(UInt16(truncatingIfNeeded: caps))
    writer.put(UInt16(truncatingIfNeeded: behaviors))
    writer.put(UInt16(truncatingIfNeeded: resources))
    writer.put(dial.millionths)
    writer.put(cost.bitPattern)
    writer.put(lifetime)
  }

  /// Counts are what is said; that so much follows is for who reads it. A cost may be any double.
  public static func read(_ reader: inout WireReader) -> OpenQuestion {
    var one = OpenQuestion()
    one.region = reader.take()
    one.parent = .read(&reader)
    let flags: UInt16 = reader.take()
    one.isScoped = flags & 1 != 0
    one.attributes = Int(reader.take(UInt16.self))
    one.preferences = Int(reader.take(UInt16.self))
    one.caps = Int(reader.take(UInt16.self))
    one.behaviors = Int(reader.take(UInt16.self))
    one.resources = Int(reader.take(UInt16.self))
    one.dial.millionths = reader.take()
    one.cost = Double(bitPattern: reader.take())
    one.lifetime = reader.take()
    if flags > 1 || one.dial >= .one || one.attributes > RequestLimits.attributes { reader.refuse() }
    return one
  }

  /// One preference or cap. No name is checked.
  public static func readEffect(_ reader: inout WireReader) -> (name: Name, effect: Effect) {
    let name = reader.text()
    let effect = Effect(rawValue: reader.take())
    if effect == nil { reader.refuse() }
    return (name, effect ?? .deny)
  }
}

/// The question of `session`: what a session holds.
public struct SessionQuestion {
  public var region: UInt64
  public var id: SessionNumber
  public init(region: UInt64, id: SessionNumber) { (self.region, self.id) = (region, id) }

  public func write(_ writer: inout WireWriter) {
    writer.put(region)
    id.write(&writer)
  }

  public static func read(_ reader: inout WireReader) -> SessionQuestion {
    SessionQuestion(region: reader.take(), id: .read(&reader))
  }
}

/// The question of `changeSession`.
public struct ChangeQuestion {
  public enum Kind: UInt8, Sendable { case preference = 0, dial = 1, spend = 2, close = 3 }
  public var session: SessionQuestion
  public var kind: Kind
  /// A preference; nil: there is none any more.
  public var effect: Effect?
  /// A dial in millionths, or the bits of a cost.
  public var number: UInt64
  /// Of a preference. Borrowed.
  public var behavior: Name

  public init(
    _ session: SessionQuestion, _ kind: Kind, effect: Effect? = nil, number: UInt64 = 0,
    behavior: Name = Name(start: nil, count: 0)
  ) {
    (self.session, self.kind, self.effect) = (session, kind, effect)
    (self.number, self.behavior) = (number, behavior)
  }

  public func write(_ writer: inout WireWriter) {
    session.write(&writer)
    writer.put(kind.rawValue)
    writer.put(effect?.rawValue ?? .max)
    writer.put(UInt16(0))
    writer.put(number)
    writer.put(behavior as Name?)
  }

  public static func read(_ reader: inout WireReader) -> ChangeQuestion {
    let session = SessionQuestion.read(&reader)
    let kind = Kind(rawValue: reader.take())
    let effect: UInt8 = reader.take()
    let reserved: UInt16 = reader.take()
    let one = ChangeQuestion(
      session, kind ?? .close, effect: Effect(rawValue: effect), number: reader.take(), behavior: reader.text())
    if kind == nil || reserved != 0 || (effect != .max && one.effect == nil) { reader.refuse() }
    return one
  }

  /// Of `dial`; nil: none that there is.
  public var dial: Degree? {
    number < UInt64(Degree.one.millionths) ? Degree(millionths: UInt32(truncatingIfNeeded: number)) : nil
  }
}

/// The answer to each of these questions, but that to a `close`, which is empty: what the session holds. The terms follow
/// (SessionTerms.swift), the attributes of its user and of itself (name, value), the halts.
public struct SessionAnswer {
  public var id: SessionNumber
  /// A descriptor of the region comes: the client has not mapped it.
  public var hasRegion = false
  /// The region in which it has its word; 0: it has none, and licetd decides in it, call by call.
  public var region: UInt64 = 0
  public var word: UInt32 = 0
  /// What the word is for as long as this holds.
  public var version: UInt64 = 0
  /// Nanoseconds that are left of its time; `UInt64.max`: for ever. And whose time that is: its own, or of one above it.
  public var left = UInt64.max
  public var timed = SessionNumber.none
  /// Thousandths of an attempt.
  public var suspicion: UInt32 = 0
  /// What may still be spent; infinity: it has no bound.
  public var unspent = Double.infinity
  public var attributes = 0
  public var halts = 0

  public init(_ id: SessionNumber) { self.id = id }

  public func write(_ writer: inout WireWriter) {
    id.write(&writer)
    writer.put(UInt16(hasRegion ? 1 : 0))
    writer.put(UInt16(truncatingIfNeeded: attributes))
    writer.put(UInt16(truncatingIfNeeded: halts))
    writer.put(UInt16(0))
    writer.put(region)
    writer.put(word)
    writer.put(suspicion)
    writer.put(version)
    writer.put(left)
    timed.write(&writer)
    writer.put(unspent.bitPattern)
  }

  public static func read(_ reader: inout WireReader) -> SessionAnswer {
    var one = SessionAnswer(.read(&reader))
    let flags: UInt16 = reader.take()
    one.hasRegion = flags & 1 != 0
    one.attributes = Int(reader.take(UInt16.self))
    one.halts = Int(reader.take(UInt16.self))
    let reserved: UInt16 = reader.take()
    one.region = reader.take()
    one.word = reader.take()
    one.suspicion = reader.take()
    one.version = reader.take()
    one.left = reader.take()
    one.timed = .read(&reader)
    one.unspent = Double(bitPattern: reader.take())
    let isPlaced = Int(one.word) >= SessionRegion.first && Int(one.word) < SessionRegion.words && one.version != 0
    if flags > 1 || reserved != 0 || one.id == .none || one.attributes > RequestLimits.attributes || one.unspent.isNaN
      || one.unspent < 0 || (one.region == 0 ? one.hasRegion || one.word != 0 || one.version != 0 : !isPlaced)
    {
      reader.refuse()
    }
    return one
  }
}

/// Where a session's attribute stands on this platform, and as what; nil: it declares no such one, or one of another type, so
/// that conditions miss it.
public func sessionSlot(_ name: Name, _ value: Value, in platform: Image) -> (slot: Int, value: Value)? {
  guard let slot = attributeSlot(name, in: platform), slot >= Int(BuiltInSlot.count),
    platform.attributes[slot].flags & AttributeRecord.isVerified == 0
  else { return nil }
  let converted = value.converted(for: slot, in: platform)
  return accepts(converted, slot: slot, in: platform) ? (slot, converted) : nil
}
