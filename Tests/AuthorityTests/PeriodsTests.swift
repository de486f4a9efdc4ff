// Which determinations count, and which don't: with keys of the test's own, a state folder of its own, and a clock that goes
// where it is told.

import Consultation
import Crypto
import Foundation
import Offline
import PolicyImage
import PolicyLanguage
import System
import TestKit
import Testing

@testable import Authority
@testable import Determinations

private typealias Digest = System.Digest

/// A platform with one period, its authorities' keys, and what holds of it.
private final class Bench {
  static let now: Int64 = 1_800_000_000
  let root: URL
  var keys: [String: Curve25519.Signing.PrivateKey] = [:]
  var evidence = ["report", "review"]
  var quorum = 2
  var of = ["alice", "bob", "carol"]
  private(set) var image: ImageMemory?
  private(set) var periods: Periods
  var said: [String] = []

  init() throws {
    root = FileManager.default.temporaryDirectory.appendingPathComponent("licet-periods-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: root, withIntermediateDirectories: true)
    for name in ["alice", "bob", "carol", "mallory"] { keys[name] = Curve25519.Signing.PrivateKey() }
    periods = Periods(StateFolder(root: root.path), host: "here") { _ in }
    try start()
  }

  deinit { try? FileManager.default.removeItem(at: root) }

  var platform: Image {
    get throws { try verifyPlatform(try #require(image).bytes) }
  }
  var definition: PeriodDefinition { get throws { try #require(try platform.periodDefinitions.first) } }

  /// As after a restart: everything from the files.
  func start(host: String = "here") throws {
    periods = Periods(StateFolder(root: root.path), host: host) { [weak self] in self?.said.append($0) }
    try load()
  }

  /// As at a new generation.
  @discardableResult
  func load() throws -> UInt64 {
    let authorities = of.map { name in
      "  \(name): \"ed25519:\(keys[name]?.publicKey.rawRepresentation.base64EncodedString() ?? "")\"\n"
    }.joined()
    let text = """
      licet: 1
      layer: platform
      name: bench
      authorities:
      \(authorities)
      periods:
        pilot:
          decided-by: {quorum: \(quorum), of: [\(of.joined(separator: ", "))]}
          evidence: [\(evidence.joined(separator: ", "))]
          review-by: 2027-01-31
      behaviors: {tool: {default: allow, stakes: 0}}
      rules: [{limit: tool, to: ask, during: pilot}]

      """
    let loaded = openPolicy([SourceFile(path: "platform.yaml", bytes: Array(text.utf8))])
    try #require(!loaded.platformImage.isEmpty, "\(loaded.diagnostics)")
    image = ImageMemory(copying: loaded.platformImage)
    return periods.follow(try platform)
  }

  var standing: Periods.Standing { get throws { try #require(periods.standings.first) } }
  var hasEnded: Bool { get throws { try standing.hasEnded } }
  var isEndedAnew: Bool { get throws { periods.follow(try platform) == 1 } }

  func word(
    _ authority: String, _ verdict: Ruling = .end, _ sequence: UInt64 = 1,
    _ change: (inout Determination) -> Void = { _ in }
  ) throws -> Determination {
    var one = Determination(
      host: "here", period: "pilot", verdict: verdict, definition: try definition.digest,
      authorities: try definition.authoritiesDigest, sequence: sequence, issued: Self.now - 60,
      validUntil: Self.now + 86_400,
      evidence: evidence.map { Evidence(name: $0, digest: sha256(Array($0.utf8)), place: "https://example.org/\($0)") },
      authority: authority)
    change(&one)
    return one
  }

  func signed(_ one: Determination, by key: String? = nil) throws -> [UInt8] {
    let key = try #require(keys[key ?? one.authority])
    return SignedDetermination(one, signature: Array(try key.signature(for: one.message))).bytes
  }

  @discardableResult
  func submit(_ bytes: [UInt8], now: Int64 = Bench.now) throws -> Periods.Outcome {
    try periods.submit(bytes, now: now)
  }

  func refusal(_ bytes: [UInt8], now: Int64 = Bench.now) -> DeterminationError? {
    do throws(DeterminationError) {
      _ = try periods.submit(bytes, now: now)
      return nil
    } catch { return error }
  }

  func end(_ sequence: UInt64 = 1) throws {
    try submit(try signed(try word("alice", .end, sequence)))
    #expect(try submit(try signed(try word("bob", .end, sequence))) == .ended)
  }
}

@Suite struct PeriodsTests {
  @Test func aQuorumEndsItAndAnyOneReinstatesIt() throws {
    let bench = try Bench()
    #expect(try bench.submit(try bench.signed(try bench.word("alice"))) == .held(1, of: 2))
    #expect(try !bench.hasEnded)
    #expect(try bench.submit(try bench.signed(try bench.word("bob"))) == .ended)
    #expect(try bench.hasEnded && bench.isEndedAnew)
    #expect(try bench.submit(try bench.signed(try bench.word("carol", .reinstate, 2))) == .reinstated)
    #expect(try !bench.hasEnded && !bench.isEndedAnew)
    // Nothing that was said before counts again.
    for name in ["alice", "bob"] {
      #expect(try bench.refusal(bench.signed(bench.word(name))) == .replayed)
    }
    #expect(try bench.refusal(bench.signed(bench.word("carol", .reinstate, 2))) == .replayed)
    try bench.end(3)
    #expect(try bench.hasEnded)
  }

  @Test func whatIsForgedDoesNotCount() throws {
    let bench = try Bench()
    try bench.submit(try bench.signed(try bench.word("alice")))
    let one = try bench.word("bob")
    #expect(try bench.refusal(bench.signed(one, by: "mallory")) == .forged)
    #expect(try bench.refusal(bench.signed(bench.word("mallory"))) == .unknownAuthority)
    var bytes = try bench.signed(one)
    bytes[bytes.count - 1] ^= 1
    #expect(bench.refusal(bytes) == .forged)
    // Each byte of what is signed: another text, or none at all.
    let good = try bench.signed(one)
    for at in good.indices {
      var changed = good
      changed[at] ^= 0x20
      #expect(bench.refusal(changed) != nil, "byte \(at)")
    }
    #expect(try !bench.hasEnded)
    // One authority's word, twice, is one.
    #expect(try bench.submit(try bench.signed(try bench.word("alice") { $0.issued += 1 })) == .held(1, of: 2))
  }

  @Test func itHasToBeAboutThisHostThisTextAndTheseAuthorities() throws {
    let bench = try Bench()
    let cases: [(DeterminationError, (inout Determination) -> Void)] = [
      (.wrongHost, { $0.host = "there" }), (.wrongPeriod, { $0.period = "trial" }),
      (.outdated, { $0.definition = sha256([1]) }), (.wrongAuthorities, { $0.authorities = sha256([1]) }),
      (.expired, { $0.validUntil = Bench.now - 1 }), (.notYetValid, { $0.issued = Bench.now + 301 }),
      (.replayed, { $0.sequence = 0 }), (.badSequence, { $0.sequence = 1 << 40 }),
      (.partial(["review"]), { $0.evidence.removeLast() }), (.partial(["report", "review"]), { $0.evidence = [] }),
      (.unknownEvidence(["z"]), { $0.evidence.append(Evidence(name: "z", digest: sha256([]), place: "")) }),
      (.nothingToHandOver, { $0.verdict = .handOver }),
    ]
    for (error, change) in cases {
      #expect(try bench.refusal(bench.signed(bench.word("alice", .end, 1, change))) == error)
    }
    #expect(bench.refusal(Array("nonsense".utf8)) == .malformed)
    #expect(try bench.standing.pending.isEmpty)
  }

  @Test func evidenceHasOneOrder() throws {
    let bench = try Bench()
    let one = try bench.word("alice")
    let other = try bench.word("alice") { $0.evidence.reverse() }
    // Built out of order it is no determination, whoever signed it.
    #expect(other.message != one.message)
    #expect(try bench.refusal(bench.signed(other)) == .malformed)
    let sorted = Determination(
      host: other.host, period: other.period, verdict: other.verdict, definition: other.definition,
      authorities: other.authorities, sequence: 1, issued: other.issued, validUntil: other.validUntil,
      evidence: other.evidence, authority: "alice")
    #expect(sorted.message == one.message)
  }

  @Test func whoSaysSomethingElseIsNotOfTheQuorum() throws {
    let bench = try Bench()
    try bench.submit(try bench.signed(try bench.word("alice")))
    let other = try bench.word("bob") { $0.evidence[0].digest = sha256([7]) }
    #expect(try bench.submit(try bench.signed(other)) == .held(1, of: 2))
    #expect(try bench.submit(try bench.signed(try bench.word("carol", .end, 2))) == .held(1, of: 2))
    #expect(try !bench.hasEnded)
    #expect(try bench.submit(try bench.signed(try bench.word("bob", .end, 2))) == .ended)
  }

  @Test func aQuorumIsOfWordsThatAreValidTogether() throws {
    let bench = try Bench()
    try bench.submit(try bench.signed(try bench.word("alice") { $0.validUntil = Bench.now + 10 }))
    let late = Bench.now + 20
    #expect(try bench.submit(try bench.signed(try bench.word("bob")), now: late) == .held(1, of: 2))
    #expect(try bench.submit(try bench.signed(try bench.word("carol")), now: late) == .ended)
  }

  @Test func itOutlivesARestartWhateverTheClockSays() throws {
    let bench = try Bench()
    try bench.end()
    // Long after the words' validity, and long before: what counted once is proved by when it did.
    try bench.start()
    #expect(try bench.hasEnded && bench.isEndedAnew)
    #expect(try bench.refusal(bench.signed(bench.word("carol")), now: 1) == .notYetValid)
    // Pending words survive as well.
    try bench.submit(try bench.signed(try bench.word("alice", .reinstate, 2)))
    try bench.submit(try bench.signed(try bench.word("bob", .end, 3)))
    try bench.start()
    #expect(try !bench.hasEnded)
    #expect(try bench.submit(try bench.signed(try bench.word("carol", .end, 3))) == .ended)
    // For another host nothing of it counts.
    try bench.start(host: "there")
    #expect(try !bench.hasEnded)
    try bench.start(host: "")
    #expect(try !bench.hasEnded)
  }

  @Test func whatTheFilesSayIsProvedAgain() throws {
    for damage in ["by-alice", "settled", "authorities"] {
      let bench = try Bench()
      try bench.end()
      let file = bench.root.appendingPathComponent("periods/pilot/\(damage)")
      var bytes = Array(try Data(contentsOf: file))
      bytes[bytes.count / 2] ^= 0x7F
      try Data(bytes).write(to: file)
      try bench.start()
      #expect(try !bench.hasEnded, "\(damage)")
      #expect(!bench.said.isEmpty || damage == "by-alice", "\(damage)")
    }
    // Without what was signed, the daemon's own word is nothing.
    let bench = try Bench()
    try bench.end()
    try FileManager.default.removeItem(at: bench.root.appendingPathComponent("periods/pilot/by-bob"))
    try bench.start()
    #expect(try !bench.hasEnded)
  }

  @Test func anotherTextRunsAndTheOldOneStaysWhatItWas() throws {
    let bench = try Bench()
    try bench.end()
    bench.evidence = ["report", "review", "signature"]
    #expect(try bench.load() == 0)
    let old = Determination(
      host: "here", period: "pilot", verdict: .end, definition: sha256([2]), authorities: sha256([3]), sequence: 9,
      issued: 0, validUntil: .max, evidence: [], authority: "alice")
    #expect(try bench.refusal(bench.signed(old)) == .outdated)
    bench.evidence = ["report", "review"]
    #expect(try bench.load() == 1)
  }

  /// Whoever may write the platform's file can't make themselves the ones who decide.
  @Test func otherAuthoritiesTakeTheOldQuorum() throws {
    let bench = try Bench()
    try bench.end()
    bench.of = ["mallory"]
    bench.quorum = 1
    #expect(try bench.load() == 0)
    #expect(try bench.refusal(bench.signed(bench.word("mallory", .end, 2))) == .unknownAuthority)
    #expect(try bench.refusal(bench.signed(bench.word("mallory", .handOver, 2))) == .unknownAuthority)
    #expect(try bench.refusal(bench.signed(bench.word("alice", .end, 2))) == .handOverFirst)
    try bench.start()
    #expect(try bench.standing.formerDeciders?.authorities.map(\.name) == ["alice", "bob", "carol"])
    #expect(try bench.submit(try bench.signed(try bench.word("alice", .handOver, 2))) == .held(1, of: 2))
    #expect(try bench.submit(try bench.signed(try bench.word("carol", .handOver, 2))) == .handedOver)
    // It runs, and the new ones decide, also after a restart.
    try bench.start()
    #expect(try !bench.hasEnded)
    #expect(try bench.refusal(bench.signed(bench.word("alice", .end, 3))) == .unknownAuthority)
    #expect(try bench.submit(try bench.signed(try bench.word("mallory", .end, 3))) == .ended)
    // A lower quorum of the same people is another set.
    let lower = try Bench()
    lower.quorum = 1
    try lower.load()
    #expect(try lower.refusal(lower.signed(lower.word("alice"))) == .handOverFirst)
  }

  @Test func aMissedReviewLoosensNothing() throws {
    let bench = try Bench()
    let standing = try bench.standing
    let day = standing.definition.reviewBy
    #expect(!standing.isOverdue(at: day - 1) && standing.isOverdue(at: day) && !standing.hasEnded)
    try bench.end()
    #expect(try !bench.standing.isOverdue(at: day))
  }

  /// The vectors of RFC 8032 (section 7.1), and generated ones of which one byte is another.
  @Test func signaturesAreThoseOfTheStandard() throws {
    func bytes(_ hex: String) -> [UInt8] {
      stride(from: 0, to: hex.utf8.count, by: 2).map { at in
        UInt8(hex.dropFirst(at).prefix(2), radix: 16) ?? 0
      }
    }
    let vectors = [
      (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
      ),
      (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
      ),
    ]
    for (key, message, signature) in vectors {
      #expect(ed25519Verify(key: bytes(key), bytes(message), signature: bytes(signature)))
      #expect(!ed25519Verify(key: bytes(key), bytes(message) + [0], signature: bytes(signature)))
    }
    var random = SeededRandom(seed: 25519)
    for _ in 0..<50 {
      let key = Curve25519.Signing.PrivateKey()
      let message = (0..<random.below(300)).map { _ in UInt8(random.below(256)) }
      var signature = Array(try key.signature(for: message))
      let publicKey = Array(key.publicKey.rawRepresentation)
      #expect(ed25519Verify(key: publicKey, message, signature: signature))
      signature[random.below(64)] ^= UInt8(1 + random.below(255))
      #expect(!ed25519Verify(key: publicKey, message, signature: signature))
    }
    #expect(!ed25519Verify(key: [], [], signature: []))
  }
}
