// Counters: one more request, and one more user, by how many keys there are.

internal import Counting

enum CountBench {
  private static let operatorName: StaticString = "nightowl"

  static func run() -> [Figure] {
    let cases: [(name: String, users: Bool, keys: Int, goal: Double?)] = [
      ("count a request, 1 key", false, 1, 500), ("count a request, 1,000 keys", false, 1_000, 500),
      ("count a request, 200,000 keys", false, 200_000, nil), ("count a user of 100", true, 100, 1_000),
      ("count a user of 100,000", true, 100_000, nil),
    ]
    let works = cases.map { CountWorkload(countsUsers: $0.users, keys: $0.keys, operatorName) }
    let times = race(zip(cases, works).map { one, work in Contender(name: one.name) { work.count($0) } }, runs: 11)
    var figures = zip(cases, times).map { Figure($0.name, $1, unit: "ns", goal: $0.goal) }
    for (one, work) in zip(cases, works).filter({ $0.0.keys >= 1_000 }) {
      figures.append(Figure("  bytes a key", Double(work.bytes) / Double(work.keys), unit: "B"))
      if one.users { figures.append(Figure("  off by", work.error * 100, unit: "%", goal: 5)) }
    }
    return figures
  }
}

/// Distinct users, asked in turn, 20 ms apart.
private final class CountWorkload {
  private let store: CounterStore
  private let users: [[UInt8]]
  private let name: StaticString
  private let wanted: Int
  private var next = 0
  private var time: Int64 = 0

  init(countsUsers: Bool, keys: Int, _ name: StaticString) {
    store = CounterStore(key: (0x6C69_6365, 0x7400_0001))
    (self.name, wanted) = (name, keys)
    users = (0..<keys).map { Array("user-\($0 &* 7919 % 1_000_003)@example.org".utf8) }
    store.define(
      [
        CounterDefinition(
          name: "bench", countsUsers: countsUsers, per: countsUsers ? 0 : 1, window: 86_400, behaviors: ["tool.mail"])
      ], at: 0)
    count(keys)
  }

  var keys: Int { store.fill[0].keys }
  var bytes: Int { store.bytes }

  /// How far the number of users is off.
  var error: Double {
    let found = store.value(0, Subject(operatorName: name.bytes), counting: false, at: time) ?? 0
    return (Double(found) - Double(wanted)).magnitude / Double(wanted)
  }

  @inline(never)
  func count(_ times: Int) {
    for _ in 0..<times {
      time += 20_000_000
      next = next + 1 < users.count ? next + 1 : 0
      users[next].withUnsafeBytes {
        _ = store.count(0, Subject(operatorName: name.bytes, user: $0), at: time)
      }
    }
  }
}
