// The nearest name to a misspelt one. Bounded: a file full of misspelt names costs `Bounds.suggestions` searches.

struct Suggester {
  private var searches = 0

  /// The candidate with the fewest edits (insertion, deletion, replacement, swap of neighbours), at most a third of
  /// the word's length; between equals the first in alphabetical order.
  mutating func nearest(to word: String, in candidates: some Sequence<String>) -> String? {
    guard word.utf8.count <= 64, searches < Bounds.suggestions else { return nil }
    searches += 1
    let target = Array(word.utf8)
    let bound = max(1, min(4, target.count / 3))
    var best: (distance: Int, word: String)?
    for candidate in candidates where abs(candidate.utf8.count - target.count) <= bound {
      let distance = Self.distance(target, Array(candidate.utf8))
      guard distance <= bound, distance > 0 else { continue }
      if let best, (best.distance, best.word) <= (distance, candidate) { continue }
      best = (distance, candidate)
    }
    return best?.word
  }

  static func distance(_ a: [UInt8], _ b: [UInt8]) -> Int {
    var beforeLast: [Int] = []
    var last = Array(0...b.count)
    for i in a.indices {
      var row = [i + 1]
      for j in b.indices {
        var cost = min(last[j + 1] + 1, row[j] + 1, last[j] + (a[i] == b[j] ? 0 : 1))
        if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { cost = min(cost, beforeLast[j - 1] + 1) }
        row.append(cost)
      }
      (beforeLast, last) = (last, row)
    }
    return last[b.count]
  }
}
