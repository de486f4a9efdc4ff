// A service and a caller on a private bus, both on one loop that the test turns.

import Bus
import Foundation
import System
import TestKit
import Testing

final class Sample {
  static let name = "org.example.Sample"
  static let path = "/org/example/Sample"

  let bus: PrivateBus
  let loop: EventLoop
  let server: Connection
  let client: Connection
  private(set) var table: ObjectTable!
  /// Calls that `Later` keeps.
  var kept: [Call] = []
  var level = "info"
  var handled = 0
  /// Objects that come and go.
  var items: Set<String> = []

  init(policy: String = "", limits: ObjectTable.Limits = .init()) throws {
    bus = try PrivateBus(policy: policy)
    loop = try EventLoop()
    server = Connection(loop: loop)
    client = Connection(loop: loop)
    table = ObjectTable(
      [Self.path: [interface], "/org/example/Sample/Child": []],
      families: [
        .init(
          at: "/org/example/Sample/item", [Interface("org.example.Item", methods: [.init("Touch") { $0.reply() }])],
          isName: { $0.count == 2 },
          admit: { [unowned self] call in
            if items.contains(String(call.message.path?.suffix(2) ?? "")) { return true }
            call.fail("org.example.NoItem", "none")
            return false
          }, children: { [unowned self] _ in items.sorted() })
      ], limits: limits)
    server.onMessage = { [unowned self] in _ = table.handle($0, on: server) }
    try open(server)
    try open(client)
    var taken: BusError??
    server.requestName(Self.name) { taken = .some($0) }
    try wait { taken != nil }
    if case .some(.some(let error)) = taken { throw error }
  }

  deinit {
    server.onMessage = nil
    server.close()
    client.close()
  }

  func open(_ connection: Connection) throws {
    var opened: BusError??
    connection.open(bus.address) { opened = .some($0) }
    try wait { opened != nil }
    if case .some(.some(let error)) = opened { throw error }
  }

  /// Turns the loop until something holds; an error after ten seconds.
  func wait(_ condition: () -> Bool) throws { try turn(loop, until: condition) }

  /// Calls as the client does; waits.
  func call(
    _ member: String, of interface: String? = Sample.name, at path: String = Sample.path,
    _ write: (inout MessageWriter) -> Void = { _ in }
  ) throws -> Message {
    try call(Message(call: member, of: interface, at: path, to: Sample.name).with(write))
  }

  func call(_ message: Message) throws -> Message {
    var reply: Message?
    client.call(message, timeoutNanoseconds: 10_000_000_000) { reply = $0 }
    try wait { reply != nil }
    return try #require(reply)
  }

  /// Runs a program while serving it; its output and its status.
  func run(_ program: String, _ arguments: [String]) throws -> (output: String, status: Int32) {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [program] + arguments
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = pipe
    process.standardInput = FileHandle.nullDevice
    try process.run()
    while process.isRunning { loop.turn(maximumWait: 5_000_000) }
    let output = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    return (output, process.terminationStatus)
  }

  private var interface: Interface {
    Interface(
      Self.name,
      methods: [
        .init("Echo", in: ["text": "s"], out: ["text": "s"]) { [unowned self] call in
          handled += 1
          var reader = call.reader
          guard let text = try? reader.nextString() else { return }
          call.reply { $0.append(text) }
        },
        .init("Sum", in: ["numbers": "au"], out: ["sum": "t"]) { call in
          do throws(ReadError) {
            var reader = call.reader
            var numbers = try reader.nextArray(of: .uint32)
            var sum: UInt64 = 0
            while !numbers.atEnd { sum &+= UInt64(try numbers.nextUInt32()) }
            call.reply { $0.append(sum) }
          } catch {
            call.fail(error)
          }
        },
        .init("Depth", in: ["value": "v"], out: ["depth": "u"]) { call in
          do throws(ReadError) {
            var reader = call.reader
            var depth: UInt32 = 0
            while reader.type == .variant {
              reader = try reader.nextVariant()
              depth += 1
            }
            call.reply { $0.append(depth) }
          } catch {
            call.fail(error)
          }
        },
        .init("Large", in: ["bytes": "u"], out: ["text": "ay"]) { call in
          var reader = call.reader
          let count = Int((try? reader.nextUInt32()) ?? 0)
          let bytes = [UInt8](repeating: 7, count: count)
          call.reply { writer in bytes.withUnsafeBytes { writer.append(bytes: $0) } }
        },
        .init("Later", annotations: ["org.example.Slow": "<&\">"]) { [unowned self] in kept.append($0) },
        .init("Drop") { _ in },
      ],
      properties: [
        .init("Version", "s", emits: .constant, read: { $1.append("1") }),
        .init("Caller", "s", emits: .never, read: { $1.append($0.sender) }),
        .init("Secret", "s", emits: .never, isVisible: { $0.context is Trusted }, read: { $1.append("hidden") }),
        .init("Count", "u", read: { $1.append(UInt32(7)) }),
        .init(
          "Level", "s", emits: .invalidation, read: { [unowned self] in $1.append(level) },
          write: { [unowned self] call, value in
            level = (try? value.nextSwiftString()) ?? ""
            call.reply()
          }),
      ],
      signals: [.init("Changed", ["generation": "t"])])
  }
}

final class Trusted {}

struct TimeUp: Error {}

func turn(_ loop: EventLoop, until condition: () -> Bool) throws {
  let end = loop.now + 10_000_000_000
  while !condition() {
    if loop.now > end { throw TimeUp() }
    loop.turn(maximumWait: 10_000_000)
  }
}
