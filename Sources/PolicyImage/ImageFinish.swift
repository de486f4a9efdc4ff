#if !hasFeature(Embedded)
  // The end of building: what stands in an image beside strings and code, and how it is laid out.

  extension ImageBuilder {
    /// One statement's decision part, compiled.
    public struct Rule: Sendable {
      public var kind: StatementKind
      public var effect: Effect
      public var tier: Tier
      public var readsArgument: Bool
      public var isShadow: Bool
      public var tests: [UInt64]
      public var obligations: [String]
      /// Index into `statements`.
      public var statement: UInt32
      public init(
        kind: StatementKind, effect: Effect, tier: Tier, readsArgument: Bool, isShadow: Bool, tests: [Test],
        obligations: [String], statement: UInt32
      ) {
        self.kind = kind
        self.effect = effect
        self.tier = tier
        self.readsArgument = readsArgument
        self.isShadow = isShadow
        self.tests = tests.map(\.word)
        self.obligations = obligations
        self.statement = statement
      }

      var rank: (Int, Int, Int, UInt32) {
        switch kind {
        case .setting: (0, Int(effect.rawValue), 0, statement)
        case .grant: (1, 0, 0, statement)
        case .duty, .limit: (2, Int(tier.rawValue), kind == .duty ? 0 : 1, statement)
        }
      }
    }

    /// One name with what stands on it.
    public struct Behavior: Sendable {
      public var name: String
      public var isDeclared: Bool
      /// Declared, built in or named by a statement; false for a name that only lies above one.
      public var isNamed: Bool
      public var `default`: Effect = .deny
      public var operatorsMay: Effect = .deny
      public var usersMay: Effect = .deny
      public var absolute: Absolute = .none
      public var choiceStatement = ImageFormat.none
      public var absoluteStatement = ImageFormat.none
      /// What the default carries.
      public var obligations: [String] = []
      /// In an overlay: an audience chose `default`; `absoluteStatement` is its statement.
      public var hasAudience = false
      public var hasAlternatives = false
      public var isCounted = false
      public var isCountedBelow = false
      /// `suspicion` names it, for it and all below.
      public var isSuspected = false
      public var stakes = Degree.one
      public var stakesDepth: UInt8 = 0
      public var audit: UInt8 = 0
      public var rules: [Rule] = []
      public init(name: String, isDeclared: Bool, isNamed: Bool) {
        self.name = name
        self.isDeclared = isDeclared
        self.isNamed = isNamed
      }
    }

    /// What identifies the image.
    public struct Identity: Sendable {
      public var kind: ImageKind
      public var name: String
      /// An overlay's platform's checksum.
      public var platform: UInt64
      public var unknown: Effect
      public var unknownStatement: UInt32
      public var dial = Dial()
      public var suspicion = Suspicion()
      /// In the order of names.
      public var periods: [PeriodEntry] = []
      public var alternatives: [AlternativeRecord] = []
      /// In the order of names; their slots are the last attributes.
      public var counters: [CounterEntry] = []
      public init(kind: ImageKind, name: String, platform: UInt64, unknown: Effect, unknownStatement: UInt32) {
        self.kind = kind
        self.name = name
        self.platform = platform
        self.unknown = unknown
        self.unknownStatement = unknownStatement
      }
    }

    /// What the header says of the dial; an overlay has no ceilings.
    public struct Dial: Sendable {
      public var value = Degree.zero
      public var operatorsMay = Degree.zero
      public var usersMay = Degree.zero
      public var statement = ImageFormat.none
      public var isRead = false
      public init() {}
    }

    /// A counter; `nodes` are those of the behaviours that it counts, ascending.
    public struct CounterEntry: Sendable {
      public var name: String
      public var statement: UInt32
      public var window: UInt32
      public var counts: Counted
      public var per: CounterKey
      public var nodes: [UInt32]
      public init(
        name: String, statement: UInt32, window: UInt32, counts: Counted, per: CounterKey, nodes: [UInt32]
      ) {
        (self.name, self.statement, self.window) = (name, statement, window)
        (self.counts, self.per, self.nodes) = (counts, per, nodes)
      }
    }

    /// What the header says of suspicion; thousandths and seconds.
    public struct Suspicion: Sendable {
      public var askAt = ImageFormat.none
      public var denyAt = ImageFormat.none
      public var halfLife: UInt32 = 0
      public var statement = ImageFormat.none
      /// It is for every name.
      public var isForAll = false
      public init() {}
    }

    /// A period, its authorities and evidence in the order of bytes.
    public struct PeriodEntry: Sendable {
      public var name: String
      public var statement: UInt32
      public var quorum: Int
      public var authorities: [(name: String, key: [UInt8])]
      public var evidence: [String]
      public var reviewBy: Int64
      public init(
        name: String, statement: UInt32, quorum: Int, authorities: [(name: String, key: [UInt8])], evidence: [String],
        reviewBy: Int64
      ) {
        (self.name, self.statement, self.quorum, self.authorities) = (name, statement, quorum, authorities)
        (self.evidence, self.reviewBy) = (evidence, reviewBy)
      }
    }

    /// Lays everything out. `behaviors` are in name order with every ancestor present; `obligations` names at most
    /// 64; attribute names were the first strings added, in slot order.
    public consuming func finish(
      _ identity: Identity, behaviors: [Behavior], statements: [StatementRecord], obligations: [String],
      attributes: [(type: UInt32, isVerified: Bool)], types: [UInt32]
    ) -> [UInt8] {
      let nameID = string(identity.name)
      let periods = identity.periods.flatMap { words(of: $0) }
      let counters = counterRecords(identity.counters)
      let obligationIDs = obligations.map { string($0) }
      let masks = MaskTable(obligations)
      var tables = Tables(masks: masks)
      for behavior in behaviors {
        let id = Int(string(behavior.name))
        tables.add(behavior, nameOffset: strings[id].offset)
      }
      tables.link(behaviors)
      var out = Output()
      out.section(.bytes, bytes)
      out.section(.strings, strings.flatMap { [UInt32($0.offset), UInt32($0.length)] })
      out.section(.stringIndex, stringIndex())
      out.section(.nodes, tables.nodes)
      out.section(.nodeIndex, tables.nodeIndex(behaviors))
      out.section(.rules, tables.rules)
      out.section(.statements, statements)
      out.section(.obligations, obligationIDs)
      out.section(.masks, tables.masks.masks)
      out.section(
        .attributes,
        attributes.enumerated().map {
          AttributeRecord(
            name: UInt32($0.offset), type: $0.element.type,
            flags: ($0.element.isVerified ? AttributeRecord.isVerified : 0)
              | ($0.offset >= attributes.count - counters.count ? AttributeRecord.isCounter : 0), reserved: 0)
        })
      out.section(.types, types)
      out.section(.constants, constants)
      out.section(.code, code)
      out.section(.blobs, blobs)
      out.section(.periods, periods)
      out.section(
        .alternatives, identity.alternatives.sorted { ($0.statement, $0.period) < ($1.statement, $1.period) })
      out.section(.counters, counters)
      out.section(.countedNodes, identity.counters.flatMap(\.nodes))
      return out.sealed(identity, name: nameID)
    }

    private mutating func counterRecords(_ counters: [CounterEntry]) -> [CounterRecord] {
      var first: UInt32 = 0
      return counters.map { counter in
        defer { first += UInt32(counter.nodes.count) }
        return CounterRecord(
          name: string(counter.name), statement: counter.statement, window: counter.window, firstNode: first,
          nodes: UInt16(counter.nodes.count), counts: counter.counts, per: counter.per)
      }
    }

    private mutating func words(of period: PeriodEntry) -> [UInt32] {
      let bits = UInt64(bitPattern: period.reviewBy)
      var words = [
        0, string(period.name), period.statement, UInt32(period.quorum), UInt32(period.authorities.count),
        UInt32(period.evidence.count), UInt32(truncatingIfNeeded: bits), UInt32(truncatingIfNeeded: bits >> 32),
      ]
      for authority in period.authorities { words += [string(authority.name), string(bytes: authority.key)] }
      for name in period.evidence { words.append(string(name)) }
      words[0] = UInt32(words.count)
      return words
    }

    private func stringIndex() -> [UInt32] {
      var index = [UInt32](repeating: 0, count: indexSize(strings.count))
      for (id, string) in strings.enumerated() {
        let hash = bytes.withUnsafeBytes { all in
          hash64(all.baseAddress.map { $0 + string.offset } ?? emptyBytes(), string.length)
        }
        var bucket = Int(truncatingIfNeeded: hash) & (index.count - 1)
        while index[bucket] != 0 { bucket = (bucket + 1) & (index.count - 1) }
        index[bucket] = UInt32(id + 1)
      }
      return index
    }
  }

  private func emptyBytes() -> UnsafeRawPointer { UnsafeRawPointer(("" as StaticString).utf8Start) }

  /// A power of two with at least a third left empty, so that probing ends.
  private func indexSize(_ count: Int) -> Int {
    var size = 2
    while size * 2 < count * 3 + 2 { size *= 2 }
    return size
  }

  private struct MaskTable {
    var bits: [String: UInt64] = [:]
    var masks: [UInt64] = [0]
    var indices: [UInt64: UInt16] = [0: 0]

    init(_ obligations: [String]) {
      for (bit, name) in obligations.enumerated() { bits[name] = 1 << UInt64(bit) }
    }

    mutating func index(of names: [String]) -> UInt16 {
      let mask = names.reduce(0) { $0 | (bits[$1] ?? 0) }
      if let index = indices[mask] { return index }
      let index = UInt16(clamping: masks.count)
      masks.append(mask)
      indices[mask] = index
      return index
    }
  }

  private struct Tables {
    var nodes: [Node] = []
    var rules: [UInt64] = []
    var masks: MaskTable

    init(masks: MaskTable) { self.masks = masks }

    mutating func add(_ behavior: ImageBuilder.Behavior, nameOffset: Int) {
      let enforced = behavior.rules.filter { !$0.isShadow }.sorted { $0.rank < $1.rank }
      let shadows = behavior.rules.filter(\.isShadow).sorted { $0.rank < $1.rank }
      func count(_ kinds: Set<StatementKind>) -> UInt16 {
        UInt16(clamping: enforced.count { kinds.contains($0.kind) })
      }
      nodes.append(
        Node(
          nameOffset: UInt32(nameOffset), nameLength: UInt16(behavior.name.utf8.count),
          depth: UInt8(clamping: behavior.name.utf8.count { $0 == UInt8(ascii: ".") } + 1),
          flags: (behavior.isDeclared ? Node.isDeclared : 0) | (behavior.isNamed ? Node.isNamed : 0)
            | (behavior.hasAudience ? Node.hasAudience : 0)
            | (behavior.hasAlternatives ? Node.hasAlternatives : 0) | (behavior.isCounted ? Node.isCounted : 0)
            | (behavior.isCountedBelow ? Node.isCountedBelow : 0)
            | (behavior.isSuspected ? Node.isSuspected : 0),
          parent: ImageFormat.none, end: 0, block: UInt32(rules.count), settings: count([.setting]),
          grants: count([.grant]), limits: count([.duty, .limit]), shadows: UInt16(clamping: shadows.count),
          default: behavior.default.rawValue, operatorsMay: behavior.operatorsMay.rawValue,
          usersMay: behavior.usersMay.rawValue, absolute: behavior.absolute.rawValue,
          choiceStatement: behavior.choiceStatement, absoluteStatement: behavior.absoluteStatement,
          stakes: behavior.stakes, audit: behavior.audit, stakesDepth: behavior.stakesDepth,
          obligations: masks.index(of: behavior.obligations)))
      for rule in enforced + shadows { add(rule) }
    }

    private mutating func add(_ rule: ImageBuilder.Rule) {
      let mask = masks.index(of: rule.obligations)
      let first =
        rule.kind.rawValue | rule.effect.rawValue << 2 | rule.tier.rawValue << 4 | (rule.readsArgument ? 0x40 : 0)
        | (rule.isShadow ? 0x80 : 0)
      rules.append(
        UInt64(first) | UInt64(UInt8(clamping: rule.tests.count)) << 8 | UInt64(mask) << 16
          | UInt64(rule.statement) << 32)
      rules += rule.tests
    }

    /// Parents and subtree ends; the nodes are in name order.
    mutating func link(_ behaviors: [ImageBuilder.Behavior]) {
      var open: [(name: String, index: Int)] = []
      for (i, behavior) in behaviors.enumerated() {
        while let last = open.last, !behavior.name.hasPrefix(last.name + ".") {
          nodes[last.index].end = UInt32(i)
          open.removeLast()
        }
        if nodes[i].limits > 0 { nodes[i].flags |= Node.isLimited }
        if let last = open.last {
          nodes[i].parent = UInt32(last.index)
          nodes[i].flags |= nodes[last.index].flags & (Node.isLimited | Node.isSuspected)
        }
        open.append((behavior.name, i))
      }
      for rest in open { nodes[rest.index].end = UInt32(behaviors.count) }
    }

    func nodeIndex(_ behaviors: [ImageBuilder.Behavior]) -> [UInt64] {
      var index = [UInt64](repeating: 0, count: indexSize(behaviors.count))
      for (i, behavior) in behaviors.enumerated() {
        var name = behavior.name
        let hash = name.withUTF8 { hash64($0.baseAddress.map { UnsafeRawPointer($0) } ?? emptyBytes(), $0.count) }
        var bucket = Int(truncatingIfNeeded: hash >> 32) & (index.count - 1)
        while index[bucket] != 0 { bucket = (bucket + 1) & (index.count - 1) }
        index[bucket] = UInt64(UInt32(truncatingIfNeeded: hash)) | UInt64(i + 1) << 32
      }
      return index
    }
  }

  private struct Output {
    var bytes = [UInt8](repeating: 0, count: ImageFormat.headerSize)
    var sections = [UInt64](repeating: 0, count: Verifier.sectionCount)

    mutating func section<T: BitwiseCopyable>(_ section: Section, _ entries: [T]) {
      while bytes.count % 8 != 0 { bytes.append(0) }
      precondition(MemoryLayout<T>.size == section.stride || MemoryLayout<T>.size * 2 == section.stride)
      let count = entries.count * MemoryLayout<T>.size / section.stride
      sections[section.rawValue] = UInt64(bytes.count) | UInt64(count) << 32
      entries.withUnsafeBytes { bytes += $0 }
    }

    consuming func sealed(_ identity: ImageBuilder.Identity, name: UInt32) -> [UInt8] {
      while bytes.count % 8 != 0 { bytes.append(0) }
      let size = bytes.count
      bytes.withUnsafeMutableBytes { all in
        all.storeBytes(of: ImageFormat.magic, toByteOffset: 0, as: UInt64.self)
        all.storeBytes(of: ImageFormat.version, toByteOffset: 8, as: UInt32.self)
        all.storeBytes(of: identity.kind.rawValue, toByteOffset: 12, as: UInt32.self)
        all.storeBytes(of: UInt64(size), toByteOffset: 16, as: UInt64.self)
        all.storeBytes(of: identity.platform, toByteOffset: 32, as: UInt64.self)
        all.storeBytes(of: name, toByteOffset: 40, as: UInt32.self)
        all.storeBytes(of: UInt32(identity.unknown.rawValue), toByteOffset: 44, as: UInt32.self)
        all.storeBytes(of: identity.unknownStatement, toByteOffset: 48, as: UInt32.self)
        for (i, section) in sections.enumerated() {
          all.storeBytes(of: section, toByteOffset: (i < 16 ? 56 : 80) + i * 8, as: UInt64.self)
        }
        let (dial, suspicion) = (identity.dial, identity.suspicion)
        let fields = [
          dial.value.millionths, dial.operatorsMay.millionths, dial.usersMay.millionths, dial.statement,
          (dial.isRead ? ImageHeader.readsDial : 0) | (suspicion.isForAll ? ImageHeader.suspectsAll : 0),
          UInt32(identity.periods.count),
        ]
        for (i, field) in fields.enumerated() { all.storeBytes(of: field, toByteOffset: 184 + i * 4, as: UInt32.self) }
        let suspect = [suspicion.askAt, suspicion.denyAt, suspicion.halfLife, suspicion.statement]
        for (i, field) in suspect.enumerated() { all.storeBytes(of: field, toByteOffset: 224 + i * 4, as: UInt32.self) }
        if let base = all.baseAddress {
          all.storeBytes(of: imageChecksum(UnsafeRawPointer(base), size), toByteOffset: 24, as: UInt64.self)
        }
      }
      return bytes
    }
  }
#endif
