// What is written at once: counts and records that came from rings, and how far each ring was read. All of it is on disk,
// or nothing of it is: so each is counted once, whoever is killed when (docs/state-folder.md has the bytes).

internal import Attach
public import Decision
public import PolicyImage

/// How far a ring was read, in absolute numbers, so that reading it again adds nothing. What was taken stands in the ring
/// itself, but for the last batch: whoever wrote that may have been killed before it said so there.
public struct RingProgress: Hashable, Sendable {
  /// An entry of a lane, in one use of the lane.
  public struct Entry: Hashable, Sendable {
    public var lane: UInt8
    public var serial: UInt64
    public var index: UInt16
    /// For who reads rings.
    public init(lane: Int, serial: UInt64, index: Int) {
      (self.lane, self.serial) = (UInt8(truncatingIfNeeded: lane), serial)
      self.index = UInt16(truncatingIfNeeded: index)
    }
  }
  /// Whose it is: nobody else may go on with it.
  public var uid: UInt32
  public var taken: UInt64 = 0
  public var lost: UInt64 = 0
  /// The last batch's.
  public var counts: [Entry: UInt64] = [:]

  /// Of a new ring.
  public init(uid: UInt32) { self.uid = uid }
}

/// So many allows of one behaviour by one statement.
public struct CountRecord: Hashable, Sendable {
  public var operatorName: String
  public var generation: UInt64
  public var behavior: String
  public var rank: DeciderRank
  /// "FILE:LINE"; empty: none.
  public var statement: String
  public var count: UInt64

  /// For who reads rings.
  public init(
    operatorName: String, generation: UInt64, behavior: String, rank: DeciderRank, statement: String, count: UInt64
  ) {
    (self.operatorName, self.generation, self.behavior) = (operatorName, generation, behavior)
    (self.rank, self.statement, self.count) = (rank, statement, count)
  }
}

/// One asserted decision with its question.
public struct DecisionRecord: Hashable, Sendable {
  public enum Verdict: UInt8, Sendable {
    case agreed = 0, differed = 1
    /// The generation isn't in memory any more.
    case underived = 2
  }
  public var operatorName: String
  public var uid: UInt32
  public var verdict: Verdict
  public var effect: Effect
  /// As it lay in the ring (Attach.RecordedDecision, then the question).
  public var bytes: [UInt8]

  /// For who reads rings.
  public init(operatorName: String, uid: UInt32, verdict: Verdict, effect: Effect, bytes: [UInt8]) {
    (self.operatorName, self.uid, self.verdict) = (operatorName, uid, verdict)
    (self.effect, self.bytes) = (effect, bytes)
  }
}

public struct RecordBatch: Sendable {
  /// Rings that moved on, by their number.
  public var rings: [UInt64: RingProgress] = [:]
  /// Rings that nobody writes to any more.
  public var ended: [UInt64] = []
  public var counts: [CountRecord] = []
  public var decisions: [DecisionRecord] = []
  /// What it adds to the totals: derived from the above, and the observed ones.
  public var totals = Totals()

  /// Nothing yet.
  public init() {}

  public var isEmpty: Bool {
    rings.isEmpty && ended.isEmpty && counts.isEmpty && decisions.isEmpty && totals.operators.isEmpty
  }
}

// MARK: bytes

extension RecordBatch {
  private static let counts: UInt8 = 1
  private static let decision: UInt8 = 2

  func write(_ bytes: inout RecordBytes) {
    bytes.put(UInt32(clamping: rings.count))
    for (identity, progress) in rings.sorted(by: { $0.key < $1.key }) { progress.write(identity, &bytes) }
    bytes.put(UInt32(clamping: ended.count))
    for identity in ended { bytes.put(identity) }
    totals.write(&bytes)
    bytes.put(UInt32(clamping: counts.count))
    for one in counts {
      bytes.put(one.operatorName)
      bytes.put(one.generation)
      bytes.put(one.behavior)
      bytes.put(one.rank.rawValue)
      bytes.put(one.statement)
      bytes.put(one.count)
    }
    bytes.put(UInt32(clamping: decisions.count))
    for one in decisions {
      bytes.put(one.operatorName)
      bytes.put(one.uid)
      bytes.put(one.verdict.rawValue)
      bytes.put(one.effect.rawValue)
      bytes.put(one.bytes)
    }
  }

