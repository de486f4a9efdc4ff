// Who sees and may do what: two operators of two users, a stranger, and an administrator. Other users are played by
// setpriv(1), which needs root.

import Bus
import Foundation
import TestKit
import Testing

@Suite(.enabled(if: isRoot, "playing other users needs root")) struct SecrecyTests {
  private static let files = [
    "alpha": Rig.operatorFile("alpha", bind: "{user: nobody}"),
    "beta": Rig.operatorFile("beta", bind: "{user: daemon}"),
  ]

  /// busctl as somebody else.
  private func ask(_ rig: Rig, as user: String, _ words: String...) throws -> Run {
    try run(["/usr/bin/busctl", "--address=\(rig.bus.addressText)"] + words, user: user)
  }

  private func property(_ rig: Rig, as user: String, _ name: String) throws -> String {
    let found = try ask(rig, as: user, "get-property", "org.licet.Licet1", "/org/licet/Licet1", Rig.authority, name)
    return found.output + found.errors
  }

  private func check(_ rig: Rig, as user: String, _ name: String, method: String = "Check") throws -> String {
    let found = try ask(
      rig, as: user, "call", "org.licet.Licet1", "/org/licet/Licet1", Rig.authority, method, "sasa{sv}", name, "1",
      "rig.read", "0")
    return found.output + found.errors
  }

  @Test func propertiesShowOnesOwn() throws {
    do {
      let rig = try Rig(operators: Self.files)
      #expect(try property(rig, as: "nobody", "Operators") == "as 1 \"alpha\"\n")
      #expect(try property(rig, as: "daemon", "Operators") == "as 1 \"beta\"\n")
      #expect(try property(rig, as: "games", "Operators") == "as 0\n")
      #expect(try property(rig, as: "root", "Operators") == "as 2 \"alpha\" \"beta\"\n")
      try rig.scratch.save("operators.d/beta.yaml", "licet: 1\nlayer: operator\nname: beta\nrules: 7\n")
      #expect(rig.waits { try rig.diagnosticCodes().contains("wrong-type") })
      #expect(try property(rig, as: "daemon", "Diagnostics").contains("wrong-type"))
      #expect(try property(rig, as: "root", "Diagnostics").contains("wrong-type"))
      #expect(try property(rig, as: "nobody", "Diagnostics") == "aa{sv} 0\n")
      #expect(try property(rig, as: "games", "Diagnostics") == "aa{sv} 0\n")
      #expect(try property(rig, as: "nobody", "PolicyDigest") == "s \"\"\n")
      #expect(try property(rig, as: "root", "PolicyDigest").count > 64)
    }
  }

  @Test func oneSpeaksForOnesOwn() throws {
    do {
      let rig = try Rig(operators: Self.files)
      #expect(try check(rig, as: "nobody", "alpha").contains("\"allow\""))
      #expect(try check(rig, as: "nobody", "").contains("\"allow\""))
      #expect(try check(rig, as: "daemon", "beta").contains("\"allow\""))
      // Another's operator and none at all look alike.
      let others = try check(rig, as: "nobody", "beta").replacingOccurrences(of: "beta", with: "X")
      let none = try check(rig, as: "nobody", "gamma").replacingOccurrences(of: "gamma", with: "X")
      #expect(others == none)
      #expect(others.contains("doesn't speak for"))
      #expect(try check(rig, as: "nobody", "beta", method: "Explain").contains("doesn't speak for"))
      #expect(try check(rig, as: "games", "").contains("speaks for no operator"))
      #expect(try check(rig, as: "root", "beta", method: "Explain").contains("\"allow\""))
      // How much they asked is theirs too. Explaining isn't asking.
      #expect(
        try property(rig, as: "nobody", "Totals").contains(
          "\"alpha\" \"observed\" a{st} 3 \"deny\" 0 \"ask\" 0 \"allow\" 2"))
      #expect(try !property(rig, as: "nobody", "Totals").contains("beta"))
      #expect(try property(rig, as: "games", "Totals") == "aa{sv} 0\n")
      #expect(
        try property(rig, as: "root", "Totals").contains(
          "\"beta\" \"observed\" a{st} 3 \"deny\" 0 \"ask\" 0 \"allow\" 1"))
    }
  }

  @Test func administrationIsForAdministrators() throws {
    do {
      let grouped = Rig.platform.replacingOccurrences(of: "name: rig\n", with: "name: rig\ngroups: [games]\n")
      let rig = try Rig(platform: grouped, operators: Self.files)
      let path = ["org.licet.Licet1", "/org/licet/Licet1", Rig.admin]
      for call in [
        ["Reload"], ["Status"], ["ListGenerations"], ["StopAll"], ["ResumeAll"], ["Stop", "s", "beta"],
        ["Resume", "s", "beta"], ["Rollback", "t", "0"], ["Hold", "u", "5"], ["Validate", "a(say)", "0"],
      ] {
        let found = try run(
          ["/usr/bin/busctl", "--address=\(rig.bus.addressText)", "call"] + path + call, user: "nobody")
        #expect(found.status != 0 && found.errors.contains("for root, the daemon's own user"), "\(call)")
      }
      let level = try run(
        [
          "/usr/bin/busctl", "--address=\(rig.bus.addressText)", "set-property", "org.licet.Licet1",
          "/org/freedesktop/LogControl1", "org.freedesktop.LogControl1", "LogLevel", "s", "debug",
        ], user: "nobody")
      #expect(level.status != 0)
      #expect(try check(rig, as: "nobody", "alpha").contains("\"allow\""))
      // A member of the group that the platform names.
      let member = try run(
        [
          "/usr/bin/setpriv", "--reuid", "nobody", "--regid", "games", "--clear-groups", "/usr/bin/busctl",
          "--address=\(rig.bus.addressText)", "call",
        ] + path + ["Reload"])
      #expect(member.status == 0, "\(member.errors)")
    }
  }

  /// `licet watch` as one of them: decisions of the other are not told.
  @Test func signalsTellOnesOwn() throws {
    do {
      let rig = try Rig(operators: Self.files)
      let heard = rig.scratch.root.appendingPathComponent("heard")
      try Data().write(to: heard)
      chmod(heard.path, 0o666)
      let watch = Process()
      watch.executableURL = URL(fileURLWithPath: "/usr/bin/setpriv")
      watch.arguments = [
        "--reuid", "nobody", "--regid", "nogroup", "--clear-groups", program("licet"), "watch", "--json", "--address",
        rig.bus.addressText,
      ]
      watch.standardOutput = try FileHandle(forWritingTo: heard)
      watch.standardError = FileHandle.nullDevice
      try watch.run()
      defer {
        // The runner's threads block SIGTERM, and its children inherit that.
        kill(watch.processIdentifier, SIGKILL)
        watch.waitUntilExit()
      }
      func text() -> String { (try? String(contentsOf: heard, encoding: .utf8)) ?? "" }
      // Subscribed once its own decision is heard.
      let isHeard = rig.waits {
        _ = try check(rig, as: "daemon", "beta")
        _ = try check(rig, as: "nobody", "alpha")
        return text().contains("alpha")
      }
      #expect(isHeard)
      try rig.scratch.save("operators.d/beta.yaml", "licet: 1\nlayer: operator\nname: beta\nrules: 7\n")
      #expect(rig.waits { try rig.diagnosticCodes().contains("wrong-type") })
      _ = try check(rig, as: "nobody", "alpha")
      #expect(!text().contains("beta"))
    }
  }

  /// A session of another operator's is like one that there isn't; another user's of the same operator says so.
  @Test func sessionsAreOnesOwn() throws {
    do {
      let both = Rig.operatorFile("gamma", bind: "{user: nobody}, {user: daemon}")
      let rig = try Rig(operators: Self.files.merging(["gamma": both]) { own, _ in own })
      let (alpha, gamma) = (
        try SessionHolder(rig, as: "nobody", "--operator", "alpha"),
        try SessionHolder(rig, as: "nobody", "--operator", "gamma")
      )
      func call(_ user: String, _ path: String, _ words: String...) throws -> String {
        let run = try run(
          ["/usr/bin/busctl", "--address=\(rig.bus.addressText)", "call", "org.licet.Licet1", path] + words, user: user)
        return run.output + run.errors
      }
      let root = "/org/licet/Licet1/session/"
      let none = root + String(repeating: "0", count: 32)
      let members = [
        ["Check", "asa{sv}", "1", "rig.read", "0"], ["Explain", "asa{sv}", "1", "rig.read", "0"],
        ["Delegate", "a{sv}", "0"],
        ["SetDial", "d", "0.01"], ["SetPreference", "ss", "rig", "deny"], ["Spend", "d", "1"], ["Stop"], ["Close"],
      ]
      for words in members {
        func said(_ user: String, _ path: String) throws -> String {
          let run = try run(
            ["/usr/bin/busctl", "--address=\(rig.bus.addressText)", "call", "org.licet.Licet1", path, Rig.session]
              + words, user: user)
          return run.output + run.errors
        }
        for user in ["daemon", "games"] {
          let unknown = try said(user, none)
          #expect(unknown.contains("no such session"))
          #expect(try said(user, alpha.path) == unknown, "\(user) \(words)")
        }
        #expect(try said("games", gamma.path).contains("no such session"))
        #expect(try said("daemon", gamma.path).contains("opened by another user"), "\(words)")
      }
      // Nor is there anything to be listed, counted or introspected.
      let properties = "org.freedesktop.DBus.Properties"
      for user in ["daemon", "games"] {
        #expect(try call(user, alpha.path, properties, "GetAll", "s", Rig.session).contains("no such session"))
        #expect(
          try call(user, "/org/licet/Licet1", "org.freedesktop.DBus.ObjectManager", "GetManagedObjects")
            == "a{oa{sa{sv}}} 0\n")
        #expect(try property(rig, as: user, "Sessions") == "u 0\n")
        #expect(
          try !call(user, "/org/licet/Licet1/session", "org.freedesktop.DBus.Introspectable", "Introspect").contains(
            alpha.id))
      }
      for user in ["nobody", "root"] {
        #expect(try property(rig, as: user, "Sessions") == "u 2\n")
        #expect(
          try call(user, "/org/licet/Licet1/session", "org.freedesktop.DBus.Introspectable", "Introspect").contains(
            alpha.id))
      }
      // Nothing that was tried did anything.
      #expect(try rig.properties(alpha.path)["Halted"] == "false" && rig.properties(gamma.path)["Spent"] == "0.0")
      #expect(try call("nobody", alpha.path, Rig.session, "Check", "asa{sv}", "1", "rig.read", "0").contains("allow"))
      // A session is for its operator alone.
      let other = try call("nobody", "/org/licet/Licet1", Rig.authority, "OpenSession", "sa{sv}", "beta", "0")
      #expect(other.contains("doesn't speak for"))
    }
  }

  /// Who isn't bound to a session's operator is told of none, though the user be the same.
  @Test func aSharedUserSharesNoSessions() throws {
    do {
      let rig = try Rig(operators: Self.files)
      let session = try SessionHolder(rig, as: "nobody", "--operator", "alpha")
      // The user speaks for beta alone from now on; alpha has somebody else.
      try rig.scratch.save("operators.d/alpha.yaml", Rig.operatorFile("alpha", bind: "{user: daemon}"))
      try rig.scratch.save("operators.d/beta.yaml", Rig.operatorFile("beta", bind: "{user: nobody}"))
      #expect(rig.waits { try property(rig, as: "nobody", "Operators") == "as 1 \"beta\"\n" })
      #expect(try property(rig, as: "nobody", "Sessions") == "u 0\n")
      #expect(try property(rig, as: "daemon", "Sessions") == "u 0\n")
      #expect(try rig.managed() == [session.path])
    }
  }
}
