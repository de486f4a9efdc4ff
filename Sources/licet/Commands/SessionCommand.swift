// `licet session`: opens one for a command, shows and changes those that there are.

import ArgumentParser
import Bus
import Consultation
import Foundation
import PolicyImage

struct SessionCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "session",
    abstract: "Open a session for a command; show and change those that there are.",
    discussion: """
      A session says whom an agent serves, what was wished, and how far it may go until when. It ends with the process that \
      opened it, so `open` and `delegate` hold it while they run. Commands in it find its id in LICET_SESSION.
      """,
    subcommands: [
      SessionOpen.self, SessionDelegate.self, SessionList.self, SessionShow.self, SessionPrefer.self, SessionDial.self,
      SessionSpend.self, SessionClose.self,
    ])
}

struct SessionOpen: LicetCommand {
  static let configuration = CommandConfiguration(
    commandName: "open",
    abstract: "Open a session, and hold it while a command runs.",
    discussion: """
      Runs COMMAND with the session's id in LICET_SESSION, ends the session with it, and exits as it does. Without a \
      command prints the id and holds the session until it is interrupted, or the session is closed.

      Example: licet session open --user u1 --only tool.git --lifetime 1h --cost 5 -- ./agent --task fix
      """)

  @Option(name: .long, help: "The operator; may be left out where there is only one.")
  var `operator`: String?
  @OptionGroup var terms: TermsOptions
  @OptionGroup var bus: AddressOptions
  @OptionGroup var format: FormatOptions
  @Argument(parsing: .postTerminator, help: "What to run in it.")
  var command: [String] = []

  func perform() throws(CommandError) -> Int32 {
    let form = try terms.form()
    let daemon = try bus.daemon()
    let session = try DaemonSession.open(daemon, operator: `operator` ?? "", from: nil, form)
    return try SessionHolder(session, format).run(command)
  }
}

struct SessionDelegate: LicetCommand {
  static let configuration = CommandConfiguration(
    commandName: "delegate",
    abstract: "Open a session that can only have less than another one, and hold it while a command runs.",
    discussion: "As `open`. The new one ends with its parent, too; attributes, suspicion and cost are its root's.")

  @OptionGroup var which: SessionOptions
  @OptionGroup var terms: TermsOptions
  @OptionGroup var bus: AddressOptions
  @OptionGroup var format: FormatOptions
  @Argument(parsing: .postTerminator, help: "What to run in it.")
  var command: [String] = []

  func perform() throws(CommandError) -> Int32 {
    let form = try terms.form()
    let parent = try which.session(bus)
    let session = try DaemonSession.open(parent.daemon, operator: "", from: parent, form)
    return try SessionHolder(session, format).run(command)
  }
}

/// Which session a command is about.
struct SessionOptions: ParsableArguments {
  @Option(name: .long, help: ArgumentHelp("The session; that of LICET_SESSION when left out.", valueName: "id"))
  var session: String?

  private var id: String? {
    get throws(CommandError) {
      try DaemonSession.id(session, environment: ProcessInfo.processInfo.environment)
    }
  }

  /// The one that a question is asked in, or none.
  func optional(_ daemon: Daemon) throws(CommandError) -> DaemonSession? {
    try id.map { DaemonSession(daemon, $0) }
  }

  /// Refuses a session beside a policy: there is none without the daemon.
  func exclude(_ policy: PolicyOptions) throws(CommandError) {
    guard policy.isOffline, session != nil else { return }
    throw CommandError(
      .conflictingFlags,
      "sessions are the daemon's; \(policy.image == nil ? "--policy" : "--image") decides without it",
      at: "--session")
  }

  func session(_ bus: AddressOptions) throws(CommandError) -> DaemonSession {
    guard let id = try id else {
      throw CommandError(
        .badValue, "say which session: --session ID, or LICET_SESSION in the environment", at: "--session",
        hint: "`licet session list` shows those that there are")
    }
    return DaemonSession(try bus.daemon(), id)
  }
}

/// Keeps what its own connection opened.
private struct SessionHolder {
  let session: DaemonSession
  let format: FormatOptions

  init(_ session: DaemonSession, _ format: FormatOptions) { (self.session, self.format) = (session, format) }

  func run(_ command: [String]) throws(CommandError) -> Int32 {
    guard let program = command.first else { return try wait() }
    let process = try spawn(program, command)
    // The terminal's signals are the command's to answer: the session has to last as long as it does.
    for number in [SIGINT, SIGQUIT] { signal(number, SIG_IGN) }
    var status: Int32 = 0
    while waitpid(process, &status, 0) < 0, errno == EINTR {}
    do throws(CommandError) { _ = try session.call("Close") } catch {
      // It was closed, or licetd has gone: either way it has ended.
    }
    return status & 0x7F == 0 ? status >> 8 & 0xFF : 128 + (status & 0x7F)
  }

  private func spawn(_ program: String, _ command: [String]) throws(CommandError) -> pid_t {
    var environment = ProcessInfo.processInfo.environment
    environment[DaemonSession.variable] = session.id
    let arguments = command.map { strdup($0) } + [nil]
    let variables = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
    defer { for text in arguments + variables { free(text) } }
    var process: pid_t = 0
    let failed = posix_spawnp(&process, program, nil, nil, arguments, variables)
    guard failed == 0 else {
      throw CommandError(.noInput, "can't be run: \(String(cString: strerror(failed)))", at: harmless(program))
    }
    return process
  }

