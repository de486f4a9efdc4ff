// The format as it lies in memory: sizes of records, and golden bytes of a tiny platform, so that no change of the
// layout goes unseen. LICET_RECORD=1 records anew; a recording run fails.

import Foundation
import Consultation
import Offline
import PolicyLanguage
import TestKit
import Testing

@testable import PolicyImage

@Suite struct LayoutTests {
  @Test func recordsAreAsLongAsTheFormatSays() {
    #expect(MemoryLayout<ImageHeader>.size <= ImageFormat.headerSize)
    #expect(MemoryLayout<ImageHeader>.offset(of: \.sections) == 56)
    #expect(MemoryLayout<StringRecord>.stride == Section.strings.stride)
    #expect(MemoryLayout<Node>.size == Section.nodes.stride && MemoryLayout<Node>.stride == Section.nodes.stride)
    #expect(MemoryLayout<RuleHeader>.stride == Section.rules.stride)
    #expect(MemoryLayout<PolicyImage.Test>.stride == Section.rules.stride)
    #expect(MemoryLayout<Instruction>.stride == Section.code.stride)
    #expect(MemoryLayout<StatementRecord>.size == Section.statements.stride)
    #expect(MemoryLayout<AttributeRecord>.size == Section.attributes.stride)
    #expect(Section.allCases.count == Verifier.sectionCount)
    #expect(MemoryLayout<ImageHeader>.offset(of: \.dial) == 56 + 8 * 16)
  }

  @Test func aTinyImageHasItsGoldenBytes() throws {
    let text = """
      licet: 1
      layer: platform
      name: tiny
      unknown: ask
      attributes: {user: {adult: bool}}
      behaviors: {content: {default: allow}}
      rules: [{limit: content, to: deny, when: "!user.adult", with: [explain]}]

      """
    let loaded = openPolicy([SourceFile(path: "platform.yaml", bytes: Array(text.utf8))])
    let bytes = loaded.platformImage
    try #require(!bytes.isEmpty)
    var golden = "# A tiny platform's image, 16 bytes a line. Recorded by LICET_RECORD=1.\n"
    for start in stride(from: 0, to: bytes.count, by: 16) {
      let line = bytes[start..<min(start + 16, bytes.count)].map { String(format: "%02x", $0) }
      golden += String(format: "%04x ", start) + line.joined(separator: " ") + "\n"
    }
    let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Golden/tiny.hex")
    if ProcessInfo.processInfo.environment["LICET_RECORD"] == "1" {
      try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
      try golden.write(to: file, atomically: true, encoding: .utf8)
      Issue.record("recorded \(file.lastPathComponent) anew")
    }
    #expect(try String(contentsOf: file, encoding: .utf8) == golden)
  }

  @Test func compilingTwiceGivesTheSameBytes() {
    #expect(openPolicy(SamplePolicy.files()).platformImage == openPolicy(SamplePolicy.files().reversed()).platformImage)
    #expect(openPolicy(SamplePolicy.files()).overlayImages == openPolicy(SamplePolicy.files().reversed()).overlayImages)
  }
}
