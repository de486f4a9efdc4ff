// How far an agent may go on its own for one request (DESIGN §2.5): the dial is settled, then caps what has more at stake.

internal import PolicyImage
internal import PolicyLanguage

struct OracleDial {
  let value: Degree
  /// nil: no statement, the session's.
  let setBy: OracleIdentity?

  /// As it is settled, lowered to what delegates were given.
  init(_ platform: Dial, operator stated: Degree?, session: Degree?, atMost highest: Degree?) {
    let settled = OracleDial(platform, operator: stated, session: session)
    if let highest, highest < settled.value {
      (value, setBy) = (highest, nil)
    } else {
      self = settled
    }
  }

  /// `session`: the request's own dial.
  init(_ platform: Dial, operator stated: Degree?, session: Degree?) {
    let chosen: (value: Degree, by: OracleIdentity) =
      switch stated {
      case nil: (platform.default.value, .dial(.default))
      case let stated? where stated > platform.operatorsMay.value: (platform.operatorsMay.value, .dial(.operatorsMay))
      case let stated?: (stated, .dial(.operator))
      }
    guard let session else {
      (value, setBy) = (chosen.value, chosen.by)
      return
    }
    let highest = stated == nil ? max(chosen.value, platform.usersMay.value) : chosen.value
    if session == chosen.value || (session > highest && highest == chosen.value) {
      (value, setBy) = (chosen.value, chosen.by)
    } else if session > highest {
      (value, setBy) = (highest, .dial(.usersMay))
    } else {
      (value, setBy) = (session, nil)
    }
  }

  /// Whether a name with these stakes is `ask` at most.
  func caps(_ source: Source, _ stakes: Degree) -> Bool {
    switch source {
    case .untrusted: true
    case .agent: stakes > value
    case .platform, .operator, .user: false
    }
  }
}
