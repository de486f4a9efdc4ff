// Policy files -> policy set: the loader's entry point.

/// One file as it was read, or why it could not be. `path` is relative to the policy folder.
public struct SourceFile: Sendable {
  public var path: String
  public var bytes: [UInt8]
  public init(path: String, bytes: [UInt8]) {
    self.path = path
    self.bytes = bytes
  }
}

/// Parses and checks a set of policy files. Pure: no file is opened; thread-safe.
/// Files: `platform.yaml`, `platform.d/*.yaml`, `operators.d/*.yaml`. Others are ignored by the caller.
public func load(_ files: [SourceFile]) -> PolicySet {
  PolicySet(platform: nil, operators: [:], broken: [], diagnostics: [])
}
