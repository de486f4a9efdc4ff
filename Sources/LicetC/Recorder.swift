// The process' end of the ring: which lanes are whose, and records one behind the other (Attach.Ring says where things lie).

internal import Attach
internal import CLicet
internal import Decision
internal import PolicyImage

typealias RecorderRef = UnsafeMutablePointer<Recorder>

/// A mapped ring. One reference for the authority, one a snapshot.
struct Recorder {
  var references: UInt32 = 1
  /// Which ring of this process it is: a forked child has the memory, but not the right to it.
  let number: UInt32
  /// To be handed to the daemon that comes after the one that made it. Owned.
  let descriptor: Int32
  let base: UnsafeMutableRawPointer
  /// CLOCK_MONOTONIC_COARSE: before then nobody waits for room again.
  var retryAt: UInt64 = 0
  /// Of the lane that requests share; under the lock.
  var shared = LaneIndex()

  var words: UnsafeMutablePointer<UInt64> { base.assumingMemoryBound(to: UInt64.self) }

  /// Takes the descriptor over; nil: it is no ring, or can't be mapped, and `failure` says why: -errno.
  static func make(_ descriptor: Int32, number: UInt32, _ failure: inout Int32) -> RecorderRef? {
    var base: UnsafeMutableRawPointer?
    failure = clicet_map_ring(descriptor, Ring.size, Ring.recordBytes, &base)
    guard failure == 0, let base else {
      clicet_close(descriptor)
      return nil
    }
    let words = base.assumingMemoryBound(to: UInt64.self)
    let isRing = words[Ring.magicWord] == Ring.magic && words[Ring.versionWord] == Ring.version
    guard isRing, let memory = clicet_allocate(MemoryLayout<Recorder>.size) else {
      failure = isRing ? -ENOMEM : -EPROTO
      clicet_unmap(base, Ring.size &+ Ring.recordBytes)
      clicet_close(descriptor)
      return nil
    }
    let recorder = memory.bindMemory(to: Recorder.self, capacity: 1)
    recorder.initialize(to: Recorder(number: number, descriptor: descriptor, base: base))
    return recorder
  }

  static func retain(_ recorder: RecorderRef?) {
    guard let recorder else { return }
    _ = clicet_add32(referenceWord(recorder), 1)
  }

  static func release(_ recorder: RecorderRef?) {
    guard let recorder, clicet_subtract32(referenceWord(recorder), 1) == 1 else { return }
    clicet_unmap(recorder.pointee.base, Ring.size &+ Ring.recordBytes)
    clicet_close(recorder.pointee.descriptor)
    recorder.pointee.shared.free()
    clicet_free(recorder)
  }
}

/// Where the keys of a lane stand: a table of the process' own, so that the lane itself stays dense.
struct LaneIndex {
  /// Its number; -1: none.
  private(set) var lane = -1
  private var head: UnsafeMutablePointer<UInt64>?
  private var entries: UnsafeMutablePointer<UInt64>?
  /// An entry's number + 1 by hash; 0: free. Owned.
  private var table: UnsafeMutablePointer<UInt16>?
  private var used = 0

  private static let slots = Ring.entries &* 2

  /// Claims a free lane below `limit`, from `first` on; false: none is free, or there is no memory.
  mutating func claim(_ recorder: RecorderRef, generation: UInt64, first: Int, limit: Int) -> Bool {
    if table == nil {
      table = clicet_pages(LaneIndex.slots &* 2)?.bindMemory(to: UInt16.self, capacity: LaneIndex.slots)
    }
    guard table != nil else { return false }
    var i = first
    while i < limit {
      let words = recorder.pointee.words + Ring.head(i)
      if clicet_replace(words + Ring.Lane.state, Ring.Lane.free, Ring.Lane.claimed) != 0 {
        clicet_store_relaxed(words + Ring.Lane.serial, clicet_load_relaxed(words + Ring.Lane.serial) &+ 1)
        clicet_store_relaxed(words + Ring.Lane.generation, generation)
        clicet_store_relaxed(words + Ring.Lane.used, 0)
        clicet_store_release(words + Ring.Lane.state, Ring.Lane.open)
        (lane, head, entries, used) = (i, words, recorder.pointee.words + Ring.entry(i, 0), 0)
        return true
      }
      i &+= 1
    }
    return false
  }

