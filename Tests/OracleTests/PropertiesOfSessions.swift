// The properties of DESIGN §2.12 that speak of sessions, and of suspicion (DESIGN §2.4).

import Oracle
import PolicyImage
import PolicyLanguage
import TestKit

extension Checks {
  // MARK: P4

  /// A delegate with any terms, of a session at any depth or of one without any terms, asks for the same. Its parent asks as
  /// its delegate has to: on its own initiative, or on untrusted text's say.
  static func delegatesNeverHaveMore(_ one: Trial.Case, _: Evaluator, _ answer: Evaluator.Answer) throws -> String? {
    var random = one.random
    var parent = one.request
    if parent.session.isEmpty { parent.session = [OracleSessionLevel()] }
    var child = parent
    child.session.append(random.chance(10) ? OracleSessionLevel() : one.policy.sessionLevel(&random))
    if parent.source != .untrusted { parent.source = .agent }
    let decisions = (try answer(child), try answer(parent))
    guard decisions.0.isLooser(than: decisions.1) else { return nil }
    return "\(decisions.0.summary) for \(child.session), \(decisions.1.summary) for its parent"
  }

  // MARK: suspicion

  /// Who is more suspect gets no more.
  static func suspicionNeverLoosens(_ one: Trial.Case, _: Evaluator, _ answer: Evaluator.Answer) throws -> String? {
    var random = one.random
    var (less, more) = (one.request, one.request)
    less.suspicion = random.chance(30) ? 0 : UInt32(random.below(7000))
    more.suspicion = less.suspicion + UInt32(random.below(5000))
    let decisions = (try answer(more), try answer(less))
    return decisions.0.isLooser(than: decisions.1)
      ? "\(decisions.0.summary) at \(more.suspicion), \(decisions.1.summary) at \(less.suspicion)" : nil
  }
}
