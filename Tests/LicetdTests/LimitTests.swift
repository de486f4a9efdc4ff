// One who asks too much is refused, and nobody else notices.

import Foundation
import System
import TestKit
import Testing

@testable import Authority
@testable import Bus

@Suite struct LimitTests {
  /// 20 calls a second: 300 take less than 14 seconds.
  @Test func pastTheRateCallsAreRefusedAndAdminIsNot() throws {
    do {
      let rig = try Rig(arguments: ["--rate", "20"])
      let bus = try rig.client()
      var refusals: [String] = []
      for _ in 0..<300 {
        if let refusal = rig.refusal(of: { try rig.call(Rig.authority, "ListBehaviors", on: bus) }) {
          refusals.append(refusal)
        }
      }
      #expect(refusals.count > 20 && Set(refusals) == ["LimitsExceeded"])
      for _ in 0..<40 { _ = try rig.call(Rig.admin, "Status", on: bus) }
      _ = try rig.call(Rig.admin, "StopAll", on: bus)
      #expect(rig.waits { try rig.check() == "deny" })
    }
  }

  /// A flood that waits for no answer: each call is answered all the same, and another user's own in between.
  @Test(.enabled(if: isRoot, "playing other users needs root"))
  func aFloodIsItsUsersOwn() throws {
    do {
      let rig = try Rig(
        operators: ["keeper": Rig.operatorFile("keeper", bind: "{user: root}, {user: nobody}")],
        arguments: ["--rate", "100"])
      let loop = try EventLoop()
      let connection = Connection(loop: loop)
      var isOpen = false
      connection.open(rig.bus.address) { _ in isOpen = true }
      func turn(until isDone: () -> Bool) -> Bool {
        let end = loop.now &+ 60_000_000_000
        while !isDone(), loop.now < end { loop.turn(maximumWait: 5_000_000) }
        return isDone()
      }
      try #require(turn { isOpen })
      var answers: [String: Int] = [:]
      for _ in 0..<5000 {
        let call = Message(call: "Check", of: Rig.authority, at: "/org/licet/Licet1", to: "org.licet.Licet1").with {
          $0.append("keeper")
          $0.append(["rig.read"])
          $0.array("{sv}") { _ in }
        }
        connection.call(call, timeoutNanoseconds: 60_000_000_000) { reply in
          answers[reply.errorName ?? "", default: 0] += 1
        }
      }
      for _ in 0..<20 { loop.turn(maximumWait: 1_000_000) }
      let other = try run(
        [
          "/usr/bin/busctl", "--address=\(rig.bus.addressText)", "call", "org.licet.Licet1", "/org/licet/Licet1",
          Rig.authority, "Check", "sasa{sv}", "", "1", "rig.read", "0",
        ], user: "nobody")
      #expect(other.output.hasPrefix("sasa{sv} \"allow\""), "\(other.errors)")
      #expect(turn { answers.values.reduce(0, +) == 5000 })
      #expect(Set(answers.keys) == ["", Rig.errors + "LimitsExceeded"], "\(answers)")
      #expect(answers[Rig.errors + "LimitsExceeded", default: 0] > 1000)
      connection.close()
    }
  }

  // MARK: the buckets

  private func rates(calls: Double, decisions: Double = 1000, bytes: Double = 1000, burst: Double = 2) -> Limits {
    var rates = CallerLimits.Rates()
    (rates.calls, rates.decisions, rates.bytes, rates.burst) = (calls, decisions, bytes, burst)
    return Limits(CallerLimits(rates))
  }

  @Test func bucketsFillBySecondsAndNoFurther() {
    let limits = rates(calls: 10)
    let start: UInt64 = 5_000_000_000
    // Two seconds' worth at first.
    for _ in 0..<20 { #expect(limits.take(1, calls: 1, now: start)) }
    #expect(!limits.take(1, calls: 1, now: start))
    #expect(!limits.take(1, calls: 1, now: start + 99_000_000))
    #expect(limits.take(1, calls: 1, now: start + 100_000_000))
    #expect(!limits.take(1, calls: 1, now: start + 100_000_000))
    // An hour later no more than two seconds' worth, and time that goes backwards gives nothing.
    for _ in 0..<20 { #expect(limits.take(1, calls: 1, now: start + 3_600_000_000_000)) }
    #expect(!limits.take(1, calls: 1, now: start))
    #expect(limits.own.refused == 4)
  }

  @Test func whatIsRefusedTakesNothing() {
    let limits = rates(calls: 10, decisions: 5, bytes: 50)
    #expect(!limits.take(1, calls: 1, decisions: 11, now: 0))
    #expect(!limits.take(1, calls: 1, bytes: 101, now: 0))
    #expect(limits.take(1, calls: 20, decisions: 10, bytes: 100, now: 0))
    #expect(!limits.take(1, bytes: 1, now: 0) && !limits.take(1, decisions: 1, now: 0))
    // Others have their own.
    #expect(limits.take(2, calls: 20, decisions: 10, bytes: 100, now: 0))
  }

  @Test func asManyUsersAsFitAreRemembered() {
    let limits = rates(calls: 1, burst: 1)
    for user in 0...UInt32(CallerLimits.users) { #expect(limits.take(user, calls: 1, now: UInt64(user))) }
    // The oldest was forgotten, the others weren't.
    #expect(!limits.take(UInt32(CallerLimits.users), calls: 1, now: 2000))
    #expect(!limits.take(1, calls: 1, now: 2000))
    #expect(limits.take(0, calls: 1, now: 2000))
  }
}

/// A value that an expectation may change.
private final class Limits {
  private(set) var own: CallerLimits
  init(_ own: CallerLimits) { self.own = own }
  func take(_ user: UInt32, calls: Int = 0, decisions: Int = 0, bytes: Int = 0, now: UInt64) -> Bool {
    own.take(user, calls: calls, decisions: decisions, bytes: bytes, now: now)
  }
}
