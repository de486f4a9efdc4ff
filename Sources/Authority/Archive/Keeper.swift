// The archive's worker and the numbers it reserved, from the loop's side: nothing here waits.

internal import System

/// Loop-owned.
final class Keeper {
  private let archive: Archive
  private let worker: Worker
  /// Reserved and not used.
  private var numbers: Range<UInt64> = 0..<0
  private var isReserving = false
  private var waiting: [(UInt64?) -> Void] = []
  private let loop: EventLoop
  private var pending: StoredSet?
  private var isStoring = false
  /// Nanoseconds of the loop's clock; no store begins before.
  private var nextStore: UInt64 = 0
  private var pause: EventLoop.Timer?
  /// Why the state folder can't be written; nil: it can.
  private(set) var unwritable: StateError?
  /// What was found damaged at start, until a set was stored anew.
  private(set) var problems: [String] = []
  /// `unwritable` or `problems` changed.
  var changed: (() -> Void)?
  /// A set was replaced by a newer one before it was stored: no rollback can return to it.
  var dropped: ((HistoryEntry) -> Void)?

  /// Nanoseconds between the beginnings of two stores: what lasts no longer isn't worth its syncs, which would slow
  /// the answers down under a storm of changes.
  static let pace: UInt64 = 250_000_000
  /// Numbers left at which more are reserved.
  static let low: UInt64 = 512

  init(_ state: StateFolder, loop: EventLoop) throws(SystemError) {
    archive = Archive(state)
    self.loop = loop
    worker = try Worker(name: "licet-archive", niceness: 10, loop: loop)
  }

  func open(_ then: @escaping (OpenedArchive) -> Void) {
    let archive = self.archive
    worker.run({ archive.open() }) { [self] opened in
      numbers = opened.numbers
      problems = opened.problems
      unwritable = opened.unwritable
      then(opened)
    }
  }

  /// A number that was never used; nil: none can be reserved.
  func number(_ then: @escaping (UInt64?) -> Void) {
    if numbers.isEmpty {
      waiting.append(then)
      reserve()
      return
    }
    then(take())
    if numbers.count < Keeper.low { reserve() }
  }

  private func take() -> UInt64? {
    guard let first = numbers.first else { return nil }
    numbers = first &+ 1..<numbers.upperBound
    return first
  }

  private func reserve() {
    guard !isReserving else { return }
    isReserving = true
    let bound = numbers.upperBound &+ ArchiveLimits.block
    let archive = self.archive
    worker.run({ attempt { () throws(StateError) in try archive.reserve(bound) } }) { [self] error in
      isReserving = false
      if error == nil { numbers = numbers.lowerBound..<bound }
      note(error)
      let told = waiting
      waiting = []
      for then in told { then(take()) }
    }
  }

  /// Keeps a set, at once or when it is time; of several that wait only the newest.
  func store(_ set: StoredSet) {
    if let old = pending, old.entry != set.entry { dropped?(old.entry) }
    pending = set
    guard !isStoring, pause == nil else { return }
    if loop.now >= nextStore { return storePending() }
    pause = loop.after(nanoseconds: nextStore - loop.now) { [weak self] in self?.storePending() }
  }

  private func storePending() {
    pause?.cancel()
    pause = nil
    guard let set = pending else { return }
    isStoring = true
    pending = nil
    nextStore = loop.now &+ Keeper.pace
    let archive = self.archive
    worker.run({ attempt { () throws(StateError) in try archive.store(set) } }) { [self] error in
      isStoring = false
      if error == nil, !problems.isEmpty {
        problems = []
        changed?()
      }
      note(error)
      if let set = pending { store(set) }
    }
  }

  /// Calls back when it is on disk, or could not be written.
  func remember(_ rollback: RollbackRecord?, then: @escaping () -> Void = {}) {
    let archive = self.archive
    worker.run({ attempt { () throws(StateError) in try archive.remember(rollback: rollback) } }) { [self] error in
      note(error)
      then()
    }
  }

  /// Stores what waits before it looks.
  func files(of number: UInt64, then: @escaping (PolicyFiles?) -> Void) {
    storePending()
    let archive = self.archive
    worker.run({ archive.files(of: number) }, then: then)
  }

  func lastGood(_ name: String, then: @escaping (Layer?) -> Void) {
    let archive = self.archive
    worker.run({ archive.lastGood(name) }, then: then)
  }

  /// Stores what waits, and ends.
  func finish() {
    storePending()
    worker.finish()
  }

  private func note(_ error: StateError?) {
    guard error != unwritable else { return }
    unwritable = error
    changed?()
  }
}

private func attempt(_ body: () throws(StateError) -> Void) -> StateError? {
  do {
    try body()
    return nil
  } catch { return error }
}
