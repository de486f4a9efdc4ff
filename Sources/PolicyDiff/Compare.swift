// Two policies -> what changes: operator by operator, name by name, by content where that is equal, else by search.

internal import CEL
public import Consultation
internal import Decision
internal import Offline
internal import PolicyImage
internal import PolicyLanguage

/// Compares two policies for these operators (nil: all that either has). Pure; takes a moment for each name that differs.
public func differences(
  from old: OfflinePolicy, to new: OfflinePolicy, operators: [String]? = nil
) -> PolicyDifferences {
  differences(from: old, to: new, operators: operators, Breadth())
}

/// How widely is searched; tests narrow it, to see that it is noticed.
struct Breadth {
  enum Fault: String, CaseIterable {
    case preferences, sources, dials, failures, halts, namesBelow, undeclared, arguments, neighbours, periods
    case counters, suspicion
  }
  var without: Fault?
  /// States of a search that are kept, at most; 75 steps are taken for each.
  var states = 20_000
  /// Combinations that are tried of what can't be gone through.
  var samples = 1_000
  func tries(_ part: Fault) -> Bool { without != part }
}

func differences(
  from old: OfflinePolicy, to new: OfflinePolicy, operators: [String]?, _ breadth: Breadth
) -> PolicyDifferences {
  var result = PolicyDifferences(claims: claims(old, new), terms: terms(old, new))
  let all = Set(old.operators).union(new.operators).sorted()
  let wanted: [String?] = all.isEmpty ? [nil] : all.filter { operators?.contains($0) ?? true }
  for name in wanted {
    guard let before = Side(old, operator: name), let after = Side(new, operator: name) else { continue }
    var comparison = Comparison(before, after, breadth)
    comparison.run()
    result.names += comparison.names
    result.equalByContent += comparison.equalByContent
    result.requests += comparison.requests
    result.operators.append(comparison.result)
  }
  return result
}

private func claims(_ old: OfflinePolicy, _ new: OfflinePolicy) -> [ClaimDifference] {
  let before = Dictionary(old.attributes.map { ($0.name, $0.isVerified) }) { first, _ in first }
  return new.attributes.sorted { $0.name < $1.name }.compactMap { attribute in
    guard let wasVerified = before[attribute.name], wasVerified != attribute.isVerified else { return nil }
    return ClaimDifference(attribute: attribute.name, isLooser: wasVerified)
  }
}

/// Periods that end, and counters that count, in another way: what they come to changes, whatever is decided by it.
private func terms(_ old: OfflinePolicy, _ new: OfflinePolicy) -> [TermsDifference] {
  TermsDifference.Kind.allCases.flatMap { kind in
    let (before, after) = (Terms.all(kind, old.platform), Terms.all(kind, new.platform))
    return before.keys.sorted().compactMap { (name) -> TermsDifference? in
      guard let was = before[name], let now = after[name], was.content != now.content else { return nil }
      return TermsDifference(kind: kind, name: name, old: was.text, new: now.text)
    }
  }
}

private struct Terms {
  var text: String
  /// All of it, sorted where the order says nothing.
  var content: [[UInt8]]

  static func all(_ kind: TermsDifference.Kind, _ platform: Image) -> [String: Terms] {
    if kind == .suspicion { return suspicion(platform) }
    var all: [String: Terms] = [:]
    for i in 0..<(kind == .period ? platform.periodCount : platform.counterCount) {
      let statement = kind == .period ? platform.period(i).statement : platform.counter(i).statement
      let name = kind == .period ? platform.period(i).name : platform.counter(i).name
      all[String(decoding: name, as: UTF8.self)] = Terms(
        text: Policy(platform: platform).reference(.platform, statement)?.condition ?? "",
        content: kind == .period ? content(platform.period(i)) : content(platform.counter(i)))
    }
    return all
  }

  /// Its thresholds are compared where names are.
  private static func suspicion(_ platform: Image) -> [String: Terms] {
    guard platform.hasSuspicion else { return [:] }
    let text = "it halves in \(platform.header.pointee.suspicionHalfLife) s"
    return ["suspicion": Terms(text: text, content: [Array(text.utf8)])]
  }

