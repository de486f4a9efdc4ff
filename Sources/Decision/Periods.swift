// What the end of a period replaces (DESIGN §2.8).

internal import PolicyImage

/// Default and two ceilings after the ends of these periods: of several alternatives to one field the strictest, never
/// stricter than the field itself, and no ceiling below the default.
func alternatives(
  _ platform: Image, _ statement: UInt32, _ ended: UInt64, _ own: (UInt32, UInt32, UInt32)
) -> (UInt32, UInt32, UInt32) {
  var least = (ImageFormat.none, ImageFormat.none, ImageFormat.none)
  var i = firstAlternative(platform, statement)
  while i < platform.count(.alternatives), platform.alternatives[i].statement == statement {
    let one = platform.alternatives[i]
    i &+= 1
    if ended &>> UInt64(one.period) & 1 == 0 { continue }
    // None is the largest number.
    least = (min(least.0, one.default), min(least.1, one.operatorsMay), min(least.2, one.usersMay))
  }
  let `default` = later(own.0, least.0)
  return (`default`, max(`default`, later(own.1, least.1)), max(`default`, later(own.2, least.2)))
}

private func later(_ own: UInt32, _ alternative: UInt32) -> UInt32 {
  alternative == ImageFormat.none ? own : max(own, alternative)
}

private func firstAlternative(_ platform: Image, _ statement: UInt32) -> Int {
  var low = 0
  var high = platform.count(.alternatives)
  while low < high {
    let middle = low &+ (high &- low) / 2
    if platform.alternatives[middle].statement < statement { low = middle &+ 1 } else { high = middle }
  }
  return low
}

/// The period that an explanation names for these values: the first that has ended and replaces some, else the first that
/// would; nil: there is none.
func alternativePeriod(of statement: UInt32, _ platform: Image, _ ended: UInt64) -> UInt32? {
  var running: UInt32?
  var i = firstAlternative(platform, statement)
  while i < platform.count(.alternatives), platform.alternatives[i].statement == statement {
    let period = platform.alternatives[i].period
    if ended &>> UInt64(period) & 1 == 1 { return period }
    running = running ?? period
    i &+= 1
  }
  return running
}

extension Engine {
  /// Replaces what ended periods replace. Apart, for what few behaviours have.
  @inline(never)
  func replace(_ choice: inout Choice) {
    let own = (UInt32(choice.default.rawValue), UInt32(choice.operatorsMay.rawValue), UInt32(choice.usersMay.rawValue))
    let now = alternatives(policy.platform, choice.decider.statement, policy.ended, own)
    choice.default = effect(now.0)
    choice.operatorsMay = effect(now.1)
    choice.usersMay = effect(now.2)
  }

  private func effect(_ value: UInt32) -> Effect { Effect(rawValue: UInt8(truncatingIfNeeded: value)) ?? .deny }

  /// The period that a rule asks about, which is its first test.
  func period(of rule: RuleHeader, _ tests: UnsafePointer<UInt64>) -> UInt32? {
    guard rule.tests > 0, Test(word: tests.pointee).operation == TestOperation.period.rawValue else { return nil }
    return Test(word: tests.pointee).operand
  }
}
