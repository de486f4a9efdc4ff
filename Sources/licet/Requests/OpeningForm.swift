// A session's terms, from flags or a JSON file -> the a{sv} of OpenSession and Delegate (dbus/org.licet.Licet1.xml).

import ArgumentParser
import Bus
import Consultation
import Decision
import Offline
import PolicyImage

struct TermsOptions: ParsableArguments {
  @Option(
    name: .long,
    help: ArgumentHelp(
      "Read the terms from a JSON file; `-` is standard input. Flags stand over it.", valueName: "file"),
    completion: .file(extensions: ["json"]))
  var terms: String?

  @Option(name: .long, help: "Who the user is (user.id).")
  var user: String?

  @Option(
    name: .long,
    help: ArgumentHelp("An attribute of the user or the session, as user.role=member.", valueName: "name=value"))
  var set: [String] = []

  @Option(
    name: .long, help: ArgumentHelp("An attribute in JSON, as 'user.groups=[\"staff\"]'.", valueName: "name=json"))
  var setJson: [String] = []

  @Option(
    name: .long,
    help: ArgumentHelp("The user's wish, as tool.shell=ask; a delegate's only caps.", valueName: "behavior=effect"))
  var prefer: [String] = []

  @Option(
    name: .long,
    help: ArgumentHelp("The most that a behaviour may be, as tool.email=ask.", valueName: "behavior=effect"))
  var cap: [String] = []

  @Option(
    name: .long,
    help: ArgumentHelp("A behaviour that may be used, with all below it; no other may.", valueName: "behavior"))
  var only: [String] = []

  @Option(
    name: .long,
    help: ArgumentHelp("A resource that may be used, as 'file:/srv/work/**'; no other may.", valueName: "pattern"))
  var resource: [String] = []

  @Option(name: .long, help: "How far the agent may go on its own, between 0 and 1, as far as users may raise it.")
  var dial: String?

  @Option(name: .long, help: "The most that may be spent, in the operator's own unit.")
  var cost: String?

  @Option(name: .long, help: ArgumentHelp("How long it may be used, as 1h30m.", valueName: "duration"))
  var lifetime: String?

  func form() throws(CommandError) -> OpeningForm {
    var form = OpeningForm()
    if let terms { form = try OpeningForm(try JSON(file: terms, try Files.read(terms))) }
    var attributes = RequestForm()
    if let user { attributes.attributes["user", default: [:]]["id"] = .string(user) }
    for assignment in set { try attributes.set(assignment, flag: "--set", isJSON: false) }
    for assignment in setJson { try attributes.set(assignment, flag: "--set-json", isJSON: true) }
    try form.take(attributes)
    for one in prefer { try form.take(one, into: "preferences", flag: "--prefer") }
    for one in cap { try form.take(one, into: "caps", flag: "--cap") }
    if !only.isEmpty { form.members["behaviors"] = .strings(only) }
    if !resource.isEmpty { form.members["resources"] = .strings(resource) }
    if let dial { form.members["dial"] = .double(try number(dial, "--dial")) }
    if let cost { form.members["cost"] = .double(try number(cost, "--cost")) }
    if let lifetime { form.members["lifetime-ms"] = .int(try milliseconds(lifetime)) }
    return form
  }

  private func number(_ text: String, _ flag: String) throws(CommandError) -> Double {
    guard let number = Double(text) else { throw CommandError(.badValue, "`\(harmless(text))` is no number", at: flag) }
    return number
  }

  private func milliseconds(_ text: String) throws(CommandError) -> Int64 {
    guard let length = Instant(duration: text), length.seconds >= 0, length.nanoseconds >= 0,
      length.seconds < Int64.max / 1000
    else {
      throw CommandError(
        .badValue, "`\(harmless(text))` is no length of time", at: "--lifetime", hint: "for example 90s, 15m, 1h30m")
    }
    return length.seconds * 1000 + Int64(length.nanoseconds) / 1_000_000
  }
}

/// Terms by their keys, checked for shape; what they mean is the daemon's to judge.
struct OpeningForm {
  static let keys = ["user", "session", "preferences", "caps", "behaviors", "resources", "dial", "cost", "lifetime-ms"]

  var members: [String: JSON] = [:]
  /// Attributes that came as a flag's plain text, still to be read by their declared type.
  var plain: Set<String> = []

  init() {}

