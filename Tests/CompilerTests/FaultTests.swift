// Bombs, kills and hangs: each costs the compile that it befell, and nothing else.

import CompilerProtocol
import Foundation
import System
import Testing

@Suite(.serialized) struct FaultTests {
  /// After a fault the same platform's process compiles on.
  static func compilesOn(_ harness: Harness, _ platform: PlatformProcess) throws {
    #expect(try harness.compile(Harness.own(), on: platform).get().isInForce)
  }

  @Test func bombsAreDiagnosed() throws {
    let harness = try Harness()
    let (platform, _) = try harness.platform()
    let aliases =
      "a0: &a0 [x,x,x,x,x,x,x,x,x]\n"
      + (1...9).map { "a\($0): &a\($0) [\(Array(repeating: "*a\($0 - 1)", count: 9).joined(separator: ","))]\n" }
      .joined()
    let deep = "x: " + String(repeating: "[", count: 100_000) + String(repeating: "]", count: 100_000)
    let condition = String(repeating: "(", count: 100_000) + "true" + String(repeating: ")", count: 100_000)
    let long = (0..<100_000).map { "request.amount > \($0).0" }.joined(separator: " && ")
    for text in [
      aliases, deep, Harness.own(more: "  - {limit: tool, to: deny, when: \"\(condition)\"}\n"),
      Harness.own(more: "  - {limit: tool, to: deny, when: \"\(long)\"}\n"),
    ] {
      let result = try harness.compile(text, on: platform).get()
      #expect(!result.isInForce)
      #expect(!result.diagnostics.isEmpty)
    }
    try Self.compilesOn(harness, platform)
  }

  /// Stops the one operator's process that a slow compile has.
  static func slow(_ harness: Harness, _ platform: PlatformProcess) throws -> (
    pid: Int32, result: () -> Result<CompileResult, CompilerFailure>?
  ) {
    let child = try harness.processes().platform
    var result: Result<CompileResult, CompilerFailure>?
    let text = Harness.own(rules: 30_000)
    platform.compileOperator("op", [Harness.file("operators.d/op.yaml", text)], clamping: false) { result = $0 }
    #expect(harness.turn(10) { !Harness.children(of: child).isEmpty })
    let pid = try #require(Harness.children(of: child).first)
    kill(pid, SIGSTOP)
    return (pid, { result })
  }

  @Test func aKilledCompileSaysSo() throws {
    let harness = try Harness()
    let (platform, _) = try harness.platform()
    let (pid, result) = try Self.slow(harness, platform)
    kill(pid, SIGKILL)
    #expect(harness.turn(5) { result() != nil })
    #expect(result()?.failure == .failed(CompileFailure(.signal, detail: SIGKILL)))
    try Self.compilesOn(harness, platform)
  }

  @Test func aHungCompileIsEndedByTheCompiler() throws {
    let harness = try Harness()
    let (platform, _) = try harness.platform()
    let (pid, result) = try Self.slow(harness, platform)
    // Others go on meanwhile.
    try Self.compilesOn(harness, platform)
    #expect(harness.turn(14) { result() != nil })
    #expect(result()?.failure == .failed(CompileFailure(.deadline, detail: 10_000)))
    #expect(harness.turn(2) { Harness.isGone(pid) })
    try Self.compilesOn(harness, platform)
  }

  @Test func aHungCompileThatNobodyEndsIsGivenUp() throws {
    var times = CompilerClient.Times()
    times.answer = 500_000_000
    let harness = try Harness(times: times)
    let (platform, _) = try harness.platform()
    let (pid, result) = try Self.slow(harness, platform)
    #expect(harness.turn(3) { result() != nil })
    #expect(result()?.failure == .deadline)
    // Its reply socket is closed: whoever forked it ends it.
    #expect(harness.turn(2) { Harness.isGone(pid) })
    try Self.compilesOn(harness, platform)
  }

  @Test func aKilledPlatformProcessEndsWhatItHad() throws {
    let harness = try Harness()
    let (platform, _) = try harness.platform()
    let (pid, result) = try Self.slow(harness, platform)
    kill(try harness.processes().platform, SIGKILL)
    #expect(harness.turn(5) { result() != nil })
    let expected: [CompilerFailure] = [.died, .failed(CompileFailure(.signal, detail: SIGKILL))]
    #expect(result()?.failure.map(expected.contains) == true)
    #expect(harness.turn(5) { !platform.isOpen })
    #expect(harness.turn(2) { Harness.isGone(pid) })
    let (again, _) = try harness.platform()
    try Self.compilesOn(harness, again)
  }

  @Test func aHungPlatformProcessIsEnded() throws {
    let harness = try Harness()
    let (platform, _) = try harness.platform()
    let pid = try harness.processes().platform
    kill(pid, SIGSTOP)
    platform.close()
    #expect(harness.turn(5) { Harness.isGone(pid) })
  }

  @Test func aKilledParentTakesAllWithItAndIsStartedAgain() throws {
    let harness = try Harness()
    var seen: [Bool] = []
    harness.client.changed = { seen.append($0) }
    let (platform, _) = try harness.platform()
    let (parent, child) = try harness.processes()
    let start = harness.loop.now
    kill(parent, SIGKILL)
    #expect(harness.turn(5) { !platform.isOpen })
    #expect(harness.turn(5) { Harness.isGone(child) && Harness.process(parent) == nil })
    let (again, _) = try harness.platform()
    #expect(harness.loop.now - start > 50_000_000, "no pause")
    try Self.compilesOn(harness, again)
    #expect(seen == [true, false, true])
  }

  @Test func aProgramThatIsNotThereIsTriedLessAndLess() throws {
    let harness = try Harness(program: "/nonexistent/licet-compiler")
    var pauses: [UInt64] = []
    for _ in 0..<4 {
      let start = harness.loop.now
      let (_, result) = try harness.platform()
      #expect(result.failure != nil)
      harness.turn(0.02) { false }
      pauses.append(harness.loop.now - start)
    }
    #expect(pauses[3] > 300_000_000, "\(pauses)")
    #expect(pauses[1] < 250_000_000, "\(pauses)")
  }

  @Test func memoryIsLimited() throws {
    let harness = try Harness()
    let (platform, _) = try harness.platform()
    let (pid, result) = try Self.slow(harness, platform)
    // It may be seen before it has walled itself in, which ends with the filter.
    #expect(
      harness.turn(5) {
        (try? String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8).contains("Seccomp:\t2")) == true
      })
    let limits = try String(contentsOfFile: "/proc/\(pid)/limits", encoding: .utf8).split(separator: "\n")
    func limit(_ name: String) -> Substring? {
      limits.first { $0.hasPrefix(name) }?.dropFirst(name.count).split(separator: " ").first
    }
    #expect(limit("Max address space") == "1073741824")
    #expect(limit("Max cpu time") == "5")
    #expect(limit("Max core file size") == "0")
    let status = try String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)
    #expect(status.contains("NoNewPrivs:\t1"))
    #expect(status.contains("Seccomp:\t2"))
    kill(pid, SIGKILL)
    #expect(harness.turn(5) { result() != nil })
  }
}
