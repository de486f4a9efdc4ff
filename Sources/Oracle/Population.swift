// The best response for who asks (DESIGN §2.7), by hand: payoffs are read from what was written, digit by digit, and
// multiplied and added as one does on paper.

internal import PolicyImage
internal import PolicyLanguage

/// A decimal number as its digits, the lowest first, of which the first `OracleDecimal.places` stand behind the point.
struct OracleDecimal {
  static let places = 6
  var isNegative = false
  var digits: [Int] = []

  init() {}

  /// "+2.8", "-40", ".5"; whatever isn't a digit, sign or point is passed over.
  init(_ text: String) {
    isNegative = text.contains("-")
    let parts = text.filter { $0 != "-" && $0 != "+" }.split(separator: ".", omittingEmptySubsequences: false)
    let fraction = parts.count > 1 ? Array(parts[1].compactMap(\.wholeNumberValue)) : []
    let padded = fraction + Array(repeating: 0, count: Self.places - fraction.count)
    digits = (parts[0].compactMap(\.wholeNumberValue) + padded).reversed()
  }

  /// Digit by digit from the top; missing digits are zeros.
  static func compareMagnitudes(_ a: [Int], _ b: [Int]) -> Int {
    for place in (0..<max(a.count, b.count)).reversed() {
      let (left, right) = (place < a.count ? a[place] : 0, place < b.count ? b[place] : 0)
      if left != right { return left < right ? -1 : 1 }
    }
    return 0
  }

  static func addMagnitudes(_ a: [Int], _ b: [Int]) -> [Int] {
    var result: [Int] = []
    var carry = 0
    for place in 0..<max(a.count, b.count) {
      let sum = (place < a.count ? a[place] : 0) + (place < b.count ? b[place] : 0) + carry
      result.append(sum % 10)
      carry = sum / 10
    }
    return carry == 0 ? result : result + [carry]
  }

  /// `a` - `b`, where `a` is no less.
  static func subtractMagnitudes(_ a: [Int], _ b: [Int]) -> [Int] {
    var result: [Int] = []
    var borrow = 0
    for place in 0..<a.count {
      var difference = a[place] - (place < b.count ? b[place] : 0) - borrow
      borrow = difference < 0 ? 1 : 0
      if difference < 0 { difference += 10 }
      result.append(difference)
    }
    return result
  }

  func plus(_ other: OracleDecimal) -> OracleDecimal {
    var result = OracleDecimal()
    if isNegative == other.isNegative {
      result.isNegative = isNegative
      result.digits = Self.addMagnitudes(digits, other.digits)
    } else if Self.compareMagnitudes(digits, other.digits) >= 0 {
      result.isNegative = isNegative
      result.digits = Self.subtractMagnitudes(digits, other.digits)
    } else {
      result.isNegative = other.isNegative
      result.digits = Self.subtractMagnitudes(other.digits, digits)
    }
    return result
  }

  /// For each digit of `count`, from the top: ten times what there is, and this number as often as the digit says.
  func times(_ count: Int64) -> OracleDecimal {
    var result = OracleDecimal()
    for digit in String(count).compactMap(\.wholeNumberValue) {
      if !result.digits.isEmpty { result.digits.insert(0, at: 0) }
      for _ in 0..<digit { result = result.plus(self) }
    }
    return result
  }

  /// -1, 0, 1: below, equal, above. Zero has no sign.
  func compared(to other: OracleDecimal) -> Int {
    func sign(_ one: OracleDecimal) -> Int { one.digits.allSatisfy { $0 == 0 } ? 0 : one.isNegative ? -1 : 1 }
    if sign(self) != sign(other) { return sign(self) < sign(other) ? -1 : 1 }
    let magnitudes = Self.compareMagnitudes(digits, other.digits)
    return sign(self) < 0 ? -magnitudes : magnitudes
  }
}

enum OraclePopulation {
  /// Of the responses that keep every bound and aren't above the ceiling: the greatest total, then the lowest effect, then
  /// the most obligations, then their names. None: `deny`.
  static func best(_ population: Population, for who: [String: Int64], atMost ceiling: Effect) -> (Effect, [String]) {
    func payoff(_ response: PopulationResponse, _ group: String) -> OracleDecimal {
      OracleDecimal(response.payoffs[group]?.text ?? "0")
    }
    func total(_ response: PopulationResponse) -> OracleDecimal {
      who.reduce(OracleDecimal()) { $0.plus(payoff(response, $1.key).times($1.value)) }
    }
    var best: (response: PopulationResponse, total: OracleDecimal)?
    for response in population.responses where response.effect <= ceiling {
      let keepsBounds = population.bounds.allSatisfy { group, bound in
        payoff(response, group).compared(to: OracleDecimal(bound.text)) >= 0
      }
      guard keepsBounds else { continue }
      let sum = total(response)
      guard let other = best else {
        best = (response, sum)
        continue
      }
      let order = sum.compared(to: other.total)
      if order > 0 || (order == 0 && isStricter(response, other.response)) { best = (response, sum) }
    }
    return (best?.response.effect ?? .deny, best?.response.obligations ?? [])
  }

  /// For an operator's audience of the platform's population; one that no longer fits denies.
  static func best(_ audience: Audience, _ platform: Platform, atMost ceiling: Effect) -> (Effect, [String]) {
    guard !audience.isOutdated, let population = platform.behaviors[audience.behavior]?.population else {
      return (.deny, [])
    }
    return best(population, for: audience.who, atMost: ceiling)
  }

  private static func isStricter(_ a: PopulationResponse, _ b: PopulationResponse) -> Bool {
    if a.effect != b.effect { return a.effect < b.effect }
    if a.obligations.count != b.obligations.count { return a.obligations.count > b.obligations.count }
    return a.obligations.joined(separator: ",") < b.obligations.joined(separator: ",")
  }
}
