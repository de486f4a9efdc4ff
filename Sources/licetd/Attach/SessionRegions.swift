// Where attached processes see that a session has changed: for each operator whose sessions are asked for, words that only
// licetd writes (Attach.SessionRegion). And what sessions held, for as long as records of it may come.

import Attach
import Authority
import Consultation
import Decision
import System

/// Loop-owned.
final class SessionRegions {
  /// One operator's.
  final class Region {
    let identity: UInt64
    /// To hand out.
    let reader: Descriptor
    fileprivate let memory: SharedMemory
    /// By word: what it was when its session took it.
    fileprivate var bases: [UInt64] = []
    /// Words that were given back; their bases go on from what they are.
    fileprivate var free: [Int32] = []

    fileprivate init() throws(SystemError) {
      memory = try SharedMemory(name: "licet-sessions", size: SessionRegion.size)
      identity = UInt64.random(in: 1..<SessionRegion.wantsNone)
      memory[SessionRegion.identity] = identity
      memory[SessionRegion.versionWord] = SessionRegion.version
      memory[SessionRegion.magicWord] = SessionRegion.magic
      reader = try memory.reader()
    }

    /// A word that nobody has; nil: all are taken.
    fileprivate func take() -> Int32? {
      if let word = free.popLast() {
        bases[Int(word) - SessionRegion.first] = memory[Int(word)]
        return word
      }
      let word = SessionRegion.first + bases.count
      guard word < SessionRegion.words else { return nil }
      bases.append(0)
      return Int32(word)
    }

    /// What its word is for this version.
    fileprivate func version(_ session: Session) -> UInt64 {
      bases[Int(session.word) - SessionRegion.first] + session.version
    }

    fileprivate func store(_ session: Session) { memory[Int(session.word)] = version(session) }
  }

  /// A session's word and what it is now.
  struct Place {
    let region: Region
    let word: Int32
    let version: UInt64
  }

  /// What a session held at one version.
  struct Moment {
    let memory: SessionMemory
    let attributes: SessionAttributes?
    let suspicion: UInt32
  }

  private var regions: [String: Region] = [:]
  private var moments: [SessionMoment: Moment] = [:]
  /// The same, oldest first, as a ring once it is full.
  private var order: [SessionMoment] = []
  private var oldest = 0

  /// Moments that are kept: records come within a second or so.
  static let kept = 65_536

  /// The word of a session, which is given one if it has none; nil: none is left, or no memory.
  func place(_ session: Session) -> Place? {
    guard !session.hasEnded, let region = region(session.operatorName) else { return nil }
    if session.word < 0 {
      guard let word = region.take() else { return nil }
      session.word = word
      region.store(session)
    }
    return Place(region: region, word: session.word, version: region.version(session))
  }

  private func region(_ name: String) -> Region? {
    if let found = regions[name] { return found }
    guard let made = try? Region() else { return nil }
    regions[name] = made
    return made
  }

  /// Its version grew; whoever sees that can ask what it holds now.
  func changed(_ session: Session) {
    guard session.word >= 0 else { return }
    regions[session.operatorName]?.store(session)
  }

  /// It has ended, after `changed`: its word is another one's.
  func ended(_ session: Session) {
    guard session.word >= 0 else { return }
    regions[session.operatorName]?.free.append(session.word)
    session.word = -1
  }

  // MARK: what was handed out

  /// Keeps what a process is told now.
  func keep(_ session: Session, version: UInt64, _ moment: @autoclosure () -> Moment) {
    let key = SessionMoment(session.number, version: version)
    guard moments[key] == nil else { return }
    moments[key] = moment()
    if order.count < SessionRegions.kept {
      order.append(key)
    } else {
      moments[order[oldest]] = nil
      order[oldest] = key
      oldest = (oldest + 1) % SessionRegions.kept
    }
  }

  /// What it was told; nil: not known any more, or never said.
  func moment(_ moment: SessionMoment) -> Moment? { moments[moment] }
}

extension Session {
  /// As the attach protocol has it.
  var number: SessionNumber { SessionNumber(high: id.high, low: id.low) }

  /// The highest one whose time is this one's.
  var timed: Session {
    var at = self
    while let parent = at.parent, parent.deadline == deadline { at = parent }
    return at
  }
}
