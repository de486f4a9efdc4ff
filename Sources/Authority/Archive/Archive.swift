// What survives a restart: sources by digest, the sets that were in force, the last good layers, a rollback, and which
// generation numbers may have been used. What is read back is not believed: texts are sealed by a digest, sources are
// checked against theirs, everything is bounded; what doesn't fit is left out, said, and written anew.

internal import CompilerProtocol
internal import System

/// What is known of a set that Rollback can return to.
public struct HistoryEntry: Hashable, Sendable {
  /// Its generation.
  public let number: UInt64
  /// Seconds since 1970.
  public let time: Int64
  /// SHA-256 over its sources, in hexadecimal.
  public let digest: String
}

/// What was found at start.
struct OpenedArchive: Sendable {
  /// Oldest first.
  var history: [HistoryEntry] = []
  var rollback: RollbackRecord?
  /// Numbers to use: reserved on disk, or, when that can't be, derived from the clock.
  var numbers: Range<UInt64> = 0..<0
  var problems: [String] = []
  var unwritable: StateError?
}

/// A set to be kept.
struct StoredSet: Sendable {
  let entry: HistoryEntry
  let platform: Layer?
  let operators: [String: Layer]
  /// Whose last good files are to be kept though they are not part of the set.
  let declared: Set<String>
}

/// SAFETY: used by one worker's thread only, after it was made.
final class Archive: @unchecked Sendable {
  private let state: StateFolder
  private var sets: [UInt64: SetManifest] = [:]
  private var lastGood: [String: LayerManifest] = [:]
  /// How many manifests name a source.
  private var references: [String: Int] = [:]
  private var present: Set<String> = []
  /// Files that are of no use any more.
  private var rubbish: [String] = []

  init(_ state: StateFolder) { self.state = state }

  // MARK: Reading

  func open() -> OpenedArchive {
    var opened = OpenedArchive()
    do {
      for folder in ["sources", "sets", "last-good/operators"] { try state.makeFolder(folder) }
    } catch { opened.unwritable = error }
    present = Set(names("sources", &opened).filter { isDigest($0[...]) })
    readSets(&opened)
    readLastGood(&opened)
    opened.rollback = read("rollback", 4096, &opened) { RollbackRecord($0) }
    reserveFirst(&opened)
    return opened
  }

  private func readSets(_ opened: inout OpenedArchive) {
    let numbers = names("sets", &opened).compactMap { UInt64($0) }.sorted()
    for (index, number) in numbers.enumerated() {
      let path = "sets/\(number)"
      guard numbers.count - index <= ArchiveLimits.sets,
        let set = read(path, ArchiveLimits.manifestBytes, &opened, { SetManifest($0) })
      else {
        rubbish.append(path)
        continue
      }
      sets[number] = set
      count(set.files, 1)
      opened.history.append(HistoryEntry(number: number, time: set.time, digest: set.digest))
    }
  }

  private func readLastGood(_ opened: inout OpenedArchive) {
    let operators = names("last-good/operators", &opened).filter(isOperatorName)
    for name in [""] + operators {
      let path = lastGoodPath(name)
      if let layer = read(path, ArchiveLimits.manifestBytes, &opened, { LayerManifest($0) }) {
        lastGood[name] = layer
        count(layer.files, 1)
      }
    }
  }

  /// The numbers of this run begin above all that may have been used: above the bound on disk, and above the clock in
  /// microseconds, which no earlier run can have reached by counting, even if its bound was lost.
  private func reserveFirst(_ opened: inout OpenedArchive) {
    let record = read("generation", 4096, &opened) { BoundRecord($0) }
    let clock = min(wallClock().microseconds, BoundRecord.largest)
    let first = max(clock, (record?.bound ?? 0) &+ 1)
    opened.numbers = first..<first &+ ArchiveLimits.block
    do { try reserve(opened.numbers.upperBound) } catch { opened.unwritable = error }
  }

  private func names(_ folder: String, _ opened: inout OpenedArchive) -> [String] {
    do { return try state.list(folder, maximum: ArchiveLimits.names) } catch {
      opened.problems.append(error.text)
      return []
    }
  }

  /// nil: absent, or not what it should be, which is a problem.
  private func read<T>(_ path: String, _ maximum: Int, _ opened: inout OpenedArchive, _ decode: ([UInt8]) -> T?) -> T? {
    do {
      guard let bytes = try state.read(path, maximum: maximum) else { return nil }
      if let value = decode(bytes) { return value }
      opened.problems.append("`\(path)` is damaged")
    } catch {
      opened.problems.append(error.text)
    }
    return nil
  }

  /// A kept set's files; nil: there is no such set, or a source of it is missing or damaged.
  func files(of number: UInt64) -> PolicyFiles? {
    guard let set = sets[number], let sources = sources(set.files) else { return nil }
    return PolicyFiles(sources)
  }

