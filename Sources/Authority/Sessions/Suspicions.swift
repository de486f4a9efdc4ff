// Who is suspect (DESIGN §2.4): whoever asked for what is off absolutely, for a while. A level counts thousandths of an
// attempt; decisions see the published one, which changes only when it is charged and when it leaves a threshold, half an
// attempt below it, so that every process sees the same.

internal import Glibc
internal import Decision
public import PolicyImage
internal import System

/// Loop-owned. Levels of users and operators outlast a restart; those of sessions end with them.
public final class Suspicions {
  /// Who is charged.
  public enum Subject: Hashable, Sendable {
    case session(SessionID)
    /// `user.id` for an operator.
    case user(UserKey)
    case `operator`(String)
  }

  /// A user as an operator calls it, as a digest: the state folder names nobody.
  public struct UserKey: Hashable, Sendable {
    public let operatorName: String
    let digest: SessionID

    public init(_ id: UnsafeRawBufferPointer, of operatorName: String) {
      self.operatorName = operatorName
      let bytes = sha256(Array("licet user\n\(operatorName)\n".utf8) + id).bytes
      func word(_ start: Int) -> UInt64 { bytes[start..<start + 8].reduce(0) { $0 &<< 8 | UInt64($1) } }
      digest = SessionID(high: word(0), low: word(8))
    }

    init(_ operatorName: String, _ digest: SessionID) { (self.operatorName, self.digest) = (operatorName, digest) }
  }

  /// What the platform says: thousandths from which on it asks, and denies, `max` for never; seconds until a level is half.
  public struct Terms: Hashable, Sendable {
    public var (askAt, denyAt, halfLife): (UInt32, UInt32, UInt32)
    public init(askAt: UInt32, denyAt: UInt32, halfLife: UInt32) {
      (self.askAt, self.denyAt, self.halfLife) = (askAt, denyAt, halfLife)
    }

    /// nil: the platform knows no suspicion.
    public init?(_ platform: Image?) {
      guard let header = platform?.header, header.pointee.suspicionStatement != ImageFormat.none else { return nil }
      self.init(
        askAt: header.pointee.suspicionAskAt, denyAt: header.pointee.suspicionDenyAt,
        halfLife: max(1, header.pointee.suspicionHalfLife))
    }

    /// From here on somebody is suspect.
    var lowest: UInt32 { min(askAt, denyAt) }
    /// The highest threshold that there is.
    var highest: UInt32 { max(askAt == .max ? 0 : askAt, denyAt == .max ? 0 : denyAt) }
  }

  struct Level: Hashable, Sendable {
    /// As it was at `since`.
    var exact: UInt32
    /// CLOCK_BOOTTIME in nanoseconds.
    var since: UInt64
    var published: UInt32
    /// Of an operator: everyone's, because somebody's own level had no room.
    var isForAll = false

    init(_ exact: UInt32, since: UInt64) { (self.exact, self.since, published) = (exact, since, exact) }

    /// In thousandths and parts of them; a clock that went back doesn't lower it.
    func value(at now: UInt64, _ terms: Terms?) -> Double {
      guard let terms, now > since else { return Double(exact) }
      let halvings = Double(now - since) / 1e9 / Double(terms.halfLife)
      return Double(exact) * exp2(-halvings)
    }

    /// The same, rounded up.
    func exact(at now: UInt64, _ terms: Terms?) -> UInt32 {
      UInt32(min(Double(exact), value(at: now, terms).rounded(.up)))
    }

    /// When it leaves the next threshold that it has reached; nil: it has reached none.
    func falls(_ terms: Terms) -> UInt64? {
      let thresholds = [terms.askAt, terms.denyAt].filter { $0 > 0 && $0 <= published }
      guard let next = thresholds.map(suspicionLeft).max() else { return nil }
      if exact < next { return since }
      let seconds = log2(Double(exact) / Double(next)) * Double(terms.halfLife)
      let (due, isNever) = since.addingReportingOverflow(UInt64(min(seconds * 1e9, 9e18)) &+ 1_000_000)
      return isNever ? .max : due
    }

    /// As it is seen: no lower than the highest threshold that it has reached and not left.
    mutating func publish(_ value: Double, _ terms: Terms, reached: UInt32) {
      let held = [terms.askAt, terms.denyAt].filter { $0 <= reached && value >= Double(suspicionLeft($0)) }
      published = max(UInt32(value), held.max() ?? 0)
    }
  }

