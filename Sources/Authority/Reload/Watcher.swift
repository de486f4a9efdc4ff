// Tells when policy folders may have changed: one inotify watch a folder that the last scan went through, gathered over
// a quiet time so that several files saved together are read together.

internal import System

/// Loop-owned. Adding a watch looks its folder up; everything else about the folders is the scanning worker's.
final class Watcher {
  private let loop: EventLoop
  private let times: Authority.Times
  private let fired: (ScanExtent) -> Void
  private var inotify: Inotify?
  private var numbers: [String: Int32] = [:]
  private var timer: EventLoop.Timer?
  /// When the first event of those that wait came.
  private var first: UInt64?
  private var extent = ScanExtent.touched([])

  /// `fired`: what may have changed; after an overflow, or when a folder went, nothing read before may be relied on.
  init(_ loop: EventLoop, _ times: Authority.Times, fired: @escaping (ScanExtent) -> Void) throws(SystemError) {
    (self.loop, self.times, self.fired) = (loop, times, fired)
    inotify = try Inotify(loop) { [weak self] in self?.happened($0) }
  }

  /// Watches these folders and no others. true: some are watched only from now on, and what changed in them before is
  /// not known. A folder that can't be watched (gone, or no watches left) is met by the scan each minute.
  func arm(_ folders: Set<String>) -> Bool {
    for (folder, number) in numbers where !folders.contains(folder) {
      numbers[folder] = nil
      // Two names of one folder share a watch.
      if !numbers.values.contains(number) { inotify?.remove(number) }
    }
    var isNew = false
    for folder in folders where numbers[folder] == nil {
      guard let number = try? inotify?.add(folder) else { continue }
      numbers[folder] = number
      isNew = true
    }
    return isNew
  }

  func finish() {
    timer?.cancel()
    inotify?.cancel()
    inotify = nil
  }

  private func happened(_ event: Inotify.Event) {
    // The last words of a watch that was taken away.
    guard event.isOverflow || numbers.values.contains(event.watch) else { return }
    extent = extent.union(event.isOverflow || event.isGone ? .bytes : .touched(paths(event)))
    // The path may lead to another folder now, or come back: it is watched anew by the scan that follows.
    if event.isGone { forget(event.watch) }
    let now = loop.now
    let since = first ?? now
    first = since
    timer?.cancel()
    let latest = since &+ times.longestQuiet
    let left = latest > now ? latest &- now : 0
    timer = loop.after(nanoseconds: min(times.quiet, left)) { [weak self] in self?.fire() }
  }

  /// One watch may be of several names of a folder.
  private func paths(_ event: Inotify.Event) -> Set<String> {
    Set(numbers.filter { $0.value == event.watch }.keys.map { $0 == "/" ? "/\(event.name)" : "\($0)/\(event.name)" })
  }

  private func forget(_ number: Int32) {
    let folders = numbers.filter { $0.value == number }.keys
    guard !folders.isEmpty else { return }
    for folder in folders { numbers[folder] = nil }
    inotify?.remove(number)
  }

  private func fire() {
    let extent = self.extent
    (first, timer, self.extent) = (nil, nil, .touched([]))
    fired(extent)
  }
}
