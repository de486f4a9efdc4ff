// One platform's process, seen from licetd: its channel, and the operators that are compiled on it, a few at a time.

internal import System

/// A platform as compiled, on which operators are compiled. Loop-owned; ended by `close()` or with its last reference.
public final class PlatformProcess {
  private let loop: EventLoop
  private weak var client: CompilerClient?
  private let times: CompilerClient.Times
  private let inFlight: Int
  private var sources: [SourceEntry]
  private var reply: CompilerClient.Reply?
  private var channel: Outlet?
  private var deadline: EventLoop.Timer?
  private var queue: ArraySlice<OperatorJob> = []
  private var running: [ObjectIdentifier: OperatorJob] = [:]
  /// Why nothing more can be compiled here.
  private var ended: CompilerFailure?

  init(_ client: CompilerClient, _ sources: [SourceEntry], _ reply: @escaping CompilerClient.Reply) {
    self.client = client
    self.sources = sources
    self.reply = reply
    loop = client.loop
    times = client.times
    inFlight = client.inFlight
  }

  deinit { fail(.closed) }

  /// Compiles an operator's sources on this platform; `then` is called once, from the loop. Several wait for each other.
  public func compileOperator(
    _ name: String, _ sources: [SourceEntry], clamping: Bool, then: @escaping CompilerClient.Reply
  ) {
    if let ended {
      loop.soon { then(.failure(ended)) }
      return
    }
    queue.append(OperatorJob(name: name, sources: sources, clamping: clamping, reply: then))
    startJobs()
  }

  /// Ends the process. What has no answer yet is answered `.closed`.
  public func close() { fail(.closed) }

  /// Whether operators can still be compiled here.
  public var isOpen: Bool { ended == nil }

  // MARK: The platform

  func open(by parent: Outlet) {
    guard ended == nil else { return }
    do throws(CompilerFailure) {
      let memory = try sealed(sources)
      sources = []
      let (own, other) = try socketPair()
      channel = try outlet(
        own, loop, received: { [weak self] in self?.received($0, $1) }, closed: { [weak self] in self?.fail(.died) })
      parent.send(CompilerMessage.open.encoded(), [memory, other])
    } catch {
      fail(error)
      return
    }
    deadline = loop.after(nanoseconds: times.answer) { [weak self] in self?.fail(.deadline) }
    startJobs()
  }

  private func received(_ bytes: [UInt8], _ descriptors: [Descriptor]) {
    deadline?.cancel()
    deadline = nil
    let result = answer(bytes, descriptors)
    if case .failure(let failure) = result { return fail(failure) }
    guard let reply else { return fail(.malformed(WireError(.unknownKind, at: 2))) }
    self.reply = nil
    client?.succeeded()
    reply(result)
  }

  /// Ends all of it; everyone who waits is told once.
  func fail(_ failure: CompilerFailure) {
    guard ended == nil else { return }
    ended = failure
    deadline?.cancel()
    channel?.close()
    channel = nil
    let jobs = Array(running.values) + queue
    running = [:]
    queue = []
    let reply = self.reply
    self.reply = nil
    reply?(.failure(failure))
    for job in jobs { job.finish(.failure(failure)) }
  }

  // MARK: Operators

  private func startJobs() {
    guard let channel else { return }
    while running.count < inFlight, let job = queue.popFirst() {
      running[ObjectIdentifier(job)] = job
      do throws(CompilerFailure) {
        try job.start(on: channel, loop: loop, deadline: times.answer) { [weak self, unowned job] result in
          self?.finish(job, result)
        }
      } catch { finish(job, .failure(error)) }
    }
  }

  private func finish(_ job: OperatorJob, _ result: Result<CompileResult, CompilerFailure>) {
    running[ObjectIdentifier(job)] = nil
    startJobs()
    job.finish(result)
  }
}

/// One operator's compile.
final class OperatorJob {
  private let name: String
  private var sources: [SourceEntry]
  private let clamping: Bool
  private var reply: CompilerClient.Reply?
  private var socket: Outlet?
  private var deadline: EventLoop.Timer?

  init(name: String, sources: [SourceEntry], clamping: Bool, reply: @escaping CompilerClient.Reply) {
    self.name = name
    self.sources = sources
    self.clamping = clamping
    self.reply = reply
  }

  func start(
    on channel: Outlet, loop: EventLoop, deadline nanoseconds: UInt64, then: @escaping CompilerClient.Reply
  ) throws(CompilerFailure) {
    let memory = try sealed(sources)
    sources = []
    let (own, other) = try socketPair()
    socket = try outlet(own, loop, received: { then(answer($0, $1)) }, closed: { then(.failure(.died)) })
    channel.send(CompilerMessage.operator(name: name, clamping: clamping).encoded(), [memory, other])
    deadline = loop.after(nanoseconds: nanoseconds) { then(.failure(.deadline)) }
  }

  /// Closing the reply socket ends the compile, if it still runs.
  func finish(_ result: Result<CompileResult, CompilerFailure>) {
    deadline?.cancel()
    deadline = nil
    socket?.close()
    socket = nil
    let reply = self.reply
    self.reply = nil
    reply?(result)
  }
}

private func socketPair() throws(CompilerFailure) -> (Descriptor, Descriptor) {
  do { return try SeqPacket.pair() } catch { throw .system(error) }
}

private func outlet(
  _ socket: Descriptor, _ loop: EventLoop, received: @escaping Outlet.Received, closed: @escaping () -> Void
) throws(CompilerFailure) -> Outlet {
  do { return try Outlet(socket, loop: loop, received: received, closed: closed) } catch { throw .system(error) }
}

/// The sources in sealed memory.
private func sealed(_ sources: [SourceEntry]) throws(CompilerFailure) -> Descriptor {
  let bytes: [UInt8]
  do { bytes = try encodeSources(sources) } catch { throw .malformed(error) }
  do { return try SealedMemory.make(name: "licet-sources", bytes) } catch { throw .system(error) }
}

/// What a message from a compile means. The result's seals are checked before a byte of it is read.
private func answer(_ bytes: [UInt8], _ descriptors: [Descriptor]) -> Result<CompileResult, CompilerFailure> {
  do throws(WireError) {
    let message = try decodeMessage(bytes, descriptors: descriptors.count)
    if case .failed(let failure) = message { return .failure(.failed(failure)) }
    guard case .result = message, let descriptor = descriptors.first else {
      return .failure(.malformed(WireError(.unknownKind, at: 2)))
    }
    let memory: MappedMemory
    do throws(SystemError) {
      memory = try SealedMemory.map(descriptor, maximum: WireLimits.resultBytes)
    } catch { return .failure(.system(error)) }
    return .success(CompileResult(memory: memory, contents: try ResultContents(decoding: memory.bytes)))
  } catch { return .failure(.malformed(error)) }
}

/// `CompilerMessage.init(decoding:descriptors:)` of an array.
public func decodeMessage(_ bytes: [UInt8], descriptors: Int) throws(WireError) -> CompilerMessage {
  // A typed throw doesn't pass through withUnsafeBytes.
  let result = bytes.withUnsafeBytes { bytes -> Result<CompilerMessage, WireError> in
    do throws(WireError) { return .success(try CompilerMessage(decoding: bytes, descriptors: descriptors)) } catch {
      return .failure(error)
    }
  }
  return try result.get()
}
