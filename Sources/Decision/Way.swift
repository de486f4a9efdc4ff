// The way: who could turn a refusal into `allow`, by which smallest change (DESIGN §1). Found by deciding again with
// changes supposed: a few dozen decisions, and only when asked for.

public import PolicyImage

/// The lowest layer such that the best choices of all layers up to it, everything else fixed, give `allow`.
public enum WayBy: UInt8, Sendable {
  /// It is allowed already.
  case notNeeded = 0
  case user = 1
  case `operator` = 2
  case platform = 3
  /// An absolute, or untrusted text: nobody.
  case nobody = 4
  /// The authorities that end periods, once they have the evidence: until then one waits.
  case authorities = 5
  /// Nobody: one waits until counters have fallen, or suspicion has decayed, with what else `changes` hold.
  case wait = 6
}

/// A way out of a refusal. For an `ask`, an overseer's approval comes before all of it.
public struct Way {
  public var by: WayBy
  /// The fewest changes that give `allow`; empty for `notNeeded` and `nobody`.
  public var changes: Changes
  /// For each change, in the order of its bits, what decides while that one alone is missing.
  public var missing:
    (
      Decision?, Decision?, Decision?, Decision?, Decision?, Decision?, Decision?, Decision?, Decision?, Decision?,
      Decision?, Decision?, Decision?
    )
  /// Where the dial is in the way, the most that is at stake; else zero.
  public var stakes = Degree.zero
  /// The platform's statement of the stakes that `changes` have it lower, or none.
  public var stakesStatement = ImageFormat.none
  /// The highest that `changes` let the dial become.
  public var dial = Degree.zero
  /// The source is `untrusted`, which nobody's choice makes an instruction.
  public var isUntrusted = false
  /// The fewest periods whose end the change `periods` means.
  public var periods: UInt64 = 0
  /// The fewest counters whose fall the change `counters` means.
  public var counters: UInt64 = 0

  init(
    by: WayBy, changes: Changes,
    missing: (
      Decision?, Decision?, Decision?, Decision?, Decision?, Decision?, Decision?, Decision?, Decision?, Decision?,
      Decision?, Decision?, Decision?
    )
  ) {
    (self.by, self.changes, self.missing) = (by, changes, missing)
  }

  /// The decider that the change of stakes mends: who states the stakes.
  public func stakesDecider(_ decider: Decider) -> Decider {
    var mended = decider
    mended.layer = stakesStatement == ImageFormat.none ? .none : .platform
    mended.statement = stakesStatement
    return mended
  }

  /// The decider that the fall of this counter mends: who says what it counts.
  public func counterDecider(_ decider: Decider, _ counter: Int, _ policy: Policy) -> Decider {
    var mended = decider
    mended.layer = .platform
    mended.statement = policy.platform.counter(counter).statement
    return mended
  }

  /// The decider that the end of this period mends: who says how it ends.
  public func periodDecider(_ decider: Decider, _ period: Int, _ policy: Policy) -> Decider {
    var mended = decider
    mended.layer = .platform
    mended.statement = policy.platform.period(period).statement
    return mended
  }

  /// The end of a halt by which everything is denied, or no change at all.
  public init(by: WayBy, halted: Decision?) {
    self.init(
      by: by, changes: halted == nil ? Changes(rawValue: 0) : .halt,
      missing: (nil, nil, nil, nil, nil, nil, nil, nil, halted, nil, nil, nil, nil))
  }
}

/// Finds the way for these behaviours; nil for none at all. A halt is ended by whoever runs the platform, one of the session
/// alone by who opens another one, and nobody's choice makes untrusted text an instruction. Same contract as `decide`.
public func way(
  _ policy: Policy, _ frame: inout Frame, behaviors: UnsafeBufferPointer<Name>, preference: Effect? = nil,
  isHalted: Bool = false, isSessionOver: Bool = false
) -> Way? {
  let mark = frame.arenaUsed
  defer { frame.arenaUsed = mark }
  var search = WaySearch(
    engine: Engine(policy, frame), ending: Engine(policy.ending(policy.platform.allPeriods), frame),
    fallen: FallenCounters(policy.platform, &frame, behaviors), behaviors: behaviors, preference: preference,
    isHalted: isHalted, isSessionOver: isSessionOver, hasSession: frame.session != nil,
    isSuspect: frame.suspicion != 0 && policy.platform.hasSuspicion)
  guard search.decide(0, &frame) != nil else { return nil }
  return search.run(&frame)
}

