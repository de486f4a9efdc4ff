// checked expression + variables -> value, by walking the tree. Every rule of cel-spec stands here once, in the
// most direct form: arguments are evaluated, then the function is looked up by name and applied.

public import CEL

/// Evaluates one checked expression. Pure; thread-safe.
public struct OracleInterpreter: Sendable {
  /// What a local variable holds: an accumulator may hold a failure that a later step absorbs.
  typealias Slot = Result<OracleValue, OracleFailure>

  let checked: CheckedExpression
  /// Values of the environment's variables by qualified name; absent: not given.
  let variables: [String: OracleValue]

  public static func evaluate(
    _ checked: CheckedExpression, _ variables: [String: OracleValue]
  ) throws(OracleFailure) -> OracleValue {
    try OracleInterpreter(checked: checked, variables: variables).value(of: checked.expression, [:])
  }

  func value(of node: Expression, _ locals: [String: Slot]) throws(OracleFailure) -> OracleValue {
    if let resolved = try resolve(node, locals) { return resolved }
    switch node.kind {
    case .literal(let literal): return Self.value(of: literal)
    case .identifier(let name): throw .unknownName(name)
    case .select(let operand, let field, let isTest, let isOptional):
      let container = try value(of: operand, locals)
      return try select(.text(field), of: container, isTest: isTest, isOptional: isOptional)
    case .call(let name, let target, let arguments):
      return try call(node.id, name, target, arguments, locals)
    case .list(let elements, let optionals): return try list(elements, optionals, locals)
    case .map(let entries): return try map(entries, locals)
    case .message(let name): throw .unknownName(name)
    case .comprehension(let loop): return try run(loop, locals)
    }
  }

  /// What the checker says that an identifier or selector chain means; nil: nothing special.
  private func resolve(_ node: Expression, _ locals: [String: Slot]) throws(OracleFailure) -> OracleValue? {
    switch checked.references[node.id] {
    case .variable(let name):
      if case .select(_, _, isTest: true, _) = node.kind { return .bool(variables[name] != nil) }
      guard let value = variables[name] else { throw .missingAttribute(name) }
      return value
    case .type(let type): return .type(type.runtimeName)
    case .local(let name):
      guard let slot = locals[name] else { throw .unknownName(name) }
      return try slot.get()
    case .overloads, nil: return nil
    }
  }

  private static func value(of literal: Literal) -> OracleValue {
    switch literal {
    case .null: .null
    case .bool(let value): .bool(value)
    case .int(let value): .int(value)
    case .uint(let value): .uint(value)
    case .double(let value): .double(value)
    case .string(let value): .text(value)
    case .bytes(let value): .bytes(value)
    }
  }

  // MARK: Containers

  private func list(
    _ elements: [Expression], _ optionals: Set<Int>, _ locals: [String: Slot]
  ) throws(OracleFailure) -> OracleValue {
    var result: [OracleValue] = []
    for (index, element) in elements.enumerated() {
      let item = try value(of: element, locals)
      guard optionals.contains(index) else {
        result.append(item)
        continue
      }
      guard case .optional(let content) = item else { throw .noSuchOverload("?element") }
      if let content { result.append(content) }
    }
    return .list(result)
  }

  private func map(_ entries: [Expression.MapEntry], _ locals: [String: Slot]) throws(OracleFailure) -> OracleValue {
    var result: [OraclePair] = []
    for entry in entries {
      let key = try value(of: entry.key, locals)
      var item: OracleValue? = try value(of: entry.value, locals)
      guard key.isKey else { throw .badKey }
      if entry.isOptional, let given = item {
        guard case .optional(let content) = given else { throw .noSuchOverload("?entry") }
        item = content
      }
      guard let item else { continue }
      if OracleValue.find(key, in: result) != nil { throw .duplicateKey }
      result.append(OraclePair(key, item))
    }
    return .map(result)
  }

  /// `container.field`, `container[key]` and their optional and testing forms. Through an optional, everything that
  /// follows is optional too.
  func select(
    _ key: OracleValue, of container: OracleValue, isTest: Bool, isOptional: Bool
  ) throws(OracleFailure) -> OracleValue {
    if case .optional(let content) = container {
      guard let content else { return isTest ? .bool(false) : .optional(nil) }
      return try select(key, of: content, isTest: isTest, isOptional: true)
    }
    let found = try Self.element(key, of: container)
    if isTest { return .bool(found != nil) }
    if isOptional { return .optional(found) }
    guard let found else {
      if case .list = container { throw .outOfRange }
      throw .noSuchKey
    }
    return found
  }

  private static func element(_ key: OracleValue, of container: OracleValue) throws(OracleFailure) -> OracleValue? {
    switch container {
    case .map(let pairs): return OracleValue.find(key, in: pairs)
    case .list(let elements):
      guard key.isNumber else { throw .noSuchOverload("_[_]") }
      for (index, element) in elements.enumerated() where OracleValue.int(Int64(index)).isEqual(to: key) {
        return element
      }
      if case .double(let position) = key, position.rounded(.down) != position { throw .badKey }
      return nil
    default: throw .noSuchOverload("_[_]")
    }
  }

