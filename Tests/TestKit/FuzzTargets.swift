// The fuzz targets: any bytes in, a complaint out when something that must hold doesn't. Tests/Fuzz drives them with
// libFuzzer, ordinary tests replay the corpus.

internal import CEL
internal import Decision
internal import Consultation
internal import Offline
internal import Oracle
internal import PolicyImage
internal import PolicyLanguage

public enum FuzzTarget: String, CaseIterable, Sendable {
  /// A platform's file, and behind a line `FuzzTarget.separator` an operator's; the whole also as an operator's file.
  case yaml
  /// An expression, over attributes of each type.
  case cel
  /// An image, of a platform or on the sample's platform; its checksum is made right.
  case image
  /// A message, sources or result of the compiler's protocol.
  case wire
  /// A message of the bus; also a signature's length, the signature and arguments that nobody has validated.
  case message
  /// A question, an answer or a record of the attach socket.
  case attach
  /// A signed determination about a period, and who decides about one.
  case determination

  public static let separator = "#--operator--"

  /// Runs the target; nil is well.
  public func complaint(about bytes: [UInt8]) -> String? {
    switch self {
    case .yaml: YAMLFuzz.complaint(bytes)
    case .cel: CELFuzz.complaint(bytes)
    case .image: ImageFuzz.complaint(bytes)
    case .wire: WireFuzz.complaint(bytes)
    case .message: MessageFuzz.complaint(bytes)
    case .attach: AttachFuzz.complaint(bytes)
    case .determination: DeterminationFuzz.complaint(bytes)
    }
  }
}

private enum YAMLFuzz {
  static func complaint(_ bytes: [UInt8]) -> String? {
    let separator = Array("\n\(FuzzTarget.separator)\n".utf8)
    let split = bytes.indices.first { bytes[$0...].starts(with: separator) } ?? bytes.count
    let op = SourceFile(path: "operators.d/op.yaml", bytes: Array(bytes.dropFirst(split + separator.count)))
    let own = [SourceFile(path: "platform.yaml", bytes: Array(bytes[..<split]))] + (split < bytes.count ? [op] : [])
    let sample = SourceFile(path: "platform.yaml", bytes: Array(SamplePolicy.platform.utf8))
    let asOperator = [sample, SourceFile(path: "operators.d/op.yaml", bytes: bytes)]
    return complaint(own) ?? complaint(asOperator, keepsPlatform: true)
  }

  private static func complaint(_ files: [SourceFile], keepsPlatform: Bool = false) -> String? {
    let loaded = openPolicy(files)
    let renderer = Renderer { path in files.first { $0.path == path }?.bytes }
    if renderer.render(loaded.diagnostics).isEmpty != loaded.diagnostics.isEmpty { return "a diagnostic without words" }
    guard let policy = loaded.policy else {
      if keepsPlatform { return "an operator's file keeps the platform from coming into force" }
      return loaded.hasErrors ? nil : "neither a policy nor an error"
    }
    for name in [nil] + policy.operators.map({ Optional($0) }) {
      for request in SamplePolicy.requests where request.behaviors.contains(where: { $0.hasPrefix("harm") }) {
        guard let answer = try? policy.decide(request, operator: name, explaining: true) else { continue }
        if answer.effect != .deny { return "\(request.behaviors) is \(answer.effect)" }
      }
    }
    return nil
  }
}

private enum ImageFuzz {
  static func complaint(_ bytes: [UInt8]) -> String? {
    guard bytes.count >= ImageFormat.headerSize else { return refusal(of: bytes) }
    var image = bytes
    HostileImage.store(ImageFormat.magic, 8, at: 0, in: &image)
    HostileImage.store(UInt64(ImageFormat.version), 4, at: 8, in: &image)
    HostileImage.store(UInt64(image.count), 8, at: 16, in: &image)
    let isOverlay = HostileImage.word(image, at: 12) == ImageKind.overlay.rawValue
    let platform = SamplePolicy.loaded.platformImage[24..<32]
    for (i, byte) in platform.enumerated() { image[32 + i] = isOverlay ? byte : 0 }
    HostileImage.seal(&image)
    return (try? isOverlay ? HostileImage.complaint(overlay: image) : HostileImage.complaint(platform: image))
      .flatMap { $0 } ?? refusal(of: bytes)
  }

  /// As they came, they can hardly have a right checksum.
  private static func refusal(of bytes: [UInt8]) -> String? {
    let memory = ImageMemory(copying: bytes)
    _ = try? OfflinePolicy(bundle: memory)
    // A view keeps nothing alive.
    withExtendedLifetime(memory) { _ = try? verifyPlatform(memory.bytes) }
    return nil
  }
}

private enum CELFuzz {
  /// Steps of an evaluation; the Oracle, which has no limit, takes as many.
  static let budget = 20_000

