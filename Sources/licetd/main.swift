/// licetd: the daemon. It wires the parts together (Daemon.swift) and turns the loop; what it knows of policies is in
/// Authority, what it knows of buses in Bus. Reads no YAML and no CEL, starts nothing but licet-compiler on a private bus,
/// links neither the policy language nor Foundation.

import System

let code: Int32
switch Options.parse(Array(CommandLine.arguments.dropFirst())) {
case .run(let options): code = run(options)
case .say(let text, let status):
  say(text, toError: status != 0)
  code = status
}
Process.exitNow(code)
