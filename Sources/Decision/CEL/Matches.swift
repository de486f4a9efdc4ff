// Running automata (PolicyImage/Blobs.swift). The verifier has proved that the tables lie inside the image; each
// index that stands in them is checked here, so that any table is safe to run. Time is linear in the text.

import PolicyImage

extension Evaluator {
  /// Whether the automaton at `offset` of the section `blobs` finds a match in `text`.
  mutating func matches(_ text: Value, _ offset: UInt32) -> Value {
    guard text.kind == .string else { return .failure(.noSuchOverload) }
    let base = image.blobs + Int(offset)
    let isDeterministic = word(base, 0) == AutomatonKind.deterministic
    let result = isDeterministic ? deterministic(text, base) : simulated(text, base)
    if budget < 0 { return .failure(.costLimit) }
    return result.map { .bool($0) } ?? .failure(.arenaFull)
  }

  @inline(__always)
  private func word(_ base: UnsafeRawPointer, _ i: Int) -> UInt32 {
    UInt32(littleEndian: base.loadUnaligned(fromByteOffset: i &* 4, as: UInt32.self))
  }

  private mutating func deterministic(_ text: Value, _ base: UnsafeRawPointer) -> Bool? {
    // Each step waits for the one before: four times as slow as comparing bytes.
    guard pay(1 &+ text.count >> 1) else { return false }
    let states = Int(word(base, 1))
    let columns = Int(word(base, 2)) &+ 1
    let classes = base + BlobLayout.automatonHeader
    let table = base + BlobLayout.automatonTables
    var state = Int(word(base, 3))
    var i = 0
    while state > 1 && i < text.count {
      let column = Int(classes.load(fromByteOffset: Int(text.byte(i)), as: UInt8.self))
      guard state < states, column < columns else { return false }
      // SAFETY: states × columns cells lie inside the section (verifyAutomaton).
      state = Int(table.load(fromByteOffset: (state &* columns &+ column) &* 2, as: UInt16.self))
      i &+= 1
    }
    if state > 1, state < states {
      state = Int(table.load(fromByteOffset: (state &* columns &+ columns &- 1) &* 2, as: UInt16.self))
    }
    return state == 1
  }

  private mutating func simulated(_ text: Value, _ base: UnsafeRawPointer) -> Bool? {
    let count = Int(word(base, 1))
    let mark = used
    defer { used = mark }
    guard pay(count >> 3), let lists = allocate(count &* 16) else { return nil }
    var run = Simulation(
      program: base + BlobLayout.automatonTables, count: count, start: Int(word(base, 3)),
      memory: lists.bindMemory(to: UInt32.self, capacity: count &* 4))
    var before: Int = -1
    var i = 0
    while true {
      let after = i < text.count ? Int(text.byte(i)) : -1
      guard pay(run.work) else { return false }
      if run.close(before, after) { return true }
      if after < 0 { return false }
      run.step(UInt8(truncatingIfNeeded: after))
      before = after
      i &+= 1
    }
  }
}

/// The set of instructions that a text has reached. Membership is a sparse set: `positions` says where in `list` an
/// instruction stands, and is believed only if it stands there, so that nothing needs clearing.
private struct Simulation {
  let program: UnsafeRawPointer
  let count: Int
  let start: Int
  var list: UnsafeMutablePointer<UInt32>
  let positions: UnsafeMutablePointer<UInt32>
  let pending: UnsafeMutablePointer<UInt32>
  /// Instructions reached with the last byte, before their closure; may hold duplicates of no harm.
  let core: UnsafeMutablePointer<UInt32>
  var listCount = 0
  var coreCount = 0
  /// What the last round looked at.
  var work: Int { 1 &+ listCount &+ coreCount }

  init(program: UnsafeRawPointer, count: Int, start: Int, memory: UnsafeMutablePointer<UInt32>) {
    self.program = program
    self.count = count
    self.start = start
    list = memory
    positions = memory + count
    pending = memory + count &* 2
    core = memory + count &* 3
    var i = 0
    while i < count &* 4 {
      memory[i] = 0
      i &+= 1
    }
  }

  private func contains(_ index: Int) -> Bool {
    let position = Int(positions[index])
    return position < listCount && list[position] == UInt32(truncatingIfNeeded: index)
  }

  /// Marks an instruction as reached; false when it was, or is none.
  private mutating func insert(_ index: Int) -> Bool {
    guard index < count, !contains(index) else { return false }
    positions[index] = UInt32(truncatingIfNeeded: listCount)
    list[listCount] = UInt32(truncatingIfNeeded: index)
    listCount &+= 1
    return true
  }

  /// Follows all that needs no byte; true when a match is among it. An instruction is pushed once at most, so that
  /// `pending` and `list` hold `count`.
  mutating func close(_ before: Int, _ after: Int) -> Bool {
    listCount = 0
    var top = 0
    var i = 0
    func push(_ index: Int, _ top: inout Int, _ run: inout Simulation) {
      guard run.insert(index) else { return }
      run.pending[top] = UInt32(truncatingIfNeeded: index)
      top &+= 1
    }
    while i <= coreCount {
      push(i < coreCount ? Int(core[i]) : start, &top, &self)
      i &+= 1
      while top > 0 {
        top &-= 1
        let index = Int(pending[top])
        let first = load(index &* 2)
        let targets = load(index &* 2 &+ 1)
        switch AutomatonOperation(rawValue: UInt8(truncatingIfNeeded: first)) {
        case .match: return true
        case .fork:
          push(Int(targets & 0xFFFF), &top, &self)
          push(Int(targets >> 16), &top, &self)
        case .assertion:
          if holds(UInt8(truncatingIfNeeded: first >> 24), before, after) { push(Int(targets & 0xFFFF), &top, &self) }
        case .range, nil: break
        }
      }
    }
    return false
  }

  /// What the reached instructions that take `byte` lead to.
  mutating func step(_ byte: UInt8) {
    coreCount = 0
    var i = 0
    while i < listCount {
      let index = Int(list[i])
      let first = load(index &* 2)
      i &+= 1
      guard UInt8(truncatingIfNeeded: first) == AutomatonOperation.range.rawValue,
        UInt8(truncatingIfNeeded: first >> 8) <= byte, byte <= UInt8(truncatingIfNeeded: first >> 16)
      else { continue }
      // At most one for each member of `list`, so at most `count`.
      core[coreCount] = load(index &* 2 &+ 1) & 0xFFFF
      coreCount &+= 1
    }
  }

  private func load(_ i: Int) -> UInt32 {
    // SAFETY: i < 2 × count, which lie inside the section (verifyAutomaton).
    UInt32(littleEndian: program.loadUnaligned(fromByteOffset: i &* 4, as: UInt32.self))
  }

  private func holds(_ assertion: UInt8, _ before: Int, _ after: Int) -> Bool {
    switch AutomatonAssertion(rawValue: assertion) {
    case .textStart: before < 0
    case .textEnd: after < 0
    case .lineStart: before < 0 || before == 10
    case .lineEnd: after < 0 || after == 10
    case .wordBoundary: isWord(before) != isWord(after)
    case .notWordBoundary: isWord(before) == isWord(after)
    case nil: false
    }
  }

  private func isWord(_ byte: Int) -> Bool {
    byte >= 48 && byte <= 57 || byte >= 65 && byte <= 90 || byte >= 97 && byte <= 122 || byte == 95
  }
}
