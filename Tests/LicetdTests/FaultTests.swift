// What breaks around the daemon, and what it does then (DESIGN §12): it goes on deciding, says so, and comes back.

import CDBus
import Foundation
import Glibc
import TestKit
import Testing

@testable import Bus

@Suite struct FaultTests {
  private let denying = Rig.operatorFile("keeper", bind: "{user: \(ownName)}", rules: "  - {deny: rig.read}\n")

  @Test func killedAtAnyInstantItComesBackWithANewNumber() throws {
    do {
      let rig = try Rig()
      var last = try rig.generation()
      for pause in [0, 1, 3, 10, 30] {
        try rig.scratch.save(
          "operators.d/keeper.yaml", pause % 2 == 0 ? denying : Rig.operatorFile("keeper", bind: "{user: \(ownName)}"))
        usleep(UInt32(pause) * 1000)
        rig.kill9()
        try rig.start()
        let number = try rig.generation()
        #expect(number > last)
        last = number
        #expect(try rig.check() == (pause % 2 == 0 ? "deny" : "allow"))
      }
    }
  }

  /// Broken files at start: what was good last is in force again.
  @Test func lastGoodFilesOutliveARestart() throws {
    do {
      let rig = try Rig()
      let archive = rig.scratch.state + "/last-good/operators/keeper"
      #expect(rig.waits { FileManager.default.fileExists(atPath: archive) })
      rig.kill9()
      try rig.scratch.save("operators.d/keeper.yaml", "nonsense: [\n")
      try rig.start()
      #expect(try rig.check() == "allow")
      #expect(try rig.diagnosticCodes().contains("running-on-last-good"))
    }
  }

  @Test func anotherBusIsReachedAgain() throws {
    do {
      let rig = try Rig()
      let number = try rig.generation()
      rig.bus.stop()
      usleep(100_000)
      try rig.bus.start()
      #expect(rig.waits { try rig.check() == "allow" })
      #expect(try rig.generation() == number)
      #expect(rig.process.isRunning)
    }
  }

  @Test func aTakenNameIsAnError() throws {
    do {
      let rig = try Rig()
      let second = try run([
        program("licetd"), "--address", rig.bus.addressText, "--policy", rig.scratch.policy, "--state",
        rig.scratch.root.appendingPathComponent("other").path, "--compiler", program("licet-compiler"),
      ])
      #expect(second.status == 1)
      #expect(second.errors.contains("another licetd runs there"))
      #expect(try rig.check() == "allow")
    }
  }

  @Test func aMissingCompilerIsSaid() throws {
    do {
      let rig = try Rig(arguments: ["--compiler", "/nonexistent/licet-compiler"])
      #expect(try rig.check() == "deny")
      #expect(try rig.diagnosticCodes().contains("compiler-failed"))
    }
  }

  @Test func aKilledCompilerIsStartedAgain() throws {
    do {
      let rig = try Rig()
      let own = rig.process.processIdentifier
      let children = try run(["/usr/bin/pgrep", "-P", "\(own)"]).output.split(separator: "\n").compactMap { Int32($0) }
      try #require(!children.isEmpty)
      for child in children { kill(child, SIGKILL) }
      #expect(try rig.check() == "allow")
      try rig.scratch.save("operators.d/keeper.yaml", denying)
      #expect(rig.waits { try rig.check() == "deny" })
    }
  }

