// A request decided: each name that it names and each known name below, the strictest of them (DESIGN §1, §2).

internal import PolicyImage

/// What a decision reads and writes while it is made. A few pointers, for one call.
struct Engine {
  let policy: Policy
  let platform: Reader
  let overlay: Reader

  @inline(__always)
  init(_ policy: Policy, _ frame: borrowing Frame) {
    self.policy = policy
    platform = Reader(policy.platform, frame, base: 0)
    overlay = Reader(policy.overlay, frame, base: frame.slotCount)
  }

  /// The platform's own three values for a name, and the statement that they come from.
  struct Choice {
    var `default`: Effect
    var operatorsMay: Effect
    var usersMay: Effect
    /// What the default carries: bits of the platform's obligations.
    var obligations: UInt64
    var absolute: Absolute
    var decider: Decider
    var absoluteDecider: Decider
  }

  @inline(__always)
  func choice(_ node: UInt32) -> Choice {
    guard node != ImageFormat.none else {
      let header = policy.platform.header
      let unknown = Effect(rawValue: UInt8(truncatingIfNeeded: header.pointee.unknown)) ?? .deny
      let decider = Decider(.default, .platform, header.pointee.unknownStatement, depth: 0)
      return Choice(
        default: unknown, operatorsMay: unknown, usersMay: unknown, obligations: 0, absolute: .none, decider: decider,
        absoluteDecider: decider)
    }
    let n = policy.platform.nodes + Int(node)
    var choice = Choice(
      default: Effect(rawValue: n.pointee.default) ?? .deny,
      operatorsMay: Effect(rawValue: n.pointee.operatorsMay) ?? .deny,
      usersMay: Effect(rawValue: n.pointee.usersMay) ?? .deny,
      obligations: n.pointee.obligations == 0 ? 0 : policy.platform.masks[Int(n.pointee.obligations)],
      absolute: Absolute(rawValue: n.pointee.absolute) ?? .off,
      decider: Decider(.default, .platform, n.pointee.choiceStatement, depth: 0),
      absoluteDecider: Decider(.absolute, .platform, n.pointee.absoluteStatement, depth: 0))
    if policy.ended != 0, n.pointee.flags & Node.hasAlternatives != 0 { replace(&choice) }
    return choice
  }

  /// A declaration's depth, which is read only when it is what decided: two cache misses.
  @inline(__always)
  func complete(_ decider: inout Decider) {
    switch decider.rank {
    case .default, .ceiling, .absolute:
      guard decider.statement != ImageFormat.none else { return }
      let image = policy.image(decider.layer)
      let node = image.statements[Int(decider.statement)].node
      decider.depth = node == ImageFormat.none ? 0 : image.nodes[Int(node)].depth
    default: return
    }
  }

  /// Decides one name (§2.1, then §2.2).
  @inline(__always)
  func decide(_ place: Place, _ wish: Wish, _ frame: inout Frame) -> Folded {
    frame.set(Int(BuiltInSlot.behavior), .string(place.name))
    var choice = choice(place.platform)
    if wish.changes.contains(.choice) {
      choice.default = .allow
      choice.operatorsMay = .allow
      choice.usersMay = .allow
    }
    let match = match(place, frame)
    var folded = settle(place, wish, preference: preference(match, wish, frame), choice, &frame)
    limit(&folded, place, wish, &frame)
    cap(&folded, place, match, wish, frame)
    if wish.isHalted, !wish.changes.contains(.halt) {
      folded.effect = .deny
      folded.decider = Decider(oversight: .halt)
    }
    if choice.absolute != .none {
      folded.effect = choice.absolute == .off ? .deny : .allow
      folded.decider = choice.absoluteDecider
    }
    complete(&folded.decider)
    return folded
  }

