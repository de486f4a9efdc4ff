// A connection's life: floods, the bus that goes and comes back, callers that vanish, names, credentials.

@testable import Bus
import CDBus
import Foundation
import System
import TestKit
import Testing

@Suite struct ConnectionTests {
  @Test func aFloodIsAnsweredInOrder() throws {
    let sample = try Sample()
    var replies: [Int] = []
    var failures = 0
    for number in 0..<10_000 {
      let message = Message(call: "Echo", of: Sample.name, at: Sample.path, to: Sample.name)
      message.write { $0.append(String(number)) }
      sample.client.call(message, timeoutNanoseconds: 60_000_000_000) { reply in
        var reader = reply.reader
        guard !reply.isError, let text = try? reader.nextSwiftString(), let value = Int(text) else {
          failures += 1
          return
        }
        replies.append(value)
      }
    }
    let end = sample.loop.now + 60_000_000_000
    while replies.count + failures < 10_000, sample.loop.now < end { sample.loop.turn(maximumWait: 10_000_000) }
    #expect(failures == 0)
    #expect(replies == Array(0..<10_000))
    #expect(sample.client.pendingCalls == 0 && sample.table.heldBytes == 0)
  }

  @Test func theBusGoesAndComesBack() throws {
    let sample = try Sample()
    let reconnector = Reconnector(sample.client, to: sample.bus.address)
    var ends = 0
    var opens = 0
    var failures: [BusError.Code] = []
    reconnector.onDisconnect = { ends += 1 }
    reconnector.onOpen = { opens += 1 }
    reconnector.onFailure = { failures.append($0.code) }
    reconnector.start()
    try sample.wait { opens == 1 }
    var replies: [String?] = []
    for _ in 0..<2 {
      sample.client.call(
        Message(call: "Later", of: Sample.name, at: Sample.path, to: Sample.name), timeoutNanoseconds: 60_000_000_000
      ) { replies.append($0.errorName) }
    }
    try sample.wait { sample.kept.count == 2 }
    var serverEnds = 0
    sample.server.onDisconnect = { serverEnds += 1 }
    sample.bus.stop()
    try sample.wait { ends == 1 && serverEnds == 1 }
    #expect(replies == [ErrorName.disconnected, ErrorName.disconnected])
    #expect(!sample.client.isOpen && sample.client.outgoingBytes == 0)
    try sample.wait { !failures.isEmpty }
    #expect(Set(failures) == [.refused])
    try sample.bus.start()
    try sample.open(sample.server)
    try sample.wait { opens == 2 }
    #expect(ends == 1 && serverEnds == 1)
    // What belongs to the earlier life doesn't reach this one.
    #expect(sample.kept.allSatisfy { !$0.isAwaited })
    sample.kept.forEach { $0.reply() }
    #expect(sample.table.heldBytes == 0)
    #expect(try sample.call("Echo") { $0.append("x") }.errorName == ErrorName.serviceUnknown)
    reconnector.stop()
    #expect(!sample.client.isOpen)
  }

  @Test func aCallerVanishes() throws {
    let sample = try Sample()
    var gone: [String] = []
    sample.server.onOwnerGone = { gone.append($0) }
    let other = Connection(loop: sample.loop)
    try sample.open(other)
    let name = try #require(other.uniqueName)
    other.call(
      Message(call: "Later", of: Sample.name, at: Sample.path, to: Sample.name), timeoutNanoseconds: 1_000_000_000
    ) { _ in }
    try sample.wait { sample.kept.count == 1 }
    other.close()
    try sample.wait { gone == [name] }
    sample.kept.removeFirst().reply()
    #expect(try !sample.call("Echo") { $0.append("x") }.isError)
    #expect(sample.table.heldBytes == 0)
  }

