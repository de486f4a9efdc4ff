// Every key of a policy file: where it may stand, what it holds, what it is for. The validator and the JSON Schema
// both read this table, so they can't differ.

enum Layer: String, Sendable { case platform, `operator` }

struct Layers: OptionSet, Sendable {
  let rawValue: UInt8
  static let platform = Layers(rawValue: 1)
  static let `operator` = Layers(rawValue: 2)
  static let both: Layers = [.platform, .operator]
  static func only(_ layer: Layer) -> Layers { layer == .platform ? .platform : .operator }
}

/// The kinds of mapping that have fixed keys.
enum Form: String, Sendable, CaseIterable {
  case file, dial, suspicion, counter, period, deciders, alternative, dialAlternative
  case behavior, population, attributes, attribute, enumeration, rule, grant, binding, examples, example

  /// For messages: "a rule", "a behaviour" …
  var title: String {
    switch self {
    case .file: "a policy file"
    case .dial: "`dial`"
    case .counter: "a counter"
    case .suspicion: "`suspicion`"
    case .period: "a period"
    case .deciders: "`decided-by`"
    case .alternative, .dialAlternative: "what holds after a period"
    case .behavior: "a behaviour"
    case .population: "a population"
    case .attributes: "`attributes`"
    case .attribute: "an attribute"
    case .enumeration: "an enumeration"
    case .rule: "a rule"
    case .grant: "a grant"
    case .binding: "a binding"
    case .examples: "`examples`"
    case .example: "an example"
    }
  }
}

/// What a key holds.
indirect enum ValueKind: Sendable {
  /// The language's version: 1.
  case version
  /// Text for people; not empty.
  case text
  /// A CEL expression of type bool.
  case condition
  case bool
  case number(ClosedRange<Double>)
  /// A number strictly between 0 and 1, at most a half.
  case dial
  /// Likewise, also above a half: it holds only once a period has ended.
  case dialAfter
  /// A whole number.
  case whole(ClosedRange<Int>)
  /// `90m`: from a second to a year.
  case duration
  /// How often somebody was caught: above 0.
  case attempts
  /// `ed25519:BASE64`.
  case publicKey
  /// `2027-01-31`.
  case day
  /// A length of time that a counter looks back: `90m`.
  case window
  /// An operator's, platform's or obligation's name.
  case name
  case behavior
  case keyword([String])
  case list(ValueKind)
  case table(Form)
  /// A mapping whose keys are names of the author's.
  case named(ValueKind)
  /// A whole number of people, at least 1.
  case count
  /// A decimal number of a few digits.
  case payoff
  case attributeType
  /// An attribute's type, or a mapping with `type`.
  case attribute
  /// A value of a request: whatever YAML can hold.
  case anything
}

enum KeyID: String, CaseIterable, Sendable {
  case licet, layer, name, unknown, attributes, behaviors, rules, grants, bind
  case `default`, operatorsMay = "operators-may", usersMay = "users-may", hardcoded, stakes, audit, clause, title
  case user, request, session
  case type, verified, `enum`
  case allow, ask, deny, limit, duty, to, tier, when, with, mode, examples
  case behavior, groups, group, label, unit
  case population, who, responses, neverWorseThan = "never-worse-than", audience, dial
  case periods, authorities, after, during, decidedBy = "decided-by", quorum, of, evidence, reviewBy = "review-by"
  case suspicion, halfLife = "half-life", askAt = "ask-at", denyAt = "deny-at", `for`
  case match, noMatch = "no-match", resource, source, argument, now
  case counters, counts, per, window
  // Of later parts of the design: refused, because ignoring one could loosen.
  case overseers
  case plugins, retention, staleAfter = "stale-after", onAuthorityLoss = "on-authority-loss"
}

struct Key: Sendable {
  let id: KeyID
  let bytes: [UInt8]
  let kind: ValueKind
  let layers: Layers
  /// In the files of these layers it can't be left out.
  let required: Layers
  let isReserved: Bool
  let doc: String

