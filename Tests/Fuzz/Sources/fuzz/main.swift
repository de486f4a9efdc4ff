// fuzz TARGET [libFuzzer's arguments]: runs one fuzz target until its time is over or it complains (then it traps, and
// libFuzzer keeps the input).

import TestKit

@_silgen_name("LLVMFuzzerRunDriver")
func runDriver(
  _ count: UnsafeMutablePointer<Int32>,
  _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
  _ body: @convention(c) (UnsafePointer<UInt8>?, Int) -> Int32
) -> Int32

guard CommandLine.arguments.count > 1, let target = FuzzTarget(rawValue: CommandLine.arguments[1]) else {
  fatalError("usage: fuzz \(FuzzTarget.allCases.map(\.rawValue).joined(separator: "|")) [CORPUS…] [-OPTION=…]")
}

/// A C function can't capture, so that each target has its own.
func run(_ target: FuzzTarget, _ bytes: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
  if let complaint = target.complaint(about: Array(UnsafeBufferPointer(start: bytes, count: count))) {
    fatalError(complaint)
  }
  return 0
}

// The driver takes the program's name and what follows the target's.
var count = CommandLine.argc - 1
var arguments = CommandLine.unsafeArgv + 1
arguments[0] = CommandLine.unsafeArgv[0]
let status =
  switch target {
  case .yaml: runDriver(&count, &arguments) { run(.yaml, $0, $1) }
  case .cel: runDriver(&count, &arguments) { run(.cel, $0, $1) }
  case .image: runDriver(&count, &arguments) { run(.image, $0, $1) }
  case .wire: runDriver(&count, &arguments) { run(.wire, $0, $1) }
  case .message: runDriver(&count, &arguments) { run(.message, $0, $1) }
  case .attach: runDriver(&count, &arguments) { run(.attach, $0, $1) }
  case .determination: runDriver(&count, &arguments) { run(.determination, $0, $1) }
  }
if status != 0 { fatalError("libFuzzer returned \(status)") }
