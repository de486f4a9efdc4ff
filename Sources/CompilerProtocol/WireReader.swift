// Reads little-endian numbers and length-prefixed texts from bytes that anybody may have written: each read is checked
// against what is left, so that none can trap or run past the end.

/// A position in bytes, which must stay valid and unchanged while it is used. Not thread-safe.
struct WireReader {
  private let bytes: UnsafeRawBufferPointer
  private(set) var offset: Int
  private let end: Int

  init(_ bytes: UnsafeRawBufferPointer) { self.init(bytes, 0..<bytes.count) }

  /// Over a part; `range` is cut to what there is.
  init(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) {
    self.bytes = bytes
    end = min(range.upperBound, bytes.count)
    offset = min(max(0, range.lowerBound), end)
  }

  var remaining: Int { end &- offset }

  mutating func number<T: FixedWidthInteger & BitwiseCopyable>(_: T.Type) throws(WireError) -> T {
    let size = MemoryLayout<T>.size
    guard remaining >= size else { throw WireError(.truncated, at: offset) }
    defer { offset &+= size }
    return T(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: T.self))
  }

  /// A number that counts things of at least `size` bytes each: refused if they can't be there.
  mutating func count(maximum: Int, size: Int) throws(WireError) -> Int {
    let at = offset
    let value = Int(try number(UInt32.self))
    guard value <= maximum else { throw WireError(.tooMany, at: at) }
    guard value <= remaining / size else { throw WireError(.truncated, at: at) }
    return value
  }

  mutating func flag() throws(WireError) -> Bool {
    let at = offset
    switch try number(UInt8.self) {
    case 0: return false
    case 1: return true
    default: throw WireError(.badValue, at: at)
    }
  }

  /// The range of a length-prefixed part.
  mutating func part(maximum: Int) throws(WireError) -> UnsafeRawBufferPointer {
    let at = offset
    let length = Int(try number(UInt32.self))
    guard length <= maximum else { throw WireError(.tooLarge, at: at) }
    guard length <= remaining else { throw WireError(.truncated, at: at) }
    defer { offset &+= length }
    return UnsafeRawBufferPointer(rebasing: bytes[offset..<(offset &+ length)])
  }

  /// A length-prefixed text; refused unless it is UTF-8.
  mutating func text(maximum: Int = WireLimits.textBytes) throws(WireError) -> String {
    let at = offset
    let part = try part(maximum: maximum)
    guard let text = String(validating: part, as: UTF8.self) else { throw WireError(.notUTF8, at: at) }
    return text
  }

  func finish() throws(WireError) {
    guard remaining == 0 else { throw WireError(.trailing, at: offset) }
  }
}

/// Collects what a `WireReader` reads back.
struct WireWriter {
  private(set) var bytes: [UInt8] = []

  mutating func reserve(_ count: Int) { bytes.reserveCapacity(count) }

  mutating func number<T: FixedWidthInteger>(_ value: T) {
    withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
  }

  mutating func flag(_ value: Bool) { bytes.append(value ? 1 : 0) }

  /// `content` has at most 4 GiB: every caller is bounded by `WireLimits`.
  mutating func part(_ content: [UInt8]) {
    number(UInt32(truncatingIfNeeded: content.count))
    bytes.append(contentsOf: content)
  }

  /// Cut at `maximum` bytes, between two characters: a text for people loses its end rather than all of itself.
  mutating func text(_ text: String, maximum: Int = WireLimits.textBytes) {
    var utf8 = Array(text.utf8)
    if utf8.count > maximum {
      var end = maximum
      while end > 0, utf8[end] & 0xC0 == 0x80 { end -= 1 }
      utf8.removeSubrange(end...)
    }
    part(utf8)
  }

  mutating func align(_ alignment: Int) {
    let padding = (alignment - bytes.count % alignment) % alignment
    bytes.append(contentsOf: repeatElement(0, count: padding))
  }

  mutating func append(_ content: [UInt8]) { bytes.append(contentsOf: content) }
}
