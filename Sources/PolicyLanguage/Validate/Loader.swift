// The order of loading: all files to trees, the platform's to a platform, each operator's against it. An error costs
// whoever's file it is in and nobody else (DESIGN §6, P17).

internal import PolicyImage

final class Loader {
  private let report = Report()
  private var repeats: [Repeat] = []

  func load(_ files: [SourceFile]) -> PolicySet {
    let files = files.sorted { ($0.rank, $0.path) < ($1.rank, $1.path) }
    let platformFiles = files.filter { PolicyPath($0.path).layer == .platform }
    let operatorFiles = files.filter { PolicyPath($0.path).layer == .operator }
    let (platform, scope) = loadPlatform(platformFiles)
    var (operators, broken) = loadOperators(operatorFiles, scope)
    // A folder that can't be listed may hold a file of any operator.
    let isUnlisted = operatorFiles.contains { $0.failure != nil && PolicyPath($0.path).isOperatorFolder }
    if platform == nil || isUnlisted {
      if isUnlisted { broken.formUnion(operators.keys) }
      operators = [:]
    }
    return PolicySet(
      platform: platform, operators: operators, broken: broken, diagnostics: report.sorted(),
      repeats: repeats.sorted { $0.location.precedes($1.location) })
  }

  // MARK: the platform

  private func loadPlatform(_ files: [SourceFile]) -> (Platform?, Scope?) {
    let documents = files.compactMap { read($0, .platform) }
    var reader = PlatformReader(report: report)
    for (shape, fields) in documents { reader.declare(shape, fields) }
    if documents.isEmpty, report.errorCount == 0 {
      report.error(
        .noPlatform, Location(file: "platform.yaml", line: 1, column: 1), "there is no platform file",
        hint: "without one everything is denied; `platform.yaml` needs `licet: 1`, `layer: platform` and a `name`")
    }
    let scope = reader.scope()
    var statements: [Statement] = []
    for (shape, fields) in documents {
      statements += StatementReader(shape: shape, scope: scope).rules(fields[.rules])
    }
    guard report.errorCount == 0, let name = reader.name else { return (nil, nil) }
    let platform = Platform(
      name: name, unknown: reader.unknownEffect, unknownLocation: reader.unknownLocation,
      attributes: reader.declaredAttributes, behaviors: scope.behaviors,
      statements: normalize(statements, repeats: &repeats))
    return (platform, scope)
  }

  // MARK: operators

  private func loadOperators(_ files: [SourceFile], _ scope: Scope?) -> ([String: Operator], Set<String>) {
    var drafts: [String: OperatorDraft] = [:]
    for file in files {
      let errors = report.errorCount
      let document = file.failure == nil ? compose(file, report) : nil
      if let failure = file.failure { report.add(failure) }
      // An empty file masks, and says nothing itself.
      if let document, document.root == nil, report.errorCount == errors { continue }
      if PolicyPath(file.path).isOperatorFolder { continue }
      let owner = document.flatMap(Self.owner) ?? PolicyPath(file.path).operatorName
      var draft = drafts[owner] ?? OperatorDraft(name: owner)
      if let document, report.errorCount == errors, let (shape, fields) = check(document, .operator) {
        draft.read(shape, fields, scope)
      }
      if report.errorCount > errors { draft.isBroken = true }
      drafts[owner] = draft
    }
    var operators: [String: Operator] = [:]
    for draft in drafts.values.sorted(by: { $0.name < $1.name }) where !draft.isBroken {
      operators[draft.name] = draft.finish(&repeats)
    }
    return (operators, Set(drafts.values.filter(\.isBroken).map(\.name)))
  }

  /// Whose file it says it is, also when the rest of it is broken.
  private static func owner(_ document: Document) -> String? {
    if let root = document.root {
      for (key, value) in document.pairs(root)
      where document.content(key).elementsEqual("name".utf8) && Names.isValid(document.content(value)) {
        return document.string(value)
      }
    }
    return nameLine(document.bytes)
  }

  /// The value on the first line `name: x`, for a file that could not be parsed as far as that.
  private static func nameLine(_ bytes: [UInt8]) -> String? {
    let lines = bytes.prefix(Bounds.fileBytes).split { $0 == 0x0A || $0 == 0x0D }
    guard let line = lines.first(where: { $0.starts(with: "name:".utf8) }) else { return nil }
    let name = line.dropFirst(5).drop { $0 == 0x20 }.prefix { $0 != 0x20 && $0 != UInt8(ascii: "#") }
    return Names.isValid(name) ? String(decoding: name, as: UTF8.self) : nil
  }

  // MARK: one file

  private func read(_ file: SourceFile, _ layer: Layer) -> (Shape, Fields)? {
    if let failure = file.failure {
      report.add(failure)
      return nil
    }
    let errors = report.errorCount
    let document = compose(file, report)
    return report.errorCount == errors ? check(document, layer) : nil
  }

  /// nil: empty, or reported.
  private func check(_ document: Document, _ layer: Layer) -> (Shape, Fields)? {
    guard let root = document.root else { return nil }
    let shape = Shape(document: document, layer: layer, report: report)
    if let (node, stated) = statedLayer(document, root), stated != layer {
      report.error(
        .wrongLayer, document, node, "this folder holds files of the \(layer.rawValue) layer",
        hint: layer == .operator
          ? "a platform's files are `platform.yaml` and `platform.d/*.yaml`" : "an operator's files are `operators.d/*.yaml`")
      return nil
    }
    return shape.fields(root, .file).map { (shape, $0) }
  }

  private func statedLayer(_ document: Document, _ root: NodeID) -> (NodeID, Layer)? {
    for (key, value) in document.pairs(root) where document.content(key).elementsEqual("layer".utf8) {
      return Layer(rawValue: document.string(value)).map { (value, $0) }
    }
    return nil
  }
}

/// What a file's path says of it.
struct PolicyPath {
  let layer: Layer?
  /// A folder, named because it could not be listed.
  let isOperatorFolder: Bool
  /// "operators.d/NAME.yaml" and "operators.d/NAME.d/x.yaml": NAME.
  let operatorName: String

  init(_ path: String) {
    let parts = path.split(separator: "/", omittingEmptySubsequences: true)
    isOperatorFolder = path == "operators.d" || path.isEmpty
    layer =
      switch parts.first {
      case "platform.yaml" where parts.count == 1, "platform.d", nil: .platform
      case "operators.d": .operator
      default: nil
      }
    var name = parts.count > 1 ? parts[1] : parts.first ?? ""
    for suffix in [".yaml", ".d"] where name.hasSuffix(suffix) { name = name.dropLast(suffix.count) }
    operatorName = String(name)
  }
}
