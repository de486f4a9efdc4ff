// The instruction set of conditions: the section `code` of an image. It is a sequence of programs, one behind the
// other. An instruction is one 64-bit word:
//
//   bits 0-7 operation | 8-15 `a` | 16-31 `b` | 32-63 `c`
//
// A program starts with the word `program`, whose `a` is the number of locals, `b` the greatest stack depth and `c`
// the length in words, itself included; no other word has that operation, so a program's start can be told. A program
// is a stack machine over values; jumps are counted in words from the program's start, go forward to a `label`
// (which states the stack depth there), and only `back` goes backwards, to the `next…` of its loop. Failures are
// values too, so that `&&` and `||` can absorb them. Numbers are stable; new operations are appended.

public enum ByteCode {
  /// Words of one program.
  public static let maximumLength = 1 << 16
  /// Values on the stack.
  public static let maximumStack = 1024
  /// Local variables; a loop takes four.
  public static let maximumLocals = 250
  /// Elements that one `list`, `append`, `map` or `insert` takes from the stack.
  public static let maximumElements = 16
}

public enum Operation: UInt8, Sendable {
  /// Header of a program.
  case program = 0
  /// Ends the program with the top as its value; the depth is 1.
  case `return`
  /// Pushes `c`, sign-extended.
  case int
  /// Pushes constant `c`; `a` is a `ConstantKind`.
  case constant
  /// Pushes null (`a` 0), false (1) or true (2).
  case simple
  /// Pushes string `c` as a string.
  case string
  /// Pushes string `c` as bytes.
  case bytes
  /// Pushes the type with the number `c` (a kind of value).
  case type
  /// Pushes attribute `b`; a failure when it is not given.
  case slot
  /// Pushes whether attribute `b` is given.
  case hasSlot
  /// Pushes local `a`.
  case local
  /// Pops into local `a`.
  case setLocal
  /// A jump's target with stack depth `b`. Does nothing.
  case label
  /// Goes to `c`.
  case jump
  /// Goes to `c` when the top is false; the top stays.
  case jumpIfFalse
  /// Goes to `c` when the top is true; the top stays.
  case jumpIfTrue
  /// Unless the top is a bool, replaces it by a failure and goes to `c`.
  case checkBool
  /// Pops; goes to `c` unless it was true.
  case branch
  case and, or, not, negate
  /// false for false, else true; failures too.
  case notStrictlyFalse
  case equal, notEqual, less, lessOrEqual, greater, greaterOrEqual
  case add, subtract, multiply, divide, modulo
  /// Pops container and element.
  case `in`
  /// Pops key and container; `optionalIndex` yields an optional.
  case index, optionalIndex
  /// The field named by string `c` of the top.
  case select, hasField, optionalSelect
  /// Pops `b` elements into a new list; those in the bit mask `c` are optionals, left out when empty.
  case list
  /// Pops `b` elements and appends them to the list below.
  case append
  /// Pops `b` pairs (key, value) into a new map; duplicate keys fail. Mask as for lists.
  case map
  /// Pops `b` pairs and inserts them into the map below.
  case insert
  /// Pops a list or map into local `a` and its position 0 into local `a + 1`; anything else: pushes a failure and
  /// goes to `c` (`b` is the depth there).
  case iterate
  /// The head of a loop: when the range in local `a` is at its end goes to `c`, else sets local `a + 2` to the next
  /// element or key. `b` is the depth here and at `c`.
  case next
  /// As `next`, and sets locals `a + 2` and `a + 3` to index and element, or key and value.
  case nextPair
  /// Pops; goes to `c` when it was false. `b` is the depth after popping.
  case exitIfFalse
  /// Goes back to the `next` or `nextPair` at `c`.
  case back
  /// A non-empty optional on top: goes to `c` with it (`a` 0) or with its value (`a` 1). An empty one is popped.
  /// Anything else becomes a failure and goes to `c`.
  case jumpIfValue
  /// Replaces anything but an optional by a failure.
  case checkOptional
  /// Pops `a` arguments and pushes the result of function `b`; `c` is its operand or none.
  case call
  /// Pushes a failure with the number `a`.
  case fail
}

