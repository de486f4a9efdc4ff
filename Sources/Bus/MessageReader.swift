// Reads a message's arguments in place: the hot path. No allocation, no String: a text is a pointer into the message.
// Every step checks the type of what is there, so no message that libdbus delivers makes it trap.

internal import CDBus
public import System

/// A cursor over the values of one container, or of a message's arguments. A value type: a copy goes its own way.
///
/// Holds its message. The texts and bytes that it gives are the message's, and go with it.
public struct MessageReader {
  /// Containers within each other, a variant being one. libdbus itself accepts 64.
  public static var maximumDepth: Int { 32 }

  /// The iterator points into it.
  private let message: Message
  private var iterator: DBusMessageIter
  private var trail: UInt64 = 0
  private var index: UInt32 = 0
  private var depth: UInt8 = 0

  init(_ message: Message) {
    self.message = message
    iterator = DBusMessageIter()
    dbus_message_iter_init(message.raw, &iterator)
  }

  private init(_ iterator: DBusMessageIter, inside outer: borrowing MessageReader) {
    self.iterator = iterator
    message = outer.message
    depth = outer.depth &+ 1
    trail = outer.trail
    if outer.depth < 4 { trail |= UInt64(min(outer.index, 0xffff)) << (UInt64(outer.depth) &* 16) }
  }

  /// The type of the next value; `.end` if there is none.
  public var type: WireType {
    mutating get { WireType(rawValue: UInt8(truncatingIfNeeded: dbus_message_iter_get_arg_type(&iterator))) }
  }

  public var atEnd: Bool { mutating get { dbus_message_iter_get_arg_type(&iterator) == 0 } }

  /// Passes over the next value, if any.
  public mutating func skip() { advance() }

  /// - Throws: `.trailing` if there are more values.
  public mutating func finish() throws(ReadError) {
    if !atEnd { throw error(.trailing(found: type)) }
  }

  /// The signature of the next value, for error messages: allocates.
  public var signature: String {
    mutating get {
      guard let text = dbus_message_iter_get_signature(&iterator) else { return "" }
      defer { dbus_free(text) }
      return String(cString: text)
    }
  }

  // MARK: Basic values

  /// A text's bytes: UTF-8 without zero bytes, followed by one that is not counted.
  public mutating func nextString() throws(ReadError) -> UnsafeRawBufferPointer { try nextText(.string) }
  public mutating func nextObjectPath() throws(ReadError) -> UnsafeRawBufferPointer { try nextText(.objectPath) }
  public mutating func nextSignature() throws(ReadError) -> UnsafeRawBufferPointer { try nextText(.signature) }

  /// As `nextString`, copied.
  public mutating func nextSwiftString() throws(ReadError) -> String {
    String(decoding: try nextString(), as: UTF8.self)
  }

  public mutating func nextByte() throws(ReadError) -> UInt8 { try next(.byte, 0) }
  public mutating func nextBool() throws(ReadError) -> Bool { try next(.bool, UInt32(0)) != 0 }
  public mutating func nextInt16() throws(ReadError) -> Int16 { try next(.int16, 0) }
  public mutating func nextUInt16() throws(ReadError) -> UInt16 { try next(.uint16, 0) }
  public mutating func nextInt32() throws(ReadError) -> Int32 { try next(.int32, 0) }
  public mutating func nextUInt32() throws(ReadError) -> UInt32 { try next(.uint32, 0) }
  public mutating func nextInt64() throws(ReadError) -> Int64 { try next(.int64, 0) }
  public mutating func nextUInt64() throws(ReadError) -> UInt64 { try next(.uint64, 0) }
  public mutating func nextDouble() throws(ReadError) -> Double { try next(.double, 0) }

  /// A descriptor, duplicated: it outlives the message. `nil` if there was none left to duplicate it to.
  public mutating func nextDescriptor() throws(ReadError) -> Descriptor? {
    let raw = try next(.descriptor, Int32(-1))
    return raw < 0 ? nil : Descriptor(owning: raw)
  }

  /// An array of bytes, in place.
  public mutating func nextBytes() throws(ReadError) -> UnsafeRawBufferPointer {
    var inner = try nextArray(of: .byte)
    var count: Int32 = 0
    let bytes = cdbus_get_bytes(&inner.iterator, &count)
    return UnsafeRawBufferPointer(start: bytes, count: bytes == nil ? 0 : Int(count))
  }

  // MARK: Containers: a reader of the inside; this one goes on behind it

  /// The elements of an array, which must be of that type (a dictionary's: `.entry`), even if there are none.
  public mutating func nextArray(of element: WireType) throws(ReadError) -> MessageReader {
    try expect(.array)
    let found = WireType(rawValue: UInt8(truncatingIfNeeded: dbus_message_iter_get_element_type(&iterator)))
    if found != element { throw error(.type(expected: element, found: found)) }
    return try enter()
  }
  /// The elements of an array of any type.
  public mutating func nextArray() throws(ReadError) -> MessageReader { try nextContainer(.array) }
  /// The fields of a struct.
  public mutating func nextStruct() throws(ReadError) -> MessageReader { try nextContainer(.structure) }
  /// Key and value of an entry of a dictionary.
  public mutating func nextEntry() throws(ReadError) -> MessageReader { try nextContainer(.entry) }
  /// The one value of a variant.
  public mutating func nextVariant() throws(ReadError) -> MessageReader { try nextContainer(.variant) }

  /// The number of elements of the array that is next; 0 if that is none. Takes time by that number.
  public var count: Int {
    mutating get { type == .array ? Int(dbus_message_iter_get_element_count(&iterator)) : 0 }
  }

  // MARK: Steps

  private mutating func nextText(_ expected: WireType) throws(ReadError) -> UnsafeRawBufferPointer {
    try expect(expected)
    guard let text = cdbus_get_text(&iterator) else { throw error(.type(expected: expected, found: .end)) }
    advance()
    return UnsafeRawBufferPointer(start: text, count: strlen(text))
  }

  private mutating func next<Value: BitwiseCopyable>(
    _ expected: WireType, _ zero: Value
  ) throws(ReadError) -> Value {
    try expect(expected)
    var value = zero
    dbus_message_iter_get_basic(&iterator, &value)
    advance()
    return value
  }

  private mutating func nextContainer(_ expected: WireType) throws(ReadError) -> MessageReader {
    try expect(expected)
    return try enter()
  }

  private mutating func enter() throws(ReadError) -> MessageReader {
    if depth >= Self.maximumDepth { throw error(.tooDeep) }
    var inside = DBusMessageIter()
    dbus_message_iter_recurse(&iterator, &inside)
    let inner = MessageReader(inside, inside: self)
    advance()
    return inner
  }

  @inline(__always)
  private mutating func expect(_ expected: WireType) throws(ReadError) {
    let found = type
    if found != expected { throw error(.type(expected: expected, found: found)) }
  }

  @inline(__always)
  private mutating func advance() {
    dbus_message_iter_next(&iterator)
    index = index &+ 1
  }

  private func error(_ kind: ReadError.Kind) -> ReadError {
    ReadError(kind: kind, trail: trail, depth: depth, index: index)
  }
}
