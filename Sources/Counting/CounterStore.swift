/// Counting: what counters have come to (DESIGN §2.9): requests and distinct users for each key, over windows that slide by
/// slices, in bounded memory. Knows no bus, no file and no clock: it is told the time, and gives the bytes to keep. May import
/// nothing.
///
/// This file: all counters of a platform.
///
/// What isn't surely counted is not known, which is stricter than any number; nothing that still counts is thrown away to make
/// room. Time is nanoseconds of a clock that only goes forward: an earlier one than before counts as the same.

/// What a counter counts. Two that are alike in everything are one, whatever generation they are of.
public struct CounterDefinition: Hashable, Sendable {
  public var name: String
  /// Distinct users; else requests.
  public var countsUsers: Bool
  /// As the image has it.
  public var per: UInt8
  public var window: UInt32
  public var behaviors: [String]
  public init(name: String, countsUsers: Bool, per: UInt8, window: UInt32, behaviors: [String]) {
    (self.name, self.countsUsers, self.per) = (name, countsUsers, per)
    (self.window, self.behaviors) = (window, behaviors)
  }
}

/// For whom something counts: the root session, else the user, else the operator, as far as there are such and the counter
/// tells them apart. An operator's users and sessions are that operator's alone.
public struct Subject {
  public var operatorName: UnsafeRawBufferPointer
  public var user: UnsafeRawBufferPointer?
  /// The root session's own number; none has 0.
  public var session: UInt64
  public init(operatorName: UnsafeRawBufferPointer, user: UnsafeRawBufferPointer? = nil, session: UInt64 = 0) {
    (self.operatorName, self.user, self.session) = (operatorName, user, session)
  }
}

/// Not thread-safe: whoever owns it is one thread. `Snapshot`s are values.
public final class CounterStore {
  /// Bytes that counting may take, unless said otherwise.
  public static let defaultLimit = 64 << 20

  /// One counter's. Loop-owned, as the store is.
  final class Table {
    let definition: CounterDefinition
    let countsUsers: Bool
    let per: UInt8
    let window: Window
    var requests: RequestTable
    var users: UserTable
    /// Before this time a key that isn't there may be missing: its requests may not have been counted.
    var incompleteUntil: Int64 = .min
    /// No platform has it any more: when the last that it counted has passed. nil: it is in force.
    var retiredUntil: Int64?

    init(_ definition: CounterDefinition, incompleteUntil: Int64 = .min) {
      self.definition = definition
      (countsUsers, per) = (definition.countsUsers, definition.per)
      window = Window(seconds: definition.window)
      (requests, users) = (RequestTable(window), UserTable(window))
      self.incompleteUntil = incompleteUntil
    }

    var keys: Int { requests.keys + users.keys }
    var bytes: Int { requests.bytes + users.bytes }
  }

  let key: (UInt64, UInt64)
  /// Bytes.
  public let limit: Int
  var tables: [Table] = []
  /// In the order in which they were defined.
  private var active: [Table] = []
  public private(set) var now: Int64 = 0
  /// What was counted before this time is lost.
  private(set) var lostAt: Int64?
  /// Something was counted since the last snapshot.
  public private(set) var isChanged = false
  /// Counts that weren't kept since there was no room.
  public private(set) var overflows: UInt64 = 0
  private var used = 0

  /// `key` is secret and random.
  public init(key: (UInt64, UInt64), limit: Int = defaultLimit) {
    (self.key, self.limit) = (key, limit)
  }

  // MARK: what is counted

  /// Counters are asked about by their place in `definitions` from now on. One that was there before goes on; one that isn't there
  /// any more is kept for as long as what it counted would count.
  public func define(_ definitions: [CounterDefinition], at time: Int64) {
    advance(to: time)
    tables.removeAll { ($0.retiredUntil ?? .max) <= now }
    for table in tables where !definitions.contains(table.definition) {
      table.retiredUntil = table.retiredUntil ?? now + table.window.longest
    }
    active = definitions.map { definition in
      let known = tables.firstIndex { $0.definition == definition }
      if let known, tables[known].retiredUntil == nil { return tables[known] }
      let table = Table(definition)
      if let known {
        // While it was away nothing was counted.
        tables[known] = table
        table.incompleteUntil = now + table.window.longest
      } else {
        tables.append(table)
        if let lostAt { table.incompleteUntil = lostAt + table.window.longest }
      }
      return table
    }
    used = bytes
  }

  /// What was counted before this time is gone: every counter is not known until its window has passed.
  public func lose(at time: Int64) {
    advance(to: time)
    lostAt = now
    let old = tables
    tables = old.map { Table($0.definition, incompleteUntil: now + $0.window.longest) }
    for (i, table) in tables.enumerated() { table.retiredUntil = old[i].retiredUntil }
    active = active.compactMap { one in tables.first { $0.definition == one.definition } }
    used = 0
    isChanged = true
  }

  // MARK: counting

  /// Counts a request for the counter with this number, and says what that comes to, this one included. nil: it isn't known.
  public func count(_ number: Int, _ subject: Subject, at time: Int64) -> Int64? {
    advance(to: time)
    isChanged = true
    let table = active[number]
    let before = table.bytes
    let value = table.countsUsers ? countUser(table, subject) : countRequest(table, subject)
    sweep(table)
    used += table.bytes - before
    return value
  }

