// All sessions: who opened which, what was delegated, what was spent, what halts them. Nothing is on disk: a session ends
// with licetd, and whoever asks in it then is told that there is none.

public import Consultation
internal import Glibc
public import PolicyImage
public import System

/// Loop-owned. Every operation is O(1), but for what changes a session's children, and for a cost, which every session
/// above it bears.
public final class Sessions {
  public struct Limits: Sendable {
    /// As many as a region has words.
    public var all = 131_072
    /// Of one user id.
    public var perUser = 20_000
    /// Bytes of terms and attributes: of one session, of a user's, of all.
    public var (session, user, total) = (256 << 10, 64 << 20, 512 << 20)
    public init() {}
  }

  public let limits: Limits
  /// A session's version grew. Not to open, change or end sessions in.
  public var changed: ((Session) -> Void)?
  /// It has ended, after `changed`; its links are gone.
  public var ended: ((Session) -> Void)?
  var forgets: ((SessionID) -> Void)?

  private let loop: EventLoop
  private let clock: () -> UInt64
  private var all: [SessionID: Session] = [:]
  private var owned: [SessionOwner: Session] = [:]
  private var users: [UInt32: (count: Int, bytes: Int, first: Session?)] = [:]
  private var bytes = 0
  /// Operators' names, each once.
  private var names: [String: String] = [:]
  private var deadlines = Deadlines()
  private var timer: EventLoop.Timer?
  private var stops: [SessionID: (since: Int64, by: UInt32?)] = [:]
  // Terms that are put together. Past the bound all are dropped, and made again when they are needed.
  private var built = 0
  private static let mostBuilt = 32 << 20
  private let without: (root: SessionMemory?, delegate: SessionMemory?)

  /// - Parameter clock: CLOCK_BOOTTIME in nanoseconds; a test gives its own, and calls `expire` itself.
  public init(loop: EventLoop, limits: Limits = Limits(), clock: @escaping () -> UInt64 = bootNow) {
    (self.loop, self.limits, self.clock) = (loop, limits, clock)
    without = (try? SessionMemory([SessionLevel()]), try? SessionMemory([SessionLevel(), SessionLevel()]))
  }

  // MARK: finding

  public var count: Int { all.count }
  /// In no order.
  public var sessions: some Collection<Session> { all.values }
  public subscript(_ id: SessionID) -> Session? { all[id] }

  /// How many a user holds: no operation of its sessions touches more.
  public func count(of user: UInt32) -> Int { users[user]?.count ?? 0 }

  /// A user's, the youngest first.
  public func sessions(of user: UInt32) -> some Sequence<Session> {
    sequence(first: users[user]?.first) { $0?.nextOfUser }.lazy.compactMap(\.self)
  }

  /// The session, for a user who is bound to what `speaks` says.
  public func find(
    _ id: SessionID, user: UInt32, speaks: (String) -> Bool
  ) throws(SessionError) -> Session {
    guard let session = all[id], speaks(session.operatorName) else { throw .unknownSession }
    guard session.user == user else { throw .foreignSession }
    return session
  }

  /// Its terms and those of all above it, the root's first; of levels between them only those that take something away.
  public func levels(of session: Session) -> [SessionLevel] {
    var levels: [SessionLevel] = []
    var at = session
    while let parent = at.parent {
      if !at.level.isEmpty { levels.append(at.level) }
      at = parent
    }
    if session.isDelegate, levels.isEmpty { levels.append(SessionLevel()) }
    levels.append(at.level)
    return levels.reversed()
  }

  /// What `levels` leave, for the engine; kept until something changes it.
  public func memory(of session: Session) -> SessionMemory {
    if let memory = session.memory { return memory }
    // Of delegates that take nothing away themselves, all have the same.
    var key = session
    while key.level.isEmpty, let parent = key.parent, parent.isDelegate { key = parent }
    let memory = key.memory ?? build(key)
    if key.memory == nil { key.memory = memory }
    session.memory = memory
    return memory
  }

  private func build(_ session: Session) -> SessionMemory {
    let levels = levels(of: session)
    if levels.allSatisfy(\.isEmpty), let empty = session.isDelegate ? without.delegate : without.root { return empty }
    if built > Sessions.mostBuilt {
      for one in all.values { one.memory = nil }
      built = 0
    }
    built += 256 + 64 * (Int(session.names) + Int(session.patterns))
    // What was let in fits: names and patterns were counted when each level came.
    guard let memory = try? SessionMemory(levels) else { preconditionFailure("a session holds more than was let in") }
    return memory
  }