  private static func content(_ period: PolicyImage.Period) -> [[UInt8]] {
    let authorities = (0..<period.authorities).flatMap { i in
      [Array(period.authorityName(i)), Array(period.authorityKey(i))]
    }
    let evidence = (0..<period.evidence).map { Array(period.evidenceName($0)) }
    return ["\(period.quorum) of \(period.authorities) by \(period.reviewBy)"].map { Array($0.utf8) } + authorities
      + evidence
  }

  private static func content(_ counter: Counter) -> [[UInt8]] {
    let behaviors = (0..<counter.behaviors).map { Array(counter.behaviorName($0)) }
    return ["\(counter.counts) per \(counter.per) within \(counter.window)"].map { Array($0.utf8) }
      + behaviors.sorted { $0.lexicographicallyPrecedes($1) }
  }
}

struct Comparison {
  private let sides: [Side]
  private let environments: [Environment]
  private let breadth: Breadth
  private let isSame: Bool
  /// Of so many all sets are tried.
  private static let maximumPeriods = 5
  private(set) var result: OperatorDifferences
  private(set) var names = 0
  private(set) var equalByContent = 0
  private(set) var requests = 0
  private var conditions: [ConditionKey: Condition?] = [:]
  private var facts: [FactsKey: Facts] = [:]
  private var spaces: [SpaceKey: Space] = [:]
  private var known: [Content: (differences: [Difference], isExhaustive: Bool)] = [:]

  private struct SpaceKey: Hashable {
    var conditions: Set<ConditionKey>
    var names: [String]
    var degrees: [Degree]
    var dials: [Dial]
  }

  private struct FactsKey: Hashable {
    var side: Int
    var name: String
    /// Those that it turns on; nil: as it stands.
    var ended: Set<String>?
  }

  /// What a name turns on: the facts of all names that are decided for it, side by side.
  private struct Content: Hashable {
    var sides: [[Facts]]
    /// These periods have ended.
    var ended: Set<String> = []
  }

  init(_ old: Side, _ new: Side, _ breadth: Breadth) {
    self.breadth = breadth
    sides = [old, new]
    isSame = old.isSame(as: new)
    environments = sides.map {
      environment(for: $0.attributes, counters: Set($0.owner.counters), isLimit: true)
    }
    result = OperatorDifferences(
      name: old.operatorName, presence: old.isMissing ? .onlyInNew : new.isMissing ? .onlyInOld : .both)
  }

  mutating func run() {
    let universe = Set(sides[0].names).union(sides[1].names)
    var all: [(name: String, covers: Bool)] = []
    for name in universe.sorted(by: BehaviorName.precedes) {
      let isLeaf = sides.allSatisfy { $0.decided(for: name).count == 1 }
      let readers = behaviorReaders(name)
      let isWhole = isLeaf && readers.isEmpty
      all.append((name, isWhole))
      if !isWhole, breadth.tries(.undeclared) { all += undeclared(below: name, universe, readers).map { ($0, false) } }
    }
    all += undeclared(below: nil, universe, []).map { ($0, true) }
    // Deep names first: what shows a difference below is tried for the wider name, too.
    for one in all.sorted(by: { depth($0.name) > depth($1.name) }) { compare(one.name, coversBelow: one.covers) }
    result.differences.sort(by: Self.precedes)
    result.notExhaustive.sort(by: BehaviorName.precedes)
  }

  private func depth(_ name: String) -> Int { name.utf8.count { $0 == UInt8(ascii: ".") } }

  // MARK: names

  private mutating func behaviorReaders(_ name: String) -> [Condition] {
    var found: [Condition] = []
    for side in 0..<2 {
      for rule in sides[side].allRules(of: name) {
        if let key = key(side, rule), let condition = condition(key), condition.readsBehavior {
          found.append(condition)
        }
      }
    }
    return found
  }

