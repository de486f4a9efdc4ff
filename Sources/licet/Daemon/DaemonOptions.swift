// Which daemon a command speaks to.

import ArgumentParser
import Bus

struct AddressOptions: ParsableArguments {
  @Option(
    name: .long,
    help: ArgumentHelp(
      "The bus on which licetd is: system (the default), session, or a D-Bus address.", valueName: "bus"),
    completion: .list(["system", "session"]))
  var address: String?

  /// Connects; nothing is asked yet.
  func daemon() throws(CommandError) -> Daemon { try Daemon(BusAddress(parsing: address ?? "system")) }
}

extension PolicyOptions {
  /// Whether flags name a policy to be read here. Without them the daemon decides.
  var isOffline: Bool { !policy.isEmpty || image != nil }

  /// Refuses an address beside a policy: one of the two decides.
  func exclude(_ bus: AddressOptions) throws(CommandError) {
    guard isOffline, bus.address != nil else { return }
    throw CommandError(
      .conflictingFlags, "--address asks the daemon, \(image == nil ? "--policy" : "--image") decides without it",
      at: "--address")
  }
}
