// One connection of the attach socket: a question, an answer, one after the other. Who doesn't read answers, or says what
// makes no sense, is let go.

import Attach
import Authority
import Consultation
import Decision
import Glibc
import System

/// Loop-owned.
final class AttachConnection {
  let caller: Caller
  /// No other connection of this licetd's has it.
  let number: UInt64
  private let socket: Descriptor
  unowned let server: AttachServer
  private var watch: EventLoop.Watch?
  /// nil: it has not said yet whom it speaks for.
  private var operatorName: String?
  private var wantsImages = false
  /// Of the protocol, as it was attached by.
  private var version: UInt16 = 0
  private var ring: ClientRing?

  init(_ socket: Descriptor, _ caller: Caller, _ server: AttachServer, number: UInt64) throws(SystemError) {
    (self.socket, self.caller, self.server, self.number) = (socket, caller, server, number)
    watch = try server.daemon.loop.watch(socket.raw, .readable) { [unowned self] _ in readAll() }
  }

  func close() {
    watch?.cancel()
    watch = nil
    if let ring { server.collector.end(ring) }
    ring = nil
    // What it opened ends with it, in every process.
    server.daemon.authority.sessions.ownerGone(.attached(number))
    server.forget(self)
  }

  /// A few questions at most, so that others get their turn.
  private func readAll() {
    var left = 16
    while left > 0, watch != nil {
      left -= 1
      do throws(SystemError) {
        switch try SeqPacket.receive(socket, into: server.packet, takesDescriptor: server.closer.hasRoom) {
        case .nothing: return
        case .closed: return close()
        case .message(let count, let raw):
          handle(UnsafeRawBufferPointer(rebasing: server.packet[..<count]), server.closer.memory(raw))
        }
      } catch {
        return close()
      }
    }
  }

  private func handle(_ bytes: UnsafeRawBufferPointer, _ descriptor: Descriptor?) {
    var reader = WireReader(bytes)
    let head = MessageHead.read(&reader)
    guard !reader.isBroken else { return close() }
    guard head.flags & MessageHead.isSealed != 0 else {
      return answer(head, WireReader(UnsafeRawBufferPointer(rebasing: bytes[AttachProtocol.head...])), descriptor)
    }
    guard let memory = descriptor,
      let mapped = try? SealedMemory.map(memory, maximum: AttachProtocol.largest)
    else { return close() }
    withExtendedLifetime(mapped) { answer(head, WireReader(mapped.bytes), nil) }
  }

  private func answer(_ head: MessageHead, _ body: WireReader, _ brought: Descriptor?) {
    var body = body
    // Each use of the server's daemon counts a reference, by way of a table where there are weak ones.
    let daemon = server.daemon
    do throws(Refusal) {
      guard
        daemon.decisionPoint.limits.take(
          caller.identity.uid, calls: 1, bytes: body.bytes.count, now: daemon.loop.now) || isWayOut(head, body)
      else { throw Refusal(.limitsExceeded, "user \(caller.identity.uid) asks too much at once; ask less, or map") }
      switch MessageKind(rawValue: head.kind) {
      case .attach: try attach(head, &body, brought)
      case .refresh: try refresh(head, &body)
      case .check: try check(head, &body, daemon)
      case .ring: if let ring { server.collector.rang(ring) }
      case .flush: flush(head)
      case .record: try record(head, &body)
      case .openSession: try openSession(head, &body)
      case .session: try session(head, &body)
      case .changeSession: try changeSession(head, &body)
      default: throw Refusal(.badRequest, "message \(head.kind): there is no such question")
      }
    } catch {
      if error.code == .notBound, server.daemon.bindings.isResolving { return answerLater(head, body, brought) }
      refuse(head, error)
    }
  }

  /// When the names that a reload brought are resolved: until then nobody can say that they don't bind the caller.
  private func answerLater(_ head: MessageHead, _ body: WireReader, _ brought: Descriptor?) {
    let copy = Array(body.bytes)
    watch?.interest = []
    server.daemon.bindings.whenResolved { [weak self] in
      guard let self, watch != nil else { return }
      watch?.interest = .readable
      copy.withUnsafeBytes { self.answer(head, WireReader($0), brought) }
    }
  }

  // MARK: questions

