// What is decided while no platform's policy is in force: everything is denied but the absolutes that are on
// (DESIGN §2.2, §3). Names that are built in are known here too, so that a wider one is no looser (P13).

internal import PolicyImage

/// Decides one name, without those below it.
public func decideWithoutPolicy(behavior: Name) -> Decision {
  let absolute = BuiltInAbsolute.absolute(of: behavior)
  // Each built-in name has two segments.
  let decider =
    absolute == .none
    ? Decider(.oversight, .none, ImageFormat.none, depth: 0) : Decider(.absolute, .none, ImageFormat.none, depth: 2)
  return Decision(Folded(effect: absolute == .on ? .allow : .deny, decider: decider), behavior)
}

/// Decides these names and the built-in ones below them: the strictest, named by the same order as with a policy, so
/// that neither the names' order nor repeats matter (P9). nil for no name at all. No allocation; thread-safe.
public func decideWithoutPolicy(behaviors: UnsafeBufferPointer<Name>) -> Decision? {
  var decision: Decision?
  for behavior in behaviors {
    merge(decideWithoutPolicy(behavior: behavior), into: &decision)
    var i = 0
    while i < BuiltInAbsolute.count {
      let name = BuiltInAbsolute.name(i)
      if BuiltInAbsolute.covers(behavior, name) { merge(decideWithoutPolicy(behavior: name), into: &decision) }
      i &+= 1
    }
  }
  return decision
}

private func merge(_ one: Decision, into decision: inout Decision?) {
  guard let best = decision else {
    decision = one
    return
  }
  let isNamed =
    if one.effect != best.effect {
      one.effect < best.effect
    } else if one.decider.precedes(best.decider) != best.decider.precedes(one.decider) {
      one.decider.precedes(best.decider)
    } else {
      nameLess(one.behavior, best.behavior)
    }
  if isNamed { decision = one }
}
