// licet_check…: the decisions. On a snapshot: is it still in force, is the request whole, decide, was it revoked
// meanwhile. No lock, no allocation, no system call on that way.

internal import Attach
public import CLicet
internal import Decision
internal import PolicyImage

@c @implementation
@_optimize(speed)
public func licet_check(
  _ request: OpaquePointer!, _ behavior: licet_behavior, _ decision: UnsafeMutablePointer<licet_decision>!
) -> Int32 {
  guard let request, isSized(decision) else { return LICET_E_INVALID }
  let ref = RequestRef(request)
  if behavior != 0, behavior == ref.pointee.repeatable, ref.isRepeatable { return ref.again(decision) }
  guard let name = ref.pointee.authority.pointee.behaviors.name(behavior) else {
    deny(decision)
    return ref.fail(LICET_E_INVALID) { $0.put("behavior: no handle that licet_intern_behavior gave") }
  }
  return ref.check(name, number: behavior, decision)
}

@c @implementation
@_optimize(speed)
public func licet_check_named(
  _ request: OpaquePointer!, _ name: UnsafePointer<CChar>!, _ length: Int,
  _ decision: UnsafeMutablePointer<licet_decision>!
) -> Int32 {
  guard let request, isSized(decision) else { return LICET_E_INVALID }
  let ref = RequestRef(request)
  guard let name = Name(name, length), isBehaviorName(name) else {
    deny(decision)
    return ref.fail(LICET_E_BAD_NAME) {
      $0.put(Name(name, length) ?? Name(start: nil, count: 0))
      $0.put(": ")
      $0.put(meaning(LICET_E_BAD_NAME))
    }
  }
  return ref.check(name, number: 0, decision)
}

@c @implementation
public func licet_check_action(
  _ request: OpaquePointer!, _ behaviors: UnsafePointer<licet_text>!, _ count: Int,
  _ decision: UnsafeMutablePointer<licet_decision>!
) -> Int32 {
  guard let request, isSized(decision) else { return LICET_E_INVALID }
  let ref = RequestRef(request)
  var code: Int32 = 0
  guard let names = ref.names(behaviors, count, &code) else {
    deny(decision)
    return code
  }
  return ref.check(names, decision)
}

@c @implementation
public func licet_request_error(_ request: OpaquePointer!) -> UnsafePointer<licet_error>! {
  guard let request else { return nil }
  return UnsafePointer(RequestRef(request).error)
}

/// Whether there is room for the short form.
@inline(__always)
private func isSized(_ decision: UnsafeMutablePointer<licet_decision>?) -> Bool {
  guard let decision else { return true }
  return Int(decision.pointee.size) >= MemoryLayout<licet_decision>.size
}

@inline(__always)
private func deny(_ decision: UnsafeMutablePointer<licet_decision>?) {
  guard let decision else { return }
  decision.pointee.effect = LICET_DENY
  decision.pointee.generation = 0
  decision.pointee.decided_by = UInt8(LICET_BY_OVERSIGHT)
  decision.pointee.lost = 0
  decision.pointee.oversight = UInt8(LICET_OVERSIGHT_HALT)
  decision.pointee.behavior = licet_text(bytes: nil, length: 0)
}

extension UnsafeMutablePointer where Pointee == Request {
  /// An action's names, checked; nil: why not is in `code`. Valid until the next call.
  func names(_ behaviors: UnsafePointer<licet_text>?, _ count: Int, _ code: inout Int32) -> UnsafeBufferPointer<Name>? {
    guard let behaviors, count > 0 else {
      code = fail(LICET_E_NO_BEHAVIOR) { $0.put(meaning(LICET_E_NO_BEHAVIOR)) }
      return nil
    }
    guard count <= RequestLimits.behaviors else {
      code = fail(LICET_E_TOO_MANY) { $0.put("behaviors: at most 256 in one action") }
      return nil
    }
    if pointee.names == nil {
      pointee.names = clicet_allocate(RequestLimits.behaviors &* MemoryLayout<Name>.stride)?
        .bindMemory(to: Name.self, capacity: RequestLimits.behaviors)
    }
    guard let names = pointee.names else {
      code = fail(LICET_E_NO_MEMORY) { $0.put(meaning(LICET_E_NO_MEMORY)) }
      return nil
    }
    var i = 0
    while i < count {
      guard let name = Name(behaviors[i]), isBehaviorName(name) else {
        code = refuse(LICET_E_BAD_NAME, Name(behaviors[i]) ?? Name(start: nil, count: 0))
        return nil
      }
      names[i] = name
      i &+= 1
    }
    return UnsafeBufferPointer(start: names, count: count)
  }

