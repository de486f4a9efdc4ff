// Messages with descriptors over a SOCK_SEQPACKET socket: unix(7), SCM_RIGHTS. Never blocks.

internal import CSystem
internal import Glibc

public enum SeqPacket {
  /// What came.
  public enum Received {
    case message([UInt8], [Descriptor])
    /// Nothing yet.
    case nothing
    /// The peer is gone.
    case closed
  }
  /// Who is at the other end, as the kernel says.
  public struct Peer: Hashable, Sendable {
    public var pid: UInt32
    public var uid: UInt32
    public var gid: UInt32
  }
  /// Descriptors that one message may carry.
  public static let maximumDescriptors = 8

  /// socketpair(2)
  public static func pair() throws(SystemError) -> (Descriptor, Descriptor) {
    var ends: [Int32] = [-1, -1]
    try checked("socketpair", licet_socketpair(&ends))
    return (Descriptor(owning: ends[0]), Descriptor(owning: ends[1]))
  }

  /// connect(2)
  public static func connect(_ path: String) throws(SystemError) -> Descriptor {
    Descriptor(owning: try checked("connect", licet_connect(path)))
  }

  /// One whole message. EAGAIN: the peer has not read what was sent before. sendmsg(2)
  public static func send(
    _ socket: Descriptor, _ bytes: [UInt8], _ descriptors: [Descriptor] = []
  ) throws(SystemError) {
    let raw = descriptors.map(\.raw)
    let sent = licet_send(socket.raw, bytes, bytes.count, raw, Int32(raw.count))
    guard sent == bytes.count else {
      throw SystemError(call: "sendmsg", code: sent < 0 ? Int32(clamping: -sent) : EMSGSIZE)
    }
  }

  /// The next message. EMSGSIZE: it was larger than `maximum` or had too many descriptors; it is gone, and nothing of it
  /// stays open. recvmsg(2)
  public static func receive(_ socket: Descriptor, maximum: Int) throws(SystemError) -> Received {
    var raw = [Int32](repeating: -1, count: maximumDescriptors)
    var count = Int32(maximumDescriptors)
    var got = 0
    let bytes = [UInt8](unsafeUninitializedCapacity: maximum) { buffer, initialized in
      got = licet_receive(socket.raw, buffer.baseAddress, buffer.count, &raw, &count)
      initialized = max(0, got)
    }
    if got == -Int(EAGAIN) { return .nothing }
    if got == -Int(ECONNRESET) { return .closed }
    guard got >= 0 else { throw SystemError(call: "recvmsg", code: Int32(clamping: -got)) }
    let descriptors = raw[..<Int(count)].map { Descriptor(owning: $0) }
    return got == 0 && descriptors.isEmpty ? .closed : .message(bytes, descriptors)
  }

  /// SO_PEERCRED
  public static func peer(_ socket: Descriptor) throws(SystemError) -> Peer {
    var peer = Peer(pid: 0, uid: 0, gid: 0)
    try checked("getsockopt", licet_peer(socket.raw, &peer.pid, &peer.uid, &peer.gid))
    return peer
  }

  // MARK: listening

  /// A listening socket that everybody may connect to. EADDRINUSE: somebody else listens there.
  public static func listen(_ path: String) throws(SystemError) -> Descriptor {
    Descriptor(owning: try checked("bind", licet_listen(path)))
  }

  /// The next connection; nil: nobody waits. accept4(2)
  public static func accept(_ socket: Descriptor) throws(SystemError) -> Descriptor? {
    let raw = licet_accept(socket.raw)
    if raw == -EAGAIN { return nil }
    return Descriptor(owning: try checked("accept4", raw))
  }

  /// The groups of who is at the other end, as they were when it connected. SO_PEERGROUPS
  public static func groups(_ socket: Descriptor) throws(SystemError) -> [UInt32] {
    var count: Int32 = 0
    var groups: [UInt32] = []
    repeat {
      count = Int32(clamping: max(64, groups.count * 4))
      groups = [UInt32](repeating: 0, count: Int(count))
      let failed = licet_peer_groups(socket.raw, &groups, &count)
      if failed == 0 { return Array(groups[..<Int(count)]) }
      guard failed == -ERANGE, groups.count < 1 << 20 else { throw SystemError(call: "getsockopt", code: -failed) }
    } while true
  }

  /// The security module's label of who is at the other end, as it was when it connected; nil: there is none. SO_PEERSEC
  public static func label(_ socket: Descriptor) -> String? {
    var buffer = [CChar](repeating: 0, count: 4097)
    guard licet_peer_label(socket.raw, &buffer, buffer.count) == 0 else { return nil }
    let label = String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    return label.isEmpty ? nil : label
  }

  // MARK: without an array for each message

  /// One whole message. EAGAIN: the peer has not read what was sent before. sendmsg(2)
  public static func send(
    _ socket: Descriptor, _ bytes: UnsafeRawBufferPointer, _ descriptors: [Descriptor]
  ) throws(SystemError) {
    let sent =
      if descriptors.isEmpty {
        licet_send(socket.raw, bytes.baseAddress, bytes.count, nil, 0)
      } else {
        licet_send(socket.raw, bytes.baseAddress, bytes.count, descriptors.map(\.raw), Int32(descriptors.count))
      }
    guard sent == bytes.count else {
      throw SystemError(call: "sendmsg", code: sent < 0 ? Int32(clamping: -sent) : EMSGSIZE)
    }
  }

  /// What came, in `buffer`. A descriptor that came with it is whoever takes it's to close; -1: none.
  public enum Filled {
    case message(Int, Int32)
    case nothing
    case closed
  }

  /// The next message, into `buffer`, with at most one descriptor, or none; more are dropped. EMSGSIZE: it is larger, and
  /// the descriptor is closed. recvmsg(2)
  public static func receive(
    _ socket: Descriptor, into buffer: UnsafeMutableRawBufferPointer, takesDescriptor: Bool
  ) throws(SystemError) -> Filled {
    var raw: Int32 = -1
    let got =
      takesDescriptor
      ? licet_receive_one(socket.raw, buffer.baseAddress, buffer.count, &raw)
      : licet_receive_one(socket.raw, buffer.baseAddress, buffer.count, nil)
    if got == -Int(EAGAIN) { return .nothing }
    if got == -Int(ECONNRESET) { return .closed }
    // What is too large is refused with its connection; what came with it has to go too.
    guard got >= 0 else {
      if raw >= 0 { return .message(0, raw) }
      throw SystemError(call: "recvmsg", code: Int32(clamping: -got))
    }
    return got == 0 && raw < 0 ? .closed : .message(got, raw)
  }
}
