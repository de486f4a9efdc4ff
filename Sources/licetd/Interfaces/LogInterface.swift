// org.freedesktop.LogControl1 (systemd): how much is logged, changed while running. `systemctl service-log-level`.

import Bus
import System

extension Daemon {
  func logInterface() -> Interface {
    Interface(
      "org.freedesktop.LogControl1",
      properties: [
        .init(
          "LogLevel", "s", emits: .never,
          read: { [unowned self] _, writer in writer.append(log.level.name) },
          write: { [unowned self] call, reader in setLevel(call, &reader) }),
        .init("LogTarget", "s", emits: .never, read: { _, writer in writer.append("console") }),
        .init("SyslogIdentifier", "s", emits: .never, read: { _, writer in writer.append("licetd") }),
      ])
  }

  private func setLevel(_ call: Call, _ reader: inout MessageReader) {
    asAdministrator(call) {
      guard let name = try? reader.nextSwiftString(), let level = Log.Level(name: name) else {
        return call.fail(
          ErrorName.invalidArgs, "LogLevel is one of \(Log.Level.allCases.map(\.name).joined(separator: ", "))")
      }
      log.level = level
      log(.notice, "logging from \(level.name) on")
      call.reply()
    }
  }
}