  /// nil: no batch.
  static func read(_ reader: inout WireReader) -> RecordBatch? {
    var batch = RecordBatch()
    reader.each(UInt32.self) { reader in
      let (identity, progress) = RingProgress.read(&reader)
      batch.rings[identity] = progress
    }
    reader.each(UInt32.self) { reader in batch.ended.append(reader.take()) }
    batch.totals = Totals.read(&reader)
    reader.each(UInt32.self) { reader in
      let (name, generation, behavior): (String, UInt64, String) = (reader.string(), reader.take(), reader.string())
      let rank = DeciderRank(rawValue: reader.take())
      if rank == nil { reader.refuse() }
      batch.counts.append(
        CountRecord(
          operatorName: name, generation: generation, behavior: behavior, rank: rank ?? .default,
          statement: reader.string(), count: reader.take()))
    }
    reader.each(UInt32.self) { reader in
      let (name, uid): (String, UInt32) = (reader.string(), reader.take())
      let verdict = DecisionRecord.Verdict(rawValue: reader.take())
      let effect = Effect(rawValue: reader.take())
      if verdict == nil || effect == nil { reader.refuse() }
      batch.decisions.append(
        DecisionRecord(
          operatorName: name, uid: uid, verdict: verdict ?? .underived, effect: effect ?? .deny,
          bytes: Array(reader.text())))
    }
    return reader.isAtEnd ? batch : nil
  }
}

extension RingProgress {
  func write(_ identity: UInt64, _ bytes: inout RecordBytes) {
    bytes.put(identity)
    bytes.put(uid)
    bytes.put(taken)
    bytes.put(lost)
    bytes.put(UInt32(clamping: counts.count))
    for (entry, count) in counts {
      bytes.put(entry.lane)
      bytes.put(entry.serial)
      bytes.put(entry.index)
      bytes.put(count)
    }
  }

  static func read(_ reader: inout WireReader) -> (UInt64, RingProgress) {
    let identity: UInt64 = reader.take()
    var progress = RingProgress(uid: reader.take())
    progress.taken = reader.take()
    progress.lost = reader.take()
    reader.each(UInt32.self) { reader in
      let (lane, serial, index): (UInt8, UInt64, UInt16) = (reader.take(), reader.take(), reader.take())
      progress.counts[Entry(lane: Int(lane), serial: serial, index: Int(index))] = reader.take()
    }
    return (identity, progress)
  }
}

extension Totals {
  func write(_ bytes: inout RecordBytes) {
    bytes.put(UInt32(clamping: operators.count))
    for (name, one) in operators.sorted(by: { $0.key < $1.key }) {
      bytes.put(name)
      for counts in [one.observed, one.asserted] {
        bytes.put(counts.deny)
        bytes.put(counts.ask)
        bytes.put(counts.allow)
      }
      bytes.put(one.differing)
      bytes.put(one.underived)
      bytes.put(one.lost)
    }
  }

  static func read(_ reader: inout WireReader) -> Totals {
    var totals = Totals()
    reader.each(UInt32.self) { reader in
      let name = reader.string()
      var one = OperatorTotals()
      (one.observed.deny, one.observed.ask, one.observed.allow) = (reader.take(), reader.take(), reader.take())
      (one.asserted.deny, one.asserted.ask, one.asserted.allow) = (reader.take(), reader.take(), reader.take())
      (one.differing, one.underived, one.lost) = (reader.take(), reader.take(), reader.take())
      totals.add(name, one)
    }
    return totals
  }
}

/// Bytes that grow, in Attach's forms.
struct RecordBytes {
  private(set) var all: [UInt8] = []

  mutating func put<T: FixedWidthInteger>(_ value: T) {
    withUnsafeBytes(of: value.littleEndian) { all.append(contentsOf: $0) }
  }
  mutating func put(_ text: String) { put(Array(text.utf8)) }
  mutating func put(_ bytes: [UInt8]) {
    put(UInt32(clamping: bytes.count))
    all.append(contentsOf: bytes)
  }
}

extension WireReader {
  /// Reads a number, and so many things: until one makes no sense.
  mutating func each<N: FixedWidthInteger & BitwiseCopyable>(_ number: N.Type, _ body: (inout WireReader) -> Void) {
    var left = take(number)
    while left > 0, !isBroken {
      body(&self)
      left -= 1
    }
  }

  mutating func string() -> String { String(decoding: text(), as: UTF8.self) }
}
