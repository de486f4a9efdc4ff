// A licetd of a test's own, on a bus of its own: started by the built program, ended by its process id.

import Bus
import Foundation
import TestKit
import Testing

/// The built programs lie beside the test bundle.
let programFolder: URL = {
  let bundle = CommandLine.arguments.first { $0.hasSuffix(".xctest") } ?? CommandLine.arguments[0]
  return URL(fileURLWithPath: bundle).deletingLastPathComponent()
}()

func program(_ name: String) -> String { programFolder.appendingPathComponent(name).path }

let packageRoot = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
  .deletingLastPathComponent()

/// Who runs the tests, by name: `bind` names users.
let ownName: String = getpwuid(getuid()).map { String(cString: $0.pointee.pw_name) } ?? "nobody"

/// Who may play other users, and mount.
let isRoot = getuid() == 0

/// What a program left behind.
struct Run {
  var status: Int32
  var output: String
  var errors: String
}

/// Runs a program to its end. `user`: as that user, by setpriv(1), which root may.
func run(_ command: [String], user: String? = nil) throws -> Run {
  let process = Process()
  let identity = user.map { ["/usr/bin/setpriv", "--reuid", $0, "--regid", "nogroup", "--clear-groups"] } ?? []
  let words = identity + command
  process.executableURL = URL(fileURLWithPath: words[0])
  process.arguments = Array(words.dropFirst())
  process.environment = ["PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"]
  let (output, errors) = (Pipe(), Pipe())
  process.standardOutput = output
  process.standardError = errors
  process.standardInput = FileHandle.nullDevice
  try process.run()
  let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
  let complaint = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
  process.waitUntilExit()
  return Run(status: process.terminationStatus, output: text, errors: complaint)
}

/// One thread at a time.
final class Rig {
  static let authority = "org.licet.Licet1.Authority"
  static let admin = "org.licet.Licet1.Admin"
  static let errors = "org.licet.Licet1.Error."

  static let platform = """
    licet: 1
    layer: platform
    name: rig
    unknown: deny
    attributes:
      user: {role: {enum: [guest, member]}, age: int}
      request: {count: int, tags: list<string>, label: string}
      session: {trusted: bool}
    behaviors:
      rig: {default: deny, operators-may: allow, stakes: 0}
      rig.read: {default: deny, operators-may: allow, stakes: 0}
      rig.write: {default: ask, operators-may: allow, stakes: 0}
    rules:
      - {limit: rig.write, to: ask, tier: safety, when: request.source == "untrusted"}

    """

  static func operatorFile(_ name: String, bind: String, rules: String = "  - {allow: rig.read}\n") -> String {
    "licet: 1\nlayer: operator\nname: \(name)\nbind: [\(bind)]\nrules:\n\(rules)"
  }

  let scratch: PolicyScratch
  let bus: PrivateBus
  private(set) var process = Process()
  private let log: URL
  private let arguments: [String]
  private let environment: [String: String]

  /// Waits until it serves. `operators`: files by name; without any, `keeper` for whoever runs the tests.
  init(
    platform: String = Rig.platform, operators: [String: String]? = nil, arguments: [String] = [],
    environment: [String: String] = [:], isAwaited: Bool = true
  ) throws {
    scratch = try PolicyScratch("licetd")
    bus = try PrivateBus()
    log = scratch.root.appendingPathComponent("log")
    self.arguments = arguments
    self.environment = environment
    // Other users of the secrecy tests pass here.
    for path in [
      scratch.root.path, (bus.addressText.dropFirst("unix:path=".count) as NSString).deletingLastPathComponent,
    ] {
      chmod(path, 0o755)
    }
    chmod(String(bus.addressText.dropFirst("unix:path=".count)), 0o777)
    try scratch.save("platform.yaml", platform)
    for (name, text) in operators ?? ["keeper": Rig.operatorFile("keeper", bind: "{user: \(ownName)}")] {
      try scratch.save("operators.d/\(name).yaml", text)
    }
    try start(isAwaited: isAwaited)
  }

