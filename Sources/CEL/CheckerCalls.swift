// Calls: which overloads the argument types leave possible, and what the result is.

extension Checker {
  func call(_ node: Expression) -> CELType {
    if counter(node) { return .int }
    if namesNoFunction(node) {
      for argument in operands(node).dropFirst() { _ = check(argument) }
      return .dyn
    }
    var types: [CELType] = []
    for operand in operands(node) { types.append(check(operand)) }
    return result(node, types)
  }

  /// `counter("NAME")`: reads a counter, which has to be named where it stands.
  private func counter(_ node: Expression) -> Bool {
    guard case .call("counter", nil, let arguments) = node.kind, let known = environment.counters else { return false }
    guard arguments.count == 1, case .literal(.string(let name)) = arguments[0].kind else {
      report(
        .counter, node.span, "a counter is named by a text that stands here",
        hint: "write counter(\"NAME\") > 10; which counter is read can't depend on the request")
      return true
    }
    guard known.contains(name) else {
      report(
        .counter, arguments[0].span, "there is no counter '\(name)'",
        hint: Names.nearest(to: name, among: known.sorted()).map { "did you mean '\($0)'?" }
          ?? "the platform declares counters under `counters`")
      return true
    }
    refer(node, to: .variable("counter.\(name)"))
    return true
  }

  /// The target, if any, and the arguments.
  private func operands(_ node: Expression) -> [Expression] {
    guard case .call(_, let target, let arguments) = node.kind else { return [] }
    return (target.map { [$0] } ?? []) + arguments
  }

  private func result(_ node: Expression, _ types: [CELType]) -> CELType {
    guard case .call(let function, let target, _) = node.kind else { return .dyn }
    let call = Call(
      node: node, function: function, isMember: target != nil, arguments: operands(node), types: types)
    let result = resolve(call)
    literalRules(call)
    return result
  }

  /// `math.foo(1)`: a namespace of functions in front, but none of that name in it.
  private func namesNoFunction(_ node: Expression) -> Bool {
    guard case .call(let function, let target?, _) = node.kind, case .identifier(let name) = target.kind,
      Function.namespaces.contains(name), local(name) == nil,
      environment.variables[name] == nil
    else { return false }
    undeclaredFunction("\(name).\(function)", node.span)
    return true
  }

  // MARK: Overloads

  private func resolve(_ call: Call) -> CELType {
    guard let all = Function.byName[call.function] else {
      undeclaredFunction(call.function, call.node.span)
      return .dyn
    }
    guard isChecked else {
      let candidates = all.filter { $0.accepts(count: call.types.count, isMember: call.isMember) }
      if !candidates.isEmpty { refer(call.node, to: .overloads(candidates.map(\.id))) }
      return .dyn
    }
    let given = call.types.map { solver.resolved($0) }
    // By index: most overloads are dismissed at once, and copying each would cost more than that.
    let likely = all.indices.filter { all[$0].mayTake(given, isMember: call.isMember) }
    if likely.count == 1, let result = fitOnly(call, all[likely[0]]) { return result }
    return choose(call, all, likely)
  }

  /// `overload` is the only one that can fit: the types of its arguments are settled by it.
  private func fitOnly(_ call: Call, _ overload: Overload) -> CELType? {
    let mark = solver.mark
    guard let result = fit(call, overload) else {
      solver.undo(to: mark)
      return nil
    }
    refer(call.node, to: .overloads([overload.id]))
    return result
  }

  private func choose(_ call: Call, _ all: [Overload], _ likely: [Int]) -> CELType {
    let openFrom = solver.parameterCount
    var matches: [(overload: Overload, result: CELType)] = []
    for index in likely {
      let mark = solver.mark
      if let result = fit(call, all[index]) {
        matches.append((all[index], solver.substituted(result, openFrom: openFrom)))
      }
      solver.undo(to: mark)
    }
    guard let first = matches.first else {
      noOverload(call, all)
      return .dyn
    }
    if matches.count == 1, let result = fitOnly(call, first.overload) { return result }
    refer(call.node, to: .overloads(matches.map(\.overload.id)))
    // Several fit: what is still open in their arguments stays open.
    for match in matches.dropFirst() where !solver.isSame(match.result, first.result) { return .dyn }
    return first.result
  }

  /// The result's type if `overload` takes the call's arguments.
  private func fit(_ call: Call, _ overload: Overload) -> CELType? {
    if overload.isVariadic { return extremum(call.types) }
    var names: [String: CELType] = [:]
    for (type, wanted) in zip(call.types, overload.arguments) {
      guard solver.fits(type, instance(wanted, &names)) else { return nil }
    }
    let result = instance(overload.result, &names)
    guard call.function == "math.@max" || call.function == "math.@min" else { return result }
    return extremum([result])
  }

  /// The overload's parameters, made new for this call.
  private func instance(_ type: CELType, _ names: inout [String: CELType]) -> CELType {
    switch type {
    case .parameter(let name):
      if let known = names[name] { return known }
      let made = solver.fresh()
      names[name] = made
      return made
    case .list(let element): return .list(instance(element, &names))
    case .optional(let value): return .optional(instance(value, &names))
    case .type(let inner): return .type(instance(inner, &names))
    case .map(let key, let value): return .map(instance(key, &names), instance(value, &names))
    default: return type
    }
  }

