// `licet schema` against the validator: the same keys and words, and the examples of this repository.

import Foundation
import Testing

@testable import PolicyLanguage

@Suite struct SchemaTests {
  private struct Definition {
    let form: Form
    let layer: Layer
    let properties: [String: Any]
    let required: Set<String>
  }

  private static func definitions() throws -> [Definition] {
    let root = try #require(try JSONSerialization.jsonObject(with: Data(schema().utf8)) as? [String: Any])
    let all = try #require(root["$defs"] as? [String: [String: Any]])
    return try all.map { name, body in
      let parts = name.split(separator: "-")
      return Definition(
        form: try #require(Form(rawValue: String(parts[1]))), layer: try #require(Layer(rawValue: String(parts[0]))),
        properties: try #require(body["properties"] as? [String: Any]),
        required: Set(body["required"] as? [String] ?? []))
    }
  }

  /// A file of `layer` in which a mapping of this form has these entries, one a line, from `line` on.
  private static func file(_ form: Form, _ layer: Layer, _ entries: [String]) -> (file: SourceFile, line: Int) {
    let head = ["licet: 1", "layer: \(layer.rawValue)", "name: x"]
    let limit = ["rules:", "- limit: tool", "  to: deny"]
    let (before, indentation): ([String], Int) =
      switch form {
      case .file: ([], 0)
      case .dial: (head + ["dial:"], 2)
      case .counter: (head + ["counters:", "  c:"], 4)
      case .suspicion: (head + ["suspicion:"], 2)
      case .period: (head + ["periods:", "  p:"], 4)
      case .deciders: (head + ["periods:", "  p:", "    decided-by:"], 6)
      case .alternative: (head + ["behaviors:", "  tool:", "    after:", "      p:"], 8)
      case .dialAlternative: (head + ["dial:", "  after:", "    p:"], 6)
      case .behavior: (head + ["behaviors:", "  tool:"], 4)
      case .population: (head + ["behaviors:", "  tool:", "    population:"], 6)
      case .attributes: (head + ["attributes:"], 2)
      case .attribute, .enumeration: (head + ["attributes:", "  user:", "    a:"], 6)
      case .rule: (head + ["rules:", "-"], 2)
      case .grant: (head + ["grants:", "-"], 2)
      case .binding: (head + ["bind:", "-"], 2)
      case .examples: (head + limit + ["  examples:"], 4)
      case .example: (head + limit + ["  examples:", "    match:", "    -"], 6)
      }
    let lines = before + entries.map { String(repeating: " ", count: indentation) + $0 }
    let path = layer == .platform ? "platform.yaml" : "operators.d/x.yaml"
    return (SourceFile(path: path, bytes: Array(lines.joined(separator: "\n").utf8 + [10])), before.count + 1)
  }

  private static func diagnostics(_ form: Form, _ layer: Layer, _ entries: [String]) -> [Diagnostic] {
    let (file, line) = Self.file(form, layer, entries)
    let platform = layer == .platform ? [] : [PolicyLanguageTests.file("platform.yaml", Sample.platform)]
    return load(platform + [file]).diagnostics.filter { $0.location.file == file.path && $0.location.line >= line }
  }

  private static let refusals: Set<DiagnosticCode> = [.unknownKey, .reservedKey, .keyOfOtherLayer]

