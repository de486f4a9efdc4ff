// The bytes of a message's arguments, taken out of libdbus once, so that reading a value is a load and not a call.
// libdbus has validated them when the message came in.

internal import CDBus

/// The arguments of one message as they are on the wire, in this machine's byte order. Immutable.
final class MessageBody {
  /// Aligned as the D-Bus specification counts: the first byte is at a multiple of 8.
  let bytes: UnsafeRawBufferPointer
  let signature: UnsafeRawBufferPointer
  private let release: () -> Void

  /// A copy of what the message holds now.
  init(of message: OpaquePointer) {
    // Turns a message of the other byte order, in place.
    var iterator = DBusMessageIter()
    dbus_message_iter_init(message, &iterator)
    var marshalled: UnsafeMutablePointer<CChar>?
    var count: Int32 = 0
    ensureMemory(dbus_message_marshal(message, &marshalled, &count) != 0)
    let whole = UnsafeRawBufferPointer(start: marshalled, count: Int(count))
    // D-Bus specification, "Message Format": byte order, type, flags, version, u32 length of the body, u32 serial,
    // u32 length of the fields; then the fields, padding to 8, the body.
    func word(_ offset: Int) -> Int { Int(whole.loadUnaligned(fromByteOffset: offset, as: UInt32.self)) }
    let start = (16 + word(12) + 7) & ~7
    precondition(start + word(4) == whole.count, "a message of libdbus")
    bytes = UnsafeRawBufferPointer(rebasing: whole[start...])
    let text = dbus_message_get_signature(message)
    let length = text.map { strlen($0) } ?? 0
    let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: length, alignment: 1)
    if let text { copy.copyMemory(from: UnsafeRawBufferPointer(start: text, count: length)) }
    signature = UnsafeRawBufferPointer(copy)
    release = {
      dbus_free(marshalled)
      copy.deallocate()
    }
  }

  /// Any bytes, which need not fit each other. Copied.
  init(bytes: [UInt8], signature: [UInt8]) {
    let body = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 8)
    body.copyBytes(from: bytes)
    let types = UnsafeMutableRawBufferPointer.allocate(byteCount: signature.count, alignment: 1)
    types.copyBytes(from: signature)
    (self.bytes, self.signature) = (UnsafeRawBufferPointer(body), UnsafeRawBufferPointer(types))
    release = {
      body.deallocate()
      types.deallocate()
    }
  }

  deinit { release() }
}
