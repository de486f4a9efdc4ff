// Counts and records on their way to disk, from the loop's side: one batch at a time, written by a worker.

internal import System

/// Loop-owned.
public final class Records {
  private let files: RecordFiles
  private let worker: Worker
  /// On disk.
  private var known = OpenedRecords()
  public private(set) var isOpen = false
  public private(set) var isWriting = false
  /// Why they can't be written; nil: they can.
  public private(set) var unwritable: StateError?
  /// Rings that a daemon before this one read, and nobody has gone on with: the oldest are forgotten past this.
  static let maximumRings = 16_384

  /// What was decided, as far as it is on disk.
  public var totals: Totals { known.totals }

  init(_ state: StateFolder, loop: EventLoop) throws(SystemError) {
    files = RecordFiles(state)
    worker = try Worker(name: "licet-records", loop: loop)
  }

  /// Reads what the daemon before this one left.
  func open(_ then: @escaping (_ isTorn: Bool) -> Void) {
    let files = self.files
    worker.run({ files.open() }) { [self] opened in
      known = opened
      unwritable = opened.unwritable
      isOpen = true
      then(opened.isTorn)
    }
  }

  /// How far a ring was read; nil: it was never, or by another user.
  public func progress(of ring: UInt64, uid: UInt32) -> RingProgress? {
    known.progress[ring].flatMap { $0.uid == uid ? $0 : nil }
  }

  /// Writes a batch; `then` hears whether it is on disk, and with it all that it says. One at a time.
  public func write(_ batch: RecordBatch, then: @escaping (Bool) -> Void) {
    precondition(isOpen && !isWriting)
    isWriting = true
    var bytes = RecordBytes()
    batch.write(&bytes)
    let (files, body, before) = (self.files, bytes.all, snapshot())
    worker.run({
      do throws(StateError) {
        try files.append(body, before: before())
        return nil
      } catch { return error }
    }) { [self] (error: StateError?) in
      isWriting = false
      unwritable = error
      if error == nil {
        apply(batch, &known)
        prune()
      }
      then(error == nil)
    }
  }

  /// Everything up to now as one batch; made on the worker, when a file begins.
  private func snapshot() -> @Sendable () -> [UInt8] {
    let known = self.known
    return {
      var batch = RecordBatch()
      batch.totals = known.totals
      batch.rings = known.progress
      var bytes = RecordBytes()
      batch.write(&bytes)
      return bytes.all
    }
  }

  private func prune() {
    guard known.progress.count > Records.maximumRings else { return }
    for (ring, _) in known.progress.sorted(by: { $0.value.taken < $1.value.taken }).prefix(Records.maximumRings / 4) {
      known.progress[ring] = nil
    }
  }

  /// Waits for what is being written.
  func finish() { worker.finish() }
}
