// The layout of an image, field by field (docs/image-format.md). All numbers are little-endian, all offsets count
// from the start of the image, sections are 8-byte aligned. Structs here have no padding beyond what is declared,
// so that Swift's layout is the format's; PolicyImageTests hold sizes and golden bytes.

public enum ImageFormat {
  /// "LICETIMG" as a little-endian word.
  public static let magic: UInt64 = 0x474D_4954_4543_494C
  public static let version: UInt32 = 3
  public static let headerSize = 240
  /// An absent index.
  public static let none: UInt32 = 0xFFFF_FFFF
  public static let maximumSize = 1 << 30
  public static let maximumDepth = 16
  public static let maximumNameLength = 255
  public static let maximumObligations = 64
  public static let maximumSlots = 4096
  /// Periods of a platform: a set of them is a word.
  public static let maximumPeriods = 64
  /// Counters of a platform: a set of them is a word.
  public static let maximumCounters = 64
  /// Behaviours that one counter names.
  public static let maximumCountedNames = 64
  /// Conjuncts that stand in a rule itself; the rest of a condition is a program.
  public static let maximumTests = 255
}

public enum ImageKind: UInt32, Sendable { case platform = 1, overlay = 2 }

public enum Section: Int, Sendable {
  /// UTF-8 or raw bytes of every string, not terminated.
  case bytes
  /// `StringRecord` by string id.
  case strings
  /// Hash index over strings: `string id + 1` or 0; a power of two of UInt32.
  case stringIndex
  /// `Node` in name order, so that a subtree is a run.
  case nodes
  /// Hash index over names: low half the hash's low half, high half `node + 1` or 0; a power of two of UInt64.
  case nodeIndex
  /// `RuleHeader` words, each followed by its `Test` words.
  case rules
  /// `StatementRecord` in the order of contents.
  case statements
  /// String ids of obligation names; bit n of a mask is entry n.
  case obligations
  /// UInt64 masks; entry 0 is empty.
  case masks
  /// `AttributeRecord` by slot; platform images only.
  case attributes
  /// Type descriptors, UInt32 words (TypeDescriptor.swift).
  case types
  /// UInt64 bit patterns.
  case constants
  /// Instructions (ByteCode.swift), UInt64 words.
  case code
  /// Automata and time zones, 8-byte aligned.
  case blobs
  /// Periods in name order, so that one's place is its bit in a set of them (`Period`), UInt32 words; platform images only.
  case periods
  /// `AlternativeRecord` by statement, then period; platform images only.
  case alternatives
  /// `CounterRecord` in name order; platform images only. Their slots are the last of the attributes, in the same order.
  case counters
  /// The platform's nodes of the behaviours that counters count, ascending for each counter.
  case countedNodes

  /// Bytes of one entry.
  public var stride: Int {
    switch self {
    case .bytes, .blobs: 1
    case .stringIndex, .obligations, .types, .periods, .countedNodes: 4
    case .strings, .nodeIndex, .rules, .masks, .constants, .code: 8
    case .nodes: 48
    case .statements: 32
    case .attributes: 16
    case .alternatives, .counters: 24
    }
  }
}

public struct StringRecord: BitwiseCopyable, Sendable {
  public var offset: UInt32  // into the section `bytes`
  public var length: UInt32
}

/// A behaviour that the platform declares, or that an overlay's statement names.
public struct Node: BitwiseCopyable, Sendable {
  public var nameOffset: UInt32  // into the section `bytes`
  public var nameLength: UInt16
  public var depth: UInt8  // segments
  public var flags: UInt8  // isDeclared, isNamed, isLimited, hasAudience
  /// The nearest node above, or none.
  public var parent: UInt32
  /// One past the last node below this one.
  public var end: UInt32
  /// First word in the section `rules`.
  public var block: UInt32
  public var settings: UInt16
  public var grants: UInt16
  public var limits: UInt16  // duties and limits
  public var shadows: UInt16  // after all the others
  /// Packed bytes: default, operatorsMay, usersMay, absolute in force.
  public var `default`: UInt8
  public var operatorsMay: UInt8
  public var usersMay: UInt8
  public var absolute: UInt8
  /// The declaration that `default` comes from, and the absolute; none: the platform's `unknown`. In an overlay the
  /// first is the platform's node of this name or of its nearest ancestor that has one, or none: a decision that finds
  /// a name here needn't look for it there. Its second is the statement of the operator's audience.
  public var choiceStatement: UInt32
  public var absoluteStatement: UInt32
  /// At most `Degree.one`.
  public var stakes: Degree
  public var audit: UInt8
  /// Segments of the name at or above this one whose declaration states the stakes; 0: none does.
  public var stakesDepth: UInt8
  /// Index into `masks`: what the default carries.
  public var obligations: UInt16

