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

  struct Table: Sendable {
    var definition: CounterDefinition
    var requests: RequestTable?
    var users: UserTable?
    /// Before this time a key that isn't there may be missing: its requests may not have been counted.
    var incompleteUntil: Int64 = .min
    /// No platform has it any more: when the last that it counted has passed. nil: it is in force.
    var retiredUntil: Int64?

    init(_ definition: CounterDefinition) {
      self.definition = definition
      let window = Window(seconds: definition.window)
      if definition.countsUsers { users = UserTable(window) } else { requests = RequestTable(window) }
    }

    var window: Window { Window(seconds: definition.window) }
    var keys: Int { (requests?.keys ?? 0) + (users?.keys ?? 0) }
    var bytes: Int { (requests?.bytes ?? 0) + (users?.bytes ?? 0) }
  }

  let key: (UInt64, UInt64)
  /// Bytes.
  public let limit: Int
  var tables: [Table] = []
  /// Places in `tables`, in the order in which they were defined.
  private var active: [Int] = []
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
    for i in tables.indices where !definitions.contains(tables[i].definition) {
      tables[i].retiredUntil = tables[i].retiredUntil ?? now + tables[i].window.longest
    }
    active = definitions.map { definition in
      if let known = tables.firstIndex(where: { $0.definition == definition }) {
        // While it was away nothing was counted.
        if tables[known].retiredUntil != nil { tables[known] = since(tables[known], now) }
        tables[known].retiredUntil = nil
        return known
      }
      var table = Table(definition)
      if let lostAt { table.incompleteUntil = lostAt + table.window.longest }
      tables.append(table)
      return tables.count - 1
    }
    used = tables.reduce(0) { $0 + $1.bytes }
  }

  /// A table of which everything until this time is incomplete.
  private func since(_ table: Table, _ time: Int64) -> Table {
    var empty = Table(table.definition)
    empty.incompleteUntil = time + table.window.longest
    return empty
  }

  /// What was counted before this time is gone: every counter is not known until its window has passed.
  public func lose(at time: Int64) {
    advance(to: time)
    lostAt = now
    for i in tables.indices { tables[i] = since(tables[i], now) }
    used = 0
    isChanged = true
  }

  // MARK: counting

  /// Counts a request for the counter with this number, and says what that comes to, this one included. nil: it isn't known.
  public func count(_ number: Int, _ subject: Subject, at time: Int64) -> Int64? {
    advance(to: time)
    isChanged = true
    let at = active[number]
    defer { used += sweep(at) }
    return tables[at].definition.countsUsers ? countUser(at, subject) : countRequest(at, subject)
  }

  /// What it comes to without counting: with this request, if it is one that counts.
  public func value(_ number: Int, _ subject: Subject, counting: Bool, at time: Int64) -> Int64? {
    advance(to: time)
    let table = tables[active[number]]
    let key = key(of: subject, per: table.definition.per)
    if let users = table.users {
      guard !counting || subject.user != nil else { return nil }
      return known(
        users.value(key, with: counting ? user(of: subject) : nil, at: now), table, unknownIs: counting ? 1 : 0)
    }
    let found = table.requests?.value(key, at: now)
    return known(found.map { ($0.count + (counting ? 1 : 0), $0.knownFrom) }, table, unknownIs: counting ? 1 : 0)
  }

  private func known(_ found: (count: Int64, knownFrom: Int64)?, _ table: Table, unknownIs absent: Int64) -> Int64? {
    guard let found else { return now < table.incompleteUntil ? nil : absent }
    return now < found.knownFrom ? nil : found.count
  }

  private func countRequest(_ at: Int, _ subject: Subject) -> Int64? {
    let key = key(of: subject, per: tables[at].definition.per)
    if tables[at].requests?.count(key, at: now) == false {
      guard hasRoom(RequestTable.keyBytes, at) else { return nil }
      let knownFrom = tables[at].incompleteUntil
      tables[at].requests?.add(key, knownFrom: knownFrom, at: now)
      used += RequestTable.keyBytes
      _ = tables[at].requests?.count(key, at: now)
    }
    return known(tables[at].requests?.value(key, at: now), tables[at], unknownIs: 1)
  }

  private func countUser(_ at: Int, _ subject: Subject) -> Int64? {
    guard subject.user != nil else { return nil }
    let key = key(of: subject, per: tables[at].definition.per)
    let user = user(of: subject)
    let before = tables[at].users?.bytes ?? 0
    defer { used += (tables[at].users?.bytes ?? 0) - before }
    if used + UserTable.growth > limit {
      // One that may not be kept is not known from here on.
      let until = now + tables[at].window.longest
      tables[at].users?.lose(key, until: until)
      _ = hasRoom(.max, at)
      return nil
    }
    if tables[at].users?.count(key, user, at: now) == false {
      guard hasRoom(UserTable.keyBytes + UserTable.growth, at) else { return nil }
      let knownFrom = tables[at].incompleteUntil
      tables[at].users?.add(key, knownFrom: knownFrom, at: now)
      _ = tables[at].users?.count(key, user, at: now)
    }
    return known(tables[at].users?.value(key, with: nil, at: now), tables[at], unknownIs: 1)
  }

  /// false: and what isn't kept now may be missing for a window.
  private func hasRoom(_ bytes: Int, _ at: Int) -> Bool {
    if bytes <= limit - used { return true }
    overflows += 1
    tables[at].incompleteUntil = max(tables[at].incompleteUntil, now + tables[at].window.longest)
    return false
  }

  /// A few keys each time, so that no count waits for many; returns by how much less there is.
  private func sweep(_ at: Int) -> Int {
    let before = tables[at].bytes
    if tables[at].requests != nil {
      tables[at].requests?.sweep(2, at: now)
    } else if used > limit / 2 {
      tables[at].users?.sweep(at: now)
    }
    return tables[at].bytes - before
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
        name: tables[$0].definition.name, keys: tables[$0].keys, bytes: tables[$0].bytes,
        isIncomplete: now < tables[$0].incompleteUntil)
    }
  }

  // MARK: keeping it

  /// Everything, as it is now; copies nothing until something changes.
  public func snapshot(at time: Int64) -> CounterSnapshot {
    advance(to: time)
    isChanged = false
    return CounterSnapshot(key: key, now: now, lostAt: lostAt, tables: tables)
  }

  /// What a snapshot's bytes hold, `elapsed` nanoseconds later; nil: they are no snapshot.
  public convenience init?(_ bytes: [UInt8], elapsed: Int64, limit: Int = defaultLimit) {
    guard let snapshot = CounterSnapshot(bytes) else { return nil }
    self.init(key: snapshot.key, limit: limit)
    now = snapshot.now.addingReportingOverflow(max(0, elapsed)).partialValue
    guard now >= snapshot.now else { return nil }
    lostAt = snapshot.lostAt
    tables = snapshot.tables
    used = tables.reduce(0) { $0 + $1.bytes }
  }
}