  /// Nobody answers: decisions go on, and the change comes when somebody does.
  @Test func aHungCompilerHoldsUpNobody() throws {
    do {
      let rig = try Rig()
      let own = rig.process.processIdentifier
      let children = try run(["/usr/bin/pgrep", "-P", "\(own)"]).output.split(separator: "\n").compactMap { Int32($0) }
      for child in children { kill(child, SIGSTOP) }
      try rig.scratch.save("operators.d/keeper.yaml", denying)
      let bus = try rig.client()
      let begin = Date()
      for _ in 0..<200 { #expect(try rig.check(on: bus) != "ask") }
      #expect(Date().timeIntervalSince(begin) < 5)
      for child in children { kill(child, SIGCONT) }
      #expect(rig.waits { try rig.check() == "deny" })
    }
  }

  @Test func filesThatOthersMayWriteAreNotRead() throws {
    do {
      let rig = try Rig()
      chmod(rig.scratch.path("operators.d/keeper.yaml"), 0o666)
      #expect(rig.waits { try rig.diagnosticCodes().contains("file-untrusted-mode") })
      // What was good stays.
      #expect(try rig.check() == "allow")
      chmod(rig.scratch.path("operators.d/keeper.yaml"), 0o644)
      #expect(rig.waits { try rig.diagnosticCodes().isEmpty })
    }
  }

  @Test(.enabled(if: isRoot, "giving a file away needs root"))
  func filesOfOthersAreNotRead() throws {
    do {
      let rig = try Rig()
      chown(rig.scratch.path("operators.d/keeper.yaml"), 65534, 65534)
      #expect(rig.waits { try rig.diagnosticCodes().contains("file-untrusted-owner") })
      #expect(try rig.check() == "allow")
    }
  }

  /// A link that leads nowhere, in the place of the folder of all operators: who is in force stays so.
  @Test func aFolderThatCannotBeReadTakesNobodyAway() throws {
    do {
      let rig = try Rig()
      try FileManager.default.moveItem(atPath: rig.scratch.path("operators.d"), toPath: rig.scratch.path("moved"))
      try rig.scratch.link("operators.d", to: "operators.d")
      #expect(rig.waits { try !rig.diagnosticCodes().isEmpty })
      #expect(try rig.check() == "allow")
      try rig.scratch.remove("operators.d")
      try FileManager.default.moveItem(atPath: rig.scratch.path("moved"), toPath: rig.scratch.path("operators.d"))
      #expect(rig.waits { try rig.diagnosticCodes().isEmpty })
      #expect(try rig.check() == "allow")
    }
  }

  /// No descriptor is left: decisions go on, and changes come when there are some again.
  @Test func withoutDescriptorsDecisionsGoOn() throws {
    do {
      let rig = try Rig()
      let bus = try rig.client()
      #expect(try rig.check(on: bus) == "allow")
      let own = rig.process.processIdentifier
      let open = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(own)/fd").count
      let prlimit = "/usr/bin/prlimit"
      #expect(try run([prlimit, "--pid", "\(own)", "--nofile=\(open):4096"]).status == 0)
      try rig.scratch.save("operators.d/keeper.yaml", denying)
      usleep(200_000)
      for _ in 0..<50 { #expect(try rig.check(on: bus) == "allow") }
      #expect(try run([prlimit, "--pid", "\(own)", "--nofile=4096:4096"]).status == 0)
      #expect(rig.refusal { try rig.call(Rig.admin, "Reload", on: bus) } == nil)
      #expect(rig.waits { try rig.check(on: bus) == "deny" })
    }
  }

  /// A state folder of some kilobytes that is full: decisions and changes go on, and it is said.
  @Test(.enabled(if: isRoot, "a small file system needs root"))
  func aFullDiskIsSaid() throws {
    do {
      let rig = try Rig()
      rig.kill9()
      try #require(mount("licet", rig.scratch.state, "tmpfs", 0, "size=64k") == 0)
      defer { umount2(rig.scratch.state, Int32(MNT_DETACH)) }
      try rig.start()
      let filler = rig.scratch.state + "/filler"
      let file = try #require(fopen(filler, "w"))
      while fputs(String(repeating: "x", count: 512), file) >= 0, fflush(file) == 0 {}
      fclose(file)
      try rig.scratch.save("operators.d/keeper.yaml", denying)
      #expect(rig.waits { try rig.check() == "deny" })
      #expect(rig.waits { try rig.diagnosticCodes().contains("state-unwritable") })
      try FileManager.default.removeItem(atPath: filler)
      try rig.scratch.save("operators.d/keeper.yaml", denying + "# again\n")
      #expect(rig.waits { try !rig.diagnosticCodes().contains("state-unwritable") })
    }
  }

  /// Somebody asks and never reads the answers: nobody else waits, and memory doesn't grow without end.
  @Test func aCallerThatNeverReadsHurtsItselfAlone() throws {
    do {
      let rig = try Rig()
      let deaf = try DeafCaller(rig.bus.addressText)
      let before = try residentMiB(rig)
      for _ in 0..<40 { deaf.ask(times: 250) }
      let bus = try rig.client()
      let begin = Date()
      for _ in 0..<100 { #expect(try rig.check(on: bus) == "allow") }
      #expect(Date().timeIntervalSince(begin) < 10)
      #expect(try residentMiB(rig) < before + 100)
    }
  }

  private func residentMiB(_ rig: Rig) throws -> Double {
    let text = try String(contentsOfFile: "/proc/\(rig.process.processIdentifier)/statm", encoding: .utf8)
    return Double(text.split(separator: " ")[1]).map { $0 * 4096 / 1_048_576 } ?? 0
  }
}

/// A connection that is written to and never read: plain bytes on a socket.
private final class DeafCaller {
  private let socket: Int32
  private let message: [UInt8]
  private var pending: [UInt8] = []

  init(_ address: String) throws {
    let socket = Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    var name = sockaddr_un()
    name.sun_family = sa_family_t(AF_UNIX)
    let path = Array(address.dropFirst("unix:path=".count).utf8)
    withUnsafeMutableBytes(of: &name.sun_path) { $0.copyBytes(from: path) }
    let isConnected = withUnsafePointer(to: &name) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(socket, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
    try #require(isConnected == 0)
    let identity = "\(getuid())".utf8.map { String($0, radix: 16) }.joined()
    func send(_ bytes: [UInt8]) { _ = write(socket, bytes, bytes.count) }
    send([0] + Array("AUTH EXTERNAL \(identity)\r\n".utf8))
    var answer = [UInt8](repeating: 0, count: 256)
    _ = read(socket, &answer, answer.count)
    send(Array("BEGIN\r\n".utf8))
    send(
      Message(call: "Hello", of: "org.freedesktop.DBus", at: "/org/freedesktop/DBus", to: "org.freedesktop.DBus")
        .wireBytes(serial: 1))
    self.socket = socket
    message = Message(call: "Explain", of: Rig.authority, at: "/org/licet/Licet1", to: "org.licet.Licet1").with {
      $0.append("keeper")
      $0.append(["rig.read", "rig.write"])
      $0.array("{sv}") { _ in }
    }.wireBytes(serial: 2)
    // From now on: as much as goes, without waiting.
    _ = fcntl(socket, F_SETFL, O_NONBLOCK)
  }

  deinit { close(socket) }

  func ask(times: Int) {
    for _ in 0..<times {
      pending += message
      let count = write(socket, pending, pending.count)
      if count > 0 { pending.removeFirst(count) } else { usleep(500) }
    }
  }
}

extension Message {
  fileprivate func wireBytes(serial: UInt32) -> [UInt8] {
    dbus_message_set_serial(raw, serial)
    var bytes: UnsafeMutablePointer<CChar>?
    var count: Int32 = 0
    guard dbus_message_marshal(raw, &bytes, &count) != 0 else { return [] }
    defer { dbus_free(bytes) }
    return Array(UnsafeRawBufferPointer(start: bytes, count: Int(count)))
  }
}
