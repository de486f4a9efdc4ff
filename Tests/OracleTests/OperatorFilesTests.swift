// P17: no operator's file can keep a valid platform file from coming into force, nor change what holds for others.

import Oracle
import PolicyLanguage
import TestKit
import Testing

@Suite struct OperatorFilesTests {
  typealias Loader = ([SourceFile]) -> PolicySet

  /// The generated policy loaded beside another operator's spoilt file: what is wrong, or nil.
  static func check(_ one: Trial.Case, _ load: Loader) throws -> String? {
    var random = one.random
    let spoilt = spoil(one.policy.operatorText.replacing("name: op", with: "name: other"), &random)
    let other = SourceFile(path: "operators.d/other.yaml", bytes: spoilt)
    let set = load(one.policy.files + [other])
    let text = String(decoding: spoilt, as: UTF8.self)
    guard let platform = set.platform else { return "the platform isn't in force beside\n\(text)" }
    guard let mine = set.operators["op"] else { return "op isn't in force beside\n\(text)" }
    let before = try Oracle.decide(one.request, platform: one.loaded.platform, operator: one.loaded.operator)
    let after = try Oracle.decide(one.request, platform: platform, operator: mine)
    return before == after ? nil : "another decision beside\n\(text)"
  }

  /// A file that is cut, has bytes changed or doubled, claims too much, or is no YAML at all.
  private static func spoil(_ text: String, _ random: inout SeededRandom) -> [UInt8] {
    var bytes = Array(text.utf8)
    switch random.below(6) {
    case 0: bytes = Array(bytes[..<random.below(bytes.count)])
    case 1:
      for _ in 0..<1 + random.below(8) { bytes[random.below(bytes.count)] = UInt8(truncatingIfNeeded: random.next()) }
    case 2: bytes.insert(contentsOf: bytes[random.below(bytes.count)...], at: random.below(bytes.count))
    case 3:
      bytes += Array(
        "rules: [{allow: harm.csam}, {duty: tool, to: allow}, {limit: tool, to: deny, tier: safety}]\n".utf8)
    case 4:
      bytes = Array(
        "licet: 1\nlayer: platform\nname: usurper\nunknown: allow\nbehaviors: {harm.csam: {hardcoded: on}}\n".utf8)
    default: bytes = (0..<random.below(200)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
    }
    return bytes
  }

  @Test func spoiltFilesStayWhereTheyAre() {
    let counterexample = Trial.run(.oracle, upTo: max(1, Trial.decisions / 60)) { one, _, answer in
      _ = try answer(one.request)
      return try Self.check(one) { load($0) }
    }
    #expect(counterexample == nil, "P17 \(counterexample?.description ?? "")")
  }

  /// A loader that refuses the whole set for any error in it.
  @Test func bites() {
    let counterexample = Trial.run(.oracle, upTo: 500) { one, _, answer in
      _ = try answer(one.request)
      return try Self.check(one) { files in
        var set = load(files)
        if set.diagnostics.contains(where: { $0.severity == .error }) { set.platform = nil }
        return set
      }
    }
    #expect(counterexample != nil, "P17 doesn't notice a loader that fails as a whole")
  }
}
