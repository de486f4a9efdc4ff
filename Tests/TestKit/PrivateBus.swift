// A message bus of a test's own: dbus-daemon with a configuration in a temporary folder, no services, no one else on it.

public import Bus
internal import Glibc

/// A private dbus-daemon; ends with this object, by its process id. One thread at a time.
public final class PrivateBus {
  public struct Failure: Error, CustomStringConvertible {
    public let description: String
  }

  /// `unix:path=…`; the same after a restart.
  public let addressText: String
  public var address: BusAddress { .address(addressText) }
  private let folder: String
  private var pid: pid_t = 0

  /// Starts a bus.
  /// - Parameters:
  ///   - policy: rules after "everybody may do everything", as in a bus configuration: `<deny own="x.y"/>`.
  ///   - limits: as in a bus configuration: `<limit name="max_message_size">1000</limit>`.
  public init(policy: String = "", limits: String = "") throws(Failure) {
    var template = Array("/tmp/licet-bus-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw Failure(description: "mkdtemp: \(errno)") }
    folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    addressText = "unix:path=\(folder)/bus"
    try write(
      """
      <!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
        "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
      <busconfig>
        <type>session</type>
        <listen>\(addressText)</listen>
        <auth>EXTERNAL</auth>
        <policy context="default">
          <allow send_destination="*" eavesdrop="true"/>
          <allow receive_sender="*" eavesdrop="true"/>
          <allow own="*"/>
          <allow user="*"/>
          \(policy)
        </policy>
        <limit name="max_replies_per_connection">50000</limit>
        \(limits)
      </busconfig>
      """, to: "\(folder)/bus.conf")
    try start()
  }

  deinit {
    stop()
    for name in ["bus", "bus.conf", "log"] { unlink("\(folder)/\(name)") }
    rmdir(folder)
  }

  /// Starts it (again), and waits until it listens.
  public func start() throws(Failure) {
    stop()
    unlink("\(folder)/bus")
    var ends: [Int32] = [0, 0]
    guard pipe(&ends) == 0 else { throw Failure(description: "pipe: \(errno)") }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    defer { close(ends[0]) }
    let spawned = spawn(printingTo: ends[1])
    close(ends[1])
    guard spawned == 0 else { throw Failure(description: "dbus-daemon can't be started: \(spawned)") }
    var byte: UInt8 = 0
    // It prints its address once it listens; or it ends, and so does the pipe.
    guard read(ends[0], &byte, 1) == 1 else {
      stop()
      throw Failure(description: "dbus-daemon ended at once: \(log())")
    }
  }

  /// Kills it. Its socket's file stays, as after a crash.
  public func stop() {
    guard pid > 0 else { return }
    kill(pid, SIGKILL)
    waitpid(pid, nil, 0)
    pid = 0
  }

  /// Stops it from running, or lets it go on: a bus that answers nothing.
  public func freeze(_ isFrozen: Bool) {
    if pid > 0 { kill(pid, isFrozen ? SIGSTOP : SIGCONT) }
  }

  private func spawn(printingTo descriptor: Int32) -> Int32 {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_adddup2(&actions, descriptor, 3)
    // Nothing of the test's own: whoever reads the test's output would wait for a bus that outlives it.
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDWR, 0)
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_RDWR, 0)
    posix_spawn_file_actions_addopen(&actions, 2, "\(folder)/log", O_WRONLY | O_CREAT | O_APPEND, 0o600)
    let arguments = ["dbus-daemon", "--nofork", "--nopidfile", "--config-file=\(folder)/bus.conf", "--print-address=3"]
    var pointers = arguments.map { strdup($0) } + [nil]
    defer { pointers.forEach { free($0) } }
    var environment: [UnsafeMutablePointer<CChar>?] = [nil]
    return posix_spawnp(&pid, "dbus-daemon", &actions, nil, &pointers, &environment)
  }

  /// What the daemon wrote to its standard error.
  public func log() -> String {
    guard let file = fopen("\(folder)/log", "re") else { return "" }
    defer { fclose(file) }
    var bytes = [UInt8](repeating: 0, count: 4096)
    return String(decoding: bytes.prefix(fread(&bytes, 1, bytes.count, file)), as: UTF8.self)
  }

  private func write(_ text: String, to path: String) throws(Failure) {
    guard let file = fopen(path, "we") else { throw Failure(description: "\(path): \(errno)") }
    let written = fputs(text, file)
    guard fclose(file) == 0, written >= 0 else { throw Failure(description: "\(path): \(errno)") }
  }
}
