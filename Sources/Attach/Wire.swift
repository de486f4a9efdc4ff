/// Attach: what licetd and liblicet say to each other over the attach socket, and the state page that they share: bytes
/// alone, both ends, no system call (docs/attach-protocol.md). May import Decision and PolicyImage; also compiles as
/// Embedded Swift without allocations (liblicet is made of it).
///
/// This file: numbers and texts <-> bytes. Little-endian, unaligned; a text is its length (32 bits) and its bytes.

public import Decision

/// Writes into lent memory. What doesn't fit is counted but not written: `count` says how much was needed.
public struct WireWriter {
  let memory: UnsafeMutableRawBufferPointer
  public private(set) var count = 0

  public init(_ memory: UnsafeMutableRawBufferPointer) { self.memory = memory }

  /// Whether everything fitted.
  public var isWhole: Bool { count <= memory.count }

  /// What was written.
  public var bytes: UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(start: memory.baseAddress, count: isWhole ? count : 0)
  }

  @inline(__always)
  public mutating func put<T: FixedWidthInteger & BitwiseCopyable>(_ value: T) {
    let size = MemoryLayout<T>.size
    if let base = memory.baseAddress, size <= memory.count, count <= memory.count &- size {
      // SAFETY: the bytes from `count` on lie inside `memory`, as just checked.
      base.storeBytes(of: value.littleEndian, toByteOffset: count, as: T.self)
    }
    count &+= size
  }

  /// A text, or nil: none at all, which is something else than an empty one.
  public mutating func put(_ text: Name?) {
    guard let text else { return put(UInt32.max) }
    put(UInt32(truncatingIfNeeded: text.count))
    if let base = memory.baseAddress, let start = text.baseAddress, text.count <= memory.count,
      count <= memory.count &- text.count
    {
      // SAFETY: as in `put`.
      (base + count).copyMemory(from: start, byteCount: text.count)
    }
    count &+= text.count
  }

  /// Writes over what was written at `offset`.
  public mutating func replace<T: FixedWidthInteger & BitwiseCopyable>(_ value: T, at offset: Int) {
    guard let base = memory.baseAddress, offset >= 0, offset &+ MemoryLayout<T>.size <= memory.count else { return }
    base.storeBytes(of: value.littleEndian, toByteOffset: offset, as: T.self)
  }
}

/// Reads bytes that nobody has checked. After the first thing that isn't there everything reads as zero and `isBroken`
/// says so: asked once, at the end.
public struct WireReader {
  public let bytes: UnsafeRawBufferPointer
  public private(set) var offset = 0
  public private(set) var isBroken = false

  public init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

  /// Whether everything has been read, and could be.
  public var isAtEnd: Bool { !isBroken && offset == bytes.count }
  /// Bytes that haven't been read.
  public var left: Int { isBroken ? 0 : bytes.count &- offset }

  @inline(__always)
  public mutating func take<T: FixedWidthInteger & BitwiseCopyable>(_ type: T.Type = T.self) -> T {
    guard left >= MemoryLayout<T>.size, let base = bytes.baseAddress else {
      isBroken = true
      return 0
    }
    // SAFETY: as just checked.
    let value = T(littleEndian: base.loadUnaligned(fromByteOffset: offset, as: T.self))
    offset &+= MemoryLayout<T>.size
    return value
  }

  /// A text, empty where there is none. Borrows the bytes, which may be anything.
  public mutating func text() -> Name { optionalText() ?? Name(start: nil, count: 0) }

  public mutating func optionalText() -> Name? {
    let length = take(UInt32.self)
    if length == .max { return nil }
    guard Int(length) <= left, let base = bytes.baseAddress else {
      isBroken = true
      return nil
    }
    let text = Name(start: base + offset, count: Int(length))
    offset &+= Int(length)
    return text
  }

  /// Passes over so many bytes.
  public mutating func skip(_ count: Int) {
    guard count >= 0, count <= left else {
      isBroken = true
      return
    }
    offset &+= count
  }

  /// Says that what was read makes no sense.
  public mutating func refuse() { isBroken = true }
}
