// A generated request as the library takes it, and as the bus does.

import Bus
import Foundation
import LicetHeader
import Oracle
import PolicyImage

/// Memory behind borrowed values; lives as long as this.
final class Lent {
  private var blocks: [UnsafeMutableRawPointer] = []

  deinit { for block in blocks { block.deallocate() } }

  func text(_ text: String) -> licet_text {
    let bytes = Array(text.utf8)
    return licet_text(bytes: copy(bytes).assumingMemoryBound(to: CChar.self), length: bytes.count)
  }

  private func copy(_ bytes: [UInt8]) -> UnsafeMutableRawPointer {
    let block = UnsafeMutableRawPointer.allocate(byteCount: max(1, bytes.count), alignment: 1)
    blocks.append(block)
    bytes.withUnsafeBytes { if let base = $0.baseAddress { block.copyMemory(from: base, byteCount: bytes.count) } }
    return block
  }

  private func values(_ values: [licet_value]) -> UnsafePointer<licet_value> {
    let block = UnsafeMutablePointer<licet_value>.allocate(capacity: max(1, values.count))
    block.initialize(from: values, count: values.count)
    blocks.append(UnsafeMutableRawPointer(block))
    return UnsafePointer(block)
  }

  func value(_ value: OracleValue) -> licet_value {
    switch value {
    case .null, .type, .optional: return licet_null()
    case .bool(let it): return licet_bool(it ? 1 : 0)
    case .int(let it): return licet_int(it)
    case .uint(let it): return licet_uint(it)
    case .double(let it): return licet_double(it)
    case .string(let it):
      let text = text(String(String.UnicodeScalarView(it)))
      return licet_string(text.bytes, text.length)
    case .bytes(let it): return licet_bytes(copy(it), it.count)
    case .list(let it): return licet_list(values(it.map { self.value($0) }), it.count)
    case .map(let it):
      return licet_map(values(it.flatMap { [self.value($0.key), self.value($0.value)] }), it.count)
    case .timestamp(let seconds, let nanoseconds): return licet_timestamp(seconds, Int32(nanoseconds))
    case .duration(let it): return licet_duration(it / 1_000_000_000, Int32(it % 1_000_000_000))
    }
  }
}

extension OracleValue {
  /// Whether the bus has such a value: it has no null.
  var isOnBus: Bool {
    switch self {
    case .null, .type, .optional: false
    case .list(let it): it.allSatisfy(\.isOnBus)
    case .map(let it): it.allSatisfy { $0.key.isOnBus && $0.value.isOnBus }
    default: true
    }
  }

  /// D-Bus' own type; times are texts there.
  private var signature: String {
    switch self {
    case .bool: "b"
    case .int: "x"
    case .uint: "t"
    case .double: "d"
    case .bytes: "ay"
    case .list: "av"
    case .map: "a{sv}"
    default: "s"
    }
  }

  func write(_ writer: inout MessageWriter) {
    writer.variant(signature: signature) { inner in
      switch self {
      case .bool(let it): inner.append(it)
      case .int(let it): inner.append(it)
      case .uint(let it): inner.append(it)
      case .double(let it): inner.append(it)
      case .bytes(let it): it.withUnsafeBytes { inner.append(bytes: $0) }
      case .list(let it): inner.array("v") { list in for one in it { one.write(&list) } }
      case .map(let it): inner.array("{sv}") { map in OracleValue.write(it, &map) }
      default: inner.append(text)
      }
    }
  }

  private static func write(_ pairs: [OraclePair], _ map: inout MessageWriter) {
    for pair in pairs {
      var entry = map.openEntry()
      entry.append(pair.key.text)
      pair.value.write(&entry)
      map.close(&entry)
    }
  }

  /// Of a string or a time.
  private var text: String {
    switch self {
    case .string(let it): return String(String.UnicodeScalarView(it))
    case .duration(let it): return "\(it)ns"
    case .timestamp(let seconds, let nanoseconds):
      var (time, parts) = (time_t(seconds), tm())
      gmtime_r(&time, &parts)
      return String(
        format: "%04d-%02d-%02dT%02d:%02d:%02d.%09dZ", Int(parts.tm_year) + 1900, Int(parts.tm_mon) + 1,
        Int(parts.tm_mday), Int(parts.tm_hour), Int(parts.tm_min), Int(parts.tm_sec), Int(nanoseconds))
    default: return ""
    }
  }
}

extension OracleRequest {
  /// `as behaviors, a{sv} request`, as `Check` and its kin take them.
  func write(isExplaining: Bool, _ writer: inout MessageWriter) {
    writer.append(behaviors)
    writer.array("{sv}") { fields in
      if isExplaining { fields.entry("explain", true) }
      if let resource { fields.entry("resource", resource) }
      if let argument { fields.entry("argument", argument) }
      if let preference { fields.entry("preference", "\(preference)") }
      fields.entry("source", "\(source)")
      for root in ["user", "request"] { write(root, &fields) }
    }
  }

  private func write(_ root: String, _ fields: inout MessageWriter) {
    let own = attributes.filter { $0.key.hasPrefix(root + ".") }
    guard !own.isEmpty else { return }
    var entry = fields.openEntry()
    entry.append(root)
    entry.variant("a{sv}") { variant in
      variant.array("{sv}") { list in
        for (name, value) in own {
          var one = list.openEntry()
          one.append(String(name.dropFirst(root.count + 1)))
          value.write(&one)
          list.close(&one)
        }
      }
    }
    fields.close(&entry)
  }

  /// Whether the bus can carry it.
  var isOnBus: Bool { attributes.values.allSatisfy(\.isOnBus) }
}
