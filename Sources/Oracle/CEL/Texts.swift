// Functions on strings: the standard ones and cel-go's extension. Positions count code points.

internal import CEL

enum Texts {
  static func apply(_ name: String, _ values: [OracleValue]) throws(OracleFailure) -> OracleValue? {
    if name == "join" { return try join(values) }
    guard case .string(let text) = values.first else { return nil }
    let rest = Array(values.dropFirst())
    switch (name, rest.count) {
    case ("contains", 1): return .bool(try !occurrences(of: string(rest[0]), in: text).isEmpty)
    case ("startsWith", 1): return .bool(text.starts(with: try string(rest[0])))
    case ("endsWith", 1): return .bool(text.reversed().starts(with: try string(rest[0]).reversed()))
    case ("matches", 1): return .bool(try matches(text, try string(rest[0])))
    case ("charAt", 1): return .string(try slice(text, try int(rest[0]), nil, oneScalar: true))
    case ("indexOf", 1), ("indexOf", 2): return .int(try indexOf(text, rest))
    case ("lastIndexOf", 1), ("lastIndexOf", 2): return .int(try lastIndexOf(text, rest))
    case ("substring", 1): return .string(try slice(text, try int(rest[0]), nil))
    case ("substring", 2): return .string(try slice(text, try int(rest[0]), try int(rest[1])))
    case ("lowerAscii", 0): return .string(text.map { ("A"..."Z").contains($0) ? shifted($0, by: 32) : $0 })
    case ("upperAscii", 0): return .string(text.map { ("a"..."z").contains($0) ? shifted($0, by: -32) : $0 })
    case ("replace", 2), ("replace", 3):
      let limit = rest.count == 3 ? try int(rest[2]) : -1
      return .string(try replace(text, try string(rest[0]), by: try string(rest[1]), limit))
    case ("split", 1), ("split", 2):
      let limit = rest.count == 2 ? try int(rest[1]) : -1
      return .list(split(text, try string(rest[0]), limit).map { .string($0) })
    case ("trim", 0): return .string(trim(text))
    case ("reverse", 0): return .string(text.reversed())
    case ("strings.quote", 0): return .string(quote(text))
    case ("format", 1):
      guard case .list(let arguments) = rest[0] else { throw .noSuchOverload(name) }
      return .text(try Format.format(text, arguments))
    default: return nil
    }
  }

  private static func string(_ value: OracleValue) throws(OracleFailure) -> [Unicode.Scalar] {
    guard case .string(let text) = value else { throw .noSuchOverload("string") }
    return text
  }

  private static func int(_ value: OracleValue) throws(OracleFailure) -> Int64 {
    guard case .int(let number) = value else { throw .noSuchOverload("int") }
    return number
  }

  private static func matches(_ text: [Unicode.Scalar], _ source: [Unicode.Scalar]) throws(OracleFailure) -> Bool {
    let pattern: Pattern
    do { pattern = try parsePattern(Conversions.plain(source)) } catch { throw .pattern }
    return PatternMatch.matches(pattern, text)
  }

  private static func shifted(_ scalar: Unicode.Scalar, by distance: Int32) -> Unicode.Scalar {
    Unicode.Scalar(UInt8(truncatingIfNeeded: Int32(scalar.value) + distance))
  }

  /// Every position at which `part` stands, also overlapping ones; an empty part stands everywhere.
  private static func occurrences(of part: [Unicode.Scalar], in text: [Unicode.Scalar]) -> [Int] {
    guard part.count <= text.count else { return [] }
    return (0...text.count - part.count).filter { text[$0...].starts(with: part) }
  }

  private static func indexOf(_ text: [Unicode.Scalar], _ rest: [OracleValue]) throws(OracleFailure) -> Int64 {
    let part = try string(rest[0])
    let from = rest.count == 2 ? try int(rest[1]) : 0
    if from < 0 || rest.count == 2 && from > text.count { throw .outOfRange }
    return occurrences(of: part, in: text).first { $0 >= from }.map(Int64.init) ?? -1
  }

