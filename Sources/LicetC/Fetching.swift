// What is in force, fetched from the daemon: attached anew where need be, images mapped and verified, halts copied. All
// of it under the authority's lock.

internal import Attach
internal import CLicet
internal import Decision
internal import PolicyImage

extension UnsafeMutablePointer where Pointee == Authority {
  /// Fetches what is in force into `current`. The sentence of a refusal goes into `error`.
  func fetch(_ error: UnsafeMutablePointer<licet_error>?) -> Currency {
    guard pointee.mode != LICET_EMBEDDED else { return .current }
    let now = clicet_coarse_now()
    if now < pointee.retryAt, clicet_load32(pointee.trialMark) == 1 { return remembered(error) }
    if pointee.connection.isOpen, isOwnConnection {
      if let result = refresh(error) { return result }
    }
    return attach(error, until: now &+ UInt64(pointee.settings.timeout) &* 1_000_000)
  }

  /// What the last attempt came to, while it is too early for another one.
  private func remembered(_ error: UnsafeMutablePointer<licet_error>?) -> Currency {
    guard pointee.refusal != 0 else { return .lost }
    return .refused(report(error, pointee.refusal) { $0.put(meaning(pointee.refusal)) })
  }

  /// Asks what is new on the connection that there is; nil: it is of no use.
  private func refresh(_ error: UnsafeMutablePointer<licet_error>?) -> Currency? {
    let current = pointee.current
    let question = RefreshQuestion(
      platformSince: current?.pointee.platform?.pointee.since ?? 0,
      overlaySince: current?.pointee.overlay?.pointee.since ?? 0)
    return withUnsafeTemporaryAllocation(byteCount: 64, alignment: 8) { space in
      var writer = WireWriter(space)
      question.write(&writer)
      var answer = Name(start: nil, count: 0)
      var kind: UInt16 = 0
      let askedAt = clicet_monotonic_now()
      let failure = pointee.connection.ask(.refresh, writer.bytes, &answer, &kind)
      if failure == -EMFILE {
        // What came could not be taken for want of a descriptor; the connection is as good as before.
        pointee.retryAt = clicet_coarse_now() &+ 100_000_000
        pointee.refusal = 0
        return .lost
      }
      guard failure == 0 else { return nil }
      var reader = WireReader(answer)
      if kind == MessageKind.refusal.rawValue { return refused(&reader, error) }
      guard kind == MessageKind.refresh.rawValue | MessageKind.answer else { return nil }
      return adopt(
        &reader, operatorName: nil, askedAt: askedAt, clockOffset: current?.pointee.clockOffset ?? 0, error)
    }
  }

  /// Connects and attaches, again and again until `end`.
  func attach(_ error: UnsafeMutablePointer<licet_error>?, until end: UInt64) -> Currency {
    while true {
      pointee.connection.close()
      let failure = pointee.connection.open(pointee.settings.path, timeout: pointee.settings.timeout)
      clicet_store32(pointee.trialMark, 1)
      let mode = pointee.mode
      if failure == 0, let result = introduce(error) { return result }
      // What can't be mapped is asked for call by call, at once.
      if pointee.mode != mode { continue }
      let now = clicet_coarse_now()
      // A daemon that restarts is back soon; a socket that isn't there, or isn't ours, is not worth the wait.
      if now >= end || pointee.current == nil || (failure != 0 && failure != -ECONNREFUSED && failure != -ENOENT) {
        pointee.connection.close()
        pointee.retryAt = now &+ 1_000_000_000
        pointee.refusal = 0
        pointee.lastFailure = unanswered(failure, error)
        return .lost
      }
      clicet_sleep(10)
    }
  }

  private func unanswered(_ failure: Int32, _ error: UnsafeMutablePointer<licet_error>?) -> Int32 {
    let isOurs = failure == -EMFILE || failure == -ENFILE || failure == -ENOMEM || failure == -ENAMETOOLONG
    let code = isOurs ? LICET_E_SYSTEM : failure == 0 ? LICET_E_PROTOCOL : LICET_E_NO_AUTHORITY
    return report(error, code, system: -failure) {
      $0.put(failure == 0 ? "what answers is no licetd that this library can speak with: " : "can't reach licetd at ")
      $0.put(Name(pointee.settings.path, clicet_length(pointee.settings.path)) ?? Name(start: nil, count: 0))
      guard failure != 0 else { return }
      $0.put(": ")
      $0.put(system: -failure)
      if !isOurs { $0.put("; is licetd running?") }
    }
  }

