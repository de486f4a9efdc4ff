// `population:` of a behaviour and `audience:` of an operator -> who asks, what each response does to them.

internal import PolicyImage

extension Shape {
  /// nil: something in it is wrong (reported).
  func population(_ node: NodeID?) -> Population? {
    guard let node, let fields = fields(node, .population) else { return nil }
    let errors = report.errorCount
    guard let whoNode = fields[.who], let who = who(whoNode, "who"), let list = fields[.responses] else { return nil }
    let responses = responses(list, who)
    let bounds = fields[.neverWorseThan].map { payoffs($0, who, "`never-worse-than`") } ?? [:]
    return report.errorCount == errors ? Population(who: who, responses: responses, bounds: bounds) : nil
  }

  // MARK: who

  /// Groups and how many they are; nil: reported.
  func who(_ node: NodeID, _ name: String) -> [String: Int64]? {
    let errors = report.errorCount
    let pairs = document.pairs(node)
    if pairs.isEmpty {
      report.error(
        .populationCount, document.location(node), "`\(name)` names nobody",
        hint: "write how many of those who ask are of each group: `{clinician: 310, patient: 240}`")
    }
    if pairs.count > Population.maximumGroups {
      report.error(
        .populationSize, document.location(node), "\(pairs.count) groups; at most \(Population.maximumGroups)",
        hint: "take together the groups to whom every response does the same")
    }
    var result: [String: Int64] = [:]
    for (key, value) in pairs {
      guard isGroup(key), let count = count(value) else { continue }
      result[document.string(key)] = count
    }
    return report.errorCount == errors ? result : nil
  }

  private func isGroup(_ key: NodeID) -> Bool {
    if document.kind(key) == .scalar, Names.isValid(document.content(key)) { return true }
    report.error(
      .badName, document, key, "`\(document.string(key))` can't be a group's name",
      hint: "names are letters, digits, `.`, `_` and `-`, and begin with a letter or digit")
    return false
  }

  private func count(_ node: NodeID) -> Int64? {
    if document.kind(node) == .scalar, case .int(let count) = value(node), count > 0, count <= Population.maximumCount {
      return count
    }
    report.error(
      .populationCount, document, node, "a group's count has to be a whole number from 1 to \(Population.maximumCount)",
      hint: "count people, of any number in all; leave a group that nobody belongs to out")
    return nil
  }

  // MARK: responses

  private func responses(_ node: NodeID, _ who: [String: Int64]) -> [PopulationResponse] {
    let pairs = document.pairs(node)
    if pairs.isEmpty {
      report.error(
        .populationResponse, document.location(node), "`responses` names none",
        hint: "write what each possible response does to one person of each group: `allow: {patient: +2}`")
    }
    if pairs.count > Population.maximumResponses {
      report.error(
        .populationSize, document.location(node), "\(pairs.count) responses; at most \(Population.maximumResponses)",
        hint: "leave out what is never better than another one")
    }
    var result: [PopulationResponse] = []
    for (key, value) in pairs {
      let payoffs = payoffs(value, who, "`\(document.string(key))`")
      guard let (effect, obligations) = response(key) else { continue }
      if result.contains(where: { $0.effect == effect && $0.obligations == obligations }) {
        report.error(
          .populationResponse, document, key, "this response stands here twice", hint: "keep one of the two")
      }
      result.append(PopulationResponse(effect: effect, obligations: obligations, payoffs: payoffs))
    }
    // The order in which they are written says nothing: two files that differ in it alone agree.
    return result.sorted {
      $0.effect != $1.effect ? $0.effect < $1.effect : $0.obligations.lexicographicallyPrecedes($1.obligations)
    }
  }

  /// `EFFECT` or `EFFECT with NAME, NAME …`.
  private func response(_ key: NodeID) -> (Effect, [String])? {
    let text = document.kind(key) == .scalar ? document.string(key) : ""
    let words = text.split(separator: " ", maxSplits: 2, omittingEmptySubsequences: true)
    guard let first = words.first, let effect = Words.effects.firstIndex(of: String(first)) else {
      let word = words.first.map(String.init) ?? text
      report.error(
        .populationResponse, document, key, "`\(word)` is no response",
        hint: report.suggestion(for: word, from: Words.effects)
          ?? "a response begins with `deny`, `ask` or `allow`, and may go on `with` obligations")
      return nil
    }
    guard let effect = Effect(rawValue: UInt8(effect)) else { return nil }
    if words.count == 1 { return (effect, []) }
    let names = words.count == 3 ? words[2].split(separator: ",", omittingEmptySubsequences: false).map(trimmed) : []
    guard words[1] == "with", !names.isEmpty, names.allSatisfy({ Names.isValid(Array($0.utf8)[...]) }) else {
      report.error(
        .populationResponse, document, key, "`\(text)` is no response",
        hint: "write `\(first)`, or `\(first) with` and the obligations' names, parted by commas")
      return nil
    }
    return (effect, Set(names).sorted())
  }

  private func trimmed(_ text: Substring) -> String {
    var text = text
    while text.first == " " { text.removeFirst() }
    while text.last == " " { text.removeLast() }
    return String(text)
  }

  // MARK: payoffs

  private func payoffs(_ node: NodeID, _ who: [String: Int64], _ what: String) -> [String: Payoff] {
    guard document.kind(node) == .mapping else {
      wrongType(
        node, "\(what) has to be a mapping (`key: value`)", hint: "write a payoff for each group: `{patient: +2}`")
      return [:]
    }
    var result: [String: Payoff] = [:]
    for (key, value) in document.pairs(node) {
      let name = document.string(key)
      if who[name] == nil {
        report.error(
          .populationGroup, document, key, "\(what) names `\(name)`, which is no group of `who`",
          hint: report.suggestion(for: name, from: who.keys)
            ?? "its groups are \(Self.list(who.keys.sorted()))")
      }
      if let payoff = payoff(value) { result[name] = payoff }
    }
    return result
  }

