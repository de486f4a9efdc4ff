// Timing: the same work again and again, the median of many runs. What is compared is measured in turns, so that a
// disturbance of the machine hits all of it.

internal import CFloor

/// One thing to time: `body(n)` does it n times.
struct Contender {
  let name: String
  let body: (Int) -> Void
}

/// Nanoseconds once, for each contender: the median of `runs`, taken in turns, each run at least `atLeast` long.
func race(_ contenders: [Contender], runs: Int = 21, atLeast: UInt64 = 30_000_000) -> [Double] {
  let counts = contenders.map { one in
    var count = 1
    while true {
      let start = floor_now()
      one.body(count)
      if floor_now() - start >= atLeast { return count }
      count *= 2
    }
  }
  var times = [[Double]](repeating: [], count: contenders.count)
  for _ in 0..<runs {
    for (i, one) in contenders.enumerated() {
      let start = floor_now()
      one.body(counts[i])
      times[i].append(Double(floor_now() - start) / Double(counts[i]))
    }
  }
  return times.map { $0.sorted()[runs / 2] }
}

/// With one digit behind the point.
func short(_ value: Double) -> String {
  let tenths = Int((value * 10).rounded())
  return "\(tenths / 10).\(tenths % 10)"
}

/// A column of text.
func padded(_ text: String, _ width: Int, right: Bool = false) -> String {
  let gap = String(repeating: " ", count: max(0, width - text.count))
  return right ? gap + text : text + gap
}
