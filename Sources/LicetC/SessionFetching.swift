// Questions about sessions, and what comes of them. All of it under the authority's lock.

internal import Attach
internal import CLicet
internal import Decision
internal import PolicyImage

/// The words of the operator's sessions, as far as they were handed out. Under the lock.
struct Region {
  /// One reference; nil: none came yet.
  var mapping: UnsafeMutablePointer<Mapping>?
  var number: UInt64 = 0
}

extension UnsafeMutablePointer where Pointee == Authority {
  /// Asks on the connection that there is, or on a new one; once more on a new one where the first broke, if it does no harm
  /// to ask twice. `take` is shown the answer and says whether it makes sense. 0, or a code: LICET_E_NO_AUTHORITY: nobody
  /// answers.
  func ask(
    _ kind: MessageKind, _ body: Name, isHarmless: Bool = true, _ error: UnsafeMutablePointer<licet_error>?,
    _ take: (Name) -> Int32?
  ) -> Int32 {
    var isSecond = false
    while true {
      if pointee.connection.isOpen, isOwnConnection {
        if let code = exchange(kind, body, error, take) { return code }
        if !isHarmless { return unanswered(error) }
      }
      // A connection that broke since the last call is made anew, once.
      if isSecond { return unanswered(error) }
      isSecond = true
      pointee.retryAt = 0
      switch attach(error, until: clicet_coarse_now() &+ UInt64(pointee.settings.timeout) &* 1_000_000) {
      case .current: break
      case .lost: return LICET_E_NO_AUTHORITY
      case .refused(let code): return code
      }
    }
  }

  private func unanswered(_ error: UnsafeMutablePointer<licet_error>?) -> Int32 {
    report(error, LICET_E_NO_AUTHORITY) { $0.put(meaning(LICET_E_NO_AUTHORITY)) }
  }

  /// nil: the connection is of no use.
  private func exchange(
    _ kind: MessageKind, _ body: Name, _ error: UnsafeMutablePointer<licet_error>?, _ take: (Name) -> Int32?
  ) -> Int32? {
    if kind.rawValue >= MessageKind.openSession.rawValue, pointee.version < AttachProtocol.withSessions {
      return report(error, LICET_E_PROTOCOL) { $0.put("this licetd is older than sessions") }
    }
    var answer = Name(start: nil, count: 0)
    var answerKind: UInt16 = 0
    let failure = pointee.connection.ask(kind, body, &answer, &answerKind)
    guard failure == 0 else {
      // Descriptors that a security module took out: from now on licetd decides.
      if failure == -EMSGSIZE, pointee.mode == LICET_SNAPSHOT { pointee.mode = LICET_REMOTE }
      pointee.connection.close()
      return nil
    }
    if answerKind == MessageKind.refusal.rawValue {
      var reader = WireReader(answer)
      let code: Int32 = reader.take()
      let sentence = reader.text()
      let known = known(code, reader)
      return report(error, known) { $0.put(refusal: known, sentence) }
    }
    guard answerKind == kind.rawValue | MessageKind.answer, let code = take(answer) else {
      pointee.connection.close()
      return nil
    }
    return code
  }

  // MARK: sessions

  /// The region that a question about a session says is there.
  var knownRegion: UInt64 {
    pointee.mode == LICET_SNAPSHOT ? pointee.region.number : SessionRegion.wantsNone
  }

  /// Asks something about a session: `body` begins with the region. `take` takes over what it holds now.
  func askSession(
    _ kind: MessageKind, _ body: UnsafeMutableRawBufferPointer, isHarmless: Bool = true,
    _ error: UnsafeMutablePointer<licet_error>?, _ take: (SessionNumber, ContentRef) -> Void
  ) -> Int32 {
    var askedAt = clicet_boot_now()
    var code: Int32
    var mode: Int32
    repeat {
      mode = pointee.mode
      var writer = WireWriter(body)
      writer.put(knownRegion)
      askedAt = clicet_boot_now()
      code = ask(kind, Name(body), isHarmless: isHarmless, error) { answer in
        guard answer.count > 0 || kind != .changeSession else { return 0 }
        return self.take(answer, askedAt, error, take)
      }
      // What can't be mapped is asked for without, at once.
    } while code == LICET_E_NO_AUTHORITY && pointee.mode != mode
    return code
  }

