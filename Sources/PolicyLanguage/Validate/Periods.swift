// `periods` and `authorities` -> periods that can end; `during` and `after` of statements and declarations, which may only
// loosen when a period ends (DESIGN §2.8).

internal import PolicyImage

// MARK: definitions

/// What the platform's files state of periods and authorities.
struct PeriodDrafts {
  private struct Draft: Equatable {
    var quorum: Int
    var authorities: [String]
    var evidence: [String]
    var reviewBy: Day
  }
  private var drafts: [String: Stated<Draft>] = [:]
  private var authorities: [String: Stated<[UInt8]>] = [:]
  /// Of periods with errors of their own, which are not judged further.
  private var broken: Set<String> = []

  var keys: [String: [UInt8]] { authorities.mapValues(\.value) }

  /// Merges one file's.
  mutating func read(_ shape: Shape, _ fields: Fields) {
    if let node = fields[.authorities] {
      for (key, value) in shape.document.pairs(node) where shape.checkName(key) {
        guard shape.check(value, .publicKey, name: shape.document.string(key)) else { continue }
        let name = shape.document.string(key)
        let stated = shape.stated(key, PublicKeyText.parse(shape.document.string(value)))
        shape.report.merge(&authorities[name], stated, "the key of `\(name)`")
      }
    }
    if let node = fields[.periods] {
      for (key, value) in shape.document.pairs(node) where shape.checkName(key) { read(shape, key, value) }
    }
  }

  private mutating func read(_ shape: Shape, _ key: NodeID, _ value: NodeID) {
    let name = shape.document.string(key)
    guard let fields = shape.fields(value, .period),
      let deciders = fields[.decidedBy].flatMap({ shape.fields($0, .deciders) }),
      let quorum = deciders[.quorum].flatMap(shape.whole), let list = deciders[.of], let evidence = fields[.evidence],
      let reviewBy = fields[.reviewBy].flatMap({ Day(shape.document.content($0)) })
    else {
      broken.insert(name)
      return
    }
    let named = Set(shape.document.items(list).map(shape.document.string)).sorted()
    let shown = Set(shape.document.items(evidence).map(shape.document.string)).sorted()
    if quorum > named.count {
      shape.report.error(
        .badQuorum, shape.document, list,
        "`\(name)` takes \(quorum) of \(named.count == 1 ? "1 authority" : "\(named.count) authorities"), so it could never end",
        hint: "name more of them under `of`, or lower the `quorum`")
      broken.insert(name)
    }
    if shown.isEmpty {
      shape.report.error(
        .noEvidence, shape.document, evidence, "`\(name)` could end on no evidence at all",
        hint: "name what has to be shown: `evidence: [red-team-report, incident-review]`")
      broken.insert(name)
    }
    let draft = Draft(quorum: quorum, authorities: named, evidence: shown, reviewBy: reviewBy)
    shape.report.merge(&drafts[name], shape.stated(key, draft), "the period `\(name)`")
  }

  /// After all files: sorted by name. Broken ones are among them, so that nothing is said of who names them.
  func periods(_ report: Report) -> [Period] {
    checkKeys(report)
    let sorted = drafts.sorted { $0.key < $1.key }
    for (name, draft) in sorted {
      for authority in draft.value.authorities where authorities[authority] == nil {
        report.error(
          .unknownAuthority, draft.location, "`\(name)` is decided by `\(authority)`, who is no authority",
          length: draft.length,
          hint: report.suggestion(for: authority, from: authorities.keys)
            ?? "give the key: `authorities: {\(authority): \"ed25519:…\"}`; `licet period keygen` makes one")
      }
    }
    if drafts.count > ImageFormat.maximumPeriods, let last = sorted.last {
      report.error(
        .tooManyPeriods, last.value.location,
        "\(drafts.count) periods; a platform may have at most \(ImageFormat.maximumPeriods)", length: last.value.length,
        hint: "what ends together can be one period")
    }
    let whole = sorted.map { name, draft in
      Period(
        name: name, quorum: draft.value.quorum, authorities: draft.value.authorities, evidence: draft.value.evidence,
        reviewBy: draft.value.reviewBy, location: draft.location)
    }
    let rest = broken.subtracting(drafts.keys).sorted().map {
      Period(
        name: $0, quorum: 1, authorities: [], evidence: [], reviewBy: Day(number: 0),
        location: Location(file: "platform.yaml", line: 1, column: 1))
    }
    return whole + rest
  }

