// A message written down value by value, once by licetd's reader and once by libdbus' own iterators: they must say the same.

public import Bus
internal import CDBus

public enum MessageWalk {
  /// Types and values in order, containers in brackets. A value nested deeper than the reader goes ends it with "deep".
  public static func text(_ start: MessageReader) -> String {
    var text = ""
    do throws(ReadError) { try walk(start, &text) } catch { text += "\(error.kind)" }
    return text
  }

  private static func walk(_ start: MessageReader, _ text: inout String) throws(ReadError) {
    var reader = start
    while !reader.atEnd {
      let type = reader.type
      text += "\(Character(Unicode.Scalar(type.rawValue))):\(reader.signature.utf8.count)"
      var passing = reader
      switch type {
      case .string: append(try reader.nextString(), &text)
      case .objectPath: append(try reader.nextObjectPath(), &text)
      case .signature: append(try reader.nextSignature(), &text)
      case .byte: text += "\(try reader.nextByte())"
      case .bool: text += "\(try reader.nextBool())"
      case .int16: text += "\(try reader.nextInt16())"
      case .uint16: text += "\(try reader.nextUInt16())"
      case .int32: text += "\(try reader.nextInt32())"
      case .uint32: text += "\(try reader.nextUInt32())"
      case .int64: text += "\(try reader.nextInt64())"
      case .uint64: text += "\(try reader.nextUInt64())"
      case .double: text += "\(try reader.nextDouble().bitPattern)"
      case .array:
        text += "\(reader.count)["
        try walk(try reader.nextArray(), &text)
        text += "]"
      case .structure: try inside(try reader.nextStruct(), &text)
      case .entry: try inside(try reader.nextEntry(), &text)
      case .variant: try inside(try reader.nextVariant(), &text)
      default: reader.skip()
      }
      text += " "
      // Passing over a value leads to where reading it does.
      passing.skip()
      if passing.type != reader.type || passing.signature != reader.signature { text += "skipped elsewhere" }
    }
  }

  private static func inside(_ reader: MessageReader, _ text: inout String) throws(ReadError) {
    text += "["
    try walk(reader, &text)
    text += "]"
  }

  private static func append(_ bytes: UnsafeRawBufferPointer, _ text: inout String) {
    text += String(decoding: bytes, as: UTF8.self)
  }

  /// The same by libdbus, of a message on the wire; nil: it is none.
  public static func reference(_ bytes: [UInt8]) -> String? {
    guard let message = demarshal(bytes) else { return nil }
    defer { dbus_message_unref(message) }
    var iterator = DBusMessageIter()
    var text = ""
    if dbus_message_iter_init(message, &iterator) != 0 { try? walk(&iterator, 0, &text) }
    return text
  }

  private static func demarshal(_ bytes: [UInt8]) -> OpaquePointer? {
    bytes.withUnsafeBytes { buffer in
      dbus_message_demarshal(buffer.baseAddress?.assumingMemoryBound(to: CChar.self), Int32(buffer.count), nil)
    }
  }

  private struct TooDeep: Error {}

  private static func walk(_ iterator: inout DBusMessageIter, _ depth: Int, _ text: inout String) throws {
    while true {
      let type = WireType(rawValue: UInt8(truncatingIfNeeded: dbus_message_iter_get_arg_type(&iterator)))
      if type == .end { return }
      let signature = dbus_message_iter_get_signature(&iterator)
      defer { dbus_free(signature) }
      text += "\(Character(Unicode.Scalar(type.rawValue))):\(signature.map { strlen($0) } ?? 0)"
      switch type {
      case .string, .objectPath, .signature: text += String(cString: cdbus_get_text(&iterator))
      case .array, .structure, .entry, .variant:
        if type == .array { text += "\(dbus_message_iter_get_element_count(&iterator))" }
        if depth >= MessageReader.maximumDepth {
          text += "tooDeep"
          throw TooDeep()
        }
        var inner = DBusMessageIter()
        dbus_message_iter_recurse(&iterator, &inner)
        text += "["
        try walk(&inner, depth + 1, &text)
        text += "]"
      case .descriptor: break
      default: appendNumber(&iterator, type, &text)
      }
      text += " "
      dbus_message_iter_next(&iterator)
    }
  }

  private static func appendNumber(_ iterator: inout DBusMessageIter, _ type: WireType, _ text: inout String) {
    var value = DBusBasicValue()
    dbus_message_iter_get_basic(&iterator, &value)
    switch type {
    case .byte: text += "\(value.byt)"
    case .bool: text += "\(value.bool_val != 0)"
    case .int16: text += "\(value.i16)"
    case .uint16: text += "\(value.u16)"
    case .int32: text += "\(value.i32)"
    case .uint32: text += "\(value.u32)"
    case .int64: text += "\(value.i64)"
    case .uint64: text += "\(value.u64)"
    default: text += "\(value.dbl.bitPattern)"
    }
  }
}

enum MessageFuzz {
  /// A message of the bus, which licetd's reader must read as libdbus does; and, whatever the bytes are, a signature of as
  /// many bytes as the first one says, and arguments.
  static func complaint(_ bytes: [UInt8]) -> String? {
    if let first = bytes.first {
      let count = min(Int(first), bytes.count - 1)
      let reader = MessageReader(bytes: Array(bytes[(count + 1)...]), signature: Array(bytes[1..<count + 1]))
      if MessageWalk.text(reader).contains("elsewhere") { return "passing over leads elsewhere than reading" }
    }
    guard let message = Message(wire: bytes), let reference = MessageWalk.reference(bytes) else { return nil }
    let text = MessageWalk.text(message.reader)
    if text != reference { return "read \(text), not \(reference)" }
    _ = (message.kind, message.sender, message.errorText, message.signature, message.path, message.member)
    return nil
  }
}
