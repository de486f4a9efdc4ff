// A request's texts for points in time, and the clock.

import Foundation
import Consultation
import Offline

extension Instant {
  init(parsing text: String, at: String) throws(CommandError) {
    guard let instant = Instant(timestamp: text) else {
      throw CommandError(
        .badValue, "`\(harmless(text))` is no point in time", at: at, hint: "written as 2027-01-01T00:00:00Z (RFC 3339)"
      )
    }
    self = instant
  }

  /// The wall clock (clock_gettime(2)), read once a command.
  static var current: Instant {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Instant(seconds: Int64(time.tv_sec), nanoseconds: Int32(truncatingIfNeeded: time.tv_nsec))
  }
}
