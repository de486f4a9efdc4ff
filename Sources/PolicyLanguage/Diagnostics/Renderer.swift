// Diagnostics for people: the line, a caret under what is meant, what to do.

/// Renders diagnostics as text. Value type; thread-safe if `source` is.
public struct Renderer: Sendable {
  /// Columns that a tab takes up to.
  private static let tabWidth = 4
  /// Longer lines are cut around the caret.
  private static let lineWidth = 160

  /// The bytes of a file by the path that locations carry; nil: not at hand.
  private let source: @Sendable (String) -> [UInt8]?
  private let isColored: Bool

  /// `isColored`: with ANSI escapes, for a terminal.
  public init(isColored: Bool = false, source: @escaping @Sendable (String) -> [UInt8]?) {
    self.isColored = isColored
    self.source = source
  }

  /// Several, parted by empty lines. Each file is asked for once.
  public func render(_ diagnostics: [Diagnostic]) -> String {
    var files: [String: [UInt8]?] = [:]
    return diagnostics.map { render($0, &files) }.joined(separator: "\n")
  }

  /// One diagnostic; ends with a line feed.
  public func render(_ diagnostic: Diagnostic) -> String {
    var files: [String: [UInt8]?] = [:]
    return render(diagnostic, &files)
  }

  /// One that came without its file: `line` is the text that `location` is in, if at hand. Ends with a line feed.
  public static func render(
    code: String, severity: Diagnostic.Severity, message: String, at location: Location, length: Int, hint: String?,
    line: String?, isColored: Bool = false
  ) -> String {
    let renderer = Renderer(isColored: isColored) { _ in nil }
    let digits = String(location.line).count
    return renderer.title(visible(code), severity, message)
      + renderer.excerpt(location, length, nil, digits, renderer.color(severity), line.map { Array($0.utf8)[...] })
      + renderer.advice(hint, digits)
  }

  private func render(_ diagnostic: Diagnostic, _ files: inout [String: [UInt8]?]) -> String {
    var text = title(diagnostic.code.rawValue, diagnostic.severity, diagnostic.message)
    let digits = String(max(diagnostic.location.line, diagnostic.related?.location.line ?? 0)).count
    text += excerpt(
      diagnostic.location, diagnostic.length, nil, digits, color(diagnostic.severity),
      line(diagnostic.location, &files))
    if let related = diagnostic.related {
      text += excerpt(related.location, 1, related.message, digits, "34", line(related.location, &files))
    }
    return text + advice(diagnostic.hint, digits)
  }

  private func color(_ severity: Diagnostic.Severity) -> String { severity == .error ? "31" : "33" }

  private func title(_ code: String, _ severity: Diagnostic.Severity, _ message: String) -> String {
    paint("\(severity.rawValue)[\(code)]", color(severity)) + paint(": \(Self.visible(message))", "1") + "\n"
  }

  private func advice(_ hint: String?, _ digits: Int) -> String {
    guard let hint else { return "" }
    return String(repeating: " ", count: digits + 1) + paint("=", "34") + " hint: \(Self.visible(hint))\n"
  }

  private func excerpt(
    _ location: Location, _ length: Int, _ note: String?, _ digits: Int, _ color: String, _ line: ArraySlice<UInt8>?
  ) -> String {
    let margin = String(repeating: " ", count: digits)
    let place = "\(Self.visible(location.file)):\(location.line):\(location.column)"
    var text = margin + paint(note == nil ? "-->" : ":::", "34") + " \(place)"
    guard let line else { return text + (note.map { ": \($0)" } ?? "") + "\n" }
    let shown = Shown(line, column: location.column, length: length, tabWidth: Self.tabWidth, width: Self.lineWidth)
    let number = String(location.line)
    let padded = String(repeating: " ", count: digits - number.count) + number
    text += "\n\(margin) \(paint("|", "34"))\n\(paint("\(padded) |", "34")) \(shown.text)\n"
    let caret = shown.indentation + paint(shown.underline + (note.map { " \(Self.visible($0))" } ?? ""), color)
    return text + "\(margin) \(paint("|", "34")) \(caret)\n"
  }

  private func line(_ location: Location, _ files: inout [String: [UInt8]?]) -> ArraySlice<UInt8>? {
    let bytes = files[location.file] ?? source(location.file)
    files[location.file] = .some(bytes)
    return bytes.flatMap { line(location.line, in: $0) }
  }

  private func line(_ number: Int, in bytes: [UInt8]) -> ArraySlice<UInt8>? {
    let line = SourceText.line(number - 1, in: bytes)
    return line.isEmpty && bytes.isEmpty ? nil : line
  }

  private func paint(_ text: String, _ color: String) -> String {
    isColored ? "\u{1B}[\(color)m\(text)\u{1B}[0m" : text
  }

  /// Control characters of a file must not reach a terminal.
  static func visible(_ text: String) -> String {
    guard text.unicodeScalars.contains(where: isControl) else { return text }
    var result = String.UnicodeScalarView()
    for scalar in text.unicodeScalars { result.append(isControl(scalar) && scalar != "\n" ? "\u{FFFD}" : scalar) }
    return String(result)
  }

  static func isControl(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0..<0x20, 0x7F..<0xA0, 0x202A...0x202E, 0x2066...0x2069: true
    default: false
    }
  }
}

/// A source line as it is printed, and where its caret goes.
private struct Shown {
  var text = ""
  var indentation = ""
  var underline = ""

  init(_ line: ArraySlice<UInt8>, column: Int, length: Int, tabWidth: Int, width: Int) {
    let start = max(0, column - 1)
    let scalars = Array(String(decoding: line, as: UTF8.self).unicodeScalars)
    let from = start > width / 2 && scalars.count > width ? start - width / 2 : 0
    var (position, caretStart, caretEnd) = (0, 0, 0)
    for (index, scalar) in scalars.enumerated().dropFirst(from).prefix(width) {
      if index == start { caretStart = position }
      let cells = scalar == "\t" ? tabWidth - position % tabWidth : Self.cells(scalar)
      text += scalar == "\t" ? String(repeating: " ", count: cells) : Renderer.visible(String(scalar))
      position += cells
      if index < start + length { caretEnd = position }
    }
    if start >= scalars.count { caretStart = position + max(0, min(1, start - scalars.count)) }
    indentation = String(repeating: " ", count: caretStart)
    underline = String(repeating: "^", count: max(1, min(caretEnd - caretStart, width)))
    while text.last == " " { text.removeLast() }
  }

  /// Terminal cells of a scalar: two for East Asian wide ones and emoji, none for combining marks.
  static func cells(_ scalar: Unicode.Scalar) -> Int {
    switch scalar.properties.generalCategory {
    case .nonspacingMark, .enclosingMark, .format: return 0
    default: break
    }
    switch scalar.value {
    case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F,
      0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x1F300...0x1FAFF, 0x20000...0x3FFFD:
      return 2
    default: return 1
    }
  }
}
