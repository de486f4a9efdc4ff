// A temporary policy folder and state folder, written as people and programs write them; removed with the object.

public import Foundation

public final class PolicyScratch {
  public let root: URL
  public var policy: String { root.appendingPathComponent("policy").path }
  public var state: String { root.appendingPathComponent("state").path }

  /// `name` shows in the folder's name.
  public init(_ name: String = "authority") throws {
    root = FileManager.default.temporaryDirectory.appendingPathComponent("licet-\(name)-\(UUID().uuidString)")
    for folder in ["policy/operators.d", "policy/platform.d"] {
      try FileManager.default.createDirectory(
        at: root.appendingPathComponent(folder), withIntermediateDirectories: true)
    }
  }

  deinit { try? FileManager.default.removeItem(at: root) }

  /// A path below the policy folder.
  public func path(_ path: String) -> String { "\(policy)/\(path)" }

  /// Written beside and renamed.
  public func save(_ path: String, _ text: String) throws {
    let temporary = "\(policy)/.\(UUID().uuidString)"
    try Data(text.utf8).write(to: URL(fileURLWithPath: temporary))
    guard rename(temporary, self.path(path)) == 0 else { throw CocoaError(.fileWriteUnknown) }
  }

  /// Truncated and written in place.
  public func overwrite(_ path: String, _ text: String) throws {
    guard let file = fopen(self.path(path), "w") else { throw CocoaError(.fileWriteUnknown) }
    fputs(text, file)
    fclose(file)
  }

  public func remove(_ path: String) throws { try FileManager.default.removeItem(atPath: self.path(path)) }

  /// A link at `path`, put there by rename.
  public func link(_ path: String, to target: String) throws {
    let temporary = "\(policy)/.\(UUID().uuidString)"
    try FileManager.default.createSymbolicLink(atPath: temporary, withDestinationPath: target)
    guard rename(temporary, self.path(path)) == 0 else { throw CocoaError(.fileWriteUnknown) }
  }

  public func makeFolder(_ path: String) throws {
    try FileManager.default.createDirectory(atPath: self.path(path), withIntermediateDirectories: true)
  }

  /// A platform whose name tells which it is.
  public static func platform(_ name: String = "p1", ceiling: String = "allow") -> String {
    """
    licet: 1
    layer: platform
    name: \(name)
    behaviors: {tool: {default: \(ceiling == "deny" ? "deny" : "ask"), operators-may: \(ceiling)}}

    """
  }

  /// An operator whose binding tells which version it is.
  public static func `operator`(_ name: String, _ version: String, effect: String = "allow") -> String {
    """
    licet: 1
    layer: operator
    name: \(name)
    bind: [{user: \(version)}]
    rules: [{\(effect): tool}]

    """
  }
}
