// Requests decided on both sides; of each kind of difference the one with the smallest request is kept.

internal import Consultation
internal import Decision
internal import PolicyImage
internal import PolicyLanguage

struct Collector {
  private struct Kind: Hashable {
    var old: Effect
    var new: Effect
    var lost: [String]
    var gained: [String]
    var isHalted: Bool
  }

  private struct Found {
    var kind: Kind
    var deciders: [UInt64]
    var wanted: Wanted
    /// By attribute of the space; nil: not given.
    var values: [RequestValue?]
    var verdicts: [Verdict]
    var size: Int
  }

  private struct Place: Hashable {
    var kind: Kind
    var deciders: [UInt64]
  }

  private let space: Space
  private let name: String
  private let sides: [Side]
  private let preferences: [Effect?]
  private var found: [Place: Found] = [:]
  private var order: [Place] = []
  private var others: [Difference] = []
  private var tries: [Place: Int] = [:]
  private(set) var requests = 0

  static let preferences: [Effect?] = [nil, .allow, .ask, .deny]

  init(_ space: Space, _ name: String, _ sides: [Side], preferences: [Effect?]) {
    self.preferences = preferences
    self.space = space
    self.name = name
    self.sides = sides
    for side in sides { side.reset() }
  }

  /// Both sides' frames hold `row`.
  mutating func tryAll(_ row: [UInt8], isHalted: Bool, suspicion: UInt32) {
    for preference in preferences {
      let wanted = Wanted(name: name, preference: preference, isHalted: isHalted, suspicion: suspicion)
      let verdicts = decide(wanted)
      guard let place = place(verdicts, wanted) else { continue }
      if isHalted, showsOtherwise(place.kind) { continue }
      let count = tries[place, default: 0]
      guard count < 4 else { continue }
      tries[place] = count + 1
      let values = row.enumerated().map { space.classes[$0.offset][Int($0.element)] }
      keep(
        minimal(
          Found(kind: place.kind, deciders: place.deciders, wanted: wanted, values: values, verdicts: verdicts, size: 0)
        ))
      space.fill(row)
    }
  }

  /// The same shows without a stop, and without a wish.
  private func showsOtherwise(_ kind: Kind) -> Bool {
    found.values.contains {
      $0.kind.old == kind.old && $0.kind.new == kind.new && !$0.kind.isHalted && $0.wanted.preference == nil
    }
  }

  private mutating func decide(_ wanted: Wanted) -> [Verdict] {
    requests += 1
    return sides.map { $0.verdict(on: wanted) }
  }

  private func place(_ verdicts: [Verdict], _ wanted: Wanted) -> Place? {
    let (old, new) = (verdicts[0], verdicts[1])
    guard old.effect != new.effect || old.obligations != new.obligations else { return nil }
    let isSame = old.effect == new.effect
    let kind = Kind(
      old: old.effect, new: new.effect, lost: isSame ? old.obligations.filter { !new.obligations.contains($0) } : [],
      gained: isSame ? new.obligations.filter { !old.obligations.contains($0) } : [], isHalted: wanted.isHalted)
    // Obligations come from all that counts; what decided the effect says nothing about them.
    let deciders = isSame ? [] : verdicts.map { Self.number($0.decider) }
    return Place(kind: kind, deciders: deciders)
  }

  private static func number(_ decider: Decider) -> UInt64 {
    UInt64(decider.statement) | UInt64(decider.layer.rawValue) << 32 | UInt64(decider.rank.rawValue) << 40
      | UInt64(decider.cause.rawValue) << 48
  }

  private mutating func keep(_ candidate: Found) {
    let place = Place(kind: candidate.kind, deciders: candidate.deciders)
    if let known = found[place] {
      if candidate.size < known.size { found[place] = candidate }
    } else {
      found[place] = candidate
      order.append(place)
    }
  }

  // MARK: the smallest request

  private func put(_ values: [RequestValue?]) {
    for side in 0..<2 {
      for (i, value) in values.enumerated() { sides[side].give(space.attributes[i], value, space.memory) }
    }
  }

  /// Leaves out what doesn't matter.
  private mutating func minimal(_ start: Found) -> Found {
    var best = start
    func attempt(_ change: (inout Found) -> Void, _ collector: inout Collector) {
      var candidate = best
      change(&candidate)
      collector.put(candidate.values)
      candidate.verdicts = collector.decide(candidate.wanted)
      guard let place = collector.place(candidate.verdicts, candidate.wanted), place.kind == best.kind,
        place.deciders == best.deciders
      else { return }
      best = candidate
    }
    if best.wanted.preference != nil { attempt({ $0.wanted.preference = nil }, &self) }
    if best.wanted.suspicion != 0 { attempt({ $0.wanted.suspicion = 0 }, &self) }
    for (i, name) in space.attributes.enumerated().reversed() {
      let plain = Self.plain(name)
      if best.values[i] != plain { attempt({ $0.values[i] = plain }, &self) }
    }
    best.size = best.values.enumerated().count { $0.element != Self.plain(space.attributes[$0.offset]) }
    if best.wanted.preference != nil { best.size += 1 }
    if best.wanted.suspicion != 0 { best.size += 1 }
    return best
  }

