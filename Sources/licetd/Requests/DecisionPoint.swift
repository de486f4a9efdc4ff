// A request as it stands in a message -> a decision by one generation. The hot path: names, attributes and answers are
// bytes in the message, in the images, or in memory that is used again and again.

import Authority
import Bus
import Consultation
import Counting
import Decision
import Glibc
import PolicyImage

/// One request, read. What it points to is the message's.
struct ReadRequest {
  var preference: Effect?
  var isExplaining = false
}

/// What is decided, and by which policy, for whoever writes the answer.
enum Outcome {
  /// Allowed. The names that were asked about lie in the message.
  case plain(Decision, Policy, UnsafeBufferPointer<Name>)
  case explained(Answer)

  var effect: Effect {
    switch self {
    case .plain(let decision, _, _): decision.effect
    case .explained(let answer): answer.effect
    }
  }
}

/// The engine's two functions under names that don't collide with this class' own.
private func one(_ policy: Policy, _ name: Name, _ frame: inout Frame, _ preference: Effect?) -> Decision {
  decide(policy, &frame, behavior: name, preference: preference)
}
private func all(
  _ policy: Policy, _ names: UnsafeBufferPointer<Name>, _ frame: inout Frame, _ preference: Effect?, isHalted: Bool
) -> Decision? {
  decide(policy, &frame, behaviors: names, preference: preference, isHalted: isHalted)
}

/// Loop-owned; one a generation.
final class DecisionPoint {
  /// Behaviours that one request may name.
  static let behaviors = 256
  /// Bytes of an argument, a resource or another text.
  static let textBytes = 64 << 10
  /// Room for what one condition builds.
  private static let arena = 1 << 20

  let generation: Generation
  let counters: Counters
  /// The slot of `user.id`, by which counters tell users apart.
  private let userSlot: Int?
  var limits = CallerLimits()
  private let memory: UnsafeMutableRawBufferPointer
  let names: UnsafeMutableBufferPointer<Name>
  private var nameCount = 0
  /// What is decided in; keeps what the frame borrows of it.
  private(set) var asked: Asked?
  /// nil: what was decided is decided again, and nobody's level is looked at.
  let suspicions: Suspicions?
  private let attributeName: UnsafeMutableRawBufferPointer
  let scratch = ValueScratch()
  var frame: Frame
  /// What a question at the attach socket needs; grows.
  let wireSpace = WireSpace()

  init(
    _ generation: Generation, _ counters: Counters, _ suspicions: Suspicions? = nil,
    after previous: DecisionPoint? = nil
  ) {
    (self.generation, self.counters, self.suspicions) = (generation, counters, suspicions)
    let userID: StaticString = "user.id"
    userSlot = generation.platform.flatMap {
      attributeSlot(UnsafeRawBufferPointer(start: userID.utf8Start, count: userID.utf8CodeUnitCount), in: $0.image)
    }
    let slots = generation.platform?.image.count(.attributes) ?? Int(BuiltInSlot.count)
    memory = .allocate(byteCount: Frame.size(slots: slots, arena: DecisionPoint.arena), alignment: 16)
    names = .allocate(capacity: DecisionPoint.behaviors)
    attributeName = .allocate(byteCount: 512, alignment: 1)
    guard let frame = Frame(memory: memory, slots: slots) else { preconditionFailure("a frame of its own size") }
    self.frame = frame
    if let previous { limits = previous.limits }
  }

  deinit {
    memory.deallocate()
    names.deallocate()
    attributeName.deallocate()
  }

  /// The policy that an operator's requests are decided by; nil: no platform is in force.
  func policy(for name: String) -> Policy? {
    generation.policy(for: name)
      ?? generation.platform.map { Policy(platform: $0.image, ended: generation.ended) }
  }

  /// Forgets the last request; the next one is asked in this session, or in none.
  func begin(in asked: Asked?, _ policy: Policy?) {
    frame.reset()
    self.asked = asked
    guard let asked else { return }
    frame.setSession(asked.memory.terms)
    if let policy { asked.attributes?.set(in: &frame, policy.platform) }
  }

