// A policy set that loads -> what its authors may not have meant. Warnings alone; nothing here changes a decision.

internal import CEL
internal import PolicyImage

/// Statements that are clamped below, can't matter, repeat another, apply to every empty argument, never hold, or ask
/// in a condition what the rule itself should name. Sorted by file, line, column. Pure; thread-safe.
public func lint(_ set: PolicySet) -> [Diagnostic] {
  guard let platform = set.platform else { return [] }
  var linter = Linter(platform)
  linter.repeats(set.repeats)
  linter.behaviors()
  linter.periods(set.operators.values.flatMap(\.statements))
  linter.counters(set.operators.values.flatMap(\.statements))
  linter.suspicion()
  linter.statements(platform.statements)
  for (_, one) in set.operators.sorted(by: { $0.key < $1.key }) { linter.statements(one.statements) }
  let report = Report()
  for warning in linter.found { report.add(warning) }
  return report.sorted()
}

private struct Linter {
  let platform: Platform
  /// Everything below a name directly follows it.
  let names: [String]
  var found: [Diagnostic] = []
  /// By name: the declared ones below it with a stricter ceiling for operators.
  var stricter: [String: [Behavior]] = [:]

  init(_ platform: Platform) {
    self.platform = platform
    names = platform.behaviors.keys.sorted(by: BehaviorName.precedes)
  }

  mutating func warn(
    _ code: DiagnosticCode, _ location: Location, _ message: String, _ hint: String,
    related: Diagnostic.Related? = nil
  ) {
    found.append(
      Diagnostic(
        code: code, severity: .warning, location: location, length: 1, message: message, hint: hint, related: related))
  }

  mutating func repeats(_ repeats: [Repeat]) {
    for one in repeats {
      warn(
        .lintDuplicate, one.location, "another statement says exactly this", "keep one of the two",
        related: .init(location: one.first, message: "the same"))
    }
  }

  mutating func behaviors() {
    for name in names {
      guard let behavior = platform.behaviors[name], let location = behavior.location, behavior.stated != nil else {
        continue
      }
      unstatedStakes(behavior, location)
      guard behavior.hardcoded == .none, let above = absolute(of: name)
      else { continue }
      warn(
        .lintUnderAbsolute, location,
        "the default of `\(name)` never matters: `\(above.name)` is hard-coded `\(above.hardcoded)`",
        "delete it", related: above.location.map { .init(location: $0, message: "hard-coded here") })
    }
  }

  mutating func periods(_ ofOperators: [Statement]) {
    var used = Set((platform.statements + ofOperators).compactMap(\.period)).union(platform.dial.after.keys)
    for behavior in platform.behaviors.values { used.formUnion(behavior.after.keys) }
    for period in platform.periods where !used.contains(period.name) {
      warn(
        .lintUnusedPeriod, period.location, "nothing depends on the period `\(period.name)`",
        "give a limit `during: \(period.name)`, or a duty, a grant, a behaviour or the dial `after`; or delete it")
    }
  }

  /// A counter that an operator alone reads is used; one that nobody reads costs its memory for nothing.
  mutating func counters(_ ofOperators: [Statement]) {
    let used = Set((platform.statements + ofOperators).flatMap(\.counters))
    for counter in platform.counters where !used.contains(counter.name) {
      warn(
        .lintUnusedCounter, counter.location, "no limit reads the counter `\(counter.name)`",
        "read it: `when: counter(\"\(counter.name)\") > 100`; or delete it")
    }
  }

  mutating func suspicion() {
    guard let suspicion = platform.suspicion else { return }
    for name in suspicion.behaviors {
      guard let above = absolute(of: name) else { continue }
      warn(
        .lintUnderAbsolute, suspicion.location,
        "suspicion never matters for `\(name)`: `\(above.name)` is hard-coded `\(above.hardcoded)`",
        "take it out of `for`", related: above.location.map { .init(location: $0, message: "hard-coded here") })
    }
  }

  /// Stakes that somebody states above every dial are a choice; those that nobody states may be an oversight.
  private mutating func unstatedStakes(_ behavior: Behavior, _ location: Location) {
    guard behavior.stakesOf == nil, absolute(of: behavior.name) == nil,
      max(behavior.choice.default, behavior.choice.operatorsMay, behavior.choice.usersMay) == .allow
    else { return }
    warn(
      .lintUnstatedStakes, location,
      "`\(behavior.name)` can be allowed, but no agent will do it on its own: nobody states its stakes, so they are 1",
      "state `stakes` here or above; `stakes: 1` if every agent is to ask")
  }

