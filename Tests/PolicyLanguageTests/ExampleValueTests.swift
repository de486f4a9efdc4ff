// What `examples:` may give as values, and that a rule is really tried on them.

import Consultation
import Offline
import PolicyLanguage
import Testing

@Suite struct ExampleValueTests {
  private static func open(_ condition: String, _ examples: String) -> [DiagnosticCode] {
    let rule = "rules:\n  - deny: tool\n    when: \(condition)\n    examples: {\(examples)}\n"
    return openPolicy([file("platform.yaml", Sample.platform), operatorFile("shop", rule)]).diagnostics.map(\.code)
  }

  @Test func bytesAreBase64() {
    #expect(Self.open("request.body == b'hello'", "match: [{request: {body: aGVsbG8=}}]") == [])
    #expect(Self.open("request.body == b'hello'", "match: [{request: {body: hello}}]") == [.exampleMismatch])
    #expect(Self.open("request.body == b'hello'", "no-match: [{request: {body: aGVsbG8h}}]") == [])
    #expect(Self.open("request.body == b'\\xfb\\xff\\x00'", "match: [{request: {body: +/8A}}]") == [])
    #expect(Self.open("request.body == b''", "match: [{request: {body: ''}}]") == [])
    #expect(Self.open("request.body == b'a'", "match: [{request: {body: YQ==}}]") == [])
  }

  @Test(arguments: ["YQ", "YQ=", "YQ===", "Y", "====", "=", "Y=Q=", "YR==", "Y Q=", "-_8A", "aGVsbG8=aGVsbG8=", "é==="])
  func whatIsNotBase64IsRefused(_ text: String) {
    #expect(Self.open("request.body == b'a'", "no-match: [{request: {body: '\(text)'}}]") == [.exampleMismatch])
  }

  @Test func valuesHaveTheirAttributesType() {
    #expect(Self.open("user.age < 18", "match: [{user: {age: 17}}], no-match: [{user: {age: 18}}]") == [])
    for wrong in ["'17'", "1.5", "true", "[17]", "{a: 1}", "~"] {
      #expect(Self.open("user.age < 18", "match: [{user: {age: \(wrong)}}]") == [.exampleType], "\(wrong)")
    }
    #expect(Self.open("user.role == 'guest'", "match: [{user: {role: guest}}]") == [])
    #expect(Self.open("user.role == 'guest'", "match: [{user: {role: admin}}]") == [.exampleType])
    #expect(Self.open("request.amount > 1.0", "match: [{request: {amount: 2}}]") == [])
    #expect(Self.open("user.age < 18", "match: [{user: {aeg: 17}}]") == [.unknownAttribute])
  }

  @Test func anExampleThatComesOutOtherwiseBreaksItsOperator() {
    #expect(Self.open("user.age < 18", "match: [{user: {age: 18}}]") == [.exampleMismatch])
    #expect(Self.open("user.age < 18", "no-match: [{user: {age: 17}}]") == [.exampleMismatch])
    #expect(Self.open("user.age < 18", "match: [{}]") == [.exampleMismatch], "the attribute is missing")
  }
}
