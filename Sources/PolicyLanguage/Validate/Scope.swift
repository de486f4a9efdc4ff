// What a statement is checked against: the platform's behaviours, and its attributes through conditions. Answers are
// remembered, because thousands of statements name the same behaviours.

internal import PolicyImage

final class Scope {
  /// What holds for one name, declared or not.
  struct Standing {
    /// It or a name above it is declared or built in.
    var isDeclared: Bool
    /// Declared, built in, or above or below such a one.
    var isKnown: Bool
    var choice: Choice
    /// What operators may once every period has ended: no less than `choice.operatorsMay`, to which it is cut down till then.
    var highest: Effect
    /// Where `choice.operatorsMay` comes from; nil: compiled in.
    var ceilingLocation: Location?
    /// The absolute at or above the name.
    var absolute: Absolute
    var absoluteName: String?
    var absoluteLocation: Location?
  }

  let behaviors: [String: Behavior]
  let dial: Dial
  let periods: [String: Period]
  let conditions: Conditions
  let attributes: [String: Attribute]
  /// Names of the platform's counters.
  let counters: Set<String>
  private let drafts: [String: BehaviorDraft]
  private let unknown: Effect
  private let unknownLocation: Location
  /// Names above declared ones.
  private let wider: Set<String>
  private var remembered: [String: Standing] = [:]

  init(
    behaviors: [String: Behavior], drafts: [String: BehaviorDraft], unknown: Effect, unknownLocation: Location,
    dial: Dial, periods: [Period], attributes: [Attribute], counters: Set<String>, report: Report
  ) {
    self.periods = Dictionary(periods.map { ($0.name, $0) }) { first, _ in first }
    self.dial = dial
    self.behaviors = behaviors
    self.drafts = drafts
    self.unknown = unknown
    self.unknownLocation = unknownLocation
    self.attributes = Dictionary(attributes.map { ($0.name, $0) }) { first, _ in first }
    self.counters = counters
    conditions = Conditions(attributes, counters, report)
    wider = Set(behaviors.keys.flatMap { BehaviorName.path(of: $0).dropFirst() })
  }

  func standing(of name: String) -> Standing {
    if let known = remembered[name] { return known }
    // Above the name everything is as it is for its parent; names are at most `BehaviorName.maximumDepth` deep.
    var parent: Standing?
    if let above = BehaviorName.parent(of: name) { parent = self.standing(of: above) }
    var standing: Standing = parent ?? top
    standing.isDeclared = behaviors[name] != nil || parent?.isDeclared ?? false
    standing.isKnown = standing.isDeclared || wider.contains(name)
    if let behavior = behaviors[name] { apply(behavior, to: &standing) }
    remembered[name] = standing
    return standing
  }

  /// What holds where nothing is declared.
  private var top: Standing {
    Standing(
      isDeclared: false, isKnown: false,
      choice: Choice(default: unknown, operatorsMay: unknown, usersMay: unknown), highest: unknown,
      ceilingLocation: unknownLocation,
      absolute: .none, absoluteName: nil, absoluteLocation: nil)
  }

  private func apply(_ behavior: Behavior, to standing: inout Standing) {
    standing.choice = behavior.choice
    standing.highest = behavior.after.values.reduce(behavior.choice.operatorsMay) {
      max($0, $1.operatorsMay ?? .deny, $1.default ?? .deny)
    }
    if behavior.stated != nil {
      let draft = drafts[behavior.name]
      standing.ceilingLocation = draft.map {
        $0.operatorsMay?.location ?? $0.default?.location ?? $0.population?.location ?? $0.location
      }
    }
    if standing.absolute == .none, behavior.hardcoded != .none {
      standing.absolute = behavior.hardcoded
      standing.absoluteName = behavior.name
      standing.absoluteLocation = drafts[behavior.name]?.hardcoded?.location
    }
  }
}
