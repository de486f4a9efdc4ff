// The vocabulary of functions and operators: every overload that the checker knows, as data. Reference.overloads
// names entries of this table by `id`, and a back end implements each `id` (and nothing else). Ids are those of
// cel-spec and cel-go wherever these have one.

/// One typed form of a function, method or operator.
public struct Overload: Hashable, Sendable {
  public var function: String
  /// Unique in the table.
  public var id: String
  /// True for `target.function(…)`; the target is then the first of `arguments`.
  public var isMember: Bool
  public var arguments: [CELType]
  public var result: CELType
  /// One or more arguments, each of the type of the only entry of `arguments` (`math.@max`, `math.@min`).
  public var isVariadic: Bool

  init(
    _ function: String, _ id: String, isMember: Bool = false, _ arguments: [CELType], _ result: CELType,
    isVariadic: Bool = false
  ) {
    self.function = function
    self.id = id
    self.isMember = isMember
    self.arguments = arguments
    self.result = result
    self.isVariadic = isVariadic
  }
}

/// The list of all functions; immutable and safe to share.
public enum Function {
  /// Every overload, in the order in which they are tried.
  public static let all: [Overload] =
    logic + ordering + arithmetic + containers + conversions + strings + times + stringExtension + mathExtension
    + optionals + encoders + comprehensionHelpers

  /// Overloads by function name.
  static let byName = [String: [Overload]](grouping: all, by: \.function)

  /// Prefixes that a call may spell before a function of the table: `math` in `math.ceil(x)`.
  static let namespaces: Set<String> = ["math", "optional", "strings", "base64"]

  private static let a = CELType.parameter("A")
  private static let b = CELType.parameter("B")

  private static func method(_ function: String, _ id: String, _ arguments: [CELType], _ result: CELType) -> Overload {
    Overload(function, id, isMember: true, arguments, result)
  }

  /// `_&&_`, `_||_` and `_?_:_` don't evaluate all of their operands; see cel-spec, "Logical Operators".
  private static let logic: [Overload] = [
    Overload("_?_:_", "conditional", [.bool, a, a], a),
    Overload("_&&_", "logical_and", [.bool, .bool], .bool),
    Overload("_||_", "logical_or", [.bool, .bool], .bool),
    Overload("!_", "logical_not", [.bool], .bool),
    Overload("_==_", "equals", [a, a], .bool),
    Overload("_!=_", "not_equals", [a, a], .bool),
  ]

  /// `less_int64`, `less_int64_double`, `less_equals_string`, … : four operators over one list of type pairs.
  private static let ordering: [Overload] = {
    let operators = [
      ("_<_", "less"), ("_<=_", "less_equals"), ("_>_", "greater"), ("_>=_", "greater_equals"),
    ]
    let numbers: [(CELType, String)] = [(.int, "int64"), (.uint, "uint64"), (.double, "double")]
    let others: [(CELType, String)] = [
      (.bool, "bool"), (.string, "string"), (.bytes, "bytes"), (.timestamp, "timestamp"), (.duration, "duration"),
    ]
    var result: [Overload] = []
    for (name, id) in operators {
      for (type, suffix) in numbers + others {
        result.append(Overload(name, "\(id)_\(suffix)", [type, type], .bool))
      }
      for (left, leftSuffix) in numbers {
        for (right, rightSuffix) in numbers where left != right {
          result.append(Overload(name, "\(id)_\(leftSuffix)_\(rightSuffix)", [left, right], .bool))
        }
      }
    }
    return result
  }()

