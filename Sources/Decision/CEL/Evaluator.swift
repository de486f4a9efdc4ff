// Running a program: a stack machine over values, in the frame's arena. It relies on the verifier for whatever is
// structural (targets, depths, operands) and checks kinds, sizes and arithmetic itself. A failure is a value that
// travels until something absorbs it. Nothing here allocates, locks or traps.

public import PolicyImage

/// Bounds of one evaluation.
public enum EvaluationLimits {
  /// Work of one condition in steps of about a few nanoseconds: a round's instructions, an element, eight bytes
  /// compared, a character of a pattern. Keeps the worst condition around ten milliseconds.
  public static let cost = 1_000_000
  /// How deep lists and maps may nest when they are compared or printed.
  public static let depth = 64
}

/// Evaluates the condition at `word` of a verified image against the frame's attributes. Anything but a bool is a
/// failure. The arena is as before afterwards. `budget` is in units of `EvaluationLimits.cost`.
@inline(__always)
public func evaluateProgram(
  _ word: UInt32, _ image: Image, _ frame: inout Frame, budget: Int = EvaluationLimits.cost
) -> Outcome {
  let mark = frame.arenaUsed
  let value = evaluateValue(word, image, &frame, budget: budget)
  frame.arenaUsed = mark
  if value.kind == .bool { return Outcome(value.payload != 0 ? .yes : .no) }
  let failure = value.failure
  return Outcome(.failed, failure: failure, slot: failure == .missingAttribute ? value.failedSlot : 0xFFFF)
}

/// The value of the program at `word`, of kind `error` for a failure. It may lie in the frame's arena, where it
/// stays until the frame is reset.
public func evaluateValue(
  _ word: UInt32, _ image: Image, _ frame: inout Frame, budget: Int = EvaluationLimits.cost
) -> Value {
  var evaluator = Evaluator(image: image, frame: frame, budget: budget)
  let value = evaluator.run(word)
  frame.arenaUsed = evaluator.used
  return value
}

extension Value {
  @inline(__always) static func failure(_ failure: Failure, slot: Int = 0xFFFF) -> Value {
    Value(kind: .error, payload: UInt64(failure.rawValue) | UInt64(truncatingIfNeeded: slot) << 16)
  }
  /// Why an evaluation came to this value; `noSuchOverload` for one that is no failure but of a wrong kind.
  public var failure: Failure {
    kind == .error ? Failure(rawValue: UInt8(truncatingIfNeeded: payload)) ?? .unknownName : .noSuchOverload
  }
  /// The attribute's slot of a `missingAttribute`.
  public var failedSlot: UInt16 { UInt16(truncatingIfNeeded: payload >> 16) }
  @inline(__always) var isTrue: Bool { kind == .bool && payload != 0 }
  @inline(__always) var isFalse: Bool { kind == .bool && payload == 0 }
  @inline(__always) var count: Int { Int(length) }
}

struct Evaluator {
  let image: Image
  let slots: UnsafeMutablePointer<Value>
  let arena: UnsafeMutableRawPointer
  let size: Int
  var used: Int
  /// What is left of the budget.
  var budget: Int
  let total: Int

  init(image: Image, frame: borrowing Frame, budget: Int) {
    self.image = image
    slots = frame.slots
    arena = frame.arena
    size = frame.arenaSize
    used = BlobLayout.padded(frame.arenaUsed)
    self.budget = budget
    total = budget
  }

  /// Pays for work; false when there is no budget left.
  @inline(__always)
  mutating func pay(_ cost: Int) -> Bool {
    budget &-= cost
    return budget >= 0
  }

  /// Pays for touching `count` bytes.
  @inline(__always)
  mutating func pay(bytes count: Int) -> Bool { pay(1 &+ count >> 3) }

  /// `count` bytes of the arena, 8-byte aligned; nil when it is full.
  @inline(__always)
  mutating func allocate(_ count: Int) -> UnsafeMutableRawPointer? {
    let need = BlobLayout.padded(count)
    guard count >= 0, need <= size &- used else { return nil }
    let p = arena + used
    used = used &+ need
    return p
  }

