// licet-bench [decide|compile|evaluate|count]…: the figures of docs/performance.md; all of them without an argument.
// `licet-bench peers` prints the rows of peers/peers.py as JSON. A missed goal is said, and is no failure: machines differ.

internal import Glibc

let benches: [(name: String, run: () -> [Figure])] = [
  ("decide", DecideBench.run), ("compile", CompileBench.run), ("evaluate", EvaluateBench.run),
  ("count", CountBench.run),
]
if CommandLine.arguments.dropFirst() == ["peers"] {
  PeersBench.run()
  exit(0)
}
let wanted = CommandLine.arguments.dropFirst()
print(Figure.header)
var isMet = true
for bench in benches where wanted.isEmpty || wanted.contains(bench.name) {
  for figure in bench.run() {
    print(figure.line)
    isMet = isMet && figure.isMet
  }
}
if !isMet { print("a goal is missed: the machine may be busy; see docs/performance.md") }