  /// What stands before every decision: 0 to go on (lost or not), or a code.
  @inline(__always)
  func prepare(_ standing: inout Standing) -> Int32 {
    switch update() {
    case .current: standing = .current
    case .lost: standing = .lost
    case .refused(let code): return code
    }
    if pointee.isTroubled {
      let code = look(&standing)
      if code != 0 { return code }
    }
    if !pointee.hasNow, pointee.snapshot?.pointee.readsNow ?? true { setClock() }
    return 0
  }

  @inline(never)
  private func look(_ standing: inout Standing) -> Int32 {
    let code = followSession(&standing)
    return code == 0 ? trouble() : code
  }

  @inline(__always)
  func setClock() {
    var seconds: Int64 = 0
    var nanoseconds: Int32 = 0
    clicet_wall_clock(&seconds, &nanoseconds)
    pointee.frame.set(Int(BuiltInSlot.now), .timestamp(seconds: seconds, nanoseconds: nanoseconds))
  }

  @inline(__always)
  @_optimize(speed)
  func check(_ name: Name, number: UInt32, _ out: UnsafeMutablePointer<licet_decision>?) -> Int32 {
    var rounds = Request.rounds
    while rounds > 0 {
      rounds &-= 1
      var standing = Standing.current
      let code = prepare(&standing)
      guard code == 0 else {
        deny(out)
        return code
      }
      guard let snapshot = pointee.snapshot, let policy = pointee.policy, standing == .current, snapshot.pointee.isPlain
      else { return checkOtherwise(name, number: number, standing, out) }
      let place = number != 0 ? snapshot.place(number, name, policy) : policy.place(of: name)
      if policy.isCounted(place), pointee.authority.pointee.mode == LICET_SNAPSHOT {
        return withUnsafePointer(to: name) { slowly(UnsafeBufferPointer(start: $0, count: 1), standing, out) }
      }
      let decision = decide(policy, &pointee.frame, at: place, preference: pointee.head.preference)
      if snapshot.isRevoked { continue }
      let unrecorded = leave(decision, at: place, snapshot, policy)
      if unrecorded != 0 { return refused(unrecorded, out) }
      let effect = finish(decision, snapshot.pointee.generation, out, isBorrowed: number == 0)
      if isRepeatable(decision, place, snapshot, policy) { pointee.repeatable = number }
      return effect
    }
    return withUnsafePointer(to: name) { decideLost(UnsafeBufferPointer(start: $0, count: 1), out) }
  }

  @inline(never)
  private func checkOtherwise(
    _ name: Name, number: UInt32, _ standing: Standing, _ out: UnsafeMutablePointer<licet_decision>?
  ) -> Int32 {
    if standing == .inSession, let code = checkInSession(name, number: number, out) { return code }
    return withUnsafePointer(to: name) { slowly(UnsafeBufferPointer(start: $0, count: 1), standing, out) }
  }

