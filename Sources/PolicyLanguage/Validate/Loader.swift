// The order of loading: all files to trees, the platform's to a platform, each operator's against it. An error costs
// whoever's file it is in and nobody else (DESIGN §6, P17).

internal import PolicyImage

final class Loader {
  private let report = Report()
  private var repeats: [Repeat] = []

  func load(_ files: [SourceFile]) -> PolicySet {
    let files = files.sorted { ($0.rank, $0.path) < ($1.rank, $1.path) }
    let operatorFiles = files.filter { PolicyPath($0.path).layer == .operator }
    let (platform, scope) = loadPlatform(files)
    var (operators, broken) = loadOperators(operatorFiles, scope)
    // A folder that can't be listed may hold a file of any operator.
    let isUnlisted = operatorFiles.contains { $0.failure != nil && PolicyPath($0.path).isOperatorFolder }
    if platform == nil || isUnlisted {
      if isUnlisted { broken.formUnion(operators.keys) }
      operators = [:]
    }
    return PolicySet(
      platform: platform, operators: operators, broken: broken, diagnostics: report.sorted(),
      repeats: sortedRepeats())
  }

  /// What was found so far.
  var diagnostics: [Diagnostic] { report.sorted() }
  /// How much was found so far; `diagnostics(since:)` leaves it out.
  var mark: Int { report.diagnostics.count }
  func diagnostics(since mark: Int) -> [Diagnostic] { report.sorted(since: mark) }

  private func sortedRepeats() -> [Repeat] { repeats.sorted { $0.location.precedes($1.location) } }

  // MARK: the platform

  /// Reads the platform's among `files`, which are sorted by rank and path.
  func loadPlatform(_ files: [SourceFile]) -> (Platform?, Scope?) {
    let documents = files.filter { PolicyPath($0.path).layer == .platform }.compactMap { read($0, .platform) }
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
      attributes: reader.declaredAttributes, behaviors: scope.behaviors, dial: scope.dial,
      suspicion: reader.suspicion, periods: reader.periods, authorities: reader.authorities, counters: reader.counters,
      statements: normalize(statements, repeats: &repeats), administratorGroups: reader.administratorGroups)
    return (platform, scope)
  }

  // MARK: operators

  private func loadOperators(_ files: [SourceFile], _ scope: Scope?) -> ([String: Operator], Set<String>) {
    var filesOf: [String: [SourceFile]] = [:]
    for file in files {
      let path = PolicyPath(file.path)
      // Whose a file is its path says: a file too broken to show its name still counts against its owner.
      if path.isOperatorFolder {
        _ = read(file, .operator)
      } else {
        filesOf[path.operatorName, default: []].append(file)
      }
    }
    var operators: [String: Operator] = [:]
    var broken: Set<String> = []
    for (name, own) in filesOf.sorted(by: { $0.key < $1.key }) {
      if let one = loadOperator(name, own, scope, isClamping: false) {
        operators[name] = one
      } else {
        broken.insert(name)
      }
    }
    return (operators, broken)
  }

  /// One operator's files, sorted by rank and path; nil: an error is reported. `isClamping`: what the platform no longer
  /// grants is a warning, and what it no longer types is a condition that always fails (DESIGN §6).
  func loadOperator(_ name: String, _ files: [SourceFile], _ scope: Scope?, isClamping: Bool) -> Operator? {
    let errors = report.errorCount
    var draft = OperatorDraft(name: name)
    for file in files {
      guard let (shape, fields) = read(file, .operator) else { continue }
      checkName(shape, fields, PolicyPath(file.path))
      draft.read(shape, fields, scope, isClamping: isClamping)
    }
    draft.checkDial(scope, report, isClamping: isClamping)
    return report.errorCount > errors ? nil : draft.finish(scope, &repeats)
  }

  private func checkName(_ shape: Shape, _ fields: Fields, _ path: PolicyPath) {
    guard let node = fields[.name], let name = shape.text(node), name != path.operatorName else { return }
    report.error(
      .nameNotOfFile, shape.document, node,
      "this file belongs to `\(path.operatorName)` by its path, and says `\(name)`",
      hint:
        "rename \(path.isDropIn ? "its folder" : "the file") to `operators.d/\(name)\(path.isDropIn ? ".d" : ".yaml")`"
        + (Names.isValid(Array(path.operatorName.utf8)[...]) ? ", or write `name: \(path.operatorName)`" : ""))
  }

  // MARK: one file

  /// nil: reported.
  private func read(_ file: SourceFile, _ layer: Layer) -> (Shape, Fields)? {
    if let failure = file.failure {
      report.add(failure)
      return nil
    }
    let errors = report.errorCount
    let document = compose(file, report)
    return report.errorCount == errors ? check(document, layer) : nil
  }

  /// nil: reported.
  private func check(_ document: Document, _ layer: Layer) -> (Shape, Fields)? {
    guard let root = document.root else {
      report.error(
        .fileEmpty, Location(file: document.path, line: 1, column: 1), "the file says nothing",
        hint: "it may have been cut off; to mask a file of a lower folder, link it to /dev/null")
      return nil
    }
    let shape = Shape(document: document, layer: layer, report: report)
    if let (node, stated) = statedLayer(document, root), stated != layer {
      report.error(
        .wrongLayer, document, node, "this folder holds files of the \(layer.rawValue) layer",
        hint: layer == .operator
          ? "a platform's files are `platform.yaml` and `platform.d/*.yaml`"
          : "an operator's files are `operators.d/*.yaml`")
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
  /// "operators.d/NAME.d/x.yaml".
  let isDropIn: Bool
  /// "operators.d/NAME.yaml", "operators.d/NAME.d" and "operators.d/NAME.d/x.yaml": NAME.
  let operatorName: String

  init(_ path: String) {
    // By bytes: a slash and an accent after it are no slash to a String, and the file would be nobody's.
    let parts = path.utf8.split(separator: UInt8(ascii: "/")).map(Substring.init)
    isOperatorFolder = path == "operators.d" || path.isEmpty
    layer =
      switch parts.first {
      case "platform.yaml" where parts.count == 1, "platform.d", nil: .platform
      case "operators.d": .operator
      default: nil
      }
    isDropIn = parts.count > 2
    let entry = parts.count > 1 ? parts[1] : ""
    let suffix = [".yaml", ".d"].first(where: entry.hasSuffix) ?? ""
    operatorName = String(entry.dropLast(suffix.count))
  }
}
