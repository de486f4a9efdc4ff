// Policy files -> a standing: what changed is compiled, and what can't be put in force falls back to what was. One
// compilation is one batch: nothing is in force before all of it has its result.
//
// - A platform that compiles is in force, whatever becomes of the operators (P17); all of them are compiled on it.
// - One that doesn't changes nothing; without one in force, the last good one is taken.
// - An operator that doesn't compile keeps what it has; on a new platform its last good files are compiled, clamped.
// - A compile that is killed is sent once more. A compiler that is gone is asked again a few times; then that counts as
//   the layer's failure, so that no batch waits for ever.

internal import CompilerProtocol

/// Loop-owned; lives until it has called `then`, once.
final class Compilation {
  struct Input {
    let files: PolicyFiles
    /// Of the files that were compiled before; the platform's has an empty name.
    let verdicts: [String: Verdict]
    let standing: Standing
    /// The files were in force once: nothing in them is refused for a ceiling that was lowered since.
    let isRestored: Bool
    /// Whether last good files may stand in for a platform when none is in force.
    let mayRestorePlatform: Bool
  }
  struct Output {
    var standing: Standing
    var verdicts: [String: Verdict]
  }
  /// Reads the last good files of an operator, or of the platform (empty name); answers later, on the loop.
  typealias LastGood = (_ name: String, _ then: @escaping (Layer?) -> Void) -> Void

  /// Times that a layer is sent to a compiler which goes away.
  static let attempts = 3
  /// Times that a layer is sent whose compile is killed.
  static let attemptsWhenKilled = 2

  private let client: CompilerClient
  private let input: Input
  private let lastGood: LastGood
  private let then: (Output) -> Void
  private var output: Output
  private var isPlatformNew = false
  private var outstanding = 0
  private var isCancelled = false
  /// Held so that it answers.
  private var process: PlatformProcess?

  init(_ client: CompilerClient, _ input: Input, lastGood: @escaping LastGood, then: @escaping (Output) -> Void) {
    (self.client, self.input, self.lastGood, self.then) = (client, input, lastGood, then)
    output = Output(standing: input.standing, verdicts: [:])
  }

  func start() {
    let layer = input.files.platform
    if let verdict = input.verdicts[""], verdict.settles(layer.digest, on: "") {
      output.verdicts[""] = verdict
      compileOperators()
    } else {
      compilePlatform(layer, attempt: 1)
    }
  }

  /// Nothing is called any more, and nothing more is asked of the compiler.
  func cancel() {
    isCancelled = true
    process = nil
  }

  // MARK: The platform

  private func compilePlatform(_ layer: Layer, attempt: Int) {
    // The process holds this closure, and with it this object, until it has answered.
    process = client.compilePlatform(layer.entries) { [self] result in
      if isCancelled { return }
      switch result {
      case .success(let result): judgePlatform(layer, result)
      case .failure(let failure) where failure.mayBeTriedAgain(after: attempt):
        compilePlatform(layer, attempt: attempt + 1)
      case .failure(let failure): refusePlatform(layer, .failed(failure.text), [])
      }
    }
  }

  private func judgePlatform(_ layer: Layer, _ result: CompileResult) {
    guard result.isInForce else { return refusePlatform(layer, .refused, result.diagnostics) }
    guard adoptPlatform(layer, result, isLastGood: false) else {
      return refusePlatform(layer, .failed("its image is not valid"), [])
    }
    output.verdicts[""] = Verdict(
      files: layer.digest, platform: "", outcome: .inForce, diagnostics: result.diagnostics)
    compileOperators()
  }

  private func adoptPlatform(_ layer: Layer, _ result: CompileResult, isLastGood: Bool) -> Bool {
    guard let process, let held = try? HeldImage(platform: result.image, in: result.memory) else { return false }
    let platform = PlatformStanding(layer, held, result.facts, process)
    platform.isLastGood = isLastGood
    output.standing = Standing(platform: platform)
    isPlatformNew = true
    return true
  }

  private func refusePlatform(_ layer: Layer, _ outcome: Verdict.Outcome, _ diagnostics: [DiagnosticRecord]) {
    output.verdicts[""] = Verdict(files: layer.digest, platform: "", outcome: outcome, diagnostics: diagnostics)
    guard output.standing.platform == nil, input.mayRestorePlatform, outcome == .refused else {
      return compileOperators()
    }
    lastGood("") { [self] layer in
      if isCancelled { return }
      guard let layer else { return compileOperators() }
      restorePlatform(layer, attempt: 1)
    }
  }

  private func restorePlatform(_ layer: Layer, attempt: Int) {
    process = client.compilePlatform(layer.entries) { [self] result in
      if isCancelled { return }
      switch result {
      case .success(let result):
        if result.isInForce { _ = adoptPlatform(layer, result, isLastGood: true) }
        compileOperators()
      case .failure(let failure) where failure.mayBeTriedAgain(after: attempt):
        restorePlatform(layer, attempt: attempt + 1)
      case .failure(let failure):
        // Tried again with the next batch.
        output.verdicts[""]?.outcome = .failed(failure.text)
        compileOperators()
      }
    }
  }

