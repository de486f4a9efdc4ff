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
  /// A limit is there while it runs, others once it has ended; nil: no period, or it is there.
  var period: String?
  /// Its tests are nothing that a comparison doesn't account for.
  var isKnown: Bool

  /// As it counts with these periods ended; nil: it isn't there.
  func inForce(_ ended: Set<String>) -> Rule? {
    guard let period else { return self }
    guard ended.contains(period) == (kind != .limit) else { return nil }
    var copy = self
    copy.period = nil
    return copy
  }
}

/// What the end of a period replaces: effects, or of the dial millionths; `ImageFormat.none` where it says nothing.
struct Alternative: Hashable {
  /// nil: it has ended.
  var period: String?
  var `default`: UInt32
  var operatorsMay: UInt32
  var usersMay: UInt32
}

/// Everything that decides one name by itself (names below apart): with equal facts on both sides, all known, it is decided
/// alike. What else may come to count for a name belongs in here.
struct Facts: Hashable {
  /// Nothing else counts for it (Known.swift).
  var isKnown: Bool
  /// The operator isn't in force.
  var isMissing: Bool
  /// The default: the platform's, or the operator's audience's; and what it carries.
  var standing: Effect
  var obligations: [String]
  var `default`: Effect
  var operatorsMay: Effect
  var usersMay: Effect
  var absolute: Absolute
  var stakes: Degree
  var dial: Dial
  /// What replaces the default and ceilings, and the dial's.
  var after: Set<Alternative>
  var dialAfter: Set<Alternative>
  /// nil: it does nothing here.
  var suspicion: Suspected?
  /// On the name and above it.
  var rules: Set<Rule>
  /// Types of the attributes that the rules' conditions read.
  var types: [String: AttributeType?]
}

/// From which levels on suspicion asks and denies; `ImageFormat.none`: it doesn't.
struct Suspected: Hashable {
  var askAt: UInt32
  var denyAt: UInt32
}

/// Platform and operator about the dial; zero: the operator states none.
struct Dial: Hashable {
  var `default`: Degree
  var operatorsMay: Degree
  var usersMay: Degree
  var stated: Degree

  /// With what has taken the place of its parts: of each the strictest, and no ceiling below the default.
  func replaced(by all: Set<Alternative>) -> Dial {
    func least(_ field: (Alternative) -> UInt32, _ own: Degree) -> Degree {
      let stated = all.map(field).min() ?? ImageFormat.none
      return stated == ImageFormat.none ? own : max(own, Degree(millionths: stated))
    }
    var copy = self
    copy.default = least(\.default, `default`)
    copy.operatorsMay = max(copy.default, least(\.operatorsMay, operatorsMay))
    copy.usersMay = max(copy.default, least(\.usersMay, usersMay))
    return copy
  }
}

/// The request of a search: values by slot are put into both sides' frames, the rest is here.
struct Wanted {
  var name: String
  var preference: Effect?
  var isHalted = false
  /// Thousandths of an attempt.
  var suspicion: UInt32 = 0
}

struct Verdict {
  var effect: Effect
  var obligations: [String]
  var decider: Decider
  var behavior: String
}

/// Not thread-safe: it has one frame, and one set of periods that have ended.
final class Side {
  let owner: OfflinePolicy
  private(set) var policy: Policy
  /// Names of periods; what one policy has none of doesn't matter to it.
  private(set) var ended: Set<String> = []
  /// The operator isn't here: nothing is in force for it.
  let isMissing: Bool
  let operatorName: String?
  /// Without the counters, which requests name otherwise.
  let attributes: [Attribute]
  let types: [String: AttributeType]
  let slots: [String: Int]
  /// Names that a node stands for, in name order; and those that are decided with a wider name.
  let names: [String]
  private let named: [String]
  private let platformRules: [String: [Rule]]
  private let overlayRules: [String: [Rule]]
  private let choices: [String: Node]
  private let overlayNodes: [String: Node]
  /// While all periods run; and what replaces it, by statement.
  private let ownDial: Dial
  private let alternatives: [UInt32: Set<Alternative>]
  /// With these periods ended.
  private(set) var dial: Dial
  /// Nothing counts beyond what stands on names (Known.swift).
  let isKnown: Bool
  private let values = ValueMemory()
  private let memory: UnsafeMutableRawBufferPointer
  private var nameBytes: [String: Name] = [:]
  private var obligationNames: [Masks: [String]] = [:]
  var frame: Frame

