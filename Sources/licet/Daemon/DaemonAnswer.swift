// A reply's details -> the Answer that the output knows, so that the daemon's answers and a folder's are written alike.

import Decision
import Consultation
import Offline
import PolicyImage

struct DaemonAnswer {
  var answer: Answer
  var generation: Int64

  /// From (s effect, as obligations, a{sv} details).
  init(_ reply: [JSON], asked: [String]) throws(CommandError) {
    guard reply.count == 3, let name = reply[0].text, let effect = Effect.allCases.first(where: { $0.name == name })
    else { throw CommandError(.badReply, "the daemon's answer has no effect", at: "licetd") }
    let details = reply[2]
    let trace = (details["trace"]?.items ?? []).map(TraceLine.init(wire:))
    let halts = (details["halts"]?.items ?? []).compactMap(Halt.init(wire:))
    answer = Answer(
      effect: effect, obligations: reply[1].texts,
      decidedBy: DecidedBy(wire: details, asked: asked, trace), explained: nil, by: trace,
      halts: halts)
    if effect != .allow, let way = details["way"], let by = way["by"]?.text.flatMap(WayBy.init(named:)) {
      answer.way = WayOut(
        by: by, steps: (way["changes"]?.items ?? []).compactMap { WayStep(wire: $0, halts) },
        isUntrusted: way["untrusted"]?.isTrue ?? false)
    }
    generation = details["generation"]?.number ?? 0
  }
}

extension DecidedBy {
  fileprivate init(wire details: JSON, asked: [String], _ trace: [TraceLine]) {
    let behavior = details["behavior"]?.text ?? trace.last?.behavior ?? asked.first ?? ""
    let place = details["statement"]?.text ?? ""
    let step = trace.last { $0.behavior == behavior && $0.statement?.place == place }
    var rank = details["tier"]?.text.flatMap(DeciderRank.init(named:)) ?? .default
    // "operator" is said of its settings and of its limits.
    if rank == .setting, step?.step == .limit { rank = .operatorTier }
    var statement = step?.statement ?? StatementReference(place: place, behavior: behavior)
    if let clause = details["clause"]?.text, !clause.isEmpty { statement?.clause = clause }
    let cause: OversightCause? = details["oversight"]?.text.flatMap { value($0, \.name) }
    self.init(by: rank, statement, of: behavior, cause: cause ?? .none)
  }
}

extension StatementReference {
  /// From "FILE:LINE"; nil for none.
  fileprivate init?(place: String, behavior: String) {
    guard !place.isEmpty else { return nil }
    let colon = place.lastIndex(of: ":")
    let line = colon.flatMap { Int(place[place.index(after: $0)...]) }
    let isBuiltIn = place == "built-in"
    self.init(
      layer: place.hasPrefix("operators.d/") ? .overlay : .platform, form: isBuiltIn ? .builtIn : .rule,
      file: line == nil ? place : String(place[..<(colon ?? place.endIndex)]), line: line ?? 0, behavior: behavior)
  }
}

extension TraceLine {
  fileprivate init(wire line: JSON) {
    func text(_ key: String) -> String? { line[key]?.text.flatMap { $0.isEmpty ? nil : $0 } }
    let behavior = text("behavior") ?? ""
    let step = text("step").flatMap(TraceStep.init(named:)) ?? .default
    var statement = StatementReference(place: text("statement") ?? "", behavior: text("of") ?? behavior)
    statement?.clause = text("clause")
    statement?.condition = text("condition")
    if let form = text("chosen-for").flatMap(StatementForm.init(chosenFor:)) { statement?.form = form }
    statement?.totals = text("totals")
    statement?.kind = step == .duty ? .duty : step == .limit ? .limit : nil
    self.init(
      behavior: behavior, step: step, says: text("says").flatMap(Effect.init(optional:)) ?? .deny,
      effect: text("effect").flatMap(Effect.init(optional:)) ?? .deny, statement: statement)
    truth = text("truth").flatMap(Truth.init(named:)) ?? .yes
    tier = text("tier").flatMap(Tier.init(named:))
    isShadow = line["shadow"]?.isTrue ?? false
    isClamped = line["clamped"]?.isTrue ?? false
    failure = text("failure").flatMap(Failure.init(named:)) ?? .none
    attribute = text("attribute")
    if let stakes = line["stakes"]?.degree, let value = line["dial"]?.degree {
      dial = DialLine(
        stakes: stakes,
        statedAt: StatementReference(place: text("stakes-statement") ?? "", behavior: behavior),
        dial: value, isUntrusted: line["untrusted"]?.isTrue ?? false)
    }
    if let hold: SessionHold = text("hold").flatMap({ value($0, \.name) }) {
      session = SessionLine(hold, term: text("term") ?? "")
    }
    if let level = line["suspicion"]?.real { suspicion = UInt32(exactly: (level * 1000).rounded()) }
    if let name = text("period") {
      period = PeriodLine(name: name, terms: text("terms") ?? "", hasEnded: line["ended"]?.isTrue ?? false)
    }
  }
}

