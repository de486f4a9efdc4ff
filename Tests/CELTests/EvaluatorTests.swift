// The evaluator against independent answers: Foundation's numbers and zones, a plain matcher for patterns, and
// expressions that stand in no list.

import Decision
import Foundation
import PolicyImage
import TestKit
import Testing

@testable import CEL

@Suite struct EvaluatorTests {
  @Test func doublesPrintShortestAndReadBack() throws {
    let printer = try CompiledExpression("string(x)", Environment(variables: ["x": Variable(.double)]))
    let reader = try CompiledExpression("double(s)", Environment(variables: ["s": Variable(.string)]))
    var random = SystemRandomNumberGenerator()
    for round in 0..<3000 {
      let d = round % 3 == 0 ? Double.random(in: -1e6...1e6) : Double(bitPattern: random.next())
      guard d.isFinite else { continue }
      guard case .string(let text) = printer.value(["x": .double(d)]) else {
        Issue.record("\(d.debugDescription) doesn't print")
        continue
      }
      #expect(Double(text) == d, "\(text) for \(d.debugDescription)")
      // As few digits as Swift's own printer, which is shortest.
      let digits = { (s: String) in
        s.prefix { $0 != "e" }.filter(\.isNumber).drop { $0 == "0" }.reversed().drop { $0 == "0" }.count
      }
      #expect(digits(text) <= digits(d.description), "\(text) for \(d.description)")
      for spelled in [d.description, String(format: "%.25e", d), String(format: "%.3e", d)] {
        #expect(reader.value(["s": .string(spelled)]) == .double(Double(spelled) ?? .nan), "\(spelled)")
      }
    }
  }

  @Test func formatAgreesWithC() throws {
    let e = try CompiledExpression("'%.3f %e %.0f'.format([x, x, x])", Environment(variables: ["x": Variable(.double)]))
    for _ in 0..<1000 {
      let d = Double.random(in: -1e9...1e9) * pow(10, Double(Int.random(in: -12...12)))
      #expect(e.value(["x": .double(d)]) == .string(String(format: "%.3f %e %.0f", d, d, d)))
    }
  }

  @Test(arguments: [
    "a+b", "^(foo|ba[rz])$", "\\bword\\b", "(?m)^x.*y$", "[^a-c]x", "(a|b)*abb", "é+", "\\Bab", "a{2,4}b", "(?i)grüße",
    "^$", "(ab?){3}", "x*", "[😀-😂]|ñ",
  ])
  func automataAgreeWithThePlainMatcher(_ text: String) throws {
    let pattern = try parsePattern(text)
    let letters = Array("abcxyw ordfzñé😀😁\nGRÜßE_1").map(String.init)
    let compiled = try CompiledExpression(
      "s.matches(r'''\(text)''')", Environment(variables: ["s": Variable(.string)]))
    for _ in 0..<300 {
      let s = (0..<Int.random(in: 0...8)).map { _ in letters.randomElement() ?? "" }.joined()
      #expect(compiled.value(["s": .string(s)]) == .bool(matches(pattern, s)), "\(text) on \(s.debugDescription)")
    }
  }

  /// A pattern whose automaton would be too large is simulated instead.
  @Test func largePatternsAreSimulated() throws {
    let e = try CompiledExpression("s.matches('(a|b)*a(a|b){14}$')", Environment(variables: ["s": Variable(.string)]))
    #expect(e.value(["s": .string("b" + "a" + String(repeating: "b", count: 14))]) == .bool(true))
    #expect(e.value(["s": .string("a" + "b" + String(repeating: "b", count: 14))]) == .bool(false))
  }

  @Test(arguments: ["America/New_York", "Australia/Sydney", "Asia/Kathmandu", "Europe/Dublin", "America/St_Johns"])
  func zonesAgreeWithFoundation(_ name: String) throws {
    let zone = try #require(TimeZone(identifier: name))
    var calendar = Calendar(identifier: .gregorian)
    calendar.timeZone = zone
    let e = try CompiledExpression(
      "[t.getDate('\(name)'), t.getHours('\(name)'), t.getMinutes('\(name)')]",
      Environment(variables: ["t": Variable(.timestamp)]))
    for _ in 0..<500 {
      let seconds = Int64.random(in: -1_000_000_000...4_000_000_000)
      let parts = calendar.dateComponents([.day, .hour, .minute], from: Date(timeIntervalSince1970: Double(seconds)))
      let expected = [parts.day, parts.hour, parts.minute].map { TestValue.int(Int64($0 ?? -1)) }
      #expect(e.value(["t": .timestamp(seconds, 0)]) == .list(expected), "\(name) at \(seconds)")
    }
  }

  @Test(
    arguments: [
      ("9223372036854775807 + 1", .failure(.overflow)), ("-9223372036854775808 / -1", .failure(.overflow)),
      ("-9223372036854775808 % -1", .failure(.overflow)), ("0u - 1u", .failure(.overflow)),
      ("1 % 0", .failure(.divisionByZero)), ("uint(-0.0)", .uint(0)), ("int('-9223372036854775808')", .int(.min)),
      ("double('0x1p3')", .failure(.badConversion)), ("math.sqrt(2)", .double(1.4142135623730951)),
      ("[1, 2, 3, 4].filter(x, x % 2 == 0).map(x, x * x)", .list([.int(4), .int(16)])),
      ("duration('1.5h30m') == duration('2h')", .bool(true)), ("{1: 'a', 1u: 'b'}", .failure(.duplicateKey)),
      ("(1 / 0 > 0) || true", .bool(true)), ("false && (1 / 0 > 0)", .bool(false)),
      ("'aXbXc'.split('X', 2)", .list([.string("a"), .string("bXc")])), ("'añb'.reverse()", .string("bña")),
      ("'abc'.replace('', '-')", .string("-a-b-c-")), ("optional.none().orValue(3)", .int(3)),
      ("'\u{e9}' == 'e\u{301}'", .bool(false)),
      ("[?optional.of(1), ?optional.none(), 2]", .list([.int(1), .int(2)])),
    ] as [(String, TestValue)])
  func expressionsThatAreInNoList(_ source: String, _ expected: TestValue) throws {
    #expect(try evaluate(source) == expected)
  }

  @Test func costAndArenaAreBounded() throws {
    let nested = try CompiledExpression(
      "x.all(a, x.all(b, x.all(c, a + b + c >= 0)))", Environment(variables: ["x": Variable(.list(.int))]))
    let long = TestValue.list((0..<1000).map { .int($0) })
    #expect(nested.value(["x": long]) == .failure(.costLimit))
    let small = try CompiledExpression(
      "x.map(a, a)", Environment(variables: ["x": Variable(.list(.int))]), arena: 1024)
    #expect(small.value(["x": long]) == .failure(.arenaFull))
    #expect(nested.outcome().failure == .missingAttribute)
    #expect(nested.outcome().slot == BuiltInSlot.count)
  }

  /// In the order of what they cost and how seldom they hold, which changes nothing in what the conjunction comes to.
  @Test func conjunctsBecomeTests() throws {
    let environment = Environment(variables: ["b": Variable(.bool), "n": Variable(.int), "s": Variable(.string)])
    let e = try CompiledExpression("!b && 3 < n && s == 'x' && s.size() > n", environment, asCondition: true)
    #expect(
      e.tests?.map(\.operation)
        == [TestOperation.string, .bool, .int, .program].map(\.rawValue))
    #expect(e.tests?[2].comparison == Comparison.greater.rawValue)
  }
}
