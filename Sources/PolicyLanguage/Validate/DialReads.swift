// Whether lowering the dial can only make a limit's condition truer (DESIGN §2.5, P11): a limit that is there only while
// the dial is high would be lifted by lowering it.

internal import CEL

enum DialReads {
  static let name = BuiltInAttribute.sessionDial.rawValue

  /// The first place where the condition reads the dial in a way that lowering it could make false; nil: there is none.
  static func offence(in condition: CheckedExpression) -> Span? {
    guard condition.variables.contains(name) else { return nil }
    return offence(condition.expression, isNegated: false, condition)
  }

  /// Under a negation the dial has to be compared the other way round.
  private static func offence(_ node: Expression, isNegated: Bool, _ condition: CheckedExpression) -> Span? {
    guard let read = firstRead(node, condition) else { return nil }
    guard case .call(let function, nil, let operands) = node.kind else { return read }
    switch function {
    case "_&&_", "_||_":
      return operands.lazy.compactMap { offence($0, isNegated: isNegated, condition) }.first
    case "!_":
      return operands.lazy.compactMap { offence($0, isNegated: !isNegated, condition) }.first
    case "_?_:_":
      if let first = operands.first, let read = firstRead(first, condition) { return read }
      return operands.dropFirst().lazy.compactMap { offence($0, isNegated: isNegated, condition) }.first
    case "_<_", "_<=_", "_>_", "_>=_":
      let isLeft = isDial(operands[0], condition)
      let isOneSided = (isLeft && firstRead(operands[1], condition) == nil) || !isLeft && isDial(operands[1], condition)
      guard isOneSided, isLeft || firstRead(operands[0], condition) == nil else { return read }
      let asksForLess = function.hasPrefix("_<") == isLeft
      return asksForLess == !isNegated ? nil : read
    default: return read
    }
  }

  private static func isDial(_ node: Expression, _ condition: CheckedExpression) -> Bool {
    guard case .variable(name)? = condition.references[node.id] else { return false }
    if case .select(_, _, true, _) = node.kind { return false }
    return true
  }

  private static func firstRead(_ node: Expression, _ condition: CheckedExpression) -> Span? {
    if case .variable(name)? = condition.references[node.id] { return node.span }
    return children(of: node).lazy.compactMap { firstRead($0, condition) }.first
  }

  private static func children(of node: Expression) -> [Expression] {
    switch node.kind {
    case .literal, .identifier, .message: []
    case .select(let operand, _, _, _): [operand]
    case .call(_, let target, let arguments): (target.map { [$0] } ?? []) + arguments
    case .list(let elements, _): elements
    case .map(let entries): entries.flatMap { [$0.key, $0.value] }
    case .comprehension(let loop): [loop.range, loop.initial, loop.condition, loop.step, loop.result]
    }
  }
}
