// licetd's end: one connection to licet-compiler's parent, made when it is needed and again when it is lost, at growing
// intervals. It never blocks; everything runs on the loop's thread.

internal import Glibc
public import System

/// Where licet-compiler is.
public enum CompilerLocation: Hashable, Sendable {
  /// A program to start, connected by a socketpair.
  case spawn(String)
  /// A listening SEQPACKET socket.
  case socket(String)
}

/// Why there is no result.
public enum CompilerFailure: Error, Hashable, Sendable {
  /// No compiler could be reached or started.
  case unavailable(SystemError)
  /// The process went away without a word.
  case died
  /// No answer within licetd's own deadline.
  case deadline
  /// The compiler says why.
  case failed(CompileFailure)
  /// It answered something that the protocol doesn't know.
  case malformed(WireError)
  /// The result's memory, or a call of our own, was refused.
  case system(SystemError)
  /// Closed here, before there was an answer.
  case closed
}

/// A compile's result; the image stays mapped as long as this value, or a copy of it, lives.
public struct CompileResult: Sendable {
  /// All of the result.
  public let memory: MappedMemory
  public let contents: ResultContents
  public var isInForce: Bool { contents.isInForce }
  public var facts: Facts { contents.facts }
  public var diagnostics: [DiagnosticRecord] { contents.diagnostics }
  /// The image's bytes, 64-byte aligned, within `memory`; empty when not in force.
  public var image: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: memory.bytes[contents.image]) }
}

/// Asks licet-compiler for images. Loop-owned: not thread-safe.
public final class CompilerClient {
  /// What a test may shorten.
  public struct Times: Sendable {
    /// Nanoseconds until an answer counts as lost.
    public var answer: UInt64 = 15_000_000_000
    /// Nanoseconds between attempts to reach the compiler: the first, doubled each time, the last.
    public var (firstPause, lastPause): (UInt64, UInt64) = (100_000_000, 30_000_000_000)
    /// The product's.
    public init() {}
  }
  public typealias Reply = (Result<CompileResult, CompilerFailure>) -> Void

  let loop: EventLoop
  let times: Times
  /// Compiles of one platform process at once.
  let inFlight: Int
  /// Told when the compiler becomes reachable (true) or is lost (false).
  public var changed: ((Bool) -> Void)?

  private let location: CompilerLocation
  private var connection: Outlet?
  private var child: Int32?
  private var pause: UInt64 = 0
  private var retry: EventLoop.Timer?
  private var connectedAt: UInt64 = 0
  /// Platforms that wait for an attempt.
  private var waiting: [PlatformProcess] = []

  /// Nothing is started before the first compile. `inFlight`: operators compiled at once.
  public init(location: CompilerLocation, loop: EventLoop, inFlight: Int = 2, times: Times = Times()) {
    self.location = location
    self.loop = loop
    self.inFlight = max(1, min(inFlight, 4))
    self.times = times
  }

  deinit { close() }

  /// Compiles a platform; `then` is called once, from the loop. The process returned compiles operators on it, also
  /// such as are given to it before `then` was called. While the compiler can't be reached, requests wait for the next attempt.
  public func compilePlatform(_ sources: [SourceEntry], then: @escaping Reply) -> PlatformProcess {
    let platform = PlatformProcess(self, sources, then)
    waiting.append(platform)
    loop.soon { [weak self] in self?.attempt() }
    return platform
  }

  /// Ends the connection, and with it a compiler that was started here. Platforms that wait are told.
  public func close() {
    retry?.cancel()
    retry = nil
    drop()
    let told = waiting
    waiting = []
    for platform in told { platform.fail(.closed) }
  }

  /// The process started for `.spawn`; nil: none at the moment.
  public var processIdentifier: Int32? { child }

  // MARK: Connection

  private func attempt() {
    guard retry == nil, !waiting.isEmpty else { return }
    do throws(SystemError) {
      let outlet = if let connection { connection } else { try connect() }
      let ready = waiting
      waiting = []
      for platform in ready { platform.open(by: outlet) }
    } catch {
      let failed = waiting
      waiting = []
      backOff()
      for platform in failed { platform.fail(.unavailable(error)) }
    }
  }

  private func connect() throws(SystemError) -> Outlet {
    let descriptor: Descriptor
    switch location {
    case .socket(let path): descriptor = try SeqPacket.connect(path)
    case .spawn(let program):
      let (own, other) = try SeqPacket.pair()
      child = try Process.spawn(program, ["--socket", "3"], descriptors: [other])
      descriptor = own
    }
    // The parent says nothing; what can be read is the end of it, or nonsense.
    let outlet = try Outlet(
      descriptor, loop: loop, received: { [weak self] _, _ in self?.lost() }, closed: { [weak self] in self?.lost() })
    connection = outlet
    connectedAt = loop.now
    changed?(true)
    return outlet
  }

  private func lost() {
    guard connection != nil else { return }
    // One that lives for a while was well: the next attempt is at once.
    if loop.now &- connectedAt > times.lastPause { pause = 0 }
    drop()
    backOff()
    changed?(false)
  }

  private func drop() {
    connection?.close()
    connection = nil
    guard let child else { return }
    self.child = nil
    // It ends by the end of its socket; a hung one must not stay.
    Process.signal(child, SIGKILL)
    reap(child, attempts: 200)
  }

  /// Until it is gone: nothing here waits for it, and a killed process takes no longer than milliseconds.
  private func reap(_ process: Int32, attempts: Int) {
    guard Process.reap(process) == nil, attempts > 0 else { return }
    let client = self
    loop.after(nanoseconds: 5_000_000) { client.reap(process, attempts: attempts - 1) }
  }

  private func backOff() {
    pause = min(max(pause &* 2, times.firstPause), times.lastPause)
    retry = loop.after(nanoseconds: pause) { [weak self] in
      self?.retry = nil
      self?.attempt()
    }
  }

  /// A compile came back: the compiler works.
  func succeeded() { pause = 0 }
}
