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
    let covered = covered(names)
    if decision.effect != .allow {
      let isAbsolute = covered.contains { BuiltInAbsolute.absolute(of: $0) == .off }
      let ends = halts.map { WayStep(kind: .halt($0), instead: answer.decidedBy) }
      answer.way = isAbsolute ? (.nobody, []) : (.platform, ends)
    }
    answer.trace = covered.flatMap(lines)
    return answer
  }

  /// The names and the built-in ones below, in name order, without repeats.
  private static func covered(_ names: UnsafeBufferPointer<Name>) -> [Name] {
    let builtIn = (0..<BuiltInAbsolute.count).map(BuiltInAbsolute.name)
    let all = names + builtIn.filter { name in names.contains { BuiltInAbsolute.covers($0, name) } }
    var last = Name(start: nil, count: 0)
    return all.sorted(by: nameLess).filter { name in
      defer { last = name }
      return nameLess(last, name)
    }
  }

  private static func lines(_ name: Name) -> [TraceLine] {
    let behavior = String(decoding: name, as: UTF8.self)
    let halt = TraceLine(behavior: behavior, step: .oversight, says: .deny, effect: .deny, statement: nil)
    let decided = decideWithoutPolicy(behavior: name)
    guard let statement = builtIn(name) else { return [halt] }
    return [
      halt,
      TraceLine(
        behavior: behavior, step: .absolute, says: decided.effect, effect: decided.effect, statement: statement),
    ]
  }

  private static func decidedBy(_ decision: Decision) -> DecidedBy {
    DecidedBy(
      rank: decision.decider.rank, statement: builtIn(decision.behavior),
      behavior: String(decoding: decision.behavior, as: UTF8.self))
  }

  /// The built-in absolute that holds for `name`.
  private static func builtIn(_ name: Name) -> StatementReference? {
    for i in 0..<BuiltInAbsolute.count where BuiltInAbsolute.covers(BuiltInAbsolute.name(i), name) {
      return StatementReference(
        layer: .platform, form: .builtIn, file: "", line: 0,
        behavior: String(decoding: BuiltInAbsolute.name(i), as: UTF8.self))
    }
    return nil
  }
}
