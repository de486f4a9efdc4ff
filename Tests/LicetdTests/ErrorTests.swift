// What is refused, by which name, and that it costs nobody else anything.

import Bus
import Foundation
import Testing

/// A call to Check as a list of what it says.
private struct Asked: CustomTestStringConvertible, Sendable {
  var what: String
  var code: String
  var operatorName = "keeper"
  var behaviors = ["rig.read"]
  var write: @Sendable (inout MessageWriter) -> Void = { _ in }
  var testDescription: String { what }

  /// One text, under `key`.
  static func text(_ what: String, _ code: String, _ key: StaticString, _ text: String) -> Asked {
    Asked(what: what, code: code) { $0.entry(key, text) }
  }

  /// One attribute of a root.
  static func attribute(
    _ what: String, _ code: String, _ root: StaticString, _ name: StaticString,
    _ value: @escaping @Sendable (inout MessageWriter, StaticString) -> Void
  ) -> Asked {
    Asked(what: what, code: code) { request in
      request.entry(root, "a{sv}") { variant in variant.array("{sv}") { value(&$0, name) } }
    }
  }
}

@Suite struct ErrorTests {
  private static let asked: [Asked] = [
    Asked(what: "an operator that nobody declares", code: "UnknownOperator", operatorName: "nobody-knows"),
    Asked(what: "an operator of somebody else", code: "NotBound", operatorName: "other"),
    Asked(what: "no behaviour", code: "NoBehavior", behaviors: []),
    Asked(what: "a name in capitals", code: "BadName", behaviors: ["Rig.Read"]),
    Asked(what: "an empty name", code: "BadName", behaviors: [""]),
    Asked(what: "a very long name", code: "BadName", behaviors: [String(repeating: "a", count: 70_000)]),
    Asked(what: "too many names", code: "TooMany", behaviors: Array(repeating: "rig.read", count: 257)),
    .text("an unknown key", "BadRequest", "wish", "allow"),
    .text("a source that is none", "BadRequest", "source", "god"),
    .text("a preference that is none", "BadRequest", "preference", "maybe"),
    .text("an over-long argument", "TooMany", "argument", String(repeating: "x", count: 65_537)),
    .text("an over-long resource", "TooMany", "resource", String(repeating: "x", count: 65_537)),
    Asked(what: "a resource that is a number", code: "WrongType") { $0.entry("resource", Int64(1)) },
    Asked(what: "explain that is a text", code: "WrongType") { $0.entry("explain", "yes") },
    Asked(what: "attributes that are a text", code: "BadRequest") { $0.entry("user", "me") },
    .attribute("an unknown attribute", "UnknownAttribute", "user", "roel") { $0.entry($1, "guest") },
    .attribute("an attribute of the wrong type", "WrongType", "user", "age") { $0.entry($1, "seven") },
    .attribute("a text outside its enumeration", "WrongType", "user", "role") { $0.entry($1, "root") },
    .attribute("a number where a list is", "WrongType", "request", "tags") { $0.entry($1, Int64(1)) },
  ]

  @Test func eachHasItsName() throws {
    do {
      let rig = try Rig(operators: [
        "keeper": Rig.operatorFile("keeper", bind: "{user: \(ownName)}"),
        "other": Rig.operatorFile("other", bind: "{user: nobody}"),
      ])
      for one in Self.asked {
        // Who isn't an administrator learns of no operator but its own.
        let code = getuid() != 0 && one.code == "UnknownOperator" ? "UnknownOperator" : one.code
        let found = rig.refusal {
          try rig.call(Rig.authority, "Check") { writer in
            writer.append(one.operatorName)
            writer.append(one.behaviors)
            writer.array("{sv}") { one.write(&$0) }
          }
        }
        #expect(found == code, "\(one.what)")
      }
      #expect(try rig.check() == "allow")
    }
  }

  @Test func wrongSignaturesAreRefused() throws {
    do {
      let rig = try Rig()
      let bus = try rig.client()
      let invalid = ErrorName.invalidArgs
      #expect(rig.refusal { try rig.call(Rig.authority, "Check", on: bus) } == invalid)
      #expect(rig.refusal { try rig.call(Rig.authority, "Check", on: bus) { $0.append(UInt32(1)) } } == invalid)
      #expect(rig.refusal { try rig.call(Rig.admin, "Rollback", on: bus) { $0.append("1") } } == invalid)
      #expect(rig.refusal { try rig.call(Rig.authority, "Chekc", on: bus) } == ErrorName.unknownMethod)
      #expect(rig.refusal { try rig.call("org.licet.Licet9", "Check", on: bus) } == ErrorName.unknownInterface)
      let set = rig.refusal {
        try rig.call("org.freedesktop.DBus.Properties", "Set", on: bus) {
          $0.append(Rig.authority)
          $0.append("Generation")
          $0.variant("t") { $0.append(UInt64(1)) }
        }
      }
      #expect(set == ErrorName.propertyReadOnly)
      #expect(try rig.check(on: bus) == "allow")
    }
  }

  /// 1 MiB and more, within what the bus carries.
  @Test func largeMessagesAreRefusedEarly() throws {
    do {
      let rig = try Rig()
      let bus = try rig.client()
      func ask(_ bytes: Int) -> String? {
        rig.refusal {
          try rig.call(Rig.authority, "Check", on: bus) { writer in
            writer.append("keeper")
            writer.append(["rig.read"])
            writer.array("{sv}") { $0.entry("argument", String(repeating: "x", count: bytes)) }
          }
        }
      }
      #expect(ask(60_000) == nil)
      #expect(ask(1 << 20) == "TooMany")
      #expect(ask(3 << 20) == "LimitsExceeded")
      #expect(try rig.check(on: bus) == "allow")
    }
  }

  /// As deep as a message can be: more than what is read, less than what the bus refuses.
  @Test func deepNestingIsRefused() throws {
    do {
      let rig = try Rig()
      let bus = try rig.client()
      func nest(_ writer: inout MessageWriter, _ depth: Int) {
        if depth == 0 { return writer.variant("s") { $0.append("end") } }
        writer.variant("v") { nest(&$0, depth - 1) }
      }
      let found = rig.refusal {
        try rig.call(Rig.authority, "Check", on: bus) { writer in
          writer.append("keeper")
          writer.append(["rig.read"])
          writer.array("{sv}") { request in
            request.entry("request", "a{sv}") { variant in
              variant.array("{sv}") { entries in entries.entry("label", "v") { nest(&$0, 45) } }
            }
          }
        }
      }
      #expect(found == "BadRequest")
      #expect(try rig.check(on: bus) == "allow")
    }
  }

  @Test func checkManySaysWhichRequestIsWrong() throws {
    do {
      let rig = try Rig()
      let error = #expect(throws: BusError.self) {
        try rig.call(Rig.authority, "CheckMany") { writer in
          writer.append("keeper")
          writer.array("(asa{sv})") { list in
            for name in ["rig.read", "rig.write", "Rig"] {
              list.structure { one in
                one.append([name])
                one.array("{sv}") { _ in }
              }
            }
          }
        }
      }
      #expect(error?.name == Rig.errors + "BadName")
      #expect(error?.text.hasPrefix("requests[2]: ") == true)
      let many = rig.refusal {
        try rig.call(Rig.authority, "CheckMany") { writer in
          writer.append("keeper")
          writer.array("(asa{sv})") { list in
            for _ in 0..<4097 {
              list.structure { one in
                one.append(["rig.read"])
                one.array("{sv}") { _ in }
              }
            }
          }
        }
      }
      #expect(many == "TooMany")
    }
  }
}
