// The entry points: a request against a policy.

public import PolicyImage

/// Decides one behaviour. `frame` holds the request's attributes (of this policy's platform), its source and its session's
/// dial, and is left with `request.behavior` and `session.dial` overwritten. No allocation, lock or system call; bounded time; thread-safe as long as the frame is
/// used by one thread (DESIGN §2, §5).
@_optimize(speed)
public func decide(_ policy: Policy, _ frame: inout Frame, behavior: Name, preference: Effect? = nil) -> Decision {
  let engine = Engine(policy, frame)
  return engine.decide(one: engine.place(of: behavior), Wish(preference: preference), &frame)
}

/// Decides one behaviour that was looked up before, in this very policy. Otherwise as `decide(_:_:behavior:preference:)`.
@_optimize(speed)
public func decide(_ policy: Policy, _ frame: inout Frame, at place: Place, preference: Effect? = nil) -> Decision {
  Engine(policy, frame).decide(one: place, Wish(preference: preference), &frame)
}

/// Decides one action that is several behaviours at once: the strictest decides, obligations add up. nil for no
/// behaviour at all, which is a bad request. Repeats don't matter, nor does the order. With `isHalted` everything is
/// denied, whatever the policy says, but for the absolutes that are on, the platform's own included; obligations stay
/// (DESIGN §2.2 step 5, P14).
public func decide(
  _ policy: Policy, _ frame: inout Frame, behaviors: UnsafeBufferPointer<Name>, preference: Effect? = nil,
  isHalted: Bool = false
) -> Decision? {
  Engine(policy, frame).decide(behaviors, Wish(preference: preference, isHalted: isHalted), &frame)
}

extension Decision {
  @inline(__always)
  init(_ folded: Folded, _ behavior: Name) {
    effect = folded.effect
    self.behavior = behavior
    decider = folded.decider
    platformObligations = folded.platformObligations
    overlayObligations = folded.overlayObligations
  }
}

extension Engine {
  @inline(__always)
  func decide(one place: Place, _ wish: Wish, _ frame: inout Frame) -> Decision {
    begin(wish, &frame)
    var decision = Decision(decide(place, wish, &frame), place.name)
    if mayHaveNamesBelow(place) || frame.session?.pointee.hasNames(below: place.name) ?? false {
      withUnsafePointer(to: place.name) { one in
        merge(UnsafeBufferPointer(start: one, count: 1), after: place.name, wish, &frame, into: &decision)
      }
    }
    return decision
  }

  func decide(_ behaviors: UnsafeBufferPointer<Name>, _ wish: Wish, _ frame: inout Frame) -> Decision? {
    let start = Name(start: nil, count: 0)
    guard let first = successor(of: start, among: behaviors, frame) else { return nil }
    begin(wish, &frame)
    var decision = Decision(decide(place(of: first), wish, &frame), first)
    merge(behaviors, after: first, wish, &frame, into: &decision)
    return decision
  }

  /// Merges in every further name: the stricter effect, both obligations; of equals the higher decider.
  func merge(
    _ behaviors: UnsafeBufferPointer<Name>, after first: Name, _ wish: Wish, _ frame: inout Frame,
    into decision: inout Decision
  ) {
    var last = first
    while let name = successor(of: last, among: behaviors, frame) {
      last = name
      let folded = decide(place(of: name), wish, &frame)
      decision.platformObligations |= folded.platformObligations
      decision.overlayObligations |= folded.overlayObligations
      if folded.effect < decision.effect
        || (folded.effect == decision.effect && folded.decider.precedes(decision.decider))
      {
        decision.effect = folded.effect
        decision.decider = folded.decider
        decision.behavior = name
      }
    }
  }
}