  private static let arithmetic: [Overload] = [
    Overload("_+_", "add_int64", [.int, .int], .int),
    Overload("_+_", "add_uint64", [.uint, .uint], .uint),
    Overload("_+_", "add_double", [.double, .double], .double),
    Overload("_+_", "add_string", [.string, .string], .string),
    Overload("_+_", "add_bytes", [.bytes, .bytes], .bytes),
    Overload("_+_", "add_list", [.list(a), .list(a)], .list(a)),
    Overload("_+_", "add_timestamp_duration", [.timestamp, .duration], .timestamp),
    Overload("_+_", "add_duration_timestamp", [.duration, .timestamp], .timestamp),
    Overload("_+_", "add_duration_duration", [.duration, .duration], .duration),
    Overload("_-_", "subtract_int64", [.int, .int], .int),
    Overload("_-_", "subtract_uint64", [.uint, .uint], .uint),
    Overload("_-_", "subtract_double", [.double, .double], .double),
    Overload("_-_", "subtract_timestamp_timestamp", [.timestamp, .timestamp], .duration),
    Overload("_-_", "subtract_timestamp_duration", [.timestamp, .duration], .timestamp),
    Overload("_-_", "subtract_duration_duration", [.duration, .duration], .duration),
    Overload("_*_", "multiply_int64", [.int, .int], .int),
    Overload("_*_", "multiply_uint64", [.uint, .uint], .uint),
    Overload("_*_", "multiply_double", [.double, .double], .double),
    Overload("_/_", "divide_int64", [.int, .int], .int),
    Overload("_/_", "divide_uint64", [.uint, .uint], .uint),
    Overload("_/_", "divide_double", [.double, .double], .double),
    Overload("_%_", "modulo_int64", [.int, .int], .int),
    Overload("_%_", "modulo_uint64", [.uint, .uint], .uint),
    Overload("-_", "negate_int64", [.int], .int),
    Overload("-_", "negate_double", [.double], .double),
  ]

  private static let containers: [Overload] = [
    Overload("_[_]", "index_list", [.list(a), .int], a),
    Overload("_[_]", "index_map", [.map(a, b), a], b),
    Overload("_[_]", "optional_list_index_int", [.optional(.list(a)), .int], .optional(a)),
    Overload("_[_]", "optional_map_index_value", [.optional(.map(a, b)), a], .optional(b)),
    Overload("_[?_]", "list_optindex_optional_int", [.list(a), .int], .optional(a)),
    Overload("_[?_]", "map_optindex_optional_value", [.map(a, b), a], .optional(b)),
    Overload("_[?_]", "optional_list_optindex_optional_int", [.optional(.list(a)), .int], .optional(a)),
    Overload("_[?_]", "optional_map_optindex_optional_value", [.optional(.map(a, b)), a], .optional(b)),
    Overload("@in", "in_list", [a, .list(a)], .bool),
    Overload("@in", "in_map", [a, .map(a, b)], .bool),
    Overload("size", "size_string", [.string], .int),
    Overload("size", "size_bytes", [.bytes], .int),
    Overload("size", "size_list", [.list(a)], .int),
    Overload("size", "size_map", [.map(a, b)], .int),
    method("size", "string_size", [.string], .int),
    method("size", "bytes_size", [.bytes], .int),
    method("size", "list_size", [.list(a)], .int),
    method("size", "map_size", [.map(a, b)], .int),
  ]

  private static let conversions: [Overload] = [
    Overload("int", "int64_to_int64", [.int], .int),
    Overload("int", "uint64_to_int64", [.uint], .int),
    Overload("int", "double_to_int64", [.double], .int),
    Overload("int", "string_to_int64", [.string], .int),
    Overload("int", "timestamp_to_int64", [.timestamp], .int),
    Overload("uint", "uint64_to_uint64", [.uint], .uint),
    Overload("uint", "int64_to_uint64", [.int], .uint),
    Overload("uint", "double_to_uint64", [.double], .uint),
    Overload("uint", "string_to_uint64", [.string], .uint),
    Overload("double", "double_to_double", [.double], .double),
    Overload("double", "int64_to_double", [.int], .double),
    Overload("double", "uint64_to_double", [.uint], .double),
    Overload("double", "string_to_double", [.string], .double),
    Overload("bool", "bool_to_bool", [.bool], .bool),
    Overload("bool", "string_to_bool", [.string], .bool),
    Overload("string", "string_to_string", [.string], .string),
    Overload("string", "bool_to_string", [.bool], .string),
    Overload("string", "int64_to_string", [.int], .string),
    Overload("string", "uint64_to_string", [.uint], .string),
    Overload("string", "double_to_string", [.double], .string),
    Overload("string", "bytes_to_string", [.bytes], .string),
    Overload("string", "timestamp_to_string", [.timestamp], .string),
    Overload("string", "duration_to_string", [.duration], .string),
    Overload("bytes", "bytes_to_bytes", [.bytes], .bytes),
    Overload("bytes", "string_to_bytes", [.string], .bytes),
    Overload("timestamp", "timestamp_to_timestamp", [.timestamp], .timestamp),
    Overload("timestamp", "string_to_timestamp", [.string], .timestamp),
    Overload("timestamp", "int64_to_timestamp", [.int], .timestamp),
    Overload("duration", "duration_to_duration", [.duration], .duration),
    Overload("duration", "string_to_duration", [.string], .duration),
    Overload("dyn", "to_dyn", [a], .dyn),
    Overload("type", "type", [a], .type(a)),
  ]