  init(_ json: JSON) throws(CommandError) {
    guard case .object(let members) = json else { throw wrongType("an object of terms", json, "--terms") }
    for member in members {
      guard OpeningForm.keys.contains(member.key) else {
        throw CommandError(
          .unknownKey, "terms have no key `\(harmless(member.key))`", at: member.key,
          hint: suggestion(for: member.key, in: OpeningForm.keys)
            ?? "their keys are \(OpeningForm.keys.joined(separator: ", "))")
      }
      self.members[member.key] = try OpeningForm.checked(member)
    }
  }

  private static func checked(_ member: JSON.Member) throws(CommandError) -> JSON {
    let value = member.value
    switch (member.key, value) {
    case ("user", .object(let inner)), ("session", .object(let inner)):
      for one in inner where !one.value.isWritable {
        throw wrongType(
          "a value", .null, "\(member.key).\(one.key)", hint: "leave out what isn't known: D-Bus has no null")
      }
      return value
    case ("user", _), ("session", _): throw wrongType("an object of attributes", value, member.key)
    case ("preferences", .object(let inner)), ("caps", .object(let inner)):
      for one in inner where one.value.text == nil {
        throw wrongType("an effect", one.value, "\(member.key).\(one.key)")
      }
      return value
    case ("preferences", _), ("caps", _): throw wrongType("an object of effects by behaviour", value, member.key)
    case ("behaviors", .array(let items)), ("resources", .array(let items)):
      for (index, item) in items.enumerated() where item.text == nil {
        throw wrongType("a string", item, "\(member.key)[\(index)]")
      }
      return value
    case ("behaviors", _), ("resources", _): throw wrongType("a list", value, member.key)
    case ("lifetime-ms", .int(let number)) where number >= 0: return value
    case ("lifetime-ms", _): throw wrongType("whole milliseconds", value, member.key)
    case (_, .int(let number)): return .double(Double(number))
    case (_, .double): return value
    default: throw wrongType("a number", value, member.key)
    }
  }

  /// Attributes of flags, over those of the file.
  mutating func take(_ form: RequestForm) throws(CommandError) {
    for (root, attributes) in form.attributes {
      guard root != "request" else {
        throw CommandError(
          .unknownAttribute, "a session has attributes of the user and of itself; those of requests come with each",
          at: "--set")
      }
      var own: [JSON.Member] = if case .object(let members) = members[root] { members } else { [] }
      own.removeAll { attributes[$0.key] != nil }
      own += attributes.sorted { $0.key < $1.key }.map { JSON.Member(key: $0.key, value: $0.value) }
      members[root] = .object(own)
    }
    plain = form.plain
  }

  /// BEHAVIOR=EFFECT.
  mutating func take(_ assignment: String, into key: String, flag: String) throws(CommandError) {
    let parts = assignment.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    guard parts.count == 2, !parts[0].isEmpty else {
      throw CommandError(
        .badValue, "`\(harmless(assignment))` is not of the form BEHAVIOR=EFFECT", at: flag,
        hint: "for example \(flag) tool.shell=ask")
    }
    let effect = try Effect(named: parts[1], at: flag)
    var own: [JSON.Member] = if case .object(let members) = members[key] { members } else { [] }
    own.removeAll { $0.key == parts[0] }
    own.append(JSON.Member(key: parts[0], value: .string(effect.name)))
    members[key] = .object(own)
  }

  /// The a{sv}. `asText`: attributes that are sent as plain texts.
  func write(_ writer: inout MessageWriter, asText: Set<String>) {
    writer.array("{sv}") { entries in
      for (key, value) in members.sorted(by: { $0.key < $1.key }) {
        var entry = entries.openEntry()
        entry.append(key)
        write(key, value, &entry, asText)
        entries.close(&entry)
      }
    }
  }

  private func write(_ key: String, _ value: JSON, _ writer: inout MessageWriter, _ asText: Set<String>) {
    switch (key, value) {
    case ("preferences", .object(let members)), ("caps", .object(let members)):
      writer.variant("a{ss}") { variant in
        variant.array("{ss}") { list in
          for member in members {
            var entry = list.openEntry()
            entry.append(member.key)
            entry.append(member.value.text ?? "")
            list.close(&entry)
          }
        }
      }
    case ("behaviors", _), ("resources", _): writer.variant("as") { $0.append(value.texts) }
    case ("lifetime-ms", .int(let number)): writer.variant("t") { $0.append(UInt64(clamping: number)) }
    case (_, .object(let members)):
      let typed = members.map { member in
        let name = "\(key).\(member.key)"
        let isPlain = plain.contains(name) && !asText.contains(name)
        return JSON.Member(key: member.key, value: isPlain ? DaemonRequest.guess(member.value) : member.value)
      }
      writer.variant("a{sv}") { JSON.write(typed, &$0) }
    default: value.writeVariant(&writer)
    }
  }
}
