// Bytes -> YAML tree, through libyaml's events. libyaml only tokenizes; anchors, duplicate keys, depth and counts are
// ours. Time is linear in the file (n log n where a mapping is large); libyaml's own look-ahead is bounded by its
// 1,024-character simple keys, its directive list by `Bounds.directives`, its nesting by `Bounds.depth`.

internal import CYaml

/// Composes one file. Errors go to `report`; what was read until then is in the result all the same, so that it can
/// be told whose file it is. Never enforce a document about which there was an error.
func compose(_ file: SourceFile, _ report: Report) -> Document {
  let document = Document(path: file.path, rank: file.rank, bytes: file.bytes)
  guard file.bytes.count <= Bounds.fileBytes else {
    report.error(
      .fileTooLarge, Location(file: file.path, line: 1, column: 1), "the file has \(file.bytes.count) bytes",
      hint: "policy files have at most \(Bounds.fileBytes) bytes; split it into drop-ins")
    return document
  }
  if let problem = SourceText.problem(in: file.bytes) {
    let place = document.location(SourceText.mark(of: problem.offset, in: file.bytes))
    report.error(problem.code, place, problem.message, hint: problem.hint)
    return document
  }
  var composer = Composer(document: document, report: report)
  composer.run()
  return document
}

private struct Composer {
  /// A collection that has begun and not ended.
  struct Frame {
    var node: NodeID
    /// Where its children start in `pending`.
    var start: Int
    var anchor: [UInt8]?
    /// Nodes below it with aliases counted as what they stand for; nesting below it.
    var weight = 1
    var height = 1
  }
  /// What an anchor stands for; `weight` 0 while it is still open.
  struct Anchored {
    var node: NodeID
    var weight: Int
    var height: Int
  }

  let document: Document
  let report: Report
  var open: [Frame] = []
  var pending: [NodeID] = []
  var anchors: [[UInt8]: Anchored] = [:]
  var weight = 0
  var documents = 0

  init(document: Document, report: Report) {
    self.document = document
    self.report = report
  }

  mutating func run() {
    let parser = UnsafeMutablePointer<yaml_parser_t>.allocate(capacity: 1)
    defer { parser.deallocate() }
    guard yaml_parser_initialize(parser) == 1 else {
      report.error(.yamlTooLarge, document.location(Mark(line: 0, column: 0)), "out of memory")
      return
    }
    defer { yaml_parser_delete(parser) }
    document.text.reserveCapacity(document.bytes.count / 2)
    document.nodes.reserveCapacity(document.bytes.count / 16)
    document.bytes.withUnsafeBufferPointer { bytes in
      // SAFETY: the parser reads `bytes` only inside this closure; an empty buffer has no address to give.
      guard let base = bytes.baseAddress else { return }
      let skipped = SourceText.hasByteOrderMark(document.bytes) ? 3 : 0
      yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
      yaml_parser_set_input_string(parser, base + skipped, bytes.count - skipped)
      readEvents(parser)
    }
    closeAll()
  }

  private mutating func readEvents(_ parser: UnsafeMutablePointer<yaml_parser_t>) {
    var event = yaml_event_t()
    while true {
      guard yaml_parser_parse(parser, &event) == 1 else {
        syntaxError(parser.pointee)
        return
      }
      let isEnd = event.type == YAML_STREAM_END_EVENT
      let goesOn = !isEnd && take(event)
      yaml_event_delete(&event)
      if !goesOn { return }
    }
  }

  /// False: stop reading.
  private mutating func take(_ event: yaml_event_t) -> Bool {
    switch event.type {
    case YAML_DOCUMENT_START_EVENT:
      documents += 1
      guard documents == 1 else {
        report.error(
          .yamlDocuments, document.location(mark(event.start_mark)), "a second document starts here", length: 3,
          hint: "one file holds one layer: move what follows into a file of its own")
        return false
      }
    case YAML_SCALAR_EVENT: return takeScalar(event)
    case YAML_SEQUENCE_START_EVENT:
      let start = event.data.sequence_start
      return begin(.sequence, event, anchor: start.anchor, tag: start.tag)
    case YAML_MAPPING_START_EVENT:
      let start = event.data.mapping_start
      return begin(.mapping, event, anchor: start.anchor, tag: start.tag)
    case YAML_SEQUENCE_END_EVENT, YAML_MAPPING_END_EVENT: end(event)
    case YAML_ALIAS_EVENT: return takeAlias(event)
    default: break
    }
    return true
  }

