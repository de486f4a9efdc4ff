// The platform's files -> its merged declarations: name, unknown, attributes, behaviours.

internal import PolicyImage

struct PlatformReader {
  let report: Report
  private var statedName: Stated<String>?
  private var unknown: Stated<Effect>?
  private var attributes: [String: Stated<Declaration>] = [:]
  private var drafts: [String: BehaviorDraft] = [:]
  private var dial = DialDraft()
  private var suspicionDraft = SuspicionDraft()
  private(set) var suspicion: Suspicion?
  private var periodDrafts = PeriodDrafts()
  private var counterDrafts = CounterDrafts()
  private(set) var counters: [CounterDeclaration] = []
  private(set) var periods: [Period] = []
  var authorities: [String: [UInt8]] { periodDrafts.keys }
  private var firstFile: Location?
  private var groups: Stated<[String]>?

  private struct Declaration: Equatable {
    var type: AttributeType
    var isVerified: Bool
  }

  init(report: Report) { self.report = report }

  var name: String? { statedName?.value }
  var administratorGroups: [String] { groups?.value ?? [] }
  var unknownEffect: Effect { unknown?.value ?? .deny }
  var unknownLocation: Location {
    unknown?.location ?? firstFile ?? Location(file: "platform.yaml", line: 1, column: 1)
  }

  /// Sorted by name.
  var declaredAttributes: [Attribute] {
    attributes.map { name, stated in
      Attribute(
        name: name, type: stated.value.type, isVerified: stated.value.isVerified, location: stated.location)
    }.sorted { $0.name < $1.name }
  }

  /// Merges one file. Files come in the order of rank, then path.
  mutating func declare(_ shape: Shape, _ fields: Fields) {
    firstFile = firstFile ?? shape.document.location(fields.node)
    report.merge(&statedName, shape.stated(fields[.name], shape.text(fields[.name])), "the platform's `name`")
    report.merge(&unknown, shape.stated(fields[.unknown], shape.effect(fields[.unknown])), "`unknown`")
    if let node = fields[.groups] {
      let named = Set(shape.document.items(node).map(shape.document.string)).sorted()
      report.merge(&groups, shape.stated(node, named), "`groups`")
    }
    if let node = fields[.attributes], let roots = shape.fields(node, .attributes) {
      for root in [KeyID.user, .request, .session] {
        if let named = roots[root] { declareAttributes(shape, named, root) }
      }
    }
    dial.read(shape, fields[.dial])
    suspicionDraft.read(shape, fields[.suspicion])
    periodDrafts.read(shape, fields)
    counterDrafts.read(shape, fields[.counters])
    if let node = fields[.behaviors] { shape.readBehaviors(node, into: &drafts) }
  }

  private mutating func declareAttributes(_ shape: Shape, _ node: NodeID, _ root: KeyID) {
    for (key, value) in shape.document.pairs(node) {
      guard shape.checkAttributeName(key, root: root), let (type, isVerified) = shape.attribute(value) else { continue }
      let name = "\(root.rawValue).\(shape.document.string(key))"
      let new = shape.stated(key, Declaration(type: type, isVerified: isVerified))
      report.merge(&attributes[name], new, "the attribute `\(name)`")
    }
  }

  /// After all files: what statements are checked against. Reports what the declarations contradict.
  mutating func scope() -> Scope {
    if statedName == nil, let firstFile {
      report.error(
        .missingKey, firstFile, "no file of the platform states its `name`", hint: "write `name:` into platform.yaml")
    }
    periods = periodDrafts.periods(report)
    let resolver = BehaviorResolver(drafts: drafts, unknown: unknownEffect, periods: periods, report: report)
    let scope = Scope(
      behaviors: resolver.resolve(), drafts: drafts, unknown: unknownEffect, unknownLocation: unknownLocation,
      dial: dial.dial(report, periods), periods: periods, attributes: declaredAttributes,
      counters: counterDrafts.names, report: report)
    counters = counterDrafts.counters(scope, report)
    suspicion = suspicionDraft.suspicion(report, scope)
    return scope
  }
}
