// A review for programs. Fields are added, never renamed.

import Consultation
import PolicyImage
import PolicyLanguage

enum ReviewJSON {
  static func json(_ review: Review) -> JSON {
    .fields([
      "platform": .string(review.platform), "unweighed": .int(Int64(review.unweighed)),
      "parties": .array(
        review.parties.map {
          .fields([
            "operator": .optional($0.name), "harm": .array($0.harms.map(finding)),
            "loss": .array($0.losses.map(finding)),
            "behaviors": .array($0.findings.map(finding)), "unchanged": .strings($0.unchanged.map(\.behavior)),
          ])
        }),
      "panel": .fields([
        "scenarios": .int(Int64(review.panel.count)), "errors": .array(review.errors.map(result)),
      ]),
    ])
  }

  private static func finding(_ finding: Finding) -> JSON {
    .fields([
      "behavior": .string(finding.behavior), "effect": .string(finding.effect.name),
      "obligations": .strings(finding.obligations), "statement": .optional(finding.decidedBy.statement?.place),
      "tier": .string(finding.decidedBy.rank.name), "clause": .optional(finding.decidedBy.statement?.clause),
      "reason": .string(ReviewWords.reason(finding)), "conditional": .strings(finding.conditional),
      "people": .int(finding.people), "audience": .bool(finding.isAudience), "harm": number(finding.harm),
      "loss": number(finding.loss), "total": finding.response.map { number($0.total) } ?? .null,
      "best": .optional(finding.best?.response.title), "best_total": finding.best.map { number($0.total) } ?? .null,
      "groups": .array(
        finding.groups.map {
          .fields([
            "group": .string($0.name), "count": .int($0.count), "payoff": number($0.payoff), "best": number($0.best),
            "harm": number(finding.effect == .allow ? $0.harm : 0),
            "loss": number(finding.effect == .allow ? 0 : $0.loss),
          ])
        }),
      "responses": .array(
        finding.responses.map {
          .fields([
            "response": .string($0.response.title), "total": number($0.total), "violates": .strings($0.violated),
          ])
        }),
    ])
  }

  private static func result(_ result: PanelResult) -> JSON {
    .fields([
      "name": .string(result.scenario.name), "error": .string(result.error?.rawValue ?? ""),
      "decision": result.answer.map { AnswerJSON.json($0) }, "reason": result.reason.map(JSON.string),
      "note": .optional(result.scenario.note),
      "at": .string("\(result.scenario.location.file):\(result.scenario.location.line)"),
    ])
  }

  /// Whole numbers as such.
  private static func number(_ millionths: Int128) -> JSON {
    if millionths % 1_000_000 == 0, let whole = Int64(exactly: millionths / 1_000_000) { return .int(whole) }
    return .double(Double(PolicyLanguage.decimalText(millionths)) ?? 0)
  }
}
