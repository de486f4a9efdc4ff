// Drop-ins: a higher folder's fields override a lower one's singly; two places of one folder have to agree.

import PolicyImage
import PolicyLanguage
import Testing

@Suite struct MergeTests {
  private static let head = "licet: 1\nlayer: platform\n"
  private static let base = head + "name: acme\nunknown: deny\n"

  private static func behaviors(_ fields: String, in path: String, rank: Int) -> SourceFile {
    file(path, "\(path == "platform.yaml" ? base : head)behaviors:\n  tool: {\(fields)}\n", rank: rank)
  }

  @Test func eachFieldOfABehaviorIsOverriddenSingly() throws {
    let low = Self.behaviors(
      "default: ask, operators-may: allow, users-may: ask, stakes: 0.5, audit: full, title: Low, clause: A",
      in: "platform.yaml", rank: 0)
    let before = try #require(load([low]).platform?.behaviors["tool"])
    func after(_ fields: String) throws -> Behavior {
      let set = load([low, Self.behaviors(fields, in: "platform.d/50.yaml", rank: 1)])
      #expect(set.summary == [])
      return try #require(set.platform?.behaviors["tool"])
    }
    var expected = before
    expected.choice.operatorsMay = .ask
    expected.stated = expected.choice
    #expect(try after("operators-may: ask") == expected)
    expected = before
    expected.choice.usersMay = .allow
    expected.stated = expected.choice
    #expect(try after("users-may: allow") == expected)
    expected = before
    expected.stakes = .one
    #expect(try after("stakes: 1") == expected)
    expected = before
    expected.audit = .durable
    #expect(try after("audit: durable") == expected)
    expected = before
    expected.title = "High"
    #expect(try after("title: High") == expected)
    expected = before
    expected.clause = "B"
    #expect(try after("clause: B") == expected)
    #expect(try after("default: deny").choice == Choice(default: .deny, operatorsMay: .allow, usersMay: .ask))
    #expect(try after("") == before)
  }

  // MARK: Groups

  private static func groups(_ list: String, in path: String, rank: Int) -> SourceFile {
    file(path, "\(path == "platform.yaml" ? base : head)groups: \(list)\n", rank: rank)
  }

  @Test func groupsAreReplacedByAHigherFolderAndNeverMixed() {
    func merged(_ files: SourceFile...) -> [String]? {
      let set = load(files)
      #expect(set.summary == [])
      return set.platform?.administratorGroups
    }
    let low = Self.groups("[wheel, adm]", in: "platform.yaml", rank: 0)
    #expect(merged(file("platform.yaml", Self.base, rank: 0)) == [])
    #expect(merged(low) == ["adm", "wheel"])
    #expect(merged(low, Self.groups("[ops]", in: "platform.d/50.yaml", rank: 1)) == ["ops"])
    #expect(merged(Self.groups("[ops]", in: "platform.d/50.yaml", rank: 1), low) == ["ops"], "in any order of files")
    #expect(merged(low, Self.groups("[]", in: "platform.d/50.yaml", rank: 1)) == [], "an empty list is one")
    #expect(merged(low, file("platform.d/50.yaml", Self.head, rank: 1)) == ["adm", "wheel"])
    #expect(merged(low, Self.groups("[adm, wheel, adm]", in: "platform.d/50.yaml", rank: 0)) == ["adm", "wheel"])
  }

  @Test func groupsThatTwoFilesOfOneFolderStateDifferentlyAreAConflict() {
    let set = load([
      Self.groups("[wheel]", in: "platform.yaml", rank: 0),
      Self.groups("[wheel, ops]", in: "platform.d/50.yaml", rank: 0),
    ])
    #expect(set.platform == nil)
    #expect(set.errors.map(\.code) == [.conflict])
    #expect(set.errors.allSatisfy { $0.message.contains("`groups`") && $0.location.file == "platform.yaml" })
    // One that wins over both settles it.
    let settled = load([
      Self.groups("[wheel]", in: "platform.yaml", rank: 0), Self.groups("[ops]", in: "platform.d/50.yaml", rank: 1),
      Self.groups("[ops]", in: "platform.d/60.yaml", rank: 1),
    ])
    #expect(settled.summary == [] && settled.platform?.administratorGroups == ["ops"])
  }

