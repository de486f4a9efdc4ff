// A question at the attach socket -> a decision by one generation, written as bytes: the bus's DecisionPoint, without the
// bus (Attach.AnswerWriter says what the bytes are).

import Attach
import Authority
import Consultation
import Decision
import Glibc
import PolicyImage

/// Memory for one question's lists and for its trace; grows, and is used again and again.
final class WireSpace {
  private(set) var values = UnsafeMutableBufferPointer<Value>.allocate(capacity: 256)
  private(set) var entries = UnsafeMutableBufferPointer<TraceEntry>.allocate(capacity: 64)

  /// Room for every list and map that so many bytes can hold: each element takes one at least.
  func reserveValues(_ bytes: Int) {
    guard values.count < bytes else { return }
    values.deallocate()
    values = .allocate(capacity: bytes)
  }

  /// What one large question needed is not kept.
  func shrink() {
    guard values.count > 1 << 16 else { return }
    values.deallocate()
    values = .allocate(capacity: 256)
  }

  func reserveEntries(_ count: Int) {
    guard entries.count < count else { return }
    entries.deallocate()
    entries = .allocate(capacity: count)
  }

  deinit {
    values.deallocate()
    entries.deallocate()
  }
}

extension Daemon {
  /// Reads a question's body, decides, and writes the answer behind what `writer` holds. `name` is an operator that the
  /// caller may speak for, `user` who the caller is; `isAgain`: the same question, which was counted already. More than `writer`
  /// holds: it says how much.
  func decideOnWire(
    _ body: inout WireReader, operator name: String, user: UInt32, _ writer: inout WireWriter, isAgain: Bool = false
  ) throws(Refusal) {
    let head = writer.count
    defer { decisionPoint.wireSpace.shrink() }
    var session: Session?
    let question = try decisionPoint.read(&body, operator: name) { moment throws(Refusal) in
      session = try find(moment.id, name, user)
      return asked(session)
    }
    let halts = decisionPoint.halts(of: name, halts(name, session))
    if let policy = question.policy { decisionPoint.lookForSuspicion(name, policy) }
    // Names and texts lie in the message, the operator's name in `name`.
    var name = name
    name.withUTF8 { bytes in
      decisionPoint.set(BuiltInSlot.operatorName, .string(UnsafeRawBufferPointer(bytes)))
      if let policy = question.policy {
        decisionPoint.count(
          policy, question.names, operator: UnsafeRawBufferPointer(bytes), counting: !question.isExplaining && !isAgain)
      }
      withRecords(halts) { decisionPoint.answer(question, $0, &writer) }
    }
    // Explaining asks for the reason, not for leave.
    guard writer.isWhole, !question.isExplaining else { return }
    decisionPoint.chargeIfSuspect(name, question.policy, question.names)
    // An answer begins with its effect.
    if head < writer.bytes.count, let effect = Effect(rawValue: writer.bytes[head]) { observe(name, effect) }
    if subscribers.wantsDecisions { tellDecided(name, question, halts) }
  }

  /// The session, for who may use it; of another operator there is none.
  func find(_ id: SessionNumber, _ name: String, _ user: UInt32) throws(Refusal) -> Session {
    do throws(SessionError) {
      return try authority.sessions.find(SessionID(id), user: user) { $0 == name }
    } catch {
      throw Refusal(error)
    }
  }

  /// Everything that halts an operator now.
  func halts(of name: String) -> [Halt] { decisionPoint.halts(of: name, authority.stops.halts(name)) }

  private func withRecords(_ halts: [Halt], _ body: (UnsafeBufferPointer<HaltRecord>) -> Void) {
    if halts.isEmpty { return body(UnsafeBufferPointer(start: nil, count: 0)) }
    let texts = halts.map { (operatorName: Array($0.operatorName.utf8), session: Array($0.session.utf8)) }
    let records = UnsafeMutableBufferPointer<HaltRecord>.allocate(capacity: halts.count)
    let space = UnsafeMutableRawBufferPointer.allocate(
      byteCount: max(1, texts.reduce(0) { $0 + $1.operatorName.count + $1.session.count }), alignment: 1)
    defer {
      records.deallocate()
      space.deallocate()
    }
    var used = 0
    func keep(_ bytes: [UInt8]) -> UnsafeRawBufferPointer {
      let part = UnsafeMutableRawBufferPointer(rebasing: space[used..<used + bytes.count])
      part.copyBytes(from: bytes)
      used += bytes.count
      return UnsafeRawBufferPointer(part)
    }
    for (i, halt) in halts.enumerated() {
      let (name, session) = (keep(texts[i].operatorName), keep(texts[i].session))
      records.initializeElement(at: i, to: halt.record(name, session: session))
    }
    body(UnsafeBufferPointer(records))
  }

