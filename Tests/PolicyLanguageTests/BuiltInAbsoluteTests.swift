// The absolutes that are compiled into the program: every way in which a policy might try to weaken one is refused, or
// changes nothing.

import Consultation
import Offline
import PolicyImage
import PolicyLanguage
import Testing

@Suite struct BuiltInAbsoluteTests {
  static let off = ["harm.mass-casualty", "harm.csam", "oversight.undermine"]
  static let on = ["transparency.say-cannot-help", "transparency.admit-ai"]
  static let head = "licet: 1\nlayer: platform\nname: acme\nunknown: allow\n"

  static func decide(_ name: String, _ files: [SourceFile], operator one: String? = nil) throws -> Effect {
    let policy = try #require(openPolicy(files).policy)
    let request = Request(behaviors: [name], source: .platform, now: (seconds: 0, nanoseconds: 0))
    return try policy.decide(request, operator: one).effect
  }

  @Test func everyPlatformHasThem() throws {
    let files = [file("platform.yaml", Self.head), operatorFile("shop", "rules: []\n")]
    let behaviors = try #require(load(files).platform?.behaviors)
    #expect(behaviors.keys.sorted() == (Self.off + Self.on).sorted())
    for name in Self.off {
      #expect(behaviors[name]?.hardcoded == .off && behaviors[name]?.stakes == .one)
      #expect(try Self.decide(name, files, operator: "shop") == .deny)
      #expect(try Self.decide(name + ".below", files, operator: "shop") == .deny)
    }
    for name in Self.on {
      #expect(behaviors[name]?.hardcoded == .on && behaviors[name]?.stakes == .zero)
      #expect(try Self.decide(name, files, operator: "shop") == .allow)
      #expect(try Self.decide(name + ".below", files, operator: "shop") == .allow)
    }
  }

  @Test(arguments: off) func thePlatformCannotOpenWhatIsOff(_ name: String) throws {
    let parent = try #require(BehaviorName.parent(of: name))
    let attempts: [(String, DiagnosticCode)] = [
      ("behaviors: {\(name): {hardcoded: on, stakes: 0}}", .builtInAbsolute),
      ("behaviors: {\(parent): {hardcoded: on, stakes: 0}}", .oppositeAbsolutes),
      ("behaviors: {\(name).below: {hardcoded: on, stakes: 0}}", .oppositeAbsolutes),
      ("behaviors: {\(name): {default: allow}}", .hardcodedContradiction),
      ("behaviors: {\(name): {default: deny, operators-may: ask}}", .hardcodedContradiction),
      ("behaviors: {\(name): {default: deny, users-may: allow}}", .hardcodedContradiction),
      ("behaviors: {\(name): {operators-may: allow}}", .ceilingWithoutDefault),
      ("rules: [{duty: \(name), to: allow}]", .underAbsolute),
      ("rules: [{duty: \(name).below, to: ask}]", .underAbsolute),
      ("behaviors: {\(name): {hardcoded: 'no'}}", .unknownValue),
      ("behaviors: {\(name): {hardcoded: ~}}", .unknownValue),
    ]
    for (text, code) in attempts {
      let set = load([file("platform.yaml", "\(Self.head)\(text)\n")])
      #expect(set.codes.contains(code), "\(text): \(set.summary)")
      #expect(set.platform == nil, "\(text)")
    }
  }

  @Test(arguments: on) func thePlatformCannotCloseWhatIsOn(_ name: String) throws {
    let parent = try #require(BehaviorName.parent(of: name))
    let attempts: [(String, DiagnosticCode)] = [
      ("behaviors: {\(name): {hardcoded: off}}", .builtInAbsolute),
      ("behaviors: {\(parent): {hardcoded: off}}", .oppositeAbsolutes),
      ("behaviors: {\(name).below: {hardcoded: off}}", .oppositeAbsolutes),
      ("behaviors: {\(name): {default: deny}}", .hardcodedContradiction),
      ("behaviors: {\(name): {default: ask, users-may: allow}}", .hardcodedContradiction),
      ("behaviors: {\(name): {stakes: 0.5}}", .hardcodedOnStakes),
      ("rules: [{duty: \(name), to: ask}]", .underAbsolute),
    ]
    for (text, code) in attempts {
      let set = load([file("platform.yaml", "\(Self.head)\(text)\n")])
      #expect(set.codes.contains(code), "\(text): \(set.summary)")
      #expect(set.platform == nil, "\(text)")
    }
  }

  @Test(arguments: off + on) func anOperatorCannotMoveOne(_ name: String) throws {
    for rule in ["allow", "ask", "deny"].flatMap({ ["rules: [{\($0): \(name)}]", "rules: [{\($0): \(name).below}]"] })
      + ["grants: [{users-may: allow, behavior: \(name)}]", "grants: [{users-may: deny, behavior: \(name).below}]"]
    {
      let set = load([file("platform.yaml", Self.head), operatorFile("shop", rule + "\n")])
      #expect(set.codes == [.underAbsolute] && set.broken == ["shop"], "\(rule): \(set.summary)")
    }
  }

  /// What may be written, and changes nothing all the same.
  @Test(arguments: off + on) func whatLoadsBesideOneLeavesItAsItIs(_ name: String) throws {
    let parent = try #require(BehaviorName.parent(of: name))
    let expected: Effect = Self.off.contains(name) ? .deny : .allow
    let platforms = [
      "behaviors: {\(name): {}}", "behaviors: {\(name): {title: Harmless, audit: counts}}",
      "behaviors: {\(parent): {default: \(expected == .deny ? "allow" : "deny"), operators-may: allow, users-may: allow}}",
      "behaviors: {\(name).below: {default: \(expected == .deny ? "allow" : "deny"), operators-may: allow, users-may: allow}}",
      "rules: [{limit: \(name), to: deny, tier: safety}]", "rules: [{limit: \(parent), to: deny, tier: safety}]",
      "rules: [{duty: \(parent), to: allow, tier: safety}]",
    ]
    let operators = [
      "rules: [{limit: \(name), to: deny}]", "rules: [{allow: \(parent)}]", "rules: [{deny: \(parent)}]",
    ]
    for platform in platforms {
      for rules in operators {
        let files = [file("platform.yaml", "\(Self.head)\(platform)\n"), operatorFile("shop", rules + "\n")]
        let set = load(files)
        guard set.operators["shop"] != nil else {
          // The platform's own `deny` for the parent may forbid the setting; then nothing is in force to be asked.
          #expect(set.codes == [.aboveCeiling], "\(set.summary)")
          continue
        }
        for asked in [name, name + ".below"] {
          #expect(try Self.decide(asked, files, operator: "shop") == expected, "\(asked) with \(platform) and \(rules)")
        }
      }
    }
  }

  @Test func aHigherFolderCannotEither() {
    let set = load([
      file("platform.yaml", Self.head),
      file(
        "platform.d/x.yaml", "licet: 1\nlayer: platform\nbehaviors: {harm.csam: {hardcoded: on, stakes: 0}}\n", rank: 2),
    ])
    #expect(set.codes.contains(.builtInAbsolute) && set.platform == nil)
  }

  @Test func aPlatformMayAddToThem() throws {
    let text = Self.head + "behaviors: {weapons: {hardcoded: off}, help.exit: {hardcoded: on, stakes: 0}}\n"
    let files = [file("platform.yaml", text), operatorFile("shop", "rules: []\n")]
    #expect(load(files).summary == [])
    #expect(try Self.decide("weapons.guns", files, operator: "shop") == .deny)
    #expect(try Self.decide("help.exit", files, operator: "shop") == .allow)
  }
}
