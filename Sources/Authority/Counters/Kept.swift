// The file of what counters have come to: host, start of the host, time, the store's bytes, a digest of it all
// (docs/design/counters.md).

internal import Counting
internal import System

/// Moves a store between threads once, before anybody uses it.
struct Handed: @unchecked Sendable { let value: CounterStore }

struct Kept: Sendable {
  let snapshot: CounterSnapshot
  let host: String
  let boot: String
  /// Since that start, in nanoseconds.
  let time: Int64

  static let magic = Array("licet counters 1\n".utf8)

  enum Outcome: Sendable {
    /// Nothing was ever kept.
    case none
    /// The store, and what time it is of it now.
    case store(Handed, now: Int64)
    case lost(String)
  }

  func bytes() -> [UInt8] {
    var bytes = Kept.magic
    for text in [host, boot] {
      let own = Array(text.utf8.prefix(255))
      bytes.append(UInt8(own.count))
      bytes += own
    }
    withUnsafeBytes(of: time.littleEndian) { bytes += $0 }
    bytes += snapshot.bytes()
    return bytes + sha256(bytes).bytes
  }

  static func read(
    _ state: StateFolder, host: String, limit: Int, clock: CounterClock = CounterClock()
  ) -> Outcome {
    let bytes: [UInt8]
    do throws(StateError) {
      guard let found = try state.read(Counters.file, maximum: Counters.maximumFile) else { return .none }
      bytes = found
    } catch {
      return .lost("what was kept can't be read (\(error.text))")
    }
    guard bytes.count > magic.count + 32, bytes.starts(with: magic),
      sha256(Array(bytes.dropLast(32))).bytes == Array(bytes.suffix(32))
    else { return .lost("what was kept is torn, or no file of counters") }
    var at = magic.count
    func text() -> String? {
      guard at < bytes.count, at + 1 + Int(bytes[at]) <= bytes.count - 32 else { return nil }
      defer { at += 1 + Int(bytes[at]) }
      return String(decoding: bytes[at + 1..<at + 1 + Int(bytes[at])], as: UTF8.self)
    }
    guard let itsHost = text(), let itsBoot = text(), at + 8 <= bytes.count - 32 else {
      return .lost("what was kept makes no sense")
    }
    guard itsHost == host else { return .lost("what was kept is another host's") }
    let time = bytes[at..<at + 8].reversed().reduce(Int64(0)) { $0 << 8 | Int64($1) }
    // Within one start of the host its own clock says how long ago that was. After another, all that is sure is that it was
    // before that start: how long the host was off only the wall clock says, which anything may have set.
    let elapsed = itsBoot == clock.bootID && !itsBoot.isEmpty ? clock.boot - time : clock.boot
    guard let store = CounterStore(Array(bytes[(at + 8)..<(bytes.count - 32)]), elapsed: elapsed, limit: limit) else {
      return .lost("what was kept makes no sense")
    }
    return .store(Handed(value: store), now: store.now)
  }
}
