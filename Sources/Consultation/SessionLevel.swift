// What a session may do (DESIGN §2.6) in Swift's own types, level by level, and laid out for the engine.

public import Decision
public import PolicyImage

/// The terms of one level: what a session was opened with, or delegated with.
public struct SessionLevel: Hashable, Sendable {
  /// The user's wishes, by behaviour; a delegate's only cap.
  public var preferences: [String: Effect] = [:]
  /// The most that a behaviour may be, with all below it.
  public var caps: [String: Effect] = [:]
  /// The only behaviours that may be used, with all below them; nil: there is no scope.
  public var behaviors: Set<String>?
  /// Patterns of which the request's resource has to match one (`matchesResource`); empty: any resource will do.
  public var resources: Set<String> = []
  public var dial: Degree?
  public init() {}

  /// Whether it takes nothing away.
  public var isEmpty: Bool { self == SessionLevel() }

  /// Bounds: names of all kinds, with the levels above it; patterns, and bytes of one.
  public static let names = 1024
  public static let patterns = 64
  public static let patternBytes = 1024

  /// What is wrong with it; nil: nothing.
  public var problem: RequestError? {
    for name in [Set(preferences.keys), Set(caps.keys), behaviors ?? []].joined() {
      var text = name
      if !text.withUTF8({ isBehaviorName(UnsafeRawBufferPointer($0)) }) { return RequestError(.badName, at: name) }
    }
    if let dial, dial == .zero || dial >= .one { return RequestError(.badDial, at: "dial") }
    if resources.count > SessionLevel.patterns { return RequestError(.tooMany, at: "resources") }
    for one in resources where one.isEmpty || one.utf8.count > SessionLevel.patternBytes {
      return RequestError(.badResource, at: one)
    }
    return nil
  }
}

/// A session's levels, the root's first, as one decision takes them. Immutable; thread-safe.
public final class SessionMemory: @unchecked Sendable {
  // SAFETY: written in `init` alone, freed in `deinit`.
  private let memory: UnsafeMutableRawBufferPointer
  /// Lives as long as this object.
  public let terms: UnsafePointer<SessionTerms>

  /// - Throws: `RequestError` for the first level that has a problem, or for more names than fit.
  public init(_ levels: [SessionLevel]) throws(RequestError) {
    for level in levels { if let problem = level.problem { throw problem } }
    let (names, patterns) = (SessionMemory.names(levels), SessionMemory.patterns(levels))
    guard names.count <= SessionLevel.names else { throw RequestError(.tooMany, at: "behaviors") }
    guard patterns.count <= SessionLevel.names else { throw RequestError(.tooMany, at: "resources") }
    let texts = names.map(\.name) + patterns.map(\.text)
    let head = MemoryLayout<SessionTerms>.stride
    let (termBytes, patternBytes) = (
      names.count * MemoryLayout<SessionTerm>.stride, patterns.count * MemoryLayout<ResourcePattern>.stride
    )
    memory = .allocate(
      byteCount: head + termBytes + patternBytes + texts.reduce(0) { $0 + $1.utf8.count }, alignment: 16)
    // SAFETY: each part lies within what was just allocated, and is bound once.
    guard let base = memory.baseAddress else { preconditionFailure("no memory of a size above 0") }
    let ownTerms = (base + head).bindMemory(to: SessionTerm.self, capacity: names.count)
    let ownPatterns = (base + head + termBytes).bindMemory(to: ResourcePattern.self, capacity: patterns.count)
    var next = base + head + termBytes + patternBytes
    func keep(_ text: String) -> Name {
      let bytes = Array(text.utf8)
      let own = UnsafeMutableRawBufferPointer(start: next, count: bytes.count)
      own.copyBytes(from: bytes)
      next += bytes.count
      return Name(own)
    }
    for (i, one) in names.enumerated() {
      (ownTerms + i).initialize(to: SessionTerm(one.kind, keep(one.name), one.effect))
    }
    for (i, one) in patterns.enumerated() {
      (ownPatterns + i).initialize(to: ResourcePattern(group: one.group, text: keep(one.text)))
    }
    let lowered = levels.dropFirst().compactMap(\.dial).min()
    let root = base.bindMemory(to: SessionTerms.self, capacity: 1)
    root.initialize(
      to: SessionTerms(
        terms: UnsafeBufferPointer(start: ownTerms, count: names.count),
        resources: UnsafeBufferPointer(start: ownPatterns, count: patterns.count),
        isScoped: levels.contains { $0.behaviors != nil }, isDelegate: levels.count > 1,
        dial: levels.first?.dial ?? .zero, dialCap: lowered ?? .one))
    terms = UnsafePointer(root)
  }

  deinit { memory.deallocate() }

  private static func names(_ levels: [SessionLevel]) -> [(name: String, kind: SessionTerm.Kind, effect: Effect)] {
    var caps: [String: Effect] = [:]
    var scope: Set<String>?
    for (depth, level) in levels.enumerated() {
      caps.merge(level.caps, uniquingKeysWith: min)
      if depth > 0 { caps.merge(level.preferences, uniquingKeysWith: min) }
      if let own = level.behaviors { scope = scope.map { both($0, own) } ?? own }
    }
    var all = caps.map { ($0.key, SessionTerm.Kind.cap, $0.value) }
    all += (levels.first?.preferences ?? [:]).map { ($0.key, SessionTerm.Kind.preference, $0.value) }
    all += (scope ?? []).map { ($0, SessionTerm.Kind.scope, Effect.allow) }
    return all.sorted { a, b in
      if a.0 == b.0 { return a.1.rawValue < b.1.rawValue }
      return comesBefore(a.0, b.0)
    }.map { (name: $0.0, kind: $0.1, effect: $0.2) }
  }

  /// What lies in both scopes: of each the names that the other one covers.
  private static func both(_ a: Set<String>, _ b: Set<String>) -> Set<String> {
    func covered(_ names: Set<String>, by others: Set<String>) -> Set<String> {
      names.filter { name in others.contains { name == $0 || name.hasPrefix($0 + ".") } }
    }
    return covered(a, by: b).union(covered(b, by: a))
  }

  private static func comesBefore(_ a: String, _ b: String) -> Bool {
    let (a, b) = (Array(a.utf8), Array(b.utf8))
    return a.withUnsafeBytes { a in b.withUnsafeBytes { b in nameLess(a, b) } }
  }

  private static func patterns(_ levels: [SessionLevel]) -> [(group: UInt32, text: String)] {
    levels.enumerated().flatMap { depth, level in level.resources.sorted().map { (group: UInt32(depth), text: $0) } }
  }
}
