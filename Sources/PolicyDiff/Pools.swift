// A type and what conditions compare with -> values to try, the plainest first. For comparisons with constants they stand
// for all values there are: each constant, its neighbours on either side, and one that is like none of them.

internal import Consultation
internal import PolicyLanguage

struct Pool {
  /// The most values of one attribute that are tried.
  static let maximum = 300
  /// A time for requests to which it doesn't matter: 2026-01-01T12:00:00Z, a Thursday.
  static let noon = Instant(seconds: 1_767_268_800)

  let hints: Hints

  /// Values of an attribute; nil, last but one of them all, for not given. `isGiven`: it always is.
  func values(of name: String, _ type: AttributeType, isGiven: Bool) -> [RequestValue?] {
    var seen: Set<Shape> = []
    var values: [RequestValue?] = isGiven ? [] : [nil]
    for value in candidates(type, name, depth: 0) where seen.insert(Shape(value)).inserted {
      values.append(value)
      if values.count == Self.maximum { break }
    }
    return values
  }

  /// Tells NaN apart from everything but itself.
  private struct Shape: Hashable {
    var text: String
    init(_ value: RequestValue) { text = "\(value)" }
  }

  private func candidates(_ type: AttributeType, _ name: String, depth: Int) -> [RequestValue] {
    switch type {
    case .bool: return [.bool(true), .bool(false)]
    case .enumeration(let values): return values.map { .string($0) }
    case .int: return ints.map { .int($0) }
    case .uint: return uints.map { .uint($0) }
    case .double: return doubles.map { .double($0) }
    case .string: return texts.map { .string($0) }
    case .bytes: return bytes.map { .bytes($0) }
    case .timestamp: return timestamps.map { .timestamp(seconds: $0.seconds, nanoseconds: $0.nanoseconds) }
    case .duration: return durations.map { .duration(seconds: $0.seconds, nanoseconds: $0.nanoseconds) }
    case .list(let element): return lists(element, name, depth)
    case .map(let key, let value): return maps(key, value, name, depth)
    case .dyn: return anything(name, depth)
    }
  }

  // MARK: numbers

  private var ints: [Int64] {
    var all: [Int64] = []
    let given = hints.ints.union(hints.isOpaque ? hints.uints.compactMap { Int64(exactly: $0) } : [])
      .union(hints.isOpaque ? hints.doubles.compactMap { Int64(exactly: $0.rounded()) } : [])
      .union(hints.isOpaque ? hints.texts.flatMap(numbers) : [])
    for one in given.sorted(by: plainer) {
      all.append(one)
      if one < .max { all.append(one + 1) }
      if one > .min { all.append(one - 1) }
    }
    if all.isEmpty { all = [0, 1] }
    guard hints.isOpaque else { return all }
    all += [0, 1, 2, 3, -1, 5, 6, 7, 8, 10, 11, 50, 100, 1000, 1_000_000, .max, .min, .min + 1, .max / 2 + 1, -2]
    for one in given where one > 1 { all += [.max / one, .max / one + 1, one &* 2, one &* 3] }
    return all
  }

  private func plainer(_ a: Int64, _ b: Int64) -> Bool { (a.magnitude, a) < (b.magnitude, b) }

  private func numbers(_ text: String) -> [Int64] {
    text.split { !$0.isASCII || !$0.isNumber }.compactMap { Int64($0) }
  }

  private var uints: [UInt64] {
    var all: [UInt64] = []
    let given = hints.uints.union(hints.isOpaque ? hints.ints.compactMap { UInt64(exactly: $0) } : [])
    for one in given.sorted() {
      all.append(one)
      if one < .max { all.append(one + 1) }
      if one > 0 { all.append(one - 1) }
    }
    if all.isEmpty { all = [0, 1] }
    guard hints.isOpaque else { return all }
    all += [0, 1, 2, 3, 5, 7, 10, 100, 1000, .max, 1 << 63]
    for a in given.sorted().prefix(4) { for b in given.sorted().prefix(4) { all += [a &+ b, a &+ b &- 1] } }
    return all
  }

