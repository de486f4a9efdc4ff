/// CEL: lexer, parser, macro expansion, type checker, patterns and code generator for the Common Expression
/// Language (github.com/google/cel-spec) without protobuf messages. May import PolicyImage (the instruction set
/// is part of the image format) and nothing else; no Foundation.
///
/// This file: the syntax tree that the parser makes (macros already expanded) and every later stage reads.

/// A range of UTF-8 offsets in the text of one expression.
public struct Span: Hashable, Sendable {
  public var lower: Int
  public var upper: Int
  public init(_ lower: Int, _ upper: Int) {
    self.lower = lower
    self.upper = upper
  }
}

/// One node of the tree. `id` is unique within its expression and is the key of the checker's tables.
public struct Expression: Sendable {
  public var id: Int
  public var span: Span
  public var kind: Kind

  public init(id: Int, span: Span, kind: Kind) {
    self.id = id
    self.span = span
    self.kind = kind
  }

  public indirect enum Kind: Sendable {
    case literal(Literal)
    /// An identifier; a leading dot (root scope) is kept in `name`: ".x".
    case identifier(String)
    /// `operand.field`; `isTest` for `has(operand.field)`; `isOptional` for `operand.?field`.
    case select(operand: Expression, field: String, isTest: Bool, isOptional: Bool)
    /// A function, method or operator. Operators have the names of cel-spec: `_+_`, `_&&_`, `!_`, `-_`, `_[_]`,
    /// `_[?_]`, `_?_:_`, `@in`, `_==_` …
    case call(function: String, target: Expression?, arguments: [Expression])
    /// `[a, ?b]`; `optionals` holds the indices written with `?`.
    case list([Expression], optionals: Set<Int>)
    case map([MapEntry])
    /// `Name{field: value}`: parsed so that the checker can say that messages are not supported.
    case message(name: String)
    case comprehension(Comprehension)
  }

  public struct MapEntry: Sendable {
    public var key: Expression
    public var value: Expression
    public var isOptional: Bool
    public init(key: Expression, value: Expression, isOptional: Bool) {
      self.key = key
      self.value = value
      self.isOptional = isOptional
    }
  }

  /// The one loop of CEL, as cel-spec defines it. With one variable it iterates over list elements or map keys; with
  /// two over (index, element) or (key, value). `cel.bind(x, e, body)` is a comprehension over `[]` whose
  /// accumulator is `x`.
  public struct Comprehension: Sendable {
    public var range: Expression
    public var variable: String
    public var secondVariable: String?
    public var accumulator: String
    public var initial: Expression
    public var condition: Expression
    public var step: Expression
    public var result: Expression
    public init(
      range: Expression, variable: String, secondVariable: String?, accumulator: String, initial: Expression,
      condition: Expression, step: Expression, result: Expression
    ) {
      self.range = range
      self.variable = variable
      self.secondVariable = secondVariable
      self.accumulator = accumulator
      self.initial = initial
      self.condition = condition
      self.step = step
      self.result = result
    }
  }
}

public enum Literal: Hashable, Sendable {
  case null
  case bool(Bool)
  case int(Int64)
  case uint(UInt64)
  case double(Double)
  case string(String)
  case bytes([UInt8])
}
