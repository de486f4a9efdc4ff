// What survives a restart, and what a damaged or unwritable state folder does: never a trap, never a number twice.

import Foundation
import System
import TestKit
import Testing

@testable import Authority

@Suite(.serialized) struct RestartTests {
  @Test func aRestartWithBrokenFilesComesUpOnTheLastGoodOnes() throws {
    let scratch = try Rig.scratch("a", "b")
    let first = try Rig(scratch).authority.generation.number
    try scratch.save("platform.yaml", "nonsense: [")
    try scratch.save("operators.d/a.yaml", "nonsense")
    do {
      let rig = try Rig(scratch)
      #expect(rig.authority.generation.number > first)
      #expect(rig.platform == "p1" && rig.version("a") == "v1" && rig.version("b") == "v1")
      #expect(rig.authority.generation.isLastGood)
      #expect(rig.codes.contains("running-on-last-good"))
      #expect(rig.authority.refused == ["", "a"])
    }
    try scratch.remove("platform.yaml")
    do {
      let rig = try Rig(scratch)
      #expect(rig.authority.generation.platform == nil)
      #expect(rig.codes.contains("no-platform"))
    }
  }

  @Test func withNoPlatformEverThereIsAGenerationWithoutOne() throws {
    let rig = try Rig(try PolicyScratch())
    #expect(rig.authority.generation.number > 0 && rig.authority.generation.platform == nil)
    try rig.scratch.save("platform.yaml", PolicyScratch.platform())
    #expect(rig.turn { rig.platform == "p1" })
  }

  /// Sets that lasted milliseconds are not kept, and not offered; what was in force last always is.
  @Test func whatIsOfferedCanBeReturnedTo() throws {
    let scratch = try Rig.scratch("a")
    do {
      let rig = try Rig(scratch)
      for version in 2...9 {
        try scratch.save("operators.d/a.yaml", PolicyScratch.operator("a", "v\(version)"))
        #expect(rig.turn { rig.version("a") == "v\(version)" })
      }
      let offered = rig.authority.history
      #expect(offered.last?.number == rig.authority.generation.number && offered.count >= 2)
      for entry in offered.dropLast() {
        #expect(try rig.rollback(entry.number).get() == rig.authority.generation.number)
        #expect(rig.authority.generation.digest == entry.digest)
      }
      _ = try rig.reload()
      try scratch.save("operators.d/a.yaml", PolicyScratch.operator("a", "v10"))
      #expect(rig.turn { rig.version("a") == "v10" })
    }
    try scratch.save("operators.d/a.yaml", "nonsense: [")
    let last = try Rig(scratch)
    #expect(last.version("a") == "v10" && last.codes.contains("running-on-last-good"))
  }

  @Test func rollbackStaysOverARestartUntilFilesChange() throws {
    let scratch = try Rig.scratch("a")
    do {
      let rig = try Rig(scratch)
      let first = rig.authority.generation
      try scratch.save("operators.d/a.yaml", PolicyScratch.operator("a", "v2"))
      #expect(rig.turn { rig.version("a") == "v2" })
      settle(rig)
      let number = try rig.rollback(0).get()
      #expect(rig.version("a") == "v1" && number == rig.authority.generation.number && number > first.number)
      #expect(rig.authority.generation.digest == first.digest)
      #expect(rig.codes == ["rolled-back"])
      let unknown = try rig.rollback(1)
      #expect(unknown == .failure(.noSuchGeneration))
      rig.turn(0.05) { false }
      #expect(rig.version("a") == "v1")
    }
    do {
      let rig = try Rig(scratch)
      #expect(rig.version("a") == "v1" && rig.authority.isRolledBack)
      try scratch.save("operators.d/a.yaml", PolicyScratch.operator("a", "v3"))
      #expect(rig.turn { rig.version("a") == "v3" && !rig.authority.isRolledBack })
      settle(rig)
      _ = try rig.rollback(0).get()
      #expect(rig.version("a") == "v1")
      let outcome = try rig.reload()
      #expect(rig.version("a") == "v3" && outcome.diagnostics == [])
    }
    let last = try Rig(scratch)
    #expect(last.version("a") == "v3" && !last.authority.isRolledBack)
  }

  @Test func numbersAreNeverUsedTwiceEvenWithoutTheStateFolder() throws {
    let scratch = try Rig.scratch("a")
    var last: UInt64 = 0
    for round in 0..<4 {
      if round == 2 { try FileManager.default.removeItem(atPath: scratch.state) }
      do {
        let rig = try Rig(scratch)
        #expect(rig.numbers.allSatisfy { $0 > last } && !rig.numbers.isEmpty)
        last = try #require(rig.numbers.last)
      }
    }
  }

