// Writes a message's arguments. It never fails: memory that runs out is fatal, and what D-Bus can't carry in a text
// (broken UTF-8, zero bytes) is replaced by U+FFFD, because libdbus would abort the process.

internal import CDBus

/// A cursor that appends to a message or to an open container. An open container's outer writer rests until it is closed.
///
/// Signatures given here must be valid and what is written must fit them: a programmer's error, which libdbus traps.
public struct MessageWriter {
  private var iterator: DBusMessageIter

  init(_ message: Message) {
    iterator = DBusMessageIter()
    dbus_message_iter_init_append(message.raw, &iterator)
  }

  private init(_ iterator: DBusMessageIter) { self.iterator = iterator }

  // MARK: Texts

  /// A literal: neither copied here nor checked.
  public mutating func append(_ text: StaticString) {
    precondition(text.hasPointerRepresentation)
    text.utf8Start.withMemoryRebound(to: CChar.self, capacity: text.utf8CodeUnitCount + 1) { append(terminated: $0) }
  }

  @_disfavoredOverload
  public mutating func append(_ text: String) {
    if text.utf8.contains(0) { return appendRepaired(Array(text.utf8)) }
    ensureMemory(cdbus_append_text(&iterator, Int32(WireType.string.rawValue), text))
  }

  /// Bytes of any origin, copied so that they are followed by a zero.
  public mutating func append(_ bytes: UnsafeRawBufferPointer) {
    let isText = withUnsafeTemporaryAllocation(of: CChar.self, capacity: bytes.count + 1) { scratch in
      UnsafeMutableRawBufferPointer(scratch).copyMemory(from: bytes)
      scratch[bytes.count] = 0
      guard let text = UnsafePointer(scratch.baseAddress), strlen(text) == bytes.count,
        dbus_validate_utf8(text, nil) != 0
      else { return false }
      append(terminated: text)
      return true
    }
    if !isText { appendRepaired(bytes) }
  }

  /// Bytes that are known to be UTF-8 and to end in a zero: neither copied nor checked here.
  public mutating func append(terminated text: UnsafePointer<CChar>) {
    ensureMemory(cdbus_append_text(&iterator, Int32(WireType.string.rawValue), text))
  }

  private mutating func appendRepaired(_ bytes: some Collection<UInt8>) {
    let text = String(decoding: bytes, as: UTF8.self).unicodeScalars.map { $0 == "\0" ? "\u{fffd}" : $0 }
    var whole = String.UnicodeScalarView()
    whole.append(contentsOf: text)
    ensureMemory(cdbus_append_text(&iterator, Int32(WireType.string.rawValue), String(whole)))
  }

  /// An object path, which must be valid.
  public mutating func append(objectPath path: String) {
    precondition(dbus_validate_path(path, nil) != 0, "an object path")
    ensureMemory(cdbus_append_text(&iterator, Int32(WireType.objectPath.rawValue), path))
  }

  // MARK: Numbers

  public mutating func append(_ value: Bool) { append(.bool, UInt32(value ? 1 : 0)) }
  public mutating func append(byte value: UInt8) { append(.byte, value) }
  public mutating func append(_ value: Int32) { append(.int32, value) }
  public mutating func append(_ value: UInt32) { append(.uint32, value) }
  public mutating func append(_ value: Int64) { append(.int64, value) }
  public mutating func append(_ value: UInt64) { append(.uint64, value) }
  public mutating func append(_ value: Double) { append(.double, value) }
  /// A descriptor, which libdbus duplicates.
  public mutating func append(descriptor: Int32) { append(.descriptor, descriptor) }

  private mutating func append<Value: BitwiseCopyable>(_ type: WireType, _ value: Value) {
    var value = value
    ensureMemory(dbus_message_iter_append_basic(&iterator, Int32(type.rawValue), &value) != 0)
  }

  /// An array of bytes.
  public mutating func append(bytes: UnsafeRawBufferPointer) {
    var array = openArray("y")
    if let start = bytes.baseAddress, let count = Int32(exactly: bytes.count), count > 0 {
      ensureMemory(cdbus_append_bytes(&array.iterator, start, count))
    }
    close(&array)
  }

