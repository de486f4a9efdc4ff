// text -> checked expression: the front end's one entry point.

/// All errors found in one expression, in order of position.
public struct Rejection: Error, Hashable, Sendable {
  public var errors: [CELError]
  public init(_ errors: [CELError]) { self.errors = errors }
}

/// Parses, expands macros and checks `source` against `environment`. A syntax error ends it; of all other errors
/// each is reported, up to `Limits.errors`. Pure and thread-safe; time and stack bounded by `Limits`.
public func check(_ source: String, in environment: Environment) throws(Rejection) -> CheckedExpression {
  let tree: Expression
  do throws(CELError) {
    tree = try parse(source)
  } catch {
    throw Rejection([error])
  }
  let checker = Checker(Array(source.utf8), environment)
  let type = checker.check(tree)
  let types = checker.finalTypes()
  let finalType = checker.solver.substituted(type)
  if checker.solver.isExhausted {
    throw Rejection([CELError(.tooComplex, tree.span, "the types of this expression are too large to work out")])
  }
  guard checker.errors.isEmpty else { throw Rejection(inOrder(checker.errors)) }
  return CheckedExpression(
    source: source, expression: tree, type: finalType, types: types, references: checker.references,
    variables: checker.usedVariables.sorted())
}

/// Like `check`, for a condition: the type must be bool, or dyn, which is then left to evaluation.
/// Throws `notBool` otherwise.
public func checkCondition(
  _ source: String, in environment: Environment
) throws(Rejection) -> CheckedExpression {
  let checked = try check(source, in: environment)
  switch checked.type {
  case .bool, .dyn: return checked
  default:
    throw Rejection([
      CELError(
        .notBool, checked.expression.span, "a condition must be bool, this is \(checked.type.spelled)",
        hint: "compare it with something: … == …")
    ])
  }
}

private func inOrder(_ errors: [CELError]) -> [CELError] {
  // Macros may put one subtree's mistake in front of the reader twice; once is enough.
  var seen: Set<CELError> = []
  let unique = errors.filter { seen.insert($0).inserted }
  return unique.enumerated().sorted { ($0.element.span.lower, $0.offset) < ($1.element.span.lower, $1.offset) }
    .map(\.element)
}
