// checked expression -> program (PolicyImage/ByteCode.swift). One pass over the tree; what a node leaves is one value
// on the stack.

public import PolicyImage

/// Appends the program of `checked` to `builder` and returns its word. `slots` gives an attribute's slot by its
/// declared name. Errors: `tooComplex` when the program passes a limit of ByteCode, `pattern`, `zone`.
public func generate(
  _ checked: CheckedExpression, slots: (String) -> UInt16?, into builder: inout ImageBuilder
) throws(CELError) -> UInt32 {
  try generate(checked.expression, of: checked, slots: slots, into: &builder)
}

/// The same for one node of a checked expression.
func generate(
  _ expression: Expression, of checked: CheckedExpression, slots: (String) -> UInt16?, into builder: inout ImageBuilder
) throws(CELError) -> UInt32 {
  var generator = CodeGenerator(checked: checked, builder: builder, root: expression.span)
  try withoutActuallyEscaping(slots) { (slots) throws(CELError) in
    try generator.expression(expression, slots)
  }
  let words = try generator.program.finished(expression.span)
  builder = generator.builder
  return builder.program(words)
}

struct CodeGenerator {
  typealias Slots = (String) -> UInt16?

  let checked: CheckedExpression
  var builder: ImageBuilder
  let root: Span
  var program = ProgramWriter()
  /// Visible local variables, innermost last.
  var scope: [(name: String, local: UInt8)] = []

  init(checked: CheckedExpression, builder: ImageBuilder, root: Span) {
    self.checked = checked
    self.builder = builder
    self.root = root
  }

  mutating func expression(_ e: Expression, _ slots: Slots) throws(CELError) {
    switch e.kind {
    case .literal(let literal): self.literal(literal)
    case .identifier: try name(e, slots)
    // A counter.
    case .call where checked.references[e.id]?.isVariable == true: try name(e, slots)
    case .select(let operand, let field, let isTest, let isOptional):
      try select(e, operand, field, isTest: isTest, isOptional: isOptional, slots)
    case .call(let function, let target, let arguments): try call(e, function, target, arguments, slots)
    case .list(let elements, let optionals): try list(elements, optionals, slots)
    case .map(let entries): try map(entries, slots)
    case .message: throw CELError(.message, e.span, "messages are not supported")
    case .comprehension(let c): try comprehension(c, e.span, slots)
    }
  }

  mutating func literal(_ literal: Literal) {
    switch literal {
    case .null: program.emit(.simple, a: 0)
    case .bool(let b): program.emit(.simple, a: b ? 2 : 1)
    case .int(let i):
      if let small = Int32(exactly: i) {
        program.emit(.int, c: UInt32(bitPattern: small))
      } else {
        program.emit(.constant, a: ConstantKind.int.rawValue, c: builder.constant(UInt64(bitPattern: i)))
      }
    case .uint(let u): program.emit(.constant, a: ConstantKind.uint.rawValue, c: builder.constant(u))
    case .double(let d): program.emit(.constant, a: ConstantKind.double.rawValue, c: builder.constant(d.bitPattern))
    case .string(let s): program.emit(.string, c: builder.string(s))
    case .bytes(let b): program.emit(.bytes, c: builder.string(bytes: b))
    }
  }

  /// What a name means; one that means nothing (only where nothing was checked) fails when it is evaluated.
  private mutating func name(_ e: Expression, _ slots: Slots) throws(CELError) {
    switch checked.references[e.id] {
    case .variable(let name): program.emit(.slot, b: try slot(name, e.span, slots))
    case .type(let type): program.emit(.type, c: Self.number(of: type))
    case .local(let name):
      guard let local = scope.last(where: { $0.name == name }) else {
        throw CELError(.undeclared, e.span, "'\(name)' is not in scope")
      }
      program.emit(.local, a: local.local)
    case .overloads, nil: program.emit(.fail, a: EvaluationFault.unknownName)
    }
  }

  private func slot(_ name: String, _ span: Span, _ slots: Slots) throws(CELError) -> UInt16 {
    guard let slot = slots(name) else { throw CELError(.undeclared, span, "'\(name)' has no slot") }
    return slot
  }

  /// The number that a type has as a value: the kind of values of that type (Decision/Value.swift).
  static func number(of type: CELType) -> UInt32 {
    switch type {
    case .dyn, .parameter: 0
    case .null: 1
    case .bool: 2
    case .int: 3
    case .uint: 4
    case .double: 5
    case .string: 6
    case .bytes: 7
    case .list: 8
    case .map: 9
    case .timestamp: 10
    case .duration: 11
    case .type: 12
    case .optional: 13
    }
  }

