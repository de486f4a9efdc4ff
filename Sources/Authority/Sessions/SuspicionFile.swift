// Levels of suspicion in the state folder, so that a restart forgives nobody. One file, lines of words:
//
//   licet-suspicion 1 BOOT           the boot that the times are of
//   user OPERATOR DIGEST LEVEL TIME
//   operator OPERATOR all|own LEVEL TIME
//   unknown LEVEL TIME
//   end COUNT
//
// Thousandths, and nanoseconds of CLOCK_BOOTTIME. Of another boot the time that passed can't be known by a clock that nobody
// may set: those levels count on as they were written.

internal import Glibc
internal import System

/// Loop-owned.
final class SuspicionFile {
  enum Found {
    case nothing
    case levels([Suspicions.Subject: Suspicions.Level], unknown: Suspicions.Level?)
    case unreadable(String)
  }

  static let name = "suspicion"
  static let largest = 64 << 20
  /// Nanoseconds from a change until it is written, with all that came meanwhile.
  static let pause: UInt64 = 200_000_000
  /// The same, once it couldn't be written.
  static let longPause: UInt64 = 5_000_000_000

  private let state: StateFolder
  private let worker: Worker
  private let loop: EventLoop
  private let log: (String) -> Void
  private let boot: String
  private var timer: EventLoop.Timer?
  private var isWriting = false
  private var isDirty = false
  private var unwritable: StateError?

  init(_ state: StateFolder, loop: EventLoop, log: @escaping (String) -> Void) throws(SystemError) {
    (self.state, self.loop, self.log) = (state, loop, log)
    worker = try Worker(name: "licet-suspicion", niceness: 10, loop: loop)
    boot = SuspicionFile.bootIdentity ?? SuspicionFile.noBoot
  }

  private static let noBoot = "unknown"

  /// random(4)
  private static var bootIdentity: String? {
    guard let bytes = try? StateFolder(root: "/proc/sys/kernel/random").read("boot_id", maximum: 64) else { return nil }
    let digits = bytes.prefix { $0 > 0x20 && $0 < 0x7F }
    return digits.isEmpty ? nil : String(decoding: digits, as: UTF8.self)
  }

  // MARK: reading

  func read(now: UInt64) -> Found {
    let bytes: [UInt8]
    do throws(StateError) {
      guard let found = try state.read(SuspicionFile.name, maximum: SuspicionFile.largest) else { return .nothing }
      bytes = found
    } catch {
      return .unreadable(error.text)
    }
    var lines = bytes.split(separator: UInt8(ascii: "\n"))[...]
    guard let head = lines.popFirst().map(SuspicionFile.words), head.count == 3, head[0] == "licet-suspicion",
      head[1] == "1", let end = lines.popLast().map(SuspicionFile.words), end == ["end", "\(lines.count)"],
      bytes.last == UInt8(ascii: "\n")
    else { return .unreadable("\(state.root)/\(SuspicionFile.name): it is cut off, or of another form") }
    let isSameBoot = head[2] == boot && boot != SuspicionFile.noBoot
    var levels: [Suspicions.Subject: Suspicions.Level] = [:]
    var unknown: Suspicions.Level?
    for (number, line) in lines.enumerated() {
      let words = SuspicionFile.words(line)
      guard words.count >= 3, let exact = UInt32(words[words.count - 2]), let written = UInt64(words[words.count - 1]),
        exact <= Suspicions.highest
      else { return .unreadable("\(state.root)/\(SuspicionFile.name):\(number + 2): no level") }
      var level = Suspicions.Level(exact, since: isSameBoot ? min(written, now) : now)
      switch (words[0], words.count) {
      case ("user", 5) where isOperatorName(words[1]) && SessionID(words[2].utf8) != nil:
        if let digest = SessionID(words[2].utf8) { levels[.user(.init(words[1], digest))] = level }
      case ("operator", 5) where isOperatorName(words[1]) && ["all", "own"].contains(words[2]):
        level.isForAll = words[2] == "all"
        levels[.operator(words[1])] = level
      case ("unknown", 3): unknown = level
      default: return .unreadable("\(state.root)/\(SuspicionFile.name):\(number + 2): no level")
      }
    }
    return .levels(levels, unknown: unknown)
  }

  private static func words(_ line: ArraySlice<UInt8>) -> [String] {
    line.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false).map {
      String(decoding: $0, as: UTF8.self)
    }
  }

  // MARK: writing

  /// To be written soon.
  func changed(_ suspicions: Suspicions) {
    isDirty = true
    guard timer == nil, !isWriting else { return }
    timer = loop.after(nanoseconds: unwritable == nil ? SuspicionFile.pause : SuspicionFile.longPause) {
      [weak self, weak suspicions] in
      if let suspicions { self?.write(suspicions) }
    }
  }

  private func write(_ suspicions: Suspicions) {
    timer?.cancel()
    timer = nil
    guard isDirty else { return }
    (isDirty, isWriting) = (false, true)
    let state = self.state
    // A copy of the dictionary, which costs nothing; it is turned into text beside the loop.
    worker.run({ [boot, levels = suspicions.levels, unknown = suspicions.unknown] in
      SuspicionFile.keep(SuspicionFile.text(boot, levels, unknown), state)
    }) { [weak self, weak suspicions] error in
      guard let self else { return }
      self.isWriting = false
      if let error, error != self.unwritable {
        self.log("suspicion can't be kept, so a restart would forget what was raised since: \(error.text)")
      }
      self.unwritable = error
      if error != nil { self.isDirty = true }
      if self.isDirty, let suspicions { self.changed(suspicions) }
    }
  }

  private static func keep(_ bytes: [UInt8], _ state: StateFolder) -> StateError? {
    do throws(StateError) {
      try state.makeFolder("")
      try state.write(name, bytes)
      return nil
    } catch { return error }
  }

  static func text(
    _ boot: String, _ levels: [Suspicions.Subject: Suspicions.Level], _ unknown: Suspicions.Level?
  ) -> [UInt8] {
    var text = "licet-suspicion 1 \(boot)\n"
    var count = 0
    for (subject, level) in levels {
      switch subject {
      case .session: continue
      case .user(let key): text += "user \(key.operatorName) \(key.digest) \(level.exact) \(level.since)\n"
      case .operator(let name):
        text += "operator \(name) \(level.isForAll ? "all" : "own") \(level.exact) \(level.since)\n"
      }
      count += 1
    }
    if let unknown, unknown.exact != .max {
      text += "unknown \(unknown.exact) \(unknown.since)\n"
      count += 1
    }
    return Array((text + "end \(count)\n").utf8)
  }

  func finish(_ suspicions: Suspicions) {
    timer?.cancel()
    worker.finish()
    guard isDirty else { return }
    isDirty = false
    let error = SuspicionFile.keep(SuspicionFile.text(boot, suspicions.levels, suspicions.unknown), state)
    if let error, error != unwritable { log("suspicion can't be kept over this restart: \(error.text)") }
  }
}
