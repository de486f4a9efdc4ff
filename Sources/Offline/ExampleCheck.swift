// A rule's `examples:` against the rule as compiled: `match` requests must satisfy its condition, `no-match` ones must
// not (DESIGN §3).

internal import Consultation
internal import Decision
internal import PolicyImage
internal import PolicyLanguage

struct ExampleCheck {
  let platform: Platform
  let policy: OfflinePolicy
  let `operator`: String?

  /// Examples without a time of their own are decided at this one: 2026-01-01T00:00:00Z.
  static let now: (seconds: Int64, nanoseconds: Int32) = (1_767_225_600, 0)

  func run(_ statements: [Statement]) -> [Diagnostic] {
    var wrong: [Diagnostic] = []
    for (index, statement) in statements.enumerated() {
      for example in statement.examples {
        if let problem = check(example, statement, index) { wrong.append(problem) }
      }
    }
    return wrong
  }

  private func check(_ example: RequestExample, _ statement: Statement, _ index: Int) -> Diagnostic? {
    func problem(_ message: String, _ hint: String) -> Diagnostic {
      Diagnostic(
        code: .exampleMismatch, severity: .error, location: example.location, length: 1, message: message, hint: hint,
        related: .init(location: statement.location, message: "the rule is here"))
    }
    guard let request = request(example, statement) else {
      return problem(
        "a value in this example is not of its attribute's type",
        "timestamps are RFC 3339, durations like 1h30m, bytes base64")
    }
    guard let answer = try? policy.decide(request, operator: `operator`, explaining: true),
      let line = answer.trace.first(where: {
        $0.statement?.index == index && ($0.statement?.layer == .platform) == (`operator` == nil)
          && $0.statement?.form == .rule
      })
    else {
      return problem(
        "this example names a behaviour that the rule does not govern", "name \(statement.behavior) or one below it")
    }
    switch (example.isMatch, line.truth) {
    case (true, .yes), (false, .no): return nil
    case (_, .failed):
      return problem(
        "the rule's condition can't be evaluated for this example\(line.attribute.map { ": \($0) is not given" } ?? "")",
        "give every attribute that the condition reads")
    case (true, _):
      return problem(
        "this example should match, and the rule's condition is false for it", "mend the rule or the example")
    case (false, _):
      return problem(
        "this example should not match, and the rule's condition is true for it", "mend the rule or the example")
    }
  }

  private func request(_ example: RequestExample, _ statement: Statement) -> Request? {
    var attributes: [String: RequestValue] = [:]
    for (name, value) in example.attributes {
      guard let declared = platform.slots.first(where: { $0.name == name }),
        let converted = RequestValue(value, as: declared.type)
      else { return nil }
      attributes[name] = converted
    }
    let instant = example.now.map { Instant(timestamp: $0) }
    if case .some(nil) = instant { return nil }
    return Request(
      behaviors: [example.behavior ?? statement.behavior], resource: example.resource,
      source: example.source ?? .agent, attributes: attributes, argument: example.argument,
      now: (instant ?? nil).map { ($0.seconds, $0.nanoseconds) } ?? ExampleCheck.now)
  }
}

extension RequestValue {
  /// A value as a policy file states it, as the declared type has it; nil when a text doesn't parse.
  init?(_ value: ExampleValue, as type: AttributeType) {
    switch (value, type) {
    case (.string(let text), .timestamp):
      guard let instant = Instant(timestamp: text) else { return nil }
      self = .timestamp(seconds: instant.seconds, nanoseconds: instant.nanoseconds)
    case (.string(let text), .duration):
      guard let instant = Instant(duration: text) else { return nil }
      self = .duration(seconds: instant.seconds, nanoseconds: instant.nanoseconds)
    case (.string(let text), .bytes):
      guard let bytes = Base64.decode(text) else { return nil }
      self = .bytes(bytes)
    case (.null, _): self = .null
    case (.bool(let b), _): self = .bool(b)
    case (.int(let i), .double): self = .double(Double(i))
    case (.int(let i), .uint) where i >= 0: self = .uint(UInt64(i))
    case (.int(let i), _): self = .int(i)
    case (.uint(let u), _): self = .uint(u)
    case (.double(let d), _): self = .double(d)
    case (.string(let text), _): self = .string(text)
    case (.list(let elements), let type):
      var element = AttributeType.dyn
      if case .list(let declared) = type { element = declared }
      var converted: [RequestValue] = []
      for one in elements {
        guard let value = RequestValue(one, as: element) else { return nil }
        converted.append(value)
      }
      self = .list(converted)
    case (.map(let entries), let type):
      var (keyType, valueType) = (AttributeType.dyn, AttributeType.dyn)
      if case .map(let key, let value) = type { (keyType, valueType) = (key, value) }
      var converted: [Entry] = []
      for one in entries {
        guard let key = RequestValue(one.key, as: keyType), let value = RequestValue(one.value, as: valueType) else {
          return nil
        }
        converted.append(Entry(key: key, value: value))
      }
      self = .map(converted)
    }
  }
}