  mutating func statements(_ statements: [Statement]) {
    shadowed(statements)
    for statement in statements {
      clamped(statement)
      condition(statement)
      if statement.obligations.isEmpty, statement.kind == .limit, let above = absolute(of: statement.behavior) {
        warn(
          .lintUnderAbsolute, statement.location,
          "this limit changes nothing: `\(above.name)` is hard-coded `\(above.hardcoded)`",
          "delete it, or let it carry obligations (`with`)")
      }
    }
  }

  private func absolute(of name: String) -> Behavior? {
    BehaviorName.path(of: name).lazy.compactMap { self.platform.behaviors[$0] }.first { $0.hardcoded != .none }
  }

  // MARK: ceilings below

  private mutating func clamped(_ statement: Statement) {
    guard statement.kind == .setting || statement.kind == .grant, statement.effect > .deny else { return }
    let below = stricterBelow(statement.behavior).filter { $0.choice.operatorsMay < statement.effect }
    guard let first = below.first else { return }
    let listed = below.prefix(3).map { "`\($0.name)`" }.joined(separator: ", ")
    let more = below.count > 3 ? " and \(below.count - 3) more" : ""
    warn(
      .lintClamped, statement.location,
      "`\(statement.effect)` doesn't reach \(listed)\(more): their ceilings are stricter",
      "what lies below keeps its own ceiling; nothing has to be done if that is meant",
      related: first.location.map { .init(location: $0, message: "at most `\(first.choice.operatorsMay)`") })
  }

  private mutating func stricterBelow(_ name: String) -> [Behavior] {
    if let known = stricter[name] { return known }
    var low = names.startIndex
    var high = names.endIndex
    while low < high {
      let middle = (low + high) / 2
      if BehaviorName.precedes(names[middle], name) { low = middle + 1 } else { high = middle }
    }
    let below = names[low...].prefix { BehaviorName.covers(name, $0) }
    let result = below.compactMap { platform.behaviors[$0] }.filter {
      $0.name != name && $0.hardcoded == .none && $0.choice.operatorsMay < .allow
    }
    stricter[name] = result
    return result
  }

  // MARK: conditions

  private mutating func condition(_ statement: Statement) {
    guard let condition = statement.condition else { return }
    if Folder.fold(condition, argument: nil) == .bool(false) {
      warn(.lintNeverHolds, statement.location, "this condition is never true", "delete the rule, or mend `when`")
    } else if statement.readsArgument, Folder.fold(condition, argument: "") == .bool(true) {
      warn(
        .lintEmptyArgument, statement.location,
        "this limit applies to every request: its condition holds for an empty argument",
        "what holds without an argument no argument escapes; write `argument != \"\" && …` if that isn't meant")
    }
    if condition.variables.contains(BuiltInAttribute.behavior.rawValue) {
      warn(
        .lintReadsBehavior, statement.location, "the condition asks for the behaviour",
        "name the behaviour in the rule instead: that is found without evaluating, and covers what lies below it")
    }
  }

  // MARK: statements that another one covers

  /// Only statements of the same kind, tier and behaviour are compared, so this stays linear.
  private mutating func shadowed(_ statements: [Statement]) {
    struct Group: Hashable {
      var kind: StatementKind
      var tier: Tier
      var behavior: String
    }
    var always: [Group: [Statement]] = [:]
    for one in statements where one.condition == nil && one.period == nil && !one.isShadow {
      always[Group(kind: one.kind, tier: one.tier, behavior: one.behavior), default: []].append(one)
    }
    for one in statements where !one.isShadow {
      let group = Group(kind: one.kind, tier: one.tier, behavior: one.behavior)
      guard let other = always[group]?.prefix(16).first(where: { $0.location != one.location && covers($0, one) })
      else { continue }
      warn(
        .lintShadowed, one.location, "this statement never matters: another one always holds and goes further",
        "delete it, or give the other one a condition",
        related: .init(location: other.location, message: "this one always holds"))
    }
  }

  /// `always` has no condition: whether `one` can then still change anything.
  private func covers(_ always: Statement, _ one: Statement) -> Bool {
    let carries = Set(always.obligations).isSuperset(of: one.obligations)
    let isSame = always.effect == one.effect && always.obligations == one.obligations
    // Of two unconditional ones that say the same only the later is told.
    if isSame, one.condition == nil { return always.location.precedes(one.location) }
    switch one.kind {
    case .setting: return always.effect < one.effect || (always.effect == one.effect && carries)
    case .limit: return always.effect <= one.effect && carries
    case .duty, .grant: return always.effect >= one.effect && carries
    }
  }
}
