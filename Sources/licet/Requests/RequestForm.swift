// JSON or flags -> one request as DESIGN §10 writes it, checked for shape. Types of attributes are checked where the
// policy that declares them is known (TypedRequest).

import Consultation
import Offline
import PolicyImage
import PolicyLanguage

struct RequestForm: Equatable, Sendable {
  /// Bounds on one request; beyond them it is refused, not cut.
  static let maximumBehaviors = 64
  static let maximumResource = 4096
  static let maximumArgument = 65_536

  var operatorName: String?
  var behaviors: [String] = []
  var resource: String?
  /// nil: the agent's own initiative, as DESIGN §1 says.
  var source: Source?
  var argument: String?
  var preference: Effect?
  /// The session's own.
  var dial: Degree?
  /// The session's terms, the root's first; empty: none.
  var terms: [SessionLevel] = []
  /// Thousandths of an attempt.
  var suspicion: UInt32?
  /// Names of periods that are to count as ended.
  var ended: [String] = []
  /// What counters have come to.
  var counters: [String: Int64] = [:]
  var now: Instant?
  /// By root ("user", "request", "session"), then by name.
  var attributes: [String: [String: JSON]] = [:]
  /// Qualified names whose value is a flag's plain text, still to be read by its declared type.
  var plain: Set<String> = []

  static let keys = [
    "operator", "behavior", "behaviors", "resource", "source", "user", "session", "request", "preference", "argument",
    "dial", "terms", "suspicion", "ended", "counters", "now",
  ]
  static let roots = ["user", "request", "session"]

  init() {}

  /// `path` stands before positions in errors: "cases[2]" for a scenario, empty for a request of its own.
  init(_ json: JSON, path: String = "") throws(CommandError) {
    guard case .object(let members) = json else {
      throw CommandError(.wrongType, "a request is an object, not \(json.kindName)", at: path.isEmpty ? nil : path)
    }
    for member in members {
      try take(member.key, member.value, at: path.isEmpty ? member.key : "\(path).\(member.key)")
    }
  }

  mutating func take(_ key: String, _ value: JSON, at: String) throws(CommandError) {
    switch key {
    case "operator": operatorName = try text(value, at)
    case "behavior": behaviors.append(try text(value, at))
    case "behaviors":
      guard case .array(let items) = value else { throw wrongType("a list of names", value, at) }
      for (index, item) in items.enumerated() { behaviors.append(try text(item, "\(at)[\(index)]")) }
    case "resource": resource = try text(value, at)
    case "source": source = try Source(named: try text(value, at), at: at)
    case "argument": argument = try text(value, at)
    case "preference": preference = try Effect(named: try text(value, at), at: at)
    case "dial": dial = try Degree(json: value, at: at)
    case "terms": terms = try TermsForm.levels(value, at: at)
    case "suspicion":
      guard value.double != nil else { throw wrongType("a number", value, at) }
      suspicion = try suspicionLevel(parsing: value.double, at: at)
    case "ended":
      guard case .array(let items) = value else { throw wrongType("a list of periods", value, at) }
      for (index, item) in items.enumerated() { ended.append(try text(item, "\(at)[\(index)]")) }
    case "counters":
      guard case .object(let members) = value else { throw wrongType("an object of counters", value, at) }
      for member in members {
        guard case .int(let number) = member.value, number >= 0 else {
          throw wrongType("a whole number from 0 on", member.value, "\(at).\(member.key)")
        }
        counters[member.key] = number
      }
    case "now": now = try Instant(parsing: try text(value, at), at: at)
    case "user", "session", "request":
      guard case .object(let members) = value else { throw wrongType("an object of attributes", value, at) }
      for member in members { attributes[key, default: [:]][member.key] = member.value }
    default:
      throw CommandError(
        .unknownKey, "a request has no key `\(harmless(key))`", at: at,
        hint: suggestion(for: key, in: RequestForm.keys) ?? "its keys are \(RequestForm.keys.joined(separator: ", "))")
    }
  }

  /// One `--set user.role=member`, or with `isJSON` one `--set-json request.args={…}`. A plain text is read by the
  /// attribute's declared type, which the policy knows, so it is kept as it is and marked.
  mutating func set(_ assignment: String, flag: String, isJSON: Bool) throws(CommandError) {
    let parts = assignment.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    let names = parts[0].split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2, names.count == 2, !names[1].isEmpty else {
      throw CommandError(
        .badValue, "`\(harmless(assignment))` is not of the form ROOT.NAME=VALUE", at: flag,
        hint: isJSON
          ? "for example \(flag) 'request.args={\"path\": \"/tmp/x\"}'" : "for example \(flag) user.role=member")
    }
    let (root, name) = (String(names[0]), String(names[1]))
    guard RequestForm.roots.contains(root) else {
      throw CommandError(
        .unknownAttribute, "attributes belong to user, request or session, not to `\(harmless(root))`", at: flag,
        hint: suggestion(for: root, in: RequestForm.roots))
    }
    let text = String(parts[1])
    attributes[root, default: [:]][name] = isJSON ? try JSON(flag: flag, text) : .string(text)
    if isJSON { plain.remove("\(root).\(name)") } else { plain.insert("\(root).\(name)") }
  }

