// A condition -> its atoms: the bool expressions that && || ! and ?: put together. What a condition comes to depends only on
// what its atoms come to, and an atom tells few values apart.

internal import CEL
internal import Consultation
internal import PolicyLanguage

/// What values of its attributes an atom can tell apart, as far as its form says.
enum AtomForm: Hashable {
  /// A bool attribute, or a comparison with constants that are all in the hints: their neighbours stand for all values.
  case comparison
  /// Whether the attribute is given.
  case presence
  /// A text predicate that is true or false for every text: starts with, ends with, contains, matches.
  case text
  case opaque
}

struct Atom {
  var source: String
  var attributes: [String]
  var form: AtomForm
  /// What to try for its attributes.
  var hints: Hints
  /// It reads the name that is decided.
  var isOfBehavior = false
}

/// Constants that stand beside an attribute.
struct Hints {
  var ints: Set<Int64> = []
  var uints: Set<UInt64> = []
  var doubles: Set<Double> = []
  var texts: Set<String> = []
  /// Texts that a pattern matches.
  var matching: Set<String> = []
  var bytes: Set<[UInt8]> = []
  var timestamps: Set<Instant> = []
  var durations: Set<Instant> = []
  /// Whole lists and maps.
  var compounds: Set<RequestValue> = []
  /// By attribute, ways into maps and lists (`request.args.deep.x`), and what stands there in conditions.
  var paths: [String: [[Step]: Use]] = [:]
  /// More than comparisons: values of all sorts are worth a try.
  var isOpaque = false

  enum Step: Hashable {
    case field(String)
    case index(Int)
  }

  /// What a place in a map is compared with.
  struct Use {
    var constants: Set<RequestValue> = []
    var matching: Set<String> = []
    /// It is gone through, element by element, or its size counts.
    var isCollection = false
    /// Texts that its elements may be compared with.
    var elements: Set<String> = []

    mutating func formUnion(_ other: Use) {
      constants.formUnion(other.constants)
      matching.formUnion(other.matching)
      isCollection = isCollection || other.isCollection
      elements.formUnion(other.elements)
    }
  }

  mutating func note(_ use: Use, at place: (root: String, path: [Step])) {
    paths[place.root, default: [:]][place.path, default: Use()].formUnion(use)
  }

  mutating func formUnion(_ other: Hints) {
    ints.formUnion(other.ints)
    uints.formUnion(other.uints)
    doubles.formUnion(other.doubles)
    texts.formUnion(other.texts)
    matching.formUnion(other.matching)
    bytes.formUnion(other.bytes)
    timestamps.formUnion(other.timestamps)
    durations.formUnion(other.durations)
    compounds.formUnion(other.compounds)
    for (root, uses) in other.paths { for (path, use) in uses { note(use, at: (root, path)) } }
    isOpaque = isOpaque || other.isOpaque
  }
}

/// A condition as far as the search understands it.
struct Condition {
  var source: String
  /// Attributes that it reads, without the name that is decided and the operator's.
  var attributes: [String]
  var readsBehavior: Bool
  var readsArgument: Bool
  var atoms: [Atom]
  /// Texts in it, where it reads the name that is decided.
  var texts: Set<String>
  /// Names are told apart only by comparing them with whole names.
  var comparesWholeNames: Bool

  static let fixed: Set<String> = [BuiltInAttribute.behavior.rawValue, BuiltInAttribute.operatorName.rawValue]

  /// nil: it is not an expression for these attributes (which no image that was compiled without errors has).
  init?(_ source: String, _ environment: Environment) {
    guard let checked = try? checkCondition(source, in: environment) else { return nil }
    self.source = source
    attributes = checked.variables.filter { !Self.fixed.contains($0) }
    readsBehavior = checked.variables.contains(BuiltInAttribute.behavior.rawValue)
    readsArgument = checked.variables.contains(BuiltInAttribute.argument.rawValue)
    var reader = AtomReader(checked)
    reader.read(checked.expression)
    atoms = reader.atoms.filter { !$0.attributes.isEmpty }
    texts = readsBehavior ? reader.allTexts(checked.expression) : []
    comparesWholeNames = reader.atoms.allSatisfy { !$0.isOfBehavior || $0.form == .comparison }
  }
}

private struct AtomReader {
  let checked: CheckedExpression
  let text: [UInt8]
  var atoms: [Atom] = []

