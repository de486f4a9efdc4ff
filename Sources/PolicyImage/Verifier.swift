// bytes -> Image: makes any byte string safe to read through `Image`, or says what is wrong and where. One pass,
// linear in the size, no heap; thread-safe. It proves structure (indices, order, programs), the checksum, and what
// an overlay may hold; ceilings and absolutes are the engine's to enforce, from the platform's image.

/// Why bytes were refused as an image. Compared by `code`; `offset` is where in the bytes.
public struct ImageError: Error, Equatable, Sendable {
  public enum Code: UInt8, Sendable {
    case tooSmall, tooLarge, misaligned, notAnImage, unsupportedVersion, wrongSize, wrongKind, checksum
    case badSection, badString, badIndex, badNode, badRule, badStatement, badMask, badAttribute, badType, badProgram
    /// The built-in absolutes are not in force.
    case missingAbsolute
    /// An overlay that was compiled against another platform.
    case otherPlatform
    case badDial
    case badPeriod
    case badCounter
    case badSuspicion
  }
  public var code: Code
  public var offset: Int
  public init(_ code: Code, at offset: Int) {
    self.code = code
    self.offset = offset
  }
}

/// Verifies a platform's image. The result is a view that keeps nothing alive: the memory must stay mapped and unchanged
/// for as long as it is used.
public func verifyPlatform(_ memory: UnsafeRawBufferPointer) throws(ImageError) -> Image {
  try Verifier(memory, kind: .platform).run(platform: nil)
}

/// Verifies an operator's overlay on a verified platform.
public func verifyOverlay(_ memory: UnsafeRawBufferPointer, on platform: Image) throws(ImageError) -> Image {
  try Verifier(memory, kind: .overlay).run(platform: platform)
}

struct Verifier {
  let image: Image
  let kind: ImageKind

  /// Header, checksum and sections: after this the sections can be read, though nothing in them is believed.
  init(_ memory: UnsafeRawBufferPointer, kind: ImageKind) throws(ImageError) {
    guard let base = memory.baseAddress, memory.count >= ImageFormat.headerSize else {
      throw ImageError(.tooSmall, at: 0)
    }
    guard memory.count <= ImageFormat.maximumSize else { throw ImageError(.tooLarge, at: 0) }
    guard UInt(bitPattern: base) & 7 == 0 else { throw ImageError(.misaligned, at: 0) }
    // SAFETY: at least a header's worth of aligned bytes.
    let header = base.assumingMemoryBound(to: ImageHeader.self)
    guard header.pointee.magic == ImageFormat.magic else { throw ImageError(.notAnImage, at: 0) }
    guard header.pointee.version == ImageFormat.version else { throw ImageError(.unsupportedVersion, at: 8) }
    guard header.pointee.kind == kind.rawValue else { throw ImageError(.wrongKind, at: 12) }
    guard header.pointee.size == UInt64(memory.count) else { throw ImageError(.wrongSize, at: 16) }
    guard header.pointee.checksum == imageChecksum(base, memory.count) else { throw ImageError(.checksum, at: 24) }
    let view = Image(unchecked: base)
    var end = ImageFormat.headerSize
    for i in 0..<Verifier.sectionCount {
      guard let section = Section(rawValue: i) else { continue }
      let offset = view.section(section) - base
      let length = view.count(section) &* section.stride
      guard offset >= end, offset & 7 == 0, length <= memory.count, offset <= memory.count &- length else {
        throw ImageError(.badSection, at: ImageHeader.entryOffset(section))
      }
      end = offset &+ length
    }
    image = view
    self.kind = kind
  }

  static let sectionCount = 18

  func run(platform: Image?) throws(ImageError) -> Image {
    try checkStrings()
    try checkHeader(platform)
    try checkTypes()
    try checkAttributes()
    try checkMasks()
    try checkStatements()
    try checkNodes(platform)
    try checkPeriods()
    try checkAlternatives()
    try checkCounters()
    let slots = (platform ?? image).count(.attributes)
    try checkPrograms(slots: slots)
    try checkRules(slots: slots, periods: (platform ?? image).periodCount)
    if kind == .platform { try checkBuiltIns() }
    return image
  }

