// Dispatch of `call`.

import PolicyImage

extension Evaluator {
  /// Calls a function on the arguments at `a`; a failed argument is the result.
  mutating func call(_ i: Instruction, _ a: UnsafeMutablePointer<Value>) -> Value {
    // The verifier has looked the number up already.
    guard let function = CELFunction(rawValue: UInt16(truncatingIfNeeded: i.b)) else { return .failure(.unknownName) }
    var n = 0
    while n < i.a {
      if a[n].kind == .error { return a[n] }
      n &+= 1
    }
    switch function {
    case .size: return size(a[0])
    case .contains, .startsWith, .endsWith: return search(function, a[0], a[1])
    case .matches: return matches(a[0], i.c)
    case .typeOf: return Value(kind: .type, payload: UInt64(a[0].kind.rawValue))
    case .optionalOf: return some(a[0])
    case .optionalNone: return .none
    case .hasValue: return a[0].kind == .optional ? .bool(a[0].payload != 0) : .failure(.noSuchOverload)
    case .optionalValue:
      guard a[0].kind == .optional else { return .failure(.noSuchOverload) }
      return a[0].elements?.pointee ?? .failure(.emptyOptional)
    case .mapInsertAll: return insertingAll(a[0], a[1])
    case .mapInsert: return inserting(into: a[0], a + 1, count: 1, optionals: 0)
    default: return .failure(.noSuchOverload)
    }
  }

  mutating func size(_ a: Value) -> Value {
    switch a.kind {
    case .string: return pay(bytes: a.count) ? .int(Int64(scalarCount(a))) : .failure(.costLimit)
    case .bytes, .list, .map: return .int(Int64(a.length))
    default: return .failure(.noSuchOverload)
    }
  }
}
