// One name of one request: the statements that cover it, with the truth of each. Its outcome is the strictest over
// all worlds, a world being one way in which the failed conditions could have come out (DESIGN §2.3).

internal import PolicyImage
internal import PolicyLanguage

/// A statement that covers the name.
struct Ruled {
  var statement: Statement
  var content: String
  var depth: Int
  var truth: OracleTruth

  var effect: Effect { statement.effect }
  var identity: OracleIdentity { .statement(content: content, behavior: statement.behavior) }
}

struct Case {
  let name: String
  let preference: Effect?
  let isHalted: Bool
  let source: Source
  let stakes: Degree
  let stakesOf: String?
  let dial: OracleDial
  /// What the session says of the name, and suspicion, which is this high; nil: it isn't for this name.
  let holds: [OracleHold]
  let suspicion: Effect?
  let level: UInt32
  let choice: Choice
  let ended: Set<String>
  /// What the choice and the dial depend on.
  let choicePeriod: OraclePeriod?
  let dialPeriod: OraclePeriod?
  /// Where `choice`'s ceilings come from.
  let governing: OracleIdentity
  /// Where `choice`'s default comes from: the same, or the operator's audience.
  let standing: OracleIdentity
  /// The platform's own default, which an audience replaces.
  let platformDefault: Effect
  let absolute: (absolute: Absolute, entry: OracleTraceEntry)?
  /// Deepest first, then by content; shadow ones among them.
  let statements: [Ruled]
  var enforced: [Ruled] { statements.filter { !$0.statement.isShadow } }

  /// `dial` is the request's, or another that the way supposes.
  init(
    name: String, _ request: OracleRequest, _ platform: Platform, _ operator: Operator?, _ dial: OracleDial
  ) {
    self.name = name
    preference = OracleSession.preference(request, name)
    isHalted = request.isHalted
    source = OracleSession.source(request)
    holds = OracleSession.holds(request, name)
    suspicion = OracleSession.suspicion(request, platform, name)
    level = request.suspicion
    self.dial = dial
    let declared = BehaviorName.path(of: name).lazy.compactMap { platform.behaviors[$0] }.first
    ended = request.ended
    var choice =
      declared?.choice
      ?? Choice(default: platform.unknown, operatorsMay: platform.unknown, usersMay: platform.unknown)
    choicePeriod = OraclePeriods.named((declared?.after ?? [:]).keys, request.ended)
    dialPeriod = OraclePeriods.named(platform.dial.after.keys, request.ended)
    stakes = declared?.stakes ?? .one
    stakesOf = declared?.stakesOf
    governing = declared?.governedBy.map { .declaration($0) } ?? .unknown
    if let population = declared?.governedBy.flatMap({ platform.behaviors[$0]?.population }) {
      (choice.default, choice.obligations) = OraclePopulation.best(population, for: population.who, atMost: .allow)
    }
    // An audience's choice is made once, under the ceiling that holds while all periods run.
    let ceiling = choice.operatorsMay
    choice = OraclePeriods.choice(choice, declared?.after ?? [:], request.ended)
    platformDefault = choice.default
    if let audience = Self.audience(for: name, platform, `operator`) {
      standing = .audience(audience.behavior)
      (choice.default, choice.obligations) = OraclePopulation.best(audience, platform, atMost: ceiling)
    } else {
      standing = governing
    }
    self.choice = choice
    absolute = Oracle.ruling(on: name, platform.behaviors.mapValues(\.hardcoded))
    var clamped = request
    clamped.source = source
    let circumstances = Circumstances(clamped, name: name, operatorName: `operator`?.name, dial: dial.value)
    let covering = (platform.statements + (`operator`?.statements ?? []))
      .filter { BehaviorName.covers($0.behavior, name) }
    statements = covering.map {
      Ruled(
        statement: $0, content: $0.content, depth: Oracle.depth($0.behavior),
        truth: OraclePeriods.isInForce($0, request.ended) ? circumstances.truth(of: $0) : .no)
    }.sorted { $0.depth != $1.depth ? $0.depth > $1.depth : $0.content < $1.content }
  }

