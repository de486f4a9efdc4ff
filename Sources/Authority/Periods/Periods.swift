// Which periods have ended (DESIGN §2.8, docs/periods.md): what was determined, kept in the state folder, and proved
// anew for each generation. Whatever can't be read, proved or is about something else leaves a period running.

public import Determinations
internal import PolicyImage
internal import System

/// Loop-owned. `periods/NAME/` holds `authorities` (who decides, as first seen or handed over to), `settled` (the last word
/// that counted) and `by-AUTHORITY` (each one's last determination). Writing blocks for an fsync, as a stop does.
public final class Periods {
  static let folder = "periods"
  /// How far another host's clock may be ahead, in seconds.
  static let skew: Int64 = 300
  /// How far a sequence number may jump, so that none can use them up.
  static let jump: UInt64 = 1 << 32

  /// The word that counted last.
  struct Settled: Hashable {
    var sequence: UInt64
    var verdict: Ruling
    /// When it came to count.
    var time: Int64
  }

  struct Record {
    var deciders: Deciders
    var settled: Settled?
    /// By authority.
    var held: [String: SignedDetermination] = [:]
  }

  /// A period as it stands now.
  public struct Standing: Sendable {
    public let definition: PeriodDefinition
    public let hasEnded: Bool
    /// Who decides now, where the policy names others: they have to hand over first.
    public let formerDeciders: Deciders?
    /// A determination has to have a higher one than this.
    public let lastSequence: UInt64
    /// Since when it has ended.
    public let since: Int64?
    /// Authorities whose word for its end is held, while more are needed.
    public let pending: [String]
    /// Its files can't be read.
    public let isDamaged: Bool

    /// Nobody has looked in time whether it can end.
    public func isOverdue(at now: Int64) -> Bool { !hasEnded && definition.reviewBy <= now }
  }

  /// What a determination came to.
  public enum Outcome: Hashable, Sendable {
    /// Held, with so many others of those that it takes.
    case held(Int, of: Int)
    case ended
    case reinstated
    case handedOver
  }

  /// For whom determinations have to be; empty: there is none, so none counts.
  public let host: String
  private let state: StateFolder
  private let log: (String) -> Void
  private var definitions: [PeriodDefinition] = []
  private var records: [String: Record] = [:]
  private var damaged: Set<String> = []
  /// Told after a period ended or began to run again.
  var changed: (() -> Void)?

  init(_ state: StateFolder, host: String, log: @escaping (String) -> Void) {
    (self.state, self.host, self.log) = (state, host, log)
  }

  /// In the order of their numbers.
  public var standings: [Standing] { definitions.map(standing) }

  /// Takes over this platform's periods; returns which have ended, by their numbers.
  func follow(_ platform: Image?) -> UInt64 {
    definitions = platform?.periodDefinitions ?? []
    for one in definitions where records[one.name] == nil { read(one) }
    return ended
  }

  private var ended: UInt64 {
    definitions.enumerated().reduce(0) { $0 | (hasEnded($1.element) ? 1 << UInt64($1.offset) : 0) }
  }

  // MARK: the state folder

  private func read(_ definition: PeriodDefinition) {
    let name = definition.name
    let path = "\(Periods.folder)/\(name)"
    damaged.remove(name)
    do throws(StateError) {
      let deciders = try state.read("\(path)/authorities", maximum: SignedDetermination.maximumSize)
      guard let deciders else { return begin(definition) }
      guard let known = Deciders(deciders) else { return damage(name, "authorities make no sense") }
      var record = Record(deciders: known)
      if let bytes = try state.read("\(path)/settled", maximum: 128) {
        guard let settled = Settled(bytes) else { return damage(name, "settled makes no sense") }
        record.settled = settled
      }
      for authority in known.authorities {
        let file = "\(path)/by-\(authority.name)"
        guard let bytes = try state.read(file, maximum: SignedDetermination.maximumSize) else { continue }
        guard let one = SignedDetermination(bytes), one.determination.authority == authority.name else {
          log("\(file) is no determination, so it doesn't count")
          continue
        }
        record.held[authority.name] = one
      }
      records[name] = record
    } catch {
      damage(name, error.text)
    }
  }

