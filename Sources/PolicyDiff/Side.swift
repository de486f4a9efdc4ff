// One of the two policies, for one operator: what stands on each name, and decisions.

internal import Consultation
internal import Decision
internal import Offline
internal import PolicyImage
internal import PolicyLanguage

/// A rule as its image holds it. Shadow rules decide nothing and are left out.
struct Rule: Hashable {
  var layer: Layer
  var behavior: String
  var kind: StatementKind
  var effect: Effect
  var tier: Tier
  var readsArgument: Bool
  var condition: String?
  var obligations: [String]
}

/// Everything that decides one name by itself (names below apart): with equal facts on both sides it is decided alike. What
/// else may come to count for a name (a dial's stakes, a population's choice) belongs in here.
struct Facts: Hashable {
  var unknown: Bool
  var `default`: Effect
  var operatorsMay: Effect
  var usersMay: Effect
  var absolute: Absolute
  /// On the name and above it.
  var rules: Set<Rule>
  /// Types of the attributes that the rules' conditions read.
  var types: [String: AttributeType?]
}

/// The request of a search: values by slot are put into both sides' frames, the rest is here.
struct Wanted {
  var name: String
  var preference: Effect?
  var isHalted = false
}

struct Verdict {
  var effect: Effect
  var obligations: [String]
  var decider: Decider
  var behavior: String
}

/// Not thread-safe: it has one frame.
final class Side {
  let owner: OfflinePolicy
  let policy: Policy
  /// The operator isn't here: nothing is in force for it.
  let isMissing: Bool
  let operatorName: String?
  let attributes: [Attribute]
  let types: [String: AttributeType]
  let slots: [String: Int]
  /// Names that a node stands for, in name order; and those that are decided with a wider name.
  let names: [String]
  private let named: [String]
  private let platformRules: [String: [Rule]]
  private let overlayRules: [String: [Rule]]
  private let choices: [String: Node]
  private let values = ValueMemory()
  private let agent: Value
  private let memory: UnsafeMutableRawBufferPointer
  private var nameBytes: [String: Name] = [:]
  private var obligationNames: [Masks: [String]] = [:]
  var frame: Frame

  private struct Masks: Hashable { var platform: UInt64, overlay: UInt64 }

  /// nil: no room for a frame.
  init?(_ owner: OfflinePolicy, operator name: String?) {
    self.owner = owner
    let isKnown = name.map { owner.operators.contains($0) } ?? true
    isMissing = !isKnown
    policy = (try? owner.policy(for: isKnown ? name : nil)) ?? Policy(platform: owner.platform)
    operatorName = name
    let nowhere = Location(file: "", line: 0, column: 0)
    attributes = owner.attributes.map {
      Attribute(name: $0.name, type: $0.type, isVerified: $0.isVerified, location: nowhere)
    }
    var types: [String: AttributeType] = [:]
    var slots: [String: Int] = [:]
    for builtIn in BuiltInAttribute.allCases {
      types[builtIn.rawValue] = builtIn.type
      slots[builtIn.rawValue] = slots.count
    }
    for attribute in attributes {
      types[attribute.name] = attribute.type
      slots[attribute.name] = slots.count
    }
    (self.types, self.slots) = (types, slots)
    let platform = Nodes(policy, .platform)
    let overlay = policy.hasOverlay ? Nodes(policy, .overlay) : nil
    (platformRules, overlayRules, choices) = (platform.rules, overlay?.rules ?? [:], platform.nodes)
    names = Array(Set(platform.nodes.keys).union(overlay.map { Array($0.nodes.keys) } ?? []))
      .sorted(by: BehaviorName.precedes)
    named = Array(platform.named.union(overlay?.named ?? [])).sorted(by: BehaviorName.precedes)
    agent = values.value(.string(Source.agent.name))
    let size = Frame.size(slots: slots.count, arena: 1 << 20)
    memory = .allocate(byteCount: size, alignment: 16)
    guard let frame = Frame(memory: memory, slots: slots.count) else {
      memory.deallocate()
      return nil
    }
    self.frame = frame
    if let name { self.frame.set(Int(BuiltInSlot.operatorName), values.value(.string(name))) }
  }

  deinit { memory.deallocate() }

  /// The names that a request for `name` is decided for, itself first.
  func decided(for name: String) -> [String] {
    // Everything below a name directly follows it.
    var low = 0
    var high = named.count
    while low < high {
      let middle = (low + high) / 2
      if BehaviorName.precedes(named[middle], name) { low = middle + 1 } else { high = middle }
    }
    return [name] + named[low...].prefix { BehaviorName.covers(name, $0) }.filter { $0 != name }
  }

  /// The rules that a decision on `name` by itself reads.
  func rules(of name: String) -> [Rule] {
    BehaviorName.path(of: name).flatMap { (overlayRules[$0] ?? []) + (platformRules[$0] ?? []) }
  }

  func absolute(of name: String) -> Absolute { facts(of: name, reads: { _ in [] }).absolute }

