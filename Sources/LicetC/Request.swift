// What is asked, laid out for one snapshot: attributes stand in the frame's slots at once, so that a check has nothing to
// do but decide. A new generation lays it out anew.

internal import Attach
public import CLicet
internal import Decision
internal import PolicyImage

/// An attribute that has no slot: not declared, of another type, or there are no slots, because licetd decides.
struct Pending {
  var attribute: UInt32
  /// 0: nothing is wrong with it.
  var code: Int32
  var value: Value
  /// The request's session says what it is: LICET_E_BAD_REQUEST for as long as it asks in it.
  var isSessions = false
}

struct Request {
  /// First of all: `UnsafeMutablePointer<Request>.error`.
  var error: licet_error
  let authority: AuthorityRef
  /// What the frame is laid out for; one reference. nil: a remote authority has none.
  var snapshot: SnapshotRef?
  var policy: Policy?
  var frame: Frame
  /// The frame's memory, and the one that the next layout takes.
  var memory: UnsafeMutableRawPointer
  var spare: UnsafeMutableRawPointer?
  var pending: UnsafeMutablePointer<Pending>?
  var pendingCount = 0
  var pendingCapacity = 0
  var head = RequestHead()
  /// What it asks in, and what the frame was laid out for of it; one reference each. Without a session both are nil.
  var session: SessionRef?
  var content: ContentRef?
  /// Parts that were set to what they can't be: a bit each, then checks are refused.
  var bad: UInt32 = 0
  /// What the first of them was refused with.
  var badCode: Int32 = 0
  /// Of those, of `pending` and of the session: whether a check has to look.
  var isTroubled = false
  var hasNow = false
  var last = LastDecision()
  /// Where it counts, and the key that it counted last.
  var lane = LaneIndex()
  var isLaneless = false
  /// The behaviour whose decision, an allow, `last` still is: nothing was said since, and it counts by `lastCounter`. 0: none.
  var repeatable: UInt32 = 0
  /// Likewise in a session, whose word is looked at as well.
  var repeatableInSession: UInt32 = 0
  var lastKey: UInt64 = 0
  var lastCounter: UnsafeMutablePointer<UInt64>?
  /// The name that decided, where it was the caller's; owned.
  let behavior: UnsafeMutableRawPointer
  /// An action's names; owned, made when the first one is asked about.
  var names: UnsafeMutablePointer<Name>?
  /// A question to a remote authority; owned, used again.
  var question: UnsafeMutableRawPointer?
  var questionCapacity = 0

  /// Room for what one condition builds, as in licetd.
  static let arena = 1 << 20
  static let memorySize = Frame.size(slots: ImageFormat.maximumSlots, arena: arena)

  /// Decisions in a row that were revoked before they were made: then what the daemon says can't be believed.
  static let rounds = 64

  /// Nothing is to be said again.
  @inline(__always)
  mutating func forget() { (repeatable, repeatableInSession) = (0, 0) }

  /// No code: licetd was asked, and its answer is there.
  static let wasAsked: Int32 = 1

  static let resourceBit: UInt32 = 1
  static let argumentBit: UInt32 = 2
  static let sourceBit: UInt32 = 4
  static let preferenceBit: UInt32 = 8
  static let nowBit: UInt32 = 16
}

/// What the last check came to, for who asks more about it.
struct LastDecision {
  enum Kind { case none, local, remote }
  var kind = Kind.none
  var decision: Decision?
  var generation: UInt64 = 0
  var isLost = false
  /// An answer of the daemon's: owned, used again.
  var reply: UnsafeMutableRawPointer?
  var replyCapacity = 0
  var replyCount = 0

  var answer: Name { Name(start: reply, count: replyCount) }
}

/// A frame over `memory`, whose arena is as large for every platform: what fails in licetd fails here.
func frame(_ memory: UnsafeMutableRawPointer, slots: Int) -> Frame? {
  Frame(
    memory: UnsafeMutableRawBufferPointer(start: memory, count: Frame.size(slots: slots, arena: Request.arena)),
    slots: slots)
}

// MARK: making and freeing

@c @implementation
public func licet_request_new(
  _ authority: OpaquePointer!, _ request: UnsafeMutablePointer<OpaquePointer?>!,
  _ error: UnsafeMutablePointer<licet_error>!
) -> Int32 {
  guard let authority, let request else { return report(error, LICET_E_INVALID) { $0.put("authority, request: NULL") } }
  request.pointee = nil
  let ref = AuthorityRef(authority)
  guard let memory = clicet_pages(Request.memorySize),
    let frame = frame(memory, slots: Int(BuiltInSlot.count)),
    let space = clicet_allocate(MemoryLayout<Request>.stride &+ ImageFormat.maximumNameLength)
  else { return report(error, LICET_E_NO_MEMORY) { $0.put(meaning(LICET_E_NO_MEMORY)) } }
  Authority.retain(ref)
  let made = space.bindMemory(to: Request.self, capacity: 1)
  var empty = licet_error()
  empty.size = UInt32(MemoryLayout<licet_error>.size)
  made.initialize(
    to: Request(
      error: empty, authority: ref, frame: frame, memory: memory, behavior: space + MemoryLayout<Request>.stride))
  made.setHead()
  request.pointee = OpaquePointer(made)
  return 0
}

