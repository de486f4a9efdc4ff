// What is to be seen of a session, for people and for programs.

import Foundation

struct SessionPage {
  let id: String
  let properties: JSON

  init(path: String, _ properties: JSON) {
    id = String(path.suffix(32))
    self.properties = properties
  }

  /// nil: it is a root.
  var parent: String? {
    guard let path = properties["Parent"]?.text, path.count > 1 else { return nil }
    return String(path.suffix(32))
  }

  private var isHalted: Bool { properties["Halted"]?.isTrue ?? false }
  private var halts: [String] { (properties["Halts"]?.items ?? []).compactMap { $0["kind"]?.text } }

  private func number(_ key: String) -> Double? {
    switch properties[key] {
    case .double(let number) where number.isFinite: number
    case .int(let number): Double(number)
    default: nil
    }
  }

  var json: JSON {
    .fields([
      "session": .string(id), "operator": properties["Operator"], "user": properties["User"],
      "parent": parent.map(JSON.string), "dial": properties["Dial"], "spent": properties["Spent"],
      "cost": number("Cost") == nil ? nil : properties["Cost"],
      "expires": (properties["Expires"]?.number ?? -1) < 0 ? nil : properties["Expires"],
      "suspicion": properties["Suspicion"], "halted": properties["Halted"], "halts": properties["Halts"],
      "terms": properties["Terms"],
    ])
  }

  private var state: String { isHalted ? (halts.first ?? "halted") : "running" }

  private var spending: String {
    let spent = Self.text(number("Spent") ?? 0)
    return number("Cost").map { "\(spent) of \(Self.text($0))" } ?? spent
  }

  /// Without a fraction that is none.
  private static func text(_ number: Double) -> String {
    number == number.rounded() && abs(number) < 1e15 ? String(Int64(number)) : "\(number)"
  }

  private var left: String? {
    guard let expires = properties["Expires"]?.number, expires >= 0 else { return nil }
    let seconds = expires - Int64(Date().timeIntervalSince1970)
    if seconds <= 0 { return "over" }
    if seconds < 120 { return "\(seconds) s" }
    return seconds < 7200 ? "\(seconds / 60) min" : seconds < 172_800 ? "\(seconds / 3600) h" : "\(seconds / 86_400) d"
  }

  private func name(_ style: Style) -> String { harmless(properties["Operator"]?.text ?? "", unicode: style.unicode) }

  func page(_ style: Style) -> String {
    func shown(_ text: String) -> String { harmless(text, unicode: style.unicode) }
    var lines = ["\(style.paint(id, .bold))  \(style.paint(state, isHalted ? .yellow : .green))"]
    func field(_ name: String, _ value: String?) {
      guard let value, !value.isEmpty else { return }
      lines.append("  \(style.paint(name, .dim))" + String(repeating: " ", count: max(1, 14 - name.count)) + value)
    }
    field("operator", name(style))
    field("opened by", properties["User"]?.number.map { "user \($0)" })
    field("delegated by", parent)
    field("dial", number("Dial").map { "\($0)" })
    field("spent", spending)
    field("time left", left)
    if let level = number("Suspicion"), level > 0 { field("suspicion", "\(level) attempts at what is off absolutely") }
    field("halted by", halts.joined(separator: ", "))
    if case .object(let terms) = properties["Terms"] {
      for term in terms where term.key != "dial" { field(term.key, shown(Self.words(term.value))) }
    }
    return lines.joined(separator: "\n") + "\n"
  }

  private static func words(_ value: JSON) -> String {
    switch value {
    case .string(let text): text
    case .array(let items) where items.isEmpty: "none"
    case .array(let items): items.map(words).joined(separator: ", ")
    case .object(let members): members.map { "\($0.key)=\(words($0.value))" }.joined(separator: ", ")
    default: value.compact
    }
  }

  /// A line each, what was delegated below what delegated it.
  static func table(_ sessions: [SessionPage], of all: Int, _ style: Style) -> String {
    guard !sessions.isEmpty else { return "there are no sessions\n" }
    var below: [String: [SessionPage]] = [:]
    let known = Set(sessions.map(\.id))
    var waiting: [(page: SessionPage, depth: Int)] = []
    for one in sessions.sorted(by: { $0.id > $1.id }) {
      if let parent = one.parent, known.contains(parent) {
        below[parent, default: []].append(one)
      } else {
        waiting.append((one, 0))
      }
    }
    let width = min(32, sessions.map { $0.name(style).count }.max() ?? 0)
    var lines: [String] = []
    while let (one, depth) = waiting.popLast() {
      waiting += (below[one.id] ?? []).map { ($0, depth + 1) }
      let name = one.name(style)
      let lead = String(repeating: " ", count: min(depth, 8) * 2)
      let facts = [
        "dial \(one.number("Dial").map { "\($0)" } ?? "?")", "spent \(one.spending)", one.left.map { "\($0) left" },
      ].compactMap(\.self).joined(separator: ", ")
      lines.append(
        "\(one.id)  \(lead)\(name)" + String(repeating: " ", count: max(0, width - name.count)) + "  "
          + style.paint(one.state, one.isHalted ? .yellow : .green) + style.paint("  \(facts)", .dim))
    }
    if all > sessions.count { lines.append("and \(all - sessions.count) more") }
    return lines.joined(separator: "\n") + "\n"
  }
}
