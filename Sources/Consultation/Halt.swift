// Why an operator is halted, in words: what stands behind a decision by oversight (DESIGN §2.2, step 5).

/// One halt; each that there is has to end.
public struct Halt: Hashable, Sendable {
  /// Stable names, on the bus and in JSON.
  public enum Kind: String, Sendable, CaseIterable {
    /// `licet stop --operator`.
    case operatorStop = "operator-stop"
    /// `licet stop --all`.
    case allStop = "all-stop"
    /// The operator has no policy in force, or, without its name, the platform has none.
    case noPolicy = "no-policy"
  }
  public var kind: Kind
  /// Empty where everyone is meant.
  public var operatorName: String
  /// Seconds since 1970; nil: not known.
  public var since: Int64?
  /// The user id that stopped; nil: not known.
  public var by: UInt32?

  /// A halt; who and when as far as they are known.
  public init(_ kind: Kind, operator name: String = "", since: Int64? = nil, by: UInt32? = nil) {
    (self.kind, operatorName, self.since, self.by) = (kind, name, since, by)
  }
}