public enum ConstantKind: UInt8, Sendable { case int = 0, uint = 1, double = 2 }

/// What `call` calls. The operand of `matches` is an automaton's offset in `blobs`; that of the accessors without
/// `Zoned` is a zone's, or none for UTC.
public enum CELFunction: UInt16, Sendable {
  case size = 0
  case contains, startsWith, endsWith, matches
  case toInt, toUint, toDouble, toBool, toString, toBytes, toTimestamp, toDuration, typeOf
  case getFullYear, getMonth, getDayOfYear, getDayOfMonth, getDate, getDayOfWeek, getHours, getMinutes, getSeconds
  case getMilliseconds
  case getFullYearZoned, getMonthZoned, getDayOfYearZoned, getDayOfMonthZoned, getDateZoned, getDayOfWeekZoned
  case getHoursZoned, getMinutesZoned, getSecondsZoned, getMillisecondsZoned
  case charAt, indexOf, indexOfFrom, lastIndexOf, lastIndexOfFrom, join, joinWith, lowerAscii, upperAscii
  case replace, replaceFirst, split, splitFirst, substring, substringRange, trim, reverse, format, quote
  case greatest, greater, least, lesser, ceil, floor, round, trunc, isNaN, isInf, isFinite, abs, sign, sqrt
  case bitAnd, bitOr, bitXor, bitNot, shiftLeft, shiftRight
  case optionalOf, optionalOfNonZero, optionalNone, optionalUnwrap, hasValue, optionalValue
  case base64Encode, base64Decode
  case mapInsertAll, mapInsert

  /// Arguments that it takes.
  public var arity: Int {
    switch self {
    case .optionalNone: 0
    case .contains, .startsWith, .endsWith, .charAt, .indexOf, .lastIndexOf, .joinWith, .split, .substring, .format,
      .greater, .lesser, .bitAnd, .bitOr, .bitXor, .shiftLeft, .shiftRight, .mapInsertAll, .getFullYearZoned,
      .getMonthZoned, .getDayOfYearZoned, .getDayOfMonthZoned, .getDateZoned, .getDayOfWeekZoned, .getHoursZoned,
      .getMinutesZoned, .getSecondsZoned, .getMillisecondsZoned:
      2
    case .indexOfFrom, .lastIndexOfFrom, .replace, .splitFirst, .substringRange, .mapInsert: 3
    case .replaceFirst: 4
    default: 1
    }
  }
}

/// One word of a program.
public struct Instruction {
  public var word: UInt64

  @inlinable @inline(__always) public init(word: UInt64) { self.word = word }
  @inlinable @inline(__always) public init(_ operation: Operation, a: UInt8 = 0, b: UInt16 = 0, c: UInt32 = 0) {
    word = UInt64(operation.rawValue) | UInt64(a) << 8 | UInt64(b) << 16 | UInt64(c) << 32
  }
  @inlinable @inline(__always) public var code: UInt8 { UInt8(truncatingIfNeeded: word) }
  /// Only of verified words: the number is known to be an operation's.
  @inlinable @inline(__always) public var operation: Operation {
    // SAFETY: Operation has one byte, its numbers run from 0 without a gap, and the verifier has compared with the last.
    unsafeBitCast(code, to: Operation.self)
  }
  @inlinable @inline(__always) public var a: Int { Int(truncatingIfNeeded: word >> 8 & 0xFF) }
  @inlinable @inline(__always) public var b: Int { Int(truncatingIfNeeded: word >> 16 & 0xFFFF) }
  @inlinable @inline(__always) public var c: UInt32 { UInt32(truncatingIfNeeded: word >> 32) }
}
