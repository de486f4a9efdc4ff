// licet_session_…: opened, delegated, joined, changed, ended by licetd's word alone.

internal import Attach
public import CLicet
internal import Decision
internal import PolicyImage

@c @implementation
public func licet_session_open(
  _ authority: OpaquePointer!, _ terms: UnsafePointer<licet_terms>!,
  _ session: UnsafeMutablePointer<OpaquePointer?>!, _ error: UnsafeMutablePointer<licet_error>!
) -> Int32 {
  guard let authority, let session else {
    return report(error, LICET_E_INVALID) { $0.put("authority, session: NULL") }
  }
  return open(AuthorityRef(authority), parent: .none, terms, session, error)
}

@c @implementation
public func licet_session_delegate(
  _ parent: OpaquePointer!, _ terms: UnsafePointer<licet_terms>!,
  _ session: UnsafeMutablePointer<OpaquePointer?>!, _ error: UnsafeMutablePointer<licet_error>!
) -> Int32 {
  guard let parent, let session else { return report(error, LICET_E_INVALID) { $0.put("parent, session: NULL") } }
  session.pointee = nil
  let ref = SessionRef(parent)
  guard ref.gone == 0 else { return ref.refuse(error) }
  return open(ref.pointee.authority, parent: ref.pointee.number, terms, session, error)
}

@c @implementation
public func licet_session_join(
  _ authority: OpaquePointer!, _ id: UnsafePointer<CChar>!, _ length: Int,
  _ session: UnsafeMutablePointer<OpaquePointer?>!, _ error: UnsafeMutablePointer<licet_error>!
) -> Int32 {
  guard let authority, let session, let text = Name(id, length) else {
    return report(error, LICET_E_INVALID) { $0.put("authority, id, session: NULL") }
  }
  session.pointee = nil
  guard let number = SessionNumber(text), number != .none else {
    return report(error, LICET_E_UNKNOWN_SESSION) {
      $0.put(text)
      $0.put(" is no session's id: 32 hexadecimal digits, as licet_session_id gives them")
    }
  }
  let ref = AuthorityRef(authority)
  return withUnsafeTemporaryAllocation(byteCount: 24, alignment: 8) { space in
    var writer = WireWriter(space)
    SessionQuestion(region: 0, id: number).write(&writer)
    return ref.begin(.session, space, number, session, error)
  }
}

@c @implementation
public func licet_session_free(_ session: OpaquePointer!) {
  guard let session else { return }
  Session.release(SessionRef(session))
}

@c @implementation
public func licet_session_id(_ session: OpaquePointer!) -> UnsafePointer<CChar>! {
  guard let session else { return nil }
  return UnsafeRawPointer(SessionRef(session).pointee.digits).assumingMemoryBound(to: CChar.self)
}

@c @implementation
public func licet_session_set_preference(
  _ session: OpaquePointer!, _ behavior: UnsafePointer<CChar>!, _ length: Int, _ effect: Int32,
  _ error: UnsafeMutablePointer<licet_error>!
) -> Int32 {
  guard let session else { return report(error, LICET_E_INVALID) { $0.put("session: NULL") } }
  guard let name = Name(behavior, length), isBehaviorName(name) else {
    return report(error, LICET_E_BAD_NAME) {
      $0.put(Name(behavior, length) ?? Name(start: nil, count: 0))
      $0.put(": ")
      $0.put(meaning(LICET_E_BAD_NAME))
    }
  }
  let wish = UInt8(exactly: effect).flatMap { Effect(rawValue: $0) }
  guard wish != nil || effect == LICET_NO_PREFERENCE else {
    return report(error, LICET_E_BAD_REQUEST) { $0.put("preference: no effect") }
  }
  return SessionRef(session).change(.preference, effect: wish, behavior: name, error)
}

@c @implementation
public func licet_session_set_dial(
  _ session: OpaquePointer!, _ dial: Double, _ error: UnsafeMutablePointer<licet_error>!
) -> Int32 {
  guard let session else { return report(error, LICET_E_INVALID) { $0.put("session: NULL") } }
  guard let degree = Degree(dial: dial) else { return badDial(error) }
  return SessionRef(session).change(.dial, number: UInt64(degree.millionths), error)
}

