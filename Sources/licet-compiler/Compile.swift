// Sealed sources -> a result's bytes, by Offline. What Offline says becomes the wire's records here.

import CompilerProtocol
import Offline
import PolicyImage
import PolicyLanguage
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
  do { return try decodeSources(memory.bytes).map(SourceFile.init) } catch { throw .wire(error) }
}

/// A platform as compiled, to compile operators on.
struct PlatformCompile {
  private let files: [SourceFile]
  let result: [UInt8]
  let isInForce: Bool

  init(_ sources: Descriptor) throws(SourcesError) {
    files = try readSources(sources)
    let loaded = openPolicy(files)
    isInForce = loaded.policy != nil
    let facts = Facts(name: loaded.set.platform?.name ?? "")
    var lines = SourceLines(files)
    let diagnostics = loaded.diagnostics.map { DiagnosticRecord($0, of: "", &lines) }
    do {
      result = try encodeResult(
        image: isInForce ? loaded.platformImage : nil, facts: facts, diagnostics: diagnostics)
    } catch { throw .wire(error) }
  }

  /// A result's bytes. Runs in a process of its own.
  func compileOperator(_ name: String, _ sources: Descriptor, clamping: Bool) throws(SourcesError) -> [UInt8] {
    let own = try readSources(sources)
    let loaded = openPolicy(files + own)
    var facts = Facts(name: name)
    facts.bindings = loaded.set.operators[name].map { $0.bindings.map(BindingRecord.init) } ?? []
    var lines = SourceLines(own)
    let paths = Set(own.map(\.path))
    let diagnostics = loaded.diagnostics.filter { paths.contains($0.location.file) }
    do {
      return try encodeResult(
        image: loaded.overlayImages[name], facts: facts,
        diagnostics: diagnostics.map { DiagnosticRecord($0, of: name, &lines) })
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
  let loaded = openPolicy([
    SourceFile(path: "platform.yaml", bytes: Array(platform.utf8)),
    SourceFile(path: "operators.d/warm.yaml", bytes: Array(own.utf8)),
  ])
  var lines = SourceLines([])
  for diagnostic in loaded.diagnostics { _ = DiagnosticRecord(diagnostic, of: "", &lines) }
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
      let place = Location(file: entry.path.isEmpty ? failure.folder : entry.path, line: 1, column: 1)
      let (code, message, hint) = failure.words
      self.init(
        path: entry.path, bytes: [], rank: entry.rank,
        failure: Diagnostic(code: code, severity: .error, location: place, length: 1, message: message, hint: hint))
    }
  }
}

extension SourceEntry.Failure {
  fileprivate var words: (DiagnosticCode, message: String, hint: String) {
    let error = SystemError(call: "open", code: Int32(truncatingIfNeeded: number)).text
    switch kind {
    case .unreadable: return (.fileUnreadable, "the file can't be read: \(error)", "check its owner and mode")
    case .loop: return (.fileIsLoop, "this link leads to itself", "let it lead to a file")
    case .vanished: return (.fileVanished, "the file was listed, but is not there", "a link may lead nowhere")
    case .tooLarge: return (.fileTooLarge, "the file has \(number) bytes", "split it into drop-ins")
    case .isDirectory: return (.fileIsDirectory, "this is a folder, where a file is expected", "rename or remove it")
    case .isSpecial: return (.fileIsSpecial, "this is no regular file", "policy files are regular files or links")
    case .folderUnreadable:
      return (.folderUnreadable, "the folder `\(folder)` can't be read: \(error)", "check its owner and mode")
    case .tooManyFiles: return (.tooManyFiles, "there are too many policy files", "merge some of them")
    case .untrustedOwner:
      return (.fileUnreadable, "the file or its folder belongs to user \(number)", "let root own it")
    case .untrustedMode:
      return (
        .fileUnreadable, "others may write to the file or its folder (mode \(String(number, radix: 8)))",
        "take that right from them"
      )
    }
  }
}
