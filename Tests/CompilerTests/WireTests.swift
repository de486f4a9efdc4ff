// The protocol's formats: what is written is read back, and no bytes whatever make a reader trap.

import CompilerProtocol
import Foundation
import TestKit
import Testing

@Suite struct WireTests {
  static let messages: [CompilerMessage] = [
    .open, .operator(name: "nightowl", clamping: true), .operator(name: "", clamping: false), .result,
    .failed(CompileFailure(.signal, detail: 9)), .failed(CompileFailure(.deadline, detail: -1)),
  ]

  static let sources = [
    SourceEntry(path: "platform.yaml", content: .bytes(Array("licet: 1\n".utf8))),
    SourceEntry(path: "operators.d/é.yaml", rank: 2, content: .bytes([])),
    SourceEntry(
      path: "operators.d/x.yaml", rank: 1, content: .failure(.init(.untrustedOwner, number: 1000, folder: "/etc/x"))),
  ]

  static let facts = Facts(
    name: "acme",
    bindings: [.init(.user, "svc"), .init(.group, "staff"), .init(.label, "l"), .init(.unit, "a.service", user: "u")],
    administratorGroups: ["wheel"])

  static let diagnostics = [
    DiagnosticRecord(
      operator: "nightowl", severity: .error, code: "yaml-tab",
      place: .init(file: "operators.d/nightowl.yaml", line: 3, column: 1), message: "a tab", hint: "use spaces",
      text: "\tx", related: .init(place: .init(file: "platform.yaml", line: 1, column: 2), message: "here")),
    DiagnosticRecord(
      operator: "", severity: .warning, code: "w", place: .init(file: "", line: 0, column: 0), message: ""),
  ]

  static func result(image: [UInt8]?) throws -> [UInt8] {
    try encodeResult(image: image, facts: facts, diagnostics: diagnostics)
  }

