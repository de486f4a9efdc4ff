// One decision: hot, and picked at random among many; beside C's loop and an empty call.

internal import CFloor
internal import Decision
internal import PolicyImage

private let roleText: StaticString = "member"
private let operatorText: StaticString = "bench"

extension StaticString {
  var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: utf8Start, count: utf8CodeUnitCount) }
}

/// Attributes as a request has them, in the slots of this policy.
struct Attributes {
  let role: Int
  let count: Int

  init(_ policy: Policy) {
    guard let role = attributeSlot(("user.role" as StaticString).bytes, in: policy.platform),
      let count = attributeSlot(("request.count" as StaticString).bytes, in: policy.platform)
    else { fatalError("the benchmark's own attributes are not declared") }
    self.role = role
    self.count = count
  }

  @inline(__always)
  func set(_ frame: inout Frame) {
    frame.set(Int(BuiltInSlot.operatorName), .string(operatorText.bytes))
    frame.set(Int(BuiltInSlot.argument), .string(UnsafeRawBufferPointer(start: nil, count: 0)))
    frame.set(role, .string(roleText.bytes))
    frame.set(count, .int(100_000))
  }
}

enum DecideBench {
  static func run() -> [Figure] {
    let work = DecideWorkload(behaviors: 10_000, rules: 20)
    var frame = work.frame
    let attributes = Attributes(work.policy)
    attributes.set(&frame)
    check(work, &frame)
    let order = permutation(work.names.count)
    let hot = [work.names[order[0]]]
    let random = order.map { work.names[$0] }
    let times = race(contenders(work, frame, attributes, hot: hot, random: random))
    return figures(times, work, frame, random)
  }

  /// Everything is answered as it should be before anything is timed.
  private static func check(_ work: DecideWorkload, _ frame: inout Frame) {
    var symbols: UInt32 = 2000
    var ints: Int64 = 100_000
    for name in work.names {
      let decision = decide(work.policy, &frame, behavior: name)
      let floor = floor_decide(
        work.floor, name.baseAddress?.assumingMemoryBound(to: CChar.self), name.count, &symbols, &ints)
      precondition(decision.effect == .allow && decision.decider.rank == .setting && floor == 2)
    }
  }

  private static func contenders(
    _ work: DecideWorkload, _ frame: Frame, _ attributes: Attributes, hot: [Name], random: [Name]
  ) -> [Contender] {
    [
      Contender(name: "empty call") { empty(work, hot, $0) },
      Contender(name: "C, hot") { floor(work, hot, $0) },
      Contender(name: "C, random") { floor(work, random, $0) },
      Contender(name: "licet, hot") { engine(work, frame, hot, $0) },
      Contender(name: "licet, random") { engine(work, frame, random, $0) },
      Contender(name: "licet, hot, attributes anew") { anew(work, frame, attributes, hot, $0) },
      Contender(name: "licet, random, attributes anew") { anew(work, frame, attributes, random, $0) },
    ]
  }

  private static func figures(
    _ times: [Double], _ work: DecideWorkload, _ frame: Frame, _ random: [Name]
  ) -> [Figure] {
    let before = floor_allocations()
    engine(work, frame, random, 100_000)
    let allocations = Double(floor_allocations() - before)
    return [
      Figure("empty call", times[0], unit: "ns"),
      Figure("C loop, hot", times[1], unit: "ns"),
      Figure("C loop, random of 10,000", times[2], unit: "ns"),
      Figure("decision, hot", times[3], unit: "ns", goal: 100, floor: times[1]),
      Figure("decision, random of 10,000", times[4], unit: "ns", goal: 250, floor: times[2]),
      Figure("decision, hot, attributes set anew", times[5], unit: "ns", floor: times[1]),
      Figure("decision, random, attributes set anew", times[6], unit: "ns", floor: times[2]),
      Figure("allocations in 100,000 decisions", allocations, unit: "", goal: 0),
    ]
  }

  /// A fixed shuffle.
  static func permutation(_ count: Int) -> [Int] {
    var order = Array(0..<count)
    var state: UInt64 = 42
    for i in stride(from: count - 1, to: 0, by: -1) {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      order.swapAt(i, Int(state >> 33) % (i + 1))
    }
    return order
  }

  @inline(never)
  static func engine(_ work: DecideWorkload, _ lent: Frame, _ names: [Name], _ count: Int) {
    var frame = lent
    let policy = work.policy
    var sum = 0
    names.withUnsafeBufferPointer { names in
      var at = 0
      for _ in 0..<count {
        sum &+= Int(decide(policy, &frame, behavior: names[at]).effect.rawValue)
        at &+= 1
        if at == names.count { at = 0 }
      }
    }
    precondition(sum == 2 * count)
  }

  @inline(never)
  private static func anew(
    _ work: DecideWorkload, _ lent: Frame, _ attributes: Attributes, _ names: [Name], _ count: Int
  ) {
    var frame = lent
    let policy = work.policy
    var sum = 0
    names.withUnsafeBufferPointer { names in
      var at = 0
      for _ in 0..<count {
        attributes.set(&frame)
        sum &+= Int(decide(policy, &frame, behavior: names[at]).effect.rawValue)
        at &+= 1
        if at == names.count { at = 0 }
      }
    }
    precondition(sum == 2 * count)
  }

  @inline(never)
  private static func floor(_ work: DecideWorkload, _ names: [Name], _ count: Int) {
    call(work, names, count, floor_decide)
  }

  @inline(never)
  private static func empty(_ work: DecideWorkload, _ names: [Name], _ count: Int) {
    call(work, names, count, floor_empty)
  }

  @inline(__always)
  private static func call(
    _ work: DecideWorkload, _ names: [Name], _ count: Int,
    _ function: (OpaquePointer, UnsafePointer<CChar>?, Int, UnsafePointer<UInt32>, UnsafePointer<Int64>) -> UInt32
  ) {
    var symbols: UInt32 = 2000
    var ints: Int64 = 100_000
    var sum = 0
    let table = work.floor
    names.withUnsafeBufferPointer { names in
      var at = 0
      for _ in 0..<count {
        let name = names[at]
        sum &+= Int(function(table, name.baseAddress?.assumingMemoryBound(to: CChar.self), name.count, &symbols, &ints))
        at &+= 1
        if at == names.count { at = 0 }
      }
    }
    precondition(sum == 2 * count)
  }
}
