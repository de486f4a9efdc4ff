// The end of a period reaches a process that decides by itself at its next decision, and so does its return.

import Foundation
import LicetHeader
import TestKit
import Testing

@Suite struct PeriodTests {
  private static func run(_ words: [String]) throws -> String {
    let process = Process()
    process.executableURL = programFolder.appendingPathComponent("licet")
    process.arguments = words
    let output = Pipe()
    process.standardOutput = output
    process.standardInput = FileHandle.nullDevice
    try process.run()
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    try #require(process.terminationStatus == 0, "licet \(words.joined(separator: " "))")
    return text
  }

  @Test(arguments: [LICET_SNAPSHOT, LICET_REMOTE]) func anAttachedProcessFollowsAtItsNextDecision(mode: Int32) throws {
    let library = try LibraryHandle.shared.get()
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("licet-keys-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let key = folder.path + "/alice.key"
    let made = try Self.run(["period", "keygen", "alice", "--out", key])
    let publicKey = try #require(made.split(separator: "\"").first { $0.hasPrefix("ed25519:") })
    try Data("what it says".utf8).write(to: folder.appendingPathComponent("report"))
    let platform = """
      licet: 1
      layer: platform
      name: attached
      authorities: {alice: "\(publicKey)"}
      periods:
        pilot: {decided-by: {quorum: 1, of: [alice]}, evidence: [report], review-by: 2027-01-31}
      behaviors:
        tool: {default: deny, operators-may: deny, stakes: 0, after: {pilot: {operators-may: allow}}}
        other: {default: allow, stakes: 0.6}
      dial: {default: 0.3, after: {pilot: {default: 0.7}}}

      """
    let op = "licet: 1\nlayer: operator\nname: op\nbind: [{user: \(Daemon.ownName)}]\nrules: [{allow: tool}]\n"
    let daemon = try Daemon(platform: platform, operator: op)
    let one = try OpenedAuthority(library, mode: mode, path: daemon.socket)
    #expect(one.mode == mode)
    let embedded = try OpenedAuthority(library, mode: LICET_EMBEDDED, path: daemon.image())
    func effects(_ one: OpenedAuthority) throws -> [Int32] {
      try ["tool", "other"].map { name in
        var decision = licet_decision()
        decision.size = UInt32(MemoryLayout<licet_decision>.size)
        let code = library.checkNamed(one.request, name, name.utf8.count, &decision)
        try #require(code >= 0, "\(one.complaint)")
        return Int32(decision.effect)
      }
    }
    func submit(_ more: [String]) throws {
      let file = folder.path + "/\(UUID().uuidString).det"
      let bus = ["--address", daemon.bus.addressText]
      _ = try Self.run(["period", "sign", "pilot", "--key", key, "--as", "alice", "--out", file] + more + bus)
      _ = try Self.run(["period", "submit", file] + bus)
    }
    let (running, ended) = ([LICET_DENY, LICET_ASK], [LICET_ALLOW, LICET_ALLOW])
    #expect(try effects(one) == running)
    try submit(["--evidence", "report=\(folder.path)/report"])
    #expect(try effects(one) == ended)
    // Who attaches now is told so at once.
    #expect(try effects(OpenedAuthority(library, mode: mode, path: daemon.socket)) == ended)
    try submit(["--verdict", "reinstate"])
    #expect(try effects(one) == running)
    // An image file alone knows of no end.
    #expect(try effects(embedded) == running)
  }
}
