// An Authority with a real licet-compiler on scratch folders, and a loop to turn.

import CompilerProtocol
import Foundation
import PolicyTree
import System
import TestKit
import Testing

@testable import Authority

final class Rig {
  static let program: String = {
    let bundle = CommandLine.arguments.first { $0.hasSuffix(".xctest") } ?? CommandLine.arguments[0]
    return URL(fileURLWithPath: bundle).deletingLastPathComponent().appendingPathComponent("licet-compiler").path
  }()

  let scratch: PolicyScratch
  let loop: EventLoop
  let authority: Authority
  private(set) var changes: [Authority.Change] = []
  private(set) var numbers: [UInt64] = []
  /// Called at each new generation.
  var onGeneration: (() -> Void)?
  private(set) var logged: [String] = []

  /// Starts on the scratch folder and waits until a generation is in force.
  init(
    _ scratch: PolicyScratch, compiler: String = Rig.program, folders: [String]? = nil,
    configure: (inout Authority.Configuration) -> Void = { _ in }
  ) throws {
    self.scratch = scratch
    loop = try EventLoop()
    var configuration = Authority.Configuration(
      folders: folders ?? [scratch.policy], state: scratch.state, trust: .anyone, compiler: .spawn(compiler))
    configure(&configuration)
    var lines: [String] = []
    authority = try Authority(configuration, loop: loop) { lines.append($0) }
    authority.changed = { [unowned self] change in
      changes.append(change)
      guard change == .generation else { return }
      numbers.append(authority.generation.number)
      onGeneration?()
    }
    var isReady = false
    authority.start { isReady = true }
    try #require(turn { isReady })
    logged = lines
  }

  deinit { authority.finish() }

  /// Turns the loop until `isDone`; false after `seconds`.
  @discardableResult
  func turn(_ seconds: Double = 20, until isDone: () -> Bool) -> Bool {
    let end = loop.now &+ UInt64(seconds * 1e9)
    while !isDone() {
      if loop.now >= end { return false }
      loop.turn(maximumWait: 5_000_000)
    }
    return true
  }

  func reload() throws -> ReloadOutcome {
    var outcome: ReloadOutcome?
    authority.reload { outcome = $0 }
    turn { outcome != nil }
    return try #require(outcome)
  }

  func rollback(_ number: UInt64) throws -> Result<UInt64, AdminError> {
    var result: Result<UInt64, AdminError>?
    authority.rollback(to: number) { result = $0 }
    turn { result != nil }
    return try #require(result)
  }

  /// The version of an operator that is in force.
  func version(_ name: String) -> String? { authority.generation.operators[name]?.bindings.first?.value }
  var platform: String { authority.generation.platformName }
  var codes: Set<String> { Set(authority.diagnostics.map(\.code)) }

  /// A scratch with one platform and operators of version v1.
  static func scratch(_ operators: String...) throws -> PolicyScratch {
    let scratch = try PolicyScratch()
    try scratch.save("platform.yaml", PolicyScratch.platform())
    for name in operators { try scratch.save("operators.d/\(name).yaml", PolicyScratch.operator(name, "v1")) }
    return scratch
  }
}