  /// Who decides is taken down when a period is first seen: from then on it takes them to change that.
  private func begin(_ definition: PeriodDefinition) {
    records[definition.name] = Record(deciders: definition.deciders)
    do throws(StateError) {
      try state.makeFolder("\(Periods.folder)/\(definition.name)")
      try state.write("\(Periods.folder)/\(definition.name)/authorities", definition.deciders.bytes)
    } catch {
      log("the period \(definition.name): who decides can't be taken down: \(error.text)")
    }
  }

  private func damage(_ name: String, _ why: String) {
    damaged.insert(name)
    log("the period \(name) runs, and can't end: its state can't be read: \(why)")
  }

  // MARK: what counts

  /// Proved from what is held: the signatures, the same text, the same deciders, the same facts, all of the evidence.
  private func hasEnded(_ definition: PeriodDefinition) -> Bool {
    guard let record = records[definition.name], !damaged.contains(definition.name), let settled = record.settled,
      settled.verdict == .end, record.deciders == definition.deciders
    else { return false }
    let votes = record.held.values.filter { $0.determination.sequence == settled.sequence }
    return votes.contains {
      support($0.determination, definition, record, at: settled.time).count >= record.deciders.quorum
    }
  }

  /// Authorities that say what `one` says, and may, at this time.
  private func support(
    _ one: Determination, _ definition: PeriodDefinition, _ record: Record, at time: Int64
  ) -> [String] {
    record.deciders.authorities.filter { authority in
      guard let held = record.held[authority.name], held.determination.agrees(with: one),
        held.determination.authority == authority.name, isAbout(held.determination, definition, record) == nil,
        held.determination.issued <= time + Periods.skew, held.determination.validUntil >= time
      else { return false }
      return held.isSigned(by: authority.key)
    }.map(\.name)
  }

  /// nil: it is about this host, this text, and those who decide.
  private func isAbout(
    _ one: Determination, _ definition: PeriodDefinition, _ record: Record
  ) -> DeterminationError? {
    guard !host.isEmpty, one.host == host else { return .wrongHost }
    guard one.period == definition.name else { return .wrongPeriod }
    guard one.definition == definition.digest else { return .outdated }
    guard one.authorities == definition.authoritiesDigest else { return .wrongAuthorities }
    let isHandOver = record.deciders != definition.deciders
    guard isHandOver == (one.verdict == .handOver) else { return isHandOver ? .handOverFirst : .nothingToHandOver }
    guard one.verdict == .end else { return nil }
    let missing = definition.evidence.filter { name in !one.evidence.contains { $0.name == name } }
    guard missing.isEmpty else { return .partial(missing) }
    let extra = one.evidence.map(\.name).filter { !definition.evidence.contains($0) }
    return extra.isEmpty ? nil : .unknownEvidence(extra)
  }

  private func standing(_ definition: PeriodDefinition) -> Standing {
    let record = records[definition.name]
    let ended = hasEnded(definition)
    let last = record?.settled?.sequence ?? 0
    let pending = (record?.held ?? [:]).filter { $0.value.determination.sequence > last }.map(\.key).sorted()
    return Standing(
      definition: definition, hasEnded: ended,
      formerDeciders: record.flatMap { $0.deciders == definition.deciders ? nil : $0.deciders }, lastSequence: last,
      since: ended ? record?.settled?.time : nil, pending: pending, isDamaged: damaged.contains(definition.name))
  }

  // MARK: submitting

