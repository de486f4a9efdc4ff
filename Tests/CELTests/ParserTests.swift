// What the parser makes of text: structure, literals, macros, and where errors point.

import Testing

@testable import CEL

/// A tree as text, in prefix form, without ids and spans.
func outline(_ node: Expression) -> String {
  switch node.kind {
  case .literal(let literal): return outline(literal)
  case .identifier(let name): return name
  case .select(let operand, let field, let isTest, let isOptional):
    let mark = isTest ? ".has." : isOptional ? ".?" : "."
    return "\(outline(operand))\(mark)\(field)"
  case .call(let function, let target, let arguments):
    let list = arguments.map(outline).joined(separator: ", ")
    return "\(target.map { outline($0) + "->" } ?? "")\(function)(\(list))"
  case .list(let elements, let optionals):
    let texts = elements.enumerated().map { (optionals.contains($0.offset) ? "?" : "") + outline($0.element) }
    return "[\(texts.joined(separator: ", "))]"
  case .map(let entries):
    let texts = entries.map { "\($0.isOptional ? "?" : "")\(outline($0.key)): \(outline($0.value))" }
    return "{\(texts.joined(separator: ", "))}"
  case .message(let name): return "message \(name)"
  case .comprehension(let loop):
    let names = loop.variable + (loop.secondVariable.map { ", \($0)" } ?? "")
    return "for \(names) in \(outline(loop.range)), \(loop.accumulator) = \(outline(loop.initial)) while "
      + "\(outline(loop.condition)): \(outline(loop.step)) -> \(outline(loop.result))"
  }
}

private func outline(_ literal: Literal) -> String {
  switch literal {
  case .null: "null"
  case .bool(let value): "\(value)"
  case .int(let value): "\(value)"
  case .uint(let value): "\(value)u"
  case .double(let value): "\(value)"
  case .string(let value): value.debugDescription
  case .bytes(let value): "b\(value)"
  }
}

private func outline(_ text: String) throws -> String { outline(try parse(text)) }

/// The error that parsing gives, and the text that it points at.
private func failure(_ text: String) -> (code: CELError.Code, at: String)? {
  do throws(CELError) {
    _ = try parse(text)
    return nil
  } catch {
    let bytes = Array(text.utf8)
    return (error.code, String(decoding: bytes[error.span.lower..<error.span.upper], as: UTF8.self))
  }
}

@Suite struct ParserTests {
  @Test(arguments: [
    ("a || b && c == d + e * -f", "_||_(a, _&&_(b, _==_(c, _+_(d, _*_(e, -_(f))))))"),
    ("a - b - c", "_-_(_-_(a, b), c)"),
    ("a * b + c", "_+_(_*_(a, b), c)"),
    ("a < b == c", "_==_(_<_(a, b), c)"),
    ("a && b && c && d", "_&&_(_&&_(a, b), _&&_(c, d))"),
    ("a || b || c", "_||_(_||_(a, b), c)"),
    ("a && b || c && d || e", "_||_(_||_(_&&_(a, b), _&&_(c, d)), e)"),
    ("a ? b : c ? d : e", "_?_:_(a, b, _?_:_(c, d, e))"),
    ("a in [1, 2,]", "@in(a, [1, 2])"),
    ("!a.b", "!_(a.b)"),
    ("!!a", "!_(!_(a))"),
    ("- 1", "-1"),
    ("--1", "-_(-1)"),
    ("5 -1", "_-_(5, 1)"),
    ("-1.5.f()", "-1.5->f()"),
    ("a[0].b(c)", "_[_](a, 0)->b(c)"),
    ("a.?b[?c]", "_[?_](a.?b, c)"),
    ("[?a, b]", "[?a, b]"),
    ("{?'k': v, 1: 2,}", "{?\"k\": v, 1: 2}"),
    (".a.b", ".a.b"),
    (".f(x)", "f(x)"),
    ("a.`b-c/d.e f`", "a.b-c/d.e f"),
    ("a.if", "a.if"),
    ("a.b.C{x: 1, ?y: 2}", "message a.b.C"),
    ("math.ceil(x) + a.math.ceil(x)", "_+_(math.ceil(x), a.math->ceil(x))"),
    ("math.greatest(a, b, c)", "math.@max(a, b, c)"),
    ("has(a.b)", "a.has.b"),
    ("// nothing\n a // b", "a"),
  ])
  func structure(_ text: String, _ tree: String) throws {
    #expect(try outline(text) == tree)
  }