  /// Two names with one key would be one voice that counts twice.
  private func checkKeys(_ report: Report) {
    var first: [[UInt8]: String] = [:]
    for (name, key) in authorities.sorted(by: { $0.key < $1.key }) {
      guard let other = first[key.value] else {
        first[key.value] = name
        continue
      }
      report.error(
        .repeatedKey, key.location, "`\(name)` has the key of `\(other)`, so one voice would count twice",
        length: key.length, hint: "each authority needs a key of its own",
        related: authorities[other].map { .init(location: $0.location, message: "the same key") })
    }
  }
}

/// `ed25519:` and 32 bytes in base64.
enum PublicKeyText {
  static let prefix = "ed25519:"

  static func parse(_ text: String) -> [UInt8]? {
    guard text.utf8.starts(with: prefix.utf8) else { return nil }
    guard let key = Base64.decode(String(text.dropFirst(prefix.count))), key.count == 32 else { return nil }
    return key
  }
}

extension Shape {
  func checkName(_ key: NodeID) -> Bool { document.kind(key) == .scalar && check(key, .name, name: "the name") }

  func checkPublicKey(_ node: NodeID) -> Bool {
    if PublicKeyText.parse(document.string(node)) != nil { return true }
    report.error(
      .badKey, document, node, "this is no public key",
      hint: "write `\"ed25519:\"` and the 32 bytes in base64, as `licet period keygen` prints it")
    return false
  }

  func checkDay(_ node: NodeID, _ name: String) -> Bool {
    if Day(document.content(node)) != nil { return true }
    report.error(.badDate, document, node, "`\(name)` has to be a day", hint: "write it as `2027-01-31`")
    return false
  }

  func checkWhole(_ node: NodeID, _ range: ClosedRange<Int>, _ name: String) -> Bool {
    guard let number = whole(node) else {
      wrongType(node, "`\(name)` has to be a whole number")
      return false
    }
    if range.contains(number) { return true }
    report.error(
      .outOfRange, document, node, "`\(name)` has to be between \(range.lowerBound) and \(range.upperBound)")
    return false
  }

  func whole(_ node: NodeID) -> Int? {
    if case .int(let value) = value(node) { return Int(exactly: value) }
    return nil
  }

  /// Merges one file's `after`, by period.
  func readAlternatives<Value: Hashable & Sendable>(
    _ node: NodeID?, _ form: Form, into drafts: inout [String: AlternativeDraft<Value>], _ what: String,
    _ read: (NodeID?) -> Stated<Value>?
  ) {
    guard let node else { return }
    for (key, value) in document.pairs(node) where checkName(key) {
      guard let fields = fields(value, form) else { continue }
      let period = document.string(key)
      var draft =
        drafts[period] ?? AlternativeDraft(location: document.location(key), length: document.length(key))
      func name(_ id: KeyID) -> String { "`\(id.rawValue)` of \(what) after `\(period)`" }
      report.merge(&draft.default, read(fields[.default]), name(.default))
      report.merge(&draft.operatorsMay, read(fields[.operatorsMay]), name(.operatorsMay))
      report.merge(&draft.usersMay, read(fields[.usersMay]), name(.usersMay))
      drafts[period] = draft
    }
  }
}

// MARK: alternatives

/// What `after` of a behaviour or of the dial states for one period.
struct AlternativeDraft<Value: Hashable & Sendable> {
  var location: Location
  var length: Int
  var `default`: Stated<Value>?
  var operatorsMay: Stated<Value>?
  var usersMay: Stated<Value>?

  var alternative: Alternative<Value> {
    Alternative(default: `default`?.value, operatorsMay: operatorsMay?.value, usersMay: usersMay?.value)
  }
}

/// Whether what stands in `after` only loosens: each field is looser than the one that it replaces, and two periods that
/// replace one field say the same of it. Otherwise, with both ended, the stricter would count, so that the end of one of them
/// could tighten what the other one's had loosened.
struct AlternativeCheck {
  let report: Report
  let periods: [Period]
  let what: String

  /// `own`: default and ceilings as stated; nil: no default is.
  func check<Value: Hashable & Comparable & Sendable>(
    _ drafts: [String: AlternativeDraft<Value>], own: (Value, Value?, Value?)?, at place: Location?
  ) {
    let sorted = drafts.sorted { $0.key < $1.key }
    for (name, draft) in sorted {
      known(name, draft.location, draft.length)
      guard let own else {
        report.error(
          .ceilingWithoutDefault, draft.location, "`after` of \(what) needs a `default` beside it",
          length: draft.length,
          hint: "what holds while the period runs has to be stated where its end loosens it")
        continue
      }
      checkLooser(name, draft, own, place)
    }
    agree(sorted.map { ($0.key, $0.value.default) }, "default")
    agree(sorted.map { ($0.key, $0.value.operatorsMay) }, "operators-may")
    agree(sorted.map { ($0.key, $0.value.usersMay) }, "users-may")
  }

