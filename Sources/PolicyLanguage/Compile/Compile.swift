// Checked model -> image. The bytes depend on what the policy says, not on the order it was written in, up to the
// line numbers that explain it (P9).

internal import CEL
internal import PolicyImage

/// Why a checked policy does not fit into an image: a limit of the format, or a condition that byte code can't hold.
public struct CompileError: Error, Hashable, Sendable {
  public var code: DiagnosticCode
  /// The statement's, or the layer's first.
  public var location: Location
  public var message: String
  public var hint: String?
  init(code: DiagnosticCode, location: Location, message: String, hint: String? = nil) {
    self.code = code
    self.location = location
    self.message = message
    self.hint = hint
  }
}

/// Compiles a platform. Pure; thread-safe.
public func compile(platform: Platform) throws(CompileError) -> [UInt8] {
  var compiler = Compiler(
    names: platform.namedBehaviors, statements: platform.statements, counted: platform.counters.flatMap(\.behaviors),
    choices: platform.behaviors.values.flatMap(\.choice.obligations), location: platform.unknownLocation)
  let attributes = try compiler.addAttributes(platform.slots, at: platform.unknownLocation)
  compiler.addNames()
  try compiler.add(platform.statements, platform.periods)
  compiler.declare(platform)
  let unknown = compiler.record(.unknown, location: platform.unknownLocation, name: "", clause: nil)
  var identity = ImageBuilder.Identity(
    kind: .platform, name: platform.name, platform: 0, unknown: platform.unknown, unknownStatement: unknown)
  identity.dial = compiler.dial(
    [platform.dial.default, platform.dial.operatorsMay, platform.dial.usersMay], platform.statements)
  identity.periods = compiler.periods(platform)
  if let suspicion = platform.suspicion { identity.suspicion = compiler.suspicion(suspicion) }
  identity.alternatives = compiler.alternatives(platform, dial: identity.dial.statement)
  identity.counters = compiler.counters(platform)
  return try compiler.finish(identity, attributes: attributes)
}

/// Compiles an operator's overlay for the platform whose image has this checksum. `nodes` are that platform's; who
/// compiles many operators makes them once.
public func compile(
  operator: Operator, on platform: Platform, nodes: PlatformNodes? = nil, checksum: UInt64
) throws(CompileError) -> [UInt8] {
  var compiler = Compiler(
    names: `operator`.audiences.map(\.behavior), statements: `operator`.statements,
    choices: `operator`.audiences.flatMap(\.choice.obligations), location: `operator`.location)
  compiler.link(to: nodes ?? PlatformNodes(platform))
  compiler.useSlots(of: platform.slots)
  compiler.addNames()
  try compiler.add(`operator`.statements, platform.periods)
  compiler.declare(`operator`.audiences, on: platform)
  compiler.markCounted(`operator`.statements.filter { !$0.counters.isEmpty }.map(\.behavior))
  var identity = ImageBuilder.Identity(
    kind: .overlay, name: `operator`.name, platform: checksum, unknown: .deny, unknownStatement: ImageFormat.none)
  identity.dial = compiler.dial(`operator`.dial.map { [$0] } ?? [], `operator`.statements)
  return try compiler.finish(identity, attributes: [])
}

/// Where each name stands in a platform's image.
public struct PlatformNodes: Sendable {
  let index: [String: UInt32]

  public init(_ platform: Platform) {
    let (all, _) = Compiler.names(
      platform.namedBehaviors, platform.statements, counted: platform.counters.flatMap(\.behaviors))
    index = Dictionary(uniqueKeysWithValues: all.enumerated().map { ($0.element, UInt32($0.offset)) })
  }
}

extension Platform {
  /// What is known without a statement: what is declared, and what suspicion is for.
  var namedBehaviors: [String] { behaviors.keys + (suspicion?.behaviors ?? []) }
}

