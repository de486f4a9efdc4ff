// What goes wrong around the daemon: killed compiles, lost events, a state folder that can't be written, a clock that
// jumps. Decisions go on, what is wrong is said, and it is over when its cause is.

import CompilerProtocol
import Foundation
import PolicyTree
import System
import TestKit
import Testing

@testable import Authority

@Suite(.serialized) struct FaultTests {
  // MARK: Killed compiles

  /// Long enough to compile that its process is met alive.
  private func big(_ version: String, times: Int = 1) -> String {
    "licet: 1\nlayer: operator\nname: a\nbind: [{user: \(version)}]\nrules:\n"
      + (0..<4000 * times).map { "  - allow: tool.t\($0)\n" }.joined()
  }

  /// Processes that a platform's process has at the moment: compiles.
  private func compiles(_ rig: Rig) -> [Int32] {
    guard let parent = rig.authority.client.processIdentifier else { return [] }
    return children(parent).flatMap(children)
  }

  private func children(_ pid: Int32) -> [Int32] {
    let text = (try? String(contentsOfFile: "/proc/\(pid)/task/\(pid)/children", encoding: .utf8)) ?? ""
    return text.split(separator: " ").compactMap { Int32($0) }
  }

  /// Kills the compiles of `a` as they appear, at most so many, until `isDone`.
  private func kill(_ most: Int, _ rig: Rig, until isDone: () -> Bool) -> Int {
    var killed: Set<Int32> = []
    let end = rig.loop.now &+ 30_000_000_000
    while !isDone(), rig.loop.now < end {
      if killed.count < most {
        for pid in compiles(rig)
        where killed.count < most && !killed.contains(pid) && System.Process.signal(pid, SIGKILL) {
          killed.insert(pid)
        }
      }
      rig.loop.turn(maximumWait: 500_000)
    }
    return killed.count
  }

  /// Saves newer and newer versions of `a` until `most` of its compiles were met alive: one that had just answered, and
  /// is killed before it is gone, has answered all the same; the first ones grow, so that on a busy
  /// machine, too, one is met. Returns the version.
  private func killing(_ most: Int, _ rig: Rig, isFailing: Bool) throws -> String? {
    for number in 2..<12 {
      let version = "v\(number)"
      try rig.scratch.save("operators.d/a.yaml", big(version, times: min(number - 1, 3)))
      let killed = kill(most, rig) { rig.version("a") == version || !rig.authority.diagnostics.isEmpty }
      if killed == most, !rig.authority.diagnostics.isEmpty == isFailing { return version }
      rig.turn { rig.version("a") == version && rig.authority.diagnostics.isEmpty }
    }
    return nil
  }

  @Test func aCompileThatIsKilledOnceIsSentAgainAndNobodyHearsOfIt() throws {
    let rig = try Rig(try Rig.scratch("a", "b"))
    let version = try #require(try killing(1, rig, isFailing: false))
    #expect(rig.version("a") == version && rig.authority.diagnostics.isEmpty, "\(rig.codes)")
    #expect(!rig.changes.contains(.diagnostics) && rig.version("b") == "v1")
  }

  @Test func aCompileThatIsKilledTwiceIsSaidAndTriedLater() throws {
    let rig = try Rig(try Rig.scratch("a", "b"))
    let version = try #require(try killing(2, rig, isFailing: true))
    #expect(rig.codes.contains("compiler-failed") && rig.version("a") != version, "what was in force stays")
    #expect(rig.authority.generation.operators["a"]?.isLastGood == true && rig.version("b") == "v1")
    #expect(rig.turn(60) { rig.version("a") == version && rig.authority.diagnostics.isEmpty })
  }

  @Test(arguments: [
    (SIGKILL, 1, true), (SIGKILL, 2, false), (SIGTERM, 1, true), (SIGSEGV, 1, false), (SIGILL, 1, false),
  ])
  func onlyWhatComesFromOutsideIsTriedAgain(_ signal: Int32, _ attempt: Int, _ isAgain: Bool) {
    let failure = CompilerFailure.failed(CompileFailure(.signal, detail: signal))
    #expect(failure.mayBeTriedAgain(after: attempt) == isAgain)
    #expect(CompilerFailure.died.mayBeTriedAgain(after: attempt))
    #expect(!CompilerFailure.failed(CompileFailure(.deadline)).mayBeTriedAgain(after: attempt))
  }

  // MARK: Lost events

