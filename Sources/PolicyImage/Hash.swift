// The one hash of the format: names, interned strings and the image's checksum. Not cryptographic. Words of eight
// bytes are folded one after the other, each step a bijection of the state and of the word: two texts that differ
// in one word alone never share a hash, so a flipped byte or run within a word is always seen.

@inlinable @inline(__always)
func load64(_ p: UnsafeRawPointer, _ offset: Int) -> UInt64 {
  // SAFETY: the caller holds `offset + 8 <= count` of the region behind `p`.
  UInt64(littleEndian: p.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
}

@inlinable @inline(__always)
func mix(_ state: UInt64, _ word: UInt64) -> UInt64 {
  let x = (state ^ word) &* 0x9E37_79B9_7F4A_7C15
  return x ^ (x >> 32)
}

/// The hash of `count` bytes at `p`, continued from `seed`. Any alignment; reads nothing beyond `count`.
@inlinable @inline(__always)
public func hash64(_ p: UnsafeRawPointer, _ count: Int, seed: UInt64 = 0) -> UInt64 {
  var state = mix(seed, UInt64(truncatingIfNeeded: count))
  var offset = 0
  while offset &+ 8 <= count {
    state = mix(state, load64(p, offset))
    offset &+= 8
  }
  if offset < count {
    state = mix(state, tail(p, offset, count))
  }
  return mix(state, 0)
}

/// The last one to seven bytes as a little-endian word.
@inlinable @inline(__always)
func tail(_ p: UnsafeRawPointer, _ from: Int, _ count: Int) -> UInt64 {
  if count >= 8 {
    // SAFETY: count >= 8, so the eight bytes that end the text are inside it.
    return load64(p, count &- 8) >> UInt64(truncatingIfNeeded: 64 &- (count &- from) &* 8)
  }
  var word: UInt64 = 0
  var i = count
  while i > from {
    i &-= 1
    // SAFETY: from <= i < count.
    word = word << 8 | UInt64(p.load(fromByteOffset: i, as: UInt8.self))
  }
  return word
}

/// Whether `count` bytes at `a` and `b` are the same.
@inlinable @inline(__always)
public func equalBytes(_ a: UnsafeRawPointer, _ b: UnsafeRawPointer, _ count: Int) -> Bool {
  var offset = 0
  while offset &+ 8 <= count {
    if load64(a, offset) != load64(b, offset) { return false }
    offset &+= 8
  }
  return offset == count || tail(a, offset, count) == tail(b, offset, count)
}

/// The checksum of an image of `size` bytes: all of it but the field itself. `size` is at least the header's. Four streams of words,
/// since in one of them each step waits for the one before.
public func imageChecksum(_ base: UnsafeRawPointer, _ size: Int) -> UInt64 {
  let seed = hash64(base, 24)
  let (start, count) = (base + 32, size &- 32)
  var (a, b, c, d) = (mix(seed, 0), mix(seed, 1), mix(seed, 2), mix(seed, 3))
  var offset = 0
  while offset &+ 32 <= count {
    // SAFETY: as just checked.
    a = mix(a, load64(start, offset))
    b = mix(b, load64(start, offset &+ 8))
    c = mix(c, load64(start, offset &+ 16))
    d = mix(d, load64(start, offset &+ 24))
    offset &+= 32
  }
  return hash64(start + offset, count &- offset, seed: mix(mix(mix(a, b), c), d))
}