  init(_ checked: CheckedExpression) {
    self.checked = checked
    text = Array(checked.source.utf8)
  }

  mutating func read(_ e: Expression) {
    if case .call(let function, nil, let operands) = e.kind, ["_&&_", "_||_", "!_", "_?_:_"].contains(function) {
      for operand in operands { read(operand) }
    } else {
      atoms.append(atom(e))
    }
  }

  private func atom(_ e: Expression) -> Atom {
    var variables: Set<String> = []
    var hints = Hints()
    collect(e, into: &hints, &variables)
    let form = form(e)
    hints.isOpaque = form == .opaque
    let range = max(0, e.span.lower)..<max(0, min(text.count, e.span.upper))
    return Atom(
      source: String(decoding: text[range], as: UTF8.self),
      attributes: variables.subtracting(Condition.fixed).sorted(), form: form, hints: hints,
      isOfBehavior: variables.contains(BuiltInAttribute.behavior.rawValue))
  }

  // MARK: forms

  private func variable(_ e: Expression) -> String? {
    guard case .variable(let name) = checked.references[e.id] else { return nil }
    if case .select(_, _, isTest: true, _) = e.kind { return nil }
    return name
  }

  private func form(_ e: Expression) -> AtomForm {
    if case .literal = e.kind { return .comparison }
    if case .select(_, _, isTest: true, _) = e.kind, case .variable = checked.references[e.id] { return .presence }
    if variable(e) != nil { return .comparison }
    guard case .call(let function, let target, let arguments) = e.kind else { return .opaque }
    let all = (target.map { [$0] } ?? []) + arguments
    guard all.count == 2 else { return .opaque }
    let types = all.map { checked.types[$0.id] ?? .dyn }
    switch function {
    case "_==_", "_!=_", "_<_", "_<=_", "_>_", "_>=_":
      let isOrder = function != "_==_" && function != "_!=_"
      // Texts have no neighbours that stand for all that lie between two.
      if isOrder, types[0] == .string || types[0] == .bytes { return .opaque }
      guard types[0] == types[1], Self.isPlain(types[0]) else { return .opaque }
      let isVariable = all.map { variable($0) != nil }
      let isConstant = all.map { constant($0) != nil }
      return (isVariable[0] && isConstant[1]) || (isVariable[1] && isConstant[0]) ? .comparison : .opaque
    case "@in":
      guard variable(all[0]) != nil, Self.isPlain(types[0]), case .list(let elements, let optionals) = all[1].kind,
        optionals.isEmpty, elements.allSatisfy({ constant($0) != nil && checked.types[$0.id] == types[0] })
      else { return .opaque }
      return .comparison
    case "startsWith", "endsWith", "contains", "matches":
      return variable(all[0]) != nil && types[0] == .string && constant(all[1]) != nil ? .text : .opaque
    default: return .opaque
    }
  }

  private static func isPlain(_ type: CELType) -> Bool {
    switch type {
    case .bool, .int, .uint, .double, .string, .bytes, .timestamp, .duration: true
    default: false
    }
  }

  // MARK: constants

  private func constant(_ e: Expression) -> RequestValue? {
    switch e.kind {
    case .literal(let literal):
      switch literal {
      case .null: return .null
      case .bool(let it): return .bool(it)
      case .int(let it): return .int(it)
      case .uint(let it): return .uint(it)
      case .double(let it): return .double(it)
      case .string(let it): return .string(it)
      case .bytes(let it): return .bytes(it)
      }
    case .call("timestamp", nil, let arguments):
      guard arguments.count == 1, case .literal(.string(let text)) = arguments[0].kind,
        let it = Instant(timestamp: text)
      else { return nil }
      return .timestamp(seconds: it.seconds, nanoseconds: it.nanoseconds)
    case .call("duration", nil, let arguments):
      guard arguments.count == 1, case .literal(.string(let text)) = arguments[0].kind, let it = Instant(duration: text)
      else { return nil }
      return .duration(seconds: it.seconds, nanoseconds: it.nanoseconds)
    case .list(let elements, let optionals):
      let values = elements.compactMap(constant)
      return optionals.isEmpty && values.count == elements.count ? .list(values) : nil
    case .map(let entries):
      let values = entries.compactMap { entry -> RequestValue.Entry? in
        guard !entry.isOptional, let key = constant(entry.key), let value = constant(entry.value) else { return nil }
        return .init(key: key, value: value)
      }
      return values.count == entries.count ? .map(values) : nil
    default: return nil
    }
  }

