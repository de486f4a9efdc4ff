// Names and selections: what an identifier or a chain of selections means (cel-spec, "Name Resolution").

extension Checker {
  /// What a whole qualified name is, tried in the container first; a leading dot starts at the root.
  private func lookUp(_ name: String) -> (Reference, CELType)? {
    for candidate in candidates(name) {
      if let variable = environment.variables[candidate] { return (.variable(candidate), variable.type) }
      if let type = CELType.denotations[candidate] { return (.type(type), .type(type)) }
    }
    return nil
  }

  private func candidates(_ name: String) -> [String] {
    if name.hasPrefix(".") { return [String(name.dropFirst())] }
    var result = [name]
    var prefix = ""
    for segment in environment.container.split(separator: ".") {
      prefix += segment + "."
      result.insert(prefix + name, at: 0)
    }
    return result
  }

  func identifier(_ node: Expression, _ name: String) -> CELType {
    if let type = local(name) {
      refer(node, to: .local(name))
      return type
    }
    if let (reference, type) = lookUp(name) {
      refer(node, to: reference)
      return type
    }
    undeclared(name, node.span)
    return .dyn
  }

  /// `a.b` may be a variable of that name, or field b of what `a` is; the longest declared name wins. A name that a
  /// comprehension introduced hides all that start with it.
  func select(_ node: Expression) -> CELType {
    guard case .select(let operand, let field, let isTest, let isOptional) = node.kind else { return .dyn }
    if !isOptional, let prefix = operand.qualifiedName, isGlobal(prefix) {
      let name = "\(prefix).\(field)"
      if let (reference, type) = lookUp(name), !isTest || reference.isVariable {
        refer(node, to: reference)
        return isTest ? .bool : type
      }
      guard hasDeclaredPrefix(prefix) else {
        undeclared(name, node.span)
        return isTest ? .bool : .dyn
      }
    }
    let fieldType = self.field(field, of: check(operand), at: node)
    if isTest { return .bool }
    guard isOptional else { return fieldType }
    if case .optional = solver.resolved(fieldType) { return fieldType }
    return .optional(fieldType)
  }

  private func isGlobal(_ name: String) -> Bool {
    name.hasPrefix(".") || local(String(name.prefix { $0 != "." })) == nil
  }

  private func hasDeclaredPrefix(_ name: String) -> Bool {
    var name = name[...]
    while true {
      if lookUp(String(name)) != nil { return true }
      guard let dot = name.lastIndex(of: "."), dot != name.startIndex else { return false }
      name = name[..<dot]
    }
  }

  /// Selecting in an optional gives an optional.
  private func field(_ field: String, of operand: CELType, at node: Expression) -> CELType {
    let type = solver.resolved(operand)
    switch type {
    case .map(let key, let value):
      guard solver.fits(.string, key) else { return noField(field, of: type, node) }
      return value
    case .optional(let inner):
      let selected = self.field(field, of: inner, at: node)
      if case .optional = solver.resolved(selected) { return selected }
      return .optional(selected)
    case .parameter:
      _ = solver.fits(.dyn, type)
      return .dyn
    case .dyn:
      return .dyn
    default:
      return noField(field, of: type, node)
    }
  }

  private func noField(_ field: String, of type: CELType, _ node: Expression) -> CELType {
    report(.typeMismatch, node.span, "there is no field '\(field)' in a value of type \(spelled(type))")
    return .dyn
  }

  // MARK: Undeclared names

  private func undeclared(_ name: String, _ span: Span) {
    report(.undeclared, span, "undeclared name '\(name)'", hint: hint(for: name))
  }

  private func hint(for name: String) -> String? {
    let plain = name.hasPrefix(".") ? String(name.dropFirst()) : name
    if let list = declared(below: plain[...]) { return list }
    let known = environment.variables.keys.sorted() + localNames.filter { !$0.contains("@") && !$0.contains("#") }
    var prefixes = [plain[...]]
    while let dot = prefixes[prefixes.count - 1].lastIndex(of: ".") {
      prefixes.append(prefixes[prefixes.count - 1][..<dot])
    }
    for prefix in prefixes {
      if let found = Names.nearest(to: String(prefix), among: known) { return "did you mean '\(found)'?" }
    }
    for prefix in prefixes.dropFirst() {
      if let list = declared(below: prefix) { return list }
    }
    return nil
  }

  private func declared(below prefix: Substring) -> String? {
    let names = environment.variables.keys.filter { $0.hasPrefix(prefix + ".") }.sorted()
    guard !names.isEmpty else { return nil }
    return "declared are \(names.prefix(6).joined(separator: ", "))" + (names.count > 6 ? ", …" : "")
  }
}

extension Reference {
  var isVariable: Bool {
    if case .variable = self { return true }
    return false
  }
}
