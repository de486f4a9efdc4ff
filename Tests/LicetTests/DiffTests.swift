// `licet diff` from outside: pages, exit codes, images, and examples that can be asked again.

import Foundation
import Testing

@testable import licet

@Suite struct DiffTests {
  static let before = "examples/diff/before"
  static let after = "examples/diff/after"

  @Test func goldenPage() throws {
    let run = try licet("diff", Self.before, Self.after)
    #expect(run.status == 1)
    try expectGolden(run.output, "diff")
    let ascii = try licet("diff", Self.before, Self.after, environment: ["LANG": "C"])
    #expect(ascii.output.utf8.allSatisfy { $0 < 0x80 })
  }

  /// Every example, as flags and as JSON, asked of both policies: the effects and obligations that were told.
  @Test func examplesCanBeAskedAgain() throws {
    #expect(try asked(Self.before, Self.after).count > 5)
  }

  /// Differences, each of which was asked again of both.
  private func asked(_ old: String, _ new: String) throws -> [JSON] {
    let told = try JSONParser.parse(try licet("diff", old, new, "--json").output)
    guard case .array(let operators)? = told["operators"], case .array(let all)? = operators.first?["differences"]
    else {
      Issue.record("no differences: \(told)")
      return []
    }
    #expect(told["result"] == .string("differences"))
    for difference in all {
      for (side, policy) in [("old", old), ("new", new)] {
        let request = try #require(difference["request"])
        let answer = try JSONParser.parse(
          try licet("check", "--policy", policy, "--request", "-", "--json", input: request.compact).output)
        #expect(answer["effect"] == difference[side]?["effect"], "\(difference)")
        #expect(answer["obligations"] == difference[side]?["obligations"], "\(difference)")
        #expect(answer["decided_by"] == difference[side]?["decided_by"], "\(difference)")
        // None of these examples has a space in its values.
        let words = try #require(difference["check"]?.text).split(separator: " ").dropFirst().map(String.init)
        let again = try runLicet(words + ["--policy", policy, "--json"], input: nil, environment: [:])
        #expect(try JSONParser.parse(again.output)["effect"] == difference[side]?["effect"], "\(words)")
      }
    }
    return all
  }

  /// What periods, counters and suspicion have come to is part of the request; that they come to it otherwise is told apart.
  @Test func whatThePlatformKeepsIsAskedAgain() throws {
    let folder = try TemporaryFolder()
    func write(_ side: String, _ window: String, _ count: Int, _ evidence: String, _ askAt: Int) throws -> String {
      let file = try folder.write(
        """
        licet: 1
        layer: platform
        name: p
        authorities: {alice: "ed25519:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="}
        periods: {pilot: {decided-by: {quorum: 1, of: [alice]}, evidence: [\(evidence)], review-by: 2027-01-01}}
        counters: {mails: {counts: requests, of: [a], per: operator, window: \(window)}}
        suspicion: {half-life: \(askAt)h, ask-at: \(askAt), for: [c]}
        behaviors: {a: {default: allow, stakes: 0}, b: {default: ask, after: {pilot: {default: allow}}}, c: {default: allow, stakes: 0}}
        rules:
          - {limit: a, to: deny, when: counter("mails") > \(count)}
          - {limit: b, to: \(count > 5 ? "deny" : "ask"), during: pilot}

        """, to: "\(side)/platform.yaml")
      _ = try folder.write("licet: 1\nlayer: operator\nname: shop\n", to: "\(side)/operators.d/shop.yaml")
      return URL(filePath: file).deletingLastPathComponent().path
    }
    let (old, new) = (try write("old", "1h", 9, "report", 1), try write("new", "2h", 5, "review", 2))
    let checks = try asked(old, new).compactMap { $0["check"]?.text }
    #expect(checks.contains { $0.contains("--set-counter mails=6") }, "\(checks)")
    #expect(checks.contains { $0.contains("--suspicion 1") }, "\(checks)")
    let run = try licet("diff", old, new)
    for text in ["pilot             ends otherwise\n", "mails             counts otherwise\n", "decays otherwise\n"] {
      #expect(run.output.contains(text), "\(run.output)")
    }
    let later = try write("later", "1h", 9, "report", 1)
    let text = try String(contentsOfFile: later + "/platform.yaml", encoding: .utf8)
    try text.replacing("{default: allow}}}", with: "{operators-may: allow}}}").write(
      toFile: later + "/platform.yaml", atomically: true, encoding: .utf8)
    let ended = try asked(old, later).compactMap { $0["check"]?.text }
    #expect(!ended.isEmpty && ended.allSatisfy { $0.contains("--ended pilot") }, "\(ended)")
    #expect(try licet("diff", old, later).output.contains("only once pilot has ended\n"))
  }

