// Behaviours that a condition names: literals in a condition that reads `request.behavior`. They count as named by
// the rule (DESIGN §1), so that a request for a wider name is decided for each of them too (P13).

internal import CEL

extension Statement {
  /// Names below this statement's behaviour that its condition may compare `request.behavior` with, sorted.
  public var comparedNames: [String] {
    guard let condition, condition.variables.contains(BuiltInAttribute.behavior.rawValue) else { return [] }
    var found: Set<String> = []
    collectTexts(condition.expression, into: &found)
    return found.filter { BehaviorName.isValid($0) && $0 != behavior && BehaviorName.covers(behavior, $0) }
      .sorted(by: BehaviorName.precedes)
  }
}

private func collectTexts(_ expression: Expression, into found: inout Set<String>) {
  switch expression.kind {
  case .literal(.string(let text)): found.insert(text)
  case .literal, .identifier, .message: break
  case .select(let operand, _, _, _): collectTexts(operand, into: &found)
  case .call(_, let target, let arguments):
    if let target { collectTexts(target, into: &found) }
    for argument in arguments { collectTexts(argument, into: &found) }
  case .list(let elements, _):
    for element in elements { collectTexts(element, into: &found) }
  case .map(let entries):
    for entry in entries {
      collectTexts(entry.key, into: &found)
      collectTexts(entry.value, into: &found)
    }
  case .comprehension(let c):
    for part in [c.range, c.initial, c.condition, c.step, c.result] { collectTexts(part, into: &found) }
  }
}
