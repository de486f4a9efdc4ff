// `licet status`: is the daemon well, what is in force, and what is wrong with the policy.

import ArgumentParser

struct Status: LicetCommand {
  static let configuration = CommandConfiguration(
    abstract: "Show what the daemon has in force, and what is wrong.",
    discussion: """
      An administrator sees all of it, others what concerns their own operators. Exits with 0 if all is well, with 1 \
      if something needs somebody: an error in a file, nothing in force, a stop, a rollback, no compiler.
      """)

  @OptionGroup var bus: AddressOptions
  @OptionGroup var format: FormatOptions

  func perform() throws(CommandError) -> Int32 {
    let report = try StatusReport(try bus.daemon())
    if format.json {
      Output.line(report.json.pretty)
    } else {
      Output.text(report.page(.detected()))
    }
    return report.isHealthy ? 0 : 1
  }
}

/// What the properties and Admin.Status say, put together.
struct StatusReport {
  /// Authority's properties.
  let properties: JSON
  /// What an administrator sees; nil: the caller is none.
  let admin: JSON?
  let diagnostics: [DaemonDiagnostic]
  let stopped: [String]

  init(properties: JSON, admin: JSON?) {
    self.properties = properties
    self.admin = admin
    diagnostics = DaemonDiagnostic.list(properties["Diagnostics"])
    stopped = admin?["stopped"]?.texts.sorted() ?? []
  }

  init(_ daemon: Daemon) throws(CommandError) {
    let properties = try daemon.properties()
    do throws(CommandError) {
      self.init(properties: properties, admin: try daemon.call(.admin, "Status").first)
    } catch {
      guard error.code.exit == .noPermission else { throw error }
      self.init(properties: properties, admin: nil)
    }
  }

  /// "running", "no-policy" or "stopped"; nil: only an administrator is told.
  var state: String? { admin?["state"]?.text }
  var isStoppedAll: Bool { admin?["stopped-all"]?.isTrue ?? false }
  var isRolledBack: Bool { admin?["rolled-back"]?.isTrue ?? false }
  private var compiler: String? { admin?["compiler"]?.text }
  private var isCompilerWell: Bool { compiler.map { ["up", "ready", "running", "idle"].contains($0) } ?? true }

  /// Operators with their state; those who see no more, by name alone.
  var operators: [(name: String, state: String?, generation: Int64?)] {
    if let all = admin?["operators"]?.items {
      return all.map { ($0["name"]?.text ?? "", $0["state"]?.text, $0["generation"]?.number) }.sorted { $0.0 < $1.0 }
    }
    return (properties["Operators"]?.texts ?? []).sorted().map { ($0, nil, nil) }
  }

  /// What needs somebody, a sentence each.
  var complaints: [String] {
    var found: [String] = []
    if state == "no-policy" { found.append("no policy is in force: everything is denied") }
    if isStoppedAll { found.append("everything is stopped: `licet resume --all` ends that") }
    if !stopped.isEmpty {
      found.append("stopped: \(stopped.joined(separator: ", ")); `licet resume --operator NAME` ends that")
    }
    if isRolledBack { found.append("rolled back: what is in force is not what the files say, until `licet reload`") }
    if let why = admin?["unrecorded"]?.text, !why.isEmpty {
      found.append("decisions can't be recorded: \(why); once memory for them is full, what must be recorded is denied")
    }
    if let why = admin?["counters-unwritable"]?.text, !why.isEmpty {
      found.append("counters can't be kept over a restart: \(why)")
    }
    if let lost = admin?["counters"]?.items.filter({ $0["complete"]?.isTrue == false }), !lost.isEmpty {
      found.append(
        "not all of \(lost.compactMap { $0["name"]?.text }.joined(separator: ", ")) is known for now, and limits that read it "
          + "apply: there was no room, or what was kept is lost; the journal says which")
    }
    if let differing = admin?["differing"]?.number, differing > 0 {
      found.append(
        "attached processes asserted \(differing) decisions that their policy doesn't make: the journal says whose")
    }
    if !isCompilerWell { found.append("the compiler is \(compiler ?? "gone"): no change comes into force") }
    if !diagnostics.errors.isEmpty { found.append("\(diagnostics.counted), below: the last good policy stands") }
    return found
  }

  var isHealthy: Bool { complaints.isEmpty }

  var json: JSON {
    let status: [JSON.Member] = (admin.map { if case .object(let members) = $0 { members } else { [] } } ?? [])
    var members: [JSON.Member] = [
      .init(key: "healthy", value: .bool(isHealthy)), .init(key: "complaints", value: .strings(complaints)),
      .init(key: "version", value: properties["Version"] ?? .null),
      .init(key: "generation", value: properties["Generation"] ?? .null),
      .init(key: "digest", value: properties["PolicyDigest"] ?? .null),
    ]
    members += status.filter { $0.key != "operators" }
    members.append(
      .init(
        key: "operators",
        value: .array(
          operators.map {
            .fields([
              "name": .string($0.name), "state": $0.state.map(JSON.string), "generation": $0.generation.map(JSON.int),
            ])
          })))
    members.append(.init(key: "diagnostics", value: .array(diagnostics.map(\.json))))
    return .object(members)
  }
}
