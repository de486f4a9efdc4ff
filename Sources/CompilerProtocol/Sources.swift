// The sources of one compile, as they lie in sealed memory.

/// One policy file, or why it could not be read.
public struct SourceEntry: Hashable, Sendable {
  /// Relative to its policy folder: "operators.d/nightowl.yaml".
  public var path: String
  /// Its folder's place among the policy folders, lowest first.
  public var rank: Int
  public var content: Content

  /// What is there.
  public enum Content: Hashable, Sendable {
    case bytes([UInt8])
    case failure(Failure)
  }

  /// Why a file or folder could not be read.
  public struct Failure: Hashable, Sendable {
    /// The raw values are the wire's.
    public enum Kind: UInt8, CaseIterable, Sendable {
      case unreadable = 1, loop, vanished, tooLarge, isDirectory, isSpecial, folderUnreadable, tooManyFiles
      case untrustedOwner, untrustedMode
    }
    public var kind: Kind
    /// errno, size in bytes, user or mode, as `kind` has it; else 0.
    public var number: UInt64
    /// The policy folder.
    public var folder: String
    /// A failure below `folder`.
    public init(_ kind: Kind, number: UInt64 = 0, folder: String) {
      self.kind = kind
      self.number = number
      self.folder = folder
    }
  }

  /// A file of `path` in the folder of `rank`.
  public init(path: String, rank: Int = 0, content: Content) {
    self.path = path
    self.rank = rank
    self.content = content
  }
}

/// The wire's form of sources; `decodeSources` reads it. Throws when they are beyond `WireLimits`.
public func encodeSources(_ sources: [SourceEntry]) throws(WireError) -> [UInt8] {
  guard sources.count <= WireLimits.sources else { throw WireError(.tooMany, at: 12) }
  var writer = WireWriter()
  writer.number(SourcesFormat.magic)
  writer.number(UInt32(WireLimits.version))
  writer.number(UInt32(sources.count))
  for source in sources {
    let at = writer.bytes.count
    guard source.path.utf8.count <= WireLimits.textBytes else { throw WireError(.tooLarge, at: at) }
    guard let rank = UInt32(exactly: source.rank) else { throw WireError(.badValue, at: at) }
    writer.text(source.path)
    writer.number(rank)
    switch source.content {
    case .bytes(let bytes):
      guard bytes.count <= WireLimits.fileBytes else { throw WireError(.tooLarge, at: at) }
      writer.number(UInt8(0))
      writer.part(bytes)
    case .failure(let failure):
      writer.number(failure.kind.rawValue)
      writer.number(failure.number)
      writer.text(failure.folder)
    }
    guard writer.bytes.count <= WireLimits.sourcesBytes else { throw WireError(.tooLarge, at: at) }
  }
  return writer.bytes
}

/// Reads sources from memory that doesn't change meanwhile; what is returned are copies. Never traps.
public func decodeSources(_ bytes: UnsafeRawBufferPointer) throws(WireError) -> [SourceEntry] {
  guard bytes.count <= WireLimits.sourcesBytes else { throw WireError(.tooLarge, at: 0) }
  var reader = WireReader(bytes)
  guard try reader.number(UInt64.self) == SourcesFormat.magic else { throw WireError(.notThis, at: 0) }
  guard try reader.number(UInt32.self) == UInt32(WireLimits.version) else {
    throw WireError(.unsupportedVersion, at: 8)
  }
  let count = try reader.count(maximum: WireLimits.sources, size: SourcesFormat.smallestEntry)
  var sources: [SourceEntry] = []
  sources.reserveCapacity(count)
  for _ in 0..<count { sources.append(try decodeSource(&reader)) }
  try reader.finish()
  return sources
}

private enum SourcesFormat {
  /// "LICETSRC" as a little-endian word.
  static let magic: UInt64 = 0x4352_5354_4543_494C
  /// Path's length, rank, tag, content's length.
  static let smallestEntry = 13
}

private func decodeSource(_ reader: inout WireReader) throws(WireError) -> SourceEntry {
  let path = try reader.text()
  let rank = Int(try reader.number(UInt32.self))
  let at = reader.offset
  let tag = try reader.number(UInt8.self)
  if tag == 0 {
    return SourceEntry(
      path: path, rank: rank, content: .bytes(Array(try reader.part(maximum: WireLimits.fileBytes))))
  }
  guard let kind = SourceEntry.Failure.Kind(rawValue: tag) else { throw WireError(.badValue, at: at) }
  let number = try reader.number(UInt64.self)
  return SourceEntry(
    path: path, rank: rank, content: .failure(.init(kind, number: number, folder: try reader.text())))
}
