// What changes between two policies, for people and for programs.

import Consultation
import Decision
import Offline
import PolicyDiff
import PolicyImage
import PolicyLanguage

struct DiffPage {
  let found: PolicyDifferences
  /// What alone was asked for.
  let only: Diff.Only?
  /// As they were named.
  let old: String
  let new: String
  let types: [String: AttributeType]
  /// The flags that name them.
  let flags: (old: String, new: String)
  /// What else differs, which is no decision.
  let apart: [String]

  /// Attributes as either policy declares them.
  static func types(_ old: OfflinePolicy, _ new: OfflinePolicy) -> [String: AttributeType] {
    Dictionary((old.attributes + new.attributes).map { ($0.name, $0.type) }) { _, new in new }
  }

  // MARK: JSON

  var json: JSON {
    .fields([
      "result": .string(result), "only": only.map { .string($0.rawValue) }, "old": .string(old), "new": .string(new),
      "claims": .array(
        found.claims.map { .fields(["attribute": .string($0.attribute), "direction": .string($0.direction.rawValue)]) }),
      "terms": found.terms.isEmpty
        ? nil
        : .array(
          found.terms.map {
            .fields([
              "kind": .string($0.kind.rawValue), "name": .string($0.name), "old": .string($0.old),
              "new": .string($0.new),
            ])
          }),
      "operators": .array(found.operators.filter { !$0.isQuiet }.map(json)),
      "searched": .fields([
        "names": .int(Int64(found.names)), "equal_by_content": .int(Int64(found.equalByContent)),
        "requests": .int(Int64(found.requests)),
      ]),
      "not_compared": apart.isEmpty ? nil : .strings(apart),
    ])
  }

  private var result: String { !found.isEmpty ? "differences" : found.isProved ? "no-difference" : "none-found" }

  private func json(_ one: OperatorDifferences) -> JSON {
    .fields([
      "operator": .optional(one.name), "presence": .string(one.presence.rawValue),
      "differences": .array(one.differences.map { json($0, one.name) }),
      "not_exhaustive": .strings(one.notExhaustive),
    ])
  }

  private func json(_ difference: Difference, _ name: String?) -> JSON {
    let text = text(difference, name)
    return .fields([
      "behavior": .string(difference.name), "covers_below": .bool(difference.coversBelow),
      "direction": .string(difference.direction.rawValue), "looser": .bool(difference.isLooser),
      "old": json(difference.old), "new": json(difference.new), "lost": .strings(difference.lost),
      "gained": .strings(difference.gained), "request": text.json,
      "halted": difference.isHalted ? .bool(true) : nil,
      "only_in_old": difference.onlyInOld.isEmpty ? nil : .strings(difference.onlyInOld),
      "only_in_new": difference.onlyInNew.isEmpty ? nil : .strings(difference.onlyInNew),
      "check": isAskable(difference, text) ? .string("licet check \(text.flags)") : nil,
    ])
  }

  private func json(_ outcome: Difference.Outcome) -> JSON {
    .fields([
      "effect": .string(outcome.effect.name), "obligations": .strings(outcome.obligations),
      "behavior": .string(outcome.decidedBy.behavior), "decided_by": AnswerJSON.decidedBy(outcome.decidedBy),
    ])
  }

  private func text(_ difference: Difference, _ name: String?) -> RequestText {
    RequestText(request: difference.request, operatorName: name, readsTime: difference.readsTime, types: types)
  }

  /// `check` can't stop an operator, nor say what JSON can't.
  private func isAskable(_ difference: Difference, _ text: RequestText) -> Bool {
    !difference.isHalted && text.isAskable
  }

  // MARK: text

