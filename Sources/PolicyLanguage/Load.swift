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
