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
      writeQuestion(names, isExplaining: isExplaining, version: 0, &writer)
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

  private func send(_ body: Name) -> Int32 {
    let authority = pointee.authority
    guard clicet_lock(authority.pointee.lock, authority.pointee.settings.timeout) == 0 else {
      return LICET_E_NO_AUTHORITY
    }
    defer { clicet_unlock(authority.pointee.lock) }
    return authority.ask(.check, body, error) { keep($0) ? 0 : nil }
  }

  /// What licetd has to decide itself, though it could be decided here; while nobody answers it needn't.
  func askInstead(_ names: UnsafeBufferPointer<Name>) -> Int32 {
    let authority = pointee.authority
    // Nobody waits for a licetd that didn't answer a moment ago.
    if clicet_coarse_now() < authority.pointee.retryAt, clicet_load32(authority.pointee.trialMark) == 1 {
      return LICET_E_NO_AUTHORITY
    }
    return askRemotely(names, isExplaining: false)
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
