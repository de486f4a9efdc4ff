// What the tests of this target share: small policies, what a load says in one line each, and folders on disk.

import Foundation
import PolicyLanguage

enum Sample {
  static let platform = """
    licet: 1
    layer: platform
    name: acme
    unknown: deny
    attributes:
      user: {age: int, role: {enum: [guest, member]}}
      request: {amount: double, body: bytes}
    behaviors:
      content: {default: allow}
      content.explicit: {default: deny, operators-may: ask, users-may: deny}
      tool: {default: ask, operators-may: allow}
      tool.shell: {default: deny}
      politics.persuade: {hardcoded: off}
      safety.exit: {hardcoded: on, stakes: 0}
    rules:
      - {limit: tool, to: ask, tier: safety, when: user.age < 18}
      - {duty: content, to: ask, tier: ethics}

    """
  static let head = "licet: 1\nlayer: operator\n"
  /// An operator's file with these further lines.
  static func text(_ name: String, _ lines: String = "rules:\n  - deny: tool\n") -> String {
    "\(head)name: \(name)\n\(lines)"
  }
}

func file(_ path: String, _ text: String, rank: Int = 0) -> SourceFile {
  SourceFile(path: path, bytes: Array(text.utf8), rank: rank)
}

/// `operators.d/NAME.yaml`.
func operatorFile(_ name: String, _ lines: String = "rules:\n  - deny: tool\n", rank: Int = 0) -> SourceFile {
  file("operators.d/\(name).yaml", Sample.text(name, lines), rank: rank)
}

/// The sample platform and these.
func loadOnSample(_ files: SourceFile...) -> PolicySet { load([file("platform.yaml", Sample.platform)] + files) }

/// The sample platform, with one operator that has these lines.
func loadOperator(_ lines: String) -> PolicySet { loadOnSample(operatorFile("shop", lines)) }

extension PolicySet {
  var errors: [Diagnostic] { diagnostics.filter { $0.severity == .error } }
  var codes: [DiagnosticCode] { diagnostics.map(\.code) }
  /// "platform.yaml:3 bad-name" for each.
  var summary: [String] { diagnostics.map { "\($0.location.file):\($0.location.line) \($0.code.rawValue)" } }
}

/// A folder that is there as long as this value.
final class Folder {
  let url = FileManager.default.temporaryDirectory.appendingPathComponent("licet-test-\(UUID().uuidString)")
  var path: String { url.path }

  init(_ files: [String: String] = [:]) throws {
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    for (path, text) in files { try write(text, to: path) }
  }

  deinit { try? FileManager.default.removeItem(at: url) }

  /// The place of `path`, whose folder is made.
  func place(_ path: String) throws -> URL {
    let place = url.appendingPathComponent(path)
    try FileManager.default.createDirectory(at: place.deletingLastPathComponent(), withIntermediateDirectories: true)
    return place
  }

  func write(_ text: String, to path: String) throws { try Data(text.utf8).write(to: place(path)) }

  func link(_ path: String, to target: String) throws {
    try FileManager.default.createSymbolicLink(atPath: place(path).path, withDestinationPath: target)
  }

  func makeFolder(_ path: String) throws {
    try FileManager.default.createDirectory(at: place(path), withIntermediateDirectories: true)
  }

  func remove(_ path: String) throws { try FileManager.default.removeItem(at: url.appendingPathComponent(path)) }

  static let repository = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()
}
