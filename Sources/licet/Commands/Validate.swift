// `licet validate`: everything that is wrong with a policy, with the line, a caret and what to do.

import ArgumentParser
import Foundation
import Consultation
import Offline
import PolicyLanguage

struct Validate: LicetCommand {
  static let configuration = CommandConfiguration(
    abstract: "Check policy files and show every error in them.",
    discussion: """
      Exits with 65 if a file has an error. Errors stay where they are: a broken operator's file keeps nobody else \
      from being in force, and the summary says who is. With --daemon (or --address) the running daemon's compiler \
      judges the same files; it puts nothing in force.
      """)

  @OptionGroup var policy: PolicyOptions
  @OptionGroup var bus: AddressOptions
  @Flag(name: .long, help: "Let the running daemon judge.")
  var daemon = false
  @Argument(help: "Policy folders, as with --policy.", completion: .directory)
  var folders: [String] = []
  @OptionGroup var format: FormatOptions

  func perform() throws(CommandError) -> Int32 {
    if daemon || bus.address != nil { return try ask(try bus.daemon()) }
    let source = try policy.source(folders)
    if format.json {
      Output.line(json(source).pretty)
    } else {
      Output.text(DiagnosticsText(style: .detected()).page(source))
    }
    return source.errors.isEmpty ? 0 : Exit.data.rawValue
  }

  /// Sends the folders' files, of which a higher one's mask a lower one's.
  private func ask(_ daemon: Daemon) throws(CommandError) -> Int32 {
    guard policy.image == nil else {
      throw CommandError(.conflictingFlags, "--daemon judges files, not an image", at: "--image")
    }
    let named = policy.policy + folders
    var files: [String: PolicyFiles.File] = [:]
    for folder in named.isEmpty ? PolicyFolder.systemFolders : named {
      guard Files.isDirectory(folder) || named.isEmpty else {
        throw CommandError(.noInput, "there is no policy folder", at: folder)
      }
      files.merge(try PolicyFiles(folder: folder).files) { $1 }
    }
    let (isValid, diagnostics) = try daemon.validate(files)
    if format.json {
      Output.line(
        JSON.fields(["valid": .bool(isValid), "diagnostics": .array(diagnostics.map(\.json))]).pretty)
    } else {
      let style = Style.detected()
      let found = diagnostics.isEmpty ? style.paint("no errors", .green) : diagnostics.counted
      let listing = diagnostics.isEmpty ? "" : diagnostics.page(style) + "\n"
      Output.text(listing + "\(found); the daemon \(isValid ? "would take it" : "would refuse it")\n")
    }
    return isValid ? 0 : Exit.data.rawValue
  }

  private func json(_ source: PolicySource) -> JSON {
    .fields([
      "valid": .bool(source.errors.isEmpty),
      "platform": .optional(source.policy?.identity.name),
      "operators": .strings(source.policy?.operators ?? []),
      "broken": .strings(source.set?.broken.sorted() ?? []),
      "diagnostics": .array(source.diagnostics.map(\.json)),
    ])
  }
}

extension PolicyOptions {
  /// The same, with folders that a command takes as arguments.
  func source(_ folders: [String]) throws(CommandError) -> PolicySource {
    var options = self
    options.policy += folders
    return try options.source()
  }
}

extension Diagnostic {
  var json: JSON {
    .fields([
      "code": .string(code.rawValue), "severity": .string(severity.rawValue), "file": .string(location.file),
      "line": .int(Int64(location.line)), "column": .int(Int64(location.column)), "length": .int(Int64(length)),
      "message": .string(message), "hint": hint.map(JSON.string),
      "related": related.map {
        .fields([
          "file": .string($0.location.file), "line": .int(Int64($0.location.line)),
          "column": .int(Int64($0.location.column)), "message": .string($0.message),
        ])
      },
    ])
  }
}

/// Diagnostics and what is in force in spite of them.
struct DiagnosticsText {
  let style: Style

  func page(_ source: PolicySource) -> String {
    let listing = source.renderer(color: style.color).render(source.diagnostics)
    return (listing.isEmpty ? "" : listing + "\n") + summary(source) + "\n"
  }

  private func summary(_ source: PolicySource) -> String {
    let errors = source.errors.count
    let warnings = source.diagnostics.count - errors
    let counted = [(errors, "error"), (warnings, "warning")].filter { $0.0 > 0 }.map { DiagnosticsText.count($0, $1) }
    let found = counted.isEmpty ? style.paint("no errors", .green) : counted.joined(separator: ", ")
    guard let policy = source.policy else { return "\(found); no platform is in force, so everything is denied" }
    var text =
      "\(found); platform \(policy.identity.name) with \(DiagnosticsText.count(policy.operators.count, "operator"))"
    if let broken = source.set?.broken, !broken.isEmpty {
      text += "; nothing in force for \(broken.sorted().joined(separator: ", "))"
    }
    return text
  }

  static func count(_ number: Int, _ thing: String) -> String { "\(number) \(thing)\(number == 1 ? "" : "s")" }
}
