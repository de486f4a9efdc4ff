// The table of keys as JSON Schema (draft 2020-12), so that editors complete and check while one types. It knows the
// shape of a file; what depends on other files (declared names, ceilings, conditions) only `licet validate` knows.

internal import PolicyImage

/// The JSON Schema of a policy file of either layer.
public func schema() -> String {
  let layers: [Layer] = [.platform, .operator]
  var definitions: [(String, JSONValue)] = []
  for layer in layers {
    for form in Form.allCases where form.keys.contains(where: { $0.isOpen(to: layer) }) {
      definitions.append((definitionName(form, layer), object(form, layer)))
    }
  }
  let document = JSONValue.object([
    ("$schema", .string("https://json-schema.org/draft/2020-12/schema")),
    ("title", .string("Licet policy file")),
    ("oneOf", .array(layers.map { .object([reference(.file, $0)]) })),
    ("$defs", .object(definitions)),
  ])
  return document.indented() + "\n"
}

extension Key {
  fileprivate func isOpen(to layer: Layer) -> Bool { !isReserved && layers.contains(.only(layer)) }
}

private func definitionName(_ form: Form, _ layer: Layer) -> String { "\(layer.rawValue)-\(form.rawValue)" }

private func reference(_ form: Form, _ layer: Layer) -> (String, JSONValue) {
  ("$ref", .string("#/$defs/\(definitionName(form, layer))"))
}

private func object(_ form: Form, _ layer: Layer) -> JSONValue {
  let keys = form.keys.filter { $0.isOpen(to: layer) }
  let properties = keys.map { key in
    let kind: ValueKind = key.id == .layer ? .keyword([layer.rawValue]) : key.kind
    return (key.id.rawValue, JSONValue.object([("description", .string(key.doc))] + fields(kind, layer)))
  }
  var result: [(String, JSONValue)] = [
    ("type", .string("object")), ("additionalProperties", .bool(false)), ("properties", .object(properties)),
  ]
  let required = keys.filter { $0.required.contains(.only(layer)) }.map { JSONValue.string($0.id.rawValue) }
  if !required.isEmpty { result.append(("required", .array(required))) }
  if form == .rule { result += ruleFields(layer) }
  return .object(result)
}

/// Exactly one kind of statement; `to` with those that need it.
private func ruleFields(_ layer: Layer) -> [(String, JSONValue)] {
  let kinds = Form.rule.keys.filter { $0.isOpen(to: layer) && Form.ruleKinds.contains($0.id) }
  let alternatives = kinds.map { key -> JSONValue in
    let names = Form.kindsWithTo.contains(key.id) ? [key.id, .to] : [key.id]
    var fields: [(String, JSONValue)] = [("required", .array(names.map { .string($0.rawValue) }))]
    if names.count == 1 { fields.append(("properties", .object([(KeyID.to.rawValue, .bool(false))]))) }
    return .object(fields)
  }
  return [("oneOf", .array(alternatives))]
}

private func fields(_ kind: ValueKind, _ layer: Layer) -> [(String, JSONValue)] {
  switch kind {
  case .version: return [("const", .int(1))]
  case .text: return [("type", .string("string")), ("minLength", .int(1))]
  case .condition: return [("type", .array([.string("string"), .string("boolean")]))]
  case .bool: return [("type", .string("boolean"))]
  case .number(let range):
    return [
      ("type", .string("number")), ("minimum", .number(range.lowerBound)), ("maximum", .number(range.upperBound)),
    ]
  case .dial:
    return [
      ("type", .string("number")), ("exclusiveMinimum", .int(0)), ("maximum", .number(Degree.highestDial.value)),
    ]
  case .dialAfter:
    return [("type", .string("number")), ("exclusiveMinimum", .int(0)), ("exclusiveMaximum", .int(1))]
  case .whole(let range):
    return [("type", .string("integer")), ("minimum", .int(range.lowerBound)), ("maximum", .int(range.upperBound))]
  case .duration: return [("type", .string("string")), ("pattern", .string("^[0-9]+[smhd]$"))]
  case .attempts:
    return [("type", .string("number")), ("exclusiveMinimum", .int(0)), ("maximum", .int(1_000_000))]
  case .publicKey: return [("type", .string("string")), ("pattern", .string("^ed25519:[A-Za-z0-9+/]{43}=$"))]
  case .day: return [("type", .string("string")), ("pattern", .string("^[0-9]{4}-[0-9]{2}-[0-9]{2}$"))]
  case .window: return [("type", .string("string")), ("pattern", .string("^[0-9]{1,9}[smhdw]$"))]
  case .name: return [("type", .string("string")), ("pattern", .string(namePattern))]
  case .behavior: return [("type", .string("string")), ("pattern", .string(behaviorPattern))]
  case .keyword(let words): return [("enum", .array(words.map(JSONValue.string)))]
  case .list(let element): return [("type", .string("array")), ("items", .object(fields(element, layer)))]
  case .table(let form): return [reference(form, layer)]
  case .named(let value): return named(value, layer)
  case .attributeType: return [("anyOf", .array([typeName, .object([reference(.enumeration, layer)])]))]
  case .attribute:
    return [
      ("anyOf", .array([typeName, .object([reference(.enumeration, layer)]), .object([reference(.attribute, layer)])]))
    ]
  case .count:
    return [
      ("type", .string("integer")), ("minimum", .int(1)), ("maximum", .number(Double(Population.maximumCount))),
    ]
  case .payoff: return [("type", .string("number"))]
  case .anything: return []
  }
}

private func named(_ value: ValueKind, _ layer: Layer) -> [(String, JSONValue)] {
  var element = JSONValue.object(fields(value, layer))
  var result: [(String, JSONValue)] = [("type", .string("object"))]
  if case .table(.behavior) = value {
    // A behaviour may state nothing: `tool.shell:`.
    element = .object([("anyOf", .array([element, .object([("type", .string("null"))])]))])
    result.append(("propertyNames", .object([("pattern", .string(behaviorPattern))])))
  }
  switch value {
  case .named(.count): result.append(("propertyNames", .object([("pattern", .string(behaviorPattern))])))
  case .named(.payoff): result.append(("propertyNames", .object([("pattern", .string(responsePattern))])))
  case .count, .payoff, .table(.counter): result.append(("propertyNames", .object([("pattern", .string(namePattern))])))
  default: break
  }
  return result + [("additionalProperties", element)]
}

private let namePattern = "^[A-Za-z0-9][A-Za-z0-9._-]*$"

private let responsePattern =
  "^ *(deny|ask|allow)( +with +[A-Za-z0-9][A-Za-z0-9._-]* *(, *[A-Za-z0-9][A-Za-z0-9._-]* *)*)? *$"

private let behaviorPattern = "^[a-z0-9][a-z0-9_-]*(\\.[a-z0-9][a-z0-9_-]*)*$"

private let typeName = JSONValue.object([
  ("type", .string("string")),
  ("pattern", .string("^ *(bool|int|uint|double|string|bytes|timestamp|duration|dyn|list *<.*>|map *<.*>) *$")),
])
