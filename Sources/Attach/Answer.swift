// A decision <-> bytes: effect, what decided, obligations, halts, and, explained, the way and every step. Written by
// licetd for a remote client, and by liblicet for its own explanations: the same bytes for the same decision.

public import Decision
public import PolicyImage

/// Why somebody is halted, as `Consultation.Halt` says it in words.
public struct HaltRecord: BitwiseCopyable {
  public enum Kind: UInt8, Sendable {
    case operatorStop = 0, allStop = 1, noPolicy = 2
    /// The authority can't be reached, and what was known of it is stale.
    case authorityLost = 3
    case sessionStop = 4, sessionExpired = 5, sessionSpent = 6

    /// It halts one session, and another one can be opened.
    var isOfSession: Bool { rawValue >= Kind.sessionStop.rawValue }
  }
  public var kind: UInt8
  /// Seconds since 1970; -1: not known.
  public var since: Int64
  /// A user id; `UInt32.max`: not known.
  public var by: UInt32
  /// Whom it halts; empty: everybody. Borrowed.
  public var operatorName: Name
  /// The session that is halted; empty: no session alone. Borrowed.
  public var session: Name

  public init(
    _ kind: Kind, since: Int64 = -1, by: UInt32 = .max, operatorName: Name = Name(start: nil, count: 0),
    session: Name = Name(start: nil, count: 0)
  ) {
    self.init(kind: kind.rawValue, since: since, by: by, operatorName: operatorName, session: session)
  }

  init(kind: UInt8, since: Int64, by: UInt32, operatorName: Name, session: Name) {
    (self.kind, self.since, self.by, self.operatorName) = (kind, since, by, operatorName)
    self.session = session
  }

  public func write(_ writer: inout WireWriter) {
    writer.put(kind)
    writer.put(since)
    writer.put(by)
    writer.put(operatorName)
    writer.put(session)
  }

  public static func read(_ reader: inout WireReader) -> HaltRecord {
    HaltRecord(
      kind: reader.take(), since: reader.take(), by: reader.take(), operatorName: reader.text(), session: reader.text())
  }
}

/// What is decided, and how it is written.
public struct AnswerWriter {
  /// nil: no platform's policy is in force.
  let policy: Policy?
  let behaviors: UnsafeBufferPointer<Name>
  let preference: Effect?
  let halts: UnsafeBufferPointer<HaltRecord>
  let generation: UInt64

  public init(
    _ policy: Policy?, behaviors: UnsafeBufferPointer<Name>, preference: Effect?,
    halts: UnsafeBufferPointer<HaltRecord>, generation: UInt64
  ) {
    (self.policy, self.behaviors, self.preference) = (policy, behaviors, preference)
    (self.halts, self.generation) = (halts, generation)
  }

  /// Decides; nil for no behaviour at all.
  public func decision(_ frame: inout Frame) -> Decision? {
    guard let policy else { return decideWithoutPolicy(behaviors: behaviors) }
    return decide(policy, &frame, behaviors: behaviors, preference: preference, isHalted: halts.count > 0)
  }

  /// The short form, up to the steps, of which there are none.
  public func write(_ decision: Decision, _ writer: inout WireWriter) {
    write(decision, way: nil, &writer)
    writer.put(UInt32(0))
  }

  /// Decides and writes with way and trace; `entries` is lent. Returns the steps that there are: with more than `entries`
  /// holds, what was written is of no use.
  public func explain(
    _ frame: inout Frame, _ entries: UnsafeMutableBufferPointer<TraceEntry>, _ writer: inout WireWriter
  ) -> Int {
    guard let decision = decision(&frame) else { return 0 }
    write(decision, way: wayOut(decision, &frame), suspicion: frame.suspicion, &writer)
    let steps = steps(&frame, entries)
    writer.put(UInt32(truncatingIfNeeded: steps))
    var i = 0
    while i < min(steps, entries.count) {
      write(entries[i], &writer)
      i &+= 1
    }
    return steps
  }

  private func wayOut(_ decision: Decision, _ frame: inout Frame) -> Way? {
    guard let policy else {
      // The halts stand for themselves: each has to end.
      let by = wayWithoutPolicy(behaviors: behaviors)
      return Way(by: by, halted: by == .platform ? decision : nil)
    }
    var isSessionOver = true
    for halt in halts where !(HaltRecord.Kind(rawValue: halt.kind)?.isOfSession ?? false) { isSessionOver = false }
    return way(
      policy, &frame, behaviors: behaviors, preference: preference, isHalted: halts.count > 0,
      isSessionOver: isSessionOver)
  }

  private func steps(_ frame: inout Frame, _ entries: UnsafeMutableBufferPointer<TraceEntry>) -> Int {
    guard let policy else { return traceWithoutPolicy(behaviors: behaviors, into: entries) }
    return trace(
      policy, &frame, behaviors: behaviors, preference: preference, isHalted: halts.count > 0, into: entries)
  }

  // MARK: parts

  private func write(_ decision: Decision, way: Way?, suspicion: UInt32 = 0, _ writer: inout WireWriter) {
    writer.put(decision.effect.rawValue)
    writer.put(generation)
    write(decider: decision, &writer)
    writeObligations(decision, &writer)
    writer.put(UInt16(truncatingIfNeeded: halts.count))
    for halt in halts { halt.write(&writer) }
    guard let way else {
      writer.put(UInt8.max)
      return
    }
    writer.put(way.by.rawValue)
    writeChanges(way, suspicion, &writer)
  }

