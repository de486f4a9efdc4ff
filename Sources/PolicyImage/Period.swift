// The periods of a platform's image (DESIGN §2.8): who can end one, on what evidence, and when that is looked at again.
// In an image each is a run of words:
//   words in all, name, statement, quorum, authorities, evidence, review-by (two words, the lower one first),
//   then of each authority name and key, in name order, then the evidence's names, in name order.

/// One period of a verified image. A view, as `Image` is.
public struct Period {
  let image: Image
  let words: UnsafePointer<UInt32>

  static let head = 8
  /// Bytes of an Ed25519 public key.
  public static let keySize = 32

  public var name: UnsafeRawBufferPointer { image.string(words[1]) }
  public var statement: UInt32 { words[2] }
  /// How many authorities it takes to end it; 1...authorities.
  public var quorum: Int { Int(words[3]) }
  public var authorities: Int { Int(words[4]) }
  public var evidence: Int { Int(words[5]) }
  /// Seconds since 1970: the day on which somebody has to have looked whether it can end has begun.
  public var reviewBy: Int64 { Int64(bitPattern: UInt64(words[6]) | UInt64(words[7]) << 32) }

  public func authorityName(_ i: Int) -> UnsafeRawBufferPointer { image.string(words[Self.head &+ i &* 2]) }
  /// `keySize` bytes.
  public func authorityKey(_ i: Int) -> UnsafeRawBufferPointer { image.string(words[Self.head &+ i &* 2 &+ 1]) }
  public func evidenceName(_ i: Int) -> UnsafeRawBufferPointer {
    image.string(words[Self.head &+ authorities &* 2 &+ i])
  }
}

extension Image {
  public var periodCount: Int { Int(header.pointee.periods) }

  /// The period with this number, which is below `periodCount`.
  public func period(_ number: Int) -> Period {
    var words = periodWords
    var left = number
    while left > 0 {
      words += Int(words.pointee)
      left &-= 1
    }
    return Period(image: self, words: words)
  }

  /// All periods of this platform, as a set.
  public var allPeriods: UInt64 { periodCount == 64 ? .max : (1 &<< UInt64(periodCount)) &- 1 }
}

extension Verifier {
  /// Periods stand one behind the other in name order and fill the section; each can be ended, by somebody and on something.
  func checkPeriods() throws(ImageError) {
    let header = image.header.pointee
    let end = image.count(.periods)
    guard header.periods <= UInt32(ImageFormat.maximumPeriods), kind == .platform || (header.periods == 0 && end == 0)
    else { throw ImageError(.badPeriod, at: 204) }
    var at = 0
    for i in 0..<Int(header.periods) {
      guard let size = periodSize(at, end) else { throw fail(.badPeriod, .periods, at) }
      if i > 0, !bytesLess(image.period(i &- 1).name, image.period(i).name) { throw fail(.badPeriod, .periods, at) }
      at &+= size
    }
    guard at == end else { throw fail(.badPeriod, .periods, at) }
  }

  private func periodSize(_ at: Int, _ end: Int) -> Int? {
    guard end &- at >= Period.head else { return nil }
    let period = Period(image: image, words: image.periodWords + at)
    guard period.authorities < end, period.evidence > 0, period.evidence < end, period.quorum > 0,
      period.quorum <= period.authorities
    else { return nil }
    let size = Period.head &+ period.authorities &* 2 &+ period.evidence
    guard Int(period.words[0]) == size, size <= end &- at, isString(period.words[1]),
      Int(period.statement) < image.count(.statements)
    else { return nil }
    for i in Period.head..<size where !isString(period.words[i]) { return nil }
    // SAFETY: the strings were just found to be there.
    for i in 0..<period.authorities {
      if period.authorityKey(i).count != Period.keySize { return nil }
      if i > 0, !bytesLess(period.authorityName(i &- 1), period.authorityName(i)) { return nil }
    }
    for i in 0..<period.evidence where i > 0 {
      if !bytesLess(period.evidenceName(i &- 1), period.evidenceName(i)) { return nil }
    }
    return size
  }

  /// Alternatives of statements that there are, for periods that there are, in order.
  func checkAlternatives() throws(ImageError) {
    let count = image.count(.alternatives)
    guard kind == .platform || count == 0 else { throw fail(.badPeriod, .alternatives, 0) }
    for i in 0..<count {
      let one = image.alternatives[i]
      let isDial = one.statement == image.header.pointee.dialStatement
      let highest = isDial ? Degree.one.millionths &- 1 : UInt32(Effect.allow.rawValue)
      func fits(_ value: UInt32) -> Bool { value == ImageFormat.none || value <= highest }
      guard Int(one.statement) < image.count(.statements), one.period < image.header.pointee.periods,
        fits(one.default), fits(one.operatorsMay), fits(one.usersMay), one.reserved == 0
      else { throw fail(.badPeriod, .alternatives, i) }
      guard i > 0 else { continue }
      let last = image.alternatives[i &- 1]
      guard (last.statement, last.period) < (one.statement, one.period) else {
        throw fail(.badPeriod, .alternatives, i)
      }
    }
  }

  /// A limit asks whether a period runs, a grant or a duty whether it has ended, nothing else asks; what begins with an end
  /// carries no obligation.
  func isRightPeriod(_ test: Test, in rule: RuleHeader, isFirst: Bool, periods: Int) -> Bool {
    guard test.operation == TestOperation.period.rawValue else { return true }
    let runs = test.comparison == Comparison.notEqual.rawValue
    guard isFirst, Int(test.operand) < periods, runs || test.comparison == Comparison.equal.rawValue else {
      return false
    }
    switch StatementKind(rawValue: rule.kind) {
    case .limit: return runs
    case .grant: return !runs
    case .duty: return !runs && rule.mask == 0
    case .setting, nil: return false
    }
  }
}

/// The order of bytes.
func bytesLess(_ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer) -> Bool {
  let shorter = min(a.count, b.count)
  var i = 0
  while i < shorter {
    // SAFETY: i < both counts.
    if a[i] != b[i] { return a[i] < b[i] }
    i &+= 1
  }
  return a.count < b.count
}