  private var doubles: [Double] {
    var all: [Double] = []
    let given = hints.doubles.union(hints.isOpaque ? hints.ints.map { Double($0) } : [])
    for one in given.sorted(by: { (abs($0), $0) < (abs($1), $1) }) {
      all += [one, one + 1, one - 1]
      // Far out, one more is the same number.
      all += [one.nextUp, one.nextDown]
    }
    if all.isEmpty { all = [0, 1] }
    if hints.isOpaque { all += [0, 0.5, 1, -1, 2, 3, 4, 10, 100, 1000] + given.map { -$0 } + [.infinity, -.infinity] }
    return all + [.nan]
  }

  // MARK: texts

  private var texts: [String] {
    let known = hints.texts.union(hints.matching)
    var all =
      hints.texts.sorted() + hints.matching.sorted { ($0.utf8.count, $0) < ($1.utf8.count, $1) } + [unlike(known), ""]
    // Each with each, for predicates that hold together.
    let few = hints.texts.sorted().prefix(6)
    for a in few { for b in few where a != b { all.append(a + b) } }
    for a in few { all += [a + "x", "x" + a] }
    if hints.isOpaque {
      all += variants(of: hints.texts, lengths: hints.ints)
      all += apart
      all += hints.ints.sorted().map { String($0) }
      all += hints.doubles.sorted().map { "\($0)" }
      all += hints.bytes.compactMap { String(validating: $0, as: UTF8.self) }.sorted()
    }
    return all
  }

  /// As many parts as a number says, and one more and less, with what may part them between them.
  private var apart: [String] {
    hints.texts.filter { $0.utf8.count <= 2 && !$0.isEmpty }.sorted().prefix(4).flatMap { between in
      hints.ints.filter { $0 > 0 && $0 <= 32 }.sorted().prefix(4).flatMap { count in
        (max(1, count - 1)...count + 2).map { [String](repeating: "x", count: Int($0)).joined(separator: between) }
      }
    }
  }

  private var bytes: [[UInt8]] {
    var all =
      hints.bytes.sorted { $0.count != $1.count ? $0.count < $1.count : $0.lexicographicallyPrecedes($1) } + [
        [], [120], [97, 98],
      ]
    guard hints.isOpaque else { return all }
    all += hints.texts.sorted().map { Array($0.utf8) }
    // Base64 and hashes are of the text's letters; what they stand for can't be told, but for the first.
    all += hints.texts.sorted().compactMap(decodedBase64)
    for length in hints.ints where length > 0 && length <= 256 {
      for near in [length - 1, length, length + 1] { all.append([UInt8](repeating: 97, count: Int(near))) }
    }
    return all + [[0xFF], [49]]
  }

  private func decodedBase64(_ text: String) -> [UInt8]? {
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    var bits: UInt32 = 0
    var count = 0
    var result: [UInt8] = []
    for letter in text.utf8 where letter != UInt8(ascii: "=") {
      guard let digit = alphabet.firstIndex(of: letter) else { return nil }
      bits = bits << 6 | UInt32(digit)
      count += 6
      if count >= 8 {
        count -= 8
        result.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
      }
    }
    return result
  }

  // MARK: times