  var generation: UInt64 { head.map { clicet_load_relaxed($0 + Ring.Lane.generation) } ?? 0 }

  /// Where the key's count is, as a new one if need be; nil: the lane is full.
  mutating func count(of key: UInt64) -> UnsafeMutablePointer<UInt64>? {
    guard let table, let entries, let head else { return nil }
    var slot = LaneIndex.first(key)
    while true {
      let number = Int(table[slot])
      if number == 0 { break }
      let entry = entries + (number &- 1) &* 2
      if clicet_load_relaxed(entry) == key { return entry + 1 }
      slot = (slot &+ 1) & (LaneIndex.slots &- 1)
    }
    guard used < Ring.entries else { return nil }
    let entry = entries + used &* 2
    // SAFETY: both lie inside the ring, from whose beginning they are counted.
    clicet_store_relaxed(head + (Ring.takenCount(lane, used) &- Ring.head(lane)), 0)
    clicet_store_relaxed(entry + 1, 0)
    clicet_store_relaxed(entry, key)
    used &+= 1
    table[slot] = UInt16(truncatingIfNeeded: used)
    clicet_store_release(head + Ring.Lane.used, UInt64(used))
    return entry + 1
  }

  /// Hands the lane to licetd, which frees it when it has the counts; `isOwn` false: a parent's, which is left alone.
  mutating func close(isOwn: Bool) {
    guard lane >= 0, let head else { return }
    empty(isOwn: isOwn)
    if isOwn { clicet_store_release(head + Ring.Lane.state, Ring.Lane.closed) }
    (lane, self.head, entries, used) = (-1, nil, nil, 0)
  }

  /// Few keys are taken out one by one, the last one first, so that each is found by the way that it was put there: the whole
  /// table would be 16 pages to touch. A parent's keys may be others by now. (Nor does licetd change any: it would miscount itself.)
  private func empty(isOwn: Bool) {
    guard used > 0, let table, let entries else { return }
    guard isOwn, used <= 256 else {
      // SAFETY: as large as it was made.
      UnsafeMutableRawPointer(table).initializeMemory(as: UInt8.self, repeating: 0, count: LaneIndex.slots &* 2)
      return
    }
    var number = used
    while number > 0 {
      var slot = LaneIndex.first(clicet_load_relaxed(entries + (number &- 1) &* 2))
      while table[slot] != 0, Int(table[slot]) != number { slot = (slot &+ 1) & (LaneIndex.slots &- 1) }
      table[slot] = 0
      number &-= 1
    }
  }

  @inline(__always)
  private static func first(_ key: UInt64) -> Int { Int(truncatingIfNeeded: (key &* 0x9E37_79B9_7F4A_7C15) >> 49) }

  func free() { if let table { clicet_unmap(table, LaneIndex.slots &* 2) } }
}

extension UnsafeMutablePointer where Pointee == Authority {
  /// Whether this very process, not one that it was forked from, may write to the ring.
  @inline(__always)
  func isOwn(_ recorder: RecorderRef) -> Bool { clicet_load32(pointee.recorderMark) == recorder.pointee.number }

  /// Writes one record, whose bytes `body` writes. 0, or LICET_E_NOT_RECORDED.
  func record(_ recorder: RecorderRef, _ kind: UInt32, _ body: (inout WireWriter) -> Void) -> Int32 {
    guard isOwn(recorder) else { return LICET_E_NOT_RECORDED }
    let timeout = pointee.settings.timeout
    var end: UInt64 = 0
    while true {
      guard clicet_lock(pointee.recordLock, timeout) == 0 else { return LICET_E_NOT_RECORDED }
      let (isWritten, needed) = recorder.append(kind, body)
      clicet_unlock(pointee.recordLock)
      if isWritten {
        ring(recorder)
        return 0
      }
      if needed > Ring.largestRecord { return sendRecord(kind, needed, body) }
      // Full. Nobody waits for a licetd that didn't make room a moment ago.
      let now = clicet_monotonic_now()
      if end == 0 { end = now &+ UInt64(timeout) &* 1_000_000 }
      guard now < end, now >= recorder.pointee.retryAt else {
        if now >= end { recorder.pointee.retryAt = now &+ 1_000_000_000 }
        return LICET_E_NOT_RECORDED
      }
      ring(recorder)
      clicet_sleep(1)
    }
  }

