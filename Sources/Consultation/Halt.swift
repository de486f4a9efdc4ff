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
    /// The session, or one that it was delegated by, was stopped; its time is over; what it may cost is spent.
    case sessionStop = "session-stop"
    case sessionExpired = "session-expired"
    case sessionSpent = "session-spent"
  }
  public var kind: Kind
  /// It halts one session, and another one can be opened.
  public var isOfSession: Bool { kind == .sessionStop || kind == .sessionExpired || kind == .sessionSpent }
  /// Empty where everyone is meant.
  public var operatorName: String
  /// The session that is halted, this one or one that it was delegated by; empty: no session alone.
  public var session: String
  /// Seconds since 1970; nil: not known.
  public var since: Int64?
  /// The user id that stopped; nil: not known.
  public var by: UInt32?

  /// A halt; who and when as far as they are known.
  public init(
    _ kind: Kind, operator name: String = "", session: String = "", since: Int64? = nil, by: UInt32? = nil
  ) {
    (self.kind, operatorName, self.session, self.since, self.by) = (kind, name, session, since, by)
  }
}
