// Sessions' terms and suspicion (DESIGN §2.4, §2.6): what generated cases don't show one by one.

import Consultation
import Foundation
import Offline
import PolicyImage
import PolicyLanguage
import Testing

@testable import Decision

@Suite struct SessionTests {
  static func matches(_ pattern: String, _ resource: String) -> Bool {
    let (pattern, resource) = (Array(pattern.utf8), Array(resource.utf8))
    return pattern.withUnsafeBytes { p in resource.withUnsafeBytes { matchesResource(p, $0) } }
  }

  @Test(arguments: [
    ("/home/ann/**", "/home/ann/x", true), ("/home/ann/**", "/home/ann/x/y", true),
    ("/home/ann/**", "/home/ann", false),
    ("/home/ann/**", "/home/ann/", true), ("/home/ann/**", "/home/anna/x", false), ("/home/*/x", "/home/ann/x", true),
    ("/home/*/x", "/home/a/b/x", false), ("/home/ann/**", "/home/ann/../bob/x", false), ("**", "a/./b", false),
    ("**", "..", false), ("**", "...", true), ("**", ".hidden", true), ("**", "", true), ("*", "", true),
    ("*", "a/b", false),
    ("mailto:*@b.c", "mailto:a@b.c", true), ("mailto:*@b.c", "mailto:@b.c", true),
    ("mailto:*@b.c", "mailto:a@b.cc", false),
    ("a*b*c", "axxbyybzzc", true), ("a*b*c", "acb", false), ("**/x", "a/x", true), ("**/x", "a/b/x", false),
    ("a**", "abc", true), ("é", "e\u{301}", false), ("https://x.org/*", "https://x.org/a?b=/", false),
    ("https://x.org/a/**", "https://x.org/a/%2e%2E/b", false), ("https://x.org/a/**", "https://x.org/a/..?b", false),
    ("https://x.org/a/**", "https://x.org/a/.%2e#", false), ("https://x.org/a/**", "https://x.org/a/..\\b", false),
    ("https://x.org/a/**", "https://x.org/a/.\t./b", false), ("https://x.org/a/**", "https://x.org/a/%2e%2e%2e", true),
    ("https://x.org/a/**", "https://x.org/a/..b?c#d", true), ("https://x.org/a/**", "https://x.org/a/%2", true),
    ("a", "a/", false), ("a/", "a", false), ("", "", true),
  ]) func resources(_ pattern: String, _ resource: String, _ expected: Bool) {
    #expect(Self.matches(pattern, resource) == expected, "\(pattern) \(resource)")
  }

  /// Stars don't multiply: time is at most the product of the lengths.
  @Test(.timeLimit(.minutes(1))) func aPatternOfStarsIsNoTrap() {
    let pattern = String(repeating: "*a", count: 500) + "b"
    #expect(!Self.matches(pattern, String(repeating: "a", count: 65_000)))
  }

  /// Never too short, and less than a tenth of a half-life too long.
  @Test func theWaitIsABound() {
    for level in [1, 1999, 2000, 2001, 3999, 4000, 5000, 6500, 1_000_000, 4_000_000_000] as [UInt32] {
      for threshold in [1, 500, 2000, 6000] as [UInt32] {
        for halfLife in [1, 60, 3600, 31_536_000] as [UInt32] {
          let wait = secondsUntil(threshold, from: level, halfLife: halfLife)
          guard level >= threshold else {
            #expect(wait == 0)
            continue
          }
          let exact = log2(Double(level) / Double(threshold)) * Double(halfLife)
          #expect(Double(wait) > exact && Double(wait) <= exact + 0.1 * Double(halfLife) + 2, "\(level) \(threshold)")
        }
      }
    }
    #expect(secondsUntil(0, from: 5, halfLife: 60) == 0)
  }

  private static let policy = openPolicy([
    SourceFile(
      path: "platform.yaml",
      bytes: Array(
        """
        licet: 1
        layer: platform
        name: p
        suspicion: {half-life: 1h, ask-at: 2, deny-at: 6, for: [tool, data.secret]}
        behaviors:
          tool: {default: allow, stakes: 0, users-may: allow}
          tool.x: {default: ask, users-may: allow, stakes: 0}
          data: {default: allow, stakes: 0}
        rules: [{duty: tool.x, to: allow, tier: safety}]

        """.utf8))
  ])