  /// The greatest or least of numbers: their common type, or dyn.
  private func extremum(_ types: [CELType]) -> CELType? {
    var result: CELType?
    for type in types {
      let number = solver.resolved(type)
      switch number {
      case .int, .uint, .double, .dyn: break
      case .parameter: _ = solver.fits(.dyn, number)
      default: return nil
      }
      if let found = result, !solver.isSame(found, number) {
        result = .dyn
      } else {
        result = solver.resolved(number)
      }
    }
    return result
  }

  // MARK: Errors

  private func noOverload(_ call: Call, _ all: [Overload]) {
    if call.wantsBool, let index = call.types.firstIndex(where: { !couldBeBool($0) }), index < call.boolCount {
      let span = call.arguments[index].span
      report(.noOverload, span, "expected bool, this is \(spelled(call.types[index]))")
      return
    }
    let types = call.types.map(spelled)
    if call.function == "_?_:_" {
      report(
        .noOverload, call.node.span, "the branches differ in type: \(types[1]) and \(types[2])",
        hint: "make both the same, or wrap one in dyn(…)")
      return
    }
    if let symbol = call.operatorSymbol {
      let list = types.joined(separator: " and ")
      report(.noOverload, call.node.span, "'\(symbol)' can't be applied to \(list)", hint: conversionHint(call))
      return
    }
    let name = call.function
    let given =
      call.isMember
      ? "\(types[0]).\(name)(\(types.dropFirst().joined(separator: ", ")))"
      : "\(name)(\(types.joined(separator: ", ")))"
    report(.noOverload, call.node.span, "there is no \(given)", hint: "there is \(signatures(all))")
  }

  private func couldBeBool(_ type: CELType) -> Bool {
    switch solver.resolved(type) {
    case .bool, .dyn, .parameter: true
    default: false
    }
  }

  private func conversionHint(_ call: Call) -> String? {
    let types = call.types.map { solver.resolved($0) }
    guard types.count == 2, types.allSatisfy({ $0 == .int || $0 == .uint || $0 == .double }) else { return nil }
    return "convert one with \(types[0].spelled)(…) or \(types[1].spelled)(…)"
  }

  private func signatures(_ all: [Overload]) -> String {
    let texts = all.prefix(4).map { overload in
      var types = overload.arguments.map(\.spelled)
      let target = overload.isMember ? types.removeFirst() + "." : ""
      return "\(target)\(overload.function)(\(types.joined(separator: ", ")))"
    }
    return texts.joined(separator: ", ") + (all.count > 4 ? ", …" : "")
  }

  private func undeclaredFunction(_ name: String, _ span: Span) {
    if let usage = MacroUsage.byName[name] {
      report(.undeclared, span, "'\(name)' is a macro and isn't used like this", hint: "write \(usage)")
      return
    }
    let known = Function.byName.keys.filter { !$0.contains("_") && !$0.contains("@") } + MacroUsage.byName.keys
    report(
      .undeclared, span, "undeclared function '\(name)'",
      hint: Names.nearest(to: name, among: known).map { "did you mean '\($0)'?" })
  }
}

/// A call with its target, if any, as the first argument.
struct Call {
  var node: Expression
  var function: String
  var isMember: Bool
  var arguments: [Expression]
  var types: [CELType]

  var wantsBool: Bool { ["_&&_", "_||_", "!_", "_?_:_"].contains(function) }
  /// How many of the first arguments must be bool.
  var boolCount: Int { function == "_&&_" || function == "_||_" ? 2 : 1 }

  /// "+" for `_+_`; nil for what isn't an operator.
  var operatorSymbol: String? {
    if function == "@in" { return "in" }
    guard function.contains("_"), function.first == "_" || function.last == "_" else { return nil }
    return function == "_[_]" || function == "_[?_]" ? "[]" : String(function.filter { $0 != "_" })
  }
}

extension Overload {
  /// False if it surely doesn't take arguments of the types `given`; cheap.
  func mayTake(_ given: [CELType], isMember: Bool) -> Bool {
    guard accepts(count: given.count, isMember: isMember) else { return false }
    guard !isVariadic else { return true }
    for index in given.indices {
      if let type = given[index].scalarRank, let wanted = arguments[index].scalarRank, type != wanted { return false }
    }
    return true
  }

  func accepts(count: Int, isMember: Bool) -> Bool {
    self.isMember == isMember && (isVariadic ? count >= arguments.count : count == arguments.count)
  }
}

extension CELType {
  /// A number for each type that fits itself and dyn only; nil for the others.
  fileprivate var scalarRank: Int? {
    switch self {
    case .null: 0
    case .bool: 1
    case .int: 2
    case .uint: 3
    case .double: 4
    case .string: 5
    case .bytes: 6
    case .timestamp: 7
    case .duration: 8
    case .dyn, .list, .map, .optional, .type, .parameter: nil
    }
  }
}

/// How each macro is written, for those who call one with the wrong arguments.
enum MacroUsage {
  static let byName: [String: String] = [
    "has": "has(a.field)",
    "all": "list.all(x, condition)",
    "exists": "list.exists(x, condition)",
    "exists_one": "list.exists_one(x, condition)",
    "existsOne": "list.existsOne(x, condition)",
    "map": "list.map(x, value) or list.map(x, condition, value)",
    "filter": "list.filter(x, condition)",
    "transformList": "list.transformList(i, x, value)",
    "transformMap": "map.transformMap(k, v, value)",
    "transformMapEntry": "map.transformMapEntry(k, v, {key: value})",
    "optMap": "optional.optMap(x, value)",
    "optFlatMap": "optional.optFlatMap(x, optional)",
  ]
}
