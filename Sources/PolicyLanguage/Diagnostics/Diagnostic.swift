// What is said about a policy file: one value, rendered for people (with a caret) or for programs (as JSON).

public struct Diagnostic: Hashable, Sendable {
  public enum Severity: String, Sendable { case error, warning }

  /// Stable; listed with an example each in docs/diagnostics.md. Compared by this, never by wording.
  public var code: DiagnosticCode
  public var severity: Severity
  public var location: Location
  /// Unicode scalars from `location.column` that the caret underlines; at least 1.
  public var length: Int
  public var message: String
  /// What to do next.
  public var hint: String?
  /// Another place that explains it ("the ceiling is set here").
  public var related: Related?

  public struct Related: Hashable, Sendable {
    public var location: Location
    public var message: String
    public init(location: Location, message: String) {
      self.location = location
      self.message = message
    }
  }

  public init(
    code: DiagnosticCode, severity: Severity, location: Location, length: Int, message: String, hint: String? = nil,
    related: Related? = nil
  ) {
    self.code = code
    self.severity = severity
    self.location = location
    self.length = length
    self.message = message
    self.hint = hint
    self.related = related
  }
}
