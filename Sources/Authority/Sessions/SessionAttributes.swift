// What a session says of its user and of itself ("user.id", "session.purpose"), copied once into one block of memory, from
// where each decision takes it.

public import Decision
public import PolicyImage

/// Immutable; thread-safe.
public final class SessionAttributes: @unchecked Sendable {
  /// Attributes of one session.
  public static let maximum = 256

  private struct Entry {
    var name: Name
    var value: Value
  }

  // SAFETY: written in `init` alone, freed in `deinit`.
  private let memory: UnsafeMutableRawBufferPointer
  private let count: Int
  private let entries: UnsafeMutablePointer<Entry>

  /// Copies them; values are well-formed (`Value.isWellFormed`).
  public init(copying attributes: [(name: Name, value: Value)]) {
    count = attributes.count
    var values = attributes.count * MemoryLayout<Entry>.stride
    var texts = 0
    for one in attributes {
      texts += one.name.count
      SessionAttributes.measure(one.value, &values, &texts)
    }
    memory = .allocate(byteCount: max(values + texts, 1), alignment: 16)
    var space = Space(memory, texts: values)
    entries = space.take(Entry.self, attributes.count)
    for (i, one) in attributes.enumerated() {
      (entries + i).initialize(to: Entry(name: space.keep(one.name), value: space.keep(one.value)))
    }
  }

  deinit { memory.deallocate() }

  public var byteCount: Int { memory.count }

  /// Borrowed: as long as this object.
  public func forEach(_ body: (Name, Value) -> Void) {
    for i in 0..<count { body(entries[i].name, entries[i].value) }
  }

  /// The attribute with this name.
  public subscript(_ name: StaticString) -> Value? {
    for i in 0..<count where equal(entries[i].name, name) { return entries[i].value }
    return nil
  }

  public func contains(_ name: Name) -> Bool {
    (0..<count).contains { entries[$0].name.elementsEqual(name) }
  }

  /// Gives them to a request. What this platform doesn't declare, or declares of another type than when the session was
  /// opened, isn't given: a condition that reads it fails, which never loosens.
  public func set(in frame: inout Frame, _ platform: Image) {
    for i in 0..<count {
      guard let slot = attributeSlot(entries[i].name, in: platform), slot >= Int(BuiltInSlot.count),
        platform.attributes[slot].flags & AttributeRecord.isVerified == 0
      else { continue }
      let value = entries[i].value.converted(for: slot, in: platform)
      if accepts(value, slot: slot, in: platform) { frame.set(slot, value) }
    }
  }

  private func equal(_ bytes: Name, _ text: StaticString) -> Bool {
    bytes.elementsEqual(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
  }

  private static func measure(_ value: Value, _ values: inout Int, _ texts: inout Int) {
    switch value.kind {
    case .string, .bytes: texts += Int(value.length)
    case .list, .map:
      for element in elements(value) {
        values += MemoryLayout<Value>.stride
        measure(element, &values, &texts)
      }
    default: break
    }
  }

  private static func elements(_ value: Value) -> UnsafeBufferPointer<Value> {
    value.borrowedElements ?? UnsafeBufferPointer(start: nil, count: 0)
  }

  /// The block while it is filled: what has to be aligned first, then texts.
  private struct Space {
    private let base: UnsafeMutableRawPointer
    private var (nextValue, nextText): (UnsafeMutableRawPointer, UnsafeMutableRawPointer)

    init(_ memory: UnsafeMutableRawBufferPointer, texts: Int) {
      guard let base = memory.baseAddress else { preconditionFailure("no memory of a size above 0") }
      self.base = base
      (nextValue, nextText) = (base, base + texts)
    }

    mutating func take<T>(_ type: T.Type, _ count: Int) -> UnsafeMutablePointer<T> {
      // SAFETY: `measure` counted these, and each part is bound once.
      defer { nextValue += count * MemoryLayout<T>.stride }
      return nextValue.bindMemory(to: T.self, capacity: count)
    }

    mutating func keep(_ text: Name) -> Name {
      let own = UnsafeMutableRawBufferPointer(start: nextText, count: text.count)
      own.copyMemory(from: text)
      nextText += text.count
      return Name(own)
    }

    mutating func keep(_ value: Value) -> Value {
      switch value.kind {
      case .string: return .string(keep(value.borrowedBytes))
      case .bytes: return .bytes(keep(value.borrowedBytes))
      case .list, .map:
        let all = SessionAttributes.elements(value)
        let own = take(Value.self, all.count)
        for (i, element) in all.enumerated() { (own + i).initialize(to: keep(element)) }
        let copy = UnsafeBufferPointer(start: UnsafePointer(own), count: all.count)
        return value.kind == .list ? .list(copy) : .map(copy)
      default: return value
      }
    }
  }
}
