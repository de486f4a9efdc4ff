// Operators that are stopped: the panic button. It depends on no policy, no compile and no worker: a file in the state
// folder, on disk before the call returns, and a set in memory that each decision looks at.

/// Loop-owned. `stopped/NAME` stops an operator, `stopped-all` everyone; the daemon's user may also make the files by
/// hand before a start.
public final class Stops {
  private static let folder = "stopped"
  private static let allFile = "stopped-all"
  /// Stops that are read at start; with more, everyone is stopped.
  static let maximum = 100_000

  private let state: StateFolder
  /// Operators that are stopped, by themselves.
  public private(set) var stopped: Set<String> = []
  /// Whether everyone is.
  public private(set) var isAllStopped = false
  /// Told after each change.
  var changed: (() -> Void)?

  /// Reads what is stopped. What can't be read, and isn't just absent, counts as stopped: `problem` says so.
  init(_ state: StateFolder, problem: (StateError) -> Void) {
    self.state = state
    isAllStopped = state.exists(Stops.allFile)
    do {
      let names = try state.list(Stops.folder, maximum: Stops.maximum + 1)
      if names.count > Stops.maximum { isAllStopped = true }
      stopped = Set(names.filter(isOperatorName))
    } catch {
      isAllStopped = true
      problem(error)
    }
  }

  /// Whether requests of `name` are halted.
  public func isStopped(_ name: String) -> Bool {
    isAllStopped || (!stopped.isEmpty && stopped.contains(name))
  }

  /// Stops an operator, known or not; on disk when it returns. When it throws, the stop is in force in memory alone and
  /// ends with the process. Names that no operator can have are refused (`AdminError.badName`).
  public func stop(_ name: String) throws(StopError) {
    guard isOperatorName(name) else { throw .badName }
    stopped.insert(name)
    defer { changed?() }
    try record { () throws(StateError) in
      try state.makeFolder(Stops.folder)
      try state.write("\(Stops.folder)/\(name)", [])
    }
  }

  /// Ends an operator's stop. When it throws, the operator stays stopped.
  public func resume(_ name: String) throws(StopError) {
    guard isOperatorName(name) else { throw .badName }
    try record { () throws(StateError) in try state.remove("\(Stops.folder)/\(name)") }
    stopped.remove(name)
    changed?()
  }

  /// Stops everyone; as `stop`.
  public func stopAll() throws(StopError) {
    isAllStopped = true
    defer { changed?() }
    try record { () throws(StateError) in
      try state.makeFolder("")
      try state.write(Stops.allFile, [])
    }
  }

  /// Ends the stop of everyone; operators that were stopped by themselves stay so. As `resume`.
  public func resumeAll() throws(StopError) {
    try record { () throws(StateError) in try state.remove(Stops.allFile) }
    isAllStopped = false
    changed?()
  }

  private func record(_ body: () throws(StateError) -> Void) throws(StopError) {
    do { try body() } catch { throw .state(error) }
  }
}

/// Why a stop or its end isn't as asked.
public enum StopError: Error, Hashable, Sendable {
  case badName
  /// The state folder can't be written: a stop is in force in memory alone; a resume did nothing.
  case state(StateError)
}
