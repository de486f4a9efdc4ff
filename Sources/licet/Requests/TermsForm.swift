// JSON -> a session's terms, the root's level first: what a request is asked in where no daemon holds the session.

import Consultation
import Decision
import PolicyImage
import PolicyLanguage

enum TermsForm {
  static let keys = ["preferences", "caps", "behaviors", "resources", "dial"]
  /// Levels of one session.
  static let maximumDepth = 64

  static func levels(_ json: JSON, at: String) throws(CommandError) -> [SessionLevel] {
    guard case .array(let items) = json else {
      throw wrongType("a list of terms, the session's own first and then each delegate's", json, at)
    }
    guard items.count <= maximumDepth else {
      throw CommandError(.tooMany, "more than \(maximumDepth) levels", at: at)
    }
    var levels: [SessionLevel] = []
    for (index, item) in items.enumerated() { levels.append(try level(item, at: "\(at)[\(index)]")) }
    return levels
  }

  private static func level(_ json: JSON, at: String) throws(CommandError) -> SessionLevel {
    guard case .object(let members) = json else { throw wrongType("an object of terms", json, at) }
    var level = SessionLevel()
    for member in members {
      let at = "\(at).\(member.key)"
      switch member.key {
      case "preferences": level.preferences = try effects(member.value, at)
      case "caps": level.caps = try effects(member.value, at)
      case "behaviors": level.behaviors = Set(try names(member.value, at))
      case "resources":
        let texts = try texts(member.value, at)
        for text in texts where text.isEmpty || text.utf8.count > SessionLevel.patternBytes {
          throw CommandError(.badValue, "a pattern has 1 to \(SessionLevel.patternBytes) bytes", at: at)
        }
        guard Set(texts).count <= SessionLevel.patterns else {
          throw CommandError(.tooMany, "more than \(SessionLevel.patterns) patterns", at: at)
        }
        level.resources = Set(texts)
      case "dial": level.dial = try Degree(json: member.value, at: at)
      default:
        throw CommandError(
          .unknownKey, "terms have no key `\(harmless(member.key))`", at: at,
          hint: suggestion(for: member.key, in: keys) ?? "their keys are \(keys.joined(separator: ", "))")
      }
    }
    return level
  }

  private static func effects(_ json: JSON, _ at: String) throws(CommandError) -> [String: Effect] {
    guard case .object(let members) = json else { throw wrongType("an object of effects by behaviour", json, at) }
    var result: [String: Effect] = [:]
    for member in members {
      guard case .string(let text) = member.value else { throw wrongType("an effect", member.value, at) }
      result[try name(member.key, at)] = try Effect(named: text, at: "\(at).\(harmless(member.key))")
    }
    return result
  }

  private static func names(_ json: JSON, _ at: String) throws(CommandError) -> [String] {
    var result: [String] = []
    for text in try texts(json, at) { result.append(try name(text, at)) }
    return result
  }

  private static func name(_ text: String, _ at: String) throws(CommandError) -> String {
    guard BehaviorName.isValid(text) else {
      throw CommandError(
        .badName, "`\(harmless(text))` is no behaviour's name", at: at,
        hint: "a name is up to \(BehaviorName.maximumDepth) segments of a-z, 0-9, _ and -, joined by dots")
    }
    return text
  }

  private static func texts(_ json: JSON, _ at: String) throws(CommandError) -> [String] {
    guard case .array(let items) = json else { throw wrongType("a list of texts", json, at) }
    var result: [String] = []
    for (index, item) in items.enumerated() {
      guard case .string(let text) = item else { throw wrongType("a string", item, "\(at)[\(index)]") }
      result.append(text)
    }
    return result
  }
}

extension JSON {
  var double: Double? {
    switch self {
    case .double(let number): number
    case .int(let number): Double(number)
    default: nil
    }
  }
}

extension Degree {
  init(json: JSON, at: String) throws(CommandError) {
    guard let number = json.double else { throw wrongType("a number", json, at) }
    try self.init(parsing: number, at: at)
  }
}

/// How suspect whoever asks is, in attempts -> thousandths; what lies between two counts as the higher one.
func suspicionLevel(parsing number: Double?, at: String) throws(CommandError) -> UInt32 {
  guard let number, number >= 0, number <= 1_000_000 else {
    throw CommandError(
      .badValue, "suspicion is a number from 0 to 1000000", at: at,
      hint: "each attempt at what is hard-coded off counts 1, with an argument for it 2")
  }
  return UInt32((number * 1000).rounded(.up))
}
