// What attached processes counted and recorded -> one batch after the other on disk, and into the totals. A process that
// rings is read within a few milliseconds, all are each second.

import Attach
import Authority
import Consultation
import Decision
import PolicyImage
import System

/// Loop-owned.
final class RingCollector {
  private unowned let daemon: Daemon
  private var rings: [UInt64: ClientRing] = [:]
  /// Those that rang.
  private var ringing: Set<UInt64> = []
  private var isScheduled = false
  private var isEveryoneAsked = false
  /// Told when all that was there when they asked is on disk, or can't be written.
  private var waiting: [(Bool) -> Void] = []
  /// The daemon's own decisions since the last batch.
  private var observed = Totals()
  /// Rings that are still to be read in this round, and who waits for its end.
  private var round: [UInt64] = []
  private var roundWaits: [(Bool) -> Void] = []
  /// Records that came as messages.
  private var messages: [Message] = []
  private typealias Message = (ring: ClientRing, kind: UInt32, bytes: [UInt8], then: (Bool) -> Void)
  /// For generations that are not in force any more, newest last.
  private var points: [DecisionPoint] = []
  private var complained: Set<UInt64> = []
  private var wasUnwritable = false

  /// After a process rang, so that many are read at once.
  private static let pause: UInt64 = 2_000_000
  /// Without a ring.
  private static let interval: UInt64 = 1_000_000_000
  /// After a batch that could not be written.
  private static let retry: UInt64 = 1_000_000_000
  /// Between two turns of a round.
  private static let breath: UInt64 = 500_000
  /// Bytes of records that one batch takes up.
  private static let batchBytes = 4 << 20
  /// Entries that one turn looks at.
  private static let entries = 16_384

  init(_ daemon: Daemon) {
    self.daemon = daemon
    daemon.loop.after(nanoseconds: RingCollector.interval, every: RingCollector.interval) { [weak self] in
      self?.collectAll()
    }
  }

  /// How many processes have one.
  var count: Int { rings.values.count { !$0.isEnded } }

  // MARK: rings

  /// A ring for a new attachment: the one that it brought, if that can be gone on with.
  func ring(
    for operatorName: String, uid: UInt32, brought: Descriptor?
  ) throws(SystemError) -> (ring: ClientRing, isKept: Bool) {
    if let brought,
      let kept = ClientRing(
        continuing: brought, operatorName: operatorName, uid: uid, daemon.authority.records, Set(rings.keys))
    {
      rings[kept.identity] = kept
      ringing.insert(kept.identity)
      schedule()
      return (kept, true)
    }
    let made = try ClientRing(operatorName: operatorName, uid: uid)
    rings[made.identity] = made
    return (made, false)
  }

  func rang(_ ring: ClientRing) {
    ringing.insert(ring.identity)
    schedule()
  }

  /// Its connection is gone: what it holds is read once more.
  func end(_ ring: ClientRing) {
    ring.isEnded = true
    rang(ring)
  }

  /// The same connection attached once more: an ended ring is written to again.
  func resume(_ ring: ClientRing) { ring.isEnded = false }

  /// Calls back when everything that is there now is on disk; false: it can't be written.
  func flush(_ then: @escaping (Bool) -> Void) {
    waiting.append(then)
    collectAll()
  }

  /// A record that was too large for the ring.
  func take(_ bytes: [UInt8], kind: UInt32, _ ring: ClientRing, then: @escaping (Bool) -> Void) {
    messages.append((ring, kind, bytes, then))
    schedule()
  }

  /// A decision of the daemon's own.
  @inline(__always)
  func observe(_ name: String, _ effect: Effect) {
    observed.operators[name, default: OperatorTotals()].observed[effect] &+= 1
    // Without a policy anybody may name any operator.
    if observed.operators.count > 10_000 { collectAll() }
  }

  /// What was decided, the last moments included.
  var totals: Totals {
    var all = daemon.authority.records.totals
    for (name, more) in observed.operators { all.add(name, more) }
    return all
  }

  /// The last thing before the daemon ends: what there is goes to disk, for at most two seconds.
  func finish() {
    var isDone = false
    flush { _ in isDone = true }
    let end = daemon.loop.now &+ 2_000_000_000
    while !isDone, daemon.loop.now < end { daemon.loop.turn(maximumWait: 10_000_000) }
  }

  // MARK: collecting

