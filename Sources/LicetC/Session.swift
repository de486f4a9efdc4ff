// A session as this process knows it: what it held at one version, in one block of memory, and the word in which licetd says
// that it has changed since.

internal import Attach
internal import CLicet
internal import Decision
internal import PolicyImage

typealias SessionRef = UnsafeMutablePointer<Session>
typealias ContentRef = UnsafeMutablePointer<SessionContent>

/// Behind a `licet_session`.
struct Session {
  var references: UInt32 = 1
  /// Not 0: it is gone for good, and why: a code. Atomic; right behind the count.
  var gone: UInt32 = 0
  let authority: AuthorityRef
  let number: SessionNumber
  /// Its number for people, with a zero behind it; in the same block.
  let digits: UnsafeMutablePointer<UInt8>
  /// What was fetched last; one reference. Under the authority's lock.
  var current: ContentRef

  /// Takes the content over, and keeps the authority; nil: no memory, and both are as they were.
  static func make(_ authority: AuthorityRef, _ number: SessionNumber, _ content: ContentRef) -> SessionRef? {
    let own = MemoryLayout<Session>.stride
    guard let memory = clicet_allocate(own &+ SessionNumber.digits &+ 1) else { return nil }
    let digits = (memory + own).bindMemory(to: UInt8.self, capacity: SessionNumber.digits &+ 1)
    number.write(digits: digits)
    let session = memory.bindMemory(to: Session.self, capacity: 1)
    Authority.retain(authority)
    session.initialize(to: Session(authority: authority, number: number, digits: digits, current: content))
    return session
  }

  static func retain(_ session: SessionRef?) {
    guard let session else { return }
    _ = clicet_add32(referenceWord(session), 1)
  }

  static func release(_ session: SessionRef?) {
    guard let session, clicet_subtract32(referenceWord(session), 1) == 1 else { return }
    SessionContent.release(session.pointee.current)
    let authority = session.pointee.authority
    clicet_free(session)
    Authority.release(authority)
  }
}

/// What the session says of its user and of itself.
struct SessionAttribute {
  let name: Name
  let value: Value
}

/// What a session held at one version. Immutable; everything that it points to lies in its own block, but for the word.
struct SessionContent {
  var references: UInt32 = 1
  /// What the word is for as long as this holds.
  let version: UInt64
  /// nil: it has none, and licetd decides in it, call by call.
  let word: UnsafePointer<UInt64>?
  /// Where the word lies; one reference.
  let region: UnsafeMutablePointer<Mapping>?
  /// The attachment that brought it; in another one its connection, and perhaps the session, are gone.
  let attachment: UInt32
  let suspicion: UInt32
  /// CLOCK_BOOTTIME in nanoseconds; `UInt64.max`: none. And whose it is.
  let deadline: UInt64
  let timed: Name
  let unspent: Double
  /// For a frame.
  let terms: UnsafePointer<SessionTerms>
  var attributes = UnsafeBufferPointer<SessionAttribute>(start: nil, count: 0)
  var halts = UnsafeBufferPointer<HaltRecord>(start: nil, count: 0)

  /// Decided here by what the request asks alone: there is a word to look at, and nothing halts it.
  var isPlain = false

  static func retain(_ content: ContentRef?) {
    guard let content else { return }
    _ = clicet_add32(referenceWord(content), 1)
  }

  static func release(_ content: ContentRef?) {
    guard let content, clicet_subtract32(referenceWord(content), 1) == 1 else { return }
    Mapping.release(content.pointee.region)
    clicet_free(content)
  }

  /// Whether licetd has seen its time end.
  var saysExpired: Bool {
    for halt in halts where halt.kind == HaltRecord.Kind.sessionExpired.rawValue { return true }
    return false
  }

  /// Whether the session says what this attribute is.
  @inline(never)
  func has(_ name: Name) -> Bool {
    for one in attributes where equal(one.name, name) { return true }
    return false
  }
}

extension UnsafeMutablePointer where Pointee == SessionContent {
  /// Whether licetd says that it holds this still. A session that licetd decides in needs none of it.
  @inline(__always)
  func isInForce(_ authority: AuthorityRef) -> Bool {
    guard let word = pointee.word else { return true }
    return clicet_load_acquire(word) == pointee.version && clicet_load32(authority.pointee.mark) == pointee.attachment
  }

  /// Looked at when a decision was made, behind the fence of `SnapshotRef.isRevoked`.
  @inline(__always)
  var hasChanged: Bool { pointee.word.map { clicet_load_relaxed($0) != pointee.version } ?? false }

  /// Whether its time is over, whatever licetd says of it.
  @inline(__always)
  var isOver: Bool { pointee.deadline != .max && clicet_boot_now() >= pointee.deadline }
}

// MARK: reading