  @inline(__always)
  mutating func allocateValues(_ count: Int) -> UnsafeMutablePointer<Value>? {
    allocate(count &* 16)?.bindMemory(to: Value.self, capacity: count)
  }

  mutating func run(_ word: UInt32) -> Value {
    let code = image.code + Int(word)
    let header = Instruction(word: code[0])
    guard let locals = allocateValues(header.a &+ header.b &+ 1) else { return .failure(.arenaFull) }
    var i = 0
    while i < header.a {
      locals[i] = .null
      i &+= 1
    }
    let result = execute(code, locals: locals, stack: locals + header.a)
    return budget < 0 ? .failure(.costLimit) : result
  }

  /// `sp` points to the top of the stack; `locals[header.a]` is below the first element.
  private mutating func execute(
    _ code: UnsafePointer<UInt64>, locals: UnsafeMutablePointer<Value>, stack: UnsafeMutablePointer<Value>
  ) -> Value {
    var sp = stack
    var pc = 1
    while true {
      let i = Instruction(word: code[pc])
      pc &+= 1
      switch i.operation {
      case .program, .label: break
      case .return: return sp.pointee
      case .int, .constant, .simple, .string, .bytes, .type, .fail:
        sp += 1
        sp.pointee = literal(i)
      case .slot:
        let value = slots[i.b]
        sp += 1
        sp.pointee = value.kind == .absent ? .failure(.missingAttribute, slot: i.b) : value
      case .hasSlot:
        sp += 1
        sp.pointee = .bool(slots[i.b].kind != .absent)
      case .local:
        sp += 1
        sp.pointee = locals[i.a]
      case .setLocal:
        locals[i.a] = sp.pointee
        sp -= 1
      case .jump: pc = Int(i.c)
      case .jumpIfFalse: if sp.pointee.isFalse { pc = Int(i.c) }
      case .jumpIfTrue: if sp.pointee.isTrue { pc = Int(i.c) }
      case .checkBool:
        if sp.pointee.kind != .bool {
          sp.pointee = .failure(sp.pointee)
          pc = Int(i.c)
        }
      case .branch:
        if !sp.pointee.isTrue { pc = Int(i.c) }
        sp -= 1
      case .exitIfFalse:
        if sp.pointee.isFalse { pc = Int(i.c) }
        sp -= 1
      case .and:
        sp -= 1
        sp.pointee = Self.absorbing(sp.pointee, sp[1], by: false)
      case .or:
        sp -= 1
        sp.pointee = Self.absorbing(sp.pointee, sp[1], by: true)
      case .not:
        sp.pointee = sp.pointee.kind == .bool ? .bool(sp.pointee.payload == 0) : .failure(sp.pointee)
      case .notStrictlyFalse: sp.pointee = .bool(!sp.pointee.isFalse)
      case .negate: sp.pointee = negated(sp.pointee)
      case .equal:
        sp -= 1
        sp.pointee = equality(sp.pointee, sp[1], negated: false)
      case .notEqual:
        sp -= 1
        sp.pointee = equality(sp.pointee, sp[1], negated: true)
      case .less, .lessOrEqual, .greater, .greaterOrEqual:
        sp -= 1
        sp.pointee = ordering(i.operation, sp.pointee, sp[1])
      case .add, .subtract, .multiply, .divide, .modulo:
        sp -= 1
        sp.pointee = arithmetic(i.operation, sp.pointee, sp[1])
      case .in:
        sp -= 1
        sp.pointee = membership(of: sp.pointee, in: sp[1])
      case .index:
        sp -= 1
        sp.pointee = indexed(sp.pointee, sp[1])
      case .optionalIndex:
        sp -= 1
        sp.pointee = optionallyIndexed(sp.pointee, sp[1])
      case .select: sp.pointee = selected(sp.pointee, .string(image.string(i.c)))
      case .hasField: sp.pointee = hasField(sp.pointee, .string(image.string(i.c)))
      case .optionalSelect: sp.pointee = optionallyIndexed(sp.pointee, .string(image.string(i.c)))
      case .list:
        sp -= i.b &- 1
        sp.pointee = newList(sp, count: i.b, optionals: i.c)
      case .append:
        sp -= i.b
        sp.pointee = appending(to: sp.pointee, sp + 1, count: i.b, optionals: i.c)
      case .map:
        sp -= i.b &* 2 &- 1
        sp.pointee = newMap(sp, count: i.b, optionals: i.c)
      case .insert:
        sp -= i.b &* 2
        sp.pointee = inserting(into: sp.pointee, sp + 1, count: i.b, optionals: i.c)
      case .iterate:
        let range = sp.pointee
        if range.kind == .list || range.kind == .map {
          locals[i.a] = range
          locals[i.a &+ 1] = .int(0)
          sp -= 1
        } else {
          sp.pointee = .failure(range)
          pc = Int(i.c)
        }
      case .next, .nextPair:
        if !advance(locals + i.a, isPair: i.operation == .nextPair) { pc = Int(i.c) }
      case .back:
        let head = Int(i.c)
        if !pay(pc &- head) { return .failure(.costLimit) }
        pc = head
      case .jumpIfValue:
        let value = sp.pointee
        if value.kind != .optional {
          sp.pointee = .failure(value)
          pc = Int(i.c)
        } else if let inner = value.elements {
          if i.a == 1 { sp.pointee = inner.pointee }
          pc = Int(i.c)
        } else {
          sp -= 1
        }
      case .checkOptional: if sp.pointee.kind != .optional { sp.pointee = .failure(sp.pointee) }
      case .call:
        sp -= i.a &- 1
        sp.pointee = call(i, sp)
      }
    }
  }

