// What a session takes away from a decision (DESIGN §2.6): caps, a scope, constraints on resources, a delegate's lower
// dial. A child's terms hold its parents' as well: each list is already what all of them together leave.

public import PolicyImage

/// One name of a session's terms. Borrows the name.
public struct SessionTerm {
  /// Raw values are the order of terms with one name.
  public enum Kind: UInt8, Sendable {
    /// What the user wishes; a delegate's wishes are caps.
    case preference = 0
    case cap = 1
    /// The name and all below it may be used; `effect` is `allow`.
    case scope = 2
  }
  public var name: Name
  public var kind: Kind
  public var effect: Effect
  public init(_ kind: Kind, _ name: Name, _ effect: Effect) {
    (self.kind, self.name, self.effect) = (kind, name, effect)
  }
}

/// What a resource must look like. Of each group one pattern has to match. Borrows the text.
public struct ResourcePattern {
  public var group: UInt32
  public var text: Name
  public init(group: UInt32, text: Name) { (self.group, self.text) = (group, text) }
}

/// The terms of one session, and of all that it was delegated by; over lent memory that doesn't change.
public struct SessionTerms {
  /// In name order, then by kind; no two of a kind with one name.
  public var terms: UnsafeBufferPointer<SessionTerm>
  /// In the order of groups.
  public var resources: UnsafeBufferPointer<ResourcePattern>
  /// What no scope covers is denied.
  public var isScoped: Bool
  /// It was delegated: its source is `agent` or `untrusted`, and a request's own preference only caps.
  public var isDelegate: Bool
  /// The root's own dial, zero: it has none; and the lowest of all delegates', one: they have none.
  public var dial: Degree
  public var dialCap: Degree

  public init(
    terms: UnsafeBufferPointer<SessionTerm> = UnsafeBufferPointer(start: nil, count: 0),
    resources: UnsafeBufferPointer<ResourcePattern> = UnsafeBufferPointer(start: nil, count: 0), isScoped: Bool = false,
    isDelegate: Bool = false, dial: Degree = .zero, dialCap: Degree = .one
  ) {
    (self.terms, self.resources, self.isScoped, self.isDelegate) = (terms, resources, isScoped, isDelegate)
    (self.dial, self.dialCap) = (dial, dialCap)
  }

  /// So many are looked at one by one, which is faster than to search.
  static var few: Int { 8 }

  /// The terms that have a say on this name. Names that cover it are its beginnings, each of which is looked for behind the one
  /// before; where no term's name goes on like that, none of the further ones is there.
  @inline(never)
  @_optimize(speed)
  func match(_ name: Name) -> SessionMatch {
    var found = SessionMatch()
    if terms.count <= Self.few {
      for term in terms where covers(term.name, name) { found.take(term) }
      return found
    }
    var (index, length) = (0, 0)
    while length < name.count {
      while length < name.count, name[length] != dot { length &+= 1 }
      let beginning = Name(rebasing: name[..<length])
      index = first(notBefore: beginning, from: index)
      while index < terms.count, covers(terms[index].name, beginning) {
        found.take(terms[index])
        index &+= 1
      }
      if index == terms.count || !isBelow(terms[index].name, beginning) { break }
      length &+= 1
    }
    return found
  }

  /// The index of the first term whose name is this one or comes after it.
  private func first(notBefore name: Name, from: Int) -> Int {
    var (low, high) = (from, terms.count)
    while low < high {
      let middle = low &+ (high &- low) / 2
      if nameLess(terms[middle].name, name) { low = middle &+ 1 } else { high = middle }
    }
    return low
  }

  /// Whether of each group a pattern matches; without a resource none does.
  func takes(resource: Name?) -> Bool {
    var i = 0
    while i < resources.count {
      let group = resources[i].group
      var matches = false
      while i < resources.count, resources[i].group == group {
        if let resource, !matches { matches = matchesResource(resources[i].text, resource) }
        i &+= 1
      }
      if !matches { return false }
    }
    return true
  }

