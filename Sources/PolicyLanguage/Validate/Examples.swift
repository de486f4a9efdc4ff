// `examples:` of a rule -> typed requests.

internal import PolicyImage

extension StatementReader {
  func examples(_ node: NodeID?) -> [RequestExample] {
    guard let node, let fields = shape.fields(node, .examples) else { return [] }
    return list(fields[.match], isMatch: true) + list(fields[.noMatch], isMatch: false)
  }

  private func list(_ node: NodeID?, isMatch: Bool) -> [RequestExample] {
    guard let node else { return [] }
    return shape.document.items(node).compactMap { example($0, isMatch) }
  }

  private func example(_ node: NodeID, _ isMatch: Bool) -> RequestExample? {
    guard let fields = shape.fields(node, .example) else { return nil }
    var attributes: [String: ExampleValue] = [:]
    for root in [KeyID.user, .request, .session] {
      guard let given = fields[root] else { continue }
      for (key, value) in shape.document.pairs(given) {
        guard let (name, value) = attribute(key, value, root: root) else { continue }
        attributes[name] = value
      }
    }
    for (key, value) in fields[.counters].map({ Array(shape.document.pairs($0)) }) ?? [] {
      guard let (name, value) = counter(key, value) else { continue }
      attributes[name] = value
    }
    let source = shape.text(fields[.source]).flatMap { Words.sources.firstIndex(of: $0) }
    return RequestExample(
      isMatch: isMatch, behavior: shape.text(fields[.behavior]), resource: shape.text(fields[.resource]),
      source: source.flatMap { Source(rawValue: UInt8(truncatingIfNeeded: $0)) },
      argument: shape.text(fields[.argument]), now: shape.text(fields[.now]), attributes: attributes,
      location: shape.document.location(node))
  }

  private func counter(_ key: NodeID, _ node: NodeID) -> (String, ExampleValue)? {
    let name = shape.document.string(key)
    guard let scope, shape.check(node, .whole(0...Int(Int32.max)), name: name), let value = shape.whole(node) else {
      return nil
    }
    guard scope.counters.contains(name) else {
      shape.report.error(
        .unknownCounter, shape.document, key, "there is no counter `\(name)`",
        hint: shape.report.suggestion(for: name, from: scope.counters)
          ?? "the platform declares counters under `counters`")
      return nil
    }
    return (CounterDeclaration.variable(name), .int(Int64(value)))
  }

  private func attribute(_ key: NodeID, _ node: NodeID, root: KeyID) -> (String, ExampleValue)? {
    guard let scope else { return nil }
    let name = "\(root.rawValue).\(shape.document.string(key))"
    guard let attribute = scope.attributes[name] else {
      // Who the user is needs no declaration; conditions can't read it without one.
      if name == "user.id" { return nil }
      shape.report.error(
        .unknownAttribute, shape.document, key, "no attribute `\(name)` is declared",
        hint: shape.report.suggestion(for: name, from: scope.attributes.keys)
          ?? "the platform declares attributes under `attributes`")
      return nil
    }
    guard let value = typed(node, attribute.type) else {
      shape.report.error(
        .exampleType, shape.document, node, "this is no value of `\(name)`",
        related: .init(location: attribute.location, message: "its type is declared here"))
      return nil
    }
    return (name, value)
  }

  /// nil: not of that type.
  private func typed(_ node: NodeID, _ type: AttributeType) -> ExampleValue? {
    switch (type, shape.document.kind(node)) {
    case (.list(let element), .sequence):
      let items = shape.document.items(node)
      let values = items.compactMap { typed($0, element) }
      return values.count == items.count ? .list(values) : nil
    case (.dyn, .sequence): return typed(node, .list(.dyn))
    case (.map(let key, let value), .mapping):
      let pairs = shape.document.pairs(node)
      let entries = pairs.compactMap { pair -> ExampleValue.Entry? in
        guard let key = typed(pair.key, key), let value = typed(pair.value, value) else { return nil }
        return .init(key: key, value: value)
      }
      return entries.count == pairs.count ? .map(entries) : nil
    case (.dyn, .mapping): return typed(node, .map(.dyn, .dyn))
    case (_, .scalar): return scalar(node, type)
    default: return nil
    }
  }

  private func scalar(_ node: NodeID, _ type: AttributeType) -> ExampleValue? {
    switch (type, shape.value(node)) {
    case (.dyn, .null): .null
    case (.bool, .bool(let value)), (.dyn, .bool(let value)): .bool(value)
    case (.int, .int(let value)), (.dyn, .int(let value)): .int(value)
    case (.uint, .int(let value)): UInt64(exactly: value).map(ExampleValue.uint)
    case (.double, .int(let value)): .double(Double(value))
    case (.double, .double(let value)), (.dyn, .double(let value)): .double(value)
    case (.enumeration(let values), .string):
      values.contains(shape.document.string(node)) ? .string(shape.document.string(node)) : nil
    case (.string, .string), (.bytes, .string), (.timestamp, .string), (.duration, .string), (.dyn, .string):
      .string(shape.document.string(node))
    default: nil
    }
  }
}
