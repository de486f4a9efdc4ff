// P10: no policy, reload or decision can deny a human the ways out. Policies that try to forbid everything come into force
// (or don't) under open sessions; looking, stopping, closing and turning the dial down work all the same, for the session's
// user and for an administrator.

import Bus
import Foundation
import TestKit
import Testing

@Suite(.enabled(if: isRoot, "playing other users needs root")) struct WaysOutTests {
  private static let alpha = Rig.operatorFile("alpha", bind: "{user: nobody}")

  private enum Attempt {
    case platform(String)
    case noPlatform
    case noOperator
    case otherBinding
    case stopAll
  }

  private static let names = [
    "rig", "rig.read", "session", "session.close", "session.stop", "session.dial", "dial", "stop", "close", "admin",
    "admin.stop",
    "licet", "licet.session", "oversight", "oversight.stop", "org.licet", "inspect", "human", "human.stop",
  ]

  /// A platform that loads and forbids what it can.
  private static func forbidding(_ seed: UInt64) -> String {
    var random = SeededRandom(seed: seed)
    var (behaviors, rules) = ("", "")
    for name in names {
      switch random.below(3) {
      case 0: behaviors += "  \(name): {hardcoded: off}\n"
      case 1:
        behaviors += "  \(name): {default: deny, stakes: 1}\n"
        rules += "  - {limit: \(name), to: deny, tier: \(random.pick(["guideline", "ethics", "safety"]))}\n"
      default: behaviors += "  \(name): {default: deny}\n"
      }
    }
    let dial = random.pick(["0.000001", "0.1", "0.5"])
    return """
      licet: 1
      layer: platform
      name: forbidding
      unknown: deny
      groups: []
      dial: {default: \(dial), operators-may: \(dial), users-may: \(dial)}
      behaviors:
      \(behaviors)rules:
        - {limit: oversight, to: deny, tier: safety, when: "true"}
      \(rules)
      """
  }

  private static let attempts: [Attempt] =
    [
      .noPlatform, .noOperator, .otherBinding, .stopAll, .platform("nonsense: [\n"), .platform(""),
      .platform("licet: 1\nlayer: platform\nname: empty\n"),
    ] + (1...6).map { .platform(forbidding($0)) }

  private func make(_ attempt: Attempt, _ rig: Rig) throws {
    let (before, codes) = (try rig.generation(), try rig.diagnosticCodes())
    switch attempt {
    case .platform(let text): try rig.scratch.save("platform.yaml", text)
    case .noPlatform: try rig.scratch.remove("platform.yaml")
    case .noOperator: try rig.scratch.remove("operators.d/alpha.yaml")
    case .otherBinding:
      try rig.scratch.save("operators.d/alpha.yaml", Rig.operatorFile("alpha", bind: "{user: daemon}"))
    case .stopAll: _ = try rig.call(Rig.admin, "StopAll")
    }
    if case .stopAll = attempt { return }
    #expect(rig.waits { try rig.generation() != before || rig.diagnosticCodes() != codes }, "\(attempt)")
  }

  private func mend(_ rig: Rig) throws {
    _ = try rig.call(Rig.admin, "ResumeAll")
    try rig.scratch.save("platform.yaml", Rig.platform)
    try rig.scratch.save("operators.d/alpha.yaml", Self.alpha)
    _ = try rig.call(Rig.admin, "Reload")
  }

  @Test func nothingTakesThemAway() throws {
    do {
      let rig = try Rig(operators: ["alpha": Self.alpha])
      for attempt in Self.attempts {
        let (mine, theirs) = (try SessionHolder(rig, as: "nobody"), try SessionHolder(rig, as: "nobody"))
        try make(attempt, rig)
        func asUser(_ words: String...) throws -> Run {
          try run(
            ["/usr/bin/busctl", "--address=\(rig.bus.addressText)"] + words, user: "nobody")
        }
        func call(_ session: SessionHolder, _ words: String...) throws -> Run {
          try run(
            [
              "/usr/bin/busctl", "--address=\(rig.bus.addressText)", "call", "org.licet.Licet1", session.path,
              Rig.session,
            ]
              + words, user: "nobody")
        }
        // Its user: looks, turns the dial down, stops, closes.
        let seen = try asUser("get-property", "org.licet.Licet1", mine.path, Rig.session, "Operator")
        #expect(seen.output == "s \"alpha\"\n", "\(attempt): \(seen.errors)")
        for words in [["SetDial", "d", "0.00001"], ["Spend", "d", "1"], ["Stop"]] {
          let done = try run(
            ["/usr/bin/busctl", "--address=\(rig.bus.addressText)", "call", "org.licet.Licet1", mine.path, Rig.session]
              + words,
            user: "nobody")
          #expect(done.status == 0, "\(attempt) \(words): \(done.errors)")
        }
        #expect(try asUser("get-property", "org.licet.Licet1", mine.path, Rig.session, "Halted").output == "b true\n")
        // What it asks is denied at the most, absolutes on excepted: nothing is loosened by the way out.
        let check = try call(mine, "Check", "asa{sv}", "1", "rig.read", "0")
        #expect(!check.output.contains("allow"), "\(attempt): \(check.output)")
        #expect(try call(mine, "Close").status == 0, "\(attempt)")
        #expect(try call(mine, "Close").errors.contains("no such session"), "\(attempt)")
        // An administrator: the same, and finds it.
        #expect(try rig.managed() == [theirs.path], "\(attempt)")
        #expect(try rig.properties(theirs.path)["Halted"] != nil)
        try rig.call(session: theirs.path, "SetDial") { $0.append(0.000_01) }
        try rig.call(session: theirs.path, "Stop")
        #expect(try rig.properties(theirs.path)["Halted"] == "true")
        _ = try rig.call(Rig.admin, "StopSession") { $0.append(theirs.id) }
        try rig.call(session: theirs.path, "Close")
        #expect(try rig.managed() == [])
        #expect(theirs.status(rig) == 0, "\(attempt)")
        try mend(rig)
      }
    }
  }

  /// However much its user asks, these few are answered.
  @Test func aFloodDoesNotDrownThem() throws {
    do {
      let rig = try Rig(
        operators: ["keeper": Rig.operatorFile("keeper", bind: "{user: \(ownName)}")], arguments: ["--rate", "20"])
      let bus = try rig.client()
      let session = try rig.open(on: bus)
      #expect(
        rig.waits {
          rig.refusal {
            try rig.call(session: session, "Explain", on: bus) {
              $0.append(["rig.read"]); $0.array("{sv}") { _ in }
            }
          } == "LimitsExceeded"
        })
      for _ in 0..<50 { try rig.call(session: session, "SetDial", on: bus) { $0.append(0.01) } }
      try rig.call(session: session, "Stop", on: bus)
      try rig.call(session: session, "Close", on: bus)
    }
  }

  /// Raising is for who may: neither an administrator nor a user who isn't bound any more.
  @Test func outIsNotUp() throws {
    do {
      let rig = try Rig(operators: ["alpha": Self.alpha])
      let session = try SessionHolder(rig, as: "nobody", "--dial", "0.05")
      #expect(try rig.properties(session.path)["Dial"] == "0.05")
      #expect(rig.refusal { try rig.call(session: session.path, "SetDial") { $0.append(0.06) } } == "ForeignSession")
      try rig.call(session: session.path, "SetDial") { $0.append(0.04) }
      #expect(try rig.properties(session.path)["Dial"] == "0.04")
      let asked: [(String, (inout MessageWriter) -> Void)] = [
        (
          "Check",
          {
            $0.append(["rig.read"]); $0.array("{sv}") { _ in }
          }
        ), ("CheckMany", { $0.array("(asa{sv})") { _ in } }),
        ("Delegate", { $0.array("{sv}") { _ in } }), ("Spend", { $0.append(1.0) }),
        (
          "SetPreference",
          {
            $0.append("rig"); $0.append("deny")
          }
        ),
      ]
      for (member, write) in asked {
        #expect(rig.refusal { try rig.call(session: session.path, member, write) } == "ForeignSession", "\(member)")
      }
      // To look at why is an administrator's as well.
      #expect(try rig.check(session: session.path, "rig.read", method: "Explain") == "allow")
    }
  }
}
