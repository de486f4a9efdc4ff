// P17: what is wrong with one operator's files costs that operator and nobody else; what is wrong with the platform's
// costs everybody, and everything that is wrong is told at once.

import PolicyLanguage
import Testing

@Suite struct OperatorIsolationTests {
  /// Ways in which a file at `operators.d/bad.yaml` can be broken.
  static let spoilt: [(title: String, bytes: [UInt8])] =
    [
      ("empty", ""), ("comments", "# nothing\n"),
      ("cut off", "licet: 1\nlayer: operator\nname: bad\nrules:\n  - deny: \"to"),
      ("cut off before its name", "licet: 1\nlayer: oper"), ("no YAML", "rules: [}\n"), ("a list", "[1, 2]\n"),
      ("a word", "policy\n"), ("a tab", "\(Sample.head)name: bad\nrules:\n\t- deny: tool\n"),
      ("another name", Sample.text("good")), ("no name", Sample.head), ("a bad name", Sample.text("'b a d'")),
      ("another layer", Sample.platform), ("another version", "licet: 2\nlayer: operator\nname: bad\n"),
      ("an unknown key", Sample.text("bad", "rulez: []\n")), ("a reserved key", Sample.text("bad", "periods: {}\n")),
      ("the platform's key", Sample.text("bad", "unknown: allow\n")),
      ("a key twice", Sample.text("bad", "rules: []\nrules: []\n")),
      ("a duty", Sample.text("bad", "rules: [{duty: tool, to: allow}]\n")),
      ("a tier", Sample.text("bad", "rules: [{limit: tool, to: deny, tier: safety}]\n")),
      ("above a ceiling", Sample.text("bad", "rules: [{allow: content.explicit}]\n")),
      ("under an absolute", Sample.text("bad", "rules: [{allow: harm.csam}]\n")),
      ("undeclared", Sample.text("bad", "rules: [{deny: contnet}]\n")),
      ("a bad condition", Sample.text("bad", "rules: [{deny: tool, when: user.aeg > 1}]\n")),
      ("a bad pattern", Sample.text("bad", "rules: [{deny: tool, when: \"request.resource.matches('(')\"}]\n")),
      ("a bad example", Sample.text("bad", "rules: [{deny: tool, examples: {match: [{user: {age: old}}]}}]\n")),
      ("an alias of nothing", Sample.text("bad", "rules: *x\n")), ("a tag", Sample.text("bad", "rules: !x []\n")),
      ("two documents", Sample.text("bad") + "---\n" + Sample.text("bad")),
      ("another operator's bind", Sample.text("bad", "bind: [{unit: good}]\n")),
    ].map { ($0.0, Array($0.1.utf8)) } + [
      ("not UTF-8", Array(Sample.text("bad").utf8) + [0xFF, 0x0A]), ("zero bytes", [UInt8](repeating: 0, count: 64)),
      ("too large", [UInt8](repeating: 0x23, count: Bounds.fileBytes + 1)),
    ]

  @Test(arguments: ["operators.d/bad.yaml", "operators.d/bad.d/10-more.yaml"]) func onlyTheBrokenOperatorIsNotInForce(
    _ path: String
  ) {
    let alone = loadOnSample(operatorFile("good"))
    for (title, bytes) in Self.spoilt {
      // Beside a drop-in that is broken the operator's own file is fine.
      let own = path.hasSuffix("bad.yaml") ? [] : [operatorFile("bad")]
      let files =
        [file("platform.yaml", Sample.platform), operatorFile("good"), SourceFile(path: path, bytes: bytes)] + own
      for order in [files, files.reversed()] {
        let set = load(order)
        #expect(set.platform?.statements.map(\.content) == alone.platform?.statements.map(\.content), "\(title)")
        #expect(set.operators.keys.sorted() == ["good"] && set.broken == ["bad"], "\(title): \(set.summary)")
        #expect(set.operators["good"]?.statements.map(\.content) == alone.operators["good"]?.statements.map(\.content))
        #expect(!set.errors.isEmpty && set.errors.allSatisfy { $0.location.file == path }, "\(title): \(set.summary)")
      }
    }
  }

  @Test func aNameCannotBeTakenFromAnother() {
    let usurper = file(
      "operators.d/bad.yaml", Sample.text("good", "bind: [{user: mallory}]\nrules:\n  - allow: tool\n"))
    let set = loadOnSample(operatorFile("good", "bind: [{user: svc}]\n"), usurper)
    #expect(set.summary == ["operators.d/bad.yaml:3 name-not-of-file"])
    #expect(set.operators["good"]?.bindings == [.user("svc")] && set.operators["good"]?.statements.count == 0)
    #expect(set.broken == ["bad"])
  }

  @Test(arguments: [
    ("operators.d/shop.yaml", "shop"), ("operators.d/shop.d/a.yaml", "shop"), ("operators.d/a.d.yaml", "a.d"),
    ("operators.d/a.d.d/x.yaml", "a.d"), ("operators.d/a.yaml.yaml", "a.yaml"),
    ("operators.d/a.yaml.d/x.yaml", "a.yaml"),
  ])
  func theNameIsThatOfThePath(_ path: String, _ name: String) {
    #expect(loadOnSample(file(path, Sample.text(name))).operators.keys.sorted() == [name])
    let other = loadOnSample(file(path, Sample.text("other")))
    #expect(other.broken == [name] && other.operators.isEmpty && other.codes == [.nameNotOfFile])
  }

  @Test func aPathThatCannotBeANameIsOnlyToBeRenamed() {
    let set = loadOnSample(file("operators.d/my shop.yaml", Sample.text("shop")))
    #expect(set.diagnostics.map(\.hint) == ["rename the file to `operators.d/shop.yaml`"])
    #expect(set.broken == ["my shop"])
  }

  @Test func severalBrokenOnesAreEachBroken() {
    let set = loadOnSample(
      operatorFile("a", "rules: [{deny: nothing}]\n"), operatorFile("b"), operatorFile("c", "rulez: []\n"),
      file("operators.d/d.yaml", ""))
    #expect(set.broken == ["a", "c", "d"] && set.operators.keys.sorted() == ["b"])
  }

  @Test func aBrokenPlatformLeavesNothingInForceAndTellsEverything() {
    let platform = Sample.platform + "  - {limit: toool, to: deny}\n  - {limit: tool, to: dney}\n"
    let set = load([
      file("platform.yaml", platform), file("platform.d/a.yaml", "licet: 1\nlayer: platform\nunknwon: deny\n"),
      operatorFile("good"), operatorFile("bad", "rulez: []\nrules: [{deny: tool, when: 1 +}, {deny: tool, to: ask}]\n"),
    ])
    #expect(set.platform == nil && set.operators.isEmpty && set.broken == ["bad"])
    #expect(
      set.summary == [
        "operators.d/bad.yaml:4 unknown-key", "operators.d/bad.yaml:5 cel-syntax", "operators.d/bad.yaml:5 rule-to",
        "platform.d/a.yaml:3 unknown-key", "platform.yaml:18 undeclared-behavior", "platform.yaml:19 unknown-value",
      ])
  }

  @Test func oneBrokenDropInBreaksThePlatform() {
    // A platform's file is no spoilt one there, and says what the other one says.
    for (title, bytes) in Self.spoilt where title != "another layer" {
      let set = load([
        file("platform.yaml", Sample.platform), SourceFile(path: "platform.d/x.yaml", bytes: bytes),
        operatorFile("good"),
      ])
      #expect(set.platform == nil && set.operators.isEmpty && !set.errors.isEmpty, "\(title)")
    }
  }
}