  /// Takes a signed determination: on disk when it returns. A reinstatement counts at once, an end or a handing over when
  /// the quorum says the same. `now`: seconds since 1970.
  public func submit(_ bytes: [UInt8], now: Int64) throws(DeterminationError) -> Outcome {
    guard let signed = SignedDetermination(bytes) else { throw .malformed }
    let one = signed.determination
    guard let definition = definitions.first(where: { $0.name == one.period }) else { throw .wrongPeriod }
    guard var record = records[one.period], !damaged.contains(one.period) else { throw .damaged }
    guard let key = record.deciders.key(of: one.authority) else { throw .unknownAuthority }
    guard signed.isSigned(by: key) else { throw .forged }
    if let error = isAbout(one, definition, record) { throw error }
    guard one.issued <= now + Periods.skew else { throw .notYetValid }
    guard one.validUntil >= now else { throw .expired }
    let last = record.settled?.sequence ?? 0
    guard one.sequence > last else { throw .replayed }
    guard one.sequence - last <= Periods.jump else { throw .badSequence }
    if let held = record.held[one.authority]?.determination {
      guard (held.sequence, held.issued) < (one.sequence, one.issued) else { throw .replayed }
    }
    record.held[one.authority] = signed
    let count = one.verdict == .reinstate ? 1 : support(one, definition, record, at: now).count
    let needed = one.verdict == .reinstate ? 1 : record.deciders.quorum
    if count >= needed {
      record.settled = Settled(sequence: one.sequence, verdict: one.verdict, time: now)
      if one.verdict == .handOver { record.deciders = definition.deciders }
    }
    try keep(record, one.period, signed, isSettled: count >= needed)
    guard count >= needed else { return .held(count, of: needed) }
    changed?()
    switch one.verdict {
    case .end: return .ended
    case .reinstate: return .reinstated
    case .handOver: return .handedOver
    }
  }

  /// What loosens is in force only once it is on disk; what tightens is in force even if it can't be written.
  private func keep(
    _ record: Record, _ name: String, _ signed: SignedDetermination, isSettled: Bool
  ) throws(DeterminationError) {
    let path = "\(Periods.folder)/\(name)"
    let isTightening = signed.determination.verdict == .reinstate
    var files = [("\(path)/by-\(signed.determination.authority)", signed.bytes)]
    if isSettled, let settled = record.settled { files.append(("\(path)/settled", settled.bytes)) }
    if isSettled, signed.determination.verdict == .handOver {
      files.append(("\(path)/authorities", record.deciders.bytes))
    }
    if isTightening { records[name] = record }
    do throws(StateError) {
      try state.makeFolder(path)
      try state.write(all: files.map { (path: $0.0, bytes: $0.1) })
    } catch {
      if isTightening { changed?() }
      throw .stateUnwritable(error.text)
    }
    records[name] = record
  }
}

/// Why a determination doesn't count.
public enum DeterminationError: Error, Hashable, Sendable {
  /// No determination at all.
  case malformed
  /// The signature isn't its authority's.
  case forged
  case unknownAuthority
  case wrongHost
  case wrongPeriod
  /// The period says something else now.
  case outdated
  /// The digest isn't that of the authorities that the policy names.
  case wrongAuthorities
  /// The policy names other authorities than those who decide: these have to hand over before anything else.
  case handOverFirst
  case nothingToHandOver
  /// Its number was used already, or an older one.
  case replayed
  case badSequence
  case expired
  case notYetValid
  /// These items of evidence are missing.
  case partial([String])
  case unknownEvidence([String])
  case damaged
  /// A reinstatement is in force until the daemon ends; anything else is not done.
  case stateUnwritable(String)
}

extension Periods.Settled {
  var bytes: [UInt8] { Array("\(sequence) \(verdict.rawValue) \(time)\n".utf8) }

  init?(_ bytes: [UInt8]) {
    let words = String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isWhitespace)
    guard words.count == 3, let sequence = UInt64(words[0]),
      let verdict = UInt8(words[1]).flatMap(Ruling.init(rawValue:)), let time = Int64(words[2])
    else { return nil }
    self.init(sequence: sequence, verdict: verdict, time: time)
  }
}
