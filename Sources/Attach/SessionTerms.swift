// A session's terms <-> bytes: what liblicet decides by in process.
//
//   u8 flags (1: scoped, 2: a delegate's), u8 0, u16 names, u16 patterns, u16 0, u32 dial, u32 dial's cap (millionths),
//   the names (u8 kind, u8 effect, text), the patterns (u16 group, text)

public import Decision
internal import PolicyImage

/// Bounds, the same for every way of asking.
public enum SessionLimits {
  /// Names of all kinds in a session and all that it was delegated by; patterns alike.
  public static let names = 1024
  /// Bytes of a pattern.
  public static let pattern = 1024
}

extension SessionTerms {
  public func write(_ writer: inout WireWriter) {
    writer.put((isScoped ? 1 : 0) | (isDelegate ? 2 : 0) as UInt8)
    writer.put(UInt8(0))
    writer.put(UInt16(truncatingIfNeeded: terms.count))
    writer.put(UInt16(truncatingIfNeeded: resources.count))
    writer.put(UInt16(0))
    writer.put(dial.millionths)
    writer.put(dialCap.millionths)
    for term in terms {
      writer.put(term.kind.rawValue)
      writer.put(term.effect.rawValue)
      writer.put(term.name as Name?)
    }
    for pattern in resources {
      writer.put(UInt16(truncatingIfNeeded: pattern.group))
      writer.put(pattern.text as Name?)
    }
  }

  /// Reads what `write` wrote into lent memory, which has room for `SessionLimits.names` of both; texts stay the
  /// message's. What makes no sense, or is out of order, breaks the reader.
  public static func read(
    _ reader: inout WireReader, _ terms: UnsafeMutablePointer<SessionTerm>,
    _ resources: UnsafeMutablePointer<ResourcePattern>
  ) -> SessionTerms {
    let flags: UInt8 = reader.take()
    let reserved: UInt8 = reader.take()
    let (names, patterns) = (Int(reader.take(UInt16.self)), Int(reader.take(UInt16.self)))
    let reserved1: UInt16 = reader.take()
    let dial = Degree(millionths: reader.take())
    let dialCap = Degree(millionths: reader.take())
    if flags > 3 || reserved != 0 || reserved1 != 0 || dial >= .one || dialCap > .one || dialCap == .zero
      || names > SessionLimits.names || patterns > SessionLimits.names
    {
      reader.refuse()
    }
    var i = 0
    while i < names, !reader.isBroken {
      let (kind, effect) = (SessionTerm.Kind(rawValue: reader.take()), Effect(rawValue: reader.take()))
      let name = reader.text()
      guard let kind, let effect, isBehaviorName(name) else {
        reader.refuse()
        break
      }
      if i > 0 {
        let last = terms[i &- 1]
        let isSame = !nameLess(last.name, name) && !nameLess(name, last.name)
        if nameLess(name, last.name) || (isSame && kind.rawValue <= last.kind.rawValue) { reader.refuse() }
      }
      (terms + i).initialize(to: SessionTerm(kind, name, effect))
      i &+= 1
    }
    var k = 0
    while k < patterns, !reader.isBroken {
      let group: UInt16 = reader.take()
      let text = reader.text()
      if text.count == 0 || text.count > SessionLimits.pattern || (k > 0 && UInt32(group) < resources[k &- 1].group) {
        reader.refuse()
      }
      (resources + k).initialize(to: ResourcePattern(group: UInt32(group), text: text))
      k &+= 1
    }
    if reader.isBroken { return SessionTerms() }
    return SessionTerms(
      terms: UnsafeBufferPointer(start: terms, count: names),
      resources: UnsafeBufferPointer(start: resources, count: patterns), isScoped: flags & 1 != 0,
      isDelegate: flags & 2 != 0, dial: dial, dialCap: dialCap)
  }
}
