// A connection to a bus for a program with an event loop: greeting, calls with timeouts, names, who is who. Nothing
// blocks. It can be opened again after it ended; what belongs to an earlier life (a pending call, a late reply) ends with it.

public import System

/// A connection to a message bus. Loop-owned.
public final class Connection {
  /// The bus itself, as a peer.
  static let bus = "org.freedesktop.DBus"
  static let busPath = "/org/freedesktop/DBus"
  static let greetingTimeout: UInt64 = 10_000_000_000

  private struct Pending {
    let destination: String?
    let timer: EventLoop.Timer
    let reply: (Message) -> Void
  }

  let loop: EventLoop
  private(set) var link: Link?
  private var pending: [UInt32: Pending] = [:]
  private var followsOwners = false
  /// The bus, not this program, ends the connection.
  private var isEnding = false

  /// The name that the bus gave; `nil` while not connected.
  public private(set) var uniqueName: String?
  /// Calls and signals; replies go to whoever called.
  public var onMessage: ((Message) -> Void)?
  /// The connection, once greeted, has ended; once a life, after all pending calls have failed.
  public var onDisconnect: (() -> Void)?
  /// A well-known name that this connection owned is no longer its own.
  public var onNameLost: ((String) -> Void)?
  /// A connection, by its unique name, has left the bus. Set before `open` or later; the bus is asked to tell.
  public var onOwnerGone: ((String) -> Void)? {
    didSet { followOwners() }
  }

  public init(loop: EventLoop) { self.loop = loop }

  deinit { pending.values.forEach { $0.timer.cancel() } }

  public var isOpen: Bool { uniqueName != nil }

  /// Bytes that wait to be sent because the bus doesn't take them.
  public var outgoingBytes: Int { link?.outgoingBytes ?? 0 }

  /// Calls that wait for a reply.
  public var pendingCalls: Int { pending.count }

  // MARK: Life

  /// Connects and greets; `then` gets `nil` when that is done, or why not, never before this returns. Ends an earlier life.
  public func open(_ address: BusAddress, then: @escaping (BusError?) -> Void) {
    close()
    do throws(BusError) {
      let link = try Link(address, loop: loop) { [weak self] link, message in self?.receive(message, from: link) }
      self.link = link
      greet(over: link, then)
    } catch {
      loop.soon { then(error) }
    }
  }

  private func greet(over link: Link, _ then: @escaping (BusError?) -> Void) {
    call(busCall("Hello"), timeoutNanoseconds: Self.greetingTimeout) { [weak self] reply in
      guard let self else { return then(BusError(.disconnected, text: "closed")) }
      // An end before the greeting is how a bus refuses a user.
      if self.isEnding { return then(BusError(.refused, text: "the bus let nobody in")) }
      guard self.link === link else { return then(BusError(.disconnected, text: "closed")) }
      var reader = reply.reader
      guard !reply.isError, let name = try? reader.nextSwiftString() else {
        self.close()
        return then(reply.isError ? BusError(reply) : BusError(.badReply, text: "the bus's greeting can't be read"))
      }
      link.setUniqueName(name)
      self.uniqueName = name
      self.followOwners()
      then(nil)
    }
  }

  /// Ends the connection: pending calls fail, `onDisconnect` does not fire.
  public func close() {
    guard let link else { return }
    self.link = nil
    uniqueName = nil
    followsOwners = false
    link.close()
    failPending()
  }

  private func end() {
    let wasOpen = isOpen
    isEnding = true
    close()
    isEnding = false
    if wasOpen { onDisconnect?() }
  }

  private func failPending() {
    let calls = pending.sorted { $0.key < $1.key }
    pending = [:]
    for (_, call) in calls {
      call.timer.cancel()
      call.reply(Message(localError: ErrorName.disconnected, text: "the connection to the bus has ended"))
    }
  }

  // MARK: Sending

  /// Sends a signal, a reply, or a call whose reply nobody waits for. False if there is no connection.
  @discardableResult
  public func send(_ message: Message) -> Bool { link?.send(message) != nil }

  /// Calls; `reply` gets the reply or an error message once, also when time runs out or the connection ends, never
  /// before this returns.
  public func call(_ message: Message, timeoutNanoseconds: UInt64, reply: @escaping (Message) -> Void) {
    let destination = message.destination
    guard let serial = link?.send(message) else {
      loop.soon { reply(Message(localError: ErrorName.disconnected, text: "there is no connection to the bus")) }
      return
    }
    let timer = loop.after(nanoseconds: timeoutNanoseconds) { [weak self] in
      self?.pending.removeValue(forKey: serial)?
        .reply(Message(localError: ErrorName.timeout, text: "no reply in time"))
    }
    pending[serial] = Pending(destination: destination, timer: timer, reply: reply)
  }

  // MARK: Receiving

  private func receive(_ message: Message, from link: Link) {
    guard link === self.link else { return }
    switch message.kind {
    case .reply, .error: receiveReply(message)
    case .signal: receiveSignal(message)
    case .call: onMessage?(message)
    case nil: break
    }
  }

  private func receiveReply(_ message: Message) {
    let serial = message.replySerial
    // Only libdbus and Link write errors that answer nothing: the link has ended.
    if serial == 0 { return message.sender == nil ? end() : () }
    guard let call = pending[serial], isAnswer(message, to: call.destination) else { return }
    pending[serial] = nil
    call.timer.cancel()
    call.reply(message)
  }

  /// A lax bus lets anybody send replies: one counts only if it is from who was called, or from the bus (about them).
  private func isAnswer(_ message: Message, to destination: String?) -> Bool {
    guard let destination, destination.hasPrefix(":") || destination == Self.bus else { return true }
    return message.isFrom(destination) || message.isFrom(Self.bus)
  }

  private func receiveSignal(_ message: Message) {
    if message.isSignal("Disconnected", of: "org.freedesktop.DBus.Local") { return end() }
    if message.isFrom(Self.bus) {
      if message.isSignal("NameLost", of: Self.bus) {
        var reader = message.reader
        if let name = try? reader.nextSwiftString(), name != uniqueName { onNameLost?(name) }
        return
      }
      if let name = departed(message) {
        onOwnerGone?(name)
        return
      }
    }
    onMessage?(message)
  }

  /// The unique name that left, if this says so.
  private func departed(_ message: Message) -> String? {
    guard followsOwners, message.isSignal("NameOwnerChanged", of: Self.bus) else { return nil }
    var reader = message.reader
    guard let name = try? reader.nextSwiftString(), name.hasPrefix(":"), (try? reader.nextString()) != nil,
      let owner = try? reader.nextString(), owner.isEmpty
    else { return nil }
    return name
  }

  private func followOwners() {
    guard onOwnerGone != nil, isOpen, !followsOwners else { return }
    followsOwners = true
    addMatch(
      "type='signal',sender='\(Self.bus)',interface='\(Self.bus)',member='NameOwnerChanged',path='\(Self.busPath)',arg2=''"
    ) { _ in }
  }

  func busCall(_ member: String) -> Message {
    Message(call: member, of: Self.bus, at: Self.busPath, to: Self.bus)
  }
}