  /// Names that nobody declares, directly below `name`: any one, and those that a condition may tell from it.
  private func undeclared(below name: String?, _ universe: Set<String>, _ readers: [Condition]) -> [String] {
    let head = name.map { $0 + "." } ?? ""
    let plain = (["other", "any-other", "one-more"].first { !universe.contains(head + $0) }).map { [head + $0] } ?? []
    let texts = readers.flatMap(\.texts).sorted()
    let told = texts.flatMap { text -> [String] in
      let trimmed = text.drop { $0 == "." }
      var word = String(trimmed)
      while word.last == "." { word.removeLast() }
      return [word, word + ".other", word + "x", head + word, head + "x" + word, head + word + "x"]
    }
    var seen: Set<String> = []
    return (plain + told.filter { BehaviorName.covers(name ?? "", $0) }).filter { candidate in
      guard BehaviorName.isValid(candidate), !universe.contains(candidate), seen.insert(candidate).inserted else {
        return false
      }
      // Another known name between would be the one that it is below.
      return BehaviorName.path(of: candidate).dropFirst().first { universe.contains($0) } == name
    }
  }

  // MARK: conditions

  private mutating func key(_ side: Int, _ rule: Rule) -> ConditionKey? {
    guard let source = rule.condition else { return nil }
    if side == 0 { return ConditionKey(source: source, side: 0) }
    // The same on both sides, as long as what it reads is declared alike.
    let shared = ConditionKey(source: source, side: 0)
    if let condition = condition(shared),
      condition.attributes.allSatisfy({ sides[0].types[$0] == sides[1].types[$0] }),
      sides[0].dial == sides[1].dial || !condition.attributes.contains(BuiltInAttribute.sessionDial.rawValue)
    {
      return shared
    }
    return ConditionKey(source: source, side: 1)
  }

  private mutating func condition(_ key: ConditionKey) -> Condition? {
    if let known = conditions[key] { return known }
    let parsed = Condition(key.source, environments[key.side])
    conditions.updateValue(parsed, forKey: key)
    return parsed
  }

  private mutating func facts(_ side: Int, _ name: String, _ ended: Set<String>?) -> Facts {
    let place = FactsKey(side: side, name: name, ended: ended?.intersection(sides[side].periods(of: name)))
    if let known = facts[place] { return known }
    var reads: [String: [String]] = [:]
    for rule in sides[side].allRules(of: name) {
      if let source = rule.condition { reads[source] = key(side, rule).flatMap { condition($0) }?.attributes }
    }
    var found = sides[side].facts(of: name, ended: ended) { $0.condition.flatMap { reads[$0] } ?? [] }
    // Of what can't be read it isn't known what it turns on.
    if found.rules.contains(where: { $0.condition.map { reads[$0] == nil } ?? false }) { found.isKnown = false }
    facts[place] = found
    return found
  }

  private mutating func content(_ decided: [[String]], _ ended: Set<String>?) -> Content {
    Content(sides: (0..<2).map { side in decided[side].map { facts(side, $0, ended) } })
  }

  // MARK: one name

  private mutating func compare(_ name: String, coversBelow: Bool) {
    names += 1
    let decided = sides.map { breadth.tries(.namesBelow) ? $0.decided(for: name) : [name] }
    let whole = isSame ? Content(sides: []) : content(decided, nil)
    let isKnown = sides.allSatisfy(\.isKnown) && whole.sides.allSatisfy { $0.allSatisfy(\.isKnown) }
    func isEqual(_ content: Content) -> Bool { decided[0] == decided[1] && content.sides[0] == content.sides[1] }
    if isSame || (isKnown && isEqual(whole)) {
      equalByContent += 1
      return
    }
    let isMemorable = decided.allSatisfy { $0.count == 1 } && behaviorReaders(name).isEmpty
    let (sets, isWhole) = endings(decided)
    var told: [Difference] = []
    var seen: Set<Content> = []
    var isExhaustive = isKnown && isWhole
    for ended in sets {
      let content = content(decided, ended)
      if isKnown && isEqual(content) || !seen.insert(content).inserted { continue }
      for side in sides { side.end(ended) }
      let here = Content(sides: content.sides, ended: ended)
      let found: (differences: [Difference], isExhaustive: Bool)
      if isMemorable, let same = known[here] {
        found = (same.differences.map { moved($0, to: name) }, same.isExhaustive)
      } else {
        found = search(name, decided)
        if isMemorable { known[here] = found }
      }
      if !found.isExhaustive { isExhaustive = false }
      told += found.differences.filter { difference in !told.contains { $0.shows(difference) } }
    }
    if seen.isEmpty { equalByContent += 1 }
    if !isExhaustive { result.notExhaustive.append(name) }
    result.differences += told.map { difference in
      var copy = difference
      copy.coversBelow = coversBelow
      return copy
    }
  }

