// What is put together from what inotify told equals what a fresh look at the folders finds, whatever was done to them.

import CompilerProtocol
import Foundation
import PolicyTree
import System
import TestKit
import Testing

@testable import Authority

/// A watcher and a scanner as the reloader joins them, with nothing behind.
private final class Follower {
  let loop: EventLoop
  let scanner: FolderScanner
  private var watcher: Watcher?
  private(set) var files = PolicyFiles.none
  /// Scans, by their extent.
  private(set) var extents: [ScanExtent] = []
  private var isScanning = false
  private var next: ScanExtent?

  init(_ folders: [String]) throws {
    loop = try EventLoop()
    let configuration = Authority.Configuration(
      folders: folders, state: "/nonexistent", trust: .anyone, compiler: .spawn("/nonexistent"))
    scanner = try FolderScanner(configuration, loop: loop)
    watcher = try Watcher(loop, configuration.times) { [unowned self] in scan($0) }
    scan(.bytes)
  }

  deinit {
    watcher?.finish()
    scanner.finish()
  }

  private func scan(_ extent: ScanExtent) {
    guard !isScanning else { return next = next?.union(extent) ?? extent }
    isScanning = true
    extents.append(extent)
    scanner.scan(extent) { [unowned self] scanned in
      files = scanned.files
      isScanning = false
      if watcher?.arm(scanned.directories) == true { next = next?.union(.stamps) ?? .stamps }
      guard let extent = next else { return }
      next = nil
      scan(extent)
    }
  }

  func turn(_ seconds: Double, until isDone: () -> Bool) -> Bool {
    let end = loop.now &+ UInt64(seconds * 1e9)
    while !isDone() {
      if loop.now >= end { return false }
      loop.turn(maximumWait: 5_000_000)
    }
    return true
  }
}

private func fresh(_ folders: [String]) -> PolicyFiles {
  PolicyFiles(PolicyTree.scan(folders, trust: .anyone).entries.map(PolicySource.init))
}

private func isSame(_ a: PolicyFiles, _ b: PolicyFiles) -> Bool {
  a.digest == b.digest && a.platform.files == b.platform.files && a.unlisted == b.unlisted
    && a.operators.mapValues(\.files) == b.operators.mapValues(\.files)
}

@Suite struct IncrementalScanTests {
  /// 120 rounds of up to four edits each on two policy folders: saved by rename and in place, removed, linked, masked,
  /// drop-in folders that come and go, a folder exchanged by its link as Kubernetes does it.
  @Test func equalsAFreshScan() throws {
    var random = SeededRandom(seed: 23)
    let scratch = try PolicyScratch("incremental")
    let folders = [scratch.policy, scratch.root.appendingPathComponent("higher").path]
    try FileManager.default.createDirectory(atPath: folders[1] + "/operators.d", withIntermediateDirectories: true)
    try FileManager.default.createDirectory(atPath: scratch.path("elsewhere"), withIntermediateDirectories: true)
    let follower = try Follower(folders)
    for round in 0..<120 {
      for _ in 0..<Int.random(in: 1...4, using: &random) { try edit(scratch, round, &random) }
      let isReached = follower.turn(5) { isSame(follower.files, fresh(folders)) }
      #expect(isReached, "round \(round)")
      if !isReached { return }
    }
    // It was put together, not read anew each time.
    let touched = follower.extents.filter { if case .touched = $0 { true } else { false } }
    #expect(touched.count > 30)
  }

  private func edit(_ scratch: PolicyScratch, _ round: Int, _ random: inout SeededRandom) throws {
    let name = "operators.d/o\(Int.random(in: 0..<6, using: &random))"
    let text = "text \(UInt64.random(in: 0..<1000, using: &random))\n"
    func missing(_ folder: String) throws {
      try FileManager.default.createDirectory(atPath: scratch.path(folder), withIntermediateDirectories: true)
    }
    switch Int.random(in: 0..<24, using: &random) {
    case 0..<5: try scratch.save("\(name).yaml", text)
    case 5..<7: try scratch.overwrite("\(name).yaml", text)
    case 7: try? scratch.remove("\(name).yaml")
    case 8..<10: try scratch.save("platform.yaml", text)
    case 10..<12:
      try missing("\(name).d")
      try scratch.save("\(name).d/10.yaml", text)
    case 12: try? scratch.remove("\(name).d")
    case 13..<15: try scratch.link("\(name).yaml", to: "../elsewhere/target")
    case 15..<20: try scratch.overwrite("elsewhere/target", text)
    case 20: try scratch.link("../higher/\(name).yaml", to: "/dev/null")
    case 21: try scratch.save("../higher/\(name).yaml", text)
    case 22: for n in 0..<6 { try? scratch.remove("../higher/operators.d/o\(n).yaml") }
    default:
      // `..data` leads to a folder with all files; it is exchanged by rename.
      try missing("data-\(round)")
      try scratch.overwrite("data-\(round)/k.yaml", text)
      try scratch.link("..data", to: "data-\(round)")
      if random.next() % 2 == 0 { try scratch.link("operators.d/k.yaml", to: "../..data/k.yaml") }
    }
  }

  /// What was not touched is not looked at; what was is read though its stamp may be the same.
  @Test func looksAtWhatWasTouched() throws {
    let scratch = try PolicyScratch("touched")
    try scratch.save("operators.d/a.yaml", "one\n")
    try scratch.save("operators.d/b.yaml", "one\n")
    let before = PolicyTree.scan([scratch.policy], trust: .anyone)
    try scratch.save("operators.d/a.yaml", "two\n")
    try scratch.save("operators.d/b.yaml", "two\n")
    let real = try #require(realpath(scratch.path("operators.d"), nil))
    defer { free(real) }
    let touched = "\(String(cString: real))/b.yaml"
    let after = PolicyTree.scan([scratch.policy], trust: .anyone, since: .touched(before, [touched]))
    #expect(after.entries.map(\.content) == [.bytes(Array("one\n".utf8)), .bytes(Array("two\n".utf8))])
    let stamps = PolicyTree.scan([scratch.policy], trust: .anyone, since: .snapshot(after))
    #expect(stamps.entries.map(\.content) == [.bytes(Array("two\n".utf8)), .bytes(Array("two\n".utf8))])
  }
}
