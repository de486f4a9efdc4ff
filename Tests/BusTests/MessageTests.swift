// Reading and writing: round trips, errors that say where, hostile nesting, mutated bytes.

@testable import Bus
import CDBus
import System
import TestKit
import Testing

@Suite struct MessageTests {
  private func message() -> Message { Message(call: "M", of: "org.example.I", at: "/", to: nil) }

  @Test func roundTrip() throws {
    let message = rich()
    #expect(message.signature == "sbyuixtdoasaya{sv}(sv)a(asa{sv})")
    var reader = message.reader
    #expect(try reader.nextSwiftString() == "text")
    #expect(try reader.nextBool())
    #expect(try reader.nextByte() == 255)
    #expect(try reader.nextUInt32() == .max)
    #expect(try reader.nextInt32() == .min)
    #expect(try reader.nextInt64() == .min)
    #expect(try reader.nextUInt64() == .max)
    #expect(try reader.nextDouble() == 0.5)
    #expect(String(decoding: try reader.nextObjectPath(), as: UTF8.self) == "/a/b")
    let count = reader.count
    #expect(count == 2)
    var texts = try reader.nextArray(of: .string)
    #expect(try texts.nextSwiftString() == "one")
    #expect(try texts.nextSwiftString() == "")
    try texts.finish()
    #expect(Array(try reader.nextBytes()) == [1, 2, 3])
    var entries = try reader.nextArray(of: .entry)
    var entry = try entries.nextEntry()
    #expect(try entry.nextSwiftString() == "number")
    var value = try entry.nextVariant()
    #expect(try value.nextUInt64() == 7)
    var fields = try reader.nextStruct()
    fields.skip()
    var inner = try fields.nextVariant()
    let signature = inner.signature
    #expect(signature == "as")
    var strings = try inner.nextArray()
    #expect(try strings.nextSwiftString() == "deep")
    let requests = try reader.nextArray(of: .structure)
    try requests.finish()
    try reader.finish()
    let end = reader.type
    #expect(end == .end)
    reader.skip()
    try reader.finish()
  }

  private func rich() -> Message {
    message().with { writer in
      writer.append("text")
      writer.append(true)
      writer.append(byte: 255)
      writer.append(UInt32.max)
      writer.append(Int32.min)
      writer.append(Int64.min)
      writer.append(UInt64.max)
      writer.append(0.5)
      writer.append(objectPath: "/a/b")
      writer.append(["one", ""])
      [UInt8]([1, 2, 3]).withUnsafeBytes { writer.append(bytes: $0) }
      writer.array("{sv}") { $0.entry("number", UInt64(7)) }
      writer.structure { inner in
        inner.append("field")
        inner.variant("as") { $0.append(["deep"]) }
      }
      writer.array("(asa{sv})") { _ in }
    }
  }

  @Test func whatATextCannotCarryIsReplaced() throws {
    let message = message().with { writer in
      writer.append("a\0b" as String)
      [UInt8]([0x61, 0xff, 0x62]).withUnsafeBytes { writer.append($0) }
      [UInt8]([0x61, 0, 0x62]).withUnsafeBytes { writer.append($0) }
      [UInt8]([0xed, 0xa0, 0x80]).withUnsafeBytes { writer.append($0) }
      writer.append(UnsafeRawBufferPointer(start: nil, count: 0))
      [UInt8]("hé".utf8).withUnsafeBytes { writer.append($0) }
    }
    var reader = message.reader
    #expect(try reader.nextSwiftString() == "a\u{fffd}b")
    #expect(try reader.nextSwiftString() == "a\u{fffd}b")
    #expect(try reader.nextSwiftString() == "a\u{fffd}b")
    #expect(try reader.nextSwiftString().allSatisfy { $0 == "\u{fffd}" })
    #expect(try reader.nextSwiftString() == "")
    #expect(try reader.nextSwiftString() == "hé")
  }

  @Test func errorsSayWhere() throws {
    let message = message().with { writer in
      writer.append("x")
      writer.array("(sv)") { array in
        for number in 0..<3 {
          array.structure { fields in
            fields.append("key")
            fields.variant("u") { $0.append(UInt32(number)) }
          }
        }
      }
    }
    var error: ReadError?
    do throws(ReadError) {
      var reader = message.reader
      reader.skip()
      var array = try reader.nextArray(of: .structure)
      array.skip()
      array.skip()
      var fields = try array.nextStruct()
      fields.skip()
      var value = try fields.nextVariant()
      _ = try value.nextString()
    } catch {
      #expect(error.positions == [1, 2, 1, 0])
      #expect(error.kind == .type(expected: .string, found: .uint32))
      #expect(error.description == "argument 2.3.2.1: expected type s, found type u")
    }
    do throws(ReadError) {
      var reader = message.reader
      _ = try reader.nextString()
      _ = try reader.nextArray(of: .string)
    } catch let caught {
      error = caught
    }
    #expect(error?.kind == .type(expected: .string, found: .structure))
    var empty = self.message().reader
    #expect(throws: ReadError.self) { try empty.nextString() }
    let trailing = message.reader
    #expect(throws: ReadError.self) { try trailing.finish() }
  }

  @Test(arguments: [1, 31, 32, 33, 60])
  func nestingIsBounded(depth: Int) throws {
    let sample = try Sample()
    let reply = try sample.call("Depth") { nest(&$0, depth) }
    if depth <= MessageReader.maximumDepth {
      var reader = reply.reader
      #expect(try reader.nextUInt32() == UInt32(depth))
    } else {
      #expect(reply.errorName == ErrorName.invalidArgs && reply.errorText.contains("nested"))
    }
    #expect(sample.server.isOpen)
  }

