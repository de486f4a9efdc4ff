// condition + request -> truth (DESIGN §2.3, §2.4).

internal import CEL
internal import PolicyImage
internal import PolicyLanguage

/// The variables of conditions for one decided name.
struct Circumstances {
  private let variables: [String: OracleValue]

  init(_ request: OracleRequest, name: String, operatorName: String?) {
    var variables = request.attributes
    variables[BuiltInAttribute.behavior.rawValue] = .text(name)
    variables[BuiltInAttribute.resource.rawValue] = request.resource.map { .text($0) }
    variables[BuiltInAttribute.source.rawValue] = .text(Self.word(for: request.source))
    variables[BuiltInAttribute.now.rawValue] = .timestamp(
      seconds: request.now.seconds, nanoseconds: request.now.nanoseconds)
    variables[BuiltInAttribute.operatorName.rawValue] = operatorName.map { .text($0) }
    variables[BuiltInAttribute.argument.rawValue] = .text(request.argument ?? "")
    self.variables = variables
  }

  private static func word(for source: Source) -> String {
    switch source {
    case .platform: "platform"
    case .operator: "operator"
    case .user: "user"
    case .agent: "agent"
    case .untrusted: "untrusted"
    }
  }

  /// A limit that reads the argument is `no` only if it is so with the argument and with an empty one.
  func truth(of statement: Statement) -> OracleTruth {
    guard let condition = statement.condition else { return .yes }
    let given = truth(of: condition, variables)
    guard statement.readsArgument else { return given }
    var without = variables
    without[BuiltInAttribute.argument.rawValue] = .text("")
    let empty = truth(of: condition, without)
    if given == .yes || empty == .yes { return .yes }
    return given == .no && empty == .no ? .no : .failed
  }

  private func truth(of condition: CheckedExpression, _ variables: [String: OracleValue]) -> OracleTruth {
    guard case .bool(let holds)? = try? OracleInterpreter.evaluate(condition, variables) else { return .failed }
    return holds ? .yes : .no
  }
}

/// The behaviours that a condition compares `request.behavior` with, as far as they stand there as literals.
enum NamedBehaviors {
  static func names(in condition: CheckedExpression?) -> Set<String> {
    guard let condition, condition.variables.contains(BuiltInAttribute.behavior.rawValue) else { return [] }
    var names: Set<String> = []
    visit(condition.expression, condition, &names)
    return names
  }

  private static func visit(_ node: Expression, _ condition: CheckedExpression, _ names: inout Set<String>) {
    switch node.kind {
    case .call(let function, let target, let arguments):
      let operands = (target.map { [$0] } ?? []) + arguments
      if ["_==_", "_!=_", "@in"].contains(function), operands.contains(where: { isBehavior($0, condition) }) {
        for operand in operands { names.formUnion(literals(in: operand)) }
      }
      for operand in operands { visit(operand, condition, &names) }
    case .select(let operand, _, _, _): visit(operand, condition, &names)
    case .list(let elements, _): for element in elements { visit(element, condition, &names) }
    case .map(let entries):
      for entry in entries {
        visit(entry.key, condition, &names)
        visit(entry.value, condition, &names)
      }
    case .comprehension(let loop):
      for part in [loop.range, loop.initial, loop.condition, loop.step, loop.result] {
        visit(part, condition, &names)
      }
    case .literal, .identifier, .message: break
    }
  }

  private static func isBehavior(_ node: Expression, _ condition: CheckedExpression) -> Bool {
    condition.references[node.id] == .variable(BuiltInAttribute.behavior.rawValue)
  }

  private static func literals(in node: Expression) -> [String] {
    switch node.kind {
    case .literal(.string(let text)): BehaviorName.isValid(text) ? [text] : []
    case .list(let elements, _): elements.flatMap(literals)
    default: []
    }
  }
}
