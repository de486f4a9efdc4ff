// A bundle: one platform's image and its operators' overlays in one file, so that a container needs no daemon
// (docs/image-format.md). Header, directory sorted by operator name, names, images at multiples of 64.

public enum BundleFormat {
  /// "LICETBDL" as a little-endian word.
  public static let magic: UInt64 = 0x4C44_4254_4543_494C
  public static let version: UInt32 = 1
  public static let headerSize = 32
  public static let entrySize = 32
}

/// A view on a bundle's bytes, whose directory has been checked; the images in it are verified when they are opened.
/// The memory must stay mapped and unchanged. Thread-safe.
public struct Bundle {
  let memory: UnsafeRawBufferPointer
  /// Operators in it.
  public let operatorCount: Int

  /// Checks header and directory of `memory`, which is 8-byte aligned.
  public init(_ memory: UnsafeRawBufferPointer) throws(ImageError) {
    guard let base = memory.baseAddress, memory.count >= BundleFormat.headerSize &+ BundleFormat.entrySize else {
      throw ImageError(.tooSmall, at: 0)
    }
    guard UInt(bitPattern: base) & 7 == 0 else { throw ImageError(.misaligned, at: 0) }
    guard load64(base, 0) == BundleFormat.magic else { throw ImageError(.notAnImage, at: 0) }
    guard UInt32(truncatingIfNeeded: load64(base, 8)) == BundleFormat.version else {
      throw ImageError(.unsupportedVersion, at: 8)
    }
    guard load64(base, 16) == UInt64(memory.count) else { throw ImageError(.wrongSize, at: 16) }
    let entries = Int(load64(base, 8) >> 32)
    let room = (memory.count &- BundleFormat.headerSize) / BundleFormat.entrySize
    guard entries >= 1, entries <= room else { throw ImageError(.badSection, at: 12) }
    let directory = entries &* BundleFormat.entrySize
    guard load64(base, 24) == hash64(base + BundleFormat.headerSize, directory) else {
      throw ImageError(.checksum, at: 24)
    }
    self.memory = memory
    operatorCount = entries &- 1
    for i in 0..<entries {
      let at = BundleFormat.headerSize &+ i &* BundleFormat.entrySize
      guard isInside(load64(base, at), load64(base, at &+ 8)), isInside(load64(base, at &+ 16), load64(base, at &+ 24))
      else { throw ImageError(.badSection, at: at) }
    }
  }

  private func isInside(_ offset: UInt64, _ length: UInt64) -> Bool {
    offset <= UInt64(memory.count) && length <= UInt64(memory.count) &- offset
  }

  private func part(_ entry: Int, _ which: Int) -> UnsafeRawBufferPointer {
    guard let base = memory.baseAddress else { return UnsafeRawBufferPointer(start: nil, count: 0) }
    // SAFETY: `init` has checked every entry's offsets and lengths.
    let at = BundleFormat.headerSize &+ entry &* BundleFormat.entrySize &+ which &* 16
    return UnsafeRawBufferPointer(
      start: base + Int(truncatingIfNeeded: load64(base, at)), count: Int(truncatingIfNeeded: load64(base, at &+ 8)))
  }

  /// The platform's image, not verified yet.
  public var platform: UnsafeRawBufferPointer { part(0, 1) }
  /// An operator's name and its overlay, not verified yet; `index` is in 0..<operatorCount.
  public func operatorName(_ index: Int) -> UnsafeRawBufferPointer { part(index &+ 1, 0) }
  public func overlay(_ index: Int) -> UnsafeRawBufferPointer { part(index &+ 1, 1) }
}

#if !hasFeature(Embedded)
  extension Bundle {
    /// The bytes of a bundle. Overlays come out sorted by operator name.
    public static func build(platform: [UInt8], overlays: [String: [UInt8]]) -> [UInt8] {
      let sorted = overlays.sorted { $0.key < $1.key }
      let parts = [("", platform)] + sorted.map { ($0.key, $0.value) }
      var body: [UInt8] = []
      var directory: [UInt64] = []
      let start = BundleFormat.headerSize + parts.count * BundleFormat.entrySize
      for (name, image) in parts {
        directory += [UInt64(start + body.count), UInt64(name.utf8.count)]
        body += Array(name.utf8)
        while (start + body.count) % 64 != 0 { body.append(0) }
        directory += [UInt64(start + body.count), UInt64(image.count)]
        body += image
      }
      let entries = directory.flatMap { word in (0..<8).map { UInt8(truncatingIfNeeded: word >> ($0 * 8)) } }
      let checksum = entries.withUnsafeBytes { $0.baseAddress.map { hash64($0, entries.count) } ?? 0 }
      let header: [UInt64] = [
        BundleFormat.magic, UInt64(BundleFormat.version) | UInt64(parts.count) << 32, UInt64(start + body.count),
        checksum,
      ]
      return header.flatMap { word in (0..<8).map { UInt8(truncatingIfNeeded: word >> ($0 * 8)) } } + entries + body
    }
  }
#endif