  deinit {
    if process.isRunning {
      kill(process.processIdentifier, SIGKILL)
      process.waitUntilExit()
    }
  }

  func start(isAwaited: Bool = true) throws {
    process = Process()
    process.executableURL = URL(fileURLWithPath: program("licetd"))
    process.arguments =
      [
        "--address", bus.addressText, "--policy", scratch.policy, "--state", scratch.state, "--runtime",
        scratch.root.appendingPathComponent("run").path, "--compiler", program("licet-compiler"),
      ] + arguments
    process.environment = environment.merging(["LANG": "C.UTF-8"]) { own, _ in own }
    if !FileManager.default.fileExists(atPath: log.path) { try Data().write(to: log) }
    let handle = try FileHandle(forWritingTo: log)
    try handle.seekToEnd()
    process.standardError = handle
    process.standardInput = FileHandle.nullDevice
    try process.run()
    if isAwaited { try #require(waits { isServing }, "licetd said:\n\(said)") }
  }

  /// Ends it as systemd does, and waits until it has.
  func terminate() {
    kill(process.processIdentifier, SIGTERM)
    process.waitUntilExit()
  }

  func kill9() {
    kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
  }

  /// What it wrote to standard error, over all its lives.
  var said: String { (try? String(contentsOf: log, encoding: .utf8)) ?? "" }

  var isServing: Bool { (try? generation()) != nil }

  func client() throws -> BlockingBus { try BlockingBus(bus.address) }

  /// A call on a connection of its own, or on `bus`.
  func call(
    _ interface: String, _ member: String, on bus: BlockingBus? = nil, _ write: (inout MessageWriter) -> Void = { _ in }
  ) throws -> Message {
    let message = Message(call: member, of: interface, at: "/org/licet/Licet1", to: "org.licet.Licet1").with(write)
    return try (bus ?? client()).call(message, timeoutNanoseconds: 20_000_000_000)
  }

  /// The error's name behind `Rig.errors`, or all of it; nil: it went well.
  func refusal(of body: () throws -> Message) -> String? {
    do { _ = try body() } catch let error as BusError {
      return error.name.hasPrefix(Rig.errors) ? String(error.name.dropFirst(Rig.errors.count)) : error.name
    } catch { return "\(error)" }
    return nil
  }

  func check(
    _ behavior: String = "rig.read", operator name: String = "keeper", on bus: BlockingBus? = nil
  ) throws -> String {
    let reply = try call(Rig.authority, "Check", on: bus) {
      $0.append(name)
      $0.append([behavior])
      $0.array("{sv}") { _ in }
    }
    var reader = reply.reader
    return try reader.nextSwiftString()
  }

  func generation() throws -> UInt64 {
    let reply = try call("org.freedesktop.DBus.Properties", "Get") {
      $0.append(Rig.authority)
      $0.append("Generation")
    }
    var reader = reply.reader
    var value = try reader.nextVariant()
    return try value.nextUInt64()
  }

  /// Codes of the diagnostics that the caller sees.
  func diagnosticCodes() throws -> [String] {
    let reply = try call("org.freedesktop.DBus.Properties", "Get") {
      $0.append(Rig.authority)
      $0.append("Diagnostics")
    }
    var codes: [String] = []
    var reader = reply.reader
    var value = try reader.nextVariant()
    var list = try value.nextArray()
    while !list.atEnd {
      var entries = try list.nextArray(of: .entry)
      while !entries.atEnd {
        var entry = try entries.nextEntry()
        let key = try entry.nextSwiftString()
        var content = try entry.nextVariant()
        if key == "code" { codes.append(try content.nextSwiftString()) }
      }
    }
    return codes
  }

  /// Until `isDone`, for at most `seconds`; what it throws counts as not done.
  @discardableResult
  func waits(_ seconds: Double = 15, until isDone: () throws -> Bool) -> Bool {
    let end = Date(timeIntervalSinceNow: seconds)
    while Date() < end {
      if (try? isDone()) == true { return true }
      usleep(5000)
    }
    return (try? isDone()) == true
  }
}
