// Sessions over a private bus: what they hold, who may use them, how they end.

import Bus
import Foundation
import TestKit
import Testing

@Suite struct SessionTests {
  static let platform = """
    licet: 1
    layer: platform
    name: rig
    unknown: deny
    attributes:
      user: {id: string, role: {enum: [guest, member]}, age: int, tags: list<string>, seal: {type: string, verified: true}}
      request: {count: int}
      session: {purpose: string}
    dial: {default: 0.2, operators-may: 0.4, users-may: 0.4}
    behaviors:
      rig: {default: deny, operators-may: allow, users-may: allow, stakes: 0}
      rig.read: {default: deny, operators-may: allow, stakes: 0}
      rig.wish: {default: ask, operators-may: allow, users-may: allow, stakes: 0}
      rig.risky: {default: allow, stakes: 0.3}
      rig.never: {hardcoded: off}
      rig.always: {hardcoded: on, stakes: 0}
    rules:
      - {limit: rig.read, to: ask, tier: safety, when: 'has(user.role) && user.role == "guest"'}
      - {limit: rig.read, to: ask, tier: safety, when: 'has(session.purpose) && session.purpose == "test"'}

    """

  static func rig(operators: [String: String]? = nil, arguments: [String] = []) throws -> Rig {
    try Rig(platform: platform, operators: operators, arguments: arguments)
  }