  private struct Masks: Hashable { var platform: UInt64, overlay: UInt64 }

  /// nil: no room for a frame.
  init?(_ owner: OfflinePolicy, operator name: String?) {
    self.owner = owner
    let isThere = name.map { owner.operators.contains($0) } ?? true
    isMissing = !isThere
    policy = (try? owner.policy(for: isThere ? name : nil)) ?? Policy(platform: owner.platform)
    operatorName = name
    let nowhere = Location(file: "", line: 0, column: 0)
    attributes = owner.attributes.filter { $0.name.counterName == nil }.map {
      Attribute(name: $0.name, type: $0.type, isVerified: $0.isVerified, location: nowhere)
    }
    var types: [String: AttributeType] = [:]
    var slots: [String: Int] = [:]
    for builtIn in BuiltInAttribute.allCases {
      types[builtIn.rawValue] = builtIn.type
      slots[builtIn.rawValue] = slots.count
    }
    for attribute in owner.attributes {
      types[attribute.name] = attribute.type
      slots[attribute.name] = slots.count
    }
    (self.types, self.slots) = (types, slots)
    let platform = Nodes(policy, .platform)
    let overlay = policy.hasOverlay ? Nodes(policy, .overlay) : nil
    (platformRules, overlayRules, choices) = (platform.rules, overlay?.rules ?? [:], platform.nodes)
    overlayNodes = overlay?.nodes ?? [:]
    let header = owner.platform.header.pointee
    ownDial = Dial(
      default: header.dial, operatorsMay: header.dialOperatorsMay, usersMay: header.dialUsersMay,
      stated: policy.hasOverlay ? policy.image(.overlay).header.pointee.dial : .zero)
    dial = ownDial
    alternatives = Alternative.all(owner)
    names = Array(Set(platform.nodes.keys).union(overlay.map { Array($0.nodes.keys) } ?? []))
      .sorted(by: BehaviorName.precedes)
    named = Array(platform.named.union(overlay?.named ?? [])).sorted(by: BehaviorName.precedes)
    let size = Frame.size(slots: slots.count, arena: 1 << 20)
    memory = .allocate(byteCount: size, alignment: 16)
    guard let frame = Frame(memory: memory, slots: slots.count) else {
      memory.deallocate()
      return nil
    }
    self.frame = frame
    self.isKnown =
      Known.isWholeInput(frame, policy) && Known.covers(policy.platform)
      && (!policy.hasOverlay || Known.covers(policy.image(.overlay)))
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

  /// Everything from here on is decided with these periods ended, and all others running.
  func end(_ periods: Set<String>) {
    guard ended != periods else { return }
    ended = periods
    let known = owner.periods.filter(periods.contains)
    policy = (try? owner.policy(for: isMissing ? nil : operatorName, ended: known)) ?? policy
    dial = ownDial.replaced(by: Self.inForce(dialAlternatives, periods))
  }

  /// All rules that a decision on `name` by itself may read.
  func allRules(of name: String) -> [Rule] {
    BehaviorName.path(of: name).flatMap { (overlayRules[$0] ?? []) + (platformRules[$0] ?? []) }
  }

  /// Those that are there with these periods ended.
  func rules(of name: String) -> [Rule] { allRules(of: name).compactMap { $0.inForce(ended) } }

  /// The periods that a decision on `name` by itself turns on.
  func periods(of name: String) -> Set<String> {
    let all = alternatives(of: platformNode(name)).union(dialAlternatives)
    return Set(allRules(of: name).compactMap(\.period)).union(all.compactMap(\.period))
  }

  private func alternatives(of node: Node?) -> Set<Alternative> {
    node.flatMap { alternatives[$0.choiceStatement] } ?? []
  }

  private var dialAlternatives: Set<Alternative> { alternatives[owner.platform.header.pointee.dialStatement] ?? [] }

  private static func inForce(_ all: Set<Alternative>, _ ended: Set<String>) -> Set<Alternative> {
    Set(
      all.filter { $0.period.map(ended.contains) ?? true }.map {
        Alternative(period: nil, default: $0.default, operatorsMay: $0.operatorsMay, usersMay: $0.usersMay)
      })
  }

  func absolute(of name: String) -> Absolute { Self.absolute(platformNode(name)) }

  private static func absolute(_ node: Node?) -> Absolute {
    node.map { Absolute(rawValue: $0.absolute) ?? .off } ?? .none
  }

  /// nil: with everything that periods' ends bring and take away, as it stands.
  func facts(of name: String, ended: Set<String>?, reads: (Rule) -> [String]) -> Facts {
    let all = allRules(of: name)
    let rules = ended.map { ended in all.compactMap { $0.inForce(ended) } } ?? all
    let node = platformNode(name)
    func after(_ all: Set<Alternative>) -> Set<Alternative> { ended.map { Self.inForce(all, $0) } ?? all }
    let dialAfter = after(dialAlternatives)
    let unknown = owner.identity.unknown
    func effect(_ raw: UInt8?) -> Effect { raw.map { Effect(rawValue: $0) ?? .deny } ?? unknown }
    var read: [String: AttributeType?] = [:]
    for variable in rules.flatMap(reads) { read.updateValue(types[variable], forKey: variable) }
    var facts = Facts(
      isKnown: rules.allSatisfy(\.isKnown), isMissing: isMissing, standing: effect(node?.default), obligations: [],
      default: effect(node?.default),
      operatorsMay: effect(node?.operatorsMay), usersMay: effect(node?.usersMay),
      absolute: Self.absolute(node), stakes: stakes(of: name),
      dial: ended == nil ? ownDial : ownDial.replaced(by: dialAfter), after: after(alternatives(of: node)),
      dialAfter: ended == nil ? dialAfter : [], suspicion: suspicion(of: name), rules: Set(rules), types: read)
    if let node {
      facts.obligations = policy.platform.obligations(of: policy.platform.masks[Int(node.obligations)]).sorted()
    }
    if let own = audience(name, node) {
      facts.standing = min(Effect(rawValue: own.default) ?? .deny, facts.operatorsMay)
      let overlay = policy.image(.overlay)
      facts.obligations = overlay.obligations(of: overlay.masks[Int(own.obligations)]).sorted()
    }
    return facts
  }

  /// The very same policy, byte for byte.
  func isSame(as other: Side) -> Bool {
    guard isMissing == other.isMissing, policy.hasOverlay == other.policy.hasOverlay else { return false }
    let layers: [Layer] = policy.hasOverlay ? [.platform, .overlay] : [.platform]
    return layers.allSatisfy { policy.image($0).contents.elementsEqual(other.policy.image($0).contents) }
  }

  private func platformNode(_ name: String) -> Node? {
    BehaviorName.path(of: name).lazy.compactMap { self.choices[$0] }.first
  }

  func stakes(of name: String) -> Degree { platformNode(name)?.stakes ?? .one }

  func suspicion(of name: String) -> Suspected? {
    guard owner.platform.hasSuspicion else { return nil }
    let header = owner.platform.header.pointee
    let isNamed = platformNode(name).map { $0.flags & Node.isSuspected != 0 } ?? false
    guard isNamed || header.flags & ImageHeader.suspectsAll != 0 else { return nil }
    return Suspected(askAt: header.suspicionAskAt, denyAt: header.suspicionDenyAt)
  }

  /// The dial in force for a session's own one; zero: it has none. What conditions and stakes are tried with.
  func settled(session: Degree) -> Degree { policy.settledDial(session: session, cap: .one) }

  /// The operator's node whose audience chooses the default; it does where the declaration that it stands on governs.
  private func audience(_ name: String, _ node: Node?) -> Node? {
    guard let own = BehaviorName.path(of: name).lazy.compactMap({ self.overlayNodes[$0] }).first,
      own.flags & Node.hasAudience != 0
    else { return nil }
    func governing(_ node: Node?) -> UInt32 { node?.choiceStatement ?? policy.platform.header.pointee.unknownStatement }
    let below = own.platformNode == ImageFormat.none ? nil : policy.platform.nodes[Int(own.platformNode)]
    return governing(node) == governing(below) ? own : nil
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
    frame.setSource(.agent)
    frame.sessionDial = .zero
    frame.set(Int(BuiltInSlot.argument), .string(UnsafeRawBufferPointer(start: nil, count: 0)))
    frame.set(Int(BuiltInSlot.now), .timestamp(seconds: Pool.noon.seconds, nanoseconds: Pool.noon.nanoseconds))
  }

  /// Gives an attribute a value, or the request its source or its session's dial.
  func give(_ attribute: String, _ value: RequestValue?, _ memory: ValueMemory) {
    switch (BuiltInAttribute(rawValue: attribute), value) {
    case (.source, .string(let name)?): frame.setSource(Source.allCases.first { $0.name == name } ?? .agent)
    case (.sessionDial, _): setDial(Degree(value))
    default: if let slot = slots[attribute] { set(slot, self.value(value, of: attribute, in: memory)) }
    }
  }

  /// The session's own dial; conditions read the one that comes of it.
  func setDial(_ own: Degree) {
    frame.sessionDial = own
    frame.set(Int(BuiltInSlot.sessionDial), .double(settled(session: own).value))
  }

  func set(_ attribute: Int, _ value: Value?) { frame.set(attribute, value ?? .absent) }

  func verdict(on wanted: Wanted) -> Verdict {
    let name = bytes(of: wanted.name)
    frame.suspicion = wanted.suspicion
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
        of: verdict.behavior, cause: verdict.decider.cause))
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

extension Degree {
  /// A session's dial among a request's values; nil: it has none.
  init(_ value: RequestValue?) {
    guard case .double(let number)? = value else {
      self = .zero
      return
    }
    self.init(millionths: UInt32(max(0, min(1_000_000, (number * 1_000_000).rounded()))))
  }
}

extension Image {
  fileprivate var contents: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: size) }

  fileprivate func obligations(of mask: UInt64) -> [String] {
    (0..<count(.obligations)).filter { mask & 1 << UInt64($0) != 0 }
      .map { String(decoding: obligationName($0), as: UTF8.self) }
  }
}

