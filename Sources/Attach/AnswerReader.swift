// Reading an answer: part by part, in the order in which it was written. Bytes that make no sense break the reader; texts
// are borrowed.

public import Decision
public import PolicyImage

/// What decided: a `DeciderRank` and an `OversightCause`, for which name, by which statement.
public struct DeciderText {
  public var rank: UInt8
  public var cause: UInt8
  public var behavior: Name
  public var statement: StatementRecordText

  public static func read(_ reader: inout WireReader) -> DeciderText {
    let one = DeciderText(
      rank: reader.take(), cause: reader.take(), behavior: reader.text(), statement: .read(&reader))
    if DeciderRank(rawValue: one.rank) == nil || OversightCause(rawValue: one.cause) == nil { reader.refuse() }
    return one
  }
}

/// The beginning of an answer; so many obligations follow, each a text.
public struct AnswerHead {
  public var effect: Effect
  public var generation: UInt64
  public var decider: DeciderText
  public var obligations: Int

  public static func read(_ reader: inout WireReader) -> AnswerHead {
    let effect = Effect(rawValue: reader.take())
    if effect == nil { reader.refuse() }
    return AnswerHead(
      effect: effect ?? .deny, generation: reader.take(), decider: .read(&reader),
      obligations: Int(reader.take(UInt16.self)))
  }
}

/// One change that the way needs; the halt is only of `change` 5, the numbers of those of a dial or of stakes.
public struct ChangeText {
  public var change: UInt8
  public var halt: HaltRecord
  public var instead: DeciderText
  /// The dial that the stakes need, zero: no more than there is; and the highest that it may become.
  public var needed = Degree.zero
  public var highest = Degree.zero

  /// Of `suspicion`: seconds.
  public var wait: UInt64 = 0

  public static let session: UInt8 = 11
  public static let suspicion: UInt8 = 12

  /// Whether it is one of a dial or of stakes.
  public static func hasDial(_ change: UInt8) -> Bool { change >= 6 && change <= 8 }

  public static func read(_ reader: inout WireReader) -> ChangeText {
    var one = ChangeText(change: reader.take(), halt: .read(&reader), instead: .read(&reader))
    if one.change > suspicion { reader.refuse() }
    if hasDial(one.change) {
      (one.needed.millionths, one.highest.millionths) = (reader.take(), reader.take())
      if one.needed > .one || one.highest > .one { reader.refuse() }
    }
    if one.change == suspicion { one.wait = reader.take() }
    return one
  }
}

/// One step of a trace.
public struct StepText {
  public var step: UInt8
  public var truth: UInt8
  public var says: UInt8
  public var effect: UInt8
  /// 255: none.
  public var tier: UInt8
  public var flags: UInt8
  public var failure: UInt8
  public var behavior: Name
  public var attribute: Name?
  public var statement: StatementRecordText
  /// Of the dial's step; else zeros.
  public var stakes = Degree.zero
  public var dial = Degree.zero
  public var stakesStatement: StatementRecordText?
  /// The period that the step depends on: its name is the statement's `behavior`, `condition` says who ends it.
  public var period: StatementRecordText?
  /// Of the session's step: a `SessionHold`, and the name in the terms; else 0.
  public var hold: UInt8 = 0
  public var term = Name(start: nil, count: 0)
  /// Of suspicion's: thousandths.
  public var suspicion: UInt32 = 0

  public var isShadow: Bool { flags & 1 != 0 }
  public var isClamped: Bool { flags & 2 != 0 }
  public var isUntrusted: Bool { flags & 4 != 0 }
  public var hasPeriodEnded: Bool { flags & 16 != 0 }

  public static func read(_ reader: inout WireReader) -> StepText {
    var one = StepText(
      step: reader.take(), truth: reader.take(), says: reader.take(), effect: reader.take(), tier: reader.take(),
      flags: reader.take(), failure: reader.take(), behavior: reader.text(), attribute: reader.optionalText(),
      statement: .read(&reader))
    let isKnown =
      TraceStep(rawValue: one.step) != nil && Truth(rawValue: one.truth) != nil && Effect(rawValue: one.says) != nil
      && Effect(rawValue: one.effect) != nil && Failure(rawValue: one.failure) != nil
      && (one.tier == .max || Tier(rawValue: one.tier) != nil)
    if !isKnown { reader.refuse() }
    if one.step == TraceStep.dial.rawValue {
      (one.stakes.millionths, one.dial.millionths) = (reader.take(), reader.take())
      one.stakesStatement = .read(&reader)
      if one.stakes > .one || one.dial > .one { reader.refuse() }
    }
    if one.flags & 8 != 0 { one.period = .read(&reader) }
    if one.step == TraceStep.session.rawValue {
      (one.hold, one.term) = (reader.take(), reader.text())
      if SessionHold(rawValue: one.hold) == nil { reader.refuse() }
    }
    if one.step == TraceStep.suspicion.rawValue { one.suspicion = reader.take() }
    return one
  }
}
