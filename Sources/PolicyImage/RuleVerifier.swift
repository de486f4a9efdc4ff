// The verifier's second half: rules with their tests, attributes and types.

extension Verifier {
  /// Every program, once each, whether a rule names it or not.
  func checkPrograms(slots: Int) throws(ImageError) {
    if let bad = verifyPrograms(in: image, slots: slots) { throw fail(.badProgram, .code, Int(bad.word)) }
  }

  /// Blocks lie one behind the other, in node order, and fill the section; each rule is of the kind and tier that
  /// its place and the image's layer allow.
  func checkRules(slots: Int, periods: Int) throws(ImageError) {
    var word = 0
    for i in 0..<image.count(.nodes) {
      let node = image.nodes[i]
      guard Int(node.block) == word else { throw fail(.badRule, .nodes, i) }
      word = try checkRun(word, count: Int(node.settings), .settings, slots, periods)
      word = try checkRun(word, count: Int(node.grants), .grants, slots, periods)
      word = try checkRun(word, count: Int(node.limits), .limits, slots, periods)
      word = try checkRun(word, count: Int(node.shadows), .shadows, slots, periods)
    }
    guard word == image.count(.rules) else { throw fail(.badRule, .rules, word) }
  }

  enum Place { case settings, grants, limits, shadows }

  private func checkRun(
    _ start: Int, count: Int, _ place: Place, _ slots: Int, _ periods: Int
  ) throws(ImageError) -> Int {
    var word = start
    var previous: UInt8 = 0
    for _ in 0..<count {
      guard word < image.count(.rules) else { throw fail(.badRule, .rules, word) }
      let rule = RuleHeader(word: image.rules[word])
      guard isAllowed(rule, place, after: &previous), Int(rule.mask) < image.count(.masks),
        Int(rule.statement) < image.count(.statements), rule.tests <= image.count(.rules) &- word &- 1
      else { throw fail(.badRule, .rules, word) }
      for t in 0..<rule.tests {
        let at = word &+ 1 &+ t
        let test = Test(word: image.rules[at])
        guard isWellFormed(test, slots), isRightPeriod(test, in: rule, isFirst: t == 0, periods: periods) else {
          throw fail(.badRule, .rules, at)
        }
      }
      word &+= 1 &+ rule.tests
    }
    return word
  }

  /// Kind and tier fit the layer and the place; settings stand stricter first (the engine stops at the first that
  /// matches), duties and limits by tier, duties first.
  private func isAllowed(_ rule: RuleHeader, _ place: Place, after previous: inout UInt8) -> Bool {
    guard rule.effect <= Effect.allow.rawValue, let ruleKind = StatementKind(rawValue: rule.kind) else { return false }
    guard rule.isShadow == (place == .shadows) else { return false }
    guard !rule.readsArgument || ruleKind == .limit else { return false }
    switch ruleKind {
    case .setting, .grant:
      guard kind == .overlay, rule.tier == Tier.operator.rawValue else { return false }
    case .duty:
      guard kind == .platform, rule.tier != Tier.operator.rawValue else { return false }
    case .limit:
      guard (kind == .overlay) == (rule.tier == Tier.operator.rawValue) else { return false }
    }
    let rank: UInt8
    switch place {
    case .settings:
      guard ruleKind == .setting else { return false }
      rank = rule.effect
    case .grants:
      guard ruleKind == .grant else { return false }
      rank = 0
    case .limits:
      guard ruleKind == .duty || ruleKind == .limit else { return false }
      rank = rule.tier &* 2 &+ (ruleKind == .limit ? 1 : 0)
    case .shadows: return true
    }
    defer { previous = rank }
    return rank >= previous
  }

  private func isWellFormed(_ test: Test, _ slots: Int) -> Bool {
    guard let operation = TestOperation(rawValue: test.operation),
      let comparison = Comparison(rawValue: test.comparison)
    else { return false }
    // The engine reads the slot before it looks at the operation: a program's counts too.
    guard test.slot < slots else { return false }
    let isEquality = comparison == .equal || comparison == .notEqual
    switch operation {
    case .bool, .presence: return isEquality && test.operand <= 1
    case .string: return isEquality && isString(test.operand)
    case .int, .double: return true
    case .intConstant, .uintConstant, .doubleConstant: return Int(test.operand) < image.count(.constants)
    // `checkPrograms` has accepted the section, so that a header's place is all there is to ask.
    case .program: return isProgram(test.operand, in: image)
    case .period: return isEquality
    }
  }

  func checkAttributes() throws(ImageError) {
    let count = image.count(.attributes)
    guard kind == .platform else {
      guard count == 0 else { throw fail(.badAttribute, .attributes, 0) }
      return
    }
    guard count >= Int(BuiltInSlot.count), count <= ImageFormat.maximumSlots, count <= image.count(.strings) else {
      throw fail(.badAttribute, .attributes, 0)
    }
    for i in 0..<count {
      let attribute = image.attributes[i]
      // An attribute's name has the id of its slot, so that one look-up finds both.
      guard Int(attribute.name) == i, Int(attribute.type) < image.count(.types) else {
        throw fail(.badAttribute, .attributes, i)
      }
      guard typeEnd(Int(attribute.type), depth: 0) != nil else { throw fail(.badType, .types, Int(attribute.type)) }
    }
  }

  func checkTypes() throws(ImageError) {
    guard kind == .platform || image.count(.types) == 0 else { throw fail(.badType, .types, 0) }
  }

  /// One past the last word of the descriptor at `word`, or nil when it is malformed or too deep.
  private func typeEnd(_ word: Int, depth: Int) -> Int? {
    guard depth <= ImageFormat.maximumTypeDepth, word < image.count(.types) else { return nil }
    switch TypeKind(rawValue: image.types[word] & 0xFF) {
    case nil: return nil
    case .list: return typeEnd(word &+ 1, depth: depth &+ 1)
    case .map:
      guard let value = typeEnd(word &+ 1, depth: depth &+ 1) else { return nil }
      return typeEnd(value, depth: depth &+ 1)
    case .enumeration:
      let count = Int(image.types[word] >> 8)
      guard count > 0, count <= image.count(.types) &- word &- 1 else { return nil }
      for i in 0..<count where !isString(image.types[word &+ 1 &+ i]) { return nil }
      return word &+ 1 &+ count
    default: return word &+ 1
    }
  }
}
