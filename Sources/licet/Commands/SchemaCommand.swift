// `licet schema`: a JSON Schema of policy files, so that editors complete and check them.

import ArgumentParser
import PolicyLanguage

struct SchemaCommand: LicetCommand {
  static let configuration = CommandConfiguration(
    commandName: "schema", abstract: "Print a JSON Schema of policy files for editors.",
    discussion: "The output is JSON with or without --json.")

  @OptionGroup var format: FormatOptions

  func perform() throws(CommandError) -> Int32 {
    Output.line(PolicyLanguage.schema())
    return 0
  }
}
