// Which bus: a word or an address, resolved without libdbus, which would start a bus of its own if it knew none.

internal import CDBus

/// The bus to connect to.
public enum BusAddress: Sendable, Hashable {
  case system
  case session
  /// An address as the D-Bus specification writes it, `unix:path=/run/x`.
  case address(String)

  /// `system`, `session` or an address.
  public init(parsing text: String) {
    switch text {
    case "system": self = .system
    case "session": self = .session
    default: self = .address(text)
    }
  }

  /// The address; environment variables that the specification names come first, but never in a program that was
  /// given privileges by its file (secure_getenv).
  /// - Throws: `.noSuchBus` if there is no session.
  func resolve() throws(BusError) -> String {
    switch self {
    case .address(let text): return text
    case .system:
      return Self.environment("DBUS_SYSTEM_BUS_ADDRESS") ?? "unix:path=/var/run/dbus/system_bus_socket"
    case .session:
      if let address = Self.environment("DBUS_SESSION_BUS_ADDRESS") { return address }
      if let folder = Self.environment("XDG_RUNTIME_DIR") { return "unix:path=\(folder)/bus" }
      throw BusError(.noSuchBus, text: "no session bus: DBUS_SESSION_BUS_ADDRESS and XDG_RUNTIME_DIR are not set")
    }
  }

  private static func environment(_ name: String) -> String? {
    guard let value = cdbus_environment(name), value.pointee != 0 else { return nil }
    return String(cString: value)
  }
}

extension BusAddress: CustomStringConvertible {
  public var description: String {
    switch self {
    case .system: "system"
    case .session: "session"
    case .address(let text): text
    }
  }
}
