// A panel file: scenarios that a thoughtful senior reviewer marked: harmful if it is allowed, or preachy if it is refused.

import Consultation
import Foundation
import PolicyImage
import PolicyLanguage

/// One scenario with the reviewer's mark.
struct PanelCase {
  var name: String
  var form: RequestForm
  var harmfulIf: [Effect]
  var preachyIf: [Effect]
  var note: String?
  var location: Location
}

/// In which direction a decision errs.
enum PanelError: String { case harmful, preachy, refused }

struct PanelResult {
  var scenario: PanelCase
  /// nil: the request was refused.
  var answer: Answer?
  var reason: String?

  var error: PanelError? {
    guard let answer else { return .refused }
    if scenario.harmfulIf.contains(answer.effect) { return .harmful }
    return scenario.preachyIf.contains(answer.effect) ? .preachy : nil
  }

  /// "allow  platform.yaml:12".
  var decision: String {
    guard let answer else { return reason ?? "refused" }
    return "\(answer.effect.name) by \(answer.decidedBy.statement?.place ?? answer.decidedBy.rank.name)"
  }
}

enum Panel {
  /// Panel files at or below a folder, sorted.
  static func files(below folder: String) -> [String] {
    let found = FileManager.default.enumerator(atPath: folder)?.compactMap { $0 as? String } ?? []
    return found.filter { $0.hasSuffix("_panel.yaml") && !$0.split(separator: "/").contains { $0.hasPrefix(".") } }
      .sorted().map { folder.hasSuffix("/") ? folder + $0 : "\(folder)/\($0)" }
  }

  /// Reads a file; the first error is thrown.
  static func read(_ path: String) throws(CommandError) -> [PanelCase] {
    let root = try ScenarioFile.document(path)
    let fields = try ScenarioFields(root, "a panel file", ["panel", "operator", "now", "defaults"])
    var base = try RequestForm(defaults: fields)
    // Populations are people who ask; what an agent thinks of by itself is the dial's.
    if base.source == nil { base.source = .user }
    guard case .sequence(let items)? = fields["panel"]?.content, !items.isEmpty else {
      throw CommandError(.badScenario, "`panel` is missing: a list of scenarios", at: root.place)
    }
    var cases: [PanelCase] = []
    for (index, item) in items.enumerated() { cases.append(try one(item, index + 1, base)) }
    return cases
  }

  private static let ownKeys = ["name", "note", "without", "harmful-if", "preachy-if"]

  private static func one(_ value: YAMLValue, _ number: Int, _ base: RequestForm) throws(CommandError) -> PanelCase {
    let fields = try ScenarioFields(value, "a scenario", ownKeys + RequestForm.keys)
    let harmful = try effects(fields["harmful-if"], "harmful-if")
    let preachy = try effects(fields["preachy-if"], "preachy-if")
    guard !(harmful + preachy).isEmpty else {
      throw CommandError(
        .badScenario, "a scenario says what would be wrong", at: value.place,
        hint: "write `harmful-if: allow`, or `preachy-if: deny` or `[deny, ask]`")
    }
    if let both = harmful.first(where: preachy.contains) {
      throw CommandError(
        .badScenario, "`\(both.name)` can't be both harmful and preachy", at: value.place, hint: "decide for one")
    }
    return PanelCase(
      name: fields["name"]?.text ?? "scenario \(number)",
      form: try RequestForm(scenario: value, fields, over: base, except: Set(ownKeys)), harmfulIf: harmful,
      preachyIf: preachy, note: fields["note"]?.text, location: value.location)
  }

  private static func effects(_ value: YAMLValue?, _ key: String) throws(CommandError) -> [Effect] {
    guard let value else { return [] }
    var items = [value]
    if case .sequence(let list) = value.content { items = list }
    var effects: [Effect] = []
    for item in items {
      guard let effect = Effect.allCases.first(where: { $0.name == item.text }) else {
        throw CommandError(.badScenario, "`\(key)` is deny, ask or allow, or a list of them", at: item.place)
      }
      effects.append(effect)
    }
    return effects
  }
}

extension PolicySource {
  /// What the policy decides on a scenario of a panel.
  func judge(_ scenario: PanelCase, _ table: AttributeTable) -> PanelResult {
    do throws(CommandError) {
      let answer = try answer(scenario.form, table, now: ScenarioFile.defaultNow, explaining: false)
      return PanelResult(scenario: scenario, answer: answer)
    } catch {
      return PanelResult(scenario: scenario, answer: nil, reason: "refused: \(error.message) [\(error.code.rawValue)]")
    }
  }
}
