// licet_explain and licet_explanation_…: the same bytes whoever decided (Attach.AnswerWriter), found in again by index.

internal import Attach
public import CLicet
internal import Decision
internal import PolicyImage

/// Behind a `licet_explanation`: the answer's bytes, and where its parts begin in them. One block of memory.
struct Explanation {
  var head: AnswerHead
  var isLost: Bool
  /// 255: nobody asked.
  var way: UInt8
  var obligations: Int
  var changes: Int
  var steps: Int
  /// Offsets of obligations, changes and steps, one behind the other.
  var offsets: UnsafeMutablePointer<UInt32>
  var bytes: Name
}

/// What has to be walked over once, to count and to find.
struct Walk {
  var reader: WireReader
  var head: AnswerHead
  var way: UInt8 = .max
  var changes = 0
  var steps = 0

  /// `note` is told where each obligation (0), change (1) and step (2) begins.
  init(_ bytes: Name, _ note: (Int, Int) -> Void) {
    reader = WireReader(bytes)
    head = AnswerHead.read(&reader)
    var i = 0
    while i < head.obligations, !reader.isBroken {
      note(0, reader.offset)
      _ = reader.text()
      i &+= 1
    }
    let halts: UInt16 = reader.take()
    i = 0
    while i < Int(halts), !reader.isBroken {
      _ = HaltRecord.read(&reader)
      i &+= 1
    }
    way = reader.take()
    if way != .max {
      if WayBy(rawValue: way) == nil { reader.refuse() }
      changes = Int(reader.take(UInt8.self))
    }
    i = 0
    while i < changes, !reader.isBroken {
      note(1, reader.offset)
      _ = ChangeText.read(&reader)
      i &+= 1
    }
    steps = Int(reader.take(UInt32.self))
    i = 0
    while i < steps, !reader.isBroken {
      note(2, reader.offset)
      _ = StepText.read(&reader)
      i &+= 1
    }
    if reader.left != 0 { reader.refuse() }
  }
}

extension Explanation {
  /// A copy of an answer that makes sense; nil: it doesn't, or there is no memory.
  static func make(_ bytes: Name, isLost: Bool) -> UnsafeMutablePointer<Explanation>? {
    let counted = Walk(bytes) { _, _ in }
    guard !counted.reader.isBroken else { return nil }
    let parts = counted.head.obligations &+ counted.changes &+ counted.steps
    let own = MemoryLayout<Explanation>.stride
    guard let memory = clicet_allocate(own &+ parts &* 4 &+ bytes.count) else { return nil }
    let offsets = (memory + own).bindMemory(to: UInt32.self, capacity: parts)
    let content = memory + (own &+ parts &* 4)
    if let base = bytes.baseAddress { content.copyMemory(from: base, byteCount: bytes.count) }
    let copy = Name(start: content, count: bytes.count)
    var next = 0
    let walk = Walk(copy) { _, offset in
      if next < parts { offsets[next] = UInt32(truncatingIfNeeded: offset) }
      next &+= 1
    }
    let made = memory.bindMemory(to: Explanation.self, capacity: 1)
    made.initialize(
      to: Explanation(
        head: walk.head, isLost: isLost, way: walk.way, obligations: walk.head.obligations, changes: walk.changes,
        steps: walk.steps, offsets: offsets, bytes: copy))
    return made
  }

  /// A reader at the part with this index among all.
  func reader(at index: Int) -> WireReader {
    let offset = Int(offsets[index])
    return WireReader(Name(rebasing: bytes[offset...]))
  }

  /// The step with this index; nil: there is none.
  func step(_ index: Int) -> StepText? {
    guard index >= 0, index < steps else { return nil }
    var reader = reader(at: obligations &+ changes &+ index)
    return StepText.read(&reader)
  }

  /// The change with this index; nil: there is none.
  func change(_ index: Int) -> ChangeText? {
    guard index >= 0, index < changes else { return nil }
    var reader = reader(at: obligations &+ index)
    return ChangeText.read(&reader)
  }
}

