// Every row of cel-spec's conformance data that this project keeps beside it evaluates to what it says.

import CEL
import Decision
import Foundation
import TestKit
import Testing

/// What a row binds: JSON with the type of each value.
struct RowBindings: Decodable, Sendable {
  var id: String
  var kind: String
  var bindings: [String: TypedValue]

  struct TypedValue: Decodable, Sendable {
    var value: TestValue

    private struct Key: CodingKey {
      var stringValue: String
      var intValue: Int? { nil }
      init(stringValue: String) { self.stringValue = stringValue }
      init?(intValue: Int) { nil }
    }

    init(from decoder: any Decoder) throws {
      let container = try decoder.container(keyedBy: Key.self)
      let key = try #require(container.allKeys.first)
      func number<T: LosslessStringConvertible>(_: T.Type) throws -> T {
        try #require(T(try container.decode(String.self, forKey: key)))
      }
      switch key.stringValue {
      case "null": value = .null
      case "bool": value = .bool(try container.decode(Bool.self, forKey: key))
      case "int": value = .int(try number(Int64.self))
      case "uint": value = .uint(try number(UInt64.self))
      case "double": value = .double(try number(Double.self))
      case "string": value = .string(try container.decode(String.self, forKey: key))
      case "bytes":
        value = .bytes(Array(try #require(Data(base64Encoded: try container.decode(String.self, forKey: key)))))
      case "list": value = .list(try container.decode([TypedValue].self, forKey: key).map(\.value))
      case "map": value = .map(try container.decode([[TypedValue]].self, forKey: key).map { $0.map(\.value) })
      case "duration":
        let text = try container.decode(String.self, forKey: key)
        let parts = text.dropLast().split(separator: ".")
        let nanoseconds = parts.count > 1 ? (String(parts[1]) + "000000000").prefix(9) : "0"
        value = .duration(try #require(Int64(parts[0])), try #require(Int32(nanoseconds)))
      default: throw DecodingError.dataCorruptedError(forKey: key, in: container, debugDescription: "unknown type")
      }
    }
  }

  static func rows(_ name: String) throws -> [RowBindings] {
    let url = ConformanceRow.folder.appendingPathComponent("data/cel/\(name).jsonl")
    let text = try String(contentsOf: url, encoding: .utf8)
    return try text.split(separator: "\n").map { try JSONDecoder().decode(Self.self, from: Data($0.utf8)) }
  }
}

@Suite struct ConformanceTests {
  /// Rows that don't evaluate as they say on purpose, each with its reason. None in core.
  static let exceptions: Set<String> = [
    // Its pattern comes out of an expression; here patterns are compiled when a policy is loaded.
    "block_ext/basic/call"
  ]

  @Test(arguments: ["core", "extensions"])
  func everyRowEvaluates(_ name: String) throws {
    guard let rows = try ConformanceRow.rows(name) else {
      print("CEL conformance: \(name).jsonl isn't there, skipped")
      return
    }
    let bindings = try RowBindings.rows(name)
    #expect(rows.map(\.id) == bindings.map(\.id))
    var count = 0
    for (row, bound) in zip(rows, bindings) where row.file != "network_ext" && !Self.exceptions.contains(row.id) {
      count += 1
      let result = try outcome(row, bound.bindings.mapValues(\.value))
      let isAsStated =
        if row.kind == "value" { result == .bool(true) } else if case .failure = result { true } else { false }
      #expect(isAsStated, "\(row.id): \(row.assertExpression ?? row.expr) -> \(result)")
    }
    print("CEL conformance: \(count) rows of \(name).jsonl evaluated, \(rows.count - count) left out")
    #expect(count >= (name == "core" ? 1091 : 500))
  }

  /// A row that is refused counts as failed.
  private func outcome(_ row: ConformanceRow, _ bindings: [String: TestValue]) throws -> TestValue {
    var environment = try row.environment()
    for name in bindings.keys where environment.variables[name] == nil { environment.variables[name] = Variable(.dyn) }
    do {
      return try evaluate(row.assertExpression ?? row.expr, environment, bindings)
    } catch is Rejection {
      return .failure(.none)
    } catch is CELError {
      return .failure(.none)
    }
  }
}
