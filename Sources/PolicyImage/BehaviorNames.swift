// What a behaviour's name looks like, for whoever takes one from outside.

/// Whether these bytes are a behaviour's name (DESIGN §1): segments of [a-z0-9][a-z0-9_-]*, at most 16 and 255 bytes.
public func isBehaviorName(_ name: UnsafeRawBufferPointer) -> Bool {
  guard name.count > 0, name.count <= ImageFormat.maximumNameLength else { return false }
  var segments = 1
  var isAtStart = true
  for byte in name {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): isAtStart = false
    case UInt8(ascii: "-"), UInt8(ascii: "_"):
      if isAtStart { return false }
    case UInt8(ascii: "."):
      if isAtStart { return false }
      segments &+= 1
      isAtStart = true
    default: return false
    }
  }
  return !isAtStart && segments <= ImageFormat.maximumDepth
}
