// condition + request -> truth (DESIGN §2.3, §2.4).

internal import CEL
internal import PolicyImage
internal import PolicyLanguage

/// The variables of conditions for one decided name.
struct Circumstances {
  private let variables: [String: OracleValue]

  init(_ request: OracleRequest, name: String, operatorName: String?, dial: Degree) {
    var variables = request.attributes
    variables[BuiltInAttribute.behavior.rawValue] = .text(name)
    variables[BuiltInAttribute.resource.rawValue] = request.resource.map { .text($0) }
    variables[BuiltInAttribute.source.rawValue] = .text(Self.word(for: request.source))
    variables[BuiltInAttribute.now.rawValue] = .timestamp(
      seconds: request.now.seconds, nanoseconds: request.now.nanoseconds)
    variables[BuiltInAttribute.operatorName.rawValue] = operatorName.map { .text($0) }
    variables[BuiltInAttribute.sessionDial.rawValue] = .double(dial.value)
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

/// Behaviours that a statement knows by name: its own, and every literal below it in a condition that reads
/// `request.behavior`.
enum NamedBehaviors {
  static func names(in statement: Statement) -> Set<String> {
    var texts: Set<String> = []
    if let condition = statement.condition, condition.variables.contains(BuiltInAttribute.behavior.rawValue) {
      collect(condition.expression, &texts)
    }
    let below = texts.filter { BehaviorName.isValid($0) && BehaviorName.covers(statement.behavior, $0) }
    return below.union([statement.behavior])
  }

  private static func collect(_ node: Expression, _ texts: inout Set<String>) {
    switch node.kind {
    case .literal(.string(let text)): texts.insert(text)
    case .literal, .identifier, .message: break
    case .select(let operand, _, _, _): collect(operand, &texts)
    case .call(_, let target, let arguments):
      for operand in (target.map { [$0] } ?? []) + arguments { collect(operand, &texts) }
    case .list(let elements, _): for element in elements { collect(element, &texts) }
    case .map(let entries):
      for entry in entries {
        collect(entry.key, &texts)
        collect(entry.value, &texts)
      }
    case .comprehension(let loop):
      for part in [loop.range, loop.initial, loop.condition, loop.step, loop.result] { collect(part, &texts) }
    }
  }
}