  /// The pattern of `matches` is always a string literal that has parsed (Pattern.swift).
  private static let strings: [Overload] = [
    method("contains", "contains_string", [.string, .string], .bool),
    method("startsWith", "starts_with_string", [.string, .string], .bool),
    method("endsWith", "ends_with_string", [.string, .string], .bool),
    Overload("matches", "matches", [.string, .string], .bool),
    method("matches", "matches_string", [.string, .string], .bool),
  ]

  /// Accessors of timestamps, in UTC or in a named zone or fixed offset, and of durations.
  private static let times: [Overload] = {
    let parts = [
      ("getFullYear", "year", "year_with_tz"),
      ("getMonth", "month", "month_with_tz"),
      ("getDayOfYear", "day_of_year", "day_of_year_with_tz"),
      ("getDayOfMonth", "day_of_month", "day_of_month_with_tz"),
      ("getDate", "day_of_month_1_based", "day_of_month_1_based_with_tz"),
      ("getDayOfWeek", "day_of_week", "day_of_week_with_tz"),
      ("getHours", "hours", "hours_with_tz"),
      ("getMinutes", "minutes", "minutes_with_tz"),
      ("getSeconds", "seconds", "seconds_tz"),
      ("getMilliseconds", "milliseconds", "milliseconds_with_tz"),
    ]
    var result: [Overload] = []
    for (name, plain, zoned) in parts {
      result.append(method(name, "timestamp_to_\(plain)", [.timestamp], .int))
      result.append(method(name, "timestamp_to_\(zoned)", [.timestamp, .string], .int))
    }
    for unit in ["Hours", "Minutes", "Seconds", "Milliseconds"] {
      result.append(method("get\(unit)", "duration_to_\(unit.lowercased())", [.duration], .int))
    }
    return result
  }()

  private static let stringExtension: [Overload] = [
    method("charAt", "string_char_at_int", [.string, .int], .string),
    method("indexOf", "string_index_of_string", [.string, .string], .int),
    method("indexOf", "string_index_of_string_int", [.string, .string, .int], .int),
    method("lastIndexOf", "string_last_index_of_string", [.string, .string], .int),
    method("lastIndexOf", "string_last_index_of_string_int", [.string, .string, .int], .int),
    method("join", "list_join", [.list(.string)], .string),
    method("join", "list_join_string", [.list(.string), .string], .string),
    method("lowerAscii", "string_lower_ascii", [.string], .string),
    method("upperAscii", "string_upper_ascii", [.string], .string),
    method("replace", "string_replace_string_string", [.string, .string, .string], .string),
    method("replace", "string_replace_string_string_int", [.string, .string, .string, .int], .string),
    method("split", "string_split_string", [.string, .string], .list(.string)),
    method("split", "string_split_string_int", [.string, .string, .int], .list(.string)),
    method("substring", "string_substring_int", [.string, .int], .string),
    method("substring", "string_substring_int_int", [.string, .int, .int], .string),
    method("trim", "string_trim", [.string], .string),
    method("reverse", "string_reverse", [.string], .string),
    method("format", "string_format", [.string, .list(.dyn)], .string),
    Overload("strings.quote", "strings_quote", [.string], .string),
  ]

