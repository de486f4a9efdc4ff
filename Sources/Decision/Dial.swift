// The disposition dial: how far an agent may go on its own (DESIGN §2.5). Settled like a behaviour, with numbers for
// effects (docs/design/semantics.md), then compared with what is at stake.

public import PolicyImage

/// What platform and operator state, with the statements that state it.
struct DialSettings {
  var `default`: Degree
  var operatorsMay: Degree
  var usersMay: Degree
  /// The operator's; zero: none.
  var stated: Degree
  var platformStatement: UInt32
  var overlayStatement: UInt32

  init(_ platform: Image, _ overlay: Image?, ended: UInt64) {
    let header = platform.header
    (`default`, operatorsMay) = (header.pointee.dial, header.pointee.dialOperatorsMay)
    (usersMay, platformStatement) = (header.pointee.dialUsersMay, header.pointee.dialStatement)
    if ended != 0 {
      let own = (`default`.millionths, operatorsMay.millionths, usersMay.millionths)
      let now = alternatives(platform, platformStatement, ended, own)
      (`default`, operatorsMay) = (Degree(millionths: now.0), Degree(millionths: now.1))
      usersMay = Degree(millionths: now.2)
    }
    stated = overlay?.header.pointee.dial ?? .zero
    overlayStatement = overlay?.header.pointee.dialStatement ?? ImageFormat.none
  }

  /// A dial with the statement that set it; none: the session did.
  struct Setting {
    var value: Degree
    var layer: Layer
    var statement: UInt32
  }

  /// The dial for a session's own one, zero: it has none; and what its delegates lower it to, one: they don't.
  func settled(session: Degree, cap: Degree) -> Setting {
    let own = settled(session: session)
    return cap < own.value ? Setting(value: cap, layer: .none, statement: ImageFormat.none) : own
  }

  /// The dial for a session's own one; zero: it has none.
  func settled(session: Degree) -> Setting {
    let chosen =
      stated == .zero
      ? platform(`default`, 0)
      : stated <= operatorsMay
        ? Setting(value: stated, layer: .overlay, statement: overlayStatement) : platform(operatorsMay, 1)
    guard session != .zero, session != chosen.value else { return chosen }
    if session < chosen.value { return Setting(value: session, layer: .none, statement: ImageFormat.none) }
    // What an operator set, a session can't lift.
    guard stated == .zero, usersMay > chosen.value else { return chosen }
    if session > usersMay { return platform(usersMay, 2) }
    return Setting(value: session, layer: .none, statement: ImageFormat.none)
  }

  /// The platform's statements stand one behind the other: default, `operators-may`, `users-may`.
  private func platform(_ value: Degree, _ index: UInt32) -> Setting {
    let isKnown = platformStatement != ImageFormat.none
    return Setting(
      value: value, layer: isKnown ? .platform : .none,
      statement: isKnown ? platformStatement &+ index : ImageFormat.none)
  }

  /// The highest dial that these changes, with everything else fixed, can bring about.
  func best(_ changes: Changes, session: Degree, cap: Degree) -> Degree {
    let session = changes.contains(.sessionDial) ? Degree.one : session
    let cap = changes.contains(.sessionDial) ? Degree.one : cap
    let now = settled(session: session).value
    guard changes.contains(.operatorDial) else { return min(now, cap) }
    var (highest, silent) = (self, self)
    (highest.stated, silent.stated) = (operatorsMay, .zero)
    return min(cap, max(now, max(highest.settled(session: session).value, silent.settled(session: session).value)))
  }
}

extension Policy {
  /// The dial for a session's own one, zero: it has none; and what its delegates lower it to, one: they don't.
  public func settledDial(session: Degree, cap: Degree) -> Degree {
    DialSettings(platform, hasOverlay ? overlay : nil, ended: ended).settled(session: session, cap: cap).value
  }
}

extension Engine {
  var dialSettings: DialSettings {
    DialSettings(policy.platform, policy.hasOverlay ? policy.overlay : nil, ended: policy.ended)
  }

  /// What is at stake in a name.
  @inline(__always)
  func stakes(_ place: Place) -> Degree {
    place.platform == ImageFormat.none ? .one : policy.platform.nodes[Int(place.platform)].stakes
  }

  /// The dial of this request, with the changes that are supposed.
  @inline(__always)
  func dial(_ wish: Wish, _ frame: borrowing Frame) -> Degree {
    if frame.sessionDial == .zero, wish.changes.rawValue == 0 { return min(policy.dial, frame.dialCap) }
    return dialSettings.best(wish.changes, session: frame.sessionDial, cap: frame.dialCap)
  }

  /// Gives conditions the source that counts, the periods that have ended, and the dial, where one reads it.
  @inline(__always)
  func begin(_ wish: Wish, _ frame: inout Frame) {
    frame.clampSource()
    frame.ended = policy.ended
    if policy.readsDial { frame.set(Int(BuiltInSlot.sessionDial), .double(dial(wish, frame).value)) }
  }

  /// On its own an agent may do what is at stake no more than the dial; untrusted text may nothing.
  @inline(__always)
  func isCapped(_ place: Place, _ wish: Wish, _ frame: borrowing Frame) -> Bool {
    if frame.source.rawValue < Source.agent.rawValue { return false }
    if frame.source == .untrusted { return true }
    return dial(wish, frame) < stakes(place) && !wish.changes.contains(.stakes)
  }

  /// Oversight's caps: the session's, suspicion's, the dial's, which is named where it agrees, as a limit is.
  @inline(__always)
  func cap(
    _ folded: inout Folded, _ place: Place, _ match: SessionMatch, _ wish: Wish, _ frame: borrowing Frame
  ) {
    if frame.session != nil { hold(&folded, match, wish, frame) }
    if frame.suspicion != 0 { suspect(&folded, place, wish, frame) }
    guard folded.effect != .deny, isCapped(place, wish, frame) else { return }
    folded.effect = .ask
    folded.decider = Decider(oversight: .dial)
    if frame.source == .agent {
      let setting = dialSettings.settled(session: frame.sessionDial, cap: frame.dialCap)
      folded.decider.layer = setting.layer
      folded.decider.statement = setting.statement
    }
  }

  /// The statement that states the stakes of the platform's node, or none: the declaration of the node at that depth.
  func stakesStatement(_ node: UInt32) -> UInt32 {
    guard node != ImageFormat.none else { return ImageFormat.none }
    let depth = policy.platform.nodes[Int(node)].stakesDepth
    var index = node
    while index != ImageFormat.none, policy.platform.nodes[Int(index)].depth > depth {
      index = policy.platform.nodes[Int(index)].parent
    }
    guard depth > 0, index != ImageFormat.none else { return ImageFormat.none }
    return declaration(of: index)
  }

  /// Behind the rules stand the declarations, in the order of nodes; in an image where they don't, another is found, or
  /// none.
  private func declaration(of node: UInt32) -> UInt32 {
    let statements = policy.platform.statements
    var low: UInt32 = 0
    var high = UInt32(truncatingIfNeeded: policy.platform.count(.statements))
    while low < high {
      let middle = low &+ (high &- low) / 2
      let record = statements + Int(middle)
      let isBefore =
        record.pointee.form == StatementForm.rule.rawValue
        || (record.pointee.node != ImageFormat.none && record.pointee.node < node)
      if isBefore { low = middle &+ 1 } else { high = middle }
    }
    guard low < UInt32(truncatingIfNeeded: policy.platform.count(.statements)), statements[Int(low)].node == node else {
      return ImageFormat.none
    }
    return low
  }
}