@c @implementation
public func licet_explain(
  _ request: OpaquePointer!, _ behaviors: UnsafePointer<licet_text>!, _ count: Int,
  _ explanation: UnsafeMutablePointer<OpaquePointer?>!
) -> Int32 {
  guard let request, let explanation else { return LICET_E_INVALID }
  explanation.pointee = nil
  let ref = RequestRef(request)
  var code: Int32 = 0
  guard let names = ref.names(behaviors, count, &code) else { return code }
  var rounds = Request.rounds
  while true {
    var standing = Standing.current
    code = ref.prepare(&standing)
    guard code == 0 else { return code }
    var isLost = standing == .lost
    if !isLost, ref.isRemote(names) {
      code = ref.askRemotely(names, isExplaining: true)
      if code == 0 { return ref.explained(ref.pointee.last.answer, isLost: false, explanation) }
      guard code == LICET_E_NO_AUTHORITY else { return code }
      isLost = true
    }
    rounds &-= 1
    isLost = isLost || rounds == 0
    code = ref.explainHere(names, isLost: isLost, explanation)
    // Revoked or changed meanwhile: again, by what is in force now.
    guard code >= 0, !isLost, let snapshot = ref.pointee.snapshot, snapshot.isRevoked || ref.hasSessionChanged else {
      return code
    }
    licet_explanation_free(explanation.pointee)
    explanation.pointee = nil
  }
}

extension UnsafeMutablePointer where Pointee == Request {
  /// Decides and explains by what is mapped; memory grows until it holds everything.
  fileprivate func explainHere(
    _ names: UnsafeBufferPointer<Name>, isLost: Bool, _ explanation: UnsafeMutablePointer<OpaquePointer?>
  ) -> Int32 {
    let lost = HaltRecord(.authorityLost)
    return withUnsafePointer(to: lost) { lost in
      withHalts { known in
        explainHere(names, isLost ? UnsafeBufferPointer(start: lost, count: 1) : known, isLost: isLost, explanation)
      }
    }
  }

  private func explainHere(
    _ names: UnsafeBufferPointer<Name>, _ halts: UnsafeBufferPointer<HaltRecord>, isLost: Bool,
    _ explanation: UnsafeMutablePointer<OpaquePointer?>
  ) -> Int32 {
    let writer = answerWriter(names, halts)
    var sizes = (bytes: 16 << 10, entries: 64)
    while true {
      let before = sizes
      let code = explainOnce(writer, &sizes, isLost: isLost, explanation)
      guard sizes == before else { continue }
      guard isLost, code >= 0, let made = get(explanation.pointee) else { return code }
      // `on_authority_loss` has the last word.
      let effect = decideLost(names, nil, isCounted: false)
      made.pointee.head.effect = UInt8(exactly: effect).flatMap { Effect(rawValue: $0) } ?? .deny
      return effect
    }
  }

  /// `sizes` grow when they were too small.
  private func explainOnce(
    _ answer: AnswerWriter, _ sizes: inout (bytes: Int, entries: Int), isLost: Bool,
    _ explanation: UnsafeMutablePointer<OpaquePointer?>
  ) -> Int32 {
    let stride = MemoryLayout<TraceEntry>.stride
    guard let memory = clicet_allocate(sizes.bytes &+ sizes.entries &* stride) else {
      return fail(LICET_E_NO_MEMORY) { $0.put(meaning(LICET_E_NO_MEMORY)) }
    }
    defer { clicet_free(memory) }
    let entries = UnsafeMutableBufferPointer(
      start: memory.bindMemory(to: TraceEntry.self, capacity: sizes.entries), count: sizes.entries)
    var writer = WireWriter(
      UnsafeMutableRawBufferPointer(start: memory + sizes.entries &* stride, count: sizes.bytes))
    let steps = answer.explain(&pointee.frame, entries, &writer)
    if steps > sizes.entries || !writer.isWhole {
      sizes = (max(sizes.bytes, writer.count &* 2), max(sizes.entries, steps))
      return 0
    }
    return explained(writer.bytes, isLost: isLost, explanation)
  }

  fileprivate func explained(
    _ bytes: Name, isLost: Bool, _ explanation: UnsafeMutablePointer<OpaquePointer?>
  ) -> Int32 {
    guard let made = Explanation.make(bytes, isLost: isLost) else {
      return fail(LICET_E_PROTOCOL) { $0.put("an answer that makes no sense, or no memory for it") }
    }
    explanation.pointee = OpaquePointer(made)
    return Int32(made.pointee.head.effect.rawValue)
  }
}

