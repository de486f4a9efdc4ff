// How far off the estimates of distinct users are, on generated users; and the hash, by its authors' own vector.

@testable import Counting
import TestKit
import Testing

@Suite struct SketchTests {
  private static func hash(_ number: Int, _ key: UInt64) -> UInt64 {
    var hash = SipHash((key, 99))
    hash.add(UInt64(number))
    return hash.finish()
  }

  /// 1.04 / √4096, as docs/counters.md states it.
  static let standardError = 1.04 / 64

  @Test(arguments: [1, 10, 100, 1_000, 10_000, 100_000])
  func errorsAreThoseThatAreStated(_ users: Int) {
    let trials = users > 10_000 ? 20 : 60
    var squares = 0.0
    var sum = 0.0
    for trial in 0..<trials {
      var sketch = Sketch()
      for user in 0..<users {
        let (index, rank) = Sketch.place(Self.hash(user, UInt64(trial)))
        sketch.raise(index, to: rank)
        // Again changes nothing.
        if user % 3 == 0 { #expect(sketch.raise(index, to: rank) == nil) }
      }
      let error = (Double(RankCounts(sketch).estimate) - Double(users)) / Double(users)
      squares += error * error
      sum += error
    }
    let deviation = (squares / Double(trials)).squareRoot()
    // With so few trials the deviation itself is uncertain by a tenth or two.
    #expect(deviation <= Self.standardError * 1.4, "\(users) users: \(deviation)")
    #expect(
      (sum / Double(trials)).magnitude <= Self.standardError * 0.7, "\(users) users: biased by \(sum / Double(trials))")
    if users == 1 { #expect(deviation == 0) }
  }

  /// Nobody who doesn't know the key can choose users that fall into one register.
  @Test func chosenUsersDontCollideUnderAnotherKey() {
    var chosen: [Int] = []
    var user = 0
    while chosen.count < 200 {
      if Sketch.place(Self.hash(user, 1)).index == 0 { chosen.append(user) }
      user += 1
    }
    func estimate(_ key: UInt64) -> Int64 {
      var sketch = Sketch()
      for user in chosen {
        let (index, rank) = Sketch.place(Self.hash(user, key))
        sketch.raise(index, to: rank)
      }
      return RankCounts(sketch).estimate
    }
    #expect(estimate(1) < 5)
    #expect((190...210).contains(estimate(2)))
  }

  @Test func aListBecomesRegistersWithTheSameEstimate() {
    var sketch = Sketch()
    for user in 0..<2000 {
      let (index, rank) = Sketch.place(Self.hash(user, 4))
      sketch.raise(index, to: rank)
      #expect(sketch.rank(index) >= rank)
    }
    #expect(sketch.list.isEmpty && sketch.dense.count == 4096)
    var ranks = RankCounts()
    sketch.forEach { ranks.move(from: 0, to: $1) }
    #expect(ranks == RankCounts(sketch))
    #expect(RankCounts().estimate == 0)
  }

  /// The reference's key and its first message of eight bytes; ours adds a length to texts, not to words.
  @Test func sipHash() {
    var hash = SipHash((0x0706_0504_0302_0100, 0x0F0E_0D0C_0B0A_0908))
    hash.add(UInt64(0x0706_0504_0302_0100))
    #expect(hash.finish() == 0x93F5_F579_9A93_2462)
  }
}
