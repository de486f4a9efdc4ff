// A request <-> bytes: what liblicet asks, call by call, when licetd is to decide. Attributes go by name, because a remote
// client knows nothing of the platform's slots.
//
//   u8 flags (1: explain, 2: in a session), u8 source, u8 preference (255: none), u8 0, u16 behaviours, u16 attributes,
//   in a session its id (2 × u64) and the version that decided (u64; 0: the one that there is), resource or none, argument or none, the behaviours, then for each attribute its name and its value
//   value: u8 kind, then what the kind has: u8, 64 bits, a text, or u32 count and so many values (twice for a map)

public import Decision
public import PolicyImage

/// Bounds of a request, the same for every way of asking (include/licet.h).
public enum RequestLimits {
  public static let behaviors = 256
  /// Bytes of a text.
  public static let text = 64 << 10
  public static let attributes = 4096
  /// Lists and maps within each other.
  public static let depth = 16
}

/// Everything of a request but its behaviours and attributes. Texts are borrowed.
public struct RequestHead {
  public var isExplaining = false
  public var source = Source.agent
  public var preference: Effect?
  public var resource: Name?
  public var argument: Name?
  /// From version 3 on.
  public var session: SessionMoment?
  public init() {}

  /// The beginning, up to the behaviours; names and attributes follow.
  public func write(behaviors: Int, attributes: Int, _ writer: inout WireWriter) {
    writer.put((isExplaining ? 1 : 0) | (session == nil ? 0 : 2) as UInt8)
    writer.put(source.rawValue)
    writer.put(preference?.rawValue ?? .max)
    writer.put(UInt8(0))
    writer.put(UInt16(truncatingIfNeeded: behaviors))
    writer.put(UInt16(truncatingIfNeeded: attributes))
    if let session {
      session.id.write(&writer)
      writer.put(session.version)
    }
    writer.put(resource)
    writer.put(argument)
  }

  /// Reads that beginning; the counts are within their bounds unless the reader is broken.
  public static func read(_ reader: inout WireReader) -> (head: RequestHead, behaviors: Int, attributes: Int) {
    var head = RequestHead()
    let flags: UInt8 = reader.take()
    let source = Source(rawValue: reader.take())
    let preference: UInt8 = reader.take()
    let reserved: UInt8 = reader.take()
    let behaviors = Int(reader.take(UInt16.self))
    let attributes = Int(reader.take(UInt16.self))
    head.isExplaining = flags & 1 != 0
    if flags & 2 != 0 {
      let session = SessionMoment(.read(&reader), version: reader.take())
      if session.id == .none { reader.refuse() }
      head.session = session
    }
    head.preference = Effect(rawValue: preference)
    head.resource = reader.optionalText()
    head.argument = reader.optionalText()
    if let source { head.source = source } else { reader.refuse() }
    if flags > 3 || reserved != 0 || (preference != .max && head.preference == nil)
      || attributes > RequestLimits.attributes
    {
      reader.refuse()
    }
    return (head, behaviors, attributes)
  }
}

extension Value {
  /// Writes a value that was checked: kinds and depth are in their ranges.
  public func write(_ writer: inout WireWriter) {
    writer.put(kind.rawValue)
    switch kind {
    case .bool: writer.put(UInt8(truncatingIfNeeded: payload))
    case .int, .uint, .double: writer.put(payload)
    case .timestamp, .duration:
      writer.put(payload)
      writer.put(length)
    case .string, .bytes: writer.put(borrowedBytes as Name?)
    case .list, .map:
      writer.put(length)
      guard let elements = borrowedElements else { return }
      for element in elements { element.write(&writer) }
    default: break
    }
  }

  /// Reads a value whose lists and maps take `pool`, from `used` on. Texts are checked to be UTF-8, numbers of times to be
  /// in their ranges; what makes no sense breaks the reader.
  public static func read(
    _ reader: inout WireReader, _ pool: UnsafeMutableBufferPointer<Value>, _ used: inout Int, depth: Int = 0
  ) -> Value {
    switch ValueKind(rawValue: reader.take()) {
    case .null: return .null
    case .bool:
      let truth: UInt8 = reader.take()
      if truth > 1 { reader.refuse() }
      return .bool(truth == 1)
    case .int: return .int(reader.take())
    case .uint: return .uint(reader.take())
    case .double: return Value(kind: .double, payload: reader.take())
    case .string: return checked(.string(reader.text()), &reader)
    case .bytes: return .bytes(reader.text())
    case .timestamp:
      return checked(.timestamp(seconds: reader.take(), nanoseconds: reader.take()), &reader)
    case .duration: return checked(.duration(seconds: reader.take(), nanoseconds: reader.take()), &reader)
    case .list: return elements(.list, 1, &reader, pool, &used, depth)
    case .map: return elements(.map, 2, &reader, pool, &used, depth)
    default:
      reader.refuse()
      return .null
    }
  }

  private static func checked(_ value: Value, _ reader: inout WireReader) -> Value {
    if !reader.isBroken, !value.isWellFormed() { reader.refuse() }
    return value
  }

  private static func elements(
    _ kind: ValueKind, _ step: Int, _ reader: inout WireReader, _ pool: UnsafeMutableBufferPointer<Value>,
    _ used: inout Int, _ depth: Int
  ) -> Value {
    let length: UInt32 = reader.take()
    let count = Int(length) &* step
    // Each takes a byte at least.
    guard depth < RequestLimits.depth, count <= reader.left, count <= pool.count &- used else {
      reader.refuse()
      return .null
    }
    let first = used
    used &+= count
    var i = 0
    while i < count, !reader.isBroken {
      pool[first &+ i] = read(&reader, pool, &used, depth: depth &+ 1)
      i &+= 1
    }
    guard !reader.isBroken else { return .null }
    let part = UnsafeBufferPointer(rebasing: UnsafeBufferPointer(pool)[first..<first &+ count])
    return kind == .list ? .list(part) : .map(part)
  }
}
