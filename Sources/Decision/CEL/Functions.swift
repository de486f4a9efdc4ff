// Dispatch of `call`, and the functions that are a line or two.

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
    case .toInt, .toUint, .toDouble, .toBool, .toString, .toBytes, .toTimestamp, .toDuration:
      return converted(function, a[0])
    case .getFullYear, .getMonth, .getDayOfYear, .getDayOfMonth, .getDate, .getDayOfWeek, .getHours, .getMinutes,
      .getSeconds, .getMilliseconds:
      return part(function, a[0], zone: i.c)
    case .getFullYearZoned, .getMonthZoned, .getDayOfYearZoned, .getDayOfMonthZoned, .getDateZoned,
      .getDayOfWeekZoned, .getHoursZoned, .getMinutesZoned, .getSecondsZoned, .getMillisecondsZoned:
      return zonedPart(function, a[0], a[1])
    case .join: return joined(a[0], .string(UnsafeRawBufferPointer(start: nil, count: 0)))
    case .joinWith: return joined(a[0], a[1])
    case .format: return formatted(a[0], a[1])
    case .charAt, .indexOf, .indexOfFrom, .lastIndexOf, .lastIndexOfFrom, .lowerAscii, .upperAscii, .replace,
      .replaceFirst, .split, .splitFirst, .substring, .substringRange, .trim, .reverse, .quote:
      return strings(function, a)
    case .greatest, .greater, .least, .lesser, .ceil, .floor, .round, .trunc, .isNaN, .isInf, .isFinite, .abs, .sign,
      .sqrt, .bitAnd, .bitOr, .bitXor, .bitNot, .shiftLeft, .shiftRight:
      return math(function, a)
    case .optionalOf: return some(a[0])
    case .optionalOfNonZero: return isZero(a[0]) ? .none : some(a[0])
    case .optionalNone: return .none
    case .optionalUnwrap: return unwrapped(a[0])
    case .hasValue: return a[0].kind == .optional ? .bool(a[0].payload != 0) : .failure(.noSuchOverload)
    case .optionalValue:
      guard a[0].kind == .optional else { return .failure(.noSuchOverload) }
      return a[0].elements?.pointee ?? .failure(.emptyOptional)
    case .base64Encode: return base64Encoded(a[0])
    case .base64Decode: return base64Decoded(a[0])
    case .mapInsertAll: return insertingAll(a[0], a[1])
    case .mapInsert: return inserting(into: a[0], a + 1, count: 1, optionals: 0)
    }
  }

  private mutating func size(_ a: Value) -> Value {
    switch a.kind {
    case .string: return pay(bytes: a.count) ? .int(Int64(scalarCount(a))) : .failure(.costLimit)
    case .bytes, .list, .map: return .int(Int64(a.length))
    default: return .failure(.noSuchOverload)
    }
  }

  /// Whether a value is its type's default.
  private func isZero(_ a: Value) -> Bool {
    switch a.kind {
    case .null: true
    case .bool, .int, .uint: a.payload == 0
    case .double: a.asDouble == 0
    case .string, .bytes, .list, .map: a.length == 0
    case .timestamp, .duration: a.payload == 0 && a.length == 0
    case .optional: a.payload == 0
    case .type, .absent, .error: false
    }
  }

  /// The values of the optionals in a list that have one.
  private mutating func unwrapped(_ list: Value) -> Value {
    guard list.kind == .list else { return .failure(.noSuchOverload) }
    var result = newList(slots, count: 0, optionals: 0)
    var i = 0
    while i < list.count, result.kind == .list, let elements = list.elements {
      result = appending(to: result, UnsafeMutablePointer(mutating: elements + i), count: 1, optionals: 1)
      i &+= 1
    }
    return result
  }
}