private struct WaySearch {
  let engine: Engine
  /// With the periods ended whose end is supposed.
  var ending: Engine
  /// With the counters fallen that one is supposed to wait for.
  var fallen: FallenCounters
  let behaviors: UnsafeBufferPointer<Name>
  let preference: Effect?
  let isHalted: Bool
  /// Nothing else halts it.
  let isSessionOver: Bool
  let hasSession: Bool
  let isSuspect: Bool

  /// The human side: what it prefers, and what the session that it opened may do.
  var user: UInt16 {
    Changes.preference.rawValue | Changes.sessionDial.rawValue | (hasSession ? Changes.session.rawValue : 0)
      | (isSessionOver ? halt : 0)
  }
  static let `operator` =
    Changes.settings.rawValue | Changes.operatorLimits.rawValue | Changes.operatorDial.rawValue
  static let platform = Changes.choice.rawValue | Changes.platformLimits.rawValue | Changes.stakes.rawValue
  /// Without this one nothing else helps.
  var halt: UInt16 { isHalted ? Changes.halt.rawValue : 0 }
  /// It passes.
  var suspicion: UInt16 { isSuspect ? Changes.suspicion.rawValue : 0 }

  @inline(never)
  func decide(_ changes: UInt16, _ frame: inout Frame) -> Decision? {
    let isWaiting = Changes(rawValue: changes).contains(.counters)
    if isWaiting { fallen.exchange(&frame) }
    defer { if isWaiting { fallen.exchange(&frame) } }
    return engine(Changes(rawValue: changes)).decide(
      behaviors, Wish(preference: preference, changes: Changes(rawValue: changes), isHalted: isHalted), &frame)
  }

  private func engine(_ changes: Changes) -> Engine { changes.contains(.periods) ? ending : engine }

  func allows(_ changes: UInt16, _ frame: inout Frame) -> Bool { decide(changes, &frame)?.effect == .allow }

  mutating func run(_ frame: inout Frame) -> Way {
    if allows(0, &frame) { return way(.notNeeded, 0, &frame) }
    if allows(user, &frame) { return way(.user, fewest(user, &frame), &frame) }
    let passing = (fallen.isSome ? Changes.counters.rawValue : 0) | suspicion
    if passing != 0, allows(user | passing, &frame) { return waiting(user | passing, &frame) }
    let upToOperator = user | Self.operator
    if allows(upToOperator, &frame) { return way(.operator, fewest(upToOperator, &frame), &frame) }
    if passing != 0, allows(upToOperator | passing, &frame) { return waiting(upToOperator | passing, &frame) }
    if engine.policy.platform.allPeriods & ~engine.policy.ended != 0 {
      var waiting = upToOperator | Changes.periods.rawValue
      var isEnough = allows(waiting, &frame)
      if !isEnough, passing != 0 {
        waiting |= passing
        isEnough = allows(waiting, &frame)
      }
      if isEnough {
        let changes = fewest(waiting, &frame)
        let periods = fewestPeriods(changes, &frame)
        let counters = fewestCounters(changes, &frame)
        var way = way(.authorities, changes, &frame)
        (way.periods, way.counters) = (periods, counters)
        return way
      }
    }
    let all = upToOperator | Self.platform | suspicion | halt
    if allows(all, &frame) { return way(.platform, fewest(all, &frame), &frame) }
    return way(.nobody, 0, &frame)
  }

  @inline(never)
  private mutating func waiting(_ all: UInt16, _ frame: inout Frame) -> Way {
    let changes = fewest(all, &frame)
    let counters = fewestCounters(changes, &frame)
    var way = way(.wait, changes, &frame)
    way.counters = counters
    return way
  }

