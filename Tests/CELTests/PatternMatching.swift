// A matcher that is as plain as the definition of a match: what the parser's trees mean, for tests only.

@testable import CEL

/// Whether `pattern` matches somewhere in `text`.
func matches(_ pattern: Pattern, _ text: String) -> Bool {
  let matcher = PatternMatcher(text: text.unicodeScalars.map(\.value))
  return (0...matcher.text.count).contains { !matcher.ends(pattern, [$0]).isEmpty }
}

struct PatternMatcher {
  let text: [UInt32]

  /// Where a match of `pattern` that starts at one of `starts` can end.
  func ends(_ pattern: Pattern, _ starts: Set<Int>) -> Set<Int> {
    switch pattern {
    case .empty: return starts
    case .scalars(let ranges):
      return Set(starts.filter { i in i < text.count && ranges.contains { $0.contains(text[i]) } }.map { $0 + 1 })
    case .concatenation(let parts): return parts.reduce(starts) { ends($1, $0) }
    case .alternation(let branches): return branches.reduce(into: []) { $0.formUnion(ends($1, starts)) }
    case .assertion(let assertion): return starts.filter { holds(assertion, at: $0) }
    case .repetition(let part, let minimum, let maximum):
      var current = starts
      for _ in 0..<minimum { current = ends(part, current) }
      var all = current
      var rounds = minimum
      while !current.isEmpty, maximum.map({ rounds < $0 }) ?? true {
        current = ends(part, current).subtracting(all)
        all.formUnion(current)
        rounds += 1
      }
      return all
    }
  }

  private func isWord(_ index: Int) -> Bool {
    text.indices.contains(index) && CEL.isWord(text[index])
  }

  private func holds(_ assertion: Pattern.Assertion, at index: Int) -> Bool {
    switch assertion {
    case .textStart: index == 0
    case .textEnd: index == text.count
    case .lineStart: index == 0 || text[index - 1] == 10
    case .lineEnd: index == text.count || text[index] == 10
    case .wordBoundary: isWord(index - 1) != isWord(index)
    case .notWordBoundary: isWord(index - 1) == isWord(index)
    }
  }
}
