// Reads a message's arguments in place: the hot path. No allocation, no String: a text is a pointer into the message.
// Every step checks the type of what is there and that it lies within its container, so nothing makes it trap: neither
// a message that libdbus delivers nor any other bytes.

/// A cursor over the values of one container, or of a message's arguments. A value type: a copy goes its own way.
///
/// Holds the arguments' bytes; the texts and bytes that it gives live as long as the message isn't written to and it or
/// any reader of it lives. Wire format: D-Bus specification, "Type System" and "Marshaling".
public struct MessageReader {
  /// Containers within each other, a variant being one. libdbus itself accepts 64.
  public static var maximumDepth: Int { 32 }
  /// What is passed over may be deeper.
  private static var skippedDepth: Int { 128 }

  private let body: MessageBody
  /// Where the next value starts, but for its padding.
  private var at: Int
  /// An array's end; of another container only a bound.
  private let limit: Int
  /// The next value's type, and the end of the container's: for an array, of its one element type. A valid signature.
  private var types: UnsafePointer<UInt8>
  private let typesEnd: UnsafePointer<UInt8>
  private let isArray: Bool
  private var depth: UInt8 = 0
  private var index: UInt32 = 0
  private var trail: UInt64 = 0

  init(_ body: MessageBody) {
    self.body = body
    at = 0
    limit = body.bytes.count
    // An empty buffer has no address of its own: none is read then.
    let start = body.signature.baseAddress ?? UnsafeRawPointer(Unmanaged.passUnretained(body).toOpaque())
    types = start.assumingMemoryBound(to: UInt8.self)
    typesEnd = Signature.isValid(types, types + body.signature.count) ? types + body.signature.count : types
    isArray = false
  }

  /// Reads bytes of any origin, copied, which libdbus has not seen: for tests and fuzzers.
  public init(bytes: [UInt8], signature: [UInt8]) { self.init(MessageBody(bytes: bytes, signature: signature)) }

  private init(
    inside outer: borrowing MessageReader, at: Int, limit: Int, types: UnsafePointer<UInt8>,
    end: UnsafePointer<UInt8>, isArray: Bool
  ) {
    (self.at, self.limit, self.types, typesEnd, self.isArray) = (at, limit, types, end, isArray)
    body = outer.body
    depth = outer.depth &+ 1
    trail = outer.trail
    if outer.depth < 4 { trail |= UInt64(min(outer.index, 0xffff)) << (UInt64(outer.depth) &* 16) }
  }

  /// The type of the next value; `.end` if there is none.
  public var type: WireType { atEnd ? .end : Signature.type(types) }

  public var atEnd: Bool { isArray ? at >= limit : types >= typesEnd }

  /// Passes over the next value, if any.
  public mutating func skip() {
    guard !atEnd else { return }
    do throws(Malformed) {
      at = try end(ofValueAt: at, types, Self.skippedDepth)
      step()
    } catch {
      finishEarly()
    }
  }

  /// - Throws: `.trailing` if there are more values.
  public func finish() throws(ReadError) {
    if !atEnd { throw error(.trailing(found: type)) }
  }

