// Changed files come into force, however they are saved; what is wrong stays with whom it belongs to.

import Foundation
import TestKit
import Testing

@testable import Authority

@Suite(.serialized) struct ReloadTests {
  @Test func startPutsEverythingInForce() throws {
    let rig = try Rig(try Rig.scratch("a", "b"))
    #expect(rig.platform == "p1")
    #expect(rig.version("a") == "v1")
    #expect(rig.authority.generation.declared == ["a", "b"])
    #expect(rig.authority.diagnostics == [])
    #expect(rig.authority.generation.policy(for: "a") != nil)
    #expect(rig.authority.generation.policy(for: "nobody") == nil)
  }

  @Test func renamedAndOverwrittenFilesAreFollowed() throws {
    let rig = try Rig(try Rig.scratch("a", "b"))
    let before = rig.authority.generation
    try rig.scratch.save("operators.d/a.yaml", PolicyScratch.operator("a", "v2"))
    #expect(rig.turn { rig.version("a") == "v2" })
    #expect(rig.authority.generation.number > before.number)
    // Only what changed was compiled.
    #expect(rig.authority.generation.operators["b"]?.sinceGeneration == before.operators["b"]?.sinceGeneration)
    try rig.scratch.overwrite("operators.d/b.yaml", PolicyScratch.operator("b", "v3"))
    #expect(rig.turn { rig.version("b") == "v3" })
    #expect(rig.version("a") == "v2")
    #expect(rig.numbers == rig.numbers.sorted())
  }

  @Test func filesSavedTogetherAreOneGeneration() throws {
    let rig = try Rig(try Rig.scratch("a", "b"))
    let count = rig.numbers.count
    try rig.scratch.save("operators.d/a.yaml", PolicyScratch.operator("a", "v2"))
    try rig.scratch.save("operators.d/b.yaml", PolicyScratch.operator("b", "v2"))
    try rig.scratch.save("operators.d/c.yaml", PolicyScratch.operator("c", "v2"))
    #expect(rig.turn { rig.version("c") == "v2" })
    #expect(rig.version("a") == "v2" && rig.version("b") == "v2")
    #expect(rig.numbers.count == count + 1)
  }

  @Test func aTreeAsKubernetesMakesItIsFollowed() throws {
    let scratch = try PolicyScratch()
    try scratch.makeFolder("..one")
    try scratch.makeFolder("..two")
    for (folder, version) in [("..one", "v1"), ("..two", "v2")] {
      try scratch.save("\(folder)/platform.yaml", PolicyScratch.platform(version))
      try scratch.save("\(folder)/a.yaml", PolicyScratch.operator("a", version))
    }
    try scratch.link("..data", to: "..one")
    try scratch.link("platform.yaml", to: "..data/platform.yaml")
    try scratch.link("operators.d/a.yaml", to: "../..data/a.yaml")
    let rig = try Rig(scratch)
    #expect(rig.platform == "v1" && rig.version("a") == "v1")
    try scratch.link("..data", to: "..two")
    #expect(rig.turn { rig.platform == "v2" })
    #expect(rig.version("a") == "v2")
  }

  @Test func removedAndMaskedOperatorsAreGone() throws {
    let rig = try Rig(try Rig.scratch("a", "b"))
    try rig.scratch.remove("operators.d/a.yaml")
    #expect(rig.turn { rig.version("a") == nil })
    try rig.scratch.link("operators.d/b.yaml", to: "/dev/null")
    #expect(rig.turn { rig.version("b") == nil })
    #expect(rig.authority.generation.declared == [])
    #expect(rig.platform == "p1")
  }

  @Test func aHigherFolderMasksALowerOne() throws {
    let scratch = try Rig.scratch("a")
    let upper = scratch.root.appendingPathComponent("upper").path
    let rig = try Rig(scratch, folders: [scratch.policy, upper])
    #expect(rig.version("a") == "v1")
    try FileManager.default.createDirectory(atPath: "\(upper)/operators.d", withIntermediateDirectories: true)
    try Data(PolicyScratch.operator("a", "v2").utf8).write(to: URL(fileURLWithPath: "\(upper)/operators.d/a.yaml"))
    #expect(rig.turn { rig.version("a") == "v2" })
    try FileManager.default.removeItem(atPath: upper)
    #expect(rig.turn { rig.version("a") == "v1" })
  }

  @Test func aFolderThatVanishesKeepsWhatWasInForceAndIsFollowedWhenItReturns() throws {
    let rig = try Rig(try Rig.scratch("a"))
    let away = rig.scratch.root.appendingPathComponent("away").path
    #expect(rename(rig.scratch.policy, away) == 0)
    #expect(rig.turn(5) { rig.codes.contains("folder-unreadable") }, "\(rig.authority.diagnostics)")
    #expect(rig.platform == "p1" && rig.version("a") == "v1")
    #expect(rig.authority.generation.isLastGood)
    #expect(rename(away, rig.scratch.policy) == 0)
    #expect(rig.turn { rig.authority.diagnostics.isEmpty })
    try rig.scratch.save("operators.d/a.yaml", PolicyScratch.operator("a", "v2"))
    #expect(rig.turn { rig.version("a") == "v2" })
  }

