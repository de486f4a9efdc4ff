// One life of a connection: libdbus' connection bound to the event loop by its watch, timeout and dispatch-status
// functions. Nothing here blocks but connect(2) to a local socket. Above it, Connection gives messages a meaning.

internal import CDBus
internal import System

/// Owns a DBusConnection from open to close. Loop-owned.
final class Link {
  private let loop: EventLoop
  private var raw: OpaquePointer?
  private var watches: [OpaquePointer: EventLoop.Watch] = [:]
  private var timers: [OpaquePointer: EventLoop.Timer] = [:]
  private var isDraining = false
  private var isDrainPlanned = false
  private let deliver: (Link, Message) -> Void

  /// Messages delivered in one turn of the loop, so that a flood leaves room for the rest.
  private static let messagesATurn = 256
  /// Reads after one that ended within a message: libdbus reads 2 KiB at a time.
  private static let readsWithinMessage = 31

  /// Connects; the greeting and all that follows is for the loop. The last message delivered is libdbus' own
  /// `Disconnected`, unless `close` comes first.
  init(
    _ address: BusAddress, loop: EventLoop, deliver: @escaping (Link, Message) -> Void
  ) throws(BusError) {
    self.loop = loop
    self.deliver = deliver
    let text = try address.resolve()
    let connection = try reportingErrors { dbus_connection_open_private(text, $0) }.get()
    raw = connection
    dbus_connection_set_exit_on_disconnect(connection, 0)
    // libdbus' bounds stay (a message 128 MiB, of which a bus lets less through; 63 MiB read ahead; descriptors accepted):
    // past one of its own it ends the connection, so that any caller could take this program off the bus. What is too
    // long or brings descriptors is read and refused by ObjectTable.
    // libdbus answers Peer itself otherwise, whatever the table says.
    dbus_connection_set_route_peer_messages(connection, 1)
    if !bind(connection) {
      close()
      throw BusError(.limitsExceeded, text: "no descriptor can be watched")
    }
  }

  deinit { close() }

  var isOpen: Bool { raw.map { dbus_connection_get_is_connected($0) != 0 } ?? false }

  /// Bytes that wait to be sent.
  var outgoingBytes: Int { raw.map { dbus_connection_get_outgoing_size($0) } ?? 0 }

  /// Queues a message and writes what can be written at once. Returns its serial; `nil` if the link has ended.
  @discardableResult
  func send(_ message: Message) -> UInt32? {
    guard let raw, isOpen else { return nil }
    var serial: UInt32 = 0
    ensureMemory(dbus_connection_send(raw, message.raw, &serial) != 0)
    return serial
  }

  func setUniqueName(_ name: String) {
    guard let raw else { return }
    ensureMemory(dbus_bus_set_unique_name(raw, name) != 0)
  }

  /// Ends it. Nothing is delivered after this.
  func close() {
    guard let raw else { return }
    self.raw = nil
    dbus_connection_set_dispatch_status_function(raw, nil, nil, nil)
    _ = dbus_connection_set_watch_functions(raw, nil, nil, nil, nil, nil)
    _ = dbus_connection_set_timeout_functions(raw, nil, nil, nil, nil, nil)
    watches.values.forEach { $0.cancel() }
    timers.values.forEach { $0.cancel() }
    watches = [:]
    timers = [:]
    dbus_connection_close(raw)
    dbus_connection_unref(raw)
  }

  // MARK: libdbus' functions

  // SAFETY: `data` is this link, unretained; close(), which deinit calls, takes the functions back.
  private func bind(_ connection: OpaquePointer) -> Bool {
    let data = Unmanaged.passUnretained(self).toOpaque()
    dbus_connection_set_dispatch_status_function(
      connection,
      { _, status, data in if status == DBUS_DISPATCH_DATA_REMAINS { link(data)?.planDrain() } }, data, nil)
    return dbus_connection_set_watch_functions(
      connection,
      { watch, data in link(data)?.follow(watch) == true ? 1 : 0 },
      { watch, data in link(data)?.forget(watch) },
      { watch, data in _ = link(data)?.follow(watch) }, data, nil) != 0
      && dbus_connection_set_timeout_functions(
        connection,
        { timeout, data in link(data)?.arm(timeout) == true ? 1 : 0 },
        { timeout, data in link(data)?.disarm(timeout) },
        { timeout, data in _ = link(data)?.arm(timeout) }, data, nil) != 0
  }

