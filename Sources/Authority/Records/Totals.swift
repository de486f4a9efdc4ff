// How much was decided: the daemon's own decisions (observed) and those of attached processes (asserted).

public import PolicyImage

/// Decisions of one operator, by effect.
public struct EffectCounts: Hashable, Sendable {
  public var deny: UInt64 = 0
  public var ask: UInt64 = 0
  public var allow: UInt64 = 0
  /// None.
  public init() {}

  public var sum: UInt64 { deny &+ ask &+ allow }

  public subscript(effect: Effect) -> UInt64 {
    get {
      switch effect {
      case .deny: deny
      case .ask: ask
      case .allow: allow
      }
    }
    set {
      switch effect {
      case .deny: deny = newValue
      case .ask: ask = newValue
      case .allow: allow = newValue
      }
    }
  }

  static func += (a: inout EffectCounts, b: EffectCounts) {
    a.deny &+= b.deny
    a.ask &+= b.ask
    a.allow &+= b.allow
  }
}

/// What is known of one operator's decisions, since the state folder was made.
public struct OperatorTotals: Hashable, Sendable {
  /// Decided by the daemon.
  public var observed = EffectCounts()
  /// Decided in an attached process, counted or recorded.
  public var asserted = EffectCounts()
  /// Asserted records that came out otherwise when they were decided again.
  public var differing: UInt64 = 0
  /// Asserted records and counts of a generation that is not in memory any more: not decided again.
  public var underived: UInt64 = 0
  /// Decided in a process that had lost the authority: by no policy, and recorded by nobody.
  public var lost: UInt64 = 0
  /// None.
  public init() {}

  var isEmpty: Bool { self == OperatorTotals() }

  /// Adds every number.
  public static func += (a: inout OperatorTotals, b: OperatorTotals) {
    a.observed += b.observed
    a.asserted += b.asserted
    a.differing &+= b.differing
    a.underived &+= b.underived
    a.lost &+= b.lost
  }
}

/// By operator.
public struct Totals: Hashable, Sendable {
  public var operators: [String: OperatorTotals] = [:]
  /// None.
  public init() {}

  /// All of them together.
  public var sum: OperatorTotals { operators.values.reduce(into: OperatorTotals()) { $0 += $1 } }

  /// Operators that are told apart: requests can't make this grow, but clients may name any as long as there is no policy.
  static let maximum = 100_000

  public mutating func add(_ name: String, _ more: OperatorTotals) {
    let key = operators[name] != nil || operators.count < Totals.maximum ? name : ""
    operators[key, default: OperatorTotals()] += more
  }
}