  // MARK: opening

  public func open(
    _ operatorName: String, user: UInt32, owner: SessionOwner, _ terms: OpeningTerms
  ) throws(SessionError) -> Session {
    try add(operatorName, user: user, owner: owner, nil, terms)
  }

  /// A session that can only have less than `parent`, and ends with it. A parent is there before its child: no chain of
  /// them closes.
  public func delegate(
    _ parent: Session, owner: SessionOwner, _ terms: OpeningTerms
  ) throws(SessionError) -> Session {
    guard !parent.hasEnded else { throw .unknownSession }
    guard parent.deadline > clock() else { throw .expired }
    return try add(parent.operatorName, user: parent.user, owner: owner, parent, terms)
  }

  private func add(
    _ operatorName: String, user: UInt32, owner: SessionOwner, _ parent: Session?, _ terms: OpeningTerms
  ) throws(SessionError) -> Session {
    try Sessions.check(terms.level)
    let bound = try terms.cost.map { cost throws(SessionError) in try Sessions.bound(cost) } ?? .max
    var deadline = parent?.deadline ?? .max
    if let lifetime = terms.lifetime {
      guard lifetime > 0 else { throw .badTime }
      let (nanoseconds, isEndless) = lifetime.multipliedReportingOverflow(by: 1_000_000)
      let (own, isBeyond) = clock().addingReportingOverflow(nanoseconds)
      if !isEndless, !isBeyond { deadline = min(deadline, own) }
    }
    let names = Int(parent?.names ?? 0) + terms.level.nameCount
    let patterns = Int(parent?.patterns ?? 0) + terms.level.resources.count
    guard names <= SessionLevel.names else { throw .tooMany("behaviors") }
    guard patterns <= SessionLevel.names else { throw .tooMany("resources") }
    let size = terms.level.byteCount + (terms.attributes?.byteCount ?? 0)
    try admit(user, sessions: 1, bytes: size, of: size)

    var id = SessionID.random()
    while all[id] != nil { id = .random() }
    let session = Session(
      id, interned(operatorName), user: user, owner: owner, parent: parent, level: terms.level,
      attributes: parent == nil ? terms.attributes : nil, costBound: bound, deadline: deadline)
    session.names = UInt16(names)
    session.patterns = UInt16(patterns)
    session.bytes = UInt32(size)
    all[id] = session
    link(session)
    if deadline != .max, deadline != parent?.deadline {
      deadlines.insert(session)
      if deadlines.first === session { schedule() }
    }
    return session
  }

  private static func check(_ level: SessionLevel) throws(SessionError) {
    guard let problem = level.problem else { return }
    switch problem.code {
    case .badDial: throw .badDial
    case .badResource: throw .badResource(problem.at)
    case .tooMany: throw .tooMany(problem.at)
    default: throw .badName(problem.at)
    }
  }

  /// Down to the next millionth: what is spent is rounded up, so that a bound is never passed unseen.
  private static func bound(_ cost: Double) throws(SessionError) -> UInt64 {
    let millionths = (cost * 1_000_000).rounded(.down)
    guard cost.isFinite, millionths >= 1 else { throw .badCost }
    return UInt64(exactly: millionths) ?? .max - 1
  }

  private func admit(_ user: UInt32, sessions: Int, bytes more: Int, of size: Int) throws(SessionError) {
    let own = users[user] ?? (0, 0, nil)
    guard size <= limits.session else { throw .tooMany("bytes of one session") }
    guard all.count + sessions <= limits.all, own.count + sessions <= limits.perUser else { throw .tooMany("sessions") }
    guard bytes + more <= limits.total, own.bytes + more <= limits.user else { throw .tooMany("bytes of sessions") }
    users[user] = (own.count + sessions, own.bytes + more, own.first)
    bytes += more
  }

  private func interned(_ name: String) -> String {
    if let known = names[name] { return known }
    if names.count > 65_536 { names = [:] }
    names[name] = name
    return name
  }

  private func link(_ session: Session) {
    if let next = owned[session.owner] {
      session.nextOwned = next
      next.previousOwned = session
    }
    owned[session.owner] = session
    session.nextOfUser = users[session.user]?.first
    session.nextOfUser?.previousOfUser = session
    users[session.user]?.first = session
    guard let parent = session.parent else { return }
    session.nextSibling = parent.firstChild
    parent.firstChild?.previousSibling = session
    parent.firstChild = session
  }

