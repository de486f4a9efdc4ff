// A condition -> the tests of a rule. A conjunction's parts stand in the rule itself where they compare an attribute
// with a constant, so that deciding needs no byte code for them. The meaning is CEL's `&&`: no if any part is no,
// else failed if any failed, else yes.

public import PolicyImage

/// Compiles a condition into at most `ImageFormat.maximumTests` tests, whose conjunction it is. Errors as `generate`.
public func compileCondition(
  _ checked: CheckedExpression, slots: (String) -> UInt16?, into builder: inout ImageBuilder
) throws(CELError) -> [Test] {
  var parts: [Expression] = []
  conjuncts(checked.expression, into: &parts)
  guard parts.count <= ImageFormat.maximumTests else {
    return [Test(.program, .equal, slot: 0, operand: try generate(checked, slots: slots, into: &builder))]
  }
  var tests: [Test] = []
  for part in parts {
    if let test = try simpleTest(part, checked, slots, &builder) {
      tests.append(test)
    } else {
      let program = try generate(part, of: checked, slots: slots, into: &builder)
      tests.append(Test(.program, .equal, slot: 0, operand: program))
    }
  }
  return inOrderOfCost(tests)
}

/// The order doesn't change what a conjunction comes to, only how soon it is known: first what is cheap and seldom true.
private func inOrderOfCost(_ tests: [Test]) -> [Test] {
  func cost(_ test: Test) -> Int {
    if test.operation == TestOperation.program.rawValue { return 3 }
    if test.comparison == Comparison.equal.rawValue {
      return test.operation == TestOperation.string.rawValue || test.operation == TestOperation.int.rawValue ? 0 : 1
    }
    return 2
  }
  return tests.enumerated().sorted { (cost($0.element), $0.offset) < (cost($1.element), $1.offset) }.map(\.element)
}

private func conjuncts(_ e: Expression, into parts: inout [Expression]) {
  if case .call("_&&_", nil, let operands) = e.kind, operands.count == 2 {
    conjuncts(operands[0], into: &parts)
    conjuncts(operands[1], into: &parts)
  } else {
    parts.append(e)
  }
}

/// The test that means the same as `e`; nil when there is none.
private func simpleTest(
  _ e: Expression, _ checked: CheckedExpression, _ slots: (String) -> UInt16?, _ builder: inout ImageBuilder
) throws(CELError) -> Test? {
  if case .call("!_", nil, let operands) = e.kind, operands.count == 1 {
    return attributeTest(operands[0], checked, slots, isTrue: false)
  }
  if let test = attributeTest(e, checked, slots, isTrue: true) { return test }
  guard case .call(let function, nil, let operands) = e.kind, operands.count == 2,
    let comparison = comparisons[function]
  else { return nil }
  if case .literal(let literal) = operands[1].kind, let slot = attribute(operands[0], checked, slots) {
    return constantTest(slot, comparison, literal, checked.types[operands[0].id] ?? .dyn, &builder)
  }
  if case .literal(let literal) = operands[0].kind, let slot = attribute(operands[1], checked, slots) {
    return constantTest(slot, mirrored(comparison), literal, checked.types[operands[1].id] ?? .dyn, &builder)
  }
  return nil
}

private let comparisons: [String: Comparison] = [
  "_==_": .equal, "_!=_": .notEqual, "_<_": .less, "_<=_": .lessOrEqual, "_>_": .greater, "_>=_": .greaterOrEqual,
]

private func mirrored(_ comparison: Comparison) -> Comparison {
  switch comparison {
  case .equal, .notEqual: comparison
  case .less: .greater
  case .lessOrEqual: .greaterOrEqual
  case .greater: .less
  case .greaterOrEqual: .lessOrEqual
  }
}

/// The slot of an attribute that is read here.
private func attribute(_ e: Expression, _ checked: CheckedExpression, _ slots: (String) -> UInt16?) -> UInt16? {
  if case .select(_, _, isTest: true, _) = e.kind { return nil }
  guard case .variable(let name) = checked.references[e.id] else { return nil }
  return slots(name)
}

/// A bool attribute by itself, or has() of an attribute.
private func attributeTest(
  _ e: Expression, _ checked: CheckedExpression, _ slots: (String) -> UInt16?, isTrue: Bool
) -> Test? {
  guard case .variable(let name) = checked.references[e.id], let slot = slots(name) else { return nil }
  if case .select(_, _, isTest: true, _) = e.kind {
    return Test(.presence, .equal, slot: slot, operand: isTrue ? 1 : 0)
  }
  return checked.types[e.id] == .bool ? Test(.bool, .equal, slot: slot, operand: isTrue ? 1 : 0) : nil
}

/// Only where attribute and constant are of one type: what compares numbers of different types is left to programs.
private func constantTest(
  _ slot: UInt16, _ comparison: Comparison, _ literal: Literal, _ type: CELType, _ builder: inout ImageBuilder
) -> Test? {
  let isEquality = comparison == .equal || comparison == .notEqual
  switch (literal, type) {
  case (.bool(let b), .bool) where isEquality: return Test(.bool, comparison, slot: slot, operand: b ? 1 : 0)
  case (.string(let text), .string) where isEquality:
    return Test(.string, comparison, slot: slot, operand: builder.string(text))
  case (.int(let i), .int):
    if let small = Int32(exactly: i) {
      return Test(.int, comparison, slot: slot, operand: UInt32(bitPattern: small))
    }
    return Test(.intConstant, comparison, slot: slot, operand: builder.constant(UInt64(bitPattern: i)))
  case (.uint(let u), .uint): return Test(.uintConstant, comparison, slot: slot, operand: builder.constant(u))
  case (.double(let d), .double):
    let float = Float(d)
    if Double(float) == d { return Test(.double, comparison, slot: slot, operand: float.bitPattern) }
    return Test(.doubleConstant, comparison, slot: slot, operand: builder.constant(d.bitPattern))
  default: return nil
  }
}
