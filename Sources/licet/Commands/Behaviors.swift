// `licet behaviors`: what can be asked about, as a tree, with who may change what.

import ArgumentParser
import Consultation
import Offline
import PolicyImage
import PolicyLanguage

struct Behaviors: LicetCommand {
  static let configuration = CommandConfiguration(
    abstract: "List the behaviours as a tree: default, who may change it, absolutes, titles, clauses.",
    discussion: "The daemon's, or those of a folder (--policy) or an image (--image).")

  @OptionGroup var policy: PolicyOptions
  @OptionGroup var bus: AddressOptions
  @Argument(help: "Show these and what is below them; all, when left out.")
  var names: [String] = []
  @OptionGroup var format: FormatOptions

  func perform() throws(CommandError) -> Int32 {
    try policy.exclude(bus)
    var list = policy.isOffline ? try BehaviorList(try policy.source()) : try BehaviorList(try bus.daemon())
    list.rows = try select(list.rows)
    if format.json {
      Output.line(list.json.pretty)
    } else {
      Output.text(BehaviorTree(style: .detected()).page(list))
    }
    return 0
  }

  private func select(_ rows: [BehaviorList.Row]) throws(CommandError) -> [BehaviorList.Row] {
    for name in names where !rows.contains(where: { BehaviorName.covers(name, $0.name) }) {
      throw CommandError(
        .badName, "no behaviour `\(harmless(name))` is declared, nor one below it", at: "behavior",
        hint: suggestion(for: name, in: rows.map(\.name)))
    }
    return names.isEmpty ? rows : rows.filter { row in names.contains { BehaviorName.covers($0, row.name) } }
  }
}

/// What a platform declares, as a folder, an image or the daemon says it.
struct BehaviorList {
  struct Row {
    var name: String
    var title: String?
    var choice: Choice
    var absolute: Absolute
    var stakes: Double
    var clause: String?
    var place: String?
    /// Of a default that its population chose: of how many, and each response's total.
    var totals: String?
  }

  /// nil: the daemon doesn't say.
  var platform: String?
  var unknown: Effect?
  var rows: [Row]
  var attributes: [JSON]?

  init(_ source: PolicySource) throws(CommandError) {
    let policy = try source.requirePolicy()
    let declared = source.set?.platform?.behaviors ?? [:]
    platform = policy.identity.name
    unknown = policy.identity.unknown
    rows = policy.behaviors.filter(\.isDeclared).map { entry in
      let own = entry.declaration?.behavior == entry.name ? entry.declaration?.clause : nil
      return Row(
        name: entry.name, title: declared[entry.name]?.title, choice: entry.choice, absolute: entry.absolute,
        // An inherited declaration's clause is its ancestor's.
        stakes: entry.stakes, clause: declared[entry.name]?.clause ?? own, place: entry.declaration?.place,
        totals: entry.declaration?.totals)
    }
    attributes = policy.attributes.map {
      .fields(["name": .string($0.name), "type": .string($0.type.text), "verified": .bool($0.isVerified)])
    }
  }

  /// Asks for ListBehaviors.
  init(_ daemon: Daemon) throws(CommandError) {
    rows = (try daemon.call(.authority, "ListBehaviors").first?.items ?? []).compactMap(Row.init(wire:))
    rows.sort { $0.name < $1.name }
  }

  var json: JSON {
    .fields([
      "platform": .optional(platform), "unknown": .optional(unknown?.name),
      "behaviors": .array(
        rows.map { row in
          .fields([
            "name": .string(row.name), "title": .optional(row.title), "default": .string(row.choice.default.name),
            "operators_may": .string(row.choice.operatorsMay.name),
            "users_may": .string(row.choice.usersMay.name), "hardcoded": .optional(row.absolute.name),
            "obligations": .strings(row.choice.obligations),
            "chosen_for": row.totals.map { _ in .string("population") },
            "totals": row.totals.map(JSON.string), "stakes": .double(row.stakes), "clause": .optional(row.clause),
            "statement": .optional(row.place),
          ])
        }),
      "attributes": attributes.map(JSON.array) ?? .null,
    ])
  }
}

extension BehaviorList.Row {
  /// An entry of ListBehaviors; nil for what is only named, not declared.
  init?(wire: JSON) {
    guard let name = wire["name"]?.text, wire["declared"] != .bool(false) else { return nil }
    func effect(_ key: String) -> Effect { Effect.allCases.first { $0.name == wire[key]?.text } ?? .deny }
    func text(_ key: String) -> String? { wire[key]?.text.flatMap { $0.isEmpty ? nil : $0 } }
    let absolutes: [String: Absolute] = ["on": .on, "off": .off]
    var stakes = 1.0
    if case .double(let value) = wire["stakes"] { stakes = value }
    self.init(
      name: name, title: text("title"),
      choice: Choice(
        default: effect("default"), operatorsMay: effect("operators-may"), usersMay: effect("users-may"),
        obligations: wire["obligations"]?.texts ?? []),
      absolute: text("absolute").flatMap { absolutes[$0] } ?? .none, stakes: stakes, clause: text("clause"),
      place: text("statement"), totals: text("totals"))
  }
}

extension Absolute {
  var name: String? {
    switch self {
    case .none: nil
    case .off: "off"
    case .on: "on"
    }
  }
}
