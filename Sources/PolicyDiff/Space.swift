// The values of the attributes that a set of conditions can tell apart: a few classes an attribute, with one value each,
// and what every condition comes to for them.

internal import CEL
internal import Consultation
internal import Decision
internal import PolicyImage
internal import PolicyLanguage

/// A condition under the attributes of one side; both sides' where they agree about what it reads.
struct ConditionKey: Hashable {
  var source: String
  /// 0: the old side's attributes, 1: the new one's.
  var side: Int
}

final class Space {
  /// The most rows of a condition's table, and of an atom's over several attributes.
  static let maximumRows = 20_000
  static let maximumAtomRows = 6_000
  /// Maps that are put together for one attribute.
  static let maximumStructures = 600

  let sides: [Side]
  let attributes: [String]
  /// By attribute: a value for each class.
  private(set) var classes: [[RequestValue?]] = []
  /// Classes stand for all values there are.
  private(set) var isExact: [Bool] = []
  /// By side, attribute and class: as the evaluator has it; nil: not given to this side.
  private(set) var values: [[[Value?]]] = [[], []]
  /// By side and attribute.
  let slots: [[Int?]]
  let memory = ValueMemory()
  private var index: [String: Int] = [:]
  private enum AttributeKind { case plain, special }
  /// The source and the session's dial are more than values of slots.
  private let kinds: [AttributeKind]
  /// Dials that matter beyond those that conditions name: stakes, and what platform and operator state.
  private let degrees: [Degree]
  private var probes: [Probe?] = [nil, nil]
  private var programs: [ConditionKey: Int] = [:]
  private var parsed: [ConditionKey: Condition] = [:]
  private var tables: [TableKey: [Truth]] = [:]
  private let names: [String]

  private struct TableKey: Hashable {
    var condition: ConditionKey
    var name: String?
  }

  private struct PlacedAtom {
    var atom: Atom
    var side: Int
    var program: Int
    /// Indices of attributes.
    var reads: [Int]
  }

  /// `names`: those that are decided, for conditions that read them. nil: something doesn't compile by itself.
  init?(
    _ sides: [Side], _ conditions: [ConditionKey: Condition], names: [String], environments: [Environment],
    degrees: [Degree],
    _ breadth: Breadth
  ) {
    self.sides = sides
    self.names = names
    let dials = [BuiltInAttribute.source.rawValue, BuiltInAttribute.sessionDial.rawValue]
    attributes = Set(conditions.values.flatMap(\.attributes)).union(dials).sorted()
    let attributes = attributes
    kinds = attributes.map { dials.contains($0) ? .special : .plain }
    self.degrees = degrees
    slots = sides.map { side in attributes.map { side.slots[$0] } }
    parsed = conditions
    for (i, name) in attributes.enumerated() { index[name] = i }
    var atoms: [PlacedAtom] = []
    for side in 0..<2 {
      var sources: [String] = []
      var known: Set<String> = []
      for (key, condition) in conditions.sorted(by: { $0.key.source < $1.key.source }) where key.side == side {
        programs[key] = sources.count
        sources.append(key.source)
        for atom in condition.atoms where known.insert(atom.source).inserted {
          atoms.append(
            PlacedAtom(atom: atom, side: side, program: sources.count, reads: atom.attributes.compactMap { index[$0] }))
          sources.append(atom.source)
        }
      }
      guard !sources.isEmpty else { continue }
      guard let probe = Probe(sources, sides[side], environments[side]) else { return nil }
      probes[side] = probe
    }
    for i in attributes.indices { classes.append(breadth.narrowed(pool(i, atoms), of: attributes[i])) }
    convert()
    for i in attributes.indices { buildStructures(i, atoms) }
    convert()
    partition(atoms)
    convert()
  }

  // MARK: values

  private func hints(_ attribute: Int, _ atoms: [PlacedAtom]) -> Hints {
    var hints = Hints()
    for placed in atoms where placed.reads.contains(attribute) { hints.formUnion(placed.atom.hints) }
    return hints
  }

