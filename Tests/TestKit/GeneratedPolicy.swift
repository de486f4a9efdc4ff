// A generated policy set as plain data, which properties change and shrinking cuts down; its YAML; and the checked
// model that the loader makes of that.

internal import Oracle
public import PolicyImage
public import PolicyLanguage

public struct GeneratedBehavior: Hashable, Sendable {
  public var name: String
  public var `default`: Effect?
  public var operatorsMay: Effect?
  public var usersMay: Effect?
  public var hardcoded: Absolute
  /// In place of `default`.
  public var population: Population?
  public var stakes: Double?
  public var after: [GeneratedAlternative<Effect>] = []

  /// The default that it states or that its population chooses.
  public var value: Effect? { `default` ?? population.map { $0.choice(for: $0.who).effect } }
}

/// What stands in `after` for one period.
public struct GeneratedAlternative<Value: Hashable & Sendable>: Hashable, Sendable {
  public var period: String
  public var `default`: Value?
  public var operatorsMay: Value?
  public var usersMay: Value?
}

public struct GeneratedAudience: Hashable, Sendable {
  public var behavior: String
  public var who: [String: Int64]
}

/// A platform's `dial`.
public struct GeneratedDial: Hashable, Sendable {
  public var `default`: Double
  public var operatorsMay: Double?
  public var usersMay: Double?
  public var after: [GeneratedAlternative<Double>] = []
  public init(default: Double, operatorsMay: Double? = nil, usersMay: Double? = nil) {
    (self.default, self.operatorsMay, self.usersMay) = (`default`, operatorsMay, usersMay)
  }
}

/// A platform's `suspicion`.
public struct GeneratedSuspicion: Hashable, Sendable {
  public var askAt: Double?
  public var denyAt: Double?
  public var behaviors: [String]

  var text: String {
    var fields = ["half-life: 1h"]
    if let askAt { fields.append("ask-at: \(askAt)") }
    if let denyAt { fields.append("deny-at: \(denyAt)") }
    if !behaviors.isEmpty { fields.append("for: [\(behaviors.joined(separator: ", "))]") }
    return "suspicion: {\(fields.joined(separator: ", "))}\n"
  }
}

public struct GeneratedRule: Hashable, Sendable {
  public var kind: StatementKind
  public var behavior: String
  public var effect: Effect
  public var tier: Tier
  public var condition: String?
  public var obligations: [String]
  public var period: String?
  public var clause: String?
  public var isShadow: Bool

  /// A duty of the highest tier that always holds.
  public static func duty(_ behavior: String) -> GeneratedRule {
    GeneratedRule(
      kind: .duty, behavior: behavior, effect: .allow, tier: .safety, condition: nil, obligations: [], clause: nil,
      isShadow: false)
  }
}

/// A platform's counter, by operator and hour: what it has come to a request says.
public struct GeneratedCounter: Hashable, Sendable {
  public var name: String
  public var behaviors: [String]
}

/// A platform and one operator.
public struct GeneratedPolicy: Sendable {
  public var unknown: Effect
  public var behaviors: [GeneratedBehavior]
  public var platformRules: [GeneratedRule]
  public var operatorRules: [GeneratedRule]
  public var audiences: [GeneratedAudience] = []
  public var dial: GeneratedDial?
  public var operatorDial: Double?
  public var suspicion: GeneratedSuspicion?
  public var periods: [String] = []
  public var counters: [GeneratedCounter] = []

  /// Attributes that every generated platform declares.
  static let attributes = """
    attributes:
      user: {age_verified: bool, role: {enum: [guest, member, clinician]}, visits: int}
      request: {amount: double, recipients: int, size: uint, label: string, tags: list<string>, meta: "map<string, int>",
        args: dyn, due: timestamp, wait: duration, blob: bytes}

    """

  public var platformText: String {
    var text = "licet: 1\nlayer: platform\nname: generated\nunknown: \(unknown)\n" + Self.attributes
    text += periodsText + countersText + dialText + (suspicion?.text ?? "")
    text += behaviors.isEmpty ? "" : "behaviors:\n"
    for behavior in behaviors { text += "  \(behavior.name): \(Self.fields(behavior))\n" }
    return text + Self.list("rules", platformRules)
  }

  private var periodsText: String {
    guard !periods.isEmpty else { return "" }
    let head = "authorities: {alice: \"ed25519:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\"}\nperiods:\n"
    return head
      + periods.map {
        "  \($0): {decided-by: {quorum: 1, of: [alice]}, evidence: [report], review-by: 2027-01-01}\n"
      }.joined()
  }

