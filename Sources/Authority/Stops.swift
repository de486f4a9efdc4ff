// Operators that are stopped: the panic button. It depends on no policy, no compile and no worker: a file in the state
// folder, on disk before the call returns, and a record in memory that each decision looks at.

public import Consultation

/// Loop-owned. `stopped/NAME` stops an operator, `stopped-all` everyone; the daemon's user may also make the files by
/// hand before a start. A file says "SECONDS UID": since when, and who did it; an empty one says neither.
public final class Stops {
  private static let folder = "stopped"
  private static let allFile = "stopped-all"
  /// Stops that are read at start; with more, everyone is stopped.
  static let maximum = 100_000

  private let state: StateFolder
  /// By operator.
  private var halts: [String: Halt] = [:]
  private var allHalt: Halt?
  /// Operators that are stopped, by themselves.
  public var stopped: Set<String> { Set(halts.keys) }
  /// Whether everyone is.
  public var isAllStopped: Bool { allHalt != nil }
  /// Told after each change.
  var changed: (() -> Void)?

  /// Reads what is stopped. What can't be read, and isn't just absent, counts as stopped: `problem` says so.
  init(_ state: StateFolder, problem: (StateError) -> Void) {
    self.state = state
    if state.exists(Stops.allFile) { allHalt = recorded(Halt(.allStop), Stops.allFile) }
    do {
      let names = try state.list(Stops.folder, maximum: Stops.maximum + 1)
      if names.count > Stops.maximum { allHalt = allHalt ?? Halt(.allStop) }
      for name in names where isOperatorName(name) {
        halts[name] = recorded(Halt(.operatorStop, operator: name), "\(Stops.folder)/\(name)")
      }
    } catch {
      allHalt = allHalt ?? Halt(.allStop)
      problem(error)
    }
  }

  /// Whether requests of `name` are halted.
  public func isStopped(_ name: String) -> Bool {
    isAllStopped || (!halts.isEmpty && halts[name] != nil)
  }

  /// What halts `name`: nothing, its own stop, everyone's, or both. Nothing costs nothing.
  public func halts(_ name: String) -> [Halt] {
    if allHalt == nil, halts.isEmpty { return [] }
    return [halts[name], allHalt].compactMap { $0 }
  }

  /// Stops an operator, known or not; on disk when it returns. When it throws, the stop is in force in memory alone and
  /// ends with the process. Names that no operator can have are refused (`StopError.badName`). `user` is the user id of
  /// whoever did it; a stop that is in force already keeps its own.
  public func stop(_ name: String, by user: UInt32? = nil) throws(StopError) {
    guard isOperatorName(name) else { throw .badName }
    let halt = halts[name] ?? Halt(.operatorStop, operator: name, since: wallClock().seconds, by: user)
    halts[name] = halt
    defer { changed?() }
    try record { () throws(StateError) in
      try state.makeFolder(Stops.folder)
      try state.write("\(Stops.folder)/\(name)", Stops.record(halt))
    }
  }

  /// Ends an operator's stop. When it throws, the operator stays stopped.
  public func resume(_ name: String) throws(StopError) {
    guard isOperatorName(name) else { throw .badName }
    try record { () throws(StateError) in try state.remove("\(Stops.folder)/\(name)") }
    halts[name] = nil
    changed?()
  }

  /// Stops everyone; as `stop`.
  public func stopAll(by user: UInt32? = nil) throws(StopError) {
    let halt = allHalt ?? Halt(.allStop, since: wallClock().seconds, by: user)
    allHalt = halt
    defer { changed?() }
    try record { () throws(StateError) in
      try state.makeFolder("")
      try state.write(Stops.allFile, Stops.record(halt))
    }
  }

  /// Ends the stop of everyone; operators that were stopped by themselves stay so. As `resume`.
  public func resumeAll() throws(StopError) {
    try record { () throws(StateError) in try state.remove(Stops.allFile) }
    allHalt = nil
    changed?()
  }

  /// `halt` with what its file says; one that says nothing, or something else, is in force all the same.
  private func recorded(_ halt: Halt, _ file: String) -> Halt {
    guard let bytes = try? state.read(file, maximum: 64) else { return halt }
    let words = String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isWhitespace)
    var halt = halt
    halt.since = words.first.flatMap { Int64($0) }
    halt.by = words.dropFirst().first.flatMap { UInt32($0) }
    return halt
  }

  private static func record(_ halt: Halt) -> [UInt8] {
    Array("\(halt.since.map { "\($0)" } ?? "-") \(halt.by.map { "\($0)" } ?? "-")\n".utf8)
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