  /// The signature of the next value, for error messages: allocates.
  public var signature: String {
    if atEnd { return "" }
    return String(decoding: UnsafeBufferPointer(start: types, count: Signature.next(types) - types), as: UTF8.self)
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

  public mutating func nextByte() throws(ReadError) -> UInt8 { try next(.byte) }
  public mutating func nextBool() throws(ReadError) -> Bool { try next(.bool, as: UInt32.self) != 0 }
  public mutating func nextInt16() throws(ReadError) -> Int16 { try next(.int16) }
  public mutating func nextUInt16() throws(ReadError) -> UInt16 { try next(.uint16) }
  public mutating func nextInt32() throws(ReadError) -> Int32 { try next(.int32) }
  public mutating func nextUInt32() throws(ReadError) -> UInt32 { try next(.uint32) }
  public mutating func nextInt64() throws(ReadError) -> Int64 { try next(.int64) }
  public mutating func nextUInt64() throws(ReadError) -> UInt64 { try next(.uint64) }
  public mutating func nextDouble() throws(ReadError) -> Double { try next(.double) }

  /// An array of bytes, in place.
  public mutating func nextBytes() throws(ReadError) -> UnsafeRawBufferPointer {
    let inner = try nextArray(of: .byte)
    return UnsafeRawBufferPointer(rebasing: body.bytes[inner.at..<inner.limit])
  }

  // MARK: Containers: a reader of the inside; this one goes on behind it

  /// The elements of an array, which must be of that type (a dictionary's: `.entry`), even if there are none.
  public mutating func nextArray(of element: WireType) throws(ReadError) -> MessageReader {
    try expect(.array)
    let found = Signature.type(types + 1)
    if found != element { throw error(.type(expected: element, found: found)) }
    return try enterArray()
  }
  /// The elements of an array of any type.
  public mutating func nextArray() throws(ReadError) -> MessageReader {
    try expect(.array)
    return try enterArray()
  }
  /// The fields of a struct.
  public mutating func nextStruct() throws(ReadError) -> MessageReader { try enterFields(.structure) }
  /// Key and value of an entry of a dictionary.
  public mutating func nextEntry() throws(ReadError) -> MessageReader { try enterFields(.entry) }
  /// The one value of a variant.
  public mutating func nextVariant() throws(ReadError) -> MessageReader {
    try expect(.variant)
    try checkDepth()
    return try reading { reader throws(Malformed) in
      let (start, types, typesEnd) = try reader.variant(at: reader.at)
      let inner = MessageReader(
        inside: reader, at: start, limit: reader.limit, types: types, end: typesEnd, isArray: false)
      reader.at = try reader.end(ofValueAt: start, types, Self.skippedDepth)
      reader.step()
      return inner
    }
  }

  /// The number of elements of the array that is next; 0 if that is none. Takes time by that number.
  public var count: Int {
    var copy = self
    guard var inner = try? copy.nextArray() else { return 0 }
    if let size = Signature.size(inner.type) { return (inner.limit - inner.at) / size }
    var count = 0
    while !inner.atEnd {
      inner.skip()
      count += 1
    }
    return count
  }

  // MARK: Steps

  /// The bytes aren't what the signature says. libdbus lets no such message through.
  private struct Malformed: Error {}

  private mutating func nextText(_ expected: WireType) throws(ReadError) -> UnsafeRawBufferPointer {
    try expect(expected)
    return try reading { reader throws(Malformed) in
      let text = try reader.text(at: reader.at, expected)
      reader.at = text.end
      reader.step()
      return UnsafeRawBufferPointer(rebasing: reader.body.bytes[text.start..<text.end - 1])
    }
  }

  @inline(__always)
  private mutating func next<Value: BitwiseCopyable>(
    _ expected: WireType, as: Value.Type = Value.self
  ) throws(ReadError) -> Value {
    try expect(expected)
    return try reading { reader throws(Malformed) in
      let value = try reader.load(Value.self, at: &reader.at)
      reader.step()
      return value
    }
  }

  private mutating func enterArray() throws(ReadError) -> MessageReader {
    try checkDepth()
    return try reading { reader throws(Malformed) in
      let elements = try reader.array(at: reader.at, reader.types + 1)
      let inner = MessageReader(
        inside: reader, at: elements.lowerBound, limit: elements.upperBound, types: reader.types + 1,
        end: Signature.next(reader.types), isArray: true)
      reader.at = elements.upperBound
      reader.step()
      return inner
    }
  }

  private mutating func enterFields(_ expected: WireType) throws(ReadError) -> MessageReader {
    try expect(expected)
    try checkDepth()
    return try reading { reader throws(Malformed) in
      let inner = MessageReader(
        inside: reader, at: Self.aligned(reader.at, 8), limit: reader.limit, types: reader.types + 1,
        end: Signature.next(reader.types) - 1, isArray: false)
      reader.at = try reader.end(ofValueAt: reader.at, reader.types, Self.skippedDepth)
      reader.step()
      return inner
    }
  }

  /// Behind the value that `at` has passed.
  @inline(__always)
  private mutating func step() {
    if !isArray { types = Signature.next(types) }
    index = index &+ 1
  }

  private mutating func finishEarly() {
    at = limit
    types = typesEnd
  }

  @inline(__always)
  private mutating func reading<T>(
    _ body: (inout MessageReader) throws(Malformed) -> T
  ) throws(ReadError) -> T {
    do throws(Malformed) { return try body(&self) } catch {
      let error = self.error(.malformed)
      finishEarly()
      throw error
    }
  }

  @inline(__always)
  private func expect(_ expected: WireType) throws(ReadError) {
    let found = type
    if found != expected { throw error(.type(expected: expected, found: found)) }
  }

  @inline(__always)
  private func checkDepth() throws(ReadError) {
    if depth >= Self.maximumDepth { throw error(.tooDeep) }
  }

  private func error(_ kind: ReadError.Kind) -> ReadError {
    ReadError(kind: kind, trail: trail, depth: depth, index: index)
  }

  // MARK: The wire format. Positions count from the body's start.

  @inline(__always)
  private static func aligned(_ at: Int, _ alignment: Int) -> Int { (at + alignment - 1) & ~(alignment - 1) }

  @inline(__always)
  private func load<Value: BitwiseCopyable>(_: Value.Type, at: inout Int) throws(Malformed) -> Value {
    let start = Self.aligned(at, MemoryLayout<Value>.size)
    guard start + MemoryLayout<Value>.size <= limit else { throw Malformed() }
    at = start + MemoryLayout<Value>.size
    return body.bytes.loadUnaligned(fromByteOffset: start, as: Value.self)
  }

  /// A text's first byte and what follows its zero.
  @inline(__always)
  private func text(at: Int, _ type: WireType) throws(Malformed) -> (start: Int, end: Int) {
    var start = at
    let count = type == .signature ? Int(try load(UInt8.self, at: &start)) : Int(try load(UInt32.self, at: &start))
    guard count < limit - start, body.bytes[start + count] == 0 else { throw Malformed() }
    return (start, start + count + 1)
  }

  /// An array's elements, whose type is at `element`.
  @inline(__always)
  private func array(at: Int, _ element: UnsafePointer<UInt8>) throws(Malformed) -> Range<Int> {
    var start = at
    let count = Int(try load(UInt32.self, at: &start))
    start = Self.aligned(start, Signature.alignment(Signature.type(element)))
    guard start <= limit, count <= limit - start else { throw Malformed() }
    return start..<start + count
  }

  /// A variant's value, and its type, of which there must be one.
  private func variant(
    at: Int
  ) throws(Malformed) -> (value: Int, types: UnsafePointer<UInt8>, end: UnsafePointer<UInt8>) {
    let text = try text(at: at, .signature)
    guard let base = body.bytes.baseAddress, text.end - 1 > text.start else { throw Malformed() }
    let types = (base + text.start).assumingMemoryBound(to: UInt8.self)
    let end = types + (text.end - 1 - text.start)
    guard Signature.completeType(types, end) == end else { throw Malformed() }
    return (text.end, types, end)
  }

  /// Behind the value at `at`, whose type is at `type`.
  private func end(ofValueAt at: Int, _ type: UnsafePointer<UInt8>, _ depth: Int) throws(Malformed) -> Int {
    guard depth > 0 else { throw Malformed() }
    switch Signature.type(type) {
    case .string, .objectPath: return try text(at: at, .string).end
    case .signature: return try text(at: at, .signature).end
    case .array: return try array(at: at, type + 1).upperBound
    case .variant:
      let (value, types, _) = try variant(at: at)
      return try end(ofValueAt: value, types, depth - 1)
    case .structure, .entry:
      var end = Self.aligned(at, 8)
      var field = type + 1
      let last = Signature.next(type) - 1
      while field < last {
        end = try self.end(ofValueAt: end, field, depth - 1)
        field = Signature.next(field)
      }
      return end
    case let other:
      guard let size = Signature.size(other) else { throw Malformed() }
      let end = Self.aligned(at, size) + size
      guard end <= limit else { throw Malformed() }
      return end
    }
  }
}