  /// Of the counters those without whose fall these changes don't do; none where these changes don't have one fall.
  @inline(never)
  private mutating func fewestCounters(_ changes: UInt16, _ frame: inout Frame) -> UInt64 {
    guard Changes(rawValue: changes).contains(.counters) else { return 0 }
    var bit: UInt64 = 1
    while bit != 0 {
      if fallen.falling & bit != 0 {
        fallen.falling &= ~bit
        if !allows(changes, &frame) { fallen.falling |= bit }
      }
      bit &<<= 1
    }
    return fallen.falling
  }

  /// The smallest set within `all` that allows; of equals the one that asks least of higher layers: an operator's own
  /// change touches fewer people than the platform's. Sets that leave the dial too low are passed over undecided.
  @inline(never)
  private func fewest(_ all: UInt16, _ frame: inout Frame) -> UInt16 {
    let stakes = highestStakes(frame)
    var count = 1
    while count < all.nonzeroBitCount {
      var candidate: UInt16 = 1
      while candidate < all {
        if candidate & ~all == 0, candidate.nonzeroBitCount == count, candidate & halt == halt,
          reaches(stakes, Changes(rawValue: candidate), frame), allows(candidate, &frame)
        {
          return candidate
        }
        candidate &+= 1
      }
      count &+= 1
    }
    return all
  }

  /// Of the running periods those without whose end these changes don't do; only they are supposed to end from here on.
  private mutating func fewestPeriods(_ changes: UInt16, _ frame: inout Frame) -> UInt64 {
    var needed = engine.policy.platform.allPeriods & ~engine.policy.ended
    var bit: UInt64 = 1
    while bit != 0 {
      if needed & bit != 0 {
        ending = Engine(engine.policy.ending(needed & ~bit), frame)
        if allows(changes, &frame) { needed &= ~bit }
      }
      bit &<<= 1
    }
    ending = Engine(engine.policy.ending(needed), frame)
    return needed
  }

  /// The most that is at stake among the names that the dial can hold back.
  @inline(never)
  private func highestStakes(_ frame: borrowing Frame) -> Degree {
    var highest = Degree.zero
    guard frame.source == .agent else { return highest }
    var last = Name(start: nil, count: 0)
    while let name = engine.successor(of: last, among: behaviors, frame) {
      last = name
      let place = engine.place(of: name)
      if engine.choice(place.platform).absolute == .none { highest = max(highest, engine.stakes(place)) }
    }
    return highest
  }

  private func reaches(_ stakes: Degree, _ changes: Changes, _ frame: borrowing Frame) -> Bool {
    if changes.contains(.stakes) { return true }
    return engine(changes).dialSettings.best(changes, session: frame.sessionDial, cap: frame.dialCap) >= stakes
  }

  @inline(never)
  private func way(_ by: WayBy, _ changes: UInt16, _ frame: inout Frame) -> Way {
    func missing(_ bit: Changes, _ frame: inout Frame) -> Decision? {
      changes & bit.rawValue == 0 ? nil : decide(changes & ~bit.rawValue, &frame)
    }
    var way = Way(
      by: by, changes: Changes(rawValue: changes),
      missing: (
        missing(.preference, &frame), missing(.sessionDial, &frame), missing(.settings, &frame),
        missing(.operatorLimits, &frame), missing(.operatorDial, &frame), missing(.choice, &frame),
        missing(.platformLimits, &frame), missing(.stakes, &frame), missing(.halt, &frame), missing(.periods, &frame),
        missing(.counters, &frame), missing(.session, &frame), missing(.suspicion, &frame)
      ))
    let stakes = highestStakes(frame)
    let dial = engine.dialSettings.settled(session: frame.sessionDial, cap: frame.dialCap).value
    if stakes > dial { way.stakes = stakes }
    way.dial = engine(way.changes).dialSettings.best(way.changes, session: frame.sessionDial, cap: frame.dialCap)
    if let capped = way.missing.7 {
      way.stakesStatement = engine.stakesStatement(engine.place(of: capped.behavior).platform)
    }
    way.isUntrusted = frame.source == .untrusted
    return way
  }
}
