// Worker, signals, inotify, processes, sealed memory, packets, digests: each as its callers rely on it.

import Foundation
import Testing

@testable import System

@Suite struct SystemPartsTests {
  private func turn(_ loop: EventLoop, _ seconds: Double = 10, until isDone: () -> Bool) -> Bool {
    let end = loop.now &+ UInt64(seconds * 1e9)
    while !isDone() {
      if loop.now >= end { return false }
      loop.turn(maximumWait: 10_000_000)
    }
    return true
  }

  // MARK: Worker

  @Test func aWorkerIsFirstInFirstOutAndAnswersOnTheLoop() throws {
    let loop = try EventLoop()
    let worker = try Worker(name: "a name that is too long for a thread", loop: loop)
    let here = pthread_self()
    var seen: [Int] = []
    for i in 0..<500 {
      worker.run({ i }) {
        seen.append($0)
        #expect(pthread_equal(here, pthread_self()) != 0)
      }
    }
    #expect(turn(loop) { seen.count == 500 })
    #expect(seen == Array(0..<500))
    // What runs and waits is done before it ends; nobody is told.
    let file = FileManager.default.temporaryDirectory.appendingPathComponent("licet-worker-\(UUID())").path
    worker.run({ usleep(20_000) }) { Issue.record("told") }
    worker.run({ FileManager.default.createFile(atPath: file, contents: nil) }) { _ in Issue.record("told") }
    worker.finish()
    worker.finish()
    #expect(unlink(file) == 0)
    loop.turn(maximumWait: 1_000_000)
  }

  // MARK: Inotify

  @Test func aQueueThatOverflowsSaysSo() throws {
    let loop = try EventLoop()
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("licet-inotify-\(UUID())").path
    #expect(mkdir(folder, 0o700) == 0)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    var events: [Inotify.Event] = []
    let inotify = try Inotify(loop) { events.append($0) }
    let number = try inotify.add(folder)
    #expect(try inotify.add(folder) == number)
    let limit = try #require(
      Int(
        try String(contentsOfFile: "/proc/sys/fs/inotify/max_queued_events", encoding: .utf8)
          .trimmingCharacters(in: .whitespacesAndNewlines)))
    guard limit <= 100_000 else { return }
    for i in 0...limit / 2 { #expect(mkdir("\(folder)/\(i % 2)", 0o700) == 0 && rmdir("\(folder)/\(i % 2)") == 0) }
    #expect(turn(loop) { events.last?.isOverflow == true })
    #expect(events.count == limit + 1 && events.last?.watch == -1)
    #expect(events.dropLast().allSatisfy { !$0.isOverflow && !$0.isGone && $0.watch == number })
    events = []
    #expect(mkdir("\(folder)/after", 0o700) == 0 && rmdir("\(folder)/after") == 0)
    #expect(turn(loop) { events.map(\.name) == ["after", "after"] }, "it goes on")
    #expect(rmdir(folder) == 0)
    #expect(turn(loop) { events.contains(where: \.isGone) })
    inotify.remove(number)
    #expect(throws: SystemError(call: "inotify_add_watch", code: ENOENT)) { _ = try inotify.add(folder) }
    inotify.cancel()
  }

  // MARK: Processes and signals

  @Test func aProcessesEndIsKnown() throws {
    #expect(try end("/bin/true", []) == .exit(0))
    #expect(try end("/bin/sh", ["-c", "exit 7"]) == .exit(7))
    #expect(try end("/bin/sh", ["-c", "kill -9 $$"]) == .signal(SIGKILL))
    #expect(try end("/nonexistent/program", []) == .exit(127))
    #expect(!System.Process.signal(1 << 22, SIGTERM))
    #expect(System.Process.reap(1 << 22) == nil)
    #expect(throws: SystemError.self) { _ = try System.Process.descriptor(of: 1 << 22) }
  }

  @Test func aChildHasTheDescriptorsThatItIsGivenAndNoOthers() throws {
    var ends: [Int32] = [-1, -1]
    #expect(pipe(&ends) == 0)
    let (read, write) = (Descriptor(owning: ends[0]), Descriptor(owning: ends[1]))
    let pid = try System.Process.spawn(
      "/bin/sh", ["-c", "echo given >&3; for i in 4 5 6 7 8 9; do (: >&$i) 2>/dev/null && echo $i >&3; done"],
      descriptors: [write])
    _ = try wait(pid)
    var buffer = [UInt8](repeating: 0, count: 100)
    let count = Glibc.read(read.raw, &buffer, 100)
    #expect(String(decoding: buffer.prefix(max(0, count)), as: UTF8.self) == "given\n")
  }

  private func end(_ path: String, _ arguments: [String]) throws -> System.Process.End {
    try wait(try System.Process.spawn(path, arguments))
  }

  private func wait(_ pid: Int32) throws -> System.Process.End {
    let descriptor = try System.Process.descriptor(of: pid)
    let loop = try EventLoop()
    var isOver = false
    let watch = try loop.watch(descriptor.raw, .readable) { _ in isOver = true }
    #expect(turn(loop) { isOver })
    watch.cancel()
    return try #require(System.Process.reap(pid))
  }

