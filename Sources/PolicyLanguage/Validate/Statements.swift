// `rules:` and `grants:` -> statements, each checked against what its layer may say (DESIGN §2.1–2.4).

internal import CEL
internal import PolicyImage

struct StatementReader {
  let shape: Shape
  /// nil: the platform has errors, so only the shape of a statement can be judged.
  let scope: Scope?
  /// An operator's last good files under a platform that has changed: nothing is refused for what the platform changed.
  var isClamping = false

  private var report: Report { shape.report }
  private var document: Document { shape.document }

  func rules(_ list: NodeID?) -> [Statement] {
    guard let list else { return [] }
    return document.items(list).compactMap(rule)
  }

  func grants(_ list: NodeID?) -> [Statement] {
    guard let list else { return [] }
    return document.items(list).compactMap(grant)
  }

  // MARK: one statement

  private func rule(_ node: NodeID) -> Statement? {
    guard let fields = shape.fields(node, .rule) else { return nil }
    guard let (id, kind) = kind(fields), let name = fields[id] else { return nil }
    let effect = effect(fields, id, kind)
    let tier = tier(fields)
    let condition = condition(fields[.when], kind)
    // Examples tell how the author wanted the rule under the platform of then.
    let examples = isClamping ? [] : examples(fields[.examples])
    let period = period(fields, kind)
    guard let effect, !period.isNever else { return nil }
    let statement = Statement(
      kind: kind, behavior: document.string(name), effect: effect, tier: tier, condition: condition,
      readsArgument: condition?.variables.contains(BuiltInAttribute.argument.rawValue) ?? false,
      obligations: obligations(fields[.with]), period: period.name, clause: shape.text(fields[.clause]),
      isShadow: shape.text(fields[.mode]) == "shadow", location: document.location(node), examples: examples)
    return isKept(statement, name) ? statement : nil
  }

  private func grant(_ node: NodeID) -> Statement? {
    guard let fields = shape.fields(node, .grant) else { return nil }
    let condition = condition(fields[.when], .grant)
    let period = period(fields, .grant)
    guard let name = fields[.behavior], let effect = shape.effect(fields[.usersMay]), !period.isNever else {
      return nil
    }
    let statement = Statement(
      kind: .grant, behavior: document.string(name), effect: effect, tier: .operator, condition: condition,
      readsArgument: false, obligations: [], period: period.name, clause: shape.text(fields[.clause]), isShadow: false,
      location: document.location(node))
    return isKept(statement, name) ? statement : nil
  }

  /// Which of `allow`, `ask`, `deny`, `limit` and `duty` the rule has: exactly one, or it is reported.
  private func kind(_ fields: Fields) -> (KeyID, StatementKind)? {
    var found: [(id: KeyID, key: NodeID)] = []
    for entry in fields.entries where Form.ruleKinds.contains(entry.id) { found.append((entry.id, entry.key)) }
    guard let first = found.first else {
      report.error(
        .ruleKind, document.location(fields.node), "this rule doesn't say what it does",
        hint: shape.layer == .platform
          ? "begin it with `limit:` or `duty:` and a behaviour"
          : "begin it with `allow:`, `ask:`, `deny:` or `limit:` and a behaviour")
      return nil
    }
    if found.count > 1 {
      report.error(
        .ruleKind, document, found[1].key,
        "this rule says two things: `\(first.id.rawValue)` and `\(found[1].id.rawValue)`",
        hint: "make it two rules", related: .init(location: document.location(first.key), message: "the first one"))
      return nil
    }
    return (first.id, first.id == .limit ? .limit : first.id == .duty ? .duty : .setting)
  }

  private func effect(_ fields: Fields, _ id: KeyID, _ kind: StatementKind) -> Effect? {
    switch id {
    case .allow, .ask, .deny:
      if let key = fields.key(.to) {
        report.error(
          .ruleTo, document, key, "`\(id.rawValue)` says already what the behaviour shall be",
          hint: "delete `to`, or make it a `limit`")
      }
      return id == .allow ? .allow : id == .ask ? .ask : .deny
    default:
      if !fields.has(.to) {
        report.error(
          .missingKey, document.location(fields.node), "a \(id.rawValue) needs the key `to`",
          hint: kind == .limit ? "`to` is the most that is left: deny, ask or allow" : "`to` is the least: ask or allow"
        )
      }
      return shape.effect(fields[.to])
    }
  }

