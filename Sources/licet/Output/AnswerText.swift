// An answer for people: a line for `check`, a page for `explain`.

import Decision
import Consultation
import Offline
import PolicyImage

struct AnswerText {
  let style: Style

  /// `check`'s line, and one for the obligations.
  func summary(_ answer: Answer, asked: [String]) -> String {
    let who = who(answer)
    var line = "\(effect(answer.effect))  \(asked.joined(separator: " + "))  \(who)"
    if let place = place(answer.decidedBy.statement) { line += "  \(place)" }
    if !answer.obligations.isEmpty { line += "\n       with \(answer.obligations.joined(separator: ", "))" }
    return line
  }

  /// `explain`'s page.
  func explanation(_ answer: Answer, _ form: RequestForm) -> String {
    var lines = [heading(answer, form), ""]
    lines += decision(answer, form)
    let names = answer.trace.reduce(into: [String]()) { if $0.last != $1.behavior { $0.append($1.behavior) } }
    let decisive = answer.trace.filter { $0.behavior == answer.decidedBy.behavior }
    lines += ["", title(names.count > 1 ? "Step by step, for \(answer.decidedBy.behavior)" : "Step by step")]
    lines += steps(decisive.filter(applies), answer.halts)
    lines += passedOver(decisive.filter { !applies($0) })
    lines += others(names.filter { $0 != answer.decidedBy.behavior }, answer.trace)
    lines += way(answer)
    return lines.joined(separator: "\n") + "\n"
  }

  // MARK: the decision

  private func heading(_ answer: Answer, _ form: RequestForm) -> String {
    var text = "\(effect(answer.effect))  \(style.paint(form.behaviors.joined(separator: " + "), .bold))"
    if let name = form.operatorName { text += "  for \(harmless(name, unicode: style.unicode))" }
    if let resource = form.resource { text += "  on \(shown(resource))" }
    if let source = form.source, source != .agent { text += "  (on the instruction of: \(source.name))" }
    return text
  }

  private func decision(_ answer: Answer, _ form: RequestForm) -> [String] {
    let decided = answer.decidedBy
    var lines = [field("decided by", who(answer))]
    if let place = place(decided.statement) { lines.append(field("", place)) }
    if let totals = decided.statement?.totals { lines += wrapped(totals).map { field("", $0) } }
    if let condition = decided.statement?.condition { lines.append(field("", "when \(shown(condition))")) }
    if decided.behavior != form.behaviors.first || form.behaviors.count > 1 {
      lines.append(field("because of", decided.behavior))
    }
    if !answer.obligations.isEmpty {
      let lead = answer.effect == .deny ? "would oblige" : "obliges"
      lines.append(field(lead, answer.obligations.joined(separator: ", ")))
    }
    return lines
  }

  private func who(_ answer: Answer) -> String {
    let decided = answer.decidedBy
    return switch decided.rank {
    case .default:
      switch decided.statement?.form {
      case .unknown: "the platform: nobody declared this"
      case .chosen: "the platform's default, chosen for its population"
      case .audience: "the default, chosen for the operator's audience"
      default: "the platform's default"
      }
    case .setting: "the operator's setting"
    case .ceiling: "the operator's setting, cut down to the platform's ceiling"
    case .preference: "the user's preference"
    case .operatorTier: "the operator's limit"
    case .guideline, .ethics, .safety:
      "the platform's \(decided.statement?.kind == .duty ? "duty" : "limit") (\(decided.rank.name))"
    case .oversight: "oversight: \(oversight(answer))"
    case .absolute: "an absolute, which nothing moves"
    }
  }

  private func oversight(_ answer: Answer) -> String {
    let own = answer.trace.filter { $0.behavior == answer.decidedBy.behavior && $0.truth == .yes }
    return switch answer.decidedBy.cause {
    case .session: own.last { $0.session != nil && $0.says == answer.effect }.map(session) ?? "the session"
    case .suspicion: own.last { $0.suspicion != nil }.map(suspicion) ?? "suspicion"
    case .dial: capped(own)
    case .halt, .none: halted(answer.halts)
    }
  }

