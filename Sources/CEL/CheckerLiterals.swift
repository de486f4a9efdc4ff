// Rules about literals that types don't express: values of enumerations, and patterns.

extension Checker {
  func literalRules(_ call: Call) {
    switch call.function {
    case "_==_", "_!=_":
      guard call.arguments.count == 2 else { return }
      enumeration(call.arguments[0], against: call.arguments[1])
      enumeration(call.arguments[1], against: call.arguments[0])
    case "@in":
      guard call.arguments.count == 2, case .list(let elements, _) = call.arguments[1].kind else { return }
      for element in elements { enumeration(call.arguments[0], against: element) }
    case "matches":
      guard call.arguments.count == 2 else { return }
      pattern(call.arguments[1])
    default:
      return
    }
  }

  /// A variable with a closed set of values is compared with a literal that is none of them.
  private func enumeration(_ node: Expression, against other: Expression) {
    guard case .variable(let name) = references[node.id], let values = environment.variables[name]?.values,
      case .literal(.string(let text)) = other.kind, !values.contains(text)
    else { return }
    let list = values.prefix(12).joined(separator: ", ") + (values.count > 12 ? ", …" : "")
    let near = Names.nearest(to: text, among: values).map { "did you mean '\($0)'? " } ?? ""
    report(.enumValue, other.span, "'\(text)' is no value of \(name)", hint: "\(near)the values are \(list)")
  }

  private func pattern(_ node: Expression) {
    guard case .literal(.string(let text)) = node.kind else {
      report(
        .patternNotLiteral, node.span, "the pattern of matches() must be a string literal",
        hint: "patterns are compiled when the policy is loaded; compare with contains() or startsWith() instead")
      return
    }
    do throws(PatternError) {
      _ = try parsePattern(text)
    } catch {
      report(.pattern, sourceSpan(error.span, in: node), error.message, hint: error.hint)
    }
  }

  /// Where a range of a string literal's value stands in the source.
  private func sourceSpan(_ range: Span, in node: Expression) -> Span {
    guard let tokens = try? Lexer.tokens(of: Array(source[node.span.lower..<node.span.upper])),
      let token = tokens.first(where: { if case .string = $0.kind { true } else { false } }),
      case .string(let form) = token.kind,
      let origins = try? LiteralDecoder.string(
        form, Span(node.span.lower + token.span.lower, node.span.lower + token.span.upper), in: source
      ).origins
    else { return node.span }
    let contentEnd = node.span.lower + token.span.upper - form.quoteLength
    let lower = range.lower < origins.count ? origins[range.lower] : contentEnd
    let upper = range.upper < origins.count ? origins[range.upper] : contentEnd
    return Span(lower, max(lower, upper))
  }
}