  private func tellDecided(_ name: String, _ question: WireQuestion, _ halts: [Halt]) {
    let outcome = decisionPoint.outcome(question, halts)
    subscribers.tellDecided(name, question.names.map { String(decoding: $0, as: UTF8.self) }, outcome, self)
  }
}

/// One question, read into the frame. What it points to is the message's.
struct WireQuestion {
  let policy: Policy?
  let names: UnsafeBufferPointer<Name>
  let preference: Effect?
  let isExplaining: Bool
}

extension DecisionPoint {
  /// `find` says what the session holds that it is asked in. `isPadded`: up to 7 bytes may follow, which fill up a ring's
  /// last word.
  func read(
    _ body: inout WireReader, operator name: String, isPadded: Bool = false,
    in find: (SessionMoment) throws(Refusal) -> Asked?
  ) throws(Refusal) -> WireQuestion {
    let policy = policy(for: name)
    let (head, behaviors, attributes) = RequestHead.read(&body)
    guard !body.isBroken else { throw Refusal(.badRequest, "check: the message makes no sense") }
    if let moment = head.session { begin(in: try find(moment), policy) } else { begin(in: nil, policy) }
    try setHead(head)
    let names = try readNames(&body, behaviors)
    wireSpace.reserveValues(body.left)
    var used = 0
    for _ in 0..<attributes {
      let attribute = body.text()
      let value = Value.read(&body, wireSpace.values, &used)
      guard !body.isBroken else { throw Refusal(.badRequest, "\(shown(attribute)): a value that makes no sense") }
      if let policy { try setAttribute(attribute, value, policy.platform) }
    }
    guard body.isAtEnd || (isPadded && !body.isBroken && body.left < 8) else {
      throw Refusal(.badRequest, "check: the message is cut off, or goes on behind its end")
    }
    var now = timespec()
    clock_gettime(CLOCK_REALTIME, &now)
    set(BuiltInSlot.now, .timestamp(seconds: Int64(now.tv_sec), nanoseconds: Int32(truncatingIfNeeded: now.tv_nsec)))
    return WireQuestion(policy: policy, names: names, preference: head.preference, isExplaining: head.isExplaining)
  }

  private func setHead(_ head: RequestHead) throws(Refusal) {
    for (text, what) in [(head.resource, "resource"), (head.argument, "argument")] {
      guard let text else { continue }
      guard text.count <= DecisionPoint.textBytes else {
        throw Refusal(.tooMany, "\(what): at most \(DecisionPoint.textBytes) bytes, not \(text.count)")
      }
      guard isUTF8(text) else { throw Refusal(.badRequest, "\(what): not UTF-8") }
    }
    if let resource = head.resource { set(BuiltInSlot.resource, .string(resource)) }
    set(BuiltInSlot.argument, .string(head.argument ?? UnsafeRawBufferPointer(start: nil, count: 0)))
    frame.setSource(head.source)
  }

  private func readNames(_ body: inout WireReader, _ count: Int) throws(Refusal) -> UnsafeBufferPointer<Name> {
    guard count > 0 else { throw Refusal(.noBehavior, "behaviors: the request names none") }
    guard count <= DecisionPoint.behaviors else {
      throw Refusal(.tooMany, "behaviors: at most \(DecisionPoint.behaviors) in one request")
    }
    for i in 0..<count {
      let name = body.text()
      guard isBehaviorName(name) else {
        throw Refusal(.badName, "behaviors: `\(shown(name))` is no behaviour's name")
      }
      names[i] = name
    }
    return UnsafeBufferPointer(rebasing: names[..<count])
  }

  private func setAttribute(_ name: UnsafeRawBufferPointer, _ value: Value, _ platform: Image) throws(Refusal) {
    try refuseHeld(name)
    let (slot, converted) = try checked(name, value, platform)
    frame.set(slot, converted)
  }

