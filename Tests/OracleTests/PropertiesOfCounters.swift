// What DESIGN §2.12 says of failures (P5, P16), of counters: one that isn't known is as strict as the strictest that it could be.

import Oracle
import PolicyImage
import PolicyLanguage
import TestKit

extension Checks {
  /// Each counter alone: not known, and known to be this or that.
  static func unknownCountersNeverLoosen(
    _ one: Trial.Case, _ evaluator: Evaluator, _ answer: Evaluator.Answer
  ) throws -> String? {
    for counter in one.policy.counters {
      var request = one.request
      request.attributes["counter.\(counter.name)"] = nil
      let unknown = try answer(request)
      for value in [Int64(0), 1, 4, 6, 21, 101, .max] {
        request.attributes["counter.\(counter.name)"] = .int(value)
        let known = try answer(request)
        if unknown.isLooser(than: known) {
          return "with \(counter.name) not known \(unknown.summary), with \(value) \(known.summary)"
        }
      }
    }
    return nil
  }
}
