// What all commands share: how they end, and the flags that stand for the policy and the output's form.

import ArgumentParser

/// A command that either returns its exit code or throws a named error, which is printed in one place.
protocol LicetCommand: ParsableCommand {
  var format: FormatOptions { get }
  func perform() throws(CommandError) -> Int32
}

extension LicetCommand {
  mutating func run() throws {
    let code: Int32
    do {
      code = try perform()
    } catch {
      if format.json { Output.line(error.json.pretty) } else { Output.error(error.text) }
      throw ExitCode(error.code.exit.rawValue)
    }
    if code != 0 { throw ExitCode(code) }
  }
}

struct FormatOptions: ParsableArguments {
  @Flag(name: .long, help: "Write JSON.")
  var json = false
}