  /// A difference of a name that is decided alike, for this one, by what stands here.
  private mutating func moved(_ difference: Difference, to name: String) -> Difference {
    var copy = difference
    copy.request.behaviors = [name]
    let memory = ValueMemory()
    let wanted = Wanted(
      name: name, preference: copy.request.preference, isHalted: copy.isHalted, suspicion: copy.request.suspicion)
    let outcomes = sides.map { side in
      side.reset()
      for (attribute, value) in copy.request.given { side.give(attribute, value, memory) }
      defer { side.reset() }
      return side.outcome(side.verdict(on: wanted))
    }
    requests += 1
    (copy.old, copy.new) = (outcomes[0], outcomes[1])
    return copy
  }

  /// Sets of periods to try as ended, none first, and whether these are all; periods that it doesn't turn on are left out.
  private func endings(_ decided: [[String]]) -> (sets: [Set<String>], areAll: Bool) {
    guard breadth.tries(.periods) else { return ([[]], true) }
    let all = Set((0..<2).flatMap { side in decided[side].flatMap { sides[side].periods(of: $0) } }).sorted()
    if all.count <= Self.maximumPeriods {
      let sets = (0..<1 << all.count).map { bits in
        Set(all.indices.filter { bits >> $0 & 1 == 1 }.map { all[$0] })
      }
      return (sets.enumerated().sorted { ($0.1.count, $0.0) < ($1.1.count, $1.0) }.map(\.element), true)
    }
    // What showed a difference below shows it here as well.
    let below = Set(result.differences.map { Set($0.request.ended) }.filter { $0.isSubset(of: all) && $0.count > 1 })
    return (
      [[]] + all.map { [$0] } + below.sorted { $0.sorted().lexicographicallyPrecedes($1.sorted()) }
        + all.map { Set(all).subtracting([$0]) } + [Set(all)], false
    )
  }

  private mutating func search(_ name: String, _ decided: [[String]]) -> ([Difference], Bool) {
    // A name with very much below it is searched by itself, and with what showed differences below.
    let rules = decided.enumerated().reduce(0) { sum, it in
      sum + it.element.reduce(0) { $0 + sides[it.offset].rules(of: $1).count { $0.condition != nil } }
    }
    let onlyAbove = decided.contains { $0.count > 1 } && rules > 150
    var keys: [ConditionKey: Condition] = [:]
    var places: [[Rule: ConditionKey]] = [[:], [:]]
    for side in 0..<2 {
      for one in onlyAbove ? [name] : decided[side] {
        for rule in sides[side].rules(of: one) where rule.condition != nil {
          guard let key = key(side, rule), let condition = condition(key) else { continue }
          keys[key] = condition
          places[side][rule] = key
        }
      }
    }
    let names = keys.values.contains(where: \.readsBehavior) ? Set(decided[0] + decided[1]).sorted() : []
    guard let space = space(keys, names, degrees(decided)) else { return ([], false) }
    var search = Search(
      name, space, key: { places[$0][$1] }, conditions: keys, decided: decided, onlyAbove: onlyAbove, breadth)
    let rows = search.rows()
    var collector = Collector(
      space, name, sides, preferences: breadth.tries(.preferences) ? Collector.preferences : [nil])
    let isAbsoluteOther = Set(decided[0] + decided[1]).contains {
      sides[0].absolute(of: $0) != sides[1].absolute(of: $0)
    }
    let halts = isAbsoluteOther && breadth.tries(.halts) ? [false, true] : [false]
    for (isHalted, level) in levels(decided).map({ (false, $0) }) + halts.dropFirst().map({ ($0, 0) }) {
      for row in rows {
        space.fill(row)
        collector.tryAll(row, isHalted: isHalted, suspicion: level)
      }
    }
    if decided.contains(where: { $0.count > 1 }) {
      for below in result.differences
      where BehaviorName.covers(name, below.name) && Set(below.request.ended) == sides[0].ended {
        collector.tryAgain(below)
      }
    }
    requests += collector.requests
    let readsTime = keys.values.contains { $0.attributes.contains(BuiltInAttribute.now.rawValue) }
    // Delegates lower the dial on both sides, which sessions' own dials do not where these are settled apart.
    let readsDial = keys.values.contains { $0.attributes.contains(BuiltInAttribute.sessionDial.rawValue) }
    let isWhole =
      keys.values.allSatisfy { !$0.readsBehavior || $0.comparesWholeNames }
      && (!readsDial || sides[0].dial == sides[1].dial)
    return (collector.differences(readsTime: readsTime), search.isExhaustive && isWhole)
  }