  func fail(_ code: ImageError.Code, _ section: Section, _ index: Int) -> ImageError {
    ImageError(code, at: image.section(section) - image.base &+ index &* section.stride)
  }

  func isString(_ id: UInt32) -> Bool { Int(id) < image.count(.strings) }
  func isStringOrNone(_ id: UInt32) -> Bool { id == ImageFormat.none || isString(id) }

  private func isStatementOrNone(_ id: UInt32) -> Bool {
    id == ImageFormat.none || Int(id) < image.count(.statements)
  }

  private func checkHeader(_ platform: Image?) throws(ImageError) {
    let header = image.header.pointee
    guard isString(header.name) else { throw ImageError(.badString, at: 40) }
    guard header.unknown <= 2 else { throw ImageError(.badNode, at: 44) }
    guard isStatementOrNone(header.unknownStatement) else { throw ImageError(.badStatement, at: 48) }
    guard header.platform == platform?.checksum ?? 0 else { throw ImageError(.otherPlatform, at: 32) }
    guard isDial(header) else { throw ImageError(.badDial, at: 184) }
    guard isSuspicion(header) else { throw ImageError(.badSuspicion, at: 208) }
  }

  /// A platform always has a dial, strictly between 0 and 1, with ceilings no lower; an operator may have one, without.
  private func isDial(_ header: ImageHeader) -> Bool {
    guard header.dial < .one, header.dialOperatorsMay < .one, header.dialUsersMay < .one,
      isStatementOrNone(header.dialStatement)
    else { return false }
    if kind == .overlay { return header.dialOperatorsMay == .zero && header.dialUsersMay == .zero }
    guard header.dial > .zero, header.dial <= header.dialOperatorsMay, header.dial <= header.dialUsersMay else {
      return false
    }
    // Three statements stand there.
    return header.dialStatement == ImageFormat.none || Int(header.dialStatement) &+ 2 < image.count(.statements)
  }

  /// None at all, or thresholds above 0 of which the second is no lower, one of them at least, and a half-life. None is the
  /// greatest number, so that a threshold that isn't there is never reached.
  private func isSuspicion(_ header: ImageHeader) -> Bool {
    let (ask, deny) = (header.suspicionAskAt, header.suspicionDenyAt)
    guard header.suspicionStatement != ImageFormat.none else {
      return ask == ImageFormat.none && deny == ImageFormat.none && header.suspicionHalfLife == 0
        && header.flags & ImageHeader.suspectsAll == 0
    }
    guard kind == .platform, Int(header.suspicionStatement) < image.count(.statements),
      image.statements[Int(header.suspicionStatement)].form == StatementForm.suspicion.rawValue
    else { return false }
    return ask > 0 && deny > 0 && header.suspicionHalfLife > 0 && min(ask, deny) != ImageFormat.none
      && (ask == ImageFormat.none || ask <= deny)
  }

  private func checkStrings() throws(ImageError) {
    let total = image.count(.bytes)
    for i in 0..<image.count(.strings) {
      let record = image.strings[i]
      guard Int(record.offset) <= total, Int(record.length) <= total &- Int(record.offset) else {
        throw fail(.badString, .strings, i)
      }
    }
    try checkIndex(.stringIndex, limit: image.count(.strings)) { image.stringIndex[$0] }
    for i in 0..<image.count(.strings) {
      let string = image.string(UInt32(truncatingIfNeeded: i))
      guard let base = string.baseAddress, image.symbol(base, string.count) == UInt32(truncatingIfNeeded: i) else {
        throw fail(.badString, .strings, i)
      }
    }
  }