  @Test func aDamagedArchiveIsSaidAndNeverTraps() throws {
    let scratch = try Rig.scratch("a")
    settle(try Rig(scratch))
    try scratch.save("platform.yaml", "nonsense: [")
    try scratch.save("operators.d/a.yaml", "nonsense")
    let files = try FileManager.default.subpathsOfDirectory(atPath: scratch.state).map { "\(scratch.state)/\($0)" }
    var isFolder: ObjCBool = false
    for file in files where FileManager.default.fileExists(atPath: file, isDirectory: &isFolder) && !isFolder.boolValue
    {
      let whole = try Data(contentsOf: URL(fileURLWithPath: file))
      for at in whole.indices {
        var bytes = whole
        bytes[at] ^= 0x15
        try bytes.write(to: URL(fileURLWithPath: file))
        let archive = Archive(StateFolder(root: scratch.state))
        let opened = archive.open()
        let isText = !file.contains("/sources/")
        #expect(isText == !opened.problems.isEmpty, "\(file) at \(at)")
        #expect(isText || archive.lastGood("") == nil || archive.lastGood("a") == nil)
        for entry in opened.history { _ = archive.files(of: entry.number) }
      }
      try whole.prefix(whole.count / 2).write(to: URL(fileURLWithPath: file))
      _ = Archive(StateFolder(root: scratch.state)).open()
      try whole.write(to: URL(fileURLWithPath: file))
    }
  }

  @Test func whatNobodyRefersToIsRemoved() throws {
    let rig = try Rig(try Rig.scratch("a"))
    for version in 2..<45 {
      try rig.scratch.save("operators.d/a.yaml", PolicyScratch.operator("a", "v\(version)"))
      #expect(rig.turn { rig.version("a") == "v\(version)" })
      settle(rig)
    }
    let sets = try FileManager.default.contentsOfDirectory(atPath: "\(rig.scratch.state)/sets")
    let sources = try FileManager.default.contentsOfDirectory(atPath: "\(rig.scratch.state)/sources")
    #expect(sets.count == ArchiveLimits.sets)
    #expect(sources.count == ArchiveLimits.sets + 1)
    #expect(rig.authority.history.count == ArchiveLimits.sets)
  }

  @Test func aFullStateFolderStopsNoDecision() throws {
    let scratch = try Rig.scratch("a")
    try FileManager.default.createDirectory(atPath: scratch.state, withIntermediateDirectories: true)
    guard shell("mount -t tmpfs -o size=512k licet-test '\(scratch.state)'") else {
      print("skipped: a small tmpfs can't be mounted here")
      return
    }
    defer { _ = shell("umount -l '\(scratch.state)'") }
    #expect(shell("head -c 1048576 /dev/zero > '\(scratch.state)/fill' 2>/dev/null; true"))
    do {
      let rig = try Rig(scratch)
      #expect(rig.version("a") == "v1" && rig.turn { rig.codes.contains("state-unwritable") })
      try FileManager.default.removeItem(atPath: "\(scratch.state)/fill")
      try scratch.save("operators.d/a.yaml", PolicyScratch.operator("a", "v2"))
      #expect(rig.turn { rig.version("a") == "v2" && !rig.codes.contains("state-unwritable") })
    }
  }

  @Test func stopsSurviveAndNeedNoPolicy() throws {
    let scratch = try PolicyScratch()
    do {
      let rig = try Rig(scratch)
      let stops = rig.authority.stops
      try stops.stop("a")
      try stops.stop("b")
      try stops.resume("b")
      #expect(throws: StopError.badName) { try stops.stop("../x") }
      #expect(throws: StopError.badName) { try stops.stop("") }
      #expect(stops.isStopped("a") && !stops.isStopped("b") && !stops.isAllStopped)
    }
    do {
      let rig = try Rig(scratch)
      #expect(rig.authority.stops.stopped == ["a"])
      try rig.authority.stops.stopAll()
      #expect(rig.authority.stops.isStopped("c"))
    }
    do {
      let rig = try Rig(scratch)
      #expect(rig.authority.stops.isAllStopped)
      try rig.authority.stops.resumeAll()
      try rig.authority.stops.resume("a")
      #expect(!rig.authority.stops.isStopped("a"))
    }
  }

  @Test func aStopIsInForceThoughItCantBeWritten() throws {
    let scratch = try PolicyScratch()
    try Data().write(to: URL(fileURLWithPath: scratch.state))
    let stops = Stops(StateFolder(root: scratch.state)) { _ in }
    #expect(throws: StopError.self) { try stops.stop("a") }
    #expect(stops.isStopped("a"))
  }

  // MARK: helpers

  /// Waits for what is being archived.
  private func settle(_ rig: Rig) {
    let path = "\(rig.scratch.state)/sets/\(rig.authority.generation.number)"
    #expect(rig.turn { FileManager.default.fileExists(atPath: path) })
    var isDone = false
    rig.authority.keeper.lastGood("") { _ in isDone = true }
    rig.turn { isDone }
  }

  private func shell(_ command: String) -> Bool {
    let process = Foundation.Process()
    process.executableURL = URL(fileURLWithPath: "/bin/sh")
    process.arguments = ["-c", command]
    guard (try? process.run()) != nil else { return false }
    process.waitUntilExit()
    return process.terminationStatus == 0
  }
}
