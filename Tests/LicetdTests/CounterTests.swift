// Counters by the programs: over the bus and the attach socket, explained, over a restart, and with what is kept torn.

import Bus
import Foundation
import TestKit
import Testing

@Suite struct CounterTests {
  private static let platform = Rig.platform.replacing(
    "rules:\n",
    with: """
      counters:
        reads: {counts: requests, of: [rig.read], per: operator, window: 24h}
      rules:
        - {limit: rig.read, to: ask, tier: safety, when: 'counter("reads") > 3', with: [slow-down]}

      """)

  private static func licet(_ rig: Rig, _ words: [String]) throws -> Run {
    try run([program("licet")] + words + ["--address", rig.bus.addressText])
  }

  @Test func countsAndGoesOnAfterARestart() throws {
    let rig = try Rig(platform: Self.platform)
    for _ in 0..<2 { #expect(try rig.check() == "allow") }
    // To ask what would come of it is not to ask for it.
    for _ in 0..<5 {
      let explained = try Self.licet(rig, ["explain", "--operator", "keeper", "--behavior", "rig.read"])
      #expect(explained.output.hasPrefix("allow"), "\(explained.output)")
    }
    #expect(try rig.check() == "allow")
    #expect(try rig.check() == "ask")
    // A refused one counts as well, and the way is to wait.
    #expect(try rig.check() == "ask")
    let explained = try Self.licet(rig, ["explain", "--operator", "keeper", "--behavior", "rig.read"])
    for words in [
      "It has to wait", "the counter `reads` has fallen", "requests for rig.read, per operator, within 1d", "slow-down",
    ] {
      #expect(explained.output.contains(words), "\(explained.output)")
    }
    let told = try Self.licet(rig, ["check", "--operator", "keeper", "--behavior", "rig.read", "--json"])
    #expect(told.output.contains("\"counter\"") && told.output.contains("\"reads\""), "\(told.output)")
    let status = try Self.licet(rig, ["status"])
    #expect(status.output.contains("reads of 1"), "\(status.output)")
    // What others do is not counted with it, and a state is no word of the asker's.
    #expect(
      try Self.licet(rig, ["check", "--operator", "keeper", "--behavior", "rig.read", "--set-counter", "reads=0"])
        .status == 64)

    // A clean end, and a kill after what was counted had time to be written.
    rig.terminate()
    try rig.start()
    #expect(try rig.check() == "ask")
    Thread.sleep(forTimeInterval: 3)
    rig.kill9()
    try rig.start()
    #expect(try rig.check() == "ask")

    // Torn: not known, so the limit applies, and everybody who may is told.
    rig.terminate()
    let file = URL(fileURLWithPath: rig.scratch.state).appendingPathComponent("counters")
    try (try Data(contentsOf: file)).dropLast().write(to: file)
    try rig.start()
    #expect(try rig.check() == "ask")
    #expect(rig.waits { rig.said.contains("counters: what was kept is torn") })
    #expect(try Self.licet(rig, ["status"]).output.contains("not all of reads is known"))
  }
}