  /// The dial's two caps; a trace tells them apart.
  private func capped(_ trace: [TraceLine]) -> String {
    let line = trace.last { $0.step == .dial }
    guard let dial = line?.dial else { return "the dial, or untrusted text" }
    return dial.isUntrusted
      ? "untrusted text has no authority" : "the stakes of \(dial.stakes) are above the dial of \(dial.dial)"
  }

  private func halted(_ halts: [Halt]) -> String {
    halts.isEmpty ? "halted" : halts.map(WayText.halt).joined(separator: "; ")
  }

  // MARK: steps

  /// Whether a step had its say: false conditions had none, nor had failed duties and grants (DESIGN §2.3).
  private func applies(_ line: TraceLine) -> Bool {
    if line.isShadow || line.truth == .no { return false }
    return line.truth == .yes || line.step == .limit || line.step == .setting
  }

  private func steps(_ lines: [TraceLine], _ halts: [Halt] = []) -> [String] {
    lines.flatMap { line -> [String] in
      let mark = line.truth == .failed ? style.paint("?", .yellow) : style.paint(style.glyph("✓", "+"), .green)
      var text = "  \(mark) \(effect(line.effect))  \(sentence(line))"
      if line.step == .oversight { text += ": \(halted(halts))" }
      if let place = place(line.statement) { text += "  \(place)" }
      if let stated = line.dial?.statedAt { text += "\n" + note("stakes stated at \(stated.place)") }
      if let period = line.period { text += "\n" + note(state(period)) }
      guard line.truth == .failed else { return [text] }
      return [
        text, note("counts as the strictest that it could be: \(line.failure.phrase(attribute: line.attribute))"),
      ]
    }
  }

  private func sentence(_ line: TraceLine) -> String {
    let says = line.says.name
    switch line.step {
    case .default:
      switch line.statement?.form {
      case .unknown: return "by `unknown`, as none is declared"
      case .chosen: return "by default, chosen for its population"
      case .audience: return "chosen for its audience" + (line.isClamped ? ", up to the ceiling" : "")
      default: return "by default"
      }
    case .setting: return "the operator says \(says)"
    case .operator: return line.isClamped ? "so the operator, up to its ceiling" : "so the operator"
    case .grant: return "the operator lets users go up to \(says)"
    case .preference: return "the user prefers \(says)"
    case .duty: return "\(line.tier?.name ?? "platform") owes at least \(says)"
    case .limit: return "\(line.tier?.name ?? "operator") limits to \(says)"
    case .oversight: return "oversight halts it"
    case .dial: return dial(line)
    case .session: return session(line)
    case .suspicion: return suspicion(line)
    case .absolute: return line.says == .deny ? "hard-coded off" : "hard-coded on"
    }
  }

  private func session(_ line: TraceLine) -> String {
    guard let session = line.session else { return "the session" }
    let (term, holds) = (harmless(session.term, unicode: style.unicode), line.truth == .yes)
    return switch session.hold {
    case .cap: "the session caps \(term) at \(line.says.name)"
    case .scope: holds ? "outside of the session's scope" : "within the session's scope, by \(term)"
    case .resources: holds ? "the resource is none of the session's" : "the resource is one of the session's"
    case .preference: "a delegate prefers \(line.says.name), which only caps"
    }
  }

  private func suspicion(_ line: TraceLine) -> String {
    let level = "suspicion stands at \(attempts(line.suspicion ?? 0))"
    return line.truth == .no ? level + ", which does nothing yet" : level + ": \(line.says.name) at most"
  }

  private func state(_ period: PeriodLine) -> String {
    period.hasEnded
      ? "the period `\(period.name)` has ended" : "the period `\(period.name)` runs; it ends by \(shown(period.terms))"
  }

  private func dial(_ line: TraceLine) -> String {
    guard let dial = line.dial else { return "the dial" }
    if dial.isUntrusted { return "untrusted text asks, so \(line.says.name) at most" }
    let stakes = dial.statedAt == nil ? "stakes that nobody states are 1" : "stakes of \(dial.stakes)"
    let setter = line.statement == nil ? ", the session's" : ""
    return line.truth == .no
      ? "\(stakes) are within the dial of \(dial.dial)\(setter)"
      : "\(stakes), above the dial of \(dial.dial)\(setter): \(line.says.name) at most"
  }

