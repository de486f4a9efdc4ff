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

let packageRoot = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
  .deletingLastPathComponent()

/// One thread at a time.
final class Daemon {
  /// Who runs the tests, by name: `bind` names users.
  static let ownName: String = getpwuid(getuid()).map { String(cString: $0.pointee.pw_name) } ?? "nobody"

  let scratch: PolicyScratch
  let bus: PrivateBus
  let client: BlockingBus
  private let process = Process()

  var socket: String { scratch.root.path + "/run/attach" }

  convenience init(_ policy: GeneratedPolicy) throws {
    try self.init(platform: policy.platformText, operator: Daemon.bound(policy))
  }

  /// Waits until it serves.
  init(platform: String, operator text: String) throws {
    scratch = try PolicyScratch("library")
    bus = try PrivateBus()
    client = try BlockingBus(bus.address)
    try scratch.save("platform.yaml", platform)
    try scratch.save("operators.d/op.yaml", text)
    process.executableURL = programFolder.appendingPathComponent("licetd")
    process.arguments = [
      "--address", bus.addressText, "--policy", scratch.policy, "--state", scratch.state, "--runtime",
      scratch.root.path + "/run", "--compiler", programFolder.appendingPathComponent("licet-compiler").path,
      "--rate", "1000000", "--log-level", "warning",
    ]
    process.standardInput = FileHandle.nullDevice
    try process.run()
    let end = Date(timeIntervalSinceNow: 15)
    while (try? reload()) == nil {
      try #require(Date() < end && process.isRunning, "licetd doesn't serve")
      usleep(5000)
    }
  }

  deinit {
    if process.isRunning {
      kill(process.processIdentifier, SIGKILL)
      process.waitUntilExit()
    }
  }

  func kill9() {
    kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
  }

  func save(_ policy: GeneratedPolicy) throws {
    try scratch.save("platform.yaml", policy.platformText)
    try scratch.save("operators.d/op.yaml", Daemon.bound(policy))
  }

  /// The operator's file, bound to whoever runs the tests.
  static func bound(_ policy: GeneratedPolicy) -> String {
    policy.operatorText.replacing("name: op\n", with: "name: op\nbind: [{user: \(ownName)}]\n")
  }

  func call(
    _ interface: String, _ member: String, at path: String = "", _ write: (inout MessageWriter) -> Void = { _ in }
  ) throws -> Message {
    let message = Message(
      call: member, of: "org.licet.Licet1.\(interface)", at: "/org/licet/Licet1" + path, to: "org.licet.Licet1"
    ).with(write)
    return try client.call(message, timeoutNanoseconds: 30_000_000_000)
  }

  /// After this has answered, the files decide. The generation, and operators whose files were refused.
  @discardableResult
  func reload() throws -> UInt64 {
    var reader = try call("Admin", "Reload").reader
    return try reader.nextUInt64()
  }

  /// The folder as an image file, by `licet compile`.
  func image() throws -> String {
    let file = scratch.root.path + "/policy.licet"
    let compile = Process()
    compile.executableURL = programFolder.appendingPathComponent("licet")
    compile.arguments = ["compile", scratch.policy, "-o", file]
    compile.standardOutput = FileHandle.nullDevice
    try compile.run()
    compile.waitUntilExit()
    try #require(compile.terminationStatus == 0, "licet compile")
    return file
  }
}