  private func attach(_ head: MessageHead, _ body: inout WireReader, _ brought: Descriptor?) throws(Refusal) {
    let question = AttachQuestion.read(&body)
    guard !body.isBroken else { throw Refusal(.badRequest, "attach: the message is cut off") }
    guard let version = question.version else {
      throw Refusal(
        .unsupported,
        "attach: versions \(question.lowest) to \(question.highest) are wanted, this licetd speaks "
          + "\(AttachProtocol.lowest) to \(AttachProtocol.highest)")
    }
    let name = try server.daemon.operatorName(question.operatorName, caller, isExplaining: false)
    (operatorName, wantsImages, self.version) = (name, question.wantsImages, version)
    let hasRing = question.wantsImages && version >= AttachProtocol.withRing
    let isKept = hasRing ? try takeRing(name, question.bringsRing ? brought : nil) : false
    try reply(head) { (writer: inout WireWriter) throws(Refusal) in
      var text = name
      text.withUTF8 {
        AttachAnswer(version: version, now: monotonicNow(), operatorName: UnsafeRawBufferPointer($0)).write(&writer)
      }
      return try writeSnapshot(
        name, RefreshQuestion(platformSince: 0, overlaySince: 0), isNew: true, keepsRing: isKept, &writer)
    }
  }

  /// Whether it is the one that was brought.
  private func takeRing(_ name: String, _ brought: Descriptor?) throws(Refusal) -> Bool {
    if let ring { server.collector.end(ring) }
    ring = nil
    do throws(SystemError) {
      let (made, isKept) = try server.collector.ring(for: name, uid: caller.identity.uid, brought: brought)
      ring = made
      return isKept
    } catch {
      throw Refusal(.busy, "no memory to count and record in: \(error.call): \(error.text)")
    }
  }

  private func refresh(_ head: MessageHead, _ body: inout WireReader) throws(Refusal) {
    let name = try speaker()
    let question = RefreshQuestion.read(&body)
    guard !body.isBroken else { throw Refusal(.badRequest, "refresh: the message is cut off") }
    try reply(head) { (writer: inout WireWriter) throws(Refusal) in
      try writeSnapshot(name, question, isNew: false, &writer)
    }
  }

  /// The operator that was attached for, if the caller may still speak for it.
  func speaker() throws(Refusal) -> String {
    guard let operatorName else { throw Refusal(.badRequest, "the first question of a connection is attach") }
    guard server.daemon.authority.generation.platform == nil || caller.speaks(for: operatorName) else {
      throw Refusal(
        .notBound,
        "user \(caller.identity.uid) doesn't speak for `\(operatorName)`: no `bind` in force names it; `licet status` says whether its files are in force"
      )
    }
    return operatorName
  }

  /// The revocation is read first: what is stopped while halts are written is asked for again.
  private func writeSnapshot(
    _ name: String, _ question: RefreshQuestion, isNew: Bool, keepsRing: Bool = false, _ writer: inout WireWriter
  ) throws(Refusal) -> [Descriptor] {
    let revocation = server.page.revocation
    var halts = server.daemon.halts(of: name)
    let asksRemotely = server.daemon.authority.suspicions.asksRemotely(name)
    // A library that decides by itself what licetd has to is halted meanwhile.
    if asksRemotely, wantsImages, version < AttachProtocol.withSessions {
      halts.append(Halt(.operatorStop, operator: name))
    }
    do throws(SystemError) {
      let platform = wantsImages ? try server.images.platform(known: question.platformSince) : nil
      let overlay = wantsImages ? try server.images.overlay(name, known: question.overlaySince) : nil
      SnapshotHead(
        epoch: server.page.epoch, generation: server.images.generation.number, revocation: revocation,
        platformSince: platform?.since ?? 0, overlaySince: overlay?.since ?? 0, hasPage: isNew && wantsImages,
        hasPlatform: platform?.descriptor != nil, hasOverlay: overlay?.descriptor != nil,
        hasRing: isNew && ring != nil && !keepsRing, keepsRing: keepsRing,
        asksRemotely: asksRemotely && version >= AttachProtocol.withSessions, halts: UInt16(clamping: halts.count)
      ).write(&writer)
      for halt in halts { halt.withRecord { $0.write(&writer) } }
      // Last, so that who doesn't know it passes it over: for them every period runs.
      writer.put(server.images.generation.ended)
      ring?.issue(server.images.generation)
      return (isNew && wantsImages ? [server.page.reader] : [])
        + [platform?.descriptor, overlay?.descriptor].compactMap(\.self)
        + (isNew && !keepsRing ? [ring?.memory.descriptor].compactMap(\.self) : [])
    } catch {
      throw Refusal(.busy, "an image can't be handed out: \(error.call): \(error.text)")
    }
  }

