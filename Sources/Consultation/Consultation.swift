// One consultation: the engine's answer, with names and places in words.

public import Decision
public import PolicyImage

/// Borrows the frame's and the names' memory for as long as it is used.
public struct Consultation {
  let policy: Policy
  let names: UnsafeBufferPointer<Name>
  let preference: Effect?
  let halts: [Halt]
  private var isHalted: Bool { !halts.isEmpty }

  /// What is asked of whom; `halts` is what halts whoever it is decided for.
  public init(policy: Policy, names: UnsafeBufferPointer<Name>, preference: Effect?, halts: [Halt] = []) {
    self.policy = policy
    self.names = names
    self.preference = preference
    self.halts = halts
  }

  /// Decides, with trace and way if `explaining`. No name at all is denied.
  public func answer(_ frame: inout Frame, _ explaining: Bool) -> Answer {
    let decision =
      decide(policy, &frame, behaviors: names, preference: preference, isHalted: isHalted)
      ?? decideWithoutPolicy(behavior: Name(start: nil, count: 0))
    var answer = Answer(
      effect: decision.effect, obligations: obligations(decision), decidedBy: decidedBy(decision), way: nil, trace: [],
      halts: halts)
    guard explaining else { return answer }
    if decision.effect != .allow,
      let way = way(
        policy, &frame, behaviors: names, preference: preference, isHalted: isHalted,
        isSessionOver: halts.allSatisfy(\.isOfSession))
    {
      answer.way = WayOut(by: way.by, steps: steps(way, frame.suspicion), isUntrusted: way.isUntrusted)
    }
    answer.trace = lines(&frame)
    return answer
  }

  private func obligations(_ decision: Decision) -> [String] {
    var all: Set<String> = []
    func add(_ mask: UInt64, _ image: Image) {
      for bit in 0..<image.count(.obligations) where mask & 1 << UInt64(bit) != 0 {
        all.insert(String(decoding: image.obligationName(bit), as: UTF8.self))
      }
    }
    add(decision.platformObligations, policy.platform)
    if policy.hasOverlay { add(decision.overlayObligations, policy.image(.overlay)) }
    return all.sorted()
  }

  private func decidedBy(_ decision: Decision) -> DecidedBy {
    DecidedBy(
      rank: decision.decider.rank, cause: decision.decider.cause,
      statement: policy.reference(decision.decider.layer, decision.decider.statement),
      behavior: String(decoding: decision.behavior, as: UTF8.self))
  }

  private func steps(_ way: Way, _ suspicion: UInt32) -> [WayStep] {
    let stakes = way.missing.7.map { decision in
      var mended = decision
      mended.decider = way.stakesDecider(decision.decider)
      return mended
    }
    let missing: [(WayStep.Kind, Decision?)] = [
      (.preference, way.missing.0), (.sessionDial, way.missing.1), (.setting, way.missing.2),
      (.operatorLimit, way.missing.3), (.operatorDial, way.missing.4), (.choice, way.missing.5),
      (.platformLimit, way.missing.6), (.stakes, stakes), (.session, way.missing.11),
      (.suspicion, way.missing.12),
    ]
    let steps = missing.compactMap { kind, decision -> WayStep? in
      guard let decision else { return nil }
      var step = WayStep(kind, insteadOf: decidedBy(decision))
      switch kind {
      case .sessionDial, .operatorDial, .stakes: step.dial = (way.stakes, way.dial)
      case .suspicion: step.wait = policy.secondsOfSuspicion(from: suspicion)
      default: break
      }
      return step
    }
    let waits = way.missing.9.map { periods(way, $0) } ?? []
    let falls = way.missing.10.map { counters(way, $0) } ?? []
    guard let halted = way.missing.8 else { return steps + waits + falls }
    return steps + waits + falls + halts.map { WayStep(.halt($0), insteadOf: decidedBy(halted)) }
  }

