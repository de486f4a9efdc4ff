// One golden example per diagnostic code: Golden/<code>/ is a policy folder, expected.txt what is printed about it.
// docs/diagnostics.md is made of the same. LICET_RECORD=1 records anew; a recording run fails.

import Foundation
import Consultation
import Offline
import PolicyTree
import Testing

@testable import PolicyLanguage

@Suite struct GoldenTests {
  static let golden = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Golden")
  static let document = golden.deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("docs/diagnostics.md")
  static let isRecording = ProcessInfo.processInfo.environment["LICET_RECORD"] == "1"

  @Test(arguments: DiagnosticCode.allCases) func aCodeIsPrintedAsItWas(_ code: DiagnosticCode) throws {
    let example = try Example(code)
    defer { example.remove() }
    #expect(example.diagnostics.contains { $0.code == code }, "the example doesn't show its code")
    try Self.compare(example.text, Self.golden.appendingPathComponent("\(code.rawValue)/expected.txt"))
  }

  @Test func everyGoldenBelongsToACode() throws {
    let names = try FileManager.default.contentsOfDirectory(atPath: Self.golden.path).filter { !$0.hasSuffix(".yaml") }
    #expect(Set(names) == Set(DiagnosticCode.allCases.map(\.rawValue)))
  }

  @Test func theDocumentListsEveryCode() throws {
    var text = """
      # Diagnostics

      Every code that `licet validate` and `licet lint` can print, with an example. Codes are stable; wordings are not.
      Made from the golden tests (`LICET_RECORD=1 swift test --filter GoldenTests` writes it anew).


      """
    for code in DiagnosticCode.allCases {
      let expected = Self.golden.appendingPathComponent("\(code.rawValue)/expected.txt")
      let example = try String(contentsOf: expected, encoding: .utf8)
      text += "## \(code.rawValue)\n\n\(code.explanation)\n\n```text\n\(example)```\n\n"
    }
    // What the daemon says of itself is written by hand, after them.
    let whole = try String(contentsOf: Self.document, encoding: .utf8)
    let own = try #require(whole.range(of: Self.ownHeading), "the daemon's own codes are missing")
    try Self.compare(text + whole[own.lowerBound...], Self.document)
  }

  private static let ownHeading = "# The daemon's own\n"

  static func compare(_ text: String, _ file: URL) throws {
    let expected = try? String(contentsOf: file, encoding: .utf8)
    guard text != expected else { return }
    if isRecording {
      try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
      try text.write(to: file, atomically: true, encoding: .utf8)
      Issue.record("recorded \(file.lastPathComponent) anew")
    } else {
      Issue.record("differs from \(file.path):\n\(text)")
    }
  }
}

/// A golden folder, completed by what can't be kept in a repository.
private struct Example {
  let diagnostics: [Diagnostic]
  let text: String
  private let folder: URL

  init(_ code: DiagnosticCode) throws {
    folder = FileManager.default.temporaryDirectory.appendingPathComponent("licet-golden-\(UUID().uuidString)")
    let golden = GoldenTests.golden.appendingPathComponent(code.rawValue)
    // Links in a golden folder are relative to its parent.
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    try FileManager.default.copyItem(at: golden, to: folder.appendingPathComponent("policy"))
    try FileManager.default.copyItem(
      at: GoldenTests.golden.appendingPathComponent("platform.yaml"), to: folder.appendingPathComponent("platform.yaml")
    )
    let policy = folder.appendingPathComponent("policy")
    try Self.complete(policy, code)
    // Nobody's but one user's who owns nothing here; or one's own.
    let trust: [DiagnosticCode: Trust] = [
      .fileUntrustedOwner: .owners([4242]), .fileUntrustedMode: .owners([getuid()]),
    ]
    let files = PolicyFolder.read(
      [policy.path], trust: trust[code] ?? .anyone, maximumFiles: code == .tooManyFiles ? 1 : Bounds.files)
    let set = load(files)
    let later =
      code == .conditionOutdated ? loadPlatform(files).checked?.loadOperator("shop", files, clamping: true) : nil
    diagnostics = (later?.diagnostics ?? openPolicy(files).diagnostics + lint(set)).map {
      Self.anonymous($0, policy.path)
    }
    let sources = Dictionary(files.map { ($0.path, $0.bytes) }) { first, _ in first }
    let renderer = Renderer { sources[$0].flatMap { $0.isEmpty ? nil : $0 } }
    let shown = diagnostics.prefix(4) + diagnostics.dropFirst(4).filter { $0.code == code }
    text = renderer.render(Array(shown)).replacingOccurrences(of: "user \(getuid()),", with: "user 0,").split(
      separator: "\n", omittingEmptySubsequences: false
    )
    .map { $0.count > 200 ? $0.prefix(200) + "…" : $0 }.joined(separator: "\n")
  }

  func remove() { try? FileManager.default.removeItem(at: folder) }

  private static func complete(_ policy: URL, _ code: DiagnosticCode) throws {
    let file = policy.appendingPathComponent("operators.d/shop.yaml")
    let makeFolder = {
      try FileManager.default.createDirectory(
        at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    }
    let head = "licet: 1\nlayer: operator\nname: shop\n"
    switch code {
    case .fileIsSpecial:
      try makeFolder()
      #expect(mkfifo(file.path, 0o600) == 0)
    case .fileUntrustedMode:
      chmod(policy.path, 0o755)
      chmod(policy.appendingPathComponent("platform.yaml").path, 0o666)
    case .fileTooLarge:
      try makeFolder()
      #expect(FileManager.default.createFile(atPath: file.path, contents: nil))
      try FileHandle(forWritingTo: file).truncate(atOffset: 64 << 20)
    case .tooManyFiles:
      try makeFolder()
      try head.write(to: file, atomically: false, encoding: .utf8)
      try head.write(
        to: file.deletingLastPathComponent().appendingPathComponent("b.yaml"), atomically: false, encoding: .utf8)
    case .celTooLong:
      try makeFolder()
      let condition = String(repeating: "1 + ", count: 20_000) + "1 == 2"
      try "\(head)rules:\n  - allow: tool\n    when: \(condition)\n".write(to: file, atomically: false, encoding: .utf8)
    case .tooManyObligations:
      try makeFolder()
      let names = (0...64).map { "duty-\($0)" }.joined(separator: ", ")
      try "\(head)rules:\n  - allow: tool\n    with: [\(names)]\n".write(to: file, atomically: false, encoding: .utf8)
    case .tooManyRules:
      try makeFolder()
      let rules = (0...65_535).map { "- {deny: tool, clause: c\($0)}\n" }.joined()
      try "\(head)rules:\n\(rules)".write(to: file, atomically: false, encoding: .utf8)
    case .tooManyAttributes:
      let names = (0...4_090).map { "    a\($0): int\n" }.joined()
      try "licet: 1\nlayer: platform\nname: acme\nattributes:\n  user:\n\(names)".write(
        to: policy.appendingPathComponent("platform.yaml"), atomically: false, encoding: .utf8)
    default: break
    }
  }

  /// Where the test ran is no part of what is expected.
  private static func anonymous(_ diagnostic: Diagnostic, _ path: String) -> Diagnostic {
    var result = diagnostic
    result.message = result.message.replacingOccurrences(of: path, with: "POLICY")
    result.location.file = result.location.file.replacingOccurrences(of: path, with: "POLICY")
    return result
  }
}
