// When policy is read, compiled and put in force. One run at a time: scanning, compiling, publishing. What comes during
// a run (an event, a wish) starts another one after it.

internal import CompilerProtocol
internal import System

/// Loop-owned.
final class Reloader {
  typealias Reload = (ReloadOutcome) -> Void

  private unowned let authority: Authority
  private let loop: EventLoop
  private let scanner: FolderScanner
  private var watcher: Watcher?
  private var compilation: Compilation?
  private var validation: Compilation?

  private var isRunning = false
  /// The scan that is wanted.
  private var wish: ScanExtent?
  private var waiting: [Reload] = []
  private var rollbacks: [(number: UInt64, then: (Result<UInt64, AdminError>) -> Void)] = []

  /// What the folders say, as read last.
  private var files = PolicyFiles.none
  private var misnamed: [String] = []
  private var standing = Standing()
  private var verdicts: [String: Verdict] = [:]
  private(set) var rollbackRecord: RollbackRecord?
  private var isStateRefused = false
  private var holder: (owner: String, timer: EventLoop.Timer)?
  private var retry: EventLoop.Timer?
  private var retryPause: UInt64 = 0
  private var minute: EventLoop.Timer?

  var isHeld: Bool { holder != nil }
  var refused: [String] { verdicts.lazy.filter { $0.value.outcome != .inForce }.map(\.key).sorted() }

  init(_ authority: Authority) throws(SystemError) {
    self.authority = authority
    loop = authority.loop
    scanner = try FolderScanner(authority.configuration, loop: authority.loop)
    watcher = try Watcher(authority.loop, authority.configuration.times) { [weak self] in self?.want($0) }
    authority.keeper.changed = { [weak self] in self?.diagnose() }
    authority.keeper.dropped = { [unowned authority] entry in authority.history.removeAll { $0 == entry } }
  }

  func finish() {
    for timer in [retry, minute, holder?.timer] { timer?.cancel() }
    watcher?.finish()
    watcher = nil
    scanner.finish()
    for one in [compilation, validation] { one?.cancel() }
    (compilation, validation) = (nil, nil)
  }

  // MARK: Wishes

  func start(_ ready: @escaping () -> Void) {
    isRunning = true
    authority.keeper.open { [self] opened in
      for problem in opened.problems { authority.log("archive: \(problem)") }
      authority.history = opened.history
      readAll(.bytes) { [self] in begin(opened.rollback, ready) }
    }
    let scan = authority.configuration.times.scan
    minute = loop.after(nanoseconds: scan, every: scan) { [weak self] in self?.beat() }
  }

  private func begin(_ rollback: RollbackRecord?, _ ready: @escaping () -> Void) {
    let end = { [self] in
      if authority.generation.number == 0 {
        return publish(Standing()) { _ in
          self.end(); ready()
        }
      }
      ready()
      self.end()
    }
    guard let rollback, rollback.tree == files.digest else {
      if rollback != nil { authority.keeper.remember(nil) }
      return compile(end)
    }
    authority.keeper.files(of: rollback.set) { [self] files in
      guard let files else { return compile(end) }
      rollbackRecord = rollback
      restore(files) { [self] output in
        if output.standing.platform == nil {
          rollbackRecord = nil
          return compile(end)
        }
        publish(output.standing) { _ in end() }
      }
    }
  }

  func reload(_ then: @escaping Reload) {
    waiting.append(then)
    holder?.timer.cancel()
    holder = nil
    want(.bytes)
  }

  func rollback(to number: UInt64, _ then: @escaping (Result<UInt64, AdminError>) -> Void) {
    rollbacks.append((number, then))
    proceed()
  }

  func hold(seconds: UInt32, owner: String) {
    holder?.timer.cancel()
    let length = UInt64(min(max(seconds, 1), 60)) &* 1_000_000_000
    holder = (owner, loop.after(nanoseconds: length) { [weak self] in self?.endHold() })
    authority.changed?(.status)
  }

