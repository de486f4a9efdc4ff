// Every step of a decision, in the order of authority, with each statement that was considered and what its condition
// came to: the explanation that a person reads and that the Oracle must repeat. Walks the rules on its own, step by
// step; the tests hold its last effect to the decision's.

public import PolicyImage

public enum TraceStep: UInt8, Sendable {
  /// The platform's default; a second one is what the operator's audience chooses instead.
  case `default` = 0
  /// A setting of the operator's, considered; changes nothing by itself.
  case setting
  /// What the operator's settings come to.
  case `operator`
  case grant
  case preference
  case duty, limit
  /// A halt: denied, whatever came before.
  case oversight
  case absolute
  /// The dial's cap on what an agent does on its own or on untrusted text's say, considered (DESIGN §2.5): `truth` is
  /// whether it holds, and the statement is what set the dial.
  case dial
  /// What the session has to say on the name (DESIGN §2.6): `truth` is whether it holds the name back; `hold` and `term`
  /// say what does.
  case session = 11
  /// How suspect whoever asks is (DESIGN §2.4): `truth` is whether that holds the name back.
  case suspicion = 12
}

/// One line of an explanation.
public struct TraceEntry {
  /// The name that this step belongs to; borrowed from the request or the image.
  public var behavior: Name
  public var step: TraceStep
  /// What the condition came to; yes where there is none.
  public var truth: Truth
  /// What the statement says.
  public var says: Effect
  /// The running value after this step.
  public var effect: Effect
  public var layer: Layer
  public var tier: Tier
  public var isShadow: Bool
  /// The operator's setting was cut down to the ceiling.
  public var isClamped: Bool
  /// Index into the layer's statements, or none.
  public var statement: UInt32
  /// For a failed condition: why, and of which attribute.
  public var failure: Failure
  public var slot: UInt16
  /// Of `dial`: what is at stake, the platform's statement of that, or none, and the dial; else zeros.
  public var stakes = Degree.zero
  public var stakesStatement = ImageFormat.none
  public var dial = Degree.zero
  public var isUntrusted = false
  /// Of `session`: what it is, and the name in the terms that says so; borrowed from the terms, empty: there is none.
  public var hold: SessionHold?
  public var term = Name(start: nil, count: 0)
  /// Of `suspicion`: thousandths.
  public var suspicion: UInt32 = 0
  /// The number of the period that this step depends on, or none: a rule that is there only while it runs or once it has
  /// ended, or a default or a dial that its end replaces.
  public var period = ImageFormat.none
  public var hasPeriodEnded = false
}

/// Traces the decision on these behaviours into `entries`, names in name order; returns how many entries there are in
/// all (more than fit: the rest is cut off). Same contract as `decide`; slower.
public func trace(
  _ policy: Policy, _ frame: inout Frame, behaviors: UnsafeBufferPointer<Name>, preference: Effect? = nil,
  isHalted: Bool = false, into entries: UnsafeMutableBufferPointer<TraceEntry>
) -> Int {
  let engine = Engine(policy, frame)
  var tracer = Tracer(engine: engine, entries: entries)
  var last = Name(start: nil, count: 0)
  while let name = engine.successor(of: last, among: behaviors, frame) {
    last = name
    let wish = Wish(preference: preference, isHalted: isHalted)
    engine.begin(wish, &frame)
    tracer.trace(engine.place(of: name), wish, &frame)
  }
  return tracer.count
}

/// A rule with the period that it asks about.
private struct Ruling {
  let header: RuleHeader
  let period: UInt32?
}

private struct Tracer {
  let engine: Engine
  let entries: UnsafeMutableBufferPointer<TraceEntry>
  var count = 0
  var effect = Effect.deny
  var name = Name(start: nil, count: 0)

  init(engine: Engine, entries: UnsafeMutableBufferPointer<TraceEntry>) {
    self.engine = engine
    self.entries = entries
  }

  mutating func trace(_ place: Place, _ wish: Wish, _ frame: inout Frame) {
    name = place.name
    frame.set(Int(BuiltInSlot.behavior), .string(place.name))
    let choice = engine.choice(place.platform)
    effect = choice.default
    add(.default, says: effect, .platform, choice.decider.statement)
    traceAudience(engine.standing(place, choice), place)
    let own = engine.settle(place, Wish(), preference: nil, choice, &frame)
    if place.overlay != ImageFormat.none {
      var considered = false
      eachRule(.setting, .operator, place.overlay, .overlay, &frame) { tracer, rule, outcome in
        tracer.add(.setting, rule: rule, outcome, .overlay)
        considered = considered || (outcome.truth != .no && !rule.header.isShadow)
      }
      if considered { addOperator(own, choice) }
      eachRule(.grant, .operator, place.overlay, .overlay, &frame) { $0.add(.grant, rule: $1, $2, .overlay) }
    }
    let match = engine.match(place, frame)
    if let preference = engine.preference(match, wish, frame) {
      effect = engine.settle(place, wish, preference: preference, choice, &frame).effect
      add(.preference, says: preference, .none, ImageFormat.none)
    }
    traceTiers(place, &frame)
    traceSession(match, wish, frame)
    if frame.suspicion != 0, engine.isSuspected(place) { traceSuspicion(place, wish, frame) }
    if frame.source == .agent || frame.source == .untrusted {
      traceDial(place, wish, frame)
    }
    if wish.isHalted {
      effect = .deny
      add(.oversight, says: .deny, .none, ImageFormat.none)
    }
    if choice.absolute != .none {
      effect = choice.absolute == .off ? .deny : .allow
      add(.absolute, says: effect, .platform, choice.absoluteDecider.statement)
    }
  }

