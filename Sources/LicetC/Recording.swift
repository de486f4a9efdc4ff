// What a decision leaves behind: an allow is counted, anything else is recorded with all that was asked (DESIGN §9), in
// the ring that licetd reads.

internal import Attach
public import CLicet
internal import Decision
internal import PolicyImage

extension UnsafeMutablePointer where Pointee == Request {
  /// Counts or records what was decided by `snapshot`. `place` is the name's own, where one alone was asked about. 0, or
  /// LICET_E_NOT_RECORDED: then it is not to be answered.
  @inline(__always)
  func leave(_ decision: Decision, at place: Place, _ snapshot: SnapshotRef, _ policy: Policy) -> Int32 {
    guard let recorder = snapshot.pointee.recorder else { return 0 }
    guard decision.effect == .allow, !isAudited(place, policy) else {
      return withUnsafePointer(to: place.name) {
        record(decision, UnsafeBufferPointer(start: $0, count: 1), snapshot, recorder)
      }
    }
    let isOwnName = decision.behavior.baseAddress == place.name.baseAddress
    return count(decision, isOwnName ? place : policy.place(of: decision.behavior), snapshot, recorder, policy)
  }

  /// The same of an action of several behaviours.
  func leave(_ decision: Decision, _ names: UnsafeBufferPointer<Name>, _ snapshot: SnapshotRef) -> Int32 {
    guard let recorder = snapshot.pointee.recorder else { return 0 }
    guard let policy = pointee.policy, decision.effect == .allow else {
      return record(decision, names, snapshot, recorder)
    }
    for name in names where isAudited(policy.place(of: name), policy) {
      return record(decision, names, snapshot, recorder)
    }
    return count(decision, policy.place(of: decision.behavior), snapshot, recorder, policy)
  }

  @inline(__always)
  func isAudited(_ place: Place, _ policy: Policy) -> Bool {
    place.platform != ImageFormat.none && policy.platform.nodes[Int(place.platform)].audit != 0
  }

  // MARK: counting

  @inline(__always)
  private func count(
    _ decision: Decision, _ place: Place, _ snapshot: SnapshotRef, _ recorder: RecorderRef, _ policy: Policy
  ) -> Int32 {
    let isOverlay = place.overlay != ImageFormat.none
    let key = CountKey(
      decision.decider.rank, statement: decision.decider.statement, node: isOverlay ? place.overlay : place.platform,
      isOverlay: isOverlay
    ).raw
    // The same as before, which is usual: the counter is this request's alone.
    if key == pointee.lastKey, let counter = pointee.lastCounter {
      clicet_store_relaxed(counter, clicet_load_relaxed(counter) &+ 1)
      return 0
    }
    return countAnew(key, snapshot, recorder)
  }

  @inline(never)
  private func countAnew(_ key: UInt64, _ snapshot: SnapshotRef, _ recorder: RecorderRef) -> Int32 {
    let authority = pointee.authority
    guard authority.isOwn(recorder) else { return LICET_E_NOT_RECORDED }
    let generation = snapshot.pointee.generation
    if pointee.lane.lane < 0, !pointee.isLaneless {
      if !pointee.lane.claim(recorder, generation: generation, first: 0, limit: Ring.sharedLane) {
        pointee.isLaneless = true
      }
    }
    guard pointee.lane.lane >= 0 else { return countShared(key, generation, recorder) }
    if let counter = pointee.lane.count(of: key) {
      clicet_store_relaxed(counter, clicet_load_relaxed(counter) &+ 1)
      (pointee.lastKey, pointee.lastCounter) = (key, counter)
      return 0
    }
    // Full: another one from the next time on.
    pointee.closeLane()
    return recordCount(key, generation, recorder)
  }

  /// In the lane of all who found none free.
  private func countShared(_ key: UInt64, _ generation: UInt64, _ recorder: RecorderRef) -> Int32 {
    let authority = pointee.authority
    guard clicet_lock(authority.pointee.recordLock, authority.pointee.settings.timeout) == 0 else {
      return LICET_E_NOT_RECORDED
    }
    if recorder.pointee.shared.lane >= 0, recorder.pointee.shared.generation < generation {
      recorder.pointee.shared.close(isOwn: true)
    }
    if recorder.pointee.shared.lane < 0 {
      _ = recorder.pointee.shared.claim(
        recorder, generation: generation, first: Ring.sharedLane, limit: Ring.lanes)
    }
    var isCounted = false
    if recorder.pointee.shared.lane >= 0, recorder.pointee.shared.generation == generation {
      if let counter = recorder.pointee.shared.count(of: key) {
        clicet_store_relaxed(counter, clicet_load_relaxed(counter) &+ 1)
        isCounted = true
      } else {
        recorder.pointee.shared.close(isOwn: true)
      }
    }
    clicet_unlock(authority.pointee.recordLock)
    return isCounted ? 0 : recordCount(key, generation, recorder)
  }

