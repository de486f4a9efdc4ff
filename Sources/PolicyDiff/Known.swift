// All that a decision reads, as far as a comparison accounts for it. What it doesn't account for it can't try: where an
// image, or the input of a decision, holds more than is listed here, nothing is proved for the names that this may matter to,
// which are told as not searched through (exit 3, not 0).
//
// Whoever teaches decisions something new gives it a place in Facts (Side.swift), where an image states it, and in what is
// tried (Space.swift, Search.swift), where a request brings it along; then it is listed here. The numbers are written out
// because the format's own grow with it.

internal import Consultation
internal import Decision
internal import PolicyImage

enum Known {
  static let version: UInt32 = 3
  static let sizes = (header: 240, node: 48, statement: 32, attribute: 16)
  static let sections = 18
  static let headerFlags: UInt32 = 3
  /// Tests up to a program, and a period as the first; instructions up to `fail`; functions up to `mapInsert`.
  static let tests: UInt8 = 8
  static let lastInstruction: UInt8 = 52
  static let lastFunction: UInt16 = 82
  static let attributeFlags: UInt32 = 3
  static let slots: UInt16 = 7
  /// What a frame and a policy hold, by their properties' names.
  static let frame: Set = [
    "slots", "symbols", "slotCount", "arena", "arenaSize", "arenaUsed", "source", "sessionDial", "dialCap",
    "suspicion", "session", "ended",
  ]
  static let policy: Set = ["platform", "overlay", "word", "ended"]

  /// The format's own numbers are still those above.
  static var isWholeFormat: Bool {
    let sizes = Self.sizes
    return ImageFormat.version == version && ImageFormat.headerSize == sizes.header
      && MemoryLayout<ImageHeader>.size == sizes.header && MemoryLayout<Node>.size == sizes.node
      && MemoryLayout<StatementRecord>.size == sizes.statement
      && MemoryLayout<AttributeRecord>.size == sizes.attribute && BuiltInSlot.count == slots
      && Section.allCases.count == sections && Operation.fail.rawValue == lastInstruction
      && CELFunction.mapInsert.rawValue == lastFunction
  }

  /// Nothing goes into a decision beyond what is listed.
  static func isWholeInput(_ frame: Frame, _ policy: Policy) -> Bool {
    func names(_ value: Any) -> Set<String> { Set(Mirror(reflecting: value).children.compactMap(\.label)) }
    return names(frame) == Self.frame && names(policy) == Self.policy
  }

  /// All of an image but its nodes and rules.
  static func covers(_ image: Image) -> Bool {
    let header = image.header.pointee
    guard isWholeFormat, header.version == version, header.flags & ~headerFlags == 0, header.reserved == 0
    else { return false }
    guard (0..<image.count(.alternatives)).allSatisfy({ image.alternatives[$0].reserved == 0 }) else { return false }
    return (0..<image.count(.attributes)).allSatisfy {
      let record = image.attributes[$0]
      return record.flags & ~attributeFlags == 0 && record.reserved == 0
    }
  }

  /// A rule whose tests begin at this word: nothing but the condition that its source says.
  static func covers(_ header: RuleHeader, testsAt word: Int, in image: Image) -> Bool {
    let statement = image.statements[Int(header.statement)]
    let isFirstPeriod =
      header.tests > 0 && Test(word: image.rules[word]).operation == TestOperation.period.rawValue
    let first = isFirstPeriod ? 1 : 0
    guard statement.reserved == 0, (statement.condition == ImageFormat.none) == (header.tests == first) else {
      return false
    }
    return (first..<header.tests).allSatisfy { i in
      let test = Test(word: image.rules[word + i])
      guard test.operation <= tests else { return false }
      return test.operation != TestOperation.program.rawValue || covers(program: Int(test.operand), in: image)
    }
  }

  private static func covers(program start: Int, in image: Image) -> Bool {
    let words = Int(Instruction(word: image.code[start]).c)
    return (0..<words).allSatisfy {
      let instruction = Instruction(word: image.code[start + $0])
      return instruction.code <= lastInstruction
        && (instruction.code != Operation.call.rawValue || instruction.b <= Int(lastFunction))
    }
  }
}
