// What a systemd service says to and hears from its manager: sd_notify(3), sd_listen_fds(3), sd_watchdog_enabled(3).

internal import CSystem
internal import Glibc

public enum Service {
  /// "READY=1", "STATUS=…", "WATCHDOG=1": nothing happens where no manager listens.
  public static func notify(_ state: String) { licet_notify(state) }

  /// Nanoseconds within which the manager wants to hear WATCHDOG=1; nil: it doesn't.
  public static var watchdogInterval: UInt64? {
    let microseconds = licet_watchdog()
    return microseconds == 0 ? nil : microseconds &* 1000
  }

  /// Sockets that the manager passed on, from descriptor 3 on; taken once.
  public static func takeDescriptors() -> [Descriptor] {
    let count = licet_listen_descriptors()
    return count > 0 ? (0..<count).map { Descriptor(owning: 3 + $0) } : []
  }

  /// The system unit that a process belongs to; nil: none. sd_pid_get_unit(3)
  public static func unit(of pid: Int32) -> String? {
    var buffer = [CChar](repeating: 0, count: 257)
    guard licet_unit(pid, &buffer, buffer.count) == 0 else { return nil }
    return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}
