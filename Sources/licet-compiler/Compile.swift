// Sealed sources -> a result's bytes, by Offline. What Offline says becomes the wire's records here.

import CompilerProtocol
import Offline
import PolicyImage
import PolicyLanguage
import PolicyTree
import System

/// Why sources can't be compiled at all.
enum SourcesError: Error {
  case memory(SystemError)
  case wire(WireError)
}

/// The files in sealed memory: its seals are checked before a byte of it is read.
func readSources(_ descriptor: Descriptor) throws(SourcesError) -> [SourceFile] {
  let memory: MappedMemory
  do { memory = try SealedMemory.map(descriptor, maximum: WireLimits.sourcesBytes) } catch { throw .memory(error) }
  // Else the mapping could end with its last use, before it was read.
  defer { withExtendedLifetime(memory) {} }
  do { return try decodeSources(memory.bytes).map(SourceFile.init) } catch { throw .wire(error) }
}

/// A platform as compiled, to compile operators on.
struct PlatformOnWire {
  private let compiled: CompiledPlatform?
  let result: [UInt8]
  var isInForce: Bool { compiled != nil }

  init(_ sources: Descriptor) throws(SourcesError) {
    let files = try readSources(sources)
    let outcome = compilePlatform(files)
    compiled = outcome.compiled
    var facts = Facts(name: compiled?.platform.name ?? "")
    facts.administratorGroups = compiled?.platform.administratorGroups ?? []
    var lines = SourceLines(files)
    let diagnostics = outcome.diagnostics.map { DiagnosticRecord($0, of: "", &lines) }
    do {
      result = try encodeResult(image: compiled?.image, facts: facts, diagnostics: diagnostics)
    } catch { throw .wire(error) }
  }

  /// A result's bytes. Runs in a process of its own.
  func compileOperator(_ name: String, _ sources: Descriptor, clamping: Bool) throws(SourcesError) -> [UInt8] {
    let own = try readSources(sources)
    let outcome = compiled?.compileOperator(name, own, clamping: clamping)
    var facts = Facts(name: name)
    facts.bindings = outcome?.bindings.map(BindingRecord.init) ?? []
    var lines = SourceLines(own)
    let diagnostics = (outcome?.diagnostics ?? []).map { DiagnosticRecord($0, of: name, &lines) }
    do {
      return try encodeResult(image: outcome?.image, facts: facts, diagnostics: diagnostics)
    } catch { throw .wire(error) }
  }
}

/// Touches, once and before anything is forked, what every compile needs: tables, caches, the heap.
func warmUp() {
  let platform = """
    licet: 1
    layer: platform
    name: warm
    attributes: {user: {role: {enum: [a, b]}, n: int}}
    behaviors: {t: {default: deny, operators-may: allow}}
    rules: [{limit: t, to: deny, when: "user.role == 'a' && user.n > 1"}]

    """
  let own = """
    licet: 1
    layer: operator
    name: warm
    bind: [{user: a}]
    rules: [{allow: t, when: "user.n in [1, 2] || user.role.matches('^b+$')"}, {limit: u, to: deny}]

    """
  let outcome = compilePlatform([SourceFile(path: "platform.yaml", bytes: Array(platform.utf8))])
  let file = SourceFile(path: "operators.d/warm.yaml", bytes: Array(own.utf8))
  let one = outcome.compiled?.compileOperator("warm", [file], clamping: false)
  var lines = SourceLines([])
  for diagnostic in one?.diagnostics ?? [] { _ = DiagnosticRecord(diagnostic, of: "", &lines) }
}

extension BindingRecord {
  fileprivate init(_ binding: Binding) {
    switch binding {
    case .user(let name): self.init(.user, name)
    case .group(let name): self.init(.group, name)
    case .label(let label): self.init(.label, label)
    case .unit(let unit, let user): self.init(.unit, unit, user: user)
    }
  }
}

extension DiagnosticRecord {
  fileprivate init(_ diagnostic: Diagnostic, of name: String, _ lines: inout SourceLines) {
    self.init(
      operator: name, severity: diagnostic.severity == .error ? .error : .warning, code: diagnostic.code.rawValue,
      place: Place(diagnostic.location), length: UInt32(clamping: diagnostic.length), message: diagnostic.message,
      hint: diagnostic.hint ?? "", text: lines.line(diagnostic.location),
      related: diagnostic.related.map { Related(place: Place($0.location), message: $0.message) })
  }
}

extension DiagnosticRecord.Place {
  fileprivate init(_ location: Location) {
    self.init(file: location.file, line: UInt32(clamping: location.line), column: UInt32(clamping: location.column))
  }
}

/// Lines of the sources. Diagnostics come in the order of places: it goes on where it was, so that a file is
/// walked once, however much is said about it.
struct SourceLines {
  /// Bytes of a line that are shown.
  static let width = 400
  private let files: [String: [UInt8]]
  private var file = ""
  private var number = 1
  private var offset = 0

  init(_ sources: [SourceFile]) {
    files = Dictionary(sources.map { ($0.path, $0.bytes) }) { $1 }
  }

  /// The line at `location` or its beginning; empty when there is none.
  mutating func line(_ location: Location) -> String {
    guard let bytes = files[location.file] else { return "" }
    if location.file != file || location.line < number { (file, number, offset) = (location.file, 1, 0) }
    while number < location.line, offset < bytes.count {
      let byte = bytes[offset]
      offset += 1
      // Lines end at LF, CRLF or a lone CR.
      let isEnd = byte == 0x0A || (byte == 0x0D && !(offset < bytes.count && bytes[offset] == 0x0A))
      if isEnd { number += 1 }
    }
    guard number == location.line else { return "" }
    let line = bytes[offset...].prefix(Self.width).prefix { $0 != 0x0A && $0 != 0x0D }
    return String(decoding: line, as: UTF8.self)
  }
}

extension SourceFile {
  /// A file that could not be read carries why, in the words of whoever reads folders.
  fileprivate init(_ entry: SourceEntry) {
    switch entry.content {
    case .bytes(let bytes): self.init(path: entry.path, bytes: bytes, rank: entry.rank)
    case .failure(let failure):
      self.init(
        path: entry.path, rank: entry.rank, failure: ReadFailure(kind: failure.asRead, folder: failure.folder))
    }
  }
}

extension SourceEntry.Failure {
  fileprivate var asRead: ReadFailure.Kind {
    switch kind {
    case .unreadable: .unreadable(Int32(truncatingIfNeeded: number))
    case .folderUnreadable: .folderUnreadable(Int32(truncatingIfNeeded: number))
    case .loop: .loop
    case .vanished: .vanished
    case .tooLarge: .tooLarge(Int(clamping: number))
    case .isDirectory: .isDirectory
    case .isSpecial: .isSpecial
    case .tooManyFiles: .tooManyFiles(Int(clamping: number))
    case .untrustedOwner: .untrustedOwner(UInt32(truncatingIfNeeded: number))
    case .untrustedMode: .untrustedMode(UInt32(truncatingIfNeeded: number))
    }
  }
}
