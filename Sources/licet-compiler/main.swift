/// licet-compiler: policy files to images, in sandboxed processes (docs/compiler-protocol.md). May import Offline,
/// CompilerProtocol and System; no Foundation, and no threads: every process here is forked from another.
///
/// This file: the program's arguments, and its parts in the order in which they start.

import Glibc
import System

let log = Log(program: "licet-compiler")

let usage = """
  usage: licet-compiler [--socket DESCRIPTOR] [--version]
  licetd starts it, or systemd (LISTEN_FDS). DESCRIPTOR is a SEQPACKET socket, listening or connected.

  """

/// Ends the program with a line on standard error.
func quit(_ message: String, status: Int32) -> Never {
  log(.error, message)
  exit(status)
}

/// The socket that was given, by argument or by systemd.
func givenSocket() -> Descriptor {
  let arguments = CommandLine.arguments.dropFirst()
  switch (arguments.first, arguments.dropFirst().first, arguments.count) {
  case ("--version", nil, 1):
    print("licet-compiler \(Product.version)")
    exit(0)
  case ("--socket", let text?, 2):
    guard let raw = Int32(text), raw > 2, fcntl(raw, F_SETFD, FD_CLOEXEC) == 0 else {
      quit("--socket wants an open descriptor above 2, not `\(text)`", status: 64)
    }
    return Descriptor(owning: raw)
  case (nil, _, _):
    guard let first = Service.takeDescriptors().first?.descriptor else { quit(usage, status: 64) }
    return first
  default: quit(usage, status: 64)
  }
}

let socket = givenSocket()
// Whoever asks for a decision goes before whoever waits for a compile, but not so far that a busy host starves compiles
// past their deadline (it did at 10). nice(2) fails at worst, and is kept by all that is forked.
_ = nice(4)
warmUp()
do {
  try Sandbox.enter(.parent)
} catch {
  quit("the sandbox can't be entered: \(error.call): \(error.text)", status: 70)
}
var parent = Parent(socket)
parent.run()
