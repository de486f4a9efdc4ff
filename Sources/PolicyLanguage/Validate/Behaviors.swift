// Declared behaviours of all platform files -> behaviours with what is in force for each (DESIGN §2.1, §2.2).

internal import PolicyImage

/// What the platform's files state of one behaviour.
struct BehaviorDraft {
  var location: Location
  var `default`: Stated<Effect>?
  /// Of the value nil: it is written, and wrong.
  var population: Stated<Population?>?
  var operatorsMay: Stated<Effect>?
  var usersMay: Stated<Effect>?
  var after: [String: AlternativeDraft<Effect>] = [:]
  var hardcoded: Stated<Absolute>?
  var stakes: Stated<Degree>?
  var audit: Stated<Audit>?
  var clause: Stated<String>?
  var title: Stated<String>?
}

/// The absolutes that are compiled into the program: a platform may add to them, never remove one (DESIGN §2.2).
enum BuiltInAbsolutes {
  static let all: [(name: String, absolute: Absolute, title: String)] = [
    ("harm.mass-casualty", .off, "Meaningful uplift towards weapons of mass destruction"),
    ("harm.csam", .off, "Sexual abuse of children"),
    ("oversight.undermine", .off, "Undermining human oversight of AI"),
    ("transparency.say-cannot-help", .on, "Saying what one can't help with"),
    ("transparency.admit-ai", .on, "Admitting to be an AI to whoever sincerely asks"),
  ]
  static let byName: [String: Absolute] = Dictionary(uniqueKeysWithValues: all.map { ($0.name, $0.absolute) })
}

extension Shape {
  /// Merges `behaviors:` of one file into `drafts`.
  func readBehaviors(_ node: NodeID, into drafts: inout [String: BehaviorDraft]) {
    for (key, value) in document.pairs(node) where document.kind(key) == .scalar {
      guard checkBehavior(key) else { continue }
      let name = document.string(key)
      var draft = drafts[name] ?? BehaviorDraft(location: document.location(key))
      if self.value(value) != .null || document.kind(value) != .scalar {
        guard let fields = fields(value, .behavior) else { continue }
        merge(fields, into: &draft, name)
      }
      drafts[name] = draft
    }
  }

  private func merge(_ fields: Fields, into draft: inout BehaviorDraft, _ name: String) {
    func what(_ id: KeyID) -> String { "`\(id.rawValue)` of `\(name)`" }
    report.merge(&draft.default, stated(fields[.default], effect(fields[.default])), what(.default))
    let population = fields[.population].flatMap { stated($0, Optional.some(self.population($0))) }
    report.merge(&draft.population, population, what(.population))
    report.merge(&draft.operatorsMay, stated(fields[.operatorsMay], effect(fields[.operatorsMay])), what(.operatorsMay))
    report.merge(&draft.usersMay, stated(fields[.usersMay], effect(fields[.usersMay])), what(.usersMay))
    readAlternatives(fields[.after], .alternative, into: &draft.after, "`\(name)`") { stated($0, effect($0)) }
    let hardcoded = text(fields[.hardcoded]).map { $0 == "on" ? Absolute.on : Absolute.off }
    report.merge(&draft.hardcoded, stated(fields[.hardcoded], hardcoded), what(.hardcoded))
    report.merge(
      &draft.stakes, stated(fields[.stakes], fields[.stakes].flatMap(number).flatMap { Degree($0, up: true) }),
      what(.stakes))
    let audit = text(fields[.audit]).map { $0 == "durable" ? Audit.durable : $0 == "full" ? .full : .counts }
    report.merge(&draft.audit, stated(fields[.audit], audit), what(.audit))
    report.merge(&draft.clause, stated(fields[.clause], text(fields[.clause])), what(.clause))
    report.merge(&draft.title, stated(fields[.title], text(fields[.title])), what(.title))
  }
}

/// Drafts -> behaviours.
struct BehaviorResolver {
  let drafts: [String: BehaviorDraft]
  let unknown: Effect
  let periods: [Period]
  let report: Report