struct Compiler {
  var builder = ImageBuilder()
  var types: [UInt32] = []
  var slots: [String: UInt16] = [:]
  var behaviors: [ImageBuilder.Behavior]
  var index: [String: Int] = [:]
  var records: [StatementRecord] = []
  let obligations: [String]
  let location: Location

  /// `choices`: the obligations of defaults; `counted`: what counters name.
  init(
    names: some Sequence<String>, statements: [Statement], counted: [String] = [], choices: [String], location: Location
  ) {
    let (all, named) = Compiler.names(names, statements, counted: counted)
    behaviors = all.map {
      ImageBuilder.Behavior(name: $0, isDeclared: false, isNamed: named.contains($0))
    }
    obligations = Set(statements.lazy.flatMap(\.obligations)).union(choices).sorted()
    self.location = location
    for (i, behavior) in behaviors.enumerated() { index[behavior.name] = i }
  }

  /// Every name that gets a node, in order, with all that lie above; and those that are named themselves.
  static func names(
    _ names: some Sequence<String>, _ statements: [Statement], counted: [String] = []
  ) -> (all: [String], named: Set<String>) {
    let named = Set(names).union(statements.lazy.map(\.behavior))
      .union(statements.lazy.flatMap(\.comparedNames))
    let all = named.union((named.union(counted)).flatMap { BehaviorName.path(of: $0) })
    return (all.sorted(by: BehaviorName.precedes), named)
  }

  /// Leads each node of an overlay to the platform's.
  mutating func link(to nodes: PlatformNodes) {
    for i in behaviors.indices {
      let above = BehaviorName.path(of: behaviors[i].name).lazy.compactMap { nodes.index[$0] }.first
      behaviors[i].choiceStatement = above ?? ImageFormat.none
    }
  }

  mutating func useSlots(of attributes: [Attribute]) {
    for builtIn in BuiltInAttribute.allCases { slots[builtIn.rawValue] = UInt16(slots.count) }
    for attribute in attributes { slots[attribute.name] = UInt16(clamping: slots.count) }
  }

  /// Slots are the attributes' string ids: their names are the first strings.
  mutating func addAttributes(
    _ attributes: [Attribute], at location: Location
  ) throws(CompileError) -> [(type: UInt32, isVerified: Bool)] {
    guard attributes.count + BuiltInAttribute.allCases.count <= ImageFormat.maximumSlots else {
      throw CompileError(
        code: .tooManyAttributes, location: location,
        message:
          "a platform may declare at most \(ImageFormat.maximumSlots - BuiltInAttribute.allCases.count) attributes")
    }
    useSlots(of: attributes)
    for builtIn in BuiltInAttribute.allCases { _ = builder.string(builtIn.rawValue) }
    for attribute in attributes { _ = builder.string(attribute.name) }
    return BuiltInAttribute.allCases.map { (type($0.type), false) }
      + attributes.map { (type($0.type), $0.isVerified) }
  }

  /// Names one behind the other, apart from the texts that only explanations read: a decision compares one.
  mutating func addNames() {
    for behavior in behaviors { _ = builder.string(behavior.name) }
  }

  /// Appends a type's descriptor (TypeDescriptor.swift); returns its word.
  private mutating func type(_ type: AttributeType) -> UInt32 {
    var words: [UInt32] = []
    describe(type, into: &words)
    let start = UInt32(types.count)
    types += words
    return start
  }

  private mutating func describe(_ type: AttributeType, into words: inout [UInt32]) {
    let kind: TypeKind
    switch type {
    case .bool: kind = .bool
    case .int: kind = .int
    case .uint: kind = .uint
    case .double: kind = .double
    case .string: kind = .string
    case .bytes: kind = .bytes
    case .timestamp: kind = .timestamp
    case .duration: kind = .duration
    case .dyn: kind = .dyn
    case .enumeration(let values):
      words.append(TypeKind.enumeration.rawValue | UInt32(values.count) << 8)
      for value in values { words.append(builder.string(value)) }
      return
    case .list(let element):
      words.append(TypeKind.list.rawValue)
      describe(element, into: &words)
      return
    case .map(let key, let value):
      words.append(TypeKind.map.rawValue)
      describe(key, into: &words)
      describe(value, into: &words)
      return
    }
    words.append(kind.rawValue)
  }

