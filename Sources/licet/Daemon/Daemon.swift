// A connection to licetd for one command: calls that wait, replies as JSON, errors that say what to do. The names are
// those of dbus/org.licet.Licet1.xml.

import Bus

/// One thread; lives as long as the command, and holds end with it.
final class Daemon {
  static let name = "org.licet.Licet1"
  static let path = "/org/licet/Licet1"
  static let errorPrefix = "org.licet.Licet1.Error."

  enum Interface: String {
    case authority = "org.licet.Licet1.Authority"
    case admin = "org.licet.Licet1.Admin"
    case periods = "org.licet.Licet1.Periods"
    case session = "org.licet.Licet1.Session"
    case objects = "org.freedesktop.DBus.ObjectManager"
    case properties = "org.freedesktop.DBus.Properties"
  }

  /// Seconds: libdbus' own default for a question; a reload may have to compile a thousand operators.
  static let questionTimeout: UInt64 = 25
  static let reloadTimeout: UInt64 = 120

  let bus: BlockingBus
  let address: BusAddress

  init(_ address: BusAddress) throws(CommandError) {
    self.address = address
    do {
      bus = try BlockingBus.open(address)
    } catch {
      throw CommandError(connecting: error, to: address)
    }
  }

  /// Calls a method and waits; the reply's arguments.
  func call(
    _ interface: Interface, _ member: String, at path: String = Daemon.path, timeout: UInt64 = questionTimeout,
    _ write: (inout MessageWriter) -> Void = { _ in }
  ) throws(CommandError) -> [JSON] {
    do {
      return try [JSON](arguments: try raw(interface, member, at: path, timeout: timeout, write))
    } catch let error as BusError {
      throw CommandError(error, calling: member, on: address)
    } catch let error as ReadError {
      throw CommandError(
        .badReply, "the answer to \(member) can't be read: \(error)", at: "licetd on \(address.phrase)",
        hint: "licet and licetd are of different versions; `licet status` and `licet --version` say which")
    } catch {
      throw CommandError(.badReply, "\(error)")
    }
  }

  /// As `call`, with the bus's own errors: for callers that look at them.
  func raw(
    _ interface: Interface, _ member: String, at path: String = Daemon.path, timeout: UInt64 = questionTimeout,
    _ write: (inout MessageWriter) -> Void = { _ in }
  ) throws(BusError) -> Message {
    let message = Message(call: member, of: interface.rawValue, at: path, to: Daemon.name).with(write)
    return try bus.call(message, timeoutNanoseconds: timeout &* 1_000_000_000)
  }

  /// A property of Authority.
  func property(_ name: String) throws(CommandError) -> JSON {
    try call(.properties, "Get") {
      $0.append(Interface.authority.rawValue)
      $0.append(name)
    }.first ?? .null
  }

  /// All properties of Authority.
  func properties() throws(CommandError) -> JSON {
    try call(.properties, "GetAll") { $0.append(Interface.authority.rawValue) }.first ?? .null
  }
}

extension BusAddress {
  /// In a sentence.
  var phrase: String {
    switch self {
    case .system: "the system bus"
    case .session: "the session bus"
    case .address(let text): "the bus at \(harmless(text))"
    }
  }
}
