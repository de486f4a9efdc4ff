// `licet status` for people.

import Foundation

extension StatusReport {
  func page(_ style: Style) -> String {
    func shown(_ text: String) -> String { harmless(text, unicode: style.unicode) }
    let mark =
      isHealthy
      ? style.paint(style.glyph("●", "*") + " well", .bold, .green)
      : style.paint(style.glyph("●", "*") + " needs you", .bold, .yellow)
    var lines = ["\(mark)  licetd \(shown(properties["Version"]?.text ?? "?"))" + since(style)]
    for complaint in complaints { lines.append("  \(style.paint("!", .yellow)) \(shown(complaint))") }
    func field(_ name: String, _ value: String?) {
      guard let value, !value.isEmpty else { return }
      lines.append("  \(style.paint(name, .dim))" + String(repeating: " ", count: max(1, 12 - name.count)) + value)
    }
    field("generation", properties["Generation"]?.number.map(String.init))
    field("digest", (properties["PolicyDigest"]?.text).map { shown(String($0.prefix(16))) })
    field("platform", (admin?["platform"]?.text).map(shown))
    field("policy", admin?["policy"]?.texts.map(shown).joined(separator: " < "))
    field("compiler", (admin?["compiler"]?.text).map(shown))
    field(
      "overdue",
      (admin?["overdue-periods"]?.texts).map {
        $0.isEmpty ? "" : "the review of \($0.map(shown).joined(separator: ", "))"
      })
    field("counters", counters(style))
    if admin?["held"]?.isTrue == true { field("held", "changes of files wait for a reload") }
    field("memory", admin?["memory"]?.number.map { "\(($0 + (1 << 19)) >> 20) MiB" })
    field(
      "decisions", admin?["decisions"]?.number.map { "\($0) here, \(admin?["refused"]?.number ?? 0) refused early" })
    field(
      "attached",
      admin?["attached"]?.number.map {
        "\($0) \($0 == 1 ? "process" : "processes"), \(admin?["asserted"]?.number ?? 0) decisions there"
      })
    field("sessions", admin?["sessions"]?.number.map { $0 == 0 ? "" : "\($0)" })
    field("suspect", admin?["suspect"]?.texts.map(shown).joined(separator: ", "))
    lines += rows(style)
    if admin == nil {
      lines += ["", "  " + style.paint("An administrator sees more: sudo licet status", .dim)]
    }
    if !diagnostics.isEmpty { lines += ["", diagnostics.page(style)] }
    return lines.joined(separator: "\n") + (diagnostics.isEmpty ? "\n" : "")
  }

  /// What each counter holds, and what they take of what they may.
  private func counters(_ style: Style) -> String? {
    guard let all = admin?["counters"]?.items, !all.isEmpty else { return nil }
    let each = all.map { one in
      let keys = one["keys"]?.number ?? 0
      let note = one["complete"]?.isTrue == false ? " (not all known)" : ""
      return "\(harmless(one["name"]?.text ?? "", unicode: style.unicode)) of \(keys)\(note)"
    }
    let bytes = Double(admin?["counter-bytes"]?.number ?? 0) / Double(max(1, admin?["counter-limit"]?.number ?? 1))
    return each.joined(separator: ", ") + "; \((bytes * 1000).rounded() / 10) % full"
  }

  private func since(_ style: Style) -> String {
    guard let seconds = admin?["since"]?.number, seconds > 0 else { return "" }
    return style.paint("  since \(Self.time(seconds))", .dim)
  }

  private func rows(_ style: Style) -> [String] {
    guard !operators.isEmpty else { return ["  " + style.paint("operators", .dim) + "   none"] }
    let width = operators.map(\.name.count).max() ?? 0
    return operators.enumerated().map { index, row in
      let lead = index == 0 ? style.paint("operators", .dim) + "   " : String(repeating: " ", count: 12)
      let isStopped = stopped.contains(row.name) || isStoppedAll
      let state = isStopped ? "stopped" : row.state ?? ""
      let ink: Style.Ink = state == "in-force" || state == "running" ? .green : .yellow
      let name = harmless(row.name, unicode: style.unicode)
      let padding = String(repeating: " ", count: max(0, width - row.name.count))
      var text = "  \(lead)\(name)"
      if !state.isEmpty { text += "\(padding)  \(style.paint(harmless(state, unicode: style.unicode), ink))" }
      if let generation = row.generation, generation > 0 {
        text += style.paint("  since generation \(generation)", .dim)
      }
      return text
    }
  }

  /// Seconds since 1970 as the reader's own clock shows them.
  static func time(_ seconds: Int64) -> String {
    let format = DateFormatter()
    format.locale = Locale(identifier: "en_US_POSIX")
    format.dateFormat = "yyyy-MM-dd HH:mm:ss"
    return format.string(from: Date(timeIntervalSince1970: TimeInterval(seconds)))
  }
}
