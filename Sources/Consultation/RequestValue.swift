/// Consultation: images in memory, asked in words: a request in Swift's own types, an answer with names, places and
/// clauses. What the CLI, the compiler's examples and the daemon's explanations have in common. May import Decision and
/// PolicyImage; no Foundation.
///
/// This file: an attribute's value as Swift holds it, and its conversion into the evaluator's memory.

public import Decision

public indirect enum RequestValue: Hashable, Sendable {
  case null
  case bool(Bool)
  case int(Int64)
  case uint(UInt64)
  case double(Double)
  case string(String)
  case bytes([UInt8])
  /// Nanoseconds are 0..<10^9.
  case timestamp(seconds: Int64, nanoseconds: Int32)
  /// Nanoseconds have the sign of the whole.
  case duration(seconds: Int64, nanoseconds: Int32)
  case list([RequestValue])
  case map([Entry])

  public struct Entry: Hashable, Sendable {
    public var key: RequestValue
    public var value: RequestValue
    public init(key: RequestValue, value: RequestValue) {
      self.key = key
      self.value = value
    }
  }
}

/// Memory behind the values of one request; freed with it. One thread at a time.
public final class ValueMemory {
  private var blocks: [UnsafeMutableRawPointer] = []

  public init() {}

  deinit { for block in blocks { block.deallocate() } }

  /// The value as the evaluator has it; valid as long as this object.
  public func value(_ value: RequestValue) -> Value {
    switch value {
    case .null: .null
    case .bool(let b): .bool(b)
    case .int(let i): .int(i)
    case .uint(let u): .uint(u)
    case .double(let d): .double(d)
    case .string(let text): .string(bytes(Array(text.utf8)))
    case .bytes(let content): .bytes(bytes(content))
    case .timestamp(let seconds, let nanoseconds): .timestamp(seconds: seconds, nanoseconds: nanoseconds)
    case .duration(let seconds, let nanoseconds): .duration(seconds: seconds, nanoseconds: nanoseconds)
    case .list(let elements): .list(UnsafeBufferPointer(values(elements)))
    case .map(let entries): .map(UnsafeBufferPointer(values(entries.flatMap { [$0.key, $0.value] })))
    }
  }

  /// A copy; valid as long as this object.
  public func bytes(_ content: [UInt8]) -> UnsafeRawBufferPointer {
    let block = UnsafeMutableRawBufferPointer.allocate(byteCount: max(content.count, 1), alignment: 8)
    if let base = block.baseAddress { blocks.append(base) }
    block.copyBytes(from: content)
    return UnsafeRawBufferPointer(rebasing: block[..<content.count])
  }

  private func values(_ elements: [RequestValue]) -> UnsafeMutableBufferPointer<Value> {
    let buffer = UnsafeMutableBufferPointer<Value>.allocate(capacity: max(elements.count, 1))
    if let base = buffer.baseAddress { blocks.append(UnsafeMutableRawPointer(base)) }
    for (i, element) in elements.enumerated() { buffer.initializeElement(at: i, to: value(element)) }
    return UnsafeMutableBufferPointer(rebasing: buffer[..<elements.count])
  }
}