  func releaseHold(owner: String) {
    if holder?.owner == owner { endHold() }
  }

  private func endHold() {
    holder?.timer.cancel()
    holder = nil
    authority.changed?(.status)
    want(.stamps)
  }

  /// Each minute: what no event told of is found; and what could not be written is written, once it can be.
  private func beat() {
    if authority.keeper.unwritable != nil, let entry = authority.history.last { store(entry) }
    want(.bytes)
  }

  private func want(_ extent: ScanExtent) {
    wish = wish?.union(extent) ?? extent
    proceed()
  }

  /// Starts what is wished, if nothing runs.
  private func proceed() {
    guard !isRunning, watcher != nil else { return }
    if !rollbacks.isEmpty {
      let next = rollbacks.removeFirst()
      return run(rollback: next.number, next.then)
    }
    guard let extent = wish, !isHeld || !waiting.isEmpty else { return }
    let told = waiting
    (wish, waiting) = (nil, [])
    run(extent, told)
  }

  private func end() {
    isRunning = false
    proceed()
  }

  // MARK: A run

  private func run(_ extent: ScanExtent, _ told: [Reload]) {
    isRunning = true
    readAll(extent) { [self] in
      if let record = rollbackRecord {
        if told.isEmpty, record.tree == files.digest { return end() }
        rollbackRecord = nil
        verdicts = [:]
        authority.keeper.remember(nil)
        authority.changed?(.status)
      }
      compile { [self] in
        let outcome = ReloadOutcome(
          generation: authority.generation.number, refused: isStateRefused ? [""] : refused,
          diagnostics: authority.diagnostics)
        for then in told { then(outcome) }
        end()
      }
    }
  }

  /// Scans, and again when folders came to be watched only after they were scanned.
  private func readAll(_ extent: ScanExtent, rounds: Int = 4, _ then: @escaping () -> Void) {
    scanner.scan(extent) { [self] scanned in
      (files, misnamed) = (scanned.files, scanned.misnamed)
      if watcher?.arm(scanned.directories) == true, rounds > 0 {
        readAll(.stamps, rounds: rounds - 1, then)
      } else {
        then()
      }
    }
  }

  private func compile(_ then: @escaping () -> Void) {
    let input = Compilation.Input(
      files: files, verdicts: verdicts, standing: standing, isRestored: false,
      mayRestorePlatform: !files.platform.files.isEmpty)
    run(input) { [self] output in
      let earlier = verdicts
      verdicts = output.verdicts
      publish(output.standing) { [self] isPublished in
        if !isPublished { verdicts = earlier.filter { output.verdicts[$0.key] == $0.value } }
        tell(refusedSince: earlier)
        planRetry()
        then()
      }
    }
  }

  private func run(_ input: Compilation.Input, _ then: @escaping (Compilation.Output) -> Void) {
    let compilation = Compilation(
      authority.client, input, lastGood: { [authority] in authority.keeper.lastGood($0, then: $1) },
      then: { [weak self] output in
        self?.compilation = nil
        then(output)
      })
    self.compilation = compilation
    compilation.start()
  }

  private func tell(refusedSince earlier: [String: Verdict]) {
    let names = verdicts.lazy.filter { $0.value.outcome != .inForce && earlier[$0.key] != $0.value }.map(\.key).sorted()
    if !names.isEmpty { authority.changed?(.refused(names)) }
  }

  /// A compile that failed is tried again.
  private func planRetry() {
    retry?.cancel()
    retry = nil
    let isFailed = isStateRefused || verdicts.values.contains { if case .failed = $0.outcome { true } else { false } }
    guard isFailed else {
      retryPause = 0
      return
    }
    let times = authority.configuration.times
    retryPause = min(max(retryPause &* 2, times.firstRetry), times.lastRetry)
    retry = loop.after(nanoseconds: retryPause) { [weak self] in self?.want(.stamps) }
  }