  /// Makes the loop watch what libdbus wants now. A disabled watch is cancelled: its hang-up would wake the loop for ever.
  private func follow(_ watch: OpaquePointer?) -> Bool {
    guard let watch else { return true }
    forget(watch)
    guard dbus_watch_get_enabled(watch) != 0 else { return true }
    let wanted = dbus_watch_get_flags(watch)
    var interest: EventLoop.Interest = []
    if wanted & DBUS_WATCH_READABLE.rawValue != 0 { interest.insert(.readable) }
    if wanted & DBUS_WATCH_WRITABLE.rawValue != 0 { interest.insert(.writable) }
    do throws(SystemError) {
      watches[watch] = try loop.watch(dbus_watch_get_unix_fd(watch), interest) { [weak self] ready in
        self?.handle(watch, ready)
      }
      return true
    } catch {
      // Deaf from here on: the end of the link is what its owner can act on.
      loop.soon { [weak self] in self?.fail() }
      return false
    }
  }

  private func forget(_ watch: OpaquePointer?) {
    guard let watch else { return }
    watches.removeValue(forKey: watch)?.cancel()
  }

  private func arm(_ timeout: OpaquePointer?) -> Bool {
    guard let timeout else { return true }
    disarm(timeout)
    guard dbus_timeout_get_enabled(timeout) != 0 else { return true }
    let interval = UInt64(max(1, dbus_timeout_get_interval(timeout))) * 1_000_000
    timers[timeout] = loop.after(nanoseconds: interval, every: interval) { [weak self] in
      guard self?.timers[timeout] != nil else { return }
      dbus_timeout_handle(timeout)
      self?.drain()
    }
    return true
  }

  private func disarm(_ timeout: OpaquePointer?) {
    guard let timeout else { return }
    timers.removeValue(forKey: timeout)?.cancel()
  }

  // MARK: Reading

  private func handle(_ watch: OpaquePointer, _ ready: EventLoop.Interest) {
    guard watches[watch] != nil else { return }
    var flags: UInt32 = 0
    if ready.contains(.readable) { flags |= DBUS_WATCH_READABLE.rawValue }
    if ready.contains(.writable) { flags |= DBUS_WATCH_WRITABLE.rawValue }
    flags &= dbus_watch_get_flags(watch)
    ensureMemory(dbus_watch_handle(watch, flags) != 0)
    var more = flags & DBUS_WATCH_READABLE.rawValue != 0 ? Self.readsWithinMessage : 0
    // Nothing complete yet: the rest of a long message is likely to be there. The watch may end within any of these.
    while more > 0, watches[watch] != nil, let raw, isOpen,
      dbus_connection_get_dispatch_status(raw) == DBUS_DISPATCH_COMPLETE
    {
      guard cdbus_has_input(dbus_watch_get_unix_fd(watch)) else { break }
      ensureMemory(dbus_watch_handle(watch, DBUS_WATCH_READABLE.rawValue) != 0)
      more -= 1
    }
    drain()
  }

  private func planDrain() {
    guard !isDraining, !isDrainPlanned else { return }
    isDrainPlanned = true
    loop.soon { [weak self] in
      self?.isDrainPlanned = false
      self?.drain()
    }
  }

  /// Delivers what has arrived. A handler may close the link or call in again.
  private func drain() {
    guard !isDraining else { return }
    isDraining = true
    var left = Self.messagesATurn
    while left > 0, let raw, let message = dbus_connection_pop_message(raw) {
      deliver(self, Message(adopting: message))
      left -= 1
    }
    isDraining = false
    if let raw, dbus_connection_get_dispatch_status(raw) == DBUS_DISPATCH_DATA_REMAINS { planDrain() }
  }

  private func fail() {
    guard raw != nil else { return }
    deliver(self, Message(localError: ErrorName.disconnected, text: "the connection can't be watched"))
  }
}

private func link(_ data: UnsafeMutableRawPointer?) -> Link? {
  data.map { Unmanaged<Link>.fromOpaque($0).takeUnretainedValue() }
}
