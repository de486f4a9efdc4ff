// Texts for points and lengths of time -> numbers, by the evaluator's own reading of them.

internal import Decision

/// Seconds and nanoseconds since 1970 (0..<10^9 of them), or for a length of time both with its sign.
public struct Instant: Hashable, Sendable {
  public var seconds: Int64
  public var nanoseconds: Int32

  public init(seconds: Int64, nanoseconds: Int32 = 0) {
    self.seconds = seconds
    self.nanoseconds = nanoseconds
  }

  /// RFC 3339 with `Z` or an offset, of the years 1 to 9999; nil for anything else.
  public init?(timestamp text: String) {
    guard let parsed = Instant.parse(text, parseTimestamp) else { return nil }
    self.init(seconds: parsed.seconds, nanoseconds: parsed.nanoseconds)
  }

  /// Numbers with h, m, s, ms, us or ns, the whole with an optional sign ("-1.5h", "1m30s"), or "0"; nil for anything else.
  public init?(duration text: String) {
    guard let parsed = Instant.parse(text, parseDuration) else { return nil }
    self.init(seconds: parsed.seconds, nanoseconds: parsed.nanoseconds)
  }

  private static func parse(
    _ text: String, _ read: (UnsafeRawBufferPointer) -> (seconds: Int64, nanoseconds: Int32)?
  ) -> (seconds: Int64, nanoseconds: Int32)? {
    var text = text
    return text.withUTF8 { read(UnsafeRawBufferPointer($0)) }
  }
}
