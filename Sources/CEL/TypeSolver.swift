// Type parameters while checking: a substitution that grows, and can be taken back when an overload doesn't fit.
// The rules are those of cel-go's checker: dyn fits everything, and of two types that fit the more general is kept.

struct TypeSolver {
  private var bindings: [String: CELType] = [:]
  /// What each binding replaced, to be undone.
  private var trail: [(String, CELType?)] = []
  private(set) var parameterCount = 0
  /// Types can double in size with each binding; the work on them is bounded as a whole.
  private var steps = 0

  static let stepLimit = 2_000_000

  /// True once the limit has been hit; what was then answered means nothing.
  var isExhausted: Bool { steps > Self.stepLimit }

  private mutating func step() -> Bool {
    steps += 1
    return steps <= Self.stepLimit
  }

  mutating func fresh() -> CELType {
    parameterCount += 1
    return .parameter("#" + String(parameterCount))
  }

  private func number(_ name: String) -> Int { Int(name.dropFirst()) ?? 0 }

  // MARK: Taking back

  var mark: Int { trail.count }

  mutating func undo(to mark: Int) {
    while trail.count > mark {
      let (name, old) = trail.removeLast()
      bindings[name] = old
    }
  }

  private mutating func bind(_ name: String, _ type: CELType) {
    trail.append((name, bindings[name]))
    bindings[name] = type
  }

  // MARK: Looking through parameters

  /// The type with parameters at its top followed; what is inside stays as it is.
  mutating func resolved(_ type: CELType) -> CELType {
    var type = type
    while case .parameter(let name) = type, let bound = bindings[name] {
      steps += 1
      type = bound
    }
    return type
  }

  /// The last parameter of a chain of parameters, and what that is bound to.
  private mutating func end(of name: String) -> (name: String, bound: CELType?) {
    var name = name
    while let bound = bindings[name] {
      steps += 1
      guard case .parameter(let next) = bound else { return (name, bound) }
      name = next
    }
    return (name, nil)
  }

  /// The type without parameters: what is still open becomes dyn. `openFrom`: parameters made later than that many
  /// become dyn, earlier ones stay.
  mutating func substituted(_ type: CELType, openFrom: Int = 0) -> CELType {
    guard step() else { return .dyn }
    switch resolved(type) {
    case .list(let element): return .list(substituted(element, openFrom: openFrom))
    case .optional(let value): return .optional(substituted(value, openFrom: openFrom))
    case .type(let inner): return .type(substituted(inner, openFrom: openFrom))
    case .map(let key, let value):
      return .map(substituted(key, openFrom: openFrom), substituted(value, openFrom: openFrom))
    case .parameter(let name):
      return number(name) > openFrom ? .dyn : .parameter(name)
    case let other: return other
    }
  }

  private mutating func mentions(_ name: String, in type: CELType) -> Bool {
    guard step() else { return false }
    switch resolved(type) {
    case .parameter(let other): return other == name
    case .list(let inner), .optional(let inner), .type(let inner): return mentions(name, in: inner)
    case .map(let key, let value): return mentions(name, in: key) || mentions(name, in: value)
    default: return false
    }
  }

  // MARK: Fitting

  /// Whether a value of type `from` fits where `to` is wanted; binds parameters of both. On false some may have been
  /// bound: undo to a mark.
  mutating func fits(_ from: CELType, _ to: CELType) -> Bool {
    guard step() else { return true }
    if case .parameter(let name) = to { return bindOrFit(name, from) }
    if case .parameter(let name) = from { return bindOrFit(name, to) }
    switch (from, to) {
    case (.dyn, _), (_, .dyn): return true
    case (.list(let a), .list(let b)), (.optional(let a), .optional(let b)): return fits(a, b)
    case (.map(let ak, let av), .map(let bk, let bv)): return fits(ak, bk) && fits(av, bv)
    // Types are compared at run time: int == string is false, not an error.
    case (.type, .type): return true
    case (.null, .null), (.bool, .bool), (.int, .int), (.uint, .uint), (.double, .double), (.string, .string),
      (.bytes, .bytes), (.timestamp, .timestamp), (.duration, .duration):
      return true
    default: return false
    }
  }

  private mutating func bindOrFit(_ name: String, _ type: CELType) -> Bool {
    let (last, bound) = end(of: name)
    if let bound {
      guard fits(type, bound) else { return false }
      bind(last, general(type, bound))
      return true
    }
    let other = resolved(type)
    if case .parameter(let name) = other {
      // The later one follows the earlier one: a long list's elements then all follow the first, not each other.
      if name != last { number(name) > number(last) ? bind(name, .parameter(last)) : bind(last, other) }
      return true
    }
    if mentions(last, in: other) { return false }
    bind(last, other)
    return true
  }

  /// The more general of two types that fit each other.
  private mutating func general(_ a: CELType, _ b: CELType) -> CELType {
    guard step() else { return .dyn }
    switch (resolved(a), resolved(b)) {
    case (.dyn, _), (_, .dyn): return .dyn
    case (.list(let a), .list(let b)): return .list(general(a, b))
    case (.optional(let a), .optional(let b)): return .optional(general(a, b))
    case (.map(let ak, let av), .map(let bk, let bv)): return .map(general(ak, bk), general(av, bv))
    case (.type, .type): return .type(.dyn)
    case (let a, _): return a
    }
  }

  /// The type of a list's or map's elements of both types: dyn when neither fits the other.
  mutating func joined(_ a: CELType, _ b: CELType) -> CELType {
    let mark = mark
    if fits(b, a) { return general(a, b) }
    undo(to: mark)
    return .dyn
  }

  /// Structural equality after substitution, counted like all other work.
  mutating func isSame(_ a: CELType, _ b: CELType) -> Bool {
    guard step() else { return true }
    switch (resolved(a), resolved(b)) {
    case (.list(let a), .list(let b)), (.optional(let a), .optional(let b)), (.type(let a), .type(let b)):
      return isSame(a, b)
    case (.map(let ak, let av), .map(let bk, let bv)): return isSame(ak, bk) && isSame(av, bv)
    case (.parameter(let a), .parameter(let b)): return a == b
    case (.list, _), (.optional, _), (.type, _), (.map, _), (.parameter, _): return false
    case (let a, let b): return a == b
    }
  }
}

extension CELType {
  /// As in messages: `list(int)`.
  var spelled: String {
    switch self {
    case .dyn, .parameter: "dyn"
    case .null: "null"
    case .bool: "bool"
    case .int: "int"
    case .uint: "uint"
    case .double: "double"
    case .string: "string"
    case .bytes: "bytes"
    case .timestamp: "timestamp"
    case .duration: "duration"
    case .list(let element): "list(\(element.spelled))"
    case .map(let key, let value): "map(\(key.spelled), \(value.spelled))"
    case .optional(let value): "optional(\(value.spelled))"
    case .type: "type"
    }
  }

  /// Type denotations that source text can name.
  static let denotations: [String: CELType] = [
    "bool": .bool, "int": .int, "uint": .uint, "double": .double, "string": .string, "bytes": .bytes,
    "null_type": .null, "list": .list(.dyn), "map": .map(.dyn, .dyn), "type": .type(.dyn),
    "optional_type": .optional(.dyn), "google.protobuf.Timestamp": .timestamp,
    "google.protobuf.Duration": .duration,
  ]
}