  /// A second default: what the operator's audience chooses instead.
  private mutating func traceAudience(_ standing: Folded, _ place: Place) {
    guard standing.decider.layer == .overlay || standing.decider.rank == .ceiling else { return }
    effect = standing.effect
    let n = engine.overlay.image.nodes + Int(place.overlay)
    add(
      .default, says: Effect(rawValue: n.pointee.default) ?? .deny, .overlay, n.pointee.absoluteStatement,
      isClamped: standing.decider.rank == .ceiling)
  }

  private mutating func traceSession(_ match: SessionMatch, _ wish: Wish, _ frame: borrowing Frame) {
    let engine = engine
    engine.eachHold(match, wish, frame) { hold, to, holds, term in
      if holds { effect = min(effect, to) }
      var entry = entry(.session, says: to, .none, ImageFormat.none)
      (entry.truth, entry.hold, entry.term) = (holds ? .yes : .no, hold, term)
      append(entry)
    }
  }

  private mutating func traceSuspicion(_ place: Place, _ wish: Wish, _ frame: borrowing Frame) {
    let to = engine.suspicion(place, wish, frame)
    effect = min(effect, to)
    var entry = entry(.suspicion, says: to, .platform, engine.policy.platform.header.pointee.suspicionStatement)
    (entry.truth, entry.suspicion) = (to < .allow ? .yes : .no, frame.suspicion)
    append(entry)
  }

  private mutating func traceDial(_ place: Place, _ wish: Wish, _ frame: borrowing Frame) {
    let setting = engine.dialSettings.settled(session: frame.sessionDial, cap: frame.dialCap)
    let holds = engine.isCapped(place, wish, frame)
    if holds { effect = min(effect, .ask) }
    let isAgent = frame.source == .agent
    append(
      TraceEntry(
        behavior: name, step: .dial, truth: holds ? .yes : .no, says: .ask, effect: effect,
        layer: isAgent ? setting.layer : .none, tier: .operator, isShadow: false, isClamped: false,
        statement: isAgent ? setting.statement : ImageFormat.none, failure: .none, slot: 0xFFFF,
        stakes: engine.stakes(place), stakesStatement: engine.stakesStatement(place.platform), dial: setting.value,
        isUntrusted: !isAgent),
      period: isAgent ? period(of: engine.policy.platform.header.pointee.dialStatement) : nil)
  }

  private mutating func traceTiers(_ place: Place, _ frame: inout Frame) {
    if place.overlay != ImageFormat.none {
      eachRule(.limit, .operator, place.overlay, .overlay, &frame) { $0.apply($1, $2, .overlay) }
    }
    guard place.platform != ImageFormat.none else { return }
    var raw = Tier.guideline.rawValue
    while let tier = Tier(rawValue: raw) {
      eachRule(.duty, tier, place.platform, .platform, &frame) { $0.apply($1, $2, .platform) }
      eachRule(.limit, tier, place.platform, .platform, &frame) { $0.apply($1, $2, .platform) }
      raw &+= 1
    }
  }

  /// A duty raises when it holds; a limit caps unless its condition is no.
  private mutating func apply(_ ruling: Ruling, _ outcome: Outcome, _ layer: Layer) {
    let rule = ruling.header
    let says = Effect(rawValue: rule.effect) ?? .deny
    if rule.kind == StatementKind.duty.rawValue {
      if outcome.truth == .yes, !rule.isShadow { effect = max(effect, says) }
      add(.duty, rule: ruling, outcome, layer)
    } else {
      if outcome.truth != .no, !rule.isShadow { effect = min(effect, says) }
      add(.limit, rule: ruling, outcome, layer)
    }
  }

  private mutating func addOperator(_ own: Folded, _ choice: Engine.Choice) {
    effect = own.effect
    add(.operator, says: own.effect, own.decider.layer, own.decider.statement, isClamped: own.decider.rank == .ceiling)
  }

  private mutating func add(
    _ step: TraceStep, says: Effect, _ layer: Layer, _ statement: UInt32, isClamped: Bool = false
  ) {
    append(
      entry(step, says: says, layer, statement, isClamped: isClamped),
      period: step == .default && layer == .platform ? period(of: statement) : nil)
  }