  /// Only in an overlay.
  @inlinable @inline(__always) public var platformNode: UInt32 { choiceStatement }

  public static let isDeclared: UInt8 = 1
  /// Declared, built in or named by a statement: decided too when a wider name is asked about.
  public static let isNamed: UInt8 = 2
  /// A duty or limit stands here or above: without one, which is usual, the decision needn't walk up to see.
  public static let isLimited: UInt8 = 4
  /// Only in an overlay: `default` and `obligations` are what the operator's audience chooses here and below, as far as
  /// the platform's same declaration governs.
  public static let hasAudience: UInt8 = 8
  /// `choiceStatement` has alternatives for when a period has ended.
  public static let hasAlternatives: UInt8 = 16
  /// A counter counts, or a limit reads a counter, here, above or below: who keeps the counters decides.
  public static let isCounted: UInt8 = 32
  /// Likewise here or above, so that it is so of every name below this one.
  public static let isCountedBelow: UInt8 = 64
  /// The platform's `suspicion` is for this name.
  public static let isSuspected: UInt8 = 128
}

/// One statement's decision part, a word: kind (2 bits), effect (2), tier (2), reads argument (1), shadow (1);
/// number of tests (8); index of the obligation mask (16); statement (32).
public struct RuleHeader: BitwiseCopyable, Sendable {
  public var word: UInt64

  @inlinable @inline(__always) public init(word: UInt64) { self.word = word }
  @inlinable @inline(__always) public var kind: UInt8 { UInt8(truncatingIfNeeded: word) & 3 }
  @inlinable @inline(__always) public var effect: UInt8 { UInt8(truncatingIfNeeded: word >> 2) & 3 }
  @inlinable @inline(__always) public var tier: UInt8 { UInt8(truncatingIfNeeded: word >> 4) & 3 }
  @inlinable @inline(__always) public var readsArgument: Bool { word & 0x40 != 0 }
  @inlinable @inline(__always) public var isShadow: Bool { word & 0x80 != 0 }
  @inlinable @inline(__always) public var tests: Int { Int(truncatingIfNeeded: word >> 8 & 0xFF) }
  @inlinable @inline(__always) public var mask: UInt16 { UInt16(truncatingIfNeeded: word >> 16) }
  @inlinable @inline(__always) public var statement: UInt32 { UInt32(truncatingIfNeeded: word >> 32) }
}

/// One conjunct of a condition, a word: operation (8 bits), comparison (8), slot (16), operand (32).
public struct Test: BitwiseCopyable, Sendable {
  public var word: UInt64

  @inlinable @inline(__always) public init(word: UInt64) { self.word = word }
  @inlinable @inline(__always) public init(
    _ operation: TestOperation, _ comparison: Comparison, slot: UInt16, operand: UInt32
  ) {
    word =
      UInt64(operation.rawValue) | UInt64(comparison.rawValue) << 8 | UInt64(slot) << 16 | UInt64(operand) << 32
  }
  @inlinable @inline(__always) public var operation: UInt8 { UInt8(truncatingIfNeeded: word) }
  @inlinable @inline(__always) public var comparison: UInt8 { UInt8(truncatingIfNeeded: word >> 8) }
  @inlinable @inline(__always) public var slot: Int { Int(truncatingIfNeeded: word >> 16 & 0xFFFF) }
  @inlinable @inline(__always) public var operand: UInt32 { UInt32(truncatingIfNeeded: word >> 32) }
}