  private static func lastIndexOf(_ text: [Unicode.Scalar], _ rest: [OracleValue]) throws(OracleFailure) -> Int64 {
    let part = try string(rest[0])
    let until = rest.count == 2 ? try int(rest[1]) : Int64(text.count)
    if until < 0 || until > text.count { throw .outOfRange }
    return occurrences(of: part, in: text).last { $0 <= until }.map(Int64.init) ?? -1
  }

  /// `charAt` at the very end is an empty string, anything beyond fails.
  private static func slice(
    _ text: [Unicode.Scalar], _ start: Int64, _ end: Int64?, oneScalar: Bool = false
  ) throws(OracleFailure) -> [Unicode.Scalar] {
    let count = Int64(text.count)
    guard start >= 0, start <= count else { throw .outOfRange }
    let stop = oneScalar ? min(start + 1, count) : end ?? count
    guard stop >= start, stop <= count else { throw .outOfRange }
    return Array(text[Int(start)..<Int(stop)])
  }

  /// At most `limit` replacements from the left; negative: all.
  private static func replace(
    _ text: [Unicode.Scalar], _ old: [Unicode.Scalar], by new: [Unicode.Scalar], _ limit: Int64
  ) throws(OracleFailure) -> [Unicode.Scalar] {
    var result: [Unicode.Scalar] = []
    var left = limit
    var position = 0
    while position <= text.count {
      if left != 0, text[position...].starts(with: old) {
        result += new
        left -= 1
        position += old.count
        // An empty text to replace stands before every scalar and at the end.
        guard old.isEmpty else { continue }
      }
      if position < text.count { result.append(text[position]) }
      position += 1
    }
    return result
  }

  /// At most `limit` parts; negative: all. An empty separator cuts between scalars.
  private static func split(
    _ text: [Unicode.Scalar], _ separator: [Unicode.Scalar], _ limit: Int64
  ) -> [[Unicode.Scalar]] {
    if limit == 0 { return [] }
    if limit == 1 { return [text] }
    if separator.isEmpty && text.isEmpty { return [] }
    var parts: [[Unicode.Scalar]] = []
    var current: [Unicode.Scalar] = []
    var position = 0
    while position < text.count {
      let isLast = limit > 0 && parts.count == limit - 1
      if !isLast, separator.isEmpty ? !current.isEmpty : text[position...].starts(with: separator) {
        parts.append(current)
        current = []
        position += separator.count
        if !separator.isEmpty { continue }
      }
      current.append(text[position])
      position += 1
    }
    return parts + [current]
  }

  private static func trim(_ text: [Unicode.Scalar]) -> [Unicode.Scalar] {
    let start = text.drop { isSpace($0) }
    return start.reversed().drop { isSpace($0) }.reversed()
  }

  /// Unicode's White_Space, written out.
  private static func isSpace(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0x09...0x0D, 0x20, 0x85, 0xA0, 0x1680, 0x2000...0x200A, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000: true
    default: false
    }
  }

  private static func join(_ values: [OracleValue]) throws(OracleFailure) -> OracleValue {
    guard (1...2).contains(values.count), case .list(let elements) = values[0] else { throw .noSuchOverload("join") }
    let separator = values.count == 2 ? try string(values[1]) : []
    var result: [Unicode.Scalar] = []
    for (index, element) in elements.enumerated() {
      if index > 0 { result += separator }
      result += try string(element)
    }
    return .string(result)
  }

  private static func quote(_ text: [Unicode.Scalar]) -> [Unicode.Scalar] {
    let escapes: [Unicode.Scalar: Unicode.Scalar] = [
      "\u{07}": "a", "\u{08}": "b", "\u{0C}": "f", "\n": "n", "\r": "r", "\t": "t", "\u{0B}": "v", "\\": "\\",
      "\"": "\"",
    ]
    return ["\""] + text.flatMap { scalar in escapes[scalar].map { ["\\", $0] } ?? [scalar] } + ["\""]
  }
}
