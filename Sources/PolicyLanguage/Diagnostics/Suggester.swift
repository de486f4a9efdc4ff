// The nearest name to a misspelt one. Bounded: a file full of misspelt names costs `Bounds.suggestions` searches.

internal import CEL

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
      let distance = editDistance(target, Array(candidate.utf8))
      guard distance <= bound, distance > 0 else { continue }
      if let best, (best.distance, best.word) <= (distance, candidate) { continue }
      best = (distance, candidate)
    }
    return best?.word
  }
}
