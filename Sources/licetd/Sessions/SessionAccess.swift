// Who may do what with a session. Its user, bound to its operator, may do everything; the ways out (to look, to stop, to
// close, to turn the dial down) need no policy and no binding, and are open to administrators as well (DESIGN P10).

import Authority
import Bus
import PolicyImage
import System

extension Daemon {
  static let sessionPath = path + "/session"
  static let sessionInterface = "org.licet.Licet1.Session"

  static func path(of session: Session) -> String { "\(sessionPath)/\(session.id)" }

  /// The one that a call is made on; nil: there is none.
  func session(of call: Call) -> Session? {
    let path = call.message.path ?? ""
    return SessionID(path.utf8.suffix(32)).flatMap { authority.sessions[$0] }
  }

  /// Whether this caller, who knows its id, may look at it and end it.
  func hasWaysOut(_ caller: Caller, _ session: Session) -> Bool {
    caller.isAdministrator() || caller.identity.uid == session.user
  }

  /// Whether this caller is told of it without knowing it. Who shares the user, and is bound to another operator alone, is
  /// not; unless the operator has no policy in force, so that nobody can be bound.
  func isTold(_ caller: Caller, of session: Session) -> Bool {
    if caller.isAdministrator() { return true }
    guard caller.identity.uid == session.user else { return false }
    return caller.speaks(for: session.operatorName) || authority.generation.operators[session.operatorName] == nil
  }

  /// Before each call on a session's object: whether there is one for this caller. Else the call is answered.
  func admitToSession(_ call: Call) -> Bool {
    guard let caller = caller(of: call) else { return false }
    guard let session = session(of: call) else { return refuseUnknown(call) }
    if hasWaysOut(caller, session) { return true }
    guard caller.speaks(for: session.operatorName) else { return refuseUnknown(call) }
    refuse(
      call, .foreignSession, "the session was opened by another user; only that one asks in it")
    return false
  }

  private func refuseUnknown(_ call: Call) -> Bool {
    refuse(
      call, .unknownSession,
      "there is no such session, or not any more: it ends when it is closed, when who opened it goes, and with licetd; open another one"
    )
    return false
  }

  /// For who asks in it: its user, as long as it is bound to the operator. Without any platform nobody is, and everything is
  /// denied.
  func asUser(of session: Session, _ caller: Caller) throws(Refusal) {
    guard caller.identity.uid == session.user else {
      throw Refusal(
        .foreignSession, "the session is user \(session.user)'s; an administrator looks, stops and closes alone")
    }
    guard caller.speaks(for: session.operatorName) || authority.generation.platform == nil else {
      throw Refusal(
        .notBound,
        "user \(caller.identity.uid) doesn't speak for `\(session.operatorName)`: no `bind` in force names it; `licet status` says whether its files are in force"
      )
    }
  }

  /// The first sessions that this caller is told of, in no order.
  func visibleSessions(_ caller: Caller?, atMost limit: Int) -> [Session] {
    guard let caller else { return [] }
    if caller.isAdministrator() { return Array(authority.sessions.sessions.prefix(limit)) }
    return Array(
      authority.sessions.sessions(of: caller.identity.uid).lazy.filter { self.isTold(caller, of: $0) }.prefix(limit))
  }

  func visibleCount(_ caller: Caller?) -> Int {
    guard let caller else { return 0 }
    if caller.isAdministrator() { return authority.sessions.count }
    return authority.sessions.sessions(of: caller.identity.uid).count { isTold(caller, of: $0) }
  }

  /// What touches all below a session takes as much of what its user may ask as there can be.
  func takeChange(_ caller: Caller, _ session: Session) throws(Refusal) {
    let count = max(1, authority.sessions.count(of: session.user))
    guard decisionPoint.limits.take(caller.identity.uid, decisions: count, now: loop.now) else {
      throw Refusal(.limitsExceeded, "user \(caller.identity.uid) changes too much at once")
    }
  }

  /// What is answered past every bound on how much one may ask: administration, an administrator's looking, and what ends
  /// something.
  func isWayOut(_ call: Call, _ caller: Caller) -> Bool {
    switch call.message.interface {
    case Daemon.adminInterface, Daemon.objectManager, "org.freedesktop.DBus.Properties": caller.isAdministrator()
    case Daemon.sessionInterface: ["Close", "Stop", "SetDial"].contains(call.message.member)
    default: false
    }
  }
}

extension Refusal {
  init(_ error: SessionError) {
    switch error {
    case .unknownSession: self.init(.unknownSession, "there is no such session any more; open another one")
    case .foreignSession: self.init(.foreignSession, "the session was opened by another user")
    case .badDial: self.init(.badDial, "dial: strictly between 0 and 1")
    case .badCost: self.init(.badCost, "cost: a number, not negative, not infinite; of a bound at least a millionth")
    case .badTime: self.init(.badTime, "lifetime-ms: at least 1; leave it out for no end")
    case .badName(let name):
      self.init(
        .badName, "`\(name.prefix(80))` is no behaviour's name: segments of a-z, 0-9, _ and -, with dots between")
    case .badResource(let pattern):
      self.init(.badRequest, "resources: `\(pattern.prefix(80))`: from 1 to 1024 bytes")
    case .tooMany(let what):
      self.init(
        .tooMany,
        "too many \(what): with all that it was delegated by at most 1024 names and 1024 patterns, 64 of its own; of one user at most 20000 sessions"
      )
    case .expired: self.init(.sessionExpired, "the session's time is over: nothing can be delegated from it")
    }
  }
}
