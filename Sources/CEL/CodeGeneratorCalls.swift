// Code of calls: operators with instructions of their own, functions through `call`.

import PolicyImage

extension CodeGenerator {
  private static let overloads = [String: Overload](
    Function.all.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })

  mutating func call(
    _ e: Expression, _ spelled: String, _ target: Expression?, _ arguments: [Expression], _ slots: Slots
  ) throws(CELError) {
    var function = spelled
    var operands = (target.map { [$0] } ?? []) + arguments
    if case .overloads(let ids) = checked.references[e.id], let id = ids.first, let overload = Self.overloads[id] {
      function = overload.function
      if !overload.isMember { operands = arguments }
    }
    switch function {
    case "_&&_" where operands.count == 2: try logic(operands, .jumpIfFalse, .and, slots)
    case "_||_" where operands.count == 2: try logic(operands, .jumpIfTrue, .or, slots)
    case "_?_:_" where operands.count == 3: try conditional(operands, slots)
    case "or" where operands.count == 2: try alternative(operands, takesValue: false, slots)
    case "orValue" where operands.count == 2: try alternative(operands, takesValue: true, slots)
    case "_+_" where operands.count == 2:
      if case .list(let elements, let optionals) = operands[1].kind, optionals.isEmpty,
        elements.count <= ByteCode.maximumElements
      {
        return try append(operands[0], elements, slots)
      }
      try strict(function, operands, e.span, slots)
    default: try strict(function, operands, e.span, slots)
    }
  }

  private mutating func logic(
    _ operands: [Expression], _ jump: Operation, _ combine: Operation, _ slots: Slots
  ) throws(CELError) {
    try expression(operands[0], slots)
    let end = program.emitJump(jump)
    try expression(operands[1], slots)
    program.emit(combine)
    program.label([end])
  }

  private mutating func conditional(_ operands: [Expression], _ slots: Slots) throws(CELError) {
    try expression(operands[0], slots)
    let failed = program.emitJump(.checkBool)
    let otherwise = program.emitJump(.branch)
    let depth = program.depth
    try expression(operands[1], slots)
    let end = program.emitJump(.jump)
    program.label([otherwise], depth: depth)
    try expression(operands[2], slots)
    program.label([failed, end])
  }

  /// `a.or(b)` and `a.orValue(b)`.
  private mutating func alternative(
    _ operands: [Expression], takesValue: Bool, _ slots: Slots
  ) throws(CELError) {
    try expression(operands[0], slots)
    let end = program.emitJump(.jumpIfValue, a: takesValue ? 1 : 0)
    try expression(operands[1], slots)
    if !takesValue { program.emit(.checkOptional) }
    program.label([end])
  }

  private static let operators: [String: (operation: Operation, operands: Int)] = [
    "!_": (.not, 1), "-_": (.negate, 1), "@not_strictly_false": (.notStrictlyFalse, 1),
    "_==_": (.equal, 2), "_!=_": (.notEqual, 2), "_<_": (.less, 2), "_<=_": (.lessOrEqual, 2),
    "_>_": (.greater, 2), "_>=_": (.greaterOrEqual, 2), "_+_": (.add, 2), "_-_": (.subtract, 2),
    "_*_": (.multiply, 2), "_/_": (.divide, 2), "_%_": (.modulo, 2), "@in": (.in, 2), "_[_]": (.index, 2),
    "_[?_]": (.optionalIndex, 2),
  ]

  /// Functions that evaluate all of their operands first.
  private mutating func strict(
    _ function: String, _ operands: [Expression], _ span: Span, _ slots: Slots
  ) throws(CELError) {
    if let (operation, count) = Self.operators[function], operands.count == count {
      for operand in operands { try expression(operand, slots) }
      program.emit(operation)
    } else if function == "dyn", operands.count == 1 {
      try expression(operands[0], slots)
    } else if function == "matches", operands.count == 2 {
      try matches(operands, span, slots)
    } else if function == "math.@max" || function == "math.@min" {
      try extremum(operands, isGreatest: function == "math.@max", slots)
    } else if let part = Self.accessors[function], operands.count == 1 || operands.count == 2 {
      try accessor(part, operands, slots)
    } else if let code = Self.functions[function]?[operands.count] {
      for operand in operands { try expression(operand, slots) }
      emitCall(code)
    } else {
      // Only where nothing was checked: evaluating it fails.
      let isKnown = Function.all.contains { $0.function == function }
      program.emit(.fail, a: isKnown ? EvaluationFault.noSuchOverload : EvaluationFault.unknownName)
    }
  }

  private mutating func emitCall(_ function: CELFunction, operand: UInt32 = ImageFormat.none) {
    program.emit(.call, a: UInt8(function.arity), b: function.rawValue, c: operand)
  }

  /// math.greatest and math.least: one argument is a number or a list, several are folded.
  private mutating func extremum(_ operands: [Expression], isGreatest: Bool, _ slots: Slots) throws(CELError) {
    for (i, operand) in operands.enumerated() {
      try expression(operand, slots)
      if i > 0 { emitCall(isGreatest ? .greater : .lesser) }
    }
    if operands.count == 1 { emitCall(isGreatest ? .greatest : .least) }
  }

  private mutating func matches(_ operands: [Expression], _ span: Span, _ slots: Slots) throws(CELError) {
    guard case .literal(.string(let text)) = operands[1].kind else {
      throw CELError(
        .patternNotLiteral, operands[1].span, "the pattern of matches() must be a string literal")
    }
    let blob = builder.blob(try automaton(text, operands[1].span))
    try expression(operands[0], slots)
    emitCall(.matches, operand: blob)
  }

  /// A part of a timestamp or duration; a zone that is a literal name is compiled in.
  private mutating func accessor(
    _ part: (plain: CELFunction, zoned: CELFunction), _ operands: [Expression], _ slots: Slots
  ) throws(CELError) {
    try expression(operands[0], slots)
    guard operands.count == 2 else { return emitCall(part.plain) }
    if case .literal(.string(let name)) = operands[1].kind, !Zone.isFixed(name) {
      guard let zone = Zone.load(name) else {
        throw CELError(.zone, operands[1].span, "there is no time zone '\(name)'")
      }
      return emitCall(part.plain, operand: builder.blob(zone.blob))
    }
    try expression(operands[1], slots)
    emitCall(part.zoned)
  }

  private static let accessors: [String: (plain: CELFunction, zoned: CELFunction)] = [
    "getFullYear": (.getFullYear, .getFullYearZoned), "getMonth": (.getMonth, .getMonthZoned),
    "getDayOfYear": (.getDayOfYear, .getDayOfYearZoned), "getDayOfMonth": (.getDayOfMonth, .getDayOfMonthZoned),
    "getDate": (.getDate, .getDateZoned), "getDayOfWeek": (.getDayOfWeek, .getDayOfWeekZoned),
    "getHours": (.getHours, .getHoursZoned), "getMinutes": (.getMinutes, .getMinutesZoned),
    "getSeconds": (.getSeconds, .getSecondsZoned), "getMilliseconds": (.getMilliseconds, .getMillisecondsZoned),
  ]

  /// By name and number of operands, a method's target included.
  private static let functions: [String: [Int: CELFunction]] = [
    "size": [1: .size], "contains": [2: .contains], "startsWith": [2: .startsWith], "endsWith": [2: .endsWith],
    "int": [1: .toInt], "uint": [1: .toUint], "double": [1: .toDouble], "bool": [1: .toBool],
    "string": [1: .toString], "bytes": [1: .toBytes], "timestamp": [1: .toTimestamp], "duration": [1: .toDuration],
    "type": [1: .typeOf],
    "charAt": [2: .charAt], "indexOf": [2: .indexOf, 3: .indexOfFrom],
    "lastIndexOf": [2: .lastIndexOf, 3: .lastIndexOfFrom], "join": [1: .join, 2: .joinWith],
    "lowerAscii": [1: .lowerAscii], "upperAscii": [1: .upperAscii], "replace": [3: .replace, 4: .replaceFirst],
    "split": [2: .split, 3: .splitFirst], "substring": [2: .substring, 3: .substringRange], "trim": [1: .trim],
    "reverse": [1: .reverse], "format": [2: .format], "strings.quote": [1: .quote],
    "math.ceil": [1: .ceil], "math.floor": [1: .floor], "math.round": [1: .round], "math.trunc": [1: .trunc],
    "math.isNaN": [1: .isNaN], "math.isInf": [1: .isInf], "math.isFinite": [1: .isFinite], "math.abs": [1: .abs],
    "math.sign": [1: .sign], "math.sqrt": [1: .sqrt], "math.bitAnd": [2: .bitAnd], "math.bitOr": [2: .bitOr],
    "math.bitXor": [2: .bitXor], "math.bitNot": [1: .bitNot], "math.bitShiftLeft": [2: .shiftLeft],
    "math.bitShiftRight": [2: .shiftRight],
    "optional.of": [1: .optionalOf], "optional.ofNonZeroValue": [1: .optionalOfNonZero],
    "optional.none": [0: .optionalNone], "optional.unwrap": [1: .optionalUnwrap], "unwrapOpt": [1: .optionalUnwrap],
    "hasValue": [1: .hasValue], "value": [1: .optionalValue],
    "base64.encode": [1: .base64Encode], "base64.decode": [1: .base64Decode],
    "cel.@mapInsert": [2: .mapInsertAll, 3: .mapInsert],
  ]
}
