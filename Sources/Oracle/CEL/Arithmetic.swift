// `+ - * / %` and negation, with CEL's overflow rules; and what `math.…` adds.

enum Arithmetic {
  static func apply(_ name: String, _ values: [OracleValue]) throws(OracleFailure) -> OracleValue? {
    switch (name, values.count) {
    case ("-_", 1): return try negate(values[0])
    case ("_+_", 2), ("_-_", 2), ("_*_", 2), ("_/_", 2), ("_%_", 2):
      switch (values[0], values[1]) {
      case (.int(let a), .int(let b)): return .int(try whole(name, a, b))
      case (.uint(let a), .uint(let b)): return .uint(try whole(name, a, b))
      case (.double(let a), .double(let b)): return try double(name, a, b)
      default: break
      }
      if name == "_+_", let sum = concatenate(values[0], values[1]) { return sum }
      if let result = try Times.arithmetic(name, values[0], values[1]) { return result }
      throw .noSuchOverload(name)
    default: return nil
    }
  }

  private static func negate(_ value: OracleValue) throws(OracleFailure) -> OracleValue {
    switch value {
    case .int(let operand):
      if operand == .min { throw .overflow }
      return .int(-operand)
    case .double(let operand): return .double(-operand)
    default: throw .noSuchOverload("-_")
    }
  }

  private static func whole<T: FixedWidthInteger>(_ name: String, _ a: T, _ b: T) throws(OracleFailure) -> T {
    let result: (partialValue: T, overflow: Bool)
    switch name {
    case "_+_": result = a.addingReportingOverflow(b)
    case "_-_": result = a.subtractingReportingOverflow(b)
    case "_*_": result = a.multipliedReportingOverflow(by: b)
    default:
      if b == 0 { throw .divisionByZero }
      result = name == "_/_" ? a.dividedReportingOverflow(by: b) : a.remainderReportingOverflow(dividingBy: b)
    }
    if result.overflow { throw .overflow }
    return result.partialValue
  }

  private static func double(_ name: String, _ a: Double, _ b: Double) throws(OracleFailure) -> OracleValue {
    switch name {
    case "_+_": .double(a + b)
    case "_-_": .double(a - b)
    case "_*_": .double(a * b)
    case "_/_": .double(a / b)
    default: throw .noSuchOverload(name)
    }
  }

  private static func concatenate(_ a: OracleValue, _ b: OracleValue) -> OracleValue? {
    switch (a, b) {
    case (.string(let x), .string(let y)): .string(x + y)
    case (.bytes(let x), .bytes(let y)): .bytes(x + y)
    case (.list(let x), .list(let y)): .list(x + y)
    default: nil
    }
  }
}

enum Mathematics {
  static func apply(_ name: String, _ values: [OracleValue]) throws(OracleFailure) -> OracleValue? {
    guard name.hasPrefix("math.") else { return nil }
    let function = String(name.dropFirst(5))
    switch function {
    case "@max", "@min": return try extremum(values, greatest: function == "@max")
    case "ceil", "floor", "round", "trunc", "isNaN", "isInf", "isFinite":
      guard values.count == 1, case .double(let x) = values[0] else { throw .noSuchOverload(name) }
      return rounding(function, x)
    case "abs", "sign", "sqrt":
      guard values.count == 1 else { throw .noSuchOverload(name) }
      return try magnitude(function, values[0])
    case "bitNot":
      switch values.first {
      case .int(let x): return .int(~x)
      case .uint(let x): return .uint(~x)
      default: throw .noSuchOverload(name)
      }
    case "bitAnd", "bitOr", "bitXor", "bitShiftLeft", "bitShiftRight":
      guard values.count == 2 else { throw .noSuchOverload(name) }
      return try bits(function, values[0], values[1])
    default: return nil
    }
  }

  /// The greatest or least of numbers, or of one list of them; the first of equal ones.
  private static func extremum(_ values: [OracleValue], greatest: Bool) throws(OracleFailure) -> OracleValue {
    var candidates = values
    if values.count == 1, case .list(let elements) = values[0] { candidates = elements }
    guard var best = candidates.first else { throw .badFormat }
    for candidate in candidates {
      guard candidate.isNumber else { throw .noSuchOverload("math.@max") }
      guard let order = OracleValue.compareNumbers(candidate, best) else { continue }
      if greatest ? order > 0 : order < 0 { best = candidate }
    }
    return best
  }

  private static func rounding(_ function: String, _ x: Double) -> OracleValue {
    switch function {
    case "ceil": .double(x.rounded(.up))
    case "floor": .double(x.rounded(.down))
    case "round": .double(x.rounded(.toNearestOrAwayFromZero))
    case "trunc": .double(x.rounded(.towardZero))
    case "isNaN": .bool(x.isNaN)
    case "isInf": .bool(x.isInfinite)
    default: .bool(x.isFinite)
    }
  }

  private static func magnitude(_ function: String, _ value: OracleValue) throws(OracleFailure) -> OracleValue {
    switch (function, value) {
    case ("abs", .int(let x)):
      if x == .min { throw .overflow }
      return .int(abs(x))
    case ("abs", .uint): return value
    case ("abs", .double(let x)): return .double(x.magnitude)
    case ("sign", .int(let x)): return .int(x.signum())
    case ("sign", .uint(let x)): return .uint(x == 0 ? 0 : 1)
    case ("sign", .double(let x)): return .double(x > 0 ? 1 : x < 0 ? -1 : x)
    case ("sqrt", .int(let x)): return .double(Double(x).squareRoot())
    case ("sqrt", .uint(let x)): return .double(Double(x).squareRoot())
    case ("sqrt", .double(let x)): return .double(x.squareRoot())
    default: throw .noSuchOverload("math.\(function)")
    }
  }

  private static func bits(
    _ function: String, _ left: OracleValue, _ right: OracleValue
  ) throws(OracleFailure) -> OracleValue {
    switch (function, left, right) {
    case ("bitAnd", .int(let a), .int(let b)): return .int(a & b)
    case ("bitOr", .int(let a), .int(let b)): return .int(a | b)
    case ("bitXor", .int(let a), .int(let b)): return .int(a ^ b)
    case ("bitAnd", .uint(let a), .uint(let b)): return .uint(a & b)
    case ("bitOr", .uint(let a), .uint(let b)): return .uint(a | b)
    case ("bitXor", .uint(let a), .uint(let b)): return .uint(a ^ b)
    case ("bitShiftLeft", .int(let a), .int(let b)): return .int(Int64(bitPattern: try shift(UInt64(bitPattern: a), b)))
    case ("bitShiftLeft", .uint(let a), .int(let b)): return .uint(try shift(a, b))
    case ("bitShiftRight", .int(let a), .int(let b)):
      return .int(Int64(bitPattern: try shift(UInt64(bitPattern: a), b, right: true)))
    case ("bitShiftRight", .uint(let a), .int(let b)): return .uint(try shift(a, b, right: true))
    default: throw .noSuchOverload("math.\(function)")
    }
  }

  /// A logical shift; 64 places and more leave nothing.
  private static func shift(_ word: UInt64, _ places: Int64, right: Bool = false) throws(OracleFailure) -> UInt64 {
    if places < 0 { throw .outOfRange }
    if places > 63 { return 0 }
    return right ? word >> UInt64(places) : word << UInt64(places)
  }
}
