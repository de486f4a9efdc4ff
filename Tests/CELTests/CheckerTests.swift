// Types, references and errors of checked expressions.

import Testing

@testable import CEL

private let environment = Environment(variables: [
  "request.behavior": Variable(.string), "request.amount": Variable(.int),
  "request.args": Variable(.map(.string, .dyn)),
  "request.tags": Variable(.list(.string)), "request.at": Variable(.timestamp),
  "request.source": Variable(.string, values: ["platform", "operator", "user", "agent", "untrusted"]),
  "user.role": Variable(.string, values: ["guest", "member", "admin"]), "user.age": Variable(.uint),
  "now": Variable(.timestamp), "any": Variable(.dyn), "score": Variable(.double),
  "a.b": Variable(.map(.string, .int)), "a.b.c": Variable(.string),
])

private func checked(_ text: String, in environment: Environment = environment) throws -> CheckedExpression {
  try check(text, in: environment)
}

/// One line an error: code, the text that it points at, and the hint.
private func errors(_ text: String, in environment: Environment = environment) -> [String] {
  do throws(Rejection) {
    _ = try check(text, in: environment)
    return []
  } catch {
    let bytes = Array(text.utf8)
    return error.errors.map {
      let at = String(decoding: bytes[$0.span.lower..<$0.span.upper], as: UTF8.self)
      return "\($0.code.rawValue) at \(at)\($0.hint.map { " (\($0))" } ?? "")"
    }
  }
}

private func reference(_ text: String, in environment: Environment = environment) throws -> Reference? {
  let checked = try checked(text, in: environment)
  return checked.references[checked.expression.id]
}

@Suite struct CheckerTests {
  @Test(arguments: [
    ("1 + 2", CELType.int), ("[1, 2][0]", .int), ("{'a': 1u}['a']", .uint), ("{'a': 1u}.a", .uint), ("[]", .list(.dyn)),
    ("[1, 'a']", .list(.dyn)), ("[[], [1]]", .list(.list(.int))),
    ("{'a': [], 'b': ['x']}", .map(.string, .list(.string))),
    ("{1: 'a', 'b': 'c'}", .map(.dyn, .string)), ("any", .dyn), ("any + 1", .int), ("1 + any", .int),
    ("any + any", .dyn),
    ("any > 1", .bool), ("any.x.y[0]", .dyn), ("1 < 2.0 && 1u >= 1 && 2.0 > 1u", .bool), ("int('1')", .int),
    ("type(1)", .type(.int)), ("int", .type(.int)), ("now - now", .duration), ("now + duration('1h')", .timestamp),
    ("now.getHours('+01:00')", .int), ("true ? 1 : any", .dyn), ("true ? [] : [1]", .list(.int)),
    ("request.tags.map(t, size(t))", .list(.int)), ("request.tags.filter(t, t != '')", .list(.string)),
    ("request.tags.transformMap(i, t, t)", .map(.int, .string)), ("{'a': 1}.transformList(k, v, k)", .list(.string)),
    ("{'a': 1}.map(k, k)", .list(.string)), ("request.tags.exists(t, t in ['x'])", .bool), ("any.all(x, x > 1)", .bool),
    ("[1].transformMapEntry(i, x, {string(x): i})", .map(.string, .int)), ("optional.of(1)", .optional(.int)),
    ("{'a': 1}.?a", .optional(.int)), ("{'a': {'b': 1}}.?a.b", .optional(.int)), ("[1][?0].orValue(2)", .int),
    ("{'a': 1}.?a.optMap(x, string(x))", .optional(.string)),
    ("{'a': 1}.?a.optFlatMap(x, optional.of([x]))", .optional(.list(.int))),
    ("[?optional.of(1)]", .list(.int)), ("optional.none()", .optional(.dyn)), ("cel.bind(x, 'a', x + x)", .string),
    ("math.greatest(1, 2, 3)", .int), ("math.least(1, 2.0)", .dyn), ("math.greatest([1u])", .uint),
    ("math.sqrt(4)", .double),
    ("'a,b'.split(',')", .list(.string)), ("'%s'.format([1])", .string), ("base64.encode(b'a')", .string),
    ("optional.unwrap([optional.of(1)])", .list(.int)), ("a.b.c", .string), ("a.b.d", .int), ("a.b['c']", .int),
    ("dyn(1)", .dyn), ("[1, dyn('a')]", .list(.dyn)), ("null", .null), ("has(request.args.x.y)", .bool),
  ])
  func types(_ text: String, _ type: CELType) throws {
    #expect(try checked(text).type == type, "\(text)")
  }

