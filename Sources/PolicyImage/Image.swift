// Reading an image. An `Image` exists only of bytes that `verify` accepted, so that its accessors check nothing:
// every index that stands in a verified image is in range, every offset inside, every program well-formed.

/// A verified image: a view on memory that its owner keeps mapped, unchanged and readable for as long as the view
/// is used. Copying it copies pointers. Safe to read from any number of threads.
public struct Image {
  /// All that an image is: sections are found from its header, so that a view is passed on in one register and a
  /// decision doesn't copy tables of pointers around.
  public let base: UnsafeRawPointer

  /// Only for `verify`, which has checked what the accessors rely on, and for the verifier's own reading.
  init(unchecked base: UnsafeRawPointer) { self.base = base }

  @inlinable @inline(__always)
  public var header: UnsafePointer<ImageHeader> { base.assumingMemoryBound(to: ImageHeader.self) }
  /// Bytes in all.
  public var size: Int { Int(truncatingIfNeeded: header.pointee.size) }

  @inlinable @inline(__always)
  func section(_ s: Section) -> UnsafeRawPointer {
    // SAFETY: the verifier has checked that the sections lie inside the image and are aligned.
    base + Int(truncatingIfNeeded: base.load(fromByteOffset: ImageHeader.entryOffset(s), as: UInt32.self))
  }
  /// Entries of a section.
  @inlinable @inline(__always)
  public func count(_ s: Section) -> Int {
    Int(truncatingIfNeeded: base.load(fromByteOffset: ImageHeader.entryOffset(s) &+ 4, as: UInt32.self))
  }

  @inlinable @inline(__always) var bytes: UnsafeRawPointer { section(.bytes) }
  @inlinable @inline(__always)
  var strings: UnsafePointer<StringRecord> { section(.strings).assumingMemoryBound(to: StringRecord.self) }
  @inlinable @inline(__always)
  var stringIndex: UnsafePointer<UInt32> { section(.stringIndex).assumingMemoryBound(to: UInt32.self) }
  @inlinable @inline(__always)
  public var nodes: UnsafePointer<Node> { section(.nodes).assumingMemoryBound(to: Node.self) }
  @inlinable @inline(__always)
  var nodeIndex: UnsafePointer<UInt64> { section(.nodeIndex).assumingMemoryBound(to: UInt64.self) }
  @inlinable @inline(__always)
  public var rules: UnsafePointer<UInt64> { section(.rules).assumingMemoryBound(to: UInt64.self) }
  @inlinable @inline(__always)
  public var statements: UnsafePointer<StatementRecord> {
    section(.statements).assumingMemoryBound(to: StatementRecord.self)
  }
  @inlinable @inline(__always)
  public var masks: UnsafePointer<UInt64> { section(.masks).assumingMemoryBound(to: UInt64.self) }
  @inlinable @inline(__always)
  public var attributes: UnsafePointer<AttributeRecord> {
    section(.attributes).assumingMemoryBound(to: AttributeRecord.self)
  }
  @inlinable @inline(__always)
  public var types: UnsafePointer<UInt32> { section(.types).assumingMemoryBound(to: UInt32.self) }
  @inlinable @inline(__always)
  public var constants: UnsafePointer<UInt64> { section(.constants).assumingMemoryBound(to: UInt64.self) }
  @inlinable @inline(__always)
  public var code: UnsafePointer<UInt64> { section(.code).assumingMemoryBound(to: UInt64.self) }
  @inlinable @inline(__always)
  public var blobs: UnsafeRawPointer { section(.blobs) }
  @inlinable @inline(__always)
  public var alternatives: UnsafePointer<AlternativeRecord> {
    section(.alternatives).assumingMemoryBound(to: AlternativeRecord.self)
  }
  @inlinable @inline(__always)
  var periodWords: UnsafePointer<UInt32> { section(.periods).assumingMemoryBound(to: UInt32.self) }

  public var isPlatform: Bool { header.pointee.kind == ImageKind.platform.rawValue }
  /// Tells images apart; an overlay names its platform's.
  public var checksum: UInt64 { header.pointee.checksum }

  /// The bytes of a string by its id.
  @inlinable @inline(__always)
  public func string(_ id: UInt32) -> UnsafeRawBufferPointer {
    let record = strings[Int(id)]
    return UnsafeRawBufferPointer(start: bytes + Int(record.offset), count: Int(record.length))
  }

  /// The id of a string with these bytes, or none.
  @inlinable @inline(__always)
  public func symbol(_ p: UnsafeRawPointer, _ count: Int) -> UInt32 {
    let stringIndex = stringIndex
    let mask = self.count(.stringIndex) &- 1
    var bucket = Int(truncatingIfNeeded: hash64(p, count)) & mask
    while true {
      let entry = stringIndex[bucket]
      if entry == 0 { return ImageFormat.none }
      let record = strings[Int(entry &- 1)]
      if Int(record.length) == count, equalBytes(bytes + Int(record.offset), p, count) { return entry &- 1 }
      bucket = (bucket &+ 1) & mask
    }
  }

