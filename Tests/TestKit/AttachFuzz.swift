// What must hold for any bytes that come over the attach socket, either way: each part is read to its end or breaks its
// reader, stays inside the bytes, and a question that is read whole is written as the same bytes again.

internal import Attach
internal import Decision
internal import PolicyImage

enum AttachFuzz {
  static func complaint(_ bytes: [UInt8]) -> String? {
    bytes.withUnsafeBytes { bytes in
      aboutQuestions(bytes) ?? aboutRequest(bytes) ?? aboutSnapshot(bytes) ?? aboutAnswer(bytes) ?? aboutRecord(bytes)
        ?? aboutSessions(bytes) ?? aboutSession(bytes)
    }
  }

  /// Reads, and if all of it was read and made sense, writes it, reads that and writes it again: the same, then. (What was
  /// read first may say no text where an empty one is meant.)
  private static func again(
    _ what: String, _ bytes: UnsafeRawBufferPointer, _ body: (inout WireReader, inout WireWriter) -> Bool
  ) -> String? {
    func written(_ bytes: UnsafeRawBufferPointer) -> [UInt8]? {
      [UInt8](unsafeUninitializedCapacity: bytes.count + 64) { space, count in
        var (reader, writer) = (WireReader(bytes), WireWriter(UnsafeMutableRawBufferPointer(space)))
        let makesSense = body(&reader, &writer)
        count = makesSense && reader.isAtEnd ? writer.bytes.count : 0
      }.nonEmpty
    }
    guard let first = written(bytes) else { return nil }
    if first.count > bytes.count { return "\(what): larger when it is written again" }
    return first.withUnsafeBytes { written($0) } == first ? nil : "\(what): read otherwise after writing"
  }

  private static func aboutQuestions(_ bytes: UnsafeRawBufferPointer) -> String? {
    again("head", bytes) { reader, writer in
      MessageHead.read(&reader).write(&writer)
      return true
    }
      ?? again("refresh", bytes) { reader, writer in
        RefreshQuestion.read(&reader).write(&writer)
        return true
      }
      ?? aboutAttach(bytes)
  }

