// Who is behind a bus name: asked of the bus once a connection, kept until it leaves.

import Authority
import Bus
import System

/// One caller, as the gate found it. Its operators are found again when bindings or generations have changed.
final class Caller {
  let identity: Identity
  let isAdministrator: () -> Bool
  private let bindings: Bindings
  private var known: (version: UInt64, operators: [String], isAdministrator: Bool)?

  init(_ identity: Identity, _ bindings: Bindings) {
    self.identity = identity
    self.bindings = bindings
    isAdministrator = { bindings.isAdministrator(identity) }
  }

  /// Sorted.
  var operators: [String] { look().operators }

  func speaks(for name: String) -> Bool { operators.contains(name) }

  /// Whether this caller may see what is said about an operator (empty: the platform).
  func sees(_ name: String) -> Bool { isAdministrator() || (!name.isEmpty && speaks(for: name)) }

  private func look() -> (version: UInt64, operators: [String], isAdministrator: Bool) {
    if let known, known.version == bindings.version { return known }
    let found = (bindings.version, bindings.operators(for: identity), bindings.isAdministrator(identity))
    known = found
    return found
  }
}

/// What is known of a caller.
enum Finding {
  case caller(Caller)
  /// The bus doesn't say.
  case nobody
  /// Too many calls wait for the bus's word about this connection.
  case busy
}

/// Loop-owned.
final class Callers {
  /// Calls that wait for one connection's credentials.
  static let waiting = 256
  /// Connections that are remembered.
  static let maximum = 16_384

  private let connection: Connection
  private let bindings: Bindings
  private var known: [String: Caller] = [:]
  private var asking: [String: [(Finding) -> Void]] = [:]
  /// Who left while it was asked about.
  private var gone: Set<String> = []

  init(_ connection: Connection, _ bindings: Bindings) {
    self.connection = connection
    self.bindings = bindings
  }

  /// At once, or when the bus has answered.
  func find(_ name: String, _ then: @escaping (Finding) -> Void) {
    if let caller = known[name] { return then(.caller(caller)) }
    if asking[name] != nil {
      guard asking[name, default: []].count < Callers.waiting else { return then(.busy) }
      asking[name, default: []].append(then)
      return
    }
    asking[name] = [then]
    connection.credentials(of: name) { [weak self] credentials in
      guard let self else { return }
      guard let credentials else { return self.found(name, nil) }
      let identity = Identity(
        uid: credentials.uid, gids: credentials.gids.map(Set.init), label: credentials.label,
        pid: credentials.pid.map { Int32(truncatingIfNeeded: $0) })
      self.bindings.complete(identity) { complete in
        self.bindings.whenResolved { self.found(name, Caller(complete, self.bindings)) }
      }
    }
  }

  private func found(_ name: String, _ caller: Caller?) {
    // Nothing is begun for who isn't there any more: nothing would end it.
    let caller = gone.remove(name) == nil ? caller : nil
    if let caller {
      if known.count >= Callers.maximum { known = [:] }
      known[name] = caller
    }
    for then in asking.removeValue(forKey: name) ?? [] { then(caller.map(Finding.caller) ?? .nobody) }
  }

  func forget(_ name: String) {
    known[name] = nil
    if asking[name] != nil { gone.insert(name) }
  }
  func forgetAll() { known = [:] }
}
