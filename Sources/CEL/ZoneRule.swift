// The footer of a TZif file: POSIX's TZ string, the rule after the last listed transition (RFC 8536, section 3.3).

extension Zone {
  struct Rule {
    /// Seconds east of UTC.
    var standard: Int32
    var daylight: Int32
    var start: Change
    var end: Change

    /// When daylight time starts or ends, in local time.
    struct Change {
      /// 0: `day` (0 Sunday) of `week` (5: last) of `month`; 1: day 1...365 without 29 February; 2: day 0...365.
      var form: Int32
      var month: Int32 = 0
      var week: Int32 = 0
      var day: Int32
      var seconds: Int32 = 7200
    }

    /// As in a blob.
    var numbers: [Int32] {
      [standard, daylight] + [start, end].flatMap { [$0.form, $0.month, $0.week, $0.day, $0.seconds] }
    }

    /// nil when the text is no TZ string, or not one of TZif's.
    init?(_ text: [UInt8]) {
      var scanner = Scanner(text)
      guard scanner.name(), let standard = scanner.time() else { return nil }
      self.standard = -standard
      daylight = -standard
      start = Change(form: 2, day: 0, seconds: 0)
      end = start
      if scanner.isAtEnd { return }
      guard scanner.name() else { return nil }
      daylight = -standard + 3600
      if !scanner.isAt(",") {
        guard let daylight = scanner.time() else { return nil }
        self.daylight = -daylight
      }
      guard scanner.take(","), let start = scanner.change(), scanner.take(","), let end = scanner.change(),
        scanner.isAtEnd
      else { return nil }
      self.start = start
      self.end = end
    }
  }

  private struct Scanner {
    let text: [UInt8]
    var position = 0

    init(_ text: [UInt8]) { self.text = text }

    var isAtEnd: Bool { position >= text.count }
    func isAt(_ c: Unicode.Scalar) -> Bool { position < text.count && text[position] == UInt8(ascii: c) }

    mutating func take(_ c: Unicode.Scalar) -> Bool {
      guard isAt(c) else { return false }
      position += 1
      return true
    }

    /// A name: letters, or anything in angle brackets.
    mutating func name() -> Bool {
      let start = position
      if take("<") {
        while !isAtEnd, !isAt(">") { position += 1 }
        return take(">")
      }
      while position < text.count, text[position] | 0x20 >= UInt8(ascii: "a"),
        text[position] | 0x20 <= UInt8(ascii: "z")
      {
        position += 1
      }
      return position > start
    }

    mutating func number(_ maximum: Int32) -> Int32? {
      let start = position
      var n: Int32 = 0
      while position < text.count, text[position] >= 48, text[position] <= 57, n <= maximum {
        n = n * 10 + Int32(text[position] - 48)
        position += 1
      }
      return position > start && n <= maximum ? n : nil
    }

    /// [+-]hh[:mm[:ss]], up to a week.
    mutating func time() -> Int32? {
      let isNegative = take("-")
      if !isNegative { _ = take("+") }
      guard var seconds = number(167).map({ $0 * 3600 }) else { return nil }
      for unit: Int32 in [60, 1] where take(":") {
        guard let part = number(59) else { return nil }
        seconds += part * unit
      }
      return isNegative ? -seconds : seconds
    }

    mutating func change() -> Rule.Change? {
      var change: Rule.Change
      if take("M") {
        guard let month = number(12), take("."), let week = number(5), take("."), let day = number(6), month >= 1,
          week >= 1
        else { return nil }
        change = Rule.Change(form: 0, month: month, week: week, day: day)
      } else if take("J") {
        guard let day = number(365), day >= 1 else { return nil }
        change = Rule.Change(form: 1, day: day)
      } else {
        guard let day = number(365) else { return nil }
        change = Rule.Change(form: 2, day: day)
      }
      if take("/") {
        guard let seconds = time() else { return nil }
        change.seconds = seconds
      }
      return change
    }
  }
}
