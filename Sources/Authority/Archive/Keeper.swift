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
  private var pending: StoredSet?
  private var isStoring = false
  /// Why the state folder can't be written; nil: it can.
  private(set) var unwritable: StateError?
  /// What was found damaged at start, until a set was stored anew.
  private(set) var problems: [String] = []
  /// `unwritable` or `problems` changed.
  var changed: (() -> Void)?

  /// Numbers left at which more are reserved.
  static let low: UInt64 = 512

  init(_ state: StateFolder, loop: EventLoop) throws(SystemError) {
    archive = Archive(state)
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

  /// Keeps a set; of several that wait only the newest.
  func store(_ set: StoredSet) {
    pending = set
    storeNext()
  }

  private func storeNext() {
    guard !isStoring, let set = pending else { return }
    isStoring = true
    pending = nil
    let archive = self.archive
    worker.run({ attempt { () throws(StateError) in try archive.store(set) } }) { [self] error in
      isStoring = false
      if error == nil, !problems.isEmpty {
        problems = []
        changed?()
      }
      note(error)
      storeNext()
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

  func files(of number: UInt64, then: @escaping (PolicyFiles?) -> Void) {
    let archive = self.archive
    worker.run({ archive.files(of: number) }, then: then)
  }

  func lastGood(_ name: String, then: @escaping (Layer?) -> Void) {
    let archive = self.archive
    worker.run({ archive.lastGood(name) }, then: then)
  }

  func finish() { worker.finish() }

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
