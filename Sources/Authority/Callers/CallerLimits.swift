// How much one user may ask: token buckets over calls, decisions and bytes. Refusing is cheaper than answering.

/// Not thread-safe. Counts a user, not a connection: more connections get no more.
public struct CallerLimits {
  /// A second's worth, which may be saved up for `burst` seconds.
  public struct Rates: Hashable, Sendable {
    /// About half of what one processor answers.
    public var calls = 30_000.0
    public var decisions = 1_000_000.0
    public var bytes = 512.0 * 1_048_576
    public var burst = 1.0
    public init() {}
  }
  /// Users that are remembered; the one that asked longest ago is forgotten, and starts with full buckets again.
  public static let users = 1024

  private struct Buckets {
    var calls: Double
    var decisions: Double
    var bytes: Double
    /// Nanoseconds.
    var filled: UInt64
  }

  public var rates: Rates
  private var users: [UInt32: Buckets] = [:]
  /// Requests that were refused.
  public private(set) var refused: UInt64 = 0

  public init(_ rates: Rates = Rates()) { self.rates = rates }

  /// Takes so much; false: it is past a bound, and nothing is taken. `now` is monotonic, in nanoseconds.
  public mutating func take(
    _ user: UInt32, calls: Int = 0, decisions: Int = 0, bytes: Int = 0, now: UInt64
  ) -> Bool {
    var own = users[user] ?? fresh(now)
    if users[user] == nil, users.count >= CallerLimits.users { forgetOldest() }
    fill(&own, now)
    let fits = own.calls >= Double(calls) && own.decisions >= Double(decisions) && own.bytes >= Double(bytes)
    if fits {
      own.calls -= Double(calls)
      own.decisions -= Double(decisions)
      own.bytes -= Double(bytes)
    } else {
      refused &+= 1
    }
    users[user] = own
    return fits
  }

  private func fresh(_ now: UInt64) -> Buckets {
    Buckets(
      calls: rates.calls * rates.burst, decisions: rates.decisions * rates.burst, bytes: rates.bytes * rates.burst,
      filled: now)
  }

  private func fill(_ own: inout Buckets, _ now: UInt64) {
    let seconds = Double(now &- min(own.filled, now)) / 1e9
    own.calls = min(own.calls + rates.calls * seconds, rates.calls * rates.burst)
    own.decisions = min(own.decisions + rates.decisions * seconds, rates.decisions * rates.burst)
    own.bytes = min(own.bytes + rates.bytes * seconds, rates.bytes * rates.burst)
    own.filled = now
  }

  private mutating func forgetOldest() {
    if let oldest = users.min(by: { $0.value.filled < $1.value.filled })?.key { users[oldest] = nil }
  }
}