  /// Compiles statements, which are in the order of contents: their ids keep it.
  mutating func add(_ statements: [Statement], _ periods: [Period]) throws(CompileError) {
    let slots = slots
    let numbers = Dictionary(uniqueKeysWithValues: periods.enumerated().map { ($0.element.name, UInt32($0.offset)) })
    for statement in statements {
      var tests: [Test] = []
      if let condition = statement.condition {
        do {
          tests = try compileCondition(condition, slots: { slots[$0] }, into: &builder)
        } catch {
          throw CompileError(
            code: DiagnosticCode(rawValue: error.code.rawValue) ?? .celTooComplex, location: statement.location,
            message: error.message, hint: error.hint)
        }
      }
      if let period = statement.period.flatMap({ numbers[$0] }) {
        tests.insert(
          Test(.period, statement.kind == .limit ? .notEqual : .equal, slot: 0, operand: period), at: 0)
      }
      guard let node = index[statement.behavior] else { continue }
      let id = record(
        .rule, location: statement.location, name: statement.behavior, clause: statement.clause,
        condition: statement.condition?.source, rule: statement)
      behaviors[node].rules.append(
        .init(
          kind: statement.kind, effect: statement.effect, tier: statement.tier,
          readsArgument: statement.readsArgument, isShadow: statement.isShadow, tests: tests,
          obligations: statement.obligations, statement: id))
    }
  }

  mutating func record(
    _ form: StatementForm, location: Location, name: String, clause: String?, condition: String? = nil,
    rule: Statement? = nil
  ) -> UInt32 {
    let id = UInt32(records.count)
    let packed = rule.map { $0.kind.rawValue | $0.effect.rawValue << 2 | $0.tier.rawValue << 4 } ?? 0
    records.append(
      StatementRecord(
        file: builder.string(location.file), line: UInt32(clamping: location.line),
        column: UInt16(clamping: location.column), clause: clause.map { builder.string($0) } ?? ImageFormat.none,
        condition: condition.map { builder.string($0) } ?? ImageFormat.none,
        node: index[name].map { UInt32($0) } ?? ImageFormat.none,
        rule: packed | (rule?.readsArgument == true ? 0x40 : 0) | (rule?.isShadow == true ? 0x80 : 0), form: form,
        name: builder.string(name)))
    return id
  }

  /// The dial with its two ceilings, the dial alone, or none; each with a statement of its own.
  mutating func dial(_ stated: [StatedDegree], _ statements: [Statement]) -> ImageBuilder.Dial {
    var dial = ImageBuilder.Dial()
    for (i, one) in stated.enumerated() {
      let id = record(
        one.location == nil ? .builtIn : .dial,
        location: one.location ?? Location(file: "built-in", line: 0, column: 0), name: "", clause: nil)
      switch i {
      case 0: (dial.value, dial.statement) = (one.value, id)
      case 1: dial.operatorsMay = one.value
      default: dial.usersMay = one.value
      }
    }
    dial.isRead = statements.contains {
      $0.condition?.variables.contains(BuiltInAttribute.sessionDial.rawValue) ?? false
    }
    return dial
  }

  /// The periods, each with a statement that says who ends it.
  mutating func periods(_ platform: Platform) -> [ImageBuilder.PeriodEntry] {
    platform.periods.map { period in
      let id = record(.period, location: period.location, name: period.name, clause: nil, condition: period.terms)
      // Its name is no behaviour's, even where one has the same.
      records[Int(id)].node = ImageFormat.none
      return ImageBuilder.PeriodEntry(
        name: period.name, statement: id, quorum: period.quorum,
        authorities: period.authorities.map { ($0, platform.authorities[$0] ?? []) }, evidence: period.evidence,
        reviewBy: period.reviewBy.start)
    }
  }