  @Test(arguments: [
    ("-9223372036854775808", Literal.int(.min)), ("0x7fFF", .int(32767)), ("-0xA", .int(-10)),
    ("18446744073709551615u", .uint(.max)), ("0xFFU", .uint(255)), ("1e3", .double(1000)), (".5", .double(0.5)),
    ("1.5E-2", .double(0.015)), ("-0.0", .double(-0.0)), ("null", .null), ("true", .bool(true)),
    (#""a\n\x41\u00e9\U0001F431\101\"""#, .string("a\nAé🐱A\"")), (#"r"\n""#, .string("\\n")),
    (#"R'''a'b\'''"#, .string("a'b\\")), ("'''a\nb''c'''", .string("a\nb''c")), ("''", .string("")),
    (#"b'\xff\377é'"#, .bytes([255, 255, 0xC3, 0xA9])), (#"Rb"\x""#, .bytes([0x5C, 0x78])),
    (#"'\a\b\f\t\v\r\\\?\'\`'"#, .string("\u{7}\u{8}\u{c}\t\u{b}\r\\?'`")),
  ])
  func literals(_ text: String, _ value: Literal) throws {
    guard case .literal(let found) = try parse(text).kind else {
      Issue.record("\(text) is no literal")
      return
    }
    #expect(found == value)
  }

  @Test(arguments: [
    ("[1].all(x, p)", "for x in [1], @result = true while @not_strictly_false(@result): _&&_(@result, p) -> @result"),
    (
      "[1].exists(i, x, p)",
      "for i, x in [1], @result = false while @not_strictly_false(!_(@result)): _||_(@result, p) -> @result"
    ),
    (
      "a.exists_one(x, p)",
      "for x in a, @result = 0 while true: _?_:_(p, _+_(@result, 1), @result) -> _==_(@result, 1)"
    ),
    ("a.map(x, f)", "for x in a, @result = [] while true: _+_(@result, [f]) -> @result"),
    ("a.map(x, p, f)", "for x in a, @result = [] while true: _?_:_(p, _+_(@result, [f]), @result) -> @result"),
    ("a.filter(x, p)", "for x in a, @result = [] while true: _?_:_(p, _+_(@result, [x]), @result) -> @result"),
    (
      "a.transformList(i, x, p, f)",
      "for i, x in a, @result = [] while true: _?_:_(p, _+_(@result, [f]), @result) -> @result"
    ),
    (
      "a.transformMap(k, v, f)",
      "for k, v in a, @result = {} while true: cel.@mapInsert(@result, k, f) -> @result"
    ),
    (
      "a.transformMapEntry(k, v, p, f)",
      "for k, v in a, @result = {} while true: _?_:_(p, cel.@mapInsert(@result, f), @result) -> @result"
    ),
    ("cel.bind(x, e, f)", "for #unused in [], x = e while false: x -> f"),
    (
      "cel.block([a, cel.index(0)], cel.index(1))",
      "for #unused in [], @index0 = a while false: @index0 -> "
        + "for #unused in [], @index1 = @index0 while false: @index1 -> @index1"
    ),
    (
      "o.optFlatMap(x, f)",
      "for #unused in [], @target = o while false: @target -> _?_:_(@target->hasValue(), "
        + "for #unused in [], x = @target->value() while false: x -> f, optional.none())"
    ),
  ])
  func macros(_ text: String, _ tree: String) throws {
    #expect(try outline(text) == tree)
  }

  @Test func idsAreUniqueAndSpansAreUTF8() throws {
    let text = "'é' == a.b"
    guard case .call(_, _, let arguments) = try parse(text).kind else { return }
    #expect(arguments.map(\.span) == [Span(0, 4), Span(8, 11)])
    var ids: [Int] = []
    func walk(_ node: Expression) {
      ids.append(node.id)
      switch node.kind {
      case .select(let operand, _, _, _): walk(operand)
      case .call(_, let target, let arguments):
        for operand in (target.map { [$0] } ?? []) + arguments { walk(operand) }
      case .list(let elements, _):
        for element in elements { walk(element) }
      case .map(let entries):
        for part in entries.flatMap({ [$0.key, $0.value] }) { walk(part) }
      case .comprehension(let loop):
        for part in [loop.range, loop.initial, loop.condition, loop.step, loop.result] { walk(part) }
      default: break
      }
    }
    walk(try parse("{1: [a.b].map(x, x.all(i, v, f(v)), cel.bind(q, 1, q)), ?2: o.optMap(y, y)}"))
    #expect(Set(ids).count == ids.count)
  }

  @Test(arguments: [
    ("", ""), ("a +", ""), ("a b", "b"), ("(a", ""), ("a)", ")"), ("[1, 2", ""), ("{1 2}", "2"), ("f(a,)", ")"),
    ("a.1", ".1"), ("1.a.", ""), ("a = b", "="), ("a & b", "&"), ("a | b", "|"), ("'abc", "'abc"), ("'a\nb'", "'a"),
    ("\"\"\"a\"\"", "\"\"\"a\"\""), (#"'\q'"#, #"\q"#), (#"'\x4'"#, #"\x4"#), (#"'\ud800'"#, #"\ud800"#),
    (#"b'\u0041'"#, #"\u"#), (#"'\400'"#, #"\4"#), ("9223372036854775808", "9223372036854775808"),
    ("-9223372036854775809", "9223372036854775809"), ("18446744073709551616u", "18446744073709551616u"),
    ("1e999", "1e999"), ("12abc", "12a"), ("0x", "0x"), ("1..2", ".2"), ("if", "if"), ("in", "in"), ("a.in", "in"),
    ("a.true", "true"), ("`a`", "`a`"), ("a.`b$`", "$"), ("a.`b", "`b"), ("a ? b", ""), ("é", "é"), ("a.b?.c", ""),
    ("has(a)", "a"), ("has(a.?b)", "a.?b"), ("[1].all(x.y, true)", "x.y"), ("[1].all(x, x, true)", "x"),
    ("[1].map(1, 2)", "1"), ("math.least()", "math.least()"), ("cel.index(-1)", "-1"), ("cel.block(a, b)", "a"),
    ("f(x){a: 1}", "{"), ("(a.b){c: 1}", "{"), ("!-x", "-"), ("-!x", "!"), ("a.?b(c)", "("), ("@result", "@"),
  ])
  func syntaxErrorsPointAtTheirCause(_ text: String, _ culprit: String) throws {
    let found = try #require(failure(text), "\(text) parses")
    #expect(found.code == .syntax)
    #expect(found.at == culprit, "\(text)")
  }
}
