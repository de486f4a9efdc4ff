/// CompilerProtocol: what licetd and licet-compiler say to each other (docs/compiler-protocol.md), both ends of it.
/// Wire*.swift, Message.swift, Sources.swift, Result.swift: formats, pure; CompilerClient.swift and what follows it:
/// licetd's end. May import PolicyTree and System; no Foundation, no policy language.
///
/// This file: the bounds of everything that goes over the wire. Who encodes keeps to them, who decodes checks them.

/// Bounds of the protocol; sizes in bytes.
public enum WireLimits {
  /// The one version that this program speaks; both programs come from one build.
  public static let version: UInt16 = 1
  /// A message on a socket, without what its descriptors hold.
  public static let messageBytes = 1024
  /// Sources of one compile, encoded.
  public static let sourcesBytes = 128 << 20
  /// Sources of one compile, in files.
  public static let sources = 100_000
  /// One source file.
  public static let fileBytes = 8 << 20
  /// An image.
  public static let imageBytes = 256 << 20
  /// A result: an image and what is said about it.
  public static let resultBytes = imageBytes + (64 << 20)
  /// An operator's name.
  public static let nameBytes = 255
  /// A path, a message, a hint, a source line.
  public static let textBytes = 64 << 10
  /// Diagnostics of one result.
  public static let diagnostics = 50_000
  /// Bindings, and administrators' groups, of one result.
  public static let facts = 10_000
}

/// Why bytes are not what the protocol says. Compared by `code`; `offset` is the byte at which it showed.
public struct WireError: Error, Hashable, Sendable {
  /// What is wrong.
  public enum Code: String, Sendable {
    case truncated, notThis, unsupportedVersion, unknownKind, tooLarge, tooMany, notUTF8, badValue, trailing
    case wrongDescriptors
  }
  public var code: Code
  public var offset: Int
  /// An error at byte `offset`.
  public init(_ code: Code, at offset: Int) {
    self.code = code
    self.offset = offset
  }
}
