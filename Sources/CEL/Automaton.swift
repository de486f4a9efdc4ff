// Instructions over bytes -> automaton blob (PolicyImage/Blobs.swift): deterministic when that stays small, else the
// instructions themselves, which the evaluator simulates. Either takes time linear in the text.

import PolicyImage

extension CodeGenerator {
  /// The blob for a pattern's text.
  func automaton(_ text: String, _ span: Span) throws(CELError) -> [UInt8] {
    let pattern: Pattern
    do throws(PatternError) {
      pattern = try parsePattern(text)
    } catch {
      throw CELError(.pattern, span, error.message, hint: error.hint)
    }
    guard let blob = Automaton.blob(of: pattern) else {
      throw CELError(
        .tooComplex, span, "this pattern needs more than \(AutomatonLimits.instructions) states",
        hint: "use smaller repeat counts or narrower character classes")
    }
    return blob
  }
}

enum Automaton {
  /// The automaton that tells whether a text contains a match; nil when the pattern needs too many instructions.
  static func blob(of pattern: Pattern) -> [UInt8]? {
    guard let program = AutomatonProgram(pattern) else { return nil }
    var builder = SubsetConstruction(program)
    if let table = builder.table() { return table }
    return nondeterministic(program)
  }

  static func nondeterministic(_ program: AutomatonProgram) -> [UInt8] {
    var blob = header(
      AutomatonKind.nondeterministic, states: program.instructions.count, classes: 1, start: program.start,
      [UInt8](repeating: 0, count: 256))
    for instruction in program.instructions {
      let (operation, low, high, assertion, next, other): (AutomatonOperation, UInt8, UInt8, UInt8, Int, Int) =
        switch instruction {
        case .range(let low, let high, let next): (.range, low, high, 0, next, 0)
        case .fork(let a, let b): (.fork, 0, 0, 0, a, b)
        case .assertion(let assertion, let next): (.assertion, 0, 0, number(assertion).rawValue, next, 0)
        case .match: (.match, 0, 0, 0, 0, 0)
        case .never: (.range, 1, 0, 0, 0, 0)
        }
      blob += [operation.rawValue, low, high, assertion]
      append(UInt32(next) | UInt32(other) << 16, to: &blob)
    }
    return blob
  }

  static func number(_ assertion: Pattern.Assertion) -> AutomatonAssertion {
    switch assertion {
    case .textStart: .textStart
    case .textEnd: .textEnd
    case .lineStart: .lineStart
    case .lineEnd: .lineEnd
    case .wordBoundary: .wordBoundary
    case .notWordBoundary: .notWordBoundary
    }
  }

  static func header(_ kind: UInt32, states: Int, classes: Int, start: Int, _ map: [UInt8]) -> [UInt8] {
    var blob: [UInt8] = []
    for word in [kind, UInt32(states), UInt32(classes), UInt32(start)] { append(word, to: &blob) }
    return blob + map
  }

  static func append<T: FixedWidthInteger>(_ value: T, to blob: inout [UInt8]) {
    withUnsafeBytes(of: value.littleEndian) { blob += $0 }
  }
}

/// What an assertion can see of the byte on one side of a position.
private struct Neighbour: Hashable {
  var isEnd = false
  var isNewline = false
  var isWord = false

  static let end = Neighbour(isEnd: true)
  init(isEnd: Bool) { self.isEnd = isEnd }
  init(_ byte: UInt8) {
    isNewline = byte == 10
    isWord =
      byte == UInt8(ascii: "_") || UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte
      || UInt8(ascii: "a")...UInt8(ascii: "z") ~= byte || UInt8(ascii: "A")...UInt8(ascii: "Z") ~= byte
  }
}

/// The subset construction. A state is the set of instructions before the assertions at its position are decided
/// (the byte to come decides them), with what assertions must know of the byte before.
private struct SubsetConstruction {
  private struct State: Hashable {
    var core: [Int]
    var before: Neighbour
  }

  /// Instructions looked at, at most: bounds the time that one pattern takes to compile.
  private static let work = 2_000_000

  private let program: AutomatonProgram
  private var classOf = [UInt8](repeating: 0, count: 256)
  /// One byte of each class.
  private var samples: [UInt8] = []
  private var work = 0
  private var states: [State] = []
  private var numbers: [State: Int] = [:]
  private var marks: [Int]
  private var mark = 0

  init(_ program: AutomatonProgram) {
    self.program = program
    marks = [Int](repeating: 0, count: program.instructions.count)
    findClasses()
  }

