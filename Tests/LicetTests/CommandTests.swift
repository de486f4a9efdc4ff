// The program from outside: exit codes, JSON, golden pages.

import Foundation
import Testing

@testable import licet

@Suite struct CommandTests {
  @Test(arguments: [("tool.file.read", 0), ("tool.payment.charge", 1), ("tool.file.delete", 2)] as [(String, Int32)])
  func checkExitsWithTheEffect(_ behavior: String, _ status: Int32) throws {
    let run = try licet(
      "check", "--policy", "examples", "--operator", "forge", "--behavior", behavior,
      "--set-json", #"request.args={"path": "/home/dev/x"}"#)
    #expect(run.status == status, "\(run.output)\(run.errors)")
  }

  @Test(
    arguments: [
      (["--operator", "forge"], "no-behavior", 64),
      (["--operator", "forgo", "--behavior", "tool"], "unknown-operator", 64),
      (["--behavior", "tool"], "no-operator", 64), (["--operator", "forge", "--behavior", "Tool"], "bad-name", 64),
      (["--operator", "forge", "--behavior", "tool", "--set", "request.amuont=1"], "unknown-attribute", 64),
      (["--operator", "forge", "--behavior", "tool", "--set", "request.recipients=1.5"], "wrong-type", 64),
      (["--operator", "forge", "--behavior", "tool", "--set-json", "request.args={"], "bad-json", 65),
      (["--operator", "forge", "--behavior", "tool", "--source", "usr"], "bad-value", 64),
      (["--operator", "forge", "--behavior", "tool", "--dial", "1"], "bad-dial", 64),
      (["--operator", "forge", "--behavior", "tool", "--dial", "much"], "bad-dial", 64),
      (["--operator", "forge", "--behavior", "tool", "--image", "x"], "conflicting-flags", 64),
      (["--request", "no-such-file.json"], "no-input", 66),
    ] as [([String], String, Int32)])
  func mistakesHaveACodeAndAnExit(_ flags: [String], _ code: String, _ status: Int32) throws {
    let process = try licetArray(["check", "--policy", "examples", "--json"] + flags)
    #expect(process.status == status)
    #expect(try JSONParser.parse(process.output)["error"]?["code"] == .string(code))
  }

  @Test func aBatchAnswersEveryLineInOrder() throws {
    let lines = """
      {"operator": "forge", "behavior": "tool.git.commit"}
      {"operator": "forge", "behavior": "tool.git.commit", "request": {"amuont": 1}}
      {"operator": "forge", "behaviors": ["politics.persuade"], "argument": "please"}
      not json
      """
    let run = try licet("check", "--policy", "examples", "--batch", "-", input: lines)
    let answers = try run.output.split(separator: "\n").map { try JSONParser.parse(String($0)) }
    #expect(run.status == 64)
    #expect(answers.map { $0["effect"] } == [.string("allow"), nil, .string("deny"), nil])
    #expect(answers[1]["error"]?["at"] == .string("request.amuont"))
    #expect(answers[2]["way"]?["by"] == .string("nobody"))
    #expect(answers[3]["error"]?["code"] == .string("bad-json"))
  }

  @Test func anImageAnswersAsItsFolderDoes() throws {
    let folder = try TemporaryFolder()
    let image = folder.url.appending(path: "x.licet").path
    #expect(try licet("compile", "examples", "-o", image).status == 0)
    let flags = [
      "--operator", "cornershop", "--behavior", "tool.payment.refund", "--set", "request.amount=70", "--json",
    ]
    let now = ["--now", "2027-01-01T00:00:00Z"]
    let fromFolder = try licetArray(["explain", "--policy", "examples"] + flags + now)
    let fromImage = try licetArray(["explain", "--image", image] + flags + now)
    #expect(fromFolder.output == fromImage.output)
    try Data([1, 2, 3]).write(to: folder.url.appending(path: "x.licet"))
    #expect(try licetArray(["check", "--image", image] + flags).status == 65)
  }

  @Test func goldenExplanations() throws {
    let run = try licet(
      "explain", "--policy", "examples", "--operator", "cornershop", "--behavior", "tool.payment.refund",
      "--source", "user", "--set", "request.amount=20", "--set", "user.signed_in=true", "--argument", "urgent",
      "--now", "2027-02-01T00:00:00Z")
    try expectGolden(run.output, "explain-refund")
    let dial = try licet(
      "explain", "--policy", "examples", "--operator", "forge", "--behavior", "tool.file.write", "--dial", "0.25",
      "--set-json", #"request.args={"path": "/home/dev/app/a.swift"}"#, "--set", "session.workspace=/home/dev/app")
    try expectGolden(dial.output, "explain-dial")
    let absolute = try licet("explain", "--policy", "examples", "--operator", "forge", "--behavior", "harm.csam")
    try expectGolden(absolute.output, "explain-absolute")
    let audience = try licet(
      "explain", "--policy", "examples", "--operator", "hearthside", "--source", "user", "--behavior",
      "advice.medical.dangerous-dose")
    try expectGolden(audience.output, "explain-audience")
    let ascii = try licet(
      "explain", "--policy", "examples", "--operator", "forge", "--behavior", "tool.git.push",
      environment: ["LANG": "C"])
    #expect(ascii.output.utf8.allSatisfy { $0 < 0x80 })
  }

  @Test func goldenTreeAndScenarios() throws {
    try expectGolden(try licet("behaviors", "--policy", "examples").output, "behaviors")
    let run = try licet("test", "examples")
    #expect(run.status == 0)
    try expectGolden(run.output, "test-examples")
    let periods = try licet("test", "--policy", "examples/periods", "examples/periods/tests/scenarios.yaml")
    #expect(periods.status == 0 && periods.output.contains("7 of 7 cases passed; 0 rules not reached"))
  }

  /// A policy of its own in examples/, for one chapter.
  @Test(arguments: ["test", "validate", "lint"]) func theChapterOfCountersHoldsWhatItSays(_ command: String) throws {
    let run = try licet(command, "examples/counters")
    #expect(run.status == 0, "\(run.output)\(run.errors)")
  }

  @Test func sessionsExampleHolds() throws {
    let run = try licet("test", "--policy", "examples/sessions", "examples/sessions/tests/scenarios.yaml")
    #expect(run.status == 0 && run.output.contains("16 of 16"), "\(run.output)")
    #expect(try licet("lint", "--policy", "examples/sessions").status == 0)
  }

  /// What a session and suspicion say is told in words, and in JSON by keys of their own.
  @Test func sessionsAreExplained() throws {
    let folder = try TemporaryFolder()
    let terms = try folder.write(
      #"[{"behaviors": ["tool"], "dial": 0.4}, {"caps": {"tool.shell": "ask"}, "dial": 0.1}]"#, to: "terms.json")
    let asked = [
      "--policy", "examples/sessions", "--operator", "forge", "--behavior", "tool.shell", "--suspicion", "2.5",
      "--terms",
      terms,
    ]
    let text = try licetArray(["explain"] + asked).output
    for part in [
      "the session caps tool.shell at ask", "suspicion stands at 2.5: ask at most",
      "within the session's scope, by tool",
      "above the dial of 0.1, the session's", "wait 46 min, until suspicion has decayed",
      "It has to wait, and it takes more",
    ] { #expect(text.contains(part), "\(part)\n\(text)") }
    let json = try licetArray(["check", "--json"] + asked).output
    for part in [
      #""oversight": "dial""#, #""hold": "cap""#, #""term": "tool.shell""#, #""suspicion": 2.5"#, #""by": "wait""#,
      #""wait": "#,
    ] { #expect(json.contains(part), "\(part)\n\(json)") }
    let refused = try licetArray(["check"] + asked.dropLast() + ["/nowhere.json"])
    #expect(refused.status >= 64)
  }

  @Test(arguments: [
    (#"{"caps": {}}"#, "wrong-type"), (#"[{"cap": {}}]"#, "unknown-key"), (#"[{"caps": {"Tool": "ask"}}]"#, "bad-name"),
    (#"[{"caps": {"tool": "maybe"}}]"#, "bad-value"), (#"[{"dial": 1}]"#, "bad-dial"),
    (#"[{"behaviors": "tool"}]"#, "wrong-type"),
    (#"[{"resources": [""]}]"#, "bad-value"),
  ]) func badTermsAreNamed(_ terms: String, _ code: String) throws {
    let folder = try TemporaryFolder()
    let file = try folder.write(terms, to: "terms.json")
    let run = try licet(
      "check", "--policy", "examples/sessions", "--operator", "forge", "--behavior", "tool", "--terms", file)
    #expect(run.status >= 64 && (run.output + run.errors).contains("[\(code)]"), "\(run.output)\(run.errors)")
  }

  @Test func aFailingScenarioShowsWhyAndWhatIsNotReached() throws {
    let folder = try TemporaryFolder()
    _ = try folder.write("licet: 1\nlayer: platform\nname: p\nbehaviors: {a: {default: ask}}\n", to: "platform.yaml")
    _ = try folder.write(
      "licet: 1\nlayer: operator\nname: o\nrules:\n  - {deny: a, when: request.source == 'user'}\n",
      to: "operators.d/o.yaml")
    _ = try folder.write("licet-test: 1\ncases:\n  - {behavior: a, expect: deny}\n", to: "tests/x_test.yaml")
    let run = try licet("test", folder.url.path)
    #expect(run.status == 1)
    #expect(run.output.contains("expected the effect deny, got ask"))
    #expect(run.output.contains("operators.d/o.yaml:5  deny: a"))
  }

  @Test func aBrokenFileIsShownWithItsLine() throws {
    let folder = try TemporaryFolder()
    _ = try folder.write("licet: 1\nlayer: platform\nname: p\nbehaviours: {a: {default: ask}}\n", to: "platform.yaml")
    let run = try licet("validate", folder.url.path)
    #expect(run.status == 65)
    try expectGolden(run.output, "validate-unknown-key")
    #expect(try licet("check", "--policy", folder.url.path, "--behavior", "a").status == 65)
  }
}

private func licetArray(_ arguments: [String]) throws -> Run {
  try runLicet(arguments, input: nil, environment: [:])
}
