// licet's own rows of the table of peers, as JSON: N rules that all stand on the behaviour that is asked about, and
// N rules on behaviours of 20 rules each.

internal import CFloor
internal import Decision

enum PeersBench {
  static func run() {
    let sizes = [1, 1_000, 10_000]
    let one = sizes.map { time(DecideWorkload(behaviors: 1, rules: $0)) }
    let many = sizes.map { time(DecideWorkload(behaviors: max(1, $0 / 20), rules: min($0, 20))) }
    func row(_ values: [Double]) -> String { "[" + values.map(short).joined(separator: ", ") + "]" }
    print("{\"one\": \(row(one)), \"many\": \(row(many))}")
  }

  private static func time(_ work: DecideWorkload) -> Double {
    var frame = work.frame
    Attributes(work.policy).set(&frame)
    let names = DecideBench.permutation(work.names.count).map { work.names[$0] }
    let lent = frame
    return race([Contender(name: "licet") { DecideBench.engine(work, lent, names, $0) }], runs: 9)[0]
  }
}