  // MARK: hints

  private func collect(_ e: Expression, into hints: inout Hints, _ variables: inout Set<String>) {
    if case .variable(let name) = checked.references[e.id] {
      variables.insert(name)
      return
    }
    if let place = path(of: e) { hints.note(.init(), at: place) }
    if let value = constant(e) { take(value, into: &hints) }
    switch e.kind {
    case .literal, .identifier, .message: break
    case .select(let operand, let field, _, _):
      hints.texts.insert(field)
      collect(operand, into: &hints, &variables)
    case .call(let function, let target, let arguments):
      let parts = (target.map { [$0] } ?? []) + arguments
      if function == "matches", parts.count == 2, case .literal(.string(let text)) = parts[1].kind {
        let matching = matchingTexts(text)
        hints.matching.formUnion(matching)
        if let place = path(of: parts[0]) { hints.note(.init(matching: matching), at: place) }
        collect(parts[0], into: &hints, &variables)
        return
      }
      for part in parts {
        if let place = path(of: part) { hints.note(use(beside: part, in: parts, function), at: place) }
        collect(part, into: &hints, &variables)
      }
    case .list(let elements, _): for element in elements { collect(element, into: &hints, &variables) }
    case .map(let entries):
      for entry in entries {
        collect(entry.key, into: &hints, &variables)
        collect(entry.value, into: &hints, &variables)
      }
    case .comprehension(let c):
      var inside = Hints()
      for part in [c.initial, c.condition, c.step, c.result] { collect(part, into: &inside, &variables) }
      if let place = path(of: c.range) {
        hints.note(.init(isCollection: true, elements: inside.texts.union(inside.matching)), at: place)
      }
      hints.formUnion(inside)
      collect(c.range, into: &hints, &variables)
    }
  }

  /// What a call says about one of its operands: the constants beside it.
  private func use(beside part: Expression, in parts: [Expression], _ function: String) -> Hints.Use {
    var use = Hints.Use()
    use.isCollection = function == "size" || (function == "@in" && parts.last?.id == part.id)
    for other in parts where other.id != part.id {
      guard let value = constant(other) else { continue }
      if function == "@in", case .list(let elements) = value {
        use.constants.formUnion(elements)
      } else if use.isCollection, case .string(let text) = value {
        use.elements.insert(text)
      } else {
        use.constants.insert(value)
      }
    }
    return use
  }

  private func take(_ value: RequestValue, into hints: inout Hints) {
    switch value {
    case .int(let it): hints.ints.insert(it)
    case .uint(let it): hints.uints.insert(it)
    case .double(let it): hints.doubles.insert(it)
    case .string(let it): hints.texts.insert(it)
    case .bytes(let it): hints.bytes.insert(it)
    case .timestamp(let seconds, let nanoseconds):
      hints.timestamps.insert(Instant(seconds: seconds, nanoseconds: nanoseconds))
    case .duration(let seconds, let nanoseconds):
      hints.durations.insert(Instant(seconds: seconds, nanoseconds: nanoseconds))
    case .list, .map: hints.compounds.insert(value)
    case .null, .bool: break
    }
  }

  /// `request.args.deep.x[0]`: the attribute, and the way from it.
  private func path(of e: Expression) -> (String, [Hints.Step])? {
    var steps: [Hints.Step] = []
    var at = e
    while true {
      if case .variable(let name) = checked.references[at.id] {
        return steps.isEmpty ? nil : (name, steps.reversed())
      }
      switch at.kind {
      case .select(let operand, let field, _, _):
        steps.append(.field(field))
        at = operand
      case .call(let function, nil, let arguments)
      where (function == "_[_]" || function == "_[?_]") && arguments.count == 2:
        switch arguments[1].kind {
        case .literal(.string(let field)): steps.append(.field(field))
        case .literal(.int(let index)) where index >= 0 && index < 16: steps.append(.index(Int(index)))
        default: return nil
        }
        at = arguments[0]
      default: return nil
      }
    }
  }

  func allTexts(_ e: Expression) -> Set<String> {
    var hints = Hints()
    var variables: Set<String> = []
    collect(e, into: &hints, &variables)
    return hints.texts
  }
}
