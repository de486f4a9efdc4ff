// Sections of the Model Spec -> the text of a platform file.

extension ModelSpec {
  /// A platform file in which each section `x` is the behaviour `departs-from.x`: may the assistant depart from what
  /// that section asks? Nobody may at level root; the platform decides at system; operators may allow it at
  /// developer; users too at user and guideline. `source` is named in the first comment.
  static func policy(of sections: [ModelSpecSection], source: String) -> String {
    var lines = [
      "# Imported from \(singleLine(source)) by `licet import model-spec`: \(sections.count) sections.",
      "# May the assistant depart from what a section asks? Its level of authority says who can allow that.",
      "licet: 1",
      "layer: platform",
      "name: model-spec",
      "unknown: deny",
      "behaviors:",
      "  departs-from:",
      "    title: \(quoted("Depart from what the Model Spec asks"))",
      "    clause: \(quoted("MS"))",
      "    default: deny",
    ]
    for section in sections { lines += declaration(of: section) }
    return lines.joined(separator: "\n") + "\n"
  }

  private static func declaration(of section: ModelSpecSection) -> [String] {
    let tags = section.tags.isEmpty ? "" : "; tags: \(section.tags.joined(separator: ", "))"
    return [
      "  departs-from.\(section.anchor):  # \(section.authority.rawValue)\(singleLine(tags))",
      "    title: \(quoted(section.title))",
      "    clause: \(quoted("MS/\(section.anchor)"))",
    ] + fields(of: section.authority).map { "    " + $0 }
  }

  private static func fields(of authority: ModelSpecSection.Authority) -> [String] {
    switch authority {
    case .root: ["hardcoded: off"]
    case .system: ["default: deny"]
    case .developer: ["default: deny", "operators-may: allow"]
    case .user, .guideline: ["default: deny", "operators-may: allow", "users-may: allow"]
    }
  }

  /// A double-quoted YAML scalar. Letters and typographic marks stand as they are; what YAML gives a meaning to, or
  /// a terminal, is escaped.
  static func quoted(_ text: String) -> String {
    var out = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": out += "\\\""
      case "\\": out += "\\\\"
      case _ where isUnprintable(scalar):
        let digits = String(scalar.value, radix: 16, uppercase: true)
        out += "\\U" + String(repeating: "0", count: 8 - digits.count) + digits
      default: out.unicodeScalars.append(scalar)
      }
    }
    return out + "\""
  }

  private static func isUnprintable(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .surrogate, .unassigned: true
    default: false
    }
  }

  /// Text for a comment, which ends with its line.
  private static func singleLine(_ text: String) -> String {
    String(String.UnicodeScalarView(text.unicodeScalars.map { isUnprintable($0) ? " " : $0 }))
  }
}