  private func tier(_ fields: Fields) -> Tier {
    guard shape.layer == .platform else { return .operator }
    switch shape.text(fields[.tier]) {
    case "ethics": return .ethics
    case "safety": return .safety
    default: return .guideline
    }
  }

  private func obligations(_ list: NodeID?) -> [String] {
    guard let list else { return [] }
    return Set(document.items(list).map(document.string)).sorted()
  }

  private func condition(_ node: NodeID?, _ kind: StatementKind) -> CheckedExpression? {
    guard let node else { return nil }
    guard let scope else {
      Conditions.checkSyntax(document, node, report)
      return nil
    }
    return isClamping
      ? scope.conditions.checkOrFail(document, node, isLimit: kind == .limit)
      : scope.conditions.check(document, node, isLimit: kind == .limit)
  }

  // MARK: what a layer may say

  /// false: the statement says nothing that could count.
  private func isKept(_ statement: Statement, _ name: NodeID) -> Bool {
    guard let scope else { return true }
    let standing = scope.standing(of: statement.behavior)
    if !standing.isKnown, !isClamping {
      report.error(
        .undeclaredBehavior, document, name, "`\(statement.behavior)` names nothing that is declared",
        hint: report.suggestion(for: statement.behavior, from: scope.behaviors.keys)
          ?? "the platform declares behaviours under `behaviors`")
      return true
    }
    if standing.absolute != .none, statement.kind != .limit {
      underAbsolute(statement, name, standing)
      return !isClamping
    }
    if statement.kind == .setting || statement.kind == .grant { checkCeiling(statement, name, standing) }
    return true
  }

  private func underAbsolute(_ statement: Statement, _ name: NodeID, _ standing: Scope.Standing) {
    let above = standing.absoluteName ?? statement.behavior
    tell(
      .underAbsolute, name, "nothing can move `\(statement.behavior)`: `\(above)` is hard-coded `\(standing.absolute)`",
      hint: "delete this statement",
      related: standing.absoluteLocation.map { .init(location: $0, message: "hard-coded here") })
  }

  private func tell(
    _ code: DiagnosticCode, _ name: NodeID, _ message: String, hint: String, related: Diagnostic.Related?
  ) {
    if isClamping {
      report.warning(code, document, name, message, hint: hint, related: related)
    } else {
      report.error(code, document, name, message, hint: hint, related: related)
    }
  }

  private func checkCeiling(_ statement: Statement, _ name: NodeID, _ standing: Scope.Standing) {
    // What the end of a period allows is cut down until then.
    let ceiling = standing.highest
    guard statement.effect > ceiling else { return }
    tell(
      .aboveCeiling, name,
      "operators may go up to `\(ceiling)` for `\(statement.behavior)`, and this says `\(statement.effect)`",
      hint: "make it `\(ceiling)` or stricter, or ask whoever runs the platform to raise `operators-may`",
      related: standing.ceilingLocation.map { .init(location: $0, message: "the ceiling is set here") })
  }
}

/// Sorts by content and drops repeats; of repeats the first place is kept, and all their examples.
func normalize(_ statements: [Statement], repeats: inout [Repeat]) -> [Statement] {
  var order = statements.indices.map { (content: statements[$0].content, index: $0) }
  order.sort { a, b in
    a.content != b.content ? a.content < b.content : statements[a.index].location.precedes(statements[b.index].location)
  }
  var result: [Statement] = []
  result.reserveCapacity(statements.count)
  var last: String?
  for (content, index) in order {
    let statement = statements[index]
    if content == last, let first = result.last {
      repeats.append(Repeat(location: statement.location, first: first.location))
      result[result.count - 1].examples += statement.examples
    } else {
      result.append(statement)
    }
    last = content
  }
  return result
}
