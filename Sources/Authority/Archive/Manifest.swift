// The text files of the state folder (docs/state-folder.md): lines, closed by a digest over all that comes before it, so
// that whatever was cut off, mixed or changed is noticed. Pure.

internal import CompilerProtocol
internal import System

/// Bounds of what is read back.
enum ArchiveLimits {
  /// Bytes of one text file.
  static let manifestBytes = 32 << 20
  /// Sources that one names.
  static let sources = WireLimits.sources
  /// Bytes of the sources of one set or layer.
  static let totalBytes = WireLimits.sourcesBytes
  /// Sets that are kept.
  static let sets = 32
  /// Names of one folder that are looked at.
  static let names = 1_000_000
  /// Numbers reserved at once.
  static let block: UInt64 = 1024
}

/// Lines under a title, closed by `sum DIGEST`.
enum SealedText {
  static func encode(_ title: String, _ lines: [String]) -> [UInt8] {
    let body = Array(("\(title) 1\n" + lines.map { $0 + "\n" }.joined()).utf8)
    return body + Array("sum \(sha256(body).hex)\n".utf8)
  }

  /// nil: not what `encode` made.
  static func decode(_ bytes: [UInt8], _ title: String) -> [Substring]? {
    // "sum ", 64 digits, newline.
    let tail = 69
    guard bytes.count >= tail else { return nil }
    let body = Array(bytes.dropLast(tail))
    guard bytes.suffix(tail).elementsEqual("sum \(sha256(body).hex)\n".utf8) else { return nil }
    let lines = String(decoding: body, as: UTF8.self).split(separator: "\n")
    guard lines.first == "\(title) 1" else { return nil }
    return Array(lines.dropFirst())
  }
}

/// A source that a manifest names: `file RANK DIGEST SIZE PATH`.
struct ManifestFile: Hashable, Sendable {
  let rank: Int
  let digest: String
  let size: Int
  let path: String

  init?(_ source: PolicySource) {
    guard let digest = source.digest, case .bytes(let bytes) = source.entry.content,
      !source.entry.path.utf8.contains(0x0A)
    else { return nil }
    (rank, self.digest, size, path) = (source.entry.rank, digest, bytes.count, source.entry.path)
  }

  init?(line: Substring) {
    let parts = line.split(separator: " ", maxSplits: 4, omittingEmptySubsequences: false)
    guard parts.count == 5, parts[0] == "file", let rank = UInt16(parts[1]), let size = UInt32(parts[3]),
      size <= WireLimits.fileBytes, isDigest(parts[2]), parts[4].utf8.count <= WireLimits.textBytes,
      FileOwner(String(parts[4])) != .none
    else { return nil }
    (self.rank, digest, self.size, path) = (Int(rank), String(parts[2]), Int(size), String(parts[4]))
  }

  var line: String { "file \(rank) \(digest) \(size) \(path)" }
}

/// 64 lower-case hexadecimal digits.
func isDigest(_ text: Substring) -> Bool {
  text.utf8.count == 64 && text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
}

/// What was in force as one generation.
struct SetManifest: Sendable {
  static let title = "licet-set"
  /// Seconds since 1970.
  var time: Int64
  var digest: String
  var files: [ManifestFile]

  var bytes: [UInt8] {
    SealedText.encode(SetManifest.title, ["time \(time)", "digest \(digest)"] + files.map(\.line))
  }

  init(time: Int64, digest: String, files: [ManifestFile]) {
    (self.time, self.digest, self.files) = (time, digest, files)
  }

  init?(_ bytes: [UInt8]) {
    guard let lines = SealedText.decode(bytes, SetManifest.title), lines.count >= 2,
      lines[0].hasPrefix("time "), let time = Int64(lines[0].dropFirst(5)),
      lines[1].hasPrefix("digest "), isDigest(lines[1].dropFirst(7)),
      let files = manifestFiles(lines.dropFirst(2))
    else { return nil }
    self.init(time: time, digest: String(lines[1].dropFirst(7)), files: files)
  }
}

/// The last good files of the platform or of one operator.
struct LayerManifest: Sendable {
  static let title = "licet-layer"
  var files: [ManifestFile]

  var bytes: [UInt8] { SealedText.encode(LayerManifest.title, files.map(\.line)) }

  init(files: [ManifestFile]) { self.files = files }

  init?(_ bytes: [UInt8]) {
    guard let lines = SealedText.decode(bytes, LayerManifest.title), let files = manifestFiles(lines[...]) else {
      return nil
    }
    self.files = files
  }
}

private func manifestFiles(_ lines: ArraySlice<Substring>) -> [ManifestFile]? {
  guard lines.count <= ArchiveLimits.sources else { return nil }
  let files = lines.compactMap { ManifestFile(line: $0) }
  guard files.count == lines.count, files.reduce(0, { $0 + $1.size }) <= ArchiveLimits.totalBytes else { return nil }
  return files
}

/// A rollback that stands: the set, and what the folders' content was then.
struct RollbackRecord: Sendable, Hashable {
  static let title = "licet-rollback"
  let set: UInt64
  let tree: String

  var bytes: [UInt8] { SealedText.encode(RollbackRecord.title, ["set \(set)", "tree \(tree)"]) }

  init(set: UInt64, tree: String) { (self.set, self.tree) = (set, tree) }

  init?(_ bytes: [UInt8]) {
    guard let lines = SealedText.decode(bytes, RollbackRecord.title), lines.count == 2, lines[0].hasPrefix("set "),
      let set = UInt64(lines[0].dropFirst(4)), lines[1].hasPrefix("tree ")
    else { return nil }
    self.init(set: set, tree: String(lines[1].dropFirst(5)))
  }
}

/// Numbers up to and with `bound` may have been used.
struct BoundRecord {
  static let title = "licet-generation"
  let bound: UInt64

  var bytes: [UInt8] { SealedText.encode(BoundRecord.title, ["bound \(bound)"]) }

  init(bound: UInt64) { self.bound = bound }

  init?(_ bytes: [UInt8]) {
    guard let lines = SealedText.decode(bytes, BoundRecord.title), lines.count == 1, lines[0].hasPrefix("bound "),
      let bound = UInt64(lines[0].dropFirst(6)), bound <= BoundRecord.largest
    else { return nil }
    self.bound = bound
  }

  /// Beyond it no bound is believed: numbers must stay exact in JSON, and there must be some left.
  static let largest: UInt64 = 1 << 53
}
