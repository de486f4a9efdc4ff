// The warm parent: takes `open` requests, forks a platform process for each, and reads nothing of what they hold.

import CompilerProtocol
import Glibc
import System

struct Parent {
  /// Platform processes at once: one in force, one to come, and what is being validated.
  static let platforms = 64
  /// Connections at once.
  static let connections = 16

  private let listener: Descriptor?
  private var connections: [Descriptor] = []
  private var platforms = Supervisor(grace: 1_000_000_000)

  /// On a socket that listens, or on one that is connected.
  init(_ socket: Descriptor) {
    listener = Self.listens(socket) ? socket : nil
    if listener == nil { connections = [socket] }
    if let flags = Optional(fcntl(socket.raw, F_GETFL)), flags >= 0 {
      _ = fcntl(socket.raw, F_SETFL, flags | O_NONBLOCK)
    }
  }

  /// Until the one connection that was given ends; for ever on a listening socket.
  mutating func run() {
    while listener != nil || !connections.isEmpty {
      let sockets =
        connections.map(\.raw) + (connections.count < Self.connections ? [listener?.raw].compactMap { $0 } : [])
      let ready = platforms.wait(for: sockets)
      for raw in ready {
        if raw == listener?.raw { accept() } else { serve(raw) }
      }
    }
  }

  private static func listens(_ socket: Descriptor) -> Bool {
    var (value, size) = (Int32(0), socklen_t(MemoryLayout<Int32>.size))
    return getsockopt(socket.raw, SOL_SOCKET, SO_ACCEPTCONN, &value, &size) == 0 && value != 0
  }

  private mutating func accept() {
    guard let listener else { return }
    do {
      let raw = Glibc.accept(listener.raw, nil, nil)
      guard raw >= 0 else { return }
      let connection = Descriptor(owning: raw)
      let peer = try SeqPacket.peer(connection)
      log(.info, "connection of user \(peer.uid), process \(peer.pid)")
      connections.append(connection)
    } catch { log(.warning, "accept: \(error.call): \(error.text)") }
  }

  private mutating func serve(_ raw: Int32) {
    guard let index = connections.firstIndex(where: { $0.raw == raw }) else { return }
    do {
      switch try SeqPacket.receive(connections[index], maximum: WireLimits.messageBytes) {
      case .nothing: return
      case .closed: connections.remove(at: index)
      case .message(let bytes, let descriptors): try open(bytes, descriptors)
      }
    } catch {
      log(.warning, "a connection is closed, because of what came: \(error)")
      connections.remove(at: index)
    }
  }

  private mutating func open(_ bytes: [UInt8], _ descriptors: [Descriptor]) throws(WireError) {
    let message: CompilerMessage
    do { message = try decodeMessage(bytes, descriptors: descriptors.count) } catch {
      if descriptors.count == 2 { answer(descriptors[1], .failed(CompileFailure(.badRequest))) }
      throw error
    }
    guard case .open = message, descriptors.count == 2 else { throw WireError(.unknownKind, at: 2) }
    guard platforms.count < Self.platforms else {
      answer(descriptors[1], .failed(CompileFailure(.busy)))
      return
    }
    platforms.fork(answeringOn: descriptors[1]) { life in
      runPlatform(sources: descriptors[0], channel: descriptors[1], life: life)
    }
  }
}