  private static func ask(
    _ behavior: String, _ levels: [SessionLevel], suspicion: UInt32 = 0, _ change: (inout Request) -> Void = { _ in }
  ) throws -> Answer {
    var request = Request(behaviors: [behavior], now: (0, 0))
    (request.session, request.suspicion) = (levels, suspicion)
    change(&request)
    return try #require(policy.policy).decide(request, operator: nil, explaining: true)
  }

  private static func level(_ change: (inout SessionLevel) -> Void) -> SessionLevel {
    var level = SessionLevel()
    change(&level)
    return level
  }

  /// No duty outranks what a session takes away, and what it names is known.
  @Test func capsStandAboveDuties() throws {
    let capped = Self.level { $0.caps = ["tool.x.y": .deny] }
    #expect(try Self.ask("tool.x", []).effect == .allow)
    let wide = try Self.ask("tool", [capped])
    #expect(wide.effect == .deny && wide.decidedBy.behavior == "tool.x.y" && wide.decidedBy.cause == .session)
    #expect(try Self.ask("tool.x.z", [capped]).effect == .allow)
    #expect(wide.way?.by == .user && wide.way?.steps.map(\.kind) == [.session])
    let line = try #require(wide.trace.first { $0.session != nil })
    #expect(line.session == SessionLine(.cap, term: "tool.x.y") && line.truth == .yes && line.says == .deny)
  }

  /// Many terms are searched, few are looked at one by one: the same comes out.
  @Test func manyTermsAreFewOnes() throws {
    let many = Self.level { level in
      for i in 0..<400 { level.caps["zz.n\(i)"] = .ask }
      for i in 0..<400 { level.preferences["aa.n\(i)"] = .ask }
      level.caps["tool"] = .ask
      level.caps["tool.x.y"] = .deny
      level.behaviors = ["tool", "zz", "data.a"]
    }
    let few = Self.level { level in
      level.caps = ["tool": .ask, "tool.x.y": .deny]
      level.behaviors = ["tool", "zz", "data.a"]
    }
    for name in ["tool", "tool.x", "tool.x.y", "tool.x.y.z", "tool.w", "tools", "data", "data.a", "data.b", "zz"] {
      let (a, b) = (try Self.ask(name, [many]), try Self.ask(name, [few]))
      #expect(a.effect == b.effect && a.decidedBy == b.decidedBy, "\(name)")
      let (x, y) = (a.trace.filter { $0.behavior == name }, b.trace.filter { $0.behavior == name })
      // In `many` there are caps of `ask` below `zz` alone.
      #expect(x == y, "\(name)")
    }
    #expect(try Self.ask("zz.n17.x", [many]).trace.contains { $0.session == SessionLine(.cap, term: "zz.n17") })
  }

  @Test func theScopesOfLevelsAreWhatBothCover() throws {
    let levels = [Self.level { $0.behaviors = ["tool", "data.a"] }, Self.level { $0.behaviors = ["tool.x", "data"] }]
    let effects = try ["tool", "tool.x", "tool.x.y", "tool.w", "data", "data.a", "data.b"].map {
      try Self.ask($0, levels).effect
    }
    #expect(effects == [.deny, .allow, .allow, .deny, .deny, .allow, .deny])
  }

