// The daemon's end of one ring: what is new in it, copied before it is looked at. Whatever its process wrote there, at worst
// what it says of its own decisions is wrong, or is not said at all.

import Attach
import Authority
import Decision
import PolicyImage
import System

/// Loop-owned.
final class ClientRing {
  let memory: SharedMemory
  let identity: UInt64
  let operatorName: String
  let uid: UInt32
  /// As it is on disk.
  private(set) var progress: RingProgress
  /// The generations whose images were handed to its process, newest last: what it decides by, and what its keys mean.
  private var issued: [Generation] = []
  static let issuedAtMost = 8
  /// The process wrote what no library of ours does: nothing more is read.
  private(set) var isBroken = false
  /// Nobody writes to it any more.
  var isEnded = false

  /// A new one.
  init(operatorName: String, uid: UInt32) throws(SystemError) {
    memory = try SharedMemory(name: "licet-ring", size: Ring.size)
    identity = UInt64.random(in: 1 ... .max)
    (self.operatorName, self.uid) = (operatorName, uid)
    progress = RingProgress(uid: uid)
    memory[Ring.identity] = identity
    memory[Ring.versionWord] = Ring.version
    memory[Ring.magicWord] = Ring.magic
    memory[Ring.isArmed] = 1
  }

  /// One that the daemon before this made, and read as far as `records` know; nil: it is none, or somebody else's.
  init?(continuing descriptor: Descriptor, operatorName: String, uid: UInt32, _ records: Records, _ taken: Set<UInt64>) {
    guard let memory = try? SharedMemory(continuing: descriptor, size: Ring.size),
      memory[Ring.magicWord] == Ring.magic, memory[Ring.versionWord] == Ring.version
    else { return nil }
    let identity = memory[Ring.identity]
    guard identity != 0, !taken.contains(identity) else { return nil }
    (self.memory, self.identity, self.operatorName, self.uid) = (memory, identity, operatorName, uid)
    // One that never got anything to disk is not known, and starts at nothing.
    progress = records.progress(of: identity, uid: uid) ?? RingProgress(uid: uid)
    memory[Ring.taken] = progress.taken
    memory[Ring.isArmed] = 1
  }

  func issue(_ generation: Generation) {
    if issued.last?.number == generation.number { return }
    issued.append(generation)
    if issued.count > ClientRing.issuedAtMost { issued.removeFirst() }
  }

  func generation(_ number: UInt64) -> Generation? { issued.last { $0.number == number } }

  // MARK: reading

  /// What is new, for a batch, and what is to be done in the ring once it is on disk.
  struct News {
    var progress: RingProgress
    var counts: [(generation: UInt64, key: CountKey, count: UInt64)] = []
    var records: [(kind: UInt32, bytes: [UInt8])] = []
    var closed: [Int] = []
    var lost: UInt64 = 0
  }

  /// nil: nothing.
  func read() -> News? {
    guard !isBroken else { return nil }
    var news = News(progress: progress)
    readRecords(&news)
    for lane in 0..<Ring.lanes { readLane(lane, &news) }
    let lost = memory[Ring.lost]
    if lost > news.progress.lost {
      news.lost = lost - news.progress.lost
      news.progress.lost = lost
    }
    return news.progress != progress || !news.closed.isEmpty ? news : nil
  }

  private func readRecords(_ news: inout News) {
    let written = memory[Ring.written]
    let count = written &- progress.taken
    guard count > 0 else { return }
    guard count <= UInt64(Ring.recordBytes), count % 8 == 0 else {
      isBroken = true
      return
    }
    let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: Int(count), alignment: 8)
    defer { copy.deallocate() }
    let start = Int(progress.taken % UInt64(Ring.recordBytes))
    let first = min(Int(count), Ring.recordBytes - start)
    guard let base = copy.baseAddress else { return }
    memory.copy(from: Ring.records + start, first, into: base)
    memory.copy(from: Ring.records, Int(count) - first, into: base + first)
    var offset = 0
    while offset < copy.count {
      let length = Int(UInt32(littleEndian: base.load(fromByteOffset: offset, as: UInt32.self)))
      let kind = UInt32(littleEndian: base.load(fromByteOffset: offset + 4, as: UInt32.self))
      guard length > Ring.recordHead, length % 8 == 0, length <= copy.count - offset else {
        isBroken = true
        break
      }
      news.records.append(
        (kind, Array(UnsafeRawBufferPointer(start: base + offset + Ring.recordHead, count: length - Ring.recordHead))))
      offset += length
    }
    news.progress.taken = progress.taken &+ UInt64(offset)
  }

  private func readLane(_ number: Int, _ news: inout News) {
    let head = Ring.head(number)
    let state = memory[head + Ring.Lane.state]
    guard state == Ring.Lane.open || state == Ring.Lane.closed else { return }
    let serial = memory[head + Ring.Lane.serial]
    let generation = memory[head + Ring.Lane.generation]
    let used = Int(clamping: memory[head + Ring.Lane.used])
    guard used <= Ring.entries else {
      isBroken = true
      return
    }
    let known = progress.lanes[UInt8(number)].flatMap { $0.serial == serial ? $0.counts : nil } ?? []
    var counts = known
    for entry in 0..<max(used, known.count) {
      let at = Ring.entry(number, entry)
      let count = memory[at + 1]
      let before = entry < known.count ? known[entry] : 0
      if entry >= counts.count { counts.append(0) }
      // A count that goes back is no count.
      guard count > before else { continue }
      counts[entry] = count
      news.counts.append((generation, CountKey(raw: memory[at]), count - before))
    }
    if counts != known || state == Ring.Lane.closed {
      news.progress.lanes[UInt8(number)] = RingProgress.Lane(serial: serial, counts: counts)
    }
    if state == Ring.Lane.closed { news.closed.append(number) }
  }

  /// It is on disk.
  func accept(_ news: News) {
    progress = news.progress
    for lane in news.closed { memory[Ring.head(lane) + Ring.Lane.state] = Ring.Lane.free }
    memory[Ring.taken] = progress.taken
  }

  /// Wants to be told of the next record. true: there is one already.
  func arm() -> Bool {
    memory[Ring.isArmed] = 1
    return !isBroken && memory[Ring.written] != progress.taken
  }

  func breakOff() { isBroken = true }
}