@c @implementation
public func licet_session_spend(
  _ session: OpaquePointer!, _ cost: Double, _ left: UnsafeMutablePointer<Double>!,
  _ error: UnsafeMutablePointer<licet_error>!
) -> Int32 {
  guard let session else { return report(error, LICET_E_INVALID) { $0.put("session: NULL") } }
  guard cost.isFinite, cost >= 0 else { return badCost(error) }
  return SessionRef(session).change(.spend, number: cost.bitPattern, left: left, error)
}

@c @implementation
public func licet_session_close(_ session: OpaquePointer!, _ error: UnsafeMutablePointer<licet_error>!) -> Int32 {
  guard let session else { return report(error, LICET_E_INVALID) { $0.put("session: NULL") } }
  let ref = SessionRef(session)
  let code = ref.change(.close, error)
  if code == 0 { ref.setGone(LICET_E_UNKNOWN_SESSION) }
  return code
}

@c @implementation
public func licet_request_set_session(_ request: OpaquePointer!, _ session: OpaquePointer!) -> Int32 {
  guard let request else { return LICET_E_INVALID }
  let ref = RequestRef(request)
  let next = session.map { SessionRef($0) }
  guard next == nil || next?.pointee.authority == ref.pointee.authority else {
    return ref.fail(LICET_E_INVALID) { $0.put("session: of another authority") }
  }
  Session.retain(next)
  ref.leaveSession()
  guard let next else { return 0 }
  ref.pointee.session = next
  ref.pointee.head.session = SessionMoment(next.pointee.number, version: 0)
  // What is known of it, which the next check looks at.
  let lock = ref.pointee.authority.pointee.lock
  if clicet_lock(lock, ref.pointee.authority.pointee.settings.timeout) == 0 {
    SessionContent.retain(next.pointee.current)
    ref.pointee.content = next.pointee.current
    clicet_unlock(lock)
  }
  ref.laySession()
  return 0
}

private func badDial(_ error: UnsafeMutablePointer<licet_error>?) -> Int32 {
  report(error, LICET_E_BAD_DIAL) { $0.put(meaning(LICET_E_BAD_DIAL)) }
}

private func badCost(_ error: UnsafeMutablePointer<licet_error>?) -> Int32 {
  report(error, LICET_E_BAD_COST) { $0.put(meaning(LICET_E_BAD_COST)) }
}

extension Degree {
  /// A dial, to the nearest millionth; nil: not strictly between 0 and 1.
  fileprivate init?(dial: Double) {
    guard dial > 0, dial < 1 else { return nil }
    let millionths = UInt32(dial * 1_000_000 + 0.5)
    guard millionths > 0, millionths < 1_000_000 else { return nil }
    self.init(millionths: millionths)
  }
}

extension UnsafeMutablePointer where Pointee == Session {
  fileprivate func refuse(_ error: UnsafeMutablePointer<licet_error>?) -> Int32 {
    let code = gone
    return report(error, code) { $0.put(meaning(code)) }
  }

  fileprivate func change(
    _ kind: ChangeQuestion.Kind, effect: Effect? = nil, number: UInt64 = 0,
    behavior: Name = Name(start: nil, count: 0), left: UnsafeMutablePointer<Double>? = nil,
    _ error: UnsafeMutablePointer<licet_error>?
  ) -> Int32 {
    guard gone == 0 else { return refuse(error) }
    let authority = pointee.authority
    let question = ChangeQuestion(
      SessionQuestion(region: 0, id: pointee.number), kind, effect: effect, number: number, behavior: behavior)
    return withUnsafeTemporaryAllocation(byteCount: 512, alignment: 8) { space in
      var writer = WireWriter(space)
      question.write(&writer)
      guard writer.isWhole else { return report(error, LICET_E_BAD_NAME) { $0.put(meaning(LICET_E_BAD_NAME)) } }
      guard clicet_lock(authority.pointee.lock, authority.pointee.settings.timeout) == 0 else { return busy(error) }
      defer { clicet_unlock(authority.pointee.lock) }
      let body = UnsafeMutableRawBufferPointer(rebasing: space[..<writer.count])
      // What was spent is not to be spent twice.
      let code = authority.askSession(.changeSession, body, isHarmless: kind != .spend, error) { number, content in
        if let left { left.pointee = content.pointee.unspent }
        take(number, content)
      }
      if code == LICET_E_UNKNOWN_SESSION || code == LICET_E_FOREIGN_SESSION { setGone(code) }
      return code
    }
  }
}

