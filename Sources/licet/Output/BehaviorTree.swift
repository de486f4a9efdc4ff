// The behaviours as a tree: in columns where there is room for titles beside them, else with the title below each.

import Consultation
import PolicyImage
import PolicyLanguage

struct BehaviorTree {
  let style: Style

  /// From this width on titles have a column of their own.
  private static let wide = 150

  private struct Line {
    var name: String
    var effect: String
    var stakes: String
    var may: String
    var title: String
    var clause: String?
    /// What the default carries, and why it was chosen.
    var notes: [String]
  }

  func page(_ list: BehaviorList) -> String {
    let names = Set(list.rows.map(\.name))
    let lines = list.rows.map {
      line($0, depth: BehaviorName.path(of: $0.name).dropFirst().count(where: names.contains))
    }
    let may = max(lines.map(\.may.count).max() ?? 0, 17)
    // A name for which there is no room has a line of its own.
    let room = style.width >= Self.wide ? 40 : style.width - 19 - may
    let name = min(lines.map(\.name.count).max() ?? 0, max(room, 20))
    var out: [String] = []
    if let platform = list.platform, let unknown = list.unknown {
      out += ["platform \(safe(platform)); what nobody declared: \(unknown.name)", ""]
    }
    if !lines.isEmpty {
      out.append(
        style.paint("\(pad("behaviour", name))  \(pad("default", 7))  \(pad("stakes", 6))  who may loosen it", .dim))
    }
    var group: Substring?
    for (line, row) in zip(lines, list.rows) {
      let root = row.name.prefix { $0 != "." }
      if group != nil, group != root { out.append("") }
      group = root
      out += text(line, name: name, may: may)
    }
    return out.map(trimmed).joined(separator: "\n") + "\n"
  }

  private func text(_ line: Line, name: Int, may: Int) -> [String] {
    let ink: Style.Ink = ["allow", "on"].contains(line.effect) ? .green : line.effect == "ask" ? .yellow : .red
    let effect = style.paint(line.effect, ink) + spaces(7 - line.effect.count)
    let columns = "\(effect)  \(pad(line.stakes, 6))  "
    var out: [String] = []
    if line.name.count > name { out.append(line.name) }
    let lead = line.name.count > name ? spaces(name) : pad(line.name, name)
    guard style.width >= Self.wide else {
      out.append("\(lead)  \(columns)\(line.may)")
      let indent = line.name.prefix { $0 == " " }.count + 2
      let about = about(line, width: style.width - indent)
      return out + (about + notes(line, width: style.width - indent)).map { spaces(indent) + $0 }
    }
    let left = name + 2 + 7 + 2 + 6 + 2 + may + 2
    let about = about(line, width: style.width - left) + notes(line, width: style.width - left)
    out.append("\(lead)  \(columns)\(pad(line.may, may))  \(about.first ?? "")")
    return out + about.dropFirst().map { spaces(left) + $0 }
  }

  /// Title and clause, the clause in the last line if it has room there.
  private func about(_ line: Line, width: Int) -> [String] {
    var out = line.title.isEmpty ? [] : style.wrapped(line.title, width: width)
    guard let clause = line.clause else { return out }
    let painted = style.paint(clause, .blue)
    if let last = out.last, last.count + 1 + clause.count <= width {
      out[out.count - 1] = "\(last) \(painted)"
    } else {
      out.append(painted)
    }
    return out
  }

  private func notes(_ line: Line, width: Int) -> [String] {
    line.notes.flatMap { style.wrapped($0, width: width) }.map { style.paint($0, .dim) }
  }

  /// Indented by how many of those that are listed it lies below, with the full name: one can search for it.
  private func line(_ row: BehaviorList.Row, depth: Int) -> Line {
    var notes: [String] = []
    if !row.choice.obligations.isEmpty { notes.append("with " + row.choice.obligations.joined(separator: ", ")) }
    if let totals = row.totals { notes.append("chosen for its population " + totals) }
    return Line(
      name: spaces(2 * depth) + row.name, effect: row.absolute.name ?? row.choice.default.name,
      stakes: row.absolute == .none ? stakes(row.stakes) : "", may: may(row), title: row.title.map(safe) ?? "",
      clause: row.clause.map { "[\(safe($0))]" }, notes: row.absolute == .none ? notes.map(safe) : [])
  }

  private func may(_ row: BehaviorList.Row) -> String {
    if row.absolute != .none { return "nobody: hard-coded" }
    let choice = row.choice
    let (operators, users) = (choice.operatorsMay > choice.default, choice.usersMay > choice.default)
    switch (operators, users) {
    case (true, true) where choice.operatorsMay == choice.usersMay:
      return "operators, users: \(choice.operatorsMay.name)"
    case (true, true): return "operators: \(choice.operatorsMay.name), users: \(choice.usersMay.name)"
    case (true, false): return "operators: \(choice.operatorsMay.name)"
    case (false, true): return "users: \(choice.usersMay.name)"
    case (false, false): return choice.default == .allow ? "" : "platform only"
    }
  }

  /// At most two places.
  private func stakes(_ stakes: Double) -> String {
    let hundredths = Int((stakes * 100).rounded())
    if hundredths % 100 == 0 { return "\(hundredths / 100)" }
    let digits = hundredths < 10 ? "0\(hundredths)" : "\(hundredths)"
    return "0." + (digits.hasSuffix("0") ? String(digits.dropLast()) : digits)
  }

  private func safe(_ text: String) -> String { harmless(text, unicode: style.unicode) }
  private func spaces(_ count: Int) -> String { String(repeating: " ", count: max(0, count)) }
  private func pad(_ text: String, _ width: Int) -> String { text + spaces(width - text.count) }
  private func trimmed(_ text: String) -> String {
    var text = text
    while text.last == " " { text.removeLast() }
    return text
  }
}
