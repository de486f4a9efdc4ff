// A decision -> (s effect, as obligations, a{sv} details), as dbus/org.licet.Licet1.xml has it.

import Attach
import Bus
import Consultation
import Decision
import PolicyImage

struct AnswerWriter {
  let generation: UInt64

  /// Appends the three values.
  func write(_ outcome: Outcome, _ writer: inout MessageWriter) {
    switch outcome {
    case .plain(let decision, let policy, let names): write(decision, policy, names, &writer)
    case .explained(let answer): write(answer, &writer)
    }
  }

  // MARK: the short form: bytes of the images

  private func write(
    _ decision: Decision, _ policy: Policy, _ names: UnsafeBufferPointer<Name>, _ writer: inout MessageWriter
  ) {
    append(decision.effect, &writer)
    var list = writer.openArray("s")
    if decision.platformObligations | decision.overlayObligations != 0 {
      var last: Name?
      while let name = nextObligation(after: last, decision, policy) {
        list.append(name)
        last = name
      }
    }
    writer.close(&list)
    var details = writer.openArray("{sv}")
    details.entry("generation", generation)
    details.entry("tier", "s") { append(decision.decider.rank, &$0) }
    if decision.decider.cause != .none { details.entry("oversight", "s") { append(decision.decider.cause, &$0) } }
    // Of several names, or of those below one, which it was; the one that was asked about needs no telling.
    if names.count != 1 || names[0].baseAddress != decision.behavior.baseAddress {
      details.entry("behavior", text: decision.behavior)
    }
    if decision.decider.layer != .none, decision.decider.statement != ImageFormat.none {
      write(decision.decider, policy, &details)
    } else {
      details.entry("statement", "s") { $0.append("") }
    }
    writer.close(&details)
  }

  private func write(_ decider: Decider, _ policy: Policy, _ details: inout MessageWriter) {
    let image = policy.image(decider.layer)
    let record = image.statements[Int(decider.statement)]
    if record.form == StatementForm.builtIn.rawValue {
      details.entry("statement", "s") { $0.append("built-in") }
    } else {
      let file = image.string(record.file)
      withUnsafeTemporaryAllocation(byteCount: file.count + 12, alignment: 1) { space in
        space.copyMemory(from: file)
        let count = Self.write(line: record.line, into: space, from: file.count)
        details.entry("statement", text: UnsafeRawBufferPointer(rebasing: space[..<count]))
      }
    }
    if record.clause != ImageFormat.none { details.entry("clause", text: image.string(record.clause)) }
  }

  /// ":12" behind a file's name; returns the end.
  private static func write(line: UInt32, into space: UnsafeMutableRawBufferPointer, from start: Int) -> Int {
    var at = start
    space[at] = UInt8(ascii: ":")
    at += 1
    var divisor: UInt32 = 1
    while line / divisor >= 10 { divisor *= 10 }
    while divisor > 0 {
      space[at] = UInt8(ascii: "0") + UInt8(line / divisor % 10)
      at += 1
      divisor /= 10
    }
    return at
  }

  private func append(_ effect: Effect, _ writer: inout MessageWriter) {
    switch effect {
    case .deny: writer.append("deny")
    case .ask: writer.append("ask")
    case .allow: writer.append("allow")
    }
  }

  private func append(_ rank: DeciderRank, _ writer: inout MessageWriter) {
    switch rank {
    case .default: writer.append("default")
    case .setting, .operatorTier: writer.append("operator")
    case .ceiling: writer.append("ceiling")
    case .preference: writer.append("user")
    case .guideline: writer.append("guideline")
    case .ethics: writer.append("ethics")
    case .safety: writer.append("safety")
    case .oversight: writer.append("oversight")
    case .absolute: writer.append("absolute")
    }
  }

  private func append(_ cause: OversightCause, _ writer: inout MessageWriter) {
    switch cause {
    case .none: writer.append("none")
    case .session: writer.append("session")
    case .suspicion: writer.append("suspicion")
    case .dial: writer.append("dial")
    case .halt: writer.append("halt")
    }
  }

  // MARK: the long form: an answer in words