  /// `math.greatest(a, b, c)` is one call of `math.@max` with all arguments; so is `math.least` of `math.@min`. The
  /// `_numbers` forms take one or more numbers of any kinds, by position; the result has the argument's own type.
  private static let mathExtension: [Overload] = {
    var result: [Overload] = []
    for name in ["max", "min"] {
      result.append(Overload("math.@\(name)", "math_@\(name)_numbers", [a], a, isVariadic: true))
      result.append(Overload("math.@\(name)", "math_@\(name)_list", [.list(a)], a))
    }
    for name in ["ceil", "floor", "round", "trunc"] {
      result.append(Overload("math.\(name)", "math_\(name)_double", [.double], .double))
    }
    for name in ["isNaN", "isInf", "isFinite"] {
      result.append(Overload("math.\(name)", "math_\(name)_double", [.double], .bool))
    }
    for name in ["abs", "sign"] {
      result.append(Overload("math.\(name)", "math_\(name)_int", [.int], .int))
      result.append(Overload("math.\(name)", "math_\(name)_uint", [.uint], .uint))
      result.append(Overload("math.\(name)", "math_\(name)_double", [.double], .double))
    }
    for (type, suffix) in [(CELType.int, "int"), (.uint, "uint"), (.double, "double")] {
      result.append(Overload("math.sqrt", "math_sqrt_\(suffix)", [type], .double))
    }
    for name in ["bitAnd", "bitOr", "bitXor"] {
      result.append(Overload("math.\(name)", "math_\(name)_int_int", [.int, .int], .int))
      result.append(Overload("math.\(name)", "math_\(name)_uint_uint", [.uint, .uint], .uint))
    }
    result.append(Overload("math.bitNot", "math_bitNot_int_int", [.int], .int))
    result.append(Overload("math.bitNot", "math_bitNot_uint_uint", [.uint], .uint))
    for name in ["bitShiftLeft", "bitShiftRight"] {
      result.append(Overload("math.\(name)", "math_\(name)_int_int", [.int, .int], .int))
      result.append(Overload("math.\(name)", "math_\(name)_uint_int", [.uint, .int], .uint))
    }
    return result
  }()

  /// `or` and `orValue` evaluate their argument only if the target is empty.
  private static let optionals: [Overload] = [
    Overload("optional.of", "optional_of", [a], .optional(a)),
    Overload("optional.ofNonZeroValue", "optional_ofNonZeroValue", [a], .optional(a)),
    Overload("optional.none", "optional_none", [], .optional(a)),
    Overload("optional.unwrap", "optional_unwrap", [.list(.optional(a))], .list(a)),
    method("unwrapOpt", "optional_unwrapOpt", [.list(.optional(a))], .list(a)),
    method("hasValue", "optional_hasValue", [.optional(a)], .bool),
    method("value", "optional_value", [.optional(a)], a),
    method("or", "optional_or_optional", [.optional(a), .optional(a)], .optional(a)),
    method("orValue", "optional_orValue_value", [.optional(a), a], a),
  ]

  private static let encoders: [Overload] = [
    Overload("base64.encode", "base64_encode_bytes", [.bytes], .string),
    Overload("base64.decode", "base64_decode_string", [.string], .bytes),
  ]

  /// Only macros make calls of these (Macros.swift); no source text can name them. `@not_strictly_false` is false
  /// for false, true for true and for a failure. `cel.@mapInsert` fails for a key that is already there.
  private static let comprehensionHelpers: [Overload] = [
    Overload("@not_strictly_false", "not_strictly_false", [.bool], .bool),
    Overload("cel.@mapInsert", "@mapInsert_map_map", [.map(a, b), .map(a, b)], .map(a, b)),
    Overload("cel.@mapInsert", "@mapInsert_map_key_value", [.map(a, b), a, b], .map(a, b)),
  ]
}
