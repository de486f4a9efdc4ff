// What the Oracle is asked and what it answers.

public import PolicyImage

/// One request as the Oracle takes it (DESIGN §1). Attributes are declared ones by qualified name ("user.role").
public struct OracleRequest: Sendable {
  /// What one action is, all at once; at least one, each a valid name.
  public var behaviors: [String]
  /// nil: not given, so that conditions that read it fail.
  public var resource: String?
  public var source: Source
  public var attributes: [String: OracleValue]
  public var argument: String?
  /// The user's wish for each behaviour that the request names.
  public var preference: Effect?
  /// The session's dial.
  public var dial: Degree?
  /// Seconds since 1970 (UTC) and nanoseconds 0..<10^9.
  public var now: (seconds: Int64, nanoseconds: Int64)
  /// Whoever asks is halted (DESIGN §2.2, step 5).
  public var isHalted: Bool
  /// The terms of the session that it is asked in and of all that it was delegated by, the root's first; empty: none.
  public var session: [OracleSessionLevel] = []
  /// Thousandths of an attempt.
  public var suspicion: UInt32 = 0
  /// Names of the periods that have ended; all others run.
  public var ended: Set<String>

  public init(
    behaviors: [String], resource: String? = nil, source: Source = .agent,
    attributes: [String: OracleValue] = [:], argument: String? = nil, preference: Effect? = nil,
    dial: Degree? = nil, now: (seconds: Int64, nanoseconds: Int64), isHalted: Bool = false,
    ended: Set<String> = []
  ) {
    self.ended = ended
    self.behaviors = behaviors
    self.resource = resource
    self.source = source
    self.attributes = attributes
    self.argument = argument
    self.preference = preference
    self.dial = dial
    self.now = now
    self.isHalted = isHalted
  }
}

/// Why the Oracle gives no answer.
public enum OracleError: Error, Hashable, Sendable {
  /// No behaviour is named, or one that is no valid name.
  case badRequest
  /// More conditions failed than worlds can be enumerated for.
  case tooManyFailures(Int)
}

/// What a condition came to; a statement without one is `yes`.
public enum OracleTruth: UInt8, Sendable { case no = 0, yes = 1, failed = 2 }

/// A statement or declaration, by what it says rather than by where it stands.
public enum OracleIdentity: Hashable, Sendable {
  /// A setting, grant, duty or limit, by its `content`, and the behaviour that it names.
  case statement(content: String, behavior: String)
  /// A behaviour's declaration, by name.
  case declaration(String)
  /// An operator's audience, by the behaviour that it is for.
  case audience(String)
  /// The platform's `unknown`.
  case unknown
  /// What sets the dial.
  case dial(OracleDialSetter)
  /// The platform's `suspicion`.
  case suspicion

  /// The behaviour named, or "".
  public var behavior: String {
    switch self {
    case .statement(_, let behavior), .declaration(let behavior), .audience(let behavior): behavior
    case .unknown, .dial, .suspicion: ""
    }
  }

  var isAudience: Bool {
    if case .audience = self { true } else { false }
  }

  var content: String {
    if case .statement(let content, _) = self { content } else { "" }
  }
}

/// The parts of the platform's dial, and an operator's.
public enum OracleDialSetter: Sendable { case `default`, operatorsMay, usersMay, `operator` }

/// One step of a decision.
public struct OracleTraceEntry: Hashable, Sendable {
  public enum Step: String, Sendable {
    case `default`, setting, `operator`, grant, preference, duty, limit, absolute
    /// A halt: a stop, or no policy in force.
    case oversight
    /// The dial's cap, considered: `truth` is whether it holds.
    case dial
    /// What the session says, and suspicion, likewise.
    case session, suspicion
  }
  /// The name that is being decided.
  public var name: String
  public var step: Step
  /// Of duties and limits.
  public var tier: Tier?
  public var statement: OracleIdentity?
  /// The statement's own effect.
  public var to: Effect?
  public var truth: OracleTruth?
  /// The value after this step.
  public var effect: Effect
  public var isShadow: Bool
  /// A ceiling lowered what the operator's setting says; `statement` is then where the ceiling is set.
  public var isClamped: Bool
  /// Of `dial`: what is at stake, by which behaviour's declaration (nil: nobody states it), and the dial.
  public var stakes: Degree?
  public var stakesOf: String?
  public var dial: Degree?
  /// A period that this step depends on, and whether it has ended.
  public var period: OraclePeriod?
  /// Of `session`: what holds the name back, or could, and the name in the session's terms that says so.
  public enum Hold: String, Sendable { case cap, scope, resources, preference }
  public var hold: Hold?
  public var term: String?
  /// Of `suspicion`: thousandths of an attempt.
  public var suspicion: UInt32?

  public init(
    name: String, step: Step, tier: Tier? = nil, statement: OracleIdentity? = nil, to: Effect? = nil,
    truth: OracleTruth? = nil, effect: Effect, isShadow: Bool = false, isClamped: Bool = false
  ) {
    self.name = name
    self.step = step
    self.tier = tier
    self.statement = statement
    self.to = to
    self.truth = truth
    self.effect = effect
    self.isShadow = isShadow
    self.isClamped = isClamped
    stakes = nil
    stakesOf = nil
    dial = nil
    period = nil
    hold = nil
    term = nil
    suspicion = nil
  }
}

/// A period as a step depends on it.
public struct OraclePeriod: Hashable, Sendable {
  public var name: String
  public var hasEnded: Bool
  public init(name: String, hasEnded: Bool) { (self.name, self.hasEnded) = (name, hasEnded) }
}

/// What decided.
public struct OracleDecider: Hashable, Sendable {
  public enum Kind: String, Sendable {
    case `default`, setting, ceiling, preference, `operator`, guideline, ethics, safety, oversight, absolute
  }
  public var kind: Kind
  /// nil for a preference, and for most of oversight.
  public var statement: OracleIdentity?
  /// What of oversight it was, in the order in which it has its word.
  public enum Cause: UInt8, Sendable { case session, suspicion, dial, halt }
  public var cause: Cause?

  public init(kind: Kind, statement: OracleIdentity?, cause: Cause? = nil) {
    self.kind = kind
    self.statement = statement
    self.cause = cause
  }

  /// Higher decides between equals.
  var rank: Int {
    switch kind {
    case .default: 0
    case .setting: 1
    case .ceiling: 2
    case .preference: 3
    case .operator: 4
    case .guideline: 5
    case .ethics: 6
    case .safety: 7
    case .oversight: 8
    case .absolute: 9
    }
  }
}

/// The lowest layer that could bring about `allow`, everything above it fixed.
public enum OracleWay: UInt8, Sendable {
  case user, `operator`, platform, nobody
  /// Nobody yet: periods have to end.
  case authorities
  /// Nobody, or not they alone: counters have to fall, or suspicion decays.
  case wait
}

/// An answer of the Oracle.
public struct OracleDecision: Hashable, Sendable {
  public var effect: Effect
  /// Sorted, without repeats.
  public var obligations: [String]
  public var decidedBy: OracleDecider
  public var trace: [OracleTraceEntry]
  /// nil for `allow`. For an `ask` an overseer may decide as well.
  public var way: OracleWay?

  public init(
    effect: Effect, obligations: [String], decidedBy: OracleDecider, trace: [OracleTraceEntry], way: OracleWay?
  ) {
    self.effect = effect
    self.obligations = obligations
    self.decidedBy = decidedBy
    self.trace = trace
    self.way = way
  }
}