  private var timestamps: [Instant] {
    var all: [Instant] = []
    for one in hints.timestamps.sorted(by: { $0.seconds < $1.seconds }) {
      all += [one] + [1, -1].map { Instant(seconds: one.seconds + $0, nanoseconds: one.nanoseconds) }
      all += [Instant(seconds: one.seconds, nanoseconds: min(one.nanoseconds + 1, 999_999_999))]
      all += [Instant(seconds: one.seconds - 1, nanoseconds: 999_999_999)]
    }
    let base = Self.noon.seconds
    if all.isEmpty || hints.isOpaque { all.insert(Self.noon, at: 0) }
    guard hints.isOpaque else { return all }
    for one in hints.durations {
      for sign in [1, -1] as [Int64] {
        for near in [-1, 0, 1] as [Int64] { all.append(Instant(seconds: base + sign * one.seconds + near)) }
      }
    }
    // Every hour of a day, day of a week and month, some minutes; years that the conditions name.
    for hour in 0..<24 as Range<Int64> { all.append(Instant(seconds: base - 43200 + hour * 3600)) }
    for day in 1..<7 as Range<Int64> { all.append(Instant(seconds: base + day * 86400)) }
    for month in 1..<12 as Range<Int64> { all.append(Instant(seconds: base + month * 2_629_746)) }
    for minute in hints.ints where minute >= 0 && minute < 60 {
      all.append(Instant(seconds: base + minute * 60))
      all.append(Instant(seconds: base + (minute + 15) % 60 * 60))
    }
    for year in hints.ints where year >= 1 && year <= 9999 {
      all.append(Instant(seconds: base + (year - 2026) * 31_556_952))
      all.append(Instant(seconds: base + (year - 2025) * 31_556_952))
    }
    return all + [Instant(seconds: 0), Instant(seconds: base + 86400 * 3652)]
  }

  private var durations: [Instant] {
    var all: [Instant] = []
    for one in hints.durations.sorted(by: { $0.seconds < $1.seconds }) {
      all += [one] + [1, -1].map { Instant(seconds: one.seconds + $0, nanoseconds: one.nanoseconds) }
    }
    if all.isEmpty || hints.isOpaque { all += [Instant(seconds: 60), Instant(seconds: 0)] }
    guard hints.isOpaque else { return all }
    for n in hints.ints where n >= 0 && n <= 10_000 {
      for unit in [1, 60, 3600] as [Int64] { all.append(Instant(seconds: n * unit)) }
    }
    return all + [1, 90, 3600, 86400, -1, -3600].map { Instant(seconds: $0) }
  }

  // MARK: lists and maps

  private func lists(_ element: AttributeType, _ name: String, _ depth: Int) -> [RequestValue] {
    var all: [RequestValue] = [.list([])] + compounds(isList: true)
    guard depth < 3 else { return all }
    var one = hints
    one.isOpaque = false
    let plain = Pool(hints: one).candidates(element, name, depth: depth + 1).prefix(8)
    let rich = hints.isOpaque ? candidates(element, name, depth: depth + 1).prefix(100) : []
    all += plain.map { .list([$0]) }
    for a in plain.prefix(5) { for b in plain.prefix(5) { all.append(.list([a, b])) } }
    all += rich.map { .list([$0]) }
    if case .string = element {
      // What a text comes to when it is taken apart: the parts that `join` would put together.
      for text in hints.texts.sorted().prefix(8) {
        let parts = text.split { !$0.isLetter && !$0.isNumber }.map { RequestValue.string(String($0)) }
        if parts.count > 1 { all.append(.list(parts)) }
      }
    }
    if let first = plain.first {
      for length in hints.ints where length > 0 && length <= 32 {
        for near in [length - 1, length, length + 1] {
          all.append(.list([RequestValue](repeating: first, count: Int(near))))
        }
      }
      all.append(.list([first] + rich.prefix(2) + plain.prefix(1)))
    }
    return all
  }

  private func maps(_ key: AttributeType, _ value: AttributeType, _ name: String, _ depth: Int) -> [RequestValue] {
    var all: [RequestValue] = [.map([])] + compounds(isList: false)
    guard depth < 3 else { return all }
    var plain = hints
    plain.isOpaque = false
    let keys = Pool(hints: plain).candidates(key, name, depth: depth + 1).prefix(4)
    let values = candidates(value, name, depth: depth + 1).prefix(10)
    for k in keys { for v in values { all.append(.map([.init(key: k, value: v)])) } }
    if keys.count > 1 {
      for v in values.prefix(4) {
        for w in values.prefix(4) { all.append(.map([.init(key: keys[0], value: v), .init(key: keys[1], value: w)])) }
      }
    }
    return all
  }

