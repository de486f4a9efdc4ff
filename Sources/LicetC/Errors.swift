// Why something failed, for people: a code and a sentence, in memory that is there already.

internal import CLicet
internal import Decision
internal import PolicyImage

/// A sentence that is written into a `licet_error`; what is too long is cut.
struct Sentence {
  private let memory: UnsafeMutablePointer<UInt8>
  private let capacity: Int
  private var count = 0

  init(_ memory: UnsafeMutableRawPointer, capacity: Int) {
    self.memory = memory.assumingMemoryBound(to: UInt8.self)
    self.capacity = capacity
    if capacity > 0 { self.memory[0] = 0 }
  }

  private mutating func put(_ byte: UInt8) {
    guard count &+ 1 < capacity else { return }
    memory[count] = byte
    count &+= 1
    memory[count] = 0
  }

  mutating func put(_ text: StaticString) {
    var i = 0
    while i < text.utf8CodeUnitCount {
      put(text.utf8Start[i])
      i &+= 1
    }
  }

  /// A text from outside between back quotes: at most 80 bytes of it, and nothing that moves a terminal's cursor.
  mutating func put(_ text: Name) {
    put(UInt8(ascii: "`"))
    for byte in text.prefix(80) { put(byte < 0x20 || byte == 0x7F ? UInt8(ascii: "?") : byte) }
    if text.count > 80 { put("..." as StaticString) }
    put(UInt8(ascii: "`"))
  }

  /// What the daemon says of a refusal, or what its code means: nothing in it moves a terminal's cursor either.
  mutating func put(refusal code: Int32, _ sentence: Name) {
    if sentence.count == 0 || !isUTF8(sentence) { return put(meaning(code)) }
    for byte in sentence { put(byte < 0x20 || byte == 0x7F ? UInt8(ascii: "?") : byte) }
  }

  mutating func put(system code: Int32) {
    withUnsafeTemporaryAllocation(byteCount: 128, alignment: 1) { space in
      guard let base = space.baseAddress else { return }
      clicet_error_text(code, base.assumingMemoryBound(to: CChar.self), 128)
      for byte in space {
        if byte == 0 { break }
        put(byte)
      }
    }
  }
}

/// Fills a caller's `licet_error`, as far as its size says, or a request's own. Returns the code.
@discardableResult
func report(
  _ error: UnsafeMutablePointer<licet_error>?, _ code: Int32, system: Int32 = 0, _ body: (inout Sentence) -> Void
) -> Int32 {
  guard let error else { return code }
  let room = Int(error.pointee.size)
  guard room >= errorMessageOffset else { return code }
  error.pointee.code = code
  error.pointee.system = system
  var sentence = Sentence(
    UnsafeMutableRawPointer(error) + errorMessageOffset,
    capacity: min(room, MemoryLayout<licet_error>.size) &- errorMessageOffset)
  body(&sentence)
  return code
}

let errorMessageOffset = 16

extension UnsafeMutablePointer where Pointee == Request {
  /// The first of its members.
  var error: UnsafeMutablePointer<licet_error> {
    UnsafeMutableRawPointer(self).assumingMemoryBound(to: licet_error.self)
  }

  @discardableResult
  func fail(_ code: Int32, system: Int32 = 0, _ body: (inout Sentence) -> Void) -> Int32 {
    report(error, code, system: system, body)
  }
}

/// What a code means, where nothing more is known.
func meaning(_ code: Int32) -> StaticString {
  switch code {
  case LICET_E_INVALID: "a NULL, a wrong size or an unknown handle"
  case LICET_E_NO_MEMORY: "no memory"
  case LICET_E_SYSTEM: "a system call failed"
  case LICET_E_IMAGE: "no image, a broken one, or one of a later version"
  case LICET_E_NO_AUTHORITY: "no licetd answers"
  case LICET_E_PROTOCOL: "what answers is no licetd, or shares no version of the protocol"
  case LICET_E_NOT_BOUND: "no `bind` lets this process speak for the operator"
  case LICET_E_UNKNOWN_OPERATOR: "no such operator"
  case LICET_E_AMBIGUOUS_OPERATOR: "bound to several operators: say which"
  case LICET_E_UNKNOWN_ATTRIBUTE: "the platform declares no such attribute"
  case LICET_E_VERIFIED_ATTRIBUTE: "comes from the authority alone, never from a caller"
  case LICET_E_WRONG_TYPE: "not of the type that the platform declares"
  case LICET_E_NO_BEHAVIOR: "the request names no behavior"
  case LICET_E_BAD_NAME: "no behavior's name: segments of a-z, 0-9, _ and -, with dots between"
  case LICET_E_TOO_MANY: "past a bound of licet.h"
  case LICET_E_LIMITS_EXCEEDED: "this user asks too much at once"
  case LICET_E_NOT_RECORDED: "it has to be recorded, and licetd takes no records at the moment"
  case LICET_E_UNKNOWN_SESSION: "there is no such session, any more, or not for this operator"
  case LICET_E_FOREIGN_SESSION: "another user's session"
  case LICET_E_BAD_DIAL: "a dial lies strictly between 0 and 1"
  case LICET_E_BAD_COST: "a cost is a finite number, at least 0"
  default: "not a request that can be decided"
  }
}
