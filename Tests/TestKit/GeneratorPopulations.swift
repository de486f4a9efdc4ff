// Generated populations: few groups, few different payoffs, so that totals tie and bounds cut; fractions that no binary
// number holds; counts from one person to very many.

import PolicyImage
import PolicyLanguage

enum PopulationGenerator {
  static let groups = ["clinician", "patient", "at-risk", "x.y"]
  static let counts: [Int64] = [1, 1, 2, 3, 10, 30, 999, 1_000_000_000_000]
  static let payoffs: [(String, Int64)] = [
    ("0", 0), ("+1", 1_000_000), ("-1", -1_000_000), ("0.1", 100_000), ("+0.2", 200_000), ("0.3", 300_000),
    ("-0.30", -300_000), (".5", 500_000), ("2.8", 2_800_000), ("-4", -4_000_000), ("-40.000001", -40_000_001),
    ("999999999.999999", 999_999_999_999_999), ("-999999999.999999", -999_999_999_999_999),
  ]

  static func population(_ random: inout SeededRandom) -> Population {
    var who: [String: Int64] = [:]
    for _ in 0..<1 + random.below(4) { who[random.pick(groups)] = random.pick(counts) }
    let names = who.keys.sorted()
    var responses: [PopulationResponse] = []
    for _ in 0..<1 + random.below(5) {
      let response = PopulationResponse(
        effect: random.pick(Effect.allCases),
        obligations: random.some(of: GeneratedPolicy.obligationNames, atMost: 2).sorted(),
        payoffs: some(names, &random))
      let isNew = !responses.contains { $0.effect == response.effect && $0.obligations == response.obligations }
      if isNew { responses.append(response) }
    }
    return Population(who: who, responses: responses, bounds: random.chance(50) ? some(names, &random) : [:])
  }

  private static func some(_ groups: [String], _ random: inout SeededRandom) -> [String: Payoff] {
    var result: [String: Payoff] = [:]
    for group in groups where random.chance(75) {
      let (text, millionths) = random.pick(random.chance(90) ? Array(payoffs.prefix(10)) : payoffs)
      result[group] = Payoff(text: text, millionths: millionths)
    }
    return result
  }

  static func audience(_ population: Population, _ random: inout SeededRandom) -> [String: Int64] {
    let names = population.who.keys.sorted()
    var who: [String: Int64] = [:]
    for _ in 0..<1 + random.below(names.count) { who[random.pick(names)] = random.pick(counts) }
    return who
  }
}