public enum TestOperation: UInt8, Sendable {
  /// A bool attribute compares with the operand 0 or 1.
  case bool = 0
  /// Whether the attribute is given compares with the operand 0 or 1.
  case presence = 1
  /// A string attribute compares with the string whose id is the operand; equal or notEqual alone.
  case string = 2
  /// An int attribute against the operand, sign-extended.
  case int = 3
  /// A double attribute against the operand as a Float.
  case double = 4
  /// int, uint or double against the constant with this index.
  case intConstant = 5
  case uintConstant = 6
  case doubleConstant = 7
  /// The program at this word of `code`, which yields a bool.
  case program = 8
  /// The platform's period with the operand's number has ended (equal) or runs (notEqual). A limit can only ask whether one
  /// runs, a grant or duty whether one has ended, and it is their first test: an end only loosens.
  case period = 9
}

public enum Comparison: UInt8, Sendable {
  case equal = 0, notEqual = 1, less = 2, lessOrEqual = 3, greater = 4, greaterOrEqual = 5
}

/// What explains a statement or declaration.
public struct StatementRecord: BitwiseCopyable, Sendable {
  public var file: UInt32  // string id
  public var line: UInt32
  public var clause: UInt32  // string id or none
  public var condition: UInt32  // string id of the source, or none; of a choice, why
  public var node: UInt32
  /// As in RuleHeader's first byte; for declarations `form` says so.
  public var rule: UInt8
  public var form: UInt8  // StatementForm
  public var column: UInt16
  public var name: UInt32  // string id of the behaviour
  public var reserved: UInt32

  public init(
    file: UInt32, line: UInt32, column: UInt16, clause: UInt32, condition: UInt32, node: UInt32, rule: UInt8,
    form: StatementForm, name: UInt32
  ) {
    self.file = file
    self.line = line
    self.clause = clause
    self.condition = condition
    self.node = node
    self.rule = rule
    self.form = form.rawValue
    self.column = column
    self.name = name
    reserved = 0
  }
}

public enum StatementForm: UInt8, Sendable {
  case rule = 0
  /// A platform's behaviour declaration.
  case declaration = 1
  /// The platform's `unknown`.
  case unknown = 2
  /// Compiled into the program.
  case builtIn = 3
  /// A declaration whose default its population chose; `condition` says of how many, and each response's total.
  case chosen = 4
  /// An operator's audience, likewise.
  case audience = 5
  /// The platform's dial (default, then its two ceilings), or an operator's.
  case dial = 6
  /// A period: `name` is its own, `condition` says who ends it, on what, and when that is looked at again.
  case period = 7
  /// A counter: `name` is its own, `condition` says what it counts.
  case counter = 8
  /// The platform's `suspicion`.
  case suspicion = 9
}

/// What replaces default and ceilings once a period has ended (DESIGN §2.8): of a declaration effects, of the dial
/// millionths. Of several that have ended the strictest counts, and none is stricter than what it replaces.
public struct AlternativeRecord: BitwiseCopyable, Sendable {
  /// The declaration, or the dial's first statement.
  public var statement: UInt32
  public var period: UInt32
  /// Or none: it states no such field.
  public var `default`: UInt32
  public var operatorsMay: UInt32
  public var usersMay: UInt32
  public var reserved: UInt32

  public init(statement: UInt32, period: UInt32, default: UInt32, operatorsMay: UInt32, usersMay: UInt32) {
    (self.statement, self.period, self.default) = (statement, period, `default`)
    (self.operatorsMay, self.usersMay, reserved) = (operatorsMay, usersMay, 0)
  }
}

public struct AttributeRecord: BitwiseCopyable, Sendable {
  public var name: UInt32  // string id
  public var type: UInt32  // word in `types`
  public var flags: UInt32  // AttributeRecord.isVerified
  public var reserved: UInt32

  public static let isVerified: UInt32 = 1
  /// A counter's value, named `counter.NAME`: given by who keeps the counters, or not known.
  public static let isCounter: UInt32 = 2
}

/// The slots of the attributes that the authority gives, in every platform.
public enum BuiltInSlot {
  public static let behavior: UInt16 = 0
  public static let resource: UInt16 = 1
  public static let source: UInt16 = 2
  public static let now: UInt16 = 3
  public static let operatorName: UInt16 = 4
  public static let argument: UInt16 = 5
  /// The settled dial; given only where a condition reads it (`ImageHeader.readsDial`).
  public static let sessionDial: UInt16 = 6
  public static let count: UInt16 = 7
}

#if !hasFeature(Embedded)
  // Lists of cases live on the heap, which the library has none of.
  extension Section: CaseIterable {}
  extension TestOperation: CaseIterable {}
  extension Comparison: CaseIterable {}
#endif