  private func counters(_ way: Way, _ missing: Decision) -> [WayStep] {
    (0..<policy.platform.counterCount).filter { way.counters &>> UInt64($0) & 1 == 1 }.map { counter in
      var mended = missing
      mended.decider = way.counterDecider(missing.decider, counter, policy)
      return WayStep(.counter, insteadOf: decidedBy(mended))
    }
  }

  private func periods(_ way: Way, _ missing: Decision) -> [WayStep] {
    (0..<policy.platform.periodCount).filter { way.periods &>> UInt64($0) & 1 == 1 }.map { period in
      var mended = missing
      mended.decider = way.periodDecider(missing.decider, period, policy)
      return WayStep(.period, insteadOf: decidedBy(mended))
    }
  }

  private func lines(_ frame: inout Frame) -> [TraceLine] {
    var capacity = 64
    while true {
      let buffer = UnsafeMutableBufferPointer<TraceEntry>.allocate(capacity: capacity)
      defer { buffer.deallocate() }
      let count = trace(
        policy, &frame, behaviors: names, preference: preference, isHalted: isHalted, into: buffer)
      if count <= capacity { return buffer[..<count].map(line) }
      capacity = count
    }
  }

  private func line(_ entry: TraceEntry) -> TraceLine {
    let isRule = entry.step == .duty || entry.step == .limit
    return TraceLine(
      behavior: String(decoding: entry.behavior, as: UTF8.self), step: entry.step, truth: entry.truth,
      says: entry.says, effect: entry.effect, tier: isRule ? entry.tier : nil, isShadow: entry.isShadow,
      isClamped: entry.isClamped, statement: policy.reference(entry.layer, entry.statement), failure: entry.failure,
      attribute: Int(entry.slot) < policy.platform.count(.attributes)
        ? String(decoding: policy.platform.string(UInt32(entry.slot)), as: UTF8.self) : nil,
      dial: entry.step == .dial ? dial(entry) : nil,
      session: entry.hold.map { SessionLine($0, term: String(decoding: entry.term, as: UTF8.self)) },
      suspicion: entry.step == .suspicion ? entry.suspicion : nil, period: period(entry))
  }
}

extension Consultation {
  private func dial(_ entry: TraceEntry) -> DialLine {
    DialLine(
      stakes: entry.stakes, statedAt: policy.reference(.platform, entry.stakesStatement), dial: entry.dial,
      isUntrusted: entry.isUntrusted)
  }
}

extension Consultation {
  private func period(_ entry: TraceEntry) -> PeriodLine? {
    guard entry.period != ImageFormat.none else { return nil }
    let statement = policy.reference(.platform, policy.platform.period(Int(entry.period)).statement)
    return PeriodLine(
      name: statement?.behavior ?? "", terms: statement?.condition ?? "", hasEnded: entry.hasPeriodEnded)
  }
}

extension Policy {
  /// A statement of this layer in words; nil for none.
  public func reference(_ layer: Layer, _ statement: UInt32) -> StatementReference? {
    guard layer != .none, statement != ImageFormat.none else { return nil }
    let image = image(layer)
    let record = image.statements[Int(statement)]
    func text(_ id: UInt32) -> String? {
      id == ImageFormat.none ? nil : String(decoding: image.string(id), as: UTF8.self)
    }
    let form = StatementForm(rawValue: record.form) ?? .rule
    let header = RuleHeader(word: UInt64(record.rule))
    let isChoice = form == .chosen || form == .audience
    return StatementReference(
      layer: layer, form: form, file: text(record.file) ?? "", line: Int(record.line), column: Int(record.column),
      behavior: text(record.name) ?? "", clause: text(record.clause),
      condition: isChoice ? nil : text(record.condition),
      kind: form == .rule ? StatementKind(rawValue: header.kind) : nil,
      effect: form == .rule ? Effect(rawValue: header.effect) : nil,
      tier: form == .rule ? Tier(rawValue: header.tier) : nil, isShadow: header.isShadow, index: Int(statement),
      totals: isChoice ? text(record.condition) : nil)
  }
}
