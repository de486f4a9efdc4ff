// The messages of the attach socket. A message is a packet: a head of 8 bytes and a body. What is larger than a packet
// may be has its body in sealed memory, whose descriptor comes with it.

public import Decision

/// The protocol's numbers.
public enum AttachProtocol {
  /// What is spoken here. A client says the lowest and the highest version that it knows; the daemon chooses the highest
  /// that both know, or refuses. The first message of either side has this form in every version.
  /// 1: images and the state page. 2: the ring as well. 3: sessions, and what licetd alone can decide.
  public static let lowest: UInt16 = 1
  #if LICET_ATTACH_VERSION_1
    public static let highest: UInt16 = 1
  #elseif LICET_ATTACH_VERSION_2
    public static let highest: UInt16 = 2
  #else
    public static let highest: UInt16 = 3
  #endif
  /// From this version on there is a ring.
  public static let withRing: UInt16 = 2
  /// From this version on there are sessions.
  public static let withSessions: UInt16 = 3
  public static let head = 8
  /// A packet, head included.
  public static let packet = 64 << 10
  /// A body in sealed memory.
  public static let largest = 4 << 20
  public static let defaultPath: StaticString = "/run/licetd/attach"
}

/// What a message is; an answer has its question's kind with `answer` set.
public enum MessageKind: UInt16, Sendable {
  /// Who is spoken for, and whether images are wanted.
  case attach = 1
  /// What is new since a generation?
  case refresh = 2
  case check = 3
  /// The answer to anything that is refused: a code of include/licet.h and a text.
  case refusal = 4
  /// There is something in the ring. The one question that has no answer.
  case ring = 5
  /// Answered when all that the ring holds is on disk.
  case flush = 6
  /// One record that is too large for the ring; answered when it is on disk.
  case record = 7
  /// Opens a session, or delegates one; says what a session holds now; changes it.
  case openSession = 8
  case session = 9
  case changeSession = 10

  public static let answer: UInt16 = 0x8000
}

/// The first 8 bytes.
public struct MessageHead {
  public var kind: UInt16
  /// 1: the body is in sealed memory.
  public var flags: UInt16
  /// The asker's number; the answer has the same.
  public var serial: UInt32
  public static let isSealed: UInt16 = 1

  public init(kind: UInt16, flags: UInt16 = 0, serial: UInt32) {
    (self.kind, self.flags, self.serial) = (kind, flags, serial)
  }

  public func write(_ writer: inout WireWriter) {
    writer.put(kind)
    writer.put(flags)
    writer.put(serial)
  }

  public static func read(_ reader: inout WireReader) -> MessageHead {
    MessageHead(kind: reader.take(), flags: reader.take(), serial: reader.take())
  }
}

/// The question of `attach`.
public struct AttachQuestion {
  public var lowest = AttachProtocol.lowest
  public var highest = AttachProtocol.highest
  public var wantsImages: Bool
  /// The ring that the daemon before gave comes with it, to be gone on with. From version 2 on.
  public var bringsRing: Bool
  /// Empty: the only one that the caller is bound to. Borrowed.
  public var operatorName: Name

  public init(wantsImages: Bool, bringsRing: Bool = false, operatorName: Name) {
    (self.wantsImages, self.bringsRing, self.operatorName) = (wantsImages, bringsRing, operatorName)
  }

  public func write(_ writer: inout WireWriter) {
    writer.put(lowest)
    writer.put(highest)
    writer.put((wantsImages ? 1 : 0) | (bringsRing ? 2 : 0) as UInt16)
    writer.put(UInt16(0))
    writer.put(operatorName)
  }

  public static func read(_ reader: inout WireReader) -> AttachQuestion {
    let (lowest, highest): (UInt16, UInt16) = (reader.take(), reader.take())
    let flags: UInt16 = reader.take()
    _ = reader.take(UInt16.self)
    var question = AttachQuestion(
      wantsImages: flags & 1 != 0, bringsRing: flags & 2 != 0, operatorName: reader.text())
    (question.lowest, question.highest) = (lowest, highest)
    return question
  }

  /// The version that both sides speak; nil: none.
  public var version: UInt16? {
    let chosen = min(highest, AttachProtocol.highest)
    return lowest <= highest && chosen >= max(lowest, AttachProtocol.lowest) ? chosen : nil
  }
}

