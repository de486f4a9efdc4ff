// A request's JSON -> values of the types that the platform declares: the one place where a JSON value becomes an
// integer, a timestamp or an enumeration's member. What doesn't fit is an error that says where, never a guess.

import Foundation
import Consultation
import Offline
import PolicyLanguage

extension RequestValue {
  /// `json` as a value of `type`; `at` is its path in the request.
  init(_ json: JSON, as type: AttributeType, at: String) throws(CommandError) {
    switch (type, json) {
    case (.dyn, _): self = RequestValue(untyped: json)
    case (.bool, .bool(let value)): self = .bool(value)
    case (.int, .int(let value)): self = .int(value)
    case (.uint, .int(let value)) where value >= 0: self = .uint(UInt64(value))
    case (.uint, .uint(let value)): self = .uint(value)
    case (.double, .double(let value)): self = .double(value)
    case (.double, .int(let value)): self = .double(Double(value))
    case (.double, .uint(let value)): self = .double(Double(value))
    case (.string, .string(let text)): self = .string(text)
    case (.enumeration(let values), .string(let text)):
      guard values.contains(where: { $0.utf8.elementsEqual(text.utf8) }) else {
        throw RequestValue.noMember(text, of: values, at: at)
      }
      self = .string(text)
    case (.bytes, .string(let text)):
      guard let data = Data(base64Encoded: text) else { throw RequestValue.malformed("base64", text, at) }
      self = .bytes(Array(data))
    case (.timestamp, .string(let text)):
      guard let value = Instant(timestamp: text) else {
        throw RequestValue.malformed("an RFC 3339 timestamp", text, at)
      }
      self = .timestamp(seconds: value.seconds, nanoseconds: value.nanoseconds)
    case (.duration, .string(let text)):
      guard let value = Instant(duration: text) else {
        throw RequestValue.malformed("a duration such as \"1.5s\"", text, at)
      }
      self = .duration(seconds: value.seconds, nanoseconds: value.nanoseconds)
    case (.list(let element), .array(let items)):
      var values: [RequestValue] = []
      for (index, item) in items.enumerated() {
        values.append(try RequestValue(item, as: element, at: "\(at)[\(index)]"))
      }
      self = .list(values)
    case (.map(let key, let value), .object(let members)):
      var entries: [Entry] = []
      for member in members {
        let path = "\(at).\(harmless(member.key))"
        entries.append(
          Entry(
            key: try RequestValue(key: member.key, as: key, at: path),
            value: try RequestValue(member.value, as: value, at: path)))
      }
      self = .map(entries)
    default:
      throw wrongType(type.phrase, json, at, hint: json == .null ? "leave out an attribute that isn't known" : nil)
    }
  }

  /// JSON as CEL maps it: whole numbers are int, or uint beyond its range; objects are maps with string keys.
  private init(untyped json: JSON) {
    switch json {
    case .null: self = .null
    case .bool(let value): self = .bool(value)
    case .int(let value): self = .int(value)
    case .uint(let value): self = .uint(value)
    case .double(let value): self = .double(value)
    case .string(let text): self = .string(text)
    case .array(let items): self = .list(items.map(RequestValue.init(untyped:)))
    case .object(let members):
      self = .map(members.map { Entry(key: .string($0.key), value: RequestValue(untyped: $0.value)) })
    }
  }

  /// JSON's keys are strings; a map's may be numbers or bools written in one.
  private init(key: String, as type: AttributeType, at: String) throws(CommandError) {
    switch type {
    case .int:
      guard let value = Int64(key) else { throw RequestValue.malformed("an integer as a key", key, at) }
      self = .int(value)
    case .uint:
      guard let value = UInt64(key) else { throw RequestValue.malformed("a key of at least 0", key, at) }
      self = .uint(value)
    case .bool:
      guard key == "true" || key == "false" else { throw RequestValue.malformed("true or false as a key", key, at) }
      self = .bool(key == "true")
    default: self = try RequestValue(.string(key), as: type, at: at)
    }
  }

  private static func malformed(_ wanted: String, _ text: String, _ at: String) -> CommandError {
    CommandError(.wrongType, "`\(harmless(text))` is not \(wanted)", at: at)
  }

  private static func noMember(_ text: String, of values: [String], at: String) -> CommandError {
    CommandError(
      .wrongType, "`\(harmless(text))` is none of \(values.joined(separator: ", "))", at: at,
      hint: suggestion(for: text, in: values))
  }
}

extension AttributeType {
  /// As policy files write it.
  var text: String {
    switch self {
    case .bool: "bool"
    case .int: "int"
    case .uint: "uint"
    case .double: "double"
    case .string: "string"
    case .bytes: "bytes"
    case .timestamp: "timestamp"
    case .duration: "duration"
    case .dyn: "dyn"
    case .enumeration(let values): "{enum: [\(values.joined(separator: ", "))]}"
    case .list(let element): "list<\(element.text)>"
    case .map(let key, let value): "map<\(key.text), \(value.text)>"
    }
  }

  /// For a sentence.
  fileprivate var phrase: String {
    switch self {
    case .bool: "a bool"
    case .int: "a whole number"
    case .uint: "a whole number of at least 0"
    case .double: "a number"
    case .string: "a string"
    case .bytes: "base64 in a string"
    case .timestamp: "a timestamp in a string"
    case .duration: "a duration in a string"
    case .dyn: "any value"
    case .enumeration(let values): "one of \(values.joined(separator: ", "))"
    case .list, .map: "a \(text)"
    }
  }
}

/// What `--set NAME=TEXT` gives: the text read as the declared type wants it, so that `user.age_verified=true` is a
/// bool and `user.id=true` a string.
func plainValue(_ json: JSON, as type: AttributeType) -> JSON {
  guard case .string(let text) = json else { return json }
  switch type {
  case .bool: return text == "true" ? .bool(true) : text == "false" ? .bool(false) : json
  case .int, .uint, .double, .list, .map: return (try? JSONParser.parse(text)) ?? json
  case .string, .enumeration, .bytes, .timestamp, .duration, .dyn: return json
  }
}
