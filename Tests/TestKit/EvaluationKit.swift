// Evaluating CEL expressions in tests: expression and bindings -> image -> value.

public import CEL
public import Decision
public import PolicyImage

/// A value as a test writes it, and as an evaluation yields it.
public indirect enum TestValue: Hashable, Sendable {
  case null
  case bool(Bool)
  case int(Int64)
  case uint(UInt64)
  case double(Double)
  case string(String)
  case bytes([UInt8])
  case list([TestValue])
  /// Keys and values, in order.
  case map([[TestValue]])
  case timestamp(Int64, Int32)
  case duration(Int64, Int32)
  case type(UInt64)
  case optional(TestValue?)
  case failure(Failure)

  /// Copies a value of the evaluator.
  public init(_ value: Value) {
    func text() -> [UInt8] {
      Array(UnsafeRawBufferPointer(start: UnsafeRawPointer(bitPattern: UInt(value.payload)), count: Int(value.length)))
    }
    func elements(_ count: Int) -> [TestValue] {
      let base = UnsafeRawPointer(bitPattern: UInt(value.payload))?.assumingMemoryBound(to: Value.self)
      return UnsafeBufferPointer(start: base, count: count).map { TestValue($0) }
    }
    switch value.kind {
    case .absent: self = .failure(.missingAttribute)
    case .null: self = .null
    case .bool: self = .bool(value.payload != 0)
    case .int: self = .int(value.asInt)
    case .uint: self = .uint(value.payload)
    case .double: self = .double(value.asDouble)
    case .string: self = .string(String(decoding: text(), as: UTF8.self))
    case .bytes: self = .bytes(text())
    case .list: self = .list(elements(Int(value.length)))
    case .map:
      let all = elements(Int(value.length) * 2)
      self = .map(stride(from: 0, to: all.count, by: 2).map { [all[$0], all[$0 + 1]] })
    case .timestamp: self = .timestamp(value.asInt, value.nanoseconds)
    case .duration: self = .duration(value.asInt, value.nanoseconds)
    case .type: self = .type(value.payload)
    case .optional: self = .optional(value.payload == 0 ? nil : elements(1)[0])
    case .error: self = .failure(value.failure)
    }
  }
}

/// Owns the memory behind values that are bound to slots.
public final class ValueStore {
  private var blocks: [UnsafeMutableRawBufferPointer] = []

  public init() {}

  deinit { for block in blocks { block.deallocate() } }

  private func bytes(_ content: [UInt8]) -> UnsafeRawBufferPointer {
    let block = UnsafeMutableRawBufferPointer.allocate(byteCount: max(content.count, 1), alignment: 16)
    block.copyBytes(from: content)
    blocks.append(block)
    return UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(block)[..<content.count])
  }

  private func values(_ content: [TestValue]) -> UnsafeBufferPointer<Value> {
    let block = UnsafeMutableRawBufferPointer.allocate(byteCount: max(content.count, 1) * 16, alignment: 16)
    blocks.append(block)
    let values = block.bindMemory(to: Value.self)
    for (i, value) in content.enumerated() { values[i] = self.value(value) }
    return UnsafeBufferPointer(rebasing: UnsafeBufferPointer(values)[..<content.count])
  }

  /// The value, valid for as long as the store.
  public func value(_ v: TestValue) -> Value {
    switch v {
    case .null: .null
    case .bool(let b): .bool(b)
    case .int(let i): .int(i)
    case .uint(let u): .uint(u)
    case .double(let d): .double(d)
    case .string(let s): .string(bytes(Array(s.utf8)))
    case .bytes(let b): .bytes(bytes(b))
    case .list(let elements): .list(values(elements))
    case .map(let pairs): .map(values(pairs.flatMap { $0 }))
    case .timestamp(let s, let n): .timestamp(seconds: s, nanoseconds: n)
    case .duration(let s, let n): .duration(seconds: s, nanoseconds: n)
    case .type(let t): Value(kind: .type, payload: t)
    case .optional(let inner):
      Value(
        kind: .optional, payload: inner.map { UInt64(UInt(bitPattern: values([$0]).baseAddress)) } ?? 0)
    case .failure: .absent
    }
  }
}

/// A compiled expression with an image of its own; evaluates as often as wanted. Not thread-safe.
public final class CompiledExpression {
  public let checked: CheckedExpression
  public let tests: [Test]?
  public let image: Image
  public let program: UInt32
  public var frame: Frame
  private let names: [String]
  private let memory: UnsafeMutableRawBufferPointer
  private let frameMemory: UnsafeMutableRawBufferPointer
  private let store = ValueStore()

