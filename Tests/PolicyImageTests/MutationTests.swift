// Images with bytes changed: refused by their checksum, and with the checksum made right again either refused or
// harmless. LICET_MUTATIONS=N tries N of the latter (20,000 in some minutes).

import Foundation
import Consultation
import Decision
import Offline
import PolicyLanguage
import TestKit
import Testing

@testable import PolicyImage

@Suite struct MutationTests {
  static let platform = SamplePolicy.loaded.platformImage
  static let overlay = SamplePolicy.loaded.overlayImages["op"] ?? []

  @Test func theSampleCompilesAndIsHarmless() throws {
    #expect(SamplePolicy.loaded.diagnostics.filter { $0.severity == .error }.map(\.message) == [])
    #expect(try HostileImage.complaint(platform: Self.platform) == nil)
    #expect(try HostileImage.complaint(overlay: Self.overlay) == nil)
  }

  /// The checksum sees every byte: before it is compared only the header's first words have a say.
  @Test(arguments: [UInt8(0x01), 0x80, 0xFF, 0x5A]) func anyByteFlippedIsRefused(_ mask: UInt8) throws {
    let verified = ImageMemory(copying: Self.platform)
    defer { withExtendedLifetime(verified) {} }
    let base = try verifyPlatform(verified.bytes)
    for (bytes, isOverlay) in [(Self.platform, false), (Self.overlay, true)] {
      let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 64)
      defer { memory.deallocate() }
      memory.copyBytes(from: bytes)
      for i in bytes.indices {
        memory[i] ^= mask
        let refusal = refusal(UnsafeRawBufferPointer(memory), isOverlay ? base : nil)
        memory[i] ^= mask
        let expected: ImageError.Code =
          switch i {
          case 0..<8: .notAnImage
          case 8..<12: .unsupportedVersion
          case 12..<16: .wrongKind
          case 16..<24: .wrongSize
          default: .checksum
          }
        guard refusal != expected else { continue }
        Issue.record("byte \(i) ^ \(mask): \(String(describing: refusal)) instead of \(expected)")
      }
      #expect(refusal(UnsafeRawBufferPointer(memory), isOverlay ? base : nil) == nil, "put back, it is accepted")
    }
  }

  /// An overlay that claims an audience everywhere, with any choice: accepted, and never above a ceiling.
  @Test func claimedAudiencesExceedNothing() throws {
    let memory = ImageMemory(copying: Self.overlay)
    defer { withExtendedLifetime(memory) {} }
    let platform = ImageMemory(copying: Self.platform)
    defer { withExtendedLifetime(platform) {} }
    let image = try verifyOverlay(memory.bytes, on: try verifyPlatform(platform.bytes))
    let nodes = UnsafeRawPointer(image.nodes) - image.base
    var hostile = Self.overlay
    for i in 0..<image.count(.nodes) {
      hostile[nodes + i * 48 + 7] |= Node.hasAudience
      hostile[nodes + i * 48 + 28] = Effect.allow.rawValue
      HostileImage.store(0, 4, at: nodes + i * 48 + 36, in: &hostile)
    }
    HostileImage.seal(&hostile)
    #expect(try HostileImage.complaint(overlay: hostile) == nil)
    let policy = try OfflinePolicy(platform: platform, overlays: ["op": ImageMemory(copying: hostile)])
    let answer = try policy.decide(
      Request(behaviors: ["dose.x"], source: .user, now: (0, 0)), operator: "op", explaining: true)
    #expect(answer.effect == .ask && answer.decidedBy.rank == .ceiling)
    #expect(answer.trace.filter(\.isClamped).map(\.step) == [.default])
    // A name that starts afresh is not reached.
    let afresh = try policy.decide(Request(behaviors: ["dose.afresh"], now: (0, 0)), operator: "op")
    #expect(afresh.effect == .deny && afresh.decidedBy.statement?.layer == .platform)
  }

  @Test func anyTruncationIsRefused() throws {
    let verified = ImageMemory(copying: Self.platform)
    defer { withExtendedLifetime(verified) {} }
    let base = try verifyPlatform(verified.bytes)
    for (bytes, platform) in [(Self.platform, nil), (Self.overlay, base)] {
      let memory = ImageMemory(copying: bytes)
      defer { withExtendedLifetime(memory) {} }
      for length in 0..<bytes.count {
        let part = UnsafeRawBufferPointer(rebasing: memory.bytes[..<length])
        #expect(refusal(part, platform) == (length < ImageFormat.headerSize ? .tooSmall : .wrongSize))
        guard length >= ImageFormat.headerSize, length % 24 == 0 else { continue }
        var sealed = Array(bytes[..<length])
        HostileImage.store(UInt64(length), 8, at: 16, in: &sealed)
        HostileImage.seal(&sealed)
        #expect(refusal(of: sealed, on: platform == nil ? nil : Self.platform) != nil, "cut at \(length) and sealed")
      }
    }
  }

  static let count = ProcessInfo.processInfo.environment["LICET_MUTATIONS"].flatMap { Int($0) } ?? 3000

  @Test(arguments: [true, false]) func aSealedMutationIsRefusedOrHarmless(_ isOverlay: Bool) throws {
    let original = isOverlay ? Self.overlay : Self.platform
    let seed = UInt64.random(in: 0...UInt64.max)
    var random = SeededRandom(seed: seed)
    var accepted = 0
    for round in 0..<Self.count {
      var bytes = original
      mutate(&bytes, &random)
      HostileImage.seal(&bytes)
      do {
        let complaint =
          try isOverlay ? HostileImage.complaint(overlay: bytes) : HostileImage.complaint(platform: bytes)
        accepted += 1
        #expect(complaint == nil, "seed \(seed), round \(round)")
      } catch {
        #expect(error.offset <= bytes.count, "seed \(seed), round \(round)")
      }
    }
    #expect(accepted > 0 && accepted < Self.count, "a verifier that says always the same proves nothing")
  }

  /// One to three changes, most of them where programs, automata and rules are.
  private func mutate(_ bytes: inout [UInt8], _ random: inout SeededRandom) {
    let header = ImageHeaderView(bytes)
    let edges: [UInt64] = [0, 1, 2, 3, 6, 0x7F, 0xFF, 0xFFFF, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFE, 0xFFFF_FFFF, .max]
    for _ in 0...random.below(3) {
      let section = random.pick([Section.code, .code, .blobs, .rules, .nodes] + Section.allCases)
      let range = header.range(section)
      guard !range.isEmpty else { continue }
      let at = range.lowerBound + random.below(range.count)
      switch random.below(6) {
      case 0: bytes[at] ^= UInt8(1 << random.below(8))
      case 1: bytes[at] = UInt8(random.below(256))
      case 2: HostileImage.store(random.pick(edges), 4, at: at & ~3, in: &bytes)
      case 3: HostileImage.store(random.pick(edges), 2, at: at & ~1, in: &bytes)
      case 4:
        // A word from elsewhere in the section: well-formed by itself, in the wrong place.
        let from = (range.lowerBound + random.below(range.count)) & ~7
        for i in 0..<8 where from + i < range.upperBound {
          bytes[min((at & ~7) + i, bytes.count - 1)] = bytes[from + i]
        }
      default:
        // The header's own numbers.
        HostileImage.store(random.pick(edges), 4, at: 32 + random.below(40) * 4, in: &bytes)
      }
    }
  }
}