  /// The counters, each with a statement that says what it counts; marks the names whose decisions have to do with one.
  mutating func counters(_ platform: Platform) -> [ImageBuilder.CounterEntry] {
    let reading = platform.statements.filter { !$0.counters.isEmpty }.map(\.behavior)
    markCounted(reading + platform.counters.flatMap(\.behaviors))
    return platform.counters.map { counter in
      let id = record(.counter, location: counter.location, name: counter.name, clause: nil, condition: counter.terms)
      // Its name is no behaviour's, even where one has the same.
      records[Int(id)].node = ImageFormat.none
      return ImageBuilder.CounterEntry(
        name: counter.name, statement: id, window: counter.window, counts: counter.counts, per: counter.per,
        nodes: counter.behaviors.compactMap { index[$0].map { UInt32($0) } }.sorted())
    }
  }

  /// Marks these names, and all above and below.
  mutating func markCounted(_ names: [String]) {
    guard !names.isEmpty else { return }
    let counted = Set(names)
    let above = Set(names.flatMap { BehaviorName.path(of: $0) })
    for i in behaviors.indices {
      let path = BehaviorName.path(of: behaviors[i].name)
      behaviors[i].isCountedBelow = path.contains(where: counted.contains)
      behaviors[i].isCounted = above.contains(behaviors[i].name) || behaviors[i].isCountedBelow
    }
  }

  /// Marks the names that it is for; those below them are marked with them.
  mutating func suspicion(_ suspicion: Suspicion) -> ImageBuilder.Suspicion {
    let names = Set(suspicion.behaviors)
    for i in behaviors.indices where names.contains(behaviors[i].name) { behaviors[i].isSuspected = true }
    var made = ImageBuilder.Suspicion()
    made.askAt = suspicion.askAt ?? ImageFormat.none
    made.denyAt = suspicion.denyAt ?? ImageFormat.none
    made.halfLife = suspicion.halfLife
    made.statement = record(.suspicion, location: suspicion.location, name: "", clause: nil)
    made.isForAll = names.isEmpty
    return made
  }

  /// What periods' ends replace, by the statement that is replaced: a declaration, or the dial.
  func alternatives(_ platform: Platform, dial: UInt32) -> [AlternativeRecord] {
    var all: [AlternativeRecord] = []
    for (number, period) in platform.periods.enumerated() {
      for behavior in behaviors where behavior.hasAlternatives {
        guard let declared = platform.behaviors[behavior.name], declared.governedBy == behavior.name,
          let one = declared.after[period.name]
        else { continue }
        func value(_ effect: Effect?) -> UInt32 { effect.map { UInt32($0.rawValue) } ?? ImageFormat.none }
        all.append(
          AlternativeRecord(
            statement: behavior.choiceStatement, period: UInt32(number), default: value(one.default),
            operatorsMay: value(one.operatorsMay), usersMay: value(one.usersMay)))
      }
      guard let one = platform.dial.after[period.name] else { continue }
      func value(_ degree: Degree?) -> UInt32 { degree?.millionths ?? ImageFormat.none }
      all.append(
        AlternativeRecord(
          statement: dial, period: UInt32(number), default: value(one.default), operatorsMay: value(one.operatorsMay),
          usersMay: value(one.usersMay)))
    }
    return all
  }

  /// Puts the platform's declarations on its nodes: in name order, so that statement ids order them.
  mutating func declare(_ platform: Platform) {
    var declarations: [String: UInt32] = [:]
    for i in behaviors.indices {
      let name = behaviors[i].name
      if let declared = platform.behaviors[name] {
        declarations[name] = record(
          declared.location == nil ? .builtIn : declared.chosen == nil ? .declaration : .chosen,
          location: declared.location ?? Location(file: "built-in", line: 0, column: 0), name: name,
          clause: declared.clause, condition: declared.chosen?.reason)
      }
    }
    for i in behaviors.indices { declare(i, platform, declarations) }
  }

