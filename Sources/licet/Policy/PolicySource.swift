// A policy folder or an image file -> something that can be asked, with what was found wrong on the way. The one
// place where a command gets its policy from.

import Foundation
import Consultation
import Offline
import PolicyImage
import PolicyLanguage

struct PolicySource {
  /// As the user named it: folders, or an image file.
  let names: [String]
  /// nil: no platform is in force.
  let policy: OfflinePolicy?
  /// The files, where it was read from folders.
  let files: [SourceFile]
  /// What came of them.
  let loaded: LoadedPolicy?

  /// Reads, checks and compiles folders, lowest first. Errors in them are diagnostics, not thrown.
  init(folders: [String]) throws(CommandError) {
    if let missing = PolicySource.missingFolder(folders) { throw missing }
    names = folders
    files = PolicyFolder.read(folders)
    let loaded = openPolicy(files)
    self.loaded = loaded
    policy = loaded.policy
  }

  /// Opens and verifies an image file.
  init(image path: String) throws(CommandError) {
    names = [path]
    files = []
    loaded = nil
    var reason: Int32 = 0
    guard let memory = ImageMemory(mapping: path, error: &reason) else {
      throw CommandError(.noInput, String(cString: strerror(reason)).lowercased(), at: path)
    }
    do {
      policy = try OfflinePolicy(bundle: memory)
    } catch {
      throw CommandError(
        .badImage, "is no image that this program can use: \(error.code) at byte \(error.offset)", at: path,
        hint: "make it with `licet compile DIR -o FILE`")
    }
  }

  /// No folder at all is a mistake in the command, not in a policy.
  private static func missingFolder(_ folders: [String]) -> CommandError? {
    guard !folders.contains(where: Files.isDirectory) else { return nil }
    return CommandError(
      .noInput, "there is no policy folder", at: folders.joined(separator: ", "),
      hint: "--policy DIR names one; it holds platform.yaml, platform.d/ and operators.d/")
  }

  var set: PolicySet? { loaded?.set }
  var diagnostics: [Diagnostic] { loaded?.diagnostics ?? [] }
  var errors: [Diagnostic] { diagnostics.filter { $0.severity == .error } }

  /// The policy, or an error that says that there is none.
  func requirePolicy() throws(CommandError) -> OfflinePolicy {
    if let policy { return policy }
    if let first = errors.first {
      throw CommandError(
        .badPolicy, first.message, at: "\(first.location.file):\(first.location.line)",
        hint: "`licet validate` shows all \(errors.count) of its errors")
    }
    throw CommandError(.badPolicy, "no platform file is in force", at: names.joined(separator: ", "))
  }

  /// Checks that the operator is in force; an absent name is fine where there is exactly one operator.
  func resolve(operator name: String?) throws(CommandError) -> String {
    let known = try requirePolicy().operators
    guard let name else {
      guard known.count == 1 else {
        throw CommandError(
          .noOperator, "the request names no operator", at: "operator",
          hint: known.isEmpty ? nil : "they are \(known.prefix(10).joined(separator: ", "))")
      }
      return known[0]
    }
    if known.contains(name) { return name }
    if let set, set.broken.contains(name) {
      throw CommandError(
        .brokenOperator, "the files of `\(harmless(name))` have errors, so nothing is in force for it", at: "operator",
        hint: "`licet validate` shows them")
    }
    throw CommandError(
      .unknownOperator, "no file declares the operator `\(harmless(name))`", at: "operator",
      hint: suggestion(for: name, in: known)
        ?? (known.isEmpty ? nil : "they are \(known.prefix(10).joined(separator: ", "))"))
  }

  /// Renders diagnostics with the lines that they are about.
  func renderer(color: Bool) -> Renderer {
    var bytes: [String: [UInt8]] = [:]
    for file in files { bytes[file.path] = file.bytes }
    let texts = bytes
    return Renderer(isColored: color) { texts[$0] }
  }
}
