// The page that the daemon alone writes and every attached process reads: words of 64 bits, each changed by one atomic
// store, so that a daemon may die at any instant between two of them (docs/attach-protocol.md).

/// Word by word. All that changes lies in one cache line.
public enum StatePage {
  public static let size = 4096
  /// "LICETSTA", little-endian.
  public static let magic: UInt64 = 0x4154_5354_4543_494C
  public static let version: UInt64 = 1

  /// `magic`
  public static let magicWord = 0
  public static let versionWord = 1
  /// Grows with each daemon that takes the page over; first of all.
  public static let epoch = 2
  /// Stored (release) after its images can be had. Never smaller than before.
  public static let generation = 3
  /// CLOCK_MONOTONIC of the daemon in nanoseconds, by its event loop, every `heartbeatInterval`.
  public static let heartbeat = 4
  /// Grows when something is to be asked again though the generation is the same: stops, who may speak for whom, and the
  /// daemon's end.
  public static let revocation = 5
  /// 1: the daemon has ended, cleanly.
  public static let gone = 6

  /// Nanoseconds.
  public static let heartbeatInterval: UInt64 = 1_000_000_000
}
