// Damaged input: never a trap, and every error points into the text.

import Testing

@testable import CEL

/// A small generator of the same numbers each run.
private struct SplitMix: RandomNumberGenerator {
  var state: UInt64
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}

@Suite struct ParserRobustnessTests {
  static let expressions = [
    "request.amount > 100 && user.role in ['admin', \"member\"] || !has(request.args.x.y)",
    "[1, 2u, 3.5e-7, 0xFF, -9223372036854775808].exists_one(x, x % 2 == 0 ? true : x < 1.0)",
    "{'a': [?optional.of(b'\\xff')], ?\"k\": m[?'k'], 1: r'\\d', true: '''x\ny'''}.?a.`b-c`.orValue([])",
    "cel.bind(x, math.greatest(1, 2, -3), cel.block([x, cel.index(0) + 1], cel.index(1)))",
    "m.transformMapEntry(k, v, v != null, {string(k): type(v)}).transformList(i, x, i).map(y, y > 1, y)",
    "now.getHours('+01:00') - int('1') * duration('1h').getSeconds() // done",
    "'é🐱'.matches(r'(?i)^[[:alpha:]\\p{Greek}é-ü]{2,3}?|\\Qa.b\\E(?P<n>\\x{41}|\\101)*$') && .a.b == M{f: 1}",
    "o.optMap(x, x.optFlatMap(y, y)).value().format(['%s', 1])[0][?1].f(g(), h(1, 2))",
  ]
  static let alphabet = Array("()[]{}?:.,'\"`\\+-*/%!=<>&|0123456789abefinrux_ \n@#éß🐱\u{0}".unicodeScalars)

  private static func damaged(_ text: String, _ other: String, _ random: inout SplitMix) -> String {
    var scalars = Array(text.unicodeScalars)
    for _ in 0..<Int.random(in: 1...4, using: &random) {
      let at = Int.random(in: 0...scalars.count, using: &random)
      let end = min(scalars.count, at + Int.random(in: 0...6, using: &random))
      switch Int.random(in: 0..<5, using: &random) {
      case 0: scalars.removeSubrange(at..<end)
      case 1: scalars.insert(alphabet.randomElement(using: &random) ?? "(", at: at)
      case 2: scalars.insert(contentsOf: scalars[at..<end], at: at)
      case 3: scalars.insert(contentsOf: other.unicodeScalars.prefix(Int.random(in: 0...40, using: &random)), at: at)
      default: if at < scalars.count { scalars[at] = alphabet.randomElement(using: &random) ?? ")" }
      }
    }
    var result = String.UnicodeScalarView()
    result.append(contentsOf: scalars)
    return String(result)
  }

  @Test(arguments: [UInt64(1), 2])
  func damagedExpressions(_ seed: UInt64) {
    var random = SplitMix(state: seed)
    let variables = [
      "request.amount": Variable(.int), "request.args": Variable(.map(.string, .dyn)),
      "m": Variable(.map(.string, .int)),
      "user.role": Variable(.string, values: ["admin", "member"]), "now": Variable(.timestamp), "o": Variable(.dyn),
    ]
    var passed = 0
    for round in 0..<2000 {
      let text = Self.damaged(
        Self.expressions[round % Self.expressions.count], Self.expressions.randomElement(using: &random) ?? "", &random)
      do throws(Rejection) {
        _ = try check(text, in: Environment(variables: variables, isChecked: round % 3 != 0))
        passed += 1
      } catch {
        let length = text.utf8.count
        for found in error.errors {
          #expect(
            0 <= found.span.lower && found.span.lower <= found.span.upper && found.span.upper <= length, "\(text)")
        }
        #expect(!error.errors.isEmpty)
      }
    }
    #expect(passed > 50, "the damage leaves too little that checks to be worth a test")
  }

  @Test(arguments: [UInt64(1), 2])
  func damagedPatterns(_ seed: UInt64) {
    var random = SplitMix(state: seed)
    let patterns = [
      "(?i)^[[:alpha:]\\p{Greek}é-ü]{2,3}?|\\Qa.b\\E(?P<n>\\x{41}|\\101)*$",
      "(?ms-i:a.b|c*+)(?:\\b\\B\\A\\z)[^]\\d\\-z]",
      "((a{2,}){3}b?){1,9}\\PL\\pN\\p{^Lu}[[:^digit:]-x]",
    ]
    var passed = 0
    for round in 0..<4000 {
      let text = Self.damaged(patterns[round % patterns.count], patterns.randomElement(using: &random) ?? "", &random)
      do throws(PatternError) {
        _ = try parsePattern(text)
        passed += 1
      } catch {
        let span = error.span
        #expect(0 <= span.lower && span.lower <= span.upper && span.upper <= text.utf8.count, "\(text)")
      }
    }
    #expect(passed > 50)
  }
}