  /// Says who is spoken for and takes what comes; nil: the connection is of no use.
  private func introduce(_ error: UnsafeMutablePointer<licet_error>?) -> Currency? {
    let wantsImages = pointee.mode == LICET_SNAPSHOT
    // A ring that a parent writes is the parent's.
    let brought = pointee.recorder.map { isOwn($0) ? $0.pointee.descriptor : -1 } ?? -1
    let question = AttachQuestion(
      wantsImages: wantsImages, bringsRing: brought >= 0, operatorName: pointee.settings.operatorName)
    return withUnsafeTemporaryAllocation(byteCount: 512, alignment: 8) { space in
      var writer = WireWriter(space)
      question.write(&writer)
      var answer = Name(start: nil, count: 0)
      var kind: UInt16 = 0
      let before = clicet_monotonic_now()
      let failure = pointee.connection.ask(.attach, writer.bytes, with: brought, &answer, &kind)
      // Descriptors that a security module took out: the answers go on, call by call.
      if failure == -EMSGSIZE, wantsImages {
        pointee.mode = LICET_REMOTE
        return nil
      }
      guard failure == 0 else { return nil }
      var reader = WireReader(answer)
      if kind == MessageKind.refusal.rawValue { return refused(&reader, error) }
      let head = AttachAnswer.read(&reader)
      guard kind == MessageKind.attach.rawValue | MessageKind.answer, !reader.isBroken,
        head.version >= AttachProtocol.lowest, head.version <= AttachProtocol.highest
      else { return nil }
      pointee.version = head.version
      return adopt(
        &reader, operatorName: head.operatorName, askedAt: before, clockOffset: offset(head.now, before), error)
    }
  }

  /// What the daemon's clock said lies between question and answer, or it is shifted: clocks in a time namespace are, by
  /// whole seconds at least.
  private func offset(_ theirs: UInt64, _ asked: UInt64) -> UInt64 {
    let tolerance: UInt64 = 500_000_000
    let isSame = theirs >= asked &- min(asked, tolerance) && theirs <= clicet_monotonic_now() &+ tolerance
    return isSame ? 0 : theirs &- asked
  }

  private func refused(_ reader: inout WireReader, _ error: UnsafeMutablePointer<licet_error>?) -> Currency {
    let code: Int32 = reader.take()
    let sentence = reader.text()
    let known = known(code, reader)
    pointee.refusal = known
    pointee.retryAt = clicet_coarse_now() &+ 100_000_000
    return .refused(report(error, known) { $0.put(refusal: known, sentence) })
  }

  /// Makes a snapshot of what an answer says and puts it in place of `current`; nil: it can't be believed.
  private func adopt(
    _ reader: inout WireReader, operatorName: Name?, askedAt: UInt64, clockOffset: UInt64,
    _ error: UnsafeMutablePointer<licet_error>?
  ) -> Currency? {
    let head = SnapshotHead.read(&reader)
    guard !reader.isBroken else { return nil }
    let old = pointee.current
    let isAttached = operatorName != nil
    guard let name = copied(operatorName ?? old?.pointee.operatorName ?? Name(start: nil, count: 0)) else {
      return withoutMemory(error)
    }
    var content = Snapshot(generation: head.generation, operatorName: name)
    content.revocation = head.revocation
    content.askedAt = askedAt
    content.clockOffset = clockOffset
    content.asksRemotely = head.asksRemotely
    content.attachment = isAttached ? pointee.attachment &+ 1 : pointee.attachment
    var failure: Int32 = 0
    if pointee.mode == LICET_SNAPSHOT {
      content.page = mapping(head.hasPage, old?.pointee.page, isState: true, since: 1, &failure)
      content.platform = mapping(
        head.hasPlatform, head.platformSince == 0 ? nil : old?.pointee.platform, isState: false,
        since: head.platformSince, &failure)
      content.overlay = mapping(
        head.hasOverlay, head.overlaySince == 0 ? nil : old?.pointee.overlay, isState: false,
        since: head.overlaySince, &failure)
      if isAttached { takeRing(head, &failure) }
      Recorder.retain(pointee.recorder)
      content.recorder = pointee.recorder
    }
    var left = head.halts
    let isRead = readHalts(&reader, &left, &content)
    let ended: UInt64 = isRead && !reader.isAtEnd ? reader.take() : 0
    guard failure == 0, isRead, !reader.isBroken else {
      content.giveBack()
      if failure == -ENOMEM { return withoutMemory(error) }
      // What a security module doesn't let us map, licetd decides. Memory that somebody can change, or none, is a lie.
      if isRead, failure == -EACCES || failure == -EPERM { pointee.mode = LICET_REMOTE }
      return nil
    }
    if pointee.mode == LICET_SNAPSHOT, !isWhole(head, ended, &content) {
      content.giveBack()
      return nil
    }
    guard let made = Snapshot.make(content) else { return withoutMemory(error) }
    pointee.current = made
    Snapshot.release(old)
    pointee.attachment = made.pointee.attachment
    clicet_store32(pointee.mark, pointee.attachment)
    pointee.generation = head.generation
    pointee.retryAt = 0
    pointee.refusal = 0
    return .current
  }