  @Test func aSignalIsAnEventOnce() throws {
    let loop = try EventLoop()
    var seen: [Int32] = []
    let signals = try Signals(loop, [SIGUSR2]) { seen.append($0) }
    #expect(pthread_kill(pthread_self(), SIGUSR2) == 0)
    #expect(turn(loop) { seen == [SIGUSR2] })
    loop.turn(maximumWait: 1_000_000)
    #expect(seen.count == 1)
    signals.cancel()
    var set = sigset_t()
    sigemptyset(&set)
    sigaddset(&set, SIGUSR2)
    pthread_sigmask(SIG_UNBLOCK, &set, nil)
  }

  // MARK: Memory, packets, digests

  @Test func memoryIsMappedOnlySealedAndWithinBounds() throws {
    let bytes = (0..<10_000).map { UInt8(truncatingIfNeeded: $0) }
    let memory = try SealedMemory.make(name: "test", bytes)
    #expect(try contents(memory, maximum: 10_000) == bytes)
    #expect(throws: SystemError(call: "fstat", code: EFBIG)) { _ = try SealedMemory.map(memory, maximum: 9_999) }
    #expect(Glibc.write(memory.raw, "x", 1) < 0 && ftruncate(memory.raw, 1) < 0)
    let empty = try SealedMemory.make(name: "test", [UInt8]())
    #expect(throws: SystemError(call: "fstat", code: EINVAL)) { _ = try SealedMemory.map(empty, maximum: 1) }
    let file = Descriptor(owning: open("/dev/null", O_RDONLY))
    #expect(throws: SystemError.self) { _ = try SealedMemory.map(file, maximum: 1) }
  }

  /// The mapping must outlive the reading: Swift ends it with its last use.
  private func contents(_ memory: Descriptor, maximum: Int) throws -> [UInt8] {
    let mapped = try SealedMemory.map(memory, maximum: maximum)
    return withExtendedLifetime(mapped) { Array(mapped.bytes) }
  }

  @Test func packetsAreWholeAndCarryDescriptors() throws {
    let (a, b) = try SeqPacket.pair()
    guard case .nothing = try SeqPacket.receive(b, maximum: 10) else { return #expect(Bool(false)) }
    let memory = try SealedMemory.make(name: "test", [7])
    try SeqPacket.send(a, [1, 2], [memory])
    guard case .message([1, 2], let descriptors) = try SeqPacket.receive(b, maximum: 10), descriptors.count == 1 else {
      return #expect(Bool(false))
    }
    #expect(try contents(descriptors[0], maximum: 1) == [7])
    #expect(fcntl(descriptors[0].raw, F_GETFD) & FD_CLOEXEC != 0)
    // One that is too large is gone with what it brought.
    try SeqPacket.send(a, [UInt8](repeating: 0, count: 11), [memory])
    try SeqPacket.send(a, [3])
    #expect(throws: SystemError(call: "recvmsg", code: EMSGSIZE)) { _ = try SeqPacket.receive(b, maximum: 10) }
    guard case .message([3], _) = try SeqPacket.receive(b, maximum: 10) else { return #expect(Bool(false)) }
    // A peer that doesn't read is no reason to wait.
    #expect(throws: SystemError(call: "sendmsg", code: EAGAIN)) { while true { try SeqPacket.send(a, [1]) } }
    #expect(try SeqPacket.peer(a).uid == System.Process.userID)
  }

  @Test func aPeerThatIsGoneIsSaid() throws {
    var (a, b): (Descriptor, Descriptor?) = try SeqPacket.pair()
    b = nil
    guard case .closed = try SeqPacket.receive(a, maximum: 10) else { return #expect(Bool(false)) }
    #expect(throws: SystemError(call: "sendmsg", code: EPIPE)) { try SeqPacket.send(a, [1]) }
    #expect(throws: SystemError(call: "connect", code: ENOENT)) { a = try SeqPacket.connect("/nonexistent/socket") }
    let long = "/" + String(repeating: "x", count: 200)
    #expect(throws: SystemError.self) { a = try SeqPacket.connect(long) }
    withExtendedLifetime(b) {}
  }

  @Test func digestsAreThoseOfTheStandard() {
    let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    #expect(sha256([UInt8]()).hex == empty && sha256(Array("abc".utf8)).hex == abc)
    #expect(Digest(hex: abc) == sha256(Array("abc".utf8)))
    for wrong in ["", String(abc.dropLast()), abc + "0", abc.uppercased(), "g" + abc.dropFirst()] {
      #expect(Digest(hex: wrong) == nil)
    }
    #expect(sha256(Array("abc".utf8)) < sha256([UInt8]()))
  }

  @Test func levelsHaveTheirNames() {
    for level in Log.Level.allCases { #expect(Log.Level(name: level.name) == level) }
    #expect(Log.Level(name: "error") == .error && Log.Level(name: "loud") == nil && Log.Level.error < .debug)
  }
}
