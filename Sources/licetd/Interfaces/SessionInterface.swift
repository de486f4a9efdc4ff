// org.licet.Licet1.Session: an object for each session, below /org/licet/Licet1/session, and how one is opened.

import Authority
import Bus
import Consultation
import Decision
import Glibc
import PolicyImage
import System

extension Daemon {
  /// Sessions that one answer tells of.
  static let sessionsTold = 4096

  func sessionFamily() -> ObjectTable.Family {
    ObjectTable.Family(
      at: Daemon.sessionPath, [sessionInterface()], isName: { SessionID($0.utf8) != nil },
      admit: { [unowned self] in admitToSession($0) },
      children: { [unowned self] call in
        visibleSessions(caller(of: call), atMost: Daemon.sessionsTold).map(\.id.description)
      })
  }

  private func sessionInterface() -> Interface {
    let answer: KeyValuePairs = ["effect": "s", "obligations": "as", "details": "a{sv}"]
    return Interface(
      Daemon.sessionInterface,
      methods: [
        .init("Check", in: ["behaviors": "as", "request": "a{sv}"], out: answer) { [unowned self] in
          check($0, isExplaining: false)
        },
        .init("CheckMany", in: ["requests": "a(asa{sv})"], out: ["decisions": "a(sasa{sv})"]) { [unowned self] in
          checkMany($0)
        },
        .init("Explain", in: ["behaviors": "as", "request": "a{sv}"], out: answer) { [unowned self] in
          check($0, isExplaining: true)
        },
        .init("SetPreference", in: ["behavior": "s", "effect": "s"]) { [unowned self] in setPreference($0) },
        .init("SetDial", in: ["dial": "d"]) { [unowned self] in setDial($0) },
        .init("Delegate", in: ["terms": "a{sv}"], out: ["session": "o"]) { [unowned self] in delegate($0) },
        .init("Spend", in: ["cost": "d"], out: ["left": "d"]) { [unowned self] in spend($0) },
        .init("Stop") { [unowned self] in stop($0) },
        .init("Close") { [unowned self] in close($0) },
      ],
      properties: sessionRows.map { row in
        .init(row.name, row.signature, emits: row.isConstant ? .constant : .never) { [unowned self] call, writer in
          if let session = session(of: call) { row.write(session, &writer) }
        }
      })
  }

  // MARK: opening

  func openSession(_ call: Call) {
    guard let caller = caller(of: call) else { return }
    refusing(call) { () throws(Refusal) in
      try takeDecision(caller)
      guard authority.generation.platform != nil else {
        throw Refusal(.notBound, "no platform is in force, so nobody speaks for an operator; `licet status` says why")
      }
      var reader = call.reader
      let name = try operatorName(&reader, caller, isExplaining: false)
      let terms = try decisionPoint.readTerms(&reader, isDelegate: false)
      let session = try refusing { () throws(SessionError) in
        try authority.sessions.open(name, user: caller.identity.uid, owner: .bus(call.sender), terms)
      }
      call.reply { $0.append(objectPath: Daemon.path(of: session)) }
      subscribers.tellOpened(session, self)
    }
  }

  private func delegate(_ call: Call) {
    asUser(call) { caller, parent throws(Refusal) in
      try takeDecision(caller)
      var reader = call.reader
      let terms = try decisionPoint.readTerms(&reader, isDelegate: true)
      let session = try refusing { () throws(SessionError) in
        try authority.sessions.delegate(parent, owner: .bus(call.sender), terms)
      }
      call.reply { $0.append(objectPath: Daemon.path(of: session)) }
      subscribers.tellOpened(session, self)
    }
  }

  /// For the session's user; anybody else is refused.
  private func asUser(_ call: Call, _ body: (Caller, Session) throws(Refusal) -> Void) {
    guard let caller = caller(of: call), let session = session(of: call) else { return }
    refusing(call) { () throws(Refusal) in
      try asUser(of: session, caller)
      try body(caller, session)
    }
  }

  private func refusing<T>(_ body: () throws(SessionError) -> T) throws(Refusal) -> T {
    do throws(SessionError) { return try body() } catch { throw Refusal(error) }
  }

  // MARK: asking

  private func check(_ call: Call, isExplaining: Bool) {
    guard let caller = caller(of: call), let session = session(of: call) else { return }
    refusing(call) { () throws(Refusal) in
      // An administrator may have anybody's decisions explained.
      if !isExplaining || !caller.isAdministrator() { try asUser(of: session, caller) }
      try takeDecision(caller)
      var reader = call.reader
      try answer(call, &reader, operator: session.operatorName, in: session, isExplaining: isExplaining)
    }
  }

  private func checkMany(_ call: Call) {
    asUser(call) { caller, session throws(Refusal) in
      var reader = call.reader
      try answerMany(call, caller, &reader, operator: session.operatorName, in: session)
    }
  }

  // MARK: changing