  /// Users and operators that have a level of their own.
  public static let maximum = 16_384
  /// A million attempts: no level is higher.
  static let highest: UInt32 = 1_000_000_000

  /// A session's published level changed.
  public var sessionChanged: ((SessionID) -> Void)?
  /// Whether anybody of this operator's is suspect changed; nil: anybody's may have.
  public var operatorChanged: ((String?) -> Void)?

  let maximum: Int
  let clock: () -> UInt64
  let log: (String) -> Void
  private let loop: EventLoop
  var levels: [Subject: Level] = [:]
  /// Of what has no level of its own, while the levels of before can't be known.
  var unknown: Level?
  private(set) var terms: Terms?
  private var hasFollowed = false
  private let file: SuspicionFile
  /// Users and operators who are suspect, by operator.
  private var suspects: [String: Int] = [:]
  /// Users and operators with a level.
  private var kept = 0
  private var nextPurge: UInt64 = 0
  private var timer: EventLoop.Timer?
  private var due = UInt64.max

  /// Reads the levels of before. `clock`: CLOCK_BOOTTIME in nanoseconds; a test gives its own, and calls `fall` itself.
  init(
    _ state: StateFolder, loop: EventLoop, maximum: Int = Suspicions.maximum,
    clock: @escaping () -> UInt64 = bootNow, log: @escaping (String) -> Void
  ) throws(SystemError) {
    (self.loop, self.maximum, self.clock, self.log) = (loop, maximum, clock, log)
    file = try SuspicionFile(state, loop: loop, log: log)
    switch file.read(now: clock()) {
    case .nothing: break
    case .levels(let found, let unknown):
      levels = found
      self.unknown = unknown
    case .unreadable(let why):
      // What they were isn't known, so everyone is taken for suspect, and less so as time goes by.
      unknown = Level(.max, since: clock())
      log(
        "suspicion can't be read, so every user and operator counts as suspect until that has decayed: \(why); once looked into, remove the file and start again"
      )
    }
    kept = levels.count
  }

  /// What this platform says counts from now on.
  func follow(_ platform: Image?) { follow(Terms(platform)) }

  func follow(_ new: Terms?) {
    guard new != terms else { return }
    let now = clock()
    if let new, let level = unknown, level.exact == .max {
      // Twice the highest threshold: a half-life of all that suspicion does.
      unknown = Level(min(2 * max(new.highest, 1), Suspicions.highest), since: now)
      file.changed(self)
    }
    // What was read at start has decayed since it was written; without a platform that says how, nothing decays.
    let decay = hasFollowed ? terms : new
    unknown = unknown.map { republished($0, now, decay, new) }
    for (subject, level) in levels { levels[subject] = republished(level, now, decay, new) }
    terms = new
    hasFollowed = true
    count()
    for case .session(let id) in levels.keys { sessionChanged?(id) }
    operatorChanged?(nil)
    reschedule()
  }

  /// As it is now, counted on from now.
  private func republished(_ level: Level, _ now: UInt64, _ decay: Terms?, _ to: Terms?) -> Level {
    guard level.exact != .max else { return level }
    var new = Level(level.exact(at: now, decay), since: max(now, level.since))
    new.isForAll = level.isForAll
    // Which thresholds it had reached isn't known any more: all that it would not have left.
    if let to { new.publish(Double(new.exact), to, reached: .max &- 1) }
    return new
  }

  private func count() {
    suspects = [:]
    guard let terms else { return }
    for (subject, level) in levels where level.published >= terms.lowest {
      if let name = subject.operatorName { suspects[name, default: 0] += 1 }
    }
  }

  // MARK: what decisions see

  /// Thousandths of an attempt; 0: nothing is known against it.
  public func level(_ subject: Subject) -> UInt32 {
    guard terms != nil else { return 0 }
    let own = levels[subject]?.published ?? 0
    switch subject {
    case .session: return own
    case .operator: return max(own, unknown?.published ?? 0)
    case .user(let key):
      let all = levels[.operator(key.operatorName)].map { $0.isForAll ? $0.published : 0 } ?? 0
      return max(own, all, unknown?.published ?? 0)
    }
  }

  /// Whether somebody of this operator's, outside of sessions, is suspect: then liblicet asks licetd call by call.
  public func asksRemotely(_ operatorName: String) -> Bool {
    guard let terms else { return false }
    if let unknown, unknown.published >= terms.lowest { return true }
    return suspects[operatorName] != nil
  }

