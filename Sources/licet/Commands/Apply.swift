// `licet apply`: a set of files in force as one, or not at all.

import ArgumentParser
import Bus
import Foundation
import PolicyLanguage

struct Apply: LicetCommand {
  static let configuration = CommandConfiguration(
    abstract: "Put a folder's policy files in force as one.",
    discussion: """
      Asks the daemon whether the policy folder with these files over it would be in force; copies them, each whole; \
      and reloads once. If something is refused, the old files are put back. Removes nothing unless --prune. Exits \
      with 65 when refused.
      """)

  @Argument(help: "The folder with the new files.", completion: .directory)
  var folder: String
  @Option(
    name: .long, help: ArgumentHelp("The policy folder to put them into.", valueName: "dir"), completion: .directory)
  var to = "/etc/licet"
  @Flag(name: .long, help: "Remove policy files that the folder doesn't have.")
  var prune = false
  @OptionGroup var bus: AddressOptions
  @OptionGroup var format: FormatOptions

  /// Longer than copying takes; the daemon's own bound is 60.
  private static let holdSeconds: UInt32 = 60

  func perform() throws(CommandError) -> Int32 {
    let daemon = try bus.daemon()
    let report = try StatusReport(daemon)
    let folders = try daemonFolders(report)
    let new = try PolicyFiles(folder: folder)
    guard !new.files.isEmpty else {
      throw CommandError(
        .noInput, "holds no policy file", at: folder, hint: "it holds platform.yaml, platform.d/ or operators.d/")
    }
    let deployment = Deployment(new, over: try PolicyFiles(folder: to), in: to, pruning: prune)
    guard !deployment.steps.isEmpty else { return unchanged(report) }
    let wasBroken = Set(report.diagnostics.errors.map(\.operatorName))
    try validate(deployment, folders, daemon, wasBroken)
    _ = try daemon.call(.admin, "Hold") { $0.append(Self.holdSeconds) }
    try deployment.run()
    return show(try reload(deployment, daemon, wasBroken), deployment)
  }

  /// The folders that the daemon reads, lowest first; `to` has to be one of them.
  private func daemonFolders(_ report: StatusReport) throws(CommandError) -> [String] {
    guard let admin = report.admin else {
      throw CommandError(
        refusal: "NotAuthorized", "putting policies in force is for administrators")
    }
    let folders = admin["policy"]?.texts ?? []
    guard folders.contains(where: { Self.isSame($0, to) }) else {
      throw CommandError(
        .badValue, "the daemon doesn't read \(harmless(to))", at: "--to",
        hint: "it reads \(folders.map { harmless($0) }.joined(separator: ", "))")
    }
    return folders
  }

  private static func isSame(_ one: String, _ other: String) -> Bool {
    func resolved(_ path: String) -> String { URL(filePath: path).standardizedFileURL.resolvingSymlinksInPath().path }
    return resolved(one) == resolved(other)
  }

  /// Asks the daemon about the whole set as it would be.
  private func validate(
    _ deployment: Deployment, _ folders: [String], _ daemon: Daemon, _ wasBroken: Set<String>
  ) throws(CommandError) {
    // A higher folder's file masks a lower one's; a mask masks and says nothing.
    var merged: [String: PolicyFiles.File] = [:]
    for other in folders {
      let files = Self.isSame(other, to) ? deployment.after : try PolicyFiles(folder: other)
      merged.merge(files.files) { $1 }
    }
    let diagnostics = try daemon.validate(merged).diagnostics
    let blocking = diagnostics.errors.filter {
      deployment.owners.contains($0.operatorName) || !wasBroken.contains($0.operatorName)
    }
    guard blocking.isEmpty else { throw refusal(blocking, "would be refused; nothing was changed") }
  }

  private func reload(
    _ deployment: Deployment, _ daemon: Daemon, _ wasBroken: Set<String>
  ) throws(CommandError) -> ReloadOutcome {
    let outcome: ReloadOutcome
    do throws(CommandError) {
      outcome = try ReloadOutcome(daemon)
    } catch {
      try deployment.undo()
      throw CommandError(error.code, error.message + "; the old files are back", at: error.at, hint: error.hint)
    }
    let failed = outcome.refused.filter { deployment.owners.contains($0) || !wasBroken.contains($0) }
    guard failed.isEmpty else {
      try deployment.undo()
      _ = try ReloadOutcome(daemon)
      let about = outcome.diagnostics.filter { failed.contains($0.operatorName) }
      throw refusal(about, "was refused; the old files are back, and in force")
    }
    return outcome
  }

  private func refusal(_ diagnostics: [DaemonDiagnostic], _ text: String) -> CommandError {
    if !format.json { Output.error(diagnostics.page(.detected(isTerminal: isatty(2) == 1))) }
    let first = diagnostics.first.map { ": \($0.location.file):\($0.location.line): \(harmless($0.message))" } ?? ""
    return CommandError(.refused, text + first, at: folder)
  }

  private func unchanged(_ report: StatusReport) -> Int32 {
    let generation = report.properties["Generation"] ?? .null
    if format.json {
      Output.line(JSON.fields(["generation": generation, "changed": .array([])]).pretty)
    } else {
      Output.line("\(harmless(to)) holds these files already; generation \(generation.number ?? 0) is in force")
    }
    return 0
  }

  private func show(_ outcome: ReloadOutcome, _ deployment: Deployment) -> Int32 {
    if format.json {
      Output.line(
        JSON.fields([
          "generation": .int(outcome.generation), "changed": .strings(deployment.steps.map(\.path)),
          "diagnostics": .array(outcome.diagnostics.map(\.json)),
        ]).pretty)
      return 0
    }
    for step in deployment.steps {
      if case .remove = step {
        Output.line("- \(harmless(step.path))")
      } else {
        Output.line("+ \(harmless(step.path))")
      }
    }
    Output.text(outcome.page(.detected()))
    return 0
  }
}

extension Daemon {
  /// Admin.Validate: would these be in force?
  func validate(
    _ files: [String: PolicyFiles.File]
  ) throws(CommandError) -> (isValid: Bool, diagnostics: [DaemonDiagnostic]) {
    let reply = try call(.admin, "Validate", timeout: Daemon.reloadTimeout) { writer in
      writer.array("(say)") { list in
        for (path, file) in files.sorted(by: { $0.key < $1.key }) {
          guard case .bytes(let bytes) = file else { continue }
          list.structure { fields in
            fields.append(path)
            bytes.withUnsafeBytes { fields.append(bytes: $0) }
          }
        }
      }
    }
    guard reply.count == 2 else {
      throw CommandError(.badReply, "the answer to Validate can't be read", at: "licetd")
    }
    return (reply[0].isTrue, DaemonDiagnostic.list(reply[1]))
  }
}
