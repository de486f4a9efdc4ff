// A real licet-compiler from the build folder, a client and a loop to turn; and what /proc says about processes.

import CompilerProtocol
import Foundation
import System
import TestKit
import Testing

final class Harness {
  /// `LICET_COMPILER`: another build's.
  static let program: String = {
    if let other = ProcessInfo.processInfo.environment["LICET_COMPILER"] { return other }
    let bundle = CommandLine.arguments.first { $0.hasSuffix(".xctest") } ?? CommandLine.arguments[0]
    return URL(fileURLWithPath: bundle).deletingLastPathComponent().appendingPathComponent("licet-compiler").path
  }()

  let loop: EventLoop
  let client: CompilerClient

  init(program: String = Harness.program, times: CompilerClient.Times = .init()) throws {
    loop = try EventLoop()
    client = CompilerClient(location: .spawn(program), loop: loop, times: times)
  }

  deinit { client.close() }

  /// Turns the loop until `isDone`; false after `seconds`.
  @discardableResult
  func turn(_ seconds: Double = 30, until isDone: () -> Bool) -> Bool {
    let end = loop.now &+ UInt64(seconds * 1e9)
    while !isDone() {
      if loop.now >= end { return false }
      loop.turn(maximumWait: 20_000_000)
    }
    return true
  }

  func platform(
    _ sources: [SourceEntry] = Harness.platform
  ) throws -> (PlatformProcess, Result<CompileResult, CompilerFailure>) {
    var result: Result<CompileResult, CompilerFailure>?
    let process = client.compilePlatform(sources) { result = $0 }
    turn { result != nil }
    return (process, try #require(result))
  }

  func compile(
    _ text: String, name: String = "op", on platform: PlatformProcess
  ) throws -> Result<CompileResult, CompilerFailure> {
    var result: Result<CompileResult, CompilerFailure>?
    platform.compileOperator(name, [Self.file("operators.d/\(name).yaml", text)], clamping: false) { result = $0 }
    turn { result != nil }
    return try #require(result)
  }

  // MARK: Sources

  static func file(_ path: String, _ text: String) -> SourceEntry {
    SourceEntry(path: path, content: .bytes(Array(text.utf8)))
  }

  static let platform = [
    file(
      "platform.yaml",
      """
      licet: 1
      layer: platform
      name: acme
      attributes: {request: {amount: double, note: string}}
      behaviors: {tool: {default: ask, operators-may: allow, users-may: allow, stakes: 0}}
      """)
  ]

  static func own(_ name: String = "op", rules: Int = 1, more: String = "") -> String {
    let rules = (0..<rules).map {
      "  - {limit: tool.n\($0), to: deny, when: \"request.amount > \($0).5 && request.note != 'x\($0)'\"}"
    }
    return "licet: 1\nlayer: operator\nname: \(name)\nbind: [{user: svc}, {unit: a.service, user: u}]\nrules:\n"
      + rules.joined(separator: "\n") + "\n" + more
  }

  // MARK: Processes

  /// State letter and parent of a process; nil: there is none.
  static func process(_ pid: Int32) -> (state: Character, parent: Int32)? {
    guard let text = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8),
      let end = text.lastIndex(of: ")")
    else { return nil }
    let fields = text[text.index(after: end)...].split(separator: " ")
    guard let state = fields.first?.first, fields.count > 1, let parent = Int32(fields[1]) else { return nil }
    return (state, parent)
  }

  /// Ended; an orphan that whoever inherits it has not reaped yet counts.
  static func isGone(_ pid: Int32) -> Bool { process(pid).map { $0.state == "Z" } ?? true }

  static func children(of pid: Int32) -> [Int32] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
    return names.compactMap { Int32($0) }.filter { process($0)?.parent == pid }.sorted()
  }

  /// Where a process' descriptors lead.
  static func descriptors(of pid: Int32) -> [String] {
    let folder = "/proc/\(pid)/fd"
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return names.compactMap { try? FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/\($0)") }
  }

  /// The compiler's parent and the one platform process below it.
  func processes() throws -> (parent: Int32, platform: Int32) {
    let parent = try #require(client.processIdentifier)
    return (parent, try #require(Self.children(of: parent).first))
  }
}

extension Result where Success == CompileResult, Failure == CompilerFailure {
  var failure: CompilerFailure? {
    if case .failure(let failure) = self { return failure }
    return nil
  }
}
