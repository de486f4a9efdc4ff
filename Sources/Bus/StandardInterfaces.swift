// One object of the table, and the interfaces of the D-Bus specification that it gets by itself: Introspectable and Peer
// everywhere, Properties where there are interfaces of its own.

internal import CDBus

/// An object: its rows, the standard ones included.
final class Object {
  enum Lookup {
    case found(Interface, Interface.Method)
    case noInterface
    case noMethod
  }

  let interfaces: [Interface]
  let xml: String

  /// - Parameter path: nil: of many objects.
  private init(path: String?, interfaces: [Interface], children: [String]) {
    let described = interfaces + [Introspectable.interface(""), Peer.interface]
    xml = introspection(path: path, interfaces: described, children: children)
    self.interfaces = interfaces + [Introspectable.interface(xml), Peer.interface]
  }

  /// A parent of objects.
  static func bare(path: String, children: [String]) -> Object {
    Object(path: path, interfaces: [], children: children)
  }

  static func full(path: String?, interfaces: [Interface], children: [String]) -> Object {
    Object(path: path, interfaces: interfaces + [Properties.interface(of: interfaces)], children: children)
  }

  /// A parent of objects that come and go: it names those that the caller may know of.
  static func above(path: String, _ children: @escaping (Call) -> [String]) -> Object {
    let described = [Introspectable.interface(""), Peer.interface]
    return Object(
      interfaces: [
        Introspectable.interface { introspection(path: path, interfaces: described, children: children($0)) },
        Peer.interface,
      ], xml: introspection(path: path, interfaces: described, children: []))
  }

  private init(interfaces: [Interface], xml: String) { (self.interfaces, self.xml) = (interfaces, xml) }

  func interface(_ name: String) -> Interface? { interfaces.first { $0.name == name } }

  /// By member alone if the call names no interface. Reads the message's texts in place.
  func method(_ member: UnsafePointer<CChar>?, of interface: UnsafePointer<CChar>?) -> Lookup {
    var isKnown = interface == nil
    for row in interfaces where interface == nil || cdbus_equal(interface, row.name) {
      isKnown = true
      for method in row.methods where cdbus_equal(member, method.name) { return .found(row, method) }
    }
    return isKnown ? .noMethod : .noInterface
  }
}

enum Introspectable {
  static let name = "org.freedesktop.DBus.Introspectable"

  static func interface(_ xml: String) -> Interface {
    var interface = Interface(
      name,
      methods: [
        .init("Introspect", out: ["xml_data": "s"]) { call in call.reply { $0.append(xml) } }
      ])
    interface.isGated = false
    return interface
  }

  /// What it says depends on who asks.
  static func interface(_ xml: @escaping (Call) -> String) -> Interface {
    Interface(
      name, methods: [.init("Introspect", out: ["xml_data": "s"]) { call in call.reply { $0.append(xml(call)) } }])
  }
}

enum Peer {
  static let name = "org.freedesktop.DBus.Peer"

  static var interface: Interface {
    var interface = Interface(
      name,
      methods: [
        .init("Ping") { $0.reply() },
        .init("GetMachineId", out: ["machine_uuid": "s"]) { call in
          switch machineID() {
          case .success(let id): call.reply { $0.append(id) }
          case .failure(let error): call.fail(ErrorName.failed, error.text)
          }
        },
      ])
    interface.isGated = false
    return interface
  }

  private static func machineID() -> Result<String, BusError> {
    reportingErrors { error in
      guard let text = dbus_try_get_local_machine_id(error) else { return nil }
      defer { dbus_free(text) }
      return String(cString: text)
    }
  }
}

enum Properties {
  static let name = "org.freedesktop.DBus.Properties"

  static func interface(of interfaces: [Interface]) -> Interface {
    let rows = Rows(interfaces: interfaces)
    return Interface(
      name,
      methods: [
        .init("Get", in: ["interface_name": "s", "property_name": "s"], out: ["value": "v"], handler: rows.get),
        .init("GetAll", in: ["interface_name": "s"], out: ["props": "a{sv}"], handler: rows.getAll),
        .init(
          "Set", in: ["interface_name": "s", "property_name": "s", "value": "v"], handler: rows.set),
      ],
      signals: [
        .init(
          "PropertiesChanged",
          ["interface_name": "s", "changed_properties": "a{sv}", "invalidated_properties": "as"])
      ])
  }

  /// The declared interfaces, by what a call asks of them.
  private struct Rows {
    let interfaces: [Interface]

    func get(_ call: Call) {
      guard let (property, _) = named(call) else { return }
      call.reply { $0.variant(signature: property.signature) { property.read(call, &$0) } }
    }

    func set(_ call: Call) {
      guard let (property, rest) = named(call) else { return }
      guard let write = property.write else {
        return call.fail(ErrorName.propertyReadOnly, "\(property.name) is read-only")
      }
      do throws(ReadError) {
        var reader = rest
        var value = try reader.nextVariant()
        guard value.signature == property.signature else {
          return call.fail(
            ErrorName.invalidArgs, "\(property.name) is of type \(property.signature), not \(value.signature)")
        }
        write(call, &value)
      } catch {
        call.fail(error)
      }
    }

    func getAll(_ call: Call) {
      do throws(ReadError) {
        var reader = call.reader
        let name = try reader.nextSwiftString()
        guard let named = properties(of: name) else { return unknownInterface(name, call) }
        let visible = named.filter { $0.isVisible?(call) ?? true }
        call.reply { writer in
          writer.array("{sv}") { entries in for property in visible { entry(property, call, &entries) } }
        }
      } catch {
        call.fail(error)
      }
    }

    private func entry(_ property: Interface.Property, _ call: Call, _ entries: inout MessageWriter) {
      var entry = entries.openEntry()
      entry.append(property.name)
      entry.variant(signature: property.signature) { property.read(call, &$0) }
      entries.close(&entry)
    }

    /// All of an interface; of all interfaces for the empty name, as the specification allows.
    private func properties(of name: String) -> [Interface.Property]? {
      if name.isEmpty { return interfaces.flatMap(\.properties) }
      if Properties.isStandard(name) { return [] }
      return interfaces.first { $0.name == name }?.properties
    }

    /// The property that a Get or Set names, and what follows the names; `nil` once the call has been answered.
    private func named(_ call: Call) -> (Interface.Property, MessageReader)? {
      do throws(ReadError) {
        var reader = call.reader
        let interface = try reader.nextSwiftString()
        let name = try reader.nextSwiftString()
        guard let all = properties(of: interface) else {
          unknownInterface(interface, call)
          return nil
        }
        guard let property = all.first(where: { $0.name == name }) else {
          call.fail(ErrorName.unknownProperty, "no property \(name) of \(interface)")
          return nil
        }
        guard property.isVisible?(call) ?? true else {
          call.fail(ErrorName.accessDenied, "\(name) is not for this caller")
          return nil
        }
        return (property, reader)
      } catch {
        call.fail(error)
        return nil
      }
    }

    private func unknownInterface(_ name: String, _ call: Call) {
      call.fail(ErrorName.unknownInterface, "no interface \(name)")
    }
  }

  private static func isStandard(_ interface: String) -> Bool {
    [name, Introspectable.name, Peer.name].contains(interface)
  }
}
