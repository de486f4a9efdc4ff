// The counters of a platform's image (DESIGN §2.9): what each counts, for whom and over how long. Their values stand in the
// last of the attributes' slots, in the same order; who keeps the counters gives them, and what isn't given is not known.

/// What a counter counts.
public enum Counted: UInt8, BitwiseCopyable, Sendable {
  /// Requests, whatever their outcome.
  case requests = 0
  /// Distinct users.
  case users = 1
}

/// For whom a counter counts: each has one of its own. An operator's users and sessions are that operator's alone.
public enum CounterKey: UInt8, BitwiseCopyable, Sendable {
  case `operator` = 0
  /// The user; the operator where nobody says who the user is.
  case user = 1
  /// The root session; the user, or else the operator, where there is none.
  case session = 2
}

public struct CounterRecord: BitwiseCopyable, Sendable {
  public var name: UInt32  // string id
  public var statement: UInt32
  /// Seconds.
  public var window: UInt32
  /// Index into the section `countedNodes`.
  public var firstNode: UInt32
  public var nodes: UInt16
  /// Of `Counted`, and of `CounterKey`.
  public var counts: UInt8
  public var per: UInt8
  public var reserved: UInt32

  public init(
    name: UInt32, statement: UInt32, window: UInt32, firstNode: UInt32, nodes: UInt16, counts: Counted, per: CounterKey
  ) {
    (self.name, self.statement, self.window) = (name, statement, window)
    (self.firstNode, self.nodes) = (firstNode, nodes)
    (self.counts, self.per, reserved) = (counts.rawValue, per.rawValue, 0)
  }
}

/// What windows may be, in seconds: a minute to 366 days.
public enum CounterWindow {
  public static let least: UInt32 = 60
  public static let most: UInt32 = 366 * 86_400
}

/// One counter of a verified image. A view, as `Image` is.
public struct Counter {
  let image: Image
  let record: UnsafePointer<CounterRecord>
  /// The attribute's slot that its value stands in.
  public let slot: Int

  public var name: UnsafeRawBufferPointer { image.string(record.pointee.name) }
  public var statement: UInt32 { record.pointee.statement }
  /// Seconds.
  public var window: UInt32 { record.pointee.window }
  public var counts: Counted { Counted(rawValue: record.pointee.counts) ?? .requests }
  public var per: CounterKey { CounterKey(rawValue: record.pointee.per) ?? .operator }
  public var behaviors: Int { Int(record.pointee.nodes) }

  public func behaviorName(_ i: Int) -> UnsafeRawBufferPointer { image.name(node(i)) }

  public func node(_ i: Int) -> UInt32 { image.countedNodes[Int(record.pointee.firstNode) &+ i] }

  /// Whether a request for this behaviour counts: it is one of the counter's, below one, or, since asking for a name asks for all
  /// below it, above one.
  public func counts(_ behavior: UnsafeRawBufferPointer) -> Bool {
    var i = 0
    while i < behaviors {
      let name = image.name(node(i))
      if isSame(name, behavior) || isBelow(behavior, name) || isBelow(name, behavior) { return true }
      i &+= 1
    }
    return false
  }

  private func isSame(_ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer) -> Bool {
    guard a.count == b.count, let p = a.baseAddress, let q = b.baseAddress else { return false }
    return equalBytes(p, q, a.count)
  }
}

extension Image {
  @inlinable @inline(__always)
  var counters: UnsafePointer<CounterRecord> { section(.counters).assumingMemoryBound(to: CounterRecord.self) }
  @inlinable @inline(__always)
  var countedNodes: UnsafePointer<UInt32> { section(.countedNodes).assumingMemoryBound(to: UInt32.self) }

  @inlinable @inline(__always)
  public var counterCount: Int { count(.counters) }

  /// The slot of the first counter's value; the others' follow.
  @inline(__always)
  public var firstCounterSlot: Int { count(.attributes) &- counterCount }

  /// The counter with this number, which is below `counterCount`.
  public func counter(_ number: Int) -> Counter {
    Counter(image: self, record: counters + number, slot: firstCounterSlot &+ number)
  }
}

extension Verifier {
  /// Counters are in name order, each with an attribute of type int that callers can't give, a window, and names to count. Which
  /// nodes say that they are counted is not proved: without it a decision that reads a counter finds it not known.
  func checkCounters() throws(ImageError) {
    let count = image.counterCount
    let slots = image.count(.attributes) &- Int(BuiltInSlot.count)
    guard count <= ImageFormat.maximumCounters, count == 0 || (kind == .platform && count <= slots),
      kind == .platform || image.count(.countedNodes) == 0
    else { throw fail(.badCounter, .counters, 0) }
    for i in 0..<image.count(.countedNodes) where Int(image.countedNodes[i]) >= image.count(.nodes) {
      throw fail(.badCounter, .countedNodes, i)
    }
    var next = 0
    for i in 0..<count {
      let one = image.counters[i]
      guard isString(one.name), Int(one.statement) < image.count(.statements), one.window >= CounterWindow.least,
        one.window <= CounterWindow.most, Int(one.firstNode) == next, one.nodes > 0,
        Int(one.nodes) <= ImageFormat.maximumCountedNames, Int(one.nodes) <= image.count(.countedNodes) &- next,
        Counted(rawValue: one.counts) != nil, CounterKey(rawValue: one.per) != nil, one.reserved == 0
      else { throw fail(.badCounter, .counters, i) }
      next &+= Int(one.nodes)
      // SAFETY: both strings were just found to be there.
      if i > 0, !bytesLess(image.counter(i &- 1).name, image.counter(i).name) { throw fail(.badCounter, .counters, i) }
    }
    guard next == image.count(.countedNodes) else { throw fail(.badCounter, .countedNodes, next) }
    try checkCounterSlots()
  }

  /// The last attributes are the counters', and no others are.
  private func checkCounterSlots() throws(ImageError) {
    guard kind == .platform else { return }
    for slot in 0..<image.count(.attributes) {
      let attribute = image.attributes[slot]
      let isCounter = attribute.flags & AttributeRecord.isCounter != 0
      guard isCounter == (slot >= image.firstCounterSlot) else { throw fail(.badCounter, .attributes, slot) }
      guard isCounter else { continue }
      guard attribute.flags & AttributeRecord.isVerified != 0,
        image.types[Int(attribute.type)] == TypeKind.int.rawValue
      else { throw fail(.badCounter, .attributes, slot) }
    }
  }
}
