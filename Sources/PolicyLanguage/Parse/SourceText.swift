// The bytes of one file: whether they are text, and where a line stands. Lines end at LF, CRLF or a lone CR; columns
// are Unicode scalars. Both count from 0 here and from 1 in a `Location`.

/// A place in a text, counted from 0.
struct Mark: Hashable {
  var line: Int
  var column: Int
}

/// Why bytes can't be read as the text of a policy file.
struct TextProblem {
  var code: DiagnosticCode
  var offset: Int
  var message: String
  var hint: String
}

enum SourceText {
  /// The first reason to refuse `bytes`, if any: not UTF-8, a character that has no place in a policy, or too many
  /// directives. One pass.
  static func problem(in bytes: [UInt8]) -> TextProblem? {
    var index = 0
    var atLineStart = true
    var directives = 0
    let count = bytes.count
    while index < count {
      let byte = bytes[index]
      if byte < 0x80 {
        if isForbidden(byte) { return forbidden(UInt32(byte), at: index) }
        if atLineStart, byte == UInt8(ascii: "%") {
          directives += 1
          if directives > Bounds.directives { return tooManyDirectives(at: index) }
        }
        atLineStart = byte == 0x0A || byte == 0x0D
        index += 1
        continue
      }
      guard let (scalar, width) = decode(bytes, at: index) else { return notUTF8(at: index) }
      if isForbidden(scalar, at: index) { return forbidden(scalar, at: index) }
      atLineStart = false
      index += width
    }
    return nil
  }

  /// The scalar that starts at `index` and its width in bytes; nil when the bytes there are not UTF-8.
  static func decode(_ bytes: [UInt8], at index: Int) -> (scalar: UInt32, width: Int)? {
    guard index >= 0, index < bytes.count else { return nil }
    let first = bytes[index]
    let width: Int
    var scalar: UInt32
    switch first {
    case 0..<0x80: return (UInt32(first), 1)
    case 0xC2...0xDF: (width, scalar) = (2, UInt32(first & 0x1F))
    case 0xE0...0xEF: (width, scalar) = (3, UInt32(first & 0x0F))
    case 0xF0...0xF4: (width, scalar) = (4, UInt32(first & 0x07))
    default: return nil
    }
    guard bytes.count - index >= width else { return nil }
    for next in bytes[(index + 1)..<(index + width)] {
      guard next & 0xC0 == 0x80 else { return nil }
      scalar = scalar << 6 | UInt32(next & 0x3F)
    }
    let smallest: UInt32 = width == 2 ? 0x80 : width == 3 ? 0x800 : 0x10000
    guard scalar >= smallest, Unicode.Scalar(scalar) != nil else { return nil }
    return (scalar, width)
  }

  /// Where the byte at `offset` stands.
  static func mark(of offset: Int, in bytes: [UInt8]) -> Mark {
    var mark = Mark(line: 0, column: 0)
    var index = 0
    let end = min(offset, bytes.count)
    while index < end {
      let byte = bytes[index]
      if byte == 0x0A || (byte == 0x0D && !(index + 1 < bytes.count && bytes[index + 1] == 0x0A)) {
        mark = Mark(line: mark.line + 1, column: 0)
      } else if byte & 0xC0 != 0x80, !(index == 0 && hasByteOrderMark(bytes)) {
        mark.column += 1
      }
      index += 1
    }
    return mark
  }

  /// The offset of the byte at `mark`; the end of the text when that lies behind it.
  static func offset(of mark: Mark, in bytes: [UInt8]) -> Int {
    var index = lineStart(mark.line, in: bytes)
    var column = 0
    while index < bytes.count, column < mark.column, bytes[index] != 0x0A, bytes[index] != 0x0D {
      index += 1
      while index < bytes.count, bytes[index] & 0xC0 == 0x80 { index += 1 }
      column += 1
    }
    return index
  }

  /// The bytes of a line, without its end. Empty when there is no such line.
  static func line(_ number: Int, in bytes: [UInt8]) -> ArraySlice<UInt8> {
    let start = lineStart(number, in: bytes)
    let end = bytes[start...].firstIndex { $0 == 0x0A || $0 == 0x0D } ?? bytes.count
    return bytes[start..<end]
  }

  static func hasByteOrderMark(_ bytes: [UInt8]) -> Bool { bytes.starts(with: [0xEF, 0xBB, 0xBF]) }

  private static func lineStart(_ number: Int, in bytes: [UInt8]) -> Int {
    var index = hasByteOrderMark(bytes) ? 3 : 0
    var line = 0
    while line < number, index < bytes.count {
      let byte = bytes[index]
      index += 1
      if byte == 0x0A { line += 1 }
      if byte == 0x0D {
        if index < bytes.count, bytes[index] == 0x0A { index += 1 }
        line += 1
      }
    }
    return index
  }

  private static func isForbidden(_ byte: UInt8) -> Bool {
    (byte < 0x20 && byte != 0x09 && byte != 0x0A && byte != 0x0D) || byte == 0x7F
  }

  /// Beyond what YAML forbids: line separators, which tools count differently, and controls that make text look
  /// other than it is.
  private static func isForbidden(_ scalar: UInt32, at index: Int) -> Bool {
    switch scalar {
    case 0x80...0x9F, 0x2028...0x202E, 0x2066...0x2069, 0xFFFE, 0xFFFF: true
    case 0xFEFF: index != 0
    default: false
    }
  }

  private static func forbidden(_ scalar: UInt32, at offset: Int) -> TextProblem {
    let digits = String(scalar, radix: 16, uppercase: true)
    let padded = String(repeating: "0", count: max(0, 4 - digits.count)) + digits
    return TextProblem(
      code: .yamlCharacter, offset: offset,
      message: "the invisible character U+\(padded) has no place in a policy file",
      hint: "delete it, or write it as an escape in double quotes")
  }

  private static func notUTF8(at offset: Int) -> TextProblem {
    TextProblem(
      code: .yamlNotUTF8, offset: offset, message: "byte \(offset) of the file is not UTF-8",
      hint: "save the file in UTF-8")
  }

  private static func tooManyDirectives(at offset: Int) -> TextProblem {
    TextProblem(
      code: .yamlTooLarge, offset: offset, message: "more than \(Bounds.directives) lines begin with `%`",
      hint: "policy files need no directives; delete them")
  }
}
