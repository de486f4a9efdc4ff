// `licet rollback`: an earlier set of sources in force again, under a new generation.

import ArgumentParser
import Bus

struct Rollback: LicetCommand {
  static let configuration = CommandConfiguration(
    abstract: "Return to an earlier policy, until the files change or `licet reload`.",
    discussion: "Without a generation: the one before what is in force. The files stay as they are.")

  @OptionGroup var bus: AddressOptions
  @Argument(help: "The generation to return to.")
  var generation: UInt64?
  @Flag(name: .long, help: "Show the generations that one can return to.")
  var list = false
  @OptionGroup var format: FormatOptions

  func perform() throws(CommandError) -> Int32 {
    if list {
      guard generation == nil else {
        throw CommandError(.conflictingFlags, "--list returns to nothing", at: "--list")
      }
      show(try bus.daemon().call(.admin, "ListGenerations").first?.items ?? [])
      return 0
    }
    if generation == 0 {
      throw CommandError(.noSuchGeneration, "there is no generation 0", hint: "leave it out for the one before")
    }
    let reply = try bus.daemon().call(.admin, "Rollback", timeout: Daemon.reloadTimeout) { $0.append(generation ?? 0) }
    let new = reply.first?.number ?? 0
    if format.json {
      Output.line(JSON.fields(["generation": .int(new)]).pretty)
    } else {
      let what = generation.map { "the sources of generation \($0)" } ?? "the sources of before"
      Output.line("\(what) are in force as generation \(new); it stays until the files change or `licet reload`")
    }
    return 0
  }

  private func show(_ generations: [JSON]) {
    if format.json {
      let rows = generations.map { row in
        JSON.fields([
          "generation": row["generation"], "time": row["time"], "digest": row["digest"], "in_force": row["in-force"],
        ])
      }
      Output.line(JSON.fields(["generations": .array(rows)]).pretty)
      return
    }
    let style = Style.detected()
    for row in generations {
      let isInForce = row["in-force"]?.isTrue ?? false
      let number = String(row["generation"]?.number ?? 0)
      let padding = String(repeating: " ", count: max(0, 8 - number.count))
      let time = row["time"]?.number.map(StatusReport.time) ?? ""
      let digest = harmless(String((row["digest"]?.text ?? "").prefix(16)), unicode: style.unicode)
      let mark = isInForce ? "  " + style.paint("in force", .green) : ""
      Output.line("\(padding)\(number)  \(time)  \(digest)\(mark)")
    }
    if generations.isEmpty { Output.line("none is kept yet") }
  }
}
