// `licet session`, and the commands that ask in one, against a licetd of the test's own.

import Foundation
import TestKit
import Testing

@Suite struct SessionCommandTests {
  private func licet(_ rig: Rig, _ words: String..., command: [String] = []) throws -> Run {
    try run(
      [program("licet")] + words + ["--address", rig.bus.addressText] + (command.isEmpty ? [] : ["--"] + command))
  }

  private func json(_ run: Run) throws -> [String: Any] {
    try #require(
      try JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [String: Any], "\(run.output)\(run.errors)")
  }

  @Test func aCommandRunsInOne() throws {
    do {
      let rig = try SessionTests.rig()
      let script = """
        echo "$LICET_SESSION"
        \(program("licet")) check --address \(rig.bus.addressText) --behavior rig.read; echo $?
        \(program("licet")) check --address \(rig.bus.addressText) --behavior rig.wish; echo $?
        exit 7
        """
      let ran = try licet(
        rig, "session", "open", "--user", "u1", "--set", "user.role=guest", "--set", "user.age=7", "--set-json",
        "user.tags=[\"a\"]", "--prefer", "rig.wish=allow", "--cap", "rig.never=deny", "--lifetime", "1h", "--cost", "5",
        "--dial", "0.1",
        command: ["sh", "-c", script])
      #expect(ran.status == 7, "\(ran.errors)")
      let lines = ran.output.split(separator: "\n").map(String.init)
      #expect(lines.first?.count == 32 && lines.contains("2") && lines.last == "0", "\(ran.output)")
      // It ended with the command.
      #expect(try rig.managed() == [])
      #expect(
        try licet(rig, "check", "--session", lines[0], "--behavior", "rig.read").errors.contains("[unknown-session]"))
      // A command that a signal ends.
      #expect(try licet(rig, "session", "open", command: ["sh", "-c", "kill -9 $$"]).status == 137)
      let missing = try licet(rig, "session", "open", command: ["/no/such/program"])
      #expect(missing.status == 66 && missing.errors.contains("can't be run"), "\(missing.errors)")
      #expect(try rig.managed() == [])
    }
  }

  @Test func termsComeFromAFileToo() throws {
    do {
      let rig = try SessionTests.rig()
      let file = rig.scratch.root.appendingPathComponent("terms.json").path
      try Data(
        #"{"user": {"id": "u1", "role": "member"}, "session": {"purpose": "x"}, "caps": {"rig": "ask"}, "behaviors": ["rig"], "resources": ["file:**"], "cost": 2, "lifetime-ms": 60000}"#
          .utf8
      ).write(to: URL(fileURLWithPath: file))
      let holder = try SessionHolder(rig, "--terms", file, "--set", "user.role=guest", "--cap", "rig=deny")
      let shown = try json(try licet(rig, "session", "show", "--session", holder.id, "--json"))
      let terms = try #require(shown["terms"] as? [String: Any])
      #expect((terms["user"] as? [String: String]) == ["id": "u1", "role": "guest"])
      #expect((terms["session"] as? [String: String]) == ["purpose": "x"])
      #expect((terms["caps"] as? [String: String]) == ["rig": "deny"])
      #expect(
        shown["cost"] as? Double == 2 && shown["operator"] as? String == "keeper" && shown["halted"] as? Bool == false)
      for (text, code) in [
        (#"{"usre": {}}"#, "unknown-key"), (#"{"user": 7}"#, "wrong-type"), (#"{"caps": {"rig": 7}}"#, "wrong-type"),
        (#"{"behaviors": "rig"}"#, "wrong-type"), (#"{"lifetime-ms": 1.5}"#, "wrong-type"),
        (#"{"dial": "x"}"#, "wrong-type"),
        (#"{"user": {"id": null}}"#, "wrong-type"), ("[]", "wrong-type"), ("{", "bad-json"),
        (#"{"dial": 1}"#, "bad-dial"),
        (#"{"cost": -1}"#, "bad-value"), (#"{"lifetime-ms": 0}"#, "bad-value"),
        (#"{"caps": {"rig": "no"}}"#, "bad-value"),
      ] {
        try Data(text.utf8).write(to: URL(fileURLWithPath: file))
        let refused = try licet(rig, "session", "open", "--terms", file, command: ["true"])
        #expect(refused.errors.contains("[\(code)]"), "\(text): \(refused.errors)")
      }
      for words in [
        ["--set", "request.count=1"], ["--prefer", "rig"], ["--cap", "rig=maybe"], ["--lifetime", "soon"],
        ["--lifetime=-1h"],
        ["--dial", "x"], ["--cost", "much"],
      ] {
        let refused = try run(
          [program("licet"), "session", "open", "--address", rig.bus.addressText] + words + ["--", "true"])
        #expect(refused.status == 64, "\(words): \(refused.errors)")
      }
    }
  }

  @Test func onesThatThereAreAreShownAndChanged() throws {
    do {
      let rig = try SessionTests.rig()
      #expect(try licet(rig, "session", "list").output == "there are no sessions\n")
      let parent = try SessionHolder(rig, "--user", "u1", "--cost", "3", "--lifetime", "2h")
      let delegated = Process()
      let output = Pipe()
      delegated.executableURL = URL(fileURLWithPath: program("licet"))
      delegated.arguments = [
        "session", "delegate", "--session", parent.id, "--cap", "rig.read=ask", "--address", rig.bus.addressText,
      ]
      delegated.standardOutput = output
      try delegated.run()
      defer {
        kill(delegated.processIdentifier, SIGKILL)
        delegated.waitUntilExit()
      }
      #expect(rig.waits { try rig.managed().count == 2 })
      let list = try licet(rig, "session", "list").output.split(separator: "\n").map(String.init)
      #expect(list.count == 2 && list[0].hasPrefix(parent.id) && list[1].contains("  keeper"), "\(list)")
      #expect(list[0].contains("running") && list[0].contains("spent 0 of 3") && list[0].contains("left"))
      let child = String(list[1].prefix(32))
      let all = try licet(rig, "session", "list", "--json")
      #expect(all.output.contains(#""parent": "\#(parent.id)""#), "\(all.output)")
      func checked(_ behavior: String, _ id: String) throws -> Int32 {
        try licet(rig, "check", "--session", id, "--behavior", behavior).status
      }
      #expect(try checked("rig.read", parent.id) == 0 && checked("rig.read", child) == 2)
      #expect(try licet(rig, "explain", "--session", child, "--behavior", "rig.read").output.contains("session"))
      #expect(try checked("rig.wish", parent.id) == 2)
      #expect(try licet(rig, "session", "prefer", "rig.wish", "allow", "--session", parent.id).status == 0)
      #expect(try checked("rig.wish", parent.id) == 0)
      #expect(try licet(rig, "session", "prefer", "rig.wish", "none", "--session", parent.id).status == 0)
      #expect(try checked("rig.wish", parent.id) == 2)
      #expect(try licet(rig, "session", "dial", "0.35", "--session", parent.id).output == "the dial is 0.35\n")
      #expect(try checked("rig.risky", parent.id) == 0)
      #expect(try licet(rig, "session", "dial", "0.9", "--session", parent.id).output == "the dial is 0.4\n")
      #expect(try licet(rig, "session", "dial", "1", "--session", parent.id).errors.contains("[bad-dial]"))
      #expect(try licet(rig, "session", "spend", "1.5", "--session", child).output == "1.5 is left\n")
      #expect(try licet(rig, "session", "spend", "--session", child, command: ["-1"]).status == 64)
      let page = try licet(rig, "session", "show", "--session", parent.id).output
      for words in ["running", "operator", "keeper", "1.5 of 3", "time left", "id=u1"] {
        #expect(page.contains(words), "\(page)")
      }
      // A batch is decided in it, too.
      let batch = rig.scratch.root.appendingPathComponent("batch.jsonl").path
      try Data(
        "{\"behavior\": \"rig.read\"}\n{\"behavior\": \"rig.never\"}\n{\"operator\": \"keeper\", \"behavior\": \"rig\"}\n"
          .utf8
      )
      .write(to: URL(fileURLWithPath: batch))
      let decided = try licet(rig, "check", "--session", child, "--batch", batch).output.split(separator: "\n")
      #expect(
        decided.count == 3 && decided[0].contains("\"ask\"") && decided[1].contains("\"deny\"")
          && decided[2].contains("conflicting-flags"), "\(decided)")
      // Stopped, for good, with all below.
      #expect(try licet(rig, "stop", "--session", parent.id).status == 0)
      #expect(try checked("rig.read", child) == 1)
      #expect(try licet(rig, "check", "--session", child, "--behavior", "rig.read").output.contains("is stopped"))
      #expect(try licet(rig, "session", "list").output.contains("session-stop"))
      #expect(try licet(rig, "status").output.contains("sessions    2"))
      #expect(try licet(rig, "session", "close", "--session", parent.id).status == 0)
      #expect(parent.status(rig) == 0)
      #expect(rig.waits { !delegated.isRunning })
      #expect(try rig.managed() == [])
    }
  }

  @Test func mistakesAreNamed() throws {
    do {
      let rig = try SessionTests.rig()
      let none = String(repeating: "0", count: 32)
      let holder = try SessionHolder(rig)
      let cases: [([String], String, Int32)] = [
        (["session", "show"], "bad-value", 64), (["session", "show", "--session", "x"], "bad-value", 64),
        (["session", "show", "--session", none], "unknown-session", 64),
        (["stop", "--session", none], "unknown-session", 64),
        (["stop", "--session", "x"], "bad-value", 64), (["stop", "--session", none, "--all"], "conflicting-flags", 64),
        (["session", "close", "--session", none], "unknown-session", 64),
        (["session", "prefer", "Rig", "deny", "--session", holder.id], "bad-name", 64),
        (["session", "prefer", "rig", "maybe", "--session", holder.id], "bad-value", 64),
        (["session", "open", "--operator", "nobody-knows"], "unknown-operator", 64),
        (["check", "--session", holder.id, "--operator", "keeper", "--behavior", "rig"], "conflicting-flags", 64),
        (["check", "--session", holder.id, "--behavior", "rig", "--dial", "0.1"], "bad-value", 64),
      ]
      for (words, code, status) in cases {
        let refused = try run([program("licet")] + words + ["--address", rig.bus.addressText, "--json"])
        #expect(refused.status == status && refused.output.contains("\"\(code)\""), "\(words): \(refused.output)")
      }
      let offline = try run([
        program("licet"), "check", "--session", holder.id, "--policy", rig.scratch.policy, "--behavior", "rig",
      ])
      #expect(offline.status == 64 && offline.errors.contains("[conflicting-flags]"))
    }
  }
}
