// What a statement is checked against: the platform's behaviours, and its attributes through conditions. Answers are
// remembered, because thousands of statements name the same behaviours.

internal import PolicyImage

final class Scope {
  /// What holds for one name, declared or not.
  struct Standing {
    /// Declared, built in, or above or below such a one.
    var isKnown: Bool
    var choice: Choice
    /// Where `choice.operatorsMay` comes from; nil: compiled in.
    var ceilingLocation: Location?
    /// The absolute at or above the name.
    var absolute: Absolute
    var absoluteName: String?
    var absoluteLocation: Location?
  }

  let behaviors: [String: Behavior]
  let conditions: Conditions
  let attributes: [String: Attribute]
  private let drafts: [String: BehaviorDraft]
  private let unknown: Effect
  private let unknownLocation: Location
  /// Names above declared ones.
  private let wider: Set<String>
  private var remembered: [String: Standing] = [:]

  init(
    behaviors: [String: Behavior], drafts: [String: BehaviorDraft], unknown: Effect, unknownLocation: Location,
    attributes: [Attribute], report: Report
  ) {
    self.behaviors = behaviors
    self.drafts = drafts
    self.unknown = unknown
    self.unknownLocation = unknownLocation
    self.attributes = Dictionary(attributes.map { ($0.name, $0) }) { first, _ in first }
    conditions = Conditions(attributes, report)
    wider = Set(behaviors.keys.flatMap { BehaviorName.path(of: $0).dropFirst() })
  }

  func standing(of name: String) -> Standing {
    if let known = remembered[name] { return known }
    let path = BehaviorName.path(of: name)
    let declared = path.lazy.compactMap { self.behaviors[$0] }.first
    let absolute = path.lazy.compactMap { self.behaviors[$0] }.first { $0.hardcoded != .none }
    var location: Location? = unknownLocation
    if let governing = declared?.governedBy {
      location = drafts[governing].map { $0.operatorsMay?.location ?? $0.default?.location ?? $0.location }
    }
    let standing = Standing(
      isKnown: declared != nil || wider.contains(name),
      choice: declared?.choice ?? Choice(default: unknown, operatorsMay: unknown, usersMay: unknown),
      ceilingLocation: location, absolute: absolute?.hardcoded ?? .none, absoluteName: absolute?.name,
      absoluteLocation: absolute.flatMap { drafts[$0.name]?.hardcoded?.location })
    remembered[name] = standing
    return standing
  }
}
