// `licet behaviors`: what can be asked about, as a tree, with who may change what.

import ArgumentParser
import Consultation
import Offline
import PolicyImage
import PolicyLanguage

struct Behaviors: LicetCommand {
  static let configuration = CommandConfiguration(
    abstract: "List the behaviours as a tree: default, who may change it, absolutes, titles, clauses.")

  @OptionGroup var policy: PolicyOptions
  @Argument(help: "Show these and what is below them; all, when left out.")
  var names: [String] = []
  @OptionGroup var format: FormatOptions

  func perform() throws(CommandError) -> Int32 {
    let source = try policy.source()
    let policy = try source.requirePolicy()
    let entries = try select(policy.behaviors.filter(\.isDeclared))
    if format.json {
      Output.line(json(policy, entries, source.set?.platform).pretty)
    } else {
      Output.text(BehaviorTree(style: .detected(), platform: source.set?.platform).page(entries, policy.identity))
    }
    return 0
  }

  private func select(_ entries: [BehaviorEntry]) throws(CommandError) -> [BehaviorEntry] {
    for name in names where !entries.contains(where: { BehaviorName.covers(name, $0.name) }) {
      throw CommandError(
        .badName, "no behaviour `\(harmless(name))` is declared, nor one below it", at: "behavior",
        hint: suggestion(for: name, in: entries.map(\.name)))
    }
    return names.isEmpty ? entries : entries.filter { entry in names.contains { BehaviorName.covers($0, entry.name) } }
  }

  private func json(_ policy: OfflinePolicy, _ entries: [BehaviorEntry], _ platform: Platform?) -> JSON {
    .fields([
      "platform": .string(policy.identity.name), "unknown": .string(policy.identity.unknown.name),
      "behaviors": .array(
        entries.map { entry in
          let declared = platform?.behaviors[entry.name]
          return .fields([
            "name": .string(entry.name), "title": .optional(declared?.title),
            "default": .string(entry.choice.default.name),
            "operators_may": .string(entry.choice.operatorsMay.name),
            "users_may": .string(entry.choice.usersMay.name), "hardcoded": .optional(entry.absolute.name),
            "stakes": .double(entry.stakes), "clause": .optional(entry.clause(declared)),
            "statement": .optional(entry.declaration?.place),
          ])
        }),
      "attributes": .array(
        policy.attributes.map {
          .fields(["name": .string($0.name), "type": .string($0.type.text), "verified": .bool($0.isVerified)])
        }),
    ])
  }
}

extension Absolute {
  var name: String? {
    switch self {
    case .none: nil
    case .off: "off"
    case .on: "on"
    }
  }
}

extension BehaviorEntry {
  /// What its own declaration cites; an inherited declaration's clause is its ancestor's.
  fileprivate func clause(_ declared: Behavior?) -> String? {
    declared?.clause ?? (declaration?.behavior == name ? declaration?.clause : nil)
  }
}

private struct BehaviorTree {
  let style: Style
  let platform: Platform?

  func page(_ entries: [BehaviorEntry], _ identity: (name: String, unknown: Effect)) -> String {
    let rows = entries.map(row)
    let width = rows.map(\.name.count).max() ?? 0
    var lines = ["platform \(identity.name); what nobody declared: \(identity.unknown.name)", ""]
    for (row, entry) in zip(rows, entries) {
      let padding = String(repeating: " ", count: width - row.name.count)
      let ink: Style.Ink = row.effect == "allow" || row.effect == "on" ? .green : row.effect == "ask" ? .yellow : .red
      let effect = style.paint(row.effect, ink) + String(repeating: " ", count: 7 - row.effect.count)
      var line = "\(row.name)\(padding)  \(effect)\(row.may)"
      if let text = about(entry) { line += String(repeating: " ", count: max(2, 34 - row.may.count)) + text }
      while line.last == " " { line.removeLast() }
      lines.append(line)
    }
    return lines.joined(separator: "\n") + "\n"
  }

  /// Indented by how deep it stands, with the full name: one can search for it.
  private func row(_ entry: BehaviorEntry) -> (name: String, effect: String, may: String) {
    let depth = entry.name.count { $0 == "." }
    let name = String(repeating: "  ", count: depth) + entry.name
    if let absolute = entry.absolute.name { return (name, absolute, "hard-coded, nobody can change it") }
    let choice = entry.choice
    var may: [String] = []
    if choice.operatorsMay > choice.default { may.append("operators up to \(choice.operatorsMay.name)") }
    if choice.usersMay > choice.default { may.append("users up to \(choice.usersMay.name)") }
    return (name, choice.default.name, may.isEmpty ? "only the platform loosens it" : may.joined(separator: ", "))
  }

  private func about(_ entry: BehaviorEntry) -> String? {
    let declared = platform?.behaviors[entry.name]
    let title = declared?.title.map { harmless($0, unicode: style.unicode) }
    let clause = entry.clause(declared).map { style.paint("[\(harmless($0, unicode: style.unicode))]", .blue) }
    let parts = [title, clause].compactMap { $0 }
    return parts.isEmpty ? nil : parts.joined(separator: " ")
  }
}
