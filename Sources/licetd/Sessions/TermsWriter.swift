// A session's own terms -> entries of a{sv}, with the keys that it was opened with.

import Authority
import Bus
import Consultation
import Decision
import PolicyImage

enum TermsWriter {
  static func write(_ session: Session, _ entries: inout MessageWriter) {
    for root in ["user", "session"] as [StaticString] {
      guard let attributes = session.attributes, contains(attributes, root) else { continue }
      entries.entry(root, "a{sv}") { variant in
        variant.array("{sv}") { inner in
          attributes.forEach { name, value in
            guard let key = key(name, root) else { return }
            var entry = inner.openEntry()
            entry.append(key)
            append(value, &entry)
            inner.close(&entry)
          }
        }
      }
    }
    let level = session.level
    if !level.preferences.isEmpty { entries.entry("preferences", "a{ss}") { write(level.preferences, &$0) } }
    if !level.caps.isEmpty { entries.entry("caps", "a{ss}") { write(level.caps, &$0) } }
    if let behaviors = level.behaviors { entries.entry("behaviors", behaviors.sorted()) }
    if !level.resources.isEmpty { entries.entry("resources", level.resources.sorted()) }
    if let dial = level.dial { entries.entry("dial", dial.value) }
  }

  private static func write(_ effects: [String: Effect], _ writer: inout MessageWriter) {
    writer.array("{ss}") { list in
      for (name, effect) in effects.sorted(by: { $0.key < $1.key }) {
        var entry = list.openEntry()
        entry.append(name)
        entry.append(effect.name)
        list.close(&entry)
      }
    }
  }

  private static func contains(_ attributes: SessionAttributes, _ root: StaticString) -> Bool {
    var isThere = false
    attributes.forEach { name, _ in if key(name, root) != nil { isThere = true } }
    return isThere
  }

  /// The name behind "user." or "session.".
  private static func key(_ name: Name, _ root: StaticString) -> Name? {
    let length = root.utf8CodeUnitCount
    guard name.count > length, name[length] == UInt8(ascii: "."),
      name.prefix(length).elementsEqual(UnsafeRawBufferPointer(start: root.utf8Start, count: length))
    else { return nil }
    return Name(rebasing: name[(length + 1)...])
  }

  /// A variant, as it could be given again.
  private static func append(_ value: Value, _ writer: inout MessageWriter) {
    switch value.kind {
    case .bool: writer.variant("b") { $0.append(value.payload != 0) }
    case .int, .timestamp, .duration: writer.variant("x") { $0.append(value.asInt) }
    case .uint: writer.variant("t") { $0.append(value.payload) }
    case .double: writer.variant("d") { $0.append(value.asDouble) }
    case .string: writer.variant("s") { $0.append(value.borrowedBytes) }
    case .bytes: writer.variant("ay") { $0.append(bytes: value.borrowedBytes) }
    case .list: writer.variant("av") { list in list.array("v") { elements(value, &$0) } }
    // Keys may be of several kinds: in turn with their values.
    case .map:
      writer.variant("a(vv)") { list in
        list.array("(vv)") { inner in
          guard let all = value.borrowedElements else { return }
          for i in stride(from: 0, to: all.count, by: 2) {
            inner.structure {
              append(all[i], &$0)
              append(all[i + 1], &$0)
            }
          }
        }
      }
    default: writer.variant("s") { $0.append("") }
    }
  }

  private static func elements(_ value: Value, _ writer: inout MessageWriter) {
    for element in value.borrowedElements ?? UnsafeBufferPointer(start: nil, count: 0) { append(element, &writer) }
  }
}
