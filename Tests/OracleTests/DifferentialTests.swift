// The Oracle and the engine, which share no code, must give the same answer to everything: effect, obligations, what
// decided, each step of the trace, and the way.

import Oracle
import TestKit
import Testing

@Suite struct DifferentialTests {
  @Test func engineAgreesWithTheOracle() {
    // Half of an ordinary run's decisions are made here, by each.
    let counterexample = Trial.run(.engine, upTo: Trial.decisions / 2) { one, _, engine in
      let answers = (
        try engine(one.request),
        try Oracle.decide(one.request, platform: one.loaded.platform, operator: one.loaded.operator)
      )
      return answers.0 == answers.1 ? nil : Self.difference(answers.0, answers.1)
    }
    #expect(counterexample == nil, "\(counterexample?.description ?? "")")
  }

  static func difference(_ engine: OracleDecision, _ oracle: OracleDecision) -> String {
    var lines: [String] = ["the engine and the Oracle differ"]
    if engine.effect != oracle.effect { lines.append("effect: \(engine.effect) / \(oracle.effect)") }
    if engine.obligations != oracle.obligations {
      lines.append("obligations: \(engine.obligations) / \(oracle.obligations)")
    }
    if engine.decidedBy != oracle.decidedBy { lines.append("decided by: \(engine.decidedBy) / \(oracle.decidedBy)") }
    if engine.way != oracle.way {
      lines.append("way: \(engine.way.map { "\($0)" } ?? "-") / \(oracle.way.map { "\($0)" } ?? "-")")
    }
    for index in 0..<max(engine.trace.count, oracle.trace.count) {
      let pair = (engine.trace.dropFirst(index).first, oracle.trace.dropFirst(index).first)
      if pair.0 != pair.1 {
        lines.append("step \(index): \(pair.0.map { "\($0)" } ?? "-")\n  /  \(pair.1.map { "\($0)" } ?? "-")")
        break
      }
    }
    return lines.joined(separator: "\n")
  }
}
