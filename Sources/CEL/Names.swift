// Suggestions: which known name a misspelt one probably means.

enum Names {
  /// The candidate nearest to `name` by edit distance, if it is near enough to be worth a hint.
  static func nearest(to name: String, among candidates: some Sequence<String>) -> String? {
    let limit = max(1, name.utf8.count / 3)
    var best: (distance: Int, name: String)?
    for candidate in candidates where abs(candidate.utf8.count - name.utf8.count) <= limit {
      let distance = editDistance(Array(name.utf8), Array(candidate.utf8))
      guard distance <= limit else { continue }
      // Ties go to the alphabet, so that a hint doesn't depend on a dictionary's order.
      if let found = best, (found.distance, found.name) <= (distance, candidate) { continue }
      best = (distance, candidate)
    }
    return best?.name
  }
}

/// Levenshtein's distance in bytes, with two neighbours in the wrong order counting as one mistake.
public func editDistance(_ a: [UInt8], _ b: [UInt8]) -> Int {
  var beforeLast: [Int] = []
  var last = Array(0...b.count)
  for i in a.indices {
    var row = [i + 1]
    for j in b.indices {
      var best = min(last[j] + (a[i] == b[j] ? 0 : 1), row[j] + 1, last[j + 1] + 1)
      if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { best = min(best, beforeLast[j - 1] + 1) }
      row.append(best)
    }
    (beforeLast, last) = (last, row)
  }
  return last[b.count]
}
