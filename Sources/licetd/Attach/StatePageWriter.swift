// The state page's writer: the only one there is. Each word by one atomic store, in an order that a reader may rely on
// (docs/attach-protocol.md); it may end at any instant between two of them.

import Attach
import System

/// Loop-owned.
final class StatePageWriter {
  static let storedName = "licetd-state"

  private let memory: SharedMemory
  /// To hand out.
  let reader: Descriptor

  /// Takes the page over that the daemon before left with the manager, or makes one.
  init(_ passed: [(name: String, descriptor: Descriptor)]) throws(SystemError) {
    if let kept = StatePageWriter.continued(passed) {
      memory = kept
    } else {
      memory = try SharedMemory(name: "licetd-state", size: StatePage.size)
      memory[StatePage.versionWord] = StatePage.version
      memory[StatePage.magicWord] = StatePage.magic
      Service.keep(memory.descriptor, name: StatePageWriter.storedName)
    }
    reader = try memory.reader()
  }

  /// This daemon serves: whoever attached to the one before attaches again, since its connection ended with that one.
  func begin() {
    memory[StatePage.epoch] += 1
    memory[StatePage.gone] = 0
    revoke()
  }

  private static func continued(_ passed: [(name: String, descriptor: Descriptor)]) -> SharedMemory? {
    guard let found = passed.first(where: { $0.name == storedName })?.descriptor,
      let memory = try? SharedMemory(continuing: found, size: StatePage.size),
      memory[StatePage.magicWord] == StatePage.magic, memory[StatePage.versionWord] == StatePage.version
    else { return nil }
    return memory
  }

  var epoch: UInt64 { memory[StatePage.epoch] }
  var revocation: UInt64 { memory[StatePage.revocation] }

  /// A sign of life.
  func beat() { memory[StatePage.heartbeat] = monotonicNow() }

  /// This generation can be asked for from now on.
  func publish(_ generation: UInt64) {
    beat()
    memory[StatePage.generation] = generation
  }

  /// Everybody asks again before the next decision: who is stopped, who may speak for whom.
  func revoke() { memory[StatePage.revocation] += 1 }

  /// A clean end.
  func end() {
    memory[StatePage.gone] = 1
    revoke()
  }
}