  /// The first name of a cap or preference below `wide` that comes after `last`. A scope's names need no deciding: what
  /// covers a wider name covers them.
  func name(after last: Name, below wide: Name) -> Name? {
    if terms.count <= Self.few {
      for term in terms where term.kind != .scope && isBelow(term.name, wide) && nameLess(last, term.name) {
        return term.name
      }
      return nil
    }
    var i = first(after: nameLess(last, wide) ? wide : last)
    while i < terms.count {
      let term = terms[i]
      if !isBelow(term.name, wide) { return nil }
      if term.kind != .scope { return term.name }
      i &+= 1
    }
    return nil
  }

  func hasNames(below wide: Name) -> Bool {
    if terms.count > Self.few { return name(after: wide, below: wide) != nil }
    for term in terms where term.kind != .scope && isBelow(term.name, wide) { return true }
    return false
  }

  /// The index of the first term whose name comes after this one: what lies below a name follows it.
  private func first(after name: Name) -> Int {
    var (low, high) = (0, terms.count)
    while low < high {
      let middle = low &+ (high &- low) / 2
      if nameLess(name, terms[middle].name) { high = middle } else { low = middle &+ 1 }
    }
    return low
  }
}

/// Of the terms that cover a name those that count.
struct SessionMatch {
  /// What the user wishes: the most specific preference.
  var preference: Effect?
  /// The strictest cap, of equals the deepest.
  var cap: SessionTerm?
  /// The deepest part of the scope that covers the name; nil: it lies outside.
  var scope: SessionTerm?

  /// Takes one that is no less deep than those before.
  @inline(__always)
  mutating func take(_ term: SessionTerm) {
    switch term.kind {
    case .preference: preference = term.effect
    case .cap: if cap.map({ term.effect <= $0.effect }) ?? true { cap = term }
    case .scope: scope = term
    }
  }
}

/// Whether `name` is `wide` or lies below it. Asked of every term: lengths and the dot first, which tell most names apart.
@inline(__always)
func covers(_ wide: Name, _ name: Name) -> Bool {
  let count = wide.count
  guard count <= name.count, count == name.count || name[count] == dot, let a = wide.baseAddress,
    let b = name.baseAddress
  else { return false }
  return equalBytes(a, b, count)
}

/// Whether a resource looks like `pattern`, segment by segment (`/` between them): in a segment `*` stands for any run
/// of bytes; a last segment `**` for at least one more, whatever they are. A resource that doesn't mean what it says
/// (`isPlain`) matches nothing. Time at most the product of both lengths.
public func matchesResource(_ pattern: Name, _ resource: Name) -> Bool {
  guard isPlain(resource) else { return false }
  var (p, r) = (0, 0)
  while true {
    let (wanted, text) = (segment(pattern, p), segment(resource, r))
    let isLast = wanted.endIndex == pattern.count
    if isLast, wanted.count == 2, wanted.first == star, wanted.last == star { return true }
    guard matchesSegment(wanted, text), isLast == (text.endIndex == resource.count) else { return false }
    if isLast { return true }
    (p, r) = (wanted.endIndex &+ 1, text.endIndex &+ 1)
  }
}

/// Whether a resource has no segment `.` or `..`, also as those who read addresses see it: with `%2e` for a dot, ended by `\`,
/// `?` or `#`, or with control characters, which they leave out.
private func isPlain(_ resource: Name) -> Bool {
  // The segment so far is so many dots; -1: other bytes too.
  var dots = 0
  var i = 0
  while i < resource.count {
    let byte = resource[i]
    if byte < 0x20 || byte == 0x7F { return false }
    let isDot = byte == dot || isEncodedDot(resource, i)
    if byte == UInt8(ascii: "/") || byte == UInt8(ascii: "\\") || byte == UInt8(ascii: "?") || byte == UInt8(ascii: "#")
    {
      if dots == 1 || dots == 2 { return false }
      dots = 0
    } else if !isDot {
      dots = -1
    } else if dots >= 0 {
      dots &+= 1
    }
    i &+= isDot && byte != dot ? 3 : 1
  }
  return dots != 1 && dots != 2
}