  /// An array of texts.
  public mutating func append(_ texts: some Sequence<String>) {
    array("s") { inner in for text in texts { inner.append(text) } }
  }

  // MARK: Containers, opened and closed

  /// An array of elements of that signature (a dictionary's: `{sv}`).
  public mutating func openArray(_ elements: StaticString) -> MessageWriter { open(.array, elements) }
  public mutating func openStruct() -> MessageWriter { open(.structure, nil as UnsafePointer<CChar>?) }
  public mutating func openEntry() -> MessageWriter { open(.entry, nil as UnsafePointer<CChar>?) }
  /// A variant that holds one value of that signature.
  public mutating func openVariant(_ value: StaticString) -> MessageWriter { open(.variant, value) }

  /// Ends the container that this writer opened last.
  public mutating func close(_ inner: inout MessageWriter) {
    ensureMemory(dbus_message_iter_close_container(&iterator, &inner.iterator) != 0)
  }

  private mutating func open(_ type: WireType, _ signature: StaticString) -> MessageWriter {
    signature.utf8Start.withMemoryRebound(to: CChar.self, capacity: signature.utf8CodeUnitCount + 1) {
      open(type, $0)
    }
  }

  private mutating func open(_ type: WireType, _ signature: UnsafePointer<CChar>?) -> MessageWriter {
    var inside = DBusMessageIter()
    ensureMemory(
      dbus_message_iter_open_container(&iterator, Int32(type.rawValue), signature, &inside) != 0)
    return MessageWriter(inside)
  }

  // MARK: Containers as closures

  public mutating func array(_ elements: StaticString, _ body: (inout MessageWriter) -> Void) {
    var inner = openArray(elements)
    body(&inner)
    close(&inner)
  }
  public mutating func structure(_ body: (inout MessageWriter) -> Void) {
    var inner = openStruct()
    body(&inner)
    close(&inner)
  }
  public mutating func variant(_ value: StaticString, _ body: (inout MessageWriter) -> Void) {
    var inner = openVariant(value)
    body(&inner)
    close(&inner)
  }
  /// A variant whose signature is only known when running.
  public mutating func variant(signature: String, _ body: (inout MessageWriter) -> Void) {
    precondition(dbus_signature_validate_single(signature, nil) != 0, "a single type")
    var inner = signature.withCString { open(.variant, $0) }
    body(&inner)
    close(&inner)
  }
  /// An entry of `a{sv}`.
  public mutating func entry(_ key: StaticString, _ value: StaticString, _ body: (inout MessageWriter) -> Void) {
    var inner = openEntry()
    inner.append(key)
    inner.variant(value, body)
    close(&inner)
  }

  // MARK: Entries of `a{sv}`

  @_disfavoredOverload
  public mutating func entry(_ key: StaticString, _ text: String) { entry(key, "s") { $0.append(text) } }
  public mutating func entry(_ key: StaticString, text: UnsafeRawBufferPointer) { entry(key, "s") { $0.append(text) } }
  public mutating func entry(_ key: StaticString, _ value: Bool) { entry(key, "b") { $0.append(value) } }
  public mutating func entry(_ key: StaticString, _ value: Int64) { entry(key, "x") { $0.append(value) } }
  public mutating func entry(_ key: StaticString, _ value: UInt64) { entry(key, "t") { $0.append(value) } }
  public mutating func entry(_ key: StaticString, _ value: UInt32) { entry(key, "u") { $0.append(value) } }
  public mutating func entry(_ key: StaticString, _ value: Double) { entry(key, "d") { $0.append(value) } }
  /// An entry of an `a{st}`.
  public mutating func count(_ key: StaticString, _ number: UInt64) {
    var entry = openEntry()
    entry.append(key)
    entry.append(number)
    close(&entry)
  }
  public mutating func entry(_ key: StaticString, _ texts: [String]) { entry(key, "as") { $0.append(texts) } }
}
