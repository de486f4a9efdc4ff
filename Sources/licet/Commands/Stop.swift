// `licet stop` and `licet resume`: the panic button. It needs no policy and no compile, and survives restarts.

import ArgumentParser
import Bus

struct Stop: LicetCommand {
  static let configuration = CommandConfiguration(
    abstract: "Deny everything to an operator, or to all, until `licet resume`; or in a session, for good.",
    discussion: """
      In force when the command returns, and kept across restarts. What is hard-coded on stays allowed: saying what one \
      can't help with, and admitting to be an AI. A session that is stopped stays so, with all that was delegated from it; \
      its user may stop it, too.
      """)

  @OptionGroup var whom: WhomOptions
  @Option(name: .long, help: ArgumentHelp("This session, and all that was delegated from it.", valueName: "id"))
  var session: String?
  @OptionGroup var bus: AddressOptions
  @OptionGroup var format: FormatOptions

  func perform() throws(CommandError) -> Int32 {
    guard let session else {
      return try whom.send(bus, one: "Stop", all: "StopAll", format, done: "stopped", hint: "resume")
    }
    guard whom.operator == nil, !whom.all, let id = try DaemonSession.id(session, environment: [:]) else {
      throw CommandError(.conflictingFlags, "say whom: --operator NAME, --session ID or --all", at: "--session")
    }
    _ = try DaemonSession(try bus.daemon(), id).call("Stop")
    if format.json {
      Output.line(JSON.fields(["done": .string("stopped"), "session": .string(id)]).pretty)
    } else {
      Output.line("\(id) is stopped; `licet session close --session \(id)` ends it")
    }
    return 0
  }
}

struct Resume: LicetCommand {
  static let configuration = CommandConfiguration(
    abstract: "End a stop.",
    discussion: "`--all` ends what `stop --all` began; operators that were stopped by name stay so.")

  @OptionGroup var whom: WhomOptions
  @OptionGroup var bus: AddressOptions
  @OptionGroup var format: FormatOptions

  func perform() throws(CommandError) -> Int32 {
    try whom.send(bus, one: "Resume", all: "ResumeAll", format, done: "resumed", hint: nil)
  }
}

/// One operator, or all.
struct WhomOptions: ParsableArguments {
  @Option(name: .long, help: "This operator.")
  var `operator`: String?
  @Flag(name: .long, help: "All operators.")
  var all = false

  fileprivate func send(
    _ bus: AddressOptions, one: String, all every: String, _ format: FormatOptions, done: String, hint: String?
  ) throws(CommandError) -> Int32 {
    guard (`operator` != nil) != all else {
      throw CommandError(.conflictingFlags, "say whom: --operator NAME or --all", at: "--operator")
    }
    let daemon = try bus.daemon()
    if let name = `operator` {
      _ = try daemon.call(.admin, one) { $0.append(name) }
    } else {
      _ = try daemon.call(.admin, every)
    }
    let flag = `operator`.map { "--operator \(harmless($0))" } ?? "--all"
    if format.json {
      Output.line(
        JSON.fields(["done": .string(done), "operators": .strings(`operator`.map { [$0] } ?? []), "all": .bool(all)])
          .pretty)
    } else {
      let whom = `operator`.map { harmless($0) } ?? "everything"
      Output.line("\(whom) is \(done)" + (hint.map { "; `licet \($0) \(flag)` ends that" } ?? ""))
    }
    return 0
  }
}
