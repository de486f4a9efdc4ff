// Programs: what a small condition costs, and how long the worst ones run until the cost limit stops them.

internal import CFloor
internal import Decision
internal import Consultation
internal import Offline
internal import PolicyImage
internal import PolicyLanguage

enum EvaluateBench {
  static let small = [
    "!has(user.age_verified) || !user.age_verified",
    "user.role in ['guest', 'member'] || user.age >= 18",
    "user.role.startsWith('mem') || user.age > 64",
  ]
  /// Each does one kind of work as often as it can: loops, comparisons, searches, patterns, new lists and texts.
  static let worst = [
    "request.numbers.all(a, request.numbers.all(b, request.numbers.all(c, a + b + c >= 0)))",
    "request.numbers.all(a, request.numbers.all(b, request.numbers == request.numbers))",
    "request.numbers.all(a, request.numbers.all(b, !request.text.contains('abababababababababababababac')))",
    "request.numbers.all(a, request.numbers.all(b, !request.text.matches('(a|b|ab)*c$')))",
    "request.numbers.all(a, request.numbers.all(b, request.numbers.map(c, c + a).size() > 0))",
    "request.numbers.all(a, request.numbers.all(b, (request.text + request.text).size() > 0))",
    "request.numbers.all(a, request.numbers.all(b, request.text.replace('a', 'bc').size() > 0))",
    "request.numbers.all(a, request.numbers.all(b, string(a).size() > 0 && string(double(b)).size() > 0))",
    "request.numbers.all(a, request.numbers.all(b, !(-1 in request.numbers)))",
    "request.numbers.all(a, request.numbers.all(b, now + duration('1s') > now && now.getFullYear('Europe/Berlin') > 0))",
  ]

  static func run() -> [Figure] {
    let work = EvaluateWorkload(small + worst)
    var figures: [Figure] = []
    for (i, text) in small.enumerated() {
      let times = race([Contender(name: text) { work.evaluate(i, $0) }])
      figures.append(Figure(text, times[0], unit: "ns", goal: i == 0 ? 30 : nil))
    }
    for i in worst.indices {
      let (time, failure) = work.time(small.count + i)
      let end = failure == .costLimit ? "stopped" : failure == .arenaFull ? "memory full" : "ended by itself"
      figures.append(Figure("worst \(i + 1) (\(end))", time, unit: "ms", goal: 10))
    }
    return figures
  }
}

/// One rule a condition, and a request that is as large as a cautious caller lets in.
final class EvaluateWorkload {
  private let opened: OfflinePolicy
  private let overlay: Image
  private let programs: [UInt32]
  private var frame: Frame
  private let memory: UnsafeMutableRawBufferPointer
  private let numbers: UnsafeMutableBufferPointer<Value>
  private let text: UnsafeMutableRawBufferPointer

  init(_ conditions: [String]) {
    let platform = """
      licet: 1
      layer: platform
      name: bench
      attributes:
        user: {role: string, age: int, age_verified: bool}
        request: {numbers: list<int>, text: string}
      behaviors:

      """ + conditions.indices.map { "  c\($0): {default: ask, operators-may: allow, stakes: 0.1}\n" }.joined()
    let rules = conditions.enumerated().map { "  - allow: c\($0.offset)\n    when: \"\($0.element)\"\n" }.joined()
    let loaded = openPolicy([
      SourceFile(path: "platform.yaml", bytes: Array(platform.utf8)),
      SourceFile(
        path: "operators.d/bench.yaml", bytes: Array("licet: 1\nlayer: operator\nname: bench\nrules:\n\(rules)".utf8)),
    ])
    guard let opened = loaded.policy, let policy = try? opened.policy(for: "bench") else {
      fatalError("the benchmark's own policy doesn't load: \(loaded.diagnostics.prefix(3))")
    }
    self.opened = opened
    let overlay = policy.image(.overlay)
    self.overlay = overlay
    programs = conditions.indices.map { i in
      let name = Array("c\(i)".utf8)
      let node = name.withUnsafeBytes { bytes in bytes.baseAddress.map { overlay.nearestNode($0, bytes.count) } }
      guard let node, node != ImageFormat.none else { fatalError("no node") }
      let test = Test(word: overlay.rules[Int(overlay.nodes[Int(node)].block) + 1])
      precondition(test.operation == TestOperation.program.rawValue, "\(conditions[i]) is no program")
      return test.operand
    }
    let slots = policy.platform.count(.attributes)
    memory = .allocate(byteCount: Frame.size(slots: slots, arena: 1 << 20), alignment: 16)
    numbers = .allocate(capacity: 1000)
    for i in 0..<1000 { numbers[i] = .int(Int64(i)) }
    text = .allocate(byteCount: 4096, alignment: 16)
    for i in 0..<4096 { text[i] = i % 2 == 0 ? UInt8(ascii: "a") : UInt8(ascii: "b") }
    guard var frame = Frame(memory: memory, slots: slots) else { fatalError("the frame doesn't fit") }
    func set(_ name: StaticString, _ value: Value) {
      guard let slot = attributeSlot(name.bytes, in: policy.platform) else { fatalError("no attribute \(name)") }
      frame.set(slot, value)
    }
    set("user.role", .string(("member" as StaticString).bytes))
    set("user.age", .int(40))
    set("user.age_verified", .bool(true))
    set("request.numbers", .list(UnsafeBufferPointer(numbers)))
    set("request.text", .string(UnsafeRawBufferPointer(text)))
    frame.set(Int(BuiltInSlot.now), .timestamp(seconds: 1_767_225_600, nanoseconds: 0))
    self.frame = frame
  }

  deinit {
    memory.deallocate()
    numbers.deallocate()
    text.deallocate()
  }

  func evaluate(_ condition: Int, _ count: Int) {
    let program = programs[condition]
    for _ in 0..<count { precondition(evaluateProgram(program, overlay, &frame).truth != .failed) }
  }

  /// Milliseconds of one evaluation, the median of five, and how it ended.
  func time(_ condition: Int) -> (Double, Failure) {
    var failure = Failure.none
    let times = (0..<5).map { _ in
      let start = floor_cpu()
      failure = evaluateProgram(programs[condition], overlay, &frame).failure
      return Double(floor_cpu() - start) / 1e6
    }
    return (times.sorted()[2], failure)
  }
}
