// A request and its answer, in Swift's own types.

public import Decision
public import PolicyImage

/// One request (DESIGN §1, §10). Attributes by qualified name ("user.role").
public struct Request: Sendable {
  public var behaviors: [String]
  public var resource: String?
  /// On whose instruction; the agent's own initiative unless said.
  public var source: Source
  public var attributes: [String: RequestValue]
  public var argument: String?
  public var preference: Effect?
  /// The session's own dial, strictly between 0 and 1; nil: it has none.
  public var dial: Degree?
  /// The session that it is asked in, the root's level first; empty: none. A root's level may state a dial too.
  public var session: [SessionLevel] = []
  /// How suspect whoever asks is: thousandths of an attempt (DESIGN §2.4).
  public var suspicion: UInt32 = 0
  /// Names of the periods that are to count as ended; all others run.
  public var ended: [String] = []
  /// What counters have come to, this request included, by their names; of all others it isn't known.
  public var counters: [String: Int64] = [:]
  /// Seconds since 1970 and nanoseconds.
  public var now: (seconds: Int64, nanoseconds: Int32)

  public init(
    behaviors: [String], resource: String? = nil, source: Source = .agent, attributes: [String: RequestValue] = [:],
    argument: String? = nil, preference: Effect? = nil, dial: Degree? = nil, now: (seconds: Int64, nanoseconds: Int32)
  ) {
    self.behaviors = behaviors
    self.resource = resource
    self.source = source
    self.attributes = attributes
    self.argument = argument
    self.preference = preference
    self.dial = dial
    self.now = now
  }
}

/// Why a request is refused. Compared by `code`.
public struct RequestError: Error, Hashable, Sendable {
  public enum Code: String, Sendable, CaseIterable {
    case unknownOperator = "unknown-operator"
    case unknownAttribute = "unknown-attribute"
    case wrongType = "wrong-type"
    case noBehavior = "no-behavior"
    case badName = "bad-name"
    case badDial = "bad-dial"
    case unknownPeriod = "unknown-period"
    case unknownCounter = "unknown-counter"
    case badResource = "bad-resource"
    case tooMany = "too-many"
  }
  public var code: Code
  /// What it is about: an attribute's name, a behaviour, an operator.
  public var at: String
  public init(_ code: Code, at: String) {
    self.code = code
    self.at = at
  }
}

/// A statement or declaration, as an image explains it.
public struct StatementReference: Hashable, Sendable {
  public var layer: Layer
  public var form: StatementForm
  public var file: String
  public var line: Int
  public var column: Int
  public var behavior: String
  public var clause: String?
  public var condition: String?
  /// What a rule does; nil for declarations.
  public var kind: StatementKind?
  public var effect: Effect?
  public var tier: Tier?
  public var isShadow: Bool
  /// Index among the layer's statements.
  public var index: Int
  /// Of a default that a population or an audience chose: of how many people, and each response's total.
  public var totals: String?
}

public struct DecidedBy: Hashable, Sendable {
  public var rank: DeciderRank
  /// Of oversight: what of it.
  public var cause = OversightCause.none
  public var statement: StatementReference?
  /// The name that decided.
  public var behavior: String
}

public struct TraceLine: Hashable, Sendable {
  public var behavior: String
  public var step: TraceStep
  public var truth: Truth
  public var says: Effect
  public var effect: Effect
  public var tier: Tier?
  public var isShadow: Bool
  public var isClamped: Bool
  public var statement: StatementReference?
  public var failure: Failure
  /// The attribute that a failure is about.
  public var attribute: String?
  /// Of the dial's step.
  public var dial: DialLine?
  /// Of the session's: what holds the name back, or could.
  public var session: SessionLine?
  /// Of suspicion's: how suspect whoever asks is, in thousandths of an attempt.
  public var suspicion: UInt32?
  /// What it depends on, where that is a period.
  public var period: PeriodLine?
}

/// A period that a step depends on: the step is there only while it runs, or once it has ended, or its end replaces it.
public struct PeriodLine: Hashable, Sendable {
  public var name: String
  /// Who ends it, on what, and when that is looked at again.
  public var terms: String
  public var hasEnded: Bool
  public init(name: String, terms: String, hasEnded: Bool) {
    (self.name, self.terms, self.hasEnded) = (name, terms, hasEnded)
  }
}

/// What a session has to say on a name.
public struct SessionLine: Hashable, Sendable {
  public var hold: SessionHold
  /// The name in the session's terms that says so; empty: none does.
  public var term: String
  public init(_ hold: SessionHold, term: String) { (self.hold, self.term) = (hold, term) }
}

/// What the dial was held against. `TraceLine.statement` is what set the dial; none: the session did.
public struct DialLine: Hashable, Sendable {
  public var stakes: Degree
  /// Who states the stakes; nil: nobody does, so they are 1.
  public var statedAt: StatementReference?
  public var dial: Degree
  /// The source is `untrusted`: the cap holds whatever the numbers are.
  public var isUntrusted: Bool
  public init(stakes: Degree, statedAt: StatementReference?, dial: Degree, isUntrusted: Bool) {
    (self.stakes, self.statedAt, self.dial, self.isUntrusted) = (stakes, statedAt, dial, isUntrusted)
  }
}

/// One change that the way needs.
public struct WayStep: Sendable {
  public enum Kind: Hashable, Sendable {
    case preference, setting, operatorLimit, choice, platformLimit
    /// A higher dial: of the session, of the operator; lower stakes, or a higher dial, of the platform.
    case sessionDial, operatorDial, stakes
    /// This period ends: `instead.statement` is its own, with its name for a behaviour and its terms for a condition.
    case period
    /// This counter falls: `instead.statement` is its own, with its name for a behaviour and what it counts for a condition.
    case counter
    /// The session's caps, its scope, or its resources are wider.
    case session
    /// Suspicion decays: `wait` says how long that takes.
    case suspicion
    /// This halt ends.
    case halt(Halt)
  }
  public var kind: Kind
  /// What decides while this change alone is missing: what is to be changed.
  public var instead: DecidedBy
  /// Of the dials' kinds and of stakes: the dial that the stakes need (zero: less than there is), and the highest that it may
  /// become by these changes.
  public var dial: (needed: Degree, highest: Degree)?
  /// Of suspicion: the most seconds until it has fallen low enough.
  public var wait: UInt64?
}

/// Who could allow it, and how.
public struct WayOut: Sendable {
  public var by: WayBy
  public var steps: [WayStep]
  /// The source is `untrusted`: no choice of anybody's makes it an instruction.
  public var isUntrusted: Bool
  public init(by: WayBy, steps: [WayStep], isUntrusted: Bool = false) {
    (self.by, self.steps, self.isUntrusted) = (by, steps, isUntrusted)
  }
}

public struct Answer: Sendable {
  public var effect: Effect
  /// Sorted, without repeats.
  public var obligations: [String]
  public var decidedBy: DecidedBy
  /// nil unless asked for, and for `allow`.
  public var way: WayOut?
  /// Empty unless asked for.
  public var trace: [TraceLine]
  /// What halted whom it was decided for; empty while nothing does.
  public var halts: [Halt]
}
