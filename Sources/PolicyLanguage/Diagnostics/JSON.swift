// Diagnostics for programs: JSON (RFC 8259). A writer of our own, because this module is without Foundation.

/// `diagnostics` as a JSON array; each has `code`, `severity`, `file`, `line`, `column`, `length`, `message` and,
/// where given, `hint` and `related` (`file`, `line`, `column`, `message`).
public func json(_ diagnostics: [Diagnostic]) -> String {
  "[" + diagnostics.map(json).joined(separator: ",\n ") + "]"
}

/// One diagnostic as a JSON object on one line.
public func json(_ diagnostic: Diagnostic) -> String {
  var fields: [(String, JSONValue)] = [
    ("code", .string(diagnostic.code.rawValue)), ("severity", .string(diagnostic.severity.rawValue)),
  ]
  fields += place(diagnostic.location)
  fields += [("length", .int(diagnostic.length)), ("message", .string(diagnostic.message))]
  if let hint = diagnostic.hint { fields.append(("hint", .string(hint))) }
  if let related = diagnostic.related {
    fields.append(("related", .object(place(related.location) + [("message", .string(related.message))])))
  }
  return JSONValue.object(fields).text()
}

private func place(_ location: Location) -> [(String, JSONValue)] {
  [("file", .string(location.file)), ("line", .int(location.line)), ("column", .int(location.column))]
}

/// A JSON value whose objects keep the order of their keys.
indirect enum JSONValue {
  case bool(Bool)
  case int(Int)
  case number(Double)
  case string(String)
  case array([JSONValue])
  case object([(String, JSONValue)])

  /// On one line.
  func text() -> String {
    switch self {
    case .bool(let value): value ? "true" : "false"
    case .int(let value): String(value)
    case .number(let value): String(value)
    case .string(let value): Self.quote(value)
    case .array(let items): "[" + items.map { $0.text() }.joined(separator: ", ") + "]"
    case .object(let fields):
      "{" + fields.map { "\(Self.quote($0.0)): \($0.1.text())" }.joined(separator: ", ") + "}"
    }
  }

  /// Over several lines, indented.
  func indented(_ indentation: String = "") -> String {
    let inner = indentation + "  "
    switch self {
    case .array(let items) where items.contains { $0.isCollection }:
      return "[\n" + items.map { inner + $0.indented(inner) }.joined(separator: ",\n") + "\n\(indentation)]"
    case .object(let fields) where !fields.isEmpty:
      return "{\n" + fields.map { "\(inner)\(Self.quote($0.0)): \($0.1.indented(inner))" }.joined(separator: ",\n")
        + "\n\(indentation)}"
    default: return text()
    }
  }

  private var isCollection: Bool {
    switch self {
    case .array, .object: true
    default: false
    }
  }

  static func quote(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      case "\t": result += "\\t"
      case "\r": result += "\\r"
      case _ where Renderer.isControl(scalar) || scalar == "\u{2028}" || scalar == "\u{2029}":
        let digits = String(scalar.value, radix: 16)
        result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }
}