/// Where sections lie, of bytes that were compiled.
struct ImageHeaderView {
  let bytes: [UInt8]
  init(_ bytes: [UInt8]) { self.bytes = bytes }

  func range(_ section: Section) -> Range<Int> {
    let entry = (section.rawValue < 16 ? 56 : 80) + section.rawValue * 8
    let offset = Int(HostileImage.word(bytes, at: entry))
    return offset..<offset + Int(HostileImage.word(bytes, at: entry + 4)) * section.stride
  }

  /// Where the node of this name is.
  func node(_ name: String) -> Int? {
    let nodes = range(.nodes)
    let names = range(.bytes).lowerBound
    return stride(from: nodes.lowerBound, to: nodes.upperBound, by: Section.nodes.stride).first { at in
      bytes[(names + Int(HostileImage.word(bytes, at: at)))...].starts(with: name.utf8)
        && Int(bytes[at + 4]) == name.utf8.count
    }
  }
}

/// Why these bytes are refused, alone in memory of their size.
func refusal(of bytes: [UInt8], on platform: [UInt8]? = nil) -> ImageError.Code? {
  let memory = ImageMemory(copying: bytes)
  let below = platform.map { ImageMemory(copying: $0) }
  // The images are views that keep nothing alive.
  return withExtendedLifetime((memory, below)) {
    guard let below else { return refusal(memory.bytes, nil) }
    guard let image = try? verifyPlatform(below.bytes) else { return .otherPlatform }
    return refusal(memory.bytes, image)
  }
}

/// Why these bytes are refused, as an overlay on `platform` or as a platform; nil when they are accepted.
func refusal(_ bytes: UnsafeRawBufferPointer, _ platform: Image?) -> ImageError.Code? {
  do {
    if let platform {
      _ = try verifyOverlay(bytes, on: platform)
    } else {
      _ = try verifyPlatform(bytes)
    }
    return nil
  } catch {
    return error.code
  }
}
