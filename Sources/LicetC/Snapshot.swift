// One generation as one operator sees it, in this process: images, halts, and where the daemon says that it is still the
// one in force. Immutable but for its caches; kept by each request that was laid out on it.

internal import Attach
internal import CLicet
internal import Decision
internal import PolicyImage

struct Snapshot {
  var references: UInt32 = 1
  var generation: UInt64
  /// The state page's word when the halts were asked for.
  var revocation: UInt64 = 0
  /// The attachment that brought it: when there is another one, this isn't in force any more.
  var attachment: UInt32 = 0
  /// nil: an image file, always in force, or a remote authority, which has no images.
  var page: UnsafeMutablePointer<Mapping>?
  /// CLOCK_MONOTONIC, before the question was sent that this answers: the daemon lived then.
  var askedAt: UInt64 = 0
  /// The daemon's monotonic clock is ahead of ours by this.
  var clockOffset: UInt64 = 0
  var platform: UnsafeMutablePointer<Mapping>?
  var overlay: UnsafeMutablePointer<Mapping>?
  /// nil: nothing is counted or recorded here.
  var recorder: RecorderRef?
  /// nil: no platform's policy is in force.
  var policy: Policy?
  /// Outside of sessions licetd decides, call by call.
  var asksRemotely = false
  /// Outside of sessions decided here by what the request asks alone: nothing halts the operator.
  var isPlain = false
  /// Whether a condition asks what time it is: if none does, no decision need.
  var readsNow = false
  /// Owned.
  var operatorName: Name
  /// Owned, their texts too.
  var halts = UnsafeBufferPointer<HaltRecord>(start: nil, count: 0)
  /// Where behaviours stand, by number: 0 not looked up yet, else bit 63, the overlay's node + 1, the platform's + 1.
  /// Written by whoever looks first; all write the same.
  var places: UnsafeMutablePointer<UInt64>?
  /// The same of attributes' slots: slot + 2, or 1: none.
  var slots: UnsafeMutablePointer<UInt64>?

  static let cacheSize = (Int(LICET_MAXIMUM_NAMES) &+ 1) &* 8

  /// Takes over what it is given; nil: no memory, and everything is given back.
  static func make(_ content: Snapshot) -> SnapshotRef? {
    var content = content
    guard let memory = clicet_allocate(MemoryLayout<Snapshot>.size) else {
      content.giveBack()
      return nil
    }
    // One mapping of both: each costs a reload its time.
    if content.policy != nil, let caches = clicet_pages(cacheSize &* 2) {
      content.places = caches.bindMemory(to: UInt64.self, capacity: cacheSize / 8)
      content.slots = (caches + cacheSize).bindMemory(to: UInt64.self, capacity: cacheSize / 8)
    }
    if let policy = content.policy {
      content.readsNow =
        LicetC.readsNow(policy.platform) || (policy.hasOverlay && LicetC.readsNow(policy.image(.overlay)))
    }
    content.isPlain = content.policy != nil && content.halts.count == 0 && !content.asksRemotely
    let snapshot = memory.bindMemory(to: Snapshot.self, capacity: 1)
    snapshot.initialize(to: content)
    return snapshot
  }

  static func retain(_ snapshot: SnapshotRef) { _ = clicet_add32(referenceWord(snapshot), 1) }

  static func release(_ snapshot: SnapshotRef?) {
    guard let snapshot, clicet_subtract32(referenceWord(snapshot), 1) == 1 else { return }
    snapshot.pointee.giveBack()
    clicet_free(snapshot)
  }

  mutating func giveBack() {
    Mapping.release(page)
    Mapping.release(platform)
    Mapping.release(overlay)
    Recorder.release(recorder)
    clicet_free(UnsafeMutableRawPointer(mutating: operatorName.baseAddress))
    for halt in halts { clicet_free(UnsafeMutableRawPointer(mutating: halt.operatorName.baseAddress)) }
    clicet_free(UnsafeMutableRawPointer(mutating: halts.baseAddress))
    if let places { clicet_unmap(places, Snapshot.cacheSize &* 2) }
  }

  /// Slots of a frame for it.
  var slotCount: Int { policy?.platform.count(.attributes) ?? Int(BuiltInSlot.count) }
}

extension UnsafeMutablePointer where Pointee == Snapshot {
  /// Where a behaviour stands, looked up once.
  @inline(__always)
  func place(_ number: UInt32, _ name: Name, _ policy: Policy) -> Place {
    guard let places = pointee.places else { return policy.place(of: name) }
    // SAFETY: numbers are at most LICET_MAXIMUM_NAMES.
    let word = places + Int(number)
    let known = clicet_load_relaxed(word)
    if known != 0 {
      return Place(
        platform: UInt32(truncatingIfNeeded: known) &- 1,
        overlay: UInt32(truncatingIfNeeded: known >> 32 & 0x7FFF_FFFF) &- 1, name: name)
    }
    let place = policy.place(of: name)
    clicet_store_relaxed(
      word, 1 << 63 | UInt64(place.overlay &+ 1) << 32 | UInt64(place.platform &+ 1))
    return place
  }

  /// The slot of an attribute; nil: the platform declares none. Only with a policy.
  @inline(__always)
  func slot(_ number: UInt32, _ name: Name, _ policy: Policy) -> Int? {
    guard let slots = pointee.slots else { return callerSlot(name, policy.platform) }
    // SAFETY: as above.
    let word = slots + Int(number)
    let known = clicet_load_relaxed(word)
    if known > 1 { return Int(truncatingIfNeeded: known &- 2) }
    if known == 1 { return nil }
    let slot = callerSlot(name, policy.platform)
    clicet_store_relaxed(word, slot.map { UInt64($0) &+ 2 } ?? 1)
    return slot
  }
}

/// Whether a program of this image reads `now`, which no test compares with a constant.
private func readsNow(_ image: Image) -> Bool {
  var i = 0
  while i < image.count(.code) {
    let instruction = Instruction(word: image.code[i])
    if instruction.code == Operation.slot.rawValue, instruction.b == Int(BuiltInSlot.now) { return true }
    i &+= 1
  }
  return false
}

/// The slot of an attribute that a request can speak of; nil: none.
func callerSlot(_ name: Name, _ platform: Image) -> Int? {
  guard let slot = attributeSlot(name, in: platform), slot >= Int(BuiltInSlot.count) else { return nil }
  return slot
}
