// What a session takes away (DESIGN §2.6), level by level: a child may use what every level from the root to it lets it
// use. And suspicion (DESIGN §2.4).

public import PolicyImage
internal import PolicyLanguage

/// The terms of one level, as they were stated.
public struct OracleSessionLevel: Hashable, Sendable {
  public var preferences: [String: Effect] = [:]
  public var caps: [String: Effect] = [:]
  /// nil: no scope.
  public var behaviors: [String]?
  /// Patterns; empty: any resource.
  public var resources: [String] = []
  public var dial: Degree?
  public init() {}
}

/// One thing that a session, or suspicion, has to say on a name.
struct OracleHold {
  var hold: OracleTraceEntry.Hold
  var effect: Effect
  /// Whether it holds the name back.
  var holds: Bool
  var term: String
}

enum OracleSession {
  /// The names that levels know: those of caps and preferences.
  static func names(_ levels: [OracleSessionLevel]) -> Set<String> {
    Set(levels.flatMap { Array($0.caps.keys) + Array($0.preferences.keys) })
  }

  /// A delegate has nobody's instruction.
  static func source(_ request: OracleRequest) -> Source {
    request.session.count > 1 && request.source != .untrusted ? .agent : request.source
  }

  /// What the user wishes for a name: the root's most specific preference, else the request's own, which is no delegate's.
  static func preference(_ request: OracleRequest, _ name: String) -> Effect? {
    if let root = request.session.first {
      for above in BehaviorName.path(of: name) {
        if let wish = root.preferences[above] { return wish }
      }
    }
    return request.session.count > 1 ? nil : request.preference
  }

  /// The dial's caps of delegates.
  static func lowest(_ levels: [OracleSessionLevel]) -> Degree? { levels.dropFirst().compactMap(\.dial).min() }

  /// Everything that has a say on the name.
  static func holds(_ request: OracleRequest, _ name: String) -> [OracleHold] {
    let levels = request.session
    guard !levels.isEmpty else { return [] }
    var result: [OracleHold] = []
    if let cap = strictestCap(levels, name) { result.append(cap) }
    if let scope = scope(levels, name) { result.append(scope) }
    let constrained = levels.filter { !$0.resources.isEmpty }
    if !constrained.isEmpty {
      let isOneOfAll = constrained.allSatisfy { level in
        level.resources.contains { pattern in request.resource.map { OracleResource.matches(pattern, $0) } ?? false }
      }
      result.append(OracleHold(hold: .resources, effect: .deny, holds: !isOneOfAll, term: ""))
    }
    if levels.count > 1, let wish = request.preference {
      result.append(OracleHold(hold: .preference, effect: wish, holds: true, term: ""))
    }
    return result
  }

  /// Of all caps on the name or above it, and of delegates' preferences, the strictest; of equals the deepest.
  private static func strictestCap(_ levels: [OracleSessionLevel], _ name: String) -> OracleHold? {
    var caps: [(name: String, effect: Effect)] = []
    for (depth, level) in levels.enumerated() {
      for (on, effect) in level.caps { caps.append((on, effect)) }
      if depth > 0 { for (on, effect) in level.preferences { caps.append((on, effect)) } }
    }
    let own = caps.filter { BehaviorName.covers($0.name, name) }
    guard let strictest = own.map(\.effect).min() else { return nil }
    let deepest = own.filter { $0.effect == strictest }.max { $0.name.utf8.count < $1.name.utf8.count }
    return OracleHold(hold: .cap, effect: strictest, holds: true, term: deepest?.name ?? "")
  }

  /// A name has to lie in the scope of every level that has one.
  private static func scope(_ levels: [OracleSessionLevel], _ name: String) -> OracleHold? {
    let scopes = levels.compactMap(\.behaviors)
    guard !scopes.isEmpty else { return nil }
    let covering = scopes.map { scope in scope.filter { BehaviorName.covers($0, name) } }
    let isOutside = covering.contains { $0.isEmpty }
    let deepest = covering.joined().max { $0.utf8.count < $1.utf8.count } ?? ""
    return OracleHold(hold: .scope, effect: .deny, holds: isOutside, term: isOutside ? "" : deepest)
  }

  /// What suspicion comes to for a name, nil: it is none of its.
  static func suspicion(_ request: OracleRequest, _ platform: Platform, _ name: String) -> Effect? {
    guard request.suspicion > 0, let stated = platform.suspicion else { return nil }
    let isMeant = stated.behaviors.isEmpty || stated.behaviors.contains { BehaviorName.covers($0, name) }
    guard isMeant else { return nil }
    if let denyAt = stated.denyAt, request.suspicion >= denyAt { return .deny }
    if let askAt = stated.askAt, request.suspicion >= askAt { return .ask }
    return .allow
  }
}

/// Patterns of resources, read from the left, trying everything.
enum OracleResource {
  static func matches(_ pattern: String, _ resource: String) -> Bool {
    let (wanted, given) = (segments(pattern), segments(resource))
    if isTricky(resource) { return false }
    return all(wanted[...], given[...])
  }

  /// A segment that is one dot or two, however it is written and ended, or what can't be seen.
  private static func isTricky(_ resource: String) -> Bool {
    if resource.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F }) { return true }
    var text: [UInt8] = []
    for byte in resource.utf8 {
      text.append(byte)
      let end = text.suffix(3).map { $0 }
      if end == Array("%2e".utf8) || end == Array("%2E".utf8) {
        text.replaceSubrange((text.count - 3)..., with: [0x2E])
      }
    }
    let parts = text.split(omittingEmptySubsequences: false) { Array("/\\?#".utf8).contains($0) }
    return parts.contains { $0.elementsEqual([0x2E]) || $0.elementsEqual([0x2E, 0x2E]) }
  }

  private static func segments(_ text: String) -> [[UInt8]] {
    Array(text.utf8).split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).map(Array.init)
  }

  private static func all(_ wanted: ArraySlice<[UInt8]>, _ given: ArraySlice<[UInt8]>) -> Bool {
    guard let first = wanted.first else { return given.isEmpty }
    if wanted.count == 1, first == Array("**".utf8) { return !given.isEmpty }
    guard let own = given.first else { return false }
    return one(first[...], own[...]) && all(wanted.dropFirst(), given.dropFirst())
  }

  /// A star takes nothing, or one byte and is tried again.
  private static func one(_ pattern: ArraySlice<UInt8>, _ text: ArraySlice<UInt8>) -> Bool {
    guard let first = pattern.first else { return text.isEmpty }
    if first == UInt8(ascii: "*") {
      return one(pattern.dropFirst(), text) || (!text.isEmpty && one(pattern, text.dropFirst()))
    }
    return text.first == first && one(pattern.dropFirst(), text.dropFirst())
  }
}