  /// Declared and built-in ones, by name. Reports what contradicts itself.
  func resolve() -> [String: Behavior] {
    var result: [String: Behavior] = [:]
    let names = Set(drafts.keys).union(BuiltInAbsolutes.byName.keys).sorted(by: BehaviorName.precedes)
    // A name follows all its ancestors in this order.
    for name in names {
      let parent = BehaviorName.path(of: name).dropFirst().lazy.compactMap { result[$0] }.first
      result[name] = behavior(name, parent)
    }
    for name in names { checkAbsolutes(name, result) }
    return result
  }

  private func behavior(_ name: String, _ parent: Behavior?) -> Behavior {
    let draft = drafts[name].map(settled)
    let builtIn = BuiltInAbsolutes.byName[name]
    let population = draft?.population?.value
    let chosen = population.map { $0.choice(for: $0.who) }
    let stated = draft.flatMap { choice($0, chosen) }
    let hardcoded = draft?.hardcoded?.value ?? builtIn ?? .none
    let inherited = parent?.choice ?? Choice(default: unknown, operatorsMay: unknown, usersMay: unknown)
    let ownStakes = draft?.stakes?.value ?? (builtIn == .on ? .zero : nil)
    var behavior = Behavior(
      name: name, title: draft?.title?.value ?? BuiltInAbsolutes.all.first { $0.name == name }?.title,
      clause: draft?.clause?.value, stated: stated, choice: stated ?? inherited,
      governedBy: stated != nil ? name : parent?.governedBy, hardcoded: hardcoded,
      stakes: ownStakes ?? parent?.stakes ?? .one, stakesOf: ownStakes != nil ? name : parent?.stakesOf,
      audit: draft?.audit?.value ?? parent?.audit ?? .counts, location: draft?.location,
      population: population, chosen: chosen)
    behavior.after = stated != nil ? draft?.after.mapValues(\.alternative) ?? [:] : parent?.after ?? [:]
    checkAlternatives(name, stated)
    return behavior
  }

  /// A default and a population say the same thing twice: a higher folder's replaces a lower one's, and of one folder
  /// only one may stand.
  private func settled(_ draft: BehaviorDraft) -> BehaviorDraft {
    guard let stated = draft.default, let population = draft.population else { return draft }
    var draft = draft
    if stated.rank == population.rank {
      report.error(
        .populationAndDefault, population.location, "a population stands beside a `default`", length: 1,
        hint: "the population chooses the default; keep one of the two",
        related: .init(location: stated.location, message: "the default"))
    }
    if stated.rank < population.rank { draft.default = nil } else { draft.population = nil }
    return draft
  }

  private func checkAlternatives(_ name: String, _ stated: Choice?) {
    guard let draft = drafts[name], let first = draft.after.values.min(by: { $0.location.precedes($1.location) }) else {
      return
    }
    // What is wrong with a population was said; what depends on it isn't judged.
    if let population = draft.population, population.value == nil { return }
    if let hardcoded = draft.hardcoded {
      report.error(
        .hardcodedContradiction, first.location, "`\(name)` is hard-coded, so no period changes it",
        length: first.length,
        hint: "an absolute has no default and no ceilings; delete this",
        related: .init(location: hardcoded.location, message: "hard-coded here"))
      return
    }
    AlternativeCheck(report: report, periods: periods, what: "`\(name)`").check(
      draft.after, own: stated.map { ($0.default, draft.operatorsMay?.value, draft.usersMay?.value) },
      at: draft.default?.location ?? draft.population?.location)
  }