  @Test(arguments: [
    ("1 + 2", ["add_int64"]), ("any + 2", ["add_int64"]), ("1u < 2.0", ["less_uint64_double"]),
    ("any < 'a'", ["less_string"]), ("'a' in {'a': 1}", ["in_map"]), ("'a' in any", ["in_list", "in_map"]),
    ("any == 1", ["equals"]), ("'a'.size()", ["string_size"]),
    ("size(any)", ["size_string", "size_bytes", "size_list", "size_map"]),
    ("now.getSeconds('UTC')", ["timestamp_to_seconds_tz"]), ("math.greatest(1, 2)", ["math_@max_numbers"]),
    ("math.greatest([1])", ["math_@max_list"]), ("math.greatest(any)", ["math_@max_numbers", "math_@max_list"]),
    ("-any", ["negate_int64", "negate_double"]), ("'a'.matches('b')", ["matches_string"]),
    ("matches('a', 'b')", ["matches"]),
    ("'a'.join(any)", []),
  ])
  func overloads(_ text: String, _ ids: [String]) throws {
    if ids.isEmpty {
      #expect(errors(text).count == 1)
    } else {
      #expect(try reference(text) == .overloads(ids), "\(text)")
    }
  }

  @Test func everyOverloadIdIsUniqueAndCanBeChosen() {
    #expect(Set(Function.all.map(\.id)).count == Function.all.count)
    #expect(Function.all.allSatisfy { !$0.isMember || !$0.arguments.isEmpty })
  }

  // MARK: Names

  @Test func theLongestDeclaredNameWins() throws {
    #expect(try reference("a.b.c") == .variable("a.b.c"))
    #expect(try reference("a.b.d") == nil)
    #expect(try reference("has(user.role)") == .variable("user.role"))
    #expect(try reference("has(a.b.c)") == .variable("a.b.c"))
    #expect(try reference("google.protobuf.Timestamp") == .type(.timestamp))
    #expect(try checked("a.b.d > 1 && a.b.c == '' && has(user.role)").variables == ["a.b", "a.b.c", "user.role"])
  }

  @Test func namesAreTriedInTheContainerFirst() throws {
    let variables = ["x.y.v": Variable(.int), "x.v": Variable(.uint), "v": Variable(.bool), "x.w": Variable(.bytes)]
    let environment = Environment(variables: variables, container: "x.y")
    #expect(try reference("v", in: environment) == .variable("x.y.v"))
    #expect(try reference(".v", in: environment) == .variable("v"))
    #expect(try reference("w", in: environment) == .variable("x.w"))
  }

  @Test func variablesOfMacrosHideDeclaredOnes() throws {
    #expect(try checked("[{'c': 1}].exists(a, a.c == 1)").variables == [])
    #expect(try checked("['x'].exists(a, .a.b.c == a)").variables == ["a.b.c"])
    #expect(try checked("[1].map(now, now)").type == .list(.int))
    #expect(try checked("[1].map(x, x).size() == 1 || now == now").variables == ["now"])
    // The range is outside of the variable's scope.
    #expect(errors("[x].map(x, x)") == ["cel-undeclared at x"])
    #expect(errors("[1].map(x, x)[0] == x") == ["cel-undeclared at x"])
  }

  // MARK: Errors

  @Test(arguments: [
    ("usr.role == 'admin'", ["cel-undeclared at usr.role (did you mean 'user.role'?)"]),
    ("request.amuont > 1", ["cel-undeclared at request.amuont (did you mean 'request.amount'?)"]),
    ("request.argz.x.y == 1", ["cel-undeclared at request.argz.x.y (did you mean 'request.args'?)"]),
    ("user.rol.startsWith('a')", ["cel-undeclared at user.rol (did you mean 'user.role'?)"]),
    ("has(user.nothing)", ["cel-undeclared at has(user.nothing) (declared are user.age, user.role)"]),
    ("user == 'x'", ["cel-undeclared at user (declared are user.age, user.role)"]),
    ("nwo > now", ["cel-undeclared at nwo (did you mean 'now'?)"]),
    ("'a'.startWith('b')", ["cel-undeclared at 'a'.startWith('b') (did you mean 'startsWith'?)"]),
    ("math.cell(1.0)", ["cel-undeclared at math.cell(1.0) (did you mean 'math.ceil'?)"]),
    ("request.tags.all(true)", ["cel-undeclared at request.tags.all(true) (write list.all(x, condition))"]),
    ("1 + 'a'", ["cel-no-overload at 1 + 'a'"]),
    ("1 + 1.0", ["cel-no-overload at 1 + 1.0 (convert one with int(…) or double(…))"]),
    ("1 == 'a'", ["cel-no-overload at 1 == 'a'"]),
    ("now == null", ["cel-no-overload at now == null"]),
    ("true && 1", ["cel-no-overload at 1"]),
    ("'a' ? 1 : 2", ["cel-no-overload at 'a'"]),
    ("true ? 1 : 'a'", ["cel-no-overload at true ? 1 : 'a' (make both the same, or wrap one in dyn(…))"]),
    ("[1].all(x, x)", ["cel-no-overload at x"]),
    ("1.all(x, true)", ["cel-type-mismatch at 1"]),
    ("1.x", ["cel-type-mismatch at 1.x"]),
    ("[?1]", ["cel-type-mismatch at 1 (leave out the '?', or wrap it in optional.of(…))"]),
    ("{1.0: 2}", ["cel-type-mismatch at 1.0 (keys are int, uint, bool or string)"]),
    ("{1: 2}.x", ["cel-type-mismatch at {1: 2}.x"]),
    (
      "size(1)",
      ["cel-no-overload at size(1) (there is size(string), size(bytes), size(list(dyn)), size(map(dyn, dyn)), …)"]
    ),
    ("M{x: 1}", ["cel-message at M{x: 1} (use a map: {'field': value})"]),
  ])
  func errorsSayWhereAndWhatNext(_ text: String, _ expected: [String]) {
    #expect(errors(text) == expected)
  }

