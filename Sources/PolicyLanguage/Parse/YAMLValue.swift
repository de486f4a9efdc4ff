// bytes -> a YAML document as plain values, for files beside the policy (scenarios): the same parser, limits and
// diagnostics as policy files have.

/// A value of YAML's core schema with the place where it stands.
public struct YAMLValue: Sendable {
  public indirect enum Content: Sendable {
    case null
    case bool(Bool)
    case int(Int64)
    case double(Double)
    case string(String)
    case sequence([YAMLValue])
    /// In the order written; keys differ.
    case mapping([(key: YAMLValue, value: YAMLValue)])
  }
  public var content: Content
  public var location: Location

  /// The text of a scalar as it was written; nil for a collection.
  public var text: String?

  /// Reads one document. nil with the reasons in `diagnostics` when it has an error; an empty one is null.
  /// Thread-safe; bounded as policy files are, aliases too.
  public static func read(_ file: SourceFile) -> (value: YAMLValue?, diagnostics: [Diagnostic]) {
    let report = Report()
    let document = compose(file, report)
    guard report.errorCount == 0 else { return (nil, report.sorted()) }
    let start = Location(file: file.path, line: 1, column: 1)
    let value = document.root.map { YAMLValue(document, $0) } ?? YAMLValue(content: .null, location: start, text: "")
    return (value, [])
  }

  private init(content: Content, location: Location, text: String?) {
    self.content = content
    self.location = location
    self.text = text
  }

  /// The composer has bounded depth, and size with aliases counted as what they stand for.
  private init(_ document: Document, _ id: NodeID) {
    location = document.location(id)
    switch document.kind(id) {
    case .scalar:
      let written = document.string(id)
      text = written
      switch CoreSchema.resolve(document.node(id), document.content(id)) {
      case .null: content = .null
      case .bool(let value): content = .bool(value)
      case .int(let value): content = .int(value)
      case .double(let value): content = .double(value)
      case .string: content = .string(written)
      }
    case .sequence:
      text = nil
      content = .sequence(document.items(id).map { YAMLValue(document, $0) })
    case .mapping:
      text = nil
      content = .mapping(document.pairs(id).map { (YAMLValue(document, $0.key), YAMLValue(document, $0.value)) })
    }
  }
}
