// An answer while no platform's policy is in force: the built-in absolutes, and the halt, in words.

public import Decision
internal import PolicyImage

extension Answer {
  /// Decides these names; no name at all is denied. With `explaining`, the way and the trace as well.
  public static func withoutPolicy(_ names: UnsafeBufferPointer<Name>, halts: [Halt], _ explaining: Bool) -> Answer {
    let decision = decideWithoutPolicy(behaviors: names) ?? decideWithoutPolicy(behavior: Name(start: nil, count: 0))
    var answer = Answer(
      effect: decision.effect, obligations: [], decidedBy: decidedBy(decision), way: nil, trace: [], halts: halts)
    guard explaining else { return answer }
    if decision.effect != .allow {
      let by = wayWithoutPolicy(behaviors: names)
      answer.way = WayOut(
        by: by, steps: by == .nobody ? [] : halts.map { WayStep(.halt($0), insteadOf: answer.decidedBy) })
    }
    answer.trace = lines(names)
    return answer
  }

  private static func lines(_ names: UnsafeBufferPointer<Name>) -> [TraceLine] {
    let capacity = 2 * (names.count + BuiltInAbsolute.count * names.count)
    let entries = UnsafeMutableBufferPointer<TraceEntry>.allocate(capacity: capacity)
    defer { entries.deallocate() }
    return entries[..<traceWithoutPolicy(behaviors: names, into: entries)].map { entry in
      TraceLine(
        behavior: String(decoding: entry.behavior, as: UTF8.self), step: entry.step, says: entry.says,
        effect: entry.effect, statement: entry.step == .absolute ? builtIn(entry.behavior) : nil)
    }
  }

  private static func decidedBy(_ decision: Decision) -> DecidedBy {
    DecidedBy(
      rank: decision.decider.rank, cause: decision.decider.cause,
      statement: builtIn(decision.behavior),
      behavior: String(decoding: decision.behavior, as: UTF8.self))
  }

  /// The built-in absolute that holds for `name`.
  private static func builtIn(_ name: Name) -> StatementReference? {
    guard let i = BuiltInAbsolute.index(covering: name) else { return nil }
    return StatementReference(
      layer: .platform, form: .builtIn, file: "", line: 0,
      behavior: String(decoding: BuiltInAbsolute.name(i), as: UTF8.self))
  }
}
