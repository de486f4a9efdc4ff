// Names that were given a number: for the life of an authority, over all its generations.

public import CLicet
internal import Decision
internal import PolicyImage

/// Changed under the authority's lock; a name is read by its number without it, because it never moves and the caller has
/// its number from who put it there.
struct NameTable {
  static let maximum = Int(LICET_MAXIMUM_NAMES)

  /// Names by number - 1, in pages that are touched as they are needed; nil until the first one.
  private var names: UnsafeMutablePointer<Name>?
  private(set) var count: UInt32 = 0
  /// Numbers by hash; 0: free. A power of two, at most half full.
  private var index: UnsafeMutablePointer<UInt32>?
  private var buckets = 0

  private static let pages = maximum &* MemoryLayout<Name>.stride

  /// The name with this number; nil: none was given it.
  @inline(__always)
  func name(_ number: UInt32) -> Name? {
    guard let names, number != 0, number <= count else { return nil }
    return names[Int(number &- 1)]
  }

  /// The number that this name has, or gets; 0: the table is full, or there is no memory.
  mutating func intern(_ name: Name) -> UInt32 {
    guard let base = name.baseAddress else { return 0 }
    let hash = Int(truncatingIfNeeded: hash64(base, name.count) >> 32)
    if let found = find(base, name.count, hash) { return found }
    guard Int(count) < NameTable.maximum, grow() else { return 0 }
    guard let names, let own = copied(name) else { return 0 }
    names[Int(count)] = own
    count &+= 1
    insert(count, hash)
    return count
  }

  private func find(_ base: UnsafeRawPointer, _ length: Int, _ hash: Int) -> UInt32? {
    guard let index, let names else { return nil }
    var bucket = hash & (buckets &- 1)
    while index[bucket] != 0 {
      let other = names[Int(index[bucket] &- 1)]
      if other.count == length, let start = other.baseAddress, equalBytes(start, base, length) { return index[bucket] }
      bucket = (bucket &+ 1) & (buckets &- 1)
    }
    return nil
  }

  private func insert(_ number: UInt32, _ hash: Int) {
    guard let index else { return }
    var bucket = hash & (buckets &- 1)
    while index[bucket] != 0 { bucket = (bucket &+ 1) & (buckets &- 1) }
    index[bucket] = number
  }

  private mutating func grow() -> Bool {
    if names == nil {
      guard let pages = clicet_pages(NameTable.pages) else { return false }
      names = pages.bindMemory(to: Name.self, capacity: NameTable.maximum)
    }
    guard (Int(count) &+ 1) &* 2 > buckets else { return true }
    let wanted = max(64, buckets &* 2)
    guard let memory = clicet_allocate(wanted &* 4) else { return false }
    clicet_free(index)
    index = memory.bindMemory(to: UInt32.self, capacity: wanted)
    buckets = wanted
    var number: UInt32 = 1
    while number <= count {
      if let name = name(number), let base = name.baseAddress {
        insert(number, Int(truncatingIfNeeded: hash64(base, name.count) >> 32))
      }
      number &+= 1
    }
    return true
  }

  mutating func free() {
    var number: UInt32 = 1
    while number <= count {
      clicet_free(UnsafeMutableRawPointer(mutating: name(number)?.baseAddress))
      number &+= 1
    }
    if let names { clicet_unmap(names, NameTable.pages) }
    clicet_free(index)
  }
}

/// The number of a name; takes the lock.
func intern(_ authority: AuthorityRef, _ name: Name, isBehavior: Bool) -> UInt32 {
  guard clicet_lock(authority.pointee.lock, -1) == 0 else { return 0 }
  defer { clicet_unlock(authority.pointee.lock) }
  return isBehavior ? authority.pointee.behaviors.intern(name) : authority.pointee.attributes.intern(name)
}

/// What an attribute's name may look like: `user.` or `request.` and more; whether it is declared is another question.
func isAttributeName(_ name: Name) -> Bool {
  guard name.count > 0, name.count <= 512, isUTF8(name) else { return false }
  for byte in name where byte == 0 { return false }
  return true
}

@c @implementation
public func licet_intern_behavior(
  _ authority: OpaquePointer!, _ name: UnsafePointer<CChar>!, _ length: Int
) -> licet_behavior {
  guard let authority, let name = Name(name, length), isBehaviorName(name) else { return 0 }
  return intern(AuthorityRef(authority), name, isBehavior: true)
}

@c @implementation
public func licet_intern_attribute(
  _ authority: OpaquePointer!, _ name: UnsafePointer<CChar>!, _ length: Int
) -> licet_attribute {
  guard let authority, let name = Name(name, length), isAttributeName(name) else { return 0 }
  return intern(AuthorityRef(authority), name, isBehavior: false)
}
