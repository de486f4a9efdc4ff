// A request's form -> a request that a policy can decide: the operator is known, attributes have the declared types.

import Consultation
import Offline
import PolicyImage
import PolicyLanguage

/// What attributes a policy declares.
struct AttributeTable {
  private let types: [String: AttributeType]

  init(_ policy: OfflinePolicy) {
    types = Dictionary(policy.attributes.map { ($0.name, $0.type) }) { first, _ in first }
  }

  /// Typed values by qualified name. Who the user is needs no declaration: it is accepted, and no condition reads it.
  func values(of form: RequestForm) throws(CommandError) -> [String: RequestValue] {
    var values: [String: RequestValue] = [:]
    for (root, members) in form.attributes.sorted(by: { $0.key < $1.key }) {
      for (name, json) in members.sorted(by: { $0.key < $1.key }) {
        let qualified = "\(root).\(name)"
        guard let type = types[qualified] else {
          if qualified == "user.id" {
            guard case .string = json else { throw wrongType("a string", json, qualified) }
            continue
          }
          throw unknown(qualified)
        }
        values[qualified] = try RequestValue(
          form.plain.contains(qualified) ? plainValue(json, as: type) : json, as: type, at: qualified)
      }
    }
    return values
  }

  private func unknown(_ name: String) -> CommandError {
    let builtIn = ["request.behavior", "request.resource", "request.source", "session.dial"]
    if builtIn.contains(name) {
      return CommandError(
        .unknownAttribute, "`\(name)` is not an attribute to give", at: name,
        hint: "it is a key of the request itself: `\(name.split(separator: ".").last ?? "")`")
    }
    let hint = suggestion(for: name, in: types.keys) ?? (types.isEmpty ? "it declares none" : nil)
    return CommandError(
      .unknownAttribute, "the platform declares no attribute `\(harmless(name))`", at: harmless(name), hint: hint)
  }
}

extension RequestForm {
  /// `now` stands for a time that the request doesn't state.
  func request(_ table: AttributeTable, now fallback: Instant) throws(CommandError) -> Request {
    try validate()
    let now = now ?? fallback
    var request = Request(
      behaviors: behaviors, resource: resource, source: source ?? .agent, attributes: try table.values(of: self),
      argument: argument, preference: preference, dial: dial, now: (now.seconds, now.nanoseconds))
    (request.ended, request.counters) = (ended, counters)
    (request.session, request.suspicion) = (terms, suspicion ?? 0)
    return request
  }
}

extension PolicySource {
  /// Decides one request. `explaining` asks for trace and way as well.
  func answer(
    _ form: RequestForm, _ table: AttributeTable, now: Instant, explaining: Bool
  ) throws(CommandError) -> Answer {
    let policy = try requirePolicy()
    let request = try form.request(table, now: now)
    let name = try resolve(operator: form.operatorName)
    if let missing = request.ended.first(where: { !policy.periods.contains($0) }) {
      throw CommandError(
        .unknownPeriod, "the platform declares no period `\(harmless(missing))`", at: "ended",
        hint: suggestion(for: missing, in: policy.periods)
          ?? (policy.periods.isEmpty ? "it declares none" : "they are \(policy.periods.joined(separator: ", "))"))
    }
    if let missing = request.counters.keys.sorted().first(where: { !policy.counters.contains($0) }) {
      throw CommandError(
        .unknownCounter, "the platform declares no counter `\(harmless(missing))`", at: "counters",
        hint: suggestion(for: missing, in: policy.counters)
          ?? (policy.counters.isEmpty ? "it declares none" : "they are \(policy.counters.joined(separator: ", "))"))
    }
    do throws(RequestError) {
      return try policy.decide(request, operator: name, explaining: explaining)
    } catch {
      throw CommandError(error)
    }
  }
}

extension CommandError {
  /// Form and table have checked all of this; the engine's edge checks it once more.
  init(_ error: RequestError) {
    self.init(Code(rawValue: error.code.rawValue) ?? .badValue, "the request is refused", at: error.at)
  }
}
