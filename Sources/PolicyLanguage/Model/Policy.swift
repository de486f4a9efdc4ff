/// PolicyLanguage: policy files to checked policies to images. Stages: Parse/ (bytes -> YAML nodes),
/// Validate/ (nodes -> the checked model below), Compile/ (checked model -> image), Diagnostics/ (what is said about
/// errors). May import CEL, PolicyImage and libyaml; no Foundation.
///
/// This file: the checked model. Everything in it is valid: names parse, types are known, conditions are checked,
/// ceilings are resolved, nothing claims more than its layer may give. The compiler and the Oracle both read it.

public import CEL
public import PolicyImage

/// Where something stands. `file` is relative to the policy folder ("operators.d/nightowl.yaml"); line and column
/// count from 1, columns in Unicode scalars.
public struct Location: Hashable, Sendable {
  public var file: String
  public var line: Int
  public var column: Int
  public init(file: String, line: Int, column: Int) {
    self.file = file
    self.line = line
    self.column = column
  }
}

/// The type of an attribute as policy files declare it (docs/reference: attribute types).
public indirect enum AttributeType: Hashable, Sendable {
  case bool, int, uint, double, string, bytes, timestamp, duration, dyn
  /// A string out of these; at least one, in the order written.
  case enumeration([String])
  case list(AttributeType)
  /// Keys are bool, int, uint or string.
  case map(AttributeType, AttributeType)
}

/// A declared attribute: `name` is qualified ("user.role"); roots are `user`, `request` and `session`.
public struct Attribute: Hashable, Sendable {
  public var name: String
  public var type: AttributeType
  /// Comes only from the authority or a provider, never from a caller (DESIGN §4).
  public var isVerified: Bool
  public var location: Location
  public init(name: String, type: AttributeType, isVerified: Bool, location: Location) {
    self.name = name
    self.type = type
    self.isVerified = isVerified
    self.location = location
  }
}

/// Attributes that the authority itself gives; their slots come first, in this order. `argument` and `session.dial` may be
/// read in limits only.
public enum BuiltInAttribute: String, CaseIterable, Sendable {
  case behavior = "request.behavior"
  case resource = "request.resource"
  case source = "request.source"
  case now = "now"
  case operatorName = "operator.name"
  case argument = "argument"
  case sessionDial = "session.dial"

  public var type: AttributeType {
    switch self {
    case .behavior, .resource, .operatorName, .argument: .string
    case .source: .enumeration(["platform", "operator", "user", "agent", "untrusted"])
    case .now: .timestamp
    case .sessionDial: .double
    }
  }
}

public enum Audit: UInt8, Sendable { case counts = 0, full = 1, durable = 2 }

/// The default and the two ceilings of a behaviour (DESIGN §2.1).
public struct Choice: Hashable, Sendable {
  public var `default`: Effect
  public var operatorsMay: Effect
  public var usersMay: Effect
  /// What the default carries (only one that a population chose does), sorted.
  public var obligations: [String]
  public init(default: Effect, operatorsMay: Effect, usersMay: Effect, obligations: [String] = []) {
    self.default = `default`
    self.operatorsMay = operatorsMay
    self.usersMay = usersMay
    self.obligations = obligations
  }
}

/// Looser fields that hold once a period has ended (DESIGN §2.8); nil: not stated.
public struct Alternative<Value: Hashable & Sendable>: Hashable, Sendable {
  public var `default`: Value?
  public var operatorsMay: Value?
  public var usersMay: Value?
  public init(default: Value?, operatorsMay: Value?, usersMay: Value?) {
    (self.default, self.operatorsMay, self.usersMay) = (`default`, operatorsMay, usersMay)
  }
}

/// A declared or built-in behaviour.
public struct Behavior: Hashable, Sendable {
  public var name: String
  public var title: String?
  public var clause: String?
  /// What it states itself; nil: it inherits from `governedBy`.
  public var stated: Choice?
  /// In force: stated, or the nearest declared ancestor's that states one, or `unknown` for all three.
  public var choice: Choice
  /// By period: what replaces fields of `choice` once it has ended. Inherited with it.
  public var after: [String: Alternative<Effect>] = [:]
  /// The behaviour whose `choice` this is (itself when stated); nil: the platform's `unknown`.
  public var governedBy: String?
  /// Whom its own default is chosen for, and what was chosen; nil: it states none.
  public var population: Population?
  public var chosen: PopulationChoice?
  /// As stated here; what lies above applies to this one too (`Platform.absolute(of:)`).
  public var hardcoded: Absolute
  /// Inherited; 1 when nobody states any (DESIGN §2.5).
  public var stakes: Degree
  /// The behaviour that states them, itself or one above; nil: nobody does.
  public var stakesOf: String?
  public var audit: Audit
  /// nil: compiled into the program.
  public var location: Location?
  public init(
    name: String, title: String?, clause: String?, stated: Choice?, choice: Choice, governedBy: String?,
    hardcoded: Absolute, stakes: Degree, stakesOf: String?, audit: Audit, location: Location?,
    population: Population? = nil, chosen: PopulationChoice? = nil
  ) {
    self.population = population
    self.chosen = chosen
    self.name = name
    self.title = title
    self.clause = clause
    self.stated = stated
    self.choice = choice
    self.governedBy = governedBy
    self.hardcoded = hardcoded
    self.stakes = stakes
    self.stakesOf = stakesOf
    self.audit = audit
    self.location = location
  }
}

