// Types of expressions, what an expression may refer to, and what checking one yields.

public indirect enum CELType: Hashable, Sendable {
  case dyn, null, bool, int, uint, double, string, bytes, timestamp, duration
  case list(CELType)
  case map(CELType, CELType)
  case optional(CELType)
  /// The type of a type: `type(int)` for `int`.
  case type(CELType)
  /// A type parameter of an overload, while checking only.
  case parameter(String)
}

/// A variable that an expression may name. Names may be qualified: "user.role" is one variable.
public struct Variable: Hashable, Sendable {
  public var type: CELType
  /// For an enumeration (a string of CEL's): its values; comparing with any other literal is an error.
  public var values: [String]?
  public init(_ type: CELType, values: [String]? = nil) {
    self.type = type
    self.values = values
  }
}

/// What an expression is checked against.
public struct Environment: Sendable {
  /// By qualified name; the longest declared prefix of a selector chain wins (cel-spec, "Name resolution").
  public var variables: [String: Variable]
  /// The namespace in which names are looked up first ("a.b": `x` means a.b.x, a.x, x); empty in policies.
  public var container: String
  /// False: type errors are left to evaluation (the conformance suite's `disable_check`); never in policies.
  public var isChecked: Bool
  /// Names of counters that `counter("NAME")` reads, an int: each is the variable `counter.NAME`, which no other spelling
  /// reaches. nil: there is no such function.
  public var counters: Set<String>?
  public init(
    variables: [String: Variable], container: String = "", isChecked: Bool = true, counters: Set<String>? = nil
  ) {
    self.counters = counters
    self.variables = variables
    self.container = container
    self.isChecked = isChecked
  }
}

/// What an identifier, selection or call node turned out to mean.
public enum Reference: Hashable, Sendable {
  /// A variable of the environment, by its declared name. Stands on the outermost node of the selector chain
  /// that names it (for `has(user.role)`: on the test node itself, meaning "is it given"), or on the call `counter("NAME")`.
  case variable(String)
  /// A type denotation such as `int` or `google.protobuf.Timestamp`.
  case type(CELType)
  /// A comprehension's iteration or accumulator variable, or `cel.bind`'s.
  case local(String)
  /// The overloads that the static types leave possible, by cel-spec's overload ids or our own.
  case overloads([String])
}

/// An expression that passed. Immutable; safe to share.
public struct CheckedExpression: Sendable {
  public var source: String
  public let expression: Expression
  public let type: CELType
  /// By node id; a node not listed has type dyn.
  public let types: [Int: CELType]
  public let references: [Int: Reference]
  /// Every variable of the environment that the expression reads or tests, sorted.
  public let variables: [String]
  public init(
    source: String, expression: Expression, type: CELType, types: [Int: CELType], references: [Int: Reference],
    variables: [String]
  ) {
    self.source = source
    self.expression = expression
    self.type = type
    self.types = types
    self.references = references
    self.variables = variables
  }
}

/// Why an expression was refused. Compared by `code`, never by wording.
public struct CELError: Error, Hashable, Sendable {
  public enum Code: String, Sendable, CaseIterable {
    case syntax = "cel-syntax"
    case tooDeep = "cel-too-deep"
    case tooLong = "cel-too-long"
    case undeclared = "cel-undeclared"
    case noOverload = "cel-no-overload"
    case typeMismatch = "cel-type-mismatch"
    case notBool = "cel-not-bool"
    case enumValue = "cel-enum-value"
    case pattern = "cel-pattern"
    case patternNotLiteral = "cel-pattern-not-literal"
    case zone = "cel-zone"
    case message = "cel-message"
    case tooComplex = "cel-too-complex"
    case counter = "cel-counter"
  }
  public var code: Code
  public var span: Span
  public var message: String
  /// What to do next; nil when there is nothing better than the message.
  public var hint: String?
  public init(_ code: Code, _ span: Span, _ message: String, hint: String? = nil) {
    self.code = code
    self.span = span
    self.message = message
    self.hint = hint
  }
}
