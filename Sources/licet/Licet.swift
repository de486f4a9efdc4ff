/// licet: the command line. Reads files, requests and flags, asks PolicyLanguage and Decision, and writes for people
/// or, with --json, for programs. The only target that may import Foundation. One file a subcommand in Commands/;
/// Requests/ reads what is asked, Policy/ what decides, Scenarios/ the tests, Output/ writes.

import ArgumentParser
import System

struct Licet: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "licet",
    abstract: "May this be done, on whose word, and why.",
    discussion: """
      Licet decides what AI applications on a host may do, by layered policy files: the platform's, each \
      operator's, and the user's wish. Commands ask licetd over D-Bus (--address says on which bus); with a policy \
      folder (--policy) or a compiled image (--image) they decide without it.

      Exit codes of `check`: 0 allow, 1 deny, 2 ask. Everywhere: 64 a wrong flag or request, 65 a file with errors, \
      66 a file that can't be read, 69 no daemon or no bus, 73 a file that can't be written, 75 too much at once, 76 an \
      answer that can't be read, 77 not for this user.
      """,
    version: Product.version,
    subcommands: [
      Check.self, Explain.self, Behaviors.self, Status.self, Watch.self, Reload.self, Rollback.self, Apply.self,
      Stop.self, Resume.self, Validate.self, Lint.self, Compile.self, Diff.self, TestCommand.self, ReviewCommand.self,
      SchemaCommand.self,
      Import.self, Bench.self, PeriodCommand.self, SessionCommand.self,
    ])
}
