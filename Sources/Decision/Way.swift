// The way: who could turn a refusal into `allow`, by which smallest change (DESIGN §1). Found by deciding again with
// changes supposed: at most 2^5 decisions, and only when asked for.

public import PolicyImage

/// The lowest layer such that the best choices of all layers up to it, everything else fixed, give `allow`.
public enum WayBy: UInt8, Sendable {
  /// It is allowed already.
  case notNeeded = 0
  case user = 1
  case `operator` = 2
  case platform = 3
  /// An absolute: nobody.
  case nobody = 4
}

/// A way out of a refusal. For an `ask`, an overseer's approval comes before all of it.
public struct Way {
  public var by: WayBy
  /// The fewest changes that give `allow`; empty for `notNeeded` and `nobody`.
  public var changes: Changes
  /// For each change, in the order of its bits, what decides while that one alone is missing.
  public var missing: (Decision?, Decision?, Decision?, Decision?, Decision?, Decision?)

  public init(
    by: WayBy, changes: Changes, missing: (Decision?, Decision?, Decision?, Decision?, Decision?, Decision?)
  ) {
    (self.by, self.changes, self.missing) = (by, changes, missing)
  }
}

/// Finds the way for these behaviours; nil for none at all. A halt is ended by whoever runs the platform. Same contract
/// as `decide`.
public func way(
  _ policy: Policy, _ frame: inout Frame, behaviors: UnsafeBufferPointer<Name>, preference: Effect? = nil,
  isHalted: Bool = false
) -> Way? {
  let search = WaySearch(
    engine: Engine(policy, frame), behaviors: behaviors, preference: preference, isHalted: isHalted)
  guard search.decide(0, &frame) != nil else { return nil }
  return search.run(&frame)
}

private struct WaySearch {
  let engine: Engine
  let behaviors: UnsafeBufferPointer<Name>
  let preference: Effect?
  let isHalted: Bool

  static let user: UInt8 = 0b00001
  static let `operator`: UInt8 = 0b00110
  static let platform: UInt8 = 0b11000
  /// Without this one nothing else helps.
  var halt: UInt8 { isHalted ? Changes.halt.rawValue : 0 }

  func decide(_ changes: UInt8, _ frame: inout Frame) -> Decision? {
    engine.decide(
      behaviors, Wish(preference: preference, changes: Changes(rawValue: changes), isHalted: isHalted), &frame)
  }

  func allows(_ changes: UInt8, _ frame: inout Frame) -> Bool { decide(changes, &frame)?.effect == .allow }

  func run(_ frame: inout Frame) -> Way {
    if allows(0, &frame) { return way(.notNeeded, 0, &frame) }
    if allows(Self.user, &frame) { return way(.user, Self.user, &frame) }
    let upToOperator = Self.user | Self.operator
    if allows(upToOperator, &frame) { return way(.operator, fewest(upToOperator, Self.operator, &frame), &frame) }
    let all = upToOperator | Self.platform | halt
    if allows(all, &frame) { return way(.platform, fewest(all, Self.platform | halt, &frame), &frame) }
    return way(.nobody, 0, &frame)
  }

  /// The smallest set within `all` that has one of `needed` and allows; of equals the one that asks least of higher
  /// layers: an operator's own change touches fewer people than the platform's.
  private func fewest(_ all: UInt8, _ needed: UInt8, _ frame: inout Frame) -> UInt8 {
    var best = all
    var candidate: UInt8 = 1
    while candidate < all {
      if candidate & ~all == 0, candidate & needed != 0, candidate & halt == halt,
        candidate.nonzeroBitCount < best.nonzeroBitCount,
        allows(candidate, &frame)
      {
        best = candidate
      }
      candidate &+= 1
    }
    return best
  }

  private func way(_ by: WayBy, _ changes: UInt8, _ frame: inout Frame) -> Way {
    func missing(_ bit: UInt8, _ frame: inout Frame) -> Decision? {
      changes & bit == 0 ? nil : decide(changes & ~bit, &frame)
    }
    return Way(
      by: by, changes: Changes(rawValue: changes),
      missing: (
        missing(1, &frame), missing(2, &frame), missing(4, &frame), missing(8, &frame), missing(16, &frame),
        missing(32, &frame)
      ))
  }
}
