// Every code that a diagnostic can have. The raw value is what users see and search for.

public enum DiagnosticCode: String, CaseIterable, Sendable {
  case unknownKey = "unknown-key"
}
