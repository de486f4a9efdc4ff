// A result's bytes: written by a compile, read by licetd, which trusts nothing of them but the seals.

enum ResultFormat {
  /// "LICETRES" as a little-endian word.
  static let magic: UInt64 = 0x5345_5254_4543_494C
  static let headerSize = 64
  static let alignment = 64
  /// Bytes that a diagnostic, a binding and a group take at least.
  static let (smallestDiagnostic, smallestBinding, smallestGroup) = (38, 9, 4)
}

/// A result with `image`, nil: not in force. What goes beyond `WireLimits` is cut (diagnostics) or refused (the rest).
public func encodeResult(image: [UInt8]?, facts: Facts, diagnostics: [DiagnosticRecord]) throws(WireError) -> [UInt8] {
  let image = image ?? []
  guard image.count <= WireLimits.imageBytes else { throw WireError(.tooLarge, at: 0) }
  var body = WireWriter()
  try encode(facts, &body)
  let start = body.bytes.count
  var listed = WireWriter()
  var count: UInt32 = 0
  for diagnostic in diagnostics.prefix(WireLimits.diagnostics) {
    encode(diagnostic, &listed)
    // The last one goes too far into the margin, which is larger than any one.
    if start + listed.bytes.count > WireLimits.resultBytes - WireLimits.imageBytes - (1 << 20) { break }
    count += 1
    body.append(listed.bytes)
    listed = WireWriter()
  }
  return try assemble(image, body.bytes, diagnosticsAt: start, count)
}

private func assemble(
  _ image: [UInt8], _ body: [UInt8], diagnosticsAt start: Int, _ count: UInt32
) throws(WireError) -> [UInt8] {
  var writer = WireWriter()
  let bodyEnd = ResultFormat.headerSize + body.count
  let imageAt = (bodyEnd + ResultFormat.alignment - 1) / ResultFormat.alignment * ResultFormat.alignment
  guard imageAt + image.count <= WireLimits.resultBytes else { throw WireError(.tooLarge, at: imageAt) }
  writer.reserve(imageAt + image.count)
  writer.number(ResultFormat.magic)
  writer.number(UInt32(WireLimits.version))
  writer.number(count)
  for number in [imageAt + image.count, imageAt, image.count, body.count, start, 0] { writer.number(UInt64(number)) }
  writer.append(body)
  writer.align(ResultFormat.alignment)
  writer.append(image)
  return writer.bytes
}

private func encode(_ facts: Facts, _ writer: inout WireWriter) throws(WireError) {
  guard facts.bindings.count <= WireLimits.facts, facts.administratorGroups.count <= WireLimits.facts else {
    throw WireError(.tooMany, at: ResultFormat.headerSize)
  }
  writer.text(facts.name)
  writer.number(UInt32(facts.bindings.count))
  for binding in facts.bindings {
    writer.number(binding.kind.rawValue)
    writer.text(binding.value)
    writer.text(binding.user)
  }
  writer.number(UInt32(facts.administratorGroups.count))
  for group in facts.administratorGroups { writer.text(group) }
}

private func encode(_ diagnostic: DiagnosticRecord, _ writer: inout WireWriter) {
  writer.number(diagnostic.severity.rawValue)
  writer.text(diagnostic.operator, maximum: WireLimits.nameBytes)
  writer.text(diagnostic.code)
  encode(diagnostic.place, &writer)
  writer.number(diagnostic.length)
  for text in [diagnostic.message, diagnostic.hint, diagnostic.text] { writer.text(text) }
  writer.flag(diagnostic.related != nil)
  guard let related = diagnostic.related else { return }
  encode(related.place, &writer)
  writer.text(related.message)
}

private func encode(_ place: DiagnosticRecord.Place, _ writer: inout WireWriter) {
  writer.text(place.file)
  writer.number(place.line)
  writer.number(place.column)
}