  private func collectAll() {
    isEveryoneAsked = true
    schedule(after: 0)
  }

  private func schedule(after pause: UInt64 = RingCollector.pause) {
    guard !isScheduled else { return }
    isScheduled = true
    daemon.loop.after(nanoseconds: pause) { [weak self] in
      self?.isScheduled = false
      self?.collect()
    }
  }

  /// One turn of a round. A round reads every ring that rang, or all; a turn as much of it as keeps nobody else waiting.
  private func collect() {
    let records = daemon.authority.records
    // What is being written says so, and then it is this one's turn.
    guard records.isOpen, !records.isWriting else { return }
    if round.isEmpty, roundWaits.isEmpty {
      round = isEveryoneAsked ? Array(rings.keys) : Array(ringing)
      (isEveryoneAsked, ringing) = (false, [])
      (roundWaits, waiting) = (waiting, [])
    }
    var turn = Turn()
    read(&turn)
    turn.messages = messages
    messages = []
    for one in turn.messages { add(one.kind, one.bytes, of: one.ring, &turn.batch) }
    turn.observed = observed
    observed = Totals()
    for (name, more) in turn.observed.operators { turn.batch.totals.add(name, more) }
    guard !turn.batch.isEmpty else { return finish(turn, isDone: true) }
    records.write(turn.batch) { [self] in finish(turn, isDone: $0) }
  }

  /// What one batch is made of.
  private struct Turn {
    var batch = RecordBatch()
    var read: [(ring: ClientRing, news: ClientRing.News)] = []
    var messages: [Message] = []
    var observed = Totals()
  }

  private func read(_ turn: inout Turn) {
    var budget = RingCollector.entries
    var bytes = 0
    while let identity = round.last, budget > 0, bytes < RingCollector.batchBytes {
      guard let ring = rings[identity] else {
        round.removeLast()
        continue
      }
      let before = budget
      let news = ring.read(&budget)
      // A ring without anything in it costs a little too.
      budget = min(budget, before - Ring.lanes)
      bytes += news.records.reduce(0) { $0 + $1.bytes.count }
      add(news, of: ring, &turn.batch)
      turn.read.append((ring, news))
      if ring.isBroken { complain(ring) }
      if news.isWhole {
        round.removeLast()
        if ring.isEnded { turn.batch.ended.append(identity) }
      }
    }
  }

  private func finish(_ turn: Turn, isDone: Bool) {
    if isDone {
      for (ring, news) in turn.read { ring.accept(news) }
      for identity in turn.batch.ended { rings[identity] = nil }
      if wasUnwritable { daemon.log(.notice, "counts and records are written again") }
      wasUnwritable = false
    } else {
      complainOfWriting()
      for (ring, _) in turn.read { ring.reject() }
      for (name, more) in turn.observed.operators { observed.add(name, more) }
      // All of it once more, later.
      ringing.formUnion(round)
      ringing.formUnion(turn.read.map(\.ring.identity))
      round = []
    }
    for one in turn.messages { one.then(isDone) }
    for (ring, news) in turn.read where news.isWhole && !ring.isEnded {
      if ring.arm(), isDone { ringing.insert(ring.identity) }
    }
    if round.isEmpty {
      let told = roundWaits
      roundWaits = []
      for then in told { then(isDone) }
    }
    if !isDone { return schedule(after: RingCollector.retry) }
    if !round.isEmpty { return schedule(after: RingCollector.breath) }
    if !ringing.isEmpty || !waiting.isEmpty || !messages.isEmpty || isEveryoneAsked { schedule() }
  }

  private func complainOfWriting() {
    guard !wasUnwritable else { return }
    wasUnwritable = true
    let why = daemon.authority.records.unwritable?.text ?? ""
    daemon.log(
      .error,
      "counts and records can't be written: \(why); they are kept, and what must be recorded is denied once a process' memory for it is full"
    )
  }

  private func complain(_ ring: ClientRing) {
    guard complained.insert(ring.identity).inserted else { return }
    if complained.count > 10_000 { complained = [ring.identity] }
    daemon.log(
      .warning,
      "a process of user \(ring.uid), operator \(ring.operatorName), wrote nonsense where it records: nothing more is taken from there"
    )
  }

  // MARK: meaning