  @Test func whatItHoldsIsTheRequests() throws {
    do {
      let rig = try Self.rig()
      let bus = try rig.client()
      let plain = try rig.open(on: bus)
      #expect(plain.hasPrefix("/org/licet/Licet1/session/") && plain.count == 26 + 32)
      #expect(try rig.check(session: plain, "rig.read") == "allow")
      let guest = try rig.open(on: bus) { $0.user = ["id": "u1", "role": "guest"] }
      #expect(try rig.check(session: guest, "rig.read") == "ask")
      // What the session says can't be said anew; what it doesn't say can.
      let refusal = rig.refusal {
        try rig.call(session: guest, "Check", on: bus) {
          $0.append(["rig.read"])
          $0.array("{sv}") { $0.entry("user", "a{sv}") { $0.array("{sv}") { $0.entry("role", "member") } } }
        }
      }
      #expect(refusal == "BadRequest")
      #expect(
        try rig.check(session: plain, "rig.read", on: bus) {
          $0.entry("user", "a{sv}") { $0.array("{sv}") { $0.entry("role", "guest") } }
        } == "ask")
      let purpose = try rig.open(on: bus) {
        $0.more = { $0.entry("session", "a{sv}") { $0.array("{sv}") { $0.entry("purpose", "test") } } }
      }
      #expect(try rig.check(session: purpose, "rig.read") == "ask")
      // A delegate's attributes are its root's.
      #expect(try rig.check(session: try rig.delegate(guest, on: bus), "rig.read") == "ask")
      let many = try rig.call(session: guest, "CheckMany", on: bus) {
        $0.array("(asa{sv})") { list in
          for name in ["rig.read", "rig.wish"] {
            list.structure {
              $0.append([name])
              $0.array("{sv}") { _ in }
            }
          }
        }
      }
      var reader = many.reader
      var answers = try reader.nextArray(of: .structure)
      var effects: [String] = []
      while !answers.atEnd {
        var one = try answers.nextStruct()
        effects.append(try one.nextSwiftString())
      }
      #expect(effects == ["ask", "ask"])
    }
  }

  @Test func preferencesCapsScopesAndResources() throws {
    do {
      let rig = try Self.rig()
      let bus = try rig.client()
      let session = try rig.open(on: bus) { $0.preferences = ["rig.wish": "allow"] }
      #expect(try rig.check(session: session, "rig.wish") == "allow")
      for (effect, expected) in [("deny", "deny"), ("ask", "ask"), ("", "ask"), ("allow", "allow")] {
        try rig.call(session: session, "SetPreference", on: bus) {
          $0.append("rig.wish")
          $0.append(effect)
        }
        #expect(try rig.check(session: session, "rig.wish").hasPrefix(expected))
      }
      let capped = try rig.open(on: bus) { $0.caps = ["rig": "ask"] }
      #expect(try rig.check(session: capped, "rig.read") == "ask (oversight: session)")
      let scoped = try rig.open(on: bus) { $0.behaviors = ["rig.wish"] }
      #expect(try rig.check(session: scoped, "rig.read") == "deny (oversight: session)")
      #expect(try rig.check(session: scoped, "rig.wish") == "ask")
      #expect(try rig.check(session: try rig.open(on: bus) { $0.behaviors = [] }, "rig.read").hasPrefix("deny"))
      let bound = try rig.open(on: bus) { $0.resources = ["file:/work/**"] }
      #expect(try rig.check(session: bound, "rig.read") { $0.entry("resource", "file:/work/a") } == "allow")
      #expect(try rig.check(session: bound, "rig.read") { $0.entry("resource", "file:/etc/a") }.hasPrefix("deny"))
      // No session moves what is absolute.
      #expect(try rig.check(session: scoped, "rig.always") == "allow")
      #expect(try rig.check(session: session, "rig.never") == "deny")
    }
  }

  @Test func theDialIsSettled() throws {
    do {
      let rig = try Self.rig()
      let bus = try rig.client()
      let session = try rig.open(on: bus)
      #expect(try rig.check(session: session, "rig.risky") == "ask (oversight: dial)")
      #expect(try rig.properties(session)["Dial"] == "0.2")
      func set(_ dial: Double) throws -> String? {
        rig.refusal { try rig.call(session: session, "SetDial", on: bus) { $0.append(dial) } }
      }
      #expect(try set(0.35) == nil)
      #expect(try rig.check(session: session, "rig.risky") == "allow")
      // As far as the policy lets it.
      #expect(try set(0.9) == nil)
      #expect(try rig.properties(session)["Dial"] == "0.4")
      let child = try rig.delegate(session, on: bus) { $0.dial = 0.25 }
      #expect(try rig.properties(child)["Dial"] == "0.25")
      #expect(try rig.check(session: child, "rig.risky") == "ask (oversight: dial)")
      try rig.call(session: child, "SetDial", on: bus) { $0.append(0.99) }
      #expect(try rig.properties(child)["Dial"] == "0.4")
      #expect(try set(0.1) == nil)
      #expect(try rig.properties(child)["Dial"] == "0.1")
      for wrong in [0, 1, -0.1, 1.5, .nan, .infinity, 1e-9] { #expect(try set(wrong) == "BadDial") }
    }
  }

  @Test func badTermsAreNamed() throws {
    do {
      let rig = try Self.rig()
      let bus = try rig.client()
      let parent = try rig.open(on: bus)
      func refused(_ set: @escaping (inout Rig.Terms) -> Void) -> [String?] {
        [
          rig.refusal {
            _ = try rig.open(on: bus, set); return Message(call: "A", of: nil, at: "/", to: nil)
          },
          rig.refusal {
            _ = try rig.delegate(parent, on: bus, set); return Message(call: "A", of: nil, at: "/", to: nil)
          },
        ]
      }
      let cases: [(String, (inout Rig.Terms) -> Void)] = [
        ("BadDial", { $0.dial = 1 }), ("BadDial", { $0.dial = 0 }), ("BadDial", { $0.dial = .nan }),
        ("BadCost", { $0.cost = -1 }), ("BadCost", { $0.cost = .nan }), ("BadCost", { $0.cost = .infinity }),
        ("BadCost", { $0.cost = 0 }), ("BadTime", { $0.lifetime = 0 }), ("BadName", { $0.caps = ["Rig": "ask"] }),
        ("BadName", { $0.behaviors = ["rig..x"] }), ("BadRequest", { $0.caps = ["rig": "maybe"] }),
        ("BadRequest", { $0.resources = [""] }), ("WrongType", { $0.more = { $0.entry("dial", "0.1") } }),
        ("WrongType", { $0.more = { $0.entry("behaviors", "rig") } }),
        ("WrongType", { $0.more = { $0.entry("lifetime-ms", "x") { $0.append(Int64(5)) } } }),
        (
          "BadRequest",
          { t in
            t.dial = 0.1; t.more = { $0.entry("dial", 0.2) }
          }
        ),
        ("BadRequest", { $0.more = { $0.entry("budget", 2.0) } }),
        ("TooMany", { t in for i in 0..<1025 { t.caps["c\(i)"] = "ask" } }),
      ]
      for (error, set) in cases { #expect(refused(set) == [error, error], "\(error)") }
      // Attributes: as of a request, and of a root alone.
      let attributes: [(String, (inout MessageWriter) -> Void)] = [
        ("UnknownAttribute", { $0.entry("roel", "guest") }), ("WrongType", { $0.entry("role", "king") }),
        ("WrongType", { $0.entry("age", "old") }), ("VerifiedAttribute", { $0.entry("seal", "x") }),
      ]
      for (error, write) in attributes {
        #expect(
          refused { $0.more = { $0.entry("user", "a{sv}") { $0.array("{sv}", write) } } } == [error, "BadRequest"])
      }
      // The word that was meant.
      do {
        _ = try rig.open(on: bus) { $0.more = { $0.entry("lifetime", UInt64(5)) } }
        Issue.record("an unknown key is refused")
      } catch let error as BusError { #expect(error.text.contains("did you mean `lifetime-ms`?")) }
      #expect(try rig.managed() == [parent])
    }
  }

  @Test func unknownAndEnded() throws {
    do {
      let rig = try Self.rig()
      let bus = try rig.client()
      let session = try rig.open(on: bus)
      let none = "/org/licet/Licet1/session/" + String(repeating: "0", count: 32)
      func all(_ path: String) -> [String?] {
        [
          rig.refusal {
            try rig.call(session: path, "Check", on: bus) {
              $0.append(["rig.read"]); $0.array("{sv}") { _ in }
            }
          },
          rig.refusal {
            try rig.call(session: path, "Explain", on: bus) {
              $0.append(["rig.read"]); $0.array("{sv}") { _ in }
            }
          },
          rig.refusal { try rig.call(session: path, "CheckMany", on: bus) { $0.array("(asa{sv})") { _ in } } },
          rig.refusal {
            try rig.call(session: path, "SetPreference", on: bus) {
              $0.append("rig"); $0.append("deny")
            }
          },
          rig.refusal { try rig.call(session: path, "SetDial", on: bus) { $0.append(0.1) } },
          rig.refusal { try rig.call(session: path, "Delegate", on: bus) { $0.array("{sv}") { _ in } } },
          rig.refusal { try rig.call(session: path, "Spend", on: bus) { $0.append(1.0) } },
          rig.refusal { try rig.call(session: path, "Stop", on: bus) },
          rig.refusal {
            try rig.call(session: path, "GetAll", on: bus, interface: "org.freedesktop.DBus.Properties") {
              $0.append(Rig.session)
            }
          },
          rig.refusal { try rig.call(session: path, "Close", on: bus) },
        ]
      }
      #expect(all(session) == Array(repeating: nil, count: 10))
      #expect(all(session) == Array(repeating: "UnknownSession", count: 10))
      #expect(all(none) == Array(repeating: "UnknownSession", count: 10))
      for path in [
        "/org/licet/Licet1/session/0", none + "0", none.replacingOccurrences(of: "00", with: "0G"), none + "/a",
      ] {
        #expect(
          rig.refusal { try rig.call(session: path, "Close", on: bus) } == "org.freedesktop.DBus.Error.UnknownObject")
      }
      #expect(
        rig.refusal { try rig.call(Rig.admin, "StopSession", on: bus) { $0.append(String(repeating: "0", count: 32)) } }
          == "UnknownSession")
      #expect(rig.refusal { try rig.call(Rig.admin, "StopSession", on: bus) { $0.append("x") } } == "UnknownSession")
      #expect(
        rig.refusal {
          _ = try rig.open("nobody-knows", on: bus); return Message(call: "A", of: nil, at: "/", to: nil)
        }
          == "UnknownOperator")
    }
  }

  @Test func itEndsWithItsOwner() throws {
    do {
      let rig = try Self.rig()
      let kept = try rig.client()
      let outer = try rig.open(on: kept)
      var inner = ""
      var grandchild = ""
      do {
        let bus = try rig.client()
        let own = try rig.open(on: bus)
        inner = try rig.delegate(outer, on: bus)
        grandchild = try rig.delegate(inner, on: kept)
        #expect(try rig.managed().count == 4)
        // From any connection of its user.
        #expect(try rig.check(session: own, "rig.read", on: kept) == "allow")
        withExtendedLifetime(bus) {}
      }
      #expect(rig.waits { try rig.managed() == [outer] })
      for path in [inner, grandchild] {
        #expect(rig.refusal { try rig.call(session: path, "Close", on: kept) } == "UnknownSession")
      }
      // And with licetd.
      rig.kill9()
      try rig.start()
      #expect(rig.refusal { try rig.call(session: outer, "Close") } == "UnknownSession")
      #expect(try rig.managed() == [])
    }
  }

  @Test func aTreeIsStoppedAtOnce() throws {
    do {
      let rig = try Self.rig()
      let bus = try rig.client()
      let root = try rig.open(on: bus)
      var all = [root]
      for _ in 0..<1000 { all.append(try rig.delegate(all[all.count - 1], on: bus) { $0.caps = ["rig.wish": "ask"] }) }
      let aside = try rig.delegate(all[400], on: bus)
      #expect(try rig.check(session: all[1000], "rig.read", on: bus) == "allow")
      _ = try rig.call(Rig.admin, "StopSession", on: bus) { $0.append(String(all[500].suffix(32))) }
      for path in [all[500], all[501], all[1000]] {
        #expect(try rig.check(session: path, "rig.read", on: bus) == "deny (oversight: halt)")
        #expect(try rig.check(session: path, "rig.always", on: bus) == "allow")
        #expect(try rig.properties(path, on: bus)["Halted"] == "true")
      }
      for path in [root, all[499], aside] {
        #expect(try rig.check(session: path, "rig.read", on: bus) == "allow")
      }
      try rig.call(session: root, "Stop", on: bus)
      #expect(try rig.check(session: aside, "rig.read", on: bus) == "deny (oversight: halt)")
      try rig.call(session: root, "Close", on: bus)
      #expect(try rig.managed() == [])
    }
  }

  @Test func timeAndCostHaltIt() throws {
    do {
      let rig = try Self.rig()
      let bus = try rig.client()
      let brief = try rig.open(on: bus) { $0.lifetime = 300 }
      let below = try rig.delegate(brief, on: bus) { $0.lifetime = 3_600_000 }
      #expect(try rig.check(session: brief, "rig.read", on: bus) == "allow")
      #expect(rig.waits { try rig.check(session: below, "rig.read", on: bus) == "deny (oversight: halt)" })
      #expect(
        rig.refusal { try rig.call(session: brief, "Delegate", on: bus) { $0.array("{sv}") { _ in } } }
          == "SessionExpired")
      #expect(try rig.properties(brief)["Halted"] == "true")
      let session = try rig.open(on: bus) { $0.cost = 2.5 }
      let child = try rig.delegate(session, on: bus)
      func spend(_ cost: Double) throws -> Double {
        var reader = try rig.call(session: child, "Spend", on: bus) { $0.append(cost) }.reader
        return try reader.nextDouble()
      }
      #expect(try spend(1) == 1.5)
      #expect(try rig.check(session: child, "rig.read", on: bus) == "allow")
      for wrong in [-1, .nan, .infinity] {
        #expect(rig.refusal { try rig.call(session: child, "Spend", on: bus) { $0.append(wrong) } } == "BadCost")
      }
      #expect(try spend(1.5) == 0)
      for path in [session, child] {
        #expect(try rig.check(session: path, "rig.read", on: bus) == "deny (oversight: halt)")
      }
      #expect(try rig.properties(child)["Spent"] == "2.5" && rig.properties(session)["Cost"] == "2.5")
      #expect(try rig.properties(child)["Cost"] == "inf")
    }
  }

  @Test func whatIsToBeSeen() throws {
    do {
      let rig = try Self.rig()
      let bus = try rig.client()
      let session = try rig.open(on: bus) {
        $0.user = ["id": "u1"]
        $0.lifetime = 3_600_000
        $0.caps = ["rig": "ask"]
      }
      let child = try rig.delegate(session, on: bus)
      let seen = try rig.properties(session)
      #expect(seen["Operator"] == "keeper" && seen["User"] == "\(getuid())" && seen["Parent"] == "/")
      #expect(seen["Halted"] == "false" && seen["Suspicion"] == "0.0" && seen["Terms"] == "a{sv}")
      let left = (Int64(seen["Expires"] ?? "") ?? 0) - Int64(Date().timeIntervalSince1970)
      #expect((3590...3601).contains(left))
      #expect(try rig.properties(child)["Parent"] == session)
      #expect(
        Set(seen.keys) == [
          "Operator", "User", "Parent", "Dial", "Spent", "Cost", "Expires", "Suspicion", "Halted", "Halts", "Terms",
        ])
      #expect(try rig.managed() == [session, child])
      // A path above them names them.
      let tree = try run(["/usr/bin/busctl", "--address=\(rig.bus.addressText)", "tree", "--list", "org.licet.Licet1"])
      #expect(tree.output.contains(session) && tree.output.contains(child), "\(tree.output)")
      let terms = try run([
        "/usr/bin/busctl", "--address=\(rig.bus.addressText)", "get-property", "org.licet.Licet1", session, Rig.session,
        "Terms",
      ])
      #expect(terms.output == "a{sv} 2 \"user\" a{sv} 1 \"id\" s \"u1\" \"caps\" a{ss} 1 \"rig\" \"ask\"\n")
    }
  }

  /// What the platform no longer declares, or of another type, isn't given any more: that never loosens.
  @Test func aReloadMayForgetAttributes() throws {
    do {
      let rig = try Self.rig()
      let bus = try rig.client()
      let session = try rig.open(on: bus) { $0.user = ["role": "member"] }
      let before = try rig.generation()
      let other = Self.platform.replacingOccurrences(
        of: "role: {enum: [guest, member]}", with: "role: {enum: [guest, other]}"
      )
      .replacingOccurrences(of: "has(user.role) && user.role == \"guest\"", with: "user.role == \"guest\"")
      try rig.scratch.save("platform.yaml", other)
      #expect(rig.waits { try rig.generation() > before })
      #expect(try rig.check(session: session, "rig.read", on: bus) == "ask")
      try rig.scratch.remove("operators.d/keeper.yaml")
      #expect(
        rig.waits {
          rig.refusal {
            try rig.call(session: session, "Check", on: bus) {
              $0.append(["rig.read"]); $0.array("{sv}") { _ in }
            }
          } == "NotBound"
        })
      // The ways out need no binding.
      try rig.call(session: session, "SetDial", on: bus) { $0.append(0.01) }
      #expect(rig.refusal { try rig.call(session: session, "SetDial", on: bus) { $0.append(0.2) } } == "NotBound")
      try rig.call(session: session, "Stop", on: bus)
      try rig.call(session: session, "Close", on: bus)
    }
  }

  /// Who leaves before it is known who asks leaves nothing behind.
  @Test func whoLeavesAtOnceLeavesNothing() throws {
    do {
      let rig = try Self.rig()
      for _ in 0..<100 {
        let bus = try rig.client()
        let call = Message(call: "OpenSession", of: Rig.authority, at: "/org/licet/Licet1", to: "org.licet.Licet1").with
        {
          $0.append("keeper")
          Rig.Terms().write(&$0)
        }
        _ = try? bus.call(call, timeoutNanoseconds: 1)
      }
      // A question that is answered comes after all of them.
      #expect(try rig.check() == "allow")
      #expect(rig.waits { try rig.managed() == [] })
    }
  }

  /// Subscribers are told of what they may know of.
  @Test func openingAndEndingAreTold() throws {
    do {
      let rig = try Self.rig()
      let (bus, listener) = (try rig.client(), try rig.client())
      _ = try rig.call(Rig.authority, "Subscribe", on: listener) { $0.append(["sessions"]) }
      let session = try rig.open(on: bus)
      let child = try rig.delegate(session, on: bus)
      try rig.call(session: session, "Close", on: bus)
      var heard: [String] = []
      while heard.count < 4, let signal = try listener.nextSignal(timeoutNanoseconds: 5_000_000_000) {
        guard let member = signal.member, member.hasPrefix("Interfaces") else { continue }
        var reader = signal.reader
        heard.append("\(member) \(String(decoding: try reader.nextObjectPath(), as: UTF8.self))")
      }
      #expect(heard.prefix(2) == ["InterfacesAdded \(session)", "InterfacesAdded \(child)"])
      #expect(Set(heard.suffix(2)) == ["InterfacesRemoved \(session)", "InterfacesRemoved \(child)"])
    }
  }
}
