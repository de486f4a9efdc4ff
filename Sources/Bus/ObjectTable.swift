// The objects that a program serves, as one declarative table: from a call to its handler, with the errors that the
// D-Bus specification names for whatever doesn't fit. The standard interfaces are rows of the same table.

internal import CDBus

/// Objects by path, each with its interfaces. Loop-owned.
public final class ObjectTable {
  /// What a caller may send and get. Past it, a call is refused before its arguments are looked at.
  public struct Limits {
    /// Bytes of arguments in a call.
    public var call = 1 << 20 + 1 << 16
    /// Bytes of arguments in an answer: well below what a bus would end the connection for.
    public var reply = 16 << 20
    /// Bytes of calls that wait for their answer, all callers together. Must stay below what libdbus reads ahead
    /// (63 MiB): else the bus's own word about the callers would be stuck behind them.
    public var held = 16 << 20
    /// How it is called.
    public var errorName = ErrorName.limitsExceeded

    public init() {}
  }

  public let limits: Limits
  /// Runs before each handler, and before properties are read or written; calls its second argument once the call may
  /// go on, now or later, or answers the call itself. Introspection and Peer are open to all.
  public var admit: ((Call, @escaping () -> Void) -> Void)?
  /// Bytes of calls that wait for their answer.
  public private(set) var heldBytes = 0

  /// Objects that come and go below one path, all with the same interfaces: no row of the table is any of them.
  public struct Family {
    public let path: String
    public let interfaces: [Interface]
    /// Whether a last part of a path can be one of them; what can't has no object.
    public let isName: (String) -> Bool
    /// After the gate, before each handler: whether there is this one, for this caller. Else it answers the call.
    public let admit: (Call) -> Bool
    /// The last parts of those that this caller is told of when it introspects the path above them.
    public let children: (Call) -> [String]

    public init(
      at path: String, _ interfaces: [Interface], isName: @escaping (String) -> Bool,
      admit: @escaping (Call) -> Bool, children: @escaping (Call) -> [String]
    ) {
      precondition(dbus_validate_path(path, nil) != 0, path)
      (self.path, self.interfaces, self.isName) = (path, interfaces, isName)
      (self.admit, self.children) = (admit, children)
    }
  }

  private var objects: [String: Object] = [:]
  private let families: [(family: Family, prefix: String, object: Object)]
  private let peer = Object.bare(path: "", children: [])

  /// - Parameter objects: interfaces by path; paths must be valid. A family's own path has none.
  public init(_ objects: [String: [Interface]], families: [Family] = [], limits: Limits = Limits()) {
    self.limits = limits
    self.families = families.map {
      ($0, $0.path + "/", .full(path: nil, interfaces: $0.interfaces, children: []))
    }
    let paths = (objects.keys + families.map(\.path)).sorted()
    for path in paths {
      precondition(dbus_validate_path(path, nil) != 0, path)
      for parent in ancestors(of: path) where objects[parent] == nil {
        self.objects[parent] = .bare(path: parent, children: children(of: parent, in: paths))
      }
    }
    for (path, interfaces) in objects {
      self.objects[path] = .full(path: path, interfaces: interfaces, children: children(of: path, in: paths))
    }
    for family in families {
      precondition(objects[family.path] == nil, family.path)
      self.objects[family.path] = .above(path: family.path, family.children)
    }
  }

  /// Handles a call, or finds out that nobody does. False if the message is no call.
  @discardableResult
  public func handle(_ message: Message, on connection: Connection) -> Bool {
    guard message.kind == .call else { return false }
    let call = Call(message, on: connection, of: self)
    if call.length > limits.call {
      call.fail(limits.errorName, "a call has at most \(limits.call) bytes of arguments")
    } else if heldBytes > limits.held {
      call.fail(limits.errorName, "too many calls wait for an answer")
    } else {
      dispatch(call)
    }
    return true
  }

  /// The introspection XML of a path; `nil` if there is no such object.
  public func introspection(of path: String) -> String? { objects[path]?.xml }