  /// Reads (as, a{sv}) and decides. `name` is an operator that the caller may speak for, `stops` what halts it, or the
  /// session.
  func decide(
    _ reader: inout MessageReader, operator name: String, in asked: Asked? = nil, stops: [Halt], explaining: Bool,
    now: timespec
  ) throws(Refusal) -> Outcome {
    defer { scratch.empty() }
    let policy = policy(for: name)
    begin(in: asked, policy)
    try readNames(&reader)
    var request = try readRequest(&reader, policy)
    request.isExplaining = request.isExplaining || explaining
    let halts = halts(of: name, stops)
    guard let policy else {
      return explained(
        .withoutPolicy(behaviors, halts: halts, true), request)
    }
    set(BuiltInSlot.now, .timestamp(seconds: Int64(now.tv_sec), nanoseconds: Int32(truncatingIfNeeded: now.tv_nsec)))
    lookForSuspicion(name, policy)
    var name = name
    return name.withUTF8 { bytes in
      set(BuiltInSlot.operatorName, .string(UnsafeRawBufferPointer(bytes)))
      let behaviors = UnsafeBufferPointer(rebasing: names[..<nameCount])
      count(policy, behaviors, operator: UnsafeRawBufferPointer(bytes), counting: !explaining)
      return decide(policy, request, halts)
    }
  }

  /// Gives the frame what counters have come to, where that matters for these behaviours. `counting` false: nothing is counted,
  /// but what it would come to is said.
  func count(
    _ policy: Policy, _ behaviors: UnsafeBufferPointer<Name>, operator name: UnsafeRawBufferPointer, counting: Bool
  ) {
    guard policy.isCounted(behaviors) else { return }
    let user = userSlot.map { frame.slots[$0] } ?? .absent
    let session = asked?.root.number ?? 0
    if user.kind == .string {
      let subject = Subject(operatorName: name, user: user.borrowedBytes, session: session)
      return counters.fill(&frame, policy, behaviors, subject, counting: counting)
    }
    guard user.kind == .int || user.kind == .uint else {
      return counters.fill(&frame, policy, behaviors, Subject(operatorName: name, session: session), counting: counting)
    }
    withUnsafeBytes(of: user.payload) {
      counters.fill(
        &frame, policy, behaviors, Subject(operatorName: name, user: $0, session: session), counting: counting)
    }
  }

  /// The names of the last request; until the next one.
  var behaviors: UnsafeBufferPointer<Name> { UnsafeBufferPointer(rebasing: names[..<nameCount]) }

  /// Everything that halts an operator by this generation: what stops it, and that it has no policy in force.
  func halts(of name: String, _ stops: [Halt]) -> [Halt] {
    if generation.platform == nil { return stops + [Halt(.noPolicy)] }
    return generation.operators[name] == nil ? stops + [Halt(.noPolicy, operator: name)] : stops
  }

  private func decide(_ policy: Policy, _ request: ReadRequest, _ halts: [Halt]) -> Outcome {
    if !request.isExplaining {
      let decision =
        nameCount == 1 && halts.isEmpty
        ? one(policy, behaviors[0], &frame, request.preference)
        : all(policy, behaviors, &frame, request.preference, isHalted: !halts.isEmpty)
      if let decision, decision.effect == .allow { return .plain(decision, policy, behaviors) }
    }
    return explained(
      Consultation(policy: policy, names: behaviors, preference: request.preference, halts: halts)
        .answer(&frame, true), request)
  }

  /// Without the trace, unless that is asked for.
  private func explained(_ answer: Answer, _ request: ReadRequest) -> Outcome {
    var answer = answer
    if !request.isExplaining { answer.trace = [] }
    return .explained(answer)
  }

  // MARK: reading

  private func readNames(_ reader: inout MessageReader) throws(Refusal) {
    nameCount = 0
    var list = try reading { () throws(ReadError) in try reader.nextArray(of: .string) }
    while !list.atEnd {
      guard nameCount < DecisionPoint.behaviors else {
        throw Refusal(.tooMany, "behaviors: at most \(DecisionPoint.behaviors) in one request")
      }
      names[nameCount] = try reading { () throws(ReadError) in try list.nextString() }
      nameCount += 1
    }
    guard nameCount > 0 else { throw Refusal(.noBehavior, "behaviors: the request names none") }
    for name in names[..<nameCount] where !isBehaviorName(name) {
      throw Refusal(
        .badName, "behaviors: `\(shown(name))` is no behaviour's name: segments of a-z, 0-9, _ and -, with dots between"
      )
    }
  }

