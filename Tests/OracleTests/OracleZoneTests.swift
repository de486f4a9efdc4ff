// The Oracle's own reading of the zone database against Foundation's, before and after the last listed transition. (Not
// Morocco: Foundation brings data of its own, in which its rules are of another year.)

import Foundation
import Testing

@testable import Oracle

@Suite struct OracleZoneTests {
  @Test(arguments: [
    "America/New_York", "Australia/Sydney", "Europe/Dublin", "Asia/Kathmandu", "America/Santiago", "Pacific/Chatham",
    "UTC",
  ])
  func offsetsAreFoundations(_ name: String) throws {
    let zone = try #require(TimeZone(identifier: name))
    var random = SystemRandomNumberGenerator()
    for _ in 0..<300 {
      // 1950 to 2100.
      let seconds = Int64.random(in: -631_152_000...4_102_444_800, using: &random)
      let expected = zone.secondsFromGMT(for: Date(timeIntervalSince1970: TimeInterval(seconds)))
      #expect(try Zone.offset(of: name, at: seconds) == Int64(expected), "\(name) at \(seconds)")
    }
  }
}
