// `licet explain`: a decision and everything that led to it.

import ArgumentParser

struct Explain: LicetCommand {
  static let configuration = CommandConfiguration(
    abstract: "Decide a request and say why, also what did not apply and who could allow it.",
    discussion: """
      Shows who decided, every step with the effect after it, the statements that did not apply and why, the \
      obligations, and the way: the lowest layer that could allow it and the smallest change. Exits with 0 whatever \
      the decision.
      """)

  @OptionGroup var policy: PolicyOptions
  @OptionGroup var request: RequestOptions
  @OptionGroup var format: FormatOptions

  func perform() throws(CommandError) -> Int32 {
    let source = try policy.source()
    let form = try request.form()
    let table = AttributeTable(try source.requirePolicy())
    let answer = try source.answer(form, table, now: .current, explaining: true)
    if format.json {
      Output.line(AnswerJSON.json(answer).pretty)
    } else {
      Output.text(AnswerText(style: .detected()).explanation(answer, form))
    }
    return 0
  }
}
