// Nodes -> fields: checks a mapping against the table of keys and says what is wrong with it. What comes out of here
// has the kind that the table promises; what was wrong is reported and left out.

internal import PolicyImage

/// A mapping's keys that the table knows.
struct Fields {
  struct Entry {
    var id: KeyID
    var key: NodeID
    var value: NodeID
    /// False: reported already, not to be used.
    var isValid: Bool
  }
  let node: NodeID
  var entries: [Entry] = []

  subscript(_ id: KeyID) -> NodeID? {
    for entry in entries where entry.id == id { return entry.isValid ? entry.value : nil }
    return nil
  }

  /// Written, be it right or wrong.
  func has(_ id: KeyID) -> Bool { entries.contains { $0.id == id } }
  func key(_ id: KeyID) -> NodeID? { entries.first { $0.id == id }?.key }
}

/// Checks one file's nodes.
struct Shape {
  let document: Document
  let layer: Layer
  let report: Report

  /// nil when `node` is no mapping (reported).
  func fields(_ node: NodeID, _ form: Form) -> Fields? {
    guard document.kind(node) == .mapping else {
      wrongType(node, "\(form.title) has to be a mapping (`key: value`)")
      return nil
    }
    var fields = Fields(node: node)
    fields.entries.reserveCapacity(4)
    let items = document.items(node)
    var index = items.startIndex
    while index + 1 < items.endIndex {
      take(items[index], items[index + 1], form, &fields)
      index += 2
    }
    for key in form.keys where key.required.contains(.only(layer)) && !fields.has(key.id) {
      report.error(
        .missingKey, document.location(node), "\(form.title) needs the key `\(key.id.rawValue)`", hint: key.doc)
    }
    return fields
  }

  private func take(_ keyNode: NodeID, _ value: NodeID, _ form: Form, _ fields: inout Fields) {
    let word = document.content(keyNode)
    guard document.kind(keyNode) == .scalar else { return }
    let named = form.keys.filter { $0.bytes.count == word.count && $0.bytes[...] == word }
    guard let key = named.first(where: { $0.layers.contains(.only(layer)) }) ?? named.first else {
      report.error(
        .unknownKey, document, keyNode, "\(form.title) has no key `\(document.string(keyNode))`",
        hint: unknownKeyHint(keyNode, form))
      return
    }
    var isValid = false
    if key.isReserved {
      report.error(
        .reservedKey, document, keyNode, "this version can't enforce `\(key.id.rawValue)` yet",
        hint: "ignoring it could allow what you mean to forbid, so a file that has it is not loaded")
    } else if !key.layers.contains(.only(layer)) {
      report.error(
        .keyOfOtherLayer, document, keyNode, Self.otherLayer(key.id, form, layer),
        hint: layer == .operator ? "it can stand in a platform file" : "it can stand in an operator's file")
    } else if !fields.has(key.id) {
      isValid = check(value, key.kind, name: key.id.rawValue)
    } else {
      return  // A duplicate key, which the composer reported.
    }
    fields.entries.append(.init(id: key.id, key: keyNode, value: value, isValid: isValid))
  }

  private func unknownKeyHint(_ node: NodeID, _ form: Form) -> String {
    let possible = form.keys.filter { !$0.isReserved && $0.layers.contains(.only(layer)) }.map(\.id.rawValue)
    return report.suggestion(for: document.string(node), from: possible)
      ?? "it can have " + possible.map { "`\($0)`" }.joined(separator: ", ")
  }

  private static func otherLayer(_ id: KeyID, _ form: Form, _ layer: Layer) -> String {
    switch id {
    case .allow, .ask, .deny: "only operators have settings; the platform states defaults, ceilings and limits"
    case .duty: "only the platform has duties: what a user is owed is not an operator's to say"
    case .during, .after: "settings have no period; a limit has `during`, a duty and a grant `after`"
    case .tier: "an operator's limits have no tier: they stand below all of the platform's"
    default: "`\(id.rawValue)` is no key of \(form.title) of the \(layer.rawValue) layer"
    }
  }

  // MARK: values

  /// Whether `node` is what `kind` asks for; reports if not. Mappings are looked into by `fields`.
  func check(_ node: NodeID, _ kind: ValueKind, name: String) -> Bool {
    switch kind {
    case .version: return checkVersion(node)
    case .text: return checkText(node, name)
    case .condition: return checkCondition(node, name)
    case .bool: return checkBool(node, name)
    case .number(let range): return checkNumber(node, range, name)
    case .dial: return checkDial(node, name, highest: .highestDial)
    case .dialAfter: return checkDial(node, name, highest: .one)
    case .whole(let range): return checkWhole(node, range, name)
    case .duration: return checkDuration(node, name)
    case .attempts: return checkAttempts(node, name)
    case .publicKey: return checkText(node, name) && checkPublicKey(node)
    case .day: return checkText(node, name) && checkDay(node, name)
    case .window: return checkWindow(node, name)
    case .name: return checkText(node, name) && checkName(node, name)
    case .behavior: return checkText(node, name) && checkBehavior(node)
    case .keyword(let words): return checkKeyword(node, words, name)
    case .list(let element): return checkList(node, element, name)
    case .table, .named: return checkMapping(node, name)
    // Counts and payoffs are looked at together with their groups (Populations.swift).
    case .attributeType, .attribute, .anything, .count, .payoff: return true
    }
  }

  func value(_ node: NodeID) -> ScalarValue { CoreSchema.resolve(document.node(node), document.content(node)) }

  func wrongType(_ node: NodeID, _ message: @autoclosure () -> String, hint: String? = nil) {
    report.error(.wrongType, document, node, message(), hint: hint)
  }

