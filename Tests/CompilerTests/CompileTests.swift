// The whole way, with real processes: sources in, verified images out; and what is left behind afterwards.

import CompilerProtocol
import Consultation
import Foundation
import PolicyImage
import System
import Testing

@Suite(.serialized) struct CompileTests {
  @Test func aPlatformAndAnOperatorCompile() throws {
    let harness = try Harness()
    let (platform, result) = try harness.platform()
    let compiled = try result.get()
    #expect(compiled.isInForce)
    #expect(compiled.facts.name == "acme")
    #expect(compiled.diagnostics == [])
    #expect(UInt(bitPattern: compiled.image.baseAddress) % 64 == 0)
    let image = try verifyPlatform(compiled.image)
    let own = try harness.compile(Harness.own(rules: 100), on: platform).get()
    #expect(own.isInForce)
    #expect(own.facts.name == "op")
    #expect(Set(own.facts.bindings) == [.init(.user, "svc"), .init(.unit, "a.service", user: "u")])
    _ = try verifyOverlay(own.image, on: image)
    withExtendedLifetime((compiled, own)) {}
  }

  @Test func whatIsWrongIsSaidWithItsLine() throws {
    let harness = try Harness()
    let (platform, _) = try harness.platform()
    let result = try harness.compile(Harness.own(more: "  - {allow: tol}\n"), on: platform).get()
    #expect(!result.isInForce)
    #expect(result.image.isEmpty)
    let diagnostic = try #require(result.diagnostics.first)
    #expect(diagnostic.operator == "op")
    #expect(diagnostic.severity == .error)
    #expect(diagnostic.code == "undeclared-behavior")
    #expect(diagnostic.file == "operators.d/op.yaml")
    #expect(diagnostic.text == "  - {allow: tol}")
  }

  /// Time zones lie in files, which the sandbox has to let through, and nothing else.
  @Test func aTimeZoneIsFound() throws {
    let harness = try Harness()
    let (platform, _) = try harness.platform()
    let rule = "  - {limit: tool, to: deny, when: \"now.getHours('Europe/Berlin') < 8\"}\n"
    let result = try harness.compile(Harness.own(more: rule), on: platform).get()
    #expect(result.isInForce, "\(result.diagnostics)")
  }

  @Test func aBrokenPlatformIsAnAnswerAndEndsItsProcess() throws {
    let harness = try Harness()
    let (platform, result) = try harness.platform([Harness.file("platform.yaml", "licet: 1\nlayer: platform\nx: 1\n")])
    #expect(try result.get().isInForce == false)
    #expect(try result.get().diagnostics.isEmpty == false)
    #expect(harness.turn { !platform.isOpen })
    #expect(try harness.compile(Harness.own(), on: platform).failure == .died)
    let failed = SourceEntry(path: "platform.yaml", content: .failure(.init(.untrustedOwner, number: 7, folder: "/e")))
    let (_, untrusted) = try harness.platform([failed])
    #expect(try untrusted.get().isInForce == false)
    #expect(try untrusted.get().diagnostics.first?.message.contains("7") == true)
  }

  @Test func operatorsAskedForBeforeThePlatformIsThereWait() throws {
    let harness = try Harness()
    var order: [String] = []
    let platform = harness.client.compilePlatform(Harness.platform) { _ in order.append("platform") }
    for name in ["a", "b", "c", "d"] {
      platform.compileOperator(name, [Harness.file("operators.d/\(name).yaml", Harness.own(name))], clamping: false) {
        if (try? $0.get().isInForce) == true { order.append(name) }
      }
    }
    #expect(harness.turn { order.count == 5 })
    #expect(Set(order) == ["platform", "a", "b", "c", "d"])
  }

  /// No descriptor, process or zombie stays, here or there.
  @Test func nothingIsLeftAfterAThousand() throws {
    let harness = try Harness()
    let (platform, _) = try harness.platform()
    _ = try harness.compile(Harness.own(), on: platform).get()
    let (parent, child) = try harness.processes()
    func counts() -> [Int] {
      [parent, child].map { Harness.descriptors(of: $0).count } + [Harness.children(of: child).count]
    }
    harness.turn(2) { counts().last == 0 }
    let before = counts()
    var (done, inForce) = (0, 0)
    for _ in 0..<1000 {
      platform.compileOperator("op", [Harness.file("operators.d/op.yaml", Harness.own())], clamping: false) {
        done += 1
        if (try? $0.get().isInForce) == true { inForce += 1 }
      }
    }
    #expect(harness.turn(120) { done == 1000 })
    #expect(inForce == 1000)
    #expect(harness.turn(5) { counts() == before })
    let own = Harness.descriptors(of: getpid()).filter { $0.contains("licet-result") || $0.contains("licet-sources") }
    #expect(own.isEmpty)
    platform.close()
    #expect(harness.turn(5) { Harness.process(child) == nil })
    harness.client.close()
    #expect(harness.turn(5) { Harness.process(parent) == nil })
  }

  /// A fresh process holds its own sources, its reply socket and its lifeline; nobody else's.
  @Test func anOperatorSeesNobodyElse() throws {
    let harness = try Harness()
    let (platform, _) = try harness.platform()
    let (parent, child) = try harness.processes()
    var results: [String: Result<CompileResult, CompilerFailure>] = [:]
    for name in ["a", "b"] {
      let slow = Harness.own(name, rules: 20_000)
      platform.compileOperator(name, [Harness.file("operators.d/\(name).yaml", slow)], clamping: false) {
        results[name] = $0
      }
    }
    #expect(harness.turn(10) { Harness.children(of: child).count == 2 })
    for pid in Harness.children(of: child) {
      kill(pid, SIGSTOP)
      #expect(harness.turn(2) { Harness.process(pid)?.state == "T" })
      let open = Harness.descriptors(of: pid)
      // A result, once it is written, is the child's own as well.
      #expect(open.filter { $0.contains("licet-sources") }.count <= 1)
      #expect(open.filter { $0.hasPrefix("socket:") }.count <= 2)
      #expect(!open.contains { $0.hasPrefix("anon_inode") })
      kill(pid, SIGCONT)
    }
    #expect(harness.turn(30) { results.count == 2 })
    #expect(Harness.process(parent) != nil)
  }
}