  private func check(_ head: MessageHead, _ body: inout WireReader, _ daemon: Daemon) throws(Refusal) {
    let (name, server) = (try speaker(), server)
    guard daemon.decisionPoint.limits.take(caller.identity.uid, decisions: 1, now: daemon.loop.now)
    else { throw Refusal(.limitsExceeded, "user \(caller.identity.uid) asks too much at once") }
    var writer = WireWriter(server.answer)
    MessageHead(kind: head.kind | MessageKind.answer, serial: head.serial).write(&writer)
    var isAgain = false
    while true {
      var again = body
      try daemon.decideOnWire(&again, operator: name, user: caller.identity.uid, &writer, isAgain: isAgain)
      isAgain = true
      if writer.isWhole { break }
      // It is decided again: nothing was said yet.
      server.growAnswer(writer.count * 2)
      writer = WireWriter(server.answer)
      MessageHead(kind: head.kind | MessageKind.answer, serial: head.serial).write(&writer)
    }
    send(head, writer.bytes, [])
    server.shrinkAnswer()
  }

  // MARK: the ring

  private func flush(_ head: MessageHead) {
    server.collector.flush { [weak self] isDone in self?.confirm(head, isDone) }
  }

  private func record(_ head: MessageHead, _ body: inout WireReader) throws(Refusal) {
    guard let ring else { throw Refusal(.badRequest, "record: there is no ring that it belongs to") }
    let kind: UInt32 = body.take()
    guard !body.isBroken else { throw Refusal(.badRequest, "record: the message is cut off") }
    let bytes = Array(body.bytes[body.offset...])
    server.collector.take(bytes, kind: kind, ring) { [weak self] isDone in self?.confirm(head, isDone) }
  }

  private func confirm(_ head: MessageHead, _ isDone: Bool) {
    guard watch != nil else { return }
    guard isDone else {
      return refuse(head, Refusal(.stateUnwritable, "records can't be written at the moment; the journal says why"))
    }
    try? reply(head) { (_: inout WireWriter) throws(Refusal) in [] }
  }

  // MARK: answers

  func reply(
    _ head: MessageHead, _ body: (inout WireWriter) throws(Refusal) -> [Descriptor]
  ) throws(Refusal) {
    var writer = WireWriter(server.answer)
    MessageHead(kind: head.kind | MessageKind.answer, serial: head.serial).write(&writer)
    let descriptors = try body(&writer)
    send(head, writer.bytes, descriptors)
  }

  /// A body that may be larger than what there is room for.
  func reply(_ head: MessageHead, growing body: (inout WireWriter) -> Void, _ descriptors: [Descriptor]) {
    while true {
      var writer = WireWriter(server.answer)
      MessageHead(kind: head.kind | MessageKind.answer, serial: head.serial).write(&writer)
      body(&writer)
      if writer.isWhole {
        send(head, writer.bytes, descriptors)
        return server.shrinkAnswer()
      }
      server.growAnswer(writer.count * 2)
    }
  }

  private func refuse(_ head: MessageHead, _ refusal: Refusal) {
    var writer = WireWriter(server.answer)
    MessageHead(kind: MessageKind.refusal.rawValue, serial: head.serial).write(&writer)
    writer.put(refusal.code.number)
    var text = refusal.text
    text.withUTF8 { writer.put(UnsafeRawBufferPointer($0) as Name?) }
    send(head, writer.bytes, [])
  }

  /// A whole message; what is larger than a packet has its body in sealed memory. Who doesn't read is let go.
  private func send(_ head: MessageHead, _ bytes: UnsafeRawBufferPointer, _ descriptors: [Descriptor]) {
    do throws(SystemError) {
      if bytes.count <= AttachProtocol.packet {
        try SeqPacket.send(socket, bytes, descriptors)
        return
      }
      let body = UnsafeRawBufferPointer(rebasing: bytes[AttachProtocol.head...])
      let memory = try SealedMemory.makeToHandOut(name: "licet-answer", body)
      var space = (UInt64(0))
      try withUnsafeMutableBytes(of: &space) { raw throws(SystemError) in
        var writer = WireWriter(raw)
        MessageHead(kind: head.kind | MessageKind.answer, flags: MessageHead.isSealed, serial: head.serial).write(
          &writer)
        try SeqPacket.send(socket, UnsafeRawBufferPointer(raw), [memory] + descriptors)
      }
    } catch {
      close()
    }
  }
}
