// What an expression yields whatever the request is, as far as its text shows: a cautious constant folder for `lint`.
// It decides literals, `argument` when that is known, `size`, `contains`, `startsWith` and `endsWith` on known
// strings, comparisons of known values, `!`, `&&`, `||` and `?:`; everything else is unknown.

internal import CEL

enum Folded: Equatable {
  case bool(Bool)
  case int(Int64)
  case string(String)
  case unknown
}

struct Folder {
  let expression: CheckedExpression
  /// What `argument` is; nil: any text.
  let argument: String?

  static func fold(_ expression: CheckedExpression, argument: String?) -> Folded {
    Folder(expression: expression, argument: argument).fold(expression.expression)
  }

  private func fold(_ node: Expression) -> Folded {
    if case .variable(BuiltInAttribute.argument.rawValue) = expression.references[node.id] {
      return argument.map(Folded.string) ?? .unknown
    }
    switch node.kind {
    case .literal(.bool(let value)): return .bool(value)
    case .literal(.int(let value)): return .int(value)
    case .literal(.string(let value)): return .string(value)
    case .call(let function, let target, let arguments):
      return call(function, ((target.map { [$0] } ?? []) + arguments).map(fold))
    default: return .unknown
    }
  }

  private func call(_ function: String, _ operands: [Folded]) -> Folded {
    switch function {
    case "_&&_": return operands.contains(.bool(false)) ? .bool(false) : all(operands)
    case "_||_": return operands.contains(.bool(true)) ? .bool(true) : any(operands)
    case "_?_:_": return choose(operands)
    default: break
    }
    switch (function, operands.first, operands.dropFirst().first) {
    case ("!_", .bool(let value), nil): return .bool(!value)
    case ("size", .string(let text), nil): return .int(Int64(text.unicodeScalars.count))
    case ("contains", .string(let text), .string(let part)): return .bool(Self.contains(text, part))
    case ("startsWith", .string(let text), .string(let part)): return .bool(text.utf8.starts(with: part.utf8))
    case ("endsWith", .string(let text), .string(let part)):
      return .bool(text.utf8.reversed().starts(with: part.utf8.reversed()))
    case (_, .string(let a), .string(let b)):
      return compare(
        function, a.unicodeScalars.elementsEqual(b.unicodeScalars), a.utf8.lexicographicallyPrecedes(b.utf8))
    case (_, .int(let a), .int(let b)): return compare(function, a == b, a < b)
    case (_, .bool(let a), .bool(let b)): return compare(function, a == b, !a && b)
    default: return .unknown
    }
  }

  private func all(_ operands: [Folded]) -> Folded {
    operands.allSatisfy { $0 == .bool(true) } ? .bool(true) : .unknown
  }
  private func any(_ operands: [Folded]) -> Folded {
    operands.allSatisfy { $0 == .bool(false) } ? .bool(false) : .unknown
  }

  private func choose(_ operands: [Folded]) -> Folded {
    guard operands.count == 3 else { return .unknown }
    switch operands[0] {
    case .bool(let value): return value ? operands[1] : operands[2]
    default: return .unknown
    }
  }

  private func compare(_ function: String, _ isEqual: Bool, _ isLess: Bool) -> Folded {
    switch function {
    case "_==_": .bool(isEqual)
    case "_!=_": .bool(!isEqual)
    case "_<_": .bool(isLess)
    case "_<=_": .bool(isLess || isEqual)
    case "_>_": .bool(!isLess && !isEqual)
    case "_>=_": .bool(!isLess)
    default: .unknown
    }
  }

  private static func contains(_ text: String, _ part: String) -> Bool {
    var rest = Substring(text).utf8
    while rest.count >= part.utf8.count {
      if rest.starts(with: part.utf8) { return true }
      guard !rest.isEmpty else { return false }
      rest = rest.dropFirst()
    }
    return false
  }
}