  private func nest(_ writer: inout MessageWriter, _ depth: Int) {
    if depth == 0 { return writer.append("bottom") }
    writer.variant(depth == 1 ? "s" : "v") { nest(&$0, depth - 1) }
  }

  @Test func lengthsAreThoseOfTheWire() throws {
    let message = rich()
    dbus_message_set_serial(message.raw, 1)
    let whole = try marshalled(message)
    // Bytes 4...7 of the header: the body's length, with the padding that bodyLength leaves out.
    let body = whole[4..<8].reversed().reduce(0) { $0 << 8 | Int($1) }
    #expect(abs(body - message.bodyLength) < 8 * 20)
    let long = self.message().with { $0.append(String(repeating: "x", count: 100_000)) }
    #expect(long.bodyLength == 100_005)
    #expect(self.message().bodyLength == 0)
  }

  /// Readers of messages that nobody else holds: their memory is not given to the next message.
  @Test func aReaderHoldsItsMessage() throws {
    var readers: [MessageReader] = []
    for i in 0..<200 {
      var list = message().with { $0.array("s") { $0.append("text \(i)") } }.reader
      readers.append(try list.nextArray(of: .string))
    }
    for i in 0..<200 { #expect(try readers[i].nextSwiftString() == "text \(i)") }
  }

  private func marshalled(_ message: Message) throws -> [UInt8] {
    dbus_message_set_serial(message.raw, 1)
    var bytes: UnsafeMutablePointer<CChar>?
    var count: Int32 = 0
    try #require(dbus_message_marshal(message.raw, &bytes, &count) != 0)
    defer { dbus_free(bytes) }
    return Array(UnsafeRawBufferPointer(start: bytes, count: Int(count)))
  }

  /// Big-endian, written by hand: `su` with "hey" and 258.
  @Test func theOtherByteOrderIsRead() throws {
    let fields: [UInt8] = [
      1, 1, 0x6f, 0, 0, 0, 0, 1, 0x2f, 0, 0, 0, 0, 0, 0, 0,  // path "/"
      3, 1, 0x73, 0, 0, 0, 0, 1, 0x4d, 0, 0, 0, 0, 0, 0, 0,  // member "M"
      8, 1, 0x67, 0, 2, 0x73, 0x75, 0,  // signature "su"
    ]
    let body: [UInt8] = [0, 0, 0, 3, 0x68, 0x65, 0x79, 0, 0, 0, 1, 2]
    let header: [UInt8] = [0x42, 1, 0, 1, 0, 0, 0, 12, 0, 0, 0, 1, 0, 0, 0, UInt8(fields.count)]
    let message = try #require(Message(wire: header + fields + body))
    #expect(MessageWalk.text(message.reader) == "s:1hey u:1258 ")
  }

  /// What isn't there is not read: no byte behind a container, no deeper than the bounds.
  @Test(
    arguments: [
      ("s", [4, 0, 0, 0, 0x61]), ("s", [1, 0, 0, 0, 0x61, 0x62]), ("at", [16, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0]),
      ("au", [3, 0, 0, 0, 1, 2, 3]), ("v", [1, 0x73]), ("v", [0, 0, 0, 0]), ("v", [2, 0x73, 0x73, 0, 0, 0]), ("x", [1]),
      ("(yu)", [1, 0, 0, 0, 1]), ("g", [9, 0x73, 0]), ("as", [4, 0, 0, 0, 9, 0, 0, 0]),
    ] as [(String, [UInt8])])
  func whatDoesntFitIsMalformed(signature: String, bytes: [UInt8]) {
    #expect(MessageWalk.text(MessageReader(bytes: bytes, signature: Array(signature.utf8))).hasSuffix("malformed"))
  }

  @Test(arguments: ["a", "(", "()", "{sv}", "a{vs", "z", "s)", "a{s}", "a{svs}"]) func noSignature(_ text: String) {
    let reader = MessageReader(bytes: Array(repeating: 0, count: 64), signature: Array(text.utf8))
    #expect(MessageWalk.text(reader) == "")
  }

  /// Whatever libdbus lets through, the reader reads as libdbus does; whatever it doesn't, the reader survives.
  @Test func mutatedBytesAreRead() throws {
    var generator = Generator(state: 0x1ce7)
    let deep = message().with { nest(&$0, 40) }
    var accepted = 0
    for source in [rich(), deep] {
      let sound = try marshalled(source)
      let signature = Array(source.signature.utf8)
      for _ in 0..<15_000 {
        var bytes = sound
        for _ in 0..<Int.random(in: 1...4, using: &generator) {
          bytes[Int.random(in: 0..<bytes.count, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
        }
        if let message = Message(wire: bytes) {
          accepted += 1
          _ = Credentials(reading: message)
          #expect(message.bodyLength <= 2 * bytes.count)
        }
        #expect(FuzzTarget.message.complaint(about: bytes) == nil)
        let body = Array(bytes[(bytes.count - source.bodyLength)...])
        #expect(FuzzTarget.message.complaint(about: [UInt8(signature.count)] + signature + body) == nil)
      }
    }
    #expect(accepted > 1000)
  }
}

/// splitmix64: the same bytes each run.
private struct Generator: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var value = state
    value = (value ^ (value >> 30)) &* 0xbf58_476d_1ce4_e5b9
    value = (value ^ (value >> 27)) &* 0x94d0_49bb_1331_11eb
    return value ^ (value >> 31)
  }
}
