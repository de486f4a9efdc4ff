// What a command refuses, with a stable code for programs, a sentence for people, and where it stands. Compared by
// code, never by wording.

/// Exit codes from sysexits.h; `check` has 0, 1 and 2 for allow, deny and ask beside them.
enum Exit: Int32, Sendable {
  /// A flag or the request itself is wrong.
  case usage = 64
  /// A policy, an image, a request file or a document is not well-formed.
  case data = 65
  /// A file or folder isn't there or can't be read.
  case noInput = 66
  /// The daemon or its bus isn't there, or doesn't answer.
  case unavailable = 69
  /// An output file can't be written.
  case cantCreate = 73
  /// Too much at once, or something else is going on: try again.
  case temporary = 75
  /// An answer that can't be read.
  case protocolError = 76
  /// Not for this user.
  case noPermission = 77
}

struct CommandError: Error, Equatable, Sendable {
  enum Code: String, CaseIterable, Sendable {
    // the request
    case noOperator = "no-operator"
    case unknownOperator = "unknown-operator"
    case brokenOperator = "broken-operator"
    case noBehavior = "no-behavior"
    case badName = "bad-name"
    case badDial = "bad-dial"
    case unknownPeriod = "unknown-period"
    case unknownCounter = "unknown-counter"
    case unknownKey = "unknown-key"
    case unknownAttribute = "unknown-attribute"
    case wrongType = "wrong-type"
    case badValue = "bad-value"
    case tooLong = "too-long"
    case tooMany = "too-many"
    case conflictingFlags = "conflicting-flags"
    // files
    case badJSON = "bad-json"
    case badPolicy = "bad-policy"
    case badImage = "bad-image"
    case badScenario = "bad-scenario"
    case badDocument = "bad-document"
    case noInput = "no-input"
    case noScenarios = "no-scenarios"
    case cantWrite = "cant-write"
    // the daemon
    case noBus = "no-bus"
    case noDaemon = "no-daemon"
    case timeout
    case disconnected
    case badReply = "bad-reply"
    case notBound = "not-bound"
    case notAuthorized = "not-authorized"
    case accessDenied = "access-denied"
    case verifiedAttribute = "verified-attribute"
    case unknownSession = "unknown-session"
    case foreignSession = "foreign-session"
    case limitsExceeded = "limits-exceeded"
    case busy
    case noSuchGeneration = "no-such-generation"
    case stateUnwritable = "state-unwritable"
    case refused

    var exit: Exit {
      switch self {
      case .noOperator, .unknownOperator, .noBehavior, .badName, .badDial, .unknownPeriod, .unknownCounter, .unknownKey,
        .unknownAttribute, .wrongType, .badValue, .tooLong, .tooMany, .conflictingFlags, .verifiedAttribute,
        .noSuchGeneration, .unknownSession:
        .usage
      case .refused, .brokenOperator, .badJSON, .badPolicy, .badImage, .badScenario, .badDocument: .data
      case .noInput, .noScenarios: .noInput
      case .cantWrite, .stateUnwritable: .cantCreate
      case .noBus, .noDaemon, .timeout, .disconnected: .unavailable
      case .limitsExceeded, .busy: .temporary
      case .badReply: .protocolError
      case .notBound, .notAuthorized, .accessDenied, .foreignSession: .noPermission
      }
    }
  }

  var code: Code
  var message: String
  /// A path into the request ("request.amount"), a flag, or FILE:LINE.
  var at: String?
  /// What to do next.
  var hint: String?

  init(_ code: Code, _ message: String, at: String? = nil, hint: String? = nil) {
    self.code = code
    self.message = message
    self.at = at
    self.hint = hint
  }

  /// `{"error": {"code": …, "message": …, "at": …}}` (DESIGN §10).
  var json: JSON {
    .fields([
      "error": .fields([
        "code": .string(code.rawValue), "message": .string(message), "at": at.map(JSON.string),
        "hint": hint.map(JSON.string),
      ])
    ])
  }

  var text: String {
    var text = "licet: "
    if let at { text += "\(at): " }
    text += "\(message) [\(code.rawValue)]"
    if let hint { text += "\n  \(hint)" }
    return text
  }
}