  func text(_ style: Style) -> String {
    var lines = claims(style)
    for group in groups {
      lines.append(style.paint(group.names.joined(separator: ", "), .bold) + note(group.one))
      for section in Section.allCases {
        let rows = group.one.differences.filter { section.holds($0) }
        guard !rows.isEmpty else { continue }
        lines.append("  \(section.title)")
        if group.one.presence == .onlyInOld, section == .tightened {
          let names = DiagnosticsText.count(Set(rows.map(\.name)).count, "name")
          lines.append("    all that it could do is denied: \(names) (--json has them)")
          continue
        }
        let told = rows.filter { !DiffPage.followsByWish($0, rows) && !DiffPage.followsByDial($0, rows) }
        for row in DiffPage.merged(told) { lines += text(row, group.one, style) }
        var rest: [String] = []
        if rows.contains(where: { DiffPage.followsByWish($0, rows) }) { rest.append("for users who prefer less") }
        if rows.contains(where: { DiffPage.followsByDial($0, rows) }) {
          rest.append("where the dial has an agent ask first")
        }
        if !rest.isEmpty {
          lines.append(style.paint("    and what follows \(rest.joined(separator: ", and ")) (--json has it)", .dim))
        }
      }
      lines.append("")
    }
    lines += conclusion(style)
    return lines.joined(separator: "\n") + "\n"
  }

  private func claims(_ style: Style) -> [String] {
    guard !found.claims.isEmpty || !found.terms.isEmpty else { return [] }
    var lines = [style.paint("all operators", .bold)]
    for (isLooser, title, text) in [
      (true, "Loosened", "whoever asks says what it is; until now the authority did"),
      (false, "Tightened", "only the authority says what it is; until now whoever asked did"),
    ] {
      let names = found.claims.filter { $0.isLooser == isLooser }.map { harmless($0.attribute) }
      if !names.isEmpty { lines.append("  \(title)") }
      for name in names {
        let pad = String(repeating: " ", count: max(2, 18 - name.count))
        lines.append("    \(style.paint(name, .bold))\(pad)\(text)")
      }
    }
    return lines + terms(style) + [""]
  }

  /// What periods and counters come to may change, which no request shows.
  private func terms(_ style: Style) -> [String] {
    guard !found.terms.isEmpty else { return [] }
    var lines = ["  Other terms"]
    for one in found.terms {
      let pad = String(repeating: " ", count: max(2, 18 - one.name.count))
      let text =
        switch one.kind {
        case .period: one.old == one.new ? "ends by other keys" : "ends otherwise"
        case .counter: "counts otherwise"
        case .suspicion: "decays otherwise"
        }
      lines.append("    \(style.paint(harmless(one.name), .bold))\(pad)\(text)")
      guard one.old != one.new else { continue }
      lines.append(indent + "until now: \(harmless(one.old, unicode: style.unicode))")
      lines.append(indent + "now: \(harmless(one.new, unicode: style.unicode))")
    }
    return lines
  }

  private enum Section: CaseIterable {
    case loosened, obligations, tightened

    var title: String {
      switch self {
      case .loosened: "Loosened"
      case .obligations: "Other obligations"
      case .tightened: "Tightened"
      }
    }

    func holds(_ it: Difference) -> Bool {
      switch self {
      case .loosened: it.direction == .loosened
      case .obligations: it.direction == .changed
      case .tightened: it.direction == .tightened
      }
    }
  }

  /// Operators for which the same changes, together.
  private var groups: [(names: [String], one: OperatorDifferences)] {
    var groups: [(names: [String], one: OperatorDifferences)] = []
    for one in found.operators where !one.isEmpty {
      let name = one.name.map { harmless($0) } ?? "an operator that states nothing"
      if let i = groups.firstIndex(where: { $0.one.tells(theSameAs: one) }) {
        groups[i].names.append(name)
      } else {
        groups.append(([name], one))
      }
    }
    return groups
  }

  private func note(_ one: OperatorDifferences) -> String {
    switch one.presence {
    case .both: ""
    case .onlyInOld: "  only in \(harmless(old)): nothing is in force for it any more"
    case .onlyInNew: "  only in \(harmless(new)): until now nothing is in force for it"
    }
  }

  /// A row, with all further names for which exactly the same happens.
  private struct Row {
    var first: Difference
    var others: [Difference] = []

    /// Further names.
    var names: [String] {
      others.reduce(into: []) { if $1.name != first.name, !$0.contains($1.name) { $0.append($1.name) } }
    }
    /// Effects that stay as they are, the loosest first.
    var effects: [Effect] { Set(([first] + others).map(\.old.effect)).sorted(by: >) }
  }

  /// A wish for less shows less of a change that shows without a wish as well.
  private static func followsByWish(_ it: Difference, _ all: [Difference]) -> Bool {
    guard let wish = it.request.preference, wish != .allow else { return false }
    return all.contains {
      $0.request.preference == nil && $0.name == it.name && Set($0.request.ended).isSubset(of: it.request.ended)
    }
  }

