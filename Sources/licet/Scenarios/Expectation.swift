// What a scenario expects, and how an answer differs from it.

import Decision
import Consultation
import Offline
import PolicyImage
import PolicyLanguage

/// Fields that are nil are not looked at.
struct Expectation: Sendable {
  var effect: Effect?
  /// Exactly these, sorted.
  var obligations: [String]?
  var tier: String?
  var clause: String?
  var file: String?
  var behavior: String?
  /// A layer ("user", "operator", "platform", "nobody"), or "authorities" or "wait"; "none": no way, because it is allowed.
  var way: String?
  /// The request is refused with this code.
  var error: String?

  static let ways = ["user", "operator", "platform", "nobody", "authorities", "wait", "none"]

  /// `expect: allow`, or a mapping.
  init(_ value: YAMLValue) throws(CommandError) {
    if value.text != nil {
      effect = try Expectation.effect(value)
      return
    }
    let fields = try ScenarioFields(value, "`expect`", ["effect", "obligations", "decided-by", "way", "error"])
    if let value = fields["effect"] { effect = try Expectation.effect(value) }
    obligations = try fields["obligations"]?.strings("obligations").sorted()
    if let value = fields["way"] { way = try Expectation.way(value) }
    if let value = fields["error"] { error = try Expectation.error(value) }
    if let value = fields["decided-by"] {
      let decided = try ScenarioFields(value, "`decided-by`", ["tier", "clause", "file", "behavior"])
      tier = decided["tier"]?.text
      clause = decided["clause"]?.text
      file = decided["file"]?.text
      behavior = decided["behavior"]?.text
    }
  }

  private static func effect(_ value: YAMLValue) throws(CommandError) -> Effect {
    do throws(CommandError) {
      return try Effect(named: value.text ?? "", at: value.place)
    } catch {
      throw CommandError(.badScenario, error.message, at: value.place)
    }
  }

  private static func way(_ value: YAMLValue) throws(CommandError) -> String {
    if case .null = value.content { return "none" }
    guard let text = value.text, ways.contains(text) else {
      throw CommandError(.badScenario, "`way` is one of \(ways.joined(separator: ", "))", at: value.place)
    }
    return text
  }

  private static func error(_ value: YAMLValue) throws(CommandError) -> String {
    let text = value.text ?? ""
    guard CommandError.Code(rawValue: text) == nil else { return text }
    throw CommandError(
      .badScenario, "`\(harmless(text))` is no error's code", at: value.place,
      hint: suggestion(for: text, in: CommandError.Code.allCases.map(\.rawValue)))
  }

  /// What an answer has otherwise, a sentence each.
  func mismatches(_ answer: Answer) -> [String] {
    var found: [String] = []
    func compare(_ what: String, _ expected: String?, _ actual: String?) {
      guard let expected, expected != actual else { return }
      found.append("expected \(what) \(expected), got \(actual ?? "none")")
    }
    if let error { found.append("expected the error \(error), got a decision") }
    compare("the effect", effect?.name, answer.effect.name)
    compare("the obligations", obligations.map(Expectation.list), Expectation.list(answer.obligations))
    compare("the tier", tier, answer.decidedBy.rank.name)
    compare("the clause", clause, answer.decidedBy.statement?.clause)
    compare("a statement in", file, answer.decidedBy.statement?.file)
    compare("the deciding behaviour", behavior, answer.decidedBy.behavior)
    compare("the way", way, answer.way?.by.name ?? "none")
    return found
  }

  private static func list(_ names: [String]) -> String { "[\(names.joined(separator: ", "))]" }
}
