// What a comparison doesn't account for is never called equal.

import Consultation
import Offline
import PolicyImage
import PolicyLanguage
import TestKit
import Testing

@testable import Decision
@testable import PolicyDiff

@Suite struct KnownTests {
  private static let text = """
    licet: 1
    layer: platform
    name: p
    attributes: {request: {n: int, s: string}}
    behaviors: {a: {default: ask}, a.b: {default: allow}, c: {default: allow}}
    rules:
      - {limit: a.b, to: deny, when: request.n > 5}
      - {limit: a.b, to: ask, when: "request.s.size() > 4"}

    """

  private static func image(_ text: String = text) throws -> [UInt8] {
    let loaded = openPolicy([SourceFile(path: "platform.yaml", bytes: Array(text.utf8))])
    #expect(!loaded.hasErrors, "\(loaded.diagnostics)")
    return loaded.platformImage
  }

  /// If this fails, decisions have come to read something new: Known.swift says what to do.
  @Test func allThatDecisionsReadIsKnown() throws {
    #expect(Known.isWholeFormat)
    let bytes = try Self.image()
    let policy = try OfflinePolicy(platform: ImageMemory(copying: bytes), overlays: [:])
    let side = try #require(Side(policy, operator: nil))
    #expect(Known.isWholeInput(side.frame, side.policy))
    #expect(Known.covers(policy.platform) && side.isKnown)
    let wish = Mirror(reflecting: Wish(preference: nil)).children.compactMap(\.label)
    #expect(wish == ["preference", "changes", "isHalted"])
    #expect(Set(BuiltInAttribute.allCases.map(\.rawValue)).count == Int(Known.slots))
  }

  /// Something in an image that the verifier accepts and a comparison has never heard of.
  enum Strange: CaseIterable {
    case headerFlag, headerWord, attributeFlag, attributeWord, statementWord

    func add(to bytes: inout [UInt8]) throws {
      func entry(_ section: Section) -> Int { Int(HostileImage.word(bytes, at: 56 + section.rawValue * 8)) }
      let memory = ImageMemory(copying: bytes)
      let image = try verifyPlatform(memory.bytes)
      let statement = try #require(
        (0..<image.count(.statements)).first { image.string(image.statements[$0].name).elementsEqual("a.b".utf8) })
      let lastAttribute = entry(.attributes) + (image.count(.attributes) - 1) * 16
      switch self {
      case .headerFlag: HostileImage.store(0x80, 4, at: Self.offset(\.flags), in: &bytes)
      case .headerWord: HostileImage.store(1, 4, at: Self.offset(\.reserved), in: &bytes)
      case .attributeFlag: HostileImage.store(0x80, 4, at: lastAttribute + 8, in: &bytes)
      case .attributeWord: HostileImage.store(1, 4, at: lastAttribute + 12, in: &bytes)
      case .statementWord: HostileImage.store(1, 4, at: entry(.statements) + statement * 32 + 28, in: &bytes)
      }
      HostileImage.seal(&bytes)
    }

    private static func offset(_ field: PartialKeyPath<ImageHeader>) -> Int {
      MemoryLayout<ImageHeader>.offset(of: field) ?? 0
    }

    /// What it may matter to; nil: everything.
    var name: String? {
      switch self {
      case .statementWord: "a.b"
      default: nil
      }
    }
  }

  /// The same in two policies that also differ in what decides nothing, the line numbers.
  @Test(arguments: Strange.allCases)
  func whatIsNotKnownIsNotProved(_ strange: Strange) throws {
    let policies = try ["", "# One line down.\n"].map { head in
      var bytes = try Self.image(head + Self.text)
      try strange.add(to: &bytes)
      return try OfflinePolicy(platform: ImageMemory(copying: bytes), overlays: [:])
    }
    let found = differences(from: policies[0], to: policies[1])
    #expect(!found.isProved)
    let left = Set(found.operators.flatMap(\.notExhaustive))
    #expect(left.isSuperset(of: strange.name.map { [$0] } ?? ["a", "a.b", "c", "other"]), "\(left)")
    if strange.name != nil { #expect(!left.contains("c")) }
    // The very same bytes decide alike, whatever they say.
    #expect(differences(from: policies[1], to: policies[1]).isProved)
  }

  @Test func whatMovesIsProved() throws {
    let policies = try ["", "# One line down.\n"].map { head in
      try OfflinePolicy(platform: ImageMemory(copying: try Self.image(head + Self.text)), overlays: [:])
    }
    let found = differences(from: policies[0], to: policies[1])
    #expect(found.isEmpty && found.isProved && found.equalByContent == found.names)
  }

  /// Nothing else of the two changes.
  @Test(arguments: [("bool", "{type: bool, verified: true}", false), ("{type: bool, verified: true}", "bool", true)])
  func whoSaysAnAttributeIsTold(_ old: String, _ new: String, _ isLooser: Bool) throws {
    let policies = try [old, new].map { type in
      let text =
        "licet: 1\nlayer: platform\nname: p\nattributes: {user: {x: \(type)}}\nbehaviors: {a: {default: ask}}\n"
      return try OfflinePolicy(platform: ImageMemory(copying: try Self.image(text)), overlays: [:])
    }
    let found = differences(from: policies[0], to: policies[1])
    #expect(found.claims == [ClaimDifference(attribute: "user.x", isLooser: isLooser)])
    #expect(!found.isEmpty && found.operators.allSatisfy(\.differences.isEmpty))
  }
}