@c @implementation
public func licet_explanation_free(_ explanation: OpaquePointer!) {
  clicet_free(UnsafeMutableRawPointer(explanation))
}

private func get(_ explanation: OpaquePointer?) -> UnsafeMutablePointer<Explanation>? {
  explanation.map { UnsafeMutablePointer<Explanation>($0) }
}

@c @implementation
public func licet_explanation_decision(
  _ explanation: OpaquePointer!, _ decision: UnsafeMutablePointer<licet_decision>!
) -> Int32 {
  guard let one = get(explanation)?.pointee, let decision,
    Int(decision.pointee.size) >= MemoryLayout<licet_decision>.size
  else { return LICET_E_INVALID }
  decision.pointee.effect = Int32(one.head.effect.rawValue)
  decision.pointee.generation = one.head.generation
  decision.pointee.decided_by = one.head.decider.rank
  decision.pointee.lost = one.isLost ? 1 : 0
  decision.pointee.oversight = one.head.decider.cause
  decision.pointee.behavior = one.head.decider.behavior.text
  return 0
}

@c @implementation
public func licet_explanation_statement(
  _ explanation: OpaquePointer!, _ statement: UnsafeMutablePointer<licet_statement>!
) -> Int32 {
  guard let one = get(explanation)?.pointee, let statement, isSized(statement) else { return LICET_E_INVALID }
  fill(statement, one.head.decider.statement)
  return 0
}

@c @implementation
public func licet_explanation_obligations(
  _ explanation: OpaquePointer!, _ names: UnsafeMutablePointer<licet_text>!, _ capacity: Int
) -> Int {
  guard let one = get(explanation)?.pointee else { return 0 }
  var i = 0
  while let names, i < min(one.obligations, capacity) {
    var reader = one.reader(at: i)
    names[i] = reader.text().text
    i &+= 1
  }
  return one.obligations
}

@c @implementation
public func licet_explanation_steps(_ explanation: OpaquePointer!) -> Int {
  get(explanation)?.pointee.steps ?? 0
}

@c @implementation
public func licet_explanation_step(
  _ explanation: OpaquePointer!, _ index: Int, _ step: UnsafeMutablePointer<licet_step>!
) -> Int32 {
  guard let step, Int(step.pointee.size) >= MemoryLayout<licet_step>.size,
    let text = get(explanation)?.pointee.step(index)
  else { return LICET_E_INVALID }
  step.pointee.step = text.step
  step.pointee.truth = text.truth
  step.pointee.says = text.says
  step.pointee.effect = text.effect
  step.pointee.tier = text.tier == .max ? -1 : Int8(truncatingIfNeeded: text.tier)
  step.pointee.is_shadow = text.isShadow ? 1 : 0
  step.pointee.is_clamped = text.isClamped ? 1 : 0
  step.pointee.behavior = text.behavior.text
  step.pointee.failure = name(ofFailure: text.failure).text
  step.pointee.attribute = (text.attribute ?? Name(start: nil, count: 0)).text
  step.pointee.statement.size = UInt32(MemoryLayout<licet_statement>.size)
  fill(&step.pointee.statement, text.statement)
  return 0
}

@c @implementation
public func licet_explanation_dial(
  _ explanation: OpaquePointer!, _ index: Int, _ dial: UnsafeMutablePointer<licet_dial>!
) -> Int32 {
  guard let dial, Int(dial.pointee.size) >= MemoryLayout<licet_dial>.size,
    let text = get(explanation)?.pointee.step(index)
  else { return LICET_E_INVALID }
  guard let statement = text.stakesStatement else { return LICET_E_INVALID }
  dial.pointee.is_untrusted = text.isUntrusted ? 1 : 0
  dial.pointee.stakes = text.stakes.value
  dial.pointee.dial = text.dial.value
  dial.pointee.statement.size = UInt32(MemoryLayout<licet_statement>.size)
  fill(&dial.pointee.statement, statement)
  return 0
}