  @Test func nothingChangesIsAProof() throws {
    let folder = try TemporaryFolder()
    let image = folder.url.appending(path: "x.licet").path
    #expect(try licet("compile", "examples", "-o", image).status == 0)
    let run = try licet("diff", "examples", image)
    #expect(run.status == 0)
    #expect(run.output.hasPrefix("no decision changes\n"))
    #expect(
      try JSONParser.parse(try licet("diff", image, "examples", "--json").output)["result"] == .string("no-difference"))
  }

  /// An opaque condition that is written otherwise: nothing is found, and that is all that is said.
  @Test func nothingFoundIsNoProof() throws {
    let folder = try TemporaryFolder()
    let head = "licet: 1\nlayer: platform\nname: p\nattributes: {request: {n: int}}\nbehaviors: {a: {default: allow}}\n"
    let old = try folder.write(
      head + "rules: [{limit: a, to: deny, when: request.n * request.n == 144}]\n", to: "old/platform.yaml")
    let new = try folder.write(
      head
        + "rules: [{limit: a, to: deny, when: request.n == 12 || request.n == -12 || request.n * request.n == 144}]\n",
      to: "new/platform.yaml")
    let names = [old, new].map { URL(filePath: $0).deletingLastPathComponent().path }
    let run = try licet("diff", names[0], names[1])
    #expect(run.status == 3, "\(run.output)")
    #expect(run.output.contains("no difference found, which is no proof"))
    #expect(run.output.contains("not searched through: a"))
  }

  @Test(
    arguments: [
      (["--only", "tightened"], 1, "tightened"), (["--only", "loosened", "--fail-on", "loosened"], 1, "loosened"),
      (["--only", "tightened", "--fail-on", "loosened"], 0, "tightened"), (["--only", "obligations"], 1, "loosened"),
    ] as [([String], Int32, String)])
  func onlyWhatIsAskedFor(_ flags: [String], _ status: Int32, _ direction: String) throws {
    let run = try runLicet(["diff", Self.before, Self.after, "--json"] + flags, input: nil, environment: [:])
    #expect(run.status == status)
    guard case .array(let all)? = try JSONParser.parse(run.output)["operators"] else { return }
    for one in all {
      guard case .array(let differences)? = one["differences"] else { continue }
      #expect(differences.allSatisfy { $0["direction"] == .string(direction) })
    }
  }

  @Test func operatorsThatComeAndGo() throws {
    let folder = try TemporaryFolder()
    let platform = "licet: 1\nlayer: platform\nname: p\nbehaviors: {a: {default: ask, operators-may: allow}}\n"
    let shop = "licet: 1\nlayer: operator\nname: shop\nrules: [{allow: a}]\n"
    for side in ["old", "new"] { _ = try folder.write(platform, to: "\(side)/platform.yaml") }
    _ = try folder.write(shop, to: "new/operators.d/shop.yaml")
    let (old, new) = (folder.url.appending(path: "old").path, folder.url.appending(path: "new").path)
    let added = try JSONParser.parse(try licet("diff", old, new, "--json").output)
    guard case .array(let operators)? = added["operators"], let one = operators.first else {
      Issue.record("\(added)")
      return
    }
    #expect(one["presence"] == .string("only-in-new"))
    let gone = try licet("diff", new, old)
    #expect(gone.status == 1)
    #expect(gone.output.contains("nothing is in force for it any more"))
    #expect(gone.output.contains("all that it could do is denied: 1 name (--json has them)"))
    let all = try licet("diff", new, old, "--json").output
    #expect(all.contains("only-in-old") && all.contains("\"tightened\""))
  }

  /// What was asked for alone is what page and exit code are about.
  @Test func nothingOfWhatIsAskedFor() throws {
    let folder = try TemporaryFolder()
    for (side, effect) in [("old", "allow"), ("new", "ask")] {
      _ = try folder.write(
        "licet: 1\nlayer: platform\nname: p\nbehaviors: {a: {default: \(effect)}}\n", to: "\(side)/platform.yaml")
    }
    let (old, new) = (folder.url.appending(path: "old").path, folder.url.appending(path: "new").path)
    #expect(try licet("diff", old, new).status == 1)
    let loosened = try licet("diff", old, new, "--only", "loosened")
    #expect(loosened.status == 0)
    #expect(loosened.output.hasPrefix("nothing is loosened\n"))
    let told = try JSONParser.parse(try licet("diff", old, new, "--only", "loosened", "--json").output)
    #expect(told["only"] == .string("loosened") && told["result"] == .string("no-difference"))
    #expect(try licet("diff", old, new, "--only", "tightened").status == 1)
    #expect(try licet("diff", old, new, "--fail-on", "loosened").status == 0)
  }

  /// Only the attribute's `verified` goes, and who the operator is.
  @Test func claimsAndBindings() throws {
    let folder = try TemporaryFolder()
    for (side, type, user) in [("old", "{type: bool, verified: true}", "root"), ("new", "bool", "daemon")] {
      _ = try folder.write(
        "licet: 1\nlayer: platform\nname: p\nattributes: {user: {adult: \(type)}}\nbehaviors: {a: {default: ask}}\n",
        to: "\(side)/platform.yaml")
      _ = try folder.write(
        "licet: 1\nlayer: operator\nname: shop\nbind: [{user: \(user)}]\n", to: "\(side)/operators.d/shop.yaml")
    }
    let (old, new) = (folder.url.appending(path: "old").path, folder.url.appending(path: "new").path)
    let run = try licet("diff", old, new, "--fail-on", "loosened")
    #expect(run.status == 1)
    #expect(run.output.contains("    user.adult        whoever asks says what it is; until now the authority did\n"))
    #expect(run.output.contains("different as well, but no decision: who is bound to shop\n"))
    #expect(try licet("diff", new, old, "--fail-on", "loosened").status == 0)
    #expect(try licet("diff", new, old).status == 1)
  }

  @Test func mistakesHaveACodeAndAnExit() throws {
    #expect(try licet("diff", "examples", "no-such-folder").status == 66)
    #expect(try licet("diff", "examples", "README.md").status == 65)
    #expect(try licet("diff", Self.before, Self.after, "--operator", "shpo").status == 64)
    let folder = try TemporaryFolder()
    _ = try folder.write("licet: 1\nlayer: platform\nname: p\nbehaviours: {}\n", to: "platform.yaml")
    #expect(try licet("diff", folder.url.path, "examples").status == 65)
  }
}
