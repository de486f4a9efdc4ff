// The way out of a refusal, in sentences (DESIGN §1): who could allow it, by which change.

import Decision
import Consultation
import Offline
import PolicyImage

enum WayText {
  /// One sentence a change, in the order of layers; for nobody, why.
  static func changes(_ way: (by: WayBy, steps: [WayStep])) -> [String] {
    switch way.by {
    case .notNeeded: []
    case .nobody: ["nobody can allow it: it is hard-coded"]
    case .user, .operator, .platform: way.steps.map(sentence)
    }
  }

  private static func sentence(_ step: WayStep) -> String {
    let name = step.instead.behavior
    let now = step.instead.statement.map { " (now \($0.place))" } ?? ""
    return switch step.kind {
    case .preference: "the user prefers `allow` for \(name)"
    case .setting: "the operator sets `allow: \(name)`\(now)"
    case .operatorLimit: "the operator lifts its limit on \(name)\(now)"
    case .choice: "the platform raises the default or the ceilings of \(name)\(now)"
    case .platformLimit: "the platform lifts its limit on \(name)\(now)"
    }
  }
}
