// `licet diff OLD NEW`: which decisions change, not which lines.

import ArgumentParser
import Consultation
import Offline
import PolicyDiff
import PolicyLanguage

struct Diff: LicetCommand {
  static let configuration = CommandConfiguration(
    abstract: "Which decisions change between two policies.",
    discussion: """
      Compares two policy folders or images, operator by operator and name by name, and shows each decision that is \
      loosened, tightened or carries other obligations, with the smallest request found that shows it. Names with equal \
      content are equal; the others are searched through: everything that the conditions of both policies can come to \
      together. Exits with 0 when nothing changes, which is then certain, with 1 when something does, and with 3 when \
      nothing was found but the search could not go through everything; with --only, of what that asks for.

      Example: licet diff /etc/licet new-policy --fail-on loosened
      """)

  enum Only: String, ExpressibleByArgument, CaseIterable { case loosened, tightened, obligations }
  enum FailOn: String, ExpressibleByArgument, CaseIterable { case any, loosened }

  @Argument(help: "The policy as it is: a folder, or an image.", completion: .file())
  var old: String
  @Argument(help: "The policy as it is to be: a folder, or an image.", completion: .file())
  var new: String
  @Option(name: .long, help: "Only this operator; given several times, these.")
  var `operator`: [String] = []
  @Option(
    name: .long,
    help: "Only what is loosened, only what is tightened, or only the same effect with other obligations.")
  var only: Only?
  @Option(
    name: .long,
    help: ArgumentHelp(
      "What makes the exit code 1: any difference, or only what is loosened.",
      discussion: "Looser is a higher effect, or the same effect with an obligation missing."))
  var failOn = FailOn.any
  @OptionGroup var format: FormatOptions

  func perform() throws(CommandError) -> Int32 {
    let sources = (try source(old), try source(new))
    let policies = (try sources.0.requirePolicy(), try sources.1.requirePolicy())
    let known = Set(policies.0.operators).union(policies.1.operators).sorted()
    for name in `operator` where !known.contains(name) {
      throw CommandError(
        .unknownOperator, "neither policy has the operator `\(harmless(name))`", at: "--operator",
        hint: suggestion(for: name, in: known))
    }
    var found = differences(from: policies.0, to: policies.1, operators: `operator`.isEmpty ? nil : `operator`)
    if let only { found.keep(only) }
    let page = DiffPage(
      found: found, only: only, old: old, new: new, types: DiffPage.types(policies.0, policies.1),
      flags: (flag(sources.0), flag(sources.1)),
      apart: apart(sources.0.set, sources.1.set))
    if format.json { Output.line(page.json.pretty) } else { Output.text(page.text(.detected())) }
    return status(found)
  }

  private func status(_ found: PolicyDifferences) -> Int32 {
    let all = found.operators.flatMap(\.differences)
    switch failOn {
    case .any: if !found.isEmpty { return 1 }
    case .loosened:
      if all.contains(where: \.isLooser) || found.claims.contains(where: \.isLooser) { return 1 }
      // What they come to may loosen.
      if !found.terms.isEmpty { return 1 }
    }
    return found.isProved ? 0 : 3
  }

  /// Who operators are and who administers stands beside the decisions, and in folders alone.
  private func apart(_ old: PolicySet?, _ new: PolicySet?) -> [String] {
    guard let old, let new else { return [] }
    var all: [String] = []
    let rebound = old.operators.keys.sorted().filter { name in
      guard `operator`.isEmpty || `operator`.contains(name), let now = new.operators[name] else { return false }
      return Set(old.operators[name]?.bindings ?? []) != Set(now.bindings)
    }
    if !rebound.isEmpty { all.append("who is bound to \(rebound.map { harmless($0) }.joined(separator: ", "))") }
    if Set(old.platform?.administratorGroups ?? []) != Set(new.platform?.administratorGroups ?? []) {
      all.append("whose groups may administer")
    }
    return all
  }

  private func flag(_ source: PolicySource) -> String { source.loaded == nil ? "--image" : "--policy" }

  /// A policy with errors decides less than it says: what is compared has to be whole.
  private func source(_ path: String) throws(CommandError) -> PolicySource {
    let source = Files.isDirectory(path) ? try PolicySource(folders: [path]) : try PolicySource(image: path)
    guard source.errors.isEmpty else {
      if !format.json { Output.error(source.renderer(color: Style.detected().color).render(source.errors)) }
      throw CommandError(
        .badPolicy, "\(DiagnosticsText.count(source.errors.count, "error")), nothing is compared", at: path,
        hint: format.json ? "`licet validate \(path)` shows them" : nil)
    }
    return source
  }
}

extension PolicyDifferences {
  fileprivate mutating func keep(_ only: Diff.Only) {
    for i in operators.indices {
      operators[i].differences.removeAll {
        switch only {
        case .loosened: !$0.isLooser
        case .tightened: $0.direction != .tightened
        case .obligations: $0.old.effect != $0.new.effect
        }
      }
    }
    operators.removeAll { $0.differences.isEmpty && $0.presence != .both && $0.notExhaustive.isEmpty }
    if only == .obligations { terms = [] }
    claims.removeAll {
      switch only {
      case .loosened: !$0.isLooser
      case .tightened: $0.isLooser
      case .obligations: true
      }
    }
  }
}
