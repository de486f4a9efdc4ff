// How long compiles take through the protocol: bounds that even an unoptimised build on a busy machine keeps, and with
// LICET_COMPILER=.build/release/licet-compiler the figures themselves.

import CompilerProtocol
import Foundation
import System
import Testing

@Suite(.serialized) struct SpeedTests {
  @Test func manyOperators() throws {
    let harness = try Harness()
    let count = ProcessInfo.processInfo.environment["LICET_OPERATORS"].flatMap(Int.init) ?? 50
    let (platform, _) = try harness.platform()
    let text = Array(Harness.own(rules: 100).utf8)
    let sources = [SourceEntry(path: "operators.d/op.yaml", content: .bytes(text))]
    for _ in 0..<3 { _ = try harness.compile(Harness.own(rules: 100), on: platform).get() }
    var start = harness.loop.now
    _ = try harness.compile(Harness.own(rules: 100), on: platform).get()
    let one = Double(harness.loop.now - start) / 1e6
    var done = 0
    start = harness.loop.now
    for _ in 0..<count {
      platform.compileOperator("op", sources, clamping: false) { if (try? $0.get().isInForce) == true { done += 1 } }
    }
    #expect(harness.turn(120) { done == count })
    let all = Double(harness.loop.now - start) / 1e6
    print("one operator \(one) ms; \(count) operators \(all) ms, \(all / Double(count)) ms each")
    #expect(one < 500)
    #expect(all < Double(count) * 200)
  }
}