  private var countersText: String {
    let lines = counters.map {
      "  \($0.name): {counts: requests, of: [\($0.behaviors.joined(separator: ", "))], per: operator, window: 1h}\n"
    }
    return lines.isEmpty ? "" : "counters:\n" + lines.joined()
  }

  private static func after<Value>(_ after: [GeneratedAlternative<Value>]) -> String {
    let all = after.map { one in
      let fields = [("default", one.default), ("operators-may", one.operatorsMay), ("users-may", one.usersMay)]
      return
        "\(one.period): {\(fields.compactMap { key, value in value.map { "\(key): \($0)" } }.joined(separator: ", "))}"
    }
    return "after: {\(all.joined(separator: ", "))}"
  }

  private var dialText: String {
    guard let dial else { return "" }
    var fields = ["default: \(dial.default)"]
    if let it = dial.operatorsMay { fields.append("operators-may: \(it)") }
    if let it = dial.usersMay { fields.append("users-may: \(it)") }
    if !dial.after.isEmpty { fields.append(Self.after(dial.after)) }
    return "dial: {\(fields.joined(separator: ", "))}\n"
  }

  public var operatorText: String {
    let head = "licet: 1\nlayer: operator\nname: op\n" + (operatorDial.map { "dial: \($0)\n" } ?? "")
    let lines = audiences.map { "  \($0.behavior): \(Self.counts($0.who))\n" }
    return head + (lines.isEmpty ? "" : "audience:\n" + lines.joined())
      + Self.list("rules", operatorRules.filter { $0.kind != .grant })
      + Self.list("grants", operatorRules.filter { $0.kind == .grant })
  }

  /// For a failing case: both files as they would stand on disk.
  public var text: String { "# platform.yaml\n\(platformText)# operators.d/op.yaml\n\(operatorText)" }

  public var files: [SourceFile] {
    [
      SourceFile(path: "platform.yaml", bytes: Array(platformText.utf8)),
      SourceFile(path: "operators.d/op.yaml", bytes: Array(operatorText.utf8)),
    ]
  }

  /// The same, spread over several files of each layer.
  var severalFiles: [SourceFile] {
    let behaviorsText = behaviors.map { "  \($0.name): \(Self.fields($0))\n" }
    let half = behaviors.count / 2
    func section(_ lines: [String]) -> String { lines.isEmpty ? "" : "behaviors:\n" + lines.joined() }
    let head = "licet: 1\nlayer: platform\n"
    let base =
      head + "name: generated\nunknown: \(unknown)\n" + Self.attributes + periodsText + countersText + dialText
      + (suspicion?.text ?? "")
    let rules = platformRules.count / 2
    let platform = [
      "platform.yaml": base + section(Array(behaviorsText[half...]))
        + Self.list("rules", Array(platformRules[rules...])),
      "platform.d/50-more.yaml": head + "name: generated\n" + Self.list("rules", Array(platformRules[..<rules]))
        + section(Array(behaviorsText[..<half])),
    ]
    let files = platform.map { SourceFile(path: $0.key, bytes: Array($0.value.utf8)) }
    return files + [SourceFile(path: "operators.d/op.yaml", bytes: Array(operatorText.utf8))]
  }

  private static func fields(_ behavior: GeneratedBehavior) -> String {
    var fields: [String] = []
    if let it = behavior.default { fields.append("default: \(it)") }
    if let it = behavior.population { fields.append("population: \(population(it))") }
    if let it = behavior.operatorsMay { fields.append("operators-may: \(it)") }
    if let it = behavior.usersMay { fields.append("users-may: \(it)") }
    if behavior.hardcoded != .none { fields.append("hardcoded: \(behavior.hardcoded)") }
    if !behavior.after.isEmpty { fields.append(after(behavior.after)) }
    if let stakes = behavior.hardcoded == .on ? 0 : behavior.stakes { fields.append("stakes: \(stakes)") }
    return "{\(fields.joined(separator: ", "))}"
  }