extension Alternative {
  fileprivate static func all(_ owner: OfflinePolicy) -> [UInt32: Set<Alternative>] {
    let platform = owner.platform
    let names = owner.periods
    var all: [UInt32: Set<Alternative>] = [:]
    for i in 0..<platform.count(.alternatives) {
      let one = platform.alternatives[i]
      all[one.statement, default: []].insert(
        Alternative(
          period: names[Int(one.period)], default: one.default, operatorsMay: one.operatorsMay, usersMay: one.usersMay))
    }
    return all
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
        let isKnown = Known.covers(header, testsAt: word + 1, in: image)
        let first = header.tests > 0 ? Test(word: image.rules[word + 1]) : nil
        let rule = Rule(header, first, name, layer, policy, isKnown)
        rules[name, default: []].append(rule)
        word += 1 + header.tests
      }
    }
  }
}

extension Rule {
  fileprivate init(
    _ header: RuleHeader, _ first: Test?, _ name: String, _ layer: Layer, _ policy: Policy, _ isKnown: Bool
  ) {
    let image = policy.image(layer)
    let asked = first.flatMap { $0.operation == TestOperation.period.rawValue ? Int($0.operand) : nil }
    let period = asked.map { String(decoding: policy.platform.period($0).name, as: UTF8.self) }
    self.init(
      layer: layer, behavior: name, kind: StatementKind(rawValue: header.kind) ?? .limit,
      effect: Effect(rawValue: header.effect) ?? .deny, tier: Tier(rawValue: header.tier) ?? .operator,
      readsArgument: header.readsArgument, condition: policy.reference(layer, header.statement)?.condition,
      obligations: image.obligations(of: image.masks[Int(header.mask)]).sorted(), period: period,
      isKnown: isKnown)
  }
}