  /// Puts an operator's audiences on its nodes: each on all that the same declaration of the platform governs.
  mutating func declare(_ audiences: [Audience], on platform: Platform) {
    guard !audiences.isEmpty else { return }
    func governing(_ name: String) -> String? {
      BehaviorName.path(of: name).lazy.compactMap { platform.behaviors[$0] }.first?.governedBy
    }
    var found: [String: (audience: Audience, statement: UInt32)] = [:]
    for audience in audiences {
      let statement = record(
        .audience, location: audience.location, name: audience.behavior, clause: nil, condition: audience.choice.reason)
      found[audience.behavior] = (audience, statement)
    }
    for i in behaviors.indices {
      let name = behaviors[i].name
      guard let (audience, statement) = BehaviorName.path(of: name).lazy.compactMap({ found[$0] }).first,
        governing(name) == governing(audience.behavior)
      else { continue }
      behaviors[i].hasAudience = true
      behaviors[i].default = audience.choice.effect
      behaviors[i].obligations = audience.choice.obligations
      behaviors[i].absoluteStatement = statement
    }
  }

  private mutating func declare(_ i: Int, _ platform: Platform, _ declarations: [String: UInt32]) {
    let path = BehaviorName.path(of: behaviors[i].name)
    let nearest = path.lazy.compactMap { platform.behaviors[$0] }.first
    let choice =
      nearest?.choice
      ?? Choice(default: platform.unknown, operatorsMay: platform.unknown, usersMay: platform.unknown)
    behaviors[i].isDeclared = platform.behaviors[behaviors[i].name] != nil
    behaviors[i].default = choice.default
    behaviors[i].operatorsMay = choice.operatorsMay
    behaviors[i].usersMay = choice.usersMay
    behaviors[i].obligations = choice.obligations
    behaviors[i].hasAlternatives = nearest?.after.isEmpty == false
    behaviors[i].stakes = nearest?.stakes ?? .one
    behaviors[i].stakesDepth = UInt8(clamping: nearest?.stakesOf.map { BehaviorName.path(of: $0).count } ?? 0)
    behaviors[i].audit = nearest?.audit.rawValue ?? 0
    behaviors[i].choiceStatement =
      nearest?.governedBy.flatMap { declarations[$0] } ?? UInt32(platform.statements.count + declarations.count)
    // Off wins over on along one path.
    for absolute in [Absolute.off, .on] {
      guard behaviors[i].absolute == .none,
        let source = path.first(where: { platform.behaviors[$0]?.hardcoded == absolute })
      else { continue }
      behaviors[i].absolute = absolute
      behaviors[i].absoluteStatement = declarations[source] ?? ImageFormat.none
    }
  }

  consuming func finish(
    _ identity: ImageBuilder.Identity, attributes: [(type: UInt32, isVerified: Bool)]
  ) throws(CompileError) -> [UInt8] {
    guard obligations.count <= ImageFormat.maximumObligations else {
      throw CompileError(
        code: .tooManyObligations, location: location,
        message: "\(obligations.count) different obligations; at most \(ImageFormat.maximumObligations) in one layer")
    }
    let sets = Set(behaviors.lazy.flatMap { $0.rules.lazy.map(\.obligations) }).union(behaviors.lazy.map(\.obligations))
    guard sets.count < Int(UInt16.max) else {
      throw CompileError(
        code: .tooManyObligations, location: location,
        message: "more than \(UInt16.max - 1) different sets of obligations in one layer")
    }
    for behavior in behaviors where behavior.rules.count > Int(UInt16.max) {
      throw CompileError(
        code: .tooManyRules, location: location, message: "more than \(UInt16.max) rules on \(behavior.name)")
    }
    let image = builder.finish(
      identity, behaviors: behaviors, statements: records, obligations: obligations, attributes: attributes,
      types: types)
    guard image.count <= ImageFormat.maximumSize else {
      throw CompileError(code: .tooManyRules, location: location, message: "the compiled policy is over 1 GiB")
    }
    return image
  }
}
