// The property of DESIGN §2.12 that speaks of periods.

import Oracle
import PolicyImage
import PolicyLanguage
import TestKit

extension Checks {
  // MARK: P12

  /// Each period that runs ends, alone; and each that has ended is reinstated.
  static func runningPeriodsNeverLooser(
    _ one: Trial.Case, _ evaluator: Evaluator, _ answer: Evaluator.Answer
  ) throws -> String? {
    for period in one.policy.periods {
      var (running, ended) = (one.request, one.request)
      running.ended.remove(period)
      ended.ended.insert(period)
      let (before, after) = (try answer(running), try answer(ended))
      if before.isLooser(than: after) {
        return "while \(period) runs \(before.summary), once it has ended \(after.summary)"
      }
    }
    return nil
  }
}
