// `licet lint`: what a policy says that its author may not mean.

import ArgumentParser
import PolicyLanguage

struct Lint: LicetCommand {
  static let configuration = CommandConfiguration(
    abstract: "Warn about statements that change nothing, or less than they say.",
    discussion: "Shows warnings beside any errors. Exits with 65 on errors, and with --strict with 1 on warnings.")

  @OptionGroup var policy: PolicyOptions
  @Argument(help: "Policy folders, as with --policy.", completion: .directory)
  var folders: [String] = []
  @Flag(name: .long, help: "Exit with 1 when there is a warning.")
  var strict = false
  @OptionGroup var format: FormatOptions

  func perform() throws(CommandError) -> Int32 {
    guard policy.image == nil else {
      throw CommandError(.conflictingFlags, "an image holds no source to warn about; name its folder", at: "--image")
    }
    let source = try policy.source(folders)
    let warnings = source.set.map { PolicyLanguage.lint($0) } ?? []
    let all = (source.diagnostics + warnings.filter { !source.diagnostics.contains($0) })
    if format.json {
      Output.line(JSON.fields(["diagnostics": .array(all.map(\.json))]).pretty)
    } else {
      let style = Style.detected()
      if !all.isEmpty { Output.line(source.renderer(color: style.color).render(all)) }
      Output.line(all.isEmpty ? style.paint("nothing to remark", .green) : DiagnosticsText.count(all.count, "remark"))
    }
    if !source.errors.isEmpty { return Exit.data.rawValue }
    return strict && !all.isEmpty ? 1 : 0
  }
}