  private func add(_ news: ClientRing.News, of ring: ClientRing, _ batch: inout RecordBatch) {
    if news.progress != ring.progress || !news.closed.isEmpty { batch.rings[ring.identity] = news.progress }
    for one in news.counts { count(one.generation, one.key, one.count, of: ring, &batch) }
    for one in news.records { add(one.kind, one.bytes, of: ring, &batch) }
    if news.lost > 0 {
      batch.totals.operators[ring.operatorName, default: OperatorTotals()].lost &+= news.lost
    }
  }

  private func count(
    _ number: UInt64, _ key: CountKey, _ count: UInt64, of ring: ClientRing, _ batch: inout RecordBatch
  ) {
    var more = OperatorTotals()
    more.asserted.allow = count
    let generation = ring.generation(number)
    let named = generation.flatMap { CountRecord(key, count, in: $0, of: ring.operatorName) }
    if let named { batch.counts.append(named) }
    if generation == nil { more.underived = count } else if named == nil { more.differing = count }
    batch.totals.operators[ring.operatorName, default: OperatorTotals()] += more
  }

  private func add(_ kind: UInt32, _ bytes: [UInt8], of ring: ClientRing, _ batch: inout RecordBatch) {
    switch kind {
    case Ring.decision:
      guard let (effect, verdict) = derive(bytes, of: ring) else { return ring.breakOff() }
      var more = OperatorTotals()
      more.asserted[effect] = 1
      if verdict == .differed {
        more.differing = 1
        complainOfDifference(ring)
      }
      if verdict == .underived { more.underived = 1 }
      batch.totals.operators[ring.operatorName, default: OperatorTotals()] += more
      batch.decisions.append(
        DecisionRecord(
          operatorName: ring.operatorName, uid: ring.uid, verdict: verdict, effect: effect, bytes: bytes))
    case Ring.count:
      let (number, key) = bytes.withUnsafeBytes { all in
        var reader = WireReader(all)
        return (reader.take(UInt64.self), CountKey(raw: reader.take()))
      }
      count(number, key, 1, of: ring, &batch)
    default: ring.breakOff()
    }
  }

  private func complainOfDifference(_ ring: ClientRing) {
    guard complained.insert(ring.identity).inserted else { return }
    daemon.log(
      .warning,
      "a process of user \(ring.uid), operator \(ring.operatorName), asserts decisions that its policy doesn't make")
  }

  /// Decides again; nil: it makes no sense.
  private func derive(_ bytes: [UInt8], of ring: ClientRing) -> (Effect, DecisionRecord.Verdict)? {
    bytes.withUnsafeBytes { all -> (Effect, DecisionRecord.Verdict)? in
      var reader = WireReader(all)
      guard let recorded = RecordedDecision.read(&reader) else { return nil }
      guard let generation = ring.generation(recorded.generation) else { return (recorded.effect, .underived) }
      let point = point(of: generation)
      let isSame = point.agrees(recorded, &reader, operator: ring.operatorName) {
        daemon.attachServer?.regions.moment($0)
      }
      return (recorded.effect, isSame.map { $0 ? .agreed : .differed } ?? .underived)
    }
  }

  private func point(of generation: Generation) -> DecisionPoint {
    if generation === daemon.decisionPoint.generation { return daemon.decisionPoint }
    if let found = points.last(where: { $0.generation === generation }) { return found }
    let made = DecisionPoint(generation, daemon.authority.counters)
    points.append(made)
    if points.count > 2 { points.removeFirst() }
    return made
  }
}

extension CountRecord {
  /// nil: numbers that this generation's images don't have.
  init?(_ key: CountKey, _ count: UInt64, in generation: Generation, of name: String) {
    guard let rank = key.rank, let policy = generation.policy(for: name) else { return nil }
    let image = policy.image(key.isOverlay ? .overlay : .platform)
    var behavior = ""
    if key.node != ImageFormat.none {
      guard Int(key.node) < image.count(.nodes) else { return nil }
      behavior = String(decoding: image.name(key.node), as: UTF8.self)
    }
    var statement = ""
    if key.statement != ImageFormat.none {
      guard key.layer != .none, Int(key.statement) < policy.image(key.layer).count(.statements) else { return nil }
      statement = policy.reference(key.layer, key.statement)?.place ?? ""
    }
    self.init(
      operatorName: name, generation: generation.number, behavior: behavior, rank: rank, statement: statement,
      count: count)
  }
}
