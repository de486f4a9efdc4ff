// `licet session open` in the background, as whoever is to hold a session.

import Foundation
import TestKit
import Testing

final class SessionHolder {
  let id: String
  var path: String { "/org/licet/Licet1/session/\(id)" }
  private let process = Process()

  init(_ rig: Rig, as user: String? = nil, _ words: String...) throws {
    let identity = user.map { ["/usr/bin/setpriv", "--reuid", $0, "--regid", "nogroup", "--clear-groups"] } ?? []
    let all = identity + [program("licet"), "session", "open", "--address", rig.bus.addressText] + words
    process.executableURL = URL(fileURLWithPath: all[0])
    process.arguments = Array(all.dropFirst())
    process.environment = ["PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"]
    let (output, errors) = (Pipe(), Pipe())
    process.standardOutput = output
    process.standardError = errors
    process.standardInput = FileHandle.nullDevice
    try process.run()
    var line = Data()
    while let byte = try output.fileHandleForReading.read(upToCount: 1), byte.first != UInt8(ascii: "\n"), !byte.isEmpty
    {
      line += byte
    }
    id = String(decoding: line, as: UTF8.self)
    if id.count != 32 {
      process.waitUntilExit()
      Issue.record("\(all): \(String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self))")
    }
  }

  /// What it exits with, by itself, within seconds.
  func status(_ rig: Rig) -> Int32? {
    rig.waits { !process.isRunning } ? process.terminationStatus : nil
  }

  func end() {
    guard process.isRunning else { return }
    kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
  }

  deinit { end() }
}