  /// The last good files of an operator; empty name: of the platform. nil: there are none that are whole.
  func lastGood(_ name: String) -> Layer? {
    guard let manifest = lastGood[name], let sources = sources(manifest.files) else { return nil }
    let owner: FileOwner = name.isEmpty ? .platform : .operator(name)
    guard sources.allSatisfy({ FileOwner($0.entry.path) == owner }) else { return nil }
    return Layer(sources)
  }

  private func sources(_ files: [ManifestFile]) -> [PolicySource]? {
    var sources: [PolicySource] = []
    for file in files {
      let path = "sources/\(file.digest)"
      guard let bytes = try? state.read(path, maximum: file.size), sha256(bytes).hex == file.digest else {
        // Written anew when it is in force again.
        if present.remove(file.digest) != nil { rubbish.append(path) }
        return nil
      }
      sources.append(
        PolicySource(.init(path: file.path, rank: file.rank, content: .bytes(bytes)), digest: file.digest))
    }
    return sources
  }

  // MARK: Writing

  /// No number from `bound` on is used before this returned.
  func reserve(_ bound: UInt64) throws(StateError) {
    try state.makeFolder("")
    try state.write("generation", BoundRecord(bound: bound).bytes)
  }

  /// nil ends it.
  func remember(rollback: RollbackRecord?) throws(StateError) {
    guard let rollback else { return try state.remove("rollback") }
    try state.write("rollback", rollback.bytes)
  }

  /// Keeps a set, its sources and its layers as last good ones; removes what is kept no longer.
  func store(_ set: StoredSet) throws(StateError) {
    for folder in ["sources", "sets", "last-good/operators"] { try state.makeFolder(folder) }
    try clean(keeping: set)
    let layers = (set.platform.map { ["": $0] } ?? [:]).merging(set.operators) { first, _ in first }
    try storeSources(layers.values.flatMap(\.files))
    let files = layers.sorted { $0.key < $1.key }.flatMap { $0.value.files.compactMap { ManifestFile($0) } }
    let manifest = SetManifest(time: set.entry.time, digest: set.entry.digest, files: files)
    try state.write("sets/\(set.entry.number)", manifest.bytes)
    sets[set.entry.number] = manifest
    count(files, 1)
    try storeLastGood(layers)
    forget(declared: set.declared.union(set.operators.keys))
    try clean(keeping: set)
  }

  private func storeSources(_ files: [PolicySource]) throws(StateError) {
    var missing: [String: [UInt8]] = [:]
    for file in files {
      guard let digest = file.digest, case .bytes(let bytes) = file.entry.content, !present.contains(digest) else {
        continue
      }
      missing[digest] = bytes
    }
    try state.write(all: missing.map { ("sources/\($0.key)", $0.value) })
    present.formUnion(missing.keys)
    if !missing.isEmpty { rubbish.removeAll { missing[String($0.dropFirst("sources/".count))] != nil } }
  }

  private func storeLastGood(_ layers: [String: Layer]) throws(StateError) {
    var changed: [String: LayerManifest] = [:]
    for (name, layer) in layers where name.isEmpty || isOperatorName(name) {
      let files = layer.files.compactMap { ManifestFile($0) }
      if lastGood[name]?.files != files { changed[name] = LayerManifest(files: files) }
    }
    try state.write(all: changed.map { (lastGoodPath($0.key), $0.value.bytes) })
    for (name, manifest) in changed {
      count(manifest.files, 1)
      if let old = lastGood.updateValue(manifest, forKey: name) { count(old.files, -1) }
    }
  }

  private func forget(declared: Set<String>) {
    for (name, manifest) in lastGood where !name.isEmpty && !declared.contains(name) {
      lastGood[name] = nil
      count(manifest.files, -1)
      rubbish.append(lastGoodPath(name))
    }
    for number in sets.keys.sorted().dropLast(ArchiveLimits.sets) {
      guard let old = sets.removeValue(forKey: number) else { continue }
      count(old.files, -1)
      rubbish.append("sets/\(number)")
    }
  }

  /// Removes what nobody refers to, but for what `set` is about to name.
  private func clean(keeping set: StoredSet) throws(StateError) {
    let wanted = Set(
      ([set.platform].compactMap { $0 } + set.operators.values).flatMap { $0.files.compactMap(\.digest) })
    let idle = present.filter { references[$0] == nil && !wanted.contains($0) }
    present.subtract(idle)
    rubbish += idle.map { "sources/\($0)" }
    try state.remove(all: rubbish)
    rubbish = []
  }

  private func count(_ files: [ManifestFile], _ step: Int) {
    for file in files {
      let left = (references[file.digest] ?? 0) + step
      references[file.digest] = left > 0 ? left : nil
    }
  }

  private func lastGoodPath(_ name: String) -> String {
    name.isEmpty ? "last-good/platform" : "last-good/operators/\(name)"
  }
}
