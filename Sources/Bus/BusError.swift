// What can go wrong between here and whoever was asked, as a value. Compared by code, never by wording.

internal import CDBus

/// An error of the bus, of its daemon or of whoever answered.
public struct BusError: Error, Sendable, Hashable, CustomStringConvertible {
  /// What happened; the only thing that is compared.
  public enum Code: Sendable, Hashable {
    /// There is no socket at the address, or no address is known.
    case noSuchBus
    /// The socket is there and nobody listens, or the bus doesn't let this user in.
    case refused
    /// The address can't be parsed.
    case badAddress
    /// Nobody owns the name that was called, and nothing starts it.
    case nameNotFound
    /// Another connection owns the name that was asked for.
    case nameTaken
    /// The bus's policy or the callee doesn't allow it.
    case accessDenied
    /// No reply in time.
    case timeout
    /// The connection ended, or the callee left before it answered.
    case disconnected
    /// A size or count was too large.
    case limitsExceeded
    /// A reply that can't be read.
    case badReply
    /// Any other error reply: `name` says which.
    case remote
  }

  public let code: Code
  /// The error's D-Bus name; empty if it arose here.
  public let name: String
  /// For people.
  public let text: String

  public init(_ code: Code, name: String = "", text: String) {
    self.code = code
    self.name = name
    self.text = text
  }

  /// The error that a reply carries.
  public init(_ reply: Message) {
    self.init(name: reply.errorName ?? "", text: reply.errorText)
  }

  init(name: String, text: String) {
    self.init(BusError.code(of: name), name: name, text: text)
  }

  private static func code(of name: String) -> Code {
    switch name {
    case ErrorName.fileNotFound: .noSuchBus
    case ErrorName.noServer, ErrorName.authFailed: .refused
    case ErrorName.badAddress: .badAddress
    case ErrorName.serviceUnknown, ErrorName.nameHasNoOwner: .nameNotFound
    case ErrorName.accessDenied: .accessDenied
    case ErrorName.timeout, ErrorName.timedOut: .timeout
    case ErrorName.noReply, ErrorName.disconnected: .disconnected
    case ErrorName.limitsExceeded: .limitsExceeded
    default: .remote
    }
  }

  public var description: String { name.isEmpty ? text : "\(name): \(text)" }

  public static func == (left: Self, right: Self) -> Bool { left.code == right.code }
  public func hash(into hasher: inout Hasher) { hasher.combine(code) }
}

/// The error names of the D-Bus specification and its reference implementation.
public enum ErrorName {
  private static let root = "org.freedesktop.DBus.Error."
  public static let failed = root + "Failed"
  public static let unknownMethod = root + "UnknownMethod"
  public static let unknownInterface = root + "UnknownInterface"
  public static let unknownObject = root + "UnknownObject"
  public static let unknownProperty = root + "UnknownProperty"
  public static let propertyReadOnly = root + "PropertyReadOnly"
  public static let invalidArgs = root + "InvalidArgs"
  public static let accessDenied = root + "AccessDenied"
  public static let limitsExceeded = root + "LimitsExceeded"
  public static let noReply = root + "NoReply"
  public static let timeout = root + "Timeout"
  public static let timedOut = root + "TimedOut"
  public static let disconnected = root + "Disconnected"
  public static let serviceUnknown = root + "ServiceUnknown"
  public static let nameHasNoOwner = root + "NameHasNoOwner"
  public static let fileNotFound = root + "FileNotFound"
  public static let noServer = root + "NoServer"
  public static let authFailed = root + "AuthFailed"
  public static let badAddress = root + "BadAddress"
}

/// Runs a libdbus function that reports by DBusError; `nil` comes back with what it reported.
func reportingErrors<Value>(_ body: (UnsafeMutablePointer<DBusError>) -> Value?) -> Result<Value, BusError> {
  var error = DBusError()
  dbus_error_init(&error)
  defer { dbus_error_free(&error) }
  if let value = body(&error) { return .success(value) }
  guard let name = error.name else { return .failure(BusError(.remote, text: "libdbus gave no reason")) }
  return .failure(BusError(name: String(cString: name), text: error.message.map { String(cString: $0) } ?? ""))
}
