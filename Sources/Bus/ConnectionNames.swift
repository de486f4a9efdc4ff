// What a connection asks the bus itself: names, matches, and who a caller is.

/// Who a connection of the bus is, by the bus's own word (GetConnectionCredentials).
public struct Credentials: Sendable, Hashable {
  public var uid: UInt32
  /// All groups, when the bus knows them.
  public var gids: [UInt32]?
  public var pid: UInt32?
  /// The security label (SELinux, AppArmor), without the zero that ends it.
  public var label: String?

  public init(uid: UInt32, gids: [UInt32]? = nil, pid: UInt32? = nil, label: String? = nil) {
    self.uid = uid
    self.gids = gids
    self.pid = pid
    self.label = label
  }
}

extension Connection {
  private static let timeout: UInt64 = 25_000_000_000

  /// Asks for a well-known name, without queueing for it; `then` gets `nil`, or `.nameTaken`, `.accessDenied`, ….
  public func requestName(_ name: String, then: @escaping (BusError?) -> Void) {
    let doNotQueue: UInt32 = 4
    let message = busCall("RequestName").with {
      $0.append(name)
      $0.append(doNotQueue)
    }
    call(message, timeoutNanoseconds: Self.timeout) { reply in
      if reply.isError { return then(BusError(reply)) }
      var reader = reply.reader
      switch try? reader.nextUInt32() {
      case 1, 4: then(nil)
      case 3: then(BusError(.nameTaken, text: "another process owns \(name)"))
      default: then(BusError(.badReply, text: "the bus's answer can't be read"))
      }
    }
  }

  /// Gives a name back.
  public func releaseName(_ name: String) {
    let message = busCall("ReleaseName").with { $0.append(name) }
    message.expectsReply = false
    send(message)
  }

  /// Asks the bus to deliver the signals that fit the rule.
  public func addMatch(_ rule: String, then: @escaping (BusError?) -> Void) {
    call(busCall("AddMatch").with { $0.append(rule) }, timeoutNanoseconds: Self.timeout) { reply in
      then(reply.isError ? BusError(reply) : nil)
    }
  }

  /// Who owns the name; `nil` if nobody does, or the bus doesn't say in time.
  public func credentials(of name: String, then: @escaping (Credentials?) -> Void) {
    let message = busCall("GetConnectionCredentials").with { $0.append(name) }
    call(message, timeoutNanoseconds: Self.timeout) { reply in
      then(reply.isError ? nil : Credentials(reading: reply))
    }
  }
}

extension Credentials {
  /// `nil` without a user.
  init?(reading reply: Message) {
    var found: Credentials?
    do throws(ReadError) {
      var reader = reply.reader
      found = try Credentials.read(&reader)
    } catch {
      return nil
    }
    guard let found else { return nil }
    self = found
  }

  private static func read(_ reader: inout MessageReader) throws(ReadError) -> Credentials? {
    var uid: UInt32?
    var others = Credentials(uid: 0)
    var entries = try reader.nextArray(of: .entry)
    while !entries.atEnd {
      var entry = try entries.nextEntry()
      let key = try entry.nextSwiftString()
      var value = try entry.nextVariant()
      switch key {
      case "UnixUserID": uid = try value.nextUInt32()
      case "ProcessID": others.pid = try value.nextUInt32()
      case "UnixGroupIDs": others.gids = try value.nextNumbers()
      case "LinuxSecurityLabel":
        let bytes = try value.nextBytes()
        others.label = String(decoding: bytes.last == 0 ? bytes.dropLast() : bytes[...], as: UTF8.self)
      default: break
      }
    }
    guard let uid else { return nil }
    others.uid = uid
    return others
  }
}

extension MessageReader {
  fileprivate mutating func nextNumbers() throws(ReadError) -> [UInt32] {
    var inner = try nextArray(of: .uint32)
    var numbers: [UInt32] = []
    while !inner.atEnd { numbers.append(try inner.nextUInt32()) }
    return numbers
  }
}
