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

  /// The name of entry 0..<count.
  public static func name(_ index: Int) -> UnsafeRawBufferPointer {
    let name = entry(index).name
    return UnsafeRawBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount)
  }

  /// Whether `name` is `wide` or lies below it.
  public static func covers(_ wide: UnsafeRawBufferPointer, _ name: UnsafeRawBufferPointer) -> Bool {
    guard let base = name.baseAddress, let start = wide.baseAddress, name.count >= wide.count else { return false }
    return equalBytes(base, start, wide.count)
      && (name.count == wide.count || name[wide.count] == UInt8(ascii: "."))
  }

  /// The absolute that holds for this name or one above it.
  public static func absolute(of name: UnsafeRawBufferPointer) -> Absolute {
    index(covering: name).map { entry($0).absolute } ?? .none
  }

  /// The entry that stands for this name or one above it, or nil.
  public static func index(covering name: UnsafeRawBufferPointer) -> Int? {
    var i = 0
    while i < count {
      if covers(self.name(i), name) { return i }
      i &+= 1
    }
    return nil
  }
}
