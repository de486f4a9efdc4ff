// Reading an image. An `Image` exists only of bytes that `verify` accepted, so that its accessors check nothing:
// every index that stands in a verified image is in range, every offset inside, every program well-formed.

/// A verified image: a view on memory that its owner keeps mapped, unchanged and readable for as long as the view
/// is used. Copying it copies pointers. Safe to read from any number of threads.
public struct Image {
  public let base: UnsafeRawPointer
  public let size: Int
  public let header: UnsafePointer<ImageHeader>
  @usableFromInline let bytes: UnsafeRawPointer
  @usableFromInline let strings: UnsafePointer<StringRecord>
  @usableFromInline let stringIndex: UnsafePointer<UInt32>
  @usableFromInline let stringMask: Int
  public let nodes: UnsafePointer<Node>
  @usableFromInline let nodeIndex: UnsafePointer<UInt64>
  @usableFromInline let nodeMask: Int
  public let rules: UnsafePointer<UInt64>
  public let statements: UnsafePointer<StatementRecord>
  public let masks: UnsafePointer<UInt64>
  public let attributes: UnsafePointer<AttributeRecord>
  public let types: UnsafePointer<UInt32>
  public let constants: UnsafePointer<UInt64>
  public let code: UnsafePointer<UInt64>
  public let blobs: UnsafeRawPointer

  /// Only for `verify`, which has checked what the accessors rely on, and for the verifier's own reading.
  init(unchecked base: UnsafeRawPointer, size: Int) {
    // SAFETY: the verifier has checked that header and sections lie inside `size` and are aligned.
    let header = base.assumingMemoryBound(to: ImageHeader.self)
    func section<T>(_ s: Section, _: T.Type) -> UnsafePointer<T> {
      (base + Int(header.pointee.offset(s))).assumingMemoryBound(to: T.self)
    }
    self.base = base
    self.size = size
    self.header = header
    bytes = base + Int(header.pointee.offset(.bytes))
    strings = section(.strings, StringRecord.self)
    stringIndex = section(.stringIndex, UInt32.self)
    stringMask = Int(header.pointee.count(.stringIndex)) &- 1
    nodes = section(.nodes, Node.self)
    nodeIndex = section(.nodeIndex, UInt64.self)
    nodeMask = Int(header.pointee.count(.nodeIndex)) &- 1
    rules = section(.rules, UInt64.self)
    statements = section(.statements, StatementRecord.self)
    masks = section(.masks, UInt64.self)
    attributes = section(.attributes, AttributeRecord.self)
    types = section(.types, UInt32.self)
    constants = section(.constants, UInt64.self)
    code = section(.code, UInt64.self)
    blobs = base + Int(header.pointee.offset(.blobs))
  }

  @inline(__always) public func count(_ section: Section) -> Int { Int(header.pointee.count(section)) }
  public var isPlatform: Bool { header.pointee.kind == ImageKind.platform.rawValue }
  /// Tells images apart; an overlay names its platform's.
  public var checksum: UInt64 { header.pointee.checksum }

  /// The bytes of a string by its id.
  @inline(__always)
  public func string(_ id: UInt32) -> UnsafeRawBufferPointer {
    let record = strings[Int(id)]
    return UnsafeRawBufferPointer(start: bytes + Int(record.offset), count: Int(record.length))
  }

  /// The id of a string with these bytes, or none.
  @inline(__always)
  public func symbol(_ p: UnsafeRawPointer, _ count: Int) -> UInt32 {
    var bucket = Int(truncatingIfNeeded: hash64(p, count)) & stringMask
    while true {
      let entry = stringIndex[bucket]
      if entry == 0 { return ImageFormat.none }
      let record = strings[Int(entry &- 1)]
      if Int(record.length) == count, equalBytes(bytes + Int(record.offset), p, count) { return entry &- 1 }
      bucket = (bucket &+ 1) & stringMask
    }
  }

  /// The bytes of a node's name.
  @inline(__always)
  public func name(_ node: UInt32) -> UnsafeRawBufferPointer {
    let n = nodes + Int(node)
    return UnsafeRawBufferPointer(start: bytes + Int(n.pointee.nameOffset), count: Int(n.pointee.nameLength))
  }

  /// The node of exactly this name, or none; `hash` is `hash64` of the name.
  @inline(__always)
  public func node(_ p: UnsafeRawPointer, _ count: Int, hash: UInt64) -> UInt32 {
    let low = UInt32(truncatingIfNeeded: hash)
    var bucket = Int(truncatingIfNeeded: hash >> 32) & nodeMask
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
      bucket = (bucket &+ 1) & nodeMask
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
    (base + Int(header.pointee.offset(.obligations))).assumingMemoryBound(to: UInt32.self)[bit]
  }

  @inline(__always)
  public func obligationName(_ bit: Int) -> UnsafeRawBufferPointer {
    string(obligationID(bit))
  }
}

/// The first 192 bytes of an image.
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
  /// 16 × (offset, count); as many as there are sections are used.
  public var sections:
    (
      UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64,
      UInt64, UInt64
    )

  @inline(__always)
  func entry(_ section: Section) -> UInt64 {
    withUnsafeBytes(of: sections) { $0.loadUnaligned(fromByteOffset: section.rawValue &* 8, as: UInt64.self) }
  }
  @inline(__always) public func offset(_ s: Section) -> UInt32 { UInt32(truncatingIfNeeded: entry(s)) }
  @inline(__always) public func count(_ s: Section) -> UInt32 { UInt32(truncatingIfNeeded: entry(s) >> 32) }
}
