// A JSON value that keeps what a policy cares about: whether a number was written as an integer (Foundation's
// reader loses that), and the order of an object's keys, so that output is the same every time.

enum JSON: Equatable, Sendable {
  case null
  case bool(Bool)
  /// Written without fraction or exponent.
  case int(Int64)
  /// As `int`, but beyond Int64.
  case uint(UInt64)
  case double(Double)
  case string(String)
  case array([JSON])
  case object([Member])

  struct Member: Equatable, Sendable {
    var key: String
    var value: JSON
  }

  /// An object whose members stand as given; those that are nil are left out.
  static func fields(_ members: KeyValuePairs<String, JSON?>) -> JSON {
    .object(members.compactMap { key, value in value.map { Member(key: key, value: $0) } })
  }

  static func strings(_ texts: some Sequence<String>) -> JSON { .array(texts.map(JSON.string)) }

  static func optional(_ text: String?) -> JSON { text.map(JSON.string) ?? .null }

  subscript(key: String) -> JSON? {
    guard case .object(let members) = self else { return nil }
    return members.first { $0.key == key }?.value
  }

  /// What an error message calls a value like this.
  var kindName: String {
    switch self {
    case .null: "null"
    case .bool: "a bool"
    case .int, .uint: "an integer"
    case .double: "a number"
    case .string: "a string"
    case .array: "a list"
    case .object: "an object"
    }
  }
}

extension JSON {
  /// One line, as JSONL wants it.
  var compact: String {
    var out = ""
    write(to: &out, indent: nil, level: 0)
    return out
  }

  /// Indented by two, for people who pipe it into a pager.
  var pretty: String {
    var out = ""
    write(to: &out, indent: 2, level: 0)
    return out
  }

  private func write(to out: inout String, indent: Int?, level: Int) {
    switch self {
    case .null: out += "null"
    case .bool(let value): out += value ? "true" : "false"
    case .int(let value): out += String(value)
    case .uint(let value): out += String(value)
    case .double(let value): out += JSON.text(of: value)
    case .string(let value): JSON.quote(value, to: &out)
    case .array(let items):
      JSON.bracket("[", "]", count: items.count, to: &out, indent: indent, level: level) { out, index in
        items[index].write(to: &out, indent: indent, level: level + 1)
      }
    case .object(let members):
      JSON.bracket("{", "}", count: members.count, to: &out, indent: indent, level: level) { out, index in
        JSON.quote(members[index].key, to: &out)
        out += indent == nil ? ":" : ": "
        members[index].value.write(to: &out, indent: indent, level: level + 1)
      }
    }
  }

  private static func bracket(
    _ open: String, _ close: String, count: Int, to out: inout String, indent: Int?, level: Int,
    item: (inout String, Int) -> Void
  ) {
    out += open
    for index in 0..<count {
      if index > 0 { out += "," }
      newLine(&out, indent: indent, level: level + 1)
      item(&out, index)
    }
    if count > 0 { newLine(&out, indent: indent, level: level) }
    out += close
  }

  private static func newLine(_ out: inout String, indent: Int?, level: Int) {
    guard let indent else { return }
    out += "\n" + String(repeating: " ", count: indent * level)
  }

  /// A double always reads back as one: "3.0", never "3". What JSON has no number for is null.
  private static func text(of value: Double) -> String { value.isFinite ? "\(value)" : "null" }

  private static func quote(_ text: String, to out: inout String) {
    out += "\""
    defer { out += "\"" }
    if text.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7F && $0 != 0x22 && $0 != 0x5C }) {
      out += text
      return
    }
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": out += "\\\""
      case "\\": out += "\\\\"
      case "\n": out += "\\n"
      case "\r": out += "\\r"
      case "\t": out += "\\t"
      case _
      where scalar.value < 0x20 || scalar.value == 0x7F || (0x80...0x9F).contains(scalar.value)
        || scalar.value == 0x2028 || scalar.value == 0x2029:
        let digits = String(scalar.value, radix: 16)
        out += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: out.unicodeScalars.append(scalar)
      }
    }
  }
}
