// Tokens -> syntax tree, with macros expanded on the way up (Macros.swift). The grammar is cel-spec's plus cel-go's
// optional syntax. Operators are parsed with a stack of their own, so that the thread's stack grows only with
// brackets; the depth of the tree is limited all the same, for the stages that come after.

/// Parses one expression; the first error ends it.
func parse(_ source: String) throws(CELError) -> Expression {
  let bytes = Array(source.utf8)
  do throws(ParseFailure) {
    guard bytes.count <= Limits.sourceLength else {
      throw ParseFailure(
        .tooLong, Span(0, 0), "an expression of \(bytes.count) bytes; at most \(Limits.sourceLength) are allowed")
    }
    let parser = Parser(bytes, try Lexer.tokens(of: bytes))
    return try parser.whole().expression
  } catch {
    throw error.error
  }
}

/// An error on its way up. A reference, as is `Tree`, because the parser's functions nest as deep as the text does
/// and large values in their frames would fill a small thread's stack.
final class ParseFailure: Error {
  let error: CELError
  init(_ code: CELError.Code, _ span: Span, _ message: String, hint: String? = nil) {
    error = CELError(code, span, message, hint: hint)
  }
}

/// A subtree and the number of its levels.
final class Tree {
  let expression: Expression
  let depth: Int
  /// Written in parentheses: `(a.b){…}` is no message.
  let isParenthesized: Bool

  init(expression: Expression, depth: Int, isParenthesized: Bool = false) {
    self.expression = expression
    self.depth = depth
    self.isParenthesized = isParenthesized
  }

  func parenthesized(_ span: Span) -> Tree {
    let inner = Expression(id: expression.id, span: span, kind: expression.kind)
    return Tree(expression: inner, depth: depth, isParenthesized: true)
  }

  /// The name of a namespace of functions that this is, when it stands before `.f(…)`.
  var namespace: String? {
    guard case .identifier(let name) = expression.kind else { return nil }
    let plain = name.hasPrefix(".") ? String(name.dropFirst()) : name
    return Function.namespaces.contains(plain) ? plain : nil
  }
}

final class Parser {
  let source: [UInt8]
  private let tokens: [Token]
  private var index = 0
  private var level = 0
  private var nodeCount = 0

  init(_ source: [UInt8], _ tokens: [Token]) {
    self.source = source
    self.tokens = tokens
  }

  func whole() throws(ParseFailure) -> Tree {
    let result = try expression()
    guard current.kind == .end else { throw unexpected("an operator or the end") }
    return result
  }

  // MARK: Tokens

  var current: Token { tokens[min(index, tokens.count - 1)] }
  private var following: Token { tokens[min(index + 1, tokens.count - 1)] }

  /// The end of the token before the current one.
  var lastUpper: Int { index > 0 ? tokens[min(index, tokens.count) - 1].span.upper : 0 }

  func advance() { index += 1 }

  func at(_ symbol: Symbol) -> Bool { current.kind == .symbol(symbol) }

  func take(_ symbol: Symbol) -> Bool {
    guard at(symbol) else { return false }
    advance()
    return true
  }

  func expect(_ symbol: Symbol) throws(ParseFailure) {
    guard take(symbol) else { throw unexpected("'\(symbol.rawValue)'") }
  }

  func text(_ token: Token) -> String {
    String(decoding: source[token.span.lower..<token.span.upper], as: UTF8.self)
  }

  func unexpected(_ wanted: String, hint: String? = nil) -> ParseFailure {
    let token = current
    let found = token.kind == .end ? "the end" : "'\(text(token))'"
    return ParseFailure(.syntax, token.span, "expected \(wanted), found \(found)", hint: hint)
  }

  // MARK: Nodes

  /// Makes a node above `children`; the one place where depth and size are limited.
  func node(_ kind: Expression.Kind, _ span: Span, over children: Tree...) throws(ParseFailure) -> Tree {
    try node(kind, span, overAll: children)
  }

  func node(_ kind: Expression.Kind, _ span: Span, overAll children: [Tree]) throws(ParseFailure) -> Tree {
    var depth = 0
    for child in children { depth = max(depth, child.depth) }
    guard depth < Limits.depth else { throw tooDeep(span) }
    nodeCount += 1
    guard nodeCount <= Limits.nodes else {
      throw ParseFailure(.tooComplex, span, "an expression of more than \(Limits.nodes) parts")
    }
    return Tree(expression: Expression(id: nodeCount, span: span, kind: kind), depth: depth + 1)
  }

  func call(_ function: String, _ arguments: [Tree], _ span: Span) throws(ParseFailure) -> Tree {
    try node(
      .call(function: function, target: nil, arguments: arguments.map(\.expression)), span, overAll: arguments)
  }

  private func tooDeep(_ span: Span) -> ParseFailure {
    ParseFailure(
      .tooDeep, span, "an expression nested more than \(Limits.depth) levels deep",
      hint: "split it into several conditions")
  }

  // MARK: Operators

  /// `a ? b : c ? d : e`, in a loop; built from the right.
  func expression() throws(ParseFailure) -> Tree {
    level += 1
    defer { level -= 1 }
    guard level <= Limits.depth else { throw tooDeep(current.span) }
    var branches: [(Tree, Tree)] = []
    while true {
      let head = try operation()
      guard take(.question) else { return try conditional(branches, otherwise: head) }
      let branch = try operation()
      try expect(.colon)
      branches.append((head, branch))
    }
  }