  /// What an attribute is when a request says nothing about it.
  private static func plain(_ attribute: String) -> RequestValue? {
    switch BuiltInAttribute(rawValue: attribute) {
    case .source: .string(Source.agent.name)
    case .argument: .string("")
    case .now: .timestamp(seconds: Pool.noon.seconds, nanoseconds: 0)
    default: nil
    }
  }

  // MARK: a difference below

  /// A request that showed a difference for a name below, for this one.
  mutating func tryAgain(_ below: Difference) {
    let given = below.request.given
    let memory = ValueMemory()
    let own = Set(space.attributes)
    let strange = given.filter { !own.contains($0.key) }
    put(space.attributes.map { given[$0] })
    for side in sides {
      for (name, value) in strange {
        if let slot = side.slots[name] { side.set(slot, side.value(value, of: name, in: memory)) }
      }
    }
    let wanted = Wanted(
      name: name, preference: below.request.preference, isHalted: below.isHalted, suspicion: below.request.suspicion)
    let verdicts = decide(wanted)
    if let place = place(verdicts, wanted), found[place] == nil {
      let old = sides[0].outcome(verdicts[0])
      let new = sides[1].outcome(verdicts[1])
      if !others.contains(where: { $0.old == old && $0.new == new }) {
        var copy = below
        copy.request.behaviors = [name]
        copy.old = old
        copy.new = new
        others.append(copy)
      }
    }
    for side in sides {
      for name in strange.keys { if let slot = side.slots[name] { side.set(slot, nil) } }
    }
  }

  // MARK: results

  func differences(readsTime: Bool) -> [Difference] {
    order.compactMap { found[$0] }.map { difference($0, readsTime) } + others
  }

  private func difference(_ found: Found, _ readsTime: Bool) -> Difference {
    var request = Request(
      behaviors: [name], preference: found.wanted.preference, now: (Pool.noon.seconds, Pool.noon.nanoseconds))
    request.ended = sides[0].ended.sorted()
    request.suspicion = found.wanted.suspicion
    for (attribute, value) in zip(space.attributes, found.values) {
      switch (BuiltInAttribute(rawValue: attribute), value) {
      case (.resource, .string(let text)?): request.resource = text
      case (.source, .string(let text)?): request.source = Source.allCases.first { $0.name == text } ?? .agent
      case (.sessionDial, let own): request.dial = own == nil ? nil : Degree(own)
      case (.argument, .string(let text)?): request.argument = text.isEmpty ? nil : text
      case (.now, .timestamp(let seconds, let nanoseconds)?): request.now = (seconds, nanoseconds)
      case (nil, .int(let count)?) where attribute.counterName != nil:
        request.counters[attribute.counterName ?? ""] = count
      case (nil, let value?): request.attributes[attribute] = value
      default: break
      }
    }
    var difference = Difference(
      old: sides[0].outcome(found.verdicts[0]), new: sides[1].outcome(found.verdicts[1]), request: request,
      readsTime: readsTime, isHalted: found.wanted.isHalted, coversBelow: false)
    let counters = request.counters.map { (key: "counter." + $0.key, value: RequestValue.int($0.value)) }
    let given = (request.attributes.map { $0 } + counters).sorted { $0.key < $1.key }
    difference.onlyInOld = given.filter { !takes(1, $0) }.map(\.key) + request.ended.filter { !knows(1, $0) }
    difference.onlyInNew = given.filter { !takes(0, $0) }.map(\.key) + request.ended.filter { !knows(0, $0) }
    return difference
  }

  private func takes(_ side: Int, _ given: (key: String, value: RequestValue)) -> Bool {
    sides[side].value(given.value, of: given.key, in: ValueMemory()) != nil
  }

  private func knows(_ side: Int, _ period: String) -> Bool { sides[side].owner.periods.contains(period) }
}

extension Request {
  /// What it gives by attribute, as conditions read it.
  var given: [String: RequestValue] {
    var given = attributes
    if let resource { given[BuiltInAttribute.resource.rawValue] = .string(resource) }
    given[BuiltInAttribute.source.rawValue] = .string(source.name)
    given[BuiltInAttribute.now.rawValue] = .timestamp(seconds: now.seconds, nanoseconds: now.nanoseconds)
    given[BuiltInAttribute.argument.rawValue] = .string(argument ?? "")
    for (name, count) in counters { given["counter." + name] = .int(count) }
    given[BuiltInAttribute.sessionDial.rawValue] = dial.map { .double($0.value) }
    return given
  }
}