/// A dial, or a ceiling of one, and where it is stated; nil: nowhere, it is compiled in.
public struct StatedDegree: Hashable, Sendable {
  public var value: Degree
  public var location: Location?
  public init(_ value: Degree, at location: Location?) {
    self.value = value
    self.location = location
  }
}

/// A platform's dial (DESIGN §2.5). Ceilings that are not stated are the default's.
public struct Dial: Hashable, Sendable {
  public var `default`: StatedDegree
  public var operatorsMay: StatedDegree
  public var usersMay: StatedDegree
  /// By period: what replaces these once it has ended.
  public var after: [String: Alternative<Degree>] = [:]
  public init(default: StatedDegree, operatorsMay: StatedDegree? = nil, usersMay: StatedDegree? = nil) {
    self.default = `default`
    self.operatorsMay = operatorsMay ?? `default`
    self.usersMay = usersMay ?? `default`
  }

  /// What holds when a platform states none.
  public static let unstated = Dial(default: StatedDegree(.unstatedDial, at: nil))
}

/// What suspicion does (DESIGN §2.4): it grows by whole attempts and halves in `halfLife`.
public struct Suspicion: Hashable, Sendable {
  /// Thousandths of an attempt from which on everything is `ask` at most, and `deny`; at least one, the second no lower.
  public var askAt: UInt32?
  public var denyAt: UInt32?
  /// Seconds.
  public var halfLife: UInt32
  /// The behaviours that it is for, each with all below it: sorted, without repeats; empty: everything.
  public var behaviors: [String]
  public var location: Location
  public init(askAt: UInt32?, denyAt: UInt32?, halfLife: UInt32, behaviors: [String], location: Location) {
    (self.askAt, self.denyAt, self.halfLife) = (askAt, denyAt, halfLife)
    (self.behaviors, self.location) = (behaviors, location)
  }
}

/// A time that ends when a quorum of authorities has determined so (DESIGN §2.8).
public struct Period: Hashable, Sendable {
  public var name: String
  /// How many of `authorities` it takes; at least 1.
  public var quorum: Int
  /// Names, sorted, without repeats.
  public var authorities: [String]
  /// What each of them has to have seen: names, sorted, without repeats, at least one.
  public var evidence: [String]
  /// The day on which somebody has to have looked whether it can end.
  public var reviewBy: Day
  public var location: Location
  public init(
    name: String, quorum: Int, authorities: [String], evidence: [String], reviewBy: Day, location: Location
  ) {
    (self.name, self.quorum, self.authorities, self.evidence) = (name, quorum, authorities, evidence)
    (self.reviewBy, self.location) = (reviewBy, location)
  }

  /// Who ends it, on what, and when that is looked at again: for people.
  public var terms: String {
    "\(quorum) of \(authorities.joined(separator: ", ")) on \(evidence.joined(separator: ", ")); review by \(reviewBy)"
  }
}

/// A setting, grant, duty or limit.
public struct Statement: Sendable {
  public var kind: StatementKind
  /// Governs this name and all below it.
  public var behavior: String
  /// What a setting chooses, a grant allows users, a duty raises to or a limit caps at.
  public var effect: Effect
  /// Settings and grants have `.operator`.
  public var tier: Tier
  /// nil: always.
  public var condition: CheckedExpression?
  /// The condition reads `argument` (limits only; DESIGN §2.4).
  public var readsArgument: Bool
  /// Sorted, without repeats.
  public var obligations: [String]
  /// A limit is there only while this period runs, a grant or duty only once it has ended; nil: always.
  public var period: String?
  public var clause: String?
  /// Evaluated and reported, not enforced (DESIGN §3, `mode: shadow`).
  public var isShadow: Bool
  public var location: Location
  /// Requests for which the condition has to hold, or not (rules only); to be decided by whoever can evaluate.
  public var examples: [RequestExample]
  public init(
    kind: StatementKind, behavior: String, effect: Effect, tier: Tier, condition: CheckedExpression?,
    readsArgument: Bool, obligations: [String], period: String? = nil, clause: String?, isShadow: Bool,
    location: Location, examples: [RequestExample] = []
  ) {
    self.period = period
    self.kind = kind
    self.behavior = behavior
    self.effect = effect
    self.tier = tier
    self.condition = condition
    self.readsArgument = readsArgument
    self.obligations = obligations
    self.clause = clause
    self.isShadow = isShadow
    self.location = location
    self.examples = examples
  }

