// Oversight's button, from the command line: what is stopped says so, by whom, and how that ends; it outlives restarts.

import Foundation
import TestKit
import Testing

@Suite struct StopTests {
  private func licet(_ rig: Rig, _ words: String...) throws -> Run {
    try run([program("licet")] + words + ["--address", rig.bus.addressText])
  }

  @Test func aStoppedOperatorSaysHowThatEnds() throws {
    do {
      let rig = try Rig()
      #expect(try licet(rig, "stop", "--operator", "keeper").status == 0)
      let check = try licet(rig, "check", "--operator", "keeper", "--behavior", "rig.read")
      #expect(check.status == 1)
      for words in ["deny", "oversight", "keeper is stopped, by user"] { #expect(check.output.contains(words)) }
      let explained = try licet(rig, "explain", "--operator", "keeper", "--behavior", "rig.read")
      for words in ["oversight", "stopped", "licet resume --operator keeper"] {
        #expect(explained.output.contains(words), "\(explained.output)")
      }
      #expect(try licet(rig, "status").output.contains("keeper"))
      // Killed, it comes back stopped, and still knows since when and by whom.
      rig.kill9()
      try rig.start()
      let again = try licet(rig, "explain", "--operator", "keeper", "--behavior", "rig.read")
      #expect(again.output == explained.output, "\(again.output)")
      #expect(try licet(rig, "resume", "--operator", "keeper").status == 0)
      #expect(try rig.check() == "allow")
    }
  }

  @Test func everyoneCanBeStopped() throws {
    do {
      let rig = try Rig()
      #expect(try licet(rig, "stop", "--all").status == 0)
      #expect(try rig.check() == "deny")
      let explained = try licet(rig, "explain", "--operator", "keeper", "--behavior", "rig.read")
      #expect(explained.output.contains("licet resume --all"), "\(explained.output)")
      // Each stop has to end.
      #expect(try licet(rig, "stop", "--operator", "keeper").status == 0)
      #expect(try licet(rig, "resume", "--all").status == 0)
      #expect(try rig.check() == "deny")
      #expect(try licet(rig, "resume", "--operator", "keeper").status == 0)
      #expect(try rig.check() == "allow")
    }
  }

  /// No policy is needed to stop, and none to say so.
  @Test func itNeedsNoPolicy() throws {
    do {
      let rig = try Rig(platform: "nonsense: [\n")
      #expect(try licet(rig, "stop", "--all").status == 0)
      let explained = try licet(rig, "explain", "--operator", "keeper", "--behavior", "rig.read")
      for words in ["licet resume --all", "no policy"] {
        #expect(explained.output.contains(words), "\(explained.output)")
      }
      #expect(FileManager.default.fileExists(atPath: rig.scratch.state + "/stopped-all"))
    }
  }
}
