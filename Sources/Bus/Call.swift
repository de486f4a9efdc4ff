// A method call on its way through the table: who asks, what, and the one answer it gets, now or later.

/// A call that the table is handling. Loop-owned. Kept by whoever answers later; if nobody keeps it and nobody has
/// answered, the caller gets an error: no call is lost.
public final class Call {
  public let message: Message
  /// Whatever the gate found out about the caller; see `ObjectTable.admit`.
  public var context: AnyObject?
  /// Bytes of the arguments.
  public let length: Int
  /// Where the call came in; for asking the bus about the caller.
  public private(set) weak var connection: Connection?

  /// The life of the connection: a reply later than that is dropped.
  private weak var link: Link?
  private weak var table: ObjectTable?
  private(set) var isAnswered = false
  var replySignature = ""

  init(_ message: Message, on connection: Connection, of table: ObjectTable) {
    self.message = message
    self.connection = connection
    self.table = table
    link = connection.link
    length = message.bodyLength
    table.hold(length)
  }

  deinit {
    if !isAnswered { fail(ErrorName.failed, "the call was dropped without an answer") }
  }

  /// The caller's unique name; empty without a bus between.
  public var sender: String { message.sender ?? "" }
  public var reader: MessageReader { message.reader }
  /// Whether anybody waits for the answer.
  public var isAwaited: Bool { !isAnswered && message.expectsReply && link?.isOpen == true }

  /// Answers with what the closure writes, which must have the declared signature: anything else is a programmer's
  /// error. Only the first answer counts. The closure isn't called if nobody waits.
  public func reply(_ body: (inout MessageWriter) -> Void = { _ in }) {
    guard isAwaited else { return release() }
    let reply = message.reply()
    reply.write(body)
    self.reply(reply)
  }

  /// Answers with a reply to `message` that is written already: for whoever finds out only while writing whether
  /// there is one.
  public func reply(_ reply: Message) {
    guard isAwaited, let table else { return release() }
    assert(reply.signature == replySignature, "\(message.member ?? ""): \(reply.signature), not \(replySignature)")
    if reply.bodyLength > table.limits.reply {
      return fail(table.limits.errorName, "the answer is longer than \(table.limits.reply) bytes")
    }
    finish(reply)
  }

  /// Answers with an error. `name` must be a valid error name.
  public func fail(_ name: String, _ text: String) {
    guard isAwaited else { return release() }
    finish(message.failure(name, text))
  }

  /// Answers InvalidArgs, saying where.
  public func fail(_ error: ReadError) { fail(ErrorName.invalidArgs, error.description) }

  private func finish(_ reply: Message) {
    link?.send(reply)
    release()
  }

  private func release() {
    guard !isAnswered else { return }
    isAnswered = true
    table?.hold(-length)
  }
}
