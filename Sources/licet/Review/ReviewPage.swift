// A review as one HTML page that needs nothing else: charts are inline SVG, there is no script, colours follow the reader's
// light or dark, and it prints.

import Consultation
import PolicyImage
import PolicyLanguage

struct ReviewPage {
  let review: Review

  init(_ review: Review) { self.review = review }

  var text: String {
    let title = "What two newspapers would print about \(review.platform)"
    return """
      <!doctype html>
      <html lang="en">
      <head>
      <meta charset="utf-8">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <meta name="color-scheme" content="light dark">
      <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
      <title>\(escaped(title))</title>
      <style>\(Self.style)</style>
      </head>
      <body>
      <header>
      <h1>\(escaped(title))</h1>
      <p class="lead">Both errors count: harm where something is allowed, and benefit that people go without where it is
      denied or asked about. What is weighed is decided by statements that always hold; those under a condition are
      listed.</p>
      </header>
      <main>
      \(overview)
      \(review.parties.map(section).joined(separator: "\n"))
      \(panel)
      </main>
      <footer><p>\(unweighed)</p></footer>
      </body>
      </html>

      """
  }

  private var unweighed: String {
    review.unweighed == 0
      ? "" : "\(DiagnosticsText.count(review.unweighed, "behaviour")) without a population can’t be weighed."
  }

  // MARK: all parties side by side

  /// Two bars a party, from a common middle: harm to the left, lost benefit to the right, each per 1000 who ask.
  private var overview: String {
    let rows = review.parties.map { party in
      (
        name: ReviewWords.party(party), harm: party.all.reduce(0.0) { $0 + $1.perThousand($1.harm) },
        loss: party.all.reduce(0.0) { $0 + $1.perThousand($1.loss) }
      )
    }
    let most = max(rows.map { max($0.harm, $0.loss) }.max() ?? 0, 1)
    let (rowHeight, side, labels) = (26.0, 230.0, 170.0)
    let middle = labels + 60 + side
    let height = Double(rows.count) * rowHeight + 26
    var marks = """
      <text x="\(fixed(middle - 8))" y="14" class="axis" text-anchor="end">expected harm</text>
      <text x="\(fixed(middle + 8))" y="14" class="axis">benefit lost</text>
      """
    for (i, row) in rows.enumerated() {
      let y = 26 + Double(i) * rowHeight
      let (left, right) = (row.harm / most * side, row.loss / most * side)
      marks += """
        <text x="\(fixed(labels))" y="\(fixed(y + 14))" text-anchor="end">\(escaped(shortened(row.name, 24)))</text>
        <rect class="harm" x="\(fixed(middle - left))" y="\(fixed(y + 2))" width="\(fixed(left))" height="17" rx="2"/>
        <text class="value" x="\(fixed(middle - left - 6))" y="\(fixed(y + 15))" text-anchor="end">\(rounded(row.harm))</text>
        <rect class="loss" x="\(fixed(middle))" y="\(fixed(y + 2))" width="\(fixed(right))" height="17" rx="2"/>
        <text class="value" x="\(fixed(middle + right + 6))" y="\(fixed(y + 15))">\(rounded(row.loss))</text>
        """
    }
    marks += """
      <line class="rule" x1="\(fixed(middle))" y1="22" x2="\(fixed(middle))" y2="\(fixed(height))"/>
      """
    return """
      <section class="overview"><h2>Side by side, per 1000 who ask</h2>
      <div class="wide"><svg viewBox="0 0 \(fixed(middle + side + 60)) \(fixed(height))" role="img" aria-label="Expected harm and benefit lost by operator">
      \(marks)
      </svg></div></section>
      """
  }

  // MARK: one party

  private func section(_ party: ReviewedParty) -> String {
    """
    <section><h2>\(escaped(ReviewWords.party(party)))</h2>
    <div class="papers">
    \(paper(ReviewWords.harmTitle, party.harms, ReviewWords.nothing(party), "harm", "expected harm", \.harm) { $0.harm })
    \(paper(ReviewWords.lossTitle, party.losses, ReviewWords.nothing(party), "loss", "benefit lost", \.loss) { $0.loss })
    </div>\(ReviewWords.unchanged(party).map { "<p class=\"unchanged\">\(escaped($0))</p>" } ?? "")</section>
    """
  }

