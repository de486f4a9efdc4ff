// Writing text into the arena. A text grows in place while it is the last thing there, else it moves.

import PolicyImage

struct TextWriter {
  var base: UnsafeMutableRawPointer?
  var count = 0
  var capacity = 0
  var failure: Failure = .none
}

extension Evaluator {
  /// Room for `extra` more bytes; nil and a failure noted when there is none.
  mutating func reserve(_ extra: Int, _ w: inout TextWriter) -> UnsafeMutableRawPointer? {
    guard w.failure == .none else { return nil }
    guard pay(bytes: extra) else {
      w.failure = .costLimit
      return nil
    }
    if w.count &+ extra > w.capacity { grow(&w, extra) }
    guard w.failure == .none, let base = w.base else { return nil }
    return base + w.count
  }

  private mutating func grow(_ w: inout TextWriter, _ extra: Int) {
    let need = w.count &+ extra
    if let base = w.base, base + w.capacity == arena + used, allocate(need &- w.capacity) != nil {
      w.capacity &+= BlobLayout.padded(need &- w.capacity)
      return
    }
    let capacity = BlobLayout.padded(need < 64 ? 64 : need)
    guard pay(bytes: w.count), let p = allocate(capacity) else {
      w.failure = budget < 0 ? .costLimit : .arenaFull
      return
    }
    if let base = w.base, w.count > 0 { p.copyMemory(from: base, byteCount: w.count) }
    w.base = p
    w.capacity = capacity
  }

  mutating func put(_ byte: UInt8, _ w: inout TextWriter) {
    guard let p = reserve(1, &w) else { return }
    p.storeBytes(of: byte, as: UInt8.self)
    w.count &+= 1
  }

  mutating func put(_ text: StaticString, _ w: inout TextWriter) {
    put(UnsafeRawPointer(text.utf8Start), text.utf8CodeUnitCount, &w)
  }

  mutating func put(_ p: UnsafeRawPointer, _ count: Int, _ w: inout TextWriter) {
    guard let target = reserve(count, &w) else { return }
    target.copyMemory(from: p, byteCount: count)
    w.count &+= count
  }

  /// The bytes of a string or of bytes.
  mutating func put(_ value: Value, _ w: inout TextWriter) {
    if let p = value.address, value.count > 0 { put(p, value.count, &w) }
  }

  mutating func put(repeated byte: UInt8, _ times: Int, _ w: inout TextWriter) {
    var i = 0
    while i < times, w.failure == .none {
      put(byte, &w)
      i &+= 1
    }
  }

  mutating func put(_ number: UInt64, base: UInt64 = 10, isUpper: Bool = false, width: Int = 1, _ w: inout TextWriter) {
    var digits = 1
    var power: UInt64 = 1
    while number / power >= base {
      power &*= base
      digits &+= 1
    }
    put(repeated: 48, width &- digits, &w)
    var rest = number
    while power > 0 {
      let digit = UInt8(truncatingIfNeeded: rest / power)
      put(digit < 10 ? 48 &+ digit : (isUpper ? 55 : 87) &+ digit, &w)
      rest %= power
      power /= base
    }
  }

  mutating func put(_ number: Int64, base: UInt64 = 10, isUpper: Bool = false, _ w: inout TextWriter) {
    if number < 0 { put(UInt8(45), &w) }
    put(number.magnitude, base: base, isUpper: isUpper, &w)
  }

  /// The text as a value, or the failure.
  func finished(_ w: TextWriter, kind: ValueKind = .string) -> Value {
    guard w.failure == .none else { return .failure(w.failure) }
    return Value(kind: kind, address: w.base, length: UInt32(truncatingIfNeeded: w.count))
  }

  // MARK: Doubles

  /// How a double is spelled.
  enum DoubleStyle {
    /// Shortest; with an exponent when that is below -4 or at least 6 (C's %g, as cel-go and cel-cpp have it).
    case general
    /// Shortest, without an exponent.
    case plain
    /// With so many places behind the point.
    case fixed(Int)
    /// With one digit before the point and so many behind it.
    case scientific(Int)
  }

  mutating func put(_ d: Double, _ style: DoubleStyle, _ w: inout TextWriter) {
    if d.isNaN { return put("NaN", &w) }
    var isGeneral = false
    if case .general = style { isGeneral = true }
    if d.sign == .minus { put(UInt8(45), &w) } else if d.isInfinite && isGeneral { put(UInt8(43), &w) }
    if d.isInfinite { return isGeneral ? put("Inf", &w) : put("Infinity", &w) }
    var mode = DigitMode.shortest
    var places = 0
    if case .fixed(let n) = style { (mode, places) = (.fraction(n), n) }
    if case .scientific(let n) = style { (mode, places) = (.significant(n &+ 1), n) }
    // Room for the longest text first, so that the digits' scratch behind it can be given back.
    guard reserve(360 &+ places, &w) != nil else { return }
    let mark = used
    defer { used = mark }
    guard pay(64 &+ places), let digits = digits(d, mode) else {
      w.failure = budget < 0 ? .costLimit : .arenaFull
      return
    }
    switch style {
    case .general:
      let exponent = digits.count == 0 ? 0 : digits.exponent &- 1
      if exponent < -4 || exponent >= 6 {
        putScientific(digits, places: digits.count &- 1, &w)
      } else {
        putPlain(digits, places: digits.count &- digits.exponent, &w)
      }
    case .plain: putPlain(digits, places: digits.count &- digits.exponent, &w)
    case .fixed(let n): putPlain(digits, places: n, &w)
    case .scientific(let n): putScientific(digits, places: n, &w)
    }
  }

  private mutating func putPlain(_ digits: Digits, places: Int, _ w: inout TextWriter) {
    if digits.count == 0 || digits.exponent <= 0 { put(UInt8(48), &w) }
    // Position i is the digit worth 10^(point - 1 - i); in front of and behind the digits there are zeros.
    let point = digits.count == 0 ? 0 : digits.exponent
    let end = point &+ (places < 0 ? 0 : places)
    var i = point < 0 ? point : 0
    while i < end, w.failure == .none {
      if i == point { put(UInt8(46), &w) }
      put(i >= 0 && i < digits.count ? digits.text[i] : 48, &w)
      i &+= 1
    }
  }

  private mutating func putScientific(_ digits: Digits, places: Int, _ w: inout TextWriter) {
    put(digits.count > 0 ? digits.text[0] : 48, &w)
    var i = 1
    while i <= places, w.failure == .none {
      if i == 1 { put(UInt8(46), &w) }
      put(i < digits.count ? digits.text[i] : 48, &w)
      i &+= 1
    }
    put(UInt8(101), &w)
    let exponent = digits.count == 0 ? 0 : digits.exponent &- 1
    put(exponent < 0 ? UInt8(45) : UInt8(43), &w)
    put(UInt64(exponent.magnitude), width: 2, &w)
  }
}
