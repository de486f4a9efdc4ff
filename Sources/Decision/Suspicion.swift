// Suspicion (DESIGN §2.4): whoever asks for what is off absolutely is suspect for a while, and the platform says what
// that means. A level counts thousandths of an attempt.

internal import PolicyImage

extension Policy {
  /// Whether asking for these names raises suspicion: one of them is, or lies below, what is off absolutely.
  public func isSuspect(_ behaviors: UnsafeBufferPointer<Name>) -> Bool {
    guard platform.hasSuspicion else { return false }
    for name in behaviors {
      let place = place(of: name)
      guard place.platform != ImageFormat.none else { continue }
      if platform.nodes[Int(place.platform)].absolute == Absolute.off.rawValue { return true }
    }
    return false
  }

  /// The most seconds until this level has fallen so low that it does nothing.
  public func secondsOfSuspicion(from level: UInt32) -> UInt64 {
    guard platform.hasSuspicion else { return 0 }
    let header = platform.header
    let lowest = min(header.pointee.suspicionAskAt, header.pointee.suspicionDenyAt)
    guard level >= lowest else { return 0 }
    return secondsUntil(suspicionLeft(lowest), from: level, halfLife: header.pointee.suspicionHalfLife)
  }
}

/// Where a threshold that was reached is left again: half an attempt below it, at least half of it. Levels decay from the first
/// moment on: without that, two attempts would have reached 2 for no time at all.
public func suspicionLeft(_ threshold: UInt32) -> UInt32 { threshold &- min(500, threshold / 2) }

/// The most seconds until a level has fallen below a threshold, at least 1; 0: it is below. Halving takes `halfLife` seconds;
/// between halvings log2(r) <= r - 1 + 0.0861 for r from 1 to 2.
public func secondsUntil(_ threshold: UInt32, from level: UInt32, halfLife: UInt32) -> UInt64 {
  guard level >= threshold, threshold > 0 else { return 0 }
  var halvings: UInt64 = 0
  var divisor: UInt64 = 1
  while UInt64(level) >= UInt64(threshold) &* divisor &* 2 {
    divisor &*= 2
    halvings &+= 1
  }
  let whole = UInt64(threshold) &* divisor
  // Ten-thousandths of a halving.
  let rest = (UInt64(level) &- whole) &* 10_000 / whole &+ 861
  return halvings &* UInt64(halfLife) &+ rest &* UInt64(halfLife) / 10_000 &+ 1
}

extension Engine {
  /// What suspicion makes of this name; `allow`: nothing.
  @inline(__always)
  func suspicion(_ place: Place, _ wish: Wish, _ frame: borrowing Frame) -> Effect {
    if frame.suspicion == 0 || wish.changes.contains(.suspicion) || !isSuspected(place) { return .allow }
    let header = policy.platform.header
    if frame.suspicion >= header.pointee.suspicionDenyAt { return .deny }
    return frame.suspicion >= header.pointee.suspicionAskAt ? .ask : .allow
  }

  /// Whether the platform's `suspicion` is for this name.
  func isSuspected(_ place: Place) -> Bool {
    guard policy.platform.hasSuspicion else { return false }
    if policy.platform.header.pointee.flags & ImageHeader.suspectsAll != 0 { return true }
    return place.platform != ImageFormat.none
      && policy.platform.nodes[Int(place.platform)].flags & Node.isSuspected != 0
  }

  /// The second of oversight's caps.
  @inline(never)
  func suspect(_ folded: inout Folded, _ place: Place, _ wish: Wish, _ frame: borrowing Frame) {
    let to = suspicion(place, wish, frame)
    guard to < .allow, to <= folded.effect else { return }
    folded.effect = to
    folded.decider = Decider(oversight: .suspicion, .platform, policy.platform.header.pointee.suspicionStatement)
  }
}
