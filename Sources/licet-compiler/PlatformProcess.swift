// A platform's process: compiles the platform, says so, then forks a fresh process for every operator.

import CompilerProtocol
import Glibc
import System

/// Operators at once; what else is asked for stays in the channel.
private let operatorsAtOnce = 4

/// Runs as a forked child of the parent. SAFETY of descriptors: it never returns, so that no `Descriptor` that it shares
/// with the parent is closed by its owner behind this one's back.
func runPlatform(sources: Descriptor, channel: Descriptor, life: Descriptor) -> Never {
  isolate(keeping: [sources, channel, life])
  limitMemory()
  limitProcessorTime(5)
  let platform: PlatformOnWire
  do { platform = try PlatformOnWire(sources) } catch {
    answer(channel, .failed(CompileFailure(.badRequest)))
    _exit(0)
  }
  close(sources.raw)
  send(platform.result, on: channel)
  // What it forks later counts as its own time, however little each is.
  limitProcessorTime(nil)
  _ = try? SeqPacket.send(life, [1])
  guard platform.isInForce else { _exit(0) }
  serve(channel, platform)
}

private func serve(_ channel: Descriptor, _ platform: PlatformOnWire) -> Never {
  var operators = Supervisor(grace: 0)
  while true {
    let isFull = operators.count >= operatorsAtOnce
    guard !operators.wait(for: isFull ? [] : [channel.raw]).isEmpty else { continue }
    do {
      switch try SeqPacket.receive(channel, maximum: WireLimits.messageBytes) {
      case .nothing: continue
      case .closed: _exit(0)
      case .message(let bytes, let descriptors): fork(bytes, descriptors, &operators, platform)
      }
    } catch { _exit(0) }
  }
}

private func fork(
  _ bytes: [UInt8], _ descriptors: [Descriptor], _ operators: inout Supervisor, _ platform: PlatformOnWire
) {
  guard case .operator(let name, let clamping)? = try? decodeMessage(bytes, descriptors: descriptors.count),
    descriptors.count == 2
  else {
    if descriptors.count == 2 { answer(descriptors[1], .failed(CompileFailure(.badRequest))) }
    log(.warning, "a channel is closed, because of what came")
    _exit(0)
  }
  let (sources, reply) = (descriptors[0], descriptors[1])
  operators.fork(answeringOn: reply) { life in
    isolate(keeping: [sources, reply, life])
    limitOperator()
    do { try Sandbox.enter(.child) } catch { _exit(70) }
    guard let result = try? platform.compileOperator(name, sources, clamping: clamping) else {
      answer(reply, .failed(CompileFailure(.badRequest)))
      _exit(0)
    }
    send(result, on: reply)
    _exit(0)
  }
}

/// A forked process's first steps: a group of its own, an end with whoever forked it, and nobody else's descriptors.
private func isolate(keeping kept: [Descriptor]) {
  setpgid(0, 0)
  Process.endWithParent(SIGKILL)
  do { try Process.closeAll(but: kept) } catch { _exit(70) }
}

/// What an operator's compile may use, for good.
private func limitOperator() {
  do throws(SystemError) {
    try Process.limit(.processorTime, 5)
    try Process.limit(.descriptors, 16)
  } catch { _exit(70) }
}

/// A platform's process hands this down to its operators'.
private func limitMemory() {
  do throws(SystemError) {
    try Process.limit(.memory, 1 << 30)
    try Process.limit(.core, 0)
  } catch { _exit(70) }
}

/// nil: as much as there may be. The soft limit alone, so that it can be lifted; SIGXCPU ends the process.
private func limitProcessorTime(_ seconds: rlim_t?) {
  var limit = rlimit()
  guard getrlimit(Int32(RLIMIT_CPU.rawValue), &limit) == 0 else { _exit(70) }
  limit.rlim_cur = min(seconds ?? limit.rlim_max, limit.rlim_max)
  guard setrlimit(Int32(RLIMIT_CPU.rawValue), &limit) == 0 else { _exit(70) }
}

/// Puts a result into sealed memory and sends it.
private func send(_ result: [UInt8], on socket: Descriptor) {
  do {
    let memory = try SealedMemory.make(name: "licet-result", result)
    answer(socket, .result, [memory])
  } catch { answer(socket, .failed(CompileFailure(.noProcess, detail: error.code))) }
}
