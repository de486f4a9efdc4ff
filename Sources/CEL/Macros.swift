// Macros: calls that the parser replaces by trees. What they expand to uses only the language itself and these
// internal names, which no source text can spell:
//
//   name                  what it is
//   @result               accumulator variable of every loop
//   #unused               iteration variable of a binding, never read (its range is empty)
//   @not_strictly_false   function: false for false; true for true and for a failed operand
//   cel.@mapInsert        function: (map, map) or (map, key, value) -> map with the entries added; fails on a
//                         key that is already there
//   math.@max, math.@min  function: one or more numbers, or one list of numbers
//   @target               accumulator variable: the optional that optMap and optFlatMap were called on
//   @indexN               accumulator variable: slot N of cel.block, from cel.index(N)
//   @it:I:J, @ac:I:J      variables named by cel.iterVar(I, J) and cel.accuVar(I, J)
//
// A binding is a comprehension over [] whose accumulator is the bound name, condition false, step the accumulator.

extension Parser {
  /// The expansion, or nil when this is no macro call.
  func expandMacro(_ name: String, target: Tree?, _ arguments: [Tree], _ span: Span) throws(ParseFailure) -> Tree? {
    guard let target else {
      return name == "has" && arguments.count == 1 ? try has(arguments[0], span) : nil
    }
    if case .identifier(let namespace) = target.expression.kind {
      if namespace == "cel", let result = try expandCEL(name, arguments, span) { return result }
      if namespace == "math", name == "greatest" || name == "least" {
        return try extremum(name == "greatest" ? "math.@max" : "math.@min", arguments, span)
      }
    }
    switch (name, arguments.count) {
    case ("optMap", 2), ("optFlatMap", 2):
      return try optionalMap(target, arguments, isFlat: name == "optFlatMap", span)
    case ("all", 2...3), ("exists", 2...3), ("exists_one", 2...3), ("existsOne", 2...3), ("map", 2...3),
      ("filter", 2), ("transformList", 3...4), ("transformMap", 3...4), ("transformMapEntry", 3...4):
      return try loop(name, target, arguments, span)
    default:
      return nil
    }
  }

  private func has(_ argument: Tree, _ span: Span) throws(ParseFailure) -> Tree {
    guard case .select(let operand, let field, isTest: false, isOptional: false) = argument.expression.kind else {
      throw ParseFailure(
        .syntax, argument.expression.span, "has() takes a field selection, such as has(request.amount)")
    }
    return try node(
      .select(operand: operand, field: field, isTest: true, isOptional: false), span,
      over: Tree(expression: operand, depth: argument.depth - 1))
  }

  private func extremum(_ function: String, _ arguments: [Tree], _ span: Span) throws(ParseFailure) -> Tree {
    guard !arguments.isEmpty else { throw ParseFailure(.syntax, span, "this takes at least one number") }
    return try call(function, arguments, span)
  }

  // MARK: Loops

  private func loop(_ name: String, _ target: Tree, _ arguments: [Tree], _ span: Span) throws(ParseFailure) -> Tree {
    let variableCount = variableCount(name, arguments.count)
    var names: [String] = []
    for argument in arguments.prefix(variableCount) { names.append(try variableName(argument)) }
    if let first = names.first, names.dropFirst().contains(first) {
      throw ParseFailure(.syntax, arguments[1].expression.span, "both variables are named '\(first)'")
    }
    let body = LoopBody(self, span, Array(arguments.dropFirst(variableCount)))
    let parts = try body.parts(name, firstVariable: names[0])
    let comprehension = Expression.Comprehension(
      range: target.expression, variable: names[0], secondVariable: names.count > 1 ? names[1] : nil,
      accumulator: LoopBody.accumulator, initial: parts.initial.expression,
      condition: parts.condition.expression, step: parts.step.expression, result: parts.result.expression)
    return try node(
      .comprehension(comprehension), span, over: target, parts.initial, parts.condition, parts.step, parts.result)
  }

  private func variableCount(_ name: String, _ argumentCount: Int) -> Int {
    if name.hasPrefix("transform") { return 2 }
    return name == "map" || name == "filter" ? 1 : argumentCount - 1
  }

  private func variableName(_ argument: Tree) throws(ParseFailure) -> String {
    guard case .identifier(let name) = argument.expression.kind, !name.hasPrefix(".") else {
      throw ParseFailure(.syntax, argument.expression.span, "expected the name of a variable that the macro introduces")
    }
    return name
  }

  // MARK: Bindings and optionals

  /// `accumulator` is bound to `value` in `body`.
  private func bind(_ name: String, _ value: Tree, _ body: Tree, _ span: Span) throws(ParseFailure) -> Tree {
    let range = try node(.list([], optionals: []), span)
    let condition = try node(.literal(.bool(false)), span)
    let step = try node(.identifier(name), span)
    let comprehension = Expression.Comprehension(
      range: range.expression, variable: "#unused", secondVariable: nil, accumulator: name,
      initial: value.expression, condition: condition.expression, step: step.expression, result: body.expression)
    return try node(.comprehension(comprehension), span, over: value, body, range, condition, step)
  }

  /// `@target.hasValue() ? optional.of(bind(x, @target.value(), body)) : optional.none()`, with the target evaluated once.
  private func optionalMap(_ target: Tree, _ arguments: [Tree], isFlat: Bool, _ span: Span) throws(ParseFailure) -> Tree
  {
    let name = try variableName(arguments[0])
    func onTarget(_ function: String) throws(ParseFailure) -> Tree {
      let target = try node(.identifier("@target"), span)
      return try node(.call(function: function, target: target.expression, arguments: []), span, over: target)
    }
    let mapped = try bind(name, try onTarget("value"), arguments[1], span)
    let some = isFlat ? mapped : try call("optional.of", [mapped], span)
    let none = try call("optional.none", [], span)
    let choice = try call("_?_:_", [try onTarget("hasValue"), some, none], span)
    return try bind("@target", target, choice, span)
  }