  /// Until somebody interrupts it (the bus tells licetd), or the session ends.
  private func wait() throws(CommandError) -> Int32 {
    if format.json {
      Output.line(JSON.fields(["session": .string(session.id), "path": .string(session.path)]).compact)
    } else {
      Output.line(session.id)
    }
    do {
      // Only to learn of its end at once; there may be too many subscribers.
      _ = try? session.daemon.raw(.authority, "Subscribe") { $0.append(["sessions"]) }
      while true {
        _ = try session.daemon.bus.nextSignal(timeoutNanoseconds: 5_000_000_000)
        _ = try session.daemon.raw(.properties, "GetAll", at: session.path) {
          $0.append(Daemon.Interface.session.rawValue)
        }
      }
    } catch {
      if error.name == Daemon.errorPrefix + "UnknownSession" {
        Output.error("the session has ended")
        return 0
      }
      throw CommandError(error, calling: "GetAll", on: session.daemon.address)
    }
  }
}

// MARK: looking

struct SessionList: LicetCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "List the sessions that there are: one's own, for an administrator all.")

  @OptionGroup var bus: AddressOptions
  @OptionGroup var format: FormatOptions

  func perform() throws(CommandError) -> Int32 {
    let daemon = try bus.daemon()
    let all = try daemon.property("Sessions").number ?? 0
    let found = try daemon.call(.objects, "GetManagedObjects").first ?? .null
    guard case .object(let members) = found else {
      throw CommandError(.badReply, "the daemon's answer is no list of objects", at: "licetd")
    }
    let sessions = members.compactMap { member in
      member.value[Daemon.Interface.session.rawValue].map { SessionPage(path: member.key, $0) }
    }
    if format.json {
      Output.line(JSON.array(sessions.map(\.json)).pretty)
    } else {
      Output.text(SessionPage.table(sessions, of: Int(all), .detected()))
    }
    return 0
  }
}

struct SessionShow: LicetCommand {
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "Show a session: its terms, what was spent, what halts it.")

  @OptionGroup var which: SessionOptions
  @OptionGroup var bus: AddressOptions
  @OptionGroup var format: FormatOptions

  func perform() throws(CommandError) -> Int32 {
    let session = try which.session(bus)
    let page = SessionPage(path: session.path, try session.properties())
    if format.json { Output.line(page.json.pretty) } else { Output.text(page.page(.detected())) }
    return 0
  }
}

// MARK: changing

struct SessionPrefer: LicetCommand {
  static let configuration = CommandConfiguration(
    commandName: "prefer", abstract: "Say what the user wishes for a behaviour and all below it.",
    discussion: "Example: licet session prefer content.profanity allow; `none` takes a wish back.")

  @Argument(help: "The behaviour.") var behavior: String
  @Argument(help: "deny, ask, allow or none.", completion: .list(["deny", "ask", "allow", "none"])) var effect: String
  @OptionGroup var which: SessionOptions
  @OptionGroup var bus: AddressOptions
  @OptionGroup var format: FormatOptions

  func perform() throws(CommandError) -> Int32 {
    let word = effect == "none" ? "" : try Effect(named: effect, at: "effect").name
    _ = try which.session(bus).call("SetPreference") {
      $0.append(behavior)
      $0.append(word)
    }
    done(
      format, ["behavior": .string(behavior), "effect": .string(effect)],
      "the wish for \(harmless(behavior)) is \(effect)")
    return 0
  }
}

struct SessionDial: LicetCommand {
  static let configuration = CommandConfiguration(
    commandName: "dial", abstract: "Say how far the agent may go on its own.",
    discussion: "As far as the policy lets users raise it; lower always, whatever the policy says.")

  @Argument(help: "A number strictly between 0 and 1.") var dial: Double
  @OptionGroup var which: SessionOptions
  @OptionGroup var bus: AddressOptions
  @OptionGroup var format: FormatOptions

  func perform() throws(CommandError) -> Int32 {
    let session = try which.session(bus)
    _ = try session.call("SetDial") { $0.append(dial) }
    let settled = try session.properties()["Dial"] ?? .null
    done(format, ["dial": settled], "the dial is \(settled.compact)")
    return 0
  }
}

struct SessionSpend: LicetCommand {
  static let configuration = CommandConfiguration(
    commandName: "spend", abstract: "Say what was spent, in the operator's own unit.",
    discussion: "It counts in all that the session was delegated by; once a bound is reached everything is denied.")

  @Argument(help: "How much.") var cost: Double
  @OptionGroup var which: SessionOptions
  @OptionGroup var bus: AddressOptions
  @OptionGroup var format: FormatOptions

  func perform() throws(CommandError) -> Int32 {
    let left = try which.session(bus).call("Spend") { $0.append(cost) }.first ?? .null
    let isBounded = if case .double(let number) = left { number.isFinite } else { false }
    done(format, ["left": isBounded ? left : .null], isBounded ? "\(left.compact) is left" : "there is no bound")
    return 0
  }
}

struct SessionClose: LicetCommand {
  static let configuration = CommandConfiguration(
    commandName: "close", abstract: "End a session, and all that was delegated from it.",
    discussion:
      "For its user and for administrators, whatever the policy says. `licet stop --session` denies all in it and leaves it to be looked at."
  )

  @OptionGroup var which: SessionOptions
  @OptionGroup var bus: AddressOptions
  @OptionGroup var format: FormatOptions

  func perform() throws(CommandError) -> Int32 {
    let session = try which.session(bus)
    _ = try session.call("Close")
    done(format, ["session": .string(session.id)], "\(session.id) has ended")
    return 0
  }
}

private func done(_ format: FormatOptions, _ fields: KeyValuePairs<String, JSON?>, _ text: String) {
  Output.line(format.json ? JSON.fields(fields).pretty : text)
}
