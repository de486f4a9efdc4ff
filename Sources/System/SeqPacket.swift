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
}
