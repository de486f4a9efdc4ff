// Questions about sessions at the attach socket: opened, delegated, looked at, changed. What they mean is Authority's; who may
// is as on the bus: the user who opened it, bound to its operator.

import Attach
import Authority
import Consultation
import Decision
import PolicyImage
import System

extension AttachConnection {
  private var sessions: Sessions { server.daemon.authority.sessions }

  func openSession(_ head: MessageHead, _ body: inout WireReader) throws(Refusal) {
    let name = try speaker()
    let question = OpenQuestion.read(&body)
    guard !body.isBroken else { throw Refusal(.badRequest, "open: the message makes no sense") }
    let terms = try server.daemon.decisionPoint.readTerms(question, &body)
    let parent = question.parent == .none ? nil : try find(question.parent, name)
    let session = try permitted { () throws(SessionError) in
      if let parent { return try sessions.delegate(parent, owner: .attached(number), terms) }
      return try sessions.open(name, user: caller.identity.uid, owner: .attached(number), terms)
    }
    server.daemon.subscribers.tellOpened(session, server.daemon)
    answer(head, session, knows: question.region)
  }

  func session(_ head: MessageHead, _ body: inout WireReader) throws(Refusal) {
    let name = try speaker()
    let question = SessionQuestion.read(&body)
    guard body.isAtEnd else { throw Refusal(.badRequest, "session: the message makes no sense") }
    answer(head, try find(question.id, name), knows: question.region)
  }

  func changeSession(_ head: MessageHead, _ body: inout WireReader) throws(Refusal) {
    let name = try speaker()
    let question = ChangeQuestion.read(&body)
    guard body.isAtEnd else { throw Refusal(.badRequest, "change: the message makes no sense") }
    let session = try find(question.session.id, name)
    try permitted { () throws(SessionError) in
      switch question.kind {
      case .preference:
        try sessions.setPreference(session, String(decoding: question.behavior, as: UTF8.self), question.effect)
      case .dial:
        guard let dial = question.dial else { throw .badDial }
        try sessions.setDial(session, dial)
      case .spend: _ = try sessions.spend(session, Double(bitPattern: question.number))
      case .close: sessions.close(session)
      }
    }
    guard question.kind != .close else {
      return try reply(head) { (_: inout WireWriter) throws(Refusal) in [] }
    }
    answer(head, session, knows: question.session.region)
  }

  /// Ending a session, and turning its dial down, is refused to nobody for asking too much.
  func isWayOut(_ head: MessageHead, _ body: WireReader) -> Bool {
    guard MessageKind(rawValue: head.kind) == .changeSession else { return false }
    var body = body
    let question = ChangeQuestion.read(&body)
    guard body.isAtEnd else { return false }
    switch question.kind {
    case .close: return true
    case .dial:
      guard let held = sessions[SessionID(question.session.id)]?.level.dial, let dial = question.dial else {
        return false
      }
      return dial < held
    default: return false
    }
  }

  /// The session, for who may use it; of another operator there is none.
  private func find(_ id: SessionNumber, _ name: String) throws(Refusal) -> Session {
    try server.daemon.find(id, name, caller.identity.uid)
  }

  private func permitted<T>(_ body: () throws(SessionError) -> T) throws(Refusal) -> T {
    do throws(SessionError) { return try body() } catch { throw Refusal(error) }
  }

  // MARK: answers

  /// What it holds now, with its word, and the words themselves for who hasn't mapped them.
  private func answer(_ head: MessageHead, _ session: Session, knows region: UInt64) {
    let place = region == SessionRegion.wantsNone ? nil : server.regions.place(session)
    let memory = sessions.memory(of: session)
    var told = SessionAnswer(session.number)
    if let place {
      told.hasRegion = place.region.identity != region
      (told.region, told.word, told.version) = (place.region.identity, UInt32(place.word), place.version)
    }
    let (deadline, now) = (session.deadline, bootNow())
    told.left = deadline == .max ? .max : deadline - min(deadline, now)
    if deadline != .max { told.timed = session.timed.number }
    let suspicions = server.daemon.authority.suspicions
    told.suspicion = suspicions.level(.session(session.root.id))
    told.unspent = sessions.left(session)
    var attributes: [(Name, Value)] = []
    session.root.attributes?.forEach { attributes.append(($0, $1)) }
    told.attributes = attributes.count
    let halts = sessions.halts(of: session)
    told.halts = halts.count
    if let place {
      server.regions.keep(
        session, version: place.version,
        SessionRegions.Moment(memory: memory, attributes: session.root.attributes, suspicion: told.suspicion))
    }
    let descriptors = told.hasRegion ? [place?.region.reader].compactMap(\.self) : []
    reply(
      head,
      growing: { writer in
        told.write(&writer)
        memory.terms.pointee.write(&writer)
        for (name, value) in attributes {
          writer.put(name as Name?)
          value.write(&writer)
        }
        for halt in halts { halt.withRecord { $0.write(&writer) } }
      }, descriptors)
  }
}

