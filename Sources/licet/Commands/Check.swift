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
      Prints the effect, what decided and the obligations; exits with 0 for allow, 1 for deny, 2 for ask. With \
      --batch every line of a JSONL file is a request and gets one line of JSON with its decision or its error, in \
      order; the exit code is then 0, or 64 if any line had an error.

      Example: licet check --policy examples --operator forge --behavior tool.git.push --user u1 \
      --set user.role=developer
      """)

  @OptionGroup var policy: PolicyOptions
  @OptionGroup var request: RequestOptions

  @Option(
    name: .long, help: ArgumentHelp("Decide each line of a JSONL file; `-` is standard input.", valueName: "file"),
    completion: .file(extensions: ["jsonl"]))
  var batch: String?

  @OptionGroup var format: FormatOptions

  func perform() throws(CommandError) -> Int32 {
    let source = try policy.source()
    let table = AttributeTable(try source.requirePolicy())
    if let batch { return try run(batch: batch, source, table) }
    let form = try request.form()
    let answer = try source.answer(form, table, now: .current, explaining: format.json)
    if format.json {
      Output.line(AnswerJSON.json(answer).pretty)
    } else {
      Output.line(AnswerText(style: .detected()).summary(answer, asked: form.behaviors))
    }
    return answer.effect.exitCode
  }

  private func run(batch: String, _ source: PolicySource, _ table: AttributeTable) throws(CommandError) -> Int32 {
    guard request.request == nil, request.behavior.isEmpty else {
      throw CommandError(.conflictingFlags, "--batch takes its requests from the file alone", at: "--batch")
    }
    let now = Instant.current
    var failures = 0
    for (index, line) in try Files.read(batch).split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
      .enumerated()
    {
      if line.allSatisfy({ $0 == 0x20 || $0 == 0x0D || $0 == 0x09 }) { continue }
      do throws(CommandError) {
        let form = try RequestForm(try JSON(file: batch, line: index + 1, Array(line)))
        Output.line(AnswerJSON.json(try source.answer(form, table, now: now, explaining: true)).compact)
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
