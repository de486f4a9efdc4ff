// The absolutes that are compiled into the program (DESIGN §2.2): a platform file may add to them, never remove. A
// switch, not a table: a table would be a lazy global, which costs a lock on the way.

public enum BuiltInAbsolute {
  public static let count = 5

  /// Name and absolute of entry 0..<count.
  public static func entry(_ index: Int) -> (name: StaticString, absolute: Absolute) {
    switch index {
    case 0: ("harm.csam", .off)
    case 1: ("harm.mass-casualty", .off)
    case 2: ("oversight.undermine", .off)
    case 3: ("transparency.admit-ai", .on)
    default: ("transparency.say-cannot-help", .on)
    }
  }

  /// The absolute that holds for this name or one above it.
  public static func absolute(of name: UnsafeRawBufferPointer) -> Absolute {
    guard let base = name.baseAddress else { return .none }
    var i = 0
    while i < count {
      let entry = entry(i)
      let length = entry.name.utf8CodeUnitCount
      if name.count >= length, equalBytes(base, entry.name.utf8Start, length),
        name.count == length || name[length] == UInt8(ascii: ".")
      {
        return entry.absolute
      }
      i &+= 1
    }
    return .none
  }
}
