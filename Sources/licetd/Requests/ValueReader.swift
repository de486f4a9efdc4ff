// A D-Bus value -> a value of the evaluator, as its attribute's declared type wants it. Texts and bytes stay in the
// message; lists and maps are built in memory that lasts for one request.

import Bus
import Decision
import PolicyImage

/// Memory of one request's lists and maps; emptied after each.
final class ValueScratch {
  private var blocks: [UnsafeMutablePointer<Value>] = []
  /// Whether there was a text or bytes of more than `DecisionPoint.textBytes`.
  var isTooLong = false

  func values(_ count: Int) -> UnsafeMutablePointer<Value> {
    let block = UnsafeMutablePointer<Value>.allocate(capacity: max(1, count))
    blocks.append(block)
    return block
  }

  func empty() {
    isTooLong = false
    guard !blocks.isEmpty else { return }
    for block in blocks { block.deallocate() }
    blocks.removeAll(keepingCapacity: true)
  }

  deinit { empty() }
}

struct ValueReader {
  let image: Image
  let scratch: ValueScratch

  /// The next value of `reader`, for the type whose descriptor is at `word`; nil: it doesn't fit. `Decision.accepts` has
  /// the last word about what is inside lists and maps.
  func value(_ reader: inout MessageReader, _ word: Int?) throws(ReadError) -> Value? {
    let kind = word.map { TypeKind(rawValue: image.types[$0] & 0xFF) ?? .dyn } ?? .dyn
    switch reader.type {
    case .variant:
      var inner = try reader.nextVariant()
      return try value(&inner, word)
    case .bool: return .bool(try reader.nextBool())
    case .byte: return unsigned(UInt64(try reader.nextByte()), kind)
    case .uint16: return unsigned(UInt64(try reader.nextUInt16()), kind)
    case .uint32: return unsigned(UInt64(try reader.nextUInt32()), kind)
    case .uint64: return unsigned(try reader.nextUInt64(), kind)
    case .int16: return signed(Int64(try reader.nextInt16()), kind)
    case .int32: return signed(Int64(try reader.nextInt32()), kind)
    case .int64: return signed(try reader.nextInt64(), kind)
    case .double: return .double(try reader.nextDouble())
    case .string: return text(try reader.nextString(), kind)
    case .objectPath: return text(try reader.nextObjectPath(), kind)
    case .signature: return text(try reader.nextSignature(), kind)
    case .array: return try array(&reader, kind, word)
    default:
      reader.skip()
      return nil
    }
  }

  private func signed(_ value: Int64, _ kind: TypeKind) -> Value? {
    switch kind {
    case .int, .dyn: .int(value)
    case .uint: value < 0 ? nil : .uint(UInt64(value))
    case .double: Double(exactly: value).map { .double($0) }
    case .timestamp: inRange(value) ? .timestamp(seconds: value, nanoseconds: 0) : nil
    case .duration: inRange(value) ? .duration(seconds: value, nanoseconds: 0) : nil
    default: nil
    }
  }

  /// Seconds of the years 1 to 9999, and of durations as long (CEL spec, timestamps).
  private func inRange(_ seconds: Int64) -> Bool { (-62_135_596_800...253_402_300_799).contains(seconds) }

  private func unsigned(_ value: UInt64, _ kind: TypeKind) -> Value? {
    if kind == .uint { return .uint(value) }
    if kind == .double { return Double(exactly: value).map { .double($0) } }
    if let small = Int64(exactly: value) { return signed(small, kind) }
    return kind == .dyn ? .uint(value) : nil
  }

  private func bytes(_ bytes: UnsafeRawBufferPointer) -> Value? {
    guard bytes.count <= DecisionPoint.textBytes else {
      scratch.isTooLong = true
      return nil
    }
    return .bytes(bytes)
  }

  private func text(_ bytes: UnsafeRawBufferPointer, _ kind: TypeKind) -> Value? {
    guard bytes.count <= DecisionPoint.textBytes else {
      scratch.isTooLong = true
      return nil
    }
    return switch kind {
    case .timestamp: parseTimestamp(bytes).map { .timestamp(seconds: $0.seconds, nanoseconds: $0.nanoseconds) }
    case .duration: parseDuration(bytes).map { .duration(seconds: $0.seconds, nanoseconds: $0.nanoseconds) }
    default: .string(bytes)
    }
  }

  private func array(_ reader: inout MessageReader, _ kind: TypeKind, _ word: Int?) throws(ReadError) -> Value? {
    var behind = reader
    var inner = try behind.nextArray()
    if inner.type == .byte, kind == .bytes || kind == .dyn { return bytes(try reader.nextBytes()) }
    let count = reader.count
    reader = behind
    if inner.type != .entry, kind == .map, count > 0 { return nil }
    if inner.type == .entry || kind == .map { return try map(&inner, count, kind == .map ? word.map { $0 + 1 } : nil) }
    if kind == .bytes, count == 0 { return .bytes(UnsafeRawBufferPointer(start: nil, count: 0)) }
    let elements = scratch.values(count)
    var filled = 0
    while !inner.atEnd, filled < count {
      guard let element = try value(&inner, kind == .list ? word.map { $0 + 1 } : nil) else { return nil }
      elements[filled] = element
      filled += 1
    }
    return .list(UnsafeBufferPointer(start: elements, count: filled))
  }

  /// Keys and values in turn. `word`: the key's descriptor, or none.
  private func map(_ inner: inout MessageReader, _ count: Int, _ word: Int?) throws(ReadError) -> Value? {
    let pairs = scratch.values(count * 2)
    var filled = 0
    var valueWord: Int?
    if let word { valueWord = word + width(word) }
    while !inner.atEnd, filled < count {
      var entry = try inner.nextEntry()
      guard let key = try value(&entry, word), let content = try value(&entry, valueWord) else { return nil }
      pairs[filled * 2] = key
      pairs[filled * 2 + 1] = content
      filled += 1
    }
    return .map(UnsafeBufferPointer(start: pairs, count: filled * 2))
  }

  /// Words of a key's descriptor: keys are plain.
  private func width(_ word: Int) -> Int {
    let descriptor = image.types[word]
    return TypeKind(rawValue: descriptor & 0xFF) == .enumeration ? 1 + Int(descriptor >> 8) : 1
  }
}