  private func pool(_ attribute: Int, _ atoms: [PlacedAtom]) -> [RequestValue?] {
    let hints = hints(attribute, atoms)
    // What stands beside one attribute of several may be compared with another: all sorts are tried.
    let name = attributes[attribute]
    let pool = Pool(hints: hints)
    switch BuiltInAttribute(rawValue: name) {
    case .source: return [Source.agent, .user, .operator, .platform, .untrusted].map { .string($0.name) }
    case .sessionDial: return dials(hints)
    case .now: return pool.values(of: name, .timestamp, isGiven: true)
    case .argument:
      let texts = pool.values(of: name, .string, isGiven: true)
      return [.string("")] + texts.filter { $0 != .string("") }
    default: break
    }
    if name.counterName != nil { return counts(pool, name) }
    var values: [RequestValue?] = [nil]
    var types: [AttributeType] = []
    for side in sides { if let type = side.types[name], !types.contains(type) { types.append(type) } }
    for type in types { values += pool.values(of: name, type, isGiven: true) }
    return values
  }

  /// Not known, and what a counter can come to.
  private func counts(_ pool: Pool, _ name: String) -> [RequestValue?] {
    let known = pool.values(of: name, .int, isGiven: true).filter {
      if case .int(let count)? = $0 { count >= 0 } else { false }
    }
    return [nil] + (known.isEmpty ? [.int(0)] : known)
  }

  /// None, and every one that something turns on, with its neighbours.
  private func dials(_ hints: Hints) -> [RequestValue?] {
    var all = Set(degrees.map(\.millionths))
    for number in hints.doubles where number >= 0 && number <= 1 { all.insert(UInt32((number * 1_000_000).rounded())) }
    let near = all.sorted().flatMap { (one: UInt32) -> [UInt32] in [one, one &+ 1, one &- 1] } + [1, 999_999]
    var seen: Set<UInt32> = []
    return [nil]
      + near.filter { $0 > 0 && $0 < 1_000_000 && seen.insert($0).inserted }.map {
        .double(Degree(millionths: $0).value)
      }
  }

  /// Maps that have what the conditions look for in them: of each way into them what conditions can tell apart, with each
  /// other.
  private func buildStructures(_ attribute: Int, _ atoms: [PlacedAtom]) {
    let name = attributes[attribute]
    let pool = Pool(hints: hints(attribute, atoms))
    guard let type = sides.lazy.compactMap({ $0.types[name] }).first else { return }
    let plain = classes[attribute]
    let reading = atoms.filter { $0.reads.contains(attribute) }
    var joint: [RequestValue?] = [nil]
    for way in pool.ways(of: name).prefix(8) {
      let ends = pool.ends(of: name, way, type)
      classes[attribute] = [nil] + ends.map { Pool.build(way[...], $0, nil) }
      convert()
      var signatures = classes[attribute].map { _ in [UInt8]() }
      for placed in reading where placed.reads.count == 1 {
        for one in placed.atom.isOfBehavior ? names : [""] { single(placed, one, &signatures) }
      }
      var seen: Set<[UInt8]> = []
      var told = zip([nil] + ends.map(Optional.some), signatures).filter { seen.insert($1).inserted }.map(\.0)
      // What several attributes are put together for can't be told by one: some of everything.
      if reading.contains(where: { $0.reads.count > 1 }) {
        told += ends.prefix(6).filter { !told.contains($0) }.map { $0 }
      }
      joint = Array(
        joint.flatMap { base in told.map { end in end.map { Pool.build(way[...], $0, base) } ?? base } }
          .prefix(Self.maximumStructures))
    }
    var known: Set<RequestValue?> = []
    classes[attribute] = (plain.prefix(1) + joint.filter { $0 != nil } + plain.dropFirst()).filter {
      known.insert($0).inserted
    }
  }

  private func convert() {
    for side in 0..<2 {
      values[side] = attributes.indices.map { i in
        classes[i].map { sides[side].value($0, of: attributes[i], in: memory) }
      }
    }
  }

  private func set(_ attribute: Int, _ value: Int, on side: Int) {
    switch kinds[attribute] {
    case .plain:
      guard let slot = slots[side][attribute] else { return }
      sides[side].set(slot, values[side][attribute][value])
    case .special: sides[side].give(attributes[attribute], classes[attribute][value], memory)
    }
  }

  /// Gives both sides' frames the values of these classes.
  func fill(_ row: [UInt8]) {
    for side in 0..<2 { for i in attributes.indices { set(i, Int(row[i]), on: side) } }
  }

  // MARK: classes

