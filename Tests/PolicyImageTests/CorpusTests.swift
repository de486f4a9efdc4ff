// The fuzz targets' corpus, replayed: what once was interesting stays so. LICET_RECORD=1 writes the images among it
// anew (after a change of the format); a recording run fails.

import Foundation
import PolicyImage
import TestKit
import Testing

@Suite struct CorpusTests {
  static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("Fuzz/corpus")

  static func inputs(of target: FuzzTarget) throws -> [URL] {
    try FileManager.default.contentsOfDirectory(
      at: folder.appendingPathComponent(target.rawValue), includingPropertiesForKeys: nil
    ).sorted { $0.path < $1.path }
  }

  @Test(arguments: FuzzTarget.allCases) func everyInputIsHarmless(_ target: FuzzTarget) throws {
    let inputs = try Self.inputs(of: target)
    #expect(inputs.count >= 2)
    for input in inputs {
      let complaint = target.complaint(about: Array(try Data(contentsOf: input)))
      #expect(complaint == nil, "\(input.lastPathComponent)")
    }
  }

  /// Seeds of another format would be refused at once and seed nothing.
  @Test func theImagesAreOfThisFormat() throws {
    let images = ["platform": MutationTests.platform, "overlay": MutationTests.overlay]
    for (name, bytes) in images {
      let file = Self.folder.appendingPathComponent("image/\(name).licet")
      if ProcessInfo.processInfo.environment["LICET_RECORD"] == "1" {
        try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(bytes).write(to: file)
        Issue.record("recorded \(file.lastPathComponent) anew")
      }
      #expect(try Data(contentsOf: file) == Data(bytes), "\(name): record it anew")
    }
  }
}