@c @implementation
public func licet_explanation_period(
  _ explanation: OpaquePointer!, _ index: Int, _ period: UnsafeMutablePointer<licet_period>!
) -> Int32 {
  guard let one = get(explanation)?.pointee, let period, index >= 0, index < one.steps,
    Int(period.pointee.size) >= MemoryLayout<licet_period>.size
  else { return LICET_E_INVALID }
  var reader = one.reader(at: one.obligations &+ one.changes &+ index)
  let text = StepText.read(&reader)
  guard let statement = text.period else { return LICET_E_INVALID }
  period.pointee.has_ended = text.hasPeriodEnded ? 1 : 0
  period.pointee.statement.size = UInt32(MemoryLayout<licet_statement>.size)
  fill(&period.pointee.statement, statement)
  return 0
}

@c @implementation
public func licet_explanation_hold(
  _ explanation: OpaquePointer!, _ index: Int, _ term: UnsafeMutablePointer<licet_text>!
) -> Int32 {
  guard let text = get(explanation)?.pointee.step(index), text.step == UInt8(LICET_STEP_SESSION) else {
    return LICET_E_INVALID
  }
  if let term { term.pointee = text.term.text }
  return Int32(text.hold)
}

@c @implementation
public func licet_explanation_suspicion(
  _ explanation: OpaquePointer!, _ index: Int, _ level: UnsafeMutablePointer<Double>!
) -> Int32 {
  guard let text = get(explanation)?.pointee.step(index), text.step == UInt8(LICET_STEP_SUSPICION) else {
    return LICET_E_INVALID
  }
  if let level { level.pointee = Double(text.suspicion) / 1000 }
  return 0
}

@c @implementation
public func licet_explanation_way(_ explanation: OpaquePointer!) -> Int32 {
  guard let one = get(explanation)?.pointee else { return LICET_E_INVALID }
  return one.way == .max ? LICET_WAY_NOT_NEEDED : Int32(one.way)
}

@c @implementation
public func licet_explanation_changes(_ explanation: OpaquePointer!) -> Int {
  get(explanation)?.pointee.changes ?? 0
}

@c @implementation
public func licet_explanation_change(
  _ explanation: OpaquePointer!, _ index: Int, _ change: UnsafeMutablePointer<licet_change>!
) -> Int32 {
  guard let change, Int(change.pointee.size) >= MemoryLayout<licet_change>.size,
    let text = get(explanation)?.pointee.change(index)
  else { return LICET_E_INVALID }
  let isHalt = text.change == UInt8(LICET_CHANGE_HALT)
  change.pointee.change = Int32(text.change)
  change.pointee.decided_by = Int32(text.instead.rank)
  change.pointee.user = isHalt ? text.halt.by : .max
  change.pointee.since = isHalt ? text.halt.since : -1
  change.pointee.halt = (isHalt ? name(ofHalt: text.halt.kind) : Name(start: nil, count: 0)).text
  change.pointee.operator_name = (isHalt ? text.halt.operatorName : Name(start: nil, count: 0)).text
  change.pointee.behavior = text.instead.behavior.text
  change.pointee.statement.size = UInt32(MemoryLayout<licet_statement>.size)
  fill(&change.pointee.statement, text.instead.statement)
  return 0
}

@c @implementation
public func licet_explanation_change_dial(
  _ explanation: OpaquePointer!, _ index: Int, _ needed: UnsafeMutablePointer<Double>!,
  _ highest: UnsafeMutablePointer<Double>!
) -> Int32 {
  guard let text = get(explanation)?.pointee.change(index), ChangeText.hasDial(text.change)
  else { return LICET_E_INVALID }
  if let needed { needed.pointee = text.needed.value }
  if let highest { highest.pointee = text.highest.value }
  return 0
}

@c @implementation
public func licet_explanation_change_wait(
  _ explanation: OpaquePointer!, _ index: Int, _ seconds: UnsafeMutablePointer<UInt64>!
) -> Int32 {
  guard let text = get(explanation)?.pointee.change(index), text.change == UInt8(LICET_CHANGE_SUSPICION) else {
    return LICET_E_INVALID
  }
  if let seconds { seconds.pointee = text.wait }
  return 0
}

@c @implementation
public func licet_explanation_change_session(
  _ explanation: OpaquePointer!, _ index: Int, _ session: UnsafeMutablePointer<licet_text>!
) -> Int32 {
  guard let text = get(explanation)?.pointee.change(index), text.change == UInt8(LICET_CHANGE_HALT) else {
    return LICET_E_INVALID
  }
  if let session { session.pointee = text.halt.session.text }
  return 0
}
