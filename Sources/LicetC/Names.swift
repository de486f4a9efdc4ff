// Names that were given a number: for the life of an authority, over all its generations.

public import CLicet
internal import Decision
internal import PolicyImage

/// Changed under the authority's lock; a name is read by its number without it, because it never moves, is there before the
/// count says so, and the caller has its number from who put it there. The table itself is never written: what it points to is.
struct NameTable {
  static let maximum = Int(LICET_MAXIMUM_NAMES)

  /// Pages that are touched as they are needed: the names by number - 1, and behind them the count. Owned.
  private let names: UnsafeMutablePointer<Name>
  private let count: UnsafeMutablePointer<UInt32>
  /// Numbers by hash, 0: free; how many, a power of two, of which half are used at most. Under the lock. Owned.
  private let index: UnsafeMutablePointer<(slots: UnsafeMutablePointer<UInt32>?, buckets: Int)>

  private static let pages = maximum &* MemoryLayout<Name>.stride &+ 64

  /// nil: no memory.
  init?() {
    guard let pages = clicet_pages(NameTable.pages) else { return nil }
    guard let memory = clicet_allocate(16) else {
      clicet_unmap(pages, NameTable.pages)
      return nil
    }
    names = pages.bindMemory(to: Name.self, capacity: NameTable.maximum)
    count = (pages + (NameTable.pages &- 64)).bindMemory(to: UInt32.self, capacity: 1)
    index = memory.bindMemory(to: (slots: UnsafeMutablePointer<UInt32>?, buckets: Int).self, capacity: 1)
    index.initialize(to: (nil, 0))
  }

  /// The name with this number; nil: none was given it.
  @inline(__always)
  func name(_ number: UInt32) -> Name? {
    guard number != 0, number <= clicet_load32(count) else { return nil }
    return names[Int(number &- 1)]
  }

  /// The number that this name has, or gets; 0: the table is full, or there is no memory.
  func intern(_ name: Name) -> UInt32 {
    guard let base = name.baseAddress else { return 0 }
    let hash = Int(truncatingIfNeeded: hash64(base, name.count) >> 32)
    if let found = find(base, name.count, hash) { return found }
    let known = clicet_load32(count)
    guard Int(known) < NameTable.maximum, grow(Int(known)), let own = copied(name) else { return 0 }
    names[Int(known)] = own
    clicet_store32(count, known &+ 1)
    insert(known &+ 1, hash)
    return known &+ 1
  }

  private func find(_ base: UnsafeRawPointer, _ length: Int, _ hash: Int) -> UInt32? {
    let (slots, buckets) = index.pointee
    guard let slots else { return nil }
    var bucket = hash & (buckets &- 1)
    while slots[bucket] != 0 {
      let other = names[Int(slots[bucket] &- 1)]
      if other.count == length, let start = other.baseAddress, equalBytes(start, base, length) { return slots[bucket] }
      bucket = (bucket &+ 1) & (buckets &- 1)
    }
    return nil
  }

  private func insert(_ number: UInt32, _ hash: Int) {
    let (slots, buckets) = index.pointee
    guard let slots else { return }
    var bucket = hash & (buckets &- 1)
    while slots[bucket] != 0 { bucket = (bucket &+ 1) & (buckets &- 1) }
    slots[bucket] = number
  }

  private func grow(_ known: Int) -> Bool {
    let (slots, buckets) = index.pointee
    guard (known &+ 1) &* 2 > buckets else { return true }
    let wanted = max(64, buckets &* 2)
    guard let memory = clicet_allocate(wanted &* 4) else { return false }
    index.pointee = (memory.bindMemory(to: UInt32.self, capacity: wanted), wanted)
    clicet_free(slots)
    var i = 0
    while i < known {
      if let base = names[i].baseAddress {
        insert(UInt32(truncatingIfNeeded: i &+ 1), Int(truncatingIfNeeded: hash64(base, names[i].count) >> 32))
      }
      i &+= 1
    }
    return true
  }

  func free() {
    var i = 0
    while i < Int(clicet_load32(count)) {
      clicet_free(UnsafeMutableRawPointer(mutating: names[i].baseAddress))
      i &+= 1
    }
    clicet_unmap(names, NameTable.pages)
    clicet_free(index.pointee.slots)
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
