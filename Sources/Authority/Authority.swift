// The way in: one object that knows which policy is in force and changes it. It wires the parts: the Reloader decides
// when to read and compile, the Archive keeps what survives, Stops halt. It never blocks, but for a stop's fsync.

public import CompilerProtocol
internal import Counting
public import PolicyTree
public import System

/// Loop-owned: not thread-safe; everything is called, and calls back, on the loop's thread.
public final class Authority {
  /// Where things are.
  public struct Configuration: Sendable {
    /// Policy folders, lowest first.
    public var folders: [String]
    /// The state folder; made when it is needed.
    public var state: String
    /// Whose files are believed.
    public var trust: Trust
    public var compiler: CompilerLocation
    /// For whom determinations about periods have to be: this host, or a fleet of hosts; empty: none counts.
    public var host = ""
    /// Bytes that counters may take.
    public var counterBytes = CounterStore.defaultLimit
    /// What a test may shorten.
    public var times = Times()

    /// A configuration with the product's times.
    public init(folders: [String], state: String, trust: Trust, compiler: CompilerLocation) {
      (self.folders, self.state, self.trust, self.compiler) = (folders, state, trust, compiler)
    }
  }

  /// Nanoseconds.
  public struct Times: Sendable {
    /// Without an event, until changed folders are read, and at most so long after the first one.
    public var (quiet, longestQuiet): (UInt64, UInt64) = (1_000_000, 20_000_000)
    /// Between scans by digest.
    public var scan: UInt64 = 60_000_000_000
    /// Until a compile that failed is tried again: at first, and at most (doubled each time).
    public var (firstRetry, lastRetry): (UInt64, UInt64) = (100_000_000, 30_000_000_000)
    /// The product's.
    public init() {}
  }

  /// What `changed` tells.
  public enum Change: Hashable, Sendable {
    /// Another generation is in force.
    case generation
    /// These operators' files (empty name: the platform's) were refused just now.
    case refused([String])
    /// `diagnostics` are others than before.
    case diagnostics
    /// The compiler became reachable, or was lost.
    case compiler(isUp: Bool)
    /// A stop, a hold or a rollback began or ended.
    case status
  }

  /// In force. Before `start` has called back: generation 0, without a platform.
  public internal(set) var generation = Generation(number: 0, platform: nil)
  /// What is to be said now: of the files on disk, then the daemon's own (docs/diagnostics.md).
  public internal(set) var diagnostics: [DiagnosticRecord] = []
  /// Sets that `rollback` can return to, oldest first; the last one is in force.
  public internal(set) var history: [HistoryEntry] = []
  /// Told of each change, once, after it took place.
  public var changed: ((Change) -> Void)?
  public let stops: Stops
  public let records: Records
  public let periods: Periods
  public let counters: Counters
  public let sessions: Sessions
  public let suspicions: Suspicions

  let configuration: Configuration
  let loop: EventLoop
  let log: (String) -> Void
  let client: CompilerClient
  var keeper: Keeper
  private var reloader: Reloader?

  /// Reads the stops; nothing else happens before `start`. `log` gets what is no diagnostic of anybody's, a line each.
  public init(_ configuration: Configuration, loop: EventLoop, log: @escaping (String) -> Void) throws(SystemError) {
    (self.configuration, self.loop, self.log) = (configuration, loop, log)
    let state = StateFolder(root: configuration.state)
    stops = Stops(state) { log("stops can't be read, so everyone is stopped: \($0.text)") }
    periods = Periods(state, host: configuration.host, log: log)
    counters = try Counters(
      state, host: hostIdentity() ?? "", limit: configuration.counterBytes, loop: loop, log: log)
    sessions = Sessions(loop: loop)
    suspicions = try Suspicions(state, loop: loop, log: log)
    client = CompilerClient(location: configuration.compiler, loop: loop)
    keeper = try Keeper(state, loop: loop)
    records = try Records(state, loop: loop)
    reloader = try Reloader(self)
    suspicions.sessionChanged = { [weak self] in self?.sessions.suspicionChanged($0) }
    sessions.forgets = { [weak self] in self?.suspicions.forget($0) }
    periods.changed = { [weak self] in self?.reloader?.republish() }
    stops.changed = { [weak self] in self?.changed?(.status) }
    client.changed = { [weak self] in self?.changed?(.compiler(isUp: $0)) }
  }

  /// Reads, compiles and puts in force; `ready` is called once, when a generation is: perhaps one without a policy.
  public func start(ready: @escaping () -> Void) {
    records.open { [self] isTorn in
      if isTorn { log("records: the newest file ends in the middle of a batch, which nobody was told is kept") }
      counters.open { [self] in reloader?.start(ready) }
    }
  }

  /// Reads everything again, by digest; ends a hold and a rollback. Answers when what the files say is in force or refused.
  public func reload(_ then: @escaping (ReloadOutcome) -> Void) { reloader?.reload(then) }

  /// Whether these files, as a whole policy folder (paths as in one), would be in force. Puts nothing in force. One at a
  /// time: `.busy`.
  public func validate(
    _ files: [(path: String, bytes: [UInt8])], then: @escaping (Result<Validation, AdminError>) -> Void
  ) {
    reloader?.validate(files, then)
  }

  /// Puts a kept set in force under a new number (0: the one before what is in force). It stays until the files are not
  /// what they were, or `reload`; over restarts too.
  public func rollback(to number: UInt64, then: @escaping (Result<UInt64, AdminError>) -> Void) {
    reloader?.rollback(to: number, then)
  }

  /// Changes of files are not followed until `reload`, `releaseHold` by the same owner, or so many seconds (1 to 60) have
  /// passed. A new hold replaces the one before.
  public func hold(seconds: UInt32, owner: String) { reloader?.hold(seconds: seconds, owner: owner) }

  /// Ends the hold, if it is this owner's.
  public func releaseHold(owner: String) { reloader?.releaseHold(owner: owner) }

  /// Whether changes are not followed at the moment.
  public var isHeld: Bool { reloader?.isHeld ?? false }
  /// Whether an earlier set is in force.
  public var isRolledBack: Bool { reloader?.rollbackRecord != nil }
  /// Operators, sorted (empty name: the platform), whose files on disk are not in force.
  public var refused: [String] { reloader?.refused ?? [] }

  /// Ends watching, compiling and writing; what is being written is finished first. To be called before the last
  /// reference goes; what has no answer yet gets none.
  public func finish() {
    reloader?.finish()
    reloader = nil
    client.close()
    keeper.finish()
    suspicions.finish()
    records.finish()
    counters.finish()
  }
}

/// What a reload came to.
public struct ReloadOutcome: Sendable {
  /// In force after it.
  public let generation: UInt64
  /// Whose files are not in force (empty name: the platform).
  public let refused: [String]
  public let diagnostics: [DiagnosticRecord]
}

/// What a validation came to.
public struct Validation: Sendable {
  /// No errors.
  public let isValid: Bool
  public let diagnostics: [DiagnosticRecord]
}

/// Why an administrator's wish isn't granted.
public enum AdminError: Error, Hashable, Sendable {
  /// No such set is kept, or it can't be read back whole.
  case noSuchGeneration
  /// It doesn't compile any more.
  case refused([DiagnosticRecord])
  /// The compiler can't be reached, or failed.
  case compiler
  /// No number is left that was reserved on disk.
  case stateUnwritable
  /// One is under way.
  case busy
}