extension SessionContent {
  /// What an answer says, copied; nil: it makes no sense, or there is no memory. `region` is retained.
  static func make(
    _ bytes: Name, region: UnsafeMutablePointer<Mapping>?, attachment: UInt32, askedAt: UInt64
  ) -> ContentRef? {
    var reader = WireReader(bytes)
    let head = SessionAnswer.read(&reader)
    // As many as it says, if so many fit into it.
    var ahead = reader
    ahead.skip(2)
    let (names, patterns) = (Int(ahead.take(UInt16.self)), Int(ahead.take(UInt16.self)))
    guard !ahead.isBroken, names <= SessionLimits.names, patterns <= SessionLimits.names else { return nil }
    guard names &+ patterns &+ head.attributes &+ head.halts <= bytes.count else { return nil }
    var block = Block()
    let own = block.add(SessionContent.self, 1)
    let terms = block.add(SessionTerms.self, 1)
    let list = block.add(SessionTerm.self, names)
    let resources = block.add(ResourcePattern.self, patterns)
    let attributes = block.add(SessionAttribute.self, head.attributes)
    let halts = block.add(HaltRecord.self, head.halts)
    // Each element takes a byte at least.
    let values = block.add(Value.self, head.attributes == 0 ? 0 : bytes.count)
    let digits = block.add(UInt8.self, SessionNumber.digits)
    let text = block.add(UInt8.self, bytes.count)
    guard let memory = clicet_allocate(block.size), let base = bytes.baseAddress else { return nil }
    (memory + text).copyMemory(from: base, byteCount: bytes.count)
    head.timed.write(digits: (memory + digits).bindMemory(to: UInt8.self, capacity: SessionNumber.digits))
    // Texts are of the copy.
    reader = WireReader(Name(start: memory + text, count: bytes.count))
    _ = SessionAnswer.read(&reader)
    let ownTerms = (memory + terms).bindMemory(to: SessionTerms.self, capacity: 1)
    ownTerms.initialize(
      to: SessionTerms.read(
        &reader, (memory + list).bindMemory(to: SessionTerm.self, capacity: names),
        (memory + resources).bindMemory(to: ResourcePattern.self, capacity: patterns)))
    let content = (memory + own).bindMemory(to: SessionContent.self, capacity: 1)
    let (deadline, isEndless) = askedAt.addingReportingOverflow(head.left)
    let word = region.map { UnsafePointer($0.pointee.base.assumingMemoryBound(to: UInt64.self)) + Int(head.word) }
    content.initialize(
      to: SessionContent(
        version: head.version, word: head.region == 0 ? nil : word, region: region, attachment: attachment,
        suspicion: head.suspicion, deadline: isEndless ? .max : deadline,
        timed: Name(start: memory + digits, count: SessionNumber.digits), unspent: head.unspent, terms: ownTerms))
    Mapping.retain(region)
    content.pointee.readAttributes(
      &reader, (memory + attributes).bindMemory(to: SessionAttribute.self, capacity: head.attributes), head.attributes,
      UnsafeMutableBufferPointer(
        start: (memory + values).bindMemory(to: Value.self, capacity: bytes.count), count: bytes.count))
    content.pointee.readHalts(
      &reader, (memory + halts).bindMemory(to: HaltRecord.self, capacity: head.halts), head.halts)
    content.pointee.isPlain = content.pointee.word != nil && head.halts == 0
    guard reader.isAtEnd else {
      release(content)
      return nil
    }
    return content
  }

  private mutating func readAttributes(
    _ reader: inout WireReader, _ memory: UnsafeMutablePointer<SessionAttribute>, _ count: Int,
    _ pool: UnsafeMutableBufferPointer<Value>
  ) {
    var used = 0
    var i = 0
    while i < count, !reader.isBroken {
      let name = reader.text()
      let value = Value.read(&reader, pool, &used)
      if !isAttributeName(name) { reader.refuse() }
      (memory + i).initialize(to: SessionAttribute(name: name, value: value))
      i &+= 1
    }
    attributes = UnsafeBufferPointer(start: memory, count: reader.isBroken ? 0 : count)
  }

  private mutating func readHalts(_ reader: inout WireReader, _ memory: UnsafeMutablePointer<HaltRecord>, _ count: Int)
  {
    var i = 0
    while i < count, !reader.isBroken {
      (memory + i).initialize(to: HaltRecord.read(&reader))
      i &+= 1
    }
    halts = UnsafeBufferPointer(start: memory, count: reader.isBroken ? 0 : count)
  }

  /// Parts of one allocation, each where its type may lie.
  private struct Block {
    var size = 0
    mutating func add<T>(_ type: T.Type, _ count: Int) -> Int {
      let offset = (size &+ 15) & ~15
      size = offset &+ MemoryLayout<T>.stride &* count
      return offset
    }
  }
}
