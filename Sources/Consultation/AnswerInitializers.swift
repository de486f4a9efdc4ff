// Answers that are put together elsewhere: by a client, from what the daemon said.

public import Decision
public import PolicyImage

extension Answer {
  public init(
    effect: Effect, obligations: [String], decidedBy: DecidedBy, explained way: WayOut?,
    by trace: [TraceLine], halts: [Halt] = []
  ) {
    self.init(effect: effect, obligations: obligations, decidedBy: decidedBy, way: way, trace: trace, halts: halts)
  }
}

extension DecidedBy {
  public init(
    by rank: DeciderRank, _ statement: StatementReference?, of behavior: String, cause: OversightCause = .none
  ) {
    self.init(rank: rank, cause: cause, statement: statement, behavior: behavior)
  }
}

extension WayStep {
  public init(_ kind: Kind, insteadOf instead: DecidedBy) {
    self.init(kind: kind, instead: instead, dial: nil, wait: nil)
  }
}

extension StatementReference {
  /// A statement of which little more than its place is known.
  public init(layer: Layer, form: StatementForm, file: String, line: Int, behavior: String) {
    self.init(
      layer: layer, form: form, file: file, line: line, column: 1, behavior: behavior, clause: nil, condition: nil,
      kind: nil, effect: nil, tier: nil, isShadow: false, index: 0)
  }
}

extension TraceLine {
  /// A line whose condition held, until said otherwise.
  public init(behavior: String, step: TraceStep, says: Effect, effect: Effect, statement: StatementReference?) {
    self.init(
      behavior: behavior, step: step, truth: .yes, says: says, effect: effect, tier: nil, isShadow: false,
      isClamped: false, statement: statement, failure: .none, attribute: nil, dial: nil, session: nil, suspicion: nil,
      period: nil)
  }
}