  static let variables: [(name: String, type: CELType, value: TestValue, oracle: OracleValue)] = [
    ("b", .bool, .bool(true), .bool(true)), ("i", .int, .int(-7), .int(-7)), ("u", .uint, .uint(9), .uint(9)),
    ("d", .double, .double(2.5), .double(2.5)), ("s", .string, .string("añb"), .text("añb")),
    ("y", .bytes, .bytes([0, 200]), .bytes([0, 200])),
    ("l", .list(.int), .list([.int(3), .int(1)]), .list([.int(3), .int(1)])),
    ("m", .map(.string, .int), .map([[.string("k"), .int(1)]]), .map([OraclePair(.text("k"), .int(1))])),
    ("t", .timestamp, .timestamp(1_767_225_600, 5), .timestamp(seconds: 1_767_225_600, nanoseconds: 5)),
    ("w", .duration, .duration(-61, -5), .duration(-61_000_000_005)),
    ("x", .dyn, .list([.string("1"), .null]), .list([.text("1"), .null])),
  ]

  static func complaint(_ bytes: [UInt8]) -> String? {
    guard bytes.count <= 400, let source = String(validating: bytes, as: UTF8.self) else { return nil }
    // `absent` has no value: reading it fails.
    var types = Dictionary(uniqueKeysWithValues: variables.map { ($0.name, Variable($0.type)) })
    types["absent"] = Variable(.bool)
    let environment = Environment(variables: types)
    let expression: CompiledExpression
    do {
      expression = try CompiledExpression(source, environment)
    } catch is Rejection {
      return nil
    } catch is CELError {
      return nil
    } catch {
      return "compiled to what is refused: \(error)"
    }
    let given = Dictionary(uniqueKeysWithValues: variables.map { ($0.name, $0.value) })
    let value = expression.value(given, budget: budget)
    if case .failure(.costLimit) = value { return nil }
    if case .failure(.arenaFull) = value { return nil }
    let oracle = oracle(expression.checked)
    if kind(value) != kind(oracle) { return "\(kind(value)), by the Oracle \(kind(oracle)): \(source)" }
    guard expression.checked.type == .bool else { return nil }
    return conditionComplaint(source, environment, given, kind(oracle))
  }

  private static func oracle(_ checked: CheckedExpression) -> OracleValue? {
    try? OracleInterpreter.evaluate(checked, Dictionary(uniqueKeysWithValues: variables.map { ($0.name, $0.oracle) }))
  }

  /// The same as a rule's condition, cut into tests.
  private static func conditionComplaint(
    _ source: String, _ environment: Environment, _ given: [String: TestValue], _ expected: String
  ) -> String? {
    guard let condition = try? CompiledExpression(source, environment, asCondition: true) else {
      return "no condition: \(source)"
    }
    condition.bind(given)
    let entries = UnsafeMutableBufferPointer<TraceEntry>.allocate(capacity: 8)
    defer { entries.deallocate() }
    var found: Truth?
    Array("test".utf8).withUnsafeBytes { name in
      withUnsafePointer(to: name) { names in
        let count = trace(
          Policy(platform: condition.image), &condition.frame, behaviors: UnsafeBufferPointer(start: names, count: 1),
          into: entries)
        found = entries.prefix(count).first { $0.step == .limit }?.truth
      }
    }
    let says = found.map { $0 == .yes ? "true" : $0 == .no ? "false" : "failure" } ?? "nothing"
    return says == expected ? nil : "as a condition \(says), by the Oracle \(expected): \(source)"
  }

  // MARK: Kinds; bools, ints and texts with their values

  private static func kind(_ value: TestValue) -> String {
    switch value {
    case .null: "null"
    case .bool(let it): "\(it)"
    case .int(let it): "\(it)"
    case .uint(let it): "\(it)u"
    case .double(let it): it.isNaN ? "NaN" : "double \(it)"
    case .string(let it): "\"\(it)\""
    case .bytes(let it): "\(it)"
    case .list(let it): "list \(it.map(kind))"
    case .map(let it): "map of \(it.count)"
    case .timestamp(let seconds, let nanoseconds): "time \(seconds) \(nanoseconds)"
    case .duration(let seconds, let nanoseconds): "duration \(Int128(seconds) * 1_000_000_000 + Int128(nanoseconds))"
    case .type: "type"
    case .optional(let it): "optional \(it.map(kind) ?? "none")"
    case .failure: "failure"
    }
  }

  private static func kind(_ value: OracleValue?) -> String {
    guard let value else { return "failure" }
    return switch value {
    case .null: "null"
    case .bool(let it): "\(it)"
    case .int(let it): "\(it)"
    case .uint(let it): "\(it)u"
    case .double(let it): it.isNaN ? "NaN" : "double \(it)"
    case .string(let it): "\"\(String(String.UnicodeScalarView(it)))\""
    case .bytes(let it): "\(it)"
    case .list(let it): "list \(it.map { kind($0) })"
    case .map(let it): "map of \(it.count)"
    case .timestamp(let seconds, let nanoseconds): "time \(seconds) \(nanoseconds)"
    case .duration(let it): "duration \(it)"
    case .type: "type"
    case .optional(let it): "optional \(it.map { kind($0) } ?? "none")"
    }
  }
}