  /// A decimal fraction, read as one.
  private func payoff(_ node: NodeID) -> Payoff? {
    let bytes = document.content(node)
    let isNumber: Bool =
      switch value(node) {
      case .int, .double: true
      default: false
      }
    guard document.kind(node) == .scalar, isNumber, let decimal = Self.decimal(bytes) else {
      report.error(
        .populationPayoff, document, node, "a payoff has to be a decimal number such as `+2.8` or `-40`",
        hint: "write it out, with digits and one point, and without quotes")
      return nil
    }
    guard decimal.whole <= Payoff.maximumWhole, decimal.fraction <= Payoff.maximumFraction else {
      report.error(
        .populationPayoff, document, node, "this payoff has too many digits",
        hint: "at most \(Payoff.maximumWhole) before the point and \(Payoff.maximumFraction) behind it")
      return nil
    }
    return Payoff(text: document.string(node), millionths: decimal.millionths)
  }

  /// nil: not `[-+]?` digits with one point among them at most. `millionths` counts while the digits are few enough.
  private static func decimal(_ bytes: ArraySlice<UInt8>) -> (whole: Int, fraction: Int, millionths: Int64)? {
    var rest = bytes
    let isNegative = rest.first == UInt8(ascii: "-")
    if isNegative || rest.first == UInt8(ascii: "+") { rest = rest.dropFirst() }
    let whole = rest.prefix { $0 != UInt8(ascii: ".") }
    let fraction = rest.dropFirst(whole.count + 1)
    guard !whole.isEmpty || !fraction.isEmpty, (whole + fraction).allSatisfy({ (0x30...0x39).contains($0) }) else {
      return nil
    }
    guard whole.count <= Payoff.maximumWhole, fraction.count <= Payoff.maximumFraction else {
      return (whole.count, fraction.count, 0)
    }
    var millionths: Int64 = 0
    for digit in whole + fraction { millionths = millionths * 10 + Int64(digit - 0x30) }
    for _ in fraction.count..<Payoff.maximumFraction { millionths *= 10 }
    return (whole.count, fraction.count, isNegative ? -millionths : millionths)
  }
}

// MARK: audiences

/// What an operator's files state as the audience of one behaviour.
struct AudienceDraft: Equatable {
  var who: [String: Int64]
  /// Groups that the behaviour's population doesn't have, or the behaviour has none.
  var isOutdated: Bool
}

extension Shape {
  /// Merges `audience:` of one file into `drafts`. `scope` nil: the platform has errors, so only the shape is judged.
  func readAudiences(
    _ node: NodeID?, _ scope: Scope?, isClamping: Bool, into drafts: inout [String: Stated<AudienceDraft>]
  ) {
    guard let node else { return }
    for (key, value) in document.pairs(node) where document.kind(key) == .scalar {
      guard checkBehavior(key) else { continue }
      let name = document.string(key)
      guard check(value, .named(.anything), name: name), let who = who(value, name) else { continue }
      let fits = scope.map { isAudience(key, value, $0, isClamping: isClamping) } ?? true
      report.merge(
        &drafts[name], stated(key, AudienceDraft(who: who, isOutdated: !fits)), "the audience of `\(name)`")
    }
  }

  /// Whether the platform's population has these groups; reports if not.
  private func isAudience(_ key: NodeID, _ value: NodeID, _ scope: Scope, isClamping: Bool) -> Bool {
    func tell(_ code: DiagnosticCode, _ node: NodeID, _ message: String, _ hint: String) {
      if isClamping {
        report.warning(code, document, node, message + "; until that is mended it chooses `deny`", hint: hint)
      } else {
        report.error(code, document, node, message, hint: hint)
      }
    }
    let name = document.string(key)
    guard let population = scope.behaviors[name]?.population else {
      let possible = scope.behaviors.values.filter { $0.population != nil }.map(\.name)
      tell(
        .audienceWithoutPopulation, key, "`\(name)` states no population that an audience could be of",
        report.suggestion(for: name, from: possible)
          ?? (possible.isEmpty
            ? "no behaviour of this platform states one; write a setting (`allow`, `ask` or `deny`) instead"
            : "\(Self.list(possible.sorted())) can have one; for another behaviour write a setting"))
      return false
    }
    var fits = true
    for (group, _) in document.pairs(value) where population.who[document.string(group)] == nil {
      let word = document.string(group)
      tell(
        .populationGroup, group, "`\(word)` is no group of the population of `\(name)`",
        report.suggestion(for: word, from: population.who.keys)
          ?? "its groups are \(Self.list(population.who.keys.sorted()))")
      fits = false
    }
    return fits
  }
}

extension Scope {
  /// The choice made again for an operator's own audience, at most what operators may.
  func audience(_ name: String, _ draft: Stated<AudienceDraft>) -> Audience {
    let behavior = behaviors[name]
    var choice = PopulationChoice(effect: .deny, obligations: [], reason: "the platform's population has changed")
    if !draft.value.isOutdated, let behavior, let population = behavior.population {
      choice = population.choice(
        for: draft.value.who, atMost: max(behavior.choice.default, behavior.choice.operatorsMay))
    }
    return Audience(
      behavior: name, who: draft.value.who, choice: choice, isOutdated: draft.value.isOutdated,
      location: draft.location)
  }
}
