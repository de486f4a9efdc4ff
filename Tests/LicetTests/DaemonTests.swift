// Commands that ask the daemon, as far as that needs none: no bus, nobody on it, what replies and errors become.

import Bus
import Consultation
import Decision
import Foundation
import PolicyImage
import TestKit
import Testing

@testable import licet

@Suite struct DaemonErrorTests {
  static let commands: [[String]] = [
    ["check", "--behavior", "tool"], ["explain", "--behavior", "tool"], ["behaviors"], ["status"], ["watch"],
    ["reload"], ["rollback"], ["rollback", "--list"], ["apply", "examples"], ["stop", "--all"],
    ["resume", "--operator", "forge"], ["validate", "--daemon", "examples"], ["check", "--batch", "/dev/null"],
    ["session", "open"], ["session", "list"], ["session", "show", "--session", "0123456789abcdef0123456789abcdef"],
    ["stop", "--session", "0123456789abcdef0123456789abcdef"],
  ]

  @Test(arguments: commands) func withoutABusOneIsToldWhereAndWhatToDo(_ command: [String]) throws {
    let run = try runLicet(command + ["--address", "unix:path=/nowhere/bus"], input: nil, environment: [:])
    #expect(run.status == 69, "\(run.output)\(run.errors)")
    #expect(run.errors.contains("the bus at unix:path=/nowhere/bus: there is no bus"))
    #expect(run.errors.contains("[no-bus]"))
    #expect(run.errors.contains("--address"))
  }

  @Test(arguments: commands.filter { $0 != ["check", "--batch", "/dev/null"] })
  func withNobodyOnTheBusOneIsToldHowToStartIt(_ command: [String]) throws {
    let bus = try PrivateBus()
    let run = try runLicet(command + ["--address", bus.addressText], input: nil, environment: [:])
    #expect(run.status == 69, "\(run.output)\(run.errors)")
    #expect(run.errors.contains("is not running, and nothing starts it [no-daemon]"))
    #expect(run.errors.contains("licetd --address \(bus.addressText)"))
  }

  @Test func theSystemBusIsMeantUnlessSaidOtherwise() throws {
    let run = try runLicet(
      ["status", "--json"], input: nil, environment: ["DBUS_SYSTEM_BUS_ADDRESS": "unix:path=/nowhere"])
    #expect(run.status == 69)
    let error = try JSONParser.parse(run.output)["error"]
    #expect(error?["code"] == .string("no-bus"))
    #expect(error?["at"] == .string("the system bus"))
  }

  @Test(
    arguments: [
      (["check", "--policy", "examples", "--address", "system", "--behavior", "tool"], "conflicting-flags", 64),
      (["status", "--address", "nonsense"], "bad-value", 64), (["stop"], "conflicting-flags", 64),
      (["stop", "--all", "--operator", "forge"], "conflicting-flags", 64),
      (["resume"], "conflicting-flags", 64), (["rollback", "--list", "3"], "conflicting-flags", 64),
      (["rollback", "0"], "no-such-generation", 64),
    ] as [([String], String, Int32)])
  func mistakesInFlagsNeedNoBus(_ command: [String], _ code: String, _ status: Int32) throws {
    let run = try runLicet(command + ["--json"], input: nil, environment: [:])
    #expect(run.status == status, "\(run.output)\(run.errors)")
    #expect(try JSONParser.parse(run.output)["error"]?["code"] == .string(code))
  }

