// Answers as each way gives them, in one form. The library's is the fullest: the others are held against what is left of it
// in their own words.

import Bus
import Consultation
import Decision
import Foundation
import LicetHeader
import Oracle
import PolicyImage
import PolicyLanguage
import Testing

/// A `licet_statement`.
struct ToldStatement: Hashable {
  var file = ""
  var line: UInt32 = 0
  var column: UInt32 = 0
  var form: Int32 = LICET_FORM_NONE
  var behavior = ""
  var clause = ""
  var condition = ""

  init(_ statement: licet_statement) {
    file = String(statement.file)
    (line, column, form) = (statement.line, statement.column, statement.form)
    behavior = String(statement.behavior)
    clause = String(statement.clause)
    condition = String(statement.condition)
  }

  /// As the bus names it.
  var place: String {
    form == LICET_FORM_NONE ? "" : form == LICET_FORM_BUILT_IN ? "built-in" : "\(file):\(line)"
  }
}

/// A `licet_step`.
struct ToldStep: Hashable {
  var step: UInt8
  var truth: UInt8
  var says: UInt8
  var effect: UInt8
  var tier: Int8
  var isShadow: Bool
  var isClamped: Bool
  var behavior: String
  var failure: String
  var attribute: String
  var statement: ToldStatement
  var dial: ToldDial?
  var period: ToldPeriod?
  /// Of a session's: LICET_HOLD_…, and the name in its terms.
  var hold: Int32?
  var term = ""
}

/// A `licet_dial`.
struct ToldDial: Hashable {
  var stakes: Double
  var dial: Double
  var isUntrusted: Bool
  var statement: ToldStatement
}

/// A `licet_period`.
struct ToldPeriod: Hashable {
  var hasEnded: Bool
  var statement: ToldStatement
}

/// A `licet_change`.
struct ToldChange: Hashable {
  var change: Int32
  var decidedBy: Int32
  var halt: String
  var operatorName: String
  var session: String
  var behavior: String
  var statement: ToldStatement
  /// Of a dial or of stakes.
  var needed: Double?
  var highest: Double?
}

/// All that the library says of one decision.
struct Told: Hashable {
  var code: Int32
  var effect: Int32 = LICET_DENY
  var generation: UInt64 = 0
  var decidedBy: UInt8 = 0
  var oversight: UInt8 = 0
  var isLost = false
  var behavior = ""
  var obligations: [String] = []
  var statement: ToldStatement?
  /// Only if it was explained.
  var steps: [ToldStep]?
  var way: Int32 = 0
  var changes: [ToldChange] = []

  /// What differs, for a message.
  func difference(_ other: Told) -> String {
    var lines: [String] = []
    for (name, a, b) in [
      ("code", "\(code)", "\(other.code)"), ("effect", "\(effect)", "\(other.effect)"),
      ("decided by", "\(decidedBy) \(oversight)", "\(other.decidedBy) \(other.oversight)"),
      ("behavior", behavior, other.behavior),
      ("generation", "\(generation)", "\(other.generation)"), ("lost", "\(isLost)", "\(other.isLost)"),
      ("obligations", "\(obligations)", "\(other.obligations)"), ("way", "\(way)", "\(other.way)"),
      ("statement", "\(statement as Any)", "\(other.statement as Any)"), ("changes", "\(changes)", "\(other.changes)"),
    ] where a != b { lines.append("\(name): \(a) / \(b)") }
    for (index, pair) in zip(steps ?? [], other.steps ?? []).enumerated() where pair.0 != pair.1 {
      lines.append("step \(index): \(pair.0)\n  / \(pair.1)")
    }
    if steps?.count != other.steps?.count { lines.append("steps: \(steps?.count ?? -1) / \(other.steps?.count ?? -1)") }
    return lines.joined(separator: "\n")
  }
}

// MARK: sessions

/// A session with all that it was delegated by; ended with this.
final class OpenedSession {
  private let library: LibraryHandle
  private var handles: [OpaquePointer] = []
  let id: String

