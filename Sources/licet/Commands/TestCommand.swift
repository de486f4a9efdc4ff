// `licet test`: scenarios beside a policy, and which rules none of them reaches.

import ArgumentParser
import Foundation
import Consultation
import Offline
import PolicyImage
import PolicyLanguage

struct TestCommand: LicetCommand {
  static let configuration = CommandConfiguration(
    commandName: "test",
    abstract: "Run the scenarios in *_test.yaml files and show what they don't reach.",
    discussion: """
      Runs every *_test.yaml below the policy folders, or the files and folders given. A file has `licet-test: 1` and \
      `cases`, each a request with what is expected of it; the clock stands at 2027-01-01T00:00:00Z unless the file \
      or case states `now`. A failing case is shown with its explanation. Then come the rules that no case reaches: \
      their condition was neither true nor failed in any. Exits with 1 if a case fails.
      """)

  @OptionGroup var policy: PolicyOptions
  @Argument(help: "Policy folders (without --policy), or with it scenario files and folders of them.")
  var paths: [String] = []
  @OptionGroup var format: FormatOptions

  func perform() throws(CommandError) -> Int32 {
    let takesFolders = policy.policy.isEmpty && policy.image == nil
    let source = try policy.source(takesFolders ? paths : [])
    let places = takesFolders || paths.isEmpty ? source.names : paths
    let files = places.flatMap(ScenarioFinder.files)
    guard !files.isEmpty else {
      throw CommandError(
        .noScenarios, "there is no *_test.yaml", at: places.joined(separator: ", "),
        hint: "docs/reference.md has the format; examples/tests has examples")
    }
    var run = try ScenarioRun(source)
    var counts: [(path: String, count: Int, failed: Int)] = []
    for path in files {
      let file = try ScenarioFile(path: path)
      let before = run.failures.count
      for scenario in file.scenarios { run.run(scenario) }
      counts.append((path, file.scenarios.count, run.failures.count - before))
    }
    if format.json {
      Output.line(ScenarioReport.json(run).pretty)
    } else {
      Output.text(ScenarioReport(style: .detected()).text(run, counts))
    }
    if !source.errors.isEmpty {
      Output.error("licet: the policy has errors; `licet validate` shows them")
      return Exit.data.rawValue
    }
    return run.failures.isEmpty ? 0 : 1
  }
}

enum ScenarioFinder {
  /// Scenario files at or below `path`, sorted. A folder below with a platform of its own is another policy.
  static func files(_ path: String) -> [String] {
    guard Files.isDirectory(path) else { return [path] }
    let all = FileManager.default.enumerator(atPath: path)?.compactMap { $0 as? String } ?? []
    let others = all.filter { $0.hasSuffix("/platform.yaml") }.map { $0.dropLast("platform.yaml".count) }
    let found = all.filter { name in !others.contains { name.hasPrefix($0) } }
    return found.filter { $0.hasSuffix("_test.yaml") && !$0.split(separator: "/").contains { $0.hasPrefix(".") } }
      .sorted().map { path.hasSuffix("/") ? path + $0 : "\(path)/\($0)" }
  }
}

struct ScenarioReport {
  let style: Style

  func text(_ run: ScenarioRun, _ counts: [(path: String, count: Int, failed: Int)]) -> String {
    var lines = counts.map { entry in
      let mark =
        entry.failed == 0 ? style.paint(style.glyph("✓", "ok"), .green) : style.paint(style.glyph("✗", "FAIL"), .red)
      let failed = entry.failed == 0 ? "" : ", \(entry.failed) failed"
      return "\(mark) \(entry.path): \(DiagnosticsText.count(entry.count, "case"))\(failed)"
    }
    for outcome in run.failures { lines += failure(outcome) }
    let unreached = run.unreached
    if !unreached.isEmpty {
      lines += ["", style.paint("Rules that no scenario reaches", .bold)]
      lines += unreached.map { "  \($0.place)  \(ScenarioReport.phrase($0))" }
    }
    let passed = run.outcomes.count - run.failures.count
    lines += [
      "",
      "\(passed) of \(DiagnosticsText.count(run.outcomes.count, "case")) passed; "
        + "\(DiagnosticsText.count(unreached.count, "rule")) not reached",
    ]
    return lines.joined(separator: "\n") + "\n"
  }

  private func failure(_ outcome: ScenarioOutcome) -> [String] {
    let scenario = outcome.scenario
    var lines = [
      "",
      style.paint(
        "\(scenario.location.file):\(scenario.location.line): \(harmless(scenario.name, unicode: style.unicode))",
        .bold, .red),
    ]
    lines += outcome.mismatches.map { "  \(harmless($0, unicode: style.unicode))" }
    if let answer = outcome.answer {
      let page = AnswerText(style: style).explanation(answer, scenario.form)
      lines +=
        [""]
        + page.split(separator: "\n", omittingEmptySubsequences: false).dropLast().map { $0.isEmpty ? "" : "    \($0)" }
    }
    return lines
  }

  /// "limit tool.shell.exec to ask": what a rule says, in a line.
  static func phrase(_ statement: StatementReference) -> String {
    let effect = statement.effect?.name ?? ""
    return switch statement.kind {
    case .setting: "\(effect): \(statement.behavior)"
    case .grant: "users-may: \(effect) for \(statement.behavior)"
    case .duty: "duty: \(statement.behavior) to \(effect)"
    case .limit: "limit: \(statement.behavior) to \(effect)"
    case nil: statement.behavior
    }
  }

  static func json(_ run: ScenarioRun) -> JSON {
    .fields([
      "passed": .int(Int64(run.outcomes.count - run.failures.count)), "failed": .int(Int64(run.failures.count)),
      "cases": .array(
        run.outcomes.map { outcome in
          .fields([
            "name": .string(outcome.scenario.name), "file": .string(outcome.scenario.location.file),
            "line": .int(Int64(outcome.scenario.location.line)), "passed": .bool(outcome.mismatches.isEmpty),
            "mismatches": .strings(outcome.mismatches), "decision": outcome.answer.map { AnswerJSON.json($0) },
            "error": outcome.error?.json["error"],
          ])
        }),
      "unreached": .array(
        run.unreached.map {
          .fields([
            "statement": .string($0.place), "rule": .string(phrase($0)), "condition": .optional($0.condition),
          ])
        }),
    ])
  }
}