  private func withoutMemory(_ error: UnsafeMutablePointer<licet_error>?) -> Currency {
    .refused(report(error, LICET_E_NO_MEMORY) { $0.put(meaning(LICET_E_NO_MEMORY)) })
  }

  /// The ring of a new attachment: one that came, the one that was brought, or none.
  private func takeRing(_ head: SnapshotHead, _ failure: inout Int32) {
    if head.keepsRing, let recorder = pointee.recorder, isOwn(recorder) { return }
    Recorder.release(pointee.recorder)
    pointee.recorder = nil
    guard head.hasRing, failure == 0 else { return }
    let descriptor = pointee.connection.takeDescriptor()
    pointee.lastRecorder &+= 1
    guard descriptor >= 0 else { return failure = -EPROTO }
    guard let made = Recorder.make(descriptor, number: pointee.lastRecorder, &failure) else { return }
    pointee.recorder = made
    clicet_store32(pointee.recorderMark, made.pointee.number)
  }

  /// A mapping that came, or the one that was there.
  private func mapping(
    _ isNew: Bool, _ old: UnsafeMutablePointer<Mapping>?, isState: Bool, since: UInt64, _ failure: inout Int32
  ) -> UnsafeMutablePointer<Mapping>? {
    guard isNew else {
      Mapping.retain(old)
      return old
    }
    let descriptor = pointee.connection.takeDescriptor()
    guard descriptor >= 0 else {
      failure = -EPROTO
      return nil
    }
    defer { clicet_close(descriptor) }
    var base: UnsafeMutableRawPointer?
    var size = 0
    let refusal = clicet_map_sealed(descriptor, isState ? 1 : 0, ImageFormat.maximumSize, &base, &size)
    guard refusal == 0, let base else {
      failure = refusal
      return nil
    }
    let made = Mapping.make(base, size, since: since)
    if made == nil { failure = -ENOMEM }
    return made
  }

  /// Whether everything is there that has to be, verified; fills in the policy.
  private func isWhole(_ head: SnapshotHead, _ ended: UInt64, _ content: inout Snapshot) -> Bool {
    guard let page = content.page, page.pointee.size >= StatePage.size else { return false }
    let words = page.pointee.base.assumingMemoryBound(to: UInt64.self)
    guard words[StatePage.magicWord] == StatePage.magic, words[StatePage.versionWord] == StatePage.version else {
      return false
    }
    guard head.platformSince != 0 else { return content.platform == nil }
    guard let platform = content.platform, platform.pointee.since == head.platformSince else { return false }
    // What was verified before, and is mapped still, needn't be again.
    let old = pointee.current?.pointee
    let isKnown = old?.policy != nil && old?.platform == platform
    do throws(ImageError) {
      let image =
        if isKnown, let policy = old?.policy { policy.platform } else { try verifyPlatform(platform.pointee.bytes) }
      guard head.overlaySince != 0 else {
        content.policy = Policy(platform: image, ended: ended)
        return content.overlay == nil
      }
      guard let overlay = content.overlay, overlay.pointee.since == head.overlaySince else { return false }
      if isKnown, let policy = old?.policy, policy.hasOverlay, old?.overlay == overlay {
        content.policy = Policy(platform: image, overlay: policy.image(.overlay), ended: ended)
      } else {
        content.policy = Policy(
          platform: image, overlay: try verifyOverlay(overlay.pointee.bytes, on: image), ended: ended)
      }
      return true
    } catch {
      return false
    }
  }

  private func readHalts(_ reader: inout WireReader, _ left: inout UInt16, _ content: inout Snapshot) -> Bool {
    guard left > 0 else { return true }
    guard let memory = clicet_allocate(Int(left) &* MemoryLayout<HaltRecord>.stride) else { return false }
    let halts = memory.bindMemory(to: HaltRecord.self, capacity: Int(left))
    var count = 0
    while left > 0 {
      var halt = HaltRecord.read(&reader)
      guard !reader.isBroken, let own = copied(halt.operatorName) else { break }
      halt.operatorName = own
      // No session's: an operator's halts alone come with a snapshot.
      halt.session = Name(start: nil, count: 0)
      halts[count] = halt
      count &+= 1
      left &-= 1
    }
    content.halts = UnsafeBufferPointer(start: halts, count: count)
    return left == 0
  }
}

/// A code that the daemon refused with, if this library knows it.
func known(_ code: Int32, _ reader: WireReader) -> Int32 {
  !reader.isBroken && code < 0 && code >= LICET_E_BAD_COST ? code : LICET_E_PROTOCOL
}