  // MARK: changing

  /// nil: no wish any more. A delegate's wish is a cap.
  public func setPreference(
    _ session: Session, _ behavior: String, _ effect: Effect?
  ) throws(SessionError) {
    guard !session.hasEnded else { throw .unknownSession }
    guard session.level.preferences[behavior] != effect else { return }
    var level = session.level
    level.preferences[behavior] = effect
    try Sessions.check(level)
    let more = level.nameCount - session.level.nameCount
    // Every session below holds it too.
    var most = 0
    each(session) { most = max(most, Int($0.names)) }
    guard most + more <= SessionLevel.names else { throw .tooMany("behaviors") }
    let size = Int(session.bytes) + level.byteCount - session.level.byteCount
    try admit(session.user, sessions: 0, bytes: size - Int(session.bytes), of: size)
    session.level = level
    session.bytes = UInt32(size)
    change(session) { $0.names = UInt16(Int($0.names) + more) }
  }

  /// What it is then is settled by each decision: it may always be lower, and as high as the policy lets it.
  public func setDial(_ session: Session, _ dial: Degree) throws(SessionError) {
    guard !session.hasEnded else { throw .unknownSession }
    guard dial > .zero, dial < .one else { throw .badDial }
    guard session.level.dial != dial else { return }
    session.level.dial = dial
    change(session)
  }

  /// Says what was spent, here and in all above it. Returns what may still be; infinity without a bound.
  public func spend(_ session: Session, _ cost: Double) throws(SessionError) -> Double {
    guard !session.hasEnded else { throw .unknownSession }
    guard cost.isFinite, cost >= 0 else { throw .badCost }
    let amount = UInt64(exactly: (cost * 1_000_000).rounded(.up)) ?? .max
    var left = UInt64.max
    var highest: Session?
    var at: Session? = session
    while let one = at {
      let wasSpent = one.isSpent
      let (sum, isFull) = one.spentMillionths.addingReportingOverflow(amount)
      one.spentMillionths = isFull ? .max : sum
      if one.isSpent, !wasSpent { highest = one }
      if one.costBound != .max { left = min(left, one.costBound - min(one.costBound, one.spentMillionths)) }
      at = one.parent
    }
    if let highest { halt(highest) }
    return left == .max ? .infinity : Double(left) / 1_000_000
  }

  /// What may still be spent; infinity without a bound.
  public func left(_ session: Session) -> Double {
    var left = UInt64.max
    var at: Session? = session
    while let one = at {
      if one.costBound != .max { left = min(left, one.costBound - min(one.costBound, one.spentMillionths)) }
      at = one.parent
    }
    return left == .max ? .infinity : Double(left) / 1_000_000
  }

  /// Suspicion of its root changed.
  public func suspicionChanged(_ root: SessionID) {
    if let session = all[root] { change(session) }
  }

  private func change(_ top: Session, _ also: (Session) -> Void = { _ in }) {
    each(top) { session in
      also(session)
      session.memory = nil
      session.version &+= 1
      changed?(session)
    }
  }

  // MARK: halts

  /// Denies everything in it and in all below it, at once and for good.
  public func stop(_ session: Session, by user: UInt32?) {
    guard !session.hasEnded, !session.isStopped else { return }
    session.isStopped = true
    stops[session.id] = (wallClock().seconds, user)
    halt(session)
  }

  private func halt(_ top: Session) {
    change(top) { $0.isHalted = true }
  }

  public func isHalted(_ session: Session) -> Bool {
    session.isHalted || session.hasEnded || session.deadline <= clock()
  }

  /// What `halts` tells of at most.
  public static let haltsTold = 16

  /// What halts it: its own and those of all above it, its own first. None of them ends.
  public func halts(of session: Session) -> [Halt] {
    guard isHalted(session) else { return [] }
    let now = clock()
    var halts: [Halt] = []
    var at: Session? = session
    while let one = at, halts.count < Sessions.haltsTold {
      let name = one.id.description
      if one.isStopped {
        let stop = stops[one.id]
        halts.append(Halt(.sessionStop, session: name, since: stop?.since, by: stop?.by))
      }
      // A child's time is never over later than its parent's, and told once.
      if one.deadline <= now, one.parent.map({ $0.deadline > now }) ?? true {
        halts.append(Halt(.sessionExpired, session: name))
      }
      if one.isSpent { halts.append(Halt(.sessionSpent, session: name)) }
      at = one.parent
    }
    return halts
  }

