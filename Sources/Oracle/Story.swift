// How one name was decided, step by step: the ordered fold of DESIGN §2.2, which the worlds of Case.swift must
// agree with. `docs/design/semantics.md` fixes the order of entries.

internal import PolicyImage
internal import PolicyLanguage

struct Story {
  private let name: String
  private let ended: Set<String>
  private(set) var trace: [OracleTraceEntry] = []
  private(set) var value: Effect
  private(set) var decider: OracleDecider
  /// Which group of limits or duties the decider is from.
  private var group: (tier: Tier, kind: StatementKind)?

  init(_ one: Case) throws(OracleError) {
    (name, ended) = (one.name, one.ended)
    decider = OracleDecider(kind: .default, statement: one.standing)
    value = one.platformDefault
    add(.default, statement: one.governing)
    trace[0].period = one.choicePeriod
    if one.standing.isAudience {
      value = one.choice.default
      add(.default, statement: one.standing)
    }
    let worlds = try one.worlds()
    settings(one, worlds)
    grants(one, worlds)
    for tier in [Tier.operator, .guideline, .ethics, .safety] {
      for kind in [StatementKind.duty, .limit] {
        for ruled in one.statements where ruled.statement.tier == tier && ruled.statement.kind == kind {
          apply(ruled)
        }
      }
    }
    hold(one)
    suspect(one)
    cap(one)
    if one.isHalted {
      value = .deny
      decider = OracleDecider(kind: .oversight, statement: nil, cause: .halt)
      add(.oversight)
    }
    if let absolute = one.absolute {
      value = absolute.entry.effect
      decider = OracleDecider(kind: .absolute, statement: absolute.entry.statement)
      trace.append(absolute.entry)
    }
  }

  /// Everything of the session that has a say has a step.
  private mutating func hold(_ one: Case) {
    for hold in one.holds {
      if hold.holds, hold.effect < .allow, hold.effect <= value {
        value = hold.effect
        decider = OracleDecider(kind: .oversight, statement: nil, cause: .session)
      }
      var entry = OracleTraceEntry(
        name: name, step: .session, to: hold.effect, truth: hold.holds ? .yes : .no, effect: value)
      (entry.hold, entry.term) = (hold.hold, hold.term)
      trace.append(entry)
    }
  }

  private mutating func suspect(_ one: Case) {
    guard let to = one.suspicion else { return }
    if to < .allow, to <= value {
      value = to
      decider = OracleDecider(kind: .oversight, statement: .suspicion, cause: .suspicion)
    }
    var entry = OracleTraceEntry(
      name: name, step: .suspicion, statement: .suspicion, to: to, truth: to < .allow ? .yes : .no, effect: value)
    entry.suspicion = one.level
    trace.append(entry)
  }

  /// The dial has a step wherever it is asked, and decides where it cuts or agrees.
  private mutating func cap(_ one: Case) {
    guard one.source == .agent || one.source == .untrusted else { return }
    let setBy = one.source == .agent ? one.dial.setBy : nil
    let holds = one.dial.caps(one.source, one.stakes)
    if holds, value >= .ask {
      value = .ask
      decider = OracleDecider(kind: .oversight, statement: setBy, cause: .dial)
    }
    var entry = OracleTraceEntry(
      name: name, step: .dial, statement: setBy, to: .ask, truth: holds ? .yes : .no, effect: value)
    (entry.stakes, entry.stakesOf, entry.dial) = (one.stakes, one.stakesOf, one.dial.value)
    if one.source == .agent { entry.period = one.dialPeriod }
    trace.append(entry)
  }

  private mutating func add(
    _ step: OracleTraceEntry.Step, statement: OracleIdentity? = nil, isClamped: Bool = false
  ) {
    trace.append(
      OracleTraceEntry(name: name, step: step, statement: statement, effect: value, isClamped: isClamped))
  }

  private mutating func add(_ step: OracleTraceEntry.Step, _ ruled: Ruled, tier: Tier? = nil) {
    var entry = OracleTraceEntry(
      name: name, step: step, tier: tier, statement: ruled.identity, to: ruled.effect, truth: ruled.truth,
      effect: value, isShadow: ruled.statement.isShadow)
    entry.period = ruled.statement.period.map { OraclePeriod(name: $0, hasEnded: ended.contains($0)) }
    trace.append(entry)
  }

  // MARK: Settle

  /// One that could win: a setting, or silence (nil).
  private struct Candidate {
    var setting: Ruled?
    var value: Effect
  }

  private mutating func settings(_ one: Case, _ worlds: [[Ruled]]) {
    for ruled in one.statements where ruled.statement.kind == .setting { add(.setting, ruled) }
    guard one.enforced.contains(where: { $0.statement.kind == .setting && $0.truth != .no }) else { return }
    let candidates = worlds.flatMap { world -> [Candidate] in
      let winners = Case.winners(world)
      if winners.isEmpty { return [Candidate(setting: nil, value: one.choice.default)] }
      return winners.map { Candidate(setting: $0, value: min($0.effect, one.choice.operatorsMay)) }
    }
    let strictest = candidates.map(\.value).min() ?? value
    let deciding = candidates.filter { $0.value == strictest }.compactMap(\.setting)
      .min { $0.depth != $1.depth ? $0.depth > $1.depth : $0.content < $1.content }
    value = strictest
    guard let deciding else {
      add(.operator, statement: one.standing)
      return
    }
    let isClamped = deciding.effect > strictest
    add(.operator, statement: isClamped ? one.governing : deciding.identity, isClamped: isClamped)
    decider =
      isClamped
      ? OracleDecider(kind: .ceiling, statement: one.governing)
      : OracleDecider(kind: .setting, statement: deciding.identity)
  }

  private mutating func grants(_ one: Case, _ worlds: [[Ruled]]) {
    for ruled in one.statements where ruled.statement.kind == .grant { add(.grant, ruled) }
    guard one.preference != nil else { return }
    let before = value
    value = worlds.map { Case.settle($0, one.choice, one.preference) }.min() ?? value
    add(.preference)
    if value != before { decider = OracleDecider(kind: .preference, statement: nil) }
  }

  // MARK: Limits and duties

  /// A failed duty does nothing, a failed limit applies. Of one group the first that decides stays, unless a later
  /// one changes the value.
  private mutating func apply(_ ruled: Ruled) {
    let statement = ruled.statement
    let isLimit = statement.kind == .limit
    let counts = !statement.isShadow && (isLimit ? ruled.truth != .no : ruled.truth == .yes)
    if counts {
      let changes = isLimit ? statement.effect < value : statement.effect > value
      let affirms = statement.effect == value && value != (isLimit ? .allow : .deny)
      let isSameGroup = group.map { $0.tier == statement.tier && $0.kind == statement.kind } ?? false
      if changes { value = statement.effect }
      if changes || affirms && !isSameGroup {
        decider = OracleDecider(kind: Self.kind(statement.tier), statement: ruled.identity)
        group = (statement.tier, statement.kind)
      }
    }
    add(isLimit ? .limit : .duty, ruled, tier: statement.tier)
  }

  private static func kind(_ tier: Tier) -> OracleDecider.Kind {
    switch tier {
    case .operator: .operator
    case .guideline: .guideline
    case .ethics: .ethics
    case .safety: .safety
    }
  }
}
