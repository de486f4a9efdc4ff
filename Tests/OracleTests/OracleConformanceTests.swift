// Every row of cel-spec's conformance data that this project keeps beside it, evaluated by the Oracle's interpreter:
// a value row's condition must be true, an error row's must fail.

import CEL
import Foundation
import Oracle
import Testing

/// One row; its bindings stay JSON until they are needed.
private struct Row {
  var json: [String: Any]

  var id: String { json["id"] as? String ?? "" }
  var file: String { json["file"] as? String ?? "" }
  var assertion: String { json["assert_expr"] as? String ?? "" }
  var isError: Bool { json["kind"] as? String == "error" }

  func environment() throws -> Environment {
    var variables: [String: Variable] = [:]
    for declaration in json["type_env"] as? [[String: String]] ?? [] {
      let name = try #require(declaration["name"])
      variables[name] = Variable(try #require(Self.type(declaration["type"] ?? "")))
    }
    return Environment(
      variables: variables, container: json["container"] as? String ?? "",
      isChecked: json["disable_check"] as? Bool != true)
  }

  func bindings() throws -> [String: OracleValue] {
    try (json["bindings"] as? [String: [String: Any]] ?? [:]).mapValues { try #require(Self.value($0)) }
  }

  static func rows(_ name: String) throws -> [Row]? {
    let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let folder =
      ProcessInfo.processInfo.environment["LICET_SHARED"].map { URL(fileURLWithPath: $0) }
      ?? package.deletingLastPathComponent().appendingPathComponent("shared")
    let url = folder.appendingPathComponent("data/cel/\(name).jsonl")
    guard let text = try? String(contentsOf: url, encoding: .utf8) else { return nil }
    return try text.split(separator: "\n").map {
      Row(json: try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any]))
    }
  }

  private static func type(_ text: String) -> CELType? {
    let simple: [String: CELType] = [
      "dyn": .dyn, "null": .null, "bool": .bool, "int": .int, "uint": .uint, "double": .double, "string": .string,
      "bytes": .bytes, "timestamp": .timestamp, "duration": .duration,
    ]
    if let type = simple[text] { return type }
    guard let open = text.firstIndex(of: "("), text.last == ")" else { return nil }
    let inside = String(text[text.index(after: open)...].dropLast())
    if text.hasPrefix("list") { return type(inside).map { .list($0) } }
    guard let comma = inside.firstIndex(of: ","), let key = type(String(inside[..<comma])),
      let value = type(String(inside[inside.index(after: comma)...]))
    else { return nil }
    return .map(key, value)
  }

  /// `{"int": "1"}` and its kin.
  private static func value(_ json: [String: Any]) -> OracleValue? {
    guard let (kind, content) = json.first else { return nil }
    switch (kind, content) {
    case ("null", _): return .null
    case ("bool", let it as Bool): return .bool(it)
    case ("int", let it as String): return Int64(it).map { .int($0) }
    case ("uint", let it as String): return UInt64(it).map { .uint($0) }
    case ("double", let it as String): return Double(it).map { .double($0) }
    case ("string", let it as String): return .text(it)
    case ("bytes", let it as String): return Data(base64Encoded: it).map { .bytes(Array($0)) }
    case ("duration", let it as String):
      return Double(it.dropLast()).map { .duration(Int64(($0 * 1e9).rounded())) }
    case ("list", let it as [[String: Any]]): return .list(it.compactMap(value))
    case ("map", let it as [[[String: Any]]]):
      return .map(
        it.compactMap { pair in value(pair[0]).flatMap { key in value(pair[1]).map { OraclePair(key, $0) } } })
    default: return nil
    }
  }
}

@Suite struct OracleConformanceTests {
  /// Rows left out on purpose, each with its reason.
  static let leftOut: [String: String] = [
    "block_ext/basic/call": "its pattern is no literal; patterns are compiled when a policy is loaded"
  ]

  @Test(arguments: ["core", "extensions"])
  func everyRowHolds(_ name: String) throws {
    guard let rows = try Row.rows(name) else {
      print("CEL conformance (Oracle): \(name).jsonl isn't there, skipped")
      return
    }
    let tried = rows.filter { $0.file != "network_ext" && Self.leftOut[$0.id] == nil }
    for row in tried {
      let checked: CheckedExpression
      do {
        checked = try check(row.assertion, in: try row.environment())
      } catch {
        Issue.record("\(row.id): \(row.assertion)\nrefused: \(error)")
        continue
      }
      let result = Result { try OracleInterpreter.evaluate(checked, try row.bindings()) }
      switch result {
      case .success(.bool(true)): #expect(!row.isError, "\(row.id): \(row.assertion)\nshould fail")
      case .success(let value): Issue.record("\(row.id): \(row.assertion)\nis \(value)")
      case .failure(let error): #expect(row.isError, "\(row.id): \(row.assertion)\nfails: \(error)")
      }
    }
    print(
      "CEL conformance (Oracle): \(tried.count) rows of \(name).jsonl evaluated, \(rows.count - tried.count) left out")
  }
}