  private func checkVersion(_ node: NodeID) -> Bool {
    if document.kind(node) == .scalar, value(node) == .int(1) { return true }
    report.error(
      .badVersion, document, node, "this program reads version 1 of the policy language", hint: "write `licet: 1`")
    return false
  }

  private func checkText(_ node: NodeID, _ name: String) -> Bool {
    guard document.kind(node) == .scalar else {
      wrongType(node, "`\(name)` has to be text")
      return false
    }
    guard value(node) == .string else {
      let isEmpty = value(node) == .null
      wrongType(node, "`\(name)` has to be text", hint: isEmpty ? nil : "put it in quotes if it is meant as text")
      return false
    }
    if document.content(node).isEmpty {
      wrongType(node, "`\(name)` is empty")
      return false
    }
    return checkControls(node, name)
  }

  /// An escape in double quotes can bring in what the file itself can't hold.
  private func checkControls(_ node: NodeID, _ name: String) -> Bool {
    if document.content(node).contains(where: { ($0 < 0x20 && $0 != 0x0A && $0 != 0x09) || $0 == 0x7F }) {
      report.error(.yamlCharacter, document, node, "`\(name)` contains a control character", hint: "remove the escape")
      return false
    }
    return true
  }

  /// A condition may look like a number or a bool to YAML: `when: true`.
  private func checkCondition(_ node: NodeID, _ name: String) -> Bool {
    guard document.kind(node) == .scalar, !document.content(node).isEmpty, value(node) != .null else {
      wrongType(
        node, "`\(name)` has to be a condition", hint: "put a condition that begins with `{`, `[` or `!` in quotes")
      return false
    }
    return checkControls(node, name)
  }

  private func checkBool(_ node: NodeID, _ name: String) -> Bool {
    if case .bool = value(node) { return true }
    wrongType(node, "`\(name)` has to be true or false")
    return false
  }

  private func checkNumber(_ node: NodeID, _ range: ClosedRange<Double>, _ name: String) -> Bool {
    guard let number = number(node) else {
      wrongType(node, "`\(name)` has to be a number")
      return false
    }
    guard range.contains(number) else {
      report.error(
        .outOfRange, document, node, "`\(name)` has to be between \(range.lowerBound) and \(range.upperBound)")
      return false
    }
    return true
  }

  private func checkName(_ node: NodeID, _ name: String) -> Bool {
    if Names.isValid(document.content(node)) { return true }
    report.error(
      .badName, document, node, "`\(document.string(node))` is no name",
      hint: "names are letters, digits, `.`, `_` and `-`, begin with a letter or digit, and have at most "
        + "\(Bounds.nameBytes) bytes")
    return false
  }

  func checkBehavior(_ node: NodeID) -> Bool {
    if BehaviorName.isValid(document.string(node)) { return true }
    report.error(
      .badName, document, node, "`\(document.string(node))` is no behaviour's name",
      hint: "behaviours are dotted names such as `tool.shell.exec`: segments of a-z, 0-9, `-` and `_`, at most "
        + "\(BehaviorName.maximumDepth) of them")
    return false
  }

  private func checkKeyword(_ node: NodeID, _ words: [String], _ name: String) -> Bool {
    let content = document.content(node)
    if document.kind(node) == .scalar, words.contains(where: { $0.utf8.elementsEqual(content) }) { return true }
    guard document.kind(node) == .scalar else {
      wrongType(node, "`\(name)` has to be \(Self.list(words))")
      return false
    }
    report.error(
      .unknownValue, document, node, "`\(name)` can't be `\(document.string(node))`",
      hint: report.suggestion(for: document.string(node), from: words) ?? "it can be \(Self.list(words))")
    return false
  }

  private func checkList(_ node: NodeID, _ element: ValueKind, _ name: String) -> Bool {
    guard document.kind(node) == .sequence else {
      wrongType(node, "`\(name)` has to be a list", hint: "begin each item with `- `, or write `[a, b]`")
      return false
    }
    if case .table = element { return true }
    var isValid = true
    for item in document.items(node) where !check(item, element, name: name) { isValid = false }
    return isValid
  }

  private func checkMapping(_ node: NodeID, _ name: String) -> Bool {
    if document.kind(node) == .mapping { return true }
    wrongType(node, "`\(name)` has to be a mapping (`key: value`)")
    return false
  }

  static func list(_ words: [String]) -> String {
    if words.count == 1 { return "`\(words[0])`" }
    return words.dropLast().map { "`\($0)`" }.joined(separator: ", ") + " or `\(words.last ?? "")`"
  }

  // MARK: reading what was checked

  func number(_ node: NodeID) -> Double? {
    switch value(node) {
    case .int(let value): Double(value)
    case .double(let value): value
    default: nil
    }
  }

  func text(_ node: NodeID?) -> String? { node.map(document.string) }

  func effect(_ node: NodeID?) -> Effect? {
    guard let node else { return nil }
    switch document.content(node).first {
    case UInt8(ascii: "d"): return .deny
    case UInt8(ascii: "a"): return document.content(node).count == 3 ? .ask : .allow
    default: return nil
    }
  }
}

enum Names {
  static func isValid(_ bytes: ArraySlice<UInt8>) -> Bool {
    guard let first = bytes.first, isAlphanumeric(first), bytes.count <= Bounds.nameBytes else { return false }
    return bytes.allSatisfy {
      isAlphanumeric($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: ".")
    }
  }

  static func isAlphanumeric(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"):
      true
    default: false
    }
  }
}