  /// As `check`, prepared; the session's word is looked at as the revocation is. nil: it takes more than that.
  @_optimize(speed)
  private func checkInSession(
    _ name: Name, number: UInt32, _ out: UnsafeMutablePointer<licet_decision>?
  ) -> Int32? {
    guard let snapshot = pointee.snapshot, let policy = pointee.policy, let content = pointee.content,
      snapshot.pointee.halts.count == 0, content.pointee.isPlain, !content.isOver
    else { return nil }
    if number != 0, number == pointee.repeatableInSession {
      return snapshot.isRevoked || content.hasChanged ? nil : again(out)
    }
    let place = number != 0 ? snapshot.place(number, name, policy) : policy.place(of: name)
    if policy.isCounted(place) { return nil }
    let decision = decide(policy, &pointee.frame, at: place, preference: pointee.head.preference)
    // Rare enough to be decided once more, by what is in force then.
    if snapshot.isRevoked || content.hasChanged { return nil }
    let unrecorded = leave(decision, at: place, snapshot, policy)
    if unrecorded != 0 { return refused(unrecorded, out) }
    let effect = finish(decision, snapshot.pointee.generation, out, isBorrowed: number == 0)
    if isRepeatable(decision, place, snapshot, policy) { pointee.repeatableInSession = number }
    return effect
  }

  /// Whether the same question is answered the same, and leaves the same behind, as long as nothing changes.
  @inline(__always)
  private func isRepeatable(_ decision: Decision, _ place: Place, _ snapshot: SnapshotRef, _ policy: Policy) -> Bool {
    decision.effect == .allow && !snapshot.pointee.readsNow
      && (snapshot.pointee.recorder == nil || (pointee.lastCounter != nil && !isAudited(place, policy)))
  }

  /// Whether what was decided last is in force as it was; read in the order of a decision, the revocation last.
  @inline(__always)
  var isRepeatable: Bool { pointee.snapshot.map { $0.isInForce(pointee.authority) && !$0.isRevoked } ?? false }

  /// The last decision once more. A request that fetched something new, or was told something, has none.
  @inline(__always)
  func again(_ out: UnsafeMutablePointer<licet_decision>?) -> Int32 {
    if let counter = pointee.lastCounter { clicet_store_relaxed(counter, clicet_load_relaxed(counter) &+ 1) }
    guard let out, let decision = pointee.last.decision else { return LICET_ALLOW }
    fill(out, decision, pointee.last.generation)
    return LICET_ALLOW
  }

  @inline(__always)
  private func fill(_ out: UnsafeMutablePointer<licet_decision>, _ decision: Decision, _ generation: UInt64) {
    out.pointee.effect = Int32(decision.effect.rawValue)
    out.pointee.generation = generation
    out.pointee.decided_by = decision.decider.rank.rawValue
    out.pointee.lost = 0
    out.pointee.oversight = decision.decider.cause.rawValue
    out.pointee.behavior = decision.behavior.text
  }

  /// A decision that left nothing behind here: licetd made it, or it isn't to be answered.
  @inline(never)
  private func refused(_ code: Int32, _ out: UnsafeMutablePointer<licet_decision>?) -> Int32 {
    if code == Request.wasAsked { return finishRemotely(out) }
    pointee.last.kind = .none
    deny(out)
    return fail(code) { $0.put(meaning(code)) }
  }

  func check(_ names: UnsafeBufferPointer<Name>, _ out: UnsafeMutablePointer<licet_decision>?) -> Int32 {
    var standing = Standing.current
    let code = prepare(&standing)
    guard code == 0 else {
      deny(out)
      return code
    }
    return slowly(names, standing, out)
  }

