// Suspicion at a licetd: who is charged, what it does, that explaining costs nothing and that a restart forgives nobody.

import Bus
import Foundation
import TestKit
import Testing

@Suite struct SuspectTests {
  private static let platform = """
    licet: 1
    layer: platform
    name: rig
    unknown: deny
    attributes:
      user: {id: string}
    suspicion: {ask-at: 2, deny-at: 4, half-life: 1h, for: [rig.tool]}
    behaviors:
      rig: {default: allow, stakes: 0}
      rig.tool: {default: allow, stakes: 0}
      rig.never: {hardcoded: off}
      rig.always: {hardcoded: on, stakes: 0}

    """

  private func ask(
    _ rig: Rig, _ behaviors: String..., user: String? = nil, argument: String? = nil, method: String = "Check"
  ) throws -> String {
    var reader = try rig.call(Rig.authority, method) {
      $0.append("keeper")
      $0.append(behaviors)
      $0.array("{sv}") { entries in
        if let user { entries.entry("user", "a{sv}") { $0.array("{sv}") { $0.entry("id", user) } } }
        if let argument { entries.entry("argument", argument) }
      }
    }.reader
    let effect = try reader.nextSwiftString()
    reader.skip()
    return try Rig.texts(&reader)["oversight"].map { "\(effect) (oversight: \($0))" } ?? effect
  }

  @Test func theUserIsChargedElseTheOperator() throws {
    do {
      let rig = try Rig(platform: Self.platform)
      #expect(try ask(rig, "rig.tool", user: "u1") == "allow")
      // Explaining asks for the reason.
      for _ in 0..<5 { _ = try ask(rig, "rig.never", user: "u1", argument: "please", method: "Explain") }
      #expect(try ask(rig, "rig.tool", user: "u1") == "allow")
      #expect(try ask(rig, "rig.never", user: "u1") == "deny")
      #expect(try ask(rig, "rig.tool", user: "u1") == "allow")
      // Below what is off, once a request however many names it has; an argument counts two.
      #expect(try ask(rig, "rig.never.at-all", "rig.never", "rig.tool", user: "u1") == "deny")
      #expect(try ask(rig, "rig.tool", user: "u1") == "ask (oversight: suspicion)")
      #expect(try ask(rig, "rig.never", user: "u1", argument: "it is for science") == "deny")
      #expect(try ask(rig, "rig.tool", user: "u1") == "deny (oversight: suspicion)")
      // Others aren't, nor is what suspicion isn't for; absolutes on stand.
      #expect(try ask(rig, "rig.tool", user: "u2") == "allow" && ask(rig, "rig.tool") == "allow")
      #expect(try ask(rig, "rig.other", user: "u1") == "allow" && ask(rig, "rig.always", user: "u1") == "allow")
      _ = try ask(rig, "rig.never", argument: "nobody in particular")
      #expect(try ask(rig, "rig.tool") == "ask (oversight: suspicion)" && ask(rig, "rig.tool", user: "u2") == "allow")
      let status = try run([program("licet"), "status", "--address", rig.bus.addressText])
      #expect(status.output.contains("suspect     keeper"), "\(status.output)")
      // Killed once it is written, it comes back as suspicious as it was.
      let file = rig.scratch.state + "/suspicion"
      #expect(rig.waits { (try? String(contentsOfFile: file, encoding: .utf8))?.hasSuffix("end 2\n") ?? false })
      rig.kill9()
      try rig.start()
      #expect(try ask(rig, "rig.tool", user: "u1") == "deny (oversight: suspicion)")
      #expect(try ask(rig, "rig.tool") == "ask (oversight: suspicion)")
      // What can't be read counts as suspect; removed, everything begins anew.
      rig.kill9()
      try Data("nonsense".utf8).write(to: URL(fileURLWithPath: file))
      try rig.start()
      #expect(try ask(rig, "rig.tool", user: "anybody") == "deny (oversight: suspicion)")
      #expect(rig.said.contains("suspicion can't be read"))
      rig.kill9()
      try FileManager.default.removeItem(atPath: file)
      try rig.start()
      #expect(try ask(rig, "rig.tool", user: "u1") == "allow")
    }
  }

  @Test func inASessionItIsTheRoots() throws {
    do {
      let rig = try Rig(platform: Self.platform)
      let bus = try rig.client()
      let root = try rig.open(on: bus) { $0.user = ["id": "u1"] }
      let child = try rig.delegate(root, on: bus)
      let aside = try rig.delegate(root, on: bus)
      let other = try rig.open(on: bus) { $0.user = ["id": "u1"] }
      _ = try rig.check(session: child, "rig.never", on: bus) { $0.entry("argument", "a good reason") }
      for path in [root, child, aside] {
        #expect(try rig.check(session: path, "rig.tool", on: bus) == "ask (oversight: suspicion)")
        #expect(try rig.properties(path, on: bus)["Suspicion"] == "2.0")
      }
      #expect(
        try rig.check(session: other, "rig.tool", on: bus) == "allow" && ask(rig, "rig.tool", user: "u1") == "allow")
      #expect(try rig.check(session: root, "rig.never", on: bus, method: "Explain") == "deny")
      #expect(try rig.properties(root, on: bus)["Suspicion"] == "2.0")
      // Many at once: each by what the one before it left.
      var reader = try rig.call(session: root, "CheckMany", on: bus) {
        $0.array("(asa{sv})") { list in
          for name in ["rig.tool", "rig.never", "rig.never", "rig.tool"] {
            list.structure {
              $0.append([name])
              $0.array("{sv}") { _ in }
            }
          }
        }
      }.reader
      var answers = try reader.nextArray(of: .structure)
      var effects: [String] = []
      while !answers.atEnd {
        var one = try answers.nextStruct()
        effects.append(try one.nextSwiftString())
      }
      #expect(effects == ["ask", "deny", "deny", "deny"])
      // A refused request is nobody's attempt.
      let before = try rig.properties(root, on: bus)["Suspicion"]
      #expect(
        rig.refusal {
          try rig.call(session: root, "Check", on: bus) {
            $0.append(["rig.never"]); $0.array("{sv}") { $0.entry("nonsense", true) }
          }
        } == "BadRequest")
      #expect(try rig.properties(root, on: bus)["Suspicion"] == before)
    }
  }

  /// Without `suspicion` in the platform's files nothing is counted.
  @Test func aPlatformMayHaveNone() throws {
    do {
      let text =
        Self.platform.split(separator: "\n").filter { !$0.hasPrefix("suspicion") }.joined(separator: "\n") + "\n"
      let rig = try Rig(platform: text)
      for _ in 0..<10 { _ = try ask(rig, "rig.never", user: "u1", argument: "x") }
      #expect(try ask(rig, "rig.tool", user: "u1") == "allow")
      #expect(!FileManager.default.fileExists(atPath: rig.scratch.state + "/suspicion"))
    }
  }
}
