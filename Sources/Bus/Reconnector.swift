// Keeps a connection open: opens it, and again after it ended, with a growing wait that differs between processes, so
// that a bus that comes back isn't met by everybody at once.

internal import System

/// Opens a connection until it is open, and again whenever it ends. Loop-owned.
public final class Reconnector {
  /// 100 ms, doubled each time, to 10 s; of which a random part, at least half, is waited.
  public static let firstWait: UInt64 = 100_000_000
  public static let longestWait: UInt64 = 10_000_000_000

  private let connection: Connection
  private let address: BusAddress
  private var timer: EventLoop.Timer?
  private var wait = Reconnector.firstWait
  private var isStopped = false

  /// The connection is open: names, matches and whatever else the bus has forgotten are to be asked for again.
  public var onOpen: (() -> Void)?
  /// An attempt failed; the next comes by itself.
  public var onFailure: ((BusError) -> Void)?
  /// The connection ended; the next attempt comes by itself.
  public var onDisconnect: (() -> Void)?

  /// Takes over the connection's `onDisconnect`.
  public init(_ connection: Connection, to address: BusAddress) {
    self.connection = connection
    self.address = address
    connection.onDisconnect = { [weak self] in
      self?.onDisconnect?()
      self?.retry()
    }
  }

  /// Opens for the first time, now.
  public func start() {
    isStopped = false
    attempt()
  }

  /// No further attempts; closes the connection.
  public func stop() {
    isStopped = true
    timer?.cancel()
    timer = nil
    connection.close()
  }

  private func attempt() {
    connection.open(address) { [weak self] error in
      guard let self, !self.isStopped else { return }
      guard let error else {
        self.wait = Self.firstWait
        self.onOpen?()
        return
      }
      self.onFailure?(error)
      self.retry()
    }
  }

  private func retry() {
    guard !isStopped else { return }
    timer?.cancel()
    timer = connection.loop.after(nanoseconds: UInt64.random(in: wait / 2...wait)) { [weak self] in self?.attempt() }
    wait = min(wait * 2, Self.longestWait)
  }
}
