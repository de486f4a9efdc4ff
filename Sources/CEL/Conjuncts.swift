public import PolicyImage

public func compileCondition(
  _ checked: CheckedExpression, slots: (String) -> UInt16?, into builder: inout ImageBuilder
) throws(CELError) -> [Test] {
  throw CELError(.tooComplex, Span(0, 0), "to be merged")
}
