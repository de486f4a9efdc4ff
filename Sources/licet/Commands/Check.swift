// `licet check`: one decision, or one a line.

import ArgumentParser
import Foundation
import Consultation
import Offline
import PolicyImage

struct Check: LicetCommand {
  static let configuration = CommandConfiguration(
    abstract: "Decide a request.",
    discussion: """
      Asks the daemon, in a session where one is named, or decides by a folder (--policy) or an image (--image). Prints the effect, what decided and \
      the obligations; exits with 0 for allow, 1 for deny, 2 for ask. With \
      --batch every line of a JSONL file is a request and gets one line of JSON with its decision or its error, in \
      order; the exit code is then 0, or 64 if any line had an error.

      Example: licet check --policy examples --operator forge --behavior tool.git.push --user u1 \
      --set user.role=developer
      """)

  @OptionGroup var policy: PolicyOptions
  @OptionGroup var bus: AddressOptions
  @OptionGroup var session: SessionOptions
  @OptionGroup var request: RequestOptions

  @Option(
    name: .long, help: ArgumentHelp("Decide each line of a JSONL file; `-` is standard input.", valueName: "file"),
    completion: .file(extensions: ["jsonl"]))
  var batch: String?

  @OptionGroup var format: FormatOptions

  func perform() throws(CommandError) -> Int32 {
    try policy.exclude(bus)
    try session.exclude(policy)
    if let batch { return try run(batch: batch) }
    guard policy.isOffline else {
      let form = try request.form()
      let daemon = try bus.daemon()
      let decided = try daemon.ask(.check, form, in: try session.optional(daemon))
      return show(decided.answer, form, generation: decided.generation)
    }
    let source = try policy.source()
    let table = AttributeTable(try source.requirePolicy())
    let form = try request.form()
    return show(
      try source.answer(form, table, now: .current, explaining: format.json), form, generation: AnswerJSON.generation)
  }

  private func show(_ answer: Answer, _ form: RequestForm, generation: Int64) -> Int32 {
    if format.json {
      Output.line(AnswerJSON.json(answer, generation: generation).pretty)
    } else {
      Output.line(AnswerText(style: .detected()).summary(answer, asked: form.behaviors))
    }
    return answer.effect.exitCode
  }

  private func run(batch: String) throws(CommandError) -> Int32 {
    guard request.request == nil, request.behavior.isEmpty else {
      throw CommandError(.conflictingFlags, "--batch takes its requests from the file alone", at: "--batch")
    }
    guard policy.isOffline else {
      let daemon = try bus.daemon()
      return try DaemonBatch(daemon, in: try session.optional(daemon)).run(BatchFile(batch))
    }
    let source = try policy.source()
    let table = AttributeTable(try source.requirePolicy())
    let now = Instant.current
    var failures = 0
    for line in try BatchFile(batch).lines {
      do throws(CommandError) {
        let answer = try source.answer(try line.form(), table, now: now, explaining: true)
        Output.line(AnswerJSON.json(answer).compact)
      } catch {
        failures += 1
        Output.line(error.json.compact)
      }
    }
    return failures == 0 ? 0 : Exit.usage.rawValue
  }
}

extension Effect {
  /// `check`'s exit code.
  var exitCode: Int32 {
    switch self {
    case .allow: 0
    case .deny: 1
    case .ask: 2
    }
  }
}