  // MARK: Publishing

  /// Puts a standing in force under a new number, if it is another one than is in force. false: there is no number.
  private func publish(_ new: Standing, _ then: @escaping (Bool) -> Void) {
    guard authority.generation.number == 0 || !isInForce(new) else {
      isStateRefused = false
      diagnose()
      return then(true)
    }
    authority.keeper.number { [self] number in
      isStateRefused = number == nil
      if let number { assign(new, number) }
      diagnose()
      then(number != nil)
    }
  }

  private func isInForce(_ new: Standing) -> Bool {
    let now = authority.generation
    return new.platform === standing.platform && now.isLastGood == (new.platform?.isLastGood ?? false)
      && now.declared == declared(new) && new.operators.count == standing.operators.count
      && new.operators.allSatisfy { name, one in
        one.since != nil && standing.operators[name]?.isLastGood == one.isLastGood
      }
  }

  private func declared(_ standing: Standing) -> Set<String> {
    var names = Set(standing.operators.keys)
    if rollbackRecord == nil {
      for name in files.operators.keys where standing.operators[name] == nil { names.insert(name) }
    }
    return names
  }

  /// A period ended, or runs again: the same policy under a new number, so that each decision is made by exactly one
  /// generation. Without a number left it is in force all the same, and everybody asks again.
  func republish() {
    guard authority.generation.number > 0 else { return }
    authority.keeper.number { [self] number in
      assign(standing, number ?? authority.generation.number, isKept: false)
      if number == nil { authority.changed?(.status) }
    }
  }

  private func assign(_ new: Standing, _ number: UInt64, isKept: Bool = true) {
    standing = new
    for (name, one) in new.operators where one.since == nil { standing.operators[name]?.since = number }
    let entry = HistoryEntry(number: number, time: wallClock().seconds, digest: standing.digest(like: files))
    authority.generation = Generation(
      number: number, platform: standing.platform?.held, platformName: standing.platform?.facts.name ?? "",
      operators: standing.operators.mapValues { one in
        OperatorPolicy(
          one.held, bindings: one.bindings, sinceGeneration: one.since ?? number, isLastGood: one.isLastGood)
      },
      administratorGroups: standing.platform?.facts.administratorGroups ?? [], digest: entry.digest,
      diagnostics: said(), declared: declared(standing), isLastGood: standing.platform?.isLastGood ?? false,
      ended: authority.periods.follow(standing.platform?.held.image), time: entry.time)
    authority.counters.follow(standing.platform?.held.image)
    authority.suspicions.follow(standing.platform?.held.image)
    if isKept { keep(entry) }
    authority.changed?(.generation)
  }

  private func keep(_ entry: HistoryEntry) {
    guard standing.platform != nil else { return }
    authority.history = (authority.history + [entry]).suffix(ArchiveLimits.sets)
    store(entry)
  }

  private func store(_ entry: HistoryEntry) {
    guard let platform = standing.platform, entry.digest == authority.generation.digest else { return }
    authority.keeper.store(
      StoredSet(
        entry: entry, platform: platform.layer, operators: standing.operators.mapValues(\.layer),
        declared: Set(files.operators.keys)))
  }

  // MARK: Diagnostics

  private func diagnose() {
    let now = said()
    guard now != authority.diagnostics else { return }
    authority.diagnostics = now
    authority.changed?(.diagnostics)
  }

