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
    // By bytes: a slash and an accent after it are no slash to a String, and the file would be nobody's.
    let parts = path.utf8.split(separator: UInt8(ascii: "/"), maxSplits: 2)
    switch parts.first.map(Substring.init) {
    case nil, "platform.d": self = .platform
    case "platform.yaml" where parts.count == 1: self = .platform
    case "operators.d":
      guard parts.count > 1 else {
        self = .operators
        return
      }
      let suffix = [".yaml", ".d", ".yml"].first { parts[1].suffix($0.utf8.count).elementsEqual($0.utf8) } ?? ""
      self = .operator(String(Substring(parts[1].dropLast(suffix.utf8.count))))
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

  init(_ sources: [PolicySource]) {
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
    self.init(
      platform: Layer(platform), operators: operators.mapValues { Layer($0) }, unlisted: unlisted)
  }

  typealias Change = (removed: PolicySource?, added: PolicySource?)

  /// These files with others in some places; nil: where no file is, or none can be read. Equal to making them anew.
  func replacing(_ changes: [Change]) -> PolicyFiles? {
    guard unlisted.isEmpty else { return nil }
    var layers: [FileOwner: [PolicySource]] = [:]
    for change in changes {
      guard let path = (change.added ?? change.removed)?.entry.path else { continue }
      let owner = FileOwner(path)
      var files: [PolicySource]
      switch owner {
      case .platform where !path.isEmpty: files = layers[owner] ?? platform.files
      case .operator(let name): files = layers[owner] ?? operators[name]?.files ?? []
      case .platform, .operators, .none: return nil
      }
      if let removed = change.removed {
        files.removeAll {
          $0.entry.rank == removed.entry.rank && $0.entry.path.utf8.elementsEqual(removed.entry.path.utf8)
        }
      }
      if let added = change.added { files.append(added) }
      layers[owner] = files
    }
    var (platform, operators) = (self.platform, self.operators)
    for (owner, files) in layers {
      if case .operator(let name) = owner { operators[name] = files.isEmpty ? nil : Layer(files) }
      if case .platform = owner { platform = Layer(files) }
    }
    return PolicyFiles(platform: platform, operators: operators)
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