  private func paper(
    _ title: String, _ findings: [Finding], _ none: String, _ kind: String, _ lead: String, _ sum: (Finding) -> Int128,
    _ share: (ReviewedGroup) -> Int128
  ) -> String {
    // One scale for the whole paper, so that stories compare.
    let most = findings.flatMap { $0.groups.map { share($0).magnitude } }.max() ?? 1
    let stories = findings.map { finding in
      """
      <article><h4>\(escaped(finding.title ?? finding.behavior))</h4>
      <p class="what"><code>\(escaped(finding.behavior))</code> <span class="effect \(finding.effect.name)">\(escaped(finding.inForce))</span></p>
      <p class="weight \(kind)"><b>\(ReviewWords.number(sum(finding)))</b> \(lead), of \(escaped(ReviewWords.people(finding)))</p>
      \(bars(finding, kind, most, share))
      <p>\(escaped(Self.capitalized(ReviewWords.reason(finding)))).</p>
      <p class="place">\(escaped(ReviewWords.place(finding)))</p>
      \(responses(finding))
      \(conditional(finding))
      </article>
      """
    }
    let body = stories.isEmpty ? "<p class=\"nothing\">\(none)</p>" : stories.joined(separator: "\n")
    return "<div class=\"paper \(kind)\"><h3>\(title)</h3>\n\(body)\n</div>"
  }

  /// A bar for each group that has a share.
  private func bars(
    _ finding: Finding, _ kind: String, _ most: UInt128, _ share: (ReviewedGroup) -> Int128
  ) -> String {
    let groups = finding.groups.map { ($0, share($0)) }.filter { $0.1 != 0 }
      .sorted { $0.1.magnitude > $1.1.magnitude }
    let rows = groups.enumerated().map { i, entry in
      let (group, sum) = entry
      let width = Double(sum.magnitude) / Double(most) * 130
      let y = Double(i) * 24
      let each = kind == "harm" ? group.payoff : group.best - group.payoff
      return """
        <text x="0" y="\(fixed(y + 15))">\(escaped(shortened(group.name, 16)))</text>
        <text class="value" x="196" y="\(fixed(y + 15))" text-anchor="end">\(group.count) × \(ReviewWords.number(each))</text>
        <rect class="\(kind)" x="206" y="\(fixed(y + 4))" width="\(fixed(max(width, 1)))" height="14" rx="2"/>
        <text class="value" x="\(fixed(212 + max(width, 1)))" y="\(fixed(y + 15))">\(ReviewWords.number(kind == "harm" ? -sum : sum))</text>
        """
    }
    return """
      <svg viewBox="0 0 420 \(fixed(Double(groups.count) * 24))" role="img" aria-label="\(kind == "harm" ? "Harm" : "Benefit lost") by group">
      \(rows.joined(separator: "\n"))
      </svg>
      """
  }

  private func responses(_ finding: Finding) -> String {
    let rows = finding.responses.map { one in
      let isInForce = one.response == finding.response?.response
      let note = one.violated.isEmpty ? "" : "beyond the bound of \(one.violated.joined(separator: ", "))"
      return """
        <tr\(isInForce ? " class=\"now\"" : "")><td>\(escaped(one.response.title))\(isInForce ? " <i>in force</i>" : "")</td>\
        <td class="number">\(ReviewWords.number(one.total))</td><td>\(escaped(note))</td></tr>
        """
    }
    return """
      <details><summary>Every response and its total</summary>
      <table>\(rows.joined(separator: "\n"))</table></details>
      """
  }

  private func conditional(_ finding: Finding) -> String {
    guard !finding.conditional.isEmpty else { return "" }
    let items = finding.conditional.map { "<li>\(escaped($0))</li>" }.joined(separator: "\n")
    return """
      <details><summary>\(DiagnosticsText.count(finding.conditional.count, "statement")) under a condition</summary>
      <ul>\(items)</ul></details>
      """
  }

  // MARK: the panel

  private var panel: String {
    guard !review.panel.isEmpty else { return "" }
    let rows = review.panel.sorted { ($0.error == nil ? 1 : 0) < ($1.error == nil ? 1 : 0) }.map { result in
      let scenario = result.scenario
      let verdict = result.error.map(ReviewWords.error) ?? "fine"
      return """
        <tr><td><span class="verdict \(result.error?.rawValue ?? "fine")">\(verdict)</span></td>
        <td><b>\(escaped(scenario.name))</b>\(scenario.note.map { "<br>\(escaped($0))" } ?? "")</td>
        <td>\(escaped(scenario.form.operatorName ?? ""))</td>
        <td>\(escaped(result.decision))<br><span class="place">\(escaped("\(scenario.location.file):\(scenario.location.line)"))</span></td></tr>
        """
    }
    return """
      <section><h2>The panel</h2><p>\(escaped(ReviewWords.panel(review)))</p>
      <div class="wide"><table class="panel"><thead><tr><th>Verdict</th><th>Scenario</th><th>Operator</th><th>Decision</th></tr></thead>
      <tbody>\(rows.joined(separator: "\n"))</tbody></table></div></section>
      """
  }

  // MARK: pieces

  /// Text as HTML shows it, what moves the cursor or hides itself made visible.
  private func escaped(_ text: String) -> String {
    var out = ""
    for character in harmless(text).unicodeScalars {
      switch character {
      case "&": out += "&amp;"
      case "<": out += "&lt;"
      case ">": out += "&gt;"
      case "\"": out += "&quot;"
      case "'": out += "&#39;"
      default: out.unicodeScalars.append(character)
      }
    }
    return out
  }