  /// A key of both layers.
  init(_ id: KeyID, _ kind: ValueKind, required: Layers = [], _ doc: String) {
    self.init(id, kind, .both, required: required, doc)
  }

  init(
    _ id: KeyID, _ kind: ValueKind, _ layers: Layers, required: Layers = [], reserved: Bool = false, _ doc: String
  ) {
    self.id = id
    self.bytes = Array(id.rawValue.utf8)
    self.kind = kind
    self.layers = layers
    self.required = required
    self.isReserved = reserved
    self.doc = doc
  }

  static func reserved(_ id: KeyID, _ doc: String) -> Key { Key(id, .anything, .both, reserved: true, doc) }
}

enum Words {
  static let effects = ["deny", "ask", "allow"]
  static let layers = ["platform", "operator"]
  static let absolutes = ["off", "on"]
  static let audits = ["counts", "full", "durable"]
  static let tiers = ["guideline", "ethics", "safety"]
  static let modes = ["enforce", "shadow"]
  static let counted = ["requests", "users"]
  static let counterKeys = ["operator", "user", "session"]
  static let sources = ["platform", "operator", "user", "agent", "untrusted"]
}

extension Form {
  /// A rule has exactly one of these; with the second ones goes `to`.
  static let ruleKinds: [KeyID] = [.allow, .ask, .deny, .limit, .duty]
  static let kindsWithTo: [KeyID] = [.limit, .duty]

  var keys: [Key] {
    switch self {
    case .file: Self.fileKeys
    case .dial: Self.dialKeys
    case .counter: Self.counterKeys
    case .suspicion: Self.suspicionKeys
    case .period: Self.periodKeys
    case .deciders: Self.deciderKeys
    case .alternative: Self.alternativeKeys
    case .dialAlternative: Self.dialAlternativeKeys
    case .behavior: Self.behaviorKeys
    case .population: Self.populationKeys
    case .attributes: Self.attributesKeys
    case .attribute: Self.attributeKeys
    case .enumeration: Self.enumerationKeys
    case .rule: Self.ruleKeys
    case .grant: Self.grantKeys
    case .binding: Self.bindingKeys
    case .examples: Self.examplesKeys
    case .example: Self.exampleKeys
    }
  }

  private static let effect = ValueKind.keyword(Words.effects)

  private static let fileKeys = [
    Key(.licet, .version, required: .both, "The version of the policy language: 1."),
    Key(.layer, .keyword(Words.layers), required: .both, "Whose policy this file states."),
    Key(.name, .name, required: .operator, "The platform's or the operator's name."),
    Key(.unknown, effect, .platform, "What holds for behaviours that are declared nowhere; `deny` when left out."),
    Key(.attributes, .table(.attributes), .platform, "The attributes that conditions may read."),
    Key(.dial, .table(.dial), .platform, "How far agents may go on their own; 0.1 when left out."),
    Key(.dial, .dial, .operator, "The highest stakes that this operator's agents may act on by themselves."),
    Key(.suspicion, .table(.suspicion), .platform, "What asking for hard-coded prohibitions leads to."),
    Key(.behaviors, .named(.table(.behavior)), .platform, "The behaviours that are asked about."),
    Key(.rules, .list(.table(.rule)), "Settings, limits and duties."),
    Key(.grants, .list(.table(.grant)), .operator, "How far users may lift what the operator set."),
    Key(.groups, .list(.text), .platform, "Groups of the system whose members may administer."),
    Key(.audience, .named(.named(.count)), .operator, "Who asks this operator, for behaviours with a population."),
    Key(.bind, .list(.table(.binding)), .operator, "Which identities of the system speak for this operator."),
    Key(.periods, .named(.table(.period)), .platform, "Times that end when somebody determines so, and how."),
    Key(.authorities, .named(.publicKey), .platform, "Who can end a period: a name, and an Ed25519 public key."),
    Key(.counters, .named(.table(.counter)), .platform, "What is counted, for limits to read."),
    .reserved(.overseers, "Who answers asks."),
    .reserved(.plugins, "Plugins."),
    .reserved(.retention, "How long records are kept."), .reserved(.staleAfter, "When a snapshot is stale."),
    .reserved(.onAuthorityLoss, "What holds without a daemon."),
  ]

