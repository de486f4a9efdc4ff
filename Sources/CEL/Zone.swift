// A time zone's name -> zone blob (PolicyImage/Blobs.swift), read from the host's zone database (TZif version 2 and
// later, RFC 8536) when a condition is compiled, so that evaluating needs no file.

import Glibc
import PolicyImage

struct Zone {
  /// Where the database lies.
  static let folder = "/usr/share/zoneinfo"
  /// Bytes of one zone's file, at most.
  private static let maximumSize = 1 << 18

  var transitions: [Int64] = []
  /// Index into `offsets` by transition.
  var kinds: [UInt8] = []
  /// Seconds east of UTC.
  var offsets: [Int32] = [0]
  var initial = 0
  /// After the last transition.
  var rule: Rule?

  /// Names that the evaluator understands without a table: UTC and offsets such as +01:30.
  static func isFixed(_ name: String) -> Bool {
    guard let last = name.utf8.last else { return true }
    return name == "UTC"
      || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(last) && name.utf8.contains(UInt8(ascii: ":"))
  }

  /// The zone of this name; nil when there is none. Reads a file below `folder` and nothing else.
  static func load(_ name: String) -> Zone? {
    guard isSafe(name), let bytes = read("\(folder)/\(name)") else { return nil }
    return Zone(bytes)
  }

  /// Letters, digits and `_+-`, in parts that are neither empty nor start with a dot.
  private static func isSafe(_ name: String) -> Bool {
    guard name.utf8.count <= 64 else { return false }
    return name.split(separator: "/", omittingEmptySubsequences: false).allSatisfy { part in
      !part.isEmpty
        && part.unicodeScalars.allSatisfy {
          $0.isASCII && ($0.properties.isAlphabetic || "0123456789_+-".unicodeScalars.contains($0))
        }
    }
  }

  private static func read(_ path: String) -> [UInt8]? {
    let file = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)
    guard file >= 0 else { return nil }
    defer { close(file) }
    var status = stat()
    guard fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_size <= maximumSize else {
      return nil
    }
    var bytes = [UInt8](repeating: 0, count: Int(status.st_size))
    var done = 0
    while done < bytes.count {
      let n = bytes.withUnsafeMutableBytes {
        Glibc.read(file, UnsafeMutableRawBufferPointer(rebasing: $0[done...]).baseAddress, $0.count - done)
      }
      guard n > 0 else { return nil }
      done += n
    }
    return bytes
  }

  var blob: [UInt8] {
    var blob: [UInt8] = []
    func pad() { while blob.count % 8 != 0 { blob.append(0) } }
    for word in [UInt32(transitions.count), UInt32(offsets.count), rule == nil ? 0 : 1, UInt32(initial)] {
      Automaton.append(word, to: &blob)
    }
    for transition in transitions { Automaton.append(transition, to: &blob) }
    for offset in offsets { Automaton.append(offset, to: &blob) }
    pad()
    blob += kinds
    pad()
    if let rule {
      for number in rule.numbers { Automaton.append(number, to: &blob) }
    }
    return blob
  }
}

// MARK: TZif

extension Zone {
  /// nil when the bytes are not a TZif file of version 2 or later.
  init?(_ bytes: [UInt8]) {
    guard let first = Header(bytes, at: 0), first.version >= UInt8(ascii: "2"),
      let header = Header(bytes, at: first.end(timeSize: 4))
    else { return nil }
    var reader = BigEndianReader(bytes, at: header.start + Header.size)
    for _ in 0..<header.times {
      guard let time = reader.integer(Int64.self) else { return nil }
      transitions.append(time)
    }
    for _ in 0..<header.times {
      guard let kind = reader.integer(UInt8.self), Int(kind) < header.types else { return nil }
      kinds.append(kind)
    }
    offsets = []
    for _ in 0..<header.types {
      guard let offset = reader.integer(Int32.self), abs(Int(offset)) < 100_000, reader.skip(2) else { return nil }
      offsets.append(offset)
    }
    guard !offsets.isEmpty, zip(transitions, transitions.dropFirst()).allSatisfy({ $0 < $1 }) else { return nil }
    let footer = header.end(timeSize: 8)
    guard footer < bytes.count, bytes[footer] == 10, let end = bytes[(footer + 1)...].firstIndex(of: 10) else {
      return nil
    }
    let text = Array(bytes[(footer + 1)..<end])
    guard !text.isEmpty else { return }
    guard let rule = Rule(text) else { return nil }
    self.rule = rule
  }

  private struct Header {
    static let size = 44
    let start: Int
    let version: UInt8
    let isUTCount: Int
    let isStandardCount: Int
    let leaps: Int
    let times: Int
    let types: Int
    let characters: Int

    init?(_ bytes: [UInt8], at start: Int) {
      guard start + Self.size <= bytes.count, Array(bytes[start..<start + 4]) == Array("TZif".utf8) else { return nil }
      self.start = start
      version = bytes[start + 4]
      var reader = BigEndianReader(bytes, at: start + 20)
      var counts: [Int] = []
      for _ in 0..<6 {
        guard let n = reader.integer(UInt32.self), n <= bytes.count else { return nil }
        counts.append(Int(n))
      }
      (isUTCount, isStandardCount, leaps) = (counts[0], counts[1], counts[2])
      (times, types, characters) = (counts[3], counts[4], counts[5])
    }

    func end(timeSize: Int) -> Int {
      start + Self.size + times * (timeSize + 1) + types * 6 + characters + leaps * (timeSize + 4) + isStandardCount
        + isUTCount
    }
  }
}

struct BigEndianReader {
  let bytes: [UInt8]
  var position: Int

  init(_ bytes: [UInt8], at position: Int) {
    self.bytes = bytes
    self.position = position
  }

  mutating func integer<T: FixedWidthInteger>(_: T.Type) -> T? {
    let size = T.bitWidth / 8
    guard position + size <= bytes.count else { return nil }
    defer { position += size }
    return bytes[position..<position + size].reduce(0 as T) { $0 << 8 | T(truncatingIfNeeded: $1) }
  }

  mutating func skip(_ count: Int) -> Bool {
    position += count
    return position <= bytes.count
  }
}
