// Texts to try: what a pattern matches, and what is near the texts that stand in a condition.

internal import CEL

/// A few texts that a pattern matches; whether they do is seen when they are tried.
func matchingTexts(_ pattern: String) -> Set<String> {
  guard let parsed = try? parsePattern(pattern) else { return [] }
  var texts = Set(witnesses(parsed).prefix(8))
  // A pattern that isn't anchored matches inside a text, too; one about words only there.
  if let first = texts.min() { texts.formUnion([" " + first + " ", "x" + first + "x"]) }
  return texts
}

private func witnesses(_ pattern: Pattern) -> [String] {
  switch pattern {
  case .empty, .assertion: return [""]
  case .scalars(let ranges): return witness(ranges).map { [$0] } ?? []
  case .concatenation(let parts):
    return parts.reduce([""]) { heads, part in
      let tails = witnesses(part)
      return Array(heads.lazy.flatMap { head in tails.map { head + $0 } }.prefix(8))
    }
  case .alternation(let choices): return Array(choices.flatMap { witnesses($0).prefix(2) }.prefix(8))
  case .repetition(let inner, let minimum, let maximum):
    let once = witnesses(inner)
    guard minimum <= 64, let first = once.first else { return minimum == 0 ? [""] : [] }
    if minimum == 0 { return maximum == 0 ? [""] : ["", first] }
    return once.prefix(4).map { String(repeating: $0, count: minimum) }
  }
}

/// The plainest scalar of a class.
private func witness(_ ranges: [ClosedRange<UInt32>]) -> String? {
  for wish in ["a"..."z", "0"..."9", "A"..."Z", " "..."~"] as [ClosedRange<Unicode.Scalar>] {
    for range in ranges {
      let low = max(range.lowerBound, wish.lowerBound.value)
      if low <= min(range.upperBound, wish.upperBound.value), let scalar = Unicode.Scalar(low) { return String(scalar) }
    }
  }
  return ranges.lazy.compactMap { Unicode.Scalar($0.lowerBound) }.first.map { String($0) }
}

/// A text that none of `known` is, and that neither begins nor ends like one if that can be helped.
func unlike(_ known: Set<String>) -> String {
  ["other", "zz", "q1", "-"].first { word in !known.contains(word) } ?? (known.max().map { $0 + "z" } ?? "z")
}

/// Variants of the texts in an opaque condition: its parts, with something before and behind, of certain lengths.
func variants(of texts: Set<String>, lengths: Set<Int64>) -> [String] {
  var all: [String] = []
  let sorted = texts.sorted { ($0.utf8.count, $0) < ($1.utf8.count, $1) }.prefix(16)
  for text in sorted {
    all += [text, text.uppercased(), text.lowercased()]
    let parts = text.split { !$0.isLetter && !$0.isNumber }.map(String.init)
    if parts.count > 1 { all += parts }
    // What is put together with another text, or taken apart by it.
    for other in sorted where other != text && !other.isEmpty {
      if text.hasPrefix(other) { all.append(String(text.dropFirst(other.count))) }
      if text.hasSuffix(other) { all.append(String(text.dropLast(other.count))) }
    }
    if let only = text.unicodeScalars.first, text.unicodeScalars.count == 1 {
      for near in [only.value &- 1, only.value &+ 1] { if let it = Unicode.Scalar(near) { all.append(String(it)) } }
    }
    all += ["a" + text + "b", "x" + text, text + "x", "x" + text + "," + text]
    for length in lengths.sorted() where length > 0 && length <= 16 {
      all.append(String(repeating: "x", count: Int(length)) + text)
    }
  }
  all += [
    "", "x", "ab", "  ", " x ", "1", "0", "7", "1.5", "true", "false", "10s", "2026-01-01T00:00:00Z", "a b c d e",
  ]
  for length in lengths.sorted() where length >= 0 && length <= 256 {
    for near in [length - 1, length, length + 1] where near > 0 { all.append(String(repeating: "a", count: Int(near))) }
    all.append(String(length + 1))
  }
  return all
}