  /// What holds when the operator sets nothing: the platform's default, or the operator's audience's choice, cut down to
  /// the platform's ceiling. An audience counts where the declaration that it stands on governs.
  @inline(__always)
  func standing(_ place: Place, _ choice: Choice) -> Folded {
    var standing = Folded(effect: choice.default, decider: choice.decider)
    standing.platformObligations = choice.obligations
    guard place.overlay != ImageFormat.none else { return standing }
    let n = policy.overlay.nodes + Int(place.overlay)
    guard n.pointee.flags & Node.hasAudience != 0, governing(place.platform) == governing(n.pointee.platformNode) else {
      return standing
    }
    let chosen = Effect(rawValue: n.pointee.default) ?? .deny
    standing.effect = min(chosen, choice.operatorsMay)
    standing.decider =
      standing.effect < chosen
      ? Decider(.ceiling, .platform, choice.decider.statement, depth: 0)
      : Decider(.default, .overlay, n.pointee.absoluteStatement, depth: 0)
    standing.platformObligations = 0
    standing.overlayObligations = policy.overlay.masks[Int(n.pointee.obligations)]
    return standing
  }

  /// The statement that a platform's node, or none, has its default from.
  @inline(__always)
  private func governing(_ node: UInt32) -> UInt32 {
    node == ImageFormat.none
      ? policy.platform.header.pointee.unknownStatement : policy.platform.nodes[Int(node)].choiceStatement
  }

  @inline(__always)
  func settle(
    _ place: Place, _ wish: Wish, preference: Effect?, _ choice: Choice, _ frame: inout Frame
  ) -> Folded {
    let standing = standing(place, choice)
    var folded = Folded(effect: standing.effect, decider: standing.decider)
    if wish.changes.contains(.settings) {
      let best = max(choice.default, choice.operatorsMay)
      folded.effect = preference.map { min($0, max(best, choice.usersMay)) } ?? best
      // What is left to be mended is the platform's.
      folded.decider = choice.decider
      return folded
    }
    var settled = Settled(ceiling: choice.operatorsMay)
    if place.overlay != ImageFormat.none { settled.scan(from: place.overlay, overlay, &frame) }
    folded.overlayObligations = settled.obligations
    let isSilent = settled.winner == nil
    if isSilent {
      folded.platformObligations = standing.platformObligations
      folded.overlayObligations |= standing.overlayObligations
    }
    if let strictest = settled.strictest {
      let value = settled.clamped(strictest)
      // Silence is a way too while no setting surely matches.
      if !isSilent || value <= standing.effect {
        folded.effect = value
        folded.decider =
          value < strictest.effect
          ? Decider(.ceiling, .platform, choice.decider.statement, depth: 0)
          : Decider(.setting, .overlay, strictest.statement, depth: strictest.depth)
      }
    }
    guard let preference else { return folded }
    let lift =
      place.overlay == ImageFormat.none
      ? .deny : min(granted(from: place.overlay, overlay, &frame), choice.operatorsMay)
    var wished = Effect.allow
    if let strictest = settled.strictest { wished = max(settled.clamped(strictest), lift) }
    if isSilent { wished = min(wished, max(max(standing.effect, choice.usersMay), lift)) }
    wished = min(wished, preference)
    if wished != folded.effect {
      folded.effect = wished
      folded.decider = Decider(.preference, .none, ImageFormat.none, depth: 0)
    }
    return folded
  }

