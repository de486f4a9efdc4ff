// licet-bench [decide|compile|evaluate]…: the figures of docs/performance.md; all of them without an argument.
// Exits 1 when a goal is missed.

let benches: [(name: String, run: () -> [Figure])] = [
  ("decide", DecideBench.run), ("compile", CompileBench.run),
]
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