  private func readRequest(_ reader: inout MessageReader, _ policy: Policy?) throws(Refusal) -> ReadRequest {
    var request = ReadRequest()
    frame.setSource(.agent)
    set(BuiltInSlot.argument, .string(UnsafeRawBufferPointer(start: nil, count: 0)))
    var entries = try reading { () throws(ReadError) in try reader.nextArray(of: .entry) }
    while !entries.atEnd {
      var value = entries
      let key = try reading { () throws(ReadError) in
        var entry = try entries.nextEntry()
        let key = try entry.nextString()
        value = try entry.nextVariant()
        return key
      }
      try read(key, &value, policy, &request)
    }
    return request
  }

  private func read(
    _ key: UnsafeRawBufferPointer, _ value: inout MessageReader, _ policy: Policy?, _ request: inout ReadRequest
  ) throws(Refusal) {
    switch RequestKey(key) {
    case .user: try readAttributes("user.", &value, policy)
    case .request: try readAttributes("request.", &value, policy)
    case .resource: set(BuiltInSlot.resource, .string(try text("resource", &value)))
    case .argument: set(BuiltInSlot.argument, .string(try text("argument", &value)))
    case .source:
      let source = try text("source", &value)
      guard let found = Source.allCases.first(where: { $0.name.utf8.elementsEqual(source) }) else {
        throw Refusal(
          .badRequest, "source: `\(shown(source))` is none of \(Source.allCases.map(\.name).joined(separator: ", "))")
      }
      frame.setSource(found)
    case .preference:
      let wish = try text("preference", &value)
      guard let effect = Effect.allCases.first(where: { $0.name.utf8.elementsEqual(wish) }) else {
        throw Refusal(.badRequest, "preference: `\(shown(wish))` is none of deny, ask, allow")
      }
      request.preference = effect
    case .explain:
      guard value.type == .bool, let isExplaining = try? value.nextBool() else {
        throw Refusal(.wrongType, "explain: a boolean is wanted")
      }
      request.isExplaining = isExplaining
    case nil:
      throw Refusal(
        .badRequest,
        "request: `\(shown(key))` is no key of a request; they are "
          + RequestKey.allCases.map(\.rawValue).joined(separator: ", "))
    }
  }

  private func text(_ key: String, _ value: inout MessageReader) throws(Refusal) -> UnsafeRawBufferPointer {
    guard value.type == .string, let text = try? value.nextString() else {
      throw Refusal(.wrongType, "\(key): a string is wanted")
    }
    guard text.count <= DecisionPoint.textBytes else {
      throw Refusal(.tooMany, "\(key): at most \(DecisionPoint.textBytes) bytes, not \(text.count)")
    }
    return text
  }

  /// `root` is "user." or "request.".
  private func readAttributes(
    _ root: StaticString, _ value: inout MessageReader, _ policy: Policy?
  ) throws(Refusal) {
    var entries = try reading { () throws(ReadError) in try value.nextArray(of: .entry) }
    guard let policy else { return }
    let reader = ValueReader(image: policy.platform, scratch: scratch)
    attributeName.copyMemory(from: UnsafeRawBufferPointer(start: root.utf8Start, count: root.utf8CodeUnitCount))
    while !entries.atEnd {
      var content = entries
      let key = try reading { () throws(ReadError) in
        var entry = try entries.nextEntry()
        let key = try entry.nextString()
        content = try entry.nextVariant()
        return key
      }
      guard key.count <= 256 else {
        throw Refusal(.unknownAttribute, "\(root)\(shown(key))…: no attribute's name is so long")
      }
      let length = root.utf8CodeUnitCount + key.count
      UnsafeMutableRawBufferPointer(rebasing: attributeName[root.utf8CodeUnitCount..<length]).copyMemory(from: key)
      try readAttribute(UnsafeRawBufferPointer(rebasing: attributeName[..<length]), &content, reader)
    }
  }