  @inline(__always)
  private func limit(_ folded: inout Folded, _ place: Place, _ wish: Wish, _ frame: inout Frame) {
    if place.overlay != ImageFormat.none, !wish.changes.contains(.operatorLimits),
      hasLimits(from: place.overlay, policy.overlay)
    {
      var tier = TierFold()
      let mask = scanLimits(from: place.overlay, overlay, &frame) { rule, depth in
        tier.add(rule, depth)
      } isNeeded: {
        tier.isNeeded($0)
      }
      folded.overlayObligations |= mask
      tier.apply(to: &folded.effect, &folded.decider, .operatorTier, .overlay)
    }
    guard place.platform != ImageFormat.none, hasLimits(from: place.platform, policy.platform) else { return }
    var tiers = (TierFold(), TierFold(), TierFold())
    let keepsLimits = !wish.changes.contains(.platformLimits)
    folded.platformObligations |= scanLimits(from: place.platform, platform, &frame) { rule, depth in
      if rule.kind == StatementKind.limit.rawValue, !keepsLimits { return }
      switch rule.tier {
      case Tier.guideline.rawValue: tiers.0.add(rule, depth)
      case Tier.ethics.rawValue: tiers.1.add(rule, depth)
      default: tiers.2.add(rule, depth)
      }
    } isNeeded: { rule in
      switch rule.tier {
      case Tier.guideline.rawValue: tiers.0.isNeeded(rule)
      case Tier.ethics.rawValue: tiers.1.isNeeded(rule)
      default: tiers.2.isNeeded(rule)
      }
    }
    tiers.0.apply(to: &folded.effect, &folded.decider, .guideline, .platform)
    tiers.1.apply(to: &folded.effect, &folded.decider, .ethics, .platform)
    tiers.2.apply(to: &folded.effect, &folded.decider, .safety, .platform)
  }

  /// Whether a duty or limit stands on `node` or above: most behaviours have none.
  @inline(__always)
  private func hasLimits(from node: UInt32, _ image: Image) -> Bool {
    image.nodes[Int(node)].flags & Node.isLimited != 0
  }

  /// Every duty and limit from `node` up that holds, or failed and is a limit, goes to `apply`; returns the
  /// obligations of all that held or failed.
  @inline(__always)
  private func scanLimits(
    from node: UInt32, _ reader: Reader, _ frame: inout Frame, apply: (RuleHeader, UInt8) -> Void,
    isNeeded: (RuleHeader) -> Bool
  ) -> UInt64 {
    var mask: UInt64 = 0
    let nodes = reader.image.nodes
    var index = node
    while index != ImageFormat.none {
      let n = nodes + Int(index)
      var left = n.pointee.limits
      if left > 0 {
        var word = skipped(n, reader.image)
        while left > 0 {
          let rule = RuleHeader(word: word.pointee)
          if rule.mask != 0 || isNeeded(rule) {
            let truth = limitHolds(rule, word + 1, reader, &frame)
            if truth != .no {
              if rule.mask != 0 { mask |= reader.image.masks[Int(rule.mask)] }
              if truth == .yes || rule.kind == StatementKind.limit.rawValue { apply(rule, n.pointee.depth) }
            }
          }
          word += 1 &+ rule.tests
          left &-= 1
        }
      }
      index = n.pointee.parent
    }
    return mask
  }

  /// The first of a node's limits: behind its settings and grants.
  @inline(__always)
  private func skipped(_ n: UnsafePointer<Node>, _ image: Image) -> UnsafePointer<UInt64> {
    var word = image.rules + Int(n.pointee.block)
    var left = n.pointee.settings &+ n.pointee.grants
    while left > 0 {
      word += 1 &+ RuleHeader(word: word.pointee).tests
      left &-= 1
    }
    return word
  }
}

extension TierFold {
  /// A duty or limit with an effect that an earlier, deeper one already has changes nothing.
  @inline(__always)
  func isNeeded(_ rule: RuleHeader) -> Bool {
    rule.kind == StatementKind.duty.rawValue
      ? duty.statement == ImageFormat.none || rule.effect > duty.effect.rawValue
      : limit.statement == ImageFormat.none || rule.effect < limit.effect.rawValue
  }

  @inline(__always)
  mutating func add(_ rule: RuleHeader, _ depth: UInt8) {
    guard isNeeded(rule), let effect = Effect(rawValue: rule.effect) else { return }
    let found = Extreme(effect: effect, statement: rule.statement, depth: depth)
    if rule.kind == StatementKind.duty.rawValue { duty = found } else { limit = found }
  }
}