  private mutating func select(
    _ e: Expression, _ operand: Expression, _ field: String, isTest: Bool, isOptional: Bool, _ slots: Slots
  ) throws(CELError) {
    if case .variable(let name) = checked.references[e.id] {
      program.emit(isTest ? .hasSlot : .slot, b: try slot(name, e.span, slots))
      return
    }
    if checked.references[e.id] != nil { return try name(e, slots) }
    try expression(operand, slots)
    program.emit(isTest ? .hasField : isOptional ? .optionalSelect : .select, c: builder.string(field))
  }

  // MARK: Lists and maps

  private mutating func list(_ elements: [Expression], _ optionals: Set<Int>, _ slots: Slots) throws(CELError) {
    try elementsInChunks(elements.count, first: .list, next: .append) { (g, i) throws(CELError) in
      try g.expression(elements[i], slots)
      return optionals.contains(i)
    }
  }

  private mutating func map(_ entries: [Expression.MapEntry], _ slots: Slots) throws(CELError) {
    try elementsInChunks(entries.count, first: .map, next: .insert) { (g, i) throws(CELError) in
      try g.expression(entries[i].key, slots)
      try g.expression(entries[i].value, slots)
      return entries[i].isOptional
    }
  }

  private mutating func elementsInChunks(
    _ count: Int, first: Operation, next: Operation,
    _ element: (inout CodeGenerator, Int) throws(CELError) -> Bool
  ) throws(CELError) {
    var start = 0
    repeat {
      let end = min(count, start + ByteCode.maximumElements)
      var mask: UInt32 = 0
      for i in start..<end where try element(&self, i) { mask |= 1 << UInt32(i - start) }
      program.emit(start == 0 ? first : next, b: UInt16(end - start), c: mask)
      start = end
    } while start < count
  }

  /// `list + [a, b]`: appending in place is what makes loops that collect linear.
  mutating func append(_ list: Expression, _ elements: [Expression], _ slots: Slots) throws(CELError) {
    try expression(list, slots)
    for element in elements { try expression(element, slots) }
    program.emit(.append, b: UInt16(elements.count))
  }

  // MARK: Loops

  private mutating func comprehension(
    _ c: Expression.Comprehension, _ span: Span, _ slots: Slots
  ) throws(CELError) {
    let visible = scope.count
    let reserved = program.locals
    defer {
      scope.removeLast(scope.count - visible)
      program.locals = reserved
    }
    if case .list(let elements, _) = c.range.kind, elements.isEmpty {
      // No round will run: this is cel.bind.
      try expression(c.initial, slots)
      let accumulator = try program.reserve(1, span)
      program.emit(.setLocal, a: accumulator)
      scope.append((c.accumulator, accumulator))
      return try expression(c.result, slots)
    }
    let state = try program.reserve(5, span)
    let accumulator = state + 4
    try expression(c.range, slots)
    let notIterable = program.emitJump(.iterate, a: state)
    try expression(c.initial, slots)
    program.emit(.setLocal, a: accumulator)
    try rounds(c, state: state, slots)
    try expression(c.result, slots)
    program.label([notIterable])
  }

  /// The loop itself; leaves nothing on the stack and the accumulator in scope.
  private mutating func rounds(
    _ c: Expression.Comprehension, state: UInt8, _ slots: Slots
  ) throws(CELError) {
    let accumulator = state + 4
    let head = program.words.count
    var exits = [
      program.emitJump(c.secondVariable == nil ? .next : .nextPair, a: state, b: UInt16(clamping: program.depth))
    ]
    scope.append((c.accumulator, accumulator))
    scope.append((c.variable, state + 2))
    if let second = c.secondVariable { scope.append((second, state + 3)) }
    if case .literal(.bool(true)) = c.condition.kind {
    } else {
      try expression(c.condition, slots)
      exits.append(program.emitJump(.exitIfFalse))
    }
    try expression(c.step, slots)
    program.emit(.setLocal, a: accumulator)
    program.emit(.back, c: UInt32(clamping: head))
    program.label(exits)
    scope.removeLast(c.secondVariable == nil ? 1 : 2)
  }
}

/// Numbers of Decision's `Failure` that a program can name.
enum EvaluationFault {
  static let noSuchOverload: UInt8 = 3
  static let unknownName: UInt8 = 13
}
