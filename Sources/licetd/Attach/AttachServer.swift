// The attach socket: who connects, by the kernel's own word; how many may. What a connection says is AttachConnection's.

import Attach
import Authority
import CompilerProtocol
import System

/// Loop-owned.
final class AttachServer {
  /// Connections in all, and of one user.
  static let maximum = 16_384
  static let maximumOfOneUser = 4_096

  unowned let daemon: Daemon
  let images: PublishedImages
  let page: StatePageWriter
  let collector: RingCollector
  let regions = SessionRegions()
  /// For questions and answers, used again and again; answers larger than a packet grow theirs.
  let packet = UnsafeMutableRawBufferPointer.allocate(byteCount: AttachProtocol.packet, alignment: 8)
  private(set) var answer = UnsafeMutableRawBufferPointer.allocate(byteCount: AttachProtocol.packet, alignment: 8)
  let closer: Closer
  private let path: String
  private var socket: Descriptor?
  private var watch: EventLoop.Watch?
  private var accepted: UInt64 = 0
  private var connections: [ObjectIdentifier: AttachConnection] = [:]
  private var ofUser: [UInt32: Int] = [:]

  init(_ daemon: Daemon, passed: [(name: String, descriptor: Descriptor)]) throws(SystemError) {
    self.daemon = daemon
    path = "\(daemon.options.runtime)/attach"
    page = try StatePageWriter(passed)
    images = PublishedImages(daemon.authority.generation)
    collector = RingCollector(daemon)
    closer = try Closer()
  }

  deinit {
    packet.deallocate()
    answer.deallocate()
  }

  func growAnswer(_ bytes: Int) {
    answer.deallocate()
    answer = .allocate(byteCount: bytes, alignment: 8)
  }

  /// One large answer is not kept room for.
  func shrinkAnswer() { if answer.count > AttachProtocol.packet * 4 { growAnswer(AttachProtocol.packet) } }

  /// Connections that there are.
  var count: Int { connections.count }

  /// Serves what is in force: only now does the page say that a daemon lives, and who is attached attaches anew. Until
  /// then processes go on with what was in force before. Without a socket the bus serves on; it is said once.
  func begin() {
    listen()
    page.begin()
    follow(daemon.authority.generation)
    daemon.loop.after(nanoseconds: StatePage.heartbeatInterval, every: StatePage.heartbeatInterval) {
      [weak self] in self?.page.beat()
    }
  }

  private func listen() {
    do throws(SystemError) {
      try? FileSystem.makeFolder(daemon.options.runtime)
      let socket = try SeqPacket.listen(path)
      watch = try daemon.loop.watch(socket.raw, .readable) { [unowned self] _ in accept() }
      self.socket = socket
    } catch {
      daemon.log(
        .warning, "no attach socket at \(path): \(error.call): \(error.text); programs ask over the bus alone")
    }
  }

  /// Another generation is in force: images first, then its number.
  func follow(_ generation: Generation) {
    images.follow(generation)
    page.publish(generation.number)
  }

  /// A clean end: nobody is answered any more.
  func finish() {
    page.end()
    watch?.cancel()
    if socket != nil { FileSystem.remove(path) }
    for one in connections.values { one.close() }
    collector.finish()
  }

  // MARK: connections

  private func accept() {
    guard let socket else { return }
    do throws(SystemError) {
      while let peer = try SeqPacket.accept(socket) { admit(peer) }
    } catch {
      // Without a descriptor to spare the queue stays ready: a pause, or the loop would do nothing else.
      daemon.log(.warning, "the attach socket: \(error.call): \(error.text)")
      watch?.interest = []
      daemon.loop.after(nanoseconds: 100_000_000) { [weak self] in self?.watch?.interest = .readable }
    }
  }

  private func admit(_ socket: Descriptor) {
    guard let peer = try? SeqPacket.peer(socket), let groups = try? SeqPacket.groups(socket) else { return }
    guard connections.count < AttachServer.maximum, ofUser[peer.uid, default: 0] < AttachServer.maximumOfOneUser else {
      return
    }
    let identity = Identity(
      uid: peer.uid, gids: Set(groups + [peer.gid]), label: SeqPacket.label(socket),
      pid: Int32(truncatingIfNeeded: peer.pid))
    accepted += 1
    guard let connection = try? AttachConnection(socket, Caller(identity, daemon.bindings), self, number: accepted)
    else { return }
    connections[ObjectIdentifier(connection)] = connection
    ofUser[peer.uid, default: 0] += 1
  }

  func forget(_ connection: AttachConnection) {
    guard connections.removeValue(forKey: ObjectIdentifier(connection)) != nil else { return }
    let uid = connection.caller.identity.uid
    ofUser[uid, default: 1] -= 1
    if ofUser[uid] == 0 { ofUser[uid] = nil }
  }
}
