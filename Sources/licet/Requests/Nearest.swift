// "did you mean …?" for names in requests.

import CEL

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
