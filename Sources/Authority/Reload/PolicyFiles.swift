// The entries of a policy tree, sorted to whom they belong: the platform, or one operator.

internal import CompilerProtocol
internal import PolicyTree
internal import System

/// A policy file, or why it can't be read, with the digest of its bytes.
struct PolicySource: Sendable, Hashable {
  let entry: SourceEntry
  /// SHA-256 in hexadecimal; nil for a failure.
  let digest: String?

  init(_ entry: SourceEntry, digest: String? = nil) {
    self.entry = entry
    if case .bytes(let bytes) = entry.content {
      self.digest = digest ?? sha256(bytes).hex
    } else {
      self.digest = nil
    }
  }
}

/// All files of the platform or of one operator.
struct Layer: Sendable {
  let files: [PolicySource]
  /// SHA-256 over ranks, paths and digests; equal for the same content wherever it was read.
  let digest: String
  var entries: [SourceEntry] { files.map(\.entry) }
  var isWhole: Bool { files.allSatisfy { $0.digest != nil } }

  init(_ files: [PolicySource]) {
    self.files = files.sorted { ($0.entry.rank, $0.entry.path) < ($1.entry.rank, $1.entry.path) }
    var text = ""
    for file in self.files {
      text += "\(file.entry.rank) \(file.digest ?? "\(file.entry.content)") \(file.entry.path)\n"
    }
    digest = sha256(Array(text.utf8)).hex
  }

  /// This layer, if these are its files, in its order.
  func taken(for files: [PolicySource]) -> Layer? {
    let isSame =
      files.count == self.files.count
      && zip(files, self.files).allSatisfy { new, old in
        new.digest != nil && new.digest == old.digest && new.entry.rank == old.entry.rank
          && new.entry.path == old.entry.path
      }
    return isSame ? self : nil
  }
}

/// Whose a file is, by its path.
enum FileOwner: Hashable, Sendable {
  case platform
  case `operator`(String)
  /// The folder of all operators, which can't be listed.
  case operators
  /// Nobody's: not read.
  case none

  init(_ path: String) {
    let parts = path.utf8.split(separator: UInt8(ascii: "/"), maxSplits: 2, omittingEmptySubsequences: true)
    switch parts.first.map(Substring.init) {
    case nil, "platform.d": self = .platform
    case "platform.yaml" where parts.count == 1: self = .platform
    case "operators.d":
      guard parts.count > 1 else {
        self = .operators
        return
      }
      let name = Substring(parts[1])
      let suffix = [".yaml", ".d"].first(where: name.hasSuffix) ?? ""
      self = .operator(String(name.dropLast(suffix.utf8.count)))
    default: self = .none
    }
  }
}

/// A whole policy tree.
struct PolicyFiles: Sendable {
  let platform: Layer
  let operators: [String: Layer]
  /// A folder that may hold any operator's files can't be listed: who is in force stays so.
  let unlisted: [SourceEntry]
  /// Over all layers.
  let digest: String

  /// Layers of `earlier` that have the same files are taken from there.
  init(_ sources: [PolicySource], earlier: PolicyFiles? = nil) {
    var platform: [PolicySource] = []
    var operators: [String: [PolicySource]] = [:]
    var unlisted: [SourceEntry] = []
    for source in sources {
      switch FileOwner(source.entry.path) {
      case .platform:
        platform.append(source)
        if source.entry.path.isEmpty { unlisted.append(source.entry) }
      case .operator(let name): operators[name, default: []].append(source)
      case .operators: unlisted.append(source.entry)
      case .none: continue
      }
    }
    let (ownPlatform, ownOperators) = (platform, operators)
    self.init(
      platform: earlier?.platform.taken(for: ownPlatform) ?? Layer(ownPlatform),
      operators: Dictionary(
        uniqueKeysWithValues: ownOperators.map { name, files in
          (name, earlier?.operators[name]?.taken(for: files) ?? Layer(files))
        }), unlisted: unlisted)
  }

  init(platform: Layer, operators: [String: Layer], unlisted: [SourceEntry] = []) {
    self.platform = platform
    self.operators = operators
    self.unlisted = unlisted
    digest = setDigest(platform: platform, operators: operators) + (unlisted.isEmpty ? "" : "!")
  }

  static let none = PolicyFiles(platform: Layer([]), operators: [:])
}

/// One digest of a platform's and operators' layers.
func setDigest(platform: Layer?, operators: [String: Layer]) -> String {
  var text = Array("platform \(platform?.digest ?? "-")\n".utf8)
  text.reserveCapacity(operators.count * 96)
  for name in operators.keys.sorted() {
    text += "operator ".utf8
    text += name.utf8
    text += " ".utf8
    text += (operators[name]?.digest ?? "-").utf8
    text += "\n".utf8
  }
  return sha256(text).hex
}

/// A name that may stand in a path of the state folder: as policy files name operators.
func isOperatorName(_ name: String) -> Bool {
  func isAlphanumeric(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
    default: false
    }
  }
  guard let first = name.utf8.first, isAlphanumeric(first), name.utf8.count <= 64 else { return false }
  return name.utf8.allSatisfy { isAlphanumeric($0) || $0 == 0x2D || $0 == 0x5F || $0 == 0x2E }
}
