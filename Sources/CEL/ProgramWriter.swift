// Writing one program: words, stack depth, locals, and jumps whose targets come later.

import PolicyImage

struct ProgramWriter {
  private(set) var words: [UInt64] = [0]
  private(set) var depth = 0
  private var greatestDepth = 0
  /// Locals in use.
  var locals = 0
  private var mostLocals = 0

  mutating func emit(_ operation: Operation, a: UInt8 = 0, b: UInt16 = 0, c: UInt32 = 0) {
    words.append(Instruction(operation, a: a, b: b, c: c).word)
    depth += effect(operation, a: Int(a), b: Int(b))
    greatestDepth = max(greatestDepth, depth)
  }

  /// Emits a jump and returns where it stands, for `label`.
  mutating func emitJump(_ operation: Operation, a: UInt8 = 0, b: UInt16 = 0) -> Int {
    emit(operation, a: a, b: b)
    return words.count - 1
  }

  /// The target of these jumps. After a jump nothing falls through: `depth` then says what the jumps leave.
  mutating func label(_ jumps: [Int], depth: Int? = nil) {
    if let depth { self.depth = depth }
    for jump in jumps { words[jump] |= UInt64(words.count) << 32 }
    emit(.label, b: UInt16(clamping: self.depth))
  }

  /// The first of `count` locals.
  mutating func reserve(_ count: Int, _ span: Span) throws(CELError) -> UInt8 {
    guard locals + count <= ByteCode.maximumLocals else { throw tooComplex("too many nested loops", span) }
    locals += count
    mostLocals = max(mostLocals, locals)
    return UInt8(locals - count)
  }

  /// The program with its header and its end.
  mutating func finished(_ span: Span) throws(CELError) -> [UInt64] {
    emit(.return)
    guard greatestDepth <= ByteCode.maximumStack else { throw tooComplex("the expression nests too deep", span) }
    guard words.count <= ByteCode.maximumLength else { throw tooComplex("the expression is too long", span) }
    words[0] =
      Instruction(.program, a: UInt8(mostLocals), b: UInt16(greatestDepth), c: UInt32(words.count)).word
    return words
  }

  private func tooComplex(_ message: String, _ span: Span) -> CELError {
    CELError(.tooComplex, span, message, hint: "split the condition into several rules")
  }

  private func effect(_ operation: Operation, a: Int, b: Int) -> Int {
    switch operation {
    case .int, .constant, .simple, .string, .bytes, .type, .slot, .hasSlot, .local, .fail: 1
    case .setLocal, .branch, .exitIfFalse, .iterate, .jumpIfValue: -1
    case .and, .or, .equal, .notEqual, .less, .lessOrEqual, .greater, .greaterOrEqual, .add, .subtract, .multiply,
      .divide, .modulo, .in, .index, .optionalIndex:
      -1
    case .list: 1 - b
    case .append: -b
    case .map: 1 - 2 * b
    case .insert: -2 * b
    case .call: 1 - a
    case .return: -1
    default: 0
    }
  }
}
