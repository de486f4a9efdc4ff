// `suspicion` of the platform's files -> what is in force (DESIGN §2.4).

internal import PolicyImage

/// What the platform's files state of suspicion.
struct SuspicionDraft {
  private var askAt: Stated<UInt32>?
  private var denyAt: Stated<UInt32>?
  private var halfLife: Stated<UInt32>?
  private var behaviors: Stated<[String]>?
  /// Where each name of `for` stands.
  private var places: [String: (location: Location, length: Int)] = [:]
  /// Written, be it right or wrong.
  private var written: Set<KeyID> = []
  private var first: (location: Location, length: Int)?

  /// Merges one file's `suspicion`.
  mutating func read(_ shape: Shape, _ node: NodeID?) {
    guard let node, let fields = shape.fields(node, .suspicion) else { return }
    first = first ?? (shape.document.location(node), shape.document.length(node))
    written.formUnion(fields.entries.map(\.id))
    shape.report.merge(&askAt, shape.attempts(fields[.askAt]), "`ask-at` of suspicion")
    shape.report.merge(&denyAt, shape.attempts(fields[.denyAt]), "`deny-at` of suspicion")
    let life = shape.stated(fields[.halfLife], fields[.halfLife].flatMap(shape.seconds))
    shape.report.merge(&halfLife, life, "`half-life` of suspicion")
    guard let list = fields[.for] else { return }
    let items = shape.document.items(list)
    for item in items {
      places[shape.document.string(item)] = (shape.document.location(item), shape.document.length(item))
    }
    let names = Set(items.map(shape.document.string)).sorted(by: BehaviorName.precedes)
    shape.report.merge(&behaviors, shape.stated(list, names), "`for` of suspicion")
  }

  /// After all files; nil: none states it, or what is wrong is reported.
  func suspicion(_ report: Report, _ scope: Scope) -> Suspicion? {
    guard let first else { return nil }
    func incomplete(_ message: String, _ hint: String, at place: (location: Location, length: Int)) {
      report.error(.suspicionIncomplete, place.location, message, length: place.length, hint: hint)
    }
    if !written.contains(.halfLife) {
      incomplete("`suspicion` needs `half-life`", "it says how fast suspicion decays, as in `half-life: 1h`", at: first)
    }
    if !written.contains(.askAt), !written.contains(.denyAt) {
      incomplete(
        "`suspicion` does nothing", "it needs `ask-at`, `deny-at`, or both: how many attempts it takes", at: first)
    }
    if let askAt, let denyAt, denyAt.value < askAt.value {
      report.error(
        .suspicionOrder, denyAt.location, "`deny-at` is below `ask-at`, which would never matter",
        length: denyAt.length, hint: "who is more suspect is denied: `deny-at` is the higher number",
        related: .init(location: askAt.location, message: "`ask-at` stands here"))
    }
    if let behaviors, behaviors.value.isEmpty {
      incomplete(
        "`for` names nothing", "leave it out, and suspicion is for everything",
        at: (behaviors.location, behaviors.length))
    }
    for name in behaviors?.value ?? [] where !scope.standing(of: name).isKnown {
      guard let place = places[name] else { continue }
      report.error(
        .undeclaredBehavior, place.location, "`\(name)` names nothing that is declared", length: place.length,
        hint: report.suggestion(for: name, from: scope.behaviors.keys)
          ?? "the platform declares behaviours under `behaviors`")
    }
    guard let halfLife, askAt != nil || denyAt != nil else { return nil }
    return Suspicion(
      askAt: askAt?.value, denyAt: denyAt?.value, halfLife: halfLife.value, behaviors: behaviors?.value ?? [],
      location: first.location)
  }
}

extension Shape {
  /// Thousandths.
  func attempts(_ node: NodeID?) -> Stated<UInt32>? {
    stated(node, node.flatMap(number).map { UInt32(($0 * 1000).rounded()) })
  }

  /// Above 0, with three decimals at most.
  func checkAttempts(_ node: NodeID, _ name: String) -> Bool {
    guard let number = number(node) else {
      wrongType(node, "`\(name)` has to be a number")
      return false
    }
    let isExact = abs(number * 1000 - (number * 1000).rounded()) < 1e-6
    guard number > 0, number <= 1_000_000, isExact else {
      report.error(
        .outOfRange, document, node, "`\(name)` has to be above 0, at most 1000000, with at most three decimals",
        hint: "an attempt counts 1, with an argument for it 2")
      return false
    }
    return true
  }

  static let longest: UInt32 = 365 * 86_400

  func checkDuration(_ node: NodeID, _ name: String) -> Bool {
    guard document.kind(node) == .scalar, let seconds = seconds(node) else {
      report.error(
        .badDuration, document, node, "`\(name)` has to be a duration",
        hint: "write a whole number and a unit, s, m, h or d: `90m`")
      return false
    }
    guard seconds >= 1, seconds <= Self.longest else {
      report.error(.outOfRange, document, node, "`\(name)` has to be between 1s and 365d")
      return false
    }
    return true
  }

  /// "90m" in seconds; more than can be counted is the most that can.
  func seconds(_ node: NodeID) -> UInt32? {
    let text = document.content(node)
    let units: [(UInt8, UInt32)] = [
      (UInt8(ascii: "s"), 1), (UInt8(ascii: "m"), 60), (UInt8(ascii: "h"), 3600), (UInt8(ascii: "d"), 86_400),
    ]
    guard let last = text.last, let unit = units.first(where: { $0.0 == last })?.1, text.count > 1 else { return nil }
    var value: UInt32 = 0
    for byte in text.dropLast() {
      guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else { return nil }
      value = min(value * 10 + UInt32(byte - UInt8(ascii: "0")), 100_000_000)
    }
    let (product, isOver) = value.multipliedReportingOverflow(by: unit)
    return isOver ? .max : product
  }
}
