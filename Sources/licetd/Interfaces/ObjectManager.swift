// org.freedesktop.DBus.ObjectManager: the sessions that a caller may know of, with what is to be seen of each.

import Authority
import Bus
import System

extension Daemon {
  static let objectManager = "org.freedesktop.DBus.ObjectManager"

  func objectManagerInterface() -> Interface {
    Interface(
      Daemon.objectManager,
      methods: [
        .init("GetManagedObjects", out: ["objpath_interfaces_and_properties": "a{oa{sa{sv}}}"]) { [unowned self] in
          managedObjects($0)
        }
      ],
      signals: [
        .init("InterfacesAdded", ["object_path": "o", "interfaces_and_properties": "a{sa{sv}}"]),
        .init("InterfacesRemoved", ["object_path": "o", "interfaces": "as"]),
      ])
  }

  /// At most `sessionsTold`: the property Sessions says how many there are.
  private func managedObjects(_ call: Call) {
    guard let caller = caller(of: call) else { return }
    let sessions = visibleSessions(caller, atMost: Daemon.sessionsTold)
    // An administrator is never kept from looking.
    guard
      decisionPoint.limits.take(caller.identity.uid, decisions: 1 + sessions.count, now: loop.now)
        || caller.isAdministrator()
    else { return refuse(call, .limitsExceeded, "user \(caller.identity.uid) asks too much at once") }
    let rows = sessionRows
    call.reply { writer in
      writer.array("{oa{sa{sv}}}") { list in
        for session in sessions {
          var entry = list.openEntry()
          entry.append(objectPath: Daemon.path(of: session))
          write(session, rows, &entry)
          list.close(&entry)
        }
      }
    }
  }

  /// One a{sa{sv}}.
  func write(_ session: Session, _ rows: [SessionRow], _ writer: inout MessageWriter) {
    writer.array("{sa{sv}}") { interfaces in
      var entry = interfaces.openEntry()
      entry.append(Daemon.sessionInterface)
      entry.array("{sv}") { properties in
        for row in rows {
          var property = properties.openEntry()
          property.append(row.name)
          property.variant(signature: row.signature) { row.write(session, &$0) }
          properties.close(&property)
        }
      }
      interfaces.close(&entry)
    }
  }
}