  /// Bytes that no instruction and no assertion tells apart are one class.
  private mutating func findClasses() {
    var isBoundary = [Bool](repeating: false, count: 257)
    func mark(_ low: UInt8, _ high: UInt8) {
      isBoundary[Int(low)] = true
      isBoundary[Int(high) + 1] = true
    }
    for case .range(let low, let high, _) in program.instructions { mark(low, high) }
    if !program.assertions.isEmpty {
      for byte in [UInt8(10), UInt8(ascii: "_")] { mark(byte, byte) }
      for (low, high) in [("0", "9"), ("A", "Z"), ("a", "z")] as [(Unicode.Scalar, Unicode.Scalar)] {
        mark(UInt8(ascii: low), UInt8(ascii: high))
      }
    }
    for byte in 0..<256 {
      if byte == 0 || isBoundary[byte] { samples.append(UInt8(byte)) }
      classOf[byte] = UInt8(samples.count - 1)
    }
  }

  /// The blob, or nil when there are too many states.
  mutating func table() -> [UInt8]? {
    let columns = samples.count + 1
    var rows: [[Int]] = [Array(repeating: 0, count: columns), Array(repeating: 1, count: columns)]
    guard let start = number(State(core: [program.start], before: .end)) else { return nil }
    var next = 0
    while next < states.count {
      let state = states[next]
      next += 1
      var closures: [Neighbour: (set: [Int], isMatch: Bool)] = [:]
      var row: [Int] = []
      for sample in samples {
        let after = neighbour(sample)
        let closed = closures[after] ?? closure(state, after)
        closures[after] = closed
        guard let target = closed.isMatch ? 1 : step(closed.set, sample) else { return nil }
        row.append(target)
      }
      row.append(closure(state, .end).isMatch ? 1 : 0)
      rows.append(row)
      guard rows.count <= AutomatonLimits.deterministicStates, rows.count * columns <= AutomatonLimits.cells,
        work <= Self.work
      else { return nil }
    }
    return blob(rows, start: start)
  }

  private func neighbour(_ byte: UInt8) -> Neighbour {
    program.assertions.isEmpty ? Neighbour(isEnd: false) : Neighbour(byte)
  }

  /// State numbers 0 and 1 are taken.
  private mutating func number(_ state: State) -> Int? {
    if let number = numbers[state] { return number }
    guard states.count < AutomatonLimits.deterministicStates else { return nil }
    states.append(state)
    numbers[state] = states.count + 1
    return states.count + 1
  }

  /// What can be reached from a state without a byte, when `after` comes next.
  private mutating func closure(_ state: State, _ after: Neighbour) -> (set: [Int], isMatch: Bool) {
    mark += 1
    var pending = state.core
    var set: [Int] = []
    while let index = pending.popLast() {
      guard marks[index] != mark else { continue }
      marks[index] = mark
      work += 1
      switch program.instructions[index] {
      case .match: return ([], true)
      case .never: break
      case .range: set.append(index)
      case .fork(let a, let b): pending += [b, a]
      case .assertion(let assertion, let next):
        if holds(assertion, state.before, after) { pending.append(next) }
      }
    }
    return (set, false)
  }

  private func holds(_ assertion: Pattern.Assertion, _ before: Neighbour, _ after: Neighbour) -> Bool {
    switch assertion {
    case .textStart: before.isEnd
    case .textEnd: after.isEnd
    case .lineStart: before.isEnd || before.isNewline
    case .lineEnd: after.isEnd || after.isNewline
    case .wordBoundary: before.isWord != after.isWord
    case .notWordBoundary: before.isWord == after.isWord
    }
  }

  private mutating func step(_ set: [Int], _ byte: UInt8) -> Int? {
    // A match may start anywhere.
    var core: Set<Int> = [program.start]
    for index in set {
      work += 1
      if case .range(let low, let high, let next) = program.instructions[index], low <= byte, byte <= high {
        core.insert(next)
      }
    }
    return number(State(core: core.sorted(), before: neighbour(byte)))
  }

  private func blob(_ rows: [[Int]], start: Int) -> [UInt8] {
    let isAlive = alive(rows)
    var blob = Automaton.header(
      AutomatonKind.deterministic, states: rows.count, classes: samples.count, start: isAlive[start] ? start : 0,
      classOf)
    for row in rows {
      for target in row { Automaton.append(UInt16(isAlive[target] ? target : 0), to: &blob) }
    }
    return blob
  }

  /// Which states can still lead to a match: the others are state 0, where a text is given up.
  private func alive(_ rows: [[Int]]) -> [Bool] {
    var sources = [[Int]](repeating: [], count: rows.count)
    for (state, row) in rows.enumerated() {
      for target in Set(row) { sources[target].append(state) }
    }
    var result = [Bool](repeating: false, count: rows.count)
    var pending = [1]
    while let state = pending.popLast() {
      guard !result[state] else { continue }
      result[state] = true
      pending += sources[state]
    }
    return result
  }
}
