// Deciding takes nothing from the heap: the thread's calls of malloc and its kin are counted (Tests/CHeap), and the
// count is shown to bite, in this program and in the libraries that it loads.

import CHeap
import Consultation
import Offline
import PolicyImage
import TestKit
import Testing

#if canImport(Glibc)
  import Glibc
#endif

@Suite struct HeapTests {
  private func requests(during body: () -> Void) -> UInt64 {
    let before = heap_requests()
    body()
    return heap_requests() - before
  }

  /// Every condition of the sample but those of rules that build lists holds, doesn't and fails among these.
  private func prepared() throws -> [PreparedRequest] {
    let policy = try #require(SamplePolicy.loaded.policy)
    return try SamplePolicy.requests.map { try policy.prepare($0, operator: "op") }
  }

  @Test func aDecisionAllocatesNothing() throws {
    var effects = 0
    let prepared = try prepared()
    // What Swift makes once in a process, at first use (metadata of generic types), is nobody's decision.
    effects &+= Int(try #require(prepared.first).run().rawValue)
    for (request, one) in zip(SamplePolicy.requests, prepared) {
      let count = requests {
        // Not `for`: iterators of unoptimized code may allocate.
        var round = 0
        while round < 50 {
          effects &+= Int(one.run().rawValue)
          round &+= 1
        }
      }
      #expect(count == 0, "\(request.behaviors)")
    }
    #expect(effects > 0)
  }

  @Test func theCountBites() throws {
    #expect(requests { free(malloc(24)) } == 1)
    #expect(requests { free(calloc(3, 8)) } == 1)
    let policy = try #require(SamplePolicy.loaded.policy)
    #expect(requests { _ = try? policy.prepare(SamplePolicy.requests[0], operator: "op") } > 3)
    // By way of libswiftCore.
    #expect(requests { UnsafeMutableRawPointer.allocate(byteCount: 8, alignment: 64).deallocate() } == 1)
  }
}
