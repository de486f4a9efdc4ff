// What two newspapers would print about a policy (DESIGN §2.7): for each behaviour with a population and each operator, the
// harm that is expected where it is allowed, and the benefit that is lost where it is denied or asked about.

import CEL
import Consultation
import Decision
import Offline
import PolicyImage
import PolicyLanguage

/// One group under what is decided.
struct ReviewedGroup {
  var name: String
  var count: Int64
  /// What the response in force does to one of them.
  var payoff: Int128
  /// What the best response for them does, of those that keep the bounds.
  var best: Int128
  /// count × what is below zero, as a sum of 0 or more.
  var harm: Int128 { max(-payoff, 0) * Int128(count) }
  /// count × what the best one would add; 0 or more.
  var loss: Int128 { max(best - payoff, 0) * Int128(count) }
}

/// One behaviour as it stands for one operator.
struct Finding {
  var behavior: String
  var title: String?
  /// By statements without condition.
  var effect: Effect
  var obligations: [String]
  var decidedBy: DecidedBy
  /// Statements with a condition that may decide otherwise, each with its place, in a line.
  var conditional: [String]
  /// The counts are the operator's own audience's.
  var isAudience: Bool
  var people: Int64
  /// The response in the table that is in force; nil: the table has none, and payoffs count as 0.
  var response: WeighedResponse?
  /// Best first.
  var responses: [WeighedResponse]
  var groups: [ReviewedGroup]

  /// The first response that keeps the bounds, whoever may choose it.
  var best: WeighedResponse? { responses.first { $0.violated.isEmpty } }
  var total: Int128 { response?.total ?? 0 }
  var harm: Int128 { effect == .allow ? groups.reduce(0) { $0 + $1.harm } : 0 }
  var loss: Int128 { effect == .allow ? 0 : groups.reduce(0) { $0 + $1.loss } }
  var inForce: String {
    obligations.isEmpty || effect == .deny ? effect.name : "\(effect.name) with \(obligations.joined(separator: ", "))"
  }

  /// What a sum is per thousand who ask: populations of different sizes compare by it.
  func perThousand(_ sum: Int128) -> Double { Double(sum) / 1_000_000 / Double(people) * 1000 }
}

extension Finding {
  /// Nothing of the operator's own is in it.
  func isSame(as other: Finding) -> Bool {
    behavior == other.behavior && effect == other.effect && obligations == other.obligations && !isAudience
      && decidedBy.statement?.layer != .overlay && conditional == other.conditional
  }
}

/// The platform alone (name nil), or an operator.
struct ReviewedParty {
  var name: String?
  /// What is the operator's own doing, or all, where the platform alone isn't reviewed beside it.
  var findings: [Finding]
  /// Decided as for the platform alone.
  var unchanged: [Finding] = []

  var all: [Finding] { findings + unchanged }

  /// Allowed, the greatest expected harm first.
  var harms: [Finding] { sorted(findings.filter { $0.harm > 0 }) { $0.perThousand($0.harm) } }
  /// Denied or asked about, the greatest lost benefit first.
  var losses: [Finding] { sorted(findings.filter { $0.loss > 0 }) { $0.perThousand($0.loss) } }

  private func sorted(_ findings: [Finding], by weight: (Finding) -> Double) -> [Finding] {
    findings.sorted { weight($0) != weight($1) ? weight($0) > weight($1) : $0.behavior < $1.behavior }
  }
}

struct Review {
  var platform: String
  var parties: [ReviewedParty]
  /// Behaviours that state no population, which nobody can weigh.
  var unweighed: Int
  var panel: [PanelResult] = []
  var errors: [PanelResult] { panel.filter { $0.error != nil } }

  /// Of these operators, and of the platform alone unless one is named.
  init(_ set: PolicySet, only name: String?) throws(CommandError) {
    guard let platform = set.platform else { throw CommandError(.badPolicy, "no platform is in force") }
    self.platform = platform.name
    let behaviors = platform.behaviors.values.sorted { BehaviorName.precedes($0.name, $1.name) }
    let weighable = behaviors.filter { $0.population != nil }
    unweighed = behaviors.count - weighable.count
    let operators = set.operators.values.filter { name == nil || $0.name == name }.sorted { $0.name < $1.name }
    let unconditional = try Unconditional(platform, operators)
    var parties: [ReviewedParty] = []
    for party in (name == nil ? [nil] : []) + operators.map(Optional.some) {
      var findings: [Finding] = []
      for behavior in weighable { findings.append(try unconditional.finding(behavior, party)) }
      let platforms = parties.first { $0.name == nil }?.findings ?? []
      func isUnchanged(_ finding: Finding) -> Bool { platforms.contains { finding.isSame(as: $0) } }
      parties.append(
        ReviewedParty(
          name: party?.name, findings: findings.filter { !isUnchanged($0) }, unchanged: findings.filter(isUnchanged)))
    }
    self.parties = parties
  }
}

