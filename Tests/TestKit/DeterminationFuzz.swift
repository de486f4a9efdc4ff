// Any bytes as a signed determination, and as who decides: what is taken has one encoding, the one that was signed.

internal import Determinations

enum DeterminationFuzz {
  static func complaint(_ bytes: [UInt8]) -> String? {
    if let one = SignedDetermination(bytes) {
      if one.bytes != bytes { return "a determination with two encodings" }
      let facts = one.determination
      let names = facts.evidence.map(\.name)
      if names != Array(Set(names)).sorted(by: { $0.utf8.lexicographicallyPrecedes($1.utf8) }) {
        return "evidence out of order, or twice"
      }
      let texts = [facts.host, facts.period, facts.authority] + names + facts.evidence.map(\.place)
      if texts.contains(where: { $0.utf8.contains { !(0x20..<0x7F).contains($0) } }) {
        return "a text that isn't printable"
      }
      var other = facts
      (other.issued, other.validUntil, other.authority) = (0, 0, "")
      if !facts.agrees(with: other) || !other.agrees(with: facts) { return "who and when are part of the facts" }
    }
    if let deciders = Deciders(bytes), deciders.bytes != bytes { return "deciders with two encodings" }
    return nil
  }
}