  private func recordCount(_ key: UInt64, _ generation: UInt64, _ recorder: RecorderRef) -> Int32 {
    pointee.authority.record(recorder, Ring.count) {
      $0.put(generation)
      $0.put(key)
    }
  }

  // MARK: recording

  @inline(never)
  private func record(
    _ decision: Decision, _ names: UnsafeBufferPointer<Name>, _ snapshot: SnapshotRef, _ recorder: RecorderRef
  ) -> Int32 {
    // Who asks for what is off absolutely is suspect, which is licetd's to know.
    if let policy = pointee.policy, policy.isSuspect(names) {
      let code = askInstead(names)
      if code != LICET_E_NO_AUTHORITY { return code == 0 ? Request.wasAsked : code }
    }
    if !pointee.hasNow, !snapshot.pointee.readsNow { setClock() }
    let now = pointee.frame.slots[Int(BuiltInSlot.now)]
    let head = RecordedDecision(
      decision, generation: snapshot.pointee.generation, seconds: now.asInt, nanoseconds: now.nanoseconds)
    let code = pointee.authority.record(recorder, Ring.decision) { writer in
      head.write(&writer)
      writeQuestion(names, isExplaining: false, version: pointee.content?.pointee.version ?? 0, &writer)
    }
    if code != 0 { fail(code) { $0.put(meaning(code)) } }
    return code
  }

  /// What is asked: from the frame, or from what waits for licetd to take it where there are no slots. What the session says,
  /// licetd knows; `version`: as it was then.
  func writeQuestion(
    _ names: UnsafeBufferPointer<Name>, isExplaining: Bool, version: UInt64, _ writer: inout WireWriter
  ) {
    var head = pointee.head
    head.isExplaining = isExplaining
    head.session?.version = version
    guard let platform = pointee.policy?.platform else {
      head.write(behaviors: names.count, attributes: pointee.pendingCount, &writer)
      for name in names { writer.put(name as Name?) }
      return writePending(&writer)
    }
    var given = 0
    eachAttribute(platform) { _, _ in given &+= 1 }
    head.write(behaviors: names.count, attributes: given, &writer)
    for name in names { writer.put(name as Name?) }
    guard given > 0 else { return }
    eachAttribute(platform) { name, value in
      writer.put(name as Name?)
      value.write(&writer)
    }
  }

  private func eachAttribute(_ platform: Image, _ body: (Name, Value) -> Void) {
    let slots = pointee.frame.slots
    var slot = Int(BuiltInSlot.count)
    // Behind these stand counters, which are licetd's.
    while slot < platform.firstCounterSlot {
      if slots[slot].kind != .absent {
        let name = platform.string(platform.attributes[slot].name)
        if !isSessions(name) { body(name, slots[slot]) }
      }
      slot &+= 1
    }
  }

  private func writePending(_ writer: inout WireWriter) {
    guard let pending = pointee.pending else { return }
    var i = 0
    while i < pointee.pendingCount {
      writer.put(pointee.authority.pointee.attributes.name(pending[i].attribute))
      pending[i].value.write(&writer)
      i &+= 1
    }
  }

  /// A decision while the authority is lost: by no policy, so there is nobody to record it; licetd hears how many.
  func leaveLost() {
    guard let recorder = pointee.snapshot?.pointee.recorder, pointee.authority.isOwn(recorder) else { return }
    _ = clicet_add(recorder.pointee.words + Ring.lost, 1)
  }
}

extension Request {
  /// Before the request turns to another snapshot, or ends.
  mutating func closeLane() {
    if let recorder = snapshot?.pointee.recorder { lane.close(isOwn: authority.isOwn(recorder)) }
    (lastKey, lastCounter, isLaneless) = (0, nil, false)
    forget()
  }
}

@c @implementation
public func licet_flush(
  _ authority: OpaquePointer!, _ timeout: UInt32, _ error: UnsafeMutablePointer<licet_error>!
) -> Int32 {
  guard let authority else { return report(error, LICET_E_INVALID) { $0.put("authority: NULL") } }
  let ref = AuthorityRef(authority)
  guard clicet_lock(ref.pointee.lock, Int64(timeout)) == 0 else { return unflushed(error) }
  defer { clicet_unlock(ref.pointee.lock) }
  guard let recorder = ref.pointee.recorder, ref.isOwn(recorder) else { return 0 }
  // A connection that was given up is made anew; the ring goes with it, or its old end reads it.
  if !(ref.pointee.connection.isOpen && ref.isOwnConnection) {
    guard case .current = ref.attach(nil, until: 0) else { return unflushed(error) }
  }
  ref.pointee.connection.setTimeout(Int64(timeout))
  let isDone = ref.isAnswered(.flush, Name(start: nil, count: 0))
  ref.pointee.connection.setTimeout(ref.pointee.settings.timeout)
  return isDone ? 0 : unflushed(error)
}

private func unflushed(_ error: UnsafeMutablePointer<licet_error>?) -> Int32 {
  report(error, LICET_E_NOT_RECORDED) {
    $0.put("licetd has not taken all that was counted and recorded here; it is kept, and offered again")
  }
}