  /// A lax bus delivers replies that nobody asked for.
  @Test func forgedRepliesDontCount() throws {
    let sample = try Sample()
    let forger = Connection(loop: sample.loop)
    try sample.open(forger)
    let server = try #require(sample.server.uniqueName)
    var senders: [String?] = []
    let call = Message(call: "Later", of: Sample.name, at: Sample.path, to: server)
    sample.client.call(call, timeoutNanoseconds: 10_000_000_000) { senders.append($0.sender) }
    try sample.wait { sample.kept.count == 1 }
    let victim = try #require(sample.client.uniqueName)
    for serial in 1...100 {
      let forged = Message(adopting: try #require(dbus_message_new(Message.Kind.reply.rawValue)))
      dbus_message_set_reply_serial(forged.raw, UInt32(serial))
      dbus_message_set_destination(forged.raw, victim)
      forger.send(forged)
    }
    var delivered = false
    let last = Message(call: "Ping", of: "org.freedesktop.DBus.Peer", at: "/", to: victim)
    sample.client.onMessage = { _ in delivered = true }
    forger.send(last)
    try sample.wait { delivered }
    #expect(senders.isEmpty)
    sample.kept.removeFirst().reply()
    try sample.wait { !senders.isEmpty }
    #expect(senders == [server])
    forger.close()
  }

  @Test func namesAreGivenTakenAndLost() throws {
    let sample = try Sample(policy: "<deny own=\"org.example.Denied\"/>")
    var answers: [BusError.Code?] = []
    sample.client.requestName(Sample.name) { answers.append($0?.code) }
    sample.client.requestName("org.example.Denied") { answers.append($0?.code) }
    sample.client.requestName("org.example.Other") { answers.append($0?.code) }
    try sample.wait { answers.count == 3 }
    #expect(answers == [.nameTaken, .accessDenied, nil])
    var lost: [String] = []
    sample.server.onNameLost = { lost.append($0) }
    sample.server.releaseName(Sample.name)
    try sample.wait { !lost.isEmpty }
    #expect(lost == [Sample.name] && sample.server.isOpen)
  }

  @Test func theBusSaysWhoACallerIs() throws {
    let sample = try Sample()
    var found: [Credentials?] = []
    sample.server.credentials(of: try #require(sample.client.uniqueName)) { found.append($0) }
    sample.server.credentials(of: ":9.999") { found.append($0) }
    try sample.wait { found.count == 2 }
    let credentials = try #require(found[0])
    #expect(credentials.uid == getuid() && credentials.pid == UInt32(getpid()))
    #expect(credentials.gids?.contains(getgid()) == true)
    #expect(credentials.label?.contains("\0") != true)
    #expect(found[1] == nil)
  }

  @Test func aBusThatAnswersNothing() throws {
    let sample = try Sample()
    sample.bus.freeze(true)
    defer { sample.bus.freeze(false) }
    var errors: [String?] = []
    let message = Message(call: "Echo", of: Sample.name, at: Sample.path, to: Sample.name).with { $0.append("x") }
    sample.client.call(message, timeoutNanoseconds: 50_000_000) { errors.append($0.errorName) }
    let other = Connection(loop: sample.loop)
    var answers = 0
    let before = sample.loop.now
    other.open(sample.bus.address) { _ in answers += 1 }
    #expect(sample.loop.now - before < 1_000_000_000)
    try sample.wait { !errors.isEmpty }
    #expect(errors == [ErrorName.timeout] && sample.client.pendingCalls == 0)
    #expect(answers == 0 && !other.isOpen)
    other.close()
    #expect(answers == 1)
  }

  @Test func opensThatFail() throws {
    let loop = try EventLoop()
    let connection = Connection(loop: loop)
    var codes: [BusError.Code?] = []
    connection.open(.address("unix:path=/nonexistent/bus")) { codes.append($0?.code) }
    connection.open(.address("nonsense")) { codes.append($0?.code) }
    #expect(codes.isEmpty)
    try turn(loop) { codes.count == 2 }
    #expect(codes == [.noSuchBus, .badAddress])
    #expect(!connection.send(Message(call: "Ping", of: nil, at: "/", to: nil)))
    var error: String?
    connection.call(Message(call: "Ping", of: nil, at: "/", to: nil), timeoutNanoseconds: 1) { error = $0.errorName }
    try turn(loop) { error != nil }
    #expect(error == ErrorName.disconnected)
  }
}
