// The compiler is killed while policy changes: what is in force is always one of the valid sets, and ends right.

import CompilerProtocol
import Foundation
import System
import TestKit
import Testing

@testable import Authority

@Suite(.serialized) struct CompilerFaultTests {
  @Test func killedAtRandomMomentsItNeverMixesOrLoses() throws {
    let rig = try Rig(try Rig.scratch("a", "b"))
    var random = SystemRandomNumberGenerator()
    var kills = 0
    // Every generation has what was saved before it, and never what an earlier one had replaced.
    var seen = ["a": 1, "b": 1, "platform": 1]
    var round = 1
    rig.onGeneration = { [unowned rig] in
      let names = [("a", rig.version("a")), ("b", rig.version("b")), ("platform", rig.platform)]
      for (name, version) in names {
        // An operator may be denied while its compile is tried again; a platform may not.
        guard let version else { continue }
        let number = Int(version.dropFirst()) ?? -1
        #expect(number >= seen[name] ?? 0 && number <= round, "\(name) \(version) in round \(round)")
        seen[name] = number
      }
    }
    while round < 200 {
      round += 1
      // Both change together; the platform too, now and then.
      rig.authority.hold(seconds: 60, owner: "test")
      if round % 10 == 0 { try rig.scratch.save("platform.yaml", PolicyScratch.platform("p\(round)")) }
      for name in ["a", "b"] {
        try rig.scratch.save("operators.d/\(name).yaml", PolicyScratch.operator(name, "v\(round)"))
      }
      rig.authority.releaseHold(owner: "test")
      let pause = Double.random(in: 0...0.02, using: &random)
      rig.turn(pause) { false }
      if let pid = rig.authority.client.processIdentifier, round % 2 == 0, System.Process.signal(pid, SIGKILL) {
        kills += 1
      }
    }
    #expect(kills > 0)
    #expect(rig.turn(60) { rig.version("a") == "v200" && rig.version("b") == "v200" && rig.platform == "p200" })
    #expect(rig.turn(60) { rig.authority.diagnostics.isEmpty })
    #expect(Set(rig.numbers).count == rig.numbers.count)
    #expect(rig.numbers == rig.numbers.sorted())
  }

  @Test func withoutACompilerThereIsAGenerationAndADiagnostic() throws {
    let rig = try Rig(try Rig.scratch("a"), compiler: "/nonexistent/licet-compiler")
    #expect(rig.authority.generation.number > 0 && rig.authority.generation.platform == nil)
    #expect(rig.codes.contains("compiler-failed"))
  }
}