  /// Several names, a halt, no policy, a lost authority, or what licetd decides, call by call.
  @inline(never)
  private func slowly(
    _ names: UnsafeBufferPointer<Name>, _ before: Standing, _ out: UnsafeMutablePointer<licet_decision>?
  ) -> Int32 {
    pointee.forget()
    var standing = before
    var rounds = Request.rounds
    while rounds > 0, standing != .lost {
      rounds &-= 1
      if isRemote(names) {
        let code = askRemotely(names, isExplaining: false)
        if code == 0 { return finishRemotely(out) }
        if code == LICET_E_NO_AUTHORITY { break }
        deny(out)
        return code
      }
      guard let snapshot = pointee.snapshot else { break }
      let made = withHalts { answerWriter(names, $0).decision(&pointee.frame) }
      guard let decision = made else {
        deny(out)
        return LICET_E_NO_BEHAVIOR
      }
      if !snapshot.isRevoked, !hasSessionChanged {
        let unrecorded = leave(decision, names, snapshot)
        if unrecorded != 0 { return refused(unrecorded, out) }
        return finish(decision, snapshot.pointee.generation, out, isBorrowed: true)
      }
      let code = prepare(&standing)
      guard code == 0 else {
        deny(out)
        return code
      }
    }
    return decideLost(names, out)
  }

  /// Whether licetd decides: always, what has to do with a counter that it keeps, outside of sessions while somebody is suspect,
  /// or in a session without a word.
  func isRemote(_ names: UnsafeBufferPointer<Name>) -> Bool {
    switch pointee.authority.pointee.mode {
    case LICET_REMOTE: return true
    case LICET_SNAPSHOT: if pointee.policy?.isCounted(names) ?? false { return true }
    default: return false
    }
    guard pointee.session != nil else { return pointee.snapshot?.pointee.asksRemotely ?? false }
    return pointee.content.map { $0.pointee.word == nil } ?? false
  }

  var hasSessionChanged: Bool { pointee.content?.hasChanged ?? false }

  func answerWriter(_ names: UnsafeBufferPointer<Name>, _ halts: UnsafeBufferPointer<HaltRecord>) -> AnswerWriter {
    AnswerWriter(
      pointee.policy, behaviors: names, preference: pointee.head.preference, halts: halts,
      generation: pointee.snapshot?.pointee.generation ?? 0)
  }

  /// By what is known of the policy, as if everybody were stopped; with LICET_ASK, no stricter than an overseer's word.
  /// `isCounted` false: for an explanation.
  func decideLost(
    _ names: UnsafeBufferPointer<Name>, _ out: UnsafeMutablePointer<licet_decision>?, isCounted: Bool = true
  ) -> Int32 {
    let preference = pointee.head.preference
    var found: Decision?
    if let policy = pointee.policy {
      found = decide(policy, &pointee.frame, behaviors: names, preference: preference, isHalted: true)
      // What is known to halt the session halts it still.
      if pointee.authority.pointee.settings.onLoss == .ask, !isSessionHalted, found?.decider.rank == .oversight,
        var usual = decide(policy, &pointee.frame, behaviors: names, preference: preference), usual.effect > .deny
      {
        usual.effect = .ask
        if let halted = found { usual.decider = halted.decider }
        found = usual
      }
    } else {
      found = decideWithoutPolicy(behaviors: names)
    }
    guard let found else {
      deny(out)
      return LICET_E_NO_BEHAVIOR
    }
    let effect = finish(found, pointee.snapshot?.pointee.generation ?? 0, out, isBorrowed: true)
    pointee.last.isLost = true
    if isCounted { leaveLost() }
    if let out { out.pointee.lost = 1 }
    return effect
  }

  /// `isBorrowed`: the name that decided may be the caller's, and is copied, since texts are the request's.
  @inline(__always)
  private func finish(
    _ made: Decision, _ generation: UInt64, _ out: UnsafeMutablePointer<licet_decision>?, isBorrowed: Bool
  ) -> Int32 {
    var decision = made
    if isBorrowed, let base = made.behavior.baseAddress, made.behavior.count <= ImageFormat.maximumNameLength {
      pointee.behavior.copyMemory(from: base, byteCount: made.behavior.count)
      decision.behavior = Name(start: pointee.behavior, count: made.behavior.count)
    }
    pointee.forget()
    pointee.last.kind = .local
    pointee.last.decision = decision
    pointee.last.generation = generation
    pointee.last.isLost = false
    if let out { fill(out, decision, generation) }
    return Int32(decision.effect.rawValue)
  }
}