  /// Flags that are not known yet are passed over, so that only what is known comes out the same.
  private static func aboutAttach(_ bytes: UnsafeRawBufferPointer) -> String? {
    var reader = WireReader(bytes)
    let question = AttachQuestion.read(&reader)
    guard reader.isAtEnd else { return nil }
    if let version = question.version,
      version < max(question.lowest, AttachProtocol.lowest) || version > min(question.highest, AttachProtocol.highest)
    {
      return "version \(version) of \(question.lowest) to \(question.highest)"
    }
    let space = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count + 64, alignment: 8)
    defer { space.deallocate() }
    var writer = WireWriter(space)
    question.write(&writer)
    var second = WireReader(writer.bytes)
    let same = AttachQuestion.read(&second)
    let isSame =
      second.isAtEnd && same.wantsImages == question.wantsImages && same.bringsRing == question.bringsRing
      && same.operatorName.elementsEqual(question.operatorName)
    return isSame ? nil : "an attachment is read otherwise after writing"
  }

  /// As licetd reads a question for a decision (DecisionPoint), up to the policy.
  private static func aboutRequest(_ bytes: UnsafeRawBufferPointer) -> String? {
    again("request", bytes) { reader, writer in
      let (head, behaviors, attributes) = RequestHead.read(&reader)
      if reader.isBroken || behaviors > RequestLimits.behaviors { return false }
      head.write(behaviors: behaviors, attributes: attributes, &writer)
      for _ in 0..<behaviors { writer.put(reader.text() as Name?) }
      // Of exactly the size that licetd has at least, so that one too many is seen.
      let pool = UnsafeMutableBufferPointer<Value>.allocate(capacity: reader.left)
      defer { pool.deallocate() }
      var used = 0
      for _ in 0..<attributes {
        if reader.isBroken { return false }
        writer.put(reader.text() as Name?)
        let value = Value.read(&reader, pool, &used)
        if reader.isBroken { return false }
        value.write(&writer)
      }
      return true
    }
  }

  private static func aboutSnapshot(_ bytes: UnsafeRawBufferPointer) -> String? {
    var reader = WireReader(bytes)
    _ = AttachAnswer.read(&reader)
    let head = SnapshotHead.read(&reader)
    var halts = 0
    while halts < Int(head.halts), !reader.isBroken {
      _ = HaltRecord.read(&reader)
      halts += 1
    }
    // A halt takes 17 bytes at least.
    return halts > bytes.count / 17 + 1 ? "\(halts) halts in \(bytes.count) bytes" : nil
  }

  /// In the order in which liblicet walks it.
  private static func aboutAnswer(_ bytes: UnsafeRawBufferPointer) -> String? {
    var reader = WireReader(bytes)
    var parts = 0
    func each(_ count: Int, _ body: (inout WireReader) -> Void) {
      var left = count
      while left > 0, !reader.isBroken {
        body(&reader)
        left -= 1
        parts += 1
      }
    }
    each(AnswerHead.read(&reader).obligations) { _ = $0.text() }
    each(Int(reader.take(UInt16.self))) { _ = HaltRecord.read(&$0) }
    if reader.take(UInt8.self) != .max { each(Int(reader.take(UInt8.self))) { _ = ChangeText.read(&$0) } }
    each(Int(reader.take(UInt32.self))) { _ = StepText.read(&$0) }
    if reader.offset > bytes.count { return "answer: read behind the end" }
    // Each takes four bytes at least.
    return parts > bytes.count / 4 + 4 ? "\(parts) parts in \(bytes.count) bytes" : nil
  }

  private static func aboutSessions(_ bytes: UnsafeRawBufferPointer) -> String? {
    again("open", bytes) { reader, writer in
      let question = OpenQuestion.read(&reader)
      if reader.isBroken { return false }
      question.write(&writer)
      guard copyAttributes(question.attributes, &reader, &writer) else { return false }
      for _ in 0..<question.preferences + question.caps where !reader.isBroken {
        let (name, effect) = OpenQuestion.readEffect(&reader)
        writer.put(name as Name?)
        writer.put(effect.rawValue)
      }
      for _ in 0..<question.behaviors + question.resources where !reader.isBroken { writer.put(reader.text() as Name?) }
      return true
    }
      ?? again("session", bytes) { reader, writer in
        SessionQuestion.read(&reader).write(&writer)
        return true
      }
      ?? again("change", bytes) { reader, writer in
        ChangeQuestion.read(&reader).write(&writer)
        return true
      }
  }

  /// What a session holds, as liblicet reads it into memory of exactly the size that the message says.
  private static func aboutSession(_ bytes: UnsafeRawBufferPointer) -> String? {
    again("session's answer", bytes) { reader, writer in
      let head = SessionAnswer.read(&reader)
      if reader.isBroken { return false }
      head.write(&writer)
      var ahead = reader
      ahead.skip(2)
      let (names, patterns) = (Int(ahead.take(UInt16.self)), Int(ahead.take(UInt16.self)))
      guard !ahead.isBroken, names <= SessionLimits.names, patterns <= SessionLimits.names else { return false }
      let terms = UnsafeMutablePointer<SessionTerm>.allocate(capacity: names)
      let resources = UnsafeMutablePointer<ResourcePattern>.allocate(capacity: patterns)
      defer {
        terms.deallocate()
        resources.deallocate()
      }
      SessionTerms.read(&reader, terms, resources).write(&writer)
      guard copyAttributes(head.attributes, &reader, &writer) else { return false }
      for _ in 0..<head.halts where !reader.isBroken { HaltRecord.read(&reader).write(&writer) }
      return true
    }
  }

  /// Names and values; false: they make no sense.
  private static func copyAttributes(_ count: Int, _ reader: inout WireReader, _ writer: inout WireWriter) -> Bool {
    let pool = UnsafeMutableBufferPointer<Value>.allocate(capacity: reader.left)
    defer { pool.deallocate() }
    var used = 0
    for _ in 0..<count {
      if reader.isBroken { return false }
      writer.put(reader.text() as Name?)
      let value = Value.read(&reader, pool, &used)
      if reader.isBroken { return false }
      value.write(&writer)
    }
    return true
  }

  private static func aboutRecord(_ bytes: UnsafeRawBufferPointer) -> String? {
    again("record", bytes) { reader, writer in
      guard let record = RecordedDecision.read(&reader) else { return false }
      record.write(&writer)
      return true
    }
  }
}

extension Array {
  fileprivate var nonEmpty: [Element]? { isEmpty ? nil : self }
}
