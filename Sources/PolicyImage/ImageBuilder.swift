#if !hasFeature(Embedded)
  // Building an image in memory: sections grow, `finish` lays them out. The bytes depend only on what is added in
  // which order.

  public struct ImageBuilder: Sendable {
    var bytes: [UInt8] = []
    var strings: [(offset: Int, length: Int)] = []
    var binaryIDs: [[UInt8]: UInt32] = [:]
    var constants: [UInt64] = []
    var constantIDs: [UInt64: UInt32] = [:]
    var code: [UInt64] = []
    var blobs: [UInt8] = []
    var blobIDs: [[UInt8]: UInt32] = [:]

    public init() {}

    /// The id of `text`, interned by its UTF-8 bytes.
    public mutating func string(_ text: String) -> UInt32 {
      // Never through a table of Swift strings: these are equal when only canonically equivalent, CEL's are not.
      string(bytes: Array(text.utf8))
    }

    /// The id of a byte string (bytes literals are kept beside texts).
    public mutating func string(bytes content: [UInt8]) -> UInt32 {
      if let id = binaryIDs[content] { return id }
      let id = UInt32(strings.count)
      strings.append((bytes.count, content.count))
      bytes += content
      binaryIDs[content] = id
      return id
    }

    /// The index of an 8-byte constant, interned by its bits.
    public mutating func constant(_ bits: UInt64) -> UInt32 {
      if let id = constantIDs[bits] { return id }
      let id = UInt32(constants.count)
      constants.append(bits)
      constantIDs[bits] = id
      return id
    }

    /// The word in `code` at which these instructions start.
    public mutating func program(_ instructions: [UInt64]) -> UInt32 {
      let start = UInt32(code.count)
      code += instructions
      return start
    }

    /// The offset in `blobs` (8-byte aligned) of these bytes, interned.
    public mutating func blob(_ content: [UInt8]) -> UInt32 {
      if let offset = blobIDs[content] { return offset }
      while blobs.count % 8 != 0 { blobs.append(0) }
      let offset = UInt32(blobs.count)
      blobs += content
      blobIDs[content] = offset
      return offset
    }
  }
#endif
