// What is refused is refused by the same code whichever way it is asked, and never decided.

import Bus
import Foundation
import LicetHeader
import Oracle
import TestKit
import Testing

/// One request that can't be decided.
private struct Bad: Sendable {
  var what: String
  var code: Int32
  var behaviors = ["tool.read"]
  var attributes: [String: OracleValue] = [:]
  var resource: String?
  var argument: String?

  static func attribute(_ what: String, _ code: Int32, _ name: String, _ value: OracleValue) -> Bad {
    Bad(what: what, code: code, attributes: [name: value])
  }

  var request: OracleRequest {
    OracleRequest(
      behaviors: behaviors, resource: resource, attributes: attributes, argument: argument, now: (1_800_000_000, 0))
  }
}

@Suite struct RefusalTests {
  private static let platform = """
    licet: 1
    layer: platform
    name: refusals
    attributes:
      user: {role: {enum: [guest, member]}, id: {type: string, verified: true}}
      request: {amount: double, count: int, size: uint, label: string, tags: list<string>, meta: "map<string, int>",
        args: dyn, due: timestamp, wait: duration, blob: bytes, flag: bool}
    behaviors:
      tool: {default: ask, operators-may: allow, stakes: 0}

    """
  private static let op =
    "licet: 1\nlayer: operator\nname: op\nbind: [{user: \(Daemon.ownName)}]\nrules:\n  - {allow: tool.read}\n"

  private static let long = String(repeating: "x", count: 65_537)
  private static func nested(_ depth: Int) -> OracleValue {
    (0..<depth).reduce(OracleValue.int(1)) { inner, _ in .list([inner]) }
  }

  private static let all: [Bad] = [
    .attribute("an unknown attribute", LICET_E_UNKNOWN_ATTRIBUTE, "user.roel", .text("guest")),
    .attribute("another unknown attribute", LICET_E_UNKNOWN_ATTRIBUTE, "request.nobody", .int(1)),
    .attribute("a verified attribute", LICET_E_VERIFIED_ATTRIBUTE, "user.id", .text("me")),
    .attribute("outside its enumeration", LICET_E_WRONG_TYPE, "user.role", .text("root")),
    .attribute("a number for an enumeration", LICET_E_WRONG_TYPE, "user.role", .int(1)),
    .attribute("a text for a double", LICET_E_WRONG_TYPE, "request.amount", .text("7")),
    .attribute("a text for an int", LICET_E_WRONG_TYPE, "request.count", .text("7")),
    .attribute("a double for an int", LICET_E_WRONG_TYPE, "request.count", .double(7)),
    .attribute("a negative uint", LICET_E_WRONG_TYPE, "request.size", .int(-7)),
    .attribute("a bool for a text", LICET_E_WRONG_TYPE, "request.label", .bool(true)),
    .attribute("a number for a bool", LICET_E_WRONG_TYPE, "request.flag", .int(1)),
    .attribute("a text for a list", LICET_E_WRONG_TYPE, "request.tags", .text("a")),
    .attribute("numbers in a list of texts", LICET_E_WRONG_TYPE, "request.tags", .list([.text("a"), .int(1)])),
    .attribute("a list for a map", LICET_E_WRONG_TYPE, "request.meta", .list([.int(1)])),
    .attribute(
      "a text in a map of ints", LICET_E_WRONG_TYPE, "request.meta", .map([OraclePair(.text("k"), .text("v"))])),
    .attribute("a text for bytes", LICET_E_WRONG_TYPE, "request.blob", .text("b")),
    .attribute("a text for a time", LICET_E_WRONG_TYPE, "request.due", .text("yesterday")),
    .attribute("a bool for a duration", LICET_E_WRONG_TYPE, "request.wait", .bool(true)),
    .attribute("a text that is too long", LICET_E_TOO_MANY, "request.label", .text(long)),
    Bad(what: "a resource that is too long", code: LICET_E_TOO_MANY, resource: long),
    Bad(what: "an argument that is too long", code: LICET_E_TOO_MANY, argument: long),
    Bad(what: "no behaviour", code: LICET_E_NO_BEHAVIOR, behaviors: []),
    Bad(what: "capitals", code: LICET_E_BAD_NAME, behaviors: ["Tool.Read"]),
    Bad(what: "an empty name", code: LICET_E_BAD_NAME, behaviors: [""]),
    Bad(what: "an empty segment", code: LICET_E_BAD_NAME, behaviors: ["tool..read"]),
    Bad(what: "a dot at the end", code: LICET_E_BAD_NAME, behaviors: ["tool.read", "tool."]),
    Bad(what: "a name that is too long", code: LICET_E_BAD_NAME, behaviors: [String(repeating: "a", count: 70_000)]),
    Bad(what: "257 behaviours", code: LICET_E_TOO_MANY, behaviors: Array(repeating: "tool.read", count: 257)),
  ]

