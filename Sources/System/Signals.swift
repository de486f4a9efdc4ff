// Signals as events of the loop: signalfd(2). They are blocked in the thread that makes this, so make it before any
// other thread.

internal import CSystem
internal import Glibc

public final class Signals {
  private let descriptor: Descriptor
  private let watch: EventLoop.Watch

  public init(
    _ loop: EventLoop, _ signals: [Int32], _ body: @escaping (Int32) -> Void
  ) throws(SystemError) {
    let descriptor = Descriptor(owning: try checked("signalfd", licet_signalfd(signals, Int32(signals.count))))
    self.descriptor = descriptor
    watch = try loop.watch(descriptor.raw, .readable) { _ in
      while true {
        let signal = licet_read_signal(descriptor.raw)
        guard signal > 0 else { return }
        body(signal)
      }
    }
  }

  public func cancel() { watch.cancel() }

  /// A peer that is gone is an error of the call, not the end of the program. signal(2)
  public static func ignoreBrokenPipes() { signal(SIGPIPE, SIG_IGN) }
}