  func facts(of name: String, reads: (Rule) -> [String]) -> Facts {
    let rules = rules(of: name)
    let node = BehaviorName.path(of: name).lazy.compactMap { self.choices[$0] }.first
    let unknown = owner.identity.unknown
    func effect(_ raw: UInt8?) -> Effect { raw.map { Effect(rawValue: $0) ?? .deny } ?? unknown }
    var read: [String: AttributeType?] = [:]
    for variable in rules.flatMap(reads) { read.updateValue(types[variable], forKey: variable) }
    return Facts(
      unknown: isMissing, default: effect(node?.default), operatorsMay: effect(node?.operatorsMay),
      usersMay: effect(node?.usersMay), absolute: node.map { Absolute(rawValue: $0.absolute) ?? .off } ?? .none,
      rules: Set(rules), types: read)
  }

  /// A value of the attribute as this side takes it; nil: it doesn't.
  func value(_ value: RequestValue?, of attribute: String, in memory: ValueMemory) -> Value? {
    guard let value, let slot = slots[attribute] else { return nil }
    let converted = memory.value(value)
    return accepts(converted, slot: slot, in: policy.platform) ? converted : nil
  }

  /// Forgets the last request: nothing is given but what always is.
  func reset() {
    for slot in 0..<frame.slotCount where slot != Int(BuiltInSlot.operatorName) { frame.set(slot, .absent) }
    frame.set(Int(BuiltInSlot.source), agent)
    frame.set(Int(BuiltInSlot.argument), .string(UnsafeRawBufferPointer(start: nil, count: 0)))
    frame.set(Int(BuiltInSlot.now), .timestamp(seconds: Pool.noon.seconds, nanoseconds: Pool.noon.nanoseconds))
  }

  func set(_ attribute: Int, _ value: Value?) { frame.set(attribute, value ?? .absent) }

  func verdict(on wanted: Wanted) -> Verdict {
    let name = bytes(of: wanted.name)
    let decision = withUnsafePointer(to: name) { one in
      decide(
        policy, &frame, behaviors: UnsafeBufferPointer(start: one, count: 1), preference: wanted.preference,
        isHalted: wanted.isHalted || isMissing)
    }
    guard let decision else {
      return Verdict(
        effect: .deny, obligations: [], decider: decideWithoutPolicy(behavior: name).decider, behavior: wanted.name)
    }
    return Verdict(
      effect: decision.effect, obligations: obligations(decision), decider: decision.decider,
      behavior: String(decoding: decision.behavior, as: UTF8.self))
  }

  func outcome(_ verdict: Verdict) -> Difference.Outcome {
    Difference.Outcome(
      effect: verdict.effect, obligations: verdict.obligations,
      decidedBy: DecidedBy(
        by: verdict.decider.rank, policy.reference(verdict.decider.layer, verdict.decider.statement),
        of: verdict.behavior))
  }

  private func bytes(of name: String) -> Name {
    if let known = nameBytes[name] { return known }
    let made = values.bytes(Array(name.utf8))
    nameBytes[name] = made
    return made
  }

  func behaviorValue(_ name: String) -> Value { .string(bytes(of: name)) }

  private func obligations(_ decision: Decision) -> [String] {
    let masks = Masks(platform: decision.platformObligations, overlay: decision.overlayObligations)
    if masks.platform | masks.overlay == 0 { return [] }
    if let known = obligationNames[masks] { return known }
    var all = policy.platform.obligations(of: masks.platform)
    if policy.hasOverlay { all += policy.image(.overlay).obligations(of: masks.overlay) }
    let names = Set(all).sorted()
    obligationNames[masks] = names
    return names
  }
}

extension Image {
  fileprivate func obligations(of mask: UInt64) -> [String] {
    (0..<count(.obligations)).filter { mask & 1 << UInt64($0) != 0 }
      .map { String(decoding: obligationName($0), as: UTF8.self) }
  }
}

/// An image's nodes by name, with their rules.
private struct Nodes {
  var nodes: [String: Node] = [:]
  var named: Set<String> = []
  var rules: [String: [Rule]] = [:]

  init(_ policy: Policy, _ layer: Layer) {
    let image = policy.image(layer)
    for index in 0..<image.count(.nodes) {
      let node = image.nodes[index]
      let name = String(decoding: image.name(UInt32(index)), as: UTF8.self)
      nodes[name] = node
      if node.flags & Node.isNamed != 0 { named.insert(name) }
      var word = Int(node.block)
      for _ in 0..<(Int(node.settings) + Int(node.grants) + Int(node.limits)) {
        let header = RuleHeader(word: image.rules[word])
        rules[name, default: []].append(Rule(header, name, layer, policy))
        word += 1 + header.tests
      }
    }
  }
}

extension Rule {
  fileprivate init(_ header: RuleHeader, _ name: String, _ layer: Layer, _ policy: Policy) {
    let image = policy.image(layer)
    self.init(
      layer: layer, behavior: name, kind: StatementKind(rawValue: header.kind) ?? .limit,
      effect: Effect(rawValue: header.effect) ?? .deny, tier: Tier(rawValue: header.tier) ?? .operator,
      readsArgument: header.readsArgument, condition: policy.reference(layer, header.statement)?.condition,
      obligations: image.obligations(of: image.masks[Int(header.mask)]).sorted())
  }
}
