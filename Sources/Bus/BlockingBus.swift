// A connection for a program that has nothing else to do: it waits. Errors tell apart what a user can do something about.

internal import CDBus

/// A blocking connection to a bus. Belongs to one thread.
public final class BlockingBus {
  private let raw: OpaquePointer
  /// Signals that arrived while a reply was awaited.
  private var signals: [Message] = []
  private static let signalsKept = 10_000
  /// Signals that were dropped because nobody took them.
  public private(set) var droppedSignals = 0
  public private(set) var uniqueName = ""

  /// Connects and greets, within ten seconds.
  /// - Throws: `.noSuchBus`, `.refused`, `.accessDenied`, `.badAddress`, `.timeout`.
  public init(_ address: BusAddress) throws(BusError) {
    let text = try address.resolve()
    raw = try reportingErrors { dbus_connection_open_private(text, $0) }.get()
    dbus_connection_set_exit_on_disconnect(raw, 0)
    do throws(BusError) {
      let reply = try callBus("Hello", [])
      var reader = reply.reader
      guard let name = try? reader.nextSwiftString() else {
        throw BusError(.badReply, text: "the bus's greeting can't be read")
      }
      uniqueName = name
      ensureMemory(dbus_bus_set_unique_name(raw, name) != 0)
    } catch {
      // An end before the greeting is how a bus refuses a user.
      throw error.code == .disconnected ? BusError(.refused, text: "the bus let nobody in") : error
    }
  }

  /// As `init`.
  public static func open(_ address: BusAddress) throws(BusError) -> BlockingBus { try BlockingBus(address) }

  deinit {
    dbus_connection_close(raw)
    dbus_connection_unref(raw)
  }

  /// Calls and waits for the reply.
  /// - Throws: the error reply, `.timeout` or `.disconnected`.
  public func call(_ message: Message, timeoutNanoseconds: UInt64 = 25_000_000_000) throws(BusError) -> Message {
    let deadline = Deadline(after: timeoutNanoseconds)
    var serial: UInt32 = 0
    guard dbus_connection_get_is_connected(raw) != 0 else { throw Self.ended }
    ensureMemory(dbus_connection_send(raw, message.raw, &serial) != 0)
    while true {
      guard let received = try next(deadline) else { throw BusError(.timeout, text: "no reply in time") }
      switch received.kind {
      case .reply where received.replySerial == serial: return received
      case .error where received.replySerial == serial: throw BusError(received)
      case .signal: keep(received)
      default: refuse(received)
      }
    }
  }

  /// Asks the bus to deliver the signals that fit the rule.
  public func addMatch(_ rule: String) throws(BusError) { _ = try callBus("AddMatch", [rule]) }

  /// The next signal; `nil` if none comes in time. No timeout: waits for ever.
  /// - Throws: `.disconnected`.
  public func nextSignal(timeoutNanoseconds: UInt64?) throws(BusError) -> Message? {
    if !signals.isEmpty { return signals.removeFirst() }
    let deadline = timeoutNanoseconds.map { Deadline(after: $0) }
    while let received = try next(deadline) {
      if received.kind == .signal { return received }
      refuse(received)
    }
    return nil
  }

  // MARK: Waiting

  private static let ended = BusError(.disconnected, text: "the connection to the bus has ended")

  /// The next message; `nil` when time is up.
  private func next(_ deadline: Deadline?) throws(BusError) -> Message? {
    while true {
      if let popped = dbus_connection_pop_message(raw) {
        let message = Message(adopting: popped)
        if message.isSignal("Disconnected", of: "org.freedesktop.DBus.Local") { throw Self.ended }
        return message
      }
      let wait = deadline?.milliseconds ?? 1_000_000
      if wait == 0 { return nil }
      let isConnected = dbus_connection_read_write(raw, wait) != 0
      // What came before the end is still read; the end itself is the last message.
      if !isConnected, dbus_connection_get_dispatch_status(raw) != DBUS_DISPATCH_DATA_REMAINS { throw Self.ended }
    }
  }

  private func keep(_ signal: Message) {
    if signals.count < Self.signalsKept { signals.append(signal) } else { droppedSignals += 1 }
  }

  /// Nothing is served here.
  private func refuse(_ message: Message) {
    guard message.kind == .call, message.expectsReply else { return }
    let reply = message.failure(ErrorName.unknownMethod, "this connection serves nothing")
    ensureMemory(dbus_connection_send(raw, reply.raw, nil) != 0)
  }

  private func callBus(_ member: String, _ texts: [String]) throws(BusError) -> Message {
    let message = Message(call: member, of: Connection.bus, at: Connection.busPath, to: Connection.bus)
    message.write { for text in texts { $0.append(text) } }
    return try call(message, timeoutNanoseconds: Connection.greetingTimeout)
  }
}

/// A point in monotonic time.
private struct Deadline {
  private let end: ContinuousClock.Instant

  init(after nanoseconds: UInt64) { end = .now + .nanoseconds(Int64(clamping: nanoseconds)) }

  /// What is left, rounded up.
  var milliseconds: Int32 {
    let left = ContinuousClock.Instant.now.duration(to: end)
    guard left > .zero else { return 0 }
    let (seconds, attoseconds) = left.components
    return Int32(clamping: min(seconds, 1_000_000) * 1000 + attoseconds / 1_000_000_000_000_000 + 1)
  }
}