  @Test(
    arguments: [
      ("NotBound", CommandError.Code.notBound, 77), ("NotAuthorized", .notAuthorized, 77),
      ("UnknownOperator", .unknownOperator, 64), ("AmbiguousOperator", .noOperator, 64),
      ("UnknownAttribute", .unknownAttribute, 64), ("WrongType", .wrongType, 64), ("NoBehavior", .noBehavior, 64),
      ("BadName", .badName, 64), ("BadRequest", .badValue, 64), ("TooMany", .tooMany, 64),
      ("LimitsExceeded", .limitsExceeded, 75), ("NoSuchGeneration", .noSuchGeneration, 64),
      ("StateUnwritable", .stateUnwritable, 73), ("Busy", .busy, 75), ("VerifiedAttribute", .verifiedAttribute, 64),
      ("UnknownSession", .unknownSession, 64), ("ForeignSession", .foreignSession, 77), ("BadDial", .badDial, 64),
      ("BadCost", .badValue, 64), ("BadTime", .badValue, 64), ("SessionExpired", .refused, 65),
      ("SomethingNew", .refused, 65),
    ] as [(String, CommandError.Code, Int32)])
  func theDaemonsErrorsHaveCodesAndExits(_ name: String, _ code: CommandError.Code, _ exit: Int32) {
    let error = BusError(.remote, name: Daemon.errorPrefix + name, text: "what\u{1B}[2J it says")
    let shown = CommandError(error, calling: "Check", on: .system)
    #expect(shown.code == code)
    #expect(shown.code.exit.rawValue == exit)
    #expect(shown.message == "what\\u{1b}[2J it says")
  }

  @Test(
    arguments: [
      ("org.freedesktop.DBus.Error.AccessDenied", BusError.Code.accessDenied, CommandError.Code.accessDenied, 77),
      ("org.freedesktop.DBus.Error.ServiceUnknown", .nameNotFound, .noDaemon, 69),
      ("org.freedesktop.DBus.Error.NoReply", .disconnected, .disconnected, 69),
      ("org.freedesktop.DBus.Error.Timeout", .timeout, .timeout, 69),
      ("org.freedesktop.DBus.Error.Spawn.ChildExited", .remote, .noDaemon, 69),
      ("org.freedesktop.systemd1.NoSuchUnit", .remote, .noDaemon, 69),
      ("org.freedesktop.DBus.Error.UnknownMethod", .remote, .badReply, 76),
    ] as [(String, BusError.Code, CommandError.Code, Int32)])
  func theBussErrorsToo(_ name: String, _ code: BusError.Code, _ shown: CommandError.Code, _ exit: Int32) {
    let error = CommandError(BusError(code, name: name, text: "x"), calling: "Reload", on: .system)
    #expect(error.code == shown)
    #expect(error.code.exit.rawValue == exit)
    #expect(error.at == "licetd on the system bus")
    #expect(error.hint?.isEmpty == false)
  }
}

