// The parser's lower half: literals, names, calls, selections, indices, lists, maps.

extension Parser {
  /// A primary expression and what follows it: `.name`, `.name(…)`, `.?name`, `[…]`, `[?…]`, `{…}`.
  func member() throws(ParseFailure) -> Tree {
    var result = try primary()
    while true {
      if take(.dot) {
        result = try afterDot(result)
      } else if take(.openBracket) {
        result = try afterBracket(result)
      } else if at(.openBrace), !result.isParenthesized, let name = result.expression.qualifiedName {
        result = try message(name, result)
      } else {
        return result
      }
    }
  }

  private func afterDot(_ operand: Tree) throws(ParseFailure) -> Tree {
    let isOptional = take(.question)
    let nameToken = current
    let name = try selector()
    let lower = operand.expression.span.lower
    if !isOptional, nameToken.kind == .identifier, at(.openParenthesis) {
      let arguments = try self.arguments()
      return try method(name, operand, arguments)
    }
    let kind = Expression.Kind.select(
      operand: operand.expression, field: name, isTest: false, isOptional: isOptional)
    return try node(kind, Span(lower, nameToken.span.upper), over: operand)
  }

  private func afterBracket(_ operand: Tree) throws(ParseFailure) -> Tree {
    let isOptional = take(.question)
    let key = try expression()
    try expect(.closeBracket)
    return try call(
      isOptional ? "_[?_]" : "_[_]", [operand, key], Span(operand.expression.span.lower, lastUpper))
  }

  /// A field or method name; reserved words are fine here, the four keywords aren't.
  private func selector() throws(ParseFailure) -> String {
    let token = current
    switch token.kind {
    case .identifier where !Keywords.literal.contains(text(token)):
      advance()
      return text(token)
    case .quotedIdentifier:
      advance()
      return String(text(token).dropFirst().dropLast())
    case .identifier:
      throw unexpected("a field or method name", hint: "['\(text(token))'] selects a key of any name")
    default:
      throw unexpected("a field or method name")
    }
  }

  // MARK: Primary expressions

  private func primary() throws(ParseFailure) -> Tree {
    switch current.kind {
    case .symbol(.openParenthesis): try parenthesized()
    case .symbol(.openBracket): try list()
    case .symbol(.openBrace): try map()
    case .symbol(.dot): try named()
    case .identifier: try isKeyword ? keyword() : named()
    default: try literal()
    }
  }

  private func literal() throws(ParseFailure) -> Tree {
    if let number = try takeNegativeNumber() { return number }
    let token = current
    let value: Literal
    switch token.kind {
    case .int, .uint, .double:
      value = try LiteralDecoder.number(token, in: source, isNegative: false)
    case .string(let form):
      let bytes = try LiteralDecoder.string(form, token.span, in: source).bytes
      value = form.isBytes ? .bytes(bytes) : .string(String(decoding: bytes, as: UTF8.self))
    case .quotedIdentifier:
      throw unexpected("a value", hint: "back quotes are for fields only: a.`b-c`")
    default:
      throw unexpected("a value")
    }
    advance()
    return try node(.literal(value), token.span)
  }

  private func parenthesized() throws(ParseFailure) -> Tree {
    let lower = current.span.lower
    advance()
    let inner = try expression()
    try expect(.closeParenthesis)
    return inner.parenthesized(Span(lower, lastUpper))
  }

  private var isKeyword: Bool { Keywords.values[text(current)] != nil }

  /// `true`, `false`, `null`.
  private func keyword() throws(ParseFailure) -> Tree {
    let token = current
    guard let literal = Keywords.values[text(token)] else { throw unexpected("a value") }
    advance()
    return try node(.literal(literal), token.span)
  }

  /// `name`, `.name`, `name(…)`.
  private func named() throws(ParseFailure) -> Tree {
    let lower = current.span.lower
    let isRoot = take(.dot)
    let name = try variableOrFunction()
    if at(.openParenthesis) {
      let arguments = try self.arguments()
      return try function(name, arguments, Span(lower, lastUpper))
    }
    return try node(.identifier(isRoot ? "." + name : name), Span(lower, lastUpper))
  }