  /// Halts those whose time is over; the loop does so by itself, at the latest when the next timer is due. A decision looks at
  /// the clock itself.
  public func expire() {
    let now = clock()
    while let session = deadlines.first, session.deadline <= now {
      deadlines.remove(session)
      session.hasExpired = true
      if !session.isHalted { halt(session) }
    }
    schedule()
  }

  /// The loop's clock stands still while the machine sleeps: it looks again before long.
  private static let longestWait: UInt64 = 10_000_000_000

  private func schedule() {
    timer?.cancel()
    timer = nil
    guard let next = deadlines.first?.deadline else { return }
    let now = clock()
    timer = loop.after(nanoseconds: min(next > now ? next - now : 0, Sessions.longestWait)) { [weak self] in
      self?.expire()
    }
  }

  // MARK: ending

  /// Ends it and all below it.
  public func close(_ top: Session) {
    guard !top.hasEnded else { return }
    var tree: [Session] = []
    each(top) { tree.append($0) }
    detach(top)
    for session in tree { remove(session) }
    for session in tree {
      changed?(session)
      forgets?(session.id)
      ended?(session)
    }
  }

  /// Ends what this connection opened.
  public func ownerGone(_ owner: SessionOwner) {
    while let session = owned[owner] { close(session) }
  }

  /// All whose owner `isGone`.
  public func ownersGone(_ isGone: (SessionOwner) -> Bool) {
    for owner in owned.keys where isGone(owner) { ownerGone(owner) }
  }

  private func detach(_ top: Session) {
    if let parent = top.parent, parent.firstChild === top { parent.firstChild = top.nextSibling }
    top.previousSibling?.nextSibling = top.nextSibling
    top.nextSibling?.previousSibling = top.previousSibling
  }

  private func remove(_ session: Session) {
    if owned[session.owner] === session { owned[session.owner] = session.nextOwned }
    session.previousOwned?.nextOwned = session.nextOwned
    session.nextOwned?.previousOwned = session.previousOwned
    (session.nextOwned, session.previousOwned) = (nil, nil)
    deadlines.remove(session)
    stops[session.id] = nil
    all[session.id] = nil
    bytes -= Int(session.bytes)
    if let own = users[session.user] {
      let first = own.first === session ? session.nextOfUser : own.first
      users[session.user] = own.count > 1 ? (own.count - 1, own.bytes - Int(session.bytes), first) : nil
    }
    session.previousOfUser?.nextOfUser = session.nextOfUser
    session.nextOfUser?.previousOfUser = session.previousOfUser
    (session.nextOfUser, session.previousOfUser) = (nil, nil)
    session.hasEnded = true
    session.version &+= 1
    session.memory = nil
    (session.parent, session.rootIfDelegate, session.firstChild) = (nil, nil, nil)
    (session.nextSibling, session.previousSibling) = (nil, nil)
  }

  /// A session, then all below it; however deep they are.
  private func each(_ top: Session, _ body: (Session) -> Void) {
    var at = top
    while true {
      body(at)
      if let child = at.firstChild {
        at = child
        continue
      }
      while at !== top, at.nextSibling == nil, let parent = at.parent { at = parent }
      guard at !== top, let next = at.nextSibling else { return }
      at = next
    }
  }

  /// Sessions that were delegated from it, by itself.
  public func children(of session: Session) -> [Session] {
    var children: [Session] = []
    var at = session.firstChild
    while let child = at {
      children.append(child)
      at = child.nextSibling
    }
    return children
  }
}

extension SessionLevel {
  /// Names of all kinds.
  var nameCount: Int { preferences.count + caps.count + (behaviors?.count ?? 0) }

  /// What its texts take, with what a dictionary has around each.
  var byteCount: Int {
    var sum = 0
    for name in preferences.keys { sum += name.utf8.count + 48 }
    for name in caps.keys { sum += name.utf8.count + 48 }
    for name in behaviors ?? [] { sum += name.utf8.count + 48 }
    for pattern in resources { sum += pattern.utf8.count + 48 }
    return sum
  }
}
