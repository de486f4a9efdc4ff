// `*_test.yaml` -> scenarios: requests with what is expected of each. Errors name the line.

import Consultation
import Offline
import PolicyImage
import PolicyLanguage

struct Scenario: Sendable {
  var name: String
  var form: RequestForm
  var expectation: Expectation
  var location: Location
}

struct ScenarioFile: Sendable {
  /// The time of a case that states none: 2027-01-01T00:00:00Z, a Friday.
  static let defaultNow = Instant(seconds: 1_798_761_600)

  let path: String
  private(set) var scenarios: [Scenario] = []

  /// Reads one file; the first error is thrown.
  init(path: String) throws(CommandError) {
    self.path = path
    try read(try Self.document(path))
  }

  /// A file of scenarios as YAML; its first error is thrown.
  static func document(_ path: String) throws(CommandError) -> YAMLValue {
    let (value, diagnostics) = YAMLValue.read(SourceFile(path: path, bytes: try Files.read(path)))
    guard let value else {
      let first = diagnostics.first
      throw CommandError(
        .badScenario, first?.message ?? "is no YAML", at: "\(path):\(first?.location.line ?? 1)", hint: first?.hint)
    }
    return value
  }

  private mutating func read(_ root: YAMLValue) throws(CommandError) {
    let fields = try ScenarioFields(root, "a scenario file", ["licet-test", "operator", "now", "defaults", "cases"])
    guard case .int(1)? = fields["licet-test"]?.content else {
      throw CommandError(.badScenario, "`licet-test: 1` is missing", at: root.place)
    }
    let base = try RequestForm(defaults: fields)
    guard case .sequence(let cases)? = fields["cases"]?.content, !cases.isEmpty else {
      throw CommandError(.badScenario, "`cases` is missing: a list of scenarios", at: root.place)
    }
    for (index, item) in cases.enumerated() { scenarios.append(try scenario(item, index + 1, base)) }
  }

  private func scenario(_ value: YAMLValue, _ number: Int, _ base: RequestForm) throws(CommandError) -> Scenario {
    let fields = try ScenarioFields(value, "a case", ["name", "without", "expect"] + RequestForm.keys)
    guard let expect = fields["expect"] else {
      throw CommandError(.badScenario, "`expect` is missing", at: value.place)
    }
    return Scenario(
      name: fields["name"]?.text ?? "case \(number)",
      form: try RequestForm(scenario: value, fields, over: base, except: ["name", "without", "expect"]),
      expectation: try Expectation(expect), location: value.location)
  }
}

extension RequestForm {
  /// What a file's cases have in common: its `defaults`, `operator` and `now`.
  init(defaults fields: ScenarioFields) throws(CommandError) {
    var base = RequestForm()
    base.now = ScenarioFile.defaultNow
    if let defaults = fields["defaults"] { base = try base.merging(defaults, except: []) }
    for key in ["operator", "now"] {
      if let value = fields[key] { base = try base.taking(key, value) }
    }
    self = base
  }

  /// One case over them; `except` are its keys that are none of a request's. `without` takes defaults away.
  init(
    scenario value: YAMLValue, _ fields: ScenarioFields, over base: RequestForm, except: Set<String>
  ) throws(CommandError) {
    var form = base
    if fields["behavior"] != nil || fields["behaviors"] != nil { form.behaviors = [] }
    form = try form.merging(value, except: except)
    if let without = fields["without"] {
      for name in try without.strings("without") {
        let parts = name.split(separator: ".", maxSplits: 1).map(String.init)
        guard parts.count == 2, form.attributes[parts[0]]?.removeValue(forKey: parts[1]) != nil else {
          throw CommandError(
            .badScenario, "`without` names \(harmless(name)), which is not given anyway", at: without.place)
        }
      }
    }
    self = form
  }

  /// This form with the keys of a mapping over it; attributes are merged one by one.
  fileprivate func merging(_ value: YAMLValue, except: Set<String>) throws(CommandError) -> RequestForm {
    guard case .mapping(let pairs) = value.content else {
      throw CommandError(.badScenario, "a mapping of a request's keys is wanted here", at: value.place)
    }
    var form = self
    for (key, item) in pairs where !except.contains(key.text ?? "") { form = try form.taking(key.text ?? "", item) }
    return form
  }

  /// One key, read as a JSON request's is.
  fileprivate func taking(_ key: String, _ value: YAMLValue) throws(CommandError) -> RequestForm {
    var form = self
    do throws(CommandError) {
      try form.take(key, value.json, at: key)
    } catch {
      throw CommandError(.badScenario, "\(error.at ?? key): \(error.message)", at: value.place, hint: error.hint)
    }
    return form
  }
}

/// A mapping with known keys.
struct ScenarioFields {
  private var values: [String: YAMLValue] = [:]

  init(_ value: YAMLValue, _ what: String, _ known: [String]) throws(CommandError) {
    guard case .mapping(let pairs) = value.content else {
      throw CommandError(.badScenario, "\(what) is a mapping (`key: value`)", at: value.place)
    }
    for (key, item) in pairs {
      let name = key.text ?? ""
      guard known.contains(name) else {
        throw CommandError(
          .badScenario, "\(what) has no key `\(harmless(name))`", at: key.place,
          hint: suggestion(for: name, in: known) ?? "its keys are \(known.joined(separator: ", "))")
      }
      values[name] = item
    }
  }

  subscript(key: String) -> YAMLValue? { values[key] }
}

extension YAMLValue {
  var place: String { "\(location.file):\(location.line)" }

  func strings(_ key: String) throws(CommandError) -> [String] {
    guard case .sequence(let items) = content else {
      throw CommandError(.badScenario, "`\(key)` is a list", at: place)
    }
    return items.compactMap(\.text)
  }

  /// As a request in JSON has it. A key is its text.
  var json: JSON {
    switch content {
    case .null: .null
    case .bool(let value): .bool(value)
    case .int(let value): .int(value)
    case .double(let value): .double(value)
    case .string(let value): .string(value)
    case .sequence(let items): .array(items.map(\.json))
    case .mapping(let pairs): .object(pairs.map { JSON.Member(key: $0.key.text ?? "", value: $0.value.json) })
    }
  }
}
