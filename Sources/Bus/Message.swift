// A message of the bus: a counted reference to libdbus' own. Texts are copied out only when asked for.

internal import CDBus

/// A D-Bus message. Belongs to one thread at a time.
///
/// Names and paths given to the initialisers must be valid by the D-Bus specification: anything else is a programmer's
/// error and traps. What comes from outside is valid, or libdbus would not have delivered it.
public final class Message {
  let raw: OpaquePointer
  /// The arguments, once somebody reads them; not while they are written.
  private var body: MessageBody?

  public enum Kind: Int32, Sendable {
    case call = 1
    case reply = 2
    case error = 3
    case signal = 4
  }

  /// Takes over a reference.
  init(adopting raw: OpaquePointer) { self.raw = raw }

  deinit { dbus_message_unref(raw) }

  /// A method call; see dbus_message_new_method_call.
  public init(call member: String, of interface: String?, at path: String, to destination: String?) {
    precondition(dbus_validate_path(path, nil) != 0 && dbus_validate_member(member, nil) != 0, "a call's names")
    precondition(interface.map { dbus_validate_interface($0, nil) != 0 } ?? true, "a call's interface")
    precondition(destination.map { dbus_validate_bus_name($0, nil) != 0 } ?? true, "a call's destination")
    raw = inMemory(dbus_message_new_method_call(destination, path, interface, member))
  }

  /// A signal, to everybody or to `destination` alone; see dbus_message_new_signal.
  public init(signal member: String, of interface: String, at path: String, to destination: String? = nil) {
    precondition(dbus_validate_path(path, nil) != 0 && dbus_validate_member(member, nil) != 0, "a signal's names")
    precondition(dbus_validate_interface(interface, nil) != 0, "a signal's interface")
    raw = inMemory(dbus_message_new_signal(path, interface, member))
    if let destination {
      precondition(dbus_validate_bus_name(destination, nil) != 0, "a signal's destination")
      ensureMemory(dbus_message_set_destination(raw, destination) != 0)
    }
  }

  /// An error that arose here, in the shape of a reply.
  init(localError name: String, text: String) {
    raw = inMemory(dbus_message_new(Kind.error.rawValue))
    ensureMemory(dbus_message_set_error_name(raw, name) != 0)
    write { $0.append(text) }
  }

  /// From its bytes on the wire, in either byte order; nil if they are no whole valid message. See dbus_message_demarshal.
  public convenience init?(wire bytes: [UInt8]) {
    let raw = bytes.withUnsafeBytes { buffer in
      dbus_message_demarshal(
        buffer.baseAddress?.assumingMemoryBound(to: CChar.self), Int32(clamping: buffer.count), nil)
    }
    guard let raw else { return nil }
    self.init(adopting: raw)
  }

  /// An empty reply to this call; see dbus_message_new_method_return.
  public func reply() -> Message { Message(adopting: inMemory(dbus_message_new_method_return(raw))) }

  /// An error reply to this call. `name` must be a valid error name.
  public func failure(_ name: String, _ text: String) -> Message {
    precondition(dbus_validate_error_name(name, nil) != 0, "an error's name")
    let message = Message(adopting: inMemory(dbus_message_new_error(raw, name, nil)))
    message.write { $0.append(text) }
    return message
  }

  /// What this is; `nil` for kinds that the specification adds later, which are to be ignored.
  public var kind: Kind? { Kind(rawValue: dbus_message_get_type(raw)) }
  public var path: String? { text(dbus_message_get_path(raw)) }
  public var interface: String? { text(dbus_message_get_interface(raw)) }
  public var member: String? { text(dbus_message_get_member(raw)) }
  /// The sender's unique name; the bus wrote it.
  public var sender: String? { text(dbus_message_get_sender(raw)) }
  public var destination: String? { text(dbus_message_get_destination(raw)) }
  /// The arguments' types; empty if there are none.
  public var signature: String { text(dbus_message_get_signature(raw)) ?? "" }
  public var errorName: String? { text(dbus_message_get_error_name(raw)) }
  public var serial: UInt32 { dbus_message_get_serial(raw) }
  /// The serial of the call that this answers; 0 if it answers none.
  public var replySerial: UInt32 { dbus_message_get_reply_serial(raw) }
  public var isError: Bool { dbus_message_get_type(raw) == Kind.error.rawValue }

  /// Whether a call asks for an answer (no NO_REPLY_EXPECTED).
  public var expectsReply: Bool {
    get { dbus_message_get_no_reply(raw) == 0 }
    set { dbus_message_set_no_reply(raw, newValue ? 0 : 1) }
  }
  /// Whether the bus may start a service to deliver this call.
  public var mayStartService: Bool {
    get { dbus_message_get_auto_start(raw) != 0 }
    set { dbus_message_set_auto_start(raw, newValue ? 1 : 0) }
  }
  public var carriesDescriptors: Bool { dbus_message_contains_unix_fds(raw) != 0 }

  /// Bytes of the arguments on the wire, but for padding between arguments. Takes time by the number of arguments.
  public var bodyLength: Int { Int(clamping: cdbus_body_length(raw)) }

  /// The text of an error: its first argument, if that is a text.
  public var errorText: String {
    var reader = reader
    guard let text = try? reader.nextString() else { return "" }
    return String(decoding: text, as: UTF8.self)
  }

  /// Reads from the first argument on. What the reader yields lives as long as this message, if nobody writes to it.
  public var reader: MessageReader {
    if let body { return MessageReader(body) }
    let new = MessageBody(of: raw)
    body = new
    return MessageReader(new)
  }

  /// Appends arguments; not to a message that was sent.
  public func write(_ body: (inout MessageWriter) -> Void) {
    self.body = nil
    var writer = MessageWriter(self)
    body(&writer)
  }

  /// The same with a result, for chains.
  public func with(_ body: (inout MessageWriter) -> Void) -> Message {
    write(body)
    return self
  }

  /// Whether this is that signal.
  public func isSignal(_ member: String, of interface: String) -> Bool {
    dbus_message_is_signal(raw, interface, member) != 0
  }

  /// Whether the sender is that name.
  public func isFrom(_ name: String) -> Bool { dbus_message_has_sender(raw, name) != 0 }
}

private func text(_ pointer: UnsafePointer<CChar>?) -> String? { pointer.map { String(cString: $0) } }

/// libdbus returns nothing only without memory, which is fatal (a daemon under overcommit never sees it).
func inMemory(_ pointer: OpaquePointer?) -> OpaquePointer {
  guard let pointer else { preconditionFailure("out of memory") }
  return pointer
}

@inline(__always)
func ensureMemory(_ succeeded: Bool) {
  if !succeeded { preconditionFailure("out of memory") }
}
