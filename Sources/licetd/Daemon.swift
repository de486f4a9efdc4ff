// The wiring: which part knows which, in what order they begin and end.

import Attach
import Authority
import Bus
import CompilerProtocol
import Glibc
import PolicyTree
import System

/// Everything that one daemon is made of. Loop-owned.
final class Daemon {
  static let name = "org.licet.Licet1"
  static let path = "/org/licet/Licet1"
  static let authorityInterface = "org.licet.Licet1.Authority"
  static let adminInterface = "org.licet.Licet1.Admin"
  static let errors = "org.licet.Licet1.Error."

  let options: Options
  let loop: EventLoop
  let log: Log
  let authority: Authority
  let bindings: Bindings
  let connection: Connection
  let reconnector: Reconnector
  let started = time(nil)
  var callers: Callers
  var decisionPoint: DecisionPoint
  var subscribers: Subscribers
  var table = ObjectTable([:])
  private(set) var attachServer: AttachServer?
  var isCompilerUp = true
  /// By name, as far as they were told.
  var endedPeriods: Set<String> = []
  var toldOverdue: Set<String> = []
  /// Seen on the bus under its name, at least once.
  private var wasServing = false
  private var isReady = false
  private var isPolicyReady = false
  private(set) var exitCode: Int32 = 0

  init(_ options: Options, loop: EventLoop, log: Log) throws(SystemError) {
    (self.options, self.loop, self.log) = (options, loop, log)
    var configuration = Authority.Configuration(
      folders: options.folders, state: options.state, trust: .owners([0, Process.userID]),
      compiler: options.compilerLocation)
    configuration.host = options.fleet ?? hostIdentity() ?? ""
    authority = try Authority(configuration, loop: loop) { log(.warning, $0) }
    bindings = try Bindings(loop: loop, generation: authority.generation)
    connection = Connection(loop: loop)
    reconnector = Reconnector(connection, to: options.address)
    callers = Callers(connection, bindings)
    decisionPoint = DecisionPoint(authority.generation, authority.counters, authority.suspicions)
    if let rate = options.rate { decisionPoint.limits.rates.calls = rate }
    subscribers = Subscribers(connection)
  }

  /// Serves until a signal ends it; returns the exit code.
  func run() throws(SystemError) -> Int32 {
    startWatchdog()
    serve()
    attachServer = try AttachServer(self, passed: Service.takeDescriptors())
    authority.changed = { [unowned self] in follow($0) }
    bindings.changed = { [unowned self] in
      attachServer?.page.revoke()
      tellUnknownNames()
    }
    authority.sessions.changed = { [unowned self] in attachServer?.regions.changed($0) }
    authority.sessions.ended = { [unowned self] in
      attachServer?.regions.ended($0)
      subscribers.tellEnded($0, self)
    }
    authority.suspicions.operatorChanged = { [unowned self] _ in attachServer?.page.revoke() }
    authority.start { [unowned self] in
      bindings.whenResolved {
        self.isPolicyReady = true
        self.attachServer?.begin()
        self.watchReviews()
        if self.connection.isOpen { self.requestName() }
      }
    }
    reconnector.start()
    loop.run()
    Service.notify("STOPPING=1")
    attachServer?.finish()
    reconnector.stop()
    authority.finish()
    bindings.finish()
    return exitCode
  }

  // MARK: the bus

  private func serve() {
    var limits = ObjectTable.Limits()
    limits.errorName = Daemon.errors + "LimitsExceeded"
    table = ObjectTable(
      [
        Daemon.path: [authorityInterface(), adminInterface(), periodsInterface(), objectManagerInterface()],
        "/org/freedesktop/LogControl1": [logInterface()],
      ], families: [sessionFamily()], limits: limits)
    table.admit = { [unowned self] call, proceed in admit(call, proceed) }
    connection.onMessage = { [unowned self] in table.handle($0, on: connection) }
    connection.onOwnerGone = { [unowned self] name in
      callers.forget(name)
      subscribers.forget(name)
      authority.sessions.ownerGone(.bus(name))
      authority.releaseHold(owner: name)
    }
    connection.onNameLost = { [unowned self] name in
      log(.error, "the name \(name) was taken away; asking for it again")
      reconnector.stop()
      reconnector.start()
    }
    reconnector.onFailure = { [unowned self] error in
      log(.warning, "no connection to the bus \(options.address): \(error); trying again")
    }
    reconnector.onDisconnect = { [unowned self] in
      log(.warning, "the bus is gone; trying to reach it again")
      callers.forgetAll()
      subscribers.forgetAll()
      // Their names are nobody's any more.
      authority.sessions.ownersGone { if case .bus = $0 { true } else { false } }
    }
    // Not before there is an answer: whom the bus starts it for waits meanwhile.
    reconnector.onOpen = { [unowned self] in if isPolicyReady { requestName() } }
  }