  /// Whether anybody has a level.
  public var isEmpty: Bool { terms == nil || (levels.isEmpty && unknown == nil) }

  // MARK: charging

  /// One request asked for what is off absolutely.
  public func charge(_ subject: Subject, hasArgument: Bool) {
    guard let terms else { return }
    let now = clock()
    var subject = subject
    var isForAll = false
    if levels[subject] == nil, case .user(let key) = subject, !hasRoom(now) {
      (subject, isForAll) = (.operator(key.operatorName), true)
    }
    var level = levels[subject] ?? Level(0, since: now)
    let wasSuspect = level.published >= terms.lowest
    let isNew = levels[subject] == nil
    isForAll = isForAll || level.isForAll
    // What is left of an attempt counts as one until half of it is forgotten, or two that follow each other would never be two.
    var left = level.exact(at: now, terms)
    if left % 1000 >= 500 { left += 1000 - left % 1000 }
    level = Level(min(left + (hasArgument ? 2000 : 1000), Suspicions.highest), since: max(now, level.since))
    level.isForAll = isForAll
    levels[subject] = level
    schedule(level)
    tell(subject, wasSuspect: wasSuspect, isSuspect: level.published >= terms.lowest)
    if subject.operatorName != nil {
      if isNew { kept += 1 }
      file.changed(self)
    }
  }

  /// A session has ended, and its level with it.
  public func forget(_ session: SessionID) { levels[.session(session)] = nil }

  /// Whether a user can have a level of its own; levels that have decayed to nothing make room.
  private func hasRoom(_ now: UInt64) -> Bool {
    if kept < maximum { return true }
    guard now >= nextPurge else { return false }
    nextPurge = now &+ 60_000_000_000
    for (subject, level) in levels where subject.operatorName != nil && level.exact(at: now, terms) <= 1 {
      levels[subject] = nil
      kept -= 1
    }
    return kept < maximum
  }

  private func tell(_ subject: Subject, wasSuspect: Bool, isSuspect: Bool) {
    if case .session(let id) = subject { sessionChanged?(id) }
    guard let name = subject.operatorName, wasSuspect != isSuspect else { return }
    let asked = asksRemotely(name)
    let count = suspects[name, default: 0] + (isSuspect ? 1 : -1)
    suspects[name] = count > 0 ? count : nil
    if asksRemotely(name) != asked { operatorChanged?(name) }
  }

  // MARK: falling

  /// Publishes what has fallen below a threshold. The loop does so by itself.
  public func fall() {
    guard let terms else { return }
    let now = clock()
    due = .max
    timer?.cancel()
    timer = nil
    if var level = unknown {
      let before = level.published
      level = fallen(level, now, terms)
      unknown = level
      if level.published < terms.lowest, before >= terms.lowest {
        unknown = nil
        operatorChanged?(nil)
        file.changed(self)
      }
    }
    for (subject, level) in levels {
      let new = fallen(level, now, terms)
      guard new.published != level.published else { continue }
      levels[subject] = new
      tell(subject, wasSuspect: level.published >= terms.lowest, isSuspect: new.published >= terms.lowest)
    }
    reschedule()
  }

  private func fallen(_ level: Level, _ now: UInt64, _ terms: Terms) -> Level {
    guard let falls = level.falls(terms), falls <= now else { return level }
    var level = level
    level.publish(level.value(at: now, terms), terms, reached: level.published)
    return level
  }

  private func reschedule() {
    due = .max
    guard terms != nil else { return }
    if let unknown { schedule(unknown) }
    for level in levels.values { schedule(level) }
  }

  /// The loop's clock stands still while the machine sleeps: it looks again before long.
  private static let (shortestWait, longestWait): (UInt64, UInt64) = (10_000_000, 10_000_000_000)

  private func schedule(_ level: Level) {
    guard let terms, let falls = level.falls(terms), falls < due else { return }
    due = falls
    timer?.cancel()
    let now = clock()
    let wait = max(Suspicions.shortestWait, min(falls > now ? falls - now : 0, Suspicions.longestWait))
    timer = loop.after(nanoseconds: wait) { [weak self] in self?.fall() }
  }

  /// Writes what isn't written yet, and waits for it.
  func finish() {
    timer?.cancel()
    file.finish(self)
  }
}

extension Suspicions.Subject {
  /// Of a user or an operator.
  var operatorName: String? {
    switch self {
    case .session: nil
    case .user(let key): key.operatorName
    case .operator(let name): name
    }
  }
}
