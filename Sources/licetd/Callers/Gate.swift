// What every call passes before it is looked at: who asks, and how much already.

import Authority
import Bus
import System

extension Daemon {
  /// `ObjectTable.admit`: finds out who calls, bounds what they may ask, then lets the call go on.
  func admit(_ call: Call, _ proceed: @escaping () -> Void) {
    callers.find(call.sender) { [unowned self] finding in
      let caller: Caller
      switch finding {
      case .caller(let known): caller = known
      case .nobody: return call.fail(ErrorName.accessDenied, "the bus doesn't say who calls")
      case .busy:
        return refuse(
          call, .limitsExceeded, "too many calls wait for the bus to say who calls; wait for the first answer")
      }
      let fits = decisionPoint.limits.take(caller.identity.uid, calls: 1, bytes: call.length, now: loop.now)
      // Stopping what asks too much, and looking at it, is never refused to who may.
      guard fits || isWayOut(call, caller) else {
        return refuse(
          call, .limitsExceeded, "user \(caller.identity.uid) asks too much at once; ask less, or in one CheckMany")
      }
      call.context = caller
      proceed()
    }
  }

  /// Only after `admit`.
  func caller(of call: Call) -> Caller? { call.context as? Caller }

  /// For administrators; anybody else gets NotAuthorized.
  func asAdministrator(_ call: Call, _ body: () -> Void) {
    guard let caller = caller(of: call), caller.isAdministrator() else {
      return refuse(
        call, .notAuthorized,
        "for root, the daemon's own user, and the groups that the platform file names under `groups`")
    }
    body()
  }

  func refuse(_ call: Call, _ code: Refusal.Code, _ text: String) { call.fail(Daemon.errors + code.rawValue, text) }
}

/// Why a request isn't decided. Compared by code; the codes are names on the bus.
struct Refusal: Error {
  enum Code: String {
    case notBound = "NotBound"
    case unknownOperator = "UnknownOperator"
    case ambiguousOperator = "AmbiguousOperator"
    case notAuthorized = "NotAuthorized"
    case unknownAttribute = "UnknownAttribute"
    case verifiedAttribute = "VerifiedAttribute"
    case wrongType = "WrongType"
    case noBehavior = "NoBehavior"
    case badName = "BadName"
    case badRequest = "BadRequest"
    case tooMany = "TooMany"
    case limitsExceeded = "LimitsExceeded"
    case noSuchGeneration = "NoSuchGeneration"
    case stateUnwritable = "StateUnwritable"
    case busy = "Busy"
    case unknownSession = "UnknownSession"
    case foreignSession = "ForeignSession"
    case badDial = "BadDial"
    case badCost = "BadCost"
    case badTime = "BadTime"
    case sessionExpired = "SessionExpired"
    /// No version of the attach protocol that both sides speak.
    case unsupported = "Unsupported"
    // Why a determination doesn't count.
    case malformed = "Malformed"
    case forged = "Forged"
    case unknownAuthority = "UnknownAuthority"
    case wrongHost = "WrongHost"
    case wrongPeriod = "WrongPeriod"
    case outdated = "Outdated"
    case wrongAuthorities = "WrongAuthorities"
    case replayed = "Replayed"
    case expired = "Expired"
    case notYetValid = "NotYetValid"
    case partial = "Partial"

    /// At the attach socket: LICET_E_… of include/licet.h.
    var number: Int32 {
      switch self {
      case .unsupported: -6
      case .notBound, .notAuthorized: -7
      case .unknownOperator: -8
      case .ambiguousOperator: -9
      case .unknownAttribute: -10
      case .verifiedAttribute: -11
      case .wrongType: -12
      case .noBehavior: -13
      case .badName: -14
      case .badRequest, .noSuchGeneration: -15
      // None of these is said there.
      case .malformed, .forged, .unknownAuthority, .wrongHost, .wrongPeriod, .outdated, .wrongAuthorities, .replayed,
        .expired, .notYetValid, .partial:
        -15
      case .badTime, .sessionExpired: -15
      case .badDial: -21
      case .badCost: -22
      case .unknownSession: -19
      case .foreignSession: -20
      case .tooMany: -16
      case .limitsExceeded, .busy: -17
      case .stateUnwritable: -18
      }
    }
  }
  let code: Code
  let text: String
  init(_ code: Code, _ text: String) {
    self.code = code
    self.text = text
  }
}