private func isEncodedDot(_ text: Name, _ i: Int) -> Bool {
  i &+ 2 < text.count && text[i] == UInt8(ascii: "%") && text[i &+ 1] == UInt8(ascii: "2")
    && text[i &+ 2] | 0x20 == UInt8(ascii: "e")
}

private let star = UInt8(ascii: "*")
private let dot = UInt8(ascii: ".")

/// The segment that begins at `start`.
private func segment(_ text: Name, _ start: Int) -> Slice<Name> {
  var end = start
  while end < text.count, text[end] != UInt8(ascii: "/") { end &+= 1 }
  return text[start..<end]
}

/// The last star takes what is left over; when what follows it fails, it takes one byte more.
private func matchesSegment(_ pattern: Slice<Name>, _ text: Slice<Name>) -> Bool {
  var (p, t) = (pattern.startIndex, text.startIndex)
  var back: (p: Int, t: Int)?
  while t < text.endIndex {
    if p < pattern.endIndex, pattern[p] == star {
      back = (p &+ 1, t)
      p &+= 1
    } else if p < pattern.endIndex, pattern[p] == text[t] {
      p &+= 1
      t &+= 1
    } else if let last = back {
      back = (last.p, last.t &+ 1)
      (p, t) = (last.p, last.t &+ 1)
    } else {
      return false
    }
  }
  while p < pattern.endIndex, pattern[p] == star { p &+= 1 }
  return p == pattern.endIndex
}

/// What of a session holds a name back, in the order in which it is looked at.
public enum SessionHold: UInt8, Sendable {
  case cap = 1
  /// Outside of the scope.
  case scope = 2
  /// The resource isn't one of the session's.
  case resources = 3
  /// A delegate's request has a preference, which only caps.
  case preference = 4
}

extension Engine {
  /// What the session's terms say of this name; empty without one.
  @inline(__always)
  func match(_ place: Place, _ frame: borrowing Frame) -> SessionMatch {
    frame.session?.pointee.match(place.name) ?? SessionMatch()
  }

  /// What the user wishes for this name.
  @inline(__always)
  func preference(_ match: SessionMatch, _ wish: Wish, _ frame: borrowing Frame) -> Effect? {
    if wish.changes.contains(.preference) { return .allow }
    guard let session = frame.session else { return wish.preference }
    return match.preference ?? (session.pointee.isDelegate ? nil : wish.preference)
  }

  /// The first of oversight's caps. Each is named where it agrees, as a limit is.
  @inline(never)
  @_optimize(speed)
  func hold(_ folded: inout Folded, _ match: SessionMatch, _ wish: Wish, _ frame: borrowing Frame) {
    eachHold(match, wish, frame) { _, to, holds, _ in
      guard holds, to < .allow, to <= folded.effect else { return }
      folded.effect = to
      folded.decider = Decider(oversight: .session)
    }
  }

  /// Everything of the session that has a say on this name: what it is, the effect, whether it holds, the term's name.
  func eachHold(
    _ match: SessionMatch, _ wish: Wish, _ frame: borrowing Frame,
    _ body: (SessionHold, Effect, Bool, Name) -> Void
  ) {
    guard let session = frame.session, !wish.changes.contains(.session) else { return }
    if let cap = match.cap { body(.cap, cap.effect, true, cap.name) }
    if session.pointee.isScoped {
      body(.scope, .deny, match.scope == nil, match.scope?.name ?? Name(start: nil, count: 0))
    }
    if session.pointee.resources.count > 0 {
      let value = frame.slots[Int(BuiltInSlot.resource)]
      let resource = value.kind == .string ? value.borrowedBytes : nil
      body(.resources, .deny, !session.pointee.takes(resource: resource), Name(start: nil, count: 0))
    }
    if session.pointee.isDelegate, let preference = wish.preference, !wish.changes.contains(.preference) {
      body(.preference, preference, true, Name(start: nil, count: 0))
    }
  }
}
