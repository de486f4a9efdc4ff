// Where the stages of one load put what they find. Not thread-safe: one load owns one report.

final class Report {
  private(set) var diagnostics: [Diagnostic] = []
  /// Errors so far, listed or not.
  private(set) var errorCount = 0
  private var countByFile: [String: Int] = [:]
  private var suggester = Suggester()

  func error(
    _ code: DiagnosticCode, _ location: Location, _ message: String, length: Int = 1, hint: String? = nil,
    related: Diagnostic.Related? = nil
  ) {
    add(
      Diagnostic(
        code: code, severity: .error, location: location, length: length, message: message, hint: hint,
        related: related))
  }

  /// At a node.
  func error(
    _ code: DiagnosticCode, _ document: Document, _ node: NodeID, _ message: @autoclosure () -> String,
    hint: @autoclosure () -> String? = nil, related: Diagnostic.Related? = nil
  ) {
    // Beyond the bound nothing is built: a file of a million mistakes must not cost a million messages.
    guard countByFile[document.path, default: 0] <= Bounds.diagnosticsPerFile else {
      errorCount += 1
      return
    }
    error(
      code, document.location(node), message(), length: document.length(node), hint: hint(), related: related)
  }

  /// At a node; it costs nobody anything.
  func warning(
    _ code: DiagnosticCode, _ document: Document, _ node: NodeID, _ message: String, hint: String? = nil,
    related: Diagnostic.Related? = nil
  ) {
    add(
      Diagnostic(
        code: code, severity: .warning, location: document.location(node), length: document.length(node),
        message: message, hint: hint, related: related))
  }

  func add(_ diagnostic: Diagnostic) {
    if diagnostic.severity == .error { errorCount += 1 }
    let count = countByFile[diagnostic.location.file, default: 0] + 1
    countByFile[diagnostic.location.file] = count
    if count <= Bounds.diagnosticsPerFile {
      diagnostics.append(diagnostic)
    } else if count == Bounds.diagnosticsPerFile + 1 {
      diagnostics.append(
        Diagnostic(
          code: .tooManyErrors, severity: .error, location: diagnostic.location, length: 1,
          message: "more than \(Bounds.diagnosticsPerFile) errors in this file; the rest is not listed",
          hint: "mend what is listed, then check again"))
    }
  }

  /// "did you mean `x`?", if a candidate is near.
  func suggestion(for word: String, from candidates: some Sequence<String>) -> String? {
    suggester.nearest(to: word, in: candidates).map { "did you mean `\($0)`?" }
  }

  /// Sorted by file, line, column, code; the same whatever order the files came in.
  func sorted(since mark: Int = 0) -> [Diagnostic] {
    diagnostics.dropFirst(mark).sorted { a, b in
      if a.location != b.location { return a.location.precedes(b.location) }
      if a.code != b.code { return a.code.rawValue < b.code.rawValue }
      return a.message < b.message
    }
  }
}

extension Location {
  public func precedes(_ other: Location) -> Bool {
    if file != other.file { return file < other.file }
    return (line, column) < (other.line, other.column)
  }
}