  private func take(
    _ answer: Name, _ askedAt: UInt64, _ error: UnsafeMutablePointer<licet_error>?,
    _ take: (SessionNumber, ContentRef) -> Void
  ) -> Int32? {
    var reader = WireReader(answer)
    let head = SessionAnswer.read(&reader)
    guard !reader.isBroken else { return nonsense(error) }
    if head.hasRegion {
      let failure = mapRegion(head.region)
      if failure == -EACCES || failure == -EPERM {
        pointee.mode = LICET_REMOTE
        return nil
      }
      if failure == -ENOMEM { return report(error, LICET_E_NO_MEMORY) { $0.put(meaning(LICET_E_NO_MEMORY)) } }
      guard failure == 0 else { return nonsense(error) }
    }
    guard head.region == 0 || (head.region == pointee.region.number && pointee.region.mapping != nil),
      let content = SessionContent.make(
        answer, region: head.region == 0 ? nil : pointee.region.mapping, attachment: pointee.attachment,
        askedAt: askedAt)
    else { return nonsense(error) }
    take(head.id, content)
    return 0
  }

  private func nonsense(_ error: UnsafeMutablePointer<licet_error>?) -> Int32 {
    pointee.connection.close()
    return report(error, LICET_E_PROTOCOL) { $0.put("an answer that makes no sense, or no memory for it") }
  }

  private func mapRegion(_ number: UInt64) -> Int32 {
    let descriptor = pointee.connection.takeDescriptor()
    guard descriptor >= 0 else { return -EPROTO }
    defer { clicet_close(descriptor) }
    var base: UnsafeMutableRawPointer?
    var size = 0
    let failure = clicet_map_sealed(descriptor, 1, SessionRegion.size, &base, &size)
    guard failure == 0, let base else { return failure == 0 ? -EPROTO : failure }
    guard let made = Mapping.make(base, size, since: number) else { return -ENOMEM }
    let words = base.assumingMemoryBound(to: UInt64.self)
    guard size == SessionRegion.size, words[SessionRegion.magicWord] == SessionRegion.magic,
      words[SessionRegion.versionWord] == SessionRegion.version, words[SessionRegion.identity] == number
    else {
      Mapping.release(made)
      return -EPROTO
    }
    Mapping.release(pointee.region.mapping)
    pointee.region = Region(mapping: made, number: number)
    return 0
  }

  /// Fetches what a session holds now, which isn't what is known of it.
  func fetch(_ session: SessionRef, _ error: UnsafeMutablePointer<licet_error>?) -> Currency {
    if !(pointee.connection.isOpen && isOwnConnection), clicet_coarse_now() < pointee.retryAt,
      clicet_load32(pointee.trialMark) == 1
    {
      return .lost
    }
    let number = session.pointee.number
    let code = withUnsafeTemporaryAllocation(byteCount: 24, alignment: 8) { space in
      var writer = WireWriter(space)
      SessionQuestion(region: 0, id: number).write(&writer)
      return askSession(.session, space, error) { session.take($0, $1) }
    }
    return session.outcome(code)
  }
}

extension UnsafeMutablePointer where Pointee == Session {
  /// Takes over what it holds now. Another session's is none of it.
  func take(_ number: SessionNumber, _ content: ContentRef) {
    guard number == pointee.number else { return SessionContent.release(content) }
    let old = pointee.current
    pointee.current = content
    SessionContent.release(old)
  }

  /// Not 0: why it is gone.
  var gone: Int32 { -Int32(truncatingIfNeeded: clicet_load32(goneWord)) }

  private var goneWord: UnsafeMutablePointer<UInt32> { referenceWord(self) + 1 }

  /// A session that is gone never comes back, and nobody is asked for it again.
  func setGone(_ code: Int32) { clicet_store32(goneWord, UInt32(truncatingIfNeeded: -code)) }

  fileprivate func outcome(_ code: Int32) -> Currency {
    switch code {
    case 0: return .current
    case LICET_E_NO_AUTHORITY: return .lost
    default:
      if code == LICET_E_UNKNOWN_SESSION || code == LICET_E_FOREIGN_SESSION { setGone(code) }
      return .refused(code)
    }
  }
}