  private func conditional(_ branches: [(Tree, Tree)], otherwise: Tree) throws(ParseFailure) -> Tree {
    var result = otherwise
    for (condition, branch) in branches.reversed() {
      let span = Span(condition.expression.span.lower, result.expression.span.upper)
      result = try call("_?_:_", [condition, branch, result], span)
    }
    return result
  }

  private func binaryOperator() -> BinaryOperator? {
    switch current.kind {
    case .symbol(let symbol): BinaryOperator.bySymbol[symbol]
    case .identifier where text(current) == "in": BinaryOperator.membership
    default: nil
    }
  }

  /// Operands joined by binary operators.
  private func operation() throws(ParseFailure) -> Tree {
    var stack = OperatorStack(first: try operand())
    while let next = binaryOperator() {
      advance()
      while let top = stack.operators.last, top.bindsBefore(next) { try reduce(&stack) }
      stack.operators.append(next)
      stack.operands.append(try operand())
    }
    while !stack.operators.isEmpty { try reduce(&stack) }
    return stack.operands[0]
  }

  /// Joins the topmost operands; a run of `&&` or of `||` at once, as a balanced tree: they are associative, and a
  /// long list of alternatives then isn't deep.
  private func reduce(_ stack: inout OperatorStack) throws(ParseFailure) {
    let top = stack.operators.removeLast()
    var count = 2
    while top.isLogical, stack.operators.last == top {
      stack.operators.removeLast()
      count += 1
    }
    let operands = Array(stack.operands.suffix(count))
    stack.operands.removeLast(count)
    stack.operands.append(try balanced(top.function, operands[...]))
  }

  private func balanced(_ function: String, _ operands: ArraySlice<Tree>) throws(ParseFailure) -> Tree {
    if operands.count == 1, let only = operands.first { return only }
    let middle = operands.startIndex + (operands.count + 1) / 2
    let left = try balanced(function, operands[..<middle])
    let right = try balanced(function, operands[middle...])
    let span = Span(left.expression.span.lower, right.expression.span.upper)
    return try call(function, [left, right], span)
  }

  /// A run of `!` or of `-`, then a member expression. A minus right before a number belongs to the number.
  private func operand() throws(ParseFailure) -> Tree {
    let prefixes = takePrefixes()
    let inner = try member()
    return prefixes.isEmpty ? inner : try prefixed(prefixes, inner)
  }

  private func takePrefixes() -> [Token] {
    var prefixes: [Token] = []
    while at(.not) || at(.minus), prefixes.first == nil || prefixes.first?.kind == current.kind {
      prefixes.append(current)
      advance()
    }
    if prefixes.last?.kind == .symbol(.minus), isNumber(current) {
      prefixes.removeLast()
      index -= 1
    }
    return prefixes
  }

  private func prefixed(_ prefixes: [Token], _ inner: Tree) throws(ParseFailure) -> Tree {
    var result = inner
    for prefix in prefixes.reversed() {
      let span = Span(prefix.span.lower, result.expression.span.upper)
      result = try call(prefix.kind == .symbol(.not) ? "!_" : "-_", [result], span)
    }
    return result
  }

  func isNumber(_ token: Token) -> Bool {
    token.kind == .int || token.kind == .uint || token.kind == .double
  }

  /// The minus sign and the number after it, both consumed.
  func takeNegativeNumber() throws(ParseFailure) -> Tree? {
    guard at(.minus), isNumber(following) else { return nil }
    let minus = current
    advance()
    let value = try LiteralDecoder.number(current, in: source, isNegative: true)
    let span = Span(minus.span.lower, current.span.upper)
    advance()
    return try node(.literal(value), span)
  }
}

private struct OperatorStack {
  var operands: [Tree]
  var operators: [BinaryOperator] = []
  init(first: Tree) { operands = [first] }
}

/// Binary operators; a higher precedence binds tighter, all associate to the left.
private struct BinaryOperator: Equatable {
  var function: String
  var precedence: Int
  var isLogical: Bool { precedence <= 2 }

  /// Whether this one, on the left, takes its operands before `next` does; runs of `&&` and `||` wait for their end.
  func bindsBefore(_ next: BinaryOperator) -> Bool {
    precedence > next.precedence || (precedence == next.precedence && !isLogical)
  }

  static let membership = BinaryOperator(function: "@in", precedence: 3)
  static let bySymbol: [Symbol: BinaryOperator] = [
    .or: BinaryOperator(function: "_||_", precedence: 1),
    .and: BinaryOperator(function: "_&&_", precedence: 2),
    .equal: BinaryOperator(function: "_==_", precedence: 3),
    .notEqual: BinaryOperator(function: "_!=_", precedence: 3),
    .less: BinaryOperator(function: "_<_", precedence: 3),
    .lessOrEqual: BinaryOperator(function: "_<=_", precedence: 3),
    .greater: BinaryOperator(function: "_>_", precedence: 3),
    .greaterOrEqual: BinaryOperator(function: "_>=_", precedence: 3),
    .plus: BinaryOperator(function: "_+_", precedence: 4),
    .minus: BinaryOperator(function: "_-_", precedence: 4),
    .star: BinaryOperator(function: "_*_", precedence: 5),
    .slash: BinaryOperator(function: "_/_", precedence: 5),
    .percent: BinaryOperator(function: "_%_", precedence: 5),
  ]
}