  /// What a draft states as default and ceilings; ceilings that it omits equal the default.
  private func choice(_ draft: BehaviorDraft, _ chosen: PopulationChoice?) -> Choice? {
    // What is wrong with a population was said; what depends on it isn't judged.
    if let population = draft.population, population.value == nil { return nil }
    let value = draft.default?.value ?? chosen?.effect
    for (ceiling, key) in [(draft.operatorsMay, "operators-may"), (draft.usersMay, "users-may")] {
      guard let ceiling else { continue }
      guard let value, let place = draft.default?.location ?? draft.population?.location else {
        // Beside an absolute no ceiling can stand at all, which is said there.
        if draft.hardcoded != nil { continue }
        report.error(
          .ceilingWithoutDefault, ceiling.location, "`\(key)` needs a `default` beside it", length: ceiling.length,
          hint: "a behaviour that states a default starts afresh; one that states none inherits its ceilings too")
        continue
      }
      if ceiling.value < value {
        report.error(
          .ceilingBelowDefault, ceiling.location, "`\(key)` is stricter than the default", length: ceiling.length,
          hint: "a ceiling says how far others may loosen; to make things stricter, lower the default",
          related: .init(
            location: place,
            message: chosen.map { "the population chooses `\($0.effect)`: \($0.reason)" } ?? "the default is `\(value)`"
          ))
      }
    }
    guard let value else { return nil }
    return Choice(
      default: value, operatorsMay: draft.operatorsMay?.value ?? value, usersMay: draft.usersMay?.value ?? value,
      obligations: chosen?.obligations ?? [])
  }

  private func checkAbsolutes(_ name: String, _ behaviors: [String: Behavior]) {
    guard let behavior = behaviors[name], behavior.hardcoded != .none else { return }
    checkBuiltIn(name)
    checkContradiction(name, behavior.hardcoded)
    checkStakes(name, behavior.hardcoded)
    for ancestor in BehaviorName.path(of: name).dropFirst() {
      guard let above = behaviors[ancestor], above.hardcoded != .none, above.hardcoded != behavior.hardcoded,
        let here = drafts[name]?.hardcoded ?? drafts[ancestor]?.hardcoded
      else { continue }
      let other = here.location == drafts[ancestor]?.hardcoded?.location ? nil : drafts[ancestor]?.hardcoded
      report.error(
        .oppositeAbsolutes, here.location,
        "`\(name)` is hard-coded `\(behavior.hardcoded)`, but `\(ancestor)` above it is hard-coded `\(above.hardcoded)`",
        length: here.length, hint: "an absolute covers everything below it; narrow one of the two",
        related: other.map { .init(location: $0.location, message: "the other one") })
    }
  }

  private func checkBuiltIn(_ name: String) {
    guard let builtIn = BuiltInAbsolutes.byName[name], let stated = drafts[name]?.hardcoded, stated.value != builtIn
    else { return }
    report.error(
      .builtInAbsolute, stated.location, "`\(name)` is hard-coded `\(builtIn)` in the program itself",
      length: stated.length, hint: "no policy can change that; delete this")
  }

  private func checkContradiction(_ name: String, _ absolute: Absolute) {
    guard let draft = drafts[name] else { return }
    let only: Effect = absolute == .on ? .allow : .deny
    if let population = draft.population {
      report.error(
        .hardcodedContradiction, population.location, "`\(name)` is hard-coded `\(absolute)`: a population has no say",
        length: 1, hint: "an absolute has no default; delete this",
        related: draft.hardcoded.map { .init(location: $0.location, message: "hard-coded here") })
    }
    for field in [draft.default, draft.operatorsMay, draft.usersMay] {
      guard let field, field.value != only else { continue }
      let hardcoded = draft.hardcoded
      report.error(
        .hardcodedContradiction, field.location,
        "`\(name)` is hard-coded `\(absolute)`, so this can never be `\(field.value)`", length: field.length,
        hint: "an absolute has no default and no ceilings; delete this",
        related: hardcoded.map { .init(location: $0.location, message: "hard-coded here") })
    }
  }

  private func checkStakes(_ name: String, _ absolute: Absolute) {
    guard absolute == .on, let draft = drafts[name] else { return }
    let isBuiltIn = BuiltInAbsolutes.byName[name] == .on
    if let stakes = draft.stakes, stakes.value != .zero {
      report.error(
        .hardcodedOnStakes, stakes.location, "`\(name)` is hard-coded `on`, so its stakes have to be 0",
        length: stakes.length, hint: "write `stakes: 0`")
    } else if draft.stakes == nil, !isBuiltIn, let hardcoded = draft.hardcoded {
      report.error(
        .hardcodedOnStakes, hardcoded.location, "`hardcoded: on` needs `stakes: 0` beside it",
        length: hardcoded.length, hint: "what nobody can stop has to be harmless: say so with `stakes: 0`")
    }
  }
}
