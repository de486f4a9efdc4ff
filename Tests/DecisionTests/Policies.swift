// A platform and one operator in a few lines of YAML, asked.

import Foundation
import Consultation
import Offline
import PolicyImage
import PolicyLanguage
import Testing

/// Behaviours and rules as YAML, with what every example shares around them.
struct Asked {
  let policy: OfflinePolicy

  static let attributes =
    "attributes: {user: {adult: bool, role: {enum: [guest, member]}}, request: {n: int, d: double, tags: list<string>}}"

  /// `behaviors`, `rules` and `own` (the operator's rules) and `grants` are items of their YAML lists, a line each.
  init(
    unknown: String = "deny", behaviors: [String] = [], rules: [String] = [], own: [String] = [], grants: [String] = [],
    dial: String? = nil, ownDial: Double? = nil
  ) throws {
    func list(_ key: String, _ items: [String], _ mark: String) -> String {
      items.isEmpty ? "" : "\(key):\n" + items.map { "  \(mark)\($0)\n" }.joined()
    }
    let platform =
      "licet: 1\nlayer: platform\nname: p\nunknown: \(unknown)\n\(Self.attributes)\n"
      + (dial.map { "dial: {\($0)}\n" } ?? "")
      + list("behaviors", behaviors, "") + list("rules", rules, "- ")
    let op =
      "licet: 1\nlayer: operator\nname: op\n" + (ownDial.map { "dial: \($0)\n" } ?? "") + list("rules", own, "- ")
      + list("grants", grants, "- ")
    let loaded = openPolicy([
      SourceFile(path: "platform.yaml", bytes: Array(platform.utf8)),
      SourceFile(path: "operators.d/op.yaml", bytes: Array(op.utf8)),
    ])
    let errors = loaded.diagnostics.filter { $0.severity == .error }.map { "\($0.location.line): \($0.message)" }
    try #require(errors == [])
    policy = try #require(loaded.policy)
  }

  func request(
    _ behaviors: [String], _ attributes: [String: RequestValue] = [:], argument: String? = nil,
    preference: Effect? = nil, source: Source = .user, dial: Degree? = nil
  ) -> Request {
    Request(
      behaviors: behaviors, source: source, attributes: attributes, argument: argument, preference: preference,
      dial: dial, now: (1_767_225_600, 0))
  }

  func answer(
    _ behaviors: String..., given attributes: [String: RequestValue] = [:], argument: String? = nil,
    preference: Effect? = nil, by name: String? = "op"
  ) throws -> Answer {
    try policy.decide(
      request(behaviors, attributes, argument: argument, preference: preference), operator: name, explaining: true)
  }

  func effect(
    _ behaviors: String..., given attributes: [String: RequestValue] = [:], argument: String? = nil,
    preference: Effect? = nil, by name: String? = "op"
  ) throws -> Effect {
    let asked = request(behaviors, attributes, argument: argument, preference: preference)
    let answer = try policy.decide(asked, operator: name, explaining: true)
    // The trace's last word on each name, the strictest of them, is the decision.
    let names = Dictionary(answer.trace.map { ($0.behavior, $0.effect) }) { $1 }
    #expect(names.values.min() == answer.effect)
    #expect(try policy.prepare(asked, operator: name).run() == answer.effect)
    return answer.effect
  }
}
