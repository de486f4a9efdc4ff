// Scenarios against a policy: what came out, and which rules no scenario reached.

import Decision
import Consultation
import Offline
import PolicyImage

struct ScenarioOutcome {
  var scenario: Scenario
  /// nil: the request was refused.
  var answer: Answer?
  var error: CommandError?
  /// What is not as expected, a sentence each; empty: it passed.
  var mismatches: [String]
}

struct ScenarioRun {
  private(set) var outcomes: [ScenarioOutcome] = []
  private var reached: Set<Reached> = []
  private let source: PolicySource
  private let policy: OfflinePolicy
  private let table: AttributeTable

  private struct Reached: Hashable {
    /// nil: the platform.
    var `operator`: String?
    var index: Int
  }

  init(_ source: PolicySource) throws(CommandError) {
    self.source = source
    policy = try source.requirePolicy()
    table = AttributeTable(policy)
  }

  mutating func run(_ scenario: Scenario) {
    var outcome = ScenarioOutcome(scenario: scenario, answer: nil, error: nil, mismatches: [])
    do throws(CommandError) {
      let name = try source.resolve(operator: scenario.form.operatorName)
      let answer = try source.answer(scenario.form, table, now: ScenarioFile.defaultNow, explaining: true)
      outcome.answer = answer
      outcome.mismatches = scenario.expectation.mismatches(answer)
      for line in answer.trace where line.truth != .no { reach(line.statement, name) }
    } catch {
      outcome.error = error
      if error.code.rawValue != scenario.expectation.error {
        outcome.mismatches = ["the request is refused: \(error.message) [\(error.code.rawValue)]"]
      }
    }
    outcomes.append(outcome)
  }

  private mutating func reach(_ statement: StatementReference?, _ name: String) {
    guard let statement, statement.form == .rule else { return }
    reached.insert(Reached(operator: statement.layer == .platform ? nil : name, index: statement.index))
  }

  /// Rules whose condition was neither true nor failed in any scenario, in the order of files and lines.
  var unreached: [StatementReference] {
    let layers = [nil] + policy.operators.map(Optional.some)
    return layers.flatMap { name in
      policy.statements(of: name).filter {
        $0.form == .rule && !reached.contains(Reached(operator: name, index: $0.index))
      }
    }.sorted { ($0.file, $0.line) < ($1.file, $1.line) }
  }

  var failures: [ScenarioOutcome] { outcomes.filter { !$0.mismatches.isEmpty } }
}