  /// The bytes of a node's name.
  @inlinable @inline(__always)
  public func name(_ node: UInt32) -> UnsafeRawBufferPointer {
    let n = nodes + Int(node)
    return UnsafeRawBufferPointer(start: bytes + Int(n.pointee.nameOffset), count: Int(n.pointee.nameLength))
  }

  /// The node of exactly this name, or none; `hash` is `hash64` of the name.
  @inlinable @inline(__always)
  public func node(_ p: UnsafeRawPointer, _ count: Int, hash: UInt64) -> UInt32 {
    let nodeIndex = nodeIndex
    let mask = self.count(.nodeIndex) &- 1
    let low = UInt32(truncatingIfNeeded: hash)
    var bucket = Int(truncatingIfNeeded: hash >> 32) & mask
    while true {
      let entry = nodeIndex[bucket]
      let index = UInt32(truncatingIfNeeded: entry >> 32)
      if index == 0 { return ImageFormat.none }
      if UInt32(truncatingIfNeeded: entry) == low {
        let n = nodes + Int(index &- 1)
        if Int(n.pointee.nameLength) == count, equalBytes(bytes + Int(n.pointee.nameOffset), p, count) {
          return index &- 1
        }
      }
      bucket = (bucket &+ 1) & mask
    }
  }

  /// The node of this name or of its nearest ancestor that has one, or none.
  public func nearestNode(_ p: UnsafeRawPointer, _ count: Int) -> UInt32 {
    var length = count
    while length > 0 {
      let found = node(p, length, hash: hash64(p, length))
      if found != ImageFormat.none { return found }
      length &-= 1
      // SAFETY: 0 < length <= count.
      while length > 0, p.load(fromByteOffset: length, as: UInt8.self) != UInt8(ascii: ".") { length &-= 1 }
    }
    return ImageFormat.none
  }

  func nodeIndexEntry(_ i: Int) -> UInt64 { nodeIndex[i] }

  /// The string id of an obligation, by its bit.
  @inline(__always)
  public func obligationID(_ bit: Int) -> UInt32 {
    // SAFETY: the caller has bit < count(.obligations).
    section(.obligations).assumingMemoryBound(to: UInt32.self)[bit]
  }

  @inline(__always)
  public func obligationName(_ bit: Int) -> UnsafeRawBufferPointer {
    string(obligationID(bit))
  }
}

extension Image {
  /// Whether the platform says what suspicion does.
  @inlinable @inline(__always)
  public var hasSuspicion: Bool { header.pointee.suspicionStatement != ImageFormat.none }
}

/// The first 240 bytes of an image.
public struct ImageHeader: BitwiseCopyable, Sendable {
  public var magic: UInt64
  public var version: UInt32
  public var kind: UInt32
  public var size: UInt64
  /// `hash64` of everything before and behind this field.
  public var checksum: UInt64
  /// An overlay's platform's checksum; 0 in a platform's.
  public var platform: UInt64
  /// String id of the platform's or operator's name.
  public var name: UInt32
  /// The platform's `unknown`, an Effect; 0 in overlays.
  public var unknown: UInt32
  /// Statement of the platform's `unknown`, or none.
  public var unknownStatement: UInt32
  public var reserved: UInt32
  /// (offset, count) of the first 16 sections.
  public var sections:
    (
      UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64,
      UInt64, UInt64
    )
  /// The platform's dial and its ceilings (DESIGN §2.5). In an overlay the operator's dial and zeros; all zero: it states none.
  public var dial: Degree
  public var dialOperatorsMay: Degree
  public var dialUsersMay: Degree
  /// What states the dial: in a platform the first of three statements, of the default and each ceiling; or none.
  public var dialStatement: UInt32
  public var flags: UInt32
  /// How many periods there are; 0 in overlays.
  public var periods: UInt32
  /// (offset, count) of the sections from the 17th on.
  public var moreSections: (UInt64, UInt64)
  /// What suspicion does (DESIGN §2.4): thousandths of an attempt from which on it asks, and denies, or none; seconds in
  /// which it halves; what states it, or none: it does nothing. In an overlay none, none, 0, none.
  public var suspicionAskAt: UInt32
  public var suspicionDenyAt: UInt32
  public var suspicionHalfLife: UInt32
  public var suspicionStatement: UInt32

  /// A condition reads `session.dial`. Without it the attribute isn't given, and what reads it all the same fails.
  public static let readsDial: UInt32 = 1
  /// Suspicion is for every name, not for the nodes that say so alone.
  public static let suspectsAll: UInt32 = 2

  /// Where a section's offset stands in the header; its count is the four bytes behind.
  @inlinable @inline(__always)
  static func entryOffset(_ s: Section) -> Int { (s.rawValue < 16 ? 56 : 80) &+ s.rawValue &* 8 }
}
