// The loop: what is due, what is ready, what was left for later; cancelled things are never called again.

import Foundation
import Testing

@testable import System

@Suite struct EventLoopTests {
  private func pipes() throws -> (read: Descriptor, write: Descriptor) {
    var ends: [Int32] = [-1, -1]
    try #require(pipe(&ends) == 0)
    return (Descriptor(owning: ends[0]), Descriptor(owning: ends[1]))
  }

  private func turn(_ loop: EventLoop, _ seconds: Double = 5, until isDone: () -> Bool) -> Bool {
    let end = loop.now &+ UInt64(seconds * 1e9)
    while !isDone() {
      if loop.now >= end { return false }
      loop.turn(maximumWait: 10_000_000)
    }
    return true
  }

  // MARK: Time

  @Test func timersFireInOrderAndNotBefore() throws {
    let loop = try EventLoop()
    var fired: [(Int, UInt64)] = []
    let start = loop.now
    for delay in [3, 1, 2, 0, 1] {
      loop.after(nanoseconds: UInt64(delay) * 5_000_000) { fired.append((delay, loop.now)) }
    }
    #expect(turn(loop) { fired.count == 5 })
    #expect(fired.map(\.0) == [0, 1, 1, 2, 3])
    #expect(fired.allSatisfy { $0.1 >= start + UInt64($0.0) * 5_000_000 })
  }

  @Test func aTimerThatIsCancelledIsSilentAlsoByOneThatIsDueWithIt() throws {
    let loop = try EventLoop()
    var fired: [String] = []
    var second: EventLoop.Timer?
    var again: EventLoop.Timer?
    loop.after(nanoseconds: 1_000_000) {
      fired.append("first")
      second?.cancel()
    }
    second = loop.after(nanoseconds: 1_000_000) { fired.append("second") }
    again = loop.after(nanoseconds: 1_000_000, every: 1_000_000) {
      fired.append("again")
      if fired.filter({ $0 == "again" }).count == 3 { again?.cancel() }
    }
    usleep(3000)
    #expect(turn(loop) { fired.count == 4 })
    #expect(!turn(loop, 0.02) { fired.count > 4 })
    #expect(fired.first == "first" && !fired.contains("second"))
    second?.cancel()
  }

  @Test func missedBeatsAreOne() throws {
    let loop = try EventLoop()
    var count = 0
    let timer = loop.after(nanoseconds: 1_000_000, every: 50_000_000) { count += 1 }
    usleep(200_000)
    loop.turn(maximumWait: 0)
    #expect(count == 1)
    loop.turn(maximumWait: 0)
    #expect(count <= 2)
    timer.cancel()
  }

  @Test func aTimeBeyondAllTimeNeverComesAndHarmsNothing() throws {
    let loop = try EventLoop()
    loop.after(nanoseconds: .max, every: .max) { Issue.record("fired") }
    var isDone = false
    loop.after(nanoseconds: 1_000_000, every: .max) { isDone = true }
    #expect(turn(loop) { isDone })
    loop.turn(maximumWait: 1_000_000)
  }

  @Test func laterIsBeforeTheNextSleepAndRunEnds() throws {
    let loop = try EventLoop()
    var order: [Int] = []
    loop.soon {
      order.append(1)
      loop.soon {
        order.append(3)
        loop.stop()
      }
    }
    loop.soon { order.append(2) }
    loop.run()
    #expect(order == [1, 2, 3])
    // Stopped from a timer, run again.
    loop.after(nanoseconds: 1_000_000) { loop.stop() }
    loop.run()
  }

  // MARK: Descriptors

