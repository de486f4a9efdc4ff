// Reading requests: numbers keep their kind, declared types convert in one place, what doesn't fit is named.

import Consultation
import Offline
import PolicyLanguage
import Testing

@testable import licet

@Suite struct RequestTests {
  @Test func numbersKeepTheirKind() throws {
    let value = try JSONParser.parse(
      #"{"a": 3, "b": 3.0, "c": 3e0, "d": 18446744073709551615, "e": "\u00e9\ud83d\ude00"}"#)
    #expect(value["a"] == .int(3))
    #expect(value["b"] == .double(3))
    #expect(value["c"] == .double(3))
    #expect(value["d"] == .uint(.max))
    #expect(value["e"] == .string("é😀"))
    #expect(value.compact == #"{"a":3,"b":3.0,"c":3.0,"d":18446744073709551615,"e":"é😀"}"#)
    #expect(try JSONParser.parse(value.pretty) == value)
  }

  @Test(arguments: [
    "", "{", "[1,]", "01", "1.", "-", "nul", #""\x""#, #""\ud800""#, "\"\u{1}\"", #"{"a":1,"a":2}"#, "1 2",
    "123456789012345678901234567890", "1e999", String(repeating: "[", count: 100),
  ])
  func whatIsNoJSONIsRefused(_ text: String) {
    #expect(throws: JSONError.self) { try JSONParser.parse(text) }
  }

  @Test func declaredTypesConvert() throws {
    func value(_ text: String, _ type: AttributeType) throws -> RequestValue {
      try RequestValue(try JSONParser.parse(text), as: type, at: "request.x")
    }
    #expect(try value("3", .double) == .double(3))
    #expect(try value("3", .uint) == .uint(3))
    #expect(try value("\"1.5s\"", .duration) == .duration(seconds: 1, nanoseconds: 500_000_000))
    #expect(
      try value("\"1970-01-02T00:00:00.5+01:00\"", .timestamp) == .timestamp(seconds: 82_800, nanoseconds: 500_000_000))
    #expect(try value("\"AQI=\"", .bytes) == .bytes([1, 2]))
    #expect(try value("{\"2\": [1]}", .map(.int, .dyn)) == .map([.init(key: .int(2), value: .list([.int(1)]))]))
    for (text, type) in [
      ("3.0", AttributeType.int), ("-1", .uint), ("\"x\"", .enumeration(["y"])), ("null", .string),
      ("\"2027-02-30T00:00:00Z\"", .timestamp), ("\"1 day\"", .duration), ("[1, \"a\"]", .list(.int)),
      ("\"!\"", .bytes),
    ] {
      #expect { try value(text, type) } throws: { ($0 as? CommandError)?.code == .wrongType }
    }
  }

  @Test func aRequestsShapeIsChecked() throws {
    func code(_ text: String) -> CommandError.Code? {
      do throws(CommandError) {
        try RequestForm(try JSON(flag: "x", text)).validate()
        return nil
      } catch {
        return error.code
      }
    }
    #expect(code(#"{"behavior": "a", "user": {"id": "u"}, "now": "2027-01-01T00:00:00Z"}"#) == nil)
    #expect(code(#"{"behaviour": "a"}"#) == .unknownKey)
    #expect(code("{}") == .noBehavior)
    #expect(code("[]") == .wrongType)
    #expect(code(#"{"behavior": "a..b"}"#) == .badName)
    #expect(code(#"{"behavior": "a", "user": "u1"}"#) == .wrongType)
    #expect(code(#"{"behavior": "a", "dial": 0.3}"#) == nil)
    #expect(code(#"{"behavior": "a", "dial": "0.3"}"#) == .wrongType)
    for dial in ["0", "1", "-0.1", "1e-9", "2.5"] { #expect(code(#"{"behavior": "a", "dial": \#(dial)}"#) == .badDial) }
    #expect(code(#"{"behavior": "a", "argument": ""# + String(repeating: "x", count: 70_000) + #""}"#) == .tooLong)
    #expect(code(#"{"behaviors": ["# + Array(repeating: #""a""#, count: 65).joined(separator: ",") + "]}") == .tooMany)
  }
}
