// Pattern -> instructions over bytes (Thompson's construction). Built from the end: what follows is known when a part
// is compiled, so that equal tails are shared.

import PolicyImage

struct AutomatonProgram {
  enum Instruction: Hashable {
    case range(low: UInt8, high: UInt8, next: Int)
    case fork(Int, Int)
    case assertion(Pattern.Assertion, next: Int)
    case match
    /// Refuses whatever comes.
    case never
  }

  private(set) var instructions: [Instruction] = [.match]
  private(set) var start = 0
  private(set) var assertions: Set<Pattern.Assertion> = []
  private var known: [Instruction: Int] = [:]

  /// nil when it would pass AutomatonLimits.instructions.
  init?(_ pattern: Pattern) {
    guard let start = compile(pattern, next: 0), instructions.count <= AutomatonLimits.instructions else { return nil }
    self.start = start
  }

  private mutating func add(_ instruction: Instruction) -> Int? {
    if let index = known[instruction] { return index }
    guard instructions.count < AutomatonLimits.instructions else { return nil }
    instructions.append(instruction)
    known[instruction] = instructions.count - 1
    return instructions.count - 1
  }

  private mutating func compile(_ pattern: Pattern, next: Int) -> Int? {
    switch pattern {
    case .empty: return next
    case .scalars(let ranges): return scalars(ranges, next: next)
    case .concatenation(let parts):
      var next = next
      for part in parts.reversed() {
        guard let index = compile(part, next: next) else { return nil }
        next = index
      }
      return next
    case .alternation(let branches):
      var starts: [Int] = []
      for branch in branches {
        guard let index = compile(branch, next: next) else { return nil }
        starts.append(index)
      }
      return fork(starts)
    case .repetition(let part, let minimum, let maximum):
      return repetition(part, minimum, maximum, next: next)
    case .assertion(let assertion):
      assertions.insert(assertion)
      return add(.assertion(assertion, next: next))
    }
  }

  private mutating func fork(_ starts: [Int]) -> Int? {
    guard var result = starts.last else { return add(.never) }
    for start in starts.dropLast().reversed() {
      guard let index = add(.fork(start, result)) else { return nil }
      result = index
    }
    return result
  }

  private mutating func repetition(_ part: Pattern, _ minimum: Int, _ maximum: Int?, next: Int) -> Int? {
    var result = next
    if let maximum {
      for _ in 0..<max(0, maximum - minimum) {
        guard let once = compile(part, next: result), let either = add(.fork(once, next)) else { return nil }
        result = either
      }
    } else {
      // The fork is reserved before its body is known, because the body leads back to it.
      guard instructions.count < AutomatonLimits.instructions else { return nil }
      instructions.append(.never)
      let head = instructions.count - 1
      guard let body = compile(part, next: head) else { return nil }
      instructions[head] = .fork(body, next)
      result = head
    }
    for _ in 0..<minimum {
      guard let once = compile(part, next: result) else { return nil }
      result = once
    }
    return result
  }

  // MARK: UTF-8

  private mutating func scalars(_ ranges: [ClosedRange<UInt32>], next: Int) -> Int? {
    var starts: Set<Int> = []
    var ordered: [Int] = []
    for range in ranges {
      for sequence in Self.sequences(range) {
        var index = next
        for bytes in sequence.reversed() {
          guard let i = add(.range(low: bytes.lowerBound, high: bytes.upperBound, next: index)) else { return nil }
          index = i
        }
        if starts.insert(index).inserted { ordered.append(index) }
      }
    }
    return fork(ordered)
  }

  /// The byte ranges, one a position, whose product is the UTF-8 of a range of scalars.
  static func sequences(_ range: ClosedRange<UInt32>) -> [[ClosedRange<UInt8>]] {
    var result: [[ClosedRange<UInt8>]] = []
    var lower = range.lowerBound
    for upper: UInt32 in [0x7F, 0x7FF, 0xFFFF, 0x10FFFF] where lower <= upper && lower <= range.upperBound {
      split(lower, min(upper, range.upperBound), into: &result)
      lower = upper + 1
    }
    return result
  }

  /// For scalars whose UTF-8 has one length.
  private static func split(_ lower: UInt32, _ upper: UInt32, into result: inout [[ClosedRange<UInt8>]]) {
    let count = length(lower)
    for i in 1..<max(count, 1) {
      let mask: UInt32 = (1 << (6 * UInt32(i))) - 1
      guard lower & ~mask != upper & ~mask else { continue }
      if lower & mask != 0 {
        split(lower, lower | mask, into: &result)
        return split((lower | mask) + 1, upper, into: &result)
      }
      if upper & mask != mask {
        split(lower, (upper & ~mask) - 1, into: &result)
        return split(upper & ~mask, upper, into: &result)
      }
    }
    result.append(zip(encoded(lower, count), encoded(upper, count)).map { $0...$1 })
  }

  private static func length(_ scalar: UInt32) -> Int {
    scalar <= 0x7F ? 1 : scalar <= 0x7FF ? 2 : scalar <= 0xFFFF ? 3 : 4
  }

  private static func encoded(_ scalar: UInt32, _ count: Int) -> [UInt8] {
    if count == 1 { return [UInt8(truncatingIfNeeded: scalar)] }
    let lead: UInt32 = count == 2 ? 0xC0 : count == 3 ? 0xE0 : 0xF0
    return (0..<count).map { i in
      let bits = scalar >> (6 * UInt32(count - 1 - i))
      return UInt8(truncatingIfNeeded: i == 0 ? lead | bits : 0x80 | bits & 0x3F)
    }
  }
}
