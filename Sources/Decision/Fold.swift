// One name against the two images: settle what the principals chose, then every duty and limit (DESIGN §2.1, §2.2).
// Rules are scanned once, node by node from the deepest up; tiers are folded at the end, which is the same because
// inside a tier duties come to their maximum and limits to their minimum whatever the order.

internal import PolicyImage

/// Where a name stands in one policy: its nearest node in each image, or none. Borrows the name.
public struct Place {
  public var platform: UInt32
  public var overlay: UInt32
  public var name: Name

  @inline(__always)
  public init(platform: UInt32, overlay: UInt32, name: Name) {
    self.platform = platform
    self.overlay = overlay
    self.name = name
  }
}

/// A request's own part that no image holds.
struct Wish {
  /// The user's preference, or none.
  var preference: Effect?
  var changes = Changes(rawValue: 0)
  /// Whoever asks is stopped (DESIGN §2.2, step 5).
  var isHalted = false
}

/// What the fold of one name came to.
struct Folded {
  var effect: Effect
  var decider: Decider
  var platformObligations: UInt64 = 0
  var overlayObligations: UInt64 = 0
}

/// The strongest duty or limit of one tier so far, with the statement that set it first.
struct Extreme {
  var effect: Effect
  var statement = ImageFormat.none
  var depth: UInt8 = 0
}

/// A tier's duties (their maximum) and limits (their minimum).
struct TierFold {
  var duty = Extreme(effect: .deny)
  var limit = Extreme(effect: .allow)

  /// Raises, then caps; names what decided (a statement that says the same as a lower authority is named for it).
  @inline(__always)
  func apply(to effect: inout Effect, _ decider: inout Decider, _ rank: DeciderRank, _ layer: Layer) {
    if duty.statement != ImageFormat.none, duty.effect >= effect, duty.effect > .deny {
      effect = duty.effect
      decider = Decider(rank, layer, duty.statement, depth: duty.depth)
    }
    if limit.statement != ImageFormat.none, limit.effect <= effect, limit.effect < .allow {
      effect = limit.effect
      decider = Decider(rank, layer, limit.statement, depth: limit.depth)
    }
  }
}

/// The operator's settings for one name, so far.
struct Settled {
  /// What a setting is cut down to.
  let ceiling: Effect
  /// The most specific matching setting, the strictest of equals.
  var winner: Extreme?
  /// The strictest failed setting that is at least as specific as the winner.
  var failed: Extreme?
  var obligations: UInt64 = 0

  init(ceiling: Effect) { self.ceiling = ceiling }
}

extension Settled {
  /// Scans from `node` up to the first that has a matching setting: more general ones have no say then.
  @inline(__always)
  mutating func scan(from node: UInt32, _ reader: Reader, _ frame: inout Frame) {
    let nodes = reader.image.nodes
    let rules = reader.image.rules
    var index = node
    while index != ImageFormat.none, winner == nil {
      let n = nodes + Int(index)
      var word = rules + Int(n.pointee.block)
      var left = Int(n.pointee.settings)
      while left > 0 {
        let found = firstMatch(word, left, reader, &frame)
        guard found.left > 0 else { break }
        let rule = RuleHeader(word: found.word.pointee)
        if !consider(rule, found.truth, n.pointee.depth, reader) { break }
        word = found.word + (1 &+ rule.tests)
        left = found.left &- 1
        if let winner, left > 0 { passOver(winner.effect, &word, &left) }
      }
      index = n.pointee.parent
    }
  }

  /// Behind the winner only rules with obligations that tie with it in effect matter; rules stand stricter first.
  @inline(__always)
  private func passOver(_ effect: Effect, _ word: inout UnsafePointer<UInt64>, _ left: inout Int) {
    while left > 0 {
      let rule = RuleHeader(word: word.pointee)
      if rule.effect != effect.rawValue { left = 0 }
      if left == 0 || rule.mask != 0 { return }
      word += 1 &+ rule.tests
      left &-= 1
    }
  }

  /// Takes a setting into account that matches or failed; false when nothing further on this node matters.
  @inline(__always)
  private mutating func consider(_ rule: RuleHeader, _ truth: Truth, _ depth: UInt8, _ reader: Reader) -> Bool {
    if let winner, rule.effect != winner.effect.rawValue { return false }
    guard let effect = Effect(rawValue: rule.effect) else { return true }
    // Once there is a winner, only a tie with obligations counts.
    if winner != nil, rule.mask == 0 { return true }
    if rule.mask != 0 { obligations |= reader.image.masks[Int(rule.mask)] }
    let found = Extreme(effect: effect, statement: rule.statement, depth: depth)
    if truth == .yes {
      if winner == nil { winner = found }
    } else if failed.map({ clamped(found) < clamped($0) }) ?? true {
      failed = found
    }
    return true
  }

  @inline(__always)
  func clamped(_ setting: Extreme) -> Effect { min(setting.effect, ceiling) }

  /// Of the settings that could have won, the one that would have been strictest.
  @inline(__always)
  var strictest: Extreme? {
    guard let winner else { return failed }
    guard let failed else { return winner }
    if clamped(winner) != clamped(failed) { return clamped(winner) < clamped(failed) ? winner : failed }
    if winner.depth != failed.depth { return winner.depth > failed.depth ? winner : failed }
    return winner.statement < failed.statement ? winner : failed
  }
}

/// The best grant that matches: how far the operator lets its users lift. A failed grant doesn't count.
func granted(from node: UInt32, _ reader: Reader, _ frame: inout Frame) -> Effect {
  var best = Effect.deny
  var index = node
  while index != ImageFormat.none {
    let n = reader.image.nodes + Int(index)
    var word = reader.image.rules + Int(n.pointee.block)
    var left = n.pointee.settings &+ n.pointee.grants
    while left > 0 {
      let rule = RuleHeader(word: word.pointee)
      if rule.kind == StatementKind.grant.rawValue, rule.effect > best.rawValue,
        holds(rule, word + 1, reader, &frame) == .yes
      {
        best = Effect(rawValue: rule.effect) ?? .deny
      }
      word += 1 &+ rule.tests
      left &-= 1
    }
    index = n.pointee.parent
  }
  return best
}
