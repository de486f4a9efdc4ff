// Each reason to refuse an image or a bundle, by its code, and the layout held to golden bytes.

import Foundation
import Consultation
import Offline
import TestKit
import Testing

@testable import PolicyImage

@Suite struct RefusalTests {
  static let platform = MutationTests.platform
  static let overlay = MutationTests.overlay

  /// A change of a sealed image, and what it is refused as.
  struct Change: Sendable, CustomStringConvertible {
    var code: ImageError.Code
    var isOverlay = false
    var apply: @Sendable (inout [UInt8], ImageHeaderView) -> Void
    var description: String { "\(code)\(isOverlay ? " (overlay)" : "")" }
  }

  static func put(_ value: UInt64, _ width: Int, _ section: Section, _ offset: Int)
    -> @Sendable (inout [UInt8], ImageHeaderView) -> Void
  {
    { bytes, header in HostileImage.store(value, width, at: header.range(section).lowerBound + offset, in: &bytes) }
  }

  static let changes: [Change] = [
    Change(code: .notAnImage) { bytes, _ in bytes[0] = 0 },
    Change(code: .unsupportedVersion) { bytes, _ in bytes[8] = 4 },
    Change(code: .wrongKind) { bytes, _ in bytes[12] = 2 },
    Change(code: .wrongKind, isOverlay: true) { bytes, _ in bytes[12] = 1 },
    Change(code: .wrongSize) { bytes, _ in bytes.append(0) },
    Change(code: .otherPlatform) { bytes, _ in bytes[32] = 1 },
    Change(code: .otherPlatform, isOverlay: true) { bytes, _ in bytes[33] ^= 1 },
    Change(code: .badSection) { bytes, _ in HostileImage.store(0xFFFF_FFFF, 4, at: 60, in: &bytes) },
    Change(code: .badSection) { bytes, _ in HostileImage.store(0xFFFF_FFF8, 4, at: 56, in: &bytes) },
    Change(code: .badSection) { bytes, _ in bytes[56 + Section.code.rawValue * 8] |= 4 },
    // Sections that overlap.
    Change(code: .badSection) { bytes, _ in HostileImage.store(192, 4, at: 56 + 8, in: &bytes) },
    Change(code: .badString, apply: put(0xFFFF_FFFF, 4, .strings, 4)),
    Change(code: .badString, apply: put(0x7FFF_FFFF, 4, .strings, 8)),
    // Two strings of the same bytes.
    Change(code: .badString) { bytes, header in
      let at = header.range(.strings).lowerBound
      for i in 0..<8 { bytes[at + 8 + i] = bytes[at + i] }
    },
    Change(code: .badString) { bytes, _ in HostileImage.store(0xFFFF_FFFF, 4, at: 40, in: &bytes) },
    // No empty entry, so that a search would not end.
    Change(code: .badIndex) { bytes, header in
      for at in stride(from: header.range(.stringIndex).lowerBound, to: header.range(.stringIndex).upperBound, by: 4) {
        HostileImage.store(1, 4, at: at, in: &bytes)
      }
    },
    Change(code: .badIndex) { bytes, _ in bytes[60 + Section.stringIndex.rawValue * 8] -= 1 },
    Change(code: .badIndex, apply: put(0xFFFF_FFFF, 4, .nodeIndex, 4)),
    Change(code: .badNode) { bytes, _ in HostileImage.store(3, 4, at: 44, in: &bytes) },
    Change(code: .badNode, apply: put(0, 2, .nodes, 4)),
    Change(code: .badNode, apply: put(2, 1, .nodes, 6)),
    Change(code: .badNode, apply: put(0, 4, .nodes, 12)),
    Change(code: .badNode, apply: put(0xFFFF_FFFF, 4, .nodes, 12)),
    Change(code: .badNode, apply: put(3, 1, .nodes, 28)),
    Change(code: .badNode, apply: put(3, 1, .nodes, 31)),
    // Obligations of a default that are none; an audience in a platform; one that no statement stands for.
    Change(code: .badNode, apply: put(0xFFFF, 2, .nodes, 46)),
    Change(code: .badNode, isOverlay: true, apply: put(1, 2, .nodes, 46)),
    Change(code: .badNode) { bytes, header in bytes[header.range(.nodes).lowerBound + 7] |= Node.hasAudience },
    Change(code: .badNode, isOverlay: true) { bytes, header in
      bytes[header.range(.nodes).lowerBound + 7] |= Node.hasAudience
    },
    // Stakes above 1, and stated deeper than the name.
    Change(code: .badNode, apply: put(1_000_001, 4, .nodes, 40)),
    Change(code: .badNode, apply: put(2, 1, .nodes, 45)),
    // A platform without a dial, with one at the end, with ceilings below it, with statements that aren't there.
    Change(code: .badDial) { bytes, _ in HostileImage.store(0, 4, at: 184, in: &bytes) },
    Change(code: .badDial) { bytes, _ in HostileImage.store(1_000_000, 4, at: 192, in: &bytes) },
    Change(code: .badDial) { bytes, _ in HostileImage.store(1, 4, at: 188, in: &bytes) },
    Change(code: .badDial) { bytes, _ in HostileImage.store(0xFFFF_FFF0, 4, at: 196, in: &bytes) },
    // More periods than there are, fewer, a period that ends by itself, one that nobody can end, no evidence.
    Change(code: .badPeriod) { bytes, _ in HostileImage.store(3, 4, at: 204, in: &bytes) },
    Change(code: .badPeriod) { bytes, _ in HostileImage.store(1, 4, at: 204, in: &bytes) },
    Change(code: .badPeriod, apply: put(0, 4, .periods, 12)),
    Change(code: .badPeriod, apply: put(3, 4, .periods, 12)),
    Change(code: .badPeriod, apply: put(0, 4, .periods, 20)),
    // Of a length that isn't its own, with a name and a key that are none, an operator's.
    Change(code: .badPeriod, apply: put(0xFFFF, 4, .periods, 0)),
    Change(code: .badPeriod, apply: put(0xFFFF_FFFF, 4, .periods, 4)),
    Change(code: .badPeriod, apply: put(0, 4, .periods, 36)),
    Change(code: .badPeriod, isOverlay: true) { bytes, _ in HostileImage.store(1, 4, at: 204, in: &bytes) },
    // Suspicion that denies before it asks, from 0 on, or never; that doesn't decay; that nothing states, or another statement;
    // an operator's; one that is for a name and not for what lies below.
    Change(code: .badSuspicion) { bytes, _ in HostileImage.store(6501, 4, at: 224, in: &bytes) },
    Change(code: .badSuspicion) { bytes, _ in HostileImage.store(0, 4, at: 224, in: &bytes) },
    Change(code: .badSuspicion) { bytes, _ in
      for at in [224, 228] { HostileImage.store(0xFFFF_FFFF, 4, at: at, in: &bytes) }
    },
    Change(code: .badSuspicion) { bytes, _ in HostileImage.store(0, 4, at: 232, in: &bytes) },
    Change(code: .badSuspicion) { bytes, _ in HostileImage.store(0xFFFF_FFFF, 4, at: 236, in: &bytes) },
    Change(code: .badSuspicion) { bytes, _ in HostileImage.store(0, 4, at: 236, in: &bytes) },
    Change(code: .badSuspicion) { bytes, _ in HostileImage.store(0xFFFF_FFF0, 4, at: 236, in: &bytes) },
    Change(code: .badSuspicion, isOverlay: true) { bytes, _ in HostileImage.store(90, 4, at: 232, in: &bytes) },
    Change(code: .badSuspicion, isOverlay: true) { bytes, _ in HostileImage.store(2, 4, at: 200, in: &bytes) },
    Change(code: .badNode, isOverlay: true) { bytes, header in
      bytes[header.range(.nodes).lowerBound + 7] |= Node.isSuspected
    },
    Change(code: .badNode) { bytes, header in
      let flags = header.range(.nodes).lowerBound + 7
      let all = stride(from: flags, to: header.range(.nodes).upperBound, by: Section.nodes.stride)
      if let last = all.filter({ bytes[$0] & Node.isSuspected != 0 }).last { bytes[last] &= ~Node.isSuspected }
    },
    // Alternatives for no statement, for no period, of no effect, out of order.
    Change(code: .badPeriod, apply: put(0xFFFF_FFFE, 4, .alternatives, 0)),
    Change(code: .badPeriod, apply: put(2, 4, .alternatives, 4)),
    Change(code: .badPeriod, apply: put(3, 4, .alternatives, 12)),
    Change(code: .badPeriod, apply: put(1, 4, .alternatives, 4)),
    // A counter without a name, a statement, a window; with names beyond the section, with none, of no kind, for nobody.
    Change(code: .badCounter, apply: put(0xFFFF_FFFF, 4, .counters, 0)),
    Change(code: .badCounter, apply: put(0xFFFF_FFFE, 4, .counters, 4)),
    Change(code: .badCounter, apply: put(0, 4, .counters, 8)),
    Change(code: .badCounter, apply: put(0xFFFF_FFFF, 4, .counters, 8)),
    Change(code: .badCounter, apply: put(1, 4, .counters, 12)),
    Change(code: .badCounter, apply: put(0xFFFF, 2, .counters, 16)),
    Change(code: .badCounter, apply: put(0, 2, .counters, 16)),
    Change(code: .badCounter, apply: put(2, 1, .counters, 18)),
    Change(code: .badCounter, apply: put(3, 1, .counters, 19)),
    Change(code: .badCounter, apply: put(1, 4, .counters, 20)),
    Change(code: .badCounter, apply: put(0xFFFF_FFFF, 4, .countedNodes, 0)),
    // Out of order; one more than have slots, one fewer.
    Change(code: .badCounter) { bytes, header in
      let at = header.range(.counters).lowerBound
      for i in 0..<4 { bytes.swapAt(at + i, at + 24 + i) }
    },
    Change(code: .badCounter) { bytes, _ in HostileImage.store(1, 4, at: 212, in: &bytes) },
    // A slot that isn't said to be a counter's, that callers may give, of another type; another slot that is said to be one.
    Change(code: .badCounter) { bytes, header in bytes[header.range(.attributes).upperBound - 8] = 1 },
    Change(code: .badCounter) { bytes, header in bytes[header.range(.attributes).upperBound - 8] = 2 },
    Change(code: .badCounter) { bytes, header in bytes[header.range(.attributes).upperBound - 12] = 0 },
    Change(code: .badCounter, apply: put(2, 1, .attributes, 8)),
    // An operator's.
    Change(code: .badCounter, isOverlay: true) { bytes, _ in
      let end = bytes.count
      bytes += [UInt8](repeating: 0, count: 24)
      HostileImage.store(UInt64(bytes.count), 8, at: 16, in: &bytes)
      HostileImage.store(UInt64(end) | 1 << 32, 8, at: 208, in: &bytes)
      HostileImage.store(UInt64(bytes.count), 8, at: 216, in: &bytes)
    },
    // A limit that begins when a period ends, a grant that ends with one.
    Change(code: .badRule) { bytes, header in Self.turnPeriod(&bytes, header) },
    Change(code: .badRule, isOverlay: true) { bytes, header in Self.turnPeriod(&bytes, header) },
    // An operator with ceilings, or with a dial of 1.
    Change(code: .badDial, isOverlay: true) { bytes, _ in HostileImage.store(1, 4, at: 188, in: &bytes) },
    Change(code: .badDial, isOverlay: true) { bytes, _ in HostileImage.store(1_000_000, 4, at: 184, in: &bytes) },
    Change(code: .badNode, isOverlay: true, apply: put(2, 1, .nodes, 28)),
    Change(code: .badNode, isOverlay: true, apply: put(2, 1, .nodes, 31)),
    // An overlay's name that leads to another name of the platform's, with its ceilings.
    Change(code: .badNode, isOverlay: true, apply: put(0, 4, .nodes, 32)),
    Change(code: .badNode, isOverlay: true, apply: put(0xFFFF_FFFF, 4, .nodes, 32)),
    Change(code: .badRule, apply: put(1, 4, .nodes, 20)),
    Change(code: .badRule, apply: put(0xFFFF, 2, .nodes, 28 - 2)),
    // A setting in a platform.
    Change(code: .badRule, apply: put(0, 1, .rules, 0)),
    // A duty, and a limit of the platform's tier, in an overlay: by its first rule, which is a setting.
    Change(code: .badRule, isOverlay: true, apply: put(2 | 2 << 2 | 3 << 4, 1, .rules, 0)),
    Change(code: .badRule, isOverlay: true, apply: put(3 | 2 << 2 | 3 << 4, 1, .rules, 0)),
    Change(code: .badRule, isOverlay: true, apply: put(3 << 2, 1, .rules, 0)),
    Change(code: .badRule, isOverlay: true, apply: put(0xFFFF, 2, .rules, 2)),
    Change(code: .badRule, isOverlay: true, apply: put(0xFFFF_FFFF, 4, .rules, 4)),
    // A test's operation and slot.
    Change(code: .badRule, isOverlay: true, apply: put(9, 1, .rules, 8)),
    Change(code: .badRule, isOverlay: true, apply: put(0xFFFF, 2, .rules, 10)),
    Change(code: .badStatement, apply: put(0xFFFF_FFFF, 4, .statements, 0)),
    Change(code: .badStatement, apply: put(0xFFFF_FFFE, 4, .statements, 16)),
    Change(code: .badStatement, apply: put(255, 1, .statements, 21)),
    Change(code: .badMask, apply: put(1, 8, .masks, 0)),
    Change(code: .badMask, apply: put(.max, 8, .masks, 8)),
    Change(code: .badMask, apply: put(0xFFFF_FFFF, 4, .obligations, 0)),
    Change(code: .badAttribute, apply: put(5, 4, .attributes, 0)),
    Change(code: .badAttribute, apply: put(0xFFFF, 4, .attributes, 4)),
    Change(code: .badType, apply: put(0xFF, 4, .types, 0)),
    Change(code: .badProgram, apply: put(1, 1, .code, 0)),
    Change(code: .badProgram, apply: put(0xFFFF, 4, .code, 4)),
    Change(code: .badProgram, apply: put(0xFF, 1, .code, 8)),
    Change(code: .badProgram, isOverlay: true, apply: put(0xFFFF, 2, .code, 2)),
    Change(code: .missingAbsolute) { bytes, header in
      if let at = header.node("harm.csam") { bytes[at + 31] = 0 }
    },
    Change(code: .missingAbsolute) { bytes, header in
      if let at = header.node("transparency.admit-ai") { bytes[at + 31] = 1 }
    },
  ]