  /// Of suspicion, none first: where it does the same on both sides it shows nothing that doesn't show without it.
  private func levels(_ decided: [[String]]) -> [UInt32] {
    let names = Set(decided[0] + decided[1])
    let all = names.map { name in sides.map { $0.suspicion(of: name) } }.filter { $0[0] != $0[1] }
    guard breadth.tries(.suspicion), !all.isEmpty else { return [0] }
    let thresholds = all.flatMap { $0 }.compactMap(\.self).flatMap { [$0.askAt, $0.denyAt] }
    return [0] + Set(thresholds).subtracting([ImageFormat.none]).sorted()
  }

  /// Stakes, and dials that are stated.
  private func degrees(_ decided: [[String]]) -> [Degree] {
    let stakes = (0..<2).flatMap { side in decided[side].map { sides[side].stakes(of: $0) } }
    let dials = sides.flatMap { [$0.dial.default, $0.dial.operatorsMay, $0.dial.usersMay, $0.dial.stated] }
    return Set(stakes + dials).sorted()
  }

  private mutating func space(
    _ keys: [ConditionKey: Condition], _ names: [String], _ degrees: [Degree]
  ) -> Space? {
    let key = SpaceKey(conditions: Set(keys.keys), names: names, degrees: degrees, dials: sides.map(\.dial))
    if let known = spaces[key] { return known }
    let made = Space(sides, keys, names: names, environments: environments, degrees: degrees, breadth)
    spaces[key] = made
    return made
  }

  /// Worst first: what is loosened, the furthest first; then what is tightened.
  private static func precedes(_ a: Difference, _ b: Difference) -> Bool {
    if a.rank != b.rank { return a.rank < b.rank }
    if a.name != b.name { return BehaviorName.precedes(a.name, b.name) }
    return a.request.attributes.count < b.request.attributes.count
  }
}

extension Difference {
  /// In the order in which they are told.
  var rank: Int {
    let step = Int(new.effect.rawValue) - Int(old.effect.rawValue)
    switch (old.effect, new.effect) {
    case (.deny, .allow): return 0
    case (.ask, .allow): return 1
    case (.deny, .ask): return 2
    default: break
    }
    if step == 0 { return direction == .loosened ? 3 : direction == .changed ? 4 : 8 }
    return old.effect == .allow && new.effect == .deny ? 5 : new.effect == .deny ? 6 : 7
  }

  /// The same kind of change by the same, under fewer conditions.
  fileprivate func shows(_ other: Difference) -> Bool {
    let isSame = old.effect == new.effect
    return old.effect == other.old.effect && new.effect == other.new.effect
      && (isSame
        ? lost == other.lost && gained == other.gained
        : old.decidedBy == other.old.decidedBy && new.decidedBy == other.new.decidedBy)
      && (!isHalted || other.isHalted)
  }

}
