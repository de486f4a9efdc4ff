// Policy files -> policy set: the loader's entry point.

/// One file as it was read, or why it could not be. `path` is relative to the policy folder.
public struct SourceFile: Sendable {
  public var path: String
  public var bytes: [UInt8]
  /// Which folder it is from: fields stated in a higher one override those of a lower one.
  public var rank: Int
  /// Why it could not be read; whoever it belongs to is then not in force. `path` may be a folder's.
  public var failure: Diagnostic?
  public init(path: String, bytes: [UInt8], rank: Int = 0, failure: Diagnostic? = nil) {
    self.path = path
    self.bytes = bytes
    self.rank = rank
    self.failure = failure
  }
}

/// Parses and checks a set of policy files. Pure: no file is opened; thread-safe.
/// Files: `platform.yaml`, `platform.d/*.yaml`, `operators.d/NAME.yaml`, `operators.d/NAME.d/*.yaml`; others are ignored.
/// An operator's file counts for the operator whose path it has, and has to state the same `name`.
/// The order of `files` doesn't matter.
public func load(_ files: [SourceFile]) -> PolicySet {
  let loader = Loader()
  return loader.load(files)
}

/// A platform that is checked, with what operators are checked against. Not thread-safe: its memory of conditions grows.
public final class CheckedPlatform {
  public let platform: Platform
  private let scope: Scope
  private let loader: Loader

  fileprivate init(_ platform: Platform, _ scope: Scope, _ loader: Loader) {
    self.platform = platform
    self.scope = scope
    self.loader = loader
  }

  /// One operator's files against this platform; others' are ignored. `clamping`: they were in force once, so nothing
  /// that the platform has changed since refuses them: what is above a ceiling, or a condition that no longer fits, is a
  /// warning and can only be stricter (DESIGN §6, P17). Errors of their own are errors all the same.
  public func loadOperator(_ name: String, _ files: [SourceFile], clamping: Bool) -> OperatorLoad {
    let mark = loader.mark
    let own = files.filter { PolicyPath($0.path).layer == .operator && PolicyPath($0.path).operatorName == name }
      .sorted { ($0.rank, $0.path) < ($1.rank, $1.path) }
    let one = own.isEmpty ? nil : loader.loadOperator(name, own, scope, isClamping: clamping)
    return OperatorLoad(operator: one, diagnostics: loader.diagnostics(since: mark))
  }
}

public struct PlatformLoad {
  /// nil: it has errors.
  public var checked: CheckedPlatform?
  public var diagnostics: [Diagnostic]
}

public struct OperatorLoad: Sendable {
  /// nil: it has errors, or no files.
  public var `operator`: Operator?
  public var diagnostics: [Diagnostic]
}

/// Parses and checks the platform's files alone; others are ignored.
public func loadPlatform(_ files: [SourceFile]) -> PlatformLoad {
  let loader = Loader()
  let (platform, scope) = loader.loadPlatform(files.sorted { ($0.rank, $0.path) < ($1.rank, $1.path) })
  guard let platform, let scope else { return PlatformLoad(checked: nil, diagnostics: loader.diagnostics) }
  return PlatformLoad(checked: CheckedPlatform(platform, scope, loader), diagnostics: loader.diagnostics)
}

/// Which operator a file belongs to by its path; nil: the platform's, or a folder that may hold any operator's.
public func operatorName(ofPath path: String) -> String? {
  let path = PolicyPath(path)
  return path.layer == .operator && !path.isOperatorFolder ? path.operatorName : nil
}
