// Rules against a frame: is a condition true, false or failed (DESIGN §2.3).

internal import PolicyImage

/// One image with the frame's values and the symbol table that belongs to it. Three pointers: copies are free.
struct Reader {
  let image: Image
  let slots: UnsafeMutablePointer<Value>
  /// By slot; as `Frame.symbols`.
  let symbols: UnsafeMutablePointer<UInt32>

  @inline(__always)
  init(_ image: Image, _ frame: borrowing Frame, base: Int) {
    self.image = image
    slots = frame.slots
    symbols = frame.symbols + base
  }
}

/// The first of `left` rules from `word` on whose condition is not false.
struct Found {
  var word: UnsafePointer<UInt64>
  /// Rules from `word` on, itself included; 0: there is none.
  var left: Int
  var truth: Truth
}

/// Passes over rules that don't match: the loop that most decisions spend most of their time in, so it stands alone,
/// with nothing but what it needs in registers.
@inline(never)
@_optimize(speed)
func firstMatch(_ start: UnsafePointer<UInt64>, _ count: Int, _ reader: Reader, _ frame: inout Frame) -> Found {
  var word = start
  var left = count
  while true {
    passOtherTexts(&word, &left, reader.symbols)
    guard left > 0 else { break }
    // The end is kept rather than found again: it is where the next rule begins.
    let end = word + (1 &+ RuleHeader(word: word.pointee).tests)
    let truth = conjunction(word + 1, end, reader, &frame)
    if truth != .no { return Found(word: word, left: left, truth: truth) }
    word = end
    left &-= 1
  }
  return Found(word: word, left: 0, truth: .no)
}

/// Passes over rules whose first test wants a text to be one, when it is known to be another: most rules that don't match
/// stand so (the compiler puts such tests first). A loop without a call in it.
@inline(__always)
private func passOtherTexts(
  _ word: inout UnsafePointer<UInt64>, _ left: inout Int, _ symbols: UnsafeMutablePointer<UInt32>
) {
  while left > 0 {
    let tests = RuleHeader(word: word.pointee).tests
    guard tests > 0 else { return }
    let test = Test(word: word[1])
    guard test.operation == TestOperation.string.rawValue, test.comparison == Comparison.equal.rawValue else { return }
    let symbol = symbols[test.slot]
    guard symbol != 0 else { return }
    // What the test looks at, its lower half, and the text that is there.
    let head = UInt32(truncatingIfNeeded: test.word)
    let found = UInt64(symbol &- 1) << 32 | UInt64(head)
    // Rules of this length that look at the same, in a row: where the next one begins is known before this one is read, so
    // that a processor reads several at once.
    let step = 1 &+ tests
    repeat {
      if word[1] == found { return }
      word += step
      left &-= 1
    } while left > 0 && RuleHeader(word: word.pointee).tests == tests && UInt32(truncatingIfNeeded: word[1]) == head
  }
}

/// The truth of a rule's conjunction: no if any test is no, else failed if any failed, else yes (CEL's `&&`).
@inline(__always)
func holds(_ rule: RuleHeader, _ tests: UnsafePointer<UInt64>, _ reader: Reader, _ frame: inout Frame) -> Truth {
  conjunction(tests, tests + rule.tests, reader, &frame)
}

/// The truth of the tests up to `end`. The commonest operations are in line, without jump tables, and a test that comes out true
/// or false branches at once: this is where a decision's time goes.
@inline(__always)
private func conjunction(
  _ tests: UnsafePointer<UInt64>, _ end: UnsafePointer<UInt64>, _ reader: Reader, _ frame: inout Frame
) -> Truth {
  var truth = Truth.yes
  var next = tests
  while next < end {
    // SAFETY: the verifier has checked that the tests follow their rule, and their slots and operands.
    let test = Test(word: next.pointee)
    next += 1
    let operation = test.operation
    if operation == TestOperation.string.rawValue {
      // A slot whose symbol is known holds a string.
      var symbol = reader.symbols[test.slot]
      if symbol == 0 { symbol = intern(test.slot, reader) }
      if symbol == 0 {
        truth = .failed
      } else if (symbol &- 1 == test.operand) != (test.comparison == Comparison.equal.rawValue) {
        return .no
      }
    } else if operation == TestOperation.int.rawValue {
      let value = reader.slots + test.slot
      if value.pointee.kind != .int {
        truth = .failed
      } else if !isAccepted(value.pointee.asInt, Int64(Int32(bitPattern: test.operand)), test.comparison) {
        return .no
      }
    } else if operation == TestOperation.bool.rawValue {
      let value = reader.slots + test.slot
      if value.pointee.kind != .bool {
        truth = .failed
      } else if (value.pointee.payload == UInt64(test.operand)) != (test.comparison == Comparison.equal.rawValue) {
        return .no
      }
    } else {
      let outcome = evaluateRare(test, reader, &frame)
      if outcome == .no { return .no }
      if outcome == .failed { truth = .failed }
    }
  }
  return truth
}

