// SipHash-2-4 (Aumasson, Bernstein 2012): a keyed hash, so that nobody who doesn't know the key can choose names that fall
// together.

/// Takes words and bytes one after the other; each text is followed by its length, so that no two sequences are one.
public struct SipHash {
  private var v0: UInt64
  private var v1: UInt64
  private var v2: UInt64
  private var v3: UInt64
  private var length: UInt64 = 0

  public init(_ key: (UInt64, UInt64)) {
    v0 = key.0 ^ 0x736F_6D65_7073_6575
    v1 = key.1 ^ 0x646F_7261_6E64_6F6D
    v2 = key.0 ^ 0x6C79_6765_6E65_7261
    v3 = key.1 ^ 0x7465_6462_7974_6573
  }

  @inline(__always)
  private mutating func round() {
    v0 = v0 &+ v1
    v1 = (v1 << 13 | v1 >> 51) ^ v0
    v0 = v0 << 32 | v0 >> 32
    v2 = v2 &+ v3
    v3 = (v3 << 16 | v3 >> 48) ^ v2
    v0 = v0 &+ v3
    v3 = (v3 << 21 | v3 >> 43) ^ v0
    v2 = v2 &+ v1
    v1 = (v1 << 17 | v1 >> 47) ^ v2
    v2 = v2 << 32 | v2 >> 32
  }

  @inline(__always)
  private mutating func take(word: UInt64) {
    v3 ^= word
    round()
    round()
    v0 ^= word
  }

  public mutating func add(_ word: UInt64) {
    take(word: word)
    length = length &+ 8
  }

  /// The bytes, padded to words, and how many they are.
  public mutating func add(_ bytes: UnsafeRawBufferPointer) {
    var at = 0
    while at &+ 8 <= bytes.count {
      // SAFETY: eight bytes from `at` on lie inside.
      add(UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: at, as: UInt64.self)))
      at &+= 8
    }
    var last: UInt64 = 0
    var shift: UInt64 = 0
    while at < bytes.count {
      last |= UInt64(bytes[at]) << shift
      shift &+= 8
      at &+= 1
    }
    add(last)
    add(UInt64(bytes.count))
  }

  public consuming func finish() -> UInt64 {
    take(word: length << 56)
    v2 ^= 0xFF
    for _ in 0..<4 { round() }
    return v0 ^ v1 ^ v2 ^ v3
  }
}
