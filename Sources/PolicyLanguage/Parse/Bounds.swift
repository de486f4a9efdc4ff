// How much of a policy file is looked at: each bound is named here and has a test.

/// What one policy file may hold. Beyond a bound the file is refused with a diagnostic that names it.
public enum Bounds {
  /// Bytes of one file.
  public static let fileBytes = 8 << 20
  /// Collections inside collections.
  public static let depth = 64
  /// Values and collections of one file, an alias counted as all that it stands for.
  public static let nodes = 1_000_000
  /// Lines that begin with `%` (libyaml compares each directive with all before it).
  public static let directives = 16
  /// Diagnostics about one file; what is beyond is counted, not listed.
  public static let diagnosticsPerFile = 500
  /// Searches for a nearest name in one load: each walks all declared names.
  public static let suggestions = 256
  /// Bytes of an operator's or platform's name, an obligation or an attribute's name.
  public static let nameBytes = 64
  /// Types inside types: `list<list<…>>`.
  public static let typeDepth = 8
  /// Policy files of one folder.
  public static let files = 100_000
}