  @Test func anErrorStaysWithItsOperator() throws {
    let rig = try Rig(try Rig.scratch("a", "b"))
    try rig.scratch.save("operators.d/a.yaml", "licet: 1\nlayer: operator\nname: a\nx: 1\n")
    try rig.scratch.save("operators.d/b.yaml", PolicyScratch.operator("b", "v2"))
    try rig.scratch.save("operators.d/c.yaml", "nonsense")
    #expect(rig.turn { rig.version("b") == "v2" && rig.authority.refused == ["a", "c"] })
    #expect(rig.version("a") == "v1")
    #expect(rig.authority.generation.operators["a"]?.isLastGood == true)
    #expect(rig.version("c") == nil && rig.authority.generation.declared.contains("c"))
    #expect(rig.changes.contains { if case .refused(let names) = $0 { names.contains("a") } else { false } })
    // A new platform comes into force all the same, and so does the last good file under it (P17).
    try rig.scratch.save("platform.yaml", PolicyScratch.platform("p2"))
    #expect(rig.turn { rig.platform == "p2" })
    #expect(rig.version("a") == "v1" && rig.version("b") == "v2")
    try rig.scratch.save("operators.d/a.yaml", PolicyScratch.operator("a", "v3"))
    try rig.scratch.remove("operators.d/c.yaml")
    #expect(rig.turn { rig.version("a") == "v3" && rig.authority.diagnostics.isEmpty })
  }

  @Test func aBrokenPlatformChangesNothingUntilItIsMended() throws {
    let rig = try Rig(try Rig.scratch("a"))
    try rig.scratch.save("platform.yaml", "licet: 1\nlayer: platform\nx: 1\n")
    #expect(rig.turn { rig.codes.contains("running-on-last-good") })
    #expect(rig.platform == "p1" && rig.authority.generation.isLastGood)
    try rig.scratch.save("operators.d/a.yaml", PolicyScratch.operator("a", "v2"))
    #expect(rig.turn { rig.version("a") == "v2" })
    try rig.scratch.save("platform.yaml", PolicyScratch.platform("p3"))
    #expect(rig.turn { rig.platform == "p3" && rig.authority.diagnostics.isEmpty })
    #expect(!rig.authority.generation.isLastGood)
  }

  @Test func aLoweredCeilingClampsTheLastGoodFile() throws {
    let rig = try Rig(try Rig.scratch("a"))
    try rig.scratch.save("platform.yaml", PolicyScratch.platform("p2", ceiling: "ask"))
    #expect(rig.turn { rig.platform == "p2" })
    #expect(rig.version("a") == "v1")
    #expect(rig.authority.generation.operators["a"]?.isLastGood == true)
    #expect(rig.authority.refused == ["a"])
  }

  @Test func aHoldGathersAndReloadEndsIt() throws {
    let rig = try Rig(try Rig.scratch("a"))
    rig.authority.hold(seconds: 60, owner: ":1.5")
    try rig.scratch.save("operators.d/a.yaml", PolicyScratch.operator("a", "v2"))
    #expect(!rig.turn(0.1) { rig.version("a") == "v2" })
    rig.authority.releaseHold(owner: ":1.6")
    #expect(rig.authority.isHeld)
    let outcome = try rig.reload()
    #expect(rig.version("a") == "v2" && !rig.authority.isHeld)
    #expect(outcome.generation == rig.authority.generation.number && outcome.refused == [])
    rig.authority.hold(seconds: 60, owner: ":1.5")
    try rig.scratch.save("operators.d/a.yaml", PolicyScratch.operator("a", "v3"))
    rig.turn(0.05) { false }
    rig.authority.releaseHold(owner: ":1.5")
    #expect(rig.turn { rig.version("a") == "v3" })
  }

  @Test func validationSaysAndPutsNothingInForce() throws {
    let rig = try Rig(try Rig.scratch("a"))
    let number = rig.authority.generation.number
    for (text, isValid) in [(PolicyScratch.operator("a", "v9"), true), ("nonsense", false)] {
      var result: Result<Validation, AdminError>?
      rig.authority.validate([
        ("platform.yaml", Array(PolicyScratch.platform("p9").utf8)), ("operators.d/a.yaml", Array(text.utf8)),
      ]) { result = $0 }
      #expect(rig.turn { result != nil })
      let validation = try #require(result).get()
      #expect(validation.isValid == isValid)
      #expect(validation.diagnostics.isEmpty == isValid)
    }
    #expect(rig.authority.generation.number == number && rig.platform == "p1")
  }
}