extension JSON {
  fileprivate var real: Double? {
    switch self {
    case .double(let value): value
    case .int(let value): Double(value)
    default: nil
    }
  }

  /// A number of 0...1.
  fileprivate var degree: Degree? { real.flatMap { Degree($0, up: false) } }
}

extension WayStep {
  fileprivate init?(wire change: JSON, _ halts: [Halt]) {
    guard let kind = change["kind"]?.text.flatMap({ Kind(named: $0, halts) }), let behavior = change["behavior"]?.text
    else {
      return nil
    }
    var statement = StatementReference(place: change["statement"]?.text ?? "", behavior: behavior)
    if let period = (change["period"] ?? change["counter"])?.text {
      statement?.behavior = period
      statement?.condition = change["terms"]?.text
    }
    self.init(kind, insteadOf: DecidedBy(by: .default, statement, of: behavior))
    if let highest = change["highest"]?.degree { dial = (change["needed"]?.degree ?? .zero, highest) }
    wait = change["wait"]?.number.flatMap { UInt64(exactly: $0) }
  }
}

extension Halt {
  fileprivate init?(wire halt: JSON) {
    guard let kind = halt["kind"]?.text.flatMap(Kind.init(rawValue:)) else { return nil }
    self.init(
      kind, operator: halt["operator"]?.text ?? "", session: halt["session"]?.text ?? "", since: halt["since"]?.number,
      by: halt["by"]?.number.flatMap { UInt32(exactly: $0) })
  }
}

// MARK: names back to values

/// The first value whose raw value has that name. Enumerations of the engine have small raw values.
private func value<Value: RawRepresentable>(_ name: String, _ nameOf: (Value) -> String) -> Value?
where Value.RawValue == UInt8 {
  for raw in UInt8.min...63 { if let value = Value(rawValue: raw), nameOf(value) == name { return value } }
  return nil
}

extension Effect {
  fileprivate init?(optional name: String) {
    guard let effect = Effect.allCases.first(where: { $0.name == name }) else { return nil }
    self = effect
  }
}

extension WayBy {
  fileprivate init?(named name: String) {
    guard let by: WayBy = value(name, \.name) else { return nil }
    self = by
  }
}

extension DeciderRank {
  fileprivate init?(named name: String) {
    guard let rank: DeciderRank = value(name, \.name) else { return nil }
    self = rank
  }
}

extension TraceStep {
  fileprivate init?(named name: String) {
    guard let step: TraceStep = value(name, \.name) else { return nil }
    self = step
  }
}

extension Truth {
  fileprivate init?(named name: String) {
    guard let truth: Truth = value(name, \.name) else { return nil }
    self = truth
  }
}

extension Failure {
  fileprivate init?(named name: String) {
    guard let failure: Failure = value(name, \.name) else { return nil }
    self = failure
  }
}

extension Tier {
  fileprivate init?(named name: String) {
    guard let tier: Tier = value(name, \.name) else { return nil }
    self = tier
  }
}

extension WayStep.Kind {
  /// `halts` are the answer's, each of which has a kind of its own.
  fileprivate init?(named name: String, _ halts: [Halt]) {
    let all: [WayStep.Kind] =
      [
        .preference, .setting, .operatorLimit, .choice, .platformLimit, .sessionDial, .operatorDial, .stakes, .period,
        .counter, .session, .suspicion,
      ]
      + halts.map { .halt($0) }
    guard let kind = all.first(where: { $0.name == name }) else { return nil }
    self = kind
  }
}
