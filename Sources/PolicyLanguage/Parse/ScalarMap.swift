// Where a byte of a scalar's value stands in its file: retraces how YAML folds and unescapes the source. Used for
// diagnostics alone. A scalar that it can't retrace exactly maps to its start.

enum ScalarMap {
  /// The place in the file of the byte at `offset` of the scalar's value.
  static func mark(of offset: Int, in document: Document, _ id: NodeID) -> Mark {
    let node = document.node(id)
    let start = Mark(line: Int(node.line), column: Int(node.column))
    var tracer = Tracer(bytes: document.bytes, value: document.content(id), wanted: offset)
    tracer.index = SourceText.offset(of: start, in: document.bytes)
    tracer.run(node.style)
    guard let found = tracer.found else { return start }
    return SourceText.mark(of: found, in: document.bytes)
  }
}

private struct Tracer {
  let bytes: [UInt8]
  let value: ArraySlice<UInt8>
  let wanted: Int
  /// In the file.
  var index = 0
  /// In the value.
  var made = 0
  var found: Int?

  init(bytes: [UInt8], value: ArraySlice<UInt8>, wanted: Int) {
    self.bytes = bytes
    self.value = value
    self.wanted = wanted
  }

  mutating func run(_ style: YAMLNode.Style) {
    switch style {
    case .plain: flow(quote: nil)
    case .singleQuoted: flow(quote: UInt8(ascii: "'"))
    case .doubleQuoted: flow(quote: UInt8(ascii: "\""))
    case .literal, .folded: block()
    }
  }

  private var byte: UInt8? { index < bytes.count ? bytes[index] : nil }

  /// The value's next byte is this one, and stands at `place`. False: not so, or found.
  private mutating func emit(_ byte: UInt8, from place: Int) -> Bool {
    if made == wanted {
      found = place
      return false
    }
    guard made < value.count, value[value.startIndex + made] == byte else { return false }
    made += 1
    return true
  }

  private mutating func flow(quote: UInt8?) {
    if quote != nil { index += 1 }
    while let byte {
      if made == wanted {
        found = index
        return
      }
      if byte == 0x0A || byte == 0x0D || isSpaceBeforeBreak(byte) {
        guard fold() else { return }
      } else if quote == UInt8(ascii: "\""), byte == UInt8(ascii: "\\") {
        guard escape() else { return }
      } else if quote == UInt8(ascii: "'"), byte == quote {
        guard index + 1 < bytes.count, bytes[index + 1] == byte, emit(byte, from: index) else { return }
        index += 2
      } else {
        guard emit(byte, from: index) else { return }
        index += 1
      }
    }
  }

  private func isSpaceBeforeBreak(_ byte: UInt8) -> Bool {
    guard byte == 0x20 || byte == 0x09 else { return false }
    let next = bytes[index...].first { $0 != 0x20 && $0 != 0x09 }
    return next == 0x0A || next == 0x0D
  }

  /// White space around line breaks: one break is a space, n breaks are n-1 line feeds.
  private mutating func fold() -> Bool {
    let place = index
    var breaks = 0
    while let byte, byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D {
      if byte == 0x0A || (byte == 0x0D && !(index + 1 < bytes.count && bytes[index + 1] == 0x0A)) { breaks += 1 }
      index += 1
    }
    if breaks == 1 { return emit(0x20, from: place) }
    for _ in 1..<max(1, breaks) where !emit(0x0A, from: place) { return false }
    return true
  }

  private mutating func escape() -> Bool {
    let place = index
    guard index + 1 < bytes.count else { return false }
    let letter = bytes[index + 1]
    index += 2
    let digits: Int
    switch letter {
    case 0x0A, 0x0D: return joinLines()
    case UInt8(ascii: "x"): digits = 2
    case UInt8(ascii: "u"): digits = 4
    case UInt8(ascii: "U"): digits = 8
    default:
      let simple: [UInt8: UInt8] = [
        UInt8(ascii: "n"): 0x0A, UInt8(ascii: "t"): 0x09, UInt8(ascii: "r"): 0x0D, UInt8(ascii: "\""): 0x22,
        UInt8(ascii: "\\"): 0x5C, UInt8(ascii: "/"): 0x2F, UInt8(ascii: " "): 0x20, UInt8(ascii: "0"): 0,
      ]
      guard let made = simple[letter] else { return false }
      return emit(made, from: place)
    }
    guard bytes.count - index >= digits,
      let code = UInt32(String(decoding: bytes[index..<(index + digits)], as: UTF8.self), radix: 16),
      let scalar = Unicode.Scalar(code)
    else { return false }
    index += digits
    for byte in String(Character(scalar)).utf8 where !emit(byte, from: place) { return false }
    return true
  }

  /// A line that ends with a backslash goes on with the next one's first character; empty lines between them count.
  private mutating func joinLines() -> Bool {
    let place = index
    var breaks = 0
    while let byte, byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D {
      if byte == 0x0A || (byte == 0x0D && !(index + 1 < bytes.count && bytes[index + 1] == 0x0A)) { breaks += 1 }
      index += 1
    }
    if bytes[place - 1] == 0x0D, place < bytes.count, bytes[place] == 0x0A { breaks -= 1 }
    for _ in 0..<max(0, breaks) where !emit(0x0A, from: place) { return false }
    return true
  }

  /// Lines after the header; each loses the indentation of the first that is not blank. A folded scalar's breaks
  /// are retraced only while the value shows a space or a line feed for each.
  private mutating func block() {
    nextLine()
    var probe = index
    while probe < bytes.count, bytes[probe] == 0x20 || bytes[probe] == 0x0A || bytes[probe] == 0x0D { probe += 1 }
    var indentation = 0
    while probe > index, bytes[probe - 1] == 0x20 {
      probe -= 1
      indentation += 1
    }
    while index < bytes.count, made < value.count {
      var skipped = 0
      while skipped < indentation, byte == 0x20 {
        index += 1
        skipped += 1
      }
      let lineStart = index
      while let byte, byte != 0x0A, byte != 0x0D {
        guard emit(byte, from: index) else { return }
        index += 1
      }
      guard made < value.count else { break }
      let shown = value[value.startIndex + made]
      // Of the breaks around n empty lines folding keeps n: the last of them shows nothing.
      if shown == 0x0A || (shown == 0x20 && index > lineStart) {
        guard emit(shown, from: index) else { return }
      } else if index > lineStart {
        return
      }
      nextLine()
    }
    if made == wanted { found = min(index, bytes.count) }
  }

  private mutating func nextLine() {
    while let byte, byte != 0x0A, byte != 0x0D { index += 1 }
    if byte == 0x0D { index += 1 }
    if byte == 0x0A { index += 1 }
  }
}