  // MARK: Comprehensions

  private func run(_ loop: Expression.Comprehension, _ locals: [String: Slot]) throws(OracleFailure) -> OracleValue {
    let range = try value(of: loop.range, locals)
    var scope = locals
    scope[loop.accumulator] = attempt(loop.initial, locals)
    for (first, second) in try Self.iterations(of: range, two: loop.secondVariable != nil) {
      scope[loop.variable] = .success(first)
      if let name = loop.secondVariable, let second { scope[name] = .success(second) }
      guard case .bool(let goesOn) = try value(of: loop.condition, scope) else { throw .notBool }
      if !goesOn { break }
      scope[loop.accumulator] = attempt(loop.step, scope)
    }
    var outer = locals
    outer[loop.accumulator] = scope[loop.accumulator]
    return try value(of: loop.result, outer)
  }

  private func attempt(_ node: Expression, _ locals: [String: Slot]) -> Slot {
    do { return .success(try value(of: node, locals)) } catch { return .failure(error) }
  }

  private static func iterations(
    of range: OracleValue, two: Bool
  ) throws(OracleFailure) -> [(OracleValue, OracleValue?)] {
    switch range {
    case .list(let elements):
      return elements.enumerated().map { two ? (.int(Int64($0.offset)), $0.element) : ($0.element, nil) }
    case .map(let pairs): return pairs.map { ($0.key, two ? $0.value : nil) }
    default: throw .noSuchOverload("comprehension")
    }
  }

  // MARK: Calls

  private func call(
    _ id: Int, _ written: String, _ target: Expression?, _ arguments: [Expression], _ locals: [String: Slot]
  ) throws(OracleFailure) -> OracleValue {
    var name = written
    var operands = arguments
    if let target { operands.insert(target, at: 0) }
    if case .overloads(let ids) = checked.references[id], let first = ids.first, let overload = Self.overloads[first] {
      // A function of a namespace may be spelt as a method of it: the "target" is part of the name.
      if !overload.isMember, target != nil { operands = arguments }
      name = overload.function
    }
    if let lazy = try lazily(name, operands, locals) { return lazy }
    var values: [OracleValue] = []
    for operand in operands { values.append(try value(of: operand, locals)) }
    return try apply(name, values)
  }

  private static let overloads = Dictionary(
    Function.all.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })

  /// Functions that don't evaluate all of their operands; nil: another function.
  private func lazily(
    _ name: String, _ operands: [Expression], _ locals: [String: Slot]
  ) throws(OracleFailure) -> OracleValue? {
    switch (name, operands.count) {
    case ("_&&_", 2): return try combine(operands, locals, decisive: false)
    case ("_||_", 2): return try combine(operands, locals, decisive: true)
    case ("_?_:_", 3):
      guard case .bool(let chosen) = try value(of: operands[0], locals) else { throw .notBool }
      return try value(of: operands[chosen ? 1 : 2], locals)
    case ("@not_strictly_false", 1):
      guard case .success(.bool(false)) = attempt(operands[0], locals) else { return .bool(true) }
      return .bool(false)
    case ("or", 2), ("orValue", 2):
      guard case .optional(let content) = try value(of: operands[0], locals) else { throw .noSuchOverload(name) }
      guard let content else {
        let other = try value(of: operands[1], locals)
        if name == "or" { guard case .optional = other else { throw .noSuchOverload(name) } }
        return other
      }
      return name == "or" ? .optional(content) : content
    default: return nil
    }
  }

  /// `&&` (decisive false) and `||` (decisive true): one operand that decides absorbs whatever the other does.
  private func combine(
    _ operands: [Expression], _ locals: [String: Slot], decisive: Bool
  ) throws(OracleFailure) -> OracleValue {
    var failure: OracleFailure?
    for operand in operands {
      switch attempt(operand, locals) {
      case .success(.bool(decisive)): return .bool(decisive)
      case .success(.bool): break
      case .success: failure = failure ?? .notBool
      case .failure(let error): failure = failure ?? error
      }
    }
    if let failure { throw failure }
    return .bool(!decisive)
  }
}

extension CELType {
  /// The name of a type denotation; that of its kind for parametrised ones.
  var runtimeName: String {
    switch self {
    case .dyn, .parameter: "dyn"
    case .null: "null_type"
    case .bool: "bool"
    case .int: "int"
    case .uint: "uint"
    case .double: "double"
    case .string: "string"
    case .bytes: "bytes"
    case .timestamp: "google.protobuf.Timestamp"
    case .duration: "google.protobuf.Duration"
    case .list: "list"
    case .map: "map"
    case .optional: "optional_type"
    case .type: "type"
    }
  }
}
