// One counter of distinct users: a sketch for each slice, for each key, and one of all of them.

struct UserTable: Sendable {
  struct Entry: Sendable {
    var key: UInt64
    var knownFrom: Int64
    var newest: Int64
    /// By place (`Window.place`).
    var slices: [Sketch]
    /// Of all slices.
    var union = Sketch()
    var ranks = RankCounts()
    var estimate: Int64 = 0

    init(key: UInt64, knownFrom: Int64, newest: Int64, slices: [Sketch]? = nil) {
      (self.key, self.knownFrom, self.newest) = (key, knownFrom, newest)
      self.slices = slices ?? [Sketch](repeating: Sketch(), count: Window.kept)
      unite()
    }

    mutating func unite() {
      var union = Sketch()
      for slice in slices { slice.forEach { union.raise($0, to: $1) } }
      self.union = union
      ranks = RankCounts(union)
      estimate = ranks.estimate
    }

    var bytes: Int {
      MemoryLayout<Entry>.stride + Window.kept * MemoryLayout<Sketch>.stride + (Sketch.highestRank + 1) * 8 + 64
        + slices.reduce(union.bytes) { $0 + $1.bytes }
    }
  }

  /// The most that one more user can make a key grow: a list in a slice and the union's become registers.
  static let growth = 2 * Sketch.registers
  static let keyBytes = MemoryLayout<Entry>.stride + Window.kept * MemoryLayout<Sketch>.stride + 4096

  let window: Window
  private(set) var entries: [UInt64: Entry] = [:]
  private(set) var bytes = 0

  init(_ window: Window) { self.window = window }

  var keys: Int { entries.count }

  /// How many users there were, with this one; nil: there is no such key.
  func value(_ key: UInt64, with user: UInt64?, at time: Int64) -> (count: Int64, knownFrom: Int64)? {
    guard var entry = entries[key] else { return nil }
    UserTable.forget(&entry, window, upTo: window.number(at: time))
    guard let user else { return (entry.estimate, entry.knownFrom) }
    let (index, rank) = Sketch.place(user)
    let old = entry.union.rank(index)
    if rank > old {
      entry.ranks.move(from: old, to: rank)
      return (entry.ranks.estimate, entry.knownFrom)
    }
    return (entry.estimate, entry.knownFrom)
  }

  /// Counts a user, and says how many there are with it; nil: there is no such key.
  mutating func count(_ key: UInt64, _ user: UInt64, at time: Int64) -> (count: Int64, knownFrom: Int64)? {
    guard let found = entries.index(forKey: key) else { return nil }
    let now = window.number(at: time)
    let (index, rank) = Sketch.place(user)
    let isLater = now > entries.values[found].newest
    let before = isLater ? entries.values[found].bytes : 0
    if isLater { UserTable.forget(&entries.values[found], window, upTo: now) }
    let place = Window.place(entries.values[found].newest)
    let small = isLater ? 0 : entries.values[found].slices[place].bytes + entries.values[found].union.bytes
    if entries.values[found].slices[place].raise(index, to: rank) != nil,
      let old = entries.values[found].union.raise(index, to: rank)
    {
      entries.values[found].ranks.move(from: old, to: rank)
      entries.values[found].estimate = entries.values[found].ranks.estimate
    }
    bytes +=
      isLater
      ? entries.values[found].bytes - before
      : entries.values[found].slices[place].bytes + entries.values[found].union.bytes - small
    return (entries.values[found].estimate, entries.values[found].knownFrom)
  }

  private static func forget(_ entry: inout Entry, _ window: Window, upTo now: Int64) {
    guard now > entry.newest else { return }
    var isLess = false
    var number = max(entry.newest + 1, now - Window.slices)
    while number <= now {
      let place = Window.place(number)
      if entry.slices[place] != Sketch() {
        entry.slices[place] = Sketch()
        isLess = true
      }
      number += 1
    }
    entry.newest = now
    if isLess { entry.unite() }
  }

  mutating func add(_ key: UInt64, knownFrom: Int64, at time: Int64) {
    let entry = Entry(key: key, knownFrom: knownFrom, newest: window.number(at: time))
    bytes += entry.bytes
    entries[key] = entry
  }

  /// What is counted is not known before this time.
  mutating func lose(_ key: UInt64, until time: Int64) {
    guard let found = entries.index(forKey: key) else { return }
    entries.values[found].knownFrom = max(entries.values[found].knownFrom, time)
  }

  /// Lets go of keys of which nothing counts any more; there are as many as operators.
  mutating func sweep(at time: Int64) {
    let now = window.number(at: time)
    for (key, entry) in entries where now - entry.newest > Window.slices && time >= entry.knownFrom {
      bytes -= entry.bytes
      entries[key] = nil
    }
  }

  mutating func restore(_ key: UInt64, knownFrom: Int64, newest: Int64, _ slices: [Sketch], at time: Int64) -> Bool {
    guard entries[key] == nil, slices.count == Window.kept, newest >= 0, newest <= window.number(at: time) else {
      return false
    }
    let entry = Entry(key: key, knownFrom: knownFrom, newest: newest, slices: slices)
    bytes += entry.bytes
    entries[key] = entry
    return true
  }
}
