// A period from its first key to its end and back, by the programs: keygen, sign, submit; a decision that loosens at once, and
// tightens at once.

import Bus
import Foundation
import TestKit
import Testing

@Suite struct PeriodTests {
  private static func platform(_ keys: [String: String]) -> String {
    Rig.platform.replacing(
      "rules:\n",
      with: """
        authorities:
        \(keys.sorted { $0.key < $1.key }.map { "  \($0.key): \"\($0.value)\"\n" }.joined())
        periods:
          pilot:
            decided-by: {quorum: 2, of: [\(keys.keys.sorted().joined(separator: ", "))]}
            evidence: [report, review]
            review-by: 2020-01-31
        rules:
          - {limit: rig.read, to: ask, tier: safety, during: pilot}

        """)
  }

  private static func key(_ name: String, in folder: URL) throws -> String {
    let made = try run(
      [
        program("licet"), "period", "keygen", name, "--out", folder.appendingPathComponent("\(name).key").path,
        "--json",
      ])
    let object = try JSONSerialization.jsonObject(with: Data(made.output.utf8)) as? [String: Any]
    return try #require(object?["key"] as? String, "\(made.errors)")
  }

  @Test func aPeriodEndsAndIsReinstated() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("licet-keys-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    var keys: [String: String] = [:]
    for name in ["alice", "bob", "carol"] { keys[name] = try Self.key(name, in: folder) }
    let mode = try FileManager.default.attributesOfItem(atPath: folder.path + "/alice.key")[.posixPermissions] as? Int
    #expect(mode == 0o600)
    for name in ["report", "review"] {
      try Data("what \(name) says".utf8).write(to: folder.appendingPathComponent(name))
    }
    let rig = try Rig(platform: Self.platform(keys))
    func licet(_ words: [String]) throws -> Run {
      try run([program("licet")] + words + ["--address", rig.bus.addressText])
    }
    func sign(_ name: String, _ more: [String]) throws -> String {
      let out = folder.appendingPathComponent("\(name)-\(UUID().uuidString).det").path
      let signed = try licet(
        ["period", "sign", "pilot", "--key", folder.path + "/\(name).key", "--as", name, "--out", out] + more)
      try #require(signed.status == 0, "\(signed.errors)")
      return out
    }
    let evidence = ["report", "review"].flatMap {
      ["--evidence", "\($0)=\(folder.path)/\($0)", "--place", "\($0)=https://example.org/\($0)"]
    }

    #expect(try rig.check() == "ask")
    let explained = try licet(["explain", "--operator", "keeper", "--behavior", "rig.read"])
    for words in ["wait until the period `pilot` ends", "2 of alice, bob, carol on report, review"] {
      #expect(explained.output.contains(words), "\(explained.output)")
    }
    // Past its review date it runs all the same, and everybody who may is told so.
    #expect(try licet(["period", "show", "pilot"]).output.contains("nobody has looked in time"))
    #expect(try licet(["status"]).output.contains("pilot"))
    #expect(rig.waits { rig.said.contains("pilot runs past its review date") })

    let first = try sign("alice", evidence)
    #expect(try licet(["period", "submit", first]).output.contains("held, 1 of the 2"))
    #expect(try rig.check() == "ask")
    #expect(try licet(["period", "submit", first]).status != 0)
    let generation = try rig.generation()
    let heard = folder.appendingPathComponent("heard")
    try Data().write(to: heard)
    let watch = Process()
    watch.executableURL = URL(fileURLWithPath: program("licet"))
    watch.arguments = ["watch", "--address", rig.bus.addressText]
    watch.standardOutput = try FileHandle(forWritingTo: heard)
    try watch.run()
    defer {
      kill(watch.processIdentifier, SIGKILL)
      watch.waitUntilExit()
    }
    func isHeard(_ words: String) -> Bool {
      rig.waits { try String(contentsOf: heard, encoding: .utf8).contains(words) }
    }
    #expect(isHeard("watching"))
    #expect(try licet(["period", "submit", try sign("bob", evidence)]).output.contains("has ended"))
    #expect(try rig.check() == "allow")
    #expect(try rig.generation() > generation)
    #expect(isHeard("the period pilot has ended"))
    // Killed, it comes back with what was determined.
    rig.kill9()
    try rig.start()
    #expect(try rig.check() == "allow")
    #expect(
      try licet(["period", "submit", try sign("carol", ["--verdict", "reinstate"])]).output.contains("runs again"))
    #expect(try rig.check() == "ask")
    let replayed = try licet(["period", "submit", first])
    #expect(replayed.status != 0 && replayed.errors.contains("sequence number"), "\(replayed.errors)")

    // Without all of the evidence nothing is signed, and what others signed doesn't verify.
    let partial = try licet(
      [
        "period", "sign", "pilot", "--key", folder.path + "/alice.key", "--as", "alice", "--evidence",
        "report=\(first)",
      ])
    #expect(partial.status == 64 && partial.errors.contains("review"))
    let policy = ["--policy", rig.scratch.policy]
    #expect(try run([program("licet"), "period", "verify", first] + policy).status == 0)
    let forged = try run(
      [program("licet"), "period", "verify", first, "--key", try #require(keys["bob"])])
    #expect(forged.status == 65 && forged.output.contains("forged"))
  }

  @Test func anybodyMaySubmitAndOnlyAdministratorsLook() throws {
    guard isRoot else { return }
    let rig = try Rig()
    func call(_ member: String, _ signature: String...) throws -> Run {
      try run(
        [
          "/usr/bin/busctl", "--address=\(rig.bus.addressText)", "call", "org.licet.Licet1", "/org/licet/Licet1",
          "org.licet.Licet1.Periods", member,
        ] + signature, user: "daemon")
    }
    #expect(try call("List").errors.contains("groups"))
    let submitted = try call("Submit", "ay", "3", "1", "2", "3")
    #expect(submitted.status != 0 && submitted.errors.contains("signature"), "\(submitted.errors)")
  }
}