  private mutating func takeScalar(_ event: yaml_event_t) -> Bool {
    let scalar = event.data.scalar
    let first = document.text.count
    if let value = scalar.value {
      document.text.append(contentsOf: UnsafeBufferPointer(start: value, count: scalar.length))
    }
    let style: YAMLNode.Style =
      switch scalar.style {
      case YAML_SINGLE_QUOTED_SCALAR_STYLE: .singleQuoted
      case YAML_DOUBLE_QUOTED_SCALAR_STYLE: .doubleQuoted
      case YAML_LITERAL_SCALAR_STYLE: .literal
      case YAML_FOLDED_SCALAR_STYLE: .folded
      default: .plain
      }
    let id = append(.scalar, style, event, first: first, count: scalar.length)
    if scalar.tag != nil { refuseTag(event) }
    if let anchor = name(scalar.anchor) { anchors[anchor] = Anchored(node: id, weight: 1, height: 0) }
    return place(id, weight: 1, height: 0, event)
  }

  private mutating func begin(
    _ kind: YAMLNode.Kind, _ event: yaml_event_t, anchor: UnsafePointer<UInt8>?, tag: UnsafePointer<UInt8>?
  ) -> Bool {
    guard open.count < Bounds.depth else { return tooDeep(event) }
    let id = append(kind, .plain, event, first: 0, count: 0)
    if tag != nil { refuseTag(event) }
    let anchor = name(anchor)
    if let anchor { anchors[anchor] = Anchored(node: id, weight: 0, height: 0) }
    open.append(Frame(node: id, start: pending.count, anchor: anchor))
    return count(1, event)
  }

  private mutating func end(_ event: yaml_event_t) {
    guard let frame = open.popLast() else { return }
    close(frame, end: mark(event.end_mark))
    if let anchor = frame.anchor, anchors[anchor]?.node == frame.node {
      anchors[anchor] = Anchored(node: frame.node, weight: frame.weight, height: frame.height)
    }
    attach(frame.node, weight: frame.weight, height: frame.height)
  }

  private mutating func takeAlias(_ event: yaml_event_t) -> Bool {
    let place = document.location(mark(event.start_mark))
    guard let name = name(event.data.alias.anchor), let target = anchors[name] else {
      report.error(.yamlAlias, place, "nothing before this alias has its name", hint: "anchors look like `&name`")
      return false
    }
    guard target.weight > 0 else {
      report.error(.yamlAlias, place, "this alias stands for something that contains it")
      return false
    }
    guard open.count + target.height <= Bounds.depth else { return tooDeep(event) }
    return self.place(target.node, weight: target.weight, height: target.height, event)
  }

  // MARK: the tree

  private mutating func place(_ id: NodeID, weight: Int, height: Int, _ event: yaml_event_t) -> Bool {
    attach(id, weight: weight, height: height)
    return count(weight, event)
  }

  private mutating func attach(_ id: NodeID, weight: Int, height: Int) {
    guard !open.isEmpty else {
      document.root = document.root ?? id
      return
    }
    pending.append(id)
    let last = open.count - 1
    open[last].weight += weight
    open[last].height = max(open[last].height, height + 1)
  }

  private mutating func count(_ added: Int, _ event: yaml_event_t) -> Bool {
    weight += added
    guard weight <= Bounds.nodes else {
      report.error(
        added > 1 ? .yamlAliasBomb : .yamlTooLarge, document.location(mark(event.start_mark)),
        added > 1
          ? "aliases make this file stand for more than \(Bounds.nodes) values"
          : "the file holds more than \(Bounds.nodes) values",
        hint: added > 1 ? "write out what is meant" : "split it into drop-ins")
      return false
    }
    return true
  }

  private func append(
    _ kind: YAMLNode.Kind, _ style: YAMLNode.Style, _ event: yaml_event_t, first: Int, count: Int
  ) -> NodeID {
    let (start, end) = (event.start_mark, event.end_mark)
    // Every count is at most the file's size, which `Bounds.fileBytes` keeps far below Int32.max.
    document.nodes.append(
      YAMLNode(
        kind: kind, style: style, line: Int32(truncatingIfNeeded: start.line),
        column: Int32(truncatingIfNeeded: start.column), endLine: Int32(truncatingIfNeeded: end.line),
        endColumn: Int32(truncatingIfNeeded: end.column), first: Int32(truncatingIfNeeded: first),
        count: Int32(truncatingIfNeeded: count)))
    return NodeID(truncatingIfNeeded: document.nodes.count - 1)
  }

  private mutating func close(_ frame: Frame, end: Mark) {
    let index = Int(frame.node)
    // A key without a value, left by an error, is dropped.
    var count = pending.count - frame.start
    if document.nodes[index].kind == .mapping, count % 2 == 1 {
      pending.removeLast()
      count -= 1
    }
    document.nodes[index].first = Int32(truncatingIfNeeded: document.children.count)
    document.nodes[index].count = Int32(truncatingIfNeeded: count)
    if document.nodes[index].style == .plain, end.line >= Int(document.nodes[index].line) {
      document.nodes[index].endLine = Int32(truncatingIfNeeded: end.line)
      document.nodes[index].endColumn = Int32(truncatingIfNeeded: end.column)
    }
    document.children.append(contentsOf: pending[frame.start...])
    pending.removeSubrange(frame.start...)
    if document.nodes[index].kind == .mapping { checkKeys(frame.node) }
  }

