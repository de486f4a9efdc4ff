// function name + evaluated operands -> value: the strict functions and operators of cel-spec. A method's target is
// the first operand. Dispatch is on the kinds of the values alone; what no line here takes is "no such overload".

internal import CEL

extension OracleInterpreter {
  func apply(_ name: String, _ values: [OracleValue]) throws(OracleFailure) -> OracleValue {
    if let result = try logic(name, values) { return result }
    if let result = try Arithmetic.apply(name, values) { return result }
    if let result = try containers(name, values) { return result }
    if let result = try Conversions.apply(name, values) { return result }
    if let result = try Texts.apply(name, values) { return result }
    if let result = try Times.apply(name, values) { return result }
    if let result = try Mathematics.apply(name, values) { return result }
    if let result = try optionals(name, values) { return result }
    throw .noSuchOverload(name)
  }

  private func logic(_ name: String, _ values: [OracleValue]) throws(OracleFailure) -> OracleValue? {
    switch (name, values.count) {
    case ("!_", 1):
      guard case .bool(let operand) = values[0] else { throw .noSuchOverload(name) }
      return .bool(!operand)
    case ("_==_", 2): return .bool(values[0].isEqual(to: values[1]))
    case ("_!=_", 2): return .bool(!values[0].isEqual(to: values[1]))
    case ("_<_", 2): return .bool(try OracleValue.order(values[0], values[1]).map { $0 < 0 } ?? false)
    case ("_<=_", 2): return .bool(try OracleValue.order(values[0], values[1]).map { $0 <= 0 } ?? false)
    case ("_>_", 2): return .bool(try OracleValue.order(values[0], values[1]).map { $0 > 0 } ?? false)
    case ("_>=_", 2): return .bool(try OracleValue.order(values[0], values[1]).map { $0 >= 0 } ?? false)
    default: return nil
    }
  }

  private func containers(_ name: String, _ values: [OracleValue]) throws(OracleFailure) -> OracleValue? {
    switch (name, values.count) {
    case ("_[_]", 2): return try select(values[1], of: values[0], isTest: false, isOptional: false)
    case ("_[?_]", 2): return try select(values[1], of: values[0], isTest: false, isOptional: true)
    case ("@in", 2):
      switch values[1] {
      case .list(let elements): return .bool(elements.contains { $0.isEqual(to: values[0]) })
      case .map(let pairs): return .bool(OracleValue.find(values[0], in: pairs) != nil)
      default: throw .noSuchOverload(name)
      }
    case ("size", 1):
      switch values[0] {
      case .string(let text): return .int(Int64(text.count))
      case .bytes(let bytes): return .int(Int64(bytes.count))
      case .list(let elements): return .int(Int64(elements.count))
      case .map(let pairs): return .int(Int64(pairs.count))
      default: throw .noSuchOverload(name)
      }
    case ("cel.@mapInsert", 2), ("cel.@mapInsert", 3): return try insert(values)
    default: return nil
    }
  }

  private func insert(_ values: [OracleValue]) throws(OracleFailure) -> OracleValue {
    guard case .map(var pairs) = values[0] else { throw .noSuchOverload("cel.@mapInsert") }
    var added: [OraclePair] = []
    if values.count == 3 {
      added = [OraclePair(values[1], values[2])]
    } else if case .map(let others) = values[1] {
      added = others
    } else {
      throw .noSuchOverload("cel.@mapInsert")
    }
    for pair in added {
      guard pair.key.isKey else { throw .badKey }
      if OracleValue.find(pair.key, in: pairs) != nil { throw .duplicateKey }
      pairs.append(pair)
    }
    return .map(pairs)
  }

  private func optionals(_ name: String, _ values: [OracleValue]) throws(OracleFailure) -> OracleValue? {
    switch (name, values.count) {
    case ("optional.of", 1): return .optional(values[0])
    case ("optional.none", 0): return .optional(nil)
    case ("optional.ofNonZeroValue", 1): return .optional(Self.isZero(values[0]) ? nil : values[0])
    case ("hasValue", 1):
      guard case .optional(let content) = values[0] else { throw .noSuchOverload(name) }
      return .bool(content != nil)
    case ("value", 1):
      guard case .optional(let content) = values[0] else { throw .noSuchOverload(name) }
      guard let content else { throw .emptyOptional }
      return content
    case ("optional.unwrap", 1), ("unwrapOpt", 1):
      guard case .list(let elements) = values[0] else { throw .noSuchOverload(name) }
      var result: [OracleValue] = []
      for element in elements {
        guard case .optional(let content) = element else { throw .noSuchOverload(name) }
        if let content { result.append(content) }
      }
      return .list(result)
    default: return nil
    }
  }

  private static func isZero(_ value: OracleValue) -> Bool {
    switch value {
    case .null: true
    case .bool(let it): !it
    case .int(let it): it == 0
    case .uint(let it): it == 0
    case .double(let it): it == 0
    case .string(let it): it.isEmpty
    case .bytes(let it): it.isEmpty
    case .list(let it): it.isEmpty
    case .map(let it): it.isEmpty
    case .duration(let it): it == 0
    case .timestamp(let seconds, let nanoseconds): seconds == 0 && nanoseconds == 0
    case .type: false
    case .optional(let content): content == nil
    }
  }
}
