// Bad requests: each a named error that says what it is about, never a looser decision.

import Consultation
import Offline
import PolicyImage
import PolicyLanguage
import TestKit
import Testing

@Suite struct RequestTests {
  private func error(
    _ behaviors: [String] = ["content"], _ attributes: [String: RequestValue] = [:], by name: String? = "op"
  ) throws -> RequestError? {
    let policy = try #require(SamplePolicy.loaded.policy)
    let request = Request(behaviors: behaviors, attributes: attributes, now: (0, 0))
    var errors: [RequestError?] = []
    do throws(RequestError) {
      _ = try policy.decide(request, operator: name)
      errors.append(nil)
    } catch { errors.append(error) }
    do throws(RequestError) {
      _ = try policy.prepare(request, operator: name)
      errors.append(nil)
    } catch { errors.append(error) }
    #expect(errors[0] == errors[1], "both ways to ask refuse alike")
    return errors[0]
  }

  @Test func operatorsAndBehaviours() throws {
    #expect(try error() == nil && error(by: nil) == nil)
    #expect(try error(by: "nobody") == RequestError(.unknownOperator, at: "nobody"))
    #expect(try error(by: "") == RequestError(.unknownOperator, at: ""))
    #expect(try error([]) == RequestError(.noBehavior, at: "behavior"))
  }

  @Test(arguments: [
    "", ".", "a.", ".a", "a..b", "A", "a b", "a\0", "é", "-a", "a._", "a.-b", String(repeating: "a", count: 256),
    Array(repeating: "a", count: 17).joined(separator: "."),
  ]) func aNameThatIsNone(_ name: String) throws {
    #expect(try error(["content", name]) == RequestError(.badName, at: name))
  }

  @Test func theLongestNamesAreNames() throws {
    #expect(try error([String(repeating: "a", count: 255)]) == nil)
    #expect(try error([Array(repeating: "a", count: 16).joined(separator: ".")]) == nil)
  }

  @Test(arguments: [
    "user.adutl", "user", "adult", "", "request.behavior", "request.resource", "request.source", "now", "operator.name",
    "argument", "sample", "request.args.path",
  ]) func anAttributeThatNobodyDeclares(_ name: String) throws {
    #expect(try error(["content"], [name: .bool(true)]) == RequestError(.unknownAttribute, at: name))
  }

  @Test(
    arguments: [
      ("user.adult", .string("true")), ("user.adult", .int(1)), ("user.adult", .null), ("user.role", .string("owner")),
      ("user.role", .string("")), ("user.visits", .uint(1)), ("user.visits", .double(1)), ("request.amount", .int(1)),
      ("request.size", .int(1)), ("request.tags", .string("a")), ("request.tags", .list([.string("a"), .int(1)])),
      ("request.tags", .map([])), ("request.args", .list([])),
      ("request.args", .map([.init(key: .int(1), value: .null)])),
      ("request.wait", .timestamp(seconds: 0, nanoseconds: 0)), ("user.born", .duration(seconds: 0, nanoseconds: 0)),
      ("request.blob", .string("x")),
    ] as [(String, RequestValue)]) func aValueOfAnotherType(_ name: String, _ value: RequestValue) throws
  {
    #expect(try error(["content"], [name: value]) == RequestError(.wrongType, at: name))
  }

  @Test func valuesAtTheEdges() throws {
    let deep = (0..<200).reduce(RequestValue.int(1)) { value, _ in .list([value]) }
    let given: [String: RequestValue] = [
      "user.visits": .int(.min), "request.amount": .double(.infinity), "request.size": .uint(.max),
      "request.tags": .list([]),
      "request.args": .map([.init(key: .string("path"), value: deep), .init(key: .string("\u{0}"), value: .null)]),
      "user.born": .timestamp(seconds: .max, nanoseconds: 999_999_999),
      "request.wait": .duration(seconds: .min, nanoseconds: -999_999_999),
    ]
    let policy = try #require(SamplePolicy.loaded.policy)
    for name in ["content.explicit", "tool.shell.exec", "closed", "persuade"] {
      for argument in ["", String(repeating: "é", count: 100_000)] {
        let request = Request(
          behaviors: [name], attributes: given, argument: argument, preference: .allow, now: (.max, 999_999_999))
        let answer = try policy.decide(request, operator: "op", explaining: true)
        #expect(answer.effect != .allow, "\(name)")
      }
    }
  }
}
