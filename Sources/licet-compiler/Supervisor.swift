// The processes that this one forked: each is watched through a socket whose other end it holds as long as it lives (its
// lifeline), killed at its deadline or when nobody waits for its answer any more, reaped, and spoken for when it
// ended without an answer. One poll(2) waits for all of it.

import CompilerProtocol
import Glibc
import System

struct Supervisor {
  /// Nanoseconds by the clock that a compile may take.
  static let deadline: UInt64 = 10_000_000_000

  private struct Child {
    let process: Int32
    let lifeline: Descriptor
    /// Our copy of the socket that it answers on.
    let reply: Descriptor
    var deadline: UInt64?
    var isLate = false
    /// Nobody reads the answer any more.
    var isAbandoned = false
  }

  private var children: [Child] = []
  /// Nanoseconds that a child whose reply socket was closed has to end by itself.
  private let grace: UInt64

  init(grace: UInt64) { self.grace = grace }

  var count: Int { children.count }

  /// Forks; `body` runs in the child, which holds its end of the lifeline as `life`.
  mutating func fork(answeringOn reply: Descriptor, _ body: (_ life: Descriptor) -> Never) {
    do throws(SystemError) {
      let (own, other) = try SeqPacket.pair()
      switch try Process.fork() {
      case .child: body(other)
      case .parent(let process):
        children.append(
          Child(process: process, lifeline: own, reply: reply, deadline: monotonicNow() &+ Self.deadline))
      }
    } catch {
      answer(reply, .failed(CompileFailure(.noProcess, detail: error.code)))
    }
  }

  /// Waits until one of `sockets` can be read or has ended, looking after the children meanwhile.
  mutating func wait(for sockets: [Int32]) -> [Int32] {
    while true {
      var entries = sockets.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
      for child in children {
        entries.append(pollfd(fd: child.lifeline.raw, events: Int16(POLLIN), revents: 0))
        // Only whether it hung up; -1 is passed over.
        entries.append(pollfd(fd: child.isAbandoned ? -1 : child.reply.raw, events: 0, revents: 0))
      }
      let before = children.count
      if poll(&entries, nfds_t(entries.count), timeout()) < 0, errno != EINTR { return [] }
      look(entries.dropFirst(sockets.count).map { $0.revents != 0 })
      let ready = entries.prefix(sockets.count).filter { $0.revents != 0 }.map(\.fd)
      if !ready.isEmpty || children.count < before { return ready }
    }
  }

  /// Milliseconds to the next deadline, rounded up; -1: none.
  private func timeout() -> Int32 {
    guard let next = children.compactMap(\.deadline).min() else { return -1 }
    let now = monotonicNow()
    return next <= now ? 0 : Int32(clamping: (next - now) / 1_000_000 + 1)
  }

  /// `events`: of each child, whether its lifeline and its reply socket showed something.
  private mutating func look(_ events: [Bool]) {
    let now = monotonicNow()
    var left: [Child] = []
    for (index, child) in children.enumerated() {
      var child = child
      let hasNews = events.indices.contains(2 * index) && events[2 * index]
      let isAbandoned = events.indices.contains(2 * index + 1) && events[2 * index + 1]
      if hasNews, !isAlive(&child) {
        end(child)
        continue
      }
      if isAbandoned {
        child.isAbandoned = true
        child.deadline = min(child.deadline ?? .max, now &+ grace)
      }
      if let deadline = child.deadline, deadline <= now {
        kill(child.process, SIGKILL)
        child.isLate = true
        child.deadline = nil
      }
      left.append(child)
    }
    children = left
  }

  /// A message over the lifeline says that the deadline is kept; its end that the process is gone.
  private func isAlive(_ child: inout Child) -> Bool {
    switch try? SeqPacket.receive(child.lifeline, maximum: 1) {
    case .message:
      if !child.isAbandoned { child.deadline = nil }
      return true
    case .nothing: return true
    case .closed, nil: return false
    }
  }

  private func end(_ child: Child) {
    // One that only closed its lifeline must not keep us waiting.
    kill(child.process, SIGKILL)
    var status: Int32 = 0
    while waitpid(child.process, &status, 0) < 0, errno == EINTR {}
    guard let failure = failure(status, child) else { return }
    log(.warning, "compile \(child.process) failed: \(failure.kind) \(failure.detail)")
    answer(child.reply, .failed(failure))
  }

  /// What waitpid(2) said; nil: it ended well.
  private func failure(_ status: Int32, _ child: Child) -> CompileFailure? {
    if status == 0 || child.isAbandoned { return nil }
    if child.isLate { return CompileFailure(.deadline, detail: Int32(Self.deadline / 1_000_000)) }
    let signal = status & 0x7F
    if signal == 0 { return CompileFailure(.exit, detail: status >> 8 & 0xFF) }
    return CompileFailure(signal == SIGXCPU ? .processorTime : .signal, detail: signal)
  }
}

/// Sends an answer; who doesn't wait for it any more, or can't take it, misses it.
func answer(_ socket: Descriptor, _ message: CompilerMessage, _ descriptors: [Descriptor] = []) {
  _ = try? SeqPacket.send(socket, message.encoded(), descriptors)
}