  /// The attribute's slot, and its value as the platform declares it.
  func checked(
    _ name: UnsafeRawBufferPointer, _ value: Value, _ platform: Image
  ) throws(Refusal) -> (slot: Int, value: Value) {
    guard let slot = attributeSlot(name, in: platform), slot >= Int(BuiltInSlot.count) else {
      throw Refusal(
        .unknownAttribute, "\(shown(name)): the platform declares no such attribute\(near(name, platform))")
    }
    guard platform.attributes[slot].flags & AttributeRecord.isVerified == 0 else {
      throw Refusal(
        .verifiedAttribute, "\(shown(name)): comes only from the authority or a provider, never from a caller")
    }
    let converted = value.converted(for: slot, in: platform)
    guard accepts(converted, slot: slot, in: platform) else {
      throw Refusal(.wrongType, "\(shown(name)): not of the type that the platform declares")
    }
    return (slot, converted)
  }

  /// Decides, and writes as much as was asked for. A refusal's way is for who explains.
  func answer(_ question: WireQuestion, _ halts: UnsafeBufferPointer<HaltRecord>, _ writer: inout WireWriter) {
    let answer = Attach.AnswerWriter(
      question.policy, behaviors: question.names, preference: question.preference, halts: halts,
      generation: generation.number)
    guard question.isExplaining else {
      if let decision = answer.decision(&frame) { answer.write(decision, &writer) }
      return
    }
    let start = writer
    while true {
      let steps = answer.explain(&frame, wireSpace.entries, &writer)
      if steps <= wireSpace.entries.count { return }
      wireSpace.reserveEntries(steps)
      writer = start
    }
  }

  /// Whether a recorded decision is what its question comes to by this generation, and by what its session held then; nil:
  /// that isn't known any more. A halt of then is believed: it is stricter.
  func agrees(
    _ recorded: RecordedDecision, _ body: inout WireReader, operator name: String,
    in find: (SessionMoment) -> SessionRegions.Moment?
  ) -> Bool? {
    var suspicion: UInt32 = 0
    var isUnknown = false
    let read = try? read(&body, operator: name, isPadded: true) { moment throws(Refusal) in
      guard let held = find(moment) else {
        isUnknown = true
        throw Refusal(SessionError.unknownSession)
      }
      suspicion = held.suspicion
      return Asked(root: SessionID(moment.id), memory: held.memory, attributes: held.attributes)
    }
    guard let question = read else { return isUnknown ? nil : false }
    frame.suspicion = suspicion
    set(BuiltInSlot.now, .timestamp(seconds: recorded.seconds, nanoseconds: recorded.nanoseconds))
    var name = name
    return name.withUTF8 { bytes in
      set(BuiltInSlot.operatorName, .string(UnsafeRawBufferPointer(bytes)))
      var halt = HaltRecord(.operatorStop)
      return withUnsafePointer(to: &halt) { one in
        let halts = UnsafeBufferPointer(start: one, count: recorded.isHalt ? 1 : 0)
        let answer = Attach.AnswerWriter(
          question.policy, behaviors: question.names, preference: question.preference, halts: halts,
          generation: generation.number)
        return answer.decision(&frame).map { recorded.agrees(with: $0) } ?? false
      }
    }
  }

  /// The same decision in words, for who watches.
  func outcome(_ question: WireQuestion, _ halts: [Halt]) -> Outcome {
    guard let policy = question.policy else { return .explained(.withoutPolicy(question.names, halts: halts, false)) }
    return .explained(
      Consultation(policy: policy, names: question.names, preference: question.preference, halts: halts)
        .answer(&frame, false))
  }
}

extension Halt {
  /// As the attach protocol has it; `operatorName` and `session` are this one's, in memory that lasts.
  func record(
    _ operatorName: UnsafeRawBufferPointer,
    session: UnsafeRawBufferPointer = UnsafeRawBufferPointer(start: nil, count: 0)
  ) -> HaltRecord {
    let kind: HaltRecord.Kind =
      switch self.kind {
      case .operatorStop: .operatorStop
      case .allStop: .allStop
      case .noPolicy: .noPolicy
      case .sessionStop: .sessionStop
      case .sessionExpired: .sessionExpired
      case .sessionSpent: .sessionSpent
      }
    return HaltRecord(kind, since: since ?? -1, by: by ?? .max, operatorName: operatorName, session: session)
  }

  func withRecord(_ body: (HaltRecord) -> Void) {
    var (name, session) = (operatorName, session)
    name.withUTF8 { name in
      session.withUTF8 { session in
        body(record(UnsafeRawBufferPointer(name), session: UnsafeRawBufferPointer(session)))
      }
    }
  }
}