private func busy(_ error: UnsafeMutablePointer<licet_error>?) -> Int32 {
  report(error, LICET_E_NO_AUTHORITY) {
    $0.put("licetd has not answered what another thread asks, within the time-out")
  }
}

extension UnsafeMutablePointer where Pointee == Authority {
  /// Asks for a session, and makes a handle of what comes.
  fileprivate func begin(
    _ kind: MessageKind, _ body: UnsafeMutableRawBufferPointer, _ wanted: SessionNumber?,
    _ session: UnsafeMutablePointer<OpaquePointer?>, _ error: UnsafeMutablePointer<licet_error>?
  ) -> Int32 {
    guard pointee.mode != LICET_EMBEDDED else {
      return report(error, LICET_E_NO_AUTHORITY) { $0.put("an image file has no sessions: licetd holds them") }
    }
    guard clicet_lock(pointee.lock, pointee.settings.timeout) == 0 else { return busy(error) }
    defer { clicet_unlock(pointee.lock) }
    var made: SessionRef?
    let code = askSession(kind, body, error) { number, content in
      if wanted == nil || wanted == number { made = Session.make(self, number, content) }
      if made == nil { SessionContent.release(content) }
    }
    guard code == 0 else { return code }
    guard let made else {
      return report(error, LICET_E_PROTOCOL) { $0.put("an answer that makes no sense, or no memory for it") }
    }
    session.pointee = OpaquePointer(made)
    return 0
  }
}

// MARK: terms

private func open(
  _ authority: AuthorityRef, parent: SessionNumber, _ given: UnsafePointer<licet_terms>?,
  _ session: UnsafeMutablePointer<OpaquePointer?>, _ error: UnsafeMutablePointer<licet_error>?
) -> Int32 {
  session.pointee = nil
  var terms = licet_terms()
  if let given {
    guard Int(given.pointee.size) >= MemoryLayout<licet_terms>.size else {
      return report(error, LICET_E_INVALID) { $0.put("terms: not their size") }
    }
    terms = given.pointee
  }
  let reader = TermsReader(terms: terms, isDelegate: parent != .none)
  let code = reader.check(error)
  guard code == 0 else { return code }
  let question = reader.question(parent)
  var counter = WireWriter(UnsafeMutableRawBufferPointer(start: nil, count: 0))
  reader.write(question, &counter)
  guard counter.count <= AttachProtocol.largest else {
    return report(error, LICET_E_TOO_MANY) { $0.put("the terms are too large") }
  }
  guard let memory = clicet_allocate(counter.count) else {
    return report(error, LICET_E_NO_MEMORY) { $0.put(meaning(LICET_E_NO_MEMORY)) }
  }
  defer { clicet_free(memory) }
  let body = UnsafeMutableRawBufferPointer(start: memory, count: counter.count)
  var writer = WireWriter(body)
  reader.write(question, &writer)
  return authority.begin(.openSession, body, nil, session, error)
}

/// A caller's terms: every pointer and number is anybody's.
private struct TermsReader {
  let terms: licet_terms
  let isDelegate: Bool

  private var attributes: UnsafeBufferPointer<licet_named_value> { list(terms.attributes, terms.attribute_count) }
  private var preferences: UnsafeBufferPointer<licet_behavior_effect> {
    list(terms.preferences, terms.preference_count)
  }
  private var caps: UnsafeBufferPointer<licet_behavior_effect> { list(terms.caps, terms.cap_count) }
  private var behaviors: UnsafeBufferPointer<licet_text> { list(terms.behaviors, terms.behavior_count) }
  private var resources: UnsafeBufferPointer<licet_text> { list(terms.resources, terms.resource_count) }

  private func list<T>(_ start: UnsafePointer<T>?, _ count: Int) -> UnsafeBufferPointer<T> {
    UnsafeBufferPointer(start: start, count: start == nil ? 0 : count)
  }

