// What the daemon found wrong with policies: records as the bus carries them, for people with a caret, for programs
// as `licet validate --json` writes them.

import PolicyLanguage

struct DaemonDiagnostic: Equatable {
  /// Empty: the platform.
  var operatorName: String
  var code: String
  var severity: Diagnostic.Severity
  var location: Location
  var length: Int
  var message: String
  var hint: String?
  /// The line of the file.
  var text: String?

  init(_ wire: JSON) {
    func text(_ key: String) -> String { wire[key]?.text ?? "" }
    func number(_ key: String) -> Int { Int(clamping: wire[key]?.number ?? 0) }
    operatorName = text("operator")
    code = text("code")
    severity = text("severity") == "warning" ? .warning : .error
    location = Location(file: text("file"), line: number("line"), column: number("column"))
    length = max(1, number("length"))
    message = text("message")
    hint = text("hint").isEmpty ? nil : text("hint")
    self.text = text("text").isEmpty ? nil : text("text")
  }

  static func list(_ wire: JSON?) -> [DaemonDiagnostic] { (wire?.items ?? []).map(DaemonDiagnostic.init) }

  var isError: Bool { severity == .error }

  var json: JSON {
    .fields([
      "operator": .string(operatorName), "code": .string(code), "severity": .string(severity.rawValue),
      "file": .string(location.file), "line": .int(Int64(location.line)), "column": .int(Int64(location.column)),
      "length": .int(Int64(length)), "message": .string(message), "hint": hint.map(JSON.string),
      "text": text.map(JSON.string),
    ])
  }

  /// As the compiler of policies shows it; ends with a line feed. Without a UTF-8 locale beyond ASCII is escaped.
  func page(_ style: Style) -> String {
    let page = Renderer.render(
      code: code, severity: severity, message: message, at: location, length: length, hint: hint, line: text,
      isColored: style.color)
    guard !style.unicode else { return page }
    return page.split(separator: "\n", omittingEmptySubsequences: false).map { line in
      line.split(separator: "\u{1B}", omittingEmptySubsequences: false).map { harmless(String($0), unicode: false) }
        .joined(separator: "\u{1B}")
    }.joined(separator: "\n")
  }
}

extension [DaemonDiagnostic] {
  var errors: [DaemonDiagnostic] { filter(\.isError) }

  func page(_ style: Style) -> String { map { $0.page(style) }.joined(separator: "\n") }

  /// "2 errors, 1 warning".
  var counted: String {
    let parts = [(errors.count, "error"), (count - errors.count, "warning")].filter { $0.0 > 0 }
    return parts.map { DiagnosticsText.count($0.0, $0.1) }.joined(separator: ", ")
  }
}
