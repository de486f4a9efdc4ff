// Why a message could not be read, and where: without allocation until somebody prints it.

/// A value in a message that is not what was expected.
public struct ReadError: Error, Hashable, Sendable, CustomStringConvertible {
  public enum Kind: Hashable, Sendable {
    /// A value of another type, or none.
    case type(expected: WireType, found: WireType)
    /// Containers within each other deeper than `MessageReader.maximumDepth`.
    case tooDeep
    /// More values than expected.
    case trailing(found: WireType)
    /// The bytes aren't what the signature says: libdbus delivers no such message.
    case malformed
  }

  public let kind: Kind
  /// Positions, from the argument inwards, 16 bits each (65,535: that or more); the outer four of them.
  let trail: UInt64
  let depth: UInt8
  let index: UInt32

  /// Where: from 0, the argument, and in it the element, field or part, down to four containers; then the last.
  public var positions: [Int] {
    (0..<min(Int(depth), 4)).map { Int(truncatingIfNeeded: (trail >> (UInt64($0) * 16)) & 0xffff) } + [Int(index)]
  }

  public var description: String {
    let place = positions.map { String($0 + 1) }.joined(separator: ".")
    switch kind {
    case .type(let expected, let found): return "argument \(place): expected \(expected), found \(found)"
    case .tooDeep: return "argument \(place): nested deeper than \(MessageReader.maximumDepth)"
    case .malformed: return "argument \(place): the bytes don't fit the signature"
    case .trailing(let found): return "argument \(place): unexpected \(found)"
    }
  }
}