  @Test func groupsAreAListOfNamesAndThePlatformsAlone() {
    for wrong in ["wheel", "[[wheel]]", "{wheel: 1}", "null"] {
      let set = load([Self.groups(wrong, in: "platform.yaml", rank: 0)])
      #expect(set.platform == nil && !set.errors.isEmpty, "\(wrong)")
    }
    let set = load([
      file("platform.yaml", Self.base, rank: 0),
      file("operators.d/shop.yaml", "licet: 1\nlayer: operator\nname: shop\ngroups: [wheel]\n", rank: 0),
    ])
    #expect(set.broken == ["shop"])
  }

  @Test func ceilingsAreJudgedAfterMerging() {
    let low = Self.behaviors("default: ask, operators-may: ask", in: "platform.yaml", rank: 0)
    let set = load([low, Self.behaviors("default: allow", in: "platform.d/50.yaml", rank: 1)])
    #expect(set.summary == ["platform.yaml:6 ceiling-below-default"])
  }

  @Test func aHigherFolderOverridesUnknownNameAndAttributes() throws {
    let set = load([
      file("platform.yaml", Self.base + "attributes: {user: {age: int, role: string}}\n"),
      file("platform.d/a.yaml", Self.head + "name: other\nunknown: ask\nattributes: {user: {age: uint}}\n", rank: 1),
    ])
    #expect(set.summary == [])
    let platform = try #require(set.platform)
    #expect(platform.name == "other" && platform.unknown == .ask)
    #expect(platform.attributes.map { "\($0.name) \($0.type)" } == ["user.age uint", "user.role string"])
  }

  @Test func rulesOfAllFoldersHold() throws {
    let set = load([
      file("platform.yaml", Self.base + "behaviors: {tool: {default: allow}}\nrules: [{limit: tool, to: ask}]\n"),
      file("platform.d/a.yaml", Self.head + "rules: [{limit: tool, to: deny}]\n", rank: 2),
    ])
    #expect(set.platform?.statements.map(\.effect) == [.deny, .ask])
  }

  @Test(arguments: [
    "name: other", "unknown: ask", "attributes: {user: {age: uint}}",
    "attributes: {user: {age: {type: int, verified: true}}}",
    "behaviors: {tool: {default: deny}}", "behaviors: {tool: {operators-may: ask}}",
    "behaviors: {tool: {users-may: allow}}",
    "behaviors: {tool: {stakes: 0.4}}", "behaviors: {tool: {audit: full}}", "behaviors: {tool: {title: B}}",
    "behaviors: {tool: {clause: B}}", "behaviors: {x: {hardcoded: off}}",
  ])
  func twoFilesOfOneFolderHaveToAgree(_ other: String) {
    let stated =
      "attributes: {user: {age: int}}\nbehaviors:\n"
      + "  tool: {default: ask, operators-may: allow, users-may: ask, stakes: 0.3, audit: durable, title: A, clause: A}\n"
      + "  x: {hardcoded: on, stakes: 0}\n"
    for rank in [0, 3] {
      let files = [
        file("platform.yaml", Self.base + stated, rank: rank),
        file("platform.d/a.yaml", "\(Self.head)\(other)\n", rank: rank),
      ]
      for order in [files, files.reversed()] {
        let set = load(order)
        #expect(set.codes == [.conflict], "\(set.summary)")
        #expect(set.platform == nil)
        #expect(set.diagnostics.first?.related != nil)
      }
    }
  }

  @Test func sayingTheSameTwiceIsNoConflict() {
    let both = "unknown: deny\nattributes: {user: {age: int}}\nbehaviors: {tool: {default: ask}}\n"
    let set = load([
      file("platform.yaml", Self.head + "name: acme\n" + both), file("platform.d/a.yaml", Self.head + both),
      file("platform.d/b.yaml", Self.head + both),
    ])
    #expect(set.summary == [] && set.platform != nil)
  }

  @Test func bindingsOfAnOperatorMergeLikeFields() {
    let (user, group) = ("bind: [{user: a}]\n", "bind: [{group: b}]\n")
    let dropIn = "operators.d/shop.d/a.yaml"
    let higher = loadOnSample(operatorFile("shop", user), file(dropIn, Sample.text("shop", group), rank: 1))
    #expect(higher.operators["shop"]?.bindings == [.group("b")])
    let same = loadOnSample(operatorFile("shop", user), file(dropIn, Sample.text("shop", group)))
    #expect(same.summary == ["operators.d/shop.yaml:4 conflict"] && same.broken == ["shop"])
  }
}
