// The edge: names to slots, values to types, before a request is decided. Whoever takes a request from outside calls
// these; the engine relies on nothing but memory safety of the values.

public import PolicyImage

/// The slot of the attribute with this name ("user.role"), or nil when the platform doesn't declare it.
public func attributeSlot(_ name: UnsafeRawBufferPointer, in platform: Image) -> Int? {
  guard let base = name.baseAddress else { return nil }
  let id = platform.symbol(base, name.count)
  // An attribute's name has the id of its slot.
  return Int(id) < platform.count(.attributes) ? Int(id) : nil
}

/// Whether a value has the type that the platform declares for this slot, all the way down.
/// Strings are taken to be valid UTF-8; `slot` is in range.
public func accepts(_ value: Value, slot: Int, in platform: Image) -> Bool {
  var word = Int(platform.attributes[slot].type)
  return accepts(value, &word, platform)
}

/// Whether a value is the number, truth or text that the platform declares for this slot, as it is: what is usually set. false says
/// nothing: `converted` and `accepts` are asked then.
@inline(__always)
public func isPlainly(_ value: Value, slot: Int, in platform: Image) -> Bool {
  let wanted = platform.types[Int(platform.attributes[slot].type)] & 0xFF
  // bool, int, uint, double, string and bytes stand in the same order in both.
  return wanted <= TypeKind.bytes.rawValue && UInt32(value.kind.rawValue) == wanted &+ UInt32(ValueKind.bool.rawValue)
}

/// Checks against the descriptor at `word` and moves `word` behind it.
private func accepts(_ value: Value, _ word: inout Int, _ image: borrowing Image) -> Bool {
  let descriptor = image.types[word]
  word &+= 1
  switch TypeKind(rawValue: descriptor & 0xFF) {
  case .bool: return value.kind == .bool
  case .int: return value.kind == .int
  case .uint: return value.kind == .uint
  case .double: return value.kind == .double
  case .string: return value.kind == .string
  case .bytes: return value.kind == .bytes
  case .timestamp: return value.kind == .timestamp
  case .duration: return value.kind == .duration
  case .dyn: return value.kind != .absent && value.kind != .error
  case .list: return acceptsAll(value, .list, step: 1, &word, image)
  case .map: return acceptsAll(value, .map, step: 2, &word, image)
  case .enumeration: return acceptsValue(value, Int(descriptor >> 8), &word, image)
  case nil: return false
  }
}

/// A list's elements (`step` 1), or a map's keys and values in turn (2), each against its descriptor.
private func acceptsAll(
  _ value: Value, _ kind: ValueKind, step: Int, _ word: inout Int, _ image: borrowing Image
) -> Bool {
  let first = word
  skipType(&word, image)
  let second = word
  if step == 2 { skipType(&word, image) }
  guard value.kind == kind else { return false }
  guard let elements = value.elements else { return true }
  var i = 0
  while i < Int(value.length) &* step {
    var descriptor = i % step == 0 ? first : second
    guard accepts(elements[i], &descriptor, image) else { return false }
    i &+= 1
  }
  return true
}

private func acceptsValue(_ value: Value, _ count: Int, _ word: inout Int, _ image: borrowing Image) -> Bool {
  let first = word
  word &+= count
  guard value.kind == .string, let address = value.address else { return false }
  let id = image.symbol(address, Int(value.length))
  var i = 0
  while i < count {
    if image.types[first &+ i] == id { return true }
    i &+= 1
  }
  return false
}

private func skipType(_ word: inout Int, _ image: borrowing Image) {
  let descriptor = image.types[word]
  word &+= 1
  switch TypeKind(rawValue: descriptor & 0xFF) {
  case .list: skipType(&word, image)
  case .map:
    skipType(&word, image)
    skipType(&word, image)
  case .enumeration: word &+= Int(descriptor >> 8)
  default: break
  }
}
