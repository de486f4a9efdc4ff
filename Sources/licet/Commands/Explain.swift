// `licet explain`: a decision and everything that led to it.

import ArgumentParser
import Consultation
import Offline

struct Explain: LicetCommand {
  static let configuration = CommandConfiguration(
    abstract: "Decide a request and say why, also what did not apply and who could allow it.",
    discussion: """
      Asks the daemon, or decides by a folder (--policy) or an image (--image). Shows who decided, every step with the effect after it, the statements that did not apply and why, the \
      obligations, and the way: the lowest layer that could allow it and the smallest change. Exits with 0 whatever \
      the decision.
      """)

  @OptionGroup var policy: PolicyOptions
  @OptionGroup var bus: AddressOptions
  @OptionGroup var session: SessionOptions
  @OptionGroup var request: RequestOptions
  @OptionGroup var format: FormatOptions

  func perform() throws(CommandError) -> Int32 {
    try policy.exclude(bus)
    try session.exclude(policy)
    guard policy.isOffline else {
      let form = try request.form()
      let daemon = try bus.daemon()
      let decided = try daemon.ask(.explain, form, in: try session.optional(daemon))
      return show(decided.answer, form, generation: decided.generation)
    }
    let source = try policy.source()
    let form = try request.form()
    let table = AttributeTable(try source.requirePolicy())
    let answer = try source.answer(form, table, now: .current, explaining: true)
    return show(answer, form, generation: AnswerJSON.generation)
  }

  private func show(_ answer: Answer, _ form: RequestForm, generation: Int64) -> Int32 {
    if format.json {
      Output.line(AnswerJSON.json(answer, generation: generation).pretty)
    } else {
      Output.text(AnswerText(style: .detected()).explanation(answer, form))
    }
    return 0
  }
}