  /// One `--set-counter mails=21`.
  mutating func setCounter(_ assignment: String, flag: String) throws(CommandError) {
    let parts = assignment.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2, !parts[0].isEmpty, let number = Int64(parts[1]), number >= 0 else {
      throw CommandError(
        .badValue, "`\(harmless(assignment))` is not of the form NAME=N, with a whole number from 0 on", at: flag,
        hint: "for example \(flag) mails=21")
    }
    counters[String(parts[0])] = number
  }

  /// What is checked without a policy: that something is asked about, names, and lengths.
  func validate() throws(CommandError) {
    guard !behaviors.isEmpty else {
      throw CommandError(.noBehavior, "the request names no behaviour", at: "behavior")
    }
    guard behaviors.count <= RequestForm.maximumBehaviors else {
      throw CommandError(
        .tooMany, "more than \(RequestForm.maximumBehaviors) behaviours in one request", at: "behaviors")
    }
    for name in behaviors where !BehaviorName.isValid(name) {
      throw CommandError(
        .badName, "`\(harmless(name))` is no behaviour's name", at: "behavior",
        hint: "a name is up to \(BehaviorName.maximumDepth) segments of a-z, 0-9, _ and -, joined by dots")
    }
    if dial != nil, terms.first?.dial != nil {
      throw CommandError(
        .badValue, "the session's dial is stated twice", at: "dial", hint: "the first terms state it too")
    }
    try bound(resource, RequestForm.maximumResource, "resource")
    try bound(argument, RequestForm.maximumArgument, "argument")
  }

  private func bound(_ text: String?, _ limit: Int, _ at: String) throws(CommandError) {
    guard let text, text.utf8.count > limit else { return }
    throw CommandError(.tooLong, "\(text.utf8.count) bytes; at most \(limit)", at: at)
  }

  private func text(_ value: JSON, _ at: String) throws(CommandError) -> String {
    guard case .string(let text) = value else { throw wrongType("a string", value, at) }
    return text
  }
}

extension JSON {
  /// JSON on the command line.
  init(flag: String, _ text: String) throws(CommandError) {
    do {
      self = try JSONParser.parse(text)
    } catch {
      throw CommandError(.badJSON, "column \(error.column): \(error.message)", at: flag)
    }
  }

  /// The one value in a file, or in one line of it.
  init(file: String, line: Int? = nil, _ bytes: [UInt8]) throws(CommandError) {
    do {
      self = try JSONParser.parse(bytes)
    } catch {
      throw CommandError(.badJSON, error.message, at: "\(file):\((line ?? 1) + error.line - 1):\(error.column)")
    }
  }
}

func wrongType(_ wanted: String, _ value: JSON, _ at: String, hint: String? = nil) -> CommandError {
  CommandError(.wrongType, "\(wanted) is wanted here, not \(value.kindName)", at: at, hint: hint)
}

extension Degree {
  /// A session's dial: strictly between the ends, rounded down.
  init(parsing number: Double?, at: String) throws(CommandError) {
    guard let number, let degree = Degree(number, up: false), degree > .zero, degree < .one else {
      throw CommandError(
        .badDial, "a dial is a number strictly between 0 and 1", at: at,
        hint: "0 would be fully corrigible, 1 fully autonomous; neither end is safe")
    }
    self = degree
  }
}

extension Effect {
  init(named text: String, at: String) throws(CommandError) {
    guard let effect = Effect.allCases.first(where: { $0.name == text }) else {
      throw CommandError(.badValue, "`\(harmless(text))` is no effect; they are deny, ask and allow", at: at)
    }
    self = effect
  }
}

extension Source {
  init(named text: String, at: String) throws(CommandError) {
    guard let source = Source.allCases.first(where: { $0.name == text }) else {
      let names = Source.allCases.map(\.name)
      throw CommandError(
        .badValue, "`\(harmless(text))` is no source; they are \(names.joined(separator: ", "))", at: at,
        hint: suggestion(for: text, in: names))
    }
    self = source
  }
}
