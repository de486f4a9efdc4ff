// `attributes:` -> declared attributes.

extension Shape {
  /// The type of an attribute and whether it is verified; nil when it is wrong (reported).
  func attribute(_ node: NodeID) -> (type: AttributeType, isVerified: Bool)? {
    guard document.kind(node) == .mapping, hasKey(node, .type) || !hasKey(node, .enum) else {
      return type(node).map { ($0, false) }
    }
    guard let fields = fields(node, .attribute), let typeNode = fields[.type], let type = type(typeNode) else {
      return nil
    }
    let isVerified = fields[.verified].map { value($0) == .bool(true) } ?? false
    return (type, isVerified)
  }

  private func hasKey(_ node: NodeID, _ id: KeyID) -> Bool {
    document.pairs(node).contains { id.rawValue.utf8.elementsEqual(document.content($0.key)) }
  }

  private func type(_ node: NodeID) -> AttributeType? {
    if document.kind(node) == .mapping { return enumeration(node) }
    guard check(node, .text, name: "type") else { return nil }
    let text = document.string(node)
    if let type = TypeParser.parse(text) { return type }
    report.error(
      .badType, document, node, "`\(text)` is no type",
      hint: report.suggestion(for: text, from: TypeParser.names)
        ?? "types are \(Self.list(TypeParser.names)), or `{enum: [a, b]}`; keys of maps are bool, int, uint or string")
    return nil
  }

  private func enumeration(_ node: NodeID) -> AttributeType? {
    guard let fields = fields(node, .enumeration), let list = fields[.enum] else { return nil }
    let values = document.items(list).map(document.string)
    guard !values.isEmpty, Set(values).count == values.count else {
      report.error(
        .badType, document, list, values.isEmpty ? "an enumeration needs a value" : "a value stands here twice")
      return nil
    }
    return .enumeration(values)
  }

  /// Whether `key` can be an attribute of `root`; reports if not.
  func checkAttributeName(_ key: NodeID, root: KeyID) -> Bool {
    let name = document.string(key)
    let qualified = "\(root.rawValue).\(name)"
    if BuiltInAttribute(rawValue: qualified) != nil {
      report.error(
        .builtInAttribute, document, key, "`\(qualified)` is built in", hint: "the authority itself gives it")
      return false
    }
    if Self.isIdentifier(document.content(key)) { return true }
    report.error(
      .badAttribute, document, key, "`\(name)` can't be an attribute's name",
      hint: "attributes are letters, digits and `_`, don't begin with a digit, are no reserved word of CEL, and have "
        + "at most \(Bounds.nameBytes) bytes")
    return false
  }

  private static let reservedWords: Set<String> = [
    "as", "break", "const", "continue", "else", "false", "for", "function", "if", "import", "in", "let", "loop",
    "namespace", "null", "package", "return", "true", "var", "void", "while",
  ]

  private static func isIdentifier(_ bytes: ArraySlice<UInt8>) -> Bool {
    guard let first = bytes.first, bytes.count <= Bounds.nameBytes else { return false }
    guard Names.isAlphanumeric(first) || first == UInt8(ascii: "_"), !(0x30...0x39).contains(first) else {
      return false
    }
    return bytes.allSatisfy { Names.isAlphanumeric($0) || $0 == UInt8(ascii: "_") }
      && !reservedWords.contains(String(decoding: bytes, as: UTF8.self))
  }
}
