// `licet bench`: how long one decision takes, on this machine, with this policy.

import ArgumentParser
import Foundation
import Consultation
import Offline
import PolicyImage

struct Bench: LicetCommand {
  static let configuration = CommandConfiguration(
    abstract: "Time decisions on a policy.",
    discussion: """
      Decides each request again and again, request by request, for --seconds in all, in several runs, and prints \
      the median run's nanoseconds a decision. Requests come from --requests, a JSONL file as for `check --batch`; \
      without it every operator asks about every declared behaviour, with no attributes.
      """)

  @OptionGroup var policy: PolicyOptions

  @Option(
    name: .long, help: ArgumentHelp("Requests, one a line; `-` is standard input.", valueName: "file"),
    completion: .file(extensions: ["jsonl"]))
  var requests: String?

  @Option(name: .long, help: "How long to measure, in seconds.")
  var seconds: Double = 1

  @Option(name: .long, help: "How many runs the median is of.")
  var runs: Int = 9

  @OptionGroup var format: FormatOptions

  func validate() throws {
    guard seconds > 0, seconds <= 600 else { throw ValidationError("--seconds is between 0 and 600") }
    guard (1...1000).contains(runs) else { throw ValidationError("--runs is between 1 and 1000") }
  }

  func perform() throws(CommandError) -> Int32 {
    let source = try policy.source()
    let prepared = try prepare(source)
    guard !prepared.isEmpty else { throw CommandError(.noBehavior, "there is no request to time", at: requests) }
    let rates = measure(prepared).sorted()
    let median = rates[rates.count / 2]
    if format.json {
      Output.line(
        JSON.fields([
          "requests": .int(Int64(prepared.count)), "runs": .int(Int64(rates.count)),
          "ns_per_decision": .double(median), "ns_fastest_run": .double(rates[0]),
          "ns_slowest_run": .double(rates[rates.count - 1]),
        ]).pretty)
    } else {
      Output.line(
        "\(rounded(median)) ns a decision (median of \(rates.count) runs; \(rounded(rates[0])) to "
          + "\(rounded(rates[rates.count - 1]))), \(DiagnosticsText.count(prepared.count, "request"))")
    }
    return 0
  }

  private func rounded(_ value: Double) -> String { String(format: "%.1f", value) }

  private func prepare(_ source: PolicySource) throws(CommandError) -> [PreparedRequest] {
    let policy = try source.requirePolicy()
    let table = AttributeTable(policy)
    var prepared: [PreparedRequest] = []
    for form in try forms(policy) {
      let request = try form.request(table, now: Instant(seconds: 0))
      let name = try source.resolve(operator: form.operatorName)
      do throws(RequestError) {
        prepared.append(try policy.prepare(request, operator: name))
      } catch {
        throw CommandError(error)
      }
    }
    return prepared
  }

  private func forms(_ policy: OfflinePolicy) throws(CommandError) -> [RequestForm] {
    guard let requests else {
      return policy.operators.flatMap { name in
        policy.behaviors.filter(\.isDeclared).map {
          var form = RequestForm()
          form.operatorName = name
          form.behaviors = [$0.name]
          return form
        }
      }
    }
    var forms: [RequestForm] = []
    for (index, line) in try Files.read(requests).split(separator: UInt8(ascii: "\n")).enumerated() {
      forms.append(try RequestForm(try JSON(file: requests, line: index + 1, Array(line))))
    }
    return forms
  }

  /// Nanoseconds a decision, run by run. A first run, which warms caches up, is not counted.
  private func measure(_ prepared: [PreparedRequest]) -> [Double] {
    let clock = ContinuousClock()
    var rounds = 1
    var perRun = clock.measure { decideAll(prepared, rounds: rounds) }
    let wanted = Duration.seconds(seconds / Double(runs + 1))
    while perRun < wanted, rounds < 1 << 30 {
      rounds = max(rounds * 2, Int(Double(rounds) * min(100, wanted / max(perRun, .nanoseconds(1)))))
      perRun = clock.measure { decideAll(prepared, rounds: rounds) }
    }
    return (0..<runs).map { _ in
      let time = clock.measure { decideAll(prepared, rounds: rounds) }
      return Double(time.components.attoseconds) / 1e9 / Double(rounds * prepared.count)
        + Double(time.components.seconds) * 1e9 / Double(rounds * prepared.count)
    }
  }

  private func decideAll(_ prepared: [PreparedRequest], rounds: Int) {
    for _ in 0..<rounds {
      for request in prepared { request.run() }
    }
  }
}
