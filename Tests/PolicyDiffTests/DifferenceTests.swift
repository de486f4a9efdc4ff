// Pairs of policies that a person can read.

import Consultation
import Offline
import PolicyImage
import PolicyLanguage
import Testing

@testable import PolicyDiff

private func compare(_ old: String, _ new: String, _ breadth: Breadth = Breadth()) throws -> PolicyDifferences {
  func policy(_ text: String) throws -> OfflinePolicy {
    let head = "licet: 1\nlayer: platform\nname: p\n"
    let loaded = openPolicy([SourceFile(path: "platform.yaml", bytes: Array((head + text).utf8))])
    return try #require(loaded.policy, "\(loaded.diagnostics)")
  }
  return differences(from: try policy(old), to: try policy(new), operators: nil, breadth)
}

@Suite struct DifferenceTests {
  /// An absolute that is on stands over a stop; a default doesn't.
  @Test func whatShowsOnlyWhileStoppedIsTold() throws {
    let (old, new) = ("behaviors: {a: {hardcoded: on, stakes: 0}}\n", "behaviors: {a: {default: allow, stakes: 0}}\n")
    let found = try compare(old, new).operators.flatMap(\.differences).filter {
      $0.name == "a" && $0.request.preference == nil && $0.request.source == .agent
    }
    #expect(found.map(\.isHalted) == [true])
    #expect(found.map(\.new.effect) == [.deny])
    #expect(
      try compare(old, new, Breadth(without: .halts)).operators.flatMap(\.differences).allSatisfy { !$0.isHalted })
  }

  /// Written otherwise, the same for every value: searched through, and proved.
  @Test(
    arguments: [
      ("$n > 5", "$n >= 6"), ("$n > 5 && $n < 7", "$n == 6"), ("!($s == 'a' || $s == 'b')", "$s != 'a' && $s != 'b'"),
      ("$s.startsWith('x') || !$s.startsWith('x')", "$s == '' || $s != ''"),
      ("has(request.s)", "has(request.s) ? true : false"),
      ("$d <= 1.5 && $d >= 1.5", "$d == 1.5"),
      ("now < timestamp('2027-01-01T00:00:00Z')", "!(now >= timestamp('2027-01-01T00:00:00Z'))"),
      ("$e == 'x' || $e == 'y'", "$e in ['x', 'y']"), ("$b && $n > 3", "$n > 3 && $b"),
    ])
  func theSameInOtherWordsIsProved(_ old: String, _ new: String) throws {
    let found = try compare(Self.limit(old), Self.limit(new))
    #expect(found.isEmpty && found.isProved, "\(found.operators)")
    #expect(found.requests > 0)
  }

  /// One value apart, in one place.
  @Test(
    arguments: [
      ("$n > 5", "$n > 6"), ("$n < 9223372036854775807", "true"), ("$n > -3", "$n >= -3 && $n != 77"),
      ("$s == 'a'", "$s == 'a' || $s == 'zebra'"), ("$s.startsWith('x')", "$s.startsWith('x') && !$s.endsWith('q')"),
      ("$s.matches('^[a-z]+[0-9]{3}!')", "$s.matches('^[a-z]+[0-9]{4}!')"), ("$d < 0.1", "$d <= 0.1"),
      ("$d == $d", "true"),
      ("$u < 1u", "$u < 2u"), ("has(request.s)", "$s != ''"),
      ("now < timestamp('2030-01-01T00:00:00Z')", "now <= timestamp('2030-01-01T00:00:00Z')"),
      ("$m.path == '/etc'", "$m.path == '/etc' || $m.path == '/usr'"),
      ("$l.exists(x, x == 'q')", "$l.exists(x, x == 'r')"),
      ("$w > duration('1h')", "$w > duration('2h')"), ("$e == 'x'", "$e in ['x', 'y']"), ("$n * 2 > 10", "$n * 2 > 12"),
      ("$l.size() > 3", "$l.size() > 4"), ("argument.contains('please')", "argument.contains('urgent')"),
      ("request.source == 'untrusted'", "false"),
      ("request.resource.startsWith('file:')", "request.resource.startsWith('ftp:')"),
      ("request.behavior == 'a.b'", "false"), ("$b || $n == 1", "$b"),
      ("argument.split(' ').size() > 4", "argument.split(' ').size() > 3"),
      ("session.dial < 0.05", "session.dial <= 0.05"),
    ])
  func oneValueApartIsFound(_ old: String, _ new: String) throws {
    let found = try compare(Self.limit(old), Self.limit(new))
    #expect(!found.isEmpty, "\(old) and \(new)")
    // In both directions.
    #expect(try !compare(Self.limit(new), Self.limit(old)).isEmpty)
  }

  private static func limit(_ condition: String) -> String {
    let text = condition.replacing("$", with: "request.")
    return """
      attributes: {request: {n: int, s: string, d: double, u: uint, e: {enum: [x, y, z]}, b: bool, m: "map<string, dyn>",
        l: list<string>, w: duration}}
      behaviors: {a: {default: allow}}
      rules: [{limit: a, to: deny, when: "\(text)"}]

      """
  }

  /// Pairs that differ only in what a comparison with this fault doesn't try: each is one that finds nothing then.
  @Test(
    arguments: [
      (.sources, "request.source == 'untrusted'", "false"), (.failures, "$n > 5", "has(request.n) && $n > 5"),
      (.dials, "session.dial < 0.05", "false"), (.arguments, "argument == 'x'", "false"),
      (.neighbours, "$n > 5", "$n > 6"),
    ] as [(Breadth.Fault, String, String)])
  func whatIsNotTriedIsMissed(_ fault: Breadth.Fault, _ old: String, _ new: String) throws {
    #expect(try !compare(Self.limit(old), Self.limit(new)).isEmpty)
    #expect(try compare(Self.limit(old), Self.limit(new), Breadth(without: fault)).isEmpty)
  }

  @Test func theSmallestRequestIsShown() throws {
    let head = "attributes: {user: {x: int, y: int, z: bool}}\nbehaviors: {a: {default: allow}}\n"
    let others =
      "{limit: a, to: allow, when: user.y > 3, with: [log]}, {limit: a, to: ask, when: user.z && user.y == 9}"
    let found = try compare(
      head + "rules: [\(others), {limit: a, to: deny, when: user.x > 10}]\n",
      head + "rules: [\(others), {limit: a, to: deny, when: user.x > 20}]\n")
    let first = try #require(found.operators[0].differences.first { $0.old.effect == .deny && $0.new.effect == .allow })
    #expect(first.request.attributes.count <= 2 && first.request.attributes["user.x"] == .int(11))
    #expect(found.isProved)
  }

  @Test func aNameThatBecomesKnownShowsInTheWiderOne() throws {
    let old = "behaviors: {a: {default: allow}}\n"
    let found = try compare(old, "behaviors: {a: {default: allow}, a.b: {default: deny}}\n").operators[0].differences
    #expect(Set(found.map(\.name)) == ["a", "a.b"])
    #expect(found.allSatisfy { $0.direction == .tightened })
  }

  @Test func attributesThatOneSideDoesNotTake() throws {
    let found = try compare(
      "attributes: {user: {x: int}}\nbehaviors: {a: {default: deny, operators-may: allow}}\nrules: [{duty: a, to: ask, when: user.x > 1}]\n",
      "attributes: {user: {x: string}}\nbehaviors: {a: {default: deny, operators-may: allow}}\nrules: [{duty: a, to: ask, when: \"user.x == 'q'\"}]\n"
    )
    let all = found.operators[0].differences
    #expect(all.contains { $0.direction == .loosened && $0.onlyInNew == ["user.x"] })
    #expect(all.contains { $0.direction == .tightened && $0.onlyInOld == ["user.x"] })
  }
}