  /// Checks and compiles `source` into a platform image, which is verified. Slots are the environment's variables in
  /// the order of their names, behind the built-in ones. With `asCondition` also as a rule's tests.
  public init(
    _ source: String, _ environment: Environment = Environment(variables: [:]), arena: Int = 1 << 20,
    asCondition: Bool = false
  ) throws {
    checked = try check(source, in: environment)
    names = environment.variables.keys.sorted()
    let base = Int(BuiltInSlot.count)
    let slotNames = (0..<base).map { "built-in \($0)" } + names
    let slots = Dictionary(uniqueKeysWithValues: names.enumerated().map { ($1, UInt16(base + $0)) })
    var builder = ImageBuilder()
    for name in slotNames { _ = builder.string(name) }
    program = try generate(checked, slots: { slots[$0] }, into: &builder)
    let tests = asCondition ? try compileCondition(checked, slots: { slots[$0] }, into: &builder) : nil
    self.tests = tests
    let bytes = TestImage.platform(
      builder, attributes: slotNames.count, tests: tests ?? [Test(.program, .equal, slot: 0, operand: program)])
    memory = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 16)
    memory.copyBytes(from: bytes)
    image = try verifyPlatform(UnsafeRawBufferPointer(memory))
    frameMemory = UnsafeMutableRawBufferPointer.allocate(
      byteCount: Frame.size(slots: slotNames.count, arena: arena), alignment: 16)
    guard let frame = Frame(memory: frameMemory, slots: slotNames.count) else { throw TestImage.NoFrame() }
    self.frame = frame
  }

  deinit {
    memory.deallocate()
    frameMemory.deallocate()
  }

  /// Gives variables their values; the others have none.
  public func bind(_ bindings: [String: TestValue]) {
    frame.reset()
    for (i, name) in names.enumerated() {
      if let value = bindings[name] { frame.set(Int(BuiltInSlot.count) + i, store.value(value)) }
    }
  }

  public func outcome(_ bindings: [String: TestValue] = [:]) -> Outcome {
    bind(bindings)
    return evaluateProgram(program, image, &frame)
  }

  public func value(_ bindings: [String: TestValue] = [:], budget: Int = EvaluationLimits.cost) -> TestValue {
    bind(bindings)
    return TestValue(evaluateValue(program, image, &frame, budget: budget))
  }
}

/// The value of `source`; a failure is a value. Throws `Rejection` or `CELError` when it doesn't compile.
public func evaluate(
  _ source: String, _ environment: Environment = Environment(variables: [:]), _ bindings: [String: TestValue] = [:]
) throws -> TestValue {
  try CompiledExpression(source, environment).value(bindings)
}

/// Images for tests.
public enum TestImage {
  struct NoFrame: Error {}

  /// A platform that has the built-in absolutes and one limit, on `test`, whose condition is `tests`. The builder's
  /// first strings are the attributes' names.
  public static func platform(_ builder: ImageBuilder, attributes: Int, tests: [Test]) -> [UInt8] {
    var builder = builder
    let file = builder.string("test.yaml")
    var statements: [StatementRecord] = []
    var behaviors: [ImageBuilder.Behavior] = []
    func statement(_ name: String) -> UInt32 {
      statements.append(
        StatementRecord(
          file: file, line: 1, column: 1, clause: ImageFormat.none, condition: ImageFormat.none, node: 0, rule: 0,
          form: .rule, name: builder.string(name)))
      return UInt32(statements.count - 1)
    }
    func add(_ name: String, isNamed: Bool = true) -> ImageBuilder.Behavior {
      ImageBuilder.Behavior(name: name, isDeclared: isNamed, isNamed: isNamed)
    }
    var parents: Set<String> = []
    for i in 0..<BuiltInAbsolute.count {
      let (name, absolute) = BuiltInAbsolute.entry(i)
      let parts = "\(name)".split(separator: ".")
      if parents.insert(String(parts[0])).inserted { behaviors.append(add(String(parts[0]), isNamed: false)) }
      var behavior = add("\(name)")
      behavior.absolute = absolute
      behavior.stakes = absolute == .on ? .zero : .one
      behavior.absoluteStatement = statement("\(name)")
      behaviors.append(behavior)
    }
    var behavior = add("test")
    behavior.rules = [
      ImageBuilder.Rule(
        kind: .limit, effect: .ask, tier: .guideline, readsArgument: false, isShadow: false, tests: tests,
        obligations: [], statement: statement("test"))
    ]
    behaviors.append(behavior)
    behaviors.sort { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
    var identity = ImageBuilder.Identity(
      kind: .platform, name: "test", platform: 0, unknown: .deny, unknownStatement: ImageFormat.none)
    (identity.dial.value, identity.dial.operatorsMay) = (.unstatedDial, .unstatedDial)
    identity.dial.usersMay = .unstatedDial
    return builder.finish(
      identity, behaviors: behaviors, statements: statements, obligations: [],
      attributes: Array(repeating: (type: 0, isVerified: false), count: attributes),
      types: [TypeKind.dyn.rawValue])
  }
}
