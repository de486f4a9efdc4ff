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

  /// Descriptors that the manager passed on, from descriptor 3 on, with their names; taken once. Sockets have their
  /// unit's name unless that says another one, what `keep` stored has the one that it was given.
  public static func takeDescriptors() -> [(name: String, descriptor: Descriptor)] {
    var names = [CChar](repeating: 0, count: 4096)
    let count = licet_listen_names(&names, names.count)
    guard count > 0 else { return [] }
    let words = names.map { UInt8(bitPattern: $0) }.split(separator: 0, omittingEmptySubsequences: false)
    return (0..<Int(count)).map {
      (String(decoding: words[$0], as: UTF8.self), Descriptor(owning: 3 + Int32($0)))
    }
  }

  /// The manager keeps the descriptor over a restart of the service, and passes it on under this name. FDSTORE=1
  public static func keep(_ descriptor: Descriptor, name: String) { licet_store_descriptor(name, descriptor.raw) }

  /// The system unit that a process belongs to; nil: none. sd_pid_get_unit(3)
  public static func unit(of pid: Int32) -> String? {
    var buffer = [CChar](repeating: 0, count: 257)
    guard licet_unit(pid, &buffer, buffer.count) == 0 else { return nil }
    return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}