  /// A text that two statements share exactly when they say the same, whatever file, line or key order they stand
  /// in: the order of contents that breaks ties (P9), and what duplicates are found by.
  public var content: String {
    var text = "\u{1F}"
    text.reserveCapacity(behavior.utf8.count + (condition?.source.utf8.count ?? 0) + (clause?.utf8.count ?? 0) + 16)
    // Ranks as one letter each: '0' and up.
    let ranks = [kind.rawValue, tier.rawValue, effect.rawValue, isShadow ? 1 : 0]
    for rank in ranks { text.unicodeScalars.append(Unicode.Scalar(rank &+ UInt8(ascii: "0"))) }
    for part in [behavior, condition?.source ?? "", clause ?? ""] {
      text += "\u{1F}"
      text += part
    }
    for obligation in obligations {
      text += "\u{1E}"
      text += obligation
    }
    if let period {
      text += "\u{1D}"
      text += period
    }
    return text
  }
}

/// How an operating-system identity is tied to an operator (DESIGN §4); used by the daemon.
public enum Binding: Hashable, Sendable {
  case user(String), group(String), label(String)
  /// A system unit, only together with `user`.
  case unit(String, user: String)
}

/// A platform's checked policy: its files merged.
public struct Platform: Sendable {
  public var name: String
  public var unknown: Effect
  /// Where `unknown` is stated, or the platform's first file.
  public var unknownLocation: Location
  /// Declared ones, sorted by name.
  public var attributes: [Attribute]
  /// Declared and built-in ones, by name. The built-in absolutes are always among them.
  public var behaviors: [String: Behavior]
  public var dial: Dial
  /// nil: suspicion does nothing, and is not counted.
  public var suspicion: Suspicion?
  /// Sorted by name.
  public var periods: [Period]
  /// Ed25519 public keys, by name.
  public var authorities: [String: [UInt8]]
  /// Sorted by name.
  public var counters: [CounterDeclaration]
  /// Limits and duties, sorted by `content`, without duplicates.
  public var statements: [Statement]
  /// Groups of the system that may administer, sorted (DESIGN §4).
  public var administratorGroups: [String]
  public init(
    name: String, unknown: Effect, unknownLocation: Location, attributes: [Attribute],
    behaviors: [String: Behavior], dial: Dial = .unstated, suspicion: Suspicion? = nil, periods: [Period] = [],
    authorities: [String: [UInt8]] = [:], counters: [CounterDeclaration] = [],
    statements: [Statement], administratorGroups: [String] = []
  ) {
    self.counters = counters
    (self.periods, self.authorities) = (periods, authorities)
    self.dial = dial
    self.suspicion = suspicion
    self.administratorGroups = administratorGroups
    self.name = name
    self.unknown = unknown
    self.unknownLocation = unknownLocation
    self.attributes = attributes
    self.behaviors = behaviors
    self.statements = statements
  }
}

/// An operator's checked policy, valid against one platform.
public struct Operator: Sendable {
  public var name: String
  public var bindings: [Binding]
  /// nil: the platform's default holds.
  public var dial: StatedDegree?
  /// Settings, grants and limits, sorted by `content`, without duplicates.
  public var statements: [Statement]
  /// Sorted by behaviour.
  public var audiences: [Audience]
  public var location: Location
  public init(
    name: String, bindings: [Binding], dial: StatedDegree? = nil, statements: [Statement], location: Location,
    audiences: [Audience] = []
  ) {
    self.audiences = audiences
    self.name = name
    self.dial = dial
    self.bindings = bindings
    self.statements = statements
    self.location = location
  }
}

/// What loading a policy folder yields. Errors stay where they are (DESIGN §6, P17): a broken platform leaves
/// `platform` nil and no operator in force; a broken operator is absent from `operators` and named in `broken`.
public struct PolicySet: Sendable {
  public var platform: Platform?
  public var operators: [String: Operator]
  /// Names of operators whose files have errors, with nothing in force.
  public var broken: Set<String>
  /// Everything found, errors and warnings, sorted by file, line, column.
  public var diagnostics: [Diagnostic]
  /// Statements that were dropped because another says the same; for `lint`.
  public var repeats: [Repeat]
  public init(
    platform: Platform?, operators: [String: Operator], broken: Set<String>, diagnostics: [Diagnostic],
    repeats: [Repeat] = []
  ) {
    self.platform = platform
    self.operators = operators
    self.broken = broken
    self.diagnostics = diagnostics
    self.repeats = repeats
  }
}

/// A statement that says what another one of the same platform or operator says.
public struct Repeat: Hashable, Sendable {
  public var location: Location
  public var first: Location
  public init(location: Location, first: Location) {
    self.location = location
    self.first = first
  }
}
