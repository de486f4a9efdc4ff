#if !hasFeature(Embedded)
  // Building an image in memory: sections grow, `finish` lays them out. The bytes depend only on what is added in
  // which order.

  public struct ImageBuilder: Sendable {
    var bytes: [UInt8] = []
    var strings: [(offset: Int, length: Int)] = []
    /// Hash index over `strings`: id + 1, or 0; a power of two, at most half full.
    private var stringTable = [UInt32](repeating: 0, count: 64)
    var constants: [UInt64] = []
    var constantIDs: [UInt64: UInt32] = [:]
    var code: [UInt64] = []
    var blobs: [UInt8] = []
    var blobIDs: [[UInt8]: UInt32] = [:]

    public init() {}

    /// The id of `text`, interned by its UTF-8 bytes.
    public mutating func string(_ text: String) -> UInt32 {
      // Never through a table of Swift strings: these are equal when only canonically equivalent, CEL's are not.
      var text = text
      return text.withUTF8 { string(UnsafeRawBufferPointer($0)) }
    }

    /// The id of a byte string (bytes literals are kept beside texts).
    public mutating func string(bytes content: [UInt8]) -> UInt32 {
      content.withUnsafeBytes { string($0) }
    }

    private mutating func string(_ content: UnsafeRawBufferPointer) -> UInt32 {
      let base = content.baseAddress ?? UnsafeRawPointer(("" as StaticString).utf8Start)
      var bucket = bucket(of: base, content.count)
      while stringTable[bucket] != 0 {
        let id = stringTable[bucket] - 1
        let known = strings[Int(id)]
        let isSame =
          known.length == content.count
          && bytes.withUnsafeBytes { all in
            all.baseAddress.map { equalBytes($0 + known.offset, base, known.length) } ?? true
          }
        if isSame { return id }
        bucket = (bucket + 1) & (stringTable.count - 1)
      }
      let id = UInt32(strings.count)
      strings.append((bytes.count, content.count))
      bytes += content
      stringTable[bucket] = id + 1
      if strings.count * 2 > stringTable.count { growStringTable() }
      return id
    }

    private func bucket(of base: UnsafeRawPointer, _ count: Int) -> Int {
      Int(truncatingIfNeeded: hash64(base, count) >> 20) & (stringTable.count - 1)
    }

    private mutating func growStringTable() {
      stringTable = [UInt32](repeating: 0, count: stringTable.count * 4)
      for (id, string) in strings.enumerated() {
        var bucket = bytes.withUnsafeBytes { all in
          self.bucket(
            of: all.baseAddress.map { $0 + string.offset } ?? UnsafeRawPointer(("" as StaticString).utf8Start),
            string.length)
        }
        while stringTable[bucket] != 0 { bucket = (bucket + 1) & (stringTable.count - 1) }
        stringTable[bucket] = UInt32(id + 1)
      }
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
