// Standard output and error: colour only where somebody looks at a terminal and has not asked for none, plain ASCII
// where the locale isn't UTF-8, and text from policies and requests never moves a terminal's cursor.

import Foundation

/// How to write for whoever reads.
struct Style: Sendable {
  var color: Bool
  var unicode: Bool
  /// Columns to fill.
  var width = 80

  static let plain = Style(color: false, unicode: true)

  /// After NO_COLOR (no-color.org), TERM and the locale's character set (POSIX: LC_ALL, LC_CTYPE, LANG).
  static func detected(
    environment: [String: String] = ProcessInfo.processInfo.environment, isTerminal: Bool = isatty(1) == 1
  ) -> Style {
    let noColor = environment["NO_COLOR"].map { !$0.isEmpty } ?? false
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].lazy.compactMap { environment[$0] }.first { !$0.isEmpty } ?? "C"
    let set = locale.uppercased()
    return Style(
      color: isTerminal && !noColor && environment["TERM"] != "dumb",
      unicode: set.contains("UTF-8") || set.contains("UTF8"), width: width(environment, isTerminal: isTerminal))
  }

  /// What COLUMNS says, else the terminal, else 80; bounded, so that a page stays readable.
  private static func width(_ environment: [String: String], isTerminal: Bool) -> Int {
    var size = winsize()
    var columns = environment["COLUMNS"].flatMap { Int($0) } ?? 0
    if columns <= 0, isTerminal, ioctl(1, UInt(TIOCGWINSZ), &size) == 0 { columns = Int(size.ws_col) }
    return columns <= 0 ? 80 : min(max(columns, 40), 160)
  }

  /// `text` in lines of at most `width` columns, broken between words; a longer word has a line of its own.
  func wrapped(_ text: String, width: Int) -> [String] {
    var lines: [String] = []
    var line = ""
    for word in text.split(separator: " ") {
      if !line.isEmpty, line.count + 1 + word.count > width {
        lines.append(line)
        line = ""
      }
      line += (line.isEmpty ? "" : " ") + word
    }
    return line.isEmpty && !lines.isEmpty ? lines : lines + [line]
  }

  enum Ink: String { case bold = "1", dim = "2", red = "31", green = "32", yellow = "33", blue = "34" }

  func paint(_ text: String, _ inks: Ink...) -> String {
    guard color, !text.isEmpty else { return text }
    return "\u{1B}[\(inks.map(\.rawValue).joined(separator: ";"))m\(text)\u{1B}[0m"
  }

  /// `fancy` where the reader's character set has it.
  func glyph(_ fancy: String, _ ascii: String) -> String { unicode ? fancy : ascii }
}

/// Text from outside as one harmless line: control and formatting characters are shown as escapes, and without
/// UTF-8 everything beyond ASCII too.
func harmless(_ text: String, unicode: Bool = true) -> String {
  var out = ""
  for scalar in text.unicodeScalars {
    switch scalar.properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned:
      out += scalar == "\n" ? "\\n" : scalar == "\t" ? "\\t" : "\\u{\(String(scalar.value, radix: 16))}"
    default:
      if unicode || scalar.isASCII {
        out.unicodeScalars.append(scalar)
      } else {
        out += ascii(scalar)
      }
    }
  }
  return out
}

/// Typographic marks have an ASCII look-alike; other letters are shown by number.
private func ascii(_ scalar: Unicode.Scalar) -> String {
  switch scalar {
  case "\u{2018}", "\u{2019}": "'"
  case "\u{201C}", "\u{201D}": "\""
  case "\u{2013}", "\u{2014}": "-"
  case "\u{2026}": "..."
  default: "\\u{\(String(scalar.value, radix: 16))}"
  }
}

enum Output {
  static func line(_ text: String) { write(text + "\n", to: 1) }
  static func text(_ text: String) { write(text, to: 1) }
  static func error(_ text: String) { write(text + "\n", to: 2) }

  /// All of `text`, or nothing more once the reader has gone away (a closed pipe is no error of ours).
  private static func write(_ text: String, to descriptor: Int32) {
    var text = text
    text.withUTF8 { bytes in
      var rest = bytes[...]
      while !rest.isEmpty {
        let slice = UnsafeBufferPointer(rebasing: rest)
        let count = Foundation.write(descriptor, slice.baseAddress, slice.count)
        if count < 0 && errno == EINTR { continue }
        guard count > 0 else { return }
        rest = rest.dropFirst(count)
      }
    }
  }
}
