// Attribute types: as policy files write them, and as CEL knows them.

public import CEL

/// The CEL type of an attribute; enumerations are strings there.
public func celType(of type: AttributeType) -> CELType {
  switch type {
  case .bool: .bool
  case .int: .int
  case .uint: .uint
  case .double: .double
  case .string, .enumeration: .string
  case .bytes: .bytes
  case .timestamp: .timestamp
  case .duration: .duration
  case .dyn: .dyn
  case .list(let element): .list(celType(of: element))
  case .map(let key, let value): .map(celType(of: key), celType(of: value))
  }
}

/// What conditions can read: the built-in attributes and the declared ones. `argument`, `session.dial` and counters are among
/// them only for limits (DESIGN §2.3).
public func environment(for attributes: [Attribute], counters: Set<String> = [], isLimit: Bool) -> Environment {
  var variables: [String: Variable] = [:]
  for attribute in attributes { variables[attribute.name] = variable(of: attribute.type) }
  for builtIn in BuiltInAttribute.allCases where isLimit || !(builtIn == .argument || builtIn == .sessionDial) {
    variables[builtIn.rawValue] = variable(of: builtIn.type)
  }
  return Environment(variables: variables, counters: isLimit ? counters : nil)
}

private func variable(of type: AttributeType) -> Variable {
  guard case .enumeration(let values) = type else { return Variable(celType(of: type)) }
  return Variable(.string, values: values)
}

/// `list<map<string, int>>` -> the type. Depth is bounded by `Bounds.typeDepth`.
struct TypeParser {
  private static let simple: [String: AttributeType] = [
    "bool": .bool, "int": .int, "uint": .uint, "double": .double, "string": .string, "bytes": .bytes,
    "timestamp": .timestamp, "duration": .duration, "dyn": .dyn,
  ]
  static let names = simple.keys.sorted() + ["list<T>", "map<K, V>"]

  private var rest: Substring

  /// nil: not a type.
  static func parse(_ text: String) -> AttributeType? {
    var parser = TypeParser(rest: text[...])
    guard let type = parser.type(depth: 0) else { return nil }
    parser.skipSpaces()
    return parser.rest.isEmpty ? type : nil
  }

  private mutating func type(depth: Int) -> AttributeType? {
    guard depth < Bounds.typeDepth else { return nil }
    skipSpaces()
    let word = rest.prefix { $0.isASCII && $0.isLetter }
    rest = rest.dropFirst(word.count)
    switch word {
    case "list":
      guard take("<"), let element = type(depth: depth + 1), take(">") else { return nil }
      return .list(element)
    case "map":
      guard take("<"), let key = type(depth: depth + 1), take(","), let value = type(depth: depth + 1), take(">"),
        key == .bool || key == .int || key == .uint || key == .string
      else { return nil }
      return .map(key, value)
    default: return Self.simple[String(word)]
    }
  }

  private mutating func skipSpaces() { rest = rest.drop { $0 == " " } }

  private mutating func take(_ character: Character) -> Bool {
    skipSpaces()
    guard rest.first == character else { return false }
    rest = rest.dropFirst()
    return true
  }
}