  /// Puts values together that no atom tells apart.
  private func partition(_ atoms: [PlacedAtom]) {
    var signatures = classes.map { $0.map { _ in [UInt8]() } }
    for placed in atoms {
      for name in placed.atom.isOfBehavior ? names : [""] {
        if placed.reads.count == 1 {
          single(placed, name, &signatures[placed.reads[0]])
        } else {
          rows(placed, name, &signatures)
        }
      }
    }
    // What the dial caps depends on the stakes that it is held against.
    if let dial = index[BuiltInAttribute.sessionDial.rawValue] {
      for (value, own) in classes[dial].enumerated() {
        for side in sides {
          let settled = side.settled(session: Degree(own))
          signatures[dial][value] += degrees.map { settled < $0 ? 1 : 0 }
        }
      }
    }
    if let source = index[BuiltInAttribute.source.rawValue] {
      for value in classes[source].indices {
        signatures[source][value].append(UInt8(value == 0 ? 0 : classes[source][value] == .string("untrusted") ? 1 : 2))
      }
    }
    for i in attributes.indices {
      isExact.append(exact(i, atoms, signatures[i]))
      var seen: Set<[UInt8]> = []
      classes[i] = zip(classes[i], signatures[i]).filter { seen.insert($1).inserted }.map(\.0)
      if classes[i].count > 250 {
        classes[i] = Array(classes[i].prefix(250))
        isExact[i] = false
      }
    }
  }

  private func outcome(_ placed: PlacedAtom, _ name: String) -> UInt8 {
    let side = sides[placed.side]
    if placed.atom.isOfBehavior { side.set(Int(BuiltInSlot.behavior), side.behaviorValue(name)) }
    return probes[placed.side]?.truth(placed.program, &side.frame).rawValue ?? 2
  }

  private func single(_ placed: PlacedAtom, _ name: String, _ signatures: inout [[UInt8]]) {
    let attribute = placed.reads[0]
    for value in signatures.indices {
      set(attribute, value, on: placed.side)
      signatures[value].append(outcome(placed, name))
    }
    set(attribute, 0, on: placed.side)
  }

  /// An atom over several attributes tells two values of one apart if it does for some values of the others.
  private func rows(_ placed: PlacedAtom, _ name: String, _ signatures: inout [[[UInt8]]]) {
    var counts = placed.reads.map { classes[$0].count }
    while counts.reduce(1, *) > Self.maximumAtomRows, let largest = counts.max(),
      let at = counts.firstIndex(of: largest)
    {
      counts[at] -= max(1, largest / 16)
    }
    var row = [Int](repeating: 0, count: counts.count)
    repeat {
      for (i, value) in row.enumerated() { set(placed.reads[i], value, on: placed.side) }
      let came = outcome(placed, name)
      for (i, value) in row.enumerated() { signatures[placed.reads[i]][value].append(came) }
    } while advance(&row, counts)
    for attribute in placed.reads { set(attribute, 0, on: placed.side) }
  }

  private func advance(_ row: inout [Int], _ counts: [Int]) -> Bool {
    for i in row.indices {
      row[i] += 1
      if row[i] < counts[i] { return true }
      row[i] = 0
    }
    return false
  }

  /// Whether one value of each class is as good as all values there are.
  private func exact(_ attribute: Int, _ atoms: [PlacedAtom], _ signatures: [[UInt8]]) -> Bool {
    let name = attributes[attribute]
    let types = sides.compactMap { $0.types[name] }
    if types.allSatisfy({ $0.isFinite }) { return true }
    let reading = atoms.filter { $0.reads.contains(attribute) }
    guard reading.allSatisfy({ $0.reads.count == 1 && !$0.atom.isOfBehavior }) else { return false }
    let others = reading.indices.filter { reading[$0].atom.form == .text || reading[$0].atom.form == .opaque }
    if others.isEmpty { return classes[attribute].count < Pool.maximum }
    let compared = reading.filter { $0.atom.form == .comparison }
    guard compared.isEmpty || types.allSatisfy({ $0 == .string }) else { return false }
    // Predicates of texts: every combination that there could be has to be among the values that equal no constant.
    let constants = Set(compared.flatMap { $0.atom.hints.texts })
    let hasPresence = reading.contains { $0.atom.form == .presence }
    let isLone = others.count == 1 && !hasPresence
    var seen: Set<[UInt8]> = []
    for (value, signature) in zip(classes[attribute], signatures) {
      if case .string(let text)? = value, constants.contains(text) { continue }
      if value == nil, !isLone { continue }
      seen.insert(others.map { signature[$0] })
    }
    let needed = others.reduce(1) { $0 * (reading[$1].atom.form == .text ? 2 : 3) }
    let isTextAlone = others.allSatisfy { reading[$0].atom.form == .text }
    return seen.filter { !isTextAlone || !$0.contains(2) }.count >= needed
  }

