// What bounds the work that one expression can cause.

/// Limits of the front end. Each is tested; exceeding one is an error of code `tooLong`, `tooDeep` or `pattern`.
public enum Limits {
  /// UTF-8 bytes of one expression.
  public static let sourceLength = 64 * 1024
  /// Levels of nesting, in the text and in the tree that macros expand to (a chain of `&&` or of `||` counts with its
  /// logarithm). Every recursive stage relies on it: at this depth each must get by with a 512 KiB thread stack, in
  /// debug builds too, whose frames are three times as large.
  public static let depth = 128
  /// Nodes of the tree after macro expansion.
  public static let nodes = 64 * 1024
  /// Errors reported for one expression.
  public static let errors = 100
  /// UTF-8 bytes of a regular expression.
  public static let patternLength = 4 * 1024
  /// Levels of nesting in a regular expression.
  public static let patternDepth = 100
  /// The largest count in `{n,m}`, and the largest product of nested counts: RE2's own.
  public static let patternRepeat = 1000
}
