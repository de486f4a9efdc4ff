// `counters` of the platform's files -> what is counted, for whom, over how long (DESIGN §2.9).

internal import PolicyImage

/// What the platform's files state of counters.
struct CounterDrafts {
  private struct Draft: Equatable {
    var counts: Counted
    var behaviors: [String]
    var per: CounterKey
    var window: UInt32
    /// For messages alone.
    var places: [String: (location: Location, length: Int)] = [:]
    static func == (a: Draft, b: Draft) -> Bool {
      a.counts == b.counts && a.behaviors == b.behaviors && a.per == b.per && a.window == b.window
    }
  }
  private var drafts: [String: Stated<Draft>] = [:]
  /// With errors of their own: nothing is said of who reads them.
  private var broken: Set<String> = []

  /// Everything that conditions may name.
  var names: Set<String> { broken.union(drafts.keys) }

  /// Merges one file's.
  mutating func read(_ shape: Shape, _ node: NodeID?) {
    guard let node else { return }
    for (key, value) in shape.document.pairs(node) where shape.checkName(key) {
      let name = shape.document.string(key)
      guard let draft = read(shape, key, value) else {
        broken.insert(name)
        continue
      }
      shape.report.merge(&drafts[name], shape.stated(key, draft), "the counter `\(name)`")
    }
  }

  private func read(_ shape: Shape, _ key: NodeID, _ value: NodeID) -> Draft? {
    guard let fields = shape.fields(value, .counter), let counts = fields[.counts], let list = fields[.of],
      let per = fields[.per].flatMap({ shape.text($0) }), let window = fields[.window],
      let seconds = WindowText.parse(shape.document.content(window)),
      let key = [CounterKey.operator, .user, .session].first(where: { $0.word == per })
    else { return nil }
    let items = shape.document.items(list)
    guard !items.isEmpty, items.count <= ImageFormat.maximumCountedNames else {
      shape.report.error(
        .badCounter, shape.document, list,
        items.isEmpty
          ? "a counter has to say which behaviours it counts"
          : "\(items.count) behaviours; a counter names at most \(ImageFormat.maximumCountedNames)",
        hint: "a name covers all that lies below it")
      return nil
    }
    let what: Counted = shape.text(counts) == Counted.users.word ? .users : .requests
    guard what == .requests || key == .operator else {
      shape.report.error(
        .badCounter, shape.document, counts, "distinct users are counted for an operator, not per \(per)",
        hint: "one user's users are always one; write `per: operator`, or `counts: requests`")
      return nil
    }
    var places: [String: (location: Location, length: Int)] = [:]
    for item in items {
      places[shape.document.string(item)] = (shape.document.location(item), shape.document.length(item))
    }
    return Draft(
      counts: what, behaviors: places.keys.sorted(by: BehaviorName.precedes), per: key, window: seconds, places: places)
  }

  /// After all files: sorted by name.
  func counters(_ scope: Scope, _ report: Report) -> [CounterDeclaration] {
    let sorted = drafts.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
    for (name, draft) in sorted {
      checkBehaviors(draft.value, scope, report)
      checkUser(name, draft, scope, report)
    }
    if drafts.count > ImageFormat.maximumCounters, let last = sorted.last {
      report.error(
        .badCounter, last.value.location,
        "\(drafts.count) counters; a platform may have at most \(ImageFormat.maximumCounters)",
        length: last.value.length, hint: "one counter can count several behaviours")
    }
    return sorted.map { name, draft in
      CounterDeclaration(
        name: name, counts: draft.value.counts, behaviors: draft.value.behaviors, per: draft.value.per,
        window: draft.value.window, location: draft.location)
    }
  }

  private func checkBehaviors(_ draft: Draft, _ scope: Scope, _ report: Report) {
    for name in draft.behaviors where !scope.standing(of: name).isKnown {
      guard let place = draft.places[name] else { continue }
      report.error(
        .undeclaredBehavior, place.location, "nothing is declared as `\(name)`, above or below it",
        length: place.length,
        hint: report.suggestion(for: name, from: scope.behaviors.keys)
          ?? "declare it under `behaviors` in a platform file")
    }
  }

  /// Who the user is stands in the attribute `user.id`.
  private func checkUser(_ name: String, _ draft: Stated<Draft>, _ scope: Scope, _ report: Report) {
    guard draft.value.counts == .users || draft.value.per == .user else { return }
    switch scope.attributes["user.id"]?.type {
    case .string, .int, .uint: return
    case let other:
      report.error(
        .badCounter, draft.location,
        other == nil
          ? "`\(name)` has to tell users apart, and no attribute says who the user is"
          : "`\(name)` has to tell users apart by `user.id`, which is neither a text nor a whole number",
        length: draft.length, hint: "declare it: `attributes: {user: {id: string}}`",
        related: scope.attributes["user.id"].map { .init(location: $0.location, message: "it is declared here") })
    }
  }
}

extension Shape {
  func checkWindow(_ node: NodeID, _ name: String) -> Bool {
    guard document.kind(node) == .scalar, let seconds = WindowText.parse(document.content(node)) else {
      report.error(
        .badCounter, document, node, "`\(name)` has to be a length of time",
        hint: "write a whole number and one of the units s, m, h, d, w: `90m`, `30d`")
      return false
    }
    guard (CounterWindow.least...CounterWindow.most).contains(seconds) else {
      report.error(
        .outOfRange, document, node, "`\(name)` has to be between 1m and 366d",
        hint: "shorter ones are for whoever does the thing to bound; longer ones would hold what nobody remembers")
      return false
    }
    return true
  }
}
