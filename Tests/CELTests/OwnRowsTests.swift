// Expressions that stand in no list: random ones, with what another implementation of CEL makes of them
// (tools/generate-cel-rows.py), through the front end, the code generator and the evaluator.

import CEL
import Decision
import Foundation
import TestKit
import Testing

@Suite struct OwnRowsTests {
  private struct Row: Decodable {
    var expr: String
    var kind: String
    var assert_expr: String
  }

  @Test func everyRowComesOutTheSame() throws {
    let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appendingPathComponent("Fixtures/cel/own.jsonl")
    let rows = try String(contentsOf: file, encoding: .utf8).split(separator: "\n").map {
      try JSONDecoder().decode(Row.self, from: Data($0.utf8))
    }
    #expect(rows.count > 3000)
    for row in rows {
      let result = outcome(row.assert_expr)
      if row.kind == "value" {
        #expect(result == .bool(true), "\(row.assert_expr) -> \(result)")
      } else if case .failure = result {
      } else {
        Issue.record("\(row.expr) -> \(result), should fail")
      }
    }
  }

  private func outcome(_ expression: String) -> TestValue {
    (try? evaluate(expression, Environment(variables: [:]), [:])) ?? .failure(.none)
  }
}