  private static let dialKeys = [
    Key(.default, .dial, .platform, "The highest stakes that an agent may act on by itself."),
    Key(.operatorsMay, .dial, .platform, "How far operators may raise it; the default when left out."),
    Key(.usersMay, .dial, .platform, "How far a session may raise it; the default when left out."),
    Key(
      .after, .named(.table(.dialAlternative)), .platform,
      "By period: looser fields that replace these once it has ended."),
  ]

  private static let counterKeys = [
    Key(
      .counts, .keyword(Words.counted), .platform, required: .platform,
      "`requests`, whatever their outcome, or distinct `users`."),
    Key(.of, .list(.behavior), .platform, required: .platform, "The behaviours that count, each with all below it."),
    Key(
      .per, .keyword(Words.counterKeys), .platform, required: .platform,
      "Who has one of its own: each `operator`, each `user`, or each root `session`."),
    Key(.window, .window, .platform, required: .platform, "How far it looks back, 1m to 366d: `90m`, `24h`, `30d`."),
  ]

  private static let suspicionKeys = [
    Key(.halfLife, .duration, .platform, "How long it takes until half of it has decayed, as `1h`."),
    Key(.askAt, .attempts, .platform, "From so many attempts on, nothing is more than `ask`."),
    Key(.denyAt, .attempts, .platform, "From so many attempts on, everything is `deny`."),
    Key(.for, .list(.behavior), .platform, "What it is for, with all below; everything when left out."),
  ]

  private static let periodKeys = [
    Key(.decidedBy, .table(.deciders), .platform, required: .platform, "Who determines that it has ended."),
    Key(
      .evidence, .list(.name), .platform, required: .platform,
      "What has to be shown for that: a name for each thing, all of which each determination has to hold."),
    Key(
      .reviewBy, .day, .platform, required: .platform,
      "The day by which somebody has to look whether it can end; missing it loosens nothing."),
  ]

  private static let deciderKeys = [
    Key(
      .quorum, .whole(1...64), .platform, required: .platform,
      "How many of them it takes; any single one can reinstate."),
    Key(.of, .list(.name), .platform, required: .platform, "Names of `authorities`."),
  ]

  private static let alternativeKeys = [
    Key(.default, effect, .platform, "What holds then when nobody chooses."),
    Key(.operatorsMay, effect, .platform, "How far operators may loosen then."),
    Key(.usersMay, effect, .platform, "How far users may loosen then."),
  ]

  private static let dialAlternativeKeys = [
    Key(.default, .dialAfter, .platform, "The highest stakes that an agent may act on by itself then."),
    Key(.operatorsMay, .dialAfter, .platform, "How far operators may raise it then."),
    Key(.usersMay, .dialAfter, .platform, "How far a session may raise it then."),
  ]

  private static let behaviorKeys = [
    Key(.default, effect, .platform, "What holds when nobody chooses."),
    Key(.operatorsMay, effect, .platform, "How far operators may loosen; the default when left out."),
    Key(.usersMay, effect, .platform, "How far users may loosen; the default when left out."),
    Key(.hardcoded, .keyword(Words.absolutes), .platform, "An absolute: nothing changes it, here and below."),
    Key(.stakes, .number(0...1), .platform, "How much harm, how hard to undo; 1 when nobody states it."),
    Key(.audit, .keyword(Words.audits), .platform, "How decisions are recorded."),
    Key(.clause, .text, .platform, "What document this comes from."),
    Key(.title, .text, .platform, "A name for people."),
    Key(
      .population, .table(.population), .platform,
      "Who asks and what each response does to them; the best response is the default."),
    Key(
      .after, .named(.table(.alternative)), .platform, "By period: looser fields that replace these once it has ended."),
  ]