  private func known(_ name: String, _ location: Location, _ length: Int) {
    if periods.contains(where: { $0.name == name }) { return }
    report.error(
      .unknownPeriod, location, "there is no period `\(name)`", length: length,
      hint: report.suggestion(for: name, from: periods.map(\.name)) ?? "the platform declares periods under `periods`")
  }

  private func checkLooser<Value: Hashable & Comparable & Sendable>(
    _ name: String, _ draft: AlternativeDraft<Value>, _ own: (Value, Value?, Value?), _ place: Location?
  ) {
    let fields = [
      ("default", draft.default, own.0), ("operators-may", draft.operatorsMay, own.1 ?? own.0),
      ("users-may", draft.usersMay, own.2 ?? own.0),
    ]
    for (field, stated, before) in fields {
      guard let stated, stated.value <= before else { continue }
      let how = stated.value == before ? "no looser than" : "stricter than"
      report.error(
        .periodNotLooser, stated.location,
        "after `\(name)`, `\(field)` of \(what) is \(how) before: `\(stated.value)`", length: stated.length,
        hint: "the end of a period only loosens; delete this, or say what is looser",
        related: place.map { .init(location: $0, message: "before, it is `\(before)`") })
    }
    for (field, ceiling) in [("operators-may", draft.operatorsMay), ("users-may", draft.usersMay)] {
      guard let ceiling, let `default` = draft.default, ceiling.value < `default`.value else { continue }
      report.error(
        .ceilingBelowDefault, ceiling.location, "after `\(name)`, `\(field)` of \(what) is below its default",
        length: ceiling.length, hint: "a ceiling says how far others may loosen; raise it, or lower the default",
        related: .init(location: `default`.location, message: "the default is `\(`default`.value)`"))
    }
    if draft.default == nil, draft.operatorsMay == nil, draft.usersMay == nil {
      report.error(
        .periodNotLooser, draft.location, "after `\(name)` nothing of \(what) changes", length: draft.length,
        hint: "say what is looser then: `default`, `operators-may` or `users-may`")
    }
  }

  private func agree<Value: Hashable & Comparable>(_ stated: [(String, Stated<Value>?)], _ field: String) {
    let stated = stated.compactMap { name, one in one.map { (name, $0) } }
    guard let first = stated.first, let other = stated.first(where: { $0.1.value != first.1.value }) else { return }
    report.error(
      .periodTightens, other.1.location,
      "`\(field)` of \(what) is `\(first.1.value)` after `\(first.0)` and `\(other.1.value)` after `\(other.0)`",
      length: other.1.length,
      hint:
        "of several that have ended the strictest counts, so that the end of one would tighten; let them say the same",
      related: .init(location: first.1.location, message: "the other one"))
  }
}

// MARK: statements

extension StatementReader {
  /// The period of a statement. `isNever`: it has none that could let it count.
  func period(_ fields: Fields, _ kind: StatementKind) -> (name: String?, isNever: Bool) {
    let key: KeyID = kind == .limit ? .during : .after
    for other in [KeyID.during, .after] where other != key || kind == .setting {
      guard let node = fields.key(other) else { continue }
      shape.report.error(
        .periodTightens, shape.document, node, Self.misplaced(other, kind),
        hint: kind == .limit ? "a limit that is there while a period runs has `during`" : "delete it")
    }
    if kind == .duty, fields.has(.after), let with = fields.key(.with) {
      shape.report.error(
        .periodTightens, shape.document, with, "this duty would bring obligations when the period ends",
        hint: "the end of a period only loosens; let another rule carry them")
    }
    guard kind != .setting, let node = fields[key] else { return (nil, false) }
    let name = shape.document.string(node)
    guard let scope, scope.periods[name] == nil else { return (name, false) }
    // What is unknown counts as running: a limit is there, a grant isn't.
    if isClamping {
      shape.report.warning(
        .unknownPeriod, shape.document, node, "there is no period `\(name)` any more, so it counts as running",
        hint: "name another one, or delete this")
      return (nil, kind != .limit)
    }
    shape.report.error(
      .unknownPeriod, shape.document, node, "there is no period `\(name)`",
      hint: shape.report.suggestion(for: name, from: scope.periods.keys)
        ?? "the platform declares periods under `periods`")
    return (nil, false)
  }

  private static func misplaced(_ key: KeyID, _ kind: StatementKind) -> String {
    switch kind {
    case .setting: "a setting has no period; only a limit, a duty or a grant has one"
    case .limit: "a limit that begins when a period ends would tighten then"
    case .duty, .grant:
      "a \(kind == .duty ? "duty" : "grant") that is there only while a period runs would tighten when it ends"
    }
  }
}
