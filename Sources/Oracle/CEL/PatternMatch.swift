// Whether a text matches a regular expression, by sets of positions: which ends can a pattern reach from these
// starts? Nothing is compiled and nothing backtracks.

internal import CEL

enum PatternMatch {
  /// Whether `pattern` matches somewhere in `text`.
  static func matches(_ pattern: Pattern, _ text: [Unicode.Scalar]) -> Bool {
    !ends(of: pattern, from: Set(0...text.count), text).isEmpty
  }

  private static func ends(of pattern: Pattern, from starts: Set<Int>, _ text: [Unicode.Scalar]) -> Set<Int> {
    switch pattern {
    case .empty: return starts
    case .scalars(let ranges):
      let next = starts.filter { start in
        start < text.count && ranges.contains { $0.contains(text[start].value) }
      }
      return Set(next.map { $0 + 1 })
    case .concatenation(let parts):
      return parts.reduce(starts) { ends(of: $1, from: $0, text) }
    case .alternation(let branches):
      return branches.reduce(into: Set()) { $0.formUnion(ends(of: $1, from: starts, text)) }
    case .repetition(let body, let minimum, let maximum):
      return repeated(body, minimum, maximum, from: starts, text)
    case .assertion(let assertion): return starts.filter { holds(assertion, at: $0, text) }
    }
  }

  private static func repeated(
    _ body: Pattern, _ minimum: Int, _ maximum: Int?, from starts: Set<Int>, _ text: [Unicode.Scalar]
  ) -> Set<Int> {
    var current = starts
    for _ in 0..<minimum { current = ends(of: body, from: current, text) }
    var reached = current
    var rounds = minimum
    // Once a round adds nothing new, none will.
    while maximum.map({ rounds < $0 }) ?? true {
      current = ends(of: body, from: current, text).subtracting(reached)
      if current.isEmpty { break }
      reached.formUnion(current)
      rounds += 1
    }
    return reached
  }

  private static func holds(_ assertion: Pattern.Assertion, at position: Int, _ text: [Unicode.Scalar]) -> Bool {
    switch assertion {
    case .textStart: position == 0
    case .textEnd: position == text.count
    case .lineStart: position == 0 || text[position - 1] == "\n"
    case .lineEnd: position == text.count || text[position] == "\n"
    case .wordBoundary: isBoundary(position, text)
    case .notWordBoundary: !isBoundary(position, text)
    }
  }

  private static func isBoundary(_ position: Int, _ text: [Unicode.Scalar]) -> Bool {
    let before = position > 0 && isWord(text[position - 1])
    let after = position < text.count && isWord(text[position])
    return before != after
  }

  /// ASCII only, as RE2's `\w`.
  private static func isWord(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar {
    case "a"..."z", "A"..."Z", "0"..."9", "_": true
    default: false
    }
  }
}