  /// 0, or what is wrong with them.
  func check(_ error: UnsafeMutablePointer<licet_error>?) -> Int32 {
    guard terms.is_scoped <= 1, isThere(terms.attributes, terms.attribute_count),
      isThere(terms.preferences, terms.preference_count), isThere(terms.caps, terms.cap_count),
      isThere(terms.behaviors, terms.behavior_count), isThere(terms.resources, terms.resource_count)
    else { return report(error, LICET_E_INVALID) { $0.put("terms: a NULL, or a number that there is not") } }
    guard attributes.count <= RequestLimits.attributes, preferences.count <= SessionLimits.names,
      caps.count <= SessionLimits.names, behaviors.count <= SessionLimits.names,
      resources.count <= SessionLimits.names
    else { return report(error, LICET_E_TOO_MANY) { $0.put("terms: at most 1024 names of a kind") } }
    if terms.dial != 0, Degree(dial: terms.dial) == nil { return badDial(error) }
    guard terms.cost.isFinite, terms.cost >= 0 else { return badCost(error) }
    guard !isDelegate || attributes.count == 0 else {
      return report(error, LICET_E_BAD_REQUEST) { $0.put("attributes: a delegate's are its root's") }
    }
    guard terms.is_scoped == 1 || behaviors.count == 0 else {
      return report(error, LICET_E_BAD_REQUEST) { $0.put("behaviors: they are a scope only with is_scoped") }
    }
    for one in attributes {
      let code = problem(one)
      if code != 0 { return refuse(code, Name(one.name), error) }
    }
    let code = problem(preferences, error)
    if code != 0 { return code }
    let code1 = problem(caps, error)
    if code1 != 0 { return code1 }
    for name in behaviors {
      guard let text = Name(name), isBehaviorName(text) else { return refuse(LICET_E_BAD_NAME, Name(name), error) }
    }
    for pattern in resources {
      guard let text = Name(pattern), text.count > 0, text.count <= SessionLimits.pattern, isUTF8(text) else {
        return report(error, LICET_E_BAD_REQUEST) { $0.put("resources: a pattern has 1 to 1024 bytes of UTF-8") }
      }
    }
    return 0
  }

  private func isThere<T>(_ start: UnsafePointer<T>?, _ count: Int) -> Bool {
    count >= 0 && (start != nil || count == 0)
  }

  private func problem(_ one: licet_named_value) -> Int32 {
    guard let name = Name(one.name), isAttributeName(name) else { return LICET_E_UNKNOWN_ATTRIBUTE }
    guard let value = Value(one.value), value.isWellFormed(limit: RequestLimits.text) else {
      return LICET_E_BAD_REQUEST
    }
    return 0
  }

  private func problem(
    _ list: UnsafeBufferPointer<licet_behavior_effect>, _ error: UnsafeMutablePointer<licet_error>?
  ) -> Int32 {
    for one in list {
      guard let name = Name(one.behavior), isBehaviorName(name) else {
        return refuse(LICET_E_BAD_NAME, Name(one.behavior), error)
      }
      guard one.effect >= LICET_DENY, one.effect <= LICET_ALLOW else {
        return refuse(LICET_E_BAD_REQUEST, name, error)
      }
    }
    return 0
  }

  private func refuse(_ code: Int32, _ name: Name?, _ error: UnsafeMutablePointer<licet_error>?) -> Int32 {
    report(error, code) {
      $0.put(name ?? Name(start: nil, count: 0))
      $0.put(": ")
      $0.put(meaning(code))
    }
  }

  func question(_ parent: SessionNumber) -> OpenQuestion {
    var question = OpenQuestion()
    question.parent = parent
    question.isScoped = terms.is_scoped == 1
    question.dial = Degree(dial: terms.dial) ?? .zero
    question.cost = terms.cost
    question.lifetime = terms.lifetime_ms
    (question.attributes, question.preferences) = (attributes.count, preferences.count)
    (question.caps, question.behaviors, question.resources) = (caps.count, behaviors.count, resources.count)
    return question
  }

  /// What was checked.
  func write(_ question: OpenQuestion, _ writer: inout WireWriter) {
    question.write(&writer)
    for one in attributes {
      writer.put(Name(one.name))
      (Value(one.value) ?? .null).write(&writer)
    }
    for one in preferences { write(one, &writer) }
    for one in caps { write(one, &writer) }
    for one in behaviors { writer.put(Name(one)) }
    for one in resources { writer.put(Name(one)) }
  }

  private func write(_ one: licet_behavior_effect, _ writer: inout WireWriter) {
    writer.put(Name(one.behavior))
    writer.put(UInt8(truncatingIfNeeded: one.effect))
  }
}