  private static let populationKeys = [
    Key(.who, .named(.count), .platform, required: .platform, "The groups of those who ask, and how many each is."),
    Key(
      .responses, .named(.named(.payoff)), .platform, required: .platform,
      "By response (`allow`, `ask`, `deny`, each also `with` obligations) what it does to one person of each group."),
    Key(.neverWorseThan, .named(.payoff), .platform, "What no single person of a group may come off worse than."),
  ]

  private static let attributesKeys = [
    Key(.user, .named(.attribute), .platform, "Of the user who asks."),
    Key(.request, .named(.attribute), .platform, "Of what is asked."),
    Key(.session, .named(.attribute), .platform, "Of the session it is asked in."),
  ]

  private static let attributeKeys = [
    Key(.type, .attributeType, .platform, required: .platform, "The attribute's type."),
    Key(.verified, .bool, .platform, "Only the authority or a provider may give it."),
  ]

  private static let enumerationKeys = [
    Key(.enum, .list(.text), .platform, required: .platform, "The values it can have.")
  ]

  private static let ruleKeys = [
    Key(.allow, .behavior, .operator, "Setting: this behaviour is allowed."),
    Key(.ask, .behavior, .operator, "Setting: a human decides about this behaviour."),
    Key(.deny, .behavior, .operator, "Setting: this behaviour is denied."),
    Key(.limit, .behavior, "Limit: this behaviour is at most `to`."),
    Key(.duty, .behavior, .platform, "Duty: this behaviour is at least `to`."),
    Key(.to, effect, "What a limit caps at or a duty raises to."),
    Key(.tier, .keyword(Words.tiers), .platform, "The platform's authority that speaks; `guideline` when left out."),
    Key(.when, .condition, "When it holds: a CEL expression of type bool; always when left out."),
    Key(.with, .list(.name), "Obligations that the caller must honour if it goes ahead."),
    Key(.clause, .text, "What document this comes from."),
    Key(.mode, .keyword(Words.modes), "`shadow`: evaluated and reported, not enforced."),
    Key(.examples, .table(.examples), "Requests for which the condition holds or doesn't; checked at load."),
    Key(.during, .name, "A limit is there only while this period runs."),
    Key(.after, .name, .platform, "A duty is there only once this period has ended."),
  ]

  private static let grantKeys = [
    Key(.usersMay, effect, .operator, required: .operator, "How far users may lift."),
    Key(.behavior, .behavior, .operator, required: .operator, "The behaviour, and all below it."),
    Key(.when, .condition, .operator, "When it holds: a CEL expression of type bool; always when left out."),
    Key(.clause, .text, .operator, "What document this comes from."),
    Key(.after, .name, .operator, "It is there only once this period has ended."),
  ]

  private static let bindingKeys = [
    Key(.user, .text, .operator, "A user of the system."), Key(.group, .text, .operator, "A group of the system."),
    Key(.label, .text, .operator, "A security label."),
    Key(.unit, .text, .operator, "A system unit; only together with `user`."),
  ]

  private static let examplesKeys = [
    Key(.match, .list(.table(.example)), "Requests for which the condition holds."),
    Key(.noMatch, .list(.table(.example)), "Requests for which it doesn't."),
  ]

  private static let exampleKeys = [
    Key(.behavior, .behavior, "The behaviour that is asked about; the rule's own when left out."),
    Key(.resource, .text, "On what."), Key(.source, .keyword(Words.sources), "On whose instruction."),
    Key(.user, .named(.anything), "Attributes of the user."),
    Key(.request, .named(.anything), "Attributes of the request."),
    Key(.session, .named(.anything), "Attributes of the session."),
    Key(.counters, .named(.whole(0...Int(Int32.max))), "What counters have come to, the request included."),
    Key(.argument, .text, "Free text that tries to justify it."), Key(.now, .text, "The time, as in RFC 3339."),
  ]
}
