// Conditions: CEL text -> checked expression, with errors mapped back to the file.

internal import CEL
internal import PolicyImage

final class Conditions {
  private struct Question {
    var source: String
    var isLimit: Bool
  }
  private let limits: Environment
  private let others: Environment
  private let report: Report
  /// The same condition stands in many rules.
  private var answers: [Result<CheckedExpression, Rejection>] = []
  private var answersForLimits: [String: Int] = [:]
  private var answersForOthers: [String: Int] = [:]

  init(_ attributes: [Attribute], _ counters: Set<String>, _ report: Report) {
    limits = environment(for: attributes, counters: counters, isLimit: true)
    others = environment(for: attributes, counters: counters, isLimit: false)
    self.report = report
  }

  /// nil: refused and reported. `isLimit`: `argument`, `session.dial` and counters may be read.
  func check(_ document: Document, _ node: NodeID, isLimit: Bool) -> CheckedExpression? {
    let question = Question(source: document.string(node), isLimit: isLimit)
    switch answer(question) {
    case .success(let expression):
      guard isLimit, let span = DialReads.offence(in: expression) else { return expression }
      report.tell(
        CELError(.undeclared, span, ""), question.source, document, node, code: .dialLoosens,
        message: "lowering the dial could lift this limit",
        hint: "nothing gets looser when the dial is lowered: a limit may only ask whether it is low, as "
          + "`session.dial < 0.3`; what is to hold at every dial needs no condition on it")
      return nil
    case .failure(let rejection):
      for error in rejection.errors { tell(error, question, document, node) }
      return nil
    }
  }

  /// As `check`, but of a condition that the platform's attributes no longer fit one that always fails is left, with its
  /// text: a failed limit applies, a failed grant doesn't. nil: it is no CEL at all.
  func checkOrFail(_ document: Document, _ node: NodeID, isLimit: Bool) -> CheckedExpression? {
    let question = Question(source: document.string(node), isLimit: isLimit)
    guard case .failure(let rejection) = answer(question) else { return check(document, node, isLimit: isLimit) }
    let isSyntax = rejection.errors.contains { [.syntax, .tooDeep, .tooLong].contains($0.code) }
    guard !isSyntax, case .success(var failing) = answer(Question(source: "1 / 0 == 1", isLimit: isLimit)) else {
      return check(document, node, isLimit: isLimit)
    }
    report.warning(
      .conditionOutdated, document, node,
      "this condition no longer fits the platform's attributes, so it always fails: "
        + (rejection.errors.first?.message ?? ""),
      hint: "a failed limit applies, a failed grant or setting loosens nothing; mend the condition")
    failing.source = question.source
    return failing
  }

  private func answer(_ question: Question) -> Result<CheckedExpression, Rejection> {
    let known = question.isLimit ? answersForLimits[question.source] : answersForOthers[question.source]
    if let known { return answers[known] }
    let answer = ask(question)
    if question.isLimit {
      answersForLimits[question.source] = answers.count
    } else {
      answersForOthers[question.source] = answers.count
    }
    answers.append(answer)
    return answer
  }

  private func ask(_ question: Question) -> Result<CheckedExpression, Rejection> {
    Result { () throws(Rejection) in
      let expression = try checkCondition(question.source, in: question.isLimit ? limits : others)
      if Self.mayNotCompile(expression) { try Self.compileOnTrial(expression) }
      return expression
    }
  }

  /// Patterns, time zones and the engine's bounds are judged by the code generator; a condition that has none of them
  /// and is short always passes it. What loads must compile.
  private static func mayNotCompile(_ expression: CheckedExpression) -> Bool {
    if expression.source.utf8.count > 512 { return true }
    return expression.references.values.contains { reference in
      switch reference {
      case .local: true
      case .overloads(let ids): ids.contains { $0.hasPrefix("matches") || $0.hasSuffix("_with_tz") }
      default: false
      }
    }
  }

  private static func compileOnTrial(_ expression: CheckedExpression) throws(Rejection) {
    var builder = ImageBuilder()
    do throws(CELError) {
      _ = try generate(expression, slots: { _ in 0 }, into: &builder)
    } catch {
      throw Rejection([error])
    }
  }

  /// Syntax alone, for operators of a platform that has errors of its own.
  static func checkSyntax(_ document: Document, _ node: NodeID, _ report: Report) {
    let source = document.string(node)
    do throws(Rejection) {
      _ = try CEL.check(source, in: Environment(variables: [:], isChecked: false))
    } catch {
      for error in error.errors where [.syntax, .tooDeep, .tooLong].contains(error.code) {
        report.tell(error, source, document, node)
      }
    }
  }

  private func tell(_ error: CELError, _ question: Question, _ document: Document, _ node: NodeID) {
    var error = error
    let word = Self.text(of: error.span, in: question.source)
    if error.code == .undeclared, !question.isLimit, word == "argument" || word.hasPrefix("argument.") {
      report.tell(
        error, question.source, document, node, code: .argumentOutsideLimit,
        message: "only limits may read `argument`",
        hint: "no argument loosens anything, so only what can tighten may look at it")
      return
    }
    if error.code == .undeclared, !question.isLimit, word.hasPrefix(DialReads.name) {
      report.tell(
        error, question.source, document, node, code: .dialOutsideLimit,
        message: "only limits may read `\(DialReads.name)`",
        hint: "what the dial lets an agent do is settled by its stakes; a limit can add to that")
      return
    }
    if error.code == .undeclared, !question.isLimit, word.hasPrefix("counter(") {
      report.tell(
        error, question.source, document, node, code: .counterOutsideLimit, message: "only limits may read a counter",
        hint: "what has been done often is no reason to allow more: counters only tighten")
      return
    }
    if error.code == .undeclared, error.hint == nil {
      error.hint = report.suggestion(for: word, from: limits.variables.keys)
    }
    report.tell(error, question.source, document, node)
  }

  private static func text(of span: Span, in source: String) -> String {
    String(decoding: source.utf8.dropFirst(max(0, span.lower)).prefix(max(0, span.upper - span.lower)), as: UTF8.self)
  }
}

extension Report {
  fileprivate func tell(
    _ error: CELError, _ source: String, _ document: Document, _ node: NodeID, code: DiagnosticCode? = nil,
    message: String? = nil, hint: String? = nil
  ) {
    let start = ScalarMap.mark(of: error.span.lower, in: document, node)
    let end = ScalarMap.mark(of: error.span.upper, in: document, node)
    let length = start.line == end.line ? max(1, end.column - start.column) : 1
    self.error(
      code ?? DiagnosticCode(rawValue: error.code.rawValue) ?? .celSyntax, document.location(start),
      message ?? error.message, length: length, hint: hint ?? error.hint)
  }
}
