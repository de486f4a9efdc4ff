// What a session is opened or delegated with, from a{sv}: every key is known and said once, every name and number is one that
// a session can have, and attributes are of the types that the platform declares.

import Authority
import Bus
import Consultation
import Decision
import PolicyImage

/// What terms may say.
enum TermsKey: String, CaseIterable {
  case user, session, preferences, caps, behaviors, resources, dial, cost, lifetime = "lifetime-ms"
}

extension DecisionPoint {
  /// Reads a{sv}. `isDelegate`: attributes are its root's.
  func readTerms(_ reader: inout MessageReader, isDelegate: Bool) throws(Refusal) -> OpeningTerms {
    defer { scratch.empty() }
    var terms = OpeningTerms()
    var attributes: [(name: Name, value: Value)] = []
    // Qualified names, for as long as they are copied from.
    var kept: [UnsafeMutableRawBufferPointer] = []
    defer { for one in kept { one.deallocate() } }
    var seen: Set<TermsKey> = []
    var entries = try reading { () throws(ReadError) in try reader.nextArray(of: .entry) }
    while !entries.atEnd {
      var value = entries
      let text = try reading { () throws(ReadError) in
        var entry = try entries.nextEntry()
        let text = try entry.nextSwiftString()
        value = try entry.nextVariant()
        return text
      }
      guard let key = TermsKey(rawValue: text) else { throw unknown(text) }
      guard seen.insert(key).inserted else { throw Refusal(.badRequest, "terms: `\(text)` is said twice") }
      switch key {
      case .user, .session:
        guard !isDelegate else {
          throw Refusal(.badRequest, "terms: \(text): a delegate's attributes are its root's; leave them out")
        }
        try readAttributes("\(text).", &value, &attributes, &kept)
      case .preferences: terms.level.preferences = try effects(text, &value)
      case .caps: terms.level.caps = try effects(text, &value)
      case .behaviors: terms.level.behaviors = try texts(text, &value)
      case .resources: terms.level.resources = try texts(text, &value)
      case .dial: terms.level.dial = try DecisionPoint.dial(try number(text, &value))
      case .cost: terms.cost = try number(text, &value)
      case .lifetime: terms.lifetime = try milliseconds(text, &value)
      }
    }
    if !attributes.isEmpty { terms.attributes = SessionAttributes(copying: attributes) }
    return terms
  }

  private func unknown(_ text: String) -> Refusal {
    let keys = TermsKey.allCases.map(\.rawValue)
    let near = keys.max { shared($0, text) < shared($1, text) } ?? ""
    let hint = shared(near, text) * 2 >= min(near.utf8.count, text.utf8.count) ? "did you mean `\(near)`? " : ""
    return Refusal(
      .badRequest, "terms: `\(text.prefix(80))` is no key of them; \(hint)they are \(keys.joined(separator: ", "))")
  }

  private func shared(_ a: String, _ b: String) -> Int { zip(a.utf8, b.utf8).prefix { $0 == $1 }.count }

  /// A dial as a session has it, rounded down.
  static func dial(_ number: Double) throws(Refusal) -> Degree {
    guard number > 0, number < 1, let dial = Degree(number, up: false), dial > .zero else {
      throw Refusal(.badDial, "dial: strictly between 0 and 1, and no less than a millionth; \(number) is not")
    }
    return dial
  }

  private func number(_ key: String, _ value: inout MessageReader) throws(Refusal) -> Double {
    guard value.type == .double, let number = try? value.nextDouble() else {
      throw Refusal(.wrongType, "terms: \(key): a double is wanted")
    }
    return number
  }

  private func milliseconds(_ key: String, _ value: inout MessageReader) throws(Refusal) -> UInt64 {
    switch value.type {
    case .uint64: if let number = try? value.nextUInt64() { return number }
    case .uint32: if let number = try? value.nextUInt32() { return UInt64(number) }
    default: break
    }
    throw Refusal(.wrongType, "terms: \(key): milliseconds as t or u are wanted")
  }

  private func effects(_ key: String, _ value: inout MessageReader) throws(Refusal) -> [String: Effect] {
    guard value.signature == "a{ss}" else { throw Refusal(.wrongType, "terms: \(key): a{ss} is wanted") }
    var found: [String: Effect] = [:]
    var entries = try reading { () throws(ReadError) in try value.nextArray(of: .entry) }
    while !entries.atEnd {
      let (name, word) = try reading { () throws(ReadError) in
        var entry = try entries.nextEntry()
        return (try entry.nextSwiftString(), try entry.nextSwiftString())
      }
      guard let effect = Effect(named: word) else {
        throw Refusal(.badRequest, "terms: \(key): `\(word.prefix(80))` is none of deny, ask, allow")
      }
      guard found.updateValue(effect, forKey: name) == nil else {
        throw Refusal(.badRequest, "terms: \(key): `\(name.prefix(80))` is said twice")
      }
      guard found.count <= SessionLevel.names else {
        throw Refusal(.tooMany, "terms: \(key): at most \(SessionLevel.names)")
      }
    }
    return found
  }

  private func texts(_ key: String, _ value: inout MessageReader) throws(Refusal) -> Set<String> {
    guard value.signature == "as" else { throw Refusal(.wrongType, "terms: \(key): as is wanted") }
    var found: Set<String> = []
    var list = try reading { () throws(ReadError) in try value.nextArray(of: .string) }
    while !list.atEnd {
      found.insert(try reading { () throws(ReadError) in try list.nextSwiftString() })
      guard found.count <= SessionLevel.names else {
        throw Refusal(.tooMany, "terms: \(key): at most \(SessionLevel.names)")
      }
    }
    return found
  }

  private func readAttributes(
    _ root: String, _ value: inout MessageReader, _ found: inout [(name: Name, value: Value)],
    _ kept: inout [UnsafeMutableRawBufferPointer]
  ) throws(Refusal) {
    guard value.signature == "a{sv}" else { throw Refusal(.wrongType, "terms: \(root.dropLast()): a{sv} is wanted") }
    guard let platform = generation.platform?.image else {
      throw Refusal(.notBound, "no platform is in force, which would say what attributes there are")
    }
    var entries = try reading { () throws(ReadError) in try value.nextArray(of: .entry) }
    while !entries.atEnd {
      var content = entries
      let key = try reading { () throws(ReadError) in
        var entry = try entries.nextEntry()
        let key = try entry.nextString()
        content = try entry.nextVariant()
        return key
      }
      guard key.count <= 256, found.count < SessionAttributes.maximum else {
        throw Refusal(
          .tooMany,
          "terms: \(root)\(shown(key)): at most \(SessionAttributes.maximum) attributes, of names of 256 bytes")
      }
      let name = UnsafeMutableRawBufferPointer.allocate(byteCount: root.utf8.count + key.count, alignment: 1)
      kept.append(name)
      name.copyBytes(from: Array(root.utf8) + key)
      let (_, read) = try attribute(Name(name), &content, ValueReader(image: platform, scratch: scratch))
      guard !found.contains(where: { $0.name.elementsEqual(name) }) else {
        throw Refusal(.badRequest, "terms: \(shown(Name(name))) is said twice")
      }
      found.append((Name(name), read))
    }
  }
}

extension Effect {
  init?(named word: String) {
    guard let found = Effect.allCases.first(where: { $0.name == word }) else { return nil }
    self = found
  }
}
