// What all programs of this project say of themselves.

public enum Product {
  /// Semantic versioning; CHANGELOG.md says what is in it.
  public static let version = "0.1.0"
}