  /// PropertiesChanged for one property: with its value, or that it is no longer what it was, as its declaration says.
  /// Everybody gets it: only for values that everybody may see.
  public func changed(
    _ property: String, of interface: String, at path: String, _ write: (inout MessageWriter) -> Void
  ) -> Message {
    guard let row = objects[path]?.interface(interface)?.properties.first(where: { $0.name == property }) else {
      preconditionFailure("no property \(property) of \(interface) at \(path)")
    }
    precondition(row.emits == .value || row.emits == .invalidation, "\(property) is declared not to be announced")
    return Message(signal: "PropertiesChanged", of: Properties.name, at: path).with { writer in
      writer.append(interface)
      writer.array("{sv}") { entries in
        guard row.emits == .value else { return }
        var entry = entries.openEntry()
        entry.append(property)
        entry.variant(signature: row.signature, write)
        entries.close(&entry)
      }
      writer.append(row.emits == .value ? [] : [property])
    }
  }

  func hold(_ bytes: Int) { heldBytes += bytes }

  // MARK: From a call to its handler

  private func dispatch(_ call: Call) {
    let message = call.message.raw
    guard let (object, family) = object(of: message) else {
      return call.fail(ErrorName.unknownObject, "no object at \(call.message.path ?? "")")
    }
    switch object.method(dbus_message_get_member(message), of: dbus_message_get_interface(message)) {
    case .found(let interface, let method): run(method, of: interface, family, call)
    case .noInterface:
      call.fail(
        ErrorName.unknownInterface, "no interface \(call.message.interface ?? "") at \(call.message.path ?? "")")
    case .noMethod:
      call.fail(ErrorName.unknownMethod, "no method \(call.message.member ?? "") at \(call.message.path ?? "")")
    }
  }

  /// The object, with the family that it is one of; for Peer, which any path answers, a stand-in.
  private func object(of message: OpaquePointer) -> (Object, Family?)? {
    guard let bytes = dbus_message_get_path(message) else { return nil }
    let path = String(cString: bytes)
    if let object = objects[path] { return (object, nil) }
    if let (family, _, object) = families.first(where: { isMember(path, of: $0.family, $0.prefix) }) {
      return (object, family)
    }
    return cdbus_equal(dbus_message_get_interface(message), Peer.name) ? (peer, nil) : nil
  }

  private func isMember(_ path: String, of family: Family, _ prefix: String) -> Bool {
    path.hasPrefix(prefix) && family.isName(String(path.dropFirst(prefix.count)))
  }

  private func run(_ method: Interface.Method, of interface: Interface, _ family: Family?, _ call: Call) {
    guard dbus_message_has_signature(call.message.raw, method.inputSignature) != 0 else {
      return call.fail(
        ErrorName.invalidArgs,
        "\(method.name) takes (\(method.inputSignature)), not (\(call.message.signature))")
    }
    guard method.takesDescriptors || !call.message.carriesDescriptors else {
      return call.fail(ErrorName.invalidArgs, "\(method.name) takes no file descriptors")
    }
    call.replySignature = method.outputSignature
    guard interface.isGated else { return method.handler(call) }
    let proceed = {
      guard !call.isAnswered, family?.admit(call) ?? true else { return }
      method.handler(call)
    }
    if let admit { admit(call, proceed) } else { proceed() }
  }
}

private func ancestors(of path: String) -> [String] {
  let parts = path.split(separator: "/")
  return (0..<parts.count).map { "/" + parts.prefix($0).joined(separator: "/") }
}

/// The names of the next level below a path, each once.
private func children(of path: String, in paths: [String]) -> [String] {
  let prefix = path == "/" ? "/" : path + "/"
  let below = paths.filter { $0.hasPrefix(prefix) && $0 != path }
  return Set(below.compactMap { $0.dropFirst(prefix.count).split(separator: "/").first.map(String.init) }).sorted()
}
