// Which operators an identity speaks for. Names are resolved on a worker of their own, because a name service may take
// long; whoever asks meanwhile waits for it, and nobody else does.

public import CompilerProtocol
public import System

/// Loop-owned.
public final class Bindings {
  /// Between looks at the system's users and groups.
  static let refresh: UInt64 = 60_000_000_000

  private let loop: EventLoop
  private let worker: Worker
  private var generation: Generation
  private var table = NameTable()
  private var wanted: (users: Set<String>, groups: Set<String>) = ([], [])
  /// Whether names of what is in force are being looked up still.
  public private(set) var isResolving = false
  private var isStale = false
  private var waiting: [() -> Void] = []
  private var timer: EventLoop.Timer?
  private let ownUser: UInt32
  /// Told when names came to mean something else.
  public var changed: (() -> Void)?
  /// Grows whenever an answer could have become another one; answers may be kept as long as it is the same.
  public private(set) var version: UInt64 = 0

  public init(loop: EventLoop, generation: Generation) throws(SystemError) {
    self.loop = loop
    self.generation = generation
    ownUser = Process.userID
    worker = try Worker(name: "licetd-names", loop: loop)
    timer = loop.after(nanoseconds: Bindings.refresh, every: Bindings.refresh) { [weak self] in self?.resolve() }
  }

  /// Warnings: names in force that the system doesn't know, so that nobody is bound by them (DESIGN §4).
  public var diagnostics: [DiagnosticRecord] {
    guard !table.unknown.isEmpty else { return [] }
    var all = generation.administratorGroups.compactMap { warning("group \($0)", "", "platform.yaml") }
    for (name, one) in generation.operators.sorted(by: { $0.key < $1.key }) {
      for binding in one.bindings {
        let named: String? =
          switch binding.kind {
          case .user: "user \(binding.value)"
          case .group: "group \(binding.value)"
          case .unit: "user \(binding.user)"
          case .label: nil
          }
        if let named, let warning = warning(named, name, "operators.d/\(name).yaml") { all.append(warning) }
      }
    }
    return all
  }

  private func warning(_ named: String, _ name: String, _ file: String) -> DiagnosticRecord? {
    guard table.unknown.contains(named) else { return nil }
    return DiagnosticRecord(
      operator: name, severity: .warning, code: "unknown-name", place: .init(file: file, line: 1, column: 1), length: 1,
      message: "the system knows no \(named)", hint: "nobody is bound by it; is it spelt right, and made yet?",
      text: "",
      related: nil)
  }

  /// To be told of each generation.
  public func follow(_ generation: Generation) {
    self.generation = generation
    version &+= 1
    var (users, groups) = (Set<String>(), Set(generation.administratorGroups))
    for one in generation.operators.values {
      for binding in one.bindings {
        switch binding.kind {
        case .user: users.insert(binding.value)
        case .group: groups.insert(binding.value)
        case .unit: users.insert(binding.user)
        case .label: break
        }
      }
    }
    let isKnown =
      users.allSatisfy { table.users[$0] != nil || table.unknown.contains("user \($0)") }
      && groups.allSatisfy { table.groups[$0] != nil || table.unknown.contains("group \($0)") }
    wanted = (users, groups)
    if !isKnown { resolve() }
  }

  /// Calls `then`, now or as soon as every name in force is resolved.
  public func whenResolved(_ then: @escaping () -> Void) {
    if isResolving { waiting.append(then) } else { then() }
  }

  /// Completes an identity whose groups nobody gave.
  public func complete(_ identity: Identity, _ then: @escaping (Identity) -> Void) {
    if identity.gids != nil { return then(identity) }
    worker.run { [uid = identity.uid] in
      NameTable.groups(of: uid)
    } then: { groups in
      var complete = identity
      complete.gids = groups
      then(complete)
    }
  }

  /// The operators that this identity is bound to, sorted.
  public func operators(for identity: Identity) -> [String] {
    generation.operators.filter { $0.value.bindings.contains { matches($0, identity) } }.keys.sorted()
  }

  /// Root, the daemon's own user, and members of the groups that the platform names.
  public func isAdministrator(_ identity: Identity) -> Bool {
    if identity.uid == 0 || identity.uid == ownUser { return true }
    return generation.administratorGroups.contains { name in
      table.groups[name].map { identity.gids?.contains($0) ?? false } ?? false
    }
  }

  public func finish() {
    timer?.cancel()
    worker.finish()
  }

  private func matches(_ binding: BindingRecord, _ identity: Identity) -> Bool {
    switch binding.kind {
    case .user: table.users[binding.value] == identity.uid
    case .group: table.groups[binding.value].map { identity.gids?.contains($0) ?? false } ?? false
    case .label: identity.label == binding.value
    case .unit: table.users[binding.user] == identity.uid && isIn(binding.value, identity)
    }
  }

  /// A process number may be another's by now: its start is looked at before and after.
  private func isIn(_ unit: String, _ identity: Identity) -> Bool {
    guard let pid = identity.pid, let before = startTime(of: pid), let found = Service.unit(of: pid) else {
      return false
    }
    return found == unit && startTime(of: pid) == before
  }

  private func resolve() {
    guard !isResolving else {
      isStale = true
      return
    }
    isResolving = true
    let (users, groups) = wanted
    worker.run {
      NameTable.resolve(users: users, groups: groups)
    } then: { [weak self] table in
      guard let self else { return }
      self.isResolving = false
      self.table = table
      self.version &+= 1
      self.changed?()
      if self.isStale {
        self.isStale = false
        return self.resolve()
      }
      let waiting = self.waiting
      self.waiting = []
      for then in waiting { then() }
    }
  }
}
