// The engine as an evaluator: compiles to images, verifies them, decides, and puts the answer into the Oracle's words.

import Consultation
import Decision
import Oracle
import PolicyImage
import PolicyLanguage

extension Evaluator {
  public static let engine = Evaluator("Decision") { loaded in
    let engine = try CompiledPolicy(loaded)
    return { try engine.answer($0) }
  }
}

/// Memory that lives as long as this object.
final class Memory {
  private var blocks: [UnsafeMutableRawBufferPointer] = []

  func allocate(_ count: Int) -> UnsafeMutableRawBufferPointer {
    let block = UnsafeMutableRawBufferPointer.allocate(byteCount: max(1, count), alignment: 16)
    blocks.append(block)
    return UnsafeMutableRawBufferPointer(rebasing: block[..<count])
  }

  func copy(_ bytes: some Collection<UInt8>) -> UnsafeRawBufferPointer {
    let block = allocate(bytes.count)
    block.copyBytes(from: bytes)
    return UnsafeRawBufferPointer(block)
  }

  func values(_ values: [Value]) -> UnsafeBufferPointer<Value> {
    let block = allocate(values.count * MemoryLayout<Value>.stride).bindMemory(to: Value.self)
    for (index, value) in values.enumerated() { block[index] = value }
    return UnsafeBufferPointer(block)
  }

  deinit { for block in blocks { block.deallocate() } }
}

/// A policy in verified images.
final class CompiledPolicy {
  private let memory = Memory()
  private let loaded: LoadedPolicy
  private let platform: Platform
  private let base: Image
  private let overlay: Image?
  private var policy: Policy { Policy(platform: base, overlay: overlay) }
  private let slots: [String: Int]

  init(_ loaded: LoadedPolicy) throws {
    guard let platform = loaded.platform else { throw Refused(description: "no platform") }
    self.loaded = loaded
    self.platform = platform
    base = try verifyPlatform(memory.copy(try compile(platform: platform)))
    var overlay: Image?
    if let it = loaded.operator {
      overlay = try verifyOverlay(
        memory.copy(try compile(operator: it, on: platform, checksum: base.checksum)), on: base)
    }
    self.overlay = overlay
    let names = BuiltInAttribute.allCases.map(\.rawValue) + platform.slots.map(\.name)
    slots = Dictionary(uniqueKeysWithValues: names.enumerated().map { ($0.element, $0.offset) })
  }

  func answer(_ request: OracleRequest) throws -> OracleDecision {
    let lent = Memory()
    let size = Frame.size(slots: slots.count, arena: 1 << 20)
    guard var frame = Frame(memory: lent.allocate(size), slots: slots.count) else {
      throw Refused(description: "no room for a frame")
    }
    let session = try Self.session(request)
    frame.setSession(session?.terms)
    fill(&frame, request, lent)
    defer { withExtendedLifetime(session) {} }
    let names = lent.allocate(request.behaviors.count * MemoryLayout<Name>.stride).bindMemory(to: Name.self)
    for (index, name) in request.behaviors.enumerated() {
      names.initializeElement(at: index, to: lent.copy(name.utf8))
    }
    let behaviors = UnsafeBufferPointer(names)
    var ended: UInt64 = 0
    for (number, period) in platform.periods.enumerated() where request.ended.contains(period.name) {
      ended |= 1 << UInt64(number)
    }
    let policy = Policy(platform: base, overlay: overlay, ended: ended)
    guard
      let decision = decide(
        policy, &frame, behaviors: behaviors, preference: request.preference, isHalted: request.isHalted),
      let way = way(
        policy, &frame, behaviors: behaviors, preference: request.preference, isHalted: request.isHalted)
    else { throw OracleError.badRequest }
    let entries = lent.allocate(1000 * MemoryLayout<TraceEntry>.stride).bindMemory(to: TraceEntry.self)
    let count = trace(
      policy, &frame, behaviors: behaviors, preference: request.preference, isHalted: request.isHalted,
      into: entries)
    return OracleDecision(
      effect: decision.effect, obligations: obligations(decision), decidedBy: decider(decision.decider),
      trace: entries[..<min(count, entries.count)].map(entry), way: way.by.oracle)
  }

  private static func session(_ request: OracleRequest) throws -> SessionMemory? {
    guard !request.session.isEmpty else { return nil }
    return try SessionMemory(
      request.session.map { level in
        var own = SessionLevel()
        (own.preferences, own.caps) = (level.preferences, level.caps)
        (own.behaviors, own.resources) = (level.behaviors.map { Set($0) }, Set(level.resources))
        own.dial = level.dial
        return own
      })
  }

  private func fill(_ frame: inout Frame, _ request: OracleRequest, _ lent: Memory) {
    var given = request.attributes
    given[BuiltInAttribute.resource.rawValue] = request.resource.map { .text($0) }
    frame.setSource(request.source)
    if frame.sessionDial == .zero { frame.sessionDial = request.dial ?? .zero }
    frame.suspicion = request.suspicion
    given[BuiltInAttribute.now.rawValue] = .timestamp(
      seconds: request.now.seconds, nanoseconds: request.now.nanoseconds)
    given[BuiltInAttribute.operatorName.rawValue] = loaded.operator.map { .text($0.name) }
    given[BuiltInAttribute.argument.rawValue] = .text(request.argument ?? "")
    for (name, value) in given {
      if let slot = slots[name] { frame.set(slot, Self.value(value, lent)) }
    }
  }

