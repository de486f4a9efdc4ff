// Counts and records of attached processes on disk: all of a batch or nothing, each once, over restarts, damage and a
// folder that can't be written.

import Foundation
import Decision
import PolicyImage
import System
import TestKit
import Testing

@testable import Authority

@Suite struct RecordsTests {
  /// Records over a state folder, and a loop to turn.
  private final class Bench {
    let loop: EventLoop
    let records: Records
    private(set) var isTorn = false

    init(_ scratch: PolicyScratch) throws {
      loop = try EventLoop()
      records = try Records(StateFolder(root: scratch.state), loop: loop)
      records.open { [unowned self] in isTorn = $0 }
      try #require(turn { records.isOpen })
    }

    deinit { records.finish() }

    func turn(until isDone: () -> Bool) -> Bool {
      let end = loop.now &+ 10_000_000_000
      while !isDone(), loop.now < end { loop.turn(maximumWait: 5_000_000) }
      return isDone()
    }

    /// Whether it came to disk.
    func write(_ batch: RecordBatch) throws -> Bool {
      var outcome: Bool?
      records.write(batch) { outcome = $0 }
      try #require(turn { outcome != nil })
      return outcome == true
    }
  }

  private func batch(_ number: UInt64, ring: UInt64 = 7) -> RecordBatch {
    var batch = RecordBatch()
    var progress = RingProgress(uid: 1000)
    (progress.taken, progress.lost) = (number * 64, number)
    progress.counts[.init(lane: 2, serial: 1, index: Int(number))] = number
    batch.rings[ring] = progress
    var own = OperatorTotals()
    (own.asserted.allow, own.asserted.deny, own.observed.ask, own.lost) = (number, 1, 2, 3)
    batch.totals.operators["shop"] = own
    batch.counts = [
      CountRecord(
        operatorName: "shop", generation: 9, behavior: "tool.x", rank: .setting, statement: "operators.d/shop.yaml:5",
        count: number)
    ]
    batch.decisions = [
      DecisionRecord(operatorName: "shop", uid: 1000, verdict: .agreed, effect: .deny, bytes: [1, 2, 3])
    ]
    return batch
  }

  private func newest(_ scratch: PolicyScratch) throws -> URL {
    let folder = URL(fileURLWithPath: scratch.state).appendingPathComponent("records")
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).compactMap(Int.init).sorted()
    return folder.appendingPathComponent("\(try #require(names.last))")
  }

  @Test func aRestartKnowsWhatWasWritten() throws {
    let scratch = try PolicyScratch("records")
    for life in 0..<20 as Range<UInt64> {
      let bench = try Bench(scratch)
      #expect(!bench.isTorn)
      #expect(bench.records.totals.sum.asserted.deny == life * 3)
      for number in 1...3 as ClosedRange<UInt64> { #expect(try bench.write(batch(life * 3 + number))) }
      let progress = try #require(bench.records.progress(of: 7, uid: 1000))
      #expect(progress.taken == (life * 3 + 3) * 64 && progress.counts.values.first == life * 3 + 3)
      #expect(bench.records.progress(of: 7, uid: 1001) == nil)
    }
    let last = try Bench(scratch).records
    let all = try #require(last.totals.operators["shop"])
    #expect(all.asserted.allow == (1...60).reduce(0, +) && all.observed.ask == 120 && all.lost == 180)
    #expect(last.progress(of: 7, uid: 1000)?.lost == 60)
    // The oldest files go.
    let files = try FileManager.default.contentsOfDirectory(atPath: scratch.state + "/records")
    #expect(files.count <= RecordFiles.files)
  }

  @Test func aRingThatEndedIsForgotten() throws {
    let scratch = try PolicyScratch("records")
    let bench = try Bench(scratch)
    #expect(try bench.write(batch(1)))
    var end = RecordBatch()
    end.ended = [7]
    #expect(try bench.write(end))
    #expect(bench.records.progress(of: 7, uid: 1000) == nil)
    #expect(try Bench(scratch).records.progress(of: 7, uid: 1000) == nil)
  }

  /// Cut anywhere, or with any byte changed: what stands before is known, of the batch that was hit nothing is.
  @Test func damageEndsAFile() throws {
    let scratch = try PolicyScratch("records")
    do {
      let bench = try Bench(scratch)
      for number in 1...3 as ClosedRange<UInt64> { #expect(try bench.write(batch(number))) }
    }
    let file = try newest(scratch)
    let whole = try Data(contentsOf: file)
    var counted: Set<UInt64> = []
    for position in stride(from: 12, to: whole.count, by: 7) {
      var changed = whole
      changed[position] ^= 0x10
      for damaged in [whole.prefix(position), changed] {
        try damaged.write(to: file)
        let opened = RecordFiles(StateFolder(root: scratch.state)).open()
        let found = opened.totals.operators["shop"]?.asserted.deny ?? 0
        #expect(found < 3)
        #expect(opened.progress[7]?.taken ?? 0 == found * 64)
        counted.insert(found)
      }
    }
    #expect(counted == [0, 1, 2])
    try whole.write(to: file)
    #expect(RecordFiles(StateFolder(root: scratch.state)).open().totals.sum.asserted.deny == 3)
  }

  /// What can't be written is said, doesn't count, and can be written later.
  @Test func aFolderThatCantBeWritten() throws {
    let scratch = try PolicyScratch("records")
    let bench = try Bench(scratch)
    #expect(try bench.write(batch(1)))
    try FileManager.default.removeItem(atPath: scratch.state)
    try Data("in the way".utf8).write(to: URL(fileURLWithPath: scratch.state))
    // A file that is open goes on; the next one can't be made.
    let next = try Bench(scratch)
    #expect(try !next.write(batch(2)))
    #expect(next.records.unwritable != nil && next.records.totals.sum.asserted.deny == 0)
    try FileManager.default.removeItem(atPath: scratch.state)
    #expect(try next.write(batch(2)))
    #expect(next.records.unwritable == nil && next.records.totals.sum.asserted.deny == 1)
  }
}