  /// Tells licetd of a record, if it wants to be told: it may be asleep.
  private func ring(_ recorder: RecorderRef) {
    let armed = recorder.pointee.words + Ring.isArmed
    clicet_fence()
    guard clicet_load_relaxed(armed) == 1, clicet_exchange(armed, 0) == 1 else { return }
    // The connection's number may be another file's by now, unless nobody can change it. Who is in the way, or the
    // daemon's own look each second, will tell.
    guard clicet_try_lock(pointee.lock) != 0 else {
      clicet_store_release(armed, 1)
      return
    }
    if !(pointee.connection.isOpen && isOwnConnection && pointee.connection.tell(.ring)) {
      // Whoever made the ring is gone. The next one goes on with it; until then what is in force is.
      clicet_store_release(armed, 1)
      if clicet_coarse_now() >= pointee.retryAt { _ = attach(nil, until: 0) }
    }
    clicet_unlock(pointee.lock)
  }

  /// A record that is too large for the ring, as a message.
  private func sendRecord(_ kind: UInt32, _ needed: Int, _ body: (inout WireWriter) -> Void) -> Int32 {
    guard let memory = clicet_allocate(needed) else { return LICET_E_NOT_RECORDED }
    defer { clicet_free(memory) }
    var writer = WireWriter(UnsafeMutableRawBufferPointer(start: memory, count: needed))
    writer.put(kind)
    body(&writer)
    guard writer.isWhole, clicet_lock(pointee.lock, pointee.settings.timeout) == 0 else { return LICET_E_NOT_RECORDED }
    defer { clicet_unlock(pointee.lock) }
    return isAnswered(.record, writer.bytes) ? 0 : LICET_E_NOT_RECORDED
  }

  /// Asks for something to be put on disk; false: it can't be, or nobody answers. Under the lock.
  func isAnswered(_ kind: MessageKind, _ body: Name) -> Bool {
    guard pointee.connection.isOpen, isOwnConnection else { return false }
    var answer = Name(start: nil, count: 0)
    var answerKind: UInt16 = 0
    guard pointee.connection.ask(kind, body, &answer, &answerKind) == 0 else {
      pointee.connection.close()
      return false
    }
    return answerKind == kind.rawValue | MessageKind.answer
  }
}

extension UnsafeMutablePointer where Pointee == Recorder {
  /// Whether there was room, and the bytes that it needs without its head. Under the record lock.
  fileprivate func append(_ kind: UInt32, _ body: (inout WireWriter) -> Void) -> (isWritten: Bool, needed: Int) {
    let words = pointee.words
    let written = clicet_load_relaxed(words + Ring.written)
    let behind = written &- clicet_load_acquire(words + Ring.taken)
    // A daemon that says otherwise than it should gets nothing written over.
    let room = behind <= UInt64(Ring.recordBytes) ? Ring.recordBytes &- Int(behind) : 0
    let start = pointee.base + (Ring.records &+ Int(written) & (Ring.recordBytes &- 1))
    let space = max(0, min(room, Ring.largestRecord) &- Ring.recordHead)
    // SAFETY: the records' memory is there twice, one behind the other.
    var writer = WireWriter(UnsafeMutableRawBufferPointer(start: start + Ring.recordHead, count: space))
    body(&writer)
    let needed = writer.count &+ 4
    if writer.count &+ Ring.recordHead &+ 7 > Ring.largestRecord {
      return (false, max(needed, Ring.largestRecord &+ 1))
    }
    let length = (writer.count &+ Ring.recordHead &+ 7) & ~7
    guard writer.isWhole, length <= room else { return (false, needed) }
    var head = WireWriter(UnsafeMutableRawBufferPointer(start: start, count: Ring.recordHead))
    head.put(UInt32(truncatingIfNeeded: length))
    head.put(kind)
    clicet_store_release(words + Ring.written, written &+ UInt64(length))
    return (true, needed)
  }
}