  // MARK: cel.bind, cel.block and its parts

  private func expandCEL(_ name: String, _ arguments: [Tree], _ span: Span) throws(ParseFailure) -> Tree? {
    switch (name, arguments.count) {
    case ("bind", 3): try bind(try variableName(arguments[0]), arguments[1], arguments[2], span)
    case ("block", 2): try block(arguments[0], arguments[1], span)
    case ("index", 1): try node(.identifier("@index\(try smallInt(arguments[0]))"), span)
    case ("iterVar", 2):
      try node(.identifier("@it:\(try smallInt(arguments[0])):\(try smallInt(arguments[1]))"), span)
    case ("accuVar", 2):
      try node(.identifier("@ac:\(try smallInt(arguments[0])):\(try smallInt(arguments[1]))"), span)
    default: nil
    }
  }

  private func smallInt(_ argument: Tree) throws(ParseFailure) -> Int64 {
    guard case .literal(.int(let value)) = argument.expression.kind, value >= 0 else {
      throw ParseFailure(.syntax, argument.expression.span, "expected an int literal of at least 0")
    }
    return value
  }

  /// Nested bindings of @index0, @index1, …, each of which sees those before it.
  private func block(_ slots: Tree, _ body: Tree, _ span: Span) throws(ParseFailure) -> Tree {
    guard case .list(let elements, let optionals) = slots.expression.kind, optionals.isEmpty else {
      throw ParseFailure(.syntax, slots.expression.span, "cel.block takes a list of expressions first")
    }
    var result = body
    for (index, element) in elements.enumerated().reversed() {
      let slot = Tree(expression: element, depth: slots.depth - 1)
      result = try bind("@index\(index)", slot, result, span)
    }
    return result
  }
}

/// What the loop macros put into a comprehension. `arguments` are what follows the variables.
private struct LoopBody {
  static let accumulator = "@result"

  struct Parts {
    var initial: Tree
    var condition: Tree
    var step: Tree
    var result: Tree
  }

  let parser: Parser
  let span: Span
  let arguments: [Tree]

  init(_ parser: Parser, _ span: Span, _ arguments: [Tree]) {
    self.parser = parser
    self.span = span
    self.arguments = arguments
  }

  func parts(_ name: String, firstVariable: String) throws(ParseFailure) -> Parts {
    switch name {
    case "all":
      return try quantifier("_&&_", initial: true, goesOnWhile: try accumulator())
    case "exists":
      return try quantifier("_||_", initial: false, goesOnWhile: try parser.call("!_", [try accumulator()], span))
    case "exists_one", "existsOne":
      return try exactlyOne()
    case "transformMap":
      let key = try parser.node(.identifier(firstVariable), span)
      return try collected(
        into: try parser.node(.map([]), span), by: "cel.@mapInsert", [key, try last()])
    case "transformMapEntry":
      return try collected(into: try parser.node(.map([]), span), by: "cel.@mapInsert", [try last()])
    case "filter":
      return try collectedInList(try parser.node(.identifier(firstVariable), span), isFiltered: true)
    default:
      return try collectedInList(try last(), isFiltered: arguments.count > 1)
    }
  }

  private func accumulator() throws(ParseFailure) -> Tree {
    try parser.node(.identifier(Self.accumulator), span)
  }

  private func literal(_ value: Literal) throws(ParseFailure) -> Tree {
    try parser.node(.literal(value), span)
  }

  /// What each round adds; the arguments before it are the filter.
  private func last() throws(ParseFailure) -> Tree {
    guard let last = arguments.last else { throw ParseFailure(.syntax, span, "too few arguments") }
    return last
  }

  private func quantifier(_ function: String, initial: Bool, goesOnWhile: Tree) throws(ParseFailure) -> Parts {
    Parts(
      initial: try literal(.bool(initial)),
      condition: try parser.call("@not_strictly_false", [goesOnWhile], span),
      step: try parser.call(function, [try accumulator(), arguments[0]], span),
      result: try accumulator())
  }

  private func exactlyOne() throws(ParseFailure) -> Parts {
    let more = try parser.call("_+_", [try accumulator(), try literal(.int(1))], span)
    return Parts(
      initial: try literal(.int(0)),
      condition: try literal(.bool(true)),
      step: try parser.call("_?_:_", [arguments[0], more, try accumulator()], span),
      result: try parser.call("_==_", [try accumulator(), try literal(.int(1))], span))
  }

  private func collectedInList(_ element: Tree, isFiltered: Bool) throws(ParseFailure) -> Parts {
    let single = try parser.node(.list([element.expression], optionals: []), span, over: element)
    let empty = try parser.node(.list([], optionals: []), span)
    return try collected(into: empty, by: "_+_", [single], isFiltered: isFiltered)
  }

  private func collected(
    into empty: Tree, by function: String, _ added: [Tree], isFiltered: Bool? = nil
  ) throws(ParseFailure) -> Parts {
    let more = try parser.call(function, [try accumulator()] + added, span)
    let step =
      isFiltered ?? (arguments.count > 1)
      ? try parser.call("_?_:_", [arguments[0], more, try accumulator()], span) : more
    return Parts(
      initial: empty, condition: try literal(.bool(true)), step: step, result: try accumulator())
  }
}