  /// Level by level, the root's first.
  init(_ authority: OpenedAuthority, _ levels: [OracleSessionLevel]) throws {
    library = authority.library
    var opened: [OpaquePointer] = []
    var error = licet_error()
    error.size = UInt32(MemoryLayout<licet_error>.size)
    for level in levels {
      let lent = Lent()
      var made: OpaquePointer?
      let (library, parent) = (authority.library, opened.last)
      let code = lent.withTerms(level) { terms in
        parent.map { library.sessionDelegate($0, terms, &made, &error) }
          ?? library.sessionOpen(authority.handle, terms, &made, &error)
      }
      opened.append(try #require(made, "\(code): \(OpenedAuthority.message(&error))"))
    }
    handles = opened
    id = library.sessionID(opened.last).map { String(cString: $0) } ?? ""
  }

  /// The same one, by its id.
  init(_ authority: OpenedAuthority, joining id: String) throws {
    (library, self.id) = (authority.library, id)
    var made: OpaquePointer?
    let code = library.sessionJoin(authority.handle, id, id.utf8.count, &made, nil)
    handles = [try #require(made, "join: \(code)")]
  }

  var handle: OpaquePointer? { handles.last }

  func close() { _ = library.sessionClose(handles.first, nil) }

  deinit { for one in handles { library.sessionFree(one) } }
}

extension Lent {
  fileprivate func withTerms(_ level: OracleSessionLevel, _ body: (UnsafePointer<licet_terms>) -> Int32) -> Int32 {
    func effects(_ all: [String: PolicyImage.Effect]) -> [licet_behavior_effect] {
      all.map { licet_behavior_effect(behavior: text($0.key), effect: Int32($0.value.rawValue), reserved: 0) }
    }
    let (preferences, caps) = (effects(level.preferences), effects(level.caps))
    let (behaviors, resources) = ((level.behaviors ?? []).map { text($0) }, level.resources.map { text($0) })
    return preferences.withUnsafeBufferPointer { preferences in
      caps.withUnsafeBufferPointer { caps in
        behaviors.withUnsafeBufferPointer { behaviors in
          resources.withUnsafeBufferPointer { resources in
            var terms = licet_terms()
            terms.size = UInt32(MemoryLayout<licet_terms>.size)
            terms.is_scoped = level.behaviors == nil ? 0 : 1
            (terms.preferences, terms.preference_count) = (preferences.baseAddress, preferences.count)
            (terms.caps, terms.cap_count) = (caps.baseAddress, caps.count)
            (terms.behaviors, terms.behavior_count) = (behaviors.baseAddress, behaviors.count)
            (terms.resources, terms.resource_count) = (resources.baseAddress, resources.count)
            terms.dial = level.dial?.value ?? 0
            return body(&terms)
          }
        }
      }
    }
  }
}

// MARK: asking the library

extension OpenedAuthority {
  /// Sets everything that the request says, by handle or by name. 0, or the first refusal.
  func fill(_ one: OracleRequest, _ values: [(name: String, value: licet_value)], _ lent: Lent, byName: Bool) -> Int32 {
    var first: Int32 = 0
    func note(_ code: Int32) { if first == 0 { first = code } }
    library.requestReset(request)
    for (name, value) in values {
      note(
        byName
          ? library.setNamed(request, name, name.utf8.count, value) : library.set(request, attribute(name), value))
    }
    note(library.setSource(request, Int32(one.source.rawValue)))
    if let preference = one.preference { note(library.setPreference(request, Int32(preference.rawValue))) }
    if let resource = one.resource {
      let text = lent.text(resource)
      note(library.setResource(request, text.bytes, text.length))
    }
    if let argument = one.argument {
      let text = lent.text(argument)
      note(library.setArgument(request, text.bytes, text.length))
    }
    if library.mode(handle) == LICET_EMBEDDED {
      note(library.setNow(request, one.now.seconds, Int32(one.now.nanoseconds)))
    }
    return first
  }

  /// A decision of what was filled in.
  func decide(_ behaviors: [String], _ lent: Lent, byName: Bool) -> Told {
    var decision = licet_decision()
    decision.size = UInt32(MemoryLayout<licet_decision>.size)
    let code: Int32
    // What decided may be the very bytes that were passed.
    let names = behaviors.map { lent.text($0) }
    if names.count == 1 {
      code =
        byName
        ? library.checkNamed(request, names[0].bytes, names[0].length, &decision)
        : library.check(request, behavior(behaviors[0]), &decision)
    } else {
      code = library.checkAction(request, names, names.count, &decision)
    }
    var told = Told(code: code)
    fill(&told, decision)
    guard code >= 0 else { return told }
    told.obligations = texts(library.obligations, request)
    var statement = licet_statement()
    statement.size = UInt32(MemoryLayout<licet_statement>.size)
    if library.statement(request, &statement) == 0 { told.statement = ToldStatement(statement) }
    return told
  }

  func explain(_ behaviors: [String], _ lent: Lent) -> Told {
    var made: OpaquePointer?
    let code = library.explain(request, behaviors.map { lent.text($0) }, behaviors.count, &made)
    var told = Told(code: code)
    guard let made else { return told }
    defer { library.explanationFree(made) }
    var decision = licet_decision()
    decision.size = UInt32(MemoryLayout<licet_decision>.size)
    var statement = licet_statement()
    statement.size = UInt32(MemoryLayout<licet_statement>.size)
    guard library.explanationDecision(made, &decision) == 0, library.explanationStatement(made, &statement) == 0 else {
      return told
    }
    fill(&told, decision)
    told.statement = ToldStatement(statement)
    told.obligations = texts(library.explanationObligations, made)
    told.steps = (0..<library.steps(made)).compactMap { step(made, $0) }
    told.way = library.way(made)
    told.changes = (0..<library.changes(made)).compactMap { change(made, $0) }
    return told
  }

  private func fill(_ told: inout Told, _ decision: licet_decision) {
    told.effect = decision.effect
    told.generation = decision.generation
    told.decidedBy = decision.decided_by
    told.oversight = decision.oversight
    told.isLost = decision.lost != 0
    told.behavior = String(decision.behavior)
  }

  private func texts(_ function: LibraryHandle.Texts, _ of: OpaquePointer) -> [String] {
    let count = function(of, nil, 0)
    guard count > 0 else { return [] }
    return withUnsafeTemporaryAllocation(of: licet_text.self, capacity: count) { space in
      let found = function(of, space.baseAddress, count)
      return space.prefix(min(found, count)).map { String($0) }
    }
  }

  private func step(_ made: OpaquePointer, _ index: Int) -> ToldStep? {
    var step = licet_step()
    step.size = UInt32(MemoryLayout<licet_step>.size)
    guard library.step(made, index, &step) == 0 else { return nil }
    var term = licet_text()
    let hold = library.hold(made, index, &term)
    return ToldStep(
      step: step.step, truth: step.truth, says: step.says, effect: step.effect, tier: step.tier,
      isShadow: step.is_shadow != 0, isClamped: step.is_clamped != 0, behavior: String(step.behavior),
      failure: String(step.failure), attribute: String(step.attribute), statement: ToldStatement(step.statement),
      dial: dial(made, index), period: period(made, index), hold: hold < 0 ? nil : hold,
      term: hold < 0 ? "" : String(term))
  }

  private func period(_ made: OpaquePointer, _ index: Int) -> ToldPeriod? {
    var period = licet_period()
    period.size = UInt32(MemoryLayout<licet_period>.size)
    guard library.period(made, index, &period) == 0 else { return nil }
    return ToldPeriod(hasEnded: period.has_ended != 0, statement: ToldStatement(period.statement))
  }

  private func dial(_ made: OpaquePointer, _ index: Int) -> ToldDial? {
    var dial = licet_dial()
    dial.size = UInt32(MemoryLayout<licet_dial>.size)
    guard library.dial(made, index, &dial) == 0 else { return nil }
    return ToldDial(
      stakes: dial.stakes, dial: dial.dial, isUntrusted: dial.is_untrusted != 0,
      statement: ToldStatement(dial.statement))
  }

  private func change(_ made: OpaquePointer, _ index: Int) -> ToldChange? {
    var change = licet_change()
    change.size = UInt32(MemoryLayout<licet_change>.size)
    guard library.change(made, index, &change) == 0 else { return nil }
    var numbers = (0.0, 0.0)
    let isDial = library.changeDial(made, index, &numbers.0, &numbers.1) == 0
    var session = licet_text()
    _ = library.changeSession(made, index, &session)
    return ToldChange(
      change: change.change, decidedBy: change.decided_by, halt: String(change.halt),
      operatorName: String(change.operator_name), session: String(session), behavior: String(change.behavior),
      statement: ToldStatement(change.statement), needed: isDial ? numbers.0 : nil, highest: isDial ? numbers.1 : nil)
  }
}

// MARK: the bus

/// An answer of `CheckMany` or `Explain`, word for word; the trace's and the way's entries with their keys.
struct BusAnswer: Hashable {
  var effect = ""
  var obligations: [String] = []
  var generation: UInt64 = 0
  var tier = ""
  var oversight = ""
  var behavior: String?
  var statement = ""
  var clause = ""
  var trace: [[String: String]]?
  var way: String?
  var changes: [[String: String]] = []
  /// The way is nobody's, because untrusted text asks.
  var isUntrusted = false

  init(_ reader: inout MessageReader) throws {
    effect = try reader.nextSwiftString()
    var list = try reader.nextArray()
    while !list.atEnd { obligations.append(try list.nextSwiftString()) }
    var details = try reader.nextArray()
    while !details.atEnd {
      var entry = try details.nextEntry()
      let key = try entry.nextSwiftString()
      var value = try entry.nextVariant()
      switch key {
      case "generation": generation = try value.nextUInt64()
      case "tier": tier = try value.nextSwiftString()
      case "oversight": oversight = try value.nextSwiftString()
      case "behavior": behavior = try value.nextSwiftString()
      case "statement": statement = try value.nextSwiftString()
      case "clause": clause = try value.nextSwiftString()
      case "trace": trace = try BusAnswer.rows(&value)
      case "way": try readWay(&value)
      default: break
      }
    }
  }

  private mutating func readWay(_ value: inout MessageReader) throws {
    var entries = try value.nextArray()
    while !entries.atEnd {
      var entry = try entries.nextEntry()
      let key = try entry.nextSwiftString()
      var content = try entry.nextVariant()
      switch key {
      case "by": way = try content.nextSwiftString()
      case "untrusted": isUntrusted = try content.nextBool()
      default: changes = try BusAnswer.rows(&content)
      }
    }
  }

  /// `aa{sv}`, of texts, truths and numbers.
  private static func rows(_ value: inout MessageReader) throws -> [[String: String]] {
    var rows: [[String: String]] = []
    var list = try value.nextArray()
    while !list.atEnd {
      var row: [String: String] = [:]
      var entries = try list.nextArray()
      while !entries.atEnd {
        var entry = try entries.nextEntry()
        let key = try entry.nextSwiftString()
        var content = try entry.nextVariant()
        switch content.type {
        case .string: row[key] = try content.nextSwiftString()
        case .double: row[key] = "\(try content.nextDouble())"
        default: row[key] = "\(try content.nextBool())"
        }
      }
      rows.append(row)
    }
    return rows
  }
}

extension Told {
  /// The library's answer in the bus' words; `behaviors` is what was asked.
  func onBus(_ behaviors: [String]) -> BusAnswer {
    var answer = BusAnswer()
    answer.effect = Told.name(effect: UInt8(clamping: effect))
    answer.obligations = obligations
    answer.generation = generation
    answer.tier = DeciderRank(rawValue: decidedBy)?.name ?? "?"
    answer.oversight = OversightCause(rawValue: oversight).map { $0 == .none ? "" : $0.name } ?? "?"
    answer.statement = statement?.place ?? ""
    answer.clause = statement?.clause ?? ""
    answer.behavior = behavior
    guard let steps else { return answer }
    answer.trace = steps.isEmpty ? nil : steps.map { $0.onBus }
    answer.way = way == LICET_WAY_NOT_NEEDED ? nil : Told.way(way)
    answer.changes = changes.map { change in
      var row = ["kind": Told.name(change: change), "behavior": change.behavior, "statement": change.statement.place]
      if let needed = change.needed, needed > 0 { row["needed"] = "\(needed)" }
      if let highest = change.highest { row["highest"] = "\(highest)" }
      if change.change == LICET_CHANGE_PERIOD {
        row["period"] = change.statement.behavior
        row["terms"] = change.statement.condition
      }
      return row
    }
    // Told of each way, whatever it is.
    answer.isUntrusted = answer.way != nil && steps.contains { $0.dial?.isUntrusted == true }
    return answer
  }

  static func name(effect: UInt8) -> String { PolicyImage.Effect(rawValue: effect).map { "\($0)" } ?? "?" }

  private static func way(_ number: Int32) -> String {
    ["not-needed", "user", "operator", "platform", "nobody", "authorities", "wait"][Int(number)]
  }

  private static func name(change: ToldChange) -> String {
    change.change == LICET_CHANGE_HALT
      ? change.halt
      : [
        "preference", "setting", "operator-limit", "choice", "platform-limit", "", "session-dial", "operator-dial",
        "stakes", "period", "counter", "session", "suspicion",
      ][Int(change.change)]
  }
}

extension BusAnswer {
  fileprivate init() {}

  /// Without what only an explanation has; a halt brings that unasked. Of one name that decided itself none is said.
  func short(_ behaviors: [String]) -> BusAnswer {
    var answer = self
    (answer.trace, answer.way, answer.changes, answer.isUntrusted) = (nil, nil, [], false)
    if behaviors.count == 1 { answer.behavior = behavior ?? behaviors[0] }
    return answer
  }
}

extension ToldStep {
  fileprivate var onBus: [String: String] {
    var row = [
      "step": TraceStep(rawValue: step)?.name ?? "?", "behavior": behavior, "effect": Told.name(effect: effect),
      "says": Told.name(effect: says),
    ]
    if statement.form != LICET_FORM_NONE {
      row["statement"] = statement.place
      row["of"] = statement.behavior
      if !statement.clause.isEmpty { row["clause"] = statement.clause }
      let chosenFor = StatementForm(rawValue: UInt8(clamping: statement.form))?.chosenFor
      if let chosenFor { row["chosen-for"] = chosenFor }
      if chosenFor != nil, !statement.condition.isEmpty {
        row["totals"] = statement.condition
      } else if !statement.condition.isEmpty {
        row["condition"] = statement.condition
        row["truth"] = Truth(rawValue: truth)?.name
      }
    }
    if tier >= 0 { row["tier"] = PolicyImage.Tier(rawValue: UInt8(tier))?.name }
    if truth == UInt8(LICET_FAILED) { row["failure"] = failure }
    if !attribute.isEmpty { row["attribute"] = attribute }
    if isShadow { row["shadow"] = "true" }
    if isClamped { row["clamped"] = "true" }
    if let dial {
      row["truth"] = Truth(rawValue: truth)?.name
      row["stakes"] = "\(dial.stakes)"
      row["dial"] = "\(dial.dial)"
      row["stakes-statement"] = dial.statement.place
      if dial.isUntrusted { row["untrusted"] = "true" }
    }
    if let period {
      row["period"] = period.statement.behavior
      row["terms"] = period.statement.condition
      row["ended"] = "\(period.hasEnded)"
      let isRule = [TraceStep.grant, .duty, .limit].contains(TraceStep(rawValue: step))
      if isRule, statement.condition.isEmpty { row["truth"] = Truth(rawValue: truth)?.name }
    }
    if let hold = hold.flatMap({ SessionHold(rawValue: UInt8(clamping: $0)) }) {
      row["truth"] = Truth(rawValue: truth)?.name
      row["hold"] = hold.name
      if !term.isEmpty { row["term"] = term }
    }
    return row
  }
}

// MARK: the Oracle

/// Where each statement of a loaded policy stands.
struct Places {
  private var contents: [String: String] = [:]
  private var dials: [String: OracleDialSetter] = [:]

  init(_ platform: Platform, _ operator: PolicyLanguage.Operator?) {
    for statement in platform.statements + (`operator`?.statements ?? []) {
      contents[Places.key(statement.location.file, statement.location.line, statement.location.column)] =
        statement.content
    }
    let dial = platform.dial
    for (stated, setter) in [
      (`operator`?.dial, OracleDialSetter.operator), (dial.usersMay, .usersMay), (dial.operatorsMay, .operatorsMay),
      (dial.default, .default),
    ] {
      guard let place = stated?.location else { continue }
      dials[Places.key(place.file, place.line, place.column)] = setter
    }
  }

  private static func key(_ file: String, _ line: Int, _ column: Int) -> String { "\(file):\(line):\(column)" }

  /// A ceiling that isn't stated stands where the default does, and is called that.
  func canonical(_ identity: OracleIdentity?, _ dial: PolicyLanguage.Dial) -> OracleIdentity? {
    switch identity {
    case .dial(.operatorsMay) where dial.operatorsMay.location == dial.default.location: .dial(.default)
    case .dial(.usersMay) where dial.usersMay.location == dial.default.location: .dial(.default)
    default: identity
    }
  }

  /// What the Oracle calls a statement of the library's; a rule that stands nowhere in the files has no content.
  func identity(_ statement: ToldStatement?) -> OracleIdentity? {
    guard let statement else { return nil }
    switch statement.form {
    case LICET_FORM_RULE:
      let key = Places.key(statement.file, Int(statement.line), Int(statement.column))
      return .statement(content: contents[key] ?? "nowhere: \(key)", behavior: statement.behavior)
    case LICET_FORM_BUILT_IN where statement.behavior.isEmpty: return .dial(.default)
    case LICET_FORM_DECLARATION, LICET_FORM_CHOSEN, LICET_FORM_BUILT_IN: return .declaration(statement.behavior)
    case LICET_FORM_AUDIENCE: return .audience(statement.behavior)
    case LICET_FORM_UNKNOWN: return .unknown
    case LICET_FORM_DIAL:
      return dials[Places.key(statement.file, Int(statement.line), Int(statement.column))].map { .dial($0) }
    default: return nil
    }
  }
}

extension Told {
  /// The library's answer in the Oracle's words; without a trace and a way unless it was explained.
  func inOracle(_ places: Places) -> OracleDecision {
    let kinds: [OracleDecider.Kind] = [
      .default, .setting, .ceiling, .preference, .operator, .guideline, .ethics, .safety, .oversight, .absolute,
    ]
    let ways: [OracleWay?] = [nil, .user, .operator, .platform, .nobody, .authorities, .wait]
    let causes: [OracleDecider.Cause?] = [nil, .session, .suspicion, .dial, .halt]
    return OracleDecision(
      effect: PolicyImage.Effect(rawValue: UInt8(clamping: effect)) ?? .deny, obligations: obligations,
      decidedBy: OracleDecider(
        kind: kinds[Int(decidedBy)], statement: places.identity(statement), cause: causes[Int(oversight)]),
      trace: (steps ?? []).map { $0.inOracle(places) }, way: steps == nil ? nil : ways[Int(way)])
  }
}

extension ToldStep {
  fileprivate func inOracle(_ places: Places) -> OracleTraceEntry {
    let names: [OracleTraceEntry.Step] = [
      .default, .setting, .operator, .grant, .preference, .duty, .limit, .oversight, .absolute, .dial, .default,
      .session,
      .suspicion,
    ]
    let step = names[Int(self.step)]
    let isRule = [.setting, .grant, .duty, .limit, .dial, .session, .suspicion].contains(step)
    var told = OracleTraceEntry(
      name: behavior, step: step, tier: tier < 0 ? nil : PolicyImage.Tier(rawValue: UInt8(tier)),
      statement: places.identity(statement), to: isRule ? PolicyImage.Effect(rawValue: says) : nil,
      truth: isRule ? OracleTruth(rawValue: truth) : nil, effect: PolicyImage.Effect(rawValue: effect) ?? .deny,
      isShadow: isShadow, isClamped: isClamped)
    told.period = period.map { OraclePeriod(name: $0.statement.behavior, hasEnded: $0.hasEnded) }
    if let hold {
      let holds: [OracleTraceEntry.Hold?] = [nil, .cap, .scope, .resources, .preference]
      (told.hold, told.term) = (holds[Int(hold)], term)
    }
    guard let dial else { return told }
    (told.stakes, told.dial) = (Degree(dial.stakes, up: true), Degree(dial.dial, up: false))
    told.stakesOf = dial.statement.form == LICET_FORM_NONE ? nil : dial.statement.behavior
    return told
  }
}
