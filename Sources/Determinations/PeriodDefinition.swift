// What the platform says of a period, as determinations refer to it: by digests.

public import PolicyImage
public import System

/// Who decides about a period.
public struct Deciders: Hashable, Sendable {
  public struct Authority: Hashable, Sendable {
    public var name: String
    public var key: [UInt8]
    public init(name: String, key: [UInt8]) { (self.name, self.key) = (name, key) }
  }
  public var quorum: Int
  /// In the order of names.
  public var authorities: [Authority]
  public init(quorum: Int, authorities: [Authority]) {
    (self.quorum, self.authorities) = (quorum, authorities.sorted { $0.name < $1.name })
  }

  /// How many it takes is part of who decides: two of three is another set than one of three.
  public var digest: Digest { sha256(encoded) }

  var encoded: [UInt8] {
    var writer = Writer(bytes: Array("licet period authorities v1\n".utf8))
    writer.number(UInt64(quorum), bytes: 2)
    writer.number(UInt64(authorities.count), bytes: 2)
    for one in authorities {
      writer.text(one.name)
      writer.bytes += one.key
    }
    return writer.bytes
  }

  public func key(of name: String) -> [UInt8]? { authorities.first { $0.name == name }?.key }

  /// For the state folder: `encoded`, read back; nil: something else.
  public init?(_ bytes: [UInt8]) {
    let head = Array("licet period authorities v1\n".utf8)
    guard bytes.starts(with: head), bytes.count >= head.count + 4 else { return nil }
    var rest = bytes.dropFirst(head.count)
    func take(_ count: Int) -> [UInt8]? {
      guard rest.count >= count else { return nil }
      defer { rest = rest.dropFirst(count) }
      return Array(rest.prefix(count))
    }
    func number() -> Int? { take(2).map { Int($0[0]) << 8 | Int($0[1]) } }
    guard let quorum = number(), let count = number() else { return nil }
    var authorities: [Authority] = []
    for _ in 0..<count {
      guard let length = number(), let name = take(length), let key = take(Period.keySize) else { return nil }
      authorities.append(Authority(name: String(decoding: name, as: UTF8.self), key: key))
    }
    self.init(quorum: quorum, authorities: authorities)
    guard encoded == bytes else { return nil }
  }

  /// The same, for the state folder.
  public var bytes: [UInt8] { encoded }
}

/// A period as the policy in force defines it.
public struct PeriodDefinition: Hashable, Sendable {
  public var name: String
  public var deciders: Deciders
  /// In the order of names.
  public var evidence: [String]
  /// Seconds since 1970.
  public var reviewBy: Int64

  public init(name: String, deciders: Deciders, evidence: [String], reviewBy: Int64) {
    (self.name, self.deciders, self.evidence, self.reviewBy) = (name, deciders, evidence.sorted(), reviewBy)
  }

  public init(_ period: Period) {
    func text(_ bytes: UnsafeRawBufferPointer) -> String { String(decoding: bytes, as: UTF8.self) }
    self.init(
      name: text(period.name),
      deciders: Deciders(
        quorum: period.quorum,
        authorities: (0..<period.authorities).map {
          .init(name: text(period.authorityName($0)), key: Array(period.authorityKey($0)))
        }),
      evidence: (0..<period.evidence).map { text(period.evidenceName($0)) }, reviewBy: period.reviewBy)
  }

  public var authoritiesDigest: Digest { deciders.digest }

  /// Of all that it says of itself.
  public var digest: Digest {
    var writer = Writer(bytes: Array("licet period v1\n".utf8))
    writer.text(name)
    writer.bytes += deciders.digest.bytes
    writer.number(UInt64(evidence.count), bytes: 2)
    for one in evidence { writer.text(one) }
    writer.number(UInt64(bitPattern: reviewBy), bytes: 8)
    return sha256(writer.bytes)
  }
}

extension Image {
  /// All periods of a platform, by their numbers.
  public var periodDefinitions: [PeriodDefinition] { (0..<periodCount).map { PeriodDefinition(period($0)) } }
}
