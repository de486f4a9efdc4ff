// A seeded source of randomness (SplitMix64), so that every generated case can be made again from its seed.

public struct SeededRandom: RandomNumberGenerator {
  private var state: UInt64

  public init(seed: UInt64) { state = seed }

  public mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  /// 0..<bound; 0 for no bound.
  public mutating func below(_ bound: Int) -> Int { bound < 2 ? 0 : Int(truncatingIfNeeded: next() % UInt64(bound)) }

  /// True in `percent` of 100 cases.
  public mutating func chance(_ percent: Int) -> Bool { below(100) < percent }

  public mutating func pick<T>(_ choices: [T]) -> T { choices[below(choices.count)] }

  /// Each with probability one half, at most `limit`.
  public mutating func some<T>(of choices: [T], atMost limit: Int) -> [T] {
    var result: [T] = []
    for choice in choices where result.count < limit && chance(50) { result.append(choice) }
    return result
  }
}
