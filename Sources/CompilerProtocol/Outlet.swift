// A non-blocking SEQPACKET socket on the loop: what can't be sent at once waits, with its descriptors; what comes is
// handed on.

internal import Glibc
internal import System

/// Loop-owned. Holds its socket until it is closed.
final class Outlet {
  typealias Received = (_ bytes: [UInt8], _ descriptors: [Descriptor]) -> Void

  private var socket: Descriptor?
  private var watch: EventLoop.Watch?
  private var queue: [(bytes: [UInt8], descriptors: [Descriptor])] = []
  private let received: Received
  private let closed: () -> Void

  /// `closed` is called once, when the other end is gone or sends what can't be received; not by `close()`.
  init(
    _ socket: Descriptor, loop: EventLoop, received: @escaping Received, closed: @escaping () -> Void
  ) throws(SystemError) {
    self.socket = socket
    self.received = received
    self.closed = closed
    watch = try loop.watch(socket.raw, .readable) { [weak self] interest in self?.turn(interest) }
  }

  deinit { close() }

  /// Descriptors are kept until they are sent.
  func send(_ bytes: [UInt8], _ descriptors: [Descriptor]) {
    guard socket != nil else { return }
    queue.append((bytes, descriptors))
    flush()
  }

  func close() {
    watch?.cancel()
    watch = nil
    socket = nil
    queue = []
  }

  private func turn(_ interest: EventLoop.Interest) {
    if interest.contains(.writable) { flush() }
    if interest.contains(.readable) { read() }
  }

  private func flush() {
    while let socket, let first = queue.first {
      do throws(SystemError) {
        try SeqPacket.send(socket, first.bytes, first.descriptors)
        queue.removeFirst()
      } catch {
        if error.code == EAGAIN { break }
        // The end shows when it is read, with what was said before it.
        queue = []
      }
    }
    watch?.interest = queue.isEmpty ? .readable : [.readable, .writable]
  }

  private func read() {
    guard let socket else { return }
    do {
      switch try SeqPacket.receive(socket, maximum: WireLimits.messageBytes) {
      case .nothing: return
      case .message(let bytes, let descriptors): received(bytes, descriptors)
      case .closed: end()
      }
    } catch { end() }
  }

  private func end() {
    close()
    closed()
  }
}
