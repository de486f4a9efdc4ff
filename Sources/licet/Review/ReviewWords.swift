// The sentences of a review, the same on a terminal, in JSON and on a page.

import Consultation
import Decision
import PolicyImage
import PolicyLanguage

enum ReviewWords {
  static func party(_ party: ReviewedParty) -> String { party.name ?? "the platform alone" }

  /// "1000 who ask", of whom is meant.
  static func people(_ finding: Finding) -> String {
    "\(finding.people) who ask\(finding.isAudience ? " (its own audience)" : "")"
  }

  static func number(_ millionths: Int128) -> String { decimalText(millionths) }

  /// Who decided it.
  static func decider(_ finding: Finding) -> String {
    let decided = finding.decidedBy
    return switch decided.rank {
    case .default:
      switch decided.statement?.form {
      case .audience: "the operator's audience"
      case .chosen: "the platform's population"
      default: "the platform's default"
      }
    case .setting: "the operator's setting"
    case .ceiling: "the operator's setting, cut down to the platform's ceiling"
    case .preference: "the user's preference"
    case .operatorTier: "the operator's limit"
    case .guideline, .ethics, .safety:
      "the platform's \(decided.statement?.kind == .duty ? "duty" : "limit") (\(decided.rank.name))"
    case .oversight: "oversight"
    case .absolute: "an absolute"
    }
  }

  /// Why it is so, in one line.
  static func reason(_ finding: Finding) -> String {
    let who = decider(finding)
    guard let best = finding.best else { return "\(who): no response keeps the bounds, so nothing good can be chosen" }
    let inForce = finding.response.map { "worth \(number($0.total)) in all" } ?? "for which no payoffs are stated"
    if finding.response?.response == best.response { return "\(who): \(inForce), the best response there is" }
    if let group = finding.response?.violated.first {
      return "\(who): \(inForce), but beyond the bound of each \(group); best is \(best.response.title), "
        + number(best.total)
    }
    return "\(who): \(inForce); best is \(best.response.title), worth \(number(best.total))"
  }

  /// Behaviours that an operator leaves as the platform has them, in a line; nil: none.
  static func unchanged(_ party: ReviewedParty) -> String? {
    guard !party.unchanged.isEmpty else { return nil }
    let names = party.unchanged.map { "\($0.behavior) (\($0.inForce))" }.joined(separator: ", ")
    return "As for the platform alone: \(names)."
  }

  static func nothing(_ party: ReviewedParty) -> String { party.unchanged.isEmpty ? "nothing" : "nothing of its own" }

  static func place(_ finding: Finding) -> String {
    let statement = finding.decidedBy.statement
    return (statement?.place ?? "no statement") + (statement?.clause.map { " [\($0)]" } ?? "")
  }

  static func error(_ error: PanelError) -> String {
    switch error {
    case .harmful: "harmful"
    case .preachy: "preachy"
    case .refused: "no answer"
    }
  }

  static func panel(_ review: Review) -> String {
    let harmful = review.errors.count { $0.error == .harmful }
    let preachy = review.errors.count { $0.error == .preachy }
    let refused = review.errors.count - harmful - preachy
    let parts = [(harmful, "harmful"), (preachy, "preachy"), (refused, "without an answer")].filter { $0.0 > 0 }
    let wrong = parts.map { "\($0.0) \($0.1)" }.joined(separator: ", ")
    let all = DiagnosticsText.count(review.panel.count, "scenario")
    return parts.isEmpty ? "\(all), none errs" : "\(all): \(wrong)"
  }

  static let harmTitle = "A reporter on AI harm would print"
  static let lossTitle = "A reporter on paternalism would print"
}