  private func anything(_ name: String, _ depth: Int) -> [RequestValue] {
    var all: [RequestValue] = compounds(isList: false) + compounds(isList: true)
    all += [.map([]), .list([]), .null] + leaves
    return all
  }

  private func compounds(isList: Bool) -> [RequestValue] {
    hints.compounds.filter { value in
      if case .list = value { return isList }
      return !isList
    }.sorted { "\($0)" < "\($1)" }
  }

  /// What may stand anywhere where nothing better is known.
  private var leaves: [RequestValue] {
    var all: [RequestValue] = hints.texts.sorted().prefix(6).map { .string($0) }
    all += hints.matching.sorted().prefix(3).map { .string($0) }
    for one in hints.ints.sorted(by: plainer).prefix(4) { all += [.int(one), .int(one &+ 1), .int(one &- 1)] }
    for one in hints.doubles.sorted().prefix(3) { all += [.double(one), .double(one + 1), .double(one - 1)] }
    all += [.bool(true), .bool(false), .string("other"), .int(1)]
    return all
  }

  // MARK: ways into maps

  /// The ways into a map or list that conditions go, shortest first.
  func ways(of name: String) -> [[Hints.Step]] {
    (hints.paths[name] ?? [:]).keys.filter { !$0.isEmpty }
      .sorted { ($0.count, "\($0)") < ($1.count, "\($1)") }
  }

  /// What to put at the end of a way; `type` is the attribute's.
  func ends(of name: String, _ way: [Hints.Step], _ type: AttributeType) -> [RequestValue] {
    if way.count == 1, case .map(_, let value) = type, value != .dyn {
      return Array(candidates(value, name, depth: 1).prefix(24))
    }
    guard let use = hints.paths[name]?[way] else { return [] }
    var all: [RequestValue] = []
    if use.isCollection {
      all += [.list([]), .map([])]
      for text in use.elements.sorted().prefix(12) {
        all += [.list([.string(text)]), .map([.init(key: .string(text), value: .string("other"))])]
      }
      all += [.list([.string("other")]), .map([.init(key: .string("other"), value: .string("other"))])]
    }
    for constant in use.constants.sorted(by: { "\($0)" < "\($1)" }).prefix(12) { all += Self.near(constant) }
    all += use.matching.sorted { ($0.utf8.count, $0) < ($1.utf8.count, $1) }.prefix(8).map { .string($0) }
    return all + [.string("other"), .bool(true), .bool(false)] + leaves + [.list([.int(2)]), .list([]), .map([])]
  }

  private static func near(_ constant: RequestValue) -> [RequestValue] {
    switch constant {
    case .int(let it): [constant, .int(it &+ 1), .int(it &- 1)]
    case .uint(let it): [constant, .uint(it &+ 1), .uint(it &- 1)]
    case .double(let it): [constant, .double(it + 1), .double(it - 1)]
    case .string(let it): [constant, .string(it + "x"), .string("x" + it)]
    default: [constant]
    }
  }

  /// `base` with `end` at the end of the way.
  static func build(_ path: ArraySlice<Hints.Step>, _ end: RequestValue, _ base: RequestValue?) -> RequestValue {
    guard let step = path.first else { return end }
    let rest = path.dropFirst()
    switch step {
    case .field(let field):
      var entries: [RequestValue.Entry] = []
      if case .map(let existing)? = base { entries = existing }
      let key = RequestValue.string(field)
      let old = entries.first { $0.key == key }?.value
      entries.removeAll { $0.key == key }
      return .map(entries + [.init(key: key, value: build(rest, end, old))])
    case .index(let index):
      return .list([RequestValue](repeating: .string("other"), count: index) + [build(rest, end, nil)])
    }
  }
}
