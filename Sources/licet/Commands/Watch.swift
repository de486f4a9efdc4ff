// `licet watch`: decisions, reloads and diagnostics as they happen. It outlives the daemon: says when it goes, waits,
// and says when it is back.

import ArgumentParser
import Bus
import Foundation

struct Watch: LicetCommand {
  static let configuration = CommandConfiguration(
    abstract: "Show decisions, reloads and diagnostics as they happen.",
    discussion: """
      Shows what the caller may see: an administrator all of it, others their own operators'. With --json one object a \
      line, whose `event` is decision, generation, reload, diagnostics, gone or back. Ctrl-C ends it.
      """)

  @OptionGroup var bus: AddressOptions
  @OptionGroup var format: FormatOptions

  func perform() throws(CommandError) -> Int32 {
    let printer = WatchPrinter(style: .detected(), isJSON: format.json)
    var subscription = try Subscription(try bus.daemon())
    endCleanly()
    printer.started(subscription.generation)
    while true {
      do throws(BusError) {
        guard let signal = try subscription.daemon.bus.nextSignal(timeoutNanoseconds: nil) else { continue }
        subscription.take(signal, printer)
      } catch {
        printer.gone("the bus")
        subscription = reconnect()
        printer.back(subscription.generation)
      }
    }
  }

  /// With pauses that grow to five seconds.
  private func reconnect() -> Subscription {
    var pause: UInt32 = 200_000
    while true {
      usleep(pause)
      if let daemon = try? bus.daemon(), let subscription = try? Subscription(daemon) { return subscription }
      pause = min(pause &* 2, 5_000_000)
    }
  }

  /// Every line is written whole, so an end between two of them loses nothing. libdbus ignores SIGPIPE; here a reader
  /// that has gone is the end.
  private func endCleanly() {
    signal(SIGPIPE, SIG_DFL)
    for number in [SIGINT, SIGTERM] { signal(number) { _ in _exit(0) } }
  }
}

/// What `watch` hears. Signals count only from whoever owns the daemon's name: anybody may send others to this program.
private struct Subscription {
  let daemon: Daemon
  private(set) var generation: Int64 = 0
  /// The unique name of the daemon; nil while it is gone.
  private var owner: String?

  /// Those to this caller alone need no match.
  init(_ daemon: Daemon) throws(CommandError) {
    self.daemon = daemon
    do {
      try daemon.bus.addMatch(
        "type='signal',sender='org.freedesktop.DBus',member='NameOwnerChanged',arg0='\(Daemon.name)'")
      try daemon.bus.addMatch("type='signal',sender='\(Daemon.name)',member='GenerationChanged'")
    } catch {
      throw CommandError(error, calling: "AddMatch", on: daemon.address)
    }
    try subscribe()
  }

  private mutating func subscribe() throws(CommandError) {
    do {
      let reply = try daemon.raw(.authority, "Subscribe") {
        $0.append(["decisions", "reloads", "diagnostics", "periods"])
      }
      owner = reply.sender
    } catch {
      throw CommandError(error, calling: "Subscribe", on: daemon.address)
    }
    generation = try daemon.property("Generation").number ?? 0
  }

  mutating func take(_ signal: Message, _ printer: WatchPrinter) {
    guard let arguments = try? [JSON](arguments: signal) else { return }
    if signal.isFrom("org.freedesktop.DBus") {
      guard signal.member == "NameOwnerChanged", arguments.count == 3, arguments[0].text == Daemon.name else { return }
      if arguments[2].text == "" {
        owner = nil
        printer.gone("licetd")
      } else if (try? subscribe()) != nil {
        printer.back(generation)
      }
    } else if let owner, signal.sender == owner, isOurs(signal.interface) {
      printer.signal(signal.member ?? "", arguments)
    }
  }

  private func isOurs(_ interface: String?) -> Bool {
    [Daemon.Interface.authority, .periods].contains { $0.rawValue == interface }
  }
}

/// Lines for people or for programs.
struct WatchPrinter {
  let style: Style
  let isJSON: Bool

