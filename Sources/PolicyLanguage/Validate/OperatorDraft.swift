// The files of one operator -> the operator.

internal import PolicyImage

struct OperatorDraft {
  let name: String
  private var bindings: Stated<[Binding]>?
  private var dial: Stated<Degree>?
  private var statements: [Statement] = []
  private var location: Location?
  private var audiences: [String: Stated<AudienceDraft>] = [:]

  init(name: String) { self.name = name }

  mutating func read(_ shape: Shape, _ fields: Fields, _ scope: Scope?, isClamping: Bool) {
    location = location ?? shape.document.location(fields[.name] ?? fields.node)
    shape.report.merge(&bindings, shape.stated(fields[.bind], shape.bindings(fields[.bind])), "`bind` of `\(name)`")
    shape.readAudiences(fields[.audience], scope, isClamping: isClamping, into: &audiences)
    shape.report.merge(&dial, shape.degree(fields[.dial]), "`dial` of `\(name)`")
    let reader = StatementReader(shape: shape, scope: scope, isClamping: isClamping)
    statements += reader.rules(fields[.rules])
    statements += reader.grants(fields[.grants])
  }

  /// The dial that counts, under the platform's ceiling.
  func checkDial(_ scope: Scope?, _ report: Report, isClamping: Bool) {
    guard let dial, let platform = scope?.dial else { return }
    let ceiling = platform.operatorsMay
    // What the end of a period allows is cut down until then.
    let highest = platform.after.values.reduce(ceiling.value) { max($0, $1.operatorsMay ?? .zero, $1.default ?? .zero) }
    guard dial.value > highest else { return }
    report.add(
      Diagnostic(
        code: .aboveCeiling, severity: isClamping ? .warning : .error, location: dial.location, length: dial.length,
        message: "operators may set the dial up to `\(highest)`, and this says `\(dial.value)`",
        hint: "make it `\(highest)` or less, or ask whoever runs the platform to raise the dial's `operators-may`",
        related: ceiling.location.map { .init(location: $0, message: "the ceiling is set here") }))
  }

  func finish(_ scope: Scope?, _ repeats: inout [Repeat]) -> Operator {
    Operator(
      name: name, bindings: bindings?.value ?? [], dial: dial.map { StatedDegree($0) },
      statements: normalize(statements, repeats: &repeats),
      location: location ?? Location(file: "operators.d/\(name).yaml", line: 1, column: 1),
      audiences: audiences.keys.sorted(by: BehaviorName.precedes).compactMap { name in
        audiences[name].flatMap { scope?.audience(name, $0) }
      })
  }
}

extension Shape {
  /// Sorted, without repeats; nil when the list is missing.
  func bindings(_ list: NodeID?) -> [Binding]? {
    guard let list else { return nil }
    let all = Set(document.items(list).compactMap(binding))
    return all.sorted { $0.sortKey < $1.sortKey }
  }

  private func binding(_ node: NodeID) -> Binding? {
    guard let fields = fields(node, .binding) else { return nil }
    let (user, group, label, unit) = (fields[.user], fields[.group], fields[.label], fields[.unit])
    if let unit {
      guard let user else {
        if !fields.has(.user) {
          report.error(
            .unitWithoutUser, document, unit, "a unit's name alone is no identity",
            hint: "say which user it runs as: `{unit: \(document.string(unit)), user: …}`")
        }
        return nil
      }
      guard group == nil, label == nil else { return badBinding(node) }
      return .unit(document.string(unit), user: document.string(user))
    }
    switch (user, group, label) {
    case (let user?, nil, nil): return .user(document.string(user))
    case (nil, let group?, nil): return .group(document.string(group))
    case (nil, nil, let label?): return .label(document.string(label))
    default: return fields.entries.contains { !$0.isValid } ? nil : badBinding(node)
    }
  }

  private func badBinding(_ node: NodeID) -> Binding? {
    report.error(
      .badBinding, document.location(node), "a binding names one identity",
      hint: "write one of `user`, `group`, `label`, or `unit` together with `user`; several bindings are several items")
    return nil
  }
}

extension Binding {
  fileprivate var sortKey: String {
    switch self {
    case .user(let name): "user\u{1F}\(name)"
    case .group(let name): "group\u{1F}\(name)"
    case .label(let name): "label\u{1F}\(name)"
    case .unit(let unit, let user): "unit\u{1F}\(unit)\u{1F}\(user)"
    }
  }
}
