// Behaviour names: dotted segments of [a-z0-9][a-z0-9_-]* (DESIGN §1).

internal import PolicyImage

public enum BehaviorName {
  /// The longest name that is accepted, in bytes; the most segments.
  public static let maximumLength = ImageFormat.maximumNameLength
  public static let maximumDepth = ImageFormat.maximumDepth

  public static func isValid(_ name: some StringProtocol) -> Bool {
    var name = String(name)
    return name.withUTF8 { isBehaviorName(UnsafeRawBufferPointer($0)) }
  }

  /// "a.b.c" -> "a.b" -> "a" -> nil.
  public static func parent(of name: String) -> String? {
    name.lastIndex(of: ".").map { String(name[..<$0]) }
  }

  /// `name` itself, then its ancestors, nearest first.
  public static func path(of name: String) -> [String] {
    var result = [name]
    while let parent = parent(of: result[result.count - 1]) { result.append(parent) }
    return result
  }

  /// Whether naming `wide` names `name` too: the same name or one below it.
  public static func covers(_ wide: String, _ name: String) -> Bool {
    name == wide || name.hasPrefix(wide + ".")
  }

  /// Segment by segment, so that everything below a name directly follows it.
  public static func precedes(_ a: String, _ b: String) -> Bool {
    a.utf8.lazy.map(rank).lexicographicallyPrecedes(b.utf8.lazy.map(rank))
  }

  private static func rank(_ byte: UInt8) -> UInt8 { byte == UInt8(ascii: ".") ? 0 : byte }
}