  func started(_ generation: Int64) {
    if !isJSON { Output.line(style.paint("watching; generation \(generation) is in force; Ctrl-C ends", .dim)) }
    if isJSON { event("started", ["generation": .int(generation)]) }
  }

  func gone(_ what: String) {
    if isJSON { return event("gone", ["what": .string(what)]) }
    line("!", .yellow, "\(what) has gone; waiting for it")
  }

  func back(_ generation: Int64) {
    if isJSON { return event("back", ["generation": .int(generation)]) }
    line("!", .green, "licetd is back; generation \(generation) is in force")
  }

  func signal(_ member: String, _ arguments: [JSON]) {
    switch (member, arguments.count) {
    case ("Decided", 5): decided(arguments)
    case ("GenerationChanged", 1):
      if isJSON { return event("generation", ["generation": arguments[0]]) }
      line(style.glyph("↻", "@"), .blue, "generation \(arguments[0].number ?? 0) is in force")
    case ("Reloaded", 2): reloaded(arguments)
    case ("PeriodChanged", 2):
      if isJSON { return event("period", ["period": arguments[0], "ended": arguments[1]]) }
      let name = shown(arguments[0].text ?? "")
      line(
        style.glyph("↻", "@"), .blue, "the period \(name) \(arguments[1].isTrue == true ? "has ended" : "runs again")")
    case ("Diagnosed", 1): diagnosed(DaemonDiagnostic.list(arguments[0]))
    default: break
    }
  }

  private func decided(_ arguments: [JSON]) {
    let (name, effect, details) = (arguments[0].text ?? "", arguments[2].text ?? "", arguments[3])
    if isJSON {
      return event(
        "decision",
        [
          "operator": .string(name), "behaviors": arguments[1], "effect": .string(effect), "details": details,
          "missed": arguments[4],
        ])
    }
    if let missed = arguments[4].number, missed > 0 {
      line("!", .yellow, "\(missed) decisions were too many to show")
    }
    let ink: Style.Ink = effect == "allow" ? .green : effect == "ask" ? .yellow : .red
    let padding = String(repeating: " ", count: max(1, 6 - effect.count))
    let names = arguments[1].texts.map(shown).joined(separator: " + ")
    let place = details["statement"]?.text.map { "  " + style.paint(shown($0), .blue) } ?? ""
    let user = details["user"]?.text.map { "  \(shown($0))" } ?? ""
    Output.line("\(clock)  \(style.paint(shown(effect), .bold, ink))\(padding)\(shown(name))  \(names)\(user)\(place)")
  }

  private func reloaded(_ arguments: [JSON]) {
    if isJSON { return event("reload", ["generation": arguments[0], "refused": arguments[1]]) }
    let refused = arguments[1].texts
    guard !refused.isEmpty else { return }
    line("!", .red, "refused, so the last good stands: \(ReloadOutcome.names(refused, style))")
  }

  private func diagnosed(_ diagnostics: [DaemonDiagnostic]) {
    if isJSON { return event("diagnostics", ["diagnostics": .array(diagnostics.map(\.json))]) }
    guard !diagnostics.isEmpty else { return line(style.glyph("✓", "+"), .green, "no errors in any file") }
    line("!", diagnostics.errors.isEmpty ? .yellow : .red, diagnostics.counted)
    Output.text(diagnostics.page(style))
  }

  private func event(_ name: String, _ fields: KeyValuePairs<String, JSON>) {
    let members = fields.map { JSON.Member(key: $0.key, value: $0.value) }
    let time = JSON.Member(key: "time", value: .string(ISO8601DateFormatter().string(from: Date())))
    Output.line(JSON.object([.init(key: "event", value: .string(name)), time] + members).compact)
  }

  private func line(_ mark: String, _ ink: Style.Ink, _ text: String) {
    Output.line("\(clock)  \(style.paint(mark, ink)) \(text)")
  }

  private var clock: String {
    let format = DateFormatter()
    format.locale = Locale(identifier: "en_US_POSIX")
    format.dateFormat = "HH:mm:ss.SSS"
    return style.paint(format.string(from: Date()), .dim)
  }

  private func shown(_ text: String) -> String { harmless(text, unicode: style.unicode) }
}