  // MARK: tables

  /// By the classes of source and dial: what is at stake so much is capped on this side (DESIGN §2.5).
  func capTable(_ stakes: Degree, on side: Int) -> (reads: [Int], table: [Truth]) {
    guard let source = index[BuiltInAttribute.source.rawValue], let dial = index[BuiltInAttribute.sessionDial.rawValue]
    else { return ([], []) }
    var table: [Truth] = []
    for own in classes[dial] {
      let isBelow = sides[side].settled(session: Degree(own)) < stakes
      for value in classes[source] {
        let isCapped = value == .string("untrusted") || (isBelow && value == .string("agent"))
        table.append(isCapped ? .yes : .no)
      }
    }
    return ([source, dial], table)
  }

  func reads(_ key: ConditionKey) -> [Int] { parsed[key]?.attributes.compactMap { index[$0] } ?? [] }

  /// What a condition comes to, by the classes of what it reads, the first attribute running fastest. nil: too many rows.
  func table(_ key: ConditionKey, name: String?) -> [Truth]? {
    let tableKey = TableKey(condition: key, name: name)
    if let known = tables[tableKey] { return known }
    guard let condition = parsed[key], let program = programs[key], let probe = probes[key.side] else { return nil }
    let reads = reads(key)
    let counts = reads.map { classes[$0].count }
    guard counts.reduce(1, *) <= Self.maximumRows else { return nil }
    let side = sides[key.side]
    if let name { side.set(Int(BuiltInSlot.behavior), side.behaviorValue(name)) }
    var table: [Truth] = []
    var row = [Int](repeating: 0, count: counts.count)
    repeat {
      for (i, value) in row.enumerated() { set(reads[i], value, on: key.side) }
      table.append(truth(condition, program, probe, side))
    } while advance(&row, counts)
    for attribute in reads { set(attribute, 0, on: key.side) }
    tables[tableKey] = table
    return table
  }

  /// A limit that reads the argument applies unless it is false with the argument and with an empty one (DESIGN §2.4).
  private func truth(_ condition: Condition, _ program: Int, _ probe: Probe, _ side: Side) -> Truth {
    let given = probe.truth(program, &side.frame)
    guard condition.readsArgument, given != .yes else { return given }
    let slot = Int(BuiltInSlot.argument)
    let argument = side.frame.slots[slot]
    side.set(slot, .string(UnsafeRawBufferPointer(start: nil, count: 0)))
    let empty = probe.truth(program, &side.frame)
    side.set(slot, argument)
    return empty == .no ? given : empty
  }

  /// Leaves an attribute fewer values, so that tables become smaller; what is left out is not searched.
  func trim(_ reads: [Int]) {
    while reads.map({ classes[$0].count }).reduce(1, *) > Self.maximumRows,
      let largest = reads.max(by: { classes[$0].count < classes[$1].count })
    {
      classes[largest].removeLast()
      isExact[largest] = false
    }
    tables = [:]
    convert()
  }
}

extension AttributeType {
  fileprivate var isFinite: Bool {
    switch self {
    case .bool, .enumeration: true
    default: false
    }
  }
}

extension Breadth {
  /// All values; fewer only in tests.
  fileprivate func narrowed(_ values: [RequestValue?], of attribute: String) -> [RequestValue?] {
    if without == .counters, attribute.counterName != nil { return Array(values.prefix(1)) }
    return switch (without, BuiltInAttribute(rawValue: attribute)) {
    case (.dials, .sessionDial), (.sources, .source), (.arguments, .argument): Array(values.prefix(1))
    case (.failures, nil), (.failures, .resource): values.filter { $0 != nil }
    case (.neighbours, nil): Array(values.prefix(2))
    default: values
    }
  }
}