  /// What it comes to without counting: with this request, if it is one that counts.
  public func value(_ number: Int, _ subject: Subject, counting: Bool, at time: Int64) -> Int64? {
    advance(to: time)
    let table = active[number]
    let key = key(of: subject, per: table.per)
    let absent: Int64 = counting ? 1 : 0
    if table.countsUsers {
      guard !counting || subject.user != nil else { return nil }
      let found = table.users.value(key, with: counting ? user(of: subject) : nil, at: now)
      return known(found?.count, from: found?.knownFrom, table, absent)
    }
    let found = table.requests.value(key, at: now)
    return known(found.map { $0.count + absent }, from: found?.knownFrom, table, absent)
  }

  private func known(_ count: Int64?, from knownFrom: Int64?, _ table: Table, _ absent: Int64) -> Int64? {
    now < knownFrom ?? table.incompleteUntil ? nil : count ?? absent
  }

  private func countRequest(_ table: Table, _ subject: Subject) -> Int64? {
    let key = key(of: subject, per: table.per)
    var found = table.requests.count(key, at: now)
    if found == nil {
      guard hasRoom(RequestTable.keyBytes, table) else { return nil }
      table.requests.add(key, knownFrom: table.incompleteUntil, at: now)
      found = table.requests.count(key, at: now)
    }
    return known(found?.count, from: found?.knownFrom, table, 1)
  }

  private func countUser(_ table: Table, _ subject: Subject) -> Int64? {
    guard subject.user != nil else { return nil }
    let key = key(of: subject, per: table.per)
    if used + UserTable.growth > limit {
      // One that may not be kept is not known from here on.
      table.users.lose(key, until: now + table.window.longest)
      _ = hasRoom(.max, table)
      return nil
    }
    let user = user(of: subject)
    var found = table.users.count(key, user, at: now)
    if found == nil {
      guard hasRoom(UserTable.keyBytes + UserTable.growth, table) else { return nil }
      table.users.add(key, knownFrom: table.incompleteUntil, at: now)
      found = table.users.count(key, user, at: now)
    }
    return known(found?.count, from: found?.knownFrom, table, 1)
  }

  /// false: and what isn't kept now may be missing for a window.
  private func hasRoom(_ bytes: Int, _ table: Table) -> Bool {
    if bytes <= limit - used { return true }
    overflows += 1
    table.incompleteUntil = max(table.incompleteUntil, now + table.window.longest)
    return false
  }

  /// A few keys each time, so that no count waits for many.
  private func sweep(_ table: Table) {
    if !table.countsUsers {
      table.requests.sweep(2, at: now)
    } else if used > limit / 2 {
      table.users.sweep(at: now)
    }
  }

  private func advance(to time: Int64) { now = max(now, time) }

  // MARK: keys

  private func key(of subject: Subject, per: UInt8) -> UInt64 {
    var hash = SipHash(key)
    hash.add(subject.operatorName)
    if per == 2, subject.session != 0 {
      hash.add(2)
      hash.add(subject.session)
    } else if per >= 1, let user = subject.user {
      hash.add(1)
      hash.add(user)
    } else {
      hash.add(0)
    }
    return hash.finish()
  }

  private func user(of subject: Subject) -> UInt64 {
    var hash = SipHash((key.1, ~key.0))
    hash.add(subject.operatorName)
    hash.add(subject.user ?? UnsafeRawBufferPointer(start: nil, count: 0))
    return hash.finish()
  }

  // MARK: what it takes

  public struct Fill: Sendable {
    public var name: String
    public var keys: Int
    public var bytes: Int
    /// Until when keys may be missing, in the store's time; nil: none is.
    public var isIncomplete: Bool
  }

  /// Bytes that all counters take.
  public var bytes: Int { tables.reduce(0) { $0 + $1.bytes } }

  /// By counter, in the order of their definitions.
  public var fill: [Fill] {
    active.map {
      Fill(
        name: $0.definition.name, keys: $0.keys, bytes: $0.bytes, isIncomplete: now < $0.incompleteUntil)
    }
  }

  // MARK: keeping it

  /// Everything, as it is now; copies nothing until something changes.
  public func snapshot(at time: Int64) -> CounterSnapshot {
    advance(to: time)
    isChanged = false
    return CounterSnapshot(key: key, now: now, lostAt: lostAt, tables: tables.map { CounterSnapshot.Content($0) })
  }

  /// What a snapshot's bytes hold, `elapsed` nanoseconds later; nil: they are no snapshot.
  public convenience init?(_ bytes: [UInt8], elapsed: Int64, limit: Int = defaultLimit) {
    guard let (snapshot, tables) = CounterSnapshot.read(bytes) else { return nil }
    self.init(key: snapshot.key, limit: limit)
    now = snapshot.now.addingReportingOverflow(max(0, elapsed)).partialValue
    guard now >= snapshot.now else { return nil }
    lostAt = snapshot.lostAt
    self.tables = tables
    used = self.bytes
  }
}