@c @implementation
public func licet_request_free(_ request: OpaquePointer!) {
  guard let request else { return }
  let ref = RequestRef(request)
  ref.pointee.closeLane()
  ref.pointee.lane.free()
  Snapshot.release(ref.pointee.snapshot)
  SessionContent.release(ref.pointee.content)
  Session.release(ref.pointee.session)
  clicet_unmap(ref.pointee.memory, Request.memorySize)
  if let spare = ref.pointee.spare { clicet_unmap(spare, Request.memorySize) }
  clicet_free(ref.pointee.pending)
  clicet_free(ref.pointee.last.reply)
  clicet_free(ref.pointee.names)
  clicet_free(ref.pointee.question)
  Authority.release(ref.pointee.authority)
  clicet_free(ref)
}

@c @implementation
public func licet_request_reset(_ request: OpaquePointer!) {
  guard let request else { return }
  let ref = RequestRef(request)
  ref.leaveSession()
  ref.pointee.pendingCount = 0
  ref.pointee.forget()
  ref.pointee.bad = 0
  ref.pointee.isTroubled = false
  ref.pointee.hasNow = false
  ref.pointee.head = RequestHead()
  ref.pointee.last.kind = .none
  // One that isn't in force any more would hold its images for as long as nobody asks.
  if let snapshot = ref.pointee.snapshot, !snapshot.isInForce(ref.pointee.authority) {
    ref.pointee.closeLane()
    Snapshot.release(snapshot)
    ref.pointee.snapshot = nil
    ref.pointee.policy = nil
    if let small = frame(ref.pointee.memory, slots: Int(BuiltInSlot.count)) { ref.pointee.frame = small }
  }
  ref.pointee.frame.reset()
  ref.setHead()
}

extension UnsafeMutablePointer where Pointee == Request {
  /// Puts what every request has into its slots.
  func setHead() {
    pointee.frame.setSource(pointee.head.source)
    pointee.frame.set(Int(BuiltInSlot.argument), .string(pointee.head.argument ?? Name(start: nil, count: 0)))
    if let resource = pointee.head.resource { pointee.frame.set(Int(BuiltInSlot.resource), .string(resource)) }
    if let snapshot = pointee.snapshot {
      pointee.frame.set(Int(BuiltInSlot.operatorName), .string(snapshot.pointee.operatorName))
    }
  }

  // MARK: layout

  /// Lays the request out on another snapshot, whose reference it takes over; false: no memory, and nothing changed.
  func lay(on snapshot: SnapshotRef) -> Bool {
    if pointee.spare == nil { pointee.spare = clicet_pages(Request.memorySize) }
    guard let spare = pointee.spare, let next = frame(spare, slots: snapshot.pointee.slotCount) else { return false }
    pointee.closeLane()
    pointee.forget()
    let old = (snapshot: pointee.snapshot, policy: pointee.policy, frame: pointee.frame, memory: pointee.memory)
    (pointee.snapshot, pointee.policy, pointee.frame) = (snapshot, snapshot.pointee.policy, next)
    (pointee.memory, pointee.spare) = (spare, old.memory)
    setHead()
    if pointee.hasNow {
      pointee.frame.set(Int(BuiltInSlot.now), old.frame.slots[Int(BuiltInSlot.now)])
    } else {
      setClock()
    }
    putSession()
    retry()
    if let policy = old.policy { move(old.frame, policy.platform) }
    Snapshot.release(old.snapshot)
    settleTrouble()
    return true
  }

  /// Attributes that had no slot may have one now.
  func retry() {
    let count = pointee.pendingCount
    guard let pending = pointee.pending else { return }
    pointee.pendingCount = 0
    var i = 0
    while i < count {
      let one = pending[i]
      if !one.isSessions, one.code == LICET_E_TOO_MANY || one.code == LICET_E_BAD_REQUEST {
        // Its null stands for what was no value at all, of no type of any platform.
        pointee.pendingCount &+= 1
        pending[pointee.pendingCount &- 1] = one
      } else if let name = pointee.authority.pointee.attributes.name(one.attribute) {
        // Writes behind what is still to be read, never before it.
        place(one.value, name, callerSlot(name, platform: pointee.policy), attribute: one.attribute)
      }
      i &+= 1
    }
  }

  private func callerSlot(_ name: Name, platform policy: Policy?) -> Int? {
    policy.flatMap { LicetC.callerSlot(name, $0.platform) }
  }