  private static func population(_ population: Population) -> String {
    func payoffs(_ all: [String: Payoff]) -> String {
      "{\(all.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value.text)" }.joined(separator: ", "))}"
    }
    let responses = population.responses.map { "\"\($0.title)\": \(payoffs($0.payoffs))" }
    let bounds = population.bounds.isEmpty ? "" : ", never-worse-than: \(payoffs(population.bounds))"
    return "{who: \(counts(population.who)), responses: {\(responses.joined(separator: ", "))}\(bounds)}"
  }

  private static func counts(_ who: [String: Int64]) -> String {
    "{\(who.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" }.joined(separator: ", "))}"
  }

  private static func list(_ key: String, _ rules: [GeneratedRule]) -> String {
    rules.isEmpty ? "" : "\(key):\n" + rules.map { "  - {\(fields($0))}\n" }.joined()
  }

  private static func fields(_ rule: GeneratedRule) -> String {
    var fields: [String]
    switch rule.kind {
    case .setting: fields = ["\(rule.effect): \(rule.behavior)"]
    case .grant: fields = ["users-may: \(rule.effect)", "behavior: \(rule.behavior)"]
    case .limit, .duty: fields = ["\(rule.kind): \(rule.behavior)", "to: \(rule.effect)"]
    }
    if rule.tier != .operator { fields.append("tier: \(rule.tier)") }
    if let condition = rule.condition { fields.append("when: \(quoted(condition))") }
    if !rule.obligations.isEmpty { fields.append("with: [\(rule.obligations.joined(separator: ", "))]") }
    if let period = rule.period { fields.append("\(rule.kind == .limit ? "during" : "after"): \(period)") }
    if let clause = rule.clause { fields.append("clause: \(quoted(clause))") }
    if rule.isShadow { fields.append("mode: shadow") }
    return fields.joined(separator: ", ")
  }

  private static func quoted(_ text: String) -> String {
    "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
  }
}

/// A checked platform and operator, as evaluators take them.
public struct LoadedPolicy: Sendable {
  public var platform: Platform?
  public var `operator`: Operator?
  public init(platform: Platform?, operator: Operator?) {
    self.platform = platform
    self.operator = `operator`
  }
}

/// A generated file that the loader refuses.
public struct Refused: Error, CustomStringConvertible {
  public var description: String
}

extension GeneratedPolicy {
  public func loaded(inSeveralFiles isSpread: Bool = false) throws -> LoadedPolicy {
    let set = load(isSpread ? severalFiles : files)
    let errors = set.diagnostics.filter { $0.severity == .error }
    guard errors.isEmpty, let platform = set.platform, let it = set.operators["op"] else {
      throw Refused(description: errors.map { "\($0.code) \($0.location.line): \($0.message)" }.joined(separator: "\n"))
    }
    return LoadedPolicy(platform: platform, operator: it)
  }

  /// Without counters, for who compares an authority that counts with one that is told.
  public var uncounted: GeneratedPolicy {
    var copy = self
    copy.counters = []
    copy.platformRules.removeAll { $0.condition?.contains("counter(") == true }
    copy.operatorRules.removeAll { $0.condition?.contains("counter(") == true }
    return copy
  }

  /// Every policy with one part less.
  public var smaller: [GeneratedPolicy] {
    var result: [GeneratedPolicy] = []
    for index in platformRules.indices {
      var copy = self
      copy.platformRules.remove(at: index)
      result.append(copy)
    }
    for index in operatorRules.indices {
      var copy = self
      copy.operatorRules.remove(at: index)
      result.append(copy)
    }
    for index in behaviors.indices {
      var copy = self
      copy.behaviors.remove(at: index)
      result.append(copy)
    }
    for index in audiences.indices {
      var copy = self
      copy.audiences.remove(at: index)
      result.append(copy)
    }
    if dial != nil {
      var copy = self
      (copy.dial, copy.operatorDial) = (nil, nil)
      result.append(copy)
    }
    if suspicion != nil {
      var copy = self
      copy.suspicion = nil
      result.append(copy)
    }
    if operatorDial != nil {
      var copy = self
      copy.operatorDial = nil
      result.append(copy)
    }
    for (index, rule) in operatorRules.enumerated() where rule.condition != nil {
      var copy = self
      copy.operatorRules[index].condition = nil
      result.append(copy)
    }
    for (index, rule) in platformRules.enumerated() where rule.condition != nil {
      var copy = self
      copy.platformRules[index].condition = nil
      result.append(copy)
    }
    for (index, rule) in platformRules.enumerated() where rule.period != nil {
      var copy = self
      copy.platformRules[index].period = nil
      result.append(copy)
    }
    for (index, behavior) in behaviors.enumerated() where !behavior.after.isEmpty {
      var copy = self
      copy.behaviors[index].after = []
      result.append(copy)
    }
    return result
  }
}
