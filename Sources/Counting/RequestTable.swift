// One counter of requests: so many in each slice, for each key. Flat arrays, so that a copy for writing to disk costs
// nothing until something changes, and little then.

struct RequestTable: Sendable {
  struct Entry: Equatable, Sendable {
    var key: UInt64
    /// Before this time its count isn't known: requests may be missing.
    var knownFrom: Int64
    /// The slice that was counted in last.
    var newest: Int64
    /// Over all kept slices.
    var total: Int64
    var isFree = false
  }

  /// What a key takes: its entry, 17 counts and its place in the index.
  static let keyBytes = MemoryLayout<Entry>.stride + Window.kept * 4 + 32

  let window: Window
  private(set) var entries: [Entry] = []
  /// 17 for each entry.
  private(set) var counts: [UInt32] = []
  private var index: [UInt64: Int32] = [:]
  private var free: [Int32] = []
  private var hand = 0

  init(_ window: Window) { self.window = window }

  var keys: Int { index.count }
  var bytes: Int { keys * RequestTable.keyBytes }

  /// How many requests of this key count at this time; nil: there is no such key.
  func value(_ key: UInt64, at time: Int64) -> (count: Int64, knownFrom: Int64)? {
    guard let at = index[key] else { return nil }
    let entry = entries[Int(at)]
    let now = max(window.number(at: time), entry.newest)
    var count = entry.total
    var number = max(0, entry.newest - Window.slices)
    while number < min(now - Window.slices, entry.newest + 1) {
      count -= Int64(counts[Int(at) * Window.kept + Window.place(number)])
      number += 1
    }
    return (count, entry.knownFrom)
  }

  /// Counts one request, and says how many there are with it; nil: there is no such key.
  mutating func count(_ key: UInt64, at time: Int64) -> (count: Int64, knownFrom: Int64)? {
    guard let at = index[key] else { return nil }
    let i = Int(at)
    let now = max(window.number(at: time), entries[i].newest)
    if now > entries[i].newest { forget(i, upTo: now) }
    let slot = i * Window.kept + Window.place(now)
    if counts[slot] < .max {
      counts[slot] += 1
      entries[i].total += 1
    }
    return (entries[i].total, entries[i].knownFrom)
  }

  /// Empties the slices between the newest and this one.
  private mutating func forget(_ i: Int, upTo now: Int64) {
    var number = max(entries[i].newest + 1, now - Window.slices)
    while number <= now {
      let slot = i * Window.kept + Window.place(number)
      entries[i].total -= Int64(counts[slot])
      counts[slot] = 0
      number += 1
    }
    entries[i].newest = now
  }

  mutating func add(_ key: UInt64, knownFrom: Int64, at time: Int64) {
    let now = window.number(at: time)
    let entry = Entry(key: key, knownFrom: knownFrom, newest: now, total: 0)
    if let at = free.popLast() {
      entries[Int(at)] = entry
      for slot in Int(at) * Window.kept..<(Int(at) + 1) * Window.kept { counts[slot] = 0 }
      index[key] = at
      return
    }
    index[key] = Int32(truncatingIfNeeded: entries.count)
    entries.append(entry)
    counts.append(contentsOf: repeatElement(0, count: Window.kept))
  }

  /// Looks at a few keys in turn, and lets go of those of which nothing counts any more.
  mutating func sweep(_ few: Int, at time: Int64) {
    let now = window.number(at: time)
    for _ in 0..<min(few, entries.count) {
      hand = hand + 1 < entries.count ? hand + 1 : 0
      let entry = entries[hand]
      guard !entry.isFree, now - entry.newest > Window.slices, time >= entry.knownFrom else { continue }
      index[entry.key] = nil
      entries[hand].isFree = true
      free.append(Int32(truncatingIfNeeded: hand))
    }
  }

  /// A key read back; false: it makes no sense.
  mutating func restore(_ key: UInt64, knownFrom: Int64, newest: Int64, _ own: [UInt32], at time: Int64) -> Bool {
    guard index[key] == nil, own.count == Window.kept, newest >= 0, newest <= window.number(at: time),
      entries.count < Int32.max
    else { return false }
    index[key] = Int32(truncatingIfNeeded: entries.count)
    entries.append(
      Entry(key: key, knownFrom: knownFrom, newest: newest, total: own.reduce(0) { $0 + Int64($1) }))
    counts += own
    return true
  }
}