  private func said() -> [DiagnosticRecord] {
    var said = verdicts.lazy.filter { !$0.value.diagnostics.isEmpty }.sorted { $0.key < $1.key }
      .flatMap(\.value.diagnostics)
    said += files.unlisted.filter { !$0.path.isEmpty }.map(OwnDiagnostics.unlisted)
    said += misnamed.prefix(OwnDiagnostics.mostMisnamed).map(OwnDiagnostics.misnamed)
    for (name, verdict) in verdicts.lazy.filter({ $0.value.outcome != .inForce }).sorted(by: { $0.key < $1.key }) {
      if case .failed(let why) = verdict.outcome { said.append(OwnDiagnostics.compilerFailed(name, why)) }
    }
    if standing.platform?.isLastGood == true { said.append(OwnDiagnostics.lastGood("")) }
    said += standing.operators.lazy.filter(\.value.isLastGood).map(\.key).sorted().map(OwnDiagnostics.lastGood)
    if let error = authority.keeper.unwritable { said.append(OwnDiagnostics.unwritable(error)) }
    said += authority.keeper.problems.map(OwnDiagnostics.archive)
    if let record = rollbackRecord { said.append(OwnDiagnostics.rolledBack(to: record.set)) }
    return said
  }

  // MARK: Earlier sets

  private func run(rollback number: UInt64, _ then: @escaping (Result<UInt64, AdminError>) -> Void) {
    let answer = { [self] (result: Result<UInt64, AdminError>) in
      then(result)
      end()
    }
    isRunning = true
    guard let target = target(number) else { return answer(.failure(.noSuchGeneration)) }
    authority.keeper.files(of: target) { [self] files in
      guard let files else { return answer(.failure(.noSuchGeneration)) }
      restore(files) { [self] output in
        if let error = refusal(of: output) { return answer(.failure(error)) }
        let record = RollbackRecord(set: target, tree: self.files.digest)
        let before = rollbackRecord
        rollbackRecord = record
        publish(output.standing) { [self] isPublished in
          guard isPublished else {
            rollbackRecord = before
            return answer(.failure(.stateUnwritable))
          }
          verdicts = [:]
          diagnose()
          authority.changed?(.status)
          authority.keeper.remember(record) { [self] in answer(.success(authority.generation.number)) }
        }
      }
    }
  }

  /// 0: the newest one that says something else than what is in force.
  private func target(_ number: UInt64) -> UInt64? {
    guard number == 0 else { return authority.history.contains { $0.number == number } ? number : nil }
    return authority.history.last {
      $0.number < authority.generation.number && $0.digest != authority.generation.digest
    }?
    .number
  }

  private func restore(_ files: PolicyFiles, _ then: @escaping (Compilation.Output) -> Void) {
    run(
      Compilation.Input(
        files: files, verdicts: [:], standing: Standing(), isRestored: true, mayRestorePlatform: false), then)
  }

  private func refusal(of output: Compilation.Output) -> AdminError? {
    for (_, verdict) in output.verdicts {
      switch verdict.outcome {
      case .inForce: continue
      case .failed: return .compiler
      case .refused: return .refused(output.verdicts.values.flatMap(\.diagnostics))
      }
    }
    return nil
  }

  // MARK: Validation

  func validate(
    _ files: [(path: String, bytes: [UInt8])], _ then: @escaping (Result<Validation, AdminError>) -> Void
  ) {
    guard validation == nil else { return then(.failure(.busy)) }
    let sources = files.map { PolicySource(SourceEntry(path: $0.path, content: .bytes($0.bytes))) }
    let input = Compilation.Input(
      files: PolicyFiles(sources), verdicts: [:], standing: Standing(), isRestored: false, mayRestorePlatform: false)
    let compilation = Compilation(authority.client, input, lastGood: { $1(nil) }) { [weak self] output in
      self?.validation = nil
      let verdicts = output.verdicts.values
      if verdicts.contains(where: { if case .failed = $0.outcome { true } else { false } }) {
        return then(.failure(.compiler))
      }
      then(
        .success(
          Validation(
            isValid: verdicts.allSatisfy { $0.outcome == .inForce },
            diagnostics: output.verdicts.sorted { $0.key < $1.key }.flatMap(\.value.diagnostics))))
    }
    validation = compilation
    compilation.start()
  }
}
