// One line a message on standard error, as a service's journal wants it: sd-daemon(3).

internal import Glibc
internal import Synchronization

/// Thread-safe. A line is written by one write(2), and control characters in it are made harmless.
public final class Log: Sendable {
  /// As syslog(3) numbers them.
  public enum Level: Int32, Sendable, CaseIterable, Comparable {
    case error = 3, warning = 4, notice = 5, info = 6, debug = 7
    public static func < (a: Level, b: Level) -> Bool { a.rawValue < b.rawValue }
    public var name: String {
      switch self {
      case .error: "err"
      case .warning: "warning"
      case .notice: "notice"
      case .info: "info"
      case .debug: "debug"
      }
    }
    public init?(name: String) {
      guard let level = Level.allCases.first(where: { $0.name == name || (name == "error" && $0 == .error) }) else {
        return nil
      }
      self = level
    }
  }

  private let program: String
  private let isJournal: Bool
  private let threshold: Atomic<Int32>

  public init(program: String, level: Level = .info) {
    self.program = program
    isJournal = getenv("JOURNAL_STREAM") != nil
    threshold = Atomic(level.rawValue)
  }

  /// Messages of less importance are left out. Set on one thread; another may see it a little later.
  public var level: Level {
    get { Level(rawValue: threshold.load(ordering: .relaxed)) ?? .info }
    set { threshold.store(newValue.rawValue, ordering: .relaxed) }
  }

  public func callAsFunction(_ level: Level, _ message: @autoclosure () -> String) {
    guard level <= self.level else { return }
    var line: [UInt8] = []
    for text in message().split(separator: "\n", omittingEmptySubsequences: true) {
      line += Array(isJournal ? "<\(level.rawValue)>".utf8 : "\(program): \(level.name): ".utf8)
      for byte in text.utf8 { line.append(byte < 0x20 || byte == 0x7F ? UInt8(ascii: "?") : byte) }
      line.append(UInt8(ascii: "\n"))
    }
    line.withUnsafeBytes { _ = write(2, $0.baseAddress, $0.count) }
  }
}
