// Asked call by call: a request becomes a message, the daemon's answer is kept with the request.

internal import Attach
internal import CLicet
internal import Decision
internal import PolicyImage

extension UnsafeMutablePointer where Pointee == Request {
  /// Asks, and keeps the answer in `last`. 0; LICET_E_NO_AUTHORITY: nobody answers; or the daemon's refusal.
  func askRemotely(_ names: UnsafeBufferPointer<Name>, isExplaining: Bool) -> Int32 {
    while true {
      var writer = WireWriter(UnsafeMutableRawBufferPointer(start: pointee.question, count: pointee.questionCapacity))
      write(names, isExplaining, &writer)
      if writer.isWhole, writer.count > 0 { return send(writer.bytes) }
      guard writer.count <= AttachProtocol.largest else {
        return fail(LICET_E_TOO_MANY) { $0.put("the request is too large") }
      }
      guard let memory = clicet_resize(pointee.question, writer.count &* 2) else {
        return fail(LICET_E_NO_MEMORY) { $0.put(meaning(LICET_E_NO_MEMORY)) }
      }
      pointee.question = memory
      pointee.questionCapacity = writer.count &* 2
    }
  }

  private func write(_ names: UnsafeBufferPointer<Name>, _ isExplaining: Bool, _ writer: inout WireWriter) {
    var head = pointee.head
    head.isExplaining = isExplaining
    head.write(behaviors: names.count, attributes: pointee.pendingCount &+ placed(nil), &writer)
    for name in names { writer.put(name as Name?) }
    withUnsafeMutablePointer(to: &writer) { _ = placed($0) }
    guard let pending = pointee.pending else { return }
    var i = 0
    while i < pointee.pendingCount {
      writer.put(pointee.authority.pointee.attributes.name(pending[i].attribute))
      pending[i].value.write(&writer)
      i &+= 1
    }
  }

  /// Attributes that have their slot, on a snapshot; written, or only counted. Returns how many they are.
  private func placed(_ writer: UnsafeMutablePointer<WireWriter>?) -> Int {
    guard let platform = pointee.policy?.platform else { return 0 }
    var count = 0
    var slot = Int(BuiltInSlot.count)
    while slot < platform.firstCounterSlot {
      let value = pointee.frame.slots[slot]
      if value.kind != .absent {
        count &+= 1
        if let writer {
          writer.pointee.put(platform.string(platform.attributes[slot].name) as Name?)
          value.write(&writer.pointee)
        }
      }
      slot &+= 1
    }
    return count
  }

  private func send(_ body: Name) -> Int32 {
    let authority = pointee.authority
    guard clicet_lock(authority.pointee.lock, authority.pointee.settings.timeout) == 0 else {
      return LICET_E_NO_AUTHORITY
    }
    defer { clicet_unlock(authority.pointee.lock) }
    var isSecond = false
    while true {
      if let code = exchange(body) { return code }
      // A connection that broke since the last call is made anew, once.
      if isSecond { return LICET_E_NO_AUTHORITY }
      isSecond = true
      authority.pointee.retryAt = 0
      switch authority.attach(
        error, until: clicet_coarse_now() &+ UInt64(authority.pointee.settings.timeout) &* 1_000_000)
      {
      case .current: break
      case .lost: return LICET_E_NO_AUTHORITY
      case .refused(let code): return code
      }
    }
  }

  /// nil: the connection is of no use.
  private func exchange(_ body: Name) -> Int32? {
    let authority = pointee.authority
    guard authority.pointee.connection.isOpen, authority.isOwnConnection else { return nil }
    var answer = Name(start: nil, count: 0)
    var kind: UInt16 = 0
    guard authority.pointee.connection.ask(.check, body, &answer, &kind) == 0 else {
      authority.pointee.connection.close()
      return nil
    }
    if kind == MessageKind.refusal.rawValue {
      var reader = WireReader(answer)
      let code: Int32 = reader.take()
      let sentence = reader.text()
      let known = known(code, reader)
      return fail(known) { $0.put(refusal: known, sentence) }
    }
    guard kind == MessageKind.check.rawValue | MessageKind.answer, keep(answer) else { return nil }
    return 0
  }

  private func keep(_ answer: Name) -> Bool {
    if pointee.last.replyCapacity < answer.count {
      guard let memory = clicet_resize(pointee.last.reply, answer.count &* 2) else { return false }
      pointee.last.reply = memory
      pointee.last.replyCapacity = answer.count &* 2
    }
    if let base = answer.baseAddress { pointee.last.reply?.copyMemory(from: base, byteCount: answer.count) }
    pointee.last.replyCount = answer.count
    return true
  }

  /// Fills the short form from the answer that was kept.
  func finishRemotely(_ out: UnsafeMutablePointer<licet_decision>?) -> Int32 {
    // All of it: its obligations are asked for later.
    let walk = Walk(pointee.last.answer) { _, _ in }
    let head = walk.head
    guard !walk.reader.isBroken else {
      if let out { out.pointee.effect = LICET_DENY }
      pointee.last.kind = .none
      return fail(LICET_E_PROTOCOL) { $0.put("an answer that makes no sense") }
    }
    pointee.last.kind = .remote
    pointee.last.isLost = false
    pointee.last.generation = head.generation
    pointee.authority.pointee.generation = head.generation
    if let out {
      out.pointee.effect = Int32(head.effect.rawValue)
      out.pointee.generation = head.generation
      out.pointee.decided_by = head.decider.rank
      out.pointee.lost = 0
      out.pointee.oversight = head.decider.cause
      out.pointee.behavior = head.decider.behavior.text
    }
    return Int32(head.effect.rawValue)
  }
}
