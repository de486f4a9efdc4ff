// Syntax tree -> types and references. Every error is found: a node that has one counts as dyn, so that it causes
// no others. With `Environment.isChecked` false nothing is inferred: every type is dyn, every overload of the right
// arity is possible, and what names nothing has no reference.

/// Checks one tree; used once.
final class Checker {
  let environment: Environment
  let source: [UInt8]
  var solver = TypeSolver()
  private(set) var errors: [CELError] = []
  private var types: [Int: CELType] = [:]
  private(set) var references: [Int: Reference] = [:]
  private(set) var usedVariables: Set<String> = []
  /// Variables of the comprehensions around the current node, innermost last.
  private var locals: [(name: String, type: CELType)] = []

  init(_ source: [UInt8], _ environment: Environment) {
    self.source = source
    self.environment = environment
  }

  var isChecked: Bool { environment.isChecked }

  /// Reports an error; type errors only where types are checked. Past the limit nothing more is said, nor are hints
  /// worked out.
  func report(
    _ code: CELError.Code, _ span: Span, _ message: @autoclosure () -> String, hint: @autoclosure () -> String? = nil
  ) {
    guard errors.count < Limits.errors else { return }
    switch code {
    case .undeclared, .noOverload, .typeMismatch, .enumValue:
      guard isChecked else { return }
    default:
      break
    }
    errors.append(CELError(code, span, message(), hint: hint()))
  }

  func refer(_ node: Expression, to reference: Reference) {
    references[node.id] = reference
    if case .variable(let name) = reference { usedVariables.insert(name) }
  }

  /// Types of all nodes that aren't dyn, once the tree has been walked.
  func finalTypes() -> [Int: CELType] {
    var result: [Int: CELType] = [:]
    for (id, type) in types {
      let final = solver.substituted(type)
      if case .dyn = final { continue }
      result[id] = final
    }
    return result
  }

  // MARK: Nodes

  /// The type of `node`, after checking all of it.
  func check(_ node: Expression) -> CELType {
    let type = kind(of: node)
    let kept = isChecked ? type : .dyn
    types[node.id] = kept
    return kept
  }

  /// Payloads are taken out further down: this frame is on the stack once for each level of the tree.
  private func kind(of node: Expression) -> CELType {
    switch node.kind {
    case .call: call(node)
    case .select: select(node)
    case .list: list(node)
    case .map: map(node)
    case .comprehension: comprehension(node)
    case .literal, .identifier, .message: leaf(node)
    }
  }

  private func leaf(_ node: Expression) -> CELType {
    switch node.kind {
    case .literal(let literal): literal.type
    case .identifier(let name): identifier(node, name)
    case .message(let name): message(node, name)
    default: .dyn
    }
  }

  private func message(_ node: Expression, _ name: String) -> CELType {
    report(
      .message, node.span, "'\(name){…}' makes a message, and there are no message types",
      hint: "use a map: {'field': value}")
    return .dyn
  }

  // MARK: Scopes

  func local(_ name: String) -> CELType? {
    locals.last { $0.name == name }?.type
  }

  var localNames: [String] { locals.map(\.name) }

  // MARK: Lists and maps

  private func list(_ node: Expression) -> CELType {
    guard case .list(let elements, let optionals) = node.kind else { return .dyn }
    var joined: CELType?
    for (index, element) in elements.enumerated() {
      var type = check(element)
      if optionals.contains(index) { type = unwrapped(type, at: element) }
      joined = joined.map { solver.joined($0, type) } ?? type
    }
    return .list(joined ?? solver.fresh())
  }

  private func map(_ node: Expression) -> CELType {
    guard case .map(let entries) = node.kind else { return .dyn }
    var key: CELType?
    var value: CELType?
    for entry in entries {
      let keyType = mapKey(entry.key)
      var valueType = check(entry.value)
      if entry.isOptional { valueType = unwrapped(valueType, at: entry.value) }
      key = key.map { solver.joined($0, keyType) } ?? keyType
      value = value.map { solver.joined($0, valueType) } ?? valueType
    }
    return .map(key ?? solver.fresh(), value ?? solver.fresh())
  }

  private func mapKey(_ node: Expression) -> CELType {
    let type = solver.resolved(check(node))
    switch type {
    case .int, .uint, .bool, .string, .dyn: return type
    case .parameter: return .dyn
    default:
      report(
        .typeMismatch, node.span, "a map's key can't be of type \(spelled(type))",
        hint: "keys are int, uint, bool or string")
      return .dyn
    }
  }

  /// The type inside an optional, as `?x` wants one.
  private func unwrapped(_ type: CELType, at node: Expression) -> CELType {
    let inner = solver.fresh()
    if solver.fits(type, .optional(inner)) { return inner }
    report(
      .typeMismatch, node.span, "'?' takes an optional, this is \(spelled(type))",
      hint: "leave out the '?', or wrap it in optional.of(…)")
    return .dyn
  }

  func spelled(_ type: CELType) -> String { solver.substituted(type).spelled }

  // MARK: Comprehensions

  private func comprehension(_ node: Expression) -> CELType {
    let range = check(part(node, \.range))
    let accumulator = check(part(node, \.initial))
    let outer = locals.count
    enter(node, range, accumulator)
    let condition = check(part(node, \.condition))
    let step = check(part(node, \.step))
    checkRound(node, condition, step, accumulator)
    locals.removeLast(locals.count - outer - 1)
    let result = check(part(node, \.result))
    locals.removeLast()
    return result
  }

  private func part(_ node: Expression, _ path: KeyPath<Expression.Comprehension, Expression>) -> Expression {
    guard case .comprehension(let loop) = node.kind else { return node }
    return loop[keyPath: path]
  }

  /// Brings the accumulator and then the iteration variables into scope.
  private func enter(_ node: Expression, _ range: CELType, _ accumulator: CELType) {
    guard case .comprehension(let loop) = node.kind else { return }
    locals.append((name: loop.accumulator, type: accumulator))
    locals += iterationVariables(loop, over: solver.resolved(range))
  }

  private func checkRound(_ node: Expression, _ condition: CELType, _ step: CELType, _ accumulator: CELType) {
    if !solver.fits(condition, .bool) {
      report(
        .typeMismatch, part(node, \.condition).span, "expected bool, this is \(spelled(condition))")
    }
    if !solver.fits(step, accumulator) {
      report(
        .typeMismatch, part(node, \.step).span,
        "one round yields \(spelled(step)), the loop started with \(spelled(accumulator))")
    }
  }

  private func iterationVariables(
    _ loop: Expression.Comprehension, over range: CELType
  ) -> [(name: String, type: CELType)] {
    var first = CELType.dyn
    var second = CELType.dyn
    switch range {
    case .list(let element):
      (first, second) = loop.secondVariable == nil ? (element, .dyn) : (.int, element)
    case .map(let key, let value):
      (first, second) = (key, value)
    case .parameter:
      _ = solver.fits(.dyn, range)
    case .dyn:
      break
    default:
      report(
        .typeMismatch, loop.range.span, "expected a list or a map to go through, this is \(spelled(range))")
    }
    var result = [(name: loop.variable, type: first)]
    if let name = loop.secondVariable { result.append((name: name, type: second)) }
    return result
  }
}

extension Literal {
  var type: CELType {
    switch self {
    case .null: .null
    case .bool: .bool
    case .int: .int
    case .uint: .uint
    case .double: .double
    case .string: .string
    case .bytes: .bytes
    }
  }
}
