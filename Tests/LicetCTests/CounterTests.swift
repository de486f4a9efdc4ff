// What has to do with a counter goes to licetd by itself, with all that was set; everything else is decided where it was.

import Foundation
import LicetHeader
import Oracle
import TestKit
import Testing

@Suite struct CounterTests {
  private static let platform = """
    licet: 1
    layer: platform
    name: attached
    attributes: {user: {id: string}, request: {tags: list<string>, amount: double}}
    counters:
      calls: {counts: requests, of: [tool.call], per: user, window: 24h}
      reach: {counts: users, of: [say], per: operator, window: 24h}
    behaviors:
      tool: {default: allow, stakes: 0}
      tool.call: {default: allow, stakes: 0}
      tool.read: {default: allow, stakes: 0}
      say: {default: allow, stakes: 0}
      other: {default: allow, stakes: 0}
    rules:
      - {limit: tool.call, to: deny, when: 'counter("calls") > 2 && request.amount > 1.5 && request.tags.size() == 2'}
      - {limit: say, to: ask, when: 'counter("reach") > 2'}

    """
  private static let op = "licet: 1\nlayer: operator\nname: op\nbind: [{user: \(Daemon.ownName)}]\n"

  private func effect(_ one: OpenedAuthority, _ name: String, isLost: Bool = false) throws -> Int32 {
    var decision = licet_decision()
    decision.size = UInt32(MemoryLayout<licet_decision>.size)
    let code = one.library.check(one.request, one.behavior(name), &decision)
    try #require(code >= 0, "\(one.complaint)")
    #expect(decision.lost == (isLost ? 1 : 0))
    return Int32(decision.effect)
  }

  private func set(_ one: OpenedAuthority, user: String, _ lent: Lent) {
    let values: [(String, OracleValue)] = [
      ("user.id", .text(user)), ("request.amount", .double(2.5)),
      ("request.tags", .list([.text("a"), .text("b")])),
    ]
    for (name, value) in values {
      #expect(one.library.set(one.request, one.attribute(name), lent.value(value)) == 0)
    }
  }

  @Test(arguments: [LICET_SNAPSHOT, LICET_REMOTE]) func countsInOnePlace(mode: Int32) throws {
    let library = try LibraryHandle.shared.get()
    let daemon = try Daemon(platform: Self.platform, operator: Self.op)
    let lent = Lent()
    let one = try OpenedAuthority(library, mode: mode, path: daemon.socket)
    let two = try OpenedAuthority(library, mode: mode, path: daemon.socket)
    #expect(one.mode == mode)
    set(one, user: "ann", lent)
    set(two, user: "ann", lent)
    #expect(try effect(one, "tool.call") == LICET_ALLOW)
    #expect(try effect(two, "tool.call") == LICET_ALLOW)
    #expect(try effect(one, "tool.call") == LICET_DENY)
    #expect(try effect(two, "tool.call") == LICET_DENY)
    set(two, user: "bob", lent)
    #expect(try effect(two, "tool.call") == LICET_ALLOW)
    // A name above stands for it, and counts as well.
    #expect(try effect(two, "tool") == LICET_ALLOW)
    #expect(try effect(two, "tool") == LICET_DENY)
    for user in ["ann", "bob", "ann", "bob"] {
      set(one, user: user, lent)
      #expect(try effect(one, "say") == LICET_ALLOW)
    }
    set(one, user: "carl", lent)
    #expect(try effect(one, "say") == LICET_ASK)
    for name in ["other", "tool.read", "tool.read.fast"] { #expect(try effect(one, name) == LICET_ALLOW) }
  }

  @Test func aSnapshotExplainsWithoutCounting() throws {
    let library = try LibraryHandle.shared.get()
    let daemon = try Daemon(platform: Self.platform, operator: Self.op)
    let lent = Lent()
    let one = try OpenedAuthority(library, mode: LICET_SNAPSHOT, path: daemon.socket)
    set(one, user: "ann", lent)
    for _ in 0..<2 { #expect(try effect(one, "tool.call") == LICET_ALLOW) }
    for _ in 0..<3 {
      var explanation: OpaquePointer?
      var name = lent.text("tool.call")
      #expect(library.explain(one.request, &name, 1, &explanation) == LICET_DENY, "\(one.complaint)")
      #expect(library.way(explanation) == LICET_WAY_WAIT)
      var change = licet_change()
      change.size = UInt32(MemoryLayout<licet_change>.size)
      change.statement.size = UInt32(MemoryLayout<licet_statement>.size)
      #expect(library.change(explanation, 0, &change) == 0)
      #expect(change.change == LICET_CHANGE_COUNTER && change.statement.form == LICET_FORM_COUNTER)
      #expect(String(change.statement.behavior) == "calls")
      #expect(String(change.statement.condition) == "requests for tool.call, per user, within 1d")
      library.explanationFree(explanation)
    }
  }

  /// Without a licetd a counter isn't known, and what can't be counted isn't decided here.
  @Test func whatIsNotKnownIsStrict() throws {
    let library = try LibraryHandle.shared.get()
    let daemon = try Daemon(platform: Self.platform, operator: Self.op)
    let lent = Lent()
    let embedded = try OpenedAuthority(library, mode: LICET_EMBEDDED, path: daemon.image())
    set(embedded, user: "ann", lent)
    #expect(try effect(embedded, "tool.call") == LICET_DENY)
    #expect(try effect(embedded, "say") == LICET_ASK)
    #expect(try effect(embedded, "other") == LICET_ALLOW)
    let one = try OpenedAuthority(library, mode: LICET_SNAPSHOT, path: daemon.socket)
    set(one, user: "ann", lent)
    #expect(try effect(one, "tool.call") == LICET_ALLOW)
    daemon.kill9()
    #expect(try effect(one, "tool.call", isLost: true) == LICET_DENY)
    #expect(try effect(one, "other") == LICET_ALLOW)
  }
}