  private func requestName() {
    connection.requestName(Daemon.name) { [unowned self] error in
      guard let error else {
        wasServing = true
        log(.info, "serving \(Daemon.name) on the bus \(options.address)")
        return tellReady()
      }
      if !wasServing, error.code == .nameTaken || error.code == .accessDenied {
        let hint =
          error.code == .nameTaken
          ? "another licetd runs there" : "is dbus-1/system.d/org.licet.Licet1.conf installed, and is this its user?"
        log(.error, "can't have the name \(Daemon.name) on the bus \(options.address): \(error.text); \(hint)")
        end(1)
      } else if error.code != .disconnected {
        log(.warning, "can't have the name \(Daemon.name) yet: \(error.text)")
        loop.after(nanoseconds: 1_000_000_000) { [unowned self] in if connection.isOpen { requestName() } }
      }
    }
  }

  /// READY: the name is ours and a policy, perhaps none, is in force.
  private func tellReady() {
    guard wasServing, isPolicyReady else { return }
    status()
    guard !isReady else { return }
    isReady = true
    Service.notify("READY=1")
    log(.notice, "ready, generation \(authority.generation.number)")
  }

  // MARK: changes

  private func follow(_ change: Authority.Change) {
    switch change {
    case .generation:
      let generation = authority.generation
      bindings.follow(generation)
      decisionPoint = DecisionPoint(
        generation, authority.counters, authority.suspicions, after: decisionPoint)
      log(
        .notice,
        "generation \(generation.number): \(generation.platform == nil ? "no platform, everything is denied" : "platform \(generation.platformName), \(generation.operators.count) operators")"
      )
      if isPolicyReady { attachServer?.follow(generation) }
      announce(generation.number)
      tellPeriods(since: endedPeriods)
      if isPolicyReady { tellOverdue() }
    case .refused(let names):
      subscribers.tellReloaded(authority.generation.number, names, self)
    case .diagnostics:
      for one in authority.diagnostics where one.severity == .error {
        log(.error, "\(one.place.file):\(one.place.line):\(one.place.column): \(one.message) [\(one.code)]")
      }
      subscribers.tellDiagnostics(self)
    case .compiler(let isUp):
      isCompilerUp = isUp
      log(
        isUp ? .info : .warning, isUp ? "licet-compiler answers" : "licet-compiler is gone; the policy in force stays")
    case .status: attachServer?.page.revoke()
    }
    status()
  }

  private func announce(_ number: UInt64) {
    guard connection.isOpen else { return }
    connection.send(
      Message(signal: "GenerationChanged", of: Daemon.authorityInterface, at: Daemon.path).with { $0.append(number) })
    connection.send(
      table.changed("Generation", of: Daemon.authorityInterface, at: Daemon.path) { $0.append(number) })
    subscribers.tellReloaded(number, authority.refused, self)
  }

  private func tellUnknownNames() {
    for one in bindings.diagnostics { log(.warning, "\(one.place.file): \(one.message) [\(one.code)]") }
    subscribers.tellDiagnostics(self)
  }

  private func status() {
    let generation = authority.generation
    var text = "generation \(generation.number), \(generation.operators.count) operators"
    if generation.platform == nil { text = "no policy: everything is denied" }
    if authority.stops.isAllStopped { text = "stopped: everything is denied" }
    if !authority.refused.isEmpty { text += ", \(authority.refused.count) refused" }
    Service.notify("STATUS=\(text)")
  }

  // MARK: signals and watchdog

  func handle(signal: Int32) {
    if signal == SIGHUP {
      log(.info, "SIGHUP: reading the policy again")
      return authority.reload { [unowned self] outcome in
        log(.info, "generation \(outcome.generation) is in force, \(outcome.refused.count) refused")
      }
    }
    log(.info, "ending")
    end(0)
  }

  private func end(_ code: Int32) {
    exitCode = code
    loop.stop()
  }

  /// Fed by the loop itself: it turns, or the manager ends it.
  private func startWatchdog() {
    guard let interval = Service.watchdogInterval else { return }
    loop.after(nanoseconds: interval / 3, every: interval / 3) { Service.notify("WATCHDOG=1") }
  }
}

/// Makes a daemon and turns its loop; returns the exit code.
func run(_ options: Options) -> Int32 {
  let log = Log(program: "licetd", level: options.level)
  Signals.ignoreBrokenPipes()
  do throws(SystemError) {
    let loop = try EventLoop()
    // Before any thread is: each inherits what is blocked.
    var handle: (Int32) -> Void = { _ in }
    let signals = try Signals(loop, [SIGTERM, SIGINT, SIGHUP]) { handle($0) }
    let daemon = try Daemon(options, loop: loop, log: log)
    handle = { [unowned daemon] in daemon.handle(signal: $0) }
    let code = try daemon.run()
    signals.cancel()
    return code
  } catch {
    log(.error, "can't start: \(error.call): \(error.text)")
    return 71
  }
}