extension ResultContents {
  /// Reads a result from memory that doesn't change meanwhile; texts are copied, the image is not looked into. Never
  /// traps.
  public init(decoding bytes: UnsafeRawBufferPointer) throws(WireError) {
    guard bytes.count <= WireLimits.resultBytes else { throw WireError(.tooLarge, at: 0) }
    var header = WireReader(bytes)
    guard try header.number(UInt64.self) == ResultFormat.magic else { throw WireError(.notThis, at: 0) }
    guard try header.number(UInt32.self) == UInt32(WireLimits.version) else {
      throw WireError(.unsupportedVersion, at: 8)
    }
    let count = Int(try header.number(UInt32.self))
    guard count <= WireLimits.diagnostics else { throw WireError(.tooMany, at: 12) }
    let layout = try ResultLayout(&header, size: bytes.count)
    var reader = WireReader(bytes, layout.facts)
    facts = try decodeFacts(&reader)
    try reader.finish()
    reader = WireReader(bytes, layout.diagnostics)
    guard count <= reader.remaining / ResultFormat.smallestDiagnostic else { throw WireError(.truncated, at: 12) }
    diagnostics = []
    diagnostics.reserveCapacity(count)
    for _ in 0..<count { diagnostics.append(try decodeDiagnostic(&reader)) }
    try reader.finish()
    image = layout.image
    isInForce = !image.isEmpty
  }
}

/// The header's ranges, found to lie within the result, one after the other.
private struct ResultLayout {
  let facts: Range<Int>
  let diagnostics: Range<Int>
  let image: Range<Int>

  init(_ header: inout WireReader, size: Int) throws(WireError) {
    // `size` is bounded, so that what is at most `size` is an Int and sums of two don't overflow.
    func within(_ limit: Int) throws(WireError) -> Int {
      let at = header.offset
      let value = try header.number(UInt64.self)
      guard value <= UInt64(limit) else { throw WireError(.badValue, at: at) }
      return Int(value)
    }
    guard try within(size) == size else { throw WireError(.truncated, at: 16) }
    let imageAt = try within(size)
    let imageSize = try within(min(size, WireLimits.imageBytes))
    let bodySize = try within(size)
    let start = try within(bodySize)
    guard try within(0) == 0, imageAt % ResultFormat.alignment == 0, imageAt + imageSize == size,
      imageAt >= ResultFormat.headerSize + bodySize,
      imageAt - ResultFormat.headerSize - bodySize < ResultFormat.alignment
    else { throw WireError(.badValue, at: 24) }
    let body = ResultFormat.headerSize
    facts = body..<(body + start)
    diagnostics = (body + start)..<(body + bodySize)
    image = imageAt..<size
  }
}

private func decodeFacts(_ reader: inout WireReader) throws(WireError) -> Facts {
  var facts = Facts(name: try reader.text())
  for _ in 0..<(try reader.count(maximum: WireLimits.facts, size: ResultFormat.smallestBinding)) {
    let at = reader.offset
    guard let kind = BindingRecord.Kind(rawValue: try reader.number(UInt8.self)) else {
      throw WireError(.badValue, at: at)
    }
    let value = try reader.text()
    facts.bindings.append(BindingRecord(kind, value, user: try reader.text()))
  }
  for _ in 0..<(try reader.count(maximum: WireLimits.facts, size: ResultFormat.smallestGroup)) {
    facts.administratorGroups.append(try reader.text())
  }
  return facts
}

private func decodeDiagnostic(_ reader: inout WireReader) throws(WireError) -> DiagnosticRecord {
  let at = reader.offset
  guard let severity = DiagnosticRecord.Severity(rawValue: try reader.number(UInt8.self)) else {
    throw WireError(.badValue, at: at)
  }
  let name = try reader.text(maximum: WireLimits.nameBytes)
  let code = try reader.text()
  let place = try decodePlace(&reader)
  let length = try reader.number(UInt32.self)
  let (message, hint, text) = (try reader.text(), try reader.text(), try reader.text())
  var related: DiagnosticRecord.Related?
  if try reader.flag() {
    let place = try decodePlace(&reader)
    related = .init(place: place, message: try reader.text())
  }
  return DiagnosticRecord(
    operator: name, severity: severity, code: code, place: place, length: length, message: message, hint: hint,
    text: text, related: related)
}

private func decodePlace(_ reader: inout WireReader) throws(WireError) -> DiagnosticRecord.Place {
  let file = try reader.text()
  let line = try reader.number(UInt32.self)
  return DiagnosticRecord.Place(file: file, line: line, column: try reader.number(UInt32.self))
}
