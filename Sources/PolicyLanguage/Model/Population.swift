// Who asks for an ambiguous behaviour, what each response does to them, and which response that makes the default
// (DESIGN §2.7). Payoffs are decimal fractions and are added up exactly: 2.8 is 28 tenths, never a binary fraction.

public import PolicyImage

/// A payoff, or a bound for one.
public struct Payoff: Hashable, Sendable {
  /// As it was written: "+2.8".
  public var text: String
  public var millionths: Int64

  /// Digits before the point and behind it, at most.
  public static let maximumWhole = 9
  public static let maximumFraction = 6
  public static let zero = Payoff(text: "0", millionths: 0)

  public init(text: String, millionths: Int64) {
    self.text = text
    self.millionths = millionths
  }
}

/// One possible response to a behaviour, with what it does to one person of each group.
public struct PopulationResponse: Hashable, Sendable {
  public var effect: Effect
  /// Sorted, without repeats.
  public var obligations: [String]
  /// By group; none stated: 0.
  public var payoffs: [String: Payoff]
  public init(effect: Effect, obligations: [String], payoffs: [String: Payoff]) {
    self.effect = effect
    self.obligations = obligations
    self.payoffs = payoffs
  }

  public func payoff(_ group: String) -> Payoff { payoffs[group] ?? .zero }

  /// "allow with safe-messaging".
  public var title: String {
    obligations.isEmpty ? "\(effect)" : "\(effect) with \(obligations.joined(separator: ", "))"
  }
}

/// What a behaviour states as its population.
public struct Population: Hashable, Sendable {
  /// How many of those who ask are of each group; at least one group, each count at least 1.
  public var who: [String: Int64]
  /// At least one, by effect and obligations; no two say the same.
  public var responses: [PopulationResponse]
  /// What no single person of a group may come off worse than.
  public var bounds: [String: Payoff]

  public static let maximumGroups = 64
  public static let maximumResponses = 64
  public static let maximumCount: Int64 = 1_000_000_000_000

  public init(who: [String: Int64], responses: [PopulationResponse], bounds: [String: Payoff]) {
    self.who = who
    self.responses = responses
    self.bounds = bounds
  }
}

/// A response weighed for those who ask.
public struct WeighedResponse: Hashable, Sendable {
  public var response: PopulationResponse
  /// The sum of count × payoff, in millionths.
  public var total: Int128
  /// Groups of whom each person would come off worse than their bound, sorted; not empty: it can't be chosen.
  public var violated: [String]
}

/// What was chosen, and why.
public struct PopulationChoice: Hashable, Sendable {
  public var effect: Effect
  public var obligations: [String]
  /// In one line: of how many, the total of each response, best first; what breaks a bound or is out of reach.
  public var reason: String
  public init(effect: Effect, obligations: [String], reason: String) {
    self.effect = effect
    self.obligations = obligations
    self.reason = reason
  }
}

/// An operator's own audience for a behaviour that states a population.
public struct Audience: Hashable, Sendable {
  public var behavior: String
  public var who: [String: Int64]
  public var choice: PopulationChoice
  /// The platform has changed so that the audience no longer fits its population: `deny` is chosen (DESIGN §6, P17).
  public var isOutdated: Bool
  public var location: Location
  public init(
    behavior: String, who: [String: Int64], choice: PopulationChoice, isOutdated: Bool, location: Location
  ) {
    self.behavior = behavior
    self.who = who
    self.choice = choice
    self.isOutdated = isOutdated
    self.location = location
  }
}

extension Population {
  /// Every response with its total for these people, the one to choose first: what keeps the bounds before what
  /// doesn't, the greater total, of equals the stricter (lower effect, more obligations, names in order).
  public func weighed(for who: [String: Int64]) -> [WeighedResponse] {
    let all = responses.map { response in
      WeighedResponse(
        response: response,
        total: who.reduce(0) { $0 + Int128($1.value) * Int128(response.payoff($1.key).millionths) },
        violated: bounds.filter { response.payoff($0.key).millionths < $0.value.millionths }.keys.sorted())
    }
    return all.sorted { $0.precedes($1) }
  }

  /// The choice for these people among the responses of at most this effect.
  public func choice(for who: [String: Int64], atMost ceiling: Effect = .allow) -> PopulationChoice {
    let all = weighed(for: who)
    let best = all.first { $0.violated.isEmpty && $0.response.effect <= ceiling }
    let totals = all.map { $0.summary(self, atMost: ceiling) }.joined(separator: "; ")
    let none = best == nil ? "; none can be chosen" : ""
    return PopulationChoice(
      effect: best?.response.effect ?? .deny, obligations: best?.response.obligations ?? [],
      reason: "of \(who.values.reduce(0, +)): \(totals)\(none)")
  }
}

extension WeighedResponse {
  fileprivate func precedes(_ other: WeighedResponse) -> Bool {
    if violated.isEmpty != other.violated.isEmpty { return violated.isEmpty }
    if total != other.total { return total > other.total }
    if response.effect != other.response.effect { return response.effect < other.response.effect }
    let (mine, others) = (response.obligations, other.response.obligations)
    return mine.count != others.count ? mine.count > others.count : mine.lexicographicallyPrecedes(others)
  }

  fileprivate func summary(_ population: Population, atMost ceiling: Effect) -> String {
    var text = "\(response.title) \(decimalText(total))"
    if let group = violated.first, let bound = population.bounds[group] {
      text += " (\(response.payoff(group).text) for each \(group) is below \(bound.text))"
    } else if response.effect > ceiling {
      text += " (above the ceiling)"
    }
    return text
  }
}

/// Millionths as a decimal: "2311", "-0.5".
public func decimalText(_ millionths: Int128) -> String {
  let (whole, rest) = millionths.magnitude.quotientAndRemainder(dividingBy: 1_000_000)
  var text = (millionths < 0 ? "-" : "") + "\(whole)"
  guard rest > 0 else { return text }
  var digits = String("\(rest + 1_000_000)".dropFirst())
  while digits.last == "0" { digits.removeLast() }
  text += "." + digits
  return text
}
