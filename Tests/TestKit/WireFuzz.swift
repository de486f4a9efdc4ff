// What must hold for any bytes that come over the compiler's wire: reading them ends in a value or a WireError, and a
// value that is written and read again is the same.

internal import CompilerProtocol

enum WireFuzz {
  static func complaint(_ bytes: [UInt8]) -> String? {
    bytes.withUnsafeBytes { bytes in
      aboutMessage(bytes) ?? aboutSources(bytes) ?? aboutResult(bytes)
    }
  }

  private static func aboutMessage(_ bytes: UnsafeRawBufferPointer) -> String? {
    for descriptors in 0...3 {
      guard let message = try? CompilerMessage(decoding: bytes, descriptors: descriptors) else { continue }
      if message.descriptors != descriptors { return "\(message) with \(descriptors) descriptors" }
      if !message.encoded().elementsEqual(bytes) { return "\(message) is written otherwise" }
    }
    return nil
  }

  private static func aboutSources(_ bytes: UnsafeRawBufferPointer) -> String? {
    guard let sources = try? decodeSources(bytes) else { return nil }
    guard let again = try? encodeSources(sources) else { return "sources that can't be written" }
    return again.elementsEqual(bytes) ? nil : "sources are written otherwise"
  }

  private static func aboutResult(_ bytes: UnsafeRawBufferPointer) -> String? {
    guard let result = try? ResultContents(decoding: bytes) else { return nil }
    if result.image.upperBound > bytes.count || result.image.lowerBound % 64 != 0 { return "image at \(result.image)" }
    let image = Array(bytes[result.image])
    guard
      let again = try? encodeResult(
        image: result.isInForce ? image : nil, facts: result.facts, diagnostics: result.diagnostics),
      let second = again.withUnsafeBytes({ try? ResultContents(decoding: $0) })
    else { return "a result that can't be written" }
    return second == result ? nil : "a result is read otherwise after writing"
  }
}