  private static let names: [Int32: String] = [
    LICET_E_UNKNOWN_ATTRIBUTE: "UnknownAttribute", LICET_E_VERIFIED_ATTRIBUTE: "VerifiedAttribute",
    LICET_E_WRONG_TYPE: "WrongType", LICET_E_NO_BEHAVIOR: "NoBehavior", LICET_E_BAD_NAME: "BadName",
    LICET_E_BAD_REQUEST: "BadRequest", LICET_E_TOO_MANY: "TooMany",
  ]

  @Test func everywhereByTheSameCode() throws {
    let library = try LibraryHandle.shared.get()
    let daemon = try Daemon(platform: Self.platform, operator: Self.op)
    let ways = try [
      OpenedAuthority(library, mode: LICET_SNAPSHOT, path: daemon.socket),
      OpenedAuthority(library, mode: LICET_REMOTE, path: daemon.socket),
      OpenedAuthority(library, mode: LICET_EMBEDDED, path: daemon.image()),
    ]
    for bad in Self.all {
      let name = try #require(Self.names[bad.code])
      #expect(refusal(daemon, bad.request) == name, "the bus: \(bad.what)")
      for (way, authority) in zip(["snapshot", "remote", "embedded"], ways) {
        for byName in [true, false] {
          let lent = Lent()
          let values = bad.attributes.map { (name: $0.key, value: lent.value($0.value)) }
          _ = authority.fill(bad.request, values, lent, byName: byName)
          let code = authority.decide(bad.behaviors, lent, byName: byName).code
          // A bad name has no handle.
          let isHandleless = !byName && bad.code == LICET_E_BAD_NAME && bad.behaviors.count == 1
          #expect(
            code == (isHandleless ? LICET_E_INVALID : bad.code), "\(way): \(bad.what): \(authority.complaint)")
          #expect(authority.explain(bad.behaviors, lent).code == bad.code, "\(way): \(bad.what), explained")
          #expect(!authority.complaint.isEmpty, "\(way): \(bad.what)")
        }
        // Whatever it was, a reset mends it.
        let lent = Lent()
        let good = Bad(what: "", code: 0)
        #expect(authority.fill(good.request, [], lent, byName: true) == 0)
        #expect(authority.decide(good.behaviors, lent, byName: true).code == LICET_ALLOW, "\(way) after \(bad.what)")
      }
    }
  }

  /// What the bus can't carry: bytes that are no UTF-8, values that are none.
  @Test func whatOnlyTheLibraryCanBeGiven() throws {
    let library = try LibraryHandle.shared.get()
    let daemon = try Daemon(platform: Self.platform, operator: Self.op)
    let bytes: [CChar] = [0x61, -1, -2]
    var odd = licet_int(1)
    odd.kind = 99
    var huge = licet_string("x", 1)
    huge.length = .max
    for (mode, path) in [
      (LICET_SNAPSHOT, daemon.socket), (LICET_REMOTE, daemon.socket), (LICET_EMBEDDED, try daemon.image()),
    ] {
      let authority = try OpenedAuthority(library, mode: mode, path: path)
      func check() -> Int32 { library.checkNamed(authority.request, "tool.read", 9, nil) }
      func set(_ name: String, _ value: licet_value) -> Int32 {
        library.setNamed(authority.request, name, name.utf8.count, value)
      }
      let cases: [(what: String, code: Int32, set: () -> Int32)] = [
        ("a text that is no UTF-8", LICET_E_BAD_REQUEST, { set("request.label", licet_string(bytes, 3)) }),
        ("a resource that is no UTF-8", LICET_E_BAD_REQUEST, { library.setResource(authority.request, bytes, 3) }),
        ("an argument that is no UTF-8", LICET_E_BAD_REQUEST, { library.setArgument(authority.request, bytes, 3) }),
        ("a kind that there is not", LICET_E_BAD_REQUEST, { set("request.args", odd) }),
        ("no bytes behind a length", LICET_E_BAD_REQUEST, { set("request.label", licet_string(nil, 3)) }),
        ("a length past the bound", LICET_E_TOO_MANY, { set("request.label", huge) }),
        ("a source that there is not", LICET_E_BAD_REQUEST, { library.setSource(authority.request, 9) }),
        ("a preference that there is not", LICET_E_BAD_REQUEST, { library.setPreference(authority.request, 7) }),
        ("a time past the year 9999", LICET_E_BAD_REQUEST, { set("request.due", licet_timestamp(253_402_300_800, 0)) }),
        ("nanoseconds past a second", LICET_E_BAD_REQUEST, { set("request.due", licet_timestamp(0, 1_000_000_000)) }),
        ("no attribute's name", LICET_E_UNKNOWN_ATTRIBUTE, { set("", licet_int(1)) }),
      ]
      for one in cases {
        library.requestReset(authority.request)
        #expect(check() == LICET_ALLOW, "mode \(mode), before \(one.what): \(authority.complaint)")
        #expect(one.set() == one.code, "mode \(mode): \(one.what): \(authority.complaint)")
        #expect(check() < 0, "mode \(mode): decided in spite of \(one.what)")
      }
      library.requestReset(authority.request)
      let byDepth = (1...20).map { depth in
        let lent = Lent()
        return set("request.args", lent.value(Self.nested(depth)))
      }
      #expect(byDepth.prefix(Int(LICET_MAXIMUM_DEPTH)).allSatisfy { $0 == 0 }, "mode \(mode): \(byDepth)")
      #expect(byDepth.dropFirst(Int(LICET_MAXIMUM_DEPTH)).allSatisfy { $0 < 0 }, "mode \(mode): \(byDepth)")
      #expect(check() < 0)
      library.requestReset(authority.request)
      let isOurs = mode == LICET_EMBEDDED
      #expect(library.setNow(authority.request, 0, 0) == (isOurs ? 0 : LICET_E_INVALID), "mode \(mode)")
      #expect(check() == (isOurs ? LICET_ALLOW : LICET_E_INVALID) || check() == LICET_E_BAD_REQUEST, "mode \(mode)")
    }
  }

  /// NULLs and sizes: the caller's mistakes are named, and cost nothing.
  @Test func nullsAndSizes() throws {
    let library = try LibraryHandle.shared.get()
    let daemon = try Daemon(platform: Self.platform, operator: Self.op)
    let authority = try OpenedAuthority(library, mode: LICET_SNAPSHOT, path: daemon.socket)
    var made: OpaquePointer?
    var options = licet_options()
    #expect(library.open(&options, &made, nil) == LICET_E_INVALID && made == nil)
    #expect(library.open(nil, nil, nil) == LICET_E_INVALID)
    options.size = UInt32(MemoryLayout<licet_options>.size)
    for mode: UInt32 in [3, .max] {
      options.mode = mode
      #expect(library.open(&options, &made, nil) == LICET_E_INVALID && made == nil)
    }
    #expect(library.requestNew(nil, &made, nil) == LICET_E_INVALID)
    #expect(library.requestNew(authority.handle, nil, nil) == LICET_E_INVALID)
    #expect(library.check(nil, 1, nil) == LICET_E_INVALID && library.requestError(nil) == nil)
    #expect(library.mode(nil) == LICET_E_INVALID && library.generation(nil) == 0)
    for number: UInt32 in [0, 1, 65_537, .max] {
      #expect(library.check(authority.request, number, nil) == LICET_E_INVALID)
      #expect(library.set(authority.request, number, licet_int(1)) == LICET_E_INVALID)
    }
    var decision = licet_decision()
    decision.effect = LICET_ALLOW
    for size: UInt32 in [0, 8, UInt32(MemoryLayout<licet_decision>.size) - 1] {
      decision.size = size
      #expect(library.checkNamed(authority.request, "tool.read", 9, &decision) == LICET_E_INVALID)
    }
    #expect(library.explain(authority.request, nil, 1, &made) < 0 && made == nil)
    #expect(library.explanationDecision(nil, &decision) == LICET_E_INVALID && library.steps(nil) == 0)
    for end in [library.close, library.requestFree, library.explanationFree] { end(nil) }
    // What could not be set is not decided without; an error is a denial in the decision, too.
    #expect(library.checkNamed(authority.request, "tool.read", 9, nil) == LICET_E_INVALID)
    library.requestReset(authority.request)
    decision.size = UInt32(MemoryLayout<licet_decision>.size)
    #expect(library.checkNamed(authority.request, "Tool", 4, &decision) == LICET_E_BAD_NAME)
    #expect(decision.effect == LICET_DENY)
    #expect(library.checkNamed(authority.request, "tool.read", 9, &decision) == LICET_ALLOW)
  }

  private func refusal(_ daemon: Daemon, _ request: OracleRequest) -> String? {
    do {
      _ = try daemon.call("Authority", "Check") { writer in
        writer.append("op")
        request.write(isExplaining: false, &writer)
      }
      return nil
    } catch let error as BusError {
      return error.name.split(separator: ".").last.map { String($0) }
    } catch { return "\(error)" }
  }
}
