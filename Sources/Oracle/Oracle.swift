/// Oracle: the separate evaluator (DESIGN §2.12, P7): a request against the checked model, by brute force. Slow and
/// obvious. May import PolicyLanguage's model, CEL's tree and PolicyImage's vocabulary; shares no code with
/// Decision; no Foundation.
///
/// This file: a whole request, which is the strictest over the names that it covers.

internal import PolicyImage
public import PolicyLanguage

/// The evaluator. Pure; thread-safe.
public enum Oracle {
  /// The most failed conditions for one name: every combination of their outcomes is tried.
  public static let maximumFailures = 12

  /// Decides `request`. `platform` nil: no policy is in force, and everything but an absolute on is `deny`.
  /// `operator` nil: the platform's word alone (who asks for an operator that isn't in force is denied earlier).
  /// Without `findsWay` it leaves the way out, which takes longest.
  public static func decide(
    _ request: OracleRequest, platform: Platform?, operator: Operator?, findsWay: Bool = true
  ) throws(OracleError) -> OracleDecision {
    guard !request.behaviors.isEmpty, request.behaviors.allSatisfy({ BehaviorName.isValid($0) }) else {
      throw .badRequest
    }
    guard let platform else { return halted(request) }
    let dial = OracleDial(
      OraclePeriods.dial(platform.dial, request.ended), operator: `operator`?.dial?.value,
      session: request.session.first?.dial ?? request.dial, atMost: OracleSession.lowest(request.session))
    let cases = names(request, platform, `operator`).map { Case(name: $0, request, platform, `operator`, dial) }
    var effect = Effect.allow
    var obligations: Set<String> = []
    var trace: [OracleTraceEntry] = []
    var deciders: [(effect: Effect, decider: OracleDecider, name: String)] = []
    for one in cases {
      let outcome = try one.outcome()
      effect = min(effect, outcome.effect)
      obligations.formUnion(outcome.obligations)
      let story = try Story(one)
      trace += story.trace
      deciders.append((outcome.effect, story.decider, one.name))
    }
    return OracleDecision(
      effect: effect, obligations: obligations.sorted(), decidedBy: strongest(deciders), trace: trace,
      way: effect == .allow || !findsWay ? nil : try way(request, platform, `operator`, cases))
  }

  /// Every name that the request covers: those it names, and below these all that anybody knows.
  static func names(_ request: OracleRequest, _ platform: Platform, _ operator: Operator?) -> [String] {
    var known = Set(platform.behaviors.keys).union(`operator`?.audiences.map(\.behavior) ?? [])
    known.formUnion(platform.suspicion?.behaviors ?? [])
    known.formUnion(OracleSession.names(request.session))
    for statement in platform.statements + (`operator`?.statements ?? []) {
      known.formUnion(NamedBehaviors.names(in: statement))
    }
    return covered(request, among: known)
  }

  private static func covered(_ request: OracleRequest, among known: Set<String>) -> [String] {
    let below = known.filter { name in request.behaviors.contains { BehaviorName.covers($0, name) } }
    return below.union(request.behaviors).sorted(by: BehaviorName.precedes)
  }

  /// Strictest effect, then higher rank, deeper behaviour, content, name.
  private static func strongest(
    _ deciders: [(effect: Effect, decider: OracleDecider, name: String)]
  ) -> OracleDecider {
    let sorted = deciders.sorted { a, b in
      if a.effect != b.effect { return a.effect < b.effect }
      if a.decider.rank != b.decider.rank { return a.decider.rank > b.decider.rank }
      let causes = (a.decider.cause?.rawValue ?? 0, b.decider.cause?.rawValue ?? 0)
      if causes.0 != causes.1 { return causes.0 > causes.1 }
      let (left, right) = (a.decider.statement, b.decider.statement)
      let depths = (depth(left?.behavior ?? ""), depth(right?.behavior ?? ""))
      if depths.0 != depths.1 { return depths.0 > depths.1 }
      let audiences = (left?.isAudience ?? false, right?.isAudience ?? false)
      if audiences.0 != audiences.1 { return audiences.1 }
      let contents = (left?.content ?? "", right?.content ?? "")
      if contents.0 != contents.1 { return contents.0 < contents.1 }
      return BehaviorName.precedes(a.name, b.name)
    }
    return sorted.first?.decider ?? OracleDecider(kind: .default, statement: nil)
  }

  /// Number of segments; 0 for no name.
  static func depth(_ name: String) -> Int { name.split(separator: ".").count }

  // MARK: Without a policy

  /// Absolutes that hold without any platform.
  private static let builtIn: [String: Absolute] = [
    "harm.mass-casualty": .off, "harm.csam": .off, "oversight.undermine": .off,
    "transparency.say-cannot-help": .on, "transparency.admit-ai": .on,
  ]

  private static func halted(_ request: OracleRequest) -> OracleDecision {
    var trace: [OracleTraceEntry] = []
    var deciders: [(effect: Effect, decider: OracleDecider, name: String)] = []
    var way = OracleWay.platform
    for name in covered(request, among: Set(builtIn.keys)) {
      trace.append(OracleTraceEntry(name: name, step: .oversight, effect: .deny))
      guard let ruling = ruling(on: name, builtIn) else {
        deciders.append((.deny, OracleDecider(kind: .oversight, statement: nil, cause: .halt), name))
        continue
      }
      trace.append(ruling.entry)
      deciders.append((ruling.entry.effect, OracleDecider(kind: .absolute, statement: ruling.entry.statement), name))
      if ruling.absolute == .off { way = .nobody }
    }
    let effect = deciders.map(\.effect).min() ?? .deny
    return OracleDecision(
      effect: effect, obligations: [], decidedBy: strongest(deciders), trace: trace, way: effect == .allow ? nil : way)
  }

  /// The absolute in force for a name, off before on, and the nearest behaviour that declares it.
  static func ruling(
    on name: String, _ absolutes: [String: Absolute]
  ) -> (absolute: Absolute, entry: OracleTraceEntry)? {
    let path = BehaviorName.path(of: name)
    for absolute in [Absolute.off, .on] {
      guard let declaring = path.first(where: { absolutes[$0] == absolute }) else { continue }
      let effect: Effect = absolute == .off ? .deny : .allow
      return (
        absolute, OracleTraceEntry(name: name, step: .absolute, statement: .declaration(declaring), effect: effect)
      )
    }
    return nil
  }
}