  /// What the dial caps shows less of a change that shows without it as well.
  private static func followsByDial(_ it: Difference, _ all: [Difference]) -> Bool {
    guard !it.isHalted, it.request.preference == nil, it.old.isCapped != it.new.isCapped else { return false }
    return all.contains {
      guard $0.name == it.name, !$0.isHalted, !$0.old.isCapped, !$0.new.isCapped,
        Set($0.request.ended).isSubset(of: it.request.ended)
      else { return false }
      return it.old.isCapped ? $0.new.decidedBy.isAlike(it.new.decidedBy) : $0.old.decidedBy.isAlike(it.old.decidedBy)
    }
  }

  private static func merged(_ differences: [Difference]) -> [Row] {
    var rows: [Row] = []
    for difference in differences {
      if let i = rows.firstIndex(where: { $0.first.isAlike(difference) }) {
        rows[i].others.append(difference)
      } else {
        rows.append(Row(first: difference))
      }
    }
    // The same obligations whatever the effect: shown by the loosest.
    for i in rows.indices where rows[i].first.old.effect == rows[i].first.new.effect {
      let all = ([rows[i].first] + rows[i].others).sorted { $0.old.effect > $1.old.effect }
      rows[i] = Row(first: all[0], others: Array(all.dropFirst()))
    }
    // First the name that decided, where that is one of them; wider ones only stand for it.
    for i in rows.indices {
      let all = [rows[i].first] + rows[i].others
      guard all[0].old.effect != all[0].new.effect,
        let at = all.firstIndex(where: { $0.name == $0.old.decidedBy.behavior && $0.name == $0.new.decidedBy.behavior })
      else { continue }
      rows[i].first = all[at]
      rows[i].others = all.enumerated().filter { $0.offset != at }.map(\.element)
    }
    return rows
  }

  private func text(_ row: Row, _ one: OperatorDifferences, _ style: Style) -> [String] {
    let it = row.first
    let arrow = style.glyph("→", "->")
    let isSame = it.old.effect == it.new.effect
    let effects = isSame ? row.effects : [it.old.effect, it.new.effect]
    let joint = isSame ? ", " : " \(arrow) "
    let lead = effects.map { effect($0, style) }.joined(separator: joint)
    let width = effects.map(\.name).joined(separator: joint).count
    let pad = String(repeating: " ", count: max(2, 18 - width))
    var lines = ["    \(lead)\(pad)\(style.paint(title(it), .bold))"]
    func add(_ text: String) { lines.append(indent + text) }
    if !row.names.isEmpty { add(style.paint(also(row.names), .dim)) }
    if it.old.effect == it.new.effect {
      if !it.lost.isEmpty { add("without \(it.lost.joined(separator: ", "))") }
      if !it.gained.isEmpty { add("\(it.lost.isEmpty ? "now" : "but now") with \(it.gained.joined(separator: ", "))") }
    } else {
      let before = decider(it.old, it, one.presence == .onlyInNew, style)
      let after = decider(it.new, it, one.presence == .onlyInOld, style)
      add("\(before) \(arrow) \(after)")
    }
    if one.presence == .both {
      for name in it.onlyInNew { add("\(name) is known to the new policy alone; the old one is asked without it") }
      for name in it.onlyInOld { add("\(name) is known to the old policy alone; the new one is asked without it") }
    }
    if !it.request.ended.isEmpty {
      let periods = it.request.ended.map { harmless($0) }.joined(separator: " and ")
      add("only once \(periods) \(it.request.ended.count == 1 ? "has" : "have") ended")
    }
    if it.isHalted { add("only while the operator is stopped") }
    let request = text(it, one.name)
    if isAskable(it, request) {
      let policy = one.presence == .onlyInOld || !it.onlyInOld.isEmpty ? (flags.old, old) : (flags.new, new)
      let command = "licet check \(policy.0) \(RequestText.quoted(policy.1)) \(request.flags)"
      add(style.paint(harmless(command, unicode: style.unicode), .dim))
    } else {
      add(style.paint(harmless(request.json.compact, unicode: style.unicode), .dim))
      if !request.isAskable {
        add(style.paint("where null is a NaN or an infinity, which only the bus and the library can say", .dim))
      }
    }
    return lines
  }