  private func write(_ answer: Answer, _ writer: inout MessageWriter) {
    append(answer.effect, &writer)
    writer.append(answer.obligations)
    var details = writer.openArray("{sv}")
    details.entry("generation", generation)
    details.entry("tier", answer.decidedBy.rank.name)
    if answer.decidedBy.cause != .none { details.entry("oversight", answer.decidedBy.cause.name) }
    details.entry("behavior", answer.decidedBy.behavior)
    details.entry("statement", answer.decidedBy.statement?.place ?? "")
    if let clause = answer.decidedBy.statement?.clause { details.entry("clause", clause) }
    if !answer.halts.isEmpty {
      details.entry("halts", "aa{sv}") { write(answer.halts, &$0) }
    }
    if let way = answer.way { write(way, &details) }
    if !answer.trace.isEmpty {
      details.entry("trace", "aa{sv}") {
        $0.array("a{sv}") { lines in for line in answer.trace { write(line, &lines) } }
      }
    }
    writer.close(&details)
  }

  private func write(_ way: WayOut, _ details: inout MessageWriter) {
    details.entry("way", "a{sv}") { variant in
      variant.array("{sv}") { entries in
        entries.entry("by", way.by.name)
        if way.isUntrusted { entries.entry("untrusted", true) }
        entries.entry("changes", "aa{sv}") { variant in
          variant.array("a{sv}") { list in
            for step in way.steps {
              list.array("{sv}") { one in
                one.entry("kind", step.kind.name)
                one.entry("behavior", step.instead.behavior)
                one.entry("statement", step.instead.statement?.place ?? "")
                if let needed = step.dial?.needed, needed > .zero { one.entry("needed", needed.value) }
                if let highest = step.dial?.highest { one.entry("highest", highest.value) }
                if step.kind == .counter, let counter = step.instead.statement {
                  one.entry("counter", counter.behavior)
                  one.entry("terms", counter.condition ?? "")
                }
                if let wait = step.wait { one.entry("wait", wait) }
                if step.kind == .period, let period = step.instead.statement {
                  one.entry("period", period.behavior)
                  one.entry("terms", period.condition ?? "")
                }
              }
            }
          }
        }
      }
    }
  }

  /// One aa{sv}.
  func write(_ halts: [Halt], _ writer: inout MessageWriter) {
    writer.array("a{sv}") { list in for halt in halts { write(halt, &list) } }
  }

  private func write(_ halt: Halt, _ list: inout MessageWriter) {
    list.array("{sv}") { one in
      one.entry("kind", halt.kind.rawValue)
      if !halt.operatorName.isEmpty { one.entry("operator", halt.operatorName) }
      if !halt.session.isEmpty { one.entry("session", halt.session) }
      if let since = halt.since { one.entry("since", "x") { $0.append(since) } }
      if let by = halt.by { one.entry("by", "u") { $0.append(by) } }
    }
  }

  private func write(_ line: TraceLine, _ lines: inout MessageWriter) {
    lines.array("{sv}") { one in
      one.entry("step", line.step.name)
      one.entry("behavior", line.behavior)
      one.entry("effect", line.effect.name)
      one.entry("says", line.says.name)
      if let statement = line.statement {
        one.entry("statement", statement.place)
        one.entry("of", statement.behavior)
        if let clause = statement.clause { one.entry("clause", clause) }
        if let name = statement.form.chosenFor { one.entry("chosen-for", name) }
        if let totals = statement.totals { one.entry("totals", totals) }
        if let condition = statement.condition {
          one.entry("condition", condition)
          one.entry("truth", line.truth.name)
        }
      }
      if let tier = line.tier { one.entry("tier", tier.name) }
      if line.truth == .failed { one.entry("failure", line.failure.name) }
      if let attribute = line.attribute { one.entry("attribute", attribute) }
      if line.isShadow { one.entry("shadow", true) }
      if line.isClamped { one.entry("clamped", true) }
      if let dial = line.dial {
        one.entry("truth", line.truth.name)
        one.entry("stakes", dial.stakes.value)
        one.entry("dial", dial.dial.value)
        one.entry("stakes-statement", dial.statedAt?.place ?? "")
        if dial.isUntrusted { one.entry("untrusted", true) }
      }
      if let session = line.session {
        one.entry("truth", line.truth.name)
        one.entry("hold", session.hold.name)
        if !session.term.isEmpty { one.entry("term", session.term) }
      }
      if let level = line.suspicion {
        one.entry("truth", line.truth.name)
        one.entry("suspicion", Double(level) / 1000)
      }
      if let period = line.period {
        one.entry("period", period.name)
        one.entry("terms", period.terms)
        one.entry("ended", period.hasEnded)
        // Of a rule that asks for nothing but its period.
        let isRule = [.grant, .duty, .limit].contains(line.step)
        if isRule, line.statement?.condition == nil { one.entry("truth", line.truth.name) }
      }
    }
  }
}
