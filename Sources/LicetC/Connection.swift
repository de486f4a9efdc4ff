// The client's end of the attach socket: one question at a time, each answered within the time-out, or the connection is
// given up. Used under the authority's lock.

internal import Attach
internal import CLicet
internal import Decision
internal import PolicyImage

struct Connection {
  private(set) var descriptor: Int32 = -1
  /// Milliseconds.
  private var timeout: Int64 = 0
  private var serial: UInt32 = 0
  /// One packet, for questions and answers; owned.
  private var packet: UnsafeMutableRawPointer?
  /// Descriptors of the last answer that nobody took yet.
  private var descriptors: (Int32, Int32, Int32, Int32) = (-1, -1, -1, -1)
  /// An answer that came in sealed memory.
  private var sealed: (base: UnsafeMutableRawPointer, size: Int)?

  var isOpen: Bool { descriptor >= 0 }

  /// 0, or -errno.
  mutating func open(_ path: UnsafePointer<CChar>, timeout: Int64) -> Int32 {
    if packet == nil { packet = clicet_allocate(AttachProtocol.packet) }
    guard packet != nil else { return -ENOMEM }
    let made = clicet_connect(path, timeout)
    guard made >= 0 else { return made }
    (descriptor, self.timeout) = (made, timeout)
    return 0
  }

  /// One that a parent process made goes on there: only our copy is closed.
  mutating func close() {
    forgetAnswer()
    // Forgotten first: a child that is forked in between must not close what has this number then.
    let old = descriptor
    descriptor = -1
    if old >= 0 { clicet_close(old) }
    let memory = packet
    packet = nil
    clicet_free(memory)
  }

  /// Sends a question and waits for its answer, which is valid until the next one. 0, or -errno: the connection is of no
  /// use any more. A body that doesn't fit a packet goes in sealed memory.
  mutating func ask(
    _ kind: MessageKind, _ body: Name, with memory: Int32 = -1, _ answer: inout Name, _ answerKind: inout UInt16
  ) -> Int32 {
    forgetAnswer()
    serial &+= 1
    let sent = send(kind, body, with: memory)
    return sent < 0 ? sent : receive(&answer, &answerKind)
  }

  /// What has no answer; nobody waits for a daemon that doesn't read. false: there is nobody at the other end.
  func tell(_ kind: MessageKind) -> Bool {
    withUnsafeTemporaryAllocation(byteCount: AttachProtocol.head, alignment: 8) {
      var writer = WireWriter($0)
      MessageHead(kind: kind.rawValue, serial: 0).write(&writer)
      let failure = clicet_tell(descriptor, $0.baseAddress, AttachProtocol.head)
      return failure == 0 || failure == -EAGAIN
    }
  }

  mutating func setTimeout(_ milliseconds: Int64) {
    timeout = milliseconds
    _ = clicet_set_timeout(descriptor, milliseconds)
  }

  /// `given` goes with it, for a body that needs no sealed memory.
  private mutating func send(_ kind: MessageKind, _ body: Name, with given: Int32) -> Int32 {
    guard let packet else { return -ENOMEM }
    var writer = WireWriter(UnsafeMutableRawBufferPointer(start: packet, count: AttachProtocol.packet))
    let isSealed = body.count > AttachProtocol.packet &- AttachProtocol.head
    MessageHead(kind: kind.rawValue, flags: isSealed ? MessageHead.isSealed : 0, serial: serial).write(&writer)
    var memory: Int32 = -1
    var count = AttachProtocol.head
    if isSealed {
      memory = clicet_sealed_copy(body.baseAddress, body.count)
      if memory < 0 { return memory }
    } else if let base = body.baseAddress {
      (packet + AttachProtocol.head).copyMemory(from: base, byteCount: body.count)
      count &+= body.count
    }
    let sent = clicet_send(descriptor, packet, count, memory >= 0 ? memory : given, timeout)
    if memory >= 0 { clicet_close(memory) }
    return sent < 0 ? Int32(truncatingIfNeeded: sent) : 0
  }

  private mutating func receive(_ answer: inout Name, _ answerKind: inout UInt16) -> Int32 {
    guard let packet else { return -ENOMEM }
    var found: (Int32, Int32, Int32, Int32) = (-1, -1, -1, -1)
    let got = withUnsafeMutableBytes(of: &found) {
      clicet_receive(
        descriptor, packet, AttachProtocol.packet, $0.baseAddress?.assumingMemoryBound(to: Int32.self), timeout)
    }
    descriptors = found
    if got == 0 { return -ECONNRESET }
    if got < 0 { return Int32(truncatingIfNeeded: got) }
    var reader = WireReader(Name(start: packet, count: got))
    let head = MessageHead.read(&reader)
    guard !reader.isBroken else { return -EPROTO }
    // A question that was given up took its connection with it: this is nobody's answer.
    guard head.serial == serial else { return -EPROTO }
    answerKind = head.kind
    if head.flags & MessageHead.isSealed == 0 {
      answer = Name(start: packet + AttachProtocol.head, count: got &- AttachProtocol.head)
      return 0
    }
    var base: UnsafeMutableRawPointer?
    var size = 0
    let memory = takeDescriptor()
    guard memory >= 0 else { return -EPROTO }
    let error = clicet_map_sealed(memory, 0, AttachProtocol.largest, &base, &size)
    clicet_close(memory)
    guard error == 0, let base else { return error == 0 ? -EPROTO : error }
    sealed = (base, size)
    answer = Name(start: base, count: size)
    return 0
  }

  /// The next descriptor that came with the answer: the caller's; -1: none is left.
  mutating func takeDescriptor() -> Int32 {
    let first = descriptors.0
    descriptors = (descriptors.1, descriptors.2, descriptors.3, -1)
    return first
  }

  private mutating func forgetAnswer() {
    while true {
      let one = takeDescriptor()
      if one < 0 { break }
      clicet_close(one)
    }
    let old = sealed
    sealed = nil
    if let old { clicet_unmap(old.base, old.size) }
  }
}
