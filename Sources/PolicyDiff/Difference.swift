/// PolicyDiff: which decisions change between two policies, each with a request that shows it (docs/design/diff.md). Decides
/// with Decision alone, on both images. May import Offline, PolicyLanguage, Consultation, Decision, CEL, PolicyImage; no
/// Foundation.
///
/// This file: what comes out.

public import Consultation
public import PolicyImage

/// One decision that changes: for a name, from what to what, with the smallest request found that shows it.
public struct Difference: Sendable {
  public struct Outcome: Hashable, Sendable {
    public var effect: Effect
    /// Sorted.
    public var obligations: [String]
    public var decidedBy: DecidedBy
  }

  /// Where it goes (DESIGN §1: looser is a higher effect, or the same effect with an obligation missing).
  public enum Direction: String, Sendable, CaseIterable {
    case loosened, tightened
    /// The same effect with obligations missing and others new: in part the one, in part the other.
    case changed
  }

  public var old: Outcome
  public var new: Outcome
  /// With one behaviour. `now` counts only if `readsTime`.
  public var request: Request
  public var readsTime: Bool
  /// The decision changes only while whoever asks is stopped.
  public var isHalted: Bool
  /// Attributes, counters (`counter.NAME`) and ended periods of the request that one of the two policies doesn't take: it is asked without them.
  public var onlyInOld: [String] = []
  public var onlyInNew: [String] = []
  /// Nothing that lies below the name is declared, and it is the same for whatever lies there.
  public var coversBelow: Bool

  public var name: String { request.behaviors.first ?? "" }
  /// Obligations that are gone, and that are new.
  public var lost: [String] { old.obligations.filter { !new.obligations.contains($0) } }
  public var gained: [String] { new.obligations.filter { !old.obligations.contains($0) } }

  public var direction: Direction {
    if new.effect != old.effect { return new.effect > old.effect ? .loosened : .tightened }
    if lost.isEmpty { return .tightened }
    return gained.isEmpty ? .loosened : .changed
  }
  /// By DESIGN §1, if only in part: what somebody who guards a policy has to look at.
  public var isLooser: Bool {
    new.effect > old.effect || (new.effect == old.effect && !lost.isEmpty)
  }
}

/// Whether an operator is in both policies.
public enum Presence: String, Sendable { case both, onlyInOld = "only-in-old", onlyInNew = "only-in-new" }

/// What changes for one operator.
public struct OperatorDifferences: Sendable {
  /// nil: an operator that states nothing, where neither policy has any operator.
  public var name: String?
  public var presence: Presence
  /// Worst first.
  public var differences: [Difference] = []
  /// Names for which more may change than was found: the search could not go through everything.
  public var notExhaustive: [String] = []
}

/// An attribute of both policies that only the authority gives in one of them, and whoever asks in the other: what a request
/// may claim changes, if nothing else.
public struct ClaimDifference: Hashable, Sendable {
  public var attribute: String
  /// Now whoever asks says what it is.
  public var isLooser: Bool
  public var direction: Difference.Direction { isLooser ? .loosened : .tightened }
}

/// A period or counter of both policies that ends, or counts, in another way, or suspicion that decays in another: no decision changes for what it comes to, but
/// what it comes to may, in either direction.
public struct TermsDifference: Hashable, Sendable {
  public enum Kind: String, CaseIterable, Sendable { case period, counter, suspicion }
  public var kind: Kind
  public var name: String
  /// As it is explained; the same where only an authority's key changes.
  public var old: String
  public var new: String
}

/// What a comparison came to.
public struct PolicyDifferences: Sendable {
  /// By attribute.
  public var claims: [ClaimDifference] = []
  /// Periods, then counters, by name, then suspicion.
  public var terms: [TermsDifference] = []
  public var operators: [OperatorDifferences] = []
  /// Names looked at, those among them that are the same by what stands in the policies, and requests decided.
  public var names = 0
  public var equalByContent = 0
  public var requests = 0

  public var isEmpty: Bool {
    claims.isEmpty && terms.isEmpty && operators.allSatisfy { $0.differences.isEmpty && $0.presence == .both }
  }
  /// Nothing else can change: every name was compared by content or searched through.
  public var isProved: Bool { operators.allSatisfy(\.notExhaustive.isEmpty) }
}