  @Test(arguments: messages) func aMessageIsReadBack(_ message: CompilerMessage) throws {
    let bytes = message.encoded()
    let read = try bytes.withUnsafeBytes { try CompilerMessage(decoding: $0, descriptors: message.descriptors) }
    #expect(read == message)
    for length in 0..<bytes.count {
      #expect(throws: WireError.self) {
        try bytes.prefix(length).withUnsafeBytes {
          _ = try CompilerMessage(decoding: $0, descriptors: message.descriptors)
        }
      }
    }
  }

  static func refusal(_ bytes: [UInt8], descriptors: Int) -> WireError? {
    bytes.withUnsafeBytes { bytes -> WireError? in
      do throws(WireError) {
        _ = try CompilerMessage(decoding: bytes, descriptors: descriptors)
        return nil
      } catch { return error }
    }
  }

  @Test func aMessageIsRefusedByCode() {
    let good = CompilerMessage.open.encoded()
    #expect(Self.refusal(good, descriptors: 1)?.code == .wrongDescriptors)
    #expect(Self.refusal(good, descriptors: 3)?.code == .wrongDescriptors)
    #expect(Self.refusal(good + [0], descriptors: 2)?.code == .trailing)
    #expect(Self.refusal([2, 0] + good.dropFirst(2), descriptors: 2)?.code == .unsupportedVersion)
    #expect(Self.refusal([1, 0, 9, 0], descriptors: 2)?.code == .unknownKind)
    #expect(Self.refusal([1, 0, 2, 0, 2, 0, 0, 0, 0], descriptors: 2)?.code == .badValue)
    #expect(Self.refusal([1, 0, 2, 0, 1, 0xFF, 0xFF, 0xFF, 0xFF], descriptors: 2)?.code == .tooLarge)
    #expect(Self.refusal([1, 0, 2, 0, 1, 1, 0, 0, 0, 0xFF], descriptors: 2)?.code == .notUTF8)
    #expect(Self.refusal(Array(repeating: 1, count: 1025), descriptors: 2)?.code == .tooLarge)
  }

  @Test func sourcesAreReadBack() throws {
    let bytes = try encodeSources(Self.sources)
    #expect(try bytes.withUnsafeBytes { try decodeSources($0) } == Self.sources)
    for length in 0..<bytes.count {
      #expect(throws: WireError.self) { try bytes.prefix(length).withUnsafeBytes { _ = try decodeSources($0) } }
    }
  }

  @Test func sourcesBeyondABoundAreNotWritten() {
    let large = SourceEntry(path: "a", content: .bytes([UInt8](repeating: 0, count: WireLimits.fileBytes + 1)))
    #expect(throws: WireError(.tooLarge, at: 16)) { try encodeSources([large]) }
    let many = [SourceEntry](repeating: .init(path: "a", content: .bytes([])), count: WireLimits.sources + 1)
    #expect(throws: WireError(.tooMany, at: 12)) { try encodeSources(many) }
    let below = SourceEntry(path: "a", rank: -1, content: .bytes([]))
    #expect(throws: WireError(.badValue, at: 16)) { try encodeSources([below]) }
    let long = SourceEntry(path: String(repeating: "a", count: WireLimits.textBytes + 1), content: .bytes([]))
    #expect(throws: WireError(.tooLarge, at: 16)) { try encodeSources([long]) }
  }

  @Test func aResultIsReadBack() throws {
    for image in [nil, [UInt8](repeating: 7, count: 1000)] {
      let bytes = try Self.result(image: image)
      let read = try bytes.withUnsafeBytes { try ResultContents(decoding: $0) }
      #expect(read.facts == Self.facts)
      #expect(read.diagnostics == Self.diagnostics)
      #expect(read.isInForce == (image != nil))
      #expect(Array(bytes[read.image]) == image ?? [])
      #expect(read.image.lowerBound % 64 == 0)
      for length in 0..<bytes.count {
        #expect(throws: WireError.self) {
          try bytes.prefix(length).withUnsafeBytes { _ = try ResultContents(decoding: $0) }
        }
      }
    }
  }

  /// Long texts lose their end between two characters, and the result stays readable.
  @Test func aLongTextIsCut() throws {
    var long = Self.diagnostics[1]
    long.message = String(repeating: "é", count: WireLimits.textBytes)
    let bytes = try encodeResult(image: nil, facts: Self.facts, diagnostics: [long])
    let read = try bytes.withUnsafeBytes { try ResultContents(decoding: $0) }
    #expect(read.diagnostics.first?.message == String(repeating: "é", count: WireLimits.textBytes / 2))
    long.message = "a" + long.message
    let odd = try encodeResult(image: nil, facts: Self.facts, diagnostics: [long])
    let message = try odd.withUnsafeBytes { try ResultContents(decoding: $0) }.diagnostics.first?.message
    #expect(message == "a" + String(repeating: "é", count: WireLimits.textBytes / 2 - 1))
  }

  @Test func tooManyDiagnosticsAreCut() throws {
    let many = [DiagnosticRecord](repeating: Self.diagnostics[0], count: WireLimits.diagnostics + 5)
    let bytes = try encodeResult(image: nil, facts: Self.facts, diagnostics: many)
    #expect(try bytes.withUnsafeBytes { try ResultContents(decoding: $0) }.diagnostics.count == WireLimits.diagnostics)
  }

  /// Changed, cut, doubled: `LICET_MUTATIONS` of each seed (20,000).
  @Test func mutatedBytesAreHarmless() throws {
    let rounds = ProcessInfo.processInfo.environment["LICET_MUTATIONS"].flatMap(Int.init) ?? 20_000
    let seed = UInt64.random(in: 0...UInt64.max)
    var random = SeededRandom(seed: seed)
    var seeds = Self.messages.map { $0.encoded() }
    seeds += [try encodeSources(Self.sources), try Self.result(image: nil), try Self.result(image: [1, 2, 3])]
    for bytes in seeds {
      #expect(FuzzTarget.wire.complaint(about: bytes) == nil)
      for _ in 0..<(rounds / seeds.count) {
        let mutated = Self.mutate(bytes, &random)
        if let complaint = FuzzTarget.wire.complaint(about: mutated) {
          Issue.record("seed \(seed): \(complaint): \(mutated)")
          return
        }
      }
    }
  }

  static func mutate(_ bytes: [UInt8], _ random: inout SeededRandom) -> [UInt8] {
    var bytes = bytes
    for _ in 0..<Int.random(in: 1...4, using: &random) where !bytes.isEmpty {
      let at = Int.random(in: 0..<bytes.count, using: &random)
      switch Int.random(in: 0..<5, using: &random) {
      case 0: bytes[at] = UInt8.random(in: 0...255, using: &random)
      case 1: bytes[at] ^= 1 << UInt8.random(in: 0...7, using: &random)
      case 2: bytes.removeSubrange(at...)
      case 3: bytes.insert(contentsOf: bytes[..<at], at: at)
      default: for i in at..<min(at + 8, bytes.count) { bytes[i] = [0, 0xFF, 0x80].randomElement(using: &random) ?? 0 }
      }
    }
    return bytes
  }
}