/// A comparison of integers without a branch: `order`'s bit by its position within the comparison's digit.
@inline(__always)
private func isAccepted(_ a: Int64, _ b: Int64, _ comparison: UInt8) -> Bool {
  let position: UInt32 = 1 &+ (a > b ? 1 : 0) &- (a < b ? 1 : 0)
  return acceptedOrders &>> (UInt32(comparison) &* 4 &+ position) & 1 != 0
}

@inline(never)
@_optimize(speed)
private func evaluateRare(_ test: Test, _ reader: Reader, _ frame: inout Frame) -> Truth {
  if test.operation == TestOperation.program.rawValue {
    return evaluateProgram(test.operand, reader.image, &frame).truth
  }
  if test.operation == TestOperation.period.rawValue {
    let hasEnded = frame.ended &>> UInt64(test.operand) & 1 == 1
    return truth(hasEnded == (test.comparison == Comparison.equal.rawValue))
  }
  let value = reader.slots[test.slot]
  switch test.operation {
  case TestOperation.presence.rawValue:
    let isGiven: UInt32 = value.kind == .absent ? 0 : 1
    return truth((isGiven == test.operand) == (test.comparison == Comparison.equal.rawValue))
  case TestOperation.double.rawValue:
    guard value.kind == .double else { return .failed }
    return truth(
      order(value.asDouble, Double(Float(bitPattern: test.operand))) & accepted(test.comparison) != 0)
  case TestOperation.intConstant.rawValue:
    guard value.kind == .int else { return .failed }
    let constant = Int64(bitPattern: reader.image.constants[Int(test.operand)])
    return truth(order(value.asInt, constant) & accepted(test.comparison) != 0)
  case TestOperation.uintConstant.rawValue:
    guard value.kind == .uint else { return .failed }
    return truth(order(value.payload, reader.image.constants[Int(test.operand)]) & accepted(test.comparison) != 0)
  default:
    guard value.kind == .double else { return .failed }
    let constant = Double(bitPattern: reader.image.constants[Int(test.operand)])
    return truth(order(value.asDouble, constant) & accepted(test.comparison) != 0)
  }
}

@inline(__always)
private func truth(_ b: Bool) -> Truth { b ? .yes : .no }

/// How two numbers stand, one bit: 1 less, 2 equal, 4 greater, 8 none of them (a NaN).
@inline(__always)
private func order<T: Comparable>(_ a: T, _ b: T) -> UInt32 {
  a < b ? 1 : a == b ? 2 : a > b ? 4 : 8
}

/// The bits of `order` that each comparison accepts: a digit each, in the order of their numbers (which are verified).
@inline(__always)
private var acceptedOrders: UInt32 { 0x6431D2 }

@inline(__always)
private func accepted(_ comparison: UInt8) -> UInt32 { acceptedOrders &>> (UInt32(comparison) &* 4) & 15 }

/// Looks up the string id of an attribute's text in this image, once a request and image; the id + 1, as in
/// `Frame.symbols`, or 0 when it is no string.
@inline(never)
private func intern(_ slot: Int, _ reader: Reader) -> UInt32 {
  let value = reader.slots[slot]
  guard value.kind == .string else { return 0 }
  var id = ImageFormat.none
  if let address = value.address {
    id = reader.image.symbol(address, Int(value.length))
  } else {
    id = reader.image.symbol(UnsafeRawPointer(("" as StaticString).utf8Start), 0)
  }
  // `none` would wrap to "not looked up": an unknown text is kept as the largest id, which no string has.
  if id == ImageFormat.none { id = Frame.unknownSymbol &- 1 }
  reader.symbols[slot] = id &+ 1
  return id &+ 1
}

/// A limit's truth. One that reads `argument` applies unless it is false with the argument and with an empty one
/// (DESIGN §2.4): yes if either is, else failed if either is.
@_optimize(speed)
func limitHolds(
  _ rule: RuleHeader, _ tests: UnsafePointer<UInt64>, _ reader: Reader, _ frame: inout Frame
) -> Truth {
  let given = holds(rule, tests, reader, &frame)
  guard rule.readsArgument, given != .yes else { return given }
  let slot = Int(BuiltInSlot.argument)
  let argument = frame.slots[slot]
  guard argument.length != 0 else { return given }
  frame.set(slot, .string(UnsafeRawBufferPointer(start: nil, count: 0)))
  let empty = holds(rule, tests, reader, &frame)
  frame.set(slot, argument)
  return empty == .no ? given : empty
}

/// A test's outcome with the reason of a failure, for traces.
func explain(_ word: UnsafePointer<UInt64>, _ reader: Reader, _ frame: inout Frame) -> Outcome {
  let test = Test(word: word.pointee)
  if test.operation == TestOperation.program.rawValue { return evaluateProgram(test.operand, reader.image, &frame) }
  let truth = conjunction(word, word + 1, reader, &frame)
  guard truth == .failed else { return Outcome(truth) }
  let isMissing = frame.slots[test.slot].kind == .absent
  return Outcome(
    .failed, failure: isMissing ? .missingAttribute : .noSuchOverload, slot: UInt16(truncatingIfNeeded: test.slot))
}
