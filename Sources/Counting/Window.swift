// A window that slides by slices: what happened counts until the whole window, and at most one slice more, has passed.

/// A window of so many nanoseconds, in 16 slices and the one that is under way.
struct Window: Hashable {
  static let slices: Int64 = 16
  /// Slices that are kept.
  static let kept = 17

  /// Nanoseconds; rounded up, so that 16 of them are no less than the window.
  let slice: Int64

  init(seconds: UInt32) { slice = (Int64(seconds) * 1_000_000_000 + Window.slices - 1) / Window.slices }

  /// The longest that anything counts: a window and a slice.
  var longest: Int64 { slice * Int64(Window.kept) }

  func number(at time: Int64) -> Int64 { max(0, time) / slice }
  static func place(_ number: Int64) -> Int { Int(number % Int64(kept)) }
}
