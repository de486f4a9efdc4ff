// Counters (DESIGN §2.9) are attributes of type int that who keeps them gives: nothing that is decided counts, and one that isn't
// given fails the conditions that read it, so that their limits apply.

public import PolicyImage

extension Frame {
  /// Says what a counter of the platform has come to, this request included; nil: it isn't known.
  public mutating func set(_ counter: Counter, _ value: Int64?) {
    set(counter.slot, value.map { .int($0) } ?? .absent)
  }
}

extension Policy {
  /// Whether a decision here has to do with a counter, so that who keeps the counters has to make it.
  @inline(__always)
  public func isCounted(_ place: Place) -> Bool {
    hasCounters
      && (isCounted(place.platform, platform, place.name)
        || (hasOverlay && isCounted(place.overlay, overlay, place.name)))
  }

  /// Likewise of any of these names.
  @inline(never)
  public func isCounted(_ behaviors: UnsafeBufferPointer<Name>) -> Bool {
    guard hasCounters else { return false }
    for name in behaviors where isCounted(place(of: name)) { return true }
    return false
  }

  /// A node that is only the nearest above speaks for its own name; for those below it, if it says so.
  @inline(__always)
  private func isCounted(_ node: UInt32, _ image: Image, _ name: Name) -> Bool {
    guard node != ImageFormat.none else { return false }
    let n = image.nodes + Int(node)
    let isOwn = Int(n.pointee.nameLength) == name.count
    return n.pointee.flags & (isOwn ? Node.isCounted : Node.isCountedBelow) != 0
  }
}

/// For the way: counters as they would be if their windows had passed since.
struct FallenCounters {
  private let platform: Image
  /// Room of the frame's for what isn't in its slots; nil: there is none, or no counter is known.
  private let others: UnsafeMutablePointer<Value>?
  /// What the first one's slot is.
  private let first: Int
  /// Those that fall; at first all that are known: what isn't won't be by waiting.
  var falling: UInt64

  /// In `frame`'s arena, for as long as this is used.
  init(_ platform: Image, _ frame: inout Frame, _ behaviors: UnsafeBufferPointer<Name>) {
    self.platform = platform
    first = platform.firstCounterSlot
    var known: UInt64 = 0
    var i = 0
    while i < platform.counterCount {
      if frame.slots[first &+ i].kind == .int { known |= 1 &<< UInt64(i) }
      i &+= 1
    }
    falling = known
    others = known == 0 ? nil : frame.lend(platform.counterCount)
    i = 0
    while i < platform.counterCount, let others {
      let isCounted = platform.counter(i).counts(anyOf: behaviors)
      others[i] = .int(isCounted ? 1 : 0)
      i &+= 1
    }
  }

  var isSome: Bool { others != nil }

  /// Puts into the slots what isn't there, and keeps what was.
  func exchange(_ frame: inout Frame) {
    guard let others else { return }
    var i = 0
    while i < platform.counterCount {
      if falling &>> UInt64(i) & 1 == 1 {
        let value = frame.slots[first &+ i]
        frame.set(first &+ i, others[i])
        others[i] = value
      }
      i &+= 1
    }
  }
}

extension Counter {
  /// Whether a request for these behaviours counts; once, however many of them do.
  public func counts(anyOf behaviors: UnsafeBufferPointer<Name>) -> Bool {
    for name in behaviors where counts(name) { return true }
    return false
  }
}
