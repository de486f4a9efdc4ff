// The session that a request asks in: its terms and attributes laid out in the frame, and whether they are in force still.

internal import Attach
internal import CLicet
internal import Decision
internal import PolicyImage

extension UnsafeMutablePointer where Pointee == Request {
  /// Whether the session says what this attribute is.
  @inline(__always)
  func isSessions(_ name: Name) -> Bool {
    guard let content = pointee.content else { return false }
    return content.pointee.has(name)
  }

  /// Asks in none.
  func leaveSession() {
    guard let session = pointee.session else { return }
    takeOut()
    pointee.session = nil
    pointee.head.session = nil
    Session.release(session)
    retry()
    settleTrouble()
  }

  /// Lays out what the request keeps of its session, for the first time.
  func laySession() {
    pointee.forget()
    putSession()
    retry()
    settleTrouble()
  }

  /// Takes what the session held out of the frame.
  private func takeOut() {
    pointee.forget()
    guard let content = pointee.content else { return }
    if let platform = pointee.policy?.platform {
      for one in content.pointee.attributes {
        if let slot = callerSlot(one.name, platform) { pointee.frame.set(slot, .absent) }
      }
    }
    pointee.frame.setSession(nil)
    pointee.frame.suspicion = 0
    // A delegate's has been the agent's.
    pointee.frame.setSource(pointee.head.source)
    pointee.content = nil
    SessionContent.release(content)
  }

  /// Puts it in. What the request says itself of the same attributes goes where it stands in the way of every check.
  func putSession() {
    guard let content = pointee.content else { return }
    pointee.frame.setSession(content.pointee.terms)
    pointee.frame.suspicion = content.pointee.suspicion
    guard let platform = pointee.policy?.platform else { return }
    for one in content.pointee.attributes {
      guard let slot = callerSlot(one.name, platform) else { continue }
      let own = pointee.frame.slots[slot]
      pointee.frame.set(slot, .absent)
      if own.kind != .absent { _ = pend(own, one.name, 0, LICET_E_BAD_REQUEST, isSessions: true) }
      if let (slot, value) = sessionSlot(one.name, one.value, in: platform) { pointee.frame.set(slot, value) }
    }
  }

  /// Whether the session is as it was laid out, fetched if it isn't. 0 to go on, lost or not, or a code.
  @inline(__always)
  func followSession(_ standing: inout Standing) -> Int32 {
    guard let session = pointee.session, standing != .lost else { return 0 }
    if let content = pointee.content, content.isInForce(pointee.authority) {
      standing = .inSession
      return 0
    }
    return fetchSession(session, &standing)
  }

  @inline(never)
  private func fetchSession(_ session: SessionRef, _ standing: inout Standing) -> Int32 {
    let authority = pointee.authority
    var rounds = Request.rounds
    while rounds > 0 {
      rounds &-= 1
      switch fetchOnce(session) {
      case .current: break
      case .lost:
        standing = .lost
        return 0
      case .refused(let code): return code
      }
      // It may have come by another attachment than the snapshot.
      switch update() {
      case .current: break
      case .lost:
        standing = .lost
        return 0
      case .refused(let code): return code
      }
      if let content = pointee.content, content.isInForce(authority) {
        standing = .inSession
        return 0
      }
    }
    // What the daemon says again and again isn't so.
    standing = .lost
    return 0
  }

  private func fetchOnce(_ session: SessionRef) -> Currency {
    let authority = pointee.authority
    guard clicet_lock(authority.pointee.lock, authority.pointee.settings.timeout) == 0 else { return .lost }
    let gone = session.gone
    guard gone == 0 else {
      clicet_unlock(authority.pointee.lock)
      return .refused(fail(gone) { $0.put(meaning(gone)) })
    }
    // Whoever held the lock may have fetched it.
    var result = Currency.current
    if !session.pointee.current.isInForce(authority) { result = authority.fetch(session, error) }
    let content = session.pointee.current
    SessionContent.retain(content)
    clicet_unlock(authority.pointee.lock)
    guard content != pointee.content else {
      SessionContent.release(content)
      return result
    }
    takeOut()
    pointee.content = content
    laySession()
    return result
  }

  // MARK: halts

  /// What halts the request: the session's halts, its time where that has passed meanwhile, the operator's halts.
  func withHalts<T>(_ body: (UnsafeBufferPointer<HaltRecord>) -> T) -> T {
    let all = pointee.snapshot?.pointee.halts ?? UnsafeBufferPointer(start: nil, count: 0)
    guard let content = pointee.content else { return body(all) }
    let own = content.pointee.halts
    let isOver = content.isOver && !content.pointee.saysExpired
    if own.count == 0, !isOver { return body(all) }
    let size = (all.count &+ own.count &+ 1) &* MemoryLayout<HaltRecord>.stride
    guard let memory = clicet_allocate(size)?.assumingMemoryBound(to: HaltRecord.self) else {
      // One is enough to deny.
      if all.count > 0 || own.count > 0 { return body(own.count > 0 ? own : all) }
      return withUnsafePointer(to: HaltRecord(.sessionExpired)) { body(UnsafeBufferPointer(start: $0, count: 1)) }
    }
    defer { clicet_free(memory) }
    var used = 0
    for halt in own {
      (memory + used).initialize(to: halt)
      used &+= 1
    }
    if isOver {
      (memory + used).initialize(to: HaltRecord(.sessionExpired, session: content.pointee.timed))
      used &+= 1
    }
    for halt in all {
      (memory + used).initialize(to: halt)
      used &+= 1
    }
    return body(UnsafeBufferPointer(start: memory, count: used))
  }

  /// Whether the session itself denies everything, as far as is known.
  var isSessionHalted: Bool {
    guard let content = pointee.content else { return false }
    return content.pointee.halts.count > 0 || content.isOver
  }
}