  // MARK: Operators

  private func compileOperators() {
    guard let platform = output.standing.platform else {
      output.standing.operators = [:]
      return finish()
    }
    if !isPlatformNew {
      platform.isLastGood =
        output.verdicts[""]?.outcome != .inForce || platform.layer.digest != input.files.platform.digest
    }
    outstanding = 1
    if input.files.unlisted.isEmpty { compileListed(platform) } else { keepAll() }
    done()
  }

  private func compileListed(_ platform: PlatformStanding) {
    for name in input.standing.operators.keys where input.files.operators[name] == nil {
      output.standing.operators[name] = nil
    }
    var changed: [(name: String, layer: Layer)] = []
    for (name, layer) in input.files.operators {
      if !isPlatformNew, let verdict = input.verdicts[name],
        verdict.settles(layer.digest, on: platform.layer.digest), isSettled(name, layer, verdict)
      {
        output.verdicts[name] = verdict
      } else {
        changed.append((name, layer))
      }
    }
    outstanding += changed.count
    for (name, layer) in changed.sorted(by: { $0.name < $1.name }) {
      compile(Job(name: name, layer: layer, isClamping: input.isRestored, isLastGood: false))
    }
  }

  /// Files that are valid are settled only if they are what is in force.
  private func isSettled(_ name: String, _ layer: Layer, _ verdict: Verdict) -> Bool {
    guard verdict.outcome == .inForce else { return true }
    return input.standing.operators[name]?.layer.digest == layer.digest
  }

  /// Nobody's files can be told: everyone keeps what it has.
  private func keepAll() {
    for name in Set(input.files.operators.keys).union(input.standing.operators.keys) {
      outstanding += 1
      output.verdicts[name] = Verdict(
        files: input.files.operators[name]?.digest ?? "", platform: "", outcome: .refused, diagnostics: [])
      fallBack(name)
    }
  }

  private struct Job {
    let name: String
    let layer: Layer
    let isClamping: Bool
    let isLastGood: Bool
    var attempt = 1
  }

  private func compile(_ job: Job) {
    guard let platform = output.standing.platform else { return done() }
    let process = openProcess(platform)
    process.compileOperator(job.name, job.layer.entries, clamping: job.isClamping) { [self] result in
      if isCancelled { return }
      switch result {
      case .success(let result): judge(job, result, on: platform)
      case .failure(let failure) where failure.mayBeTriedAgain(after: job.attempt):
        var again = job
        again.attempt += 1
        compile(again)
      case .failure(let failure): refuse(job, .failed(failure.text), [])
      }
    }
  }

  /// The process that compiles on a platform; when it is gone, another one for the same files, whose own result isn't
  /// needed: overlays are verified against the image in force.
  private func openProcess(_ platform: PlatformStanding) -> PlatformProcess {
    if let process = platform.process, process.isOpen { return process }
    let process = client.compilePlatform(platform.layer.entries) { _ in }
    platform.process = process
    return process
  }

  private func judge(_ job: Job, _ result: CompileResult, on platform: PlatformStanding) {
    guard result.isInForce else { return refuse(job, .refused, result.diagnostics) }
    guard let held = try? HeldImage(overlay: result.image, on: platform.held, in: result.memory) else {
      return refuse(job, .failed("its image is not valid"), [])
    }
    output.standing.operators[job.name] = OperatorStanding(
      layer: job.layer, held: held, bindings: result.facts.bindings, isLastGood: job.isLastGood)
    if !job.isLastGood { note(job, .inForce, result.diagnostics) }
    done()
  }

  private func refuse(_ job: Job, _ outcome: Verdict.Outcome, _ diagnostics: [DiagnosticRecord]) {
    guard !job.isLastGood else {
      // Not even its last good files: denied. A compiler that failed is asked again with the next batch.
      output.standing.operators[job.name] = nil
      if case .failed = outcome { output.verdicts[job.name]?.outcome = outcome }
      return done()
    }
    note(job, outcome, diagnostics)
    fallBack(job.name)
  }

  private func note(_ job: Job, _ outcome: Verdict.Outcome, _ diagnostics: [DiagnosticRecord]) {
    output.verdicts[job.name] = Verdict(
      files: job.layer.digest, platform: output.standing.platform?.layer.digest ?? "", outcome: outcome,
      diagnostics: diagnostics)
  }

  /// What was in force stays; on a new platform it is compiled anew.
  private func fallBack(_ name: String) {
    let held = input.standing.operators[name]
    if !isPlatformNew, var held {
      held.isLastGood = true
      output.standing.operators[name] = held
      return done()
    }
    if let held { return restore(name, held.layer) }
    lastGood(name) { [self] layer in
      if isCancelled { return }
      guard let layer else { return done() }
      restore(name, layer)
    }
  }

  private func restore(_ name: String, _ layer: Layer) {
    compile(Job(name: name, layer: layer, isClamping: true, isLastGood: true))
  }

  private func done() {
    outstanding -= 1
    if outstanding == 0 { finish() }
  }

  private func finish() {
    process = nil
    then(output)
  }
}
