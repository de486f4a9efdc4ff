// Everything that was counted <-> bytes (docs/design/counters.md). Little-endian; whoever keeps the bytes sees to it that they
// are whole and this host's: what reads them checks that they make sense, and nothing more.

public struct CounterSnapshot: Sendable {
  let key: (UInt64, UInt64)
  let now: Int64
  let lostAt: Int64?
  let tables: [Content]

  static let magic: UInt64 = 0x5354_4E55_4F43_4C4C
  static let version: UInt32 = 1
  /// Retired ones included.
  static let maximumTables = 4096

  /// One counter's, without its index: of what is shared here the first count afterwards makes a copy.
  struct Content: Sendable {
    let definition: CounterDefinition
    let incompleteUntil: Int64
    let retiredUntil: Int64?
    let keys: Int
    let entries: [RequestTable.Entry]
    let counts: [UInt32]
    let users: [UserTable.Entry]

    init(_ table: CounterStore.Table) {
      (definition, incompleteUntil, retiredUntil) = (table.definition, table.incompleteUntil, table.retiredUntil)
      (keys, entries, counts) = (table.keys, table.requests.entries, table.requests.counts)
      users = Array(table.users.entries.values)
    }
  }

  init(key: (UInt64, UInt64), now: Int64, lostAt: Int64?, tables: [Content]) {
    (self.key, self.now, self.lostAt, self.tables) = (key, now, lostAt, tables)
  }

  public func bytes() -> [UInt8] {
    var out = Output()
    out.put(Self.magic)
    out.put(Self.version)
    out.put(key.0)
    out.put(key.1)
    out.put(now)
    out.put(lostAt ?? -1)
    out.put(UInt32(tables.count))
    for table in tables { put(table, &out) }
    return out.bytes
  }

  private func put(_ table: Content, _ out: inout Output) {
    let definition = table.definition
    out.put(definition.name)
    out.put(UInt8(definition.countsUsers ? 1 : 0))
    out.put(definition.per)
    out.put(definition.window)
    out.put(UInt16(definition.behaviors.count))
    for name in definition.behaviors { out.put(name) }
    out.put(table.incompleteUntil)
    out.put(table.retiredUntil ?? -1)
    out.put(UInt32(table.keys))
    for (i, entry) in table.entries.enumerated() where !entry.isFree {
      out.put(entry.key)
      out.put(entry.knownFrom)
      out.put(entry.newest)
      table.counts[i * Window.kept..<(i + 1) * Window.kept].withUnsafeBytes { out.bytes += $0 }
    }
    for entry in table.users {
      out.put(entry.key)
      out.put(entry.knownFrom)
      out.put(entry.newest)
      for sketch in entry.slices { put(sketch, &out) }
    }
  }

  private func put(_ sketch: Sketch, _ out: inout Output) {
    guard sketch.dense.isEmpty else {
      out.put(UInt16.max)
      out.bytes += sketch.dense
      return
    }
    out.put(UInt16(sketch.list.count))
    for entry in sketch.list { out.put(entry) }
  }

  // MARK: reading

  /// What these bytes hold, and the counters themselves; nil: they make no sense.
  static func read(_ bytes: [UInt8]) -> (CounterSnapshot, [CounterStore.Table])? {
    var input = Input(bytes: bytes)
    guard input.take(UInt64.self) == Self.magic, input.take(UInt32.self) == Self.version else { return nil }
    let key: (UInt64, UInt64) = (input.take(), input.take())
    let now: Int64 = input.take()
    let lost: Int64 = input.take()
    let count: UInt32 = input.take()
    guard now >= 0, lost <= now, count <= Self.maximumTables else { return nil }
    var tables: [CounterStore.Table] = []
    for _ in 0..<count {
      guard let table = Self.table(&input, now) else { return nil }
      tables.append(table)
    }
    guard !input.isBroken, input.at == bytes.count, Set(tables.map(\.definition)).count == tables.count else {
      return nil
    }
    return (CounterSnapshot(key: key, now: now, lostAt: lost < 0 ? nil : lost, tables: []), tables)
  }

  private static func table(_ input: inout Input, _ now: Int64) -> CounterStore.Table? {
    let name = input.text()
    let (counts, per): (UInt8, UInt8) = (input.take(), input.take())
    let window: UInt32 = input.take()
    let behaviors = (0..<input.take(UInt16.self)).map { _ in input.text() }
    guard !input.isBroken, counts <= 1, per <= 2, window > 0 else { return nil }
    let table = CounterStore.Table(
      CounterDefinition(name: name, countsUsers: counts == 1, per: per, window: window, behaviors: behaviors))
    // A counter is not known for longer than its window, whatever the file says.
    let latest = now + table.window.longest
    table.incompleteUntil = input.take()
    let retired: Int64 = input.take()
    table.retiredUntil = retired < 0 ? nil : retired
    guard table.incompleteUntil <= latest, retired <= latest else { return nil }
    let keys: UInt32 = input.take()
    for _ in 0..<keys {
      let (key, knownFrom, newest): (UInt64, Int64, Int64) = (input.take(), input.take(), input.take())
      guard !input.isBroken, knownFrom <= latest else { return nil }
      if counts == 0 {
        let own = (0..<Window.kept).map { _ in input.take(UInt32.self) }
        guard !input.isBroken,
          table.requests.restore(key, knownFrom: knownFrom, newest: newest, own, at: now)
        else { return nil }
      } else {
        var slices: [Sketch] = []
        for _ in 0..<Window.kept {
          guard let sketch = sketch(&input) else { return nil }
          slices.append(sketch)
        }
        guard table.users.restore(key, knownFrom: knownFrom, newest: newest, slices, at: now) else {
          return nil
        }
      }
    }
    return table
  }

  private static func sketch(_ input: inout Input) -> Sketch? {
    let count: UInt16 = input.take()
    if count == .max { return Sketch(dense: input.bytes(Sketch.registers)) }
    guard Int(count) <= Sketch.longestList else { return nil }
    let list = (0..<count).map { _ in input.take(UInt32.self) }
    return input.isBroken ? nil : Sketch(list: list)
  }
}

private struct Output {
  var bytes: [UInt8] = []

  mutating func put<T: FixedWidthInteger>(_ value: T) {
    withUnsafeBytes(of: value.littleEndian) { bytes += $0 }
  }

  mutating func put(_ text: String) {
    put(UInt16(clamping: text.utf8.count))
    bytes += text.utf8.prefix(Int(UInt16.max))
  }
}

/// Reads zeros once it is broken.
private struct Input {
  let bytes: [UInt8]
  var at = 0
  var isBroken = false

  mutating func take<T: FixedWidthInteger>(_: T.Type = T.self) -> T {
    let size = MemoryLayout<T>.size
    guard !isBroken, size <= bytes.count - at else {
      isBroken = true
      return 0
    }
    defer { at += size }
    // SAFETY: `size` bytes from `at` on lie inside.
    return bytes.withUnsafeBytes { T(littleEndian: $0.loadUnaligned(fromByteOffset: at, as: T.self)) }
  }

  mutating func bytes(_ count: Int) -> [UInt8] {
    guard !isBroken, count <= bytes.count - at else {
      isBroken = true
      return []
    }
    defer { at += count }
    return Array(bytes[at..<at + count])
  }

  mutating func text() -> String {
    let count = Int(take(UInt16.self))
    let own = bytes(count)
    let text = String(decoding: own, as: UTF8.self)
    if Array(text.utf8) != own { isBroken = true }
    return text
  }
}
