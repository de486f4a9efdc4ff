// One name: everything that the conditions of both policies can come to together, and what each policy decides then.
//
// A decision depends on what its conditions come to, not on the values behind it. The conditions are gone through one by
// one; what is kept of everything so far is what rules it makes count (in both policies) and the classes of those
// attributes that later conditions still read. Two ways to the same are one.

internal import Consultation
internal import Decision
internal import PolicyImage
internal import PolicyLanguage

/// A set of up to 256 things.
struct Bits: Hashable {
  static let count = 256
  private var words = SIMD4<UInt64>()
  mutating func insert(_ bit: Int) { words[bit >> 6] |= 1 << UInt64(bit & 63) }
  func union(_ other: Bits) -> Bits {
    var result = self
    result.words |= other.words
    return result
  }
}

struct Search {
  let space: Space
  let sides: [Side]
  let name: String
  private let breadth: Breadth

  /// A condition (for one name, if it reads that), with what it makes count.
  private struct Instance {
    var key: ConditionKey
    var name: String?
    var reads: [Int]
    var yes = Bits()
    var failed = Bits()
    /// By what it reads, then by class: classes with the same number make no difference to it.
    var columns: [[Int]] = []
    /// Of the dial's cap, which is no condition.
    var table: [Truth]?
  }

  private struct Contribution: Hashable {
    var side: Int
    var kind: StatementKind
    var tier: Tier
    var effect: Effect
    var obligations: [String]
    var behavior: String?
    var name: String?
    var isFailed: Bool
  }

  private struct State: Hashable {
    /// Classes of attributes that are still to be read, as far as that makes a difference; others are 255.
    var frontier: [UInt8]
    var counting: Bits
  }

  private var instances: [Instance] = []
  private var places: [InstanceKey: Int] = [:]
  private var contributions: [Contribution: Int] = [:]
  private(set) var isExhaustive = true

  private struct InstanceKey: Hashable {
    var key: ConditionKey
    var name: String?
  }

  init(
    _ name: String, _ space: Space, key: (Int, Rule) -> ConditionKey?, conditions: [ConditionKey: Condition],
    decided: [[String]], onlyAbove: Bool, _ breadth: Breadth
  ) {
    self.breadth = breadth
    self.name = name
    self.space = space
    sides = space.sides
    let isAlone = decided.allSatisfy { $0.count == 1 } || onlyAbove
    for side in 0..<2 {
      for one in onlyAbove ? [name] : decided[side] {
        for rule in sides[side].rules(of: one) where rule.condition != nil {
          guard let key = key(side, rule), let condition = conditions[key] else {
            isExhaustive = false
            continue
          }
          add(rule, side, key, condition.readsBehavior ? one : nil, isAlone)
        }
      }
    }
    for side in 0..<2 {
      for stakes in Set((onlyAbove ? [name] : decided[side]).map { sides[side].stakes(of: $0) }).sorted() {
        addCap(stakes, side)
      }
    }
    if onlyAbove { isExhaustive = false }
    if !space.isExact.allSatisfy({ $0 }) { isExhaustive = false }
  }

  private mutating func add(_ rule: Rule, _ side: Int, _ key: ConditionKey, _ name: String?, _ isAlone: Bool) {
    let instance: Int
    if let known = places[InstanceKey(key: key, name: name)] {
      instance = known
    } else {
      instance = instances.count
      places[InstanceKey(key: key, name: name)] = instance
      instances.append(Instance(key: key, name: name, reads: space.reads(key)))
    }
    func bit(isFailed: Bool) -> Int? {
      let isDeep = rule.kind == .setting || !isAlone
      let it = Contribution(
        side: side, kind: rule.kind, tier: rule.tier, effect: rule.effect, obligations: rule.obligations,
        behavior: isDeep ? rule.behavior : nil, name: name, isFailed: isFailed)
      if let known = contributions[it] { return known }
      guard contributions.count < Bits.count else { return nil }
      contributions[it] = contributions.count
      return contributions.count - 1
    }
    guard let yes = bit(isFailed: false), let failed = bit(isFailed: rule.kind != .limit) else {
      isExhaustive = false
      return
    }
    instances[instance].yes.insert(yes)
    // A failed limit counts as one that holds; a failed grant doesn't count, nor does a failed duty but for its obligations.
    let counts = rule.kind == .limit || rule.kind == .setting || (rule.kind == .duty && !rule.obligations.isEmpty)
    if counts { instances[instance].failed.insert(failed) }
  }

  private mutating func addCap(_ stakes: Degree, _ side: Int) {
    let (reads, table) = space.capTable(stakes, on: side)
    guard contributions.count < Bits.count else {
      isExhaustive = false
      return
    }
    let it = Contribution(
      side: side, kind: .limit, tier: .safety, effect: .ask, obligations: [], behavior: "dial \(stakes.millionths)",
      name: nil, isFailed: false)
    contributions[it] = contributions.count
    var cap = Instance(key: ConditionKey(source: "", side: side), name: nil, reads: reads)
    cap.yes.insert(contributions.count - 1)
    cap.table = table
    instances.append(cap)
  }