  private func entry(
    _ step: TraceStep, says: Effect, _ layer: Layer, _ statement: UInt32, isClamped: Bool = false
  ) -> TraceEntry {
    TraceEntry(
      behavior: name, step: step, truth: .yes, says: says, effect: effect, layer: layer, tier: .operator,
      isShadow: false, isClamped: isClamped, statement: statement, failure: .none, slot: 0xFFFF)
  }

  private func period(of statement: UInt32) -> UInt32? {
    alternativePeriod(of: statement, engine.policy.platform, engine.policy.ended)
  }

  private mutating func add(_ step: TraceStep, rule: Ruling, _ outcome: Outcome, _ layer: Layer) {
    let (rule, period) = (rule.header, rule.period)
    append(
      TraceEntry(
        behavior: name, step: step, truth: outcome.truth, says: Effect(rawValue: rule.effect) ?? .deny,
        effect: effect, layer: layer, tier: Tier(rawValue: rule.tier) ?? .operator, isShadow: rule.isShadow,
        isClamped: false, statement: rule.statement, failure: outcome.failure, slot: outcome.slot),
      period: period)
  }

  private mutating func append(_ entry: TraceEntry, period: UInt32? = nil) {
    // SAFETY: the index is inside the caller's buffer.
    if count < entries.count {
      entries[count] = entry
      if let period {
        entries[count].period = period
        entries[count].hasPeriodEnded = engine.policy.ended &>> UInt64(period) & 1 == 1
      }
    }
    count &+= 1
  }

  /// Every rule of this kind and tier from `node` up, enforced and shadow ones merged in their order.
  private mutating func eachRule(
    _ kind: StatementKind, _ tier: Tier, _ node: UInt32, _ layer: Layer, _ frame: inout Frame,
    _ body: (inout Tracer, Ruling, Outcome) -> Void
  ) {
    let reader = layer == .overlay ? engine.overlay : engine.platform
    var index = node
    while index != ImageFormat.none {
      let n = reader.image.nodes[Int(index)]
      let enforcedCount = Int(n.settings) &+ Int(n.grants) &+ Int(n.limits)
      var enforced = RuleCursor(reader.image.rules + Int(n.block), enforcedCount, kind, tier)
      var shadows = RuleCursor(
        RuleCursor.end(reader.image.rules + Int(n.block), enforcedCount), Int(n.shadows), kind, tier)
      while let word = RuleCursor.next(&enforced, &shadows) {
        let rule = RuleHeader(word: word.pointee)
        let ruling = Ruling(header: rule, period: engine.period(of: rule, word + 1))
        body(&self, ruling, outcome(rule, word + 1, reader, &frame))
      }
      index = n.parent
    }
  }

  private func outcome(
    _ rule: RuleHeader, _ tests: UnsafePointer<UInt64>, _ reader: Reader, _ frame: inout Frame
  ) -> Outcome {
    let truth = limitHolds(rule, tests, reader, &frame)
    guard truth == .failed else { return Outcome(truth) }
    var i = 0
    while i < rule.tests {
      let outcome = explain(tests + i, reader, &frame)
      if outcome.truth == .failed { return outcome }
      i &+= 1
    }
    // It failed with an empty argument alone.
    return Outcome(.failed, failure: .noSuchOverload, slot: BuiltInSlot.argument)
  }
}

/// The rules of one kind and tier among `left` rules from `word` on.
private struct RuleCursor {
  var word: UnsafePointer<UInt64>
  var left: Int
  let kind: StatementKind
  let tier: Tier

  init(_ word: UnsafePointer<UInt64>, _ count: Int, _ kind: StatementKind, _ tier: Tier) {
    self.word = word
    left = count
    self.kind = kind
    self.tier = tier
    settle()
  }

  static func end(_ word: UnsafePointer<UInt64>, _ count: Int) -> UnsafePointer<UInt64> {
    var word = word
    var left = count
    while left > 0 {
      word += 1 &+ RuleHeader(word: word.pointee).tests
      left &-= 1
    }
    return word
  }

  /// Moves on to a rule of the right kind and tier.
  private mutating func settle() {
    while left > 0 {
      let rule = RuleHeader(word: word.pointee)
      if rule.kind == kind.rawValue, rule.tier == tier.rawValue { return }
      word += 1 &+ rule.tests
      left &-= 1
    }
  }

  private mutating func take() -> UnsafePointer<UInt64> {
    let taken = word
    word += 1 &+ RuleHeader(word: word.pointee).tests
    left &-= 1
    settle()
    return taken
  }

  /// The lesser of two cursors' rules: settings by effect first, then by statement.
  static func next(_ a: inout RuleCursor, _ b: inout RuleCursor) -> UnsafePointer<UInt64>? {
    if a.left == 0 { return b.left == 0 ? nil : b.take() }
    if b.left == 0 { return a.take() }
    let x = RuleHeader(word: a.word.pointee)
    let y = RuleHeader(word: b.word.pointee)
    if a.kind == .setting, x.effect != y.effect { return x.effect < y.effect ? a.take() : b.take() }
    return x.statement < y.statement ? a.take() : b.take()
  }
}
