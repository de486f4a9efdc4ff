// A platform's counters (DESIGN §2.9).

internal import CEL
public import PolicyImage

/// What is counted, for whom, over how long.
public struct CounterDeclaration: Hashable, Sendable {
  public var name: String
  public var counts: Counted
  /// Sorted, without repeats; each covers what lies below it.
  public var behaviors: [String]
  public var per: CounterKey
  /// Seconds.
  public var window: UInt32
  public var location: Location
  public init(
    name: String, counts: Counted, behaviors: [String], per: CounterKey, window: UInt32, location: Location
  ) {
    (self.name, self.counts, self.behaviors) = (name, counts, behaviors)
    (self.per, self.window, self.location) = (per, window, location)
  }

  /// The variable that conditions read it by.
  public static func variable(_ name: String) -> String { "counter.\(name)" }
  public var variable: String { Self.variable(name) }

  /// Whether a request for this behaviour counts: asking for a name asks for all below it.
  public func counts(_ behavior: String) -> Bool {
    behaviors.contains { BehaviorName.covers($0, behavior) || BehaviorName.covers(behavior, $0) }
  }

  /// "requests for tool.mail, per user, within 1h"
  public var terms: String {
    "\(counts.word) \(counts == .users ? "who ask for" : "for") \(behaviors.joined(separator: ", ")), "
      + "per \(per.word), within \(WindowText.text(window))"
  }
}

extension Platform {
  /// What has a slot in images behind the built-in attributes: the declared attributes, then the counters.
  public var slots: [Attribute] {
    attributes
      + counters.map { Attribute(name: $0.variable, type: .int, isVerified: true, location: $0.location) }
  }
}

extension Statement {
  /// Names of the counters that its condition reads.
  public var counters: [String] {
    (condition?.variables ?? []).filter { $0.hasPrefix("counter.") }.map { String($0.dropFirst("counter.".utf8.count)) }
  }
}

extension Counted {
  /// As files have it.
  public var word: String { self == .requests ? "requests" : "users" }
}

extension CounterKey {
  /// As files have it.
  public var word: String {
    switch self {
    case .operator: "operator"
    case .user: "user"
    case .session: "session"
    }
  }
}

/// A length of time as `counters` have it: a whole number and a unit.
enum WindowText {
  private static let units: [(letter: UInt8, seconds: UInt32)] = [
    (UInt8(ascii: "w"), 604_800), (UInt8(ascii: "d"), 86_400), (UInt8(ascii: "h"), 3600), (UInt8(ascii: "m"), 60),
    (UInt8(ascii: "s"), 1),
  ]

  /// Seconds; nil: it is written otherwise, or longer than a number can say.
  static func parse(_ bytes: some BidirectionalCollection<UInt8>) -> UInt32? {
    guard let letter = bytes.last, let unit = units.first(where: { $0.letter == letter }) else { return nil }
    let digits = bytes.dropLast()
    guard !digits.isEmpty, digits.count <= 9 else { return nil }
    var number: UInt32 = 0
    for byte in digits {
      guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
      number = number * 10 + UInt32(byte - UInt8(ascii: "0"))
    }
    let (seconds, isOver) = number.multipliedReportingOverflow(by: unit.seconds)
    return isOver ? nil : seconds
  }

  static func text(_ seconds: UInt32) -> String {
    // Days rather than weeks, as people say a month.
    let unit = units.dropFirst().first { seconds % $0.seconds == 0 } ?? units[4]
    return "\(seconds / unit.seconds)\(String(decoding: [unit.letter], as: UTF8.self))"
  }
}
