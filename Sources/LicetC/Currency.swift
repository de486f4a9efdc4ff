// Is what a request was laid out for still in force? A few loads, unless the daemon has something new: then one thread
// fetches it and the others wait, bounded (DESIGN §5).

internal import Attach
internal import CLicet
internal import Decision
internal import PolicyImage

/// How a request stands before it is decided.
enum Currency {
  /// On what is in force.
  case current
  /// The authority can't be reached and what is known of it is stale, or there is nothing yet.
  case lost
  /// Refused: a code, whose sentence is in the request's error.
  case refused(Int32)
}

/// How it goes on once it stands so.
enum Standing {
  case current
  /// On what is in force, its session included.
  case inSession
  case lost
}

extension UnsafeMutablePointer where Pointee == Snapshot {
  /// Whether the daemon says that this is in force, and lives. The loads stand in the order that publishing needs: the
  /// generation first, with acquire.
  @inline(__always)
  func isInForce(_ authority: AuthorityRef) -> Bool {
    guard let page = pointee.page else {
      return authority.pointee.mode == LICET_EMBEDDED || authority.pointee.mode == LICET_REMOTE
    }
    let words = page.pointee.base.assumingMemoryBound(to: UInt64.self)
    guard clicet_load_acquire(words + StatePage.generation) == pointee.generation,
      clicet_load_relaxed(words + StatePage.revocation) == pointee.revocation,
      clicet_load32(authority.pointee.mark) == pointee.attachment
    else { return false }
    return isFresh(authority, words)
  }

  @inline(__always)
  private func isFresh(_ authority: AuthorityRef, _ words: UnsafePointer<UInt64>) -> Bool {
    let now = clicet_coarse_now()
    let age = now &+ pointee.clockOffset &- clicet_load_relaxed(words + StatePage.heartbeat)
    let limit = authority.pointee.settings.staleAfter
    // Clocks that disagree a little make it negative; what is far ahead is no sign of life.
    if Int64(bitPattern: age).magnitude < limit { return true }
    // A coarse clock may be a little behind.
    return now < pointee.askedAt || now &- pointee.askedAt < limit
  }

  /// Read again when a decision was made: was it revoked meanwhile?
  @inline(__always)
  var isRevoked: Bool {
    guard let page = pointee.page else { return false }
    clicet_fence_acquire()
    let words = page.pointee.base.assumingMemoryBound(to: UInt64.self)
    return clicet_load_relaxed(words + StatePage.revocation) != pointee.revocation
  }
}

extension UnsafeMutablePointer where Pointee == Request {
  /// Lays the request out on what is in force, if it isn't already.
  @inline(__always)
  func update() -> Currency {
    if let snapshot = pointee.snapshot, snapshot.isInForce(pointee.authority) { return .current }
    return fetch()
  }

  @inline(never)
  private func fetch() -> Currency {
    let authority = pointee.authority
    guard clicet_lock(authority.pointee.lock, authority.pointee.settings.timeout) == 0 else { return .lost }
    // Whoever held the lock may have fetched it.
    var result = Currency.current
    if !(authority.pointee.current.map { $0.isInForce(authority) } ?? false) { result = authority.fetch(error) }
    let snapshot = authority.pointee.current
    if let snapshot { Snapshot.retain(snapshot) }
    clicet_unlock(authority.pointee.lock)
    guard let snapshot else { return result }
    if snapshot == pointee.snapshot {
      Snapshot.release(snapshot)
    } else if !lay(on: snapshot) {
      Snapshot.release(snapshot)
      return .lost
    }
    return result
  }
}
