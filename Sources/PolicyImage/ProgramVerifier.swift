// Proves that running a program is memory-safe, whatever its bytes: one pass, no allocation. Since a jump goes only
// to a `label` (or back to a loop's head), and these state the stack depth, the pass knows the depth everywhere.
// What the evaluator checks while running is not checked here: kinds of values, and the contents of automata and
// zones, which are untrusted tables with checked indices (here: that their extent lies inside the section).

/// Why a program is refused.
public enum ProgramFault: UInt8, Sendable {
  case header, operation, operand, stack, jump, end, automaton, zone
}

/// Checks every program of the section `code`, whose words lie one behind the other; the first bad one's word and
/// fault, or nil. `image`'s sections must already have been checked. Safe on any bytes.
public func verifyPrograms(in image: Image, slots: Int) -> (word: UInt32, fault: ProgramFault)? {
  var word = 0
  let count = image.count(.code)
  while word < count {
    let at = UInt32(truncatingIfNeeded: word)
    if let fault = verifyProgram(at: at, in: image, slots: slots) { return (at, fault) }
    word &+= Int(Instruction(word: image.code[word]).c)
  }
  return nil
}

/// Whether a program starts at `word`, given that `verifyPrograms` has accepted the section.
public func isProgram(_ word: UInt32, in image: Image) -> Bool {
  Int(word) < image.count(.code) && Instruction(word: image.code[Int(word)]).code == Operation.program.rawValue
}

/// Checks the program whose header is at `word`; `slots` attributes can be named. nil when it is safe to run.
public func verifyProgram(at word: UInt32, in image: Image, slots: Int) -> ProgramFault? {
  let start = Int(word)
  let available = image.count(.code) &- start
  guard available >= 2 else { return .header }
  // SAFETY: start < count of the section, as just checked.
  let header = Instruction(word: image.code[start])
  guard header.code == Operation.program.rawValue, header.a <= ByteCode.maximumLocals,
    header.b <= ByteCode.maximumStack, header.c >= 2, header.c <= ByteCode.maximumLength, header.c <= available
  else { return .header }
  var pass = VerifierPass(image: image, code: image.code + start, header: header, slots: slots)
  return pass.run()
}

private struct VerifierPass {
  let image: Image
  let code: UnsafePointer<UInt64>
  let locals: Int
  let maximum: Int
  let length: Int
  let slots: Int
  var depth = 0
  var isReachable = true

  init(image: Image, code: UnsafePointer<UInt64>, header: Instruction, slots: Int) {
    self.image = image
    self.code = code
    self.slots = slots
    locals = header.a
    maximum = header.b
    length = Int(header.c)
  }

  mutating func run() -> ProgramFault? {
    var pc = 1
    while pc < length {
      // SAFETY: 1 <= pc < length, and the header's length lies inside the section.
      let i = Instruction(word: code[pc])
      guard i.code != 0, let operation = Operation(rawValue: i.code) else { return .operation }
      if !isReachable {
        guard operation == .label, i.b <= maximum else { return .jump }
        depth = i.b
        isReachable = true
      } else if let fault = step(operation, i, at: pc) {
        return fault
      }
      pc &+= 1
    }
    return isReachable ? .end : nil
  }

  private mutating func step(_ operation: Operation, _ i: Instruction, at pc: Int) -> ProgramFault? {
    switch operation {
    case .program: return .operation
    case .return:
      isReachable = false
      return depth == 1 ? nil : .stack
    case .int, .simple, .constant, .string, .bytes, .type, .slot, .hasSlot, .local, .fail:
      return operandIsValid(operation, i) ? move(pop: 0, push: 1) : .operand
    case .setLocal: return i.a < locals ? move(pop: 1, push: 0) : .operand
    case .not, .negate, .notStrictlyFalse, .checkOptional: return move(pop: 1, push: 1)
    case .select, .hasField, .optionalSelect:
      return operandIsValid(operation, i) ? move(pop: 1, push: 1) : .operand
    case .and, .or, .equal, .notEqual, .less, .lessOrEqual, .greater, .greaterOrEqual, .add, .subtract, .multiply,
      .divide, .modulo, .in, .index, .optionalIndex:
      return move(pop: 2, push: 1)
    case .list: return i.b <= ByteCode.maximumElements ? move(pop: i.b, push: 1) : .operand
    case .append: return i.b <= ByteCode.maximumElements ? move(pop: i.b &+ 1, push: 1) : .operand
    case .map: return i.b <= ByteCode.maximumElements ? move(pop: i.b &* 2, push: 1) : .operand
    case .insert: return i.b <= ByteCode.maximumElements ? move(pop: i.b &* 2 &+ 1, push: 1) : .operand
    case .call: return call(i)
    case .label, .jump, .jumpIfFalse, .jumpIfTrue, .checkBool, .branch, .iterate, .next, .nextPair, .exitIfFalse,
      .back, .jumpIfValue:
      return flow(operation, i, at: pc)
    }
  }

