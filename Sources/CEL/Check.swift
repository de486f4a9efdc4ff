// text -> checked expression: the front end's one entry point.

/// All errors found in one expression, in order of position.
public struct Rejection: Error, Hashable, Sendable {
  public var errors: [CELError]
  public init(_ errors: [CELError]) { self.errors = errors }
}

/// Parses, expands macros and checks `source` against `environment`.
/// Pure and thread-safe; time and stack bounded by `Limits`.
public func check(_ source: String, in environment: Environment) throws(Rejection) -> CheckedExpression {
  throw Rejection([CELError(.syntax, Span(0, 0), "to be written")])
}
