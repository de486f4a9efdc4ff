// What licetd would never send: the compiler refuses it, without harm to others.

import CompilerProtocol
import Foundation
import System
import Testing

@Suite(.serialized) struct HostileTests {
  /// A compiler whose socket the test itself writes to.
  final class Raw {
    let socket: Descriptor
    let process: Int32

    init() throws {
      let (own, other) = try SeqPacket.pair()
      socket = own
      process = try System.Process.spawn(Harness.program, ["--socket", "3"], descriptors: [other])
    }

    deinit {
      kill(process, SIGKILL)
      var status: Int32 = 0
      waitpid(process, &status, 0)
    }

    /// What comes next; nil: nothing within five seconds.
    static func next(_ socket: Descriptor) -> SeqPacket.Received? {
      var entry = pollfd(fd: socket.raw, events: Int16(POLLIN), revents: 0)
      guard poll(&entry, 1, 5000) == 1 else { return nil }
      return try? SeqPacket.receive(socket, maximum: WireLimits.messageBytes)
    }

    static func message(_ socket: Descriptor) throws -> CompilerMessage? {
      guard case .message(let bytes, let descriptors)? = next(socket) else { return nil }
      return try decodeMessage(bytes, descriptors: descriptors.count)
    }

    static func isClosed(_ socket: Descriptor) -> Bool {
      if case .closed? = next(socket) { return true }
      return false
    }

    /// A platform's channel, after its result.
    func open() throws -> Descriptor {
      let (own, other) = try SeqPacket.pair()
      try SeqPacket.send(socket, CompilerMessage.open.encoded(), [try Raw.sources(Harness.platform), other])
      #expect(try Raw.message(own) == .result)
      return own
    }

    static func sources(_ entries: [SourceEntry]) throws -> Descriptor {
      try SealedMemory.make(name: "test-sources", encodeSources(entries))
    }
  }

  static func unsealed() throws -> Descriptor {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString).path
    let raw = open(path, O_RDWR | O_CREAT | O_EXCL, 0o600)
    unlink(path)
    let bytes = try encodeSources(Harness.platform)
    #expect(write(raw, bytes, bytes.count) == bytes.count)
    return Descriptor(owning: raw)
  }

  @Test func unsealedSourcesAreRefused() throws {
    let raw = try Raw()
    let (own, other) = try SeqPacket.pair()
    try SeqPacket.send(raw.socket, CompilerMessage.open.encoded(), [try Self.unsealed(), other])
    #expect(try Raw.message(own) == .failed(CompileFailure(.badRequest)))
    let channel = try raw.open()
    let (reply, otherReply) = try SeqPacket.pair()
    let message = CompilerMessage.operator(name: "op", clamping: false).encoded()
    try SeqPacket.send(channel, message, [try Self.unsealed(), otherReply])
    #expect(try Raw.message(reply) == .failed(CompileFailure(.badRequest)))
  }

  @Test func garbageInSealedMemoryIsRefused() throws {
    let raw = try Raw()
    let garbage = try SealedMemory.make(name: "x", [UInt8](repeating: 0xFF, count: 5000))
    let (own, other) = try SeqPacket.pair()
    try SeqPacket.send(raw.socket, CompilerMessage.open.encoded(), [garbage, other])
    #expect(try Raw.message(own) == .failed(CompileFailure(.badRequest)))
  }

  /// Another version, a cut message, garbage, too few descriptors: the channel is told, if there is one, and the connection ends.
  @Test(arguments: [[9, 0, 1, 0], [1, 0, 1], [1, 0, 3, 0], [255, 255, 255], [1, 0, 1, 0, 0]] as [[UInt8]])
  func aBadMessageEndsItsConnection(_ bytes: [UInt8]) throws {
    let raw = try Raw()
    let (own, other) = try SeqPacket.pair()
    try SeqPacket.send(raw.socket, bytes, [try Raw.sources(Harness.platform), other])
    #expect(try Raw.message(own) == .failed(CompileFailure(.badRequest)))
    #expect(Raw.isClosed(raw.socket))
  }

  @Test(arguments: [0, 1, 3, 8]) func aWrongNumberOfDescriptorsEndsTheConnection(_ count: Int) throws {
    let raw = try Raw()
    let one = try Raw.sources(Harness.platform)
    try SeqPacket.send(raw.socket, CompilerMessage.open.encoded(), Array(repeating: one, count: count))
    #expect(Raw.isClosed(raw.socket))
  }

  /// Descriptors of the wrong kind: memory for a socket, a socket for memory.
  @Test func descriptorsTheOtherWayRoundHarmNobody() throws {
    let raw = try Raw()
    let (own, other) = try SeqPacket.pair()
    try SeqPacket.send(raw.socket, CompilerMessage.open.encoded(), [other, try Raw.sources(Harness.platform)])
    _ = own
    _ = try raw.open()
  }

  @Test func garbageOnAChannelEndsThatPlatformAlone() throws {
    let raw = try Raw()
    let (first, second) = (try raw.open(), try raw.open())
    try SeqPacket.send(first, [1, 2, 3])
    #expect(Raw.isClosed(first))
    let (reply, otherReply) = try SeqPacket.pair()
    let own = try Raw.sources([Harness.file("operators.d/op.yaml", Harness.own())])
    try SeqPacket.send(second, CompilerMessage.operator(name: "op", clamping: false).encoded(), [own, otherReply])
    #expect(try Raw.message(reply) == .result)
  }

  @Test func aResultIsSealed() throws {
    let raw = try Raw()
    let (own, other) = try SeqPacket.pair()
    try SeqPacket.send(raw.socket, CompilerMessage.open.encoded(), [try Raw.sources(Harness.platform), other])
    guard case .message(_, let descriptors)? = Raw.next(own), let result = descriptors.first else {
      Issue.record("no result")
      return
    }
    #expect(ftruncate(result.raw, 0) != 0)
    #expect(write(result.raw, "x", 1) < 0)
    let memory = try SealedMemory.map(result, maximum: WireLimits.resultBytes)
    #expect(try ResultContents(decoding: memory.bytes).isInForce)
  }
}
