// Pairs of policies that a person can read.

import Consultation
import Decision
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
      ("counter('c') > 20", "21 <= counter('c')"), ("counter('c') > -1", "counter('c') >= 0"),
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
      ("session.dial < 0.05", "session.dial <= 0.05"), ("counter('c') > 20", "counter('c') >= 20"),
      ("counter('c') > 20 && $b", "counter('c') > 20"), ("counter('c') + 1 > 20", "counter('c') + 1 > 21"),
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
      counters: {c: {counts: requests, of: [a], per: operator, window: 1h}}
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
      (.neighbours, "$n > 5", "$n > 6"), (.counters, "counter('c') > 20", "counter('c') > 30"),
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

  private static let periods = """
    authorities: {alice: "ed25519:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="}
    periods:
      p: {decided-by: {quorum: 1, of: [alice]}, evidence: [report], review-by: 2027-01-01}
      q: {decided-by: {quorum: 1, of: [alice]}, evidence: [report], review-by: 2027-01-01}

    """

  /// What only shows once a period has ended, or only where two have, is told with these.
  @Test(
    arguments: [
      ("{limit: a, to: deny, during: p}", "{limit: a, to: deny}", ["p"]),
      ("{limit: a, to: deny, during: p}", "{limit: a, to: deny, during: q}", ["p"]),
      (
        "{limit: a, to: deny, during: p}, {limit: a, to: deny, during: q}, {limit: a, to: ask, when: request.x}",
        "{limit: a, to: deny, during: p}, {limit: a, to: deny, during: q}, {limit: a, to: ask}", ["p", "q"]
      ),
    ])
  func whatShowsOnceAPeriodHasEndedIsTold(_ old: String, _ new: String, _ ended: [String]) throws {
    func text(_ rules: String) -> String {
      Self.periods
        + "attributes: {request: {x: bool}}\nbehaviors: {a: {default: allow, stakes: 0}}\nrules: [\(rules)]\n"
    }
    let found = try compare(text(old), text(new))
    #expect(found.operators[0].differences.contains { $0.name == "a" && $0.request.ended == ended } && found.isProved)
    #expect(try compare(text(old), text(new), Breadth(without: .periods)).operators[0].differences.isEmpty)
    #expect(try compare(text(old), text(old)).isEmpty)
  }

  /// Alternatives of behaviours and of the dial, as they have come to count.
  @Test func whatAPeriodsEndReplacesIsCompared() throws {
    func text(_ after: String, _ dial: String) -> String {
      Self.periods + "dial: {default: 0.1, after: {\(dial): {default: 0.5}}}\n"
        + "behaviors: {a: {default: deny, stakes: 0, after: {\(after)}}, b: {default: allow, stakes: 0.3}}\n"
    }
    let one = "p: {default: ask}"
    for (old, new, ended) in [
      (text(one, "p"), text("q: {default: ask}", "p"), "p"),
      (text(one, "p"), text("p: {operators-may: ask}", "p"), "p"),
      (text(one, "p"), text(one, "q"), "p"),
    ] {
      let found = try compare(old, new)
      #expect(found.isProved && found.operators[0].differences.contains { $0.request.ended == [ended] })
    }
    // The same, but not by content: what the second replaces is what the first did already.
    let both = try compare(text(one, "p"), text("p: {default: ask}, q: {default: ask}", "p"))
    #expect(Set(both.operators[0].differences.map(\.request.ended)) == [["q"]] && both.isProved)
  }

  /// More than all sets can be tried of: found where one has ended, or all but one, and nothing is proved.
  @Test func ofManyPeriodsNotAllSetsAreTried() throws {
    let names = (1...7).map { "p\($0)" }
    func text(_ left: String, _ to: String) -> String {
      "authorities: {alice: \"ed25519:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\"}\nperiods:\n"
        + names.map {
          "  \($0): {decided-by: {quorum: 1, of: [alice]}, evidence: [report], review-by: 2027-01-01}\n"
        }.joined() + "behaviors: {a: {default: allow, stakes: 0}}\nrules:\n"
        + names.filter { $0 != left }.map { "  - {limit: a, to: ask, during: \($0)}\n" }.joined()
        + "  - {limit: a, to: \(to), during: \(left)}\n"
    }
    let found = try compare(text("p3", "deny"), text("p3", "ask"))
    #expect(!found.isEmpty && !found.isProved)
    #expect(try compare(text("p3", "ask"), text("p3", "ask")).isProved)
    let last = try compare(text("p3", "ask"), text("p3", "ask").replacing("during: p5", with: "during: p4"))
    #expect(last.operators[0].differences.map(\.request.ended) == [names.filter { $0 != "p5" }])
  }

  /// What a period or a counter comes to may change, though nothing else does.
  @Test func otherTermsAreTold() throws {
    func text(_ quorum: String, _ window: String) -> String {
      Self.periods.replacing("[report]", with: quorum)
        + "counters: {c: {counts: requests, of: [a], per: operator, window: \(window)}}\nbehaviors: {a: {default: allow}}\n"
        + "rules: [{limit: a, to: deny, when: counter('c') > 3}]\n"
    }
    let found = try compare(text("[report]", "1h"), text("[report, review]", "2h"))
    #expect(found.terms.map(\.name) == ["p", "q", "c"] && !found.isEmpty)
    #expect(found.operators[0].differences.isEmpty)
    #expect(try compare(text("[report]", "1h"), text("[report]", "1h")).isEmpty)
  }

  /// Suspicion of both policies that does the same shows nothing of its own; what only shows with some is told with a level.
  @Test func whatShowsUnderSuspicionIsTold() throws {
    func text(_ suspicion: String) -> String {
      "suspicion: {\(suspicion)}\nbehaviors: {a: {default: allow, stakes: 0}, b: {default: allow, stakes: 0}}\n"
    }
    let old = text("half-life: 1h, ask-at: 1, deny-at: 3")
    let found = try compare(old, text("half-life: 1h, ask-at: 2, deny-at: 3"))
    let told = found.operators[0].differences.filter { $0.name == "a" && $0.request.preference == nil }
    #expect(told.map(\.request.suspicion) == [1000] && told.map(\.old.effect) == [.ask] && found.isProved)
    #expect(told.map(\.old.decidedBy.cause) == [.suspicion])
    let named = try compare(old, text("half-life: 1h, ask-at: 1, deny-at: 3, for: [b]")).operators[0].differences
    #expect(!named.isEmpty && named.allSatisfy { $0.name != "b" && $0.direction == .loosened })
    #expect(
      try compare(old, text("half-life: 1h, ask-at: 2, deny-at: 3"), Breadth(without: .suspicion)).operators[0]
        .differences.isEmpty)
    let slower = try compare(old, text("half-life: 2h, ask-at: 1, deny-at: 3"))
    #expect(slower.terms.map(\.kind) == [.suspicion] && slower.operators[0].differences.isEmpty)
  }

  /// Names that are decided alike are searched once; each is told with the declaration that is its own.
  @Test func eachNameIsToldWithItsOwnDeclaration() throws {
    let old = "behaviors:\n  a: {default: allow, stakes: 0}\n  b: {default: allow, stakes: 0}\n"
    let found = try compare(old, old.replacing("allow", with: "ask")).operators[0].differences
    for (name, line) in [("a", 5), ("b", 6)] {
      let own = found.filter { $0.name == name && $0.request.preference == nil && $0.request.source == .agent }
      #expect(own.map(\.new.decidedBy.statement?.line) == [line], "\(own)")
    }
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