  @Test func theValidatorTakesExactlyTheKeysOfTheSchema() throws {
    var checked = 0
    for definition in try Self.definitions() {
      for key in KeyID.allCases.map(\.rawValue) + ["extra", "Rules", "licet "] {
        // An attribute with `enum` alone is an enumeration, one with `type` an attribute.
        let lines =
          definition.form == .attribute && key != "type" ? ["type: int", "\"\(key)\": {}"] : ["\"\(key)\": {}"]
        let found = Self.diagnostics(definition.form, definition.layer, lines)
        if definition.form == .enumeration, key == "type" || key == "verified" { continue }
        let isRefused = found.contains { Self.refusals.contains($0.code) }
        #expect(
          isRefused == (definition.properties[key] == nil),
          "\(key) of \(definition.form.title) of the \(definition.layer.rawValue) layer: \(found.map(\.code))")
        checked += 1
      }
    }
    #expect(checked > 500)
  }

  @Test func requiredKeysAreTheSame() throws {
    for definition in try Self.definitions() where definition.form != .rule {
      let lines = [definition.form == .attribute ? "verified: true" : "\(definition.properties.keys.sorted()[0]): {}"]
      // A mapping inside lacks keys of its own.
      let missing = Self.diagnostics(definition.form, definition.layer, lines)
        .filter { $0.code == .missingKey && $0.message.hasPrefix(definition.form.title) }
      let named = Set(missing.compactMap { $0.message.split(separator: "`").last.map(String.init) })
      let given = Set(lines.map { String($0.prefix { $0 != ":" }) })
      // A platform needs its name once, which no single file can be held to.
      let expected = definition.required.subtracting(given)
      #expect(named.subtracting(definition.layer == .platform ? ["name"] : []) == expected, "\(definition.form.title)")
    }
  }

  @Test func wordsAreTheSame() throws {
    var checked = 0
    for definition in try Self.definitions() {
      for (key, value) in definition.properties {
        guard let words = (value as? [String: Any])?["enum"] as? [String] else { continue }
        for word in words + ["nonsense"] {
          let found = Self.diagnostics(definition.form, definition.layer, ["\(key): \(word)"])
          let isRefused = found.contains { $0.code == .unknownValue }
          #expect(isRefused == (word == "nonsense"), "\(key): \(word): \(found.map(\.code))")
          checked += 1
        }
      }
    }
    #expect(checked > 30)
  }

  @Test func everyRuleSaysOneThing() throws {
    let root = try #require(try JSONSerialization.jsonObject(with: Data(schema().utf8)) as? [String: Any])
    let all = try #require(root["$defs"] as? [String: [String: Any]])
    for (layer, kinds) in [("platform", ["limit", "duty"]), ("operator", ["allow", "ask", "deny", "limit"])] {
      let alternatives = try #require(all["\(layer)-rule"]?["oneOf"] as? [[String: Any]])
      let first = alternatives.compactMap { ($0["required"] as? [String])?.first }
      #expect(Set(first) == Set(kinds) && alternatives.count == kinds.count)
    }
  }

  // MARK: with a JSON Schema implementation

  @Test(.enabled(if: Python.hasJSONSchema, "python3 with its package jsonschema is not here"))
  func theExamplesOfThisRepositoryAreValidAndBrokenOnesAreNot() throws {
    let folder = Folder.repository.appendingPathComponent("examples").path
    var files = PolicyFolder.read([folder]).map { (text: String(decoding: $0.bytes, as: UTF8.self), isValid: true) }
    files += [(Sample.platform, true), (LoadTests.platform, true), (LoadTests.nightowl, true)]
    files += OperatorIsolationTests.spoilt.compactMap { title, bytes in
      Self.wrongShapes.contains(title) ? (String(decoding: bytes, as: UTF8.self), false) : nil
    }
    let documents = try files.map { file in
      let (value, _) = YAMLValue.read(SourceFile(path: "x.yaml", bytes: Array(file.text.utf8)))
      return try #require(value, "\(file.text)").json
    }
    let answers = try Python.areValid(documents, under: schema())
    #expect(answers.count == files.count)
    for (file, isValid) in zip(files, answers) { #expect(file.isValid == isValid, "\(file.text)") }
  }

  /// Of `OperatorIsolationTests.spoilt`: what the shape of the file alone shows.
  private static let wrongShapes: Set<String> = [
    "a list", "a word", "no name", "a bad name", "another version", "an unknown key", "a reserved key",
    "the platform's key",
    "a duty", "a tier",
  ]
}

extension YAMLValue {
  fileprivate var json: JSONValue {
    switch content {
    case .null: .string("\u{0}null")
    case .bool(let value): .bool(value)
    case .int(let value): .int(Int(value))
    case .double(let value): .number(value)
    case .string(let value): .string(value)
    case .sequence(let items): .array(items.map(\.json))
    case .mapping(let pairs): .object(pairs.map { ($0.key.text ?? "", $0.value.json) })
    }
  }
}

/// The system's python3, as a judge that shares no code with us.
private enum Python {
  static let hasJSONSchema = (try? run("import jsonschema; jsonschema.Draft202012Validator", [])) != nil

  static func areValid(_ documents: [JSONValue], under schema: String) throws -> [Bool] {
    let folder = try Folder()
    try folder.write(schema, to: "schema.json")
    try folder.write(JSONValue.array(documents).text(), to: "documents.json")
    let script = """
      import json, sys, jsonschema
      def null(x):
          if isinstance(x, dict): return {k: null(v) for k, v in x.items()}
          if isinstance(x, list): return [null(v) for v in x]
          return None if x == "\\0null" else x
      validator = jsonschema.Draft202012Validator(json.load(open(sys.argv[1])))
      validator.check_schema(validator.schema)
      print("".join("1" if validator.is_valid(null(d)) else "0" for d in json.load(open(sys.argv[2]))))
      """
    return try run(script, [folder.path + "/schema.json", folder.path + "/documents.json"])
      .filter { $0 == "0" || $0 == "1" }.map { $0 == "1" }
  }

  private static func run(_ script: String, _ arguments: [String]) throws -> String {
    let process = Process()
    let output = Pipe()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["python3", "-c", script] + arguments
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    try process.run()
    let text = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else { throw CocoaError(.executableLoad) }
    return String(decoding: text, as: UTF8.self)
  }
}
