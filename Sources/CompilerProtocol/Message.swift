// What goes over the sockets: small messages, whose contents are in descriptors that come with them.

/// A message of the protocol; see docs/compiler-protocol.md for who sends which, with which descriptors.
public enum CompilerMessage: Hashable, Sendable {
  /// licetd to the parent: sources, channel.
  case open
  /// licetd to a platform process: sources, reply socket.
  case `operator`(name: String, clamping: Bool)
  /// A compile's result: the result's memory.
  case result
  /// A compile ended without a result; no descriptors.
  case failed(CompileFailure)

  /// Descriptors that come with it.
  public var descriptors: Int {
    switch self {
    case .open, .operator: 2
    case .result: 1
    case .failed: 0
    }
  }
}

/// Why a compile has no result, as the compiler itself says.
public struct CompileFailure: Error, Hashable, Sendable {
  /// What happened.
  public enum Kind: UInt8, Sendable, CaseIterable {
    /// The request or its sources were not what the protocol says.
    case badRequest = 1
    /// Longer than the compiler's deadline; `detail` is in milliseconds.
    case deadline = 2
    /// More processor time than allowed.
    case processorTime = 3
    /// Ended by a signal, `detail` (memory limit, a defect, or somebody's kill).
    case signal = 4
    /// Ended by itself with status `detail`, without a result.
    case exit = 5
    /// No process could be made; `detail` is an errno.
    case noProcess = 6
    /// Too many platforms at once.
    case busy = 7
  }
  public var kind: Kind
  public var detail: Int32
  /// A failure of this kind.
  public init(_ kind: Kind, detail: Int32 = 0) {
    self.kind = kind
    self.detail = detail
  }
}

extension CompilerMessage {
  private enum Kind: UInt16 { case open = 1, `operator`, result, failed }

  /// The message's bytes; at most `WireLimits.messageBytes`. An operator's name is cut at `WireLimits.nameBytes`.
  public func encoded() -> [UInt8] {
    var writer = WireWriter()
    func header(_ kind: Kind) {
      writer.number(WireLimits.version)
      writer.number(kind.rawValue)
    }
    switch self {
    case .open: header(.open)
    case .operator(let name, let clamping):
      header(.operator)
      writer.flag(clamping)
      writer.text(name, maximum: WireLimits.nameBytes)
    case .result: header(.result)
    case .failed(let failure):
      header(.failed)
      writer.number(failure.kind.rawValue)
      writer.number(failure.detail)
    }
    return writer.bytes
  }

  /// Reads a message that came with `descriptors` descriptors.
  public init(decoding bytes: UnsafeRawBufferPointer, descriptors: Int) throws(WireError) {
    guard bytes.count <= WireLimits.messageBytes else { throw WireError(.tooLarge, at: 0) }
    var reader = WireReader(bytes)
    guard try reader.number(UInt16.self) == WireLimits.version else { throw WireError(.unsupportedVersion, at: 0) }
    guard let kind = Kind(rawValue: try reader.number(UInt16.self)) else { throw WireError(.unknownKind, at: 2) }
    switch kind {
    case .open: self = .open
    case .operator:
      let clamping = try reader.flag()
      self = .operator(name: try reader.text(maximum: WireLimits.nameBytes), clamping: clamping)
    case .result: self = .result
    case .failed:
      guard let why = CompileFailure.Kind(rawValue: try reader.number(UInt8.self)) else {
        throw WireError(.badValue, at: 4)
      }
      self = .failed(CompileFailure(why, detail: try reader.number(Int32.self)))
    }
    try reader.finish()
    guard descriptors == self.descriptors else { throw WireError(.wrongDescriptors, at: 0) }
  }
}
