// Every row of cel-spec's conformance data that this project keeps beside it must parse and check.

import Foundation
import Testing

@testable import CEL

/// One row of the data; see its README for the fields.
struct ConformanceRow: Decodable, Sendable {
  struct Declaration: Decodable, Sendable {
    var name: String
    var type: String
  }
  var id: String
  var file: String
  var expr: String
  var kind: String
  var assertExpression: String?
  var container: String?
  var isCheckDisabled: Bool?
  var declarations: [Declaration]?

  enum CodingKeys: String, CodingKey {
    case id, file, expr, kind, container
    case assertExpression = "assert_expr"
    case isCheckDisabled = "disable_check"
    case declarations = "type_env"
  }

  /// The shared data folder: LICET_SHARED, or `shared` beside the package.
  static var folder: URL {
    if let path = ProcessInfo.processInfo.environment["LICET_SHARED"] { return URL(fileURLWithPath: path) }
    let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    return package.deletingLastPathComponent().appendingPathComponent("shared")
  }

  static func rows(_ name: String) throws -> [ConformanceRow]? {
    let url = folder.appendingPathComponent("data/cel/\(name).jsonl")
    guard let text = try? String(contentsOf: url, encoding: .utf8) else { return nil }
    return try text.split(separator: "\n").map { try JSONDecoder().decode(Self.self, from: Data($0.utf8)) }
  }

  func environment() throws -> Environment {
    var variables: [String: Variable] = [:]
    for declaration in declarations ?? [] {
      variables[declaration.name] = Variable(try #require(CELType(row: declaration.type), "\(declaration.type)"))
    }
    return Environment(
      variables: variables, container: container ?? "", isChecked: isCheckDisabled != true)
  }
}

extension CELType {
  /// A type as the rows spell it: `map(string,list(int))`.
  init?(row text: String) {
    let names: [String: CELType] = [
      "dyn": .dyn, "null": .null, "bool": .bool, "int": .int, "uint": .uint, "double": .double, "string": .string,
      "bytes": .bytes, "timestamp": .timestamp, "duration": .duration,
    ]
    if let simple = names[text] {
      self = simple
      return
    }
    guard let open = text.firstIndex(of: "("), text.last == ")" else { return nil }
    let inside = text[text.index(after: open)...].dropLast()
    switch text[..<open] {
    case "list":
      guard let element = CELType(row: String(inside)) else { return nil }
      self = .list(element)
    case "map":
      guard let comma = inside.firstIndex(of: ","), let key = CELType(row: String(inside[..<comma])),
        let value = CELType(row: String(inside[inside.index(after: comma)...]))
      else { return nil }
      self = .map(key, value)
    default: return nil
    }
  }
}

@Suite struct CheckerConformanceTests {
  /// Rows that don't check on purpose, each with its reason.
  static let exceptions: [String: CELError.Code] = [
    // The pattern comes out of an expression; here patterns are compiled when a policy is loaded.
    "block_ext/basic/call": .patternNotLiteral
  ]

  @Test(arguments: ["core", "extensions"])
  func everyRowChecks(_ name: String) throws {
    guard let rows = try ConformanceRow.rows(name) else {
      print("CEL conformance: \(name).jsonl isn't there, skipped")
      return
    }
    var count = 0
    for row in rows where row.file != "network_ext" {
      count += 1
      let environment = try row.environment()
      for text in Set([row.expr, row.assertExpression ?? row.expr]) {
        do throws(Rejection) {
          _ = try check(text, in: environment)
          #expect(Self.exceptions[row.id] == nil, "\(row.id) is listed as an exception")
        } catch {
          #expect(
            error.errors.map(\.code) == Self.exceptions[row.id].map { [$0] }, "\(row.id): \(text)\n\(error.errors)")
        }
      }
    }
    print(
      "CEL conformance: \(count) rows of \(name).jsonl parsed and checked, \(rows.count - count) of network_ext left out"
    )
  }
}