  /// The first test of a period asks for the opposite.
  private static func turnPeriod(_ bytes: inout [UInt8], _ header: ImageHeaderView) {
    let range = header.range(.rules)
    var at = range.lowerBound
    while at < range.upperBound {
      let tests = Int(bytes[at + 1])
      if tests > 0, bytes[at + 8] == TestOperation.period.rawValue {
        bytes[at + 9] ^= 1
        return
      }
      at += 8 * (1 + tests)
    }
  }

  @Test(arguments: changes) func isRefusedAs(_ change: Change) {
    var bytes = change.isOverlay ? Self.overlay : Self.platform
    change.apply(&bytes, ImageHeaderView(bytes))
    HostileImage.seal(&bytes)
    let found = refusal(of: bytes, on: change.isOverlay ? Self.platform : nil)
    #expect(found == change.code)
  }

  @Test func everyCodeIsCovered() {
    let others: Set<ImageError.Code> = [.tooSmall, .tooLarge, .misaligned, .checksum]
    #expect(Set(Self.changes.map(\.code)).union(others) == Set(ImageError.Code.allCases))
  }

  @Test func sizeAndAlignmentAreCheckedFirst() throws {
    #expect(refusal(UnsafeRawBufferPointer(start: nil, count: 0), nil) == .tooSmall)
    let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.platform.count + 8, alignment: 64)
    defer { memory.deallocate() }
    for shift in 1..<8 {
      let part = UnsafeMutableRawBufferPointer(rebasing: memory[shift..<shift + Self.platform.count])
      part.copyBytes(from: Self.platform)
      #expect(refusal(UnsafeRawBufferPointer(part), nil) == .misaligned)
    }
    // Never read: the size is refused first.
    let huge = UnsafeRawBufferPointer(start: memory.baseAddress, count: ImageFormat.maximumSize + 1)
    #expect(refusal(huge, nil) == .tooLarge)
  }

  /// A name that claims fewer segments than it has would stand beside the absolute above it, not under it.
  @Test func aNameCannotEscapeTheAbsoluteAboveIt() throws {
    let files = SamplePolicy.files(
      platform: SamplePolicy.platform.replacingOccurrences(
        of: "  persuade: {hardcoded: off}", with: "  persuade: {hardcoded: off}\n  persuade.mild: {hardcoded: off}"))
    var bytes = openPolicy(files).platformImage
    let node = try #require(ImageHeaderView(bytes).node("persuade.mild"))
    #expect(refusal(of: bytes) == nil)
    bytes[node + 31] = 0
    HostileImage.seal(&bytes)
    #expect(refusal(of: bytes) == .badNode, "below an absolute")
    bytes[node + 6] = 1
    HostileImage.store(UInt64(ImageFormat.none), 4, at: node + 8, in: &bytes)
    HostileImage.seal(&bytes)
    #expect(refusal(of: bytes) == .badNode, "as if it had one segment")
  }

  // MARK: Bundles

  static let bundle = Bundle.build(platform: platform, overlays: ["op": overlay])

  private func bundleRefusal(_ bytes: [UInt8]) -> ImageError.Code? {
    do throws(ImageError) {
      _ = try OfflinePolicy(bundle: ImageMemory(copying: bytes))
      return nil
    } catch {
      return error.code
    }
  }

  @Test func aBundleOpensAndDecidesLikeItsFiles() throws {
    let policy = try OfflinePolicy(bundle: ImageMemory(copying: Self.bundle))
    let own = try #require(SamplePolicy.loaded.policy)
    #expect(policy.operators == ["op"])
    for request in SamplePolicy.requests {
      let a = try policy.decide(request, operator: "op", explaining: true)
      let b = try own.decide(request, operator: "op", explaining: true)
      #expect(a.effect == b.effect && a.trace == b.trace && a.decidedBy == b.decidedBy)
    }
  }

  @Test func aBundleWithAnyByteFlippedIsRefusedOrTheSame() throws {
    var used = [Bool](repeating: false, count: Self.bundle.count)
    for i in Self.bundle.indices {
      var bytes = Self.bundle
      bytes[i] ^= 0x55
      used[i] = bundleRefusal(bytes) != nil
    }
    // What no image, no header and no directory covers: the operators' names (checked by nobody) and padding.
    let free = used.indices.filter { !used[$0] }
    #expect(free.count < 128)
    #expect(free.allSatisfy { $0 >= BundleFormat.headerSize + 2 * BundleFormat.entrySize })
  }

  @Test func aBundleIsRefusedByName() {
    func changed(_ change: (inout [UInt8]) -> Void) -> ImageError.Code? {
      var bytes = Self.bundle
      change(&bytes)
      return bundleRefusal(bytes)
    }
    #expect(changed { $0[0] = 0 } == .notAnImage)
    #expect(changed { $0[8] = 9 } == .unsupportedVersion)
    #expect(changed { $0[12] = 0 } == .badSection)
    #expect(changed { $0[15] = 0xFF } == .badSection)
    #expect(changed { $0.append(0) } == .wrongSize)
    #expect(changed { $0.removeLast(8) } == .wrongSize)
    #expect(changed { $0[24] ^= 1 } == .checksum)
    #expect(changed { $0[40] ^= 1 } == .checksum)
    #expect(changed { $0 = Array($0[..<63]) } == .tooSmall)
    for length in 0..<Self.bundle.count where length % 7 == 0 {
      #expect(bundleRefusal(Array(Self.bundle[..<length])) != nil)
    }
    #expect(bundleRefusal(Bundle.build(platform: Self.overlay, overlays: [:])) == .wrongKind)
    #expect(bundleRefusal(Bundle.build(platform: Self.platform, overlays: ["op": Self.platform])) == .wrongKind)
  }

  @Test func anOverlayOfAnotherPlatformIsRefused() throws {
    let other = openPolicy(
      SamplePolicy.files(platform: SamplePolicy.platform.replacing("name: sample", with: "name: other")))
    #expect(
      bundleRefusal(Bundle.build(platform: other.platformImage, overlays: ["op": Self.overlay])) == .otherPlatform)
  }
}
