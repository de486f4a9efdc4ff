// The blocking connection: each error tells what is wrong.

import Bus
import System
import TestKit
import Testing

@Suite struct BlockingBusTests {
  private func code(_ body: () throws(BusError) -> Void) -> BusError.Code? {
    do throws(BusError) {
      try body()
      return nil
    } catch {
      return error.code
    }
  }

  private func names(_ member: String, to destination: String, _ text: String? = nil) -> Message {
    Message(call: member, of: "org.freedesktop.DBus", at: "/org/freedesktop/DBus", to: destination)
      .with { if let text { $0.append(text) } }
  }

  @Test func errorsByCode() throws {
    let bus = try PrivateBus(
      policy:
        "<deny send_destination=\"org.freedesktop.DBus\" send_interface=\"org.freedesktop.DBus\" send_member=\"GetId\"/>"
    )
    #expect(code { () throws(BusError) in _ = try BlockingBus(.address("unix:path=/nonexistent/bus")) } == .noSuchBus)
    #expect(code { () throws(BusError) in _ = try BlockingBus(.address("x")) } == .badAddress)
    let blocking = try BlockingBus(bus.address)
    #expect(blocking.uniqueName.hasPrefix(":"))
    let own = "org.freedesktop.DBus"
    #expect(code { () throws(BusError) in _ = try blocking.call(names("ListNames", to: own)) } == nil)
    #expect(code { () throws(BusError) in _ = try blocking.call(names("GetId", to: own)) } == .accessDenied)
    #expect(code { () throws(BusError) in _ = try blocking.call(names("X", to: "a.b")) } == .nameNotFound)
    #expect(code { () throws(BusError) in _ = try blocking.call(names("None", to: own)) } == .remote)
    // A peer that doesn't answer: nobody turns it.
    let peer = try BlockingBus(bus.address)
    let before = ContinuousClock.now
    #expect(
      code { () throws(BusError) in
        _ = try blocking.call(names("X", to: peer.uniqueName), timeoutNanoseconds: 100_000_000)
      } == .timeout)
    #expect(ContinuousClock.now - before < .seconds(5))
    bus.stop()
    #expect(code { () throws(BusError) in _ = try blocking.call(names("ListNames", to: own)) } == .disconnected)
    #expect(
      code { () throws(BusError) in
        while try blocking.nextSignal(timeoutNanoseconds: nil) != nil {}
      } == .disconnected)
    #expect(code { () throws(BusError) in _ = try BlockingBus(bus.address) } == .refused)
  }

  @Test func aBusThatLetsNobodyIn() throws {
    let bus = try PrivateBus(policy: "<deny user=\"*\"/>")
    #expect(code { () throws(BusError) in _ = try BlockingBus(bus.address) } == .refused)
    let loop = try EventLoop()
    let connection = Connection(loop: loop)
    var codes: [BusError.Code?] = []
    connection.onDisconnect = { codes.append(.timeout) }
    connection.open(bus.address) { codes.append($0?.code) }
    try turn(loop) { !codes.isEmpty }
    #expect(codes == [.refused] && !connection.isOpen)
  }

  @Test func signalsAreKeptWhileAReplyIsAwaited() throws {
    let bus = try PrivateBus()
    let blocking = try BlockingBus(bus.address)
    try blocking.addMatch("type='signal',member='NameOwnerChanged',arg2=''")
    #expect(try blocking.nextSignal(timeoutNanoseconds: 20_000_000)?.member != "NameOwnerChanged")
    var other: BlockingBus? = try BlockingBus(bus.address)
    let name = try #require(other?.uniqueName)
    other = nil
    while try blocking.call(hasOwner(name)).errorName == nil, try owned(blocking, name) {}
    var seen: String?
    while seen == nil, let signal = try blocking.nextSignal(timeoutNanoseconds: 5_000_000_000) {
      guard signal.isSignal("NameOwnerChanged", of: "org.freedesktop.DBus") else { continue }
      var reader = signal.reader
      seen = try reader.nextSwiftString()
    }
    #expect(seen == name)
    #expect(try blocking.nextSignal(timeoutNanoseconds: 20_000_000) == nil)
  }

  private func hasOwner(_ name: String) -> Message { names("NameHasOwner", to: "org.freedesktop.DBus", name) }

  private func owned(_ bus: BlockingBus, _ name: String) throws -> Bool {
    var reader = try bus.call(hasOwner(name)).reader
    return try reader.nextBool()
  }

  @Test func refusesToServe() throws {
    let bus = try PrivateBus()
    let blocking = try BlockingBus(bus.address)
    let loop = try EventLoop()
    let caller = Connection(loop: loop)
    var error: String?
    caller.open(bus.address) { _ in
      caller.call(self.names("X", to: blocking.uniqueName), timeoutNanoseconds: 5_000_000_000) { error = $0.errorName }
    }
    while error == nil {
      loop.turn(maximumWait: 1_000_000)
      _ = try blocking.nextSignal(timeoutNanoseconds: 1_000_000)
    }
    #expect(error == ErrorName.unknownMethod)
    caller.close()
  }

  @Test func addressesAreParsed() {
    #expect(BusAddress(parsing: "system") == .system)
    #expect(BusAddress(parsing: "session") == .session)
    #expect(BusAddress(parsing: "unix:path=/x") == .address("unix:path=/x"))
  }
}
