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
  /// What is on disk.
  private(set) var progress: RingProgress
  /// The generations whose images were handed to its process, newest last: what it decides by, and what its keys mean.
  private var issued: [Generation] = []
  static let issuedAtMost = 8
  /// The process wrote what no library of ours does: nothing more is read.
  private(set) var isBroken = false
  /// Nobody writes to it any more.
  var isEnded = false
  /// Where reading stopped, for want of time.
  private var place = (lane: 0, entry: 0)

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
  init?(continuing descriptor: Descriptor, operatorName: String, uid: UInt32, _ records: Records, _ taken: Set<UInt64>)
  {
    guard let memory = try? SharedMemory(continuing: descriptor, size: Ring.size),
      memory[Ring.magicWord] == Ring.magic, memory[Ring.versionWord] == Ring.version
    else { return nil }
    let identity = memory[Ring.identity]
    guard identity != 0, !taken.contains(identity) else { return nil }
    (self.memory, self.identity, self.operatorName, self.uid) = (memory, identity, operatorName, uid)
    progress = records.progress(of: identity, uid: uid) ?? RingProgress(uid: uid)
    // What was taken stands in the ring, but for the last batch perhaps.
    progress.taken = max(progress.taken, memory[Ring.taken])
    progress.lost = max(progress.lost, memory[Ring.takenLost])
    for (entry, count) in progress.counts where entry.lane < Ring.lanes && entry.index < Ring.entries {
      if memory[Ring.head(Int(entry.lane)) + Ring.Lane.serial] == entry.serial {
        memory[Ring.takenCount(Int(entry.lane), Int(entry.index))] = count
      }
    }
    progress.counts = [:]
    memory[Ring.taken] = progress.taken
    memory[Ring.takenLost] = progress.lost
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
    /// Lanes that were closed and have been read to their end.
    var closed: [Int] = []
    var lost: UInt64 = 0
    /// Whether everything was looked at.
    var isWhole = true
  }

  /// What is new; `budget` entries at most are looked at, and what was looked at is taken off it.
  func read(_ budget: inout Int) -> News {
    var news = News(progress: progress)
    news.progress.counts = [:]
    guard !isBroken else { return news }
    readRecords(&news)
    while place.lane < Ring.lanes, !isBroken {
      guard readLane(&news, &budget) else {
        news.isWhole = false
        return news
      }
      place = (place.lane + 1, 0)
    }
    place = (0, 0)
    let lost = memory[Ring.lost]
    if lost > news.progress.lost {
      news.lost = lost - news.progress.lost
      news.progress.lost = lost
    }
    return news
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

  /// false: the budget is used up before its end.
  private func readLane(_ news: inout News, _ budget: inout Int) -> Bool {
    let number = place.lane
    let head = Ring.head(number)
    let state = memory[head + Ring.Lane.state]
    guard state == Ring.Lane.open || state == Ring.Lane.closed else { return true }
    let serial = memory[head + Ring.Lane.serial]
    let generation = memory[head + Ring.Lane.generation]
    let used = Int(clamping: memory[head + Ring.Lane.used])
    guard used <= Ring.entries else {
      isBroken = true
      return true
    }
    while place.entry < used {
      guard budget > 0 else { return false }
      budget -= 1
      let at = Ring.entry(number, place.entry)
      let count = memory[at + 1]
      let taken = memory[Ring.takenCount(number, place.entry)]
      // A count that goes back is no count.
      if count > taken {
        news.progress.counts[RingProgress.Entry(lane: number, serial: serial, index: place.entry)] = count
        news.counts.append((generation, CountKey(raw: memory[at]), count - taken))
      }
      place.entry += 1
    }
    if state == Ring.Lane.closed { news.closed.append(number) }
    return true
  }

  /// It is on disk.
  func accept(_ news: News) {
    progress = news.progress
    for (entry, count) in progress.counts { memory[Ring.takenCount(Int(entry.lane), Int(entry.index))] = count }
    progress.counts = [:]
    for lane in news.closed { memory[Ring.head(lane) + Ring.Lane.state] = Ring.Lane.free }
    memory[Ring.takenLost] = progress.lost
    memory[Ring.taken] = progress.taken
  }

  /// It could not be written: everything is read again.
  func reject() { place = (0, 0) }

  /// Wants to be told of the next record. true: there is one already.
  func arm() -> Bool {
    memory[Ring.isArmed] = 1
    return !isBroken && memory[Ring.written] != progress.taken
  }

  func breakOff() { isBroken = true }
}