  private func setPreference(_ call: Call) {
    asUser(call) { caller, session throws(Refusal) in
      try takeChange(caller, session)
      var reader = call.reader
      guard let behavior = try? reader.nextSwiftString(), let word = try? reader.nextSwiftString() else { return }
      let effect = Effect(named: word)
      guard effect != nil || word.isEmpty else {
        throw Refusal(
          .badRequest, "effect: `\(word.prefix(80))` is none of deny, ask, allow; empty takes the wish back")
      }
      try refusing { () throws(SessionError) in try authority.sessions.setPreference(session, behavior, effect) }
      call.reply()
    }
  }

  /// Whoever may look at a session may lower its dial; raising it is for its user, who is bound to the operator.
  private func setDial(_ call: Call) {
    guard let caller = caller(of: call), let session = session(of: call) else { return }
    refusing(call) { () throws(Refusal) in
      var reader = call.reader
      guard let number = try? reader.nextDouble() else { return }
      let dial = try DecisionPoint.dial(number)
      if !lowers(dial, session) {
        try asUser(of: session, caller)
        try takeChange(caller, session)
      }
      try refusing { () throws(SessionError) in try authority.sessions.setDial(session, dial) }
      call.reply()
    }
  }

  /// Says what was spent. It can only take away, so that it is for the session's user whether bound or not.
  private func spend(_ call: Call) {
    guard let caller = caller(of: call), let session = session(of: call) else { return }
    refusing(call) { () throws(Refusal) in
      guard caller.identity.uid == session.user else {
        throw Refusal(.foreignSession, "the session is user \(session.user)'s")
      }
      var reader = call.reader
      guard let cost = try? reader.nextDouble() else { return }
      try takeDecision(caller)
      let left = try refusing { () throws(SessionError) in try authority.sessions.spend(session, cost) }
      call.reply { $0.append(left) }
    }
  }

  // MARK: ways out

  private func stop(_ call: Call) {
    guard let caller = caller(of: call), let session = session(of: call) else { return }
    log(.notice, "\(call.sender) stops session \(session.id) of \(session.operatorName)")
    authority.sessions.stop(session, by: caller.identity.uid)
    call.reply()
  }

  private func close(_ call: Call) {
    guard let session = session(of: call) else { return }
    authority.sessions.close(session)
    call.reply()
  }

  // MARK: looking

  /// The dial that a decision in it goes by; nil: no platform is in force.
  private func settledDial(of session: Session) -> Degree? {
    let terms = authority.sessions.memory(of: session).terms.pointee
    return decisionPoint.policy(for: session.operatorName)?.settledDial(session: terms.dial, cap: terms.dialCap)
  }

  /// Whether its dial is no higher with this one, than its own or, where it has none, than the policy's.
  private func lowers(_ dial: Degree, _ session: Session) -> Bool {
    if let own = session.level.dial { return dial <= own }
    // A delegate's own is a cap.
    guard !session.isDelegate, let policy = decisionPoint.policy(for: session.operatorName) else { return true }
    return policy.settledDial(session: dial, cap: .one) <= policy.settledDial(session: .zero, cap: .one)
  }

  struct SessionRow {
    let name: String
    let signature: String
    var isConstant = false
    let write: (Session, inout MessageWriter) -> Void
  }

  /// What is to be seen of a session.
  var sessionRows: [SessionRow] {
    [
      .init(name: "Operator", signature: "s", isConstant: true) { $1.append($0.operatorName) },
      .init(name: "User", signature: "u", isConstant: true) { $1.append($0.user) },
      .init(name: "Parent", signature: "o", isConstant: true) { session, writer in
        writer.append(objectPath: session.parent.map(Daemon.path) ?? "/")
      },
      .init(name: "Dial", signature: "d") { [unowned self] session, writer in
        writer.append(settledDial(of: session)?.value ?? 0)
      },
      .init(name: "Spent", signature: "d") { $1.append(Double($0.spentMillionths) / 1_000_000) },
      .init(name: "Cost", signature: "d", isConstant: true) { session, writer in
        writer.append(session.costBound == .max ? Double.infinity : Double(session.costBound) / 1_000_000)
      },
      .init(name: "Expires", signature: "x") { session, writer in writer.append(Daemon.expiry(session)) },
      .init(name: "Suspicion", signature: "d") { [unowned self] session, writer in
        writer.append(Double(authority.suspicions.level(.session(session.root.id))) / 1000)
      },
      .init(name: "Halted", signature: "b") { [unowned self] session, writer in
        writer.append(!allHalts(session).isEmpty)
      },
      .init(name: "Halts", signature: "aa{sv}") { [unowned self] session, writer in
        AnswerWriter(generation: authority.generation.number).write(allHalts(session), &writer)
      },
      .init(name: "Terms", signature: "a{sv}") { session, writer in
        writer.array("{sv}") { TermsWriter.write(session, &$0) }
      },
    ]
  }

  private func allHalts(_ session: Session) -> [Halt] {
    decisionPoint.halts(of: session.operatorName, halts(session.operatorName, session))
  }

  /// Seconds since 1970, by the clock as it is set now; -1: it has no end.
  private static func expiry(_ session: Session) -> Int64 {
    guard session.deadline != .max else { return -1 }
    let now = bootNow()
    let left = session.deadline > now ? Int64(clamping: (session.deadline - now) / 1_000_000_000) : 0
    return Int64(time(nil)) &+ min(left, 1 << 40)
  }
}
