// The front end's limits, each from both sides, on a thread as small as the smallest that may call it.

import Foundation
import Testing

@testable import CEL

/// Runs `body` on a thread with a stack of 512 KiB.
func onSmallStack<T: Sendable>(_ body: @escaping @Sendable () -> T) async -> T {
  await withCheckedContinuation { continuation in
    let thread = Thread { continuation.resume(returning: body()) }
    thread.stackSize = 512 * 1024
    thread.start()
  }
}

/// The codes of the errors that checking `text` gives, with a few variables declared.
func codes(_ text: String, isChecked: Bool = true) -> [CELError.Code] {
  let environment = Environment(
    variables: ["x": Variable(.int), "d": Variable(.dyn), "s": Variable(.string)], isChecked: isChecked)
  do throws(Rejection) {
    _ = try check(text, in: environment)
    return []
  } catch {
    return error.errors.map(\.code)
  }
}

@Suite struct ParserLimitTests {
  /// One level of each way to nest: what stands before and after the inner expression.
  static let nestings: [(before: String, after: String)] = [
    ("(", ")"), ("[", "]"), ("{1: ", "}"), ("{?'k': ", "}"), ("-", ""), ("!", ""), ("dyn(", ")"), ("d.f(", ")"),
    ("d[", "]"), ("d ? d : ", ""), ("d ? (", ") : d"), ("1 + ", ""), ("1 + (", ")"), ("d || (d && ", ")"),
    ("[1].all(i, ", ")"), ("[1].map(i, ", ")"), ("{1: 2}.transformMap(k, v, d, ", ")"), ("cel.bind(b, 1, ", ")"),
    ("cel.bind(b, ", ", b)"), ("optional.of(1).optMap(o, ", ")"), ("math.greatest(1, ", ")"), ("has(d.f[", "].g)"),
    ("M{f: ", "}"), ("d.matches(", ")"), ("", ".f"), ("", "[0]"), ("", ".?f"), ("", ".f()"), ("", " + 1"),
    ("", ".map(m, m)"), ("", " == 1"), ("[1].exists(i, d || d && 1 + (", ") == d)"),
  ]

  @Test(arguments: nestings.indices, [true, false])
  func deepNestingIsAnError(_ index: Int, isChecked: Bool) async {
    let (before, after) = Self.nestings[index]
    let depths = [20, 30, 40, 60, 80, 100, 120, 125, 126, 127, 128, 129, 5000]
    let found: [[CELError.Code]] = await onSmallStack {
      depths.map { depth in
        let text = String(repeating: before, count: depth) + "d" + String(repeating: after, count: depth)
        return codes(text, isChecked: isChecked)
      }
    }
    #expect(!found[0].contains(.tooDeep))
    let last = found[found.count - 1]
    #expect(last == [.tooDeep] || last == [.tooLong])
  }

  @Test func longChainsOfLogicAreNotDeep() async {
    for symbol in ["&&", "||"] {
      let text = Array(repeating: "x > 1", count: 5000).joined(separator: symbol)
      #expect(await onSmallStack { codes(text) } == [])
    }
  }

  @Test func sourceLength() {
    let text = "1" + String(repeating: " ", count: Limits.sourceLength - 1)
    #expect(codes(text) == [])
    #expect(codes(text + " ") == [.tooLong])
  }

  @Test func nodeCount() {
    func list(_ count: Int) -> String {
      "[" + Array(repeating: "d.optMap(i,i)", count: count).joined(separator: ",") + "]"
    }
    #expect(codes(list(3600)) == [])
    let dense = list(4600)
    #expect(dense.utf8.count <= Limits.sourceLength)
    #expect(codes(dense) == [.tooComplex])
  }

  @Test func errorCount() {
    let text = "[" + Array(repeating: "nothing", count: 8000).joined(separator: ",") + "]"
    #expect(codes(text) == Array(repeating: .undeclared, count: Limits.errors))
  }

  /// Types that double with each binding are given up on, not worked out.
  @Test func typesThatExplode() {
    var text = "b59"
    for index in (1..<60).reversed() {
      text =
        "cel.bind(b\(index), {}, cel.bind(t\(index), [b\(index - 1) in b\(index), b\(index)[b\(index - 1)] == b\(index - 1)], \(text)))"
    }
    let start = ContinuousClock.now
    #expect(codes("cel.bind(b0, [1], \(text))") == [.tooComplex])
    #expect(ContinuousClock.now - start < .seconds(20))
  }
}