  private static func value(_ value: OracleValue, _ lent: Memory) -> Value {
    switch value {
    case .null, .type, .optional: .null
    case .bool(let it): .bool(it)
    case .int(let it): .int(it)
    case .uint(let it): .uint(it)
    case .double(let it): .double(it)
    case .string(let it): .string(lent.copy(it.flatMap { Array(UTF8.encode($0) ?? .init()) }))
    case .bytes(let it): .bytes(lent.copy(it))
    case .list(let it): .list(lent.values(it.map { self.value($0, lent) }))
    case .map(let it): .map(lent.values(it.flatMap { [self.value($0.key, lent), self.value($0.value, lent)] }))
    case .timestamp(let seconds, let nanoseconds): .timestamp(seconds: seconds, nanoseconds: Int32(nanoseconds))
    case .duration(let it): .duration(seconds: it / 1_000_000_000, nanoseconds: Int32(it % 1_000_000_000))
    }
  }

  // MARK: Answers

  private func obligations(_ decision: Decision) -> [String] {
    var names: Set<String> = []
    for bit in 0..<64 {
      if decision.platformObligations >> UInt64(bit) & 1 == 1 {
        names.insert(String(decoding: policy.image(.platform).obligationName(bit), as: UTF8.self))
      }
      if decision.overlayObligations >> UInt64(bit) & 1 == 1 {
        names.insert(String(decoding: policy.image(.overlay).obligationName(bit), as: UTF8.self))
      }
    }
    return names.sorted()
  }

  /// What a statement's record says, found again in the model by its index: rules come first, in order of content.
  private func identity(_ layer: Layer, _ statement: UInt32) -> OracleIdentity? {
    guard layer != .none, statement != ImageFormat.none else { return nil }
    let record = policy.image(layer).statements[Int(statement)]
    switch StatementForm(rawValue: record.form) {
    case .rule:
      let rules = layer == .platform ? platform.statements : loaded.operator?.statements ?? []
      let rule = rules[Int(statement)]
      return .statement(content: rule.content, behavior: rule.behavior)
    case .builtIn where layer == .platform && statement >= policy.platform.header.pointee.dialStatement:
      return dial(layer, statement)
    case .declaration, .builtIn, .chosen:
      return .declaration(String(decoding: policy.image(layer).string(record.name), as: UTF8.self))
    case .audience: return .audience(String(decoding: policy.image(layer).string(record.name), as: UTF8.self))
    case .unknown: return .unknown
    case .dial: return dial(layer, statement)
    case .suspicion: return .suspicion
    case .period, .counter, nil: return nil
    }
  }

  /// Default and ceilings stand one behind the other.
  private func dial(_ layer: Layer, _ statement: UInt32) -> OracleIdentity {
    guard layer == .platform else { return .dial(.operator) }
    switch statement - policy.platform.header.pointee.dialStatement {
    case 0: return .dial(.default)
    case 1: return .dial(.operatorsMay)
    default: return .dial(.usersMay)
    }
  }

  private func decider(_ decider: Decider) -> OracleDecider {
    let kind: OracleDecider.Kind =
      switch decider.rank {
      case .default: .default
      case .setting: .setting
      case .ceiling: .ceiling
      case .preference: .preference
      case .operatorTier: .operator
      case .guideline: .guideline
      case .ethics: .ethics
      case .safety: .safety
      case .oversight: .oversight
      case .absolute: .absolute
      }
    let cause: OracleDecider.Cause? =
      switch decider.cause {
      case .none: nil
      case .session: .session
      case .suspicion: .suspicion
      case .dial: .dial
      case .halt: .halt
      }
    return OracleDecider(kind: kind, statement: identity(decider.layer, decider.statement), cause: cause)
  }

  private func entry(_ entry: TraceEntry) -> OracleTraceEntry {
    let step: OracleTraceEntry.Step =
      switch entry.step {
      case .default: .default
      case .setting: .setting
      case .operator: .operator
      case .grant: .grant
      case .preference: .preference
      case .duty: .duty
      case .limit: .limit
      case .oversight: .oversight
      case .absolute: .absolute
      case .dial: .dial
      case .session: .session
      case .suspicion: .suspicion
      }
    let isRule = [.setting, .grant, .duty, .limit, .dial, .session, .suspicion].contains(step)
    var told = OracleTraceEntry(
      name: String(decoding: entry.behavior, as: UTF8.self), step: step,
      tier: step == .duty || step == .limit ? entry.tier : nil, statement: identity(entry.layer, entry.statement),
      to: isRule ? entry.says : nil, truth: isRule ? OracleTruth(rawValue: entry.truth.rawValue) : nil,
      effect: entry.effect, isShadow: entry.isShadow, isClamped: entry.isClamped)
    if entry.period != ImageFormat.none {
      told.period = OraclePeriod(name: platform.periods[Int(entry.period)].name, hasEnded: entry.hasPeriodEnded)
    }
    if let hold = entry.hold {
      told.hold = OracleTraceEntry.Hold(rawValue: "\(hold)")
      told.term = String(decoding: entry.term, as: UTF8.self)
    }
    if step == .suspicion { told.suspicion = entry.suspicion }
    guard step == .dial else { return told }
    (told.stakes, told.dial) = (entry.stakes, entry.dial)
    if let stated = identity(.platform, entry.stakesStatement) { told.stakesOf = stated.behavior }
    return told
  }
}

extension WayBy {
  var oracle: OracleWay? {
    switch self {
    case .notNeeded: nil
    case .user: .user
    case .operator: .operator
    case .platform: .platform
    case .nobody: .nobody
    case .authorities: .authorities
    case .wait: .wait
    }
  }
}
