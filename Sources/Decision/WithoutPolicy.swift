// What is decided while no platform's policy is in force: everything is denied but the absolutes that are on
// (DESIGN §2.2, §3). Names that are built in are known here too, so that a wider one is no looser (P13).

internal import PolicyImage

/// Decides one name, without those below it.
public func decideWithoutPolicy(behavior: Name) -> Decision {
  let absolute = BuiltInAbsolute.absolute(of: behavior)
  // Each built-in name has two segments.
  let decider =
    absolute == .none
    ? Decider(oversight: .halt) : Decider(.absolute, .none, ImageFormat.none, depth: 2)
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

/// Traces that decision, names in name order: as `trace` does, with two steps at most a name, the halt and the built-in
/// absolute (which has no statement: `BuiltInAbsolute.index(covering:)`).
public func traceWithoutPolicy(
  behaviors: UnsafeBufferPointer<Name>, into entries: UnsafeMutableBufferPointer<TraceEntry>
) -> Int {
  var count = 0
  var last = Name(start: nil, count: 0)
  while let name = successor(of: last, among: behaviors) {
    last = name
    func add(_ step: TraceStep, _ effect: Effect) {
      if count < entries.count {
        entries[count] = TraceEntry(
          behavior: name, step: step, truth: .yes, says: effect, effect: effect, layer: .none, tier: .operator,
          isShadow: false, isClamped: false, statement: ImageFormat.none, failure: .none, slot: 0xFFFF)
      }
      count &+= 1
    }
    add(.oversight, .deny)
    let absolute = BuiltInAbsolute.absolute(of: name)
    if absolute != .none { add(.absolute, absolute == .on ? .allow : .deny) }
  }
  return count
}

/// Who could turn that refusal into `allow`: the platform, by putting a policy in force; nobody for an absolute.
public func wayWithoutPolicy(behaviors: UnsafeBufferPointer<Name>) -> WayBy {
  var by = WayBy.notNeeded
  var last = Name(start: nil, count: 0)
  while let name = successor(of: last, among: behaviors) {
    last = name
    switch BuiltInAbsolute.absolute(of: name) {
    case .off: return .nobody
    case .on: break
    case .none: by = .platform
    }
  }
  return by
}

/// The next name after `last` among these and the built-in ones below them, or nil. An empty `last` starts.
private func successor(of last: Name, among behaviors: UnsafeBufferPointer<Name>) -> Name? {
  var best: Name?
  func consider(_ name: Name) {
    guard nameLess(last, name) else { return }
    if let other = best, !nameLess(name, other) { return }
    best = name
  }
  for behavior in behaviors {
    consider(behavior)
    var i = 0
    while i < BuiltInAbsolute.count {
      if BuiltInAbsolute.covers(behavior, BuiltInAbsolute.name(i)) { consider(BuiltInAbsolute.name(i)) }
      i &+= 1
    }
  }
  return best
}
