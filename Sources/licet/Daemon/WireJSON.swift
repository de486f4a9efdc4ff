// D-Bus values <-> JSON: integers stay integers, dictionaries are objects, what JSON lacks is refused.

import Bus

extension [JSON] {
  /// A message's arguments.
  init(arguments message: Message) throws(ReadError) {
    self = []
    var reader = message.reader
    while !reader.atEnd { append(try JSON(&reader)) }
  }
}

extension JSON {
  /// The next value; a variant is what it holds.
  init(_ reader: inout MessageReader) throws(ReadError) {
    switch reader.type {
    case .bool: self = .bool(try reader.nextBool())
    case .byte: self = .int(Int64(try reader.nextByte()))
    case .int16: self = .int(Int64(try reader.nextInt16()))
    case .uint16: self = .int(Int64(try reader.nextUInt16()))
    case .int32: self = .int(Int64(try reader.nextInt32()))
    case .uint32: self = .int(Int64(try reader.nextUInt32()))
    case .int64: self = .int(try reader.nextInt64())
    case .uint64:
      let value = try reader.nextUInt64()
      self = Int64(exactly: value).map(JSON.int) ?? .uint(value)
    case .double: self = .double(try reader.nextDouble())
    case .string: self = .string(try reader.nextSwiftString())
    case .objectPath: self = .string(String(decoding: try reader.nextObjectPath(), as: UTF8.self))
    case .signature: self = .string(String(decoding: try reader.nextSignature(), as: UTF8.self))
    case .variant:
      var inner = try reader.nextVariant()
      self = try JSON(&inner)
    case .structure:
      var inner = try reader.nextStruct()
      self = .array(try JSON.all(&inner))
    default: self = try JSON(array: &reader)
    }
  }

  private init(array reader: inout MessageReader) throws(ReadError) {
    let isDictionary = reader.signature.hasPrefix("a{")
    var inner = try reader.nextArray()
    guard isDictionary else {
      self = .array(try JSON.all(&inner))
      return
    }
    var members: [Member] = []
    while !inner.atEnd {
      var entry = try inner.nextEntry()
      let key = try JSON(&entry)
      let value = try JSON(&entry)
      if case .string(let name) = key {
        members.append(Member(key: name, value: value))
      } else {
        members.append(Member(key: key.compact, value: value))
      }
    }
    self = .object(members)
  }

  private static func all(_ reader: inout MessageReader) throws(ReadError) -> [JSON] {
    var items: [JSON] = []
    while !reader.atEnd { items.append(try JSON(&reader)) }
    return items
  }

  // MARK: out

  /// Whether D-Bus can carry it: it has no null.
  var isWritable: Bool {
    switch self {
    case .null: false
    case .array(let items): items.allSatisfy(\.isWritable)
    case .object(let members): members.allSatisfy(\.value.isWritable)
    default: true
    }
  }

  /// Writes it as a variant. Lists are `av`, objects `a{sv}`, whole numbers `x`, beyond that `t`.
  func writeVariant(_ writer: inout MessageWriter) {
    switch self {
    case .null: writer.variant("s") { $0.append("") }
    case .bool(let value): writer.variant("b") { $0.append(value) }
    case .int(let value): writer.variant("x") { $0.append(value) }
    case .uint(let value): writer.variant("t") { $0.append(value) }
    case .double(let value): writer.variant("d") { $0.append(value) }
    case .string(let value): writer.variant("s") { $0.append(value) }
    case .array(let items):
      writer.variant("av") { list in
        list.array("v") { inner in for item in items { item.writeVariant(&inner) } }
      }
    case .object(let members): writer.variant("a{sv}") { JSON.write(members, &$0) }
    }
  }

  /// An `a{sv}`.
  static func write(_ members: [Member], _ writer: inout MessageWriter) {
    writer.array("{sv}") { dictionary in
      for member in members {
        var entry = dictionary.openEntry()
        entry.append(member.key)
        member.value.writeVariant(&entry)
        dictionary.close(&entry)
      }
    }
  }

  // MARK: reading what came

  var text: String? { if case .string(let text) = self { text } else { nil } }
  var number: Int64? { if case .int(let number) = self { number } else { nil } }
  var isTrue: Bool { self == .bool(true) }
  var items: [JSON] { if case .array(let items) = self { items } else { [] } }
  var texts: [String] { items.compactMap(\.text) }
}
