// The names that a request stands for: what it names, and every known name below (DESIGN §1), in name order and
// without repeats. Nothing is stored between steps: the next name is found from the last one.

internal import PolicyImage

extension Policy {
  /// Where a behaviour's name stands in this policy, for `decide(_:_:at:preference:)`: what a look-up costs is paid once.
  /// A name that the overlay has leads on to the platform's node. Borrows the name.
  @inline(__always)
  public func place(of name: Name) -> Place {
    var place = Place(platform: ImageFormat.none, overlay: ImageFormat.none, name: name)
    guard let base = name.baseAddress, name.count > 0 else { return place }
    let hash = hash64(base, name.count)
    if hasOverlay {
      let exact = overlay.node(base, name.count, hash: hash)
      if exact != ImageFormat.none {
        place.overlay = exact
        place.platform = overlay.nodes[Int(exact)].platformNode
        return place
      }
      place.overlay = overlay.nearestNode(base, name.count)
    }
    place.platform = Policy.nearest(base, name.count, hash, platform)
    return place
  }

  @inline(__always)
  private static func nearest(
    _ base: UnsafeRawPointer, _ count: Int, _ hash: UInt64, _ image: Image
  ) -> UInt32 {
    let exact = image.node(base, count, hash: hash)
    return exact != ImageFormat.none ? exact : image.nearestNode(base, count)
  }
}

extension Engine {
  @inline(__always)
  func place(of name: Name) -> Place { policy.place(of: name) }

  /// Whether names below `place`'s may be known. A node that is only the nearest above says yes too often, which
  /// costs a search and changes nothing.
  @inline(__always)
  func mayHaveNamesBelow(_ place: Place) -> Bool {
    hasNodesBelow(place.platform, policy.platform)
      || (policy.hasOverlay && hasNodesBelow(place.overlay, policy.overlay))
  }

  @inline(__always)
  private func hasNodesBelow(_ node: UInt32, _ image: Image) -> Bool {
    if node == ImageFormat.none { return false }
    return image.nodes[Int(node)].end > node &+ 1
  }

  /// The next name after `last` that one of `behaviors` stands for, or nil. An empty `last` starts.
  func successor(
    of last: Name, among behaviors: UnsafeBufferPointer<Name>, _ frame: borrowing Frame
  ) -> Name? {
    var best: Name?
    for behavior in behaviors {
      if nameLess(last, behavior) { best = lesser(best, behavior) }
      best = lesser(best, known(after: last, below: behavior, policy.platform))
      if policy.hasOverlay { best = lesser(best, known(after: last, below: behavior, policy.overlay)) }
      if let session = frame.session { best = lesser(best, session.pointee.name(after: last, below: behavior)) }
    }
    return best
  }

  private func lesser(_ a: Name?, _ b: Name?) -> Name? {
    guard let a else { return b }
    guard let b else { return a }
    return nameLess(b, a) ? b : a
  }

  /// The first named node of this image below `wide` whose name comes after `last`.
  private func known(after last: Name, below wide: Name, _ image: Image) -> Name? {
    guard let base = wide.baseAddress, wide.count > 0 else { return nil }
    let top = image.node(base, wide.count, hash: hash64(base, wide.count))
    guard top != ImageFormat.none else { return nil }
    let end = image.nodes[Int(top)].end
    var low = top &+ 1
    var high = end
    while low < high {
      let middle = low &+ (high &- low) / 2
      if nameLess(last, image.name(middle)) { high = middle } else { low = middle &+ 1 }
    }
    while low < end, image.nodes[Int(low)].flags & Node.isNamed == 0 { low &+= 1 }
    return low < end ? image.name(low) : nil
  }
}
