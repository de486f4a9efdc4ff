// "did you mean …?" for names in requests.

/// The candidate nearest to `word` as a sentence, if one is near enough to be what was meant.
func suggestion(for word: String, in candidates: some Sequence<String>) -> String? {
  let limit = max(1, min(3, word.utf8.count / 3))
  let source = Array(word.utf8.prefix(64))
  let near = candidates.compactMap { candidate -> (Int, String)? in
    let distance = editDistance(source, Array(candidate.utf8.prefix(64)))
    return distance <= limit ? (distance, candidate) : nil
  }
  return near.min { $0 < $1 }.map { "did you mean `\($0.1)`?" }
}

/// Insertions, deletions, replacements and swaps of neighbours (optimal string alignment).
func editDistance(_ a: [UInt8], _ b: [UInt8]) -> Int {
  var beforeLast = [Int](repeating: 0, count: b.count + 1)
  var last = Array(0...b.count)
  for i in a.indices {
    var row = [i + 1]
    for j in b.indices {
      var cost = min(last[j + 1] + 1, row[j] + 1, last[j] + (a[i] == b[j] ? 0 : 1))
      if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { cost = min(cost, beforeLast[j - 1] + 1) }
      row.append(cost)
    }
    beforeLast = last
    last = row
  }
  return last[b.count]
}