  private func move(_ old: Frame, _ platform: Image) {
    var slot = Int(BuiltInSlot.count)
    while slot < old.slotCount {
      let value = old.slots[slot]
      if value.kind != .absent {
        let name = platform.string(platform.attributes[slot].name)
        // What the session says is laid out by itself.
        if !isSessions(name) {
          place(value, name, callerSlot(name, platform: pointee.policy), attribute: 0)
        }
      }
      slot &+= 1
    }
  }

  // MARK: attributes

  /// Gives a well-formed value its place: the slot if it fits, else among the pending. Returns 0 or what is wrong.
  @discardableResult
  func place(_ value: Value, _ name: Name, _ slot: Int?, attribute: UInt32) -> Int32 {
    var code: Int32 = 0
    if isSessions(name) {
      return pend(value, name, attribute, LICET_E_BAD_REQUEST, isSessions: true)
    }
    if let policy = pointee.policy {
      guard let slot else { return pend(value, name, attribute, LICET_E_UNKNOWN_ATTRIBUTE) }
      if policy.platform.attributes[slot].flags & AttributeRecord.isVerified != 0 {
        code = LICET_E_VERIFIED_ATTRIBUTE
      } else {
        if isPlainly(value, slot: slot, in: policy.platform) {
          pointee.frame.set(slot, value)
          return 0
        }
        let converted = value.converted(for: slot, in: policy.platform)
        if accepts(converted, slot: slot, in: policy.platform) {
          pointee.frame.set(slot, converted)
          return 0
        }
        code = LICET_E_WRONG_TYPE
      }
      pointee.frame.set(slot, .absent)
    }
    return pend(value, name, attribute, code)
  }

  func pend(
    _ value: Value, _ name: Name, _ attribute: UInt32, _ code: Int32, isSessions: Bool = false
  ) -> Int32 {
    let number = attribute != 0 ? attribute : intern(pointee.authority, name, isBehavior: false)
    guard number != 0, reserve() else {
      // It can't be remembered, so nothing is decided before a reset.
      mark(1 << 31, LICET_E_NO_MEMORY)
      return LICET_E_NO_MEMORY
    }
    if let pending = pointee.pending {
      (pending + pointee.pendingCount).initialize(
        to: Pending(attribute: number, code: code, value: value, isSessions: isSessions))
      pointee.pendingCount &+= 1
    }
    if code != 0 { pointee.isTroubled = true }
    return code
  }

  private func reserve() -> Bool {
    guard pointee.pendingCount == pointee.pendingCapacity else { return true }
    let wanted = max(16, pointee.pendingCapacity &* 2)
    guard wanted <= RequestLimits.attributes &* 2,
      let memory = clicet_resize(pointee.pending, wanted &* MemoryLayout<Pending>.stride)
    else { return false }
    pointee.pending = memory.bindMemory(to: Pending.self, capacity: wanted)
    pointee.pendingCapacity = wanted
    return true
  }

  /// Forgets what is pending of this attribute.
  func unpend(_ attribute: UInt32, _ name: Name) {
    guard pointee.pendingCount > 0, let pending = pointee.pending else { return }
    var kept = 0
    var i = 0
    while i < pointee.pendingCount {
      let other = pointee.authority.pointee.attributes.name(pending[i].attribute)
      let isSame = attribute != 0 ? pending[i].attribute == attribute : other.map { equal($0, name) } ?? false
      if !isSame {
        pending[kept] = pending[i]
        kept &+= 1
      }
      i &+= 1
    }
    pointee.pendingCount = kept
    settleTrouble()
  }

  func settleTrouble() {
    pointee.isTroubled = pointee.bad != 0 || pointee.session != nil
    guard let pending = pointee.pending else { return }
    var i = 0
    while i < pointee.pendingCount {
      if pending[i].code != 0 { pointee.isTroubled = true }
      i &+= 1
    }
  }

  /// What is in the way of a check: a code, and its sentence in the error.
  func trouble() -> Int32 {
    if pointee.bad != 0 {
      return fail(pointee.badCode) {
        $0.put("a part of the request was refused when it was set: set it again, or reset the request")
      }
    }
    guard let pending = pointee.pending else { return 0 }
    var i = 0
    while i < pointee.pendingCount {
      if pending[i].code != 0 {
        let name = pointee.authority.pointee.attributes.name(pending[i].attribute) ?? Name(start: nil, count: 0)
        return pending[i].isSessions ? refuseSessions(name) : refuse(pending[i].code, name)
      }
      i &+= 1
    }
    return 0
  }

  func refuseSessions(_ name: Name) -> Int32 {
    fail(LICET_E_BAD_REQUEST) {
      $0.put(name)
      $0.put(": the session says what it is, and the request can't")
    }
  }

  func refuse(_ code: Int32, _ name: Name) -> Int32 {
    fail(code) {
      $0.put(name)
      $0.put(": ")
      $0.put(meaning(code))
    }
  }
}

func equal(_ a: Name, _ b: Name) -> Bool {
  guard a.count == b.count else { return false }
  guard let p = a.baseAddress, let q = b.baseAddress else { return a.count == 0 }
  return equalBytes(p, q, a.count)
}