  @Test func severalWatchesOfOneDescriptorEachHear() throws {
    let loop = try EventLoop()
    let (read, write) = try pipes()
    var heard: [String] = []
    var second: EventLoop.Watch?
    let first = try loop.watch(read.raw, .readable) { _ in
      heard.append("first")
      second?.cancel()
    }
    second = try loop.watch(read.raw, .readable) { _ in heard.append("second") }
    #expect(Glibc.write(write.raw, "x", 1) == 1)
    loop.turn(maximumWait: 1_000_000_000)
    #expect(heard == ["first"], "cancelled in the same turn")
    first.interest = []
    loop.turn(maximumWait: 0)
    #expect(heard.count == 1, "asleep")
    first.interest = .readable
    loop.turn(maximumWait: 1_000_000_000)
    #expect(heard.count == 2)
    first.cancel()
    first.cancel()
    loop.turn(maximumWait: 0)
    #expect(heard.count == 2)
  }

  @Test func aHangUpIsReportedToWhoeverWaits() throws {
    let loop = try EventLoop()
    var (read, write): (Descriptor, Descriptor?) = try pipes()
    var seen: EventLoop.Interest = []
    let watch = try loop.watch(read.raw, .readable) { seen.formUnion($0) }
    write = nil
    #expect(turn(loop) { seen == .readable })
    watch.cancel()
    (read, write) = try pipes()
    let writer = try #require(write)
    let broken = try loop.watch(writer.raw, .writable) { seen.formUnion($0) }
    #expect(turn(loop) { seen == [.readable, .writable] })
    broken.cancel()
  }

  @Test func aNumberThatIsUsedAgainIsAnotherDescriptor() throws {
    let loop = try EventLoop()
    for round in 0..<50 {
      let (read, write) = try pipes()
      var count = 0
      let watch = try loop.watch(read.raw, .readable) { _ in count += 1 }
      #expect(Glibc.write(write.raw, "x", 1) == 1)
      loop.turn(maximumWait: 1_000_000_000)
      #expect(count == 1, "\(round)")
      watch.cancel()
    }
  }

  @Test func whatCanNotBeWatchedIsAnError() throws {
    let loop = try EventLoop()
    #expect(throws: SystemError.self) { _ = try loop.watch(-1, .readable) { _ in } }
    // A regular file is always ready, and epoll says so by refusing it.
    let file = Descriptor(owning: open("/dev/null", O_RDONLY))
    let memory = try SealedMemory.make(name: "test", [1])
    #expect(throws: SystemError.self) { _ = try loop.watch(memory.raw, .readable) { _ in } }
    _ = file
  }

  @Test func aDescriptorIsClosedWithItsLastReference() throws {
    var (read, write): (Descriptor?, Descriptor?) = try pipes()
    let copy = try #require(write).duplicate()
    #expect(fcntl(copy.raw, F_GETFD) & FD_CLOEXEC != 0)
    write = nil
    var status = pollfd(fd: try #require(read).raw, events: Int16(POLLIN), revents: 0)
    #expect(poll(&status, 1, 0) == 0, "the copy keeps it open")
    withExtendedLifetime(copy) {}
    read = nil
    status = pollfd(fd: copy.raw, events: Int16(POLLOUT), revents: 0)
    #expect(poll(&status, 1, 0) == 1 && status.revents & Int16(POLLERR) != 0, "nobody reads")
    #expect(throws: SystemError(call: "fcntl", code: EBADF)) { _ = try Descriptor(owning: -1).duplicate() }
  }

  @Test func aSignalHandlerIsNoEventAndNoError() throws {
    // No SA_RESTART: epoll_wait(2) returns with EINTR.
    var action = sigaction()
    action.__sigaction_handler.sa_handler = { _ in }
    #expect(sigaction(SIGURG, &action, nil) == 0)
    let loop = try EventLoop()
    let worker = try Worker(name: "signals", loop: loop)
    let thread = pthread_self()
    var count = 0
    for _ in 0..<20 {
      worker.run({
        usleep(1000)
        return pthread_kill(thread, SIGURG)
      }) { if $0 == 0 { count += 1 } }
    }
    var isDue = false
    loop.after(nanoseconds: 60_000_000) { isDue = true }
    let start = loop.now
    #expect(turn(loop) { isDue && count == 20 })
    #expect(loop.now - start >= 60_000_000)
    worker.finish()
  }
}
