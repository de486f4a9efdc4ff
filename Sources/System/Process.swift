// Other processes: fork(2), exec, waiting, limits.

internal import CSystem
internal import Glibc

public enum Process {
  public enum Fork { case child, parent(pid: Int32) }

  /// Only for a process with a single thread: the child goes on with a copy of everything. fork(2)
  public static func fork() throws(SystemError) -> Fork {
    let pid = try checked("fork", licet_fork())
    return pid == 0 ? .child : .parent(pid: pid)
  }

  /// Starts a program; `descriptors` are its 3, 4, …, all others but 0 to 2 are closed. It ends with SIGTERM when the
  /// thread that started it ends. A path that can't be run shows as exit code 127.
  public static func spawn(
    _ path: String, _ arguments: [String], descriptors: [Descriptor] = []
  ) throws(SystemError) -> Int32 {
    var words: [UnsafeMutablePointer<CChar>?] = ([path] + arguments).map { strdup($0) }
    words.append(nil)
    defer { for word in words { free(word) } }
    let raw = descriptors.map(\.raw)
    return try checked("fork", licet_spawn(path, words, raw, Int32(raw.count)))
  }

  /// Readable when the process has ended. pidfd_open(2)
  public static func descriptor(of pid: Int32) throws(SystemError) -> Descriptor {
    Descriptor(owning: try checked("pidfd_open", licet_pidfd(pid)))
  }

  /// How a child ended.
  public enum End: Hashable, Sendable { case exit(Int32), signal(Int32) }

  /// Takes a child's end; nil: it still runs, or it is no child. waitpid(2) with WNOHANG
  public static func reap(_ pid: Int32) -> End? {
    var status: Int32 = 0
    guard licet_reap(pid, &status) == 1 else { return nil }
    return status & 0x7F == 0 ? .exit((status >> 8) & 0xFF) : .signal(status & 0x7F)
  }

  /// Sends a signal; false: there is no such process, or no right to. kill(2)
  @discardableResult
  public static func signal(_ pid: Int32, _ number: Int32) -> Bool { kill(pid, number) == 0 }

  /// Closes every descriptor but these and 0 to 2. close_range(2)
  public static func closeAll(but keep: [Descriptor]) throws(SystemError) {
    let raw = keep.map(\.raw)
    try checked("close_range", licet_close_others(raw, Int32(raw.count)))
  }

  /// Ends without running anything on the way. _exit(2)
  public static func exitNow(_ code: Int32) -> Never { _exit(code) }

  /// This process is sent `signal` when its parent ends. prctl(2)
  public static func endWithParent(_ number: Int32) { licet_die_with_parent(number) }

  public enum Limit: Int32, Sendable {
    /// Seconds.
    case processorTime = 0
    /// Bytes of address space.
    case memory = 1
    case descriptors = 2
    /// Bytes.
    case core = 3
    case processes = 4
  }

  /// setrlimit(2), soft and hard.
  public static func limit(_ what: Limit, _ value: UInt64) throws(SystemError) {
    try checked("setrlimit", licet_limit(what.rawValue, value))
  }

  /// The program that runs, with links resolved. /proc/self/exe
  public static func ownPath() -> String? {
    var buffer = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
    guard realpath("/proc/self/exe", &buffer) != nil else { return nil }
    return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  public static var userID: UInt32 { geteuid() }
  public static var id: Int32 { getpid() }
}
