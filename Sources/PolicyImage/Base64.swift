// Base64 as requests and examples write bytes: RFC 4648, section 4, with padding and nothing between the digits.

#if !hasFeature(Embedded)

  public enum Base64 {
    /// nil: not base64, or bits are set that no byte takes up.
    public static func decode(_ text: String) -> [UInt8]? {
      var digits = Array(text.utf8)
      guard digits.count % 4 == 0 else { return nil }
      var padding = 0
      while padding < 2, digits.last == UInt8(ascii: "=") {
        digits.removeLast()
        padding += 1
      }
      var bytes: [UInt8] = []
      bytes.reserveCapacity(digits.count * 3 / 4)
      var buffer: UInt32 = 0
      var bits: UInt32 = 0
      for digit in digits {
        guard let value = value(of: digit) else { return nil }
        buffer = buffer << 6 | value
        bits += 6
        if bits >= 8 {
          bits -= 8
          bytes.append(UInt8(truncatingIfNeeded: buffer >> bits))
          buffer &= (1 << bits) - 1
        }
      }
      return buffer == 0 ? bytes : nil
    }

    private static func value(of digit: UInt8) -> UInt32? {
      switch digit {
      case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(digit - UInt8(ascii: "A"))
      case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(digit - UInt8(ascii: "a")) + 26
      case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(digit - UInt8(ascii: "0")) + 52
      case UInt8(ascii: "+"): 62
      case UInt8(ascii: "/"): 63
      default: nil
      }
    }
  }

#endif
