// A regular expression in RE2's syntax, parsed. What a match needs is kept; captures and greediness, which change
// nothing about whether a text matches, are not.

public indirect enum Pattern: Hashable, Sendable {
  case empty
  /// One scalar out of sorted, disjoint, non-adjacent ranges; empty ranges match nothing. Case folding has already been applied.
  case scalars([ClosedRange<UInt32>])
  case concatenation([Pattern])
  case alternation([Pattern])
  /// `maximum` nil: unbounded.
  case repetition(Pattern, minimum: Int, maximum: Int?)
  case assertion(Assertion)

  public enum Assertion: Hashable, Sendable {
    case textStart, textEnd, lineStart, lineEnd, wordBoundary, notWordBoundary
  }
}