  private static func capitalized(_ text: String) -> String { text.prefix(1).uppercased() + text.dropFirst() }

  private func shortened(_ text: String, _ length: Int) -> String {
    text.count > length ? text.prefix(length - 1) + "…" : text
  }

  /// One decimal place at most, for coordinates.
  private func fixed(_ number: Double) -> String { "\((number * 10).rounded() / 10)" }

  private func rounded(_ number: Double) -> String {
    let tenths = (number * 10).rounded() / 10
    return tenths == tenths.rounded() && tenths.magnitude < 1e15 ? "\(Int64(tenths))" : "\(tenths)"
  }

  private static let style = """

    :root { --ink: #1d1d1f; --dim: #6b6b70; --paper: #fdfcf9; --card: #ffffff; --line: #dcd9d2; --harm: #b3261e; --loss: #9a6700; --good: #1a7f37; }
    @media (prefers-color-scheme: dark) {
      :root { --ink: #ececec; --dim: #a0a0a6; --paper: #17181a; --card: #202225; --line: #3a3d42; --harm: #ff8a80; --loss: #e3b341; --good: #56d364; }
    }
    * { box-sizing: border-box; }
    body { margin: 0 auto; max-width: 70rem; padding: 1.5rem; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
    h1 { font: 700 1.9rem/1.2 Georgia, serif; margin: 0 0 .4rem; }
    h2 { font: 700 1.3rem/1.3 Georgia, serif; margin: 2.2rem 0 .8rem; border-bottom: 2px solid var(--line); overflow-wrap: anywhere; }
    h3 { font: italic 1rem/1.4 Georgia, serif; margin: 0 0 .6rem; color: var(--dim); }
    h4 { font: 700 1.1rem/1.3 Georgia, serif; margin: 0; overflow-wrap: anywhere; }
    p { margin: .3rem 0; overflow-wrap: anywhere; }
    .lead { max-width: 45rem; color: var(--dim); }
    .papers { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(22rem, 100%), 1fr)); gap: 1rem; align-items: start; }
    .paper { background: var(--card); border: 1px solid var(--line); border-top: 4px solid; border-radius: 4px; padding: .9rem 1rem; min-width: 0; }
    .paper.harm { border-top-color: var(--harm); } .paper.loss { border-top-color: var(--loss); }
    article + article { border-top: 1px solid var(--line); margin-top: .9rem; padding-top: .9rem; }
    .what { color: var(--dim); } .weight.harm b { color: var(--harm); } .weight.loss b { color: var(--loss); }
    .effect { font-weight: 600; } .effect.allow { color: var(--good); } .effect.ask { color: var(--loss); } .effect.deny { color: var(--harm); }
    .place, .nothing, .unchanged { color: var(--dim); font-size: .85rem; }
    svg { display: block; width: 100%; height: auto; margin: .5rem 0; font: 13px system-ui, sans-serif; }
    .paper svg { max-width: 30rem; } .overview svg { max-width: 52rem; min-width: 34rem; } .wide { overflow-x: auto; }
    svg text { fill: var(--ink); } svg text.axis, svg text.value { fill: var(--dim); font-size: 12px; }
    svg rect.harm { fill: var(--harm); } svg rect.loss { fill: var(--loss); } svg line.rule { stroke: var(--line); }
    details { margin: .4rem 0; font-size: .9rem; } summary { cursor: pointer; color: var(--dim); }
    ul { margin: .3rem 0; padding-left: 1.2rem; overflow-wrap: anywhere; }
    table { border-collapse: collapse; width: 100%; font-size: .9rem; }
    td, th { text-align: left; vertical-align: top; padding: .25rem .6rem .25rem 0; border-bottom: 1px solid var(--line); overflow-wrap: anywhere; }
    .number { text-align: right; font-variant-numeric: tabular-nums; } tr.now { font-weight: 600; } tr.now i { font-weight: 400; color: var(--dim); }
    .verdict { font-weight: 700; white-space: nowrap; } .verdict.harmful, .verdict.refused { color: var(--harm); } .verdict.preachy { color: var(--loss); } .verdict.fine { color: var(--good); }
    footer { color: var(--dim); margin-top: 2rem; }
    @media print {
      :root { --ink: #000; --dim: #444; --paper: #fff; --card: #fff; --line: #bbb; --harm: #a00; --loss: #850; --good: #060; }
      body { font-size: 11pt; max-width: none; padding: 0; } article, tr, svg { break-inside: avoid; }
      .papers { display: block; } .paper { margin-bottom: 1rem; }
      details::details-content { content-visibility: visible; block-size: auto; } summary { list-style: none; }
      rect { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
    }

    """
}