  /// After an error: ends what is open, so that what was read can be looked at.
  private mutating func closeAll() {
    while let frame = open.popLast() {
      close(frame, end: Mark(line: 0, column: 0))
      attach(frame.node, weight: 0, height: 0)
    }
  }

  // MARK: keys

  private func checkKeys(_ mapping: NodeID) {
    let items = document.items(mapping)
    var keys: [NodeID] = []
    keys.reserveCapacity(items.count / 2)
    for index in stride(from: items.startIndex, to: items.endIndex - 1, by: 2) {
      let key = items[index]
      if document.kind(key) == .scalar {
        keys.append(key)
      } else {
        report.error(.yamlKey, document, key, "a key has to be a word, not a list or a mapping")
      }
    }
    keys.count <= 12 ? compareAll(keys) : compareSorted(keys)
  }

  private func compareAll(_ keys: [NodeID]) {
    for (index, key) in keys.enumerated() {
      let content = document.content(key)
      for earlier in keys[..<index] where document.node(earlier).count == document.node(key).count {
        if document.content(earlier) == content { duplicate(key, of: earlier) }
      }
    }
  }

  private func compareSorted(_ keys: [NodeID]) {
    var first: [ArraySlice<UInt8>: NodeID] = [:]
    for key in keys {
      let content = document.content(key)
      if let earlier = first[content] { duplicate(key, of: earlier) } else { first[content] = key }
    }
  }

  private func duplicate(_ key: NodeID, of earlier: NodeID) {
    report.error(
      .yamlDuplicateKey, document, key, "the key `\(document.string(key))` stands here twice",
      hint: "keep one of the two",
      related: .init(location: document.location(earlier), message: "it stands here first"))
  }

  // MARK: errors

  private func tooDeep(_ event: yaml_event_t) -> Bool {
    report.error(
      .yamlTooDeep, document.location(mark(event.start_mark)), "collections are nested deeper than \(Bounds.depth)")
    return false
  }

  private func refuseTag(_ event: yaml_event_t) {
    report.error(
      .yamlTag, document.location(mark(event.start_mark)), "policy files have no tags",
      hint: "delete the word that begins with `!`, or quote it if it is text")
  }

  private func syntaxError(_ parser: yaml_parser_t) {
    let problem = parser.problem.map { String(cString: $0) } ?? "this is not YAML"
    guard parser.error == YAML_SCANNER_ERROR || parser.error == YAML_PARSER_ERROR else {
      let place = document.location(SourceText.mark(of: parser.problem_offset, in: document.bytes))
      report.error(.yamlSyntax, place, problem)
      return
    }
    let at = mark(parser.problem_mark)
    if isTabIndented(at) {
      report.error(
        .yamlTab, document.location(at), "this line is indented with a tab", hint: "indent with spaces")
      return
    }
    var related: Diagnostic.Related?
    if let context = parser.context, mark(parser.context_mark) != at {
      related = .init(location: document.location(mark(parser.context_mark)), message: String(cString: context))
    }
    report.error(.yamlSyntax, document.location(at), problem, hint: hint(problem), related: related)
  }

  /// A tab stands among the white space that the line at `mark` begins with.
  private func isTabIndented(_ mark: Mark) -> Bool {
    let line = SourceText.line(mark.line, in: document.bytes)
    return line.prefix { $0 == 0x20 || $0 == 0x09 }.contains(0x09)
  }

  private func hint(_ problem: String) -> String? {
    switch problem {
    case "mapping values are not allowed in this context":
      "quote a text that contains `: `, and indent keys of one mapping alike"
    case "found unexpected end of stream": "a quote or bracket is not closed, or the file was cut off"
    case "found character that cannot start any token": "quote a text that begins with this character"
    case "could not find expected ':'": "a key needs `: ` and a value"
    case "did not find expected key", "did not find expected '-' indicator": "check this line's indentation"
    default: nil
    }
  }

  private func mark(_ mark: yaml_mark_t) -> Mark { Mark(line: Int(mark.line), column: Int(mark.column)) }

  private func name(_ bytes: UnsafePointer<UInt8>?) -> [UInt8]? {
    // SAFETY: libyaml's names end with a zero byte.
    guard let bytes else { return nil }
    var length = 0
    while bytes[length] != 0 { length += 1 }
    return Array(UnsafeBufferPointer(start: bytes, count: length))
  }
}