/// A policy without the statements that hold only sometimes: what it says of a behaviour as such.
private struct Unconditional {
  let platform: Platform
  let policy: OfflinePolicy

  init(_ platform: Platform, _ operators: [Operator]) throws(CommandError) {
    var bare = platform
    bare.statements.removeAll { $0.condition != nil }
    let bareOperators = operators.map { one in
      var copy = one
      copy.statements.removeAll { $0.condition != nil }
      return copy
    }
    self.platform = platform
    do {
      policy = try OfflinePolicy(checked: bare, operators: bareOperators)
    } catch {
      throw CommandError(.badPolicy, error.message, at: "\(error.location.file):\(error.location.line)")
    }
  }

  func finding(_ behavior: Behavior, _ party: Operator?) throws(CommandError) -> Finding {
    let answer = try decide(behavior.name, party)
    let population = behavior.population ?? Population(who: [:], responses: [], bounds: [:])
    let audience = party?.audiences.first { $0.behavior == behavior.name && !$0.isOutdated }
    let who = audience?.who ?? population.who
    let responses = population.weighed(for: who)
    let response = Self.inForce(answer, responses)
    let bearable = responses.filter(\.violated.isEmpty).map(\.response)
    let groups = who.sorted { $0.value != $1.value ? $0.value > $1.value : $0.key < $1.key }.map { group, count in
      ReviewedGroup(
        name: group, count: count, payoff: Int128(response?.response.payoff(group).millionths ?? 0),
        best: Int128(bearable.map { $0.payoff(group).millionths }.max() ?? 0))
    }
    return Finding(
      behavior: behavior.name, title: behavior.title, effect: answer.effect, obligations: answer.obligations,
      decidedBy: answer.decidedBy, conditional: conditional(behavior.name, party), isAudience: audience != nil,
      people: who.values.reduce(0, +), response: response, responses: responses, groups: groups)
  }

  /// The behaviour itself, not what is declared below it: a name below that nobody knows is governed as it is.
  private func decide(_ name: String, _ party: Operator?) throws(CommandError) -> Answer {
    var probe = name
    if BehaviorName.path(of: name).count < BehaviorName.maximumDepth {
      var segment = "any"
      while platform.behaviors.keys.contains(where: { BehaviorName.covers("\(name).\(segment)", $0) }) {
        segment += "-"
      }
      probe += ".\(segment)"
    }
    let request = Request(behaviors: [probe], source: .user, now: (ScenarioFile.defaultNow.seconds, 0))
    do throws(RequestError) {
      var answer = try policy.decide(request, operator: party?.name)
      answer.decidedBy.behavior = name
      return answer
    } catch {
      throw CommandError(error)
    }
  }

  /// The response that an answer amounts to: of its effect, with as many of its obligations as any.
  private static func inForce(_ answer: Answer, _ responses: [WeighedResponse]) -> WeighedResponse? {
    responses.filter {
      $0.response.effect == answer.effect && Set(answer.obligations).isSuperset(of: $0.response.obligations)
    }.max {
      let (a, b) = ($0.response.obligations, $1.response.obligations)
      return a.count != b.count ? a.count < b.count : b.lexicographicallyPrecedes(a)
    }
  }

  private func conditional(_ name: String, _ party: Operator?) -> [String] {
    let all = platform.statements + (party?.statements ?? [])
    let covering = all.filter { $0.condition != nil && !$0.isShadow && BehaviorName.covers($0.behavior, name) }
    return covering.sorted { $0.location.precedes($1.location) }.map { statement in
      let says =
        switch statement.kind {
        case .setting: "says \(statement.effect.name)"
        case .grant: "lets users go up to \(statement.effect.name)"
        case .duty: "owes at least \(statement.effect.name)"
        case .limit: "limits to \(statement.effect.name)"
        }
      let when = (statement.condition?.source ?? "").split(whereSeparator: \.isWhitespace).joined(separator: " ")
      return "\(statement.location.file):\(statement.location.line) \(says) when \(when)"
    }
  }
}
