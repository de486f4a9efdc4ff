// A CEL error points at its place in the file, however YAML wrote the condition.

import Testing

@testable import PolicyLanguage

@Suite struct ScalarMapTests {
  /// `when:` with the undeclared name `nope`, whose place in the file is expected.
  static let conditions: [(title: String, text: String)] = [
    ("plain", "user.age > 1 && nope > 2"),
    ("plain over lines", "user.age > 1\n      && user.age > 2\n\n      && nope"),
    ("plain before a comment", "nope # nope"),
    ("plain with wide characters", "user.role == \"日本語🎈é\" || nope"),
    ("single quotes", "'user.role == \"guest\" && nope'"),
    ("single quotes, doubled", "'user.role == ''guest'' && ''''.size() == 1 && nope'"),
    ("single quotes over lines", "'user.role == ''guest''   \n      && nope'"),
    ("double quotes", "\"user.age > 1 && nope\""),
    ("escaped quotes", #""user.role == \"guest\" && nope""#),
    ("escapes of every width", #""user.role == '\x41\u00e9\U0001F388\\n' && \t nope""#),
    ("escapes by letter", #""\/* *\/ nope""#.replacing(#"\/* *\/"#, with: #"1 \/ 1 == 1 &&\ "#)),
    ("double quotes over lines", "\"user.age > 1\n\n      && nope\""),
    ("an escaped line break", "\"user.age > 1 \\\n      && nope\""),
    ("an escaped line break and an empty line", "\"user.age > 1 &&\\\n\n      nope\""),
    ("literal", "|\n      user.age > 1\n      && nope\n"),
    ("literal with empty lines", "|-\n\n      user.age > 1\n\n        && 1 < 2\n\n      && nope"),
    ("literal with stated indentation", "|4-\n        user.age > 1 &&\n          nope"),
    ("folded", ">\n      user.age > 1\n      && user.age < 9\n      && nope\n"),
    ("folded with empty lines", ">-\n      user.age > 1\n\n      && user.age < 9\n\n\n      && nope"),
    ("folded with deeper lines", ">-\n      user.age > 1\n        && user.age < 9\n      && nope"),
  ]

  @Test(arguments: conditions, ["\n", "\r\n", "\r"])
  func anErrorPointsAtItsPlace(_ condition: (title: String, text: String), _ lineEnd: String) throws {
    let head = Sample.text("shop", "rules:\n  - deny: tool\n    when: ")
    for prefix in ["", "\u{FEFF}"] {
      let text = (prefix + head + condition.text + "\n").replacing("\n", with: lineEnd)
      let set = loadOnSample(file("operators.d/shop.yaml", text))
      let found = try #require(set.diagnostics.first { $0.code == .celUndeclared }, "\(condition.title): \(set.summary)")
      #expect(found.location == Self.place(of: "nope", in: text, lineEnd), "\(condition.title)")
      #expect(found.length == 4, "\(condition.title)")
    }
  }

  /// Counted without the code that is tested: scalars of the line that holds `word` first.
  private static func place(of word: String, in text: String, _ lineEnd: String) -> Location? {
    var lines: [[Unicode.Scalar]] = [[]]
    var scalars = Array(text.unicodeScalars)
    if scalars.first == "\u{FEFF}" { scalars.removeFirst() }
    for (index, scalar) in scalars.enumerated() {
      if scalar == "\r", index + 1 < scalars.count, scalars[index + 1] == "\n" { continue }
      if scalar == "\n" || scalar == "\r" { lines.append([]) } else { lines[lines.count - 1].append(scalar) }
    }
    let wanted = Array(word.unicodeScalars)
    for (number, line) in lines.enumerated() where line.count >= wanted.count {
      for start in 0...(line.count - wanted.count) where Array(line[start..<(start + wanted.count)]) == wanted {
        return Location(file: "operators.d/shop.yaml", line: number + 1, column: start + 1)
      }
    }
    return nil
  }

  @Test func anErrorAtTheVeryEndPointsBehindTheText() {
    for text in ["user.age >", "'user.age >'", "\"user.age >\"", "|\n      user.age >\n", ">-\n      user.age\n      >"] {
      let set = loadOperator("rules:\n  - deny: tool\n    when: \(text)\n")
      #expect(set.codes == [.celSyntax], "\(text): \(set.summary)")
      #expect(set.diagnostics.first.map { (5...9).contains($0.location.line) } == true)
    }
  }
}