  private func write(decider decision: Decision, _ writer: inout WireWriter) {
    writer.put(decision.decider.rank.rawValue)
    writer.put(decision.decider.cause.rawValue)
    writer.put(decision.behavior)
    StatementRecordText(of: decision, policy).write(&writer)
  }

  /// Sorted, each once: the two images' names are merged.
  private func writeObligations(_ decision: Decision, _ writer: inout WireWriter) {
    let at = writer.count
    writer.put(UInt16(0))
    guard let policy else { return }
    var count: UInt16 = 0
    var last: Name?
    while let name = nextObligation(after: last, decision, policy) {
      writer.put(name)
      last = name
      count &+= 1
    }
    writer.replace(count, at: at)
  }

  private func writeChanges(_ way: Way, _ suspicion: UInt32, _ writer: inout WireWriter) {
    let at = writer.count
    writer.put(UInt8(0))
    var count: UInt8 = 0
    let missing = way.missing
    // Once in the library, not a dozen times.
    @inline(never)
    func change(_ kind: UInt8, _ instead: Decision?, halt: HaltRecord? = nil, _ writer: inout WireWriter) {
      guard var instead else { return }
      writer.put(kind)
      (halt ?? HaltRecord(.noPolicy)).write(&writer)
      // What is to be changed are the stakes, not the dial that they are above.
      if kind == 8 { instead.decider = way.stakesDecider(instead.decider) }
      write(decider: instead, &writer)
      if ChangeText.hasDial(kind) {
        writer.put(way.stakes.millionths)
        writer.put(way.dial.millionths)
      }
      if kind == ChangeText.suspicion { writer.put(policy?.secondsOfSuspicion(from: suspicion) ?? 0) }
      count &+= 1
    }
    change(0, missing.0, &writer)
    change(6, missing.1, &writer)
    change(1, missing.2, &writer)
    change(2, missing.3, &writer)
    change(7, missing.4, &writer)
    change(3, missing.5, &writer)
    change(4, missing.6, &writer)
    change(8, missing.7, &writer)
    change(ChangeText.session, missing.11, &writer)
    change(ChangeText.suspicion, missing.12, &writer)
    if let policy, var instead = missing.9 {
      let decider = instead.decider
      var left = way.periods
      while left != 0 {
        instead.decider = way.periodDecider(decider, left.trailingZeroBitCount, policy)
        change(9, instead, &writer)
        left &= left &- 1
      }
    }
    if let policy, var instead = missing.10 {
      let decider = instead.decider
      var left = way.counters
      while left != 0 {
        instead.decider = way.counterDecider(decider, left.trailingZeroBitCount, policy)
        change(10, instead, &writer)
        left &= left &- 1
      }
    }
    for halt in halts { change(5, missing.8, halt: halt, &writer) }
    writer.replace(count, at: at)
  }

  private func write(_ entry: TraceEntry, _ writer: inout WireWriter) {
    let isRule = entry.step == .duty || entry.step == .limit
    writer.put(entry.step.rawValue)
    writer.put(entry.truth.rawValue)
    writer.put(entry.says.rawValue)
    writer.put(entry.effect.rawValue)
    writer.put(isRule ? entry.tier.rawValue : UInt8.max)
    let hasPeriod = entry.period != ImageFormat.none
    var flags: UInt8 = (entry.isShadow ? 1 : 0) | (entry.isClamped ? 2 : 0) | (entry.isUntrusted ? 4 : 0)
    flags |= (hasPeriod ? 8 : 0) | (entry.hasPeriodEnded ? 16 : 0)
    writer.put(flags)
    writer.put(entry.failure.rawValue)
    writer.put(entry.behavior)
    var attribute: Name?
    if let policy, Int(entry.slot) < policy.platform.count(.attributes) {
      attribute = policy.platform.string(UInt32(entry.slot))
    }
    writer.put(attribute)
    StatementRecordText(
      entry.layer, entry.statement, policy, builtIn: entry.step == .absolute ? entry.behavior : nil
    ).write(&writer)
    if entry.step == .dial {
      writer.put(entry.stakes.millionths)
      writer.put(entry.dial.millionths)
      StatementRecordText(.platform, entry.stakesStatement, policy, builtIn: nil).write(&writer)
    }
    if hasPeriod, let policy {
      let period = policy.platform.period(Int(entry.period))
      StatementRecordText(.platform, period.statement, policy, builtIn: nil).write(&writer)
    }
    if let hold = entry.hold {
      writer.put(hold.rawValue)
      writer.put(entry.term)
    }
    if entry.step == .suspicion { writer.put(entry.suspicion) }
  }
}

/// The name that comes after `last` among a decision's obligations in both layers; nil starts, and ends.
public func nextObligation(after last: Name?, _ decision: Decision, _ policy: Policy) -> Name? {
  var best: Name?
  func consider(_ mask: UInt64, _ image: Image) {
    var left = mask
    while left != 0 {
      let bit = left.trailingZeroBitCount
      left &= left &- 1
      guard bit < image.count(.obligations) else { return }
      let name = image.obligationName(bit)
      if let last, !bytesLess(last, name) { continue }
      if let other = best, !bytesLess(name, other) { continue }
      best = name
    }
  }
  consider(decision.platformObligations, policy.platform)
  if policy.hasOverlay { consider(decision.overlayObligations, policy.image(.overlay)) }
  return best
}

private func bytesLess(_ a: Name, _ b: Name) -> Bool {
  var i = 0
  while i < min(a.count, b.count) {
    if a[i] != b[i] { return a[i] < b[i] }
    i &+= 1
  }
  return a.count < b.count
}
