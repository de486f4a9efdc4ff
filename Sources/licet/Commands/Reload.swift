// `licet reload`: the policy folders are read again, and one hears what came of it.

import ArgumentParser

struct Reload: LicetCommand {
  static let configuration = CommandConfiguration(
    abstract: "Read the policy folders again, and wait for what comes of it.",
    discussion: """
      Changes of files come into force by themselves; this says what came of them, and ends a hold and a rollback. \
      Exits with 1 if something was refused: its last good policy stands.
      """)

  @OptionGroup var bus: AddressOptions
  @OptionGroup var format: FormatOptions

  func perform() throws(CommandError) -> Int32 {
    let outcome = try ReloadOutcome(try bus.daemon())
    if format.json {
      Output.line(outcome.json.pretty)
    } else {
      Output.text(outcome.page(.detected()))
    }
    return outcome.refused.isEmpty ? 0 : 1
  }
}

/// What Admin.Reload came to.
struct ReloadOutcome {
  let generation: Int64
  /// Operators whose change is not in force; "": the platform.
  let refused: [String]
  let diagnostics: [DaemonDiagnostic]

  init(_ daemon: Daemon) throws(CommandError) {
    let reply = try daemon.call(.admin, "Reload", timeout: Daemon.reloadTimeout)
    guard reply.count == 3, let number = reply[0].number else {
      throw CommandError(.badReply, "the answer to Reload can't be read", at: "licetd")
    }
    generation = number
    refused = reply[1].texts.sorted()
    diagnostics = DaemonDiagnostic.list(reply[2])
  }

  var json: JSON {
    .fields([
      "generation": .int(generation), "refused": .strings(refused), "diagnostics": .array(diagnostics.map(\.json)),
    ])
  }

  func page(_ style: Style) -> String {
    let listing = diagnostics.isEmpty ? "" : diagnostics.page(style) + "\n"
    let counted = diagnostics.isEmpty ? style.paint("no errors", .green) : diagnostics.counted
    var summary = "generation \(generation) is in force; \(counted)"
    if !refused.isEmpty { summary += "; refused, so the last good stands: \(ReloadOutcome.names(refused, style))" }
    return listing + summary + "\n"
  }

  /// Whose: operators, and the platform, which has the empty name.
  static func names(_ refused: [String], _ style: Style) -> String {
    refused.map { $0.isEmpty ? "the platform" : harmless($0, unicode: style.unicode) }.joined(separator: ", ")
  }
}