  private func passedOver(_ lines: [TraceLine]) -> [String] {
    guard !lines.isEmpty else { return [] }
    let rows = lines.flatMap { line -> [String] in
      let mark = line.truth == .failed ? "?" : line.truth == .yes ? "~" : style.glyph("·", "-")
      var text = "  \(mark) \(sentence(line))"
      if let name = line.statement?.behavior, name != line.behavior, !name.isEmpty { text += " for \(name)" }
      if let place = place(line.statement) { text += "  \(place)" }
      return [text, note(reason(line))]
    }
    return ["", title("What did not apply")] + rows
  }

  private func reason(_ line: TraceLine) -> String {
    let shadow = line.isShadow ? "in shadow, watched only; " : ""
    if let dial = line.dial { return dial.statedAt.map { "stakes stated at \($0.place)" } ?? "no cap" }
    if line.session != nil || line.suspicion != nil { return "no cap" }
    if let period = line.period, period.hasEnded == (line.step == .limit) { return shadow + state(period) }
    guard let condition = line.statement?.condition else { return shadow + "always true" }
    switch line.truth {
    case .no: return shadow + "not true: \(shown(condition))"
    case .yes: return shadow + "true: \(shown(condition))"
    case .failed: return shadow + "can't be evaluated: \(line.failure.phrase(attribute: line.attribute))"
    }
  }

  /// The other names that the request stands for, one line each: what each alone comes to.
  private func others(_ names: [String], _ trace: [TraceLine]) -> [String] {
    guard !names.isEmpty else { return [] }
    let rows = names.compactMap { name -> String? in
      guard let last = trace.last(where: { $0.behavior == name }) else { return nil }
      return "    \(effect(last.effect))  \(name)"
    }
    return ["", title("Also asked about, and no stricter")] + rows
  }

  // MARK: the way

  private func way(_ answer: Answer) -> [String] {
    guard let way = answer.way else { return [] }
    var lines = ["", title("The way")]
    if answer.effect == .ask { lines.append("  An overseer can approve it, this once. To be allowed without:") }
    switch way.by {
    case .notNeeded: return []
    case .nobody:
      let why = way.isUntrusted ? WayText.untrusted : "it is hard-coded"
      lines.append("  \(style.paint("Nobody", .bold)) can allow this: \(why).")
    case .authorities, .wait:
      let more = way.by == .wait && way.steps.count > 1 ? ", and it takes more" : ""
      lines.append("  It has to \(style.paint("wait", .bold))\(more):")
      lines += WayText.changes(way).map { "    \(style.glyph("→", "->")) \($0)" }
    case .user, .operator, .platform:
      lines.append("  It takes the \(style.paint(way.by.name, .bold)):")
      lines += WayText.changes(way).map { "    \(style.glyph("→", "->")) \($0)" }
      if way.steps.contains(where: { $0.dial != nil }) { lines.append(note("(\(WayText.instructed))")) }
    }
    return lines
  }

  // MARK: pieces

  private func effect(_ effect: Effect) -> String {
    let ink: Style.Ink = effect == .allow ? .green : effect == .ask ? .yellow : .red
    return style.paint(effect.name, .bold, ink) + String(repeating: " ", count: 5 - effect.name.count)
  }

  private func title(_ text: String) -> String { style.paint(text, .bold) }

  private func field(_ name: String, _ value: String) -> String {
    "  \(style.paint(name, .dim))" + String(repeating: " ", count: max(1, 14 - name.count)) + value
  }

  private func note(_ text: String) -> String { "           " + style.paint(text, .dim) }

  /// Totals, a line each.
  private func wrapped(_ totals: String) -> [String] {
    totals.split(separator: ";").map { harmless(String($0.drop { $0 == " " }), unicode: style.unicode) }
  }

  private func place(_ statement: StatementReference?) -> String? {
    guard let statement else { return nil }
    let clause = statement.clause.map { " [\(harmless($0, unicode: style.unicode))]" } ?? ""
    let place = statement.form == .builtIn ? "built in" : harmless(statement.place, unicode: style.unicode)
    return style.paint(place + clause, .blue)
  }

  /// Text of a policy's or a request's, on one line and not too long.
  private func shown(_ text: String) -> String {
    let words = text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    let cut = words.count > 120 ? words.prefix(119) + style.glyph("…", "...") : words[...]
    return harmless(String(cut), unicode: style.unicode)
  }
}
