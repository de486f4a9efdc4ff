// Automata and time zones: the section `blobs`. Their readers check every index that stands in them while running,
// so that all a verifier has to prove, in constant time, is that the tables lie inside the section.
//
// Automaton, 8-byte aligned:
//   UInt32 kind (1: deterministic, 2: not), UInt32 states, UInt32 classes, UInt32 start
//   256 × UInt8 class of each byte
//   kind 1: states × (classes + 1) × UInt16 next state; the last column is for the end of the text.
//     State 0 refuses whatever follows, state 1 has matched.
//   kind 2: states × two UInt32, an instruction of AutomatonOperation each:
//     operation (8 bits) | low byte (8) | high byte (8) | assertion (8), then two targets of 16 bits
//
// Zone, 8-byte aligned:
//   UInt32 transitions, UInt32 kinds of local time (at most 256), UInt32 has a rule (0, 1), UInt32 initial kind
//   transitions × Int64 seconds since 1970, ascending; kinds × Int32 offset, padded to 8; transitions × UInt8 kind,
//   padded to 8; then if there is a rule 12 × Int32: standard and daylight offset, start and end of daylight time,
//   each: form (0 month-week-day, 1 Julian day 1...365, 2 day 0...365), month, week, day, seconds after midnight.

public enum AutomatonKind { public static let deterministic: UInt32 = 1, nondeterministic: UInt32 = 2 }

public enum AutomatonLimits {
  /// States of a deterministic automaton; a pattern that needs more is simulated.
  public static let deterministicStates = 1024
  /// Cells of a deterministic automaton's table.
  public static let cells = 32 * 1024
  /// Instructions of a nondeterministic one.
  public static let instructions = 16 * 1024
}

public enum AutomatonOperation: UInt8, Sendable {
  /// One byte in a range, then the first target.
  case range = 0
  case fork = 1
  case assertion = 2
  case match = 3
}

public enum AutomatonAssertion: UInt8, Sendable {
  case textStart = 0, textEnd, lineStart, lineEnd, wordBoundary, notWordBoundary
}

public enum BlobLayout {
  public static let automatonHeader = 16
  public static let automatonTables = 16 + 256
  public static let zoneHeader = 16
  public static let zoneRule = 48

  @inline(__always) public static func padded(_ n: Int) -> Int { (n &+ 7) & ~7 }
}

@inline(__always)
func blobWord(_ base: UnsafeRawPointer, _ index: Int) -> Int {
  Int(UInt32(littleEndian: base.loadUnaligned(fromByteOffset: index &* 4, as: UInt32.self)))
}

/// Whether an automaton's tables, at `offset` of the section `blobs`, lie inside it.
public func verifyAutomaton(at offset: UInt32, in image: Image) -> Bool {
  let size = image.count(.blobs) &- Int(offset)
  guard offset & 7 == 0, size >= BlobLayout.automatonTables else { return false }
  // SAFETY: the header lies inside the section, as just checked.
  let base = image.blobs + Int(offset)
  let kind = blobWord(base, 0)
  let states = blobWord(base, 1)
  let classes = blobWord(base, 2)
  let rest = size &- BlobLayout.automatonTables
  guard states >= 1, classes >= 1, classes <= 256 else { return false }
  if kind == Int(AutomatonKind.deterministic) {
    return states >= 2 && states <= 1 << 16 && states &* (classes &+ 1) &* 2 <= rest
  }
  return kind == Int(AutomatonKind.nondeterministic) && states <= AutomatonLimits.instructions && states &* 8 <= rest
}

/// Whether a zone's tables, at `offset` of the section `blobs`, lie inside it.
public func verifyZone(at offset: UInt32, in image: Image) -> Bool {
  let size = image.count(.blobs) &- Int(offset)
  guard offset & 7 == 0, size >= BlobLayout.zoneHeader else { return false }
  // SAFETY: the header lies inside the section, as just checked.
  let base = image.blobs + Int(offset)
  let transitions = blobWord(base, 0)
  let kinds = blobWord(base, 1)
  let rule = blobWord(base, 2)
  guard transitions <= 1 << 16, kinds >= 1, kinds <= 256, rule <= 1 else { return false }
  let need =
    BlobLayout.zoneHeader &+ transitions &* 8 &+ BlobLayout.padded(kinds &* 4) &+ BlobLayout.padded(transitions)
    &+ rule &* BlobLayout.zoneRule
  return need <= size
}