@Suite struct DaemonMessageTests {
  static let details = #"""
    {"generation": 7, "statement": "operators.d/o.yaml:12", "tier": "operator", "clause": "h/1", "behavior": "a.b",
     "way": {"by": "operator", "changes": [{"kind": "operator-limit", "behavior": "a.b", "statement": "operators.d/o.yaml:12"}]},
     "trace": [{"step": "default", "behavior": "a.b", "effect": "allow", "says": "allow", "statement": "platform.yaml:3"},
       {"step": "limit", "behavior": "a.b", "effect": "ask", "says": "ask", "statement": "operators.d/o.yaml:12",
        "clause": "h/1", "condition": "request.n > 1", "truth": "failed", "failure": "missing-attribute",
        "attribute": "request.n"}]}
    """#

  @Test func aReplyIsWrittenAsAFoldersAnswerIs() throws {
    let reply: [JSON] = [.string("ask"), .strings(["x"]), try JSONParser.parse(Self.details)]
    let decided = try DaemonAnswer(reply, asked: ["a.b"])
    #expect(decided.generation == 7)
    #expect(decided.answer.decidedBy.rank == .operatorTier)
    let json = AnswerJSON.json(decided.answer, generation: decided.generation)
    #expect(json["decided_by"]?["statement"] == .string("operators.d/o.yaml:12"))
    #expect(json["decided_by"]?["clause"] == .string("h/1"))
    #expect(json["way"]?["change"] == .string("the operator lifts its limit on a.b (now operators.d/o.yaml:12)"))
    #expect(json["trace"]?.items == (try JSONParser.parse(Self.details))["trace"]?.items.map(Self.sorted))
  }

  /// Keys in the order of the output.
  static func sorted(_ line: JSON) -> JSON {
    let keys = [
      "step", "behavior", "effect", "says", "statement", "tier", "clause", "condition", "truth", "failure",
      "attribute",
    ]
    return .object(keys.compactMap { key in line[key].map { JSON.Member(key: key, value: $0) } })
  }

  @Test(arguments: ["[]", #"["maybe", [], {}]"#, #"["allow", []]"#, #"[1, [], {}]"#])
  func aReplyWithoutAnEffectIsNoAnswer(_ text: String) throws {
    let reply = try JSONParser.parse(text).items
    #expect { try DaemonAnswer(reply, asked: ["a"]) } throws: { ($0 as? CommandError)?.code == .badReply }
  }

  @Test func valuesComeBackAsTheyWent() throws {
    let text =
      #"{"a": true, "b": -3, "c": 18446744073709551615, "d": 1.5, "e": "é", "f": [1, "x", [true]], "g": {"h": {}}}"#
    guard case .object(let members) = try JSONParser.parse(text) else { return #expect(Bool(false)) }
    let message = Message(call: "X", of: "a.b", at: "/", to: nil).with { JSON.write(members, &$0) }
    #expect(message.signature == "a{sv}")
    #expect(try [JSON](arguments: message) == [.object(members)])
  }

  @Test func plainTextsAreReadAsWhatTheyAre() {
    #expect(DaemonRequest.guess(.string("true")) == .bool(true))
    #expect(DaemonRequest.guess(.string("12")) == .int(12))
    #expect(DaemonRequest.guess(.string("1.5")) == .double(1.5))
    #expect(DaemonRequest.guess(.string("member")) == .string("member"))
    #expect(DaemonRequest.guess(.string("null")) == .string("null"))
    #expect(DaemonRequest.guess(.string("[1]")) == .array([.int(1)]))
  }

  @Test func whatTheBusCannotCarryIsRefused() throws {
    for text in [#"{"behavior": "a", "user": {"x": null}}"#, #"{"behavior": "a", "now": "2027-01-01T00:00:00Z"}"#] {
      let form = try RequestForm(try JSONParser.parse(text))
      #expect(throws: CommandError.self) { try DaemonRequest(form) }
    }
  }

  @Test func aDiagnosticIsShownWithItsLineAndHarmless() throws {
    let wire = try JSONParser.parse(
      #"{"operator": "o", "severity": "error", "code": "x", "file": "operators.d/o.yaml", "line": 12, "column": 11, "length": 3, "message": "bad\u001b[2J", "hint": "do this", "text": "    when: foo"}"#
    )
    let page = DaemonDiagnostic(wire).page(.plain)
    #expect(
      page == """
        error[x]: bad\u{FFFD}[2J
          --> operators.d/o.yaml:12:11
           |
        12 |     when: foo
           |           ^^^
           = hint: do this

        """)
  }

  @Test(arguments: [
    (#"{"state": "running", "compiler": "ready"}"#, true), (#"{"state": "no-policy"}"#, false),
    (#"{"state": "running", "stopped": ["o"]}"#, false), (#"{"state": "running", "stopped-all": true}"#, false),
    (#"{"state": "running", "rolled-back": true}"#, false), (#"{"state": "running", "compiler": "down"}"#, false),
    (#"{"state": "running", "held": true}"#, true),
  ]) func statusSaysWhetherSomebodyIsNeeded(_ text: String, _ isHealthy: Bool) throws {
    let report = StatusReport(properties: .object([]), admin: try JSONParser.parse(text))
    #expect(report.isHealthy == isHealthy, "\(report.complaints)")
    #expect(report.json["healthy"] == .bool(isHealthy))
  }
}