  /// A hash index: a power of two of entries, each 0 or below `limit + 1`, at least one of them 0 so that probing ends.
  private func checkIndex(
    _ section: Section, limit: Int, entry: (Int) -> UInt32
  ) throws(ImageError) {
    let count = image.count(section)
    guard count >= 2, count & (count &- 1) == 0 else { throw fail(.badIndex, section, 0) }
    var empty = 0
    for i in 0..<count {
      guard Int(entry(i)) <= limit else { throw fail(.badIndex, section, i) }
      if entry(i) == 0 { empty &+= 1 }
    }
    guard empty > 0 else { throw fail(.badIndex, section, 0) }
  }

  private func checkMasks() throws(ImageError) {
    let count = image.count(.obligations)
    guard count <= ImageFormat.maximumObligations else { throw fail(.badMask, .obligations, 0) }
    for i in 0..<count where !isString(image.obligationID(i)) { throw fail(.badMask, .obligations, i) }
    guard image.count(.masks) > 0, image.masks[0] == 0 else { throw fail(.badMask, .masks, 0) }
    let allowed: UInt64 = count == 64 ? .max : (1 << UInt64(truncatingIfNeeded: count)) &- 1
    for i in 0..<image.count(.masks) where image.masks[i] & ~allowed != 0 { throw fail(.badMask, .masks, i) }
  }

  private func checkStatements() throws(ImageError) {
    for i in 0..<image.count(.statements) {
      let s = image.statements[i]
      guard isString(s.file), isStringOrNone(s.clause), isStringOrNone(s.condition), isString(s.name),
        StatementForm(rawValue: s.form) != nil,
        s.node == ImageFormat.none || Int(s.node) < image.count(.nodes)
      else { throw fail(.badStatement, .statements, i) }
    }
  }

  private func checkNodes(_ platform: Image?) throws(ImageError) {
    let count = image.count(.nodes)
    try checkIndex(.nodeIndex, limit: count) { UInt32(truncatingIfNeeded: image.nodeIndexEntry($0) >> 32) }
    for i in 0..<count where !isWellFormed(image.nodes[i], i, count, platform) { throw fail(.badNode, .nodes, i) }
    // These two read other nodes' names, which lie inside only now.
    for i in 0..<count where !(isFound(i) && isInOrder(i)) { throw fail(.badNode, .nodes, i) }
  }

  private func isWellFormed(_ n: Node, _ i: Int, _ count: Int, _ platform: Image?) -> Bool {
    guard Int(n.nameOffset) <= image.count(.bytes), n.nameLength > 0,
      Int(n.nameLength) <= min(image.count(.bytes) &- Int(n.nameOffset), ImageFormat.maximumNameLength),
      n.depth > 0, Int(n.depth) <= ImageFormat.maximumDepth, Int(n.end) > i, Int(n.end) <= count,
      isChoice(n), n.operatorsMay <= 2, n.usersMay <= 2, n.absolute <= 2,
      n.depth == segments(image.name(UInt32(truncatingIfNeeded: i))), n.stakes <= .one, n.stakesDepth <= n.depth,
      n.audit <= 2
    else { return false }
    guard isStatementOrNone(n.absoluteStatement), hasRightParent(n, i) else { return false }
    guard let platform else { return isStatementOrNone(n.choiceStatement) }
    let name = image.name(UInt32(truncatingIfNeeded: i))
    guard let base = name.baseAddress else { return false }
    return n.platformNode == platform.nearestNode(base, name.count)
  }

  /// A platform's ceilings are no lower than its default. An overlay has none; its default is its audience's choice.
  private func isChoice(_ n: Node) -> Bool {
    guard Int(n.obligations) < image.count(.masks) else { return false }
    let hasAudience = n.flags & Node.hasAudience != 0
    guard kind == .overlay else { return !hasAudience && n.default <= n.operatorsMay && n.default <= n.usersMay }
    guard n.operatorsMay | n.usersMay | n.absolute == 0 else { return false }
    if !hasAudience { return n.default == 0 && n.obligations == 0 }
    return n.default <= Effect.allow.rawValue && Int(n.absoluteStatement) < image.count(.statements)
  }

  /// Not believed from the record: a name that claims fewer segments would escape the absolute of the one above.
  private func segments(_ name: UnsafeRawBufferPointer) -> UInt8 {
    var count: UInt8 = 1
    for byte in name where byte == UInt8(ascii: ".") { count &+= 1 }
    return count
  }

