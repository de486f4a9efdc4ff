// A review on a terminal: two tables for each party, then the panel.

import Consultation
import PolicyImage
import PolicyLanguage

struct ReviewText {
  let style: Style

  func page(_ review: Review) -> String {
    var lines = [style.paint("What two newspapers would print about \(safe(review.platform))", .bold)]
    for party in review.parties { lines += [""] + section(party) }
    if review.unweighed > 0 {
      lines += [""]
      lines += wrap(
        "\(DiagnosticsText.count(review.unweighed, "behaviour")) without a population can't be weighed.", indent: 0)
    }
    if !review.panel.isEmpty { lines += [""] + panel(review) }
    return lines.joined(separator: "\n") + "\n"
  }

  private func section(_ party: ReviewedParty) -> [String] {
    let name = safe(ReviewWords.party(party))
    var lines = [style.paint("\(name) \(rule(style.width - name.count - 1))", .bold)]
    let none = ReviewWords.nothing(party)
    lines += table(ReviewWords.harmTitle, party.harms, none, .red, sum: \.harm, lead: "expected harm", per: harms)
    lines += table(ReviewWords.lossTitle, party.losses, none, .yellow, sum: \.loss, lead: "benefit lost", per: losses)
    if let text = ReviewWords.unchanged(party) { lines += [""] + wrap(text, indent: 2).map { style.paint($0, .dim) } }
    return lines
  }

  private func rule(_ width: Int) -> String {
    String(repeating: style.glyph("─", "-"), count: max(3, width))
  }

  private func table(
    _ title: String, _ findings: [Finding], _ none: String, _ ink: Style.Ink, sum: (Finding) -> Int128, lead: String,
    per: (Finding) -> [(group: ReviewedGroup, each: Int128, sum: Int128)]
  ) -> [String] {
    var lines = ["", "  " + style.paint(title, ink)]
    if findings.isEmpty { return lines + ["    " + none] }
    // One scale for the whole table, so that stories compare.
    let longest = findings.flatMap(per).map(\.sum.magnitude).max() ?? 1
    for finding in findings {
      lines += heading(finding, "\(lead) \(ReviewWords.number(sum(finding)))", ink)
      lines += bars(per(finding), longest, ink)
      lines += wrap(ReviewWords.reason(finding), indent: 6)
      lines += wrap(ReviewWords.place(finding), indent: 6).map { style.paint($0, .dim) }
      lines += conditional(finding)
    }
    return lines
  }

  private func heading(_ finding: Finding, _ weight: String, _ ink: Style.Ink) -> [String] {
    let left = "\(safe(finding.behavior)): \(safe(finding.inForce))"
    let right = "\(weight) of \(ReviewWords.people(finding))"
    let gap = style.width - 4 - left.count - right.count
    let title = "    " + style.paint(left, .bold)
    if gap >= 2 { return [title + String(repeating: " ", count: gap) + style.paint(right, ink)] }
    return [title, "      " + style.paint(right, ink)]
  }

  private func harms(_ finding: Finding) -> [(group: ReviewedGroup, each: Int128, sum: Int128)] {
    finding.groups.filter { $0.harm > 0 }.sorted { $0.harm > $1.harm }.map { ($0, $0.payoff, -$0.harm) }
  }

  private func losses(_ finding: Finding) -> [(group: ReviewedGroup, each: Int128, sum: Int128)] {
    finding.groups.filter { $0.loss > 0 }.sorted { $0.loss > $1.loss }.map { ($0, $0.best - $0.payoff, $0.loss) }
  }

  /// "at-risk   30 × -4   -120 ▇▇▇▇", the longest bar as long as there is room.
  private func bars(
    _ groups: [(group: ReviewedGroup, each: Int128, sum: Int128)], _ longest: UInt128, _ ink: Style.Ink
  ) -> [String] {
    let names = groups.map { safe($0.group.name) }
    let terms = groups.map { "\($0.group.count) \(style.glyph("×", "x")) \(ReviewWords.number($0.each)) =" }
    let sums = groups.map { ReviewWords.number($0.sum) }
    let widths = [names, terms, sums].map { $0.map(\.count).max() ?? 0 }
    let room = style.width - 6 - widths.reduce(0, +) - 6
    return groups.indices.map { i in
      let share = Double(groups[i].sum.magnitude) / Double(longest)
      let bar =
        room < 4 ? "" : String(repeating: style.glyph("█", "#"), count: max(1, Int(share * Double(min(room, 40)))))
      return "      " + pad(names[i], widths[0]) + "  " + padLeft(terms[i], widths[1]) + " "
        + padLeft(sums[i], widths[2])
        + (bar.isEmpty ? "" : "  " + style.paint(bar, ink))
    }
  }

  private func conditional(_ finding: Finding) -> [String] {
    guard !finding.conditional.isEmpty else { return [] }
    let shown = finding.conditional.prefix(3).flatMap { wrap("under a condition: " + $0, indent: 6) }
    let rest = finding.conditional.count - 3
    return (shown + (rest > 0 ? wrap("and \(rest) more under conditions", indent: 6) : [])).map {
      style.paint($0, .dim)
    }
  }

  // MARK: the panel

  private func panel(_ review: Review) -> [String] {
    var lines = [style.paint("The panel: \(ReviewWords.panel(review))", .bold)]
    for result in review.panel {
      guard let error = result.error else { continue }
      let scenario = result.scenario
      let mark = style.paint("\(style.glyph("✗", "x")) \(ReviewWords.error(error))", error == .preachy ? .yellow : .red)
      lines += ["", "  \(mark)  \(style.paint(safe(scenario.name), .bold))"]
      lines += wrap(result.decision, indent: 6)
      if let note = scenario.note { lines += wrap("reviewer: " + note, indent: 6) }
      lines += wrap("\(scenario.location.file):\(scenario.location.line)", indent: 6).map { style.paint($0, .dim) }
    }
    return lines
  }

  // MARK: pieces

  private func safe(_ text: String) -> String { harmless(text, unicode: style.unicode) }

  private func pad(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - text.count))
  }
  private func padLeft(_ text: String, _ width: Int) -> String {
    String(repeating: " ", count: max(0, width - text.count)) + text
  }

  private func wrap(_ text: String, indent: Int) -> [String] {
    let lead = String(repeating: " ", count: indent)
    return style.wrapped(safe(text), width: style.width - indent).map { lead + $0 }
  }
}