  private func variableOrFunction() throws(ParseFailure) -> String {
    let token = current
    guard token.kind == .identifier else { throw unexpected("a name") }
    let name = text(token)
    guard !Keywords.literal.contains(name) else { throw unexpected(name == "in" ? "a value" : "a name") }
    guard !Keywords.reserved.contains(name) else {
      throw ParseFailure(.syntax, token.span, "'\(name)' is a reserved word and can't be a name")
    }
    advance()
    return name
  }

  // MARK: Calls

  /// `(a, b)`, the parentheses included.
  private func arguments() throws(ParseFailure) -> [Tree] {
    try expect(.openParenthesis)
    var result: [Tree] = []
    if take(.closeParenthesis) { return result }
    repeat {
      result.append(try expression())
    } while take(.comma)
    guard take(.closeParenthesis) else { throw unexpected("',' or ')'") }
    return result
  }

  private func function(_ name: String, _ arguments: [Tree], _ span: Span) throws(ParseFailure) -> Tree {
    if let expanded = try expandMacro(name, target: nil, arguments, span) { return expanded }
    return try call(name, arguments, span)
  }

  /// A method, a macro, or a function of a namespace (`math.ceil`): the last becomes a call without a target.
  private func method(_ name: String, _ target: Tree, _ arguments: [Tree]) throws(ParseFailure) -> Tree {
    let span = Span(target.expression.span.lower, lastUpper)
    if let expanded = try expandMacro(name, target: target, arguments, span) { return expanded }
    if let namespace = target.namespace, Function.byName["\(namespace).\(name)"] != nil {
      return try call("\(namespace).\(name)", arguments, span)
    }
    let kind = Expression.Kind.call(
      function: name, target: target.expression, arguments: arguments.map(\.expression))
    return try node(kind, span, overAll: [target] + arguments)
  }

  // MARK: Lists, maps, messages

  private func list() throws(ParseFailure) -> Tree {
    let lower = current.span.lower
    advance()
    var elements: [Tree] = []
    var optionals: Set<Int> = []
    while !at(.closeBracket) {
      if take(.question) { optionals.insert(elements.count) }
      elements.append(try expression())
      if !take(.comma) { break }
    }
    guard take(.closeBracket) else { throw unexpected("',' or ']'") }
    return try node(
      .list(elements.map(\.expression), optionals: optionals), Span(lower, lastUpper), overAll: elements)
  }

  private func map() throws(ParseFailure) -> Tree {
    let lower = current.span.lower
    advance()
    var entries: [Expression.MapEntry] = []
    var children: [Tree] = []
    while !at(.closeBrace) {
      let isOptional = take(.question)
      let key = try expression()
      try expect(.colon)
      let value = try expression()
      entries.append(.init(key: key.expression, value: value.expression, isOptional: isOptional))
      children += [key, value]
      if !take(.comma) { break }
    }
    guard take(.closeBrace) else { throw unexpected("',' or '}'") }
    return try node(.map(entries), Span(lower, lastUpper), overAll: children)
  }

  /// The fields must be well-formed, and are then dropped: the checker refuses every message.
  private func message(_ name: String, _ operand: Tree) throws(ParseFailure) -> Tree {
    advance()
    while !at(.closeBrace) {
      _ = take(.question)
      _ = try selector()
      try expect(.colon)
      _ = try expression()
      if !take(.comma) { break }
    }
    guard take(.closeBrace) else { throw unexpected("',' or '}'") }
    return try node(.message(name: name), Span(operand.expression.span.lower, lastUpper), over: operand)
  }
}

private enum Keywords {
  static let values: [String: Literal] = ["true": .bool(true), "false": .bool(false), "null": .null]
  static let literal: Set<String> = ["true", "false", "null", "in"]
  static let reserved: Set<String> = [
    "as", "break", "const", "continue", "else", "for", "function", "if", "import", "let", "loop", "package",
    "namespace", "return", "var", "void", "while",
  ]
}

extension Expression {
  /// "a.b.c" for a chain of plain selections on an identifier (".a.b" with a leading dot), else nil.
  var qualifiedName: String? {
    var fields: [String] = []
    var node = self
    while true {
      switch node.kind {
      case .identifier(let name):
        return ([name] + fields.reversed()).joined(separator: ".")
      case .select(let operand, let field, isTest: false, isOptional: false):
        fields.append(field)
        node = operand
      default:
        return nil
      }
    }
  }
}