  @Test func anOverflowIsAFullScan() throws {
    let limit = try #require(
      Int(
        try String(contentsOfFile: "/proc/sys/fs/inotify/max_queued_events", encoding: .utf8)
          .trimmingCharacters(in: .whitespacesAndNewlines)))
    guard limit <= 100_000 else {
      print("skipped: the queue of inotify is too long here")
      return
    }
    let rig = try Rig(try Rig.scratch("a", "b"))
    var told: [ScanExtent] = []
    let watcher = try Watcher(rig.loop, Authority.Times()) { told.append($0) }
    #expect(watcher.arm([rig.scratch.policy]))
    // The loop doesn't turn meanwhile: both queues run over.
    for i in 0...limit / 2 {
      let path = rig.scratch.path("\(i % 2)")
      #expect(mkdir(path, 0o700) == 0 && rmdir(path) == 0)
    }
    try rig.scratch.save("operators.d/a.yaml", PolicyScratch.operator("a", "v2"))
    #expect(rig.turn { rig.version("a") == "v2" && !told.isEmpty })
    #expect(told == [.bytes], "everything is to be read again")
    try rig.scratch.save("operators.d/b.yaml", PolicyScratch.operator("b", "v2"))
    #expect(rig.turn { rig.version("b") == "v2" })
    watcher.finish()
  }

  @Test func aChangeThatNobodyToldOfIsFoundByTheNextScan() throws {
    let rig = try Rig(try Rig.scratch("a")) { $0.times.scan = 400_000_000 }
    // Written through a descriptor that stays open: no event tells of it.
    let file = Descriptor(owning: open(rig.scratch.path("operators.d/a.yaml"), O_WRONLY))
    rig.turn(0.1) { false }
    let text = PolicyScratch.operator("a", "v2")
    let start = rig.loop.now
    #expect(pwrite(file.raw, text, text.utf8.count, 0) == text.utf8.count)
    #expect(rig.turn { rig.version("a") == "v2" })
    #expect(rig.loop.now - start < 2_000_000_000)
    withExtendedLifetime(file) {}
  }

  // MARK: The state folder

  @Test func aStateFolderThatIsReadOnlyForAWhileIsWrittenAfterIt() throws {
    let scratch = try Rig.scratch("a")
    try FileManager.default.createDirectory(atPath: scratch.state, withIntermediateDirectories: true)
    guard shell("mount -t tmpfs licet-test '\(scratch.state)'") else {
      print("skipped: a tmpfs can't be mounted here")
      return
    }
    defer { _ = shell("umount -l '\(scratch.state)'") }
    let rig = try Rig(scratch) { $0.times.scan = 200_000_000 }
    #expect(rig.turn { FileManager.default.fileExists(atPath: "\(scratch.state)/last-good/operators/a") })
    rig.turn(0.1) { false }
    #expect(shell("mount -o remount,ro '\(scratch.state)'"))
    try scratch.save("operators.d/a.yaml", PolicyScratch.operator("a", "v2"))
    #expect(rig.turn { rig.version("a") == "v2" && rig.codes == ["state-unwritable"] })
    let number = rig.authority.generation.number
    let path = "\(scratch.state)/sets/\(number)"
    #expect(!FileManager.default.fileExists(atPath: path))
    #expect(shell("mount -o remount,rw '\(scratch.state)'"))
    // No file changes any more: it heals by itself.
    #expect(rig.turn { rig.authority.diagnostics.isEmpty && FileManager.default.fileExists(atPath: path) })
    #expect(rig.authority.generation.number == number && rig.authority.history.last?.number == number)
  }

  private func shell(_ command: String) -> Bool {
    let process = Foundation.Process()
    process.executableURL = URL(fileURLWithPath: "/bin/sh")
    process.arguments = ["-c", "\(command) 2>/dev/null"]
    guard (try? process.run()) != nil else { return false }
    process.waitUntilExit()
    return process.terminationStatus == 0
  }

  // MARK: Clocks

  @Test func aClockThatWentBackwardUsesNoNumberTwice() throws {
    let scratch = try Rig.scratch("a")
    let state = StateFolder(root: scratch.state)
    try state.makeFolder("")
    // An earlier run's clock was a year ahead.
    let ahead = wallClock().microseconds + 365 * 86_400 * 1_000_000
    try state.write("generation", BoundRecord(bound: ahead).bytes)
    var last = ahead
    for round in 0..<2 {
      do {
        let rig = try Rig(scratch)
        try rig.scratch.save("operators.d/a.yaml", PolicyScratch.operator("a", "w\(round)"))
        #expect(rig.turn { rig.version("a") == "w\(round)" })
        #expect(rig.numbers.allSatisfy { $0 > last } && rig.numbers == rig.numbers.sorted())
        last = try #require(rig.numbers.last)
      }
    }
  }

  @Test(arguments: [BoundRecord.largest, BoundRecord.largest - 1, BoundRecord.largest + 1, .max])
  func aBoundAtTheEndOfAllNumbersIsNoTrap(_ bound: UInt64) throws {
    let scratch = try Rig.scratch("a")
    let state = StateFolder(root: scratch.state)
    try state.makeFolder("")
    try state.write("generation", BoundRecord(bound: bound).bytes)
    let rig = try Rig(scratch)
    #expect(rig.authority.generation.number > 0 && rig.version("a") == "v1")
  }

  // MARK: Names

  @Test func aFileWithTheShorterSuffixIsSaid() throws {
    let rig = try Rig(try Rig.scratch("a"))
    try rig.scratch.save("operators.d/b.yml", PolicyScratch.operator("b", "v1"))
    #expect(rig.turn { !rig.authority.diagnostics.isEmpty })
    let said = try #require(rig.authority.diagnostics.first)
    #expect(said.code == "file-misnamed" && said.severity == .warning && said.operator == "b")
    #expect(said.place.file == "operators.d/b.yml" && said.hint.contains("operators.d/b.yaml"))
    #expect(rig.authority.refused == [] && rig.version("a") == "v1" && rig.version("b") == nil)
    #expect(rename(rig.scratch.path("operators.d/b.yml"), rig.scratch.path("operators.d/b.yaml")) == 0)
    #expect(rig.turn { rig.version("b") == "v1" && rig.authority.diagnostics.isEmpty })
  }

  @Test func aDropInWhoseNameBeginsWithAnAccentIsItsOwners() throws {
    let rig = try Rig(try Rig.scratch("a"))
    try rig.scratch.save("platform.d/\u{301}x.yaml", "nonsense: [")
    #expect(rig.turn { rig.authority.refused == [""] })
    #expect(FileOwner("operators.d/\u{301}x.yaml") == .operator("\u{301}x"))
  }
}