  /// The nearest audience at or above the name, unless the platform's default changes on the way to it.
  private static func audience(for name: String, _ platform: Platform, _ operator: Operator?) -> Audience? {
    func governing(_ name: String) -> String? {
      BehaviorName.path(of: name).lazy.compactMap { platform.behaviors[$0] }.first?.governedBy
    }
    let audiences = `operator`?.audiences ?? []
    let nearest = BehaviorName.path(of: name).lazy.compactMap { name in audiences.first { $0.behavior == name } }.first
    return nearest.flatMap { governing($0.behavior) == governing(name) ? $0 : nil }
  }

  // MARK: Worlds

  struct Outcome {
    var effect: Effect
    var obligations: Set<String>
  }

  /// The strictest effect over all worlds, and the obligations of all of them.
  func outcome() throws(OracleError) -> Outcome {
    var result = Outcome(effect: .allow, obligations: [])
    for world in try worlds() {
      let settled = Self.settle(world, choice, preference)
      result.effect = min(result.effect, finish(settled, world))
      for statement in Self.winners(world) + world.filter({ $0.statement.kind == .limit || $0.statement.kind == .duty })
      {
        result.obligations.formUnion(statement.statement.obligations)
      }
      if Self.winners(world).isEmpty { result.obligations.formUnion(choice.obligations) }
    }
    return result
  }

  /// For each world the statements whose conditions hold there.
  func worlds() throws(OracleError) -> [[Ruled]] { try Self.worlds(enforced) }

  static func worlds(_ enforced: [Ruled]) throws(OracleError) -> [[Ruled]] {
    let failed = enforced.filter { $0.truth == .failed }.count
    guard failed <= Oracle.maximumFailures else { throw .tooManyFailures(failed) }
    return (0..<1 << failed).map { bits in
      var next = 0
      return enforced.filter { ruled in
        guard ruled.truth == .failed else { return ruled.truth == .yes }
        defer { next += 1 }
        return bits >> next & 1 == 1
      }
    }
  }

  // MARK: One world

  /// The settings that win: of the deepest the strictest; several may say the same.
  static func winners(_ world: [Ruled]) -> [Ruled] {
    let settings = world.filter { $0.statement.kind == .setting }
    let deepest = settings.filter { $0.depth == settings.map(\.depth).max() }
    return deepest.filter { $0.effect == deepest.map(\.effect).min() }
  }

  /// What the principals chose (DESIGN §2.1).
  static func settle(_ world: [Ruled], _ choice: Choice, _ preference: Effect?) -> Effect {
    let setting = winners(world).first?.effect
    let grants = world.filter { $0.statement.kind == .grant }.map { min($0.effect, choice.operatorsMay) }
    return settle(setting: setting, grants: grants, choice, preference)
  }

  static func settle(setting: Effect?, grants: [Effect], _ choice: Choice, _ preference: Effect?) -> Effect {
    let value = setting.map { min($0, choice.operatorsMay) } ?? choice.default
    let granted = ([setting == nil ? choice.usersMay : value] + grants).max() ?? value
    return preference.map { min($0, max(value, granted)) } ?? value
  }

  /// Limits and duties in the form without an order (DESIGN §2.2), then the dial, a halt, absolutes.
  func finish(_ settled: Effect, _ world: [Ruled]) -> Effect {
    if let absolute { return absolute.entry.effect }
    if isHalted { return .deny }
    let duties = world.filter { $0.statement.kind == .duty }
    let limits = world.filter { $0.statement.kind == .limit }
    let raised = ([settled] + duties.map(\.effect)).max() ?? settled
    let caps = limits.map { limit in
      let above = duties.filter { $0.statement.tier > limit.statement.tier }
      return ([limit.effect] + above.map(\.effect)).max() ?? limit.effect
    }
    let oversight = holds.filter(\.holds).map(\.effect) + [suspicion ?? .allow]
    let decided = ([raised] + caps + oversight).min() ?? raised
    return dial.caps(source, stakes) ? min(decided, .ask) : decided
  }
}
