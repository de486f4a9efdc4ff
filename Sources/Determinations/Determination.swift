/// Determinations: what an authority signs about a period, and what it is about (DESIGN §2.8, docs/period-format.md). Bytes
/// from outside: bounded, parsed without a trap; one text has one encoding. No files, no clock.
///
/// This file: one determination, and its bytes.

public import System

/// What is said of a period.
public enum Ruling: UInt8, Sendable {
  /// It has ended.
  case end = 1
  /// It runs again.
  case reinstate = 2
  /// Another set of authorities decides about it from now on.
  case handOver = 3
}

/// What was shown for one item that the period asks for.
public struct Evidence: Hashable, Sendable {
  public var name: String
  /// Of the document.
  public var digest: Digest
  /// Where it can be read; may be empty.
  public var place: String
  public init(name: String, digest: Digest, place: String) {
    (self.name, self.digest, self.place) = (name, digest, place)
  }
}

/// One authority's word.
public struct Determination: Hashable, Sendable {
  /// Of the host, or of the fleet of hosts, that it is for.
  public var host: String
  public var period: String
  public var verdict: Ruling
  /// `PeriodDefinition.digest`: another text is another period.
  public var definition: Digest
  /// `PeriodDefinition.authoritiesDigest`: who decides; of `handOver`, who is to.
  public var authorities: Digest
  /// Grows with each word about the period that counted.
  public var sequence: UInt64
  /// Seconds since 1970: from when until when it can be counted.
  public var issued: Int64
  public var validUntil: Int64
  /// In the order of names, each once.
  public var evidence: [Evidence]
  /// Who says so.
  public var authority: String

  public init(
    host: String, period: String, verdict: Ruling, definition: Digest, authorities: Digest, sequence: UInt64,
    issued: Int64, validUntil: Int64, evidence: [Evidence], authority: String
  ) {
    (self.host, self.period, self.verdict, self.definition) = (host, period, verdict, definition)
    (self.authorities, self.sequence, self.issued, self.validUntil) = (authorities, sequence, issued, validUntil)
    self.evidence = evidence.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
    self.authority = authority
  }

  /// Whether both say the same of the same; who and when apart.
  public func agrees(with other: Determination) -> Bool {
    var one = other
    (one.issued, one.validUntil, one.authority) = (issued, validUntil, authority)
    return one == self
  }
}

/// A determination with its signature.
public struct SignedDetermination: Hashable, Sendable {
  public static let maximumSize = 64 << 10
  public static let signatureSize = 64
  public static let maximumEvidence = 64
  static let maximumName = 64
  static let maximumPlace = 2048

  public var determination: Determination
  /// Ed25519 over `determination.message`.
  public var signature: [UInt8]
  public init(_ determination: Determination, signature: [UInt8]) {
    (self.determination, self.signature) = (determination, signature)
  }

  public var bytes: [UInt8] { determination.message + signature }

  /// nil: no determination, or not in the one form that it has.
  public init?(_ bytes: [UInt8]) {
    guard bytes.count <= Self.maximumSize, bytes.count > Self.signatureSize else { return nil }
    let message = bytes.dropLast(Self.signatureSize)
    var reader = Reader(rest: message)
    guard let determination = Determination(&reader), reader.rest.isEmpty, determination.message == Array(message)
    else {
      return nil
    }
    self.init(determination, signature: Array(bytes.suffix(Self.signatureSize)))
  }
}

extension Determination {
  /// Before everything: nothing else that is signed begins like this.
  static let domain = Array("licet period determination v1\n".utf8)

  /// What is signed. Numbers are big-endian; a text is its length (u16) and so many bytes of UTF-8.
  public var message: [UInt8] {
    var writer = Writer(bytes: Self.domain)
    writer.text(host)
    writer.text(period)
    writer.number(UInt64(verdict.rawValue), bytes: 1)
    writer.bytes += definition.bytes + authorities.bytes
    writer.number(sequence, bytes: 8)
    writer.number(UInt64(bitPattern: issued), bytes: 8)
    writer.number(UInt64(bitPattern: validUntil), bytes: 8)
    writer.number(UInt64(evidence.count), bytes: 2)
    for one in evidence {
      writer.text(one.name)
      writer.bytes += one.digest.bytes
      writer.text(one.place)
    }
    writer.text(authority)
    return writer.bytes
  }

  fileprivate init?(_ reader: inout Reader) {
    guard reader.take(Self.domain.count) == Self.domain, let host = reader.text(SignedDetermination.maximumName),
      let period = reader.text(SignedDetermination.maximumName),
      let verdict = reader.number(1).flatMap({ UInt8(exactly: $0) }).flatMap(Ruling.init(rawValue:)),
      let definition = reader.digest(), let authorities = reader.digest(), let sequence = reader.number(8),
      let issued = reader.number(8), let validUntil = reader.number(8), let count = reader.number(2),
      count <= SignedDetermination.maximumEvidence
    else { return nil }
    var evidence: [Evidence] = []
    for _ in 0..<count {
      guard let name = reader.text(SignedDetermination.maximumName), let digest = reader.digest(),
        let place = reader.text(SignedDetermination.maximumPlace)
      else { return nil }
      // One order, each once: otherwise one text would have several encodings.
      if let last = evidence.last, !last.name.utf8.lexicographicallyPrecedes(name.utf8) { return nil }
      evidence.append(Evidence(name: name, digest: digest, place: place))
    }
    guard let authority = reader.text(SignedDetermination.maximumName) else { return nil }
    self.init(
      host: host, period: period, verdict: verdict, definition: definition, authorities: authorities,
      sequence: sequence, issued: Int64(bitPattern: issued), validUntil: Int64(bitPattern: validUntil),
      evidence: evidence, authority: authority)
  }
}

struct Writer {
  var bytes: [UInt8]

  mutating func number(_ value: UInt64, bytes count: Int) {
    for i in (0..<count).reversed() { bytes.append(UInt8(truncatingIfNeeded: value >> UInt64(8 * i))) }
  }

  mutating func text(_ text: String) {
    number(UInt64(text.utf8.count), bytes: 2)
    bytes += Array(text.utf8)
  }
}

private struct Reader {
  var rest: ArraySlice<UInt8>

  mutating func take(_ count: Int) -> [UInt8]? {
    guard rest.count >= count else { return nil }
    defer { rest = rest.dropFirst(count) }
    return Array(rest.prefix(count))
  }

  mutating func number(_ count: Int) -> UInt64? {
    take(count).map { $0.reduce(0) { $0 << 8 | UInt64($1) } }
  }

  mutating func digest() -> Digest? { take(32).flatMap { Digest(bytes: $0) } }

  /// Printable text: what a terminal shows is what was signed.
  mutating func text(_ maximum: Int) -> String? {
    guard let count = number(2), count <= maximum, let bytes = take(Int(count)) else { return nil }
    return bytes.allSatisfy { (0x20..<0x7F).contains($0) } ? String(decoding: bytes, as: UTF8.self) : nil
  }
}