  private func operandIsValid(_ operation: Operation, _ i: Instruction) -> Bool {
    switch operation {
    case .simple: i.a <= 2
    case .constant: i.a <= 2 && Int(i.c) < image.count(.constants)
    case .string, .bytes, .select, .hasField, .optionalSelect: Int(i.c) < image.count(.strings)
    case .type: i.c <= 0xFF
    case .slot, .hasSlot: i.b < slots
    case .local: i.a < locals
    default: true
    }
  }

  private mutating func move(pop: Int, push: Int) -> ProgramFault? {
    guard depth >= pop else { return .stack }
    depth = depth &- pop &+ push
    return depth <= maximum ? nil : .stack
  }

  private mutating func flow(_ operation: Operation, _ i: Instruction, at pc: Int) -> ProgramFault? {
    switch operation {
    case .label: return i.b == depth ? nil : .stack
    case .jump:
      isReachable = false
      return target(i, after: pc, depth: depth)
    case .jumpIfFalse, .jumpIfTrue, .checkBool:
      return depth >= 1 ? target(i, after: pc, depth: depth) : .stack
    case .branch, .exitIfFalse:
      return move(pop: 1, push: 0) ?? target(i, after: pc, depth: depth)
    case .iterate:
      guard i.a &+ 1 < locals else { return .operand }
      return target(i, after: pc, depth: depth) ?? move(pop: 1, push: 0)
    case .next, .nextPair:
      guard i.a &+ (operation == .next ? 2 : 3) < locals else { return .operand }
      return i.b == depth ? target(i, after: pc, depth: depth) : .stack
    case .jumpIfValue:
      return i.a > 1 ? .operand : target(i, after: pc, depth: depth) ?? move(pop: 1, push: 0)
    default: return back(i, at: pc)
    }
  }

  /// A forward jump ends at a label that states the depth with which it is reached.
  private func target(_ i: Instruction, after pc: Int, depth: Int) -> ProgramFault? {
    let at = Int(i.c)
    guard at > pc, at < length else { return .jump }
    let label = Instruction(word: code[at])
    return label.code == Operation.label.rawValue && label.b == depth ? nil : .jump
  }

  private mutating func back(_ i: Instruction, at pc: Int) -> ProgramFault? {
    isReachable = false
    let at = Int(i.c)
    guard at >= 1, at < pc else { return .jump }
    let head = Instruction(word: code[at])
    guard head.code == Operation.next.rawValue || head.code == Operation.nextPair.rawValue, head.b == depth else {
      return .jump
    }
    return nil
  }

  private mutating func call(_ i: Instruction) -> ProgramFault? {
    guard let function = CELFunction(rawValue: UInt16(truncatingIfNeeded: i.b)), function.arity == i.a else {
      return .operand
    }
    switch function {
    case .matches:
      guard verifyAutomaton(at: i.c, in: image) else { return .automaton }
    case .getFullYear, .getMonth, .getDayOfYear, .getDayOfMonth, .getDate, .getDayOfWeek, .getHours, .getMinutes,
      .getSeconds, .getMilliseconds:
      guard i.c == ImageFormat.none || verifyZone(at: i.c, in: image) else { return .zone }
    default: break
    }
    return move(pop: i.a, push: 1)
  }
}