  private func title(_ it: Difference) -> String { it.name + (it.coversBelow ? " and below" : "") }

  private func also(_ names: [String]) -> String {
    let shown = names.prefix(6).joined(separator: ", ")
    return "and \(shown)" + (names.count > 6 ? " and \(names.count - 6) more" : "")
  }

  private func effect(_ effect: Effect, _ style: Style) -> String {
    style.paint(effect.name, .bold, effect == .allow ? .green : effect == .ask ? .yellow : .red)
  }

  /// `isMissing`: the operator isn't in this policy.
  private func decider(
    _ outcome: Difference.Outcome, _ it: Difference, _ isMissing: Bool, _ style: Style
  ) -> String {
    let decided = outcome.decidedBy
    var text = decided.rank.name
    switch decided.cause {
    case .halt: text = isMissing ? "nothing in force" : "the stop"
    case .dial: text = "the dial"
    case .suspicion, .session: text = decided.cause.name
    case .none: break
    }
    if let statement = decided.statement, decided.rank != .oversight || statement.form != .builtIn {
      let place = statement.form == .builtIn ? "built in" : harmless(statement.place, unicode: style.unicode)
      text += " " + style.paint(place, .blue)
    }
    if decided.behavior != it.name { text += " (for \(decided.behavior))" }
    return text
  }

  private var nothing: String {
    switch only {
    case nil: "no decision changes"
    case .loosened: "nothing is loosened"
    case .tightened: "nothing is tightened"
    case .obligations: "no obligations change without their effect"
    }
  }

  private func conclusion(_ style: Style) -> [String] {
    let searched = found.names - found.equalByContent
    var lines: [String] = []
    let left = found.operators.flatMap { one in one.notExhaustive.map { (one.name, $0) } }
    if found.isEmpty {
      lines.append(
        found.isProved
          ? style.paint(nothing, .green)
          : style.paint("no difference found", .yellow) + ", which is no proof: not everything could be searched")
    }
    if searched == 0 {
      lines.append("\(found.names) names, all equal in content")
    } else {
      lines.append(
        "\(found.equalByContent) of \(found.names) names equal in content, \(found.requests) requests decided for the others"
      )
    }
    if !left.isEmpty {
      let names = Set(left.map(\.1)).sorted(by: BehaviorName.precedes)
      let shown = names.prefix(8).joined(separator: ", ") + (names.count > 8 ? " and \(names.count - 8) more" : "")
      lines.append(
        found.isEmpty ? "not searched through: \(shown)" : "not searched through, so more may change: \(shown)")
    }
    if !apart.isEmpty { lines.append("different as well, but no decision: \(apart.joined(separator: "; "))") }
    return lines
  }
}

private let indent = String(repeating: " ", count: 22)

extension OperatorDifferences {
  fileprivate var isEmpty: Bool { differences.isEmpty && presence == .both }
  fileprivate var isQuiet: Bool { isEmpty && notExhaustive.isEmpty }

  fileprivate func tells(theSameAs other: OperatorDifferences) -> Bool {
    presence == other.presence && differences.count == other.differences.count
      && zip(differences, other.differences).allSatisfy {
        $0.name == $1.name && $0.old.effect == $1.old.effect && $0.isAlike($1)
          && $0.request.attributes == $1.request.attributes && $0.request.ended == $1.request.ended
          && $0.request.counters == $1.request.counters && $0.request.suspicion == $1.request.suspicion
      }
  }
}

extension Difference {
  /// The same from the same statements to the same ones.
  fileprivate func isAlike(_ other: Difference) -> Bool {
    let isSame = old.effect == new.effect && other.old.effect == other.new.effect
    return (isSame || (old.effect == other.old.effect && new.effect == other.new.effect))
      && lost == other.lost && gained == other.gained
      && isHalted == other.isHalted && request.ended == other.request.ended
      && (isSame
        || (old.decidedBy.isAlike(other.old.decidedBy) && new.decidedBy.isAlike(other.new.decidedBy)))
  }
}

extension Difference.Outcome {
  fileprivate var isCapped: Bool { decidedBy.cause == .dial }
}

extension DecidedBy {
  fileprivate func isAlike(_ other: DecidedBy) -> Bool { rank == other.rank && statement == other.statement }
}