  /// A session that is over is denied everything; who opens another one goes on, unless something else halts them too.
  @Test func whatIsOverIsOpenedAnew() throws {
    let policy = try #require(Self.policy.policy).policy(for: nil)
    let memory = UnsafeMutableRawBufferPointer.allocate(
      byteCount: Frame.size(slots: policy.platform.count(.attributes), arena: 4096), alignment: 16)
    defer { memory.deallocate() }
    var frame = try #require(Frame(memory: memory, slots: policy.platform.count(.attributes)))
    let session = try SessionMemory([SessionLevel()])
    frame.setSession(session.terms)
    for (name, by) in [("data", WayBy.user), ("harm.csam", .nobody)] {
      let bytes = Array(name.utf8)
      try bytes.withUnsafeBytes { one in
        try withUnsafePointer(to: one) { names in
          let names = UnsafeBufferPointer(start: names, count: 1)
          func answer(_ halts: Halt...) -> Answer {
            Consultation(policy: policy, names: names, preference: nil, halts: halts).answer(&frame, true)
          }
          for kind in [Halt.Kind.sessionStop, .sessionExpired, .sessionSpent] {
            let over = answer(Halt(kind, session: "ab"))
            #expect(over.effect == .deny && over.way?.by == by, "\(name) \(kind)")
            let step = by == .nobody ? nil : try #require(over.way?.steps.first)
            #expect(step.map { $0.kind == .halt(Halt(kind, session: "ab")) } ?? true)
          }
          let stopped = answer(Halt(.sessionSpent, session: "ab"), Halt(.allStop))
          #expect(stopped.way?.by == (by == .nobody ? .nobody : .platform))
          #expect(stopped.decidedBy.cause == (by == .nobody ? .none : .halt))
        }
      }
    }
    withExtendedLifetime(session) {}
  }

  @Test func aSessionHasBounds() {
    func problem(_ levels: [SessionLevel]) -> RequestError.Code? {
      do {
        _ = try SessionMemory(levels)
        return nil
      } catch {
        return error.code
      }
    }
    #expect(problem([Self.level { $0.caps = ["Tool": .ask] }]) == .badName)
    #expect(problem([Self.level { $0.behaviors = [""] }]) == .badName)
    #expect(problem([Self.level { $0.dial = .one }]) == .badDial)
    #expect(problem([Self.level { $0.dial = .zero }]) == .badDial)
    #expect(problem([Self.level { $0.resources = [""] }]) == .badResource)
    #expect(problem([Self.level { $0.resources = [String(repeating: "x", count: 1025)] }]) == .badResource)
    #expect(problem([Self.level { $0.resources = Set((0..<65).map { "r\($0)" }) }]) == .tooMany)
    func caps(_ count: Int, _ root: String) -> SessionLevel {
      Self.level { level in for i in 0..<count { level.caps["\(root).n\(i)"] = .ask } }
    }
    #expect(problem([caps(600, "a"), caps(424, "b")]) == nil)
    #expect(problem([caps(600, "a"), caps(425, "b")]) == .tooMany)
    #expect(problem([caps(600, "a"), caps(600, "a")]) == nil)
  }

  @Test func suspicionIsForWhatThePlatformSays() throws {
    let asked = try Self.ask("tool.x", [], suspicion: 2500)
    #expect(
      asked.effect == .ask && asked.decidedBy.cause == .suspicion && asked.decidedBy.statement?.form == .suspicion)
    #expect(asked.way?.by == .wait && asked.way?.steps.first?.wait.map { $0 > 2653 && $0 < 3014 } == true)
    #expect(try Self.ask("tool.x", [], suspicion: 1999).effect == .allow)
    #expect(try Self.ask("tool.unheard-of", [], suspicion: 6000).effect == .deny)
    #expect(try Self.ask("data", [], suspicion: 6000).decidedBy.behavior == "data.secret")
    #expect(try Self.ask("data.other", [], suspicion: 6000).effect == .allow)
  }

  /// Whom it is charged to is the authority's business; for what, the policy's.
  @Test func whatIsOffRaisesSuspicion() throws {
    let policy = try #require(Self.policy.policy).policy(for: nil)
    func isSuspect(_ names: String...) -> Bool {
      let texts = names.map { Array($0.utf8) }
      let copies = texts.map { text in
        let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: text.count, alignment: 1)
        copy.copyBytes(from: text)
        return Name(copy)
      }
      defer { for copy in copies { copy.deallocate() } }
      return copies.withUnsafeBufferPointer { policy.isSuspect($0) }
    }
    #expect(isSuspect("harm.csam") && isSuspect("harm.csam.x") && isSuspect("tool", "oversight.undermine"))
    #expect(!isSuspect("harm") && !isSuspect("tool.x") && !isSuspect("transparency.admit-ai") && !isSuspect())
  }
}
