// One session (DESIGN §2.6): who opened it, what it holds, what it may cost and until when. Small, because there may be
// 100,000; `Sessions` alone changes it.

public import Consultation
internal import PolicyImage

/// 16 random bytes; who knows them may use the session, if it is the same user and is bound to its operator.
public struct SessionID: Hashable, Sendable, CustomStringConvertible {
  public var (high, low): (UInt64, UInt64)

  public init(high: UInt64, low: UInt64) { (self.high, self.low) = (high, low) }

  /// From the system's random numbers. getrandom(2)
  public static func random() -> SessionID {
    SessionID(high: .random(in: .min ... .max), low: .random(in: .min ... .max))
  }

  /// A number that no two sessions share but by a chance of one in 2^64; never 0. What counters tell root sessions apart by.
  public var number: UInt64 { Swift.max(1, high ^ low) }

  /// Reads the 32 lower-case hexadecimal digits that `description` writes; nil for anything else.
  public init?(_ digits: some Collection<UInt8>) {
    guard digits.count == 32 else { return nil }
    var words: (UInt64, UInt64) = (0, 0)
    for digit in digits {
      let value: UInt8
      switch digit {
      case UInt8(ascii: "0")...UInt8(ascii: "9"): value = digit &- UInt8(ascii: "0")
      case UInt8(ascii: "a")...UInt8(ascii: "f"): value = digit &- UInt8(ascii: "a") &+ 10
      default: return nil
      }
      words.0 = words.0 &<< 4 | words.1 &>> 60
      words.1 = words.1 &<< 4 | UInt64(value)
    }
    (high, low) = words
  }

  /// 32 lower-case hexadecimal digits.
  public var description: String {
    String(unsafeUninitializedCapacity: 32) { text in
      for i in 0..<32 {
        let word = i < 16 ? high : low
        let digit = UInt8(truncatingIfNeeded: word &>> UInt64(60 - 4 * (i % 16))) & 15
        text[i] = digit &+ (digit < 10 ? UInt8(ascii: "0") : UInt8(ascii: "a") &- 10)
      }
      return 32
    }
  }
}

/// The connection that a session ends with.
public enum SessionOwner: Hashable, Sendable {
  /// A name on the bus.
  case bus(String)
  /// A connection of the attach socket, by its number.
  case attached(UInt64)
}

/// What a session is opened or delegated with. A delegate has its parent's terms as well, and its root's attributes.
public struct OpeningTerms {
  /// Of a root alone.
  public var attributes: SessionAttributes?
  public var level = SessionLevel()
  /// The most that may be spent, in the operator's own unit; nil: no bound.
  public var cost: Double?
  /// Milliseconds that it may be used, counted on while the machine sleeps; nil: no bound.
  public var lifetime: UInt64?
  public init() {}
}

/// Loop-owned. Everything stays readable after its end; links to others are nil then.
public final class Session {
  public let id: SessionID
  public let operatorName: String
  /// The user id of who opened it.
  public let user: UInt32
  public let owner: SessionOwner
  /// nil: it is a root; or it has ended.
  public internal(set) unowned var parent: Session?
  unowned var rootIfDelegate: Session?
  // Children, what one owner holds, and what one user does, are chains: an array each would be most of a session's memory.
  unowned var firstChild: Session?
  unowned var (nextSibling, previousSibling): (Session?, Session?)
  unowned var (nextOwned, previousOwned): (Session?, Session?)
  unowned var (nextOfUser, previousOfUser): (Session?, Session?)

  /// 0 is a root's.
  public let depth: UInt32
  /// Grows with everything that a decision in it depends on: its terms, a halt, suspicion, its end.
  public internal(set) var version: UInt64 = 1
  /// The attach server's own: the session's word in its operator's region; -1: it has none.
  public var word: Int32 = -1

  /// What it was opened with itself, and what was set since.
  public internal(set) var level: SessionLevel
  /// A root's; nil: none.
  public let attributes: SessionAttributes?
  /// With everything above it; nil: not put together.
  var memory: SessionMemory?
  /// Names and patterns of its level and of all above it.
  var names: UInt16 = 0
  var patterns: UInt16 = 0
  /// What its terms and attributes take.
  var bytes: UInt32 = 0

  /// Millionths of the operator's unit; `max`: no bound of its own.
  public let costBound: UInt64
  public internal(set) var spentMillionths: UInt64 = 0
  /// CLOCK_BOOTTIME in nanoseconds, never later than its parent's; `max`: none.
  public let deadline: UInt64
  var place: Int32 = -1

  var isStopped = false
  var hasExpired = false
  /// By itself or something above it.
  var isHalted = false
  public internal(set) var hasEnded = false

  init(
    _ id: SessionID, _ operatorName: String, user: UInt32, owner: SessionOwner, parent: Session?, level: SessionLevel,
    attributes: SessionAttributes?, costBound: UInt64, deadline: UInt64
  ) {
    (self.id, self.operatorName, self.user, self.owner) = (id, operatorName, user, owner)
    (self.level, self.attributes, self.costBound, self.deadline) = (level, attributes, costBound, deadline)
    depth = (parent?.depth).map { $0 &+ 1 } ?? 0
    isHalted = parent?.isHalted ?? false
    self.parent = parent
    rootIfDelegate = parent?.root
  }

  /// Whose attributes, suspicion and counters are its own.
  public var root: Session { rootIfDelegate ?? self }
  public var isDelegate: Bool { depth > 0 }
  public var isSpent: Bool { costBound != .max && spentMillionths >= costBound }
}

/// Why something about a session isn't done. Compared by case.
public enum SessionError: Error, Hashable, Sendable {
  /// There is none, any more, or not for this operator.
  case unknownSession
  /// Another user's.
  case foreignSession
  /// Not strictly between 0 and 1.
  case badDial
  /// Negative, no number, or infinite.
  case badCost
  case badTime
  case badName(String)
  case badResource(String)
  /// What there is too much of.
  case tooMany(String)
  /// Its time is over.
  case expired
}