  /// The parent precedes, is one segment shorter, begins the name, ends no earlier, and passes its absolute, limits and suspicion on.
  private func hasRightParent(_ n: Node, _ i: Int) -> Bool {
    let isLimited = n.flags & Node.isLimited != 0
    let isSuspected = n.flags & Node.isSuspected != 0
    if isSuspected, !image.hasSuspicion { return false }
    guard n.parent != ImageFormat.none else { return n.depth == 1 && isLimited == (n.limits > 0) }
    guard Int(n.parent) < i else { return false }
    let parent = image.nodes[Int(n.parent)]
    guard isLimited == (n.limits > 0 || parent.flags & Node.isLimited != 0) else { return false }
    guard isSuspected || parent.flags & Node.isSuspected == 0 else { return false }
    guard parent.depth &+ 1 == n.depth, n.end <= parent.end, parent.nameLength < n.nameLength,
      let own = image.name(UInt32(truncatingIfNeeded: i)).baseAddress, let above = image.name(n.parent).baseAddress,
      equalBytes(own, above, Int(parent.nameLength)),
      // SAFETY: parent.nameLength < n.nameLength.
      own.load(fromByteOffset: Int(parent.nameLength), as: UInt8.self) == UInt8(ascii: ".")
    else { return false }
    switch parent.absolute {
    case Absolute.off.rawValue: return n.absolute == Absolute.off.rawValue
    case Absolute.on.rawValue: return n.absolute != Absolute.none.rawValue
    default: return true
    }
  }

  private func isFound(_ i: Int) -> Bool {
    let name = image.name(UInt32(truncatingIfNeeded: i))
    guard let base = name.baseAddress else { return false }
    return image.node(base, name.count, hash: hash64(base, name.count)) == UInt32(truncatingIfNeeded: i)
  }

  /// Names ascend, and a subtree ends where the next name is not below it.
  private func isInOrder(_ i: Int) -> Bool {
    let n = image.nodes[i]
    if i > 0, !nameLess(image.name(UInt32(truncatingIfNeeded: i &- 1)), image.name(UInt32(truncatingIfNeeded: i))) {
      return false
    }
    guard Int(n.end) < image.count(.nodes) else { return true }
    return !isBelow(image.name(n.end), image.name(UInt32(truncatingIfNeeded: i)))
  }

  private func checkBuiltIns() throws(ImageError) {
    for i in 0..<BuiltInAbsolute.count {
      let entry = BuiltInAbsolute.entry(i)
      let base = UnsafeRawPointer(entry.name.utf8Start)
      let length = entry.name.utf8CodeUnitCount
      let node = image.node(base, length, hash: hash64(base, length))
      guard node != ImageFormat.none, image.nodes[Int(node)].absolute == entry.absolute.rawValue else {
        throw fail(.missingAbsolute, .nodes, 0)
      }
    }
  }
}

/// Whether a name comes before another: segment by segment, so that what lies below a name follows it.
public func nameLess(_ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer) -> Bool {
  let shorter = min(a.count, b.count)
  var i = 0
  while i < shorter {
    // SAFETY: i < both counts.
    let x = a[i]
    let y = b[i]
    if x != y { return (x == UInt8(ascii: ".") ? 0 : x) < (y == UInt8(ascii: ".") ? 0 : y) }
    i &+= 1
  }
  return a.count < b.count
}

/// Whether `name` is truly below `wide`.
public func isBelow(_ name: UnsafeRawBufferPointer, _ wide: UnsafeRawBufferPointer) -> Bool {
  guard name.count > wide.count, let a = name.baseAddress, let b = wide.baseAddress else { return false }
  // SAFETY: wide.count < name.count. The dot first, which most names don't have there.
  return name[wide.count] == UInt8(ascii: ".") && equalBytes(a, b, wide.count)
}

#if !hasFeature(Embedded)
  // Lists of cases live on the heap, which the library has none of.
  extension ImageError.Code: CaseIterable {}
#endif