  @inline(__always)
  private func literal(_ i: Instruction) -> Value {
    switch i.operation {
    case .int: return .int(Int64(Int32(bitPattern: i.c)))
    case .string: return .string(image.string(i.c))
    case .bytes: return .bytes(image.string(i.c))
    case .type: return Value(kind: .type, payload: UInt64(i.c))
    case .fail: return .failure(Failure(rawValue: UInt8(truncatingIfNeeded: i.a)) ?? .unknownName)
    case .constant:
      let bits = image.constants[Int(i.c)]
      return Value(kind: i.a == 0 ? .int : i.a == 1 ? .uint : .double, payload: bits)
    default: return i.a == 0 ? .null : .bool(i.a == 2)
    }
  }

  /// `&&` (absorbing false) and `||` (absorbing true): cel-spec, "Logical Operators".
  @inline(__always)
  private static func absorbing(_ a: Value, _ b: Value, by absorber: Bool) -> Value {
    if a.kind == .bool && b.kind == .bool {
      return .bool(absorber ? a.payload | b.payload != 0 : a.payload & b.payload != 0)
    }
    if a.kind == .bool, a.isTrue == absorber { return a }
    if b.kind == .bool, b.isTrue == absorber { return b }
    return .failure(a.kind == .error || b.kind != .error && a.kind != .bool ? a : b)
  }

  /// Moves a loop on; false at its end. The locals hold range, position, then the loop's variables.
  private func advance(_ state: UnsafeMutablePointer<Value>, isPair: Bool) -> Bool {
    let range = state[0]
    let position = Int(truncatingIfNeeded: state[1].payload)
    guard range.kind == .list || range.kind == .map, position >= 0, position < range.count, let base = range.elements
    else { return false }
    state[1] = .int(Int64(truncatingIfNeeded: position &+ 1))
    if range.kind == .list {
      state[2] = isPair ? .int(Int64(truncatingIfNeeded: position)) : base[position]
      if isPair { state[3] = base[position] }
    } else {
      state[2] = base[position &* 2]
      if isPair { state[3] = base[position &* 2 &+ 1] }
    }
    return true
  }
}

extension Value {
  /// A failure for an operand of the wrong kind: itself when it is a failure already.
  @inline(__always) static func failure(_ operand: Value) -> Value {
    operand.kind == .error ? operand : .failure(.noSuchOverload)
  }
  /// The same for two operands, the first failure first.
  @inline(__always) static func failure(_ a: Value, _ b: Value) -> Value {
    a.kind == .error ? a : .failure(b)
  }
}