  private func table(_ instance: Instance) -> [Truth]? {
    instance.table ?? space.table(instance.key, name: instance.name)
  }

  /// A request for everything that there can be together: classes by attribute.
  mutating func rows() -> [[UInt8]] {
    for instance in instances where table(instance) == nil {
      space.trim(instance.reads)
      isExhaustive = false
    }
    for i in instances.indices { instances[i].columns = columns(instances[i]) }
    var left = Array(instances.indices)
    let unset = [UInt8](repeating: 255, count: space.attributes.count)
    var states: [State: [UInt8]] = [State(frontier: unset, counting: Bits()): unset]
    var order: [State] = Array(states.keys)
    while let next = cheapest(left, order[0].frontier) {
      left.removeAll { $0 == next }
      (states, order) = step(states, order, instances[next], keeping: alike(for: left))
    }
    var rows = order.compactMap { states[$0] }.map { $0.map { $0 == 255 ? 0 : $0 } }
    if !isExhaustive { rows += samples() }
    return rows
  }

  private func columns(_ instance: Instance) -> [[Int]] {
    guard let table = table(instance) else { return [] }
    let counts = instance.reads.map { space.classes[$0].count }
    var stride = 1
    return counts.map { count in
      defer { stride *= count }
      var columns = [[Truth]](repeating: [], count: count)
      for (row, truth) in table.enumerated() { columns[row / stride % count].append(truth) }
      var known: [[Truth]: Int] = [:]
      return columns.map { column in
        if let same = known[column] { return same }
        known[column] = known.count
        return known.count - 1
      }
    }
  }

  /// By attribute and class: the first class that makes no difference to any of these conditions; empty: none reads it.
  private func alike(for left: [Int]) -> [[UInt8]] {
    var signatures = space.classes.map { [[Int]](repeating: [], count: $0.count) }
    var isRead = space.classes.map { _ in false }
    for i in left {
      for (attribute, numbers) in zip(instances[i].reads, instances[i].columns) {
        isRead[attribute] = true
        for (value, number) in numbers.enumerated() { signatures[attribute][value].append(number) }
      }
    }
    return zip(signatures, isRead).map { signatures, isRead in
      guard isRead else { return [] }
      var first: [[Int]: UInt8] = [:]
      return signatures.enumerated().map { value, signature in
        if let known = first[signature] { return known }
        first[signature] = UInt8(value)
        return UInt8(value)
      }
    }
  }

  /// The condition that reads least that is new.
  private func cheapest(_ left: [Int], _ frontier: [UInt8]) -> Int? {
    func cost(_ i: Int) -> Int {
      instances[i].reads.reduce(1) { $0 * (frontier[$1] == 255 ? space.classes[$1].count : 1) }
    }
    return left.min { (cost($0), $0) < (cost($1), $1) }
  }

  private mutating func step(
    _ states: [State: [UInt8]], _ order: [State], _ instance: Instance, keeping: [[UInt8]]
  ) -> ([State: [UInt8]], [State]) {
    guard let table = table(instance) else {
      isExhaustive = false
      return (states, order)
    }
    var result: [State: [UInt8]] = [:]
    var found: [State] = []
    var steps = 0
    let reads = instance.reads
    for state in order {
      guard let witness = states[state] else { continue }
      var row = witness
      let free = reads.filter { state.frontier[$0] == 255 }
      for attribute in free { row[attribute] = 0 }
      while true {
        steps += 1
        var at = 0
        for attribute in reads.reversed() { at = at * space.classes[attribute].count + Int(row[attribute]) }
        var counting = state.counting
        switch table[at] {
        case .no: break
        case .yes: counting = counting.union(instance.yes)
        case .failed: counting = counting.union(instance.failed)
        }
        var frontier = state.frontier
        for (attribute, classes) in keeping.enumerated() {
          frontier[attribute] = classes.isEmpty || row[attribute] == 255 ? 255 : classes[Int(row[attribute])]
        }
        let next = State(frontier: frontier, counting: counting)
        if result[next] == nil {
          result[next] = row
          found.append(next)
        }
        guard advance(&row, free) else { break }
      }
      if found.count > breadth.states || steps > breadth.states * 75 {
        isExhaustive = false
        break
      }
    }
    return (result, found)
  }

  private func advance(_ row: inout [UInt8], _ attributes: [Int]) -> Bool {
    for attribute in attributes {
      row[attribute] += 1
      if Int(row[attribute]) < space.classes[attribute].count { return true }
      row[attribute] = 0
    }
    return false
  }

  /// Where not everything can be gone through: every class of every attribute with every other's, over and over, in an order
  /// that is the same each time.
  private func samples() -> [[UInt8]] {
    var state: UInt64 = 0x9E37_79B9_7F4A_7C15
    func next(_ bound: Int) -> UInt8 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return UInt8(truncatingIfNeeded: (state >> 33) % UInt64(max(1, bound)))
    }
    return (0..<breadth.samples).map { _ in space.classes.map { next($0.count) } }
  }
}
