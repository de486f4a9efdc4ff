/// licet: the command line. Reads files, requests and flags, asks PolicyLanguage and Decision, and writes for people
/// or, with --json, for programs. The only target that may import Foundation. One file a subcommand in Commands/;
/// Requests/ reads what is asked, Policy/ what decides, Scenarios/ the tests, Output/ writes.

import ArgumentParser

struct Licet: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "licet",
    abstract: "May this be done, on whose word, and why.",
    discussion: """
      Licet decides what AI applications on a host may do, by layered policy files: the platform's, each \
      operator's, and the user's wish. These commands work on a policy folder (--policy) or on a compiled image \
      (--image), without a daemon.

      Exit codes of `check`: 0 allow, 1 deny, 2 ask. Everywhere: 64 a wrong flag or request, 65 a file with errors, \
      66 a file that can't be read, 73 one that can't be written.
      """,
    version: "0.1.0",
    subcommands: [
      Check.self, Explain.self, Validate.self, Lint.self, Compile.self, TestCommand.self, Behaviors.self,
      SchemaCommand.self, Import.self, Bench.self,

    ])
}