  private func readAttribute(
    _ name: UnsafeRawBufferPointer, _ content: inout MessageReader, _ reader: ValueReader
  ) throws(Refusal) {
    try refuseHeld(name)
    let (slot, value) = try attribute(name, &content, reader)
    frame.set(slot, value)
  }

  /// The attribute's slot, and its value as the platform declares it.
  func attribute(
    _ name: UnsafeRawBufferPointer, _ content: inout MessageReader, _ reader: ValueReader
  ) throws(Refusal) -> (slot: Int, value: Value) {
    guard let slot = attributeSlot(name, in: reader.image), slot >= Int(BuiltInSlot.count) else {
      throw Refusal(
        .unknownAttribute, "\(shown(name)): the platform declares no such attribute\(near(name, reader.image))")
    }
    let record = reader.image.attributes[slot]
    guard record.flags & AttributeRecord.isVerified == 0 else {
      throw Refusal(
        .verifiedAttribute, "\(shown(name)): comes only from the authority or a provider, never from a caller")
    }
    let signature = content
    let value = try reading { () throws(ReadError) in try reader.value(&content, Int(record.type)) }
    guard !reader.scratch.isTooLong else {
      throw Refusal(.tooMany, "\(shown(name)): at most \(DecisionPoint.textBytes) bytes of a text")
    }
    guard let value, accepts(value, slot: slot, in: reader.image) else {
      throw Refusal(
        .wrongType, "\(shown(name)): a D-Bus `\(signature.signature)` that isn't of the type that the platform declares"
      )
    }
    return (slot, value)
  }

  /// ", did you mean …": the attribute that shares the longest beginning, if most of the name.
  func near(_ name: UnsafeRawBufferPointer, _ image: Image) -> String {
    var best = (count: name.count * 2 / 3, name: "")
    for slot in Int(BuiltInSlot.count)..<max(Int(BuiltInSlot.count), image.count(.attributes)) {
      let other = image.string(image.attributes[slot].name)
      let shared = zip(name, other).prefix { $0 == $1 }.count
      if shared > best.count { best = (shared, String(decoding: other, as: UTF8.self)) }
    }
    return best.name.isEmpty ? "" : "; did you mean `\(best.name)`?"
  }

  /// What the session says is the request's, and can't be said anew.
  func refuseHeld(_ name: UnsafeRawBufferPointer) throws(Refusal) {
    guard let held = asked?.attributes, held.contains(name) else { return }
    throw Refusal(.badRequest, "\(shown(name)): the session says what it is; leave it out of the request")
  }

  func reading<T>(_ body: () throws(ReadError) -> T) throws(Refusal) -> T {
    do throws(ReadError) { return try body() } catch { throw Refusal(.badRequest, "\(error)") }
  }

  @inline(__always)
  func set(_ slot: UInt16, _ value: Value) { frame.set(Int(slot), value) }

  func shown(_ bytes: UnsafeRawBufferPointer) -> String { String(decoding: bytes.prefix(80), as: UTF8.self) }
}

/// What a request may say (DESIGN §5).
enum RequestKey: String, CaseIterable {
  case resource, source, argument, preference, user, request, explain

  init?(_ key: UnsafeRawBufferPointer) {
    // By length first: a switch over texts would make a String of each key.
    switch key.count {
    case 4 where Self.equal(key, "user"): self = .user
    case 6 where Self.equal(key, "source"): self = .source
    case 7 where Self.equal(key, "request"): self = .request
    case 7 where Self.equal(key, "explain"): self = .explain
    case 8 where Self.equal(key, "resource"): self = .resource
    case 8 where Self.equal(key, "argument"): self = .argument
    case 10 where Self.equal(key, "preference"): self = .preference
    default: return nil
    }
  }

  private static func equal(_ bytes: UnsafeRawBufferPointer, _ text: StaticString) -> Bool {
    guard let start = bytes.baseAddress else { return false }
    return bytes.count == text.utf8CodeUnitCount && memcmp(start, text.utf8Start, bytes.count) == 0
  }
}