/// What stands before the snapshot in the answer to `attach`.
public struct AttachAnswer {
  public var version: UInt16
  /// CLOCK_MONOTONIC of the daemon, whose clock may be shifted against the client's.
  public var now: UInt64
  /// Who is spoken for. Borrowed.
  public var operatorName: Name

  public init(version: UInt16, now: UInt64, operatorName: Name) {
    (self.version, self.now, self.operatorName) = (version, now, operatorName)
  }

  public func write(_ writer: inout WireWriter) {
    writer.put(version)
    writer.put(UInt16(0))
    writer.put(now)
    writer.put(operatorName)
  }

  public static func read(_ reader: inout WireReader) -> AttachAnswer {
    let version: UInt16 = reader.take()
    _ = reader.take(UInt16.self)
    return AttachAnswer(version: version, now: reader.take(), operatorName: reader.text())
  }
}

/// The question of `refresh`: which images the client holds, by the generation that brought them; 0: none.
public struct RefreshQuestion {
  public var platformSince: UInt64
  public var overlaySince: UInt64

  public init(platformSince: UInt64, overlaySince: UInt64) {
    (self.platformSince, self.overlaySince) = (platformSince, overlaySince)
  }

  public func write(_ writer: inout WireWriter) {
    writer.put(platformSince)
    writer.put(overlaySince)
  }

  public static func read(_ reader: inout WireReader) -> RefreshQuestion {
    RefreshQuestion(platformSince: reader.take(), overlaySince: reader.take())
  }
}

/// One generation for one operator, with which its descriptors come, in this order: the state page, the platform's image,
/// the operator's, the ring. The halts follow, to be read one by one, then the periods that have ended, a word; without it
/// every period runs.
public struct SnapshotHead {
  public var epoch: UInt64
  public var generation: UInt64
  /// The state page's word as it was when the halts were looked at.
  public var revocation: UInt64
  /// The generations that the two images came with; 0: there is none.
  public var platformSince: UInt64
  public var overlaySince: UInt64
  public var hasPage: Bool
  public var hasPlatform: Bool
  public var hasOverlay: Bool
  public var hasRing: Bool
  /// The ring that the client brought is gone on with.
  public var keepsRing: Bool
  /// Outside of sessions licetd decides, call by call: somebody of the operator's is suspect. From version 3 on.
  public var asksRemotely: Bool
  public var halts: UInt16

  public init(
    epoch: UInt64, generation: UInt64, revocation: UInt64, platformSince: UInt64, overlaySince: UInt64,
    hasPage: Bool = false, hasPlatform: Bool = false, hasOverlay: Bool = false, hasRing: Bool = false,
    keepsRing: Bool = false, asksRemotely: Bool = false, halts: UInt16
  ) {
    (self.epoch, self.generation, self.revocation) = (epoch, generation, revocation)
    (self.platformSince, self.overlaySince) = (platformSince, overlaySince)
    (self.hasPage, self.hasPlatform, self.hasOverlay, self.halts) = (hasPage, hasPlatform, hasOverlay, halts)
    (self.hasRing, self.keepsRing, self.asksRemotely) = (hasRing, keepsRing, asksRemotely)
  }

  public func write(_ writer: inout WireWriter) {
    writer.put(epoch)
    writer.put(generation)
    writer.put(revocation)
    writer.put(platformSince)
    writer.put(overlaySince)
    writer.put(
      (hasPage ? 1 : 0) | (hasPlatform ? 2 : 0) | (hasOverlay ? 4 : 0) | (hasRing ? 8 : 0) | (keepsRing ? 16 : 0)
        | (asksRemotely ? 32 : 0) as UInt16)
    writer.put(halts)
  }

  public static func read(_ reader: inout WireReader) -> SnapshotHead {
    var head = SnapshotHead(
      epoch: reader.take(), generation: reader.take(), revocation: reader.take(), platformSince: reader.take(),
      overlaySince: reader.take(), halts: 0)
    let flags: UInt16 = reader.take()
    (head.hasPage, head.hasPlatform, head.hasOverlay) = (flags & 1 != 0, flags & 2 != 0, flags & 4 != 0)
    (head.hasRing, head.keepsRing, head.asksRemotely) = (flags & 8 != 0, flags & 16 != 0, flags & 32 != 0)
    head.halts = reader.take()
    return head
  }
}
