// A request's form -> the arguments of Check and Explain. Here nobody knows the types that the platform declares: a
// plain text (--set) is read as a bool, number, list or object if it is one; where the daemon says that this attribute
// has another type, it is sent once more as the text that it is.

import Bus
import Consultation
import Offline
import PolicyImage

/// One request, ready to be written; values in the order of keys.
struct DaemonRequest {
  /// Empty: the caller's only one.
  let operatorName: String
  let behaviors: [String]
  private let members: [JSON.Member]

  /// `asText`: attributes that are sent as plain texts.
  init(_ form: RequestForm, in session: DaemonSession? = nil, asText: Set<String> = []) throws(CommandError) {
    try form.validate()
    if session != nil, form.operatorName != nil {
      throw CommandError(
        .conflictingFlags, "the session has its operator", at: "operator",
        hint: "leave one of them out; a session also comes from LICET_SESSION in the environment")
    }
    if form.now != nil {
      throw CommandError(
        .badValue, "the daemon decides by its own clock", at: "now", hint: "--policy and --image decide for any time")
    }
    if form.dial != nil {
      throw CommandError(
        .badValue, "the daemon takes no dial with a request: it is the session's", at: "dial",
        hint: "`licet session dial` sets it; --policy and --image decide for any dial")
    }
    if !form.terms.isEmpty {
      throw CommandError(
        .badValue, "the daemon takes no terms with a request: they are the session's", at: "terms",
        hint: "--policy and --image decide for any terms")
    }
    if form.suspicion != nil {
      throw CommandError(
        .badValue, "the daemon knows itself how suspect whoever asks is", at: "suspicion",
        hint: "--policy and --image decide for any suspicion")
    }
    if !form.ended.isEmpty {
      throw CommandError(
        .badValue, "the daemon knows itself which periods have ended", at: "ended",
        hint: "--policy and --image decide as if any had; `licet period submit` ends one")
    }
    if !form.counters.isEmpty {
      throw CommandError(
        .badValue, "the daemon counts itself", at: "counters",
        hint: "--policy and --image decide as if counters had come to anything; `licet explain` counts nothing")
    }
    operatorName = form.operatorName ?? ""
    behaviors = form.behaviors
    var members: [JSON.Member] = []
    func add(_ key: String, _ text: String?) {
      if let text { members.append(JSON.Member(key: key, value: .string(text))) }
    }
    add("resource", form.resource)
    add("source", form.source?.name)
    add("argument", form.argument)
    add("preference", form.preference?.name)
    for (root, attributes) in form.attributes.sorted(by: { $0.key < $1.key }) {
      var typed: [JSON.Member] = []
      for (name, value) in attributes.sorted(by: { $0.key < $1.key }) {
        let qualified = "\(root).\(name)"
        guard value.isWritable else {
          throw wrongType("a value", .null, qualified, hint: "leave out what isn't known: D-Bus has no null")
        }
        let isPlain = form.plain.contains(qualified) && !asText.contains(qualified)
        typed.append(JSON.Member(key: name, value: isPlain ? DaemonRequest.guess(value) : value))
      }
      members.append(JSON.Member(key: root, value: .object(typed)))
    }
    self.members = members
  }

  static func guess(_ value: JSON) -> JSON {
    guard case .string(let text) = value, let read = try? JSONParser.parse(text), read.isWritable else { return value }
    return read
  }

  /// The `a{sv}`, with trace and way asked for.
  func write(_ writer: inout MessageWriter, explaining: Bool) {
    let all = explaining ? members + [JSON.Member(key: "explain", value: .bool(true))] : members
    JSON.write(all, &writer)
  }
}

extension Daemon {
  enum Question: String {
    case check = "Check"
    case explain = "Explain"
  }

  /// Asks, and asks again where a plain text was taken for something else than its attribute's type.
  func ask(
    _ question: Question, _ form: RequestForm, in session: DaemonSession? = nil
  ) throws(CommandError) -> DaemonAnswer {
    var asText: Set<String> = []
    while true {
      let request = try DaemonRequest(form, in: session, asText: asText)
      do throws(CommandError) {
        let reply = try call(of: session, question.rawValue) { writer in
          if session == nil { writer.append(request.operatorName) }
          writer.append(request.behaviors)
          request.write(&writer, explaining: question == .check)
        }
        return try DaemonAnswer(reply, asked: form.behaviors)
      } catch {
        guard let name = form.plain.subtracting(asText).first(where: { error.isWrongType(of: $0) }) else { throw error }
        asText.insert(name)
      }
    }
  }
}

extension Daemon {
  /// A question of Authority's, or of a session's, which has no operator before it.
  func call(
    of session: DaemonSession?, _ member: String, _ write: (inout MessageWriter) -> Void
  ) throws(CommandError) -> [JSON] {
    if let session { return try session.call(member, write) }
    return try call(.authority, member, write)
  }
}

extension CommandError {
  /// Whether the daemon refused this attribute's type: its message names the attribute.
  func isWrongType(of attribute: String) -> Bool {
    guard code == .wrongType else { return false }
    let words = message.split { !($0.isLetter || $0.isNumber || $0 == "_" || $0 == "." || $0 == "-") }
    return words.contains { $0 == attribute || $0 == attribute + "." }
  }
}