extension SessionID {
  init(_ number: SessionNumber) { self.init(high: number.high, low: number.low) }
}

extension DecisionPoint {
  /// The lists that follow a question's beginning.
  func readTerms(_ question: OpenQuestion, _ body: inout WireReader) throws(Refusal) -> OpeningTerms {
    defer { wireSpace.shrink() }
    var terms = OpeningTerms()
    terms.attributes = try readAttributes(question, &body)
    terms.level.preferences = try readEffects("preferences", question.preferences, &body)
    terms.level.caps = try readEffects("caps", question.caps, &body)
    let behaviors = try readTexts("behaviors", question.behaviors, &body)
    if question.isScoped { terms.level.behaviors = behaviors }
    terms.level.resources = try readTexts("resources", question.resources, &body)
    guard body.isAtEnd, question.isScoped || behaviors.isEmpty else {
      throw Refusal(.badRequest, "open: the message is cut off, or goes on behind its end")
    }
    if question.dial != .zero { terms.level.dial = question.dial }
    if question.cost != 0 { terms.cost = question.cost }
    if question.lifetime != 0 { terms.lifetime = question.lifetime }
    return terms
  }

  private func readAttributes(_ question: OpenQuestion, _ body: inout WireReader) throws(Refusal) -> SessionAttributes?
  {
    guard question.attributes > 0 else { return nil }
    guard question.parent == .none else {
      throw Refusal(.badRequest, "attributes: a delegate's are its root's; leave them out")
    }
    guard question.attributes <= SessionAttributes.maximum else {
      throw Refusal(.tooMany, "attributes: at most \(SessionAttributes.maximum)")
    }
    guard let platform = generation.platform?.image else {
      throw Refusal(.notBound, "no platform is in force, which would say what attributes there are")
    }
    wireSpace.reserveValues(body.left)
    var used = 0
    var found: [(name: Name, value: Value)] = []
    for _ in 0..<question.attributes {
      let name = body.text()
      let value = Value.read(&body, wireSpace.values, &used)
      guard !body.isBroken else { throw Refusal(.badRequest, "\(shown(name)): a value that makes no sense") }
      guard name.starts(with: "user.".utf8) || name.starts(with: "session.".utf8) else {
        throw Refusal(.badRequest, "\(shown(name)): a session speaks of its user and of itself alone")
      }
      guard !found.contains(where: { $0.name.elementsEqual(name) }) else {
        throw Refusal(.badRequest, "\(shown(name)): said twice")
      }
      found.append((name, try checked(name, value, platform).value))
    }
    return SessionAttributes(copying: found)
  }

  private func readEffects(_ what: String, _ count: Int, _ body: inout WireReader) throws(Refusal) -> [String: Effect] {
    guard count <= SessionLevel.names else { throw Refusal(.tooMany, "\(what): at most \(SessionLevel.names)") }
    var found: [String: Effect] = [:]
    for _ in 0..<count {
      let (name, effect) = OpenQuestion.readEffect(&body)
      guard !body.isBroken else { throw Refusal(.badRequest, "\(what): the message makes no sense") }
      guard found.updateValue(effect, forKey: String(decoding: name, as: UTF8.self)) == nil else {
        throw Refusal(.badRequest, "\(what): `\(shown(name))` is said twice")
      }
    }
    return found
  }

  private func readTexts(_ what: String, _ count: Int, _ body: inout WireReader) throws(Refusal) -> Set<String> {
    guard count <= SessionLevel.names else { throw Refusal(.tooMany, "\(what): at most \(SessionLevel.names)") }
    var found: Set<String> = []
    for _ in 0..<count {
      let text = body.text()
      guard !body.isBroken, isUTF8(text) else { throw Refusal(.badRequest, "\(what): a text that is none") }
      found.insert(String(decoding: text, as: UTF8.self))
    }
    return found
  }
}
