// What goes wrong between a command and the daemon, in words: what, where, why, and what to do next.

import Bus

extension CommandError {
  /// A connection to a bus that did not come about.
  init(connecting error: BusError, to address: BusAddress) {
    let place = address.phrase
    switch error.code {
    case .noSuchBus:
      self.init(
        .noBus, "there is no bus: \(harmless(error.text))", at: place,
        hint: address == .system
          ? "start it (systemctl start dbus), name another with --address, or decide without a daemon by --policy DIR"
          : "name the bus with --address, or decide without a daemon by --policy DIR")
    case .refused, .accessDenied:
      self.init(
        .noBus, "the bus doesn't answer this user: \(harmless(error.text))", at: place,
        hint: "is it running, and are you who may use it? --address names another bus")
    case .badAddress:
      self.init(
        .badValue, "is no bus: \(harmless(error.text))", at: "--address",
        hint: "it is system, session, or an address such as unix:path=/run/x/bus")
    case .timeout:
      self.init(.timeout, "the bus accepts the connection, but doesn't answer", at: place, hint: Self.tryAgain)
    default:
      self.init(.noBus, "the bus can't be used: \(harmless(error.description))", at: place)
    }
  }

  /// A call that failed.
  init(_ error: BusError, calling member: String, on address: BusAddress) {
    let place = "licetd on \(address.phrase)"
    let text = harmless(error.text)
    if error.name.hasPrefix(Daemon.errorPrefix) {
      self.init(refusal: String(error.name.dropFirst(Daemon.errorPrefix.count)), text)
      return
    }
    if error.name.contains(".Spawn.") || error.name.hasPrefix("org.freedesktop.systemd1.") {
      self.init(.noDaemon, "the bus tried to start it, and it did not start: \(text)", at: place, hint: Self.lookAtUnit)
      return
    }
    switch error.code {
    case .nameNotFound:
      self.init(
        .noDaemon, "is not running, and nothing starts it", at: place,
        hint: address == .system
          ? "start it: systemctl start licetd; --address names another bus; --policy DIR decides without a daemon"
          : "start it: licetd --address \(address); --policy DIR decides without a daemon")
    case .timeout:
      self.init(.timeout, "did not answer \(member) in time", at: place, hint: Self.lookAtUnit)
    case .disconnected:
      self.init(.disconnected, "ended before it answered \(member)", at: place, hint: Self.tryAgain)
    case .accessDenied:
      self.init(
        .accessDenied, "\(member) is not for this user: \(text)", at: place,
        hint: "the bus's policy decides that (dbus-1/system.d/org.licet.Licet1.conf); root may always")
    case .limitsExceeded:
      self.init(.limitsExceeded, text.isEmpty ? "too much at once" : text, at: place, hint: Self.tryAgain)
    default:
      let isOld = error.name.hasSuffix(".UnknownMethod") || error.name.hasSuffix(".UnknownInterface")
      self.init(
        .badReply, "\(member) failed: \(harmless(error.description))", at: place,
        hint: isOld ? "licet and licetd are of different versions" : nil)
    }
  }

  /// One of licetd's own errors (CONTRACT of org.licet.Licet1.Error.*); its text says what and where.
  init(refusal name: String, _ text: String) {
    let known = Self.refusals[name]
    self.init(known?.code ?? .refused, text.isEmpty ? "refused: \(harmless(name))" : text, hint: known?.hint)
  }

  private static let tryAgain = "try again; `licet status` says how it is"
  private static let lookAtUnit = "systemctl status licetd and journalctl -u licetd say why"

  private static let refusals: [String: (code: Code, hint: String?)] = [
    "NotBound": (
      .notBound,
      "an operator's file says who speaks for it, as `bind: [{user: NAME}]`; an administrator may ask by `licet explain`"
    ),
    "UnknownOperator": (.unknownOperator, "`licet status` lists the operators"),
    "AmbiguousOperator": (.noOperator, "--operator NAME says which"),
    "NotAuthorized": (
      .notAuthorized, "this is for root and the groups that the platform file names under `groups`; try sudo"
    ),
    "UnknownAttribute": (.unknownAttribute, nil),
    "WrongType": (.wrongType, "--set-json 'NAME=JSON' states the type: \"1\" is a string, 1 a number"),
    "VerifiedAttribute": (.verifiedAttribute, "the platform marks it `verified`: only the daemon gives it"),
    "NoBehavior": (.noBehavior, nil),
    "BadName": (.badName, nil),
    "BadRequest": (.badValue, nil),
    "BadDial": (.badDial, "0 would be fully corrigible, 1 fully autonomous; neither end is safe"),
    "BadCost": (.badValue, nil),
    "BadTime": (.badValue, nil),
    "UnknownSession": (.unknownSession, "`licet session list` shows those that there are"),
    "ForeignSession": (.foreignSession, nil),
    "SessionExpired": (.refused, "open another one"),
    "TooMany": (.tooMany, nil),
    "LimitsExceeded": (.limitsExceeded, "the daemon bounds what one user asks at once; try again in a moment"),
    "NoSuchGeneration": (.noSuchGeneration, "`licet rollback --list` shows those that are kept"),
    "StateUnwritable": (.stateUnwritable, "is the disk of the state folder (/var/lib/licet) full or read-only?"),
    "WrongPeriod": (.unknownPeriod, "`licet period show` lists them"),
    "Malformed": (.badDocument, "`licet period sign` makes determinations"),
    "Replayed": (.refused, "sign it again: `licet period sign` takes the next number"),
    "Expired": (.refused, "sign it again"),
    "Outdated": (.refused, "sign it again, if it is still true of what the period says now"),
    "WrongAuthorities": (.refused, "`licet period show` says who has to sign"),
    "Partial": (.refused, "`licet period show` says what the period asks for"),
    "Busy": (.busy, "try again in a moment"),
  ]
}