  @Test func allErrorsAreReportedWithoutCascades() {
    let text = "usr.role == 'x' && 1 + 'a' > 2 || size(true) == foo(now) + 1"
    #expect(
      errors(text).map { $0.prefix { $0 != "(" } } == [
        "cel-undeclared at usr.role ", "cel-no-overload at 1 + 'a'", "cel-no-overload at size", "cel-undeclared at foo",
      ])
  }

  @Test(arguments: [
    "user.role == 'amdin'", "'amdin' != user.role", "user.role in ['member', 'amdin']", "!(user.role == \"amdin\")",
  ])
  func literalsThatAreNoValueOfAnEnumeration(_ text: String) {
    let found = errors(text)
    #expect(found.count == 1)
    #expect(found.first?.hasPrefix("cel-enum-value") == true)
    #expect(found.first?.hasSuffix("(did you mean 'admin'? the values are guest, member, admin)") == true)
  }

  @Test(arguments: [
    "user.role == 'admin'", "user.role in ['guest', 'member']", "user.role == request.behavior",
    "user.role.startsWith('zz')",
    "['zz'].exists(user, user == 'zz')",
  ])
  func otherUsesOfAnEnumeration(_ text: String) {
    #expect(errors(text) == [])
  }

  @Test(arguments: [
    ("'a'.matches('a(b')", ["cel-pattern at ( (write \\( for the character itself)"]),
    (#"'a'.matches(r'é\1')"#, [#"cel-pattern at \1 (write \x for characters by number)"#]),
    (#"'a'.matches('\u00e9[a')"#, [#"cel-pattern at [ (write \[ for the character itself)"#]),
    (
      #"'a'.matches('''\n\n(?=x)''')"#,
      ["cel-pattern at (?= (use two matches() joined by && or !; each is checked in linear time)"]
    ),
    ("matches('a', ('x**'))", ["cel-pattern at ** (put the inner one in (?:…))"]),
    (
      "'a'.matches(request.behavior)",
      [
        "cel-pattern-not-literal at request.behavior (patterns are compiled when the policy is loaded; compare with contains() or startsWith() instead)"
      ]
    ),
    (
      "any.matches('a' + 'b')",
      [
        "cel-pattern-not-literal at 'a' + 'b' (patterns are compiled when the policy is loaded; compare with contains() or startsWith() instead)"
      ]
    ),
  ])
  func patterns(_ text: String, _ expected: [String]) {
    #expect(errors(text) == expected)
  }

  // MARK: Conditions and unchecked expressions

  @Test func conditionsAreBool() throws {
    #expect(try checkCondition("user.age > 1u", in: environment).type == .bool)
    #expect(try checkCondition("request.args.flag", in: environment).type == .dyn)
    for text in ["1", "'a'", "[true]", "null"] {
      do throws(Rejection) {
        _ = try checkCondition(text, in: environment)
        Issue.record("\(text) passes for a condition")
      } catch {
        #expect(error.errors.map(\.code) == [.notBool])
      }
    }
  }

  @Test func uncheckedExpressionsHaveNoTypes() throws {
    var unchecked = environment
    unchecked.isChecked = false
    let expression = try checked("1 + 'a' == nowhere.x || f(1) || 'a'.substring(1, 2, 3) == now", in: unchecked)
    #expect(expression.type == .dyn)
    #expect(expression.types.isEmpty)
    #expect(expression.variables == ["now"])
    let sums = expression.references.values.filter {
      if case .overloads(let ids) = $0 { ids.contains("add_int64") } else { false }
    }
    #expect(sums.count == 1)
    #expect(try reference("f(1)", in: unchecked) == nil)
    #expect(try reference("nowhere", in: unchecked) == nil)
    // A pattern must be there when the policy is loaded, checked or not.
    #expect(errors("'a'.matches(any)", in: unchecked).count == 1)
  }

  @Test func localsAreReferences() throws {
    let checked = try checked("[1].map(x, x)")
    let locals = checked.references.values.filter { if case .local = $0 { true } else { false } }
    #expect(Set(locals) == [.local("x"), .local("@result")])
  }
}
