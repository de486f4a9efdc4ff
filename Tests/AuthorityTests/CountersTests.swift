// What counters come to over restarts: read back, or not known, and never less for what was done to file or clock.

import Counting
import Foundation
import System
import TestKit
import Testing

@testable import Authority

private let second: Int64 = 1_000_000_000

/// A state folder, and a store's file in it as another start, host or time left it.
private final class Bench {
  let root: URL
  let loop: EventLoop
  let mails = CounterDefinition(name: "mails", countsUsers: false, per: 0, window: 3600, behaviors: ["tool.mail"])

  init() throws {
    root = FileManager.default.temporaryDirectory.appendingPathComponent("licet-counters-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: root, withIntermediateDirectories: true)
    loop = try EventLoop()
  }

  deinit { try? FileManager.default.removeItem(at: root) }

  var state: StateFolder { StateFolder(root: root.path) }
  var file: URL { root.appendingPathComponent("counters") }

  /// Three mails of `shop`, kept so many seconds ago by the host's clock.
  func keep(host: String = "here", boot: String? = nil, ago: Int64 = 0) throws {
    let store = CounterStore(key: (1, 2))
    store.define([mails], at: 0)
    for _ in 0..<3 { _ = count(store) }
    let clock = CounterClock()
    let kept = Kept(
      snapshot: store.snapshot(at: second), host: host, boot: boot ?? clock.bootID, time: clock.boot - ago * second)
    try Data(kept.bytes()).write(to: file)
  }

  func count(_ store: CounterStore) -> Int64? {
    Array("shop".utf8).withUnsafeBytes { store.count(0, Subject(operatorName: $0), at: store.now) }
  }

  /// What the next one is, or why nothing was read.
  func next() -> (Int64?, String) {
    switch Kept.read(state, host: "here", limit: 1 << 20) {
    case .none: return (nil, "none")
    case .lost(let why): return (nil, why)
    case .store(let store, _):
      store.value.define([mails], at: store.value.now)
      return (count(store.value), "")
    }
  }
}

@Suite struct CountersTests {
  @Test func whatWasKeptGoesOnUntilItsWindowHasPassed() throws {
    let bench = try Bench()
    #expect(bench.next().1 == "none")
    try bench.keep()
    #expect(bench.next().0 == 4)
    try bench.keep(ago: 3500)
    #expect(bench.next().0 == 4)
    try bench.keep(ago: 3600 + 300)
    #expect(bench.next().0 == 1)
    // A time that is still to come: the clock of this start went back, or the file is made up.
    try bench.keep(ago: -100_000)
    #expect(bench.next().0 == 4)
  }

  /// Only what surely passed counts as passed: the time since this start, whatever the wall clock says.
  @Test func anotherStartOfTheHost() throws {
    let bench = try Bench()
    try bench.keep(boot: "another", ago: 1 << 30)
    let isLong = CounterClock().boot > 3900 * second
    #expect(bench.next().0 == (isLong ? 1 : 4))
  }

  @Test func whatIsTornOrForeignIsNotBelieved() throws {
    let bench = try Bench()
    try bench.keep(host: "there")
    #expect(bench.next().1.contains("another host's"))
    try bench.keep()
    let whole = try Data(contentsOf: bench.file)
    for length in stride(from: 0, to: whole.count, by: 7) {
      try whole.prefix(length).write(to: bench.file)
      #expect(bench.next().1.contains("torn"))
    }
    for at in stride(from: 0, to: whole.count, by: 5) {
      var changed = whole
      changed[at] ^= 1
      try changed.write(to: bench.file)
      #expect(bench.next().1.contains("torn"))
    }
    try Data().write(to: bench.file)
    #expect(!bench.next().1.isEmpty)
    try FileManager.default.removeItem(at: bench.file)
    try FileManager.default.createDirectory(at: bench.file, withIntermediateDirectories: true)
    #expect(bench.next().1.contains("can't be read"))
  }

  /// The parts together: nothing kept, counted, ended, begun again; then a file that is torn.
  @Test func overARestart() throws {
    let bench = try Bench()
    var said: [String] = []
    func counters() throws -> Counters {
      let counters = try Counters(
        bench.state, host: "here", limit: 1 << 20, loop: bench.loop, log: { said.append($0) })
      var isOpen = false
      counters.open { isOpen = true }
      while !isOpen { bench.loop.turn(maximumWait: 5_000_000) }
      return counters
    }
    let first = try counters()
    #expect(first.fill.isEmpty)
    first.finish()
    #expect(!FileManager.default.fileExists(atPath: bench.file.path))
    try Data("licet counters 1\n".utf8).write(to: bench.file)
    let second = try counters()
    #expect(said.count == 1 && said[0].contains("none is known until its window has passed"))
    second.finish()
    // That something is lost is kept: one more restart makes nothing known.
    let third = try counters()
    #expect(said.count == 1)
    third.finish()
    #expect(FileManager.default.fileExists(atPath: bench.file.path))
  }
}
